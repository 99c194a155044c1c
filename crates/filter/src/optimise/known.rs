//! What is known about a packet on the way to a decision.
//!
//! Facts are about values that were computed on the way, so that to know an outcome means also
//! that the loads in the test cannot fail.

use crate::graph::{Comparison, Size, Test, Value, ValueId};
use crate::tree::Operator;

/// Facts kept for one decision: the first ones and the last ones.
const FACTS_MAX: usize = 24;

#[derive(Clone, Debug)]
pub(super) struct Known {
    knowledge: Knowledge,
    facts: Vec<Fact>,
}

/// How much is made of what was found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// As libpcap does: a test decides the same test, and equality to a number denies that to
    /// others.
    Equality,
    /// Bits, ranges, a few possibilities.
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    /// Those bits of the value that the mask names are so, or are not so.
    Bits {
        of: ValueId,
        mask: u32,
        bits: u32,
        holds: bool,
    },
    /// Those bits are so in one of a few ways.
    OneOf { of: ValueId, mask: u32, ways: Ways },
    /// The value is above the number, or is not.
    Above {
        what: ValueId,
        number: u32,
        holds: bool,
    },
    /// The value could be computed.
    Computed(ValueId),
    /// How a test came out that is none of these.
    Outcome(Test, bool),
}

/// A few numbers, each once, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ways {
    numbers: [u32; Self::MAX],
    count: usize,
}

impl Ways {
    const MAX: usize = 4;

    fn iter(&self) -> impl Iterator<Item = u32> {
        self.numbers.iter().copied().take(self.count)
    }

    /// `None`: there are too many.
    fn with(self, number: u32) -> Option<Self> {
        if self.iter().any(|known| known == number) {
            return Some(self);
        }
        let mut ways = self;
        *ways.numbers.get_mut(self.count)? = number;
        ways.count += 1;
        ways.numbers.get_mut(..ways.count)?.sort_unstable();
        Some(ways)
    }
}

impl Fact {
    /// Which bits it is about and in which ways they can be.
    fn ways(&self) -> Option<(ValueId, u32, Ways)> {
        match *self {
            Self::Bits {
                of,
                mask,
                bits,
                holds: true,
            } => Some((of, mask, Ways::default().with(bits)?)),
            Self::OneOf { of, mask, ways } => Some((of, mask, ways)),
            _ => None,
        }
    }
}

impl Known {
    pub(super) fn new(knowledge: Knowledge) -> Self {
        Self {
            knowledge,
            facts: Vec::new(),
        }
    }

    pub(super) fn learn(&mut self, values: &[Value], test: Test, outcome: bool) {
        let fact = match Question::new(values, test) {
            Some(Question::Bits { of, mask, bits }) => Fact::Bits {
                of,
                mask,
                bits,
                holds: outcome,
            },
            Some(Question::AnyBit { of, mask }) if mask.is_power_of_two() => Fact::Bits {
                of,
                mask,
                bits: if outcome { mask } else { 0 },
                holds: true,
            },
            Some(Question::AnyBit { of, mask }) => Fact::Bits {
                of,
                mask,
                bits: 0,
                holds: !outcome,
            },
            Some(Question::Above { what, number }) => Fact::Above {
                what,
                number,
                holds: outcome,
            },
            Some(Question::Computed(id)) => Fact::Computed(id),
            None => Fact::Outcome(test, outcome),
        };
        let equal = matches!(fact, Fact::Bits { holds: true, .. });
        let fact = if self.knowledge == Knowledge::All || equal {
            fact
        } else {
            Fact::Outcome(test, outcome)
        };
        if !self.facts.contains(&fact) {
            if self.facts.len() >= FACTS_MAX {
                // The first ones are about what headers there are.
                self.facts.remove(FACTS_MAX / 2);
            }
            self.facts.push(fact);
        }
    }

    /// The outcome, if it is known.
    pub(super) fn decides(&self, values: &[Value], test: Test) -> Option<bool> {
        if self.knowledge == Knowledge::Equality {
            return self.equality(values, test);
        }
        match Question::new(values, test) {
            Some(Question::Bits { of, mask, bits }) => {
                self.bits(values, of, mask, bits).or_else(|| {
                    let Test::Compare { left, .. } = test else {
                        return None;
                    };
                    let (low, high) = self.range(left)?;
                    (bits < low || bits > high).then_some(false)
                })
            }
            Some(Question::AnyBit { of, mask }) => self.any_bit(values, of, mask),
            Some(Question::Above { what, number }) => self.above(values, what, number),
            Some(Question::Computed(id)) => self.computed(values, id).then_some(true),
            None => self.facts.iter().find_map(|fact| match fact {
                Fact::Outcome(known, outcome) if *known == test => Some(*outcome),
                _ => None,
            }),
        }
    }

    fn equality(&self, values: &[Value], test: Test) -> Option<bool> {
        let question = Question::new(values, test);
        self.facts.iter().find_map(|fact| match (*fact, &question) {
            (Fact::Outcome(known, outcome), _) if known == test => Some(outcome),
            (
                Fact::Bits {
                    of: known,
                    mask: same,
                    bits: is,
                    ..
                },
                Some(Question::Bits { of, mask, bits }),
            ) if known == *of && same == *mask => Some(is == *bits),
            _ => None,
        })
    }

    /// Forgets what the other does not know.
    pub(super) fn keep_common(&mut self, other: &Known) {
        let common = self.facts.iter().filter_map(|fact| {
            if other.facts.contains(fact) {
                return Some(*fact);
            }
            let (of, mask, ways) = fact.ways()?;
            if self.knowledge == Knowledge::Equality {
                return None;
            }
            let theirs = other.facts.iter().filter_map(Fact::ways);
            let (.., theirs) = theirs
                .into_iter()
                .find(|way| (way.0, way.1) == (of, mask))?;
            let ways = theirs.iter().try_fold(ways, Ways::with)?;
            Some(Fact::OneOf { of, mask, ways })
        });
        self.facts = common.collect();
    }

    /// Which bits of the value are known, and how they are. `None`: nothing is known of it, not
    /// even that it could be computed.
    fn known_bits(&self, values: &[Value], id: ValueId) -> Option<(u32, u32)> {
        let mut found = false;
        let (mut mask, mut bits) = (0, 0);
        for fact in &self.facts {
            match *fact {
                Fact::Bits {
                    of,
                    mask: more,
                    bits: how,
                    holds,
                } if of == id => {
                    found = true;
                    if holds {
                        mask |= more;
                        bits |= how & more;
                    }
                }
                Fact::OneOf { of, .. } if of == id => found = true,
                Fact::Above { what, .. } | Fact::Computed(what) if masked(values, what).0 == id => {
                    found = true;
                }
                _ => {}
            }
        }
        found.then(|| (mask | !width(values, id), bits))
    }

    fn bits(&self, values: &[Value], id: ValueId, mask: u32, bits: u32) -> Option<bool> {
        let (known, how) = self.known_bits(values, id)?;
        if bits & !mask != 0 || (how ^ bits) & mask & known != 0 {
            return Some(false);
        }
        if mask & !known == 0 {
            return Some(true);
        }
        if self.is_denied(id, mask, bits) {
            return Some(false);
        }
        self.facts.iter().find_map(|fact| match fact {
            Fact::OneOf {
                of,
                mask: same,
                ways,
            } if *of == id && *same == mask => {
                let mut left = ways.iter().filter(|way| !self.is_denied(id, mask, *way));
                match (left.next(), left.next()) {
                    (Some(only), None) => Some(only == bits),
                    _ if ways.iter().all(|way| way != bits) => Some(false),
                    _ => None,
                }
            }
            _ => None,
        })
    }

    fn is_denied(&self, id: ValueId, mask: u32, bits: u32) -> bool {
        self.facts.contains(&Fact::Bits {
            of: id,
            mask,
            bits,
            holds: false,
        })
    }

    fn any_bit(&self, values: &[Value], id: ValueId, mask: u32) -> Option<bool> {
        let (known, how) = self.known_bits(values, id)?;
        if how & known & mask != 0 {
            return Some(true);
        }
        if mask & !known == 0 {
            return Some(false);
        }
        let some = self.facts.iter().any(|fact| {
            matches!(fact, Fact::Bits { of, mask: part, bits: 0, holds: false }
                if *of == id && part & !mask == 0)
        });
        some.then_some(true)
    }

    fn above(&self, values: &[Value], id: ValueId, number: u32) -> Option<bool> {
        let (of, mask) = masked(values, id);
        let (known, how) = self.known_bits(values, of)?;
        if mask & !known == 0 {
            return Some(how & mask > number);
        }
        let (low, high) = self.range(id)?;
        if low > number {
            Some(true)
        } else if high <= number {
            Some(false)
        } else {
            None
        }
    }

    /// Between which numbers the value lies, if that is known.
    fn range(&self, id: ValueId) -> Option<(u32, u32)> {
        let mut found = false;
        let (mut low, mut high) = (0, u32::MAX);
        for fact in &self.facts {
            if let Fact::Above {
                what,
                number,
                holds,
            } = *fact
                && what == id
            {
                found = true;
                if holds {
                    low = low.max(number.saturating_add(1));
                } else {
                    high = high.min(number);
                }
            }
        }
        found.then_some((low, high))
    }

    /// Whether evaluating the test cannot fail here.
    pub(super) fn can_evaluate(&self, values: &[Value], test: Test) -> bool {
        match test {
            Test::Compare { left, right, .. } if self.knowledge == Knowledge::All => {
                self.computed(values, left) && self.computed(values, right)
            }
            _ => false,
        }
    }

    fn computed(&self, values: &[Value], id: ValueId) -> bool {
        let about = masked(values, id).0;
        matches!(
            values.get(id.0 as usize),
            Some(Value::Constant(_) | Value::Length | Value::Fact(_))
        ) || self.known_bits(values, about).is_some()
    }
}

/// What a test asks, when one side of it is a constant.
enum Question {
    Bits { of: ValueId, mask: u32, bits: u32 },
    AnyBit { of: ValueId, mask: u32 },
    Above { what: ValueId, number: u32 },
    Computed(ValueId),
}

impl Question {
    fn new(values: &[Value], test: Test) -> Option<Self> {
        let Test::Compare {
            comparison,
            left,
            right,
        } = test
        else {
            return None;
        };
        let Some(Value::Constant(number)) = values.get(right.0 as usize).copied() else {
            return None;
        };
        let (of, mask) = masked(values, left);
        Some(match comparison {
            Comparison::Equal => Self::Bits {
                of,
                mask,
                bits: number,
            },
            Comparison::AnyBit => Self::AnyBit {
                of,
                mask: mask & number,
            },
            Comparison::Greater => Self::Above { what: left, number },
            Comparison::GreaterEqual => match number.checked_sub(1) {
                Some(number) => Self::Above { what: left, number },
                None => Self::Computed(left),
            },
        })
    }
}

/// A value as bits of another one.
fn masked(values: &[Value], id: ValueId) -> (ValueId, u32) {
    if let Some(Value::Binary {
        operator: Operator::And,
        left,
        right,
    }) = values.get(id.0 as usize).copied()
        && let Some(Value::Constant(mask)) = values.get(right.0 as usize).copied()
    {
        return (left, mask);
    }
    (id, u32::MAX)
}

/// The bits that the value can have.
fn width(values: &[Value], id: ValueId) -> u32 {
    match values.get(id.0 as usize) {
        Some(Value::Load {
            size: Size::Byte, ..
        }) => 0xff,
        Some(Value::Load {
            size: Size::Half, ..
        }) => 0xffff,
        _ => u32::MAX,
    }
}
