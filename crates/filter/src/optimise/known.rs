//! What is known about a packet on the way to a decision.
//!
//! Facts are about values that were computed on the way, so that to know an outcome means also
//! that the loads in the test cannot fail.
//!
//! What is known at a decision is a short row of facts of 16 bytes, which is copied and compared
//! for every way of the graph.

use rustc_hash::FxHashMap;

use crate::graph::{Comparison, Size, Test, Value, ValueId};
use crate::tree::Operator;

/// Facts kept for one decision: the first ones and the last ones.
const FACTS_MAX: usize = 24;

/// What may be supposed beside them ([`Known::suppose`]).
pub(super) const SUPPOSED_MAX: usize = 4;

/// How much is made of what was found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knowledge {
    /// As libpcap does: a test decides the same test, and equality to a number denies that to
    /// others.
    Equality,
    /// Bits, ranges, a few possibilities.
    All,
}

/// Something that is true of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fact {
    /// The value by which it is asked for; [`NO_VALUE`] for an outcome.
    about: u32,
    kind: Kind,
    /// What tells outcomes apart beside the two numbers.
    detail: [u8; 2],
    /// A mask; a value that is made of `about`.
    first: u32,
    /// Bits or a number.
    second: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Those bits of the value that the mask names are so.
    Bits,
    /// They are not so.
    NotBits,
    /// They are so in one of a few ways, of which this is the number in [`Facts`].
    OneOf,
    /// The value is above the number.
    Above,
    NotAbove,
    /// The value could be computed.
    Computed,
    /// A test that is none of these came out so.
    Yes,
    No,
}

const NO_VALUE: u32 = u32::MAX;

/// A few numbers, each once, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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
    fn new(kind: Kind, about: ValueId, first: u32, second: u32) -> Self {
        Self {
            about: about.0,
            kind,
            detail: [0; 2],
            first,
            second,
        }
    }

    fn bits(of: ValueId, mask: u32, bits: u32, holds: bool) -> Self {
        let kind = if holds { Kind::Bits } else { Kind::NotBits };
        Self::new(kind, of, mask, bits)
    }

    /// How a test came out.
    fn outcome(test: Test, outcome: bool) -> Self {
        let (detail, first, second) = match test {
            Test::Compare {
                comparison,
                left,
                right,
            } => ([comparison as u8, 0], left.0, right.0),
            Test::Owner(term) => ([0x10, 0], term, 0),
            Test::Chain {
                version,
                base,
                offset,
                protocol,
            } => {
                let base = base.map_or(NO_VALUE, |base| base.0);
                ([0x20 | version, protocol], base, offset)
            }
        };
        Self {
            about: NO_VALUE,
            kind: if outcome { Kind::Yes } else { Kind::No },
            detail,
            first,
            second,
        }
    }
}

/// What is the same for all facts about a graph's packets.
pub(super) struct Facts<'g> {
    values: &'g [Value],
    knowledge: Knowledge,
    ways: Vec<Ways>,
    way_numbers: FxHashMap<Ways, u32>,
}

/// What is known at a decision.
#[derive(Clone, Copy)]
pub(super) struct Known {
    facts: [Fact; FACTS_MAX + SUPPOSED_MAX],
    count: usize,
}

impl<'g> Facts<'g> {
    pub(super) fn new(values: &'g [Value], knowledge: Knowledge) -> Self {
        Self {
            values,
            knowledge,
            ways: Vec::new(),
            way_numbers: FxHashMap::default(),
        }
    }

    /// What is known when the test has come out so.
    fn told(&self, test: Test, outcome: bool) -> Fact {
        let fact = match Question::new(self.values, test) {
            Some(Question::Bits { of, mask, bits }) => Fact::bits(of, mask, bits, outcome),
            Some(Question::AnyBit { of, mask }) if mask.is_power_of_two() => {
                Fact::bits(of, mask, if outcome { mask } else { 0 }, true)
            }
            Some(Question::AnyBit { of, mask }) => Fact::bits(of, mask, 0, !outcome),
            Some(Question::Above { what, number }) => {
                let kind = if outcome { Kind::Above } else { Kind::NotAbove };
                let about = masked(self.values, what).0;
                Fact::new(kind, about, what.0, number)
            }
            Some(Question::Computed(id)) => {
                let about = masked(self.values, id).0;
                Fact::new(Kind::Computed, about, id.0, 0)
            }
            None => Fact::outcome(test, outcome),
        };
        if self.knowledge == Knowledge::All || fact.kind == Kind::Bits {
            fact
        } else {
            Fact::outcome(test, outcome)
        }
    }

    /// The numbers that the bits of a mask can be, if the fact says that.
    fn ways(&self, fact: Fact) -> Option<Ways> {
        match fact.kind {
            Kind::Bits => Ways::default().with(fact.second),
            Kind::OneOf => self.ways.get(fact.second as usize).copied(),
            _ => None,
        }
    }

    /// What is known of the same bits when one thing is known on one way and another on the other.
    fn either(&mut self, fact: Fact, other: &Known) -> Option<Fact> {
        if self.knowledge == Knowledge::Equality {
            return None;
        }
        let ways = self.ways(fact)?;
        let theirs = other.about(ValueId(fact.about));
        let theirs = theirs
            .filter(|theirs| theirs.first == fact.first)
            .find_map(|theirs| self.ways(theirs))?;
        let ways = theirs.iter().try_fold(ways, Ways::with)?;
        let number = *self.way_numbers.entry(ways).or_insert_with(|| {
            self.ways.push(ways);
            u32::try_from(self.ways.len() - 1).unwrap_or(u32::MAX)
        });
        Some(Fact {
            kind: Kind::OneOf,
            second: number,
            ..fact
        })
    }
}

impl Known {
    pub(super) const NOTHING: Self = Self {
        facts: [Fact {
            about: NO_VALUE,
            kind: Kind::Yes,
            detail: [0; 2],
            first: 0,
            second: 0,
        }; FACTS_MAX + SUPPOSED_MAX],
        count: 0,
    };

    fn facts(&self) -> &[Fact] {
        self.facts.get(..self.count).unwrap_or(&[])
    }

    fn contains(&self, fact: Fact) -> bool {
        self.facts().contains(&fact)
    }

    /// The facts about a value.
    fn about(&self, id: ValueId) -> impl Iterator<Item = Fact> {
        let facts = self.facts().iter().copied();
        facts.filter(move |fact| fact.about == id.0)
    }

    /// The test has come out so.
    pub(super) fn learn(&mut self, facts: &Facts<'_>, test: Test, outcome: bool) {
        let fact = facts.told(test, outcome);
        if self.contains(fact) {
            return;
        }
        if self.count >= FACTS_MAX {
            // The first ones are about what headers there are.
            self.facts
                .copy_within(FACTS_MAX / 2 + 1..FACTS_MAX, FACTS_MAX / 2);
            self.count = FACTS_MAX - 1;
        }
        self.push(fact);
    }

    /// As [`Self::learn`], to be taken back by [`Self::forget`] of what this returns. As many
    /// as [`SUPPOSED_MAX`] one upon the other are remembered.
    pub(super) fn suppose(&mut self, facts: &Facts<'_>, test: Test, outcome: bool) -> usize {
        let before = self.count;
        self.push(facts.told(test, outcome));
        before
    }

    pub(super) fn forget(&mut self, before: usize) {
        self.count = before;
    }

    fn push(&mut self, fact: Fact) {
        if let Some(place) = self.facts.get_mut(self.count) {
            *place = fact;
            self.count += 1;
        }
    }

    /// The outcome, if it is known.
    pub(super) fn decides(&self, facts: &Facts<'_>, test: Test) -> Option<bool> {
        if facts.knowledge == Knowledge::Equality {
            return self.equality(facts, test);
        }
        match Question::new(facts.values, test) {
            Some(Question::Bits { of, mask, bits }) => {
                let Test::Compare { left, .. } = test else {
                    return None;
                };
                self.bits(facts, (of, left), mask, bits)
            }
            Some(Question::AnyBit { of, mask }) => self.any_bit(facts, of, mask),
            Some(Question::Above { what, number }) => self.above(facts, what, number),
            Some(Question::Computed(id)) => self.computed(facts, id).then_some(true),
            None => self.outcome(test),
        }
    }

    /// Whether the very same test has come out on the way.
    fn outcome(&self, test: Test) -> Option<bool> {
        let (yes, no) = (Fact::outcome(test, true), Fact::outcome(test, false));
        self.facts().iter().find_map(|fact| {
            // They differ in their kind alone.
            let same =
                (fact.second, fact.first, fact.detail) == (yes.second, yes.first, yes.detail);
            (same && (*fact == yes || *fact == no)).then_some(*fact == yes)
        })
    }

    fn equality(&self, facts: &Facts<'_>, test: Test) -> Option<bool> {
        if let Some(Question::Bits { of, mask, bits }) = Question::new(facts.values, test) {
            // Of what is about values libpcap knows equality alone.
            let mut known = self.about(of).filter(|fact| fact.first == mask);
            if let Some(known) = known.next() {
                return Some(known.second == bits);
            }
        }
        self.outcome(test)
    }

    /// Forgets what the other does not know.
    pub(super) fn keep_common(&mut self, facts: &mut Facts<'_>, other: &Known) {
        let both = self.facts().iter().zip(other.facts());
        let same = both.take_while(|(one, other)| one == other).count();
        if same == self.count {
            return;
        }
        let mine = *self;
        self.count = same;
        for &fact in mine.facts().iter().skip(same) {
            if other.contains(fact) {
                self.push(fact);
            } else if let Some(either) = facts.either(fact, other) {
                self.push(either);
            }
        }
    }

    /// Which bits of the value are known, and how they are. `None`: nothing is known of it, not
    /// even that it could be computed.
    fn known_bits(&self, facts: &Facts<'_>, id: ValueId) -> Option<(u32, u32)> {
        let mut found = false;
        let (mut mask, mut bits) = (0, 0);
        for fact in self.about(id) {
            found = true;
            if fact.kind == Kind::Bits {
                mask |= fact.first;
                bits |= fact.second & fact.first;
            }
        }
        found.then(|| (mask | !width(facts.values, id), bits))
    }

    /// Whether the bits are so; `whole` is `of` with the mask, a value of its own.
    fn bits(
        &self,
        facts: &Facts<'_>,
        (of, whole): (ValueId, ValueId),
        mask: u32,
        bits: u32,
    ) -> Option<bool> {
        let mut found = false;
        let (mut known, mut how) = (0, 0);
        let mut one_of = false;
        for fact in self.about(of) {
            found = true;
            match fact.kind {
                Kind::Bits => {
                    known |= fact.first;
                    how |= fact.second & fact.first;
                }
                Kind::NotBits if fact.first == mask && fact.second == bits => return Some(false),
                Kind::Above if fact.first == whole.0 && bits <= fact.second => return Some(false),
                Kind::NotAbove if fact.first == whole.0 && bits > fact.second => {
                    return Some(false);
                }
                Kind::OneOf => one_of |= fact.first == mask,
                _ => {}
            }
        }
        known |= !width(facts.values, of);
        if !found {
            return None;
        }
        if bits & !mask != 0 || (how ^ bits) & mask & known != 0 {
            return Some(false);
        }
        if mask & !known == 0 {
            return Some(true);
        }
        if one_of {
            self.ways(facts, of, mask, bits)
        } else {
            None
        }
    }

    fn ways(&self, facts: &Facts<'_>, of: ValueId, mask: u32, bits: u32) -> Option<bool> {
        let is_denied = |bits| self.contains(Fact::bits(of, mask, bits, false));
        let ways = self.about(of);
        let mut ways = ways.filter(|fact| fact.kind == Kind::OneOf && fact.first == mask);
        ways.find_map(|fact| {
            let ways = facts.ways(fact)?;
            let mut left = ways.iter().filter(|way| !is_denied(*way));
            match (left.next(), left.next()) {
                (Some(only), None) => Some(only == bits),
                _ if ways.iter().all(|way| way != bits) => Some(false),
                _ => None,
            }
        })
    }

    fn any_bit(&self, facts: &Facts<'_>, id: ValueId, mask: u32) -> Option<bool> {
        let (known, how) = self.known_bits(facts, id)?;
        if how & known & mask != 0 {
            return Some(true);
        }
        if mask & !known == 0 {
            return Some(false);
        }
        let some = self
            .about(id)
            .any(|fact| fact.kind == Kind::NotBits && fact.second == 0 && fact.first & !mask == 0);
        some.then_some(true)
    }

    fn above(&self, facts: &Facts<'_>, id: ValueId, number: u32) -> Option<bool> {
        let (of, mask) = masked(facts.values, id);
        let (known, how) = self.known_bits(facts, of)?;
        if mask & !known == 0 {
            return Some(how & mask > number);
        }
        let (low, high) = self.range(facts, id)?;
        if low > number {
            Some(true)
        } else if high <= number {
            Some(false)
        } else {
            None
        }
    }

    /// Between which numbers the value lies, if that is known.
    fn range(&self, facts: &Facts<'_>, id: ValueId) -> Option<(u32, u32)> {
        let mut found = false;
        let (mut low, mut high) = (0, u32::MAX);
        for fact in self.about(masked(facts.values, id).0) {
            if matches!(fact.kind, Kind::Above | Kind::NotAbove) && fact.first == id.0 {
                found = true;
                if fact.kind == Kind::Above {
                    low = low.max(fact.second.saturating_add(1));
                } else {
                    high = high.min(fact.second);
                }
            }
        }
        found.then_some((low, high))
    }

    /// Whether evaluating the test cannot fail here.
    pub(super) fn can_evaluate(&self, facts: &Facts<'_>, test: Test) -> bool {
        match test {
            Test::Compare { left, right, .. } if facts.knowledge == Knowledge::All => {
                self.computed(facts, left) && self.computed(facts, right)
            }
            _ => false,
        }
    }

    fn computed(&self, facts: &Facts<'_>, id: ValueId) -> bool {
        let about = masked(facts.values, id).0;
        matches!(
            facts.values.get(id.0 as usize),
            Some(Value::Constant(_) | Value::Length | Value::Fact(_))
        ) || self.about(about).next().is_some()
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
