//! A filter run in user space: for files, and as what the other programs are compared with.
//!
//! Each decision knows which values it needs, in an order in which each finds its operands;
//! nothing is looked up by hash and nothing allocated while packets are looked at.

use crate::graph::{CHAIN_HEADERS, Comparison, Fact, Graph, Size, Target, Test, Value, ValueId};
use crate::tree::OwnerTerm;
use std::ops::Range;

/// What is known about a packet beside its bytes.
pub trait Facts {
    /// 0 where nothing is known.
    fn fact(&self, _fact: Fact) -> u32 {
        0
    }

    /// Whether the owners of the packet, as far as they are known, are so.
    fn owner(&self, _term: &OwnerTerm) -> bool {
        false
    }
}

/// Nothing is known.
impl Facts for () {}

/// A filter ready to run.
#[derive(Clone, Debug)]
pub struct Machine {
    steps: Vec<Step>,
    decisions: Vec<Decision>,
    owners: Vec<OwnerTerm>,
    entry: Target,
    slots: usize,
}

/// One value to compute and where it goes.
#[derive(Clone, Copy, Debug)]
struct Step {
    value: Value,
    slot: ValueId,
}

#[derive(Clone, Debug)]
struct Decision {
    steps: Range<usize>,
    test: Test,
    yes: Target,
    no: Target,
}

/// Slots that need no allocation.
const FEW: usize = 64;

/// What is at hand while a packet is looked at.
struct Run<'a> {
    data: &'a [u8],
    orig_len: u32,
    facts: &'a dyn Facts,
}

impl Machine {
    pub fn new(graph: &Graph) -> Self {
        let mut steps = Vec::new();
        let mut needed = vec![false; graph.values.len()];
        let decisions = graph
            .nodes
            .iter()
            .map(|node| {
                let start = steps.len();
                plan(graph, node.test, &mut needed, &mut steps);
                Decision {
                    steps: start..steps.len(),
                    test: node.test,
                    yes: node.yes,
                    no: node.no,
                }
            })
            .collect();
        Self {
            steps,
            decisions,
            owners: graph.owners.clone(),
            entry: graph.entry,
            slots: graph.values.len(),
        }
    }

    /// Whether the packet is wanted. `data` begins with the link-layer header; `orig_len` is the
    /// packet's length on the wire.
    pub fn accepts(&self, data: &[u8], orig_len: u32, facts: &dyn Facts) -> bool {
        let run = Run {
            data,
            orig_len,
            facts,
        };
        let verdict = if self.slots <= FEW {
            self.verdict(&run, &mut [0; FEW])
        } else {
            self.verdict(&run, &mut vec![0; self.slots])
        };
        verdict.unwrap_or(false)
    }

    /// `None`: something was asked for that the packet has not.
    fn verdict(&self, run: &Run, slots: &mut [u32]) -> Option<bool> {
        let mut target = self.entry;
        loop {
            let decision = match target {
                Target::Accept => return Some(true),
                Target::Reject => return Some(false),
                Target::Node(id) => self.decisions.get(id.0 as usize)?,
            };
            for step in self.steps.get(decision.steps.clone())? {
                let number = run.value(step.value, slots)?;
                *slots.get_mut(step.slot.0 as usize)? = number;
            }
            let holds = self.test(run, decision.test, slots)?;
            target = if holds { decision.yes } else { decision.no };
        }
    }

    fn test(&self, run: &Run, test: Test, slots: &[u32]) -> Option<bool> {
        match test {
            Test::Compare {
                comparison,
                left,
                right,
            } => Some(compare(comparison, slot(slots, left)?, slot(slots, right)?)),
            Test::Owner(at) => Some(run.facts.owner(self.owners.get(at as usize)?)),
            Test::Chain {
                version,
                base,
                offset,
                protocol,
            } => run.chain(version, base_of(slots, base)?, offset, protocol),
        }
    }
}

impl Run<'_> {
    fn value(&self, value: Value, slots: &[u32]) -> Option<u32> {
        match value {
            Value::Constant(number) => Some(number),
            Value::Length => Some(self.orig_len),
            Value::Load { size, base, offset } => self.load(size, base_of(slots, base)?, offset),
            Value::Binary {
                operator,
                left,
                right,
            } => operator.apply(slot(slots, left)?, slot(slots, right)?),
            Value::Fact(fact) => Some(self.facts.fact(fact)),
        }
    }

    fn load(&self, size: Size, base: u32, offset: u32) -> Option<u32> {
        let at = usize::try_from(u64::from(base) + u64::from(offset)).ok()?;
        let rest = self.data.get(at..)?;
        match size {
            Size::Byte => rest.first().copied().map(u32::from),
            Size::Half => rest.first_chunk().map(|b| u16::from_be_bytes(*b).into()),
            Size::Word => rest.first_chunk().map(|b| u32::from_be_bytes(*b)),
        }
    }

    /// See [`Test::Chain`].
    fn chain(&self, version: u8, base: u32, offset: u32, wanted: u8) -> Option<bool> {
        let byte = |at: u32| self.load(Size::Byte, base, offset.checked_add(at)?);
        let (mut protocol, mut at) = if version == 4 {
            (byte(9)?, (byte(0)? & 15) * 4)
        } else {
            (byte(6)?, 40)
        };
        for _ in 0..CHAIN_HEADERS {
            match protocol {
                found if found == u32::from(wanted) => return Some(true),
                0 | 43 | 44 | 60 if version != 4 => {
                    protocol = byte(at)?;
                    at += (byte(at.checked_add(1)?)? + 1) * 8;
                }
                51 => {
                    protocol = byte(at)?;
                    at = (byte(at.checked_add(1)?)? + 2) * 4;
                }
                _ => return Some(false),
            }
        }
        Some(false)
    }
}

fn slot(slots: &[u32], id: ValueId) -> Option<u32> {
    slots.get(id.0 as usize).copied()
}

fn base_of(slots: &[u32], base: Option<ValueId>) -> Option<u32> {
    base.map_or(Some(0), |id| slot(slots, id))
}

fn compare(comparison: Comparison, left: u32, right: u32) -> bool {
    comparison.holds(left, right)
}

/// Adds the values that `test` needs, operands first. `needed` is all false before and after.
fn plan(graph: &Graph, test: Test, needed: &mut [bool], steps: &mut Vec<Step>) {
    let mut first = usize::MAX;
    let mut end = 0;
    for id in test.operands().into_iter().flatten() {
        mark(needed, id);
        end = end.max(id.0 as usize + 1);
    }
    for (at, value) in graph.values.iter().enumerate().take(end).rev() {
        if needed.get(at) == Some(&true) {
            first = at;
            for id in value.operands().into_iter().flatten() {
                mark(needed, id);
            }
        }
    }
    for (at, value) in graph.values.iter().enumerate().take(end).skip(first) {
        if let Some(needed) = needed.get_mut(at)
            && std::mem::take(needed)
        {
            let slot = ValueId(u32::try_from(at).unwrap_or(u32::MAX));
            steps.push(Step {
                value: *value,
                slot,
            });
        }
    }
}

fn mark(needed: &mut [bool], id: ValueId) {
    if let Some(needed) = needed.get_mut(id.0 as usize) {
        *needed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::Builder;
    use crate::tree::Operator;

    /// Is the byte at `4 * (byte 0 & 15) + 2` above 9?
    fn indexed() -> Machine {
        let mut builder = Builder::default();
        let first = builder.load(Size::Byte, None, 0);
        let mask = builder.constant(15);
        let words = builder.binary(Operator::And, first, mask);
        let four = builder.constant(4);
        let base = builder.binary(Operator::Mul, words, four);
        let left = builder.load(Size::Byte, Some(base), 2);
        let right = builder.constant(9);
        let test = Test::Compare {
            comparison: Comparison::Greater,
            left,
            right,
        };
        let entry = builder.node(test, Target::Reject, Target::Accept);
        Machine::new(&builder.finish(entry))
    }

    #[test]
    fn loads_beyond_the_bytes_reject() {
        let machine = indexed();
        assert!(!machine.accepts(&[0x41, 0, 0, 0, 0, 0, 10], 7, &()));
        assert!(machine.accepts(&[0x41, 0, 0, 0, 0, 0, 9], 7, &()));
        assert!(!machine.accepts(&[0x41, 0, 0, 0, 0, 0], 7, &()));
        assert!(!machine.accepts(&[], 0, &()));
    }

    #[test]
    fn chains_end() {
        let chain = |protocol| {
            let mut builder = Builder::default();
            let test = Test::Chain {
                version: 6,
                base: None,
                offset: 0,
                protocol,
            };
            let entry = builder.node(test, Target::Accept, Target::Reject);
            Machine::new(&builder.finish(entry))
        };
        let mut data = vec![0; 64];
        data[0] = 0x60;
        data[6] = 60;
        data[40] = 43;
        data[48] = 17;
        assert!(chain(17).accepts(&data, 64, &()));
        assert!(chain(43).accepts(&data, 64, &()));
        assert!(!chain(6).accepts(&data, 64, &()));
        // An AH that points at itself.
        data[6] = 51;
        data[40] = 51;
        data[41] = 8;
        assert!(!chain(6).accepts(&data, 64, &()));
    }
}
