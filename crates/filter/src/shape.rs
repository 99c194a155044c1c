//! What the two encoders ask about the values of a graph before they write instructions.

use crate::graph::{Graph, Size, Value, ValueId};
use crate::tree::Operator;

/// Values whose operands nest deeper than this are refused: the encoders recurse along them.
pub const DEPTH_MAX: u32 = 400;
/// A value written out is at most so many operations.
pub const OPERATIONS_MAX: u32 = 50_000;

impl Graph {
    /// The value; a constant 0 for an id that is none of ours.
    pub(crate) fn value(&self, id: ValueId) -> Value {
        let index = usize::try_from(id.0).unwrap_or(usize::MAX);
        self.values
            .get(index)
            .copied()
            .unwrap_or(Value::Constant(0))
    }

    pub(crate) fn constant(&self, id: ValueId) -> Option<u32> {
        match self.value(id) {
            Value::Constant(number) => Some(number),
            _ => None,
        }
    }

    /// Where the byte lies of which this is four times the low half: an IPv4 header's length.
    pub(crate) fn header_length(&self, id: ValueId) -> Option<u32> {
        let Value::Binary {
            operator,
            left,
            right,
        } = self.value(id)
        else {
            return None;
        };
        let nibble = match (operator, self.constant(left), self.constant(right)) {
            (Operator::ShiftLeft, _, Some(2)) | (Operator::Mul, _, Some(4)) => left,
            (Operator::Mul, Some(4), _) => right,
            _ => return None,
        };
        let Value::Binary {
            operator: Operator::And,
            left,
            right,
        } = self.value(nibble)
        else {
            return None;
        };
        let byte = match (self.constant(left), self.constant(right)) {
            (_, Some(15)) => left,
            (Some(15), _) => right,
            _ => return None,
        };
        match self.value(byte) {
            Value::Load {
                size: Size::Byte,
                base: None,
                offset,
            } => Some(offset),
            _ => None,
        }
    }

    /// Whether every value can be written out; see [`DEPTH_MAX`] and [`OPERATIONS_MAX`].
    pub(crate) fn is_writable(&self) -> bool {
        let mut sizes: Vec<(u32, u32)> = Vec::with_capacity(self.values.len());
        for &value in &self.values {
            let of = |id: ValueId| {
                let index = usize::try_from(id.0).unwrap_or(usize::MAX);
                // An operand that does not come before what uses it would never end.
                sizes.get(index).copied().unwrap_or((DEPTH_MAX, 0))
            };
            let ((left, left_count), (right, right_count)) = match value {
                Value::Load {
                    base: Some(base), ..
                } => (of(base), (0, 0)),
                Value::Binary { left, right, .. } => (of(left), of(right)),
                Value::Load { base: None, .. }
                | Value::Constant(_)
                | Value::Length
                | Value::Fact(_) => ((0, 0), (0, 0)),
            };
            let size = (
                left.max(right) + 1,
                left_count.saturating_add(right_count).saturating_add(1),
            );
            if size.0 > DEPTH_MAX || size.1 > OPERATIONS_MAX {
                return false;
            }
            sizes.push(size);
        }
        true
    }
}
