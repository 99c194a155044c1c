//! A filter run in user space: for files, and as what the other programs are compared with.
//!
//! Each decision knows which values it needs, in an order in which each finds its operands;
//! nothing is looked up by hash and nothing allocated while packets are looked at.

use crate::graph::{CHAIN_HEADERS, Comparison, Fact, Graph, Size, Target, Test, Value, ValueId};
use crate::tree::{Operator, OwnerTerm};
use std::collections::BTreeSet;
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
///
/// Nearly all decisions of usual filters compare bits of a field with a number, the field at a
/// constant offset or behind an IPv4 header; they are run as they stand. The others compute
/// their values one after the other, each into its slot.
#[derive(Clone, Debug)]
pub struct Machine {
    decisions: Vec<Decision>,
    steps: Vec<Step>,
    owners: Vec<OwnerTerm>,
    entry: Target,
    slots: usize,
}

#[derive(Clone, Debug)]
enum Decision {
    Field(Field, Target, Target),
    Computed(Range<usize>, Test, Target, Target),
}

/// Bits of a field, compared with a number.
#[derive(Clone, Copy, Debug)]
struct Field {
    /// Where the first byte of an IPv4 header lies, behind which `offset` begins.
    header: Option<u32>,
    offset: u32,
    size: Size,
    mask: u32,
    comparison: Comparison,
    number: u32,
}

/// One value to compute and where it goes.
#[derive(Clone, Copy, Debug)]
struct Step {
    value: Value,
    slot: ValueId,
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
        let mut needed = BTreeSet::new();
        let decisions = graph
            .nodes
            .iter()
            .map(|node| {
                if let Some(field) = Field::new(graph, node.test) {
                    return Decision::Field(field, node.yes, node.no);
                }
                let start = steps.len();
                plan(graph, node.test, &mut needed, &mut steps);
                Decision::Computed(start..steps.len(), node.test, node.yes, node.no)
            })
            .collect();
        Self {
            decisions,
            steps,
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
        self.fields(&run).unwrap_or(false)
    }

    /// Runs as long as there are fields only. `None`: something was asked for that the packet
    /// has not.
    #[inline]
    fn fields(&self, run: &Run) -> Option<bool> {
        let mut target = self.entry;
        loop {
            target = match target {
                Target::Accept => return Some(true),
                Target::Reject => return Some(false),
                Target::Node(id) => match self.decisions.get(id.0 as usize)? {
                    Decision::Field(field, yes, no) => {
                        if field.holds(run)? {
                            *yes
                        } else {
                            *no
                        }
                    }
                    Decision::Computed(..) => return self.all(run, target),
                },
            };
        }
    }

    /// Runs from a decision on that is not about a field.
    #[inline(never)]
    fn all(&self, run: &Run, target: Target) -> Option<bool> {
        if self.slots <= FEW {
            self.verdict(run, target, &mut [0; FEW])
        } else {
            self.verdict(run, target, &mut vec![0; self.slots])
        }
    }

    fn verdict(&self, run: &Run, mut target: Target, slots: &mut [u32]) -> Option<bool> {
        loop {
            let decision = match target {
                Target::Accept => return Some(true),
                Target::Reject => return Some(false),
                Target::Node(id) => self.decisions.get(id.0 as usize)?,
            };
            let (holds, yes, no) = match decision {
                Decision::Field(field, yes, no) => (field.holds(run)?, yes, no),
                Decision::Computed(steps, test, yes, no) => {
                    for step in self.steps.get(steps.clone())? {
                        let number = run.value(step.value, slots)?;
                        *slots.get_mut(step.slot.0 as usize)? = number;
                    }
                    (self.test(run, *test, slots)?, yes, no)
                }
            };
            target = if holds { *yes } else { *no };
        }
    }

    fn test(&self, run: &Run, test: Test, slots: &[u32]) -> Option<bool> {
        match test {
            Test::Compare {
                comparison,
                left,
                right,
            } => Some(comparison.holds(slot(slots, left)?, slot(slots, right)?)),
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

impl Field {
    /// `None`: the test is about something else.
    fn new(graph: &Graph, test: Test) -> Option<Self> {
        let Test::Compare {
            comparison,
            left,
            right,
        } = test
        else {
            return None;
        };
        let number = graph.constant(right)?;
        let (field, mask) = match graph.value(left) {
            Value::Binary {
                operator: Operator::And,
                left,
                right,
            } => (left, graph.constant(right)?),
            _ => (left, u32::MAX),
        };
        let Value::Load { size, base, offset } = graph.value(field) else {
            return None;
        };
        let header = match base {
            Some(base) => Some(graph.header_length(base)?),
            None => None,
        };
        Some(Self {
            header,
            offset,
            size,
            mask,
            comparison,
            number,
        })
    }

    #[inline]
    fn holds(&self, run: &Run) -> Option<bool> {
        let base = match self.header {
            Some(header) => 4 * (run.load(Size::Byte, 0, header)? & 15),
            None => 0,
        };
        let field = run.load(self.size, base, self.offset)?;
        Some(self.comparison.holds(field & self.mask, self.number))
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

    #[inline]
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

/// Adds the values that `test` needs, operands first. `needed` is empty before and after.
fn plan(graph: &Graph, test: Test, needed: &mut BTreeSet<ValueId>, steps: &mut Vec<Step>) {
    let mut rest: Vec<ValueId> = test.operands().into_iter().flatten().collect();
    while let Some(id) = rest.pop() {
        if needed.insert(id) {
            rest.extend(graph.value(id).operands().into_iter().flatten());
        }
    }
    // Operands have smaller numbers than what uses them.
    while let Some(slot) = needed.pop_first() {
        let value = graph.value(slot);
        steps.push(Step { value, slot });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::Builder;

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
