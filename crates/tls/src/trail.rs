//! Where in a file stood what led to its hooks, so that it is found sooner in a copy.
//!
//! A trail is no result: it says which bytes of a file to look at first. [`resolve`](crate::resolve)'s
//! own search goes over those bytes of the other file, and what it finds counts only if it is
//! what was found before. So a file with another's build id has no hooks but such as its own
//! code gives cause for. What stands elsewhere in it is not seen: an ordinary look has to follow.

use std::ops::Range;

use crate::calls::{self, Call};
use crate::cheap::cheaper_in;
use crate::client_random;
use crate::elf::{Elf, Machine, Part};
use crate::hook::Hook;
use crate::trace::{Next, Reach, walk};
use crate::{Refusal, resolve};

/// Bytes are remembered in pieces of so many, as files are read.
const PAGE: u64 = 4096;
/// Files need a few dozen pieces; where there are more, nothing is remembered.
const PIECES_MAX: usize = 128;
/// As many are noted on the way.
const PLACES_MAX: usize = 1 << 14;
/// Of a file, so much is looked at by a trail (bytes): Go's table of functions is the longest.
const LENGTH_MAX: u64 = 64 << 20;
/// Tables of symbols are looked at up to this length (bytes).
const TABLES_MAX: u64 = 4 << 20;
/// From a function's first instruction on, so many bytes are looked at in any case.
const BEGINNING: u64 = 128;

/// Where to look first in another file of the same build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    machine: Machine,
    /// In the file, in order and apart from each other.
    ranges: Vec<Range<u64>>,
    /// What is expected there.
    hooks: Vec<Hook>,
}

/// What [`resolve`](crate::resolve) says of a file, and which places of it have led there.
///
/// # Errors
/// As those of [`resolve`](crate::resolve).
pub fn resolve_noting(file: &[u8]) -> Result<(Vec<Hook>, Places), Refusal> {
    let mut places = Places::default();
    let hooks = resolve::find(&Elf::parse(file)?, &mut places)?;
    Ok((hooks, places))
}

impl Trail {
    /// Of a file's places and hooks, both from [`resolve_noting`]. `None` when a short one does not
    /// lead to the same.
    pub fn new(file: &[u8], places: Places, hooks: &[Hook]) -> Option<Self> {
        let elf = Elf::parse(file).ok()?;
        let end = u64::try_from(file.len()).ok()?;
        let of = |ranges| {
            let trail = Self::of_ranges(elf.machine, ranges, end, hooks);
            let leads = |trail: &Self| trail.follow(|at, bytes| copy(file, at, bytes)).is_some();
            trail.filter(leads)
        };
        let mut ranges = places.0;
        ranges.push(0..PAGE);
        let tables = elf.tables_of_symbols();
        let lengths = tables.iter().map(|(_, length)| *length);
        let length = lengths.fold(0, u64::saturating_add);
        of(ranges.clone()).or_else(|| {
            let tables = tables.iter().filter(|_| length <= TABLES_MAX);
            ranges.extend(tables.map(|&(at, length)| at..at.saturating_add(length)));
            of(ranges)
        })
    }

    fn of_ranges(
        machine: Machine,
        mut ranges: Vec<Range<u64>>,
        end: u64,
        hooks: &[Hook],
    ) -> Option<Self> {
        ranges.sort_unstable_by_key(|range| range.start);
        let mut apart: Vec<Range<u64>> = Vec::new();
        for mut range in ranges {
            range.end = range.end.min(end);
            match apart.last_mut().filter(|last| range.start <= last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None if range.start < range.end => apart.push(range),
                None => {}
            }
        }
        let trail = Self {
            machine,
            ranges: apart,
            hooks: hooks.to_vec(),
        };
        let is_short = trail.ranges.len() <= PIECES_MAX && trail.length() <= LENGTH_MAX;
        is_short.then_some(trail)
    }

    /// Looks for the same in another file. `read` fills the bytes from an offset of it on, or says
    /// that it cannot. The hooks are those of [`cheaper`](crate::cheaper); `None`: not found there.
    pub fn follow(&self, mut read: impl FnMut(u64, &mut [u8]) -> bool) -> Option<Vec<Hook>> {
        let mut bytes = Vec::new();
        for range in &self.ranges {
            let length = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
            let mut part = vec![0; length];
            read(range.start, &mut part).then_some(())?;
            bytes.push(part);
        }
        let parts = self.ranges.iter().zip(&bytes);
        let parts = parts.map(|(range, bytes)| Part {
            offset: range.start,
            bytes,
        });
        let elf = Elf::parse_parts(parts.collect()).ok()?;
        (elf.machine == self.machine).then_some(())?;
        let found = resolve::find(&elf, &mut Places::default()).ok()?;
        // What goes on elsewhere may look different.
        let hooks = (found == self.hooks && !elf.is_cut()).then_some(found)?;
        let hooks = hooks.into_iter();
        Some(hooks.map(|hook| cheaper_in(&elf, hook)).collect())
    }

    /// How many bytes of the other file are read.
    pub fn length(&self) -> u64 {
        let lengths = self.ranges.iter().map(|range| range.end - range.start);
        lengths.sum()
    }
}

/// What of a file was looked at with success: pieces of it, first and behind the last.
#[derive(Clone, Debug, Default)]
pub struct Places(Vec<Range<u64>>);

impl Places {
    /// So many bytes from an address on.
    pub(crate) fn add(&mut self, elf: &Elf<'_>, address: u64, length: u64) {
        let Some(offset) = elf.place_of(address) else {
            return;
        };
        let end = offset.saturating_add(length);
        let end = end.checked_next_multiple_of(PAGE).unwrap_or(end);
        let range = offset / PAGE * PAGE..end;
        if self.0.len() < PLACES_MAX && self.0.last() != Some(&range) {
            self.0.push(range);
        }
    }

    /// The beginning of a function.
    pub(crate) fn add_code(&mut self, elf: &Elf<'_>, address: u64) {
        self.add(elf, address, BEGINNING);
    }

    /// All code that is seen from an address on.
    fn add_walk(&mut self, elf: &Elf<'_>, start: u64, reach: Reach) {
        self.add_code(elf, start);
        walk(elf, start, reach, |address, _, _| {
            self.add_code(elf, address);
            Next::On
        });
    }

    /// A function that is handed labels, the calls that do so, and what leads to the client's
    /// random bytes.
    pub(crate) fn add_calls(&mut self, elf: &Elf<'_>, function: u64, calls: &[Call], seen: &[u64]) {
        self.add_walk(elf, function, client_random::REACH);
        for call in calls {
            if self.0.len() >= PLACES_MAX {
                return;
            }
            self.add_code(elf, call.target);
            self.add_walk(elf, call.reference, calls::REACH);
        }
        for &function in seen {
            self.add_walk(elf, function, client_random::REACH);
        }
    }
}

fn copy(file: &[u8], offset: u64, bytes: &mut [u8]) -> bool {
    let from = usize::try_from(offset).ok();
    let rest = from.and_then(|from| file.get(from..));
    match rest.and_then(|rest| rest.get(..bytes.len())) {
        Some(found) => {
            bytes.copy_from_slice(found);
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests;
