//! Tests in their simplest form, so that equal ones look equal.

use crate::builder::Builder;
use crate::graph::{Comparison, Test, Value, ValueId};
use crate::tree::Operator;

/// The test, and whether it means the same or the opposite.
pub(super) fn test(builder: &mut Builder, test: Test) -> (Test, bool) {
    let Test::Compare {
        comparison,
        left,
        right,
    } = test
    else {
        return (test, true);
    };
    let compare = |comparison, left, right| Test::Compare {
        comparison,
        left,
        right,
    };
    let numbers = (builder.as_constant(left), builder.as_constant(right));
    match (comparison, numbers) {
        // Constants stand on the right.
        (Comparison::Equal | Comparison::AnyBit, (Some(_), None)) => {
            self::test(builder, compare(comparison, right, left))
        }
        (Comparison::Greater, (Some(_), None)) => {
            (compare(Comparison::GreaterEqual, right, left), false)
        }
        (Comparison::GreaterEqual, (Some(_), None)) => {
            (compare(Comparison::Greater, right, left), false)
        }
        (Comparison::Equal | Comparison::Greater, (None, Some(0))) => {
            let Some((value, bits)) = masked(builder, left) else {
                return (test, true);
            };
            let any = compare(Comparison::AnyBit, value, bits);
            (any, comparison == Comparison::Greater)
        }
        (Comparison::Equal, (None, Some(number))) if number.is_power_of_two() => {
            match masked(builder, left) {
                Some((value, bits)) if builder.as_constant(bits) == Some(number) => {
                    (compare(Comparison::AnyBit, value, bits), true)
                }
                _ => (test, true),
            }
        }
        (Comparison::AnyBit, (None, Some(number))) => match masked(builder, left) {
            Some((value, bits)) => {
                let mask = builder.as_constant(bits).unwrap_or(u32::MAX) & number;
                let bits = builder.constant(mask);
                (compare(Comparison::AnyBit, value, bits), true)
            }
            None => (test, true),
        },
        _ => (test, true),
    }
}

/// Whether libpcap makes a 0 of it without looking at the other side.
pub(super) fn is_zero(
    builder: &Builder,
    operator: Operator,
    left: ValueId,
    right: ValueId,
) -> bool {
    let is_zero = |id| builder.as_constant(id) == Some(0);
    match operator {
        Operator::Mul | Operator::And => is_zero(left) || is_zero(right),
        Operator::Div | Operator::Mod | Operator::ShiftLeft | Operator::ShiftRight => is_zero(left),
        Operator::Add | Operator::Sub | Operator::Or | Operator::Xor => false,
    }
}

/// The value and the constant of which this is `value & constant`.
fn masked(builder: &Builder, id: ValueId) -> Option<(ValueId, ValueId)> {
    match builder.get(id) {
        Some(Value::Binary {
            operator: Operator::And,
            left,
            right,
        }) if builder.as_constant(right).is_some() => Some((left, right)),
        _ => None,
    }
}
