//! Which functions are handed labels.

use std::collections::{BTreeMap, HashSet};

use memchr::{memchr_iter, memchr2_iter};

use crate::Label;
use crate::code::Op;
use crate::elf::{Elf, Machine, Segment, i32_at, u32_at};
use crate::plt;
use crate::trace::{Next, Reach, State, Value, walk};

/// A call with a label as one of its first two arguments.
pub(crate) struct Call {
    pub label: Label,
    /// A jump at the end of a function, or else one within it.
    pub jump: bool,
    /// Where the label is referred to, and what is called there: the function or a stub.
    pub reference: u64,
    pub target: u64,
}

/// A function, and the label's place among its arguments.
pub(crate) type Callee = (u64, usize);

/// From a label's mention to the call there are a few instructions.
pub(crate) const REACH: Reach = Reach {
    branches: false,
    instructions: 48,
};
/// The busiest page of strings has some thousand references.
const REFERENCES_MAX: usize = 1 << 16;

/// As many functions are looked for behind stubs; libraries have a dozen that are handed labels.
const STUBS_MAX: usize = 256;

/// The calls that are handed labels, by function: those that were seen called. A jump to such a
/// function counts as a call.
pub(crate) fn find(elf: &Elf<'_>, labels: &[(u64, Label)]) -> BTreeMap<Callee, Vec<Call>> {
    let mut seen = HashSet::new();
    let mut calls: BTreeMap<Callee, Vec<Call>> = BTreeMap::new();
    for reference in references(elf, labels) {
        walk(elf, reference, REACH, |address, op, state| {
            let (target, jump) = match op {
                Op::Call(Some(target)) => (target, false),
                Op::Jump(Some(target)) => (target, true),
                Op::Call(None) => return Next::Stop,
                _ => return Next::On,
            };
            if let Some((label, position)) = handed(elf, labels, state) {
                // Two references to a page of labels may come to one call.
                if seen.insert((address, label)) {
                    calls.entry((target, position)).or_default().push(Call {
                        label,
                        jump,
                        reference,
                        target,
                    });
                }
            }
            if jump { Next::On } else { Next::Stop }
        });
    }
    let mut calls = behind_stubs(elf, calls);
    calls.retain(|_, calls| calls.iter().any(|call| !call.jump));
    calls
}

/// Where code refers to texts, or to their pages.
pub(crate) fn references(elf: &Elf<'_>, texts: &[(u64, Label)]) -> Vec<u64> {
    let mut references = Vec::new();
    for load in elf.loads.iter().filter(|load| load.executable) {
        match elf.machine {
            Machine::X86 => x86_references(elf.fixed, load, texts, &mut references),
            Machine::Arm64 => arm64_references(load, texts, &mut references),
        }
    }
    references
}

/// The same calls, by the functions in which they end.
fn behind_stubs(elf: &Elf<'_>, calls: BTreeMap<Callee, Vec<Call>>) -> BTreeMap<Callee, Vec<Call>> {
    let mut behind: BTreeMap<Callee, Vec<Call>> = BTreeMap::new();
    for (number, ((target, position), calls)) in calls.into_iter().enumerate() {
        let function = (number < STUBS_MAX).then(|| plt::function(elf, target));
        let function = function.flatten().unwrap_or(target);
        behind
            .entry((function, position))
            .or_default()
            .extend(calls);
    }
    behind
}

/// The labels among calls, without repetition.
pub(crate) fn distinct(calls: &[Call]) -> usize {
    calls
        .iter()
        .map(|call| call.label)
        .collect::<HashSet<_>>()
        .len()
}

/// The label that is one of the first two arguments, and which.
fn handed(elf: &Elf<'_>, labels: &[(u64, Label)], state: &State) -> Option<(Label, usize)> {
    let registers = elf.machine.arguments();
    let mut first = registers.iter().take(2).enumerate();
    first.find_map(|(position, &register)| match state.get(register) {
        Value::Number(number) => Some((label_at(labels, number)?, position)),
        _ => None,
    })
}

/// They are in order.
fn label_at(labels: &[(u64, Label)], address: u64) -> Option<Label> {
    // Most addresses are far from all of them.
    let (first, last) = (labels.first()?.0, labels.last()?.0);
    if !(first..=last).contains(&address) {
        return None;
    }
    let number = labels.binary_search_by_key(&address, |(start, _)| *start);
    labels.get(number.ok()?).map(|(_, label)| *label)
}

/// `lea register, [rip + distance]`, and in files of fixed address `mov edi, address` and
/// `mov esi, address`.
fn x86_references(fixed: bool, load: &Segment<'_>, labels: &[(u64, Label)], found: &mut Vec<u64>) {
    let code = load.bytes;
    let address = |at: usize| {
        load.address
            .wrapping_add(u64::try_from(at).unwrap_or(u64::MAX))
    };
    for at in memchr_iter(0x8d, code) {
        let Some(start) = at.checked_sub(1) else {
            continue;
        };
        // The prefix for 64 bits, and the form that counts from the next instruction.
        let (Some(prefix), Some(form)) = (code.get(start), code.get(start + 2)) else {
            continue;
        };
        if prefix & 0xfb != 0x48 || form & 0xc7 != 0x05 {
            continue;
        }
        let Some(distance) = i32_at(code, start + 3) else {
            continue;
        };
        let target = address(start + 7).wrapping_add_signed(i64::from(distance));
        if label_at(labels, target).is_some() && found.len() < REFERENCES_MAX {
            found.push(address(start));
        }
    }
    if !fixed {
        return;
    }
    for at in memchr2_iter(0xbe, 0xbf, code) {
        let target = u32_at(code, at + 1).map(u64::from);
        let is_label = target.is_some_and(|target| label_at(labels, target).is_some());
        if is_label && found.len() < REFERENCES_MAX {
            found.push(address(at));
        }
    }
}

/// `adrp register, page`: what is added to it comes soon.
fn arm64_references(load: &Segment<'_>, labels: &[(u64, Label)], found: &mut Vec<u64>) {
    let mut label_pages: Vec<u64> = labels.iter().map(|(label, _)| label & !0xfff).collect();
    label_pages.dedup();
    let mut address = load.address;
    for word in load
        .bytes
        .as_chunks()
        .0
        .iter()
        .copied()
        .map(u32::from_le_bytes)
    {
        if word & 0x9f00_0000 == 0x9000_0000 {
            let high = (word << 8).cast_signed() >> 13 << 2;
            let pages = i64::from(high | (word >> 29 & 3).cast_signed());
            let page = (address & !0xfff).wrapping_add_signed(pages << 12);
            let has_label = label_pages.binary_search(&page).is_ok();
            if has_label && found.len() < REFERENCES_MAX {
                found.push(address);
            }
        }
        address = address.wrapping_add(4);
    }
}
