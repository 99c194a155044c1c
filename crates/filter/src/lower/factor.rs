//! Conditions that begin the same, put together: `port 1 or port 2` asks once for the protocols.
//!
//! A list of 2000 ports is 2000 times the same tests of headers with two numbers behind. They
//! would all be found and dropped later, at some cost; here they do not arise.
//!
//! Promise: no packet sees another verdict, those cut off in a header included. Two rules, both
//! of which keep what is loaded and in which order: what begins with the same condition follows
//! each other in its place (`a b or a c` is `a (b or c)`: when the second `a` is asked for, it
//! has been asked for before); and of alternatives that begin by comparing one value with
//! different numbers at most one is gone into, so that they may change places.

use rustc_hash::FxHashMap;

use super::cond::{Cond, Join};
use crate::builder::Builder;
use crate::graph::{Comparison, Test, ValueId};

/// How deep what is put together is put together in itself. Usual lists need 3, networks of
/// IPv6 5.
const DEPTH_MAX: u32 = 16;

/// Fewer alternatives are left as they are written, so that `-d` shows what libpcap shows.
const FEW: usize = 8;

/// Alternatives that begin the same, and what of each is behind that beginning. Most are one.
struct Group {
    head: Cond,
    first: Option<Cond>,
    more: Vec<Option<Cond>>,
}

impl Cond {
    /// The same with fewer tests.
    pub(super) fn factored(self, builder: &Builder) -> Cond {
        self.factor(builder, DEPTH_MAX)
    }

    fn factor(self, builder: &Builder, depth: u32) -> Cond {
        match self {
            Cond::Not(inner) => inner.factor(builder, depth).not(),
            Cond::Chain(_, ref rest) => {
                let mut parts = Vec::new();
                if let Some((Join::Or, _)) = rest.last() {
                    self.flatten(Join::Or, &mut parts);
                    any_of(parts, builder, depth)
                } else {
                    self.flatten(Join::And, &mut parts);
                    all_of(parts, builder, depth)
                }
            }
            other => other,
        }
    }

    /// What is joined by `join` at last, in order.
    pub(super) fn flatten(self, join: Join, into: &mut Vec<Cond>) {
        match self {
            Cond::Chain(first, mut rest) if rest.last().is_some_and(|(last, _)| *last == join) => {
                let other = rest.iter().rposition(|(before, _)| *before != join);
                let tail = rest.split_off(other.map_or(0, |at| at + 1));
                let head = if rest.is_empty() {
                    *first
                } else {
                    Cond::Chain(first, rest)
                };
                head.flatten(join, into);
                for (_, cond) in tail {
                    cond.flatten(join, into);
                }
            }
            other => into.push(other),
        }
    }
}

/// All of them; those in a row that are not to hold as one that none of them holds.
fn all_of(parts: Vec<Cond>, builder: &Builder, depth: u32) -> Cond {
    let mut all = Cond::Always;
    let mut none = Vec::new();
    for part in parts {
        match part {
            Cond::Not(inner) => none.push(*inner),
            other => {
                all = all.and(none_of(std::mem::take(&mut none), builder, depth));
                all = all.and(other.factor(builder, depth));
            }
        }
    }
    all.and(none_of(none, builder, depth))
}

fn none_of(parts: Vec<Cond>, builder: &Builder, depth: u32) -> Cond {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        part.flatten(Join::Or, &mut flat);
    }
    any_of(flat, builder, depth).not()
}

/// One of them.
fn any_of(parts: Vec<Cond>, builder: &Builder, depth: u32) -> Cond {
    if parts.len() < FEW {
        return Cond::any(parts.into_iter().map(|part| part.factor(builder, depth)));
    }
    regroup(parts, builder, depth)
}

fn regroup(alternatives: Vec<Cond>, builder: &Builder, depth: u32) -> Cond {
    let Some(deeper) = depth.checked_sub(1) else {
        return Cond::any(alternatives);
    };
    let mut groups: Vec<Group> = Vec::new();
    // The value that the last groups compare, and where they stand, by a number of the row of
    // such groups and what the value has to be.
    let mut compared = None;
    let mut row = 0_usize;
    let mut places: FxHashMap<(usize, u32), usize> = FxHashMap::default();
    for alternative in alternatives {
        let (head, rest) = alternative.split();
        let new = groups.len();
        let place = if let Some((value, number)) = equality(&head, builder) {
            if compared.replace(value) != Some(value) {
                row = new;
            }
            *places.entry((row, number)).or_insert(new)
        } else {
            compared = None;
            match groups.last() {
                Some(group) if group.head == head => new.saturating_sub(1),
                _ => new,
            }
        };
        match groups.get_mut(place) {
            Some(group) => group.more.push(rest),
            None => groups.push(Group {
                head,
                first: rest,
                more: Vec::new(),
            }),
        }
    }
    Cond::any(groups.into_iter().map(|group| group.cond(builder, deeper)))
}

impl Cond {
    /// What has to hold first, and what then, if there is more.
    fn split(self) -> (Cond, Option<Cond>) {
        let Cond::Chain(mut first, mut rest) = self else {
            return (self, None);
        };
        let Some((Join::And, _)) = rest.last() else {
            return (Cond::Chain(first, rest), None);
        };
        if let Some(or) = rest.iter().rposition(|(join, _)| *join == Join::Or) {
            let mut tail = rest.split_off(or + 1);
            let (_, next) = tail.remove(0);
            let behind = if tail.is_empty() {
                next
            } else {
                Cond::Chain(Box::new(next), tail)
            };
            return (Cond::Chain(first, rest), Some(behind));
        }
        let (head, behind) = (*first).split();
        let next = behind.unwrap_or_else(|| rest.remove(0).1);
        if rest.is_empty() {
            return (head, Some(next));
        }
        *first = next;
        (head, Some(Cond::Chain(first, rest)))
    }
}

impl Group {
    fn cond(self, builder: &Builder, depth: u32) -> Cond {
        let head = self.head.factor(builder, depth);
        if self.more.is_empty() {
            let rest = self.first.map(|rest| rest.factor(builder, depth));
            return head.and(rest.unwrap_or(Cond::Always));
        }
        let mut alternatives = Vec::with_capacity(1 + self.more.len());
        for rest in [self.first].into_iter().chain(self.more) {
            match rest {
                Some(rest) => rest.flatten(Join::Or, &mut alternatives),
                // No more is asked for. What stands before is asked all the same.
                None => alternatives.push(Cond::Always),
            }
        }
        head.and(regroup(alternatives, builder, depth))
    }
}

/// The value and the number that it has to be.
fn equality(cond: &Cond, builder: &Builder) -> Option<(ValueId, u32)> {
    match cond {
        Cond::Test(Test::Compare {
            comparison: Comparison::Equal,
            left,
            right,
        }) => Some((*left, builder.as_constant(*right)?)),
        _ => None,
    }
}
