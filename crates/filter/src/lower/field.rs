//! Arithmetic on values and tests on fields, in few words.

use super::Lowering;
use super::cond::{Cond, Join};
use super::layer::Place;
use crate::graph::{Comparison, Fact, Size, Test, Value, ValueId};
use crate::tree::Operator;

impl Lowering<'_> {
    pub(super) fn add(&mut self, left: ValueId, right: u32) -> ValueId {
        let right = self.builder.constant(right);
        self.builder.binary(Operator::Add, left, right)
    }

    pub(super) fn and(&mut self, left: ValueId, right: u32) -> ValueId {
        let right = self.builder.constant(right);
        self.builder.binary(Operator::And, left, right)
    }

    pub(super) fn shift_left(&mut self, left: ValueId, right: u32) -> ValueId {
        let right = self.builder.constant(right);
        self.builder.binary(Operator::ShiftLeft, left, right)
    }

    /// One bit as 0 or 1.
    pub(super) fn bit(&mut self, value: ValueId, bit: u32) -> ValueId {
        let right = self.builder.constant(bit);
        let shifted = self.builder.binary(Operator::ShiftRight, value, right);
        self.and(shifted, 1)
    }

    /// 1 for 0 and 0 for 1.
    pub(super) fn flip(&mut self, bit: ValueId) -> ValueId {
        let one = self.builder.constant(1);
        self.builder.binary(Operator::Xor, bit, one)
    }

    /// 1 when they are equal, else 0.
    pub(super) fn equals(&mut self, left: ValueId, right: ValueId) -> ValueId {
        let difference = self.builder.binary(Operator::Xor, left, right);
        let one = self.builder.constant(1);
        if self.is_small(left) && self.is_small(right) {
            // Below 0 only when there is none.
            let below = self.builder.binary(Operator::Sub, difference, one);
            return self.bit(below, 31);
        }
        let zero = self.builder.constant(0);
        let negated = self.builder.binary(Operator::Sub, zero, difference);
        let sign = self.builder.binary(Operator::Or, difference, negated);
        let unequal = self.bit(sign, 31);
        self.flip(unequal)
    }

    /// Is the highest bit 0 in every packet?
    fn is_small(&self, value: ValueId) -> bool {
        let small = |number: u32| number >> 31 == 0;
        match self.builder.get(value) {
            Some(Value::Load { size, .. }) => size != Size::Word,
            Some(Value::Constant(number)) => small(number),
            Some(Value::Binary {
                operator: Operator::And,
                right,
                ..
            }) => self.builder.as_constant(right).is_some_and(small),
            _ => false,
        }
    }

    /// `yes` when `bit` is 1, `no` when it is 0.
    pub(super) fn select(&mut self, bit: ValueId, yes: ValueId, no: ValueId) -> ValueId {
        let difference = self.builder.binary(Operator::Sub, yes, no);
        let chosen = self.builder.binary(Operator::Mul, difference, bit);
        self.builder.binary(Operator::Add, no, chosen)
    }

    /// The condition as a number: 1 when it holds, else 0. Everything it asks for is loaded,
    /// whichever way it goes; comparisons are of equality and of bits only.
    pub(super) fn truth(&mut self, cond: &Cond) -> ValueId {
        match cond {
            Cond::Always => self.builder.constant(1),
            Cond::Not(inner) => {
                let bit = self.truth(inner);
                self.flip(bit)
            }
            Cond::Chain(first, rest) => {
                let mut sum = self.truth(first);
                for (join, right) in rest {
                    let bit = self.truth(right);
                    let operator = match join {
                        Join::And => Operator::And,
                        Join::Or => Operator::Or,
                    };
                    sum = self.builder.binary(operator, sum, bit);
                }
                sum
            }
            Cond::Test(Test::Compare {
                comparison: Comparison::Equal,
                left,
                right,
            }) => self.equals(*left, *right),
            Cond::Test(Test::Compare {
                comparison: Comparison::AnyBit,
                left,
                right,
            }) => {
                let bits = self.builder.binary(Operator::And, *left, *right);
                let zero = self.builder.constant(0);
                let none = self.equals(bits, zero);
                self.flip(none)
            }
            Cond::Never | Cond::Test(_) => self.builder.constant(0),
        }
    }

    pub(super) fn load(&mut self, place: Place, size: Size) -> ValueId {
        self.note(place);
        self.builder.load(size, place.base, place.offset)
    }

    /// Remembers that a varying place of the outermost headers is used.
    pub(super) fn note(&mut self, place: Place) {
        if let Some(base) = place.base {
            self.used_header |= self.variable.header == Some(base);
            self.used_payload |= self.variable.payload == Some(base);
        }
    }

    pub(super) fn compare(&mut self, comparison: Comparison, left: ValueId, right: u32) -> Cond {
        let right = self.builder.constant(right);
        Cond::Test(Test::Compare {
            comparison,
            left,
            right,
        })
    }

    /// Is the field `number`?
    pub(super) fn is(&mut self, place: Place, size: Size, number: u32) -> Cond {
        let left = self.load(place, size);
        self.compare(Comparison::Equal, left, number)
    }

    /// Are those bits of the field that `mask` names `number`?
    pub(super) fn masked(&mut self, place: Place, size: Size, mask: u32, number: u32) -> Cond {
        let full = match size {
            Size::Byte => 0xff,
            Size::Half => 0xffff,
            Size::Word => u32::MAX,
        };
        if mask == full {
            return self.is(place, size, number);
        }
        let left = self.load(place, size);
        let left = self.and(left, mask);
        self.compare(Comparison::Equal, left, number)
    }

    pub(super) fn any_bit(&mut self, place: Place, size: Size, mask: u32) -> Cond {
        let left = self.load(place, size);
        self.compare(Comparison::AnyBit, left, mask)
    }

    pub(super) fn above(&mut self, place: Place, size: Size, number: u32) -> Cond {
        let left = self.load(place, size);
        self.compare(Comparison::Greater, left, number)
    }

    pub(super) fn fact_is(&mut self, fact: Fact, number: u32) -> Cond {
        let left = self.builder.fact(fact);
        self.compare(Comparison::Equal, left, number)
    }

    /// Holds whenever the value can be had at all.
    pub(super) fn needs(&mut self, value: ValueId) -> Cond {
        self.compare(Comparison::GreaterEqual, value, 0)
    }
}
