//! Making a graph: every value and every decision stands in it once.
//!
//! Decisions are made from the last to the first, since each needs to know where it leads.
//! Start reading at [`Builder::node`].

use crate::graph::{Comparison, Fact, Graph, Node, NodeId, Size, Target, Test, Value, ValueId};
use crate::tree::{Operator, OwnerTerm};
use rustc_hash::FxHashMap;

/// Makes a [`Graph`]. Constants are folded on the way.
#[derive(Debug, Default)]
pub struct Builder {
    values: Vec<Value>,
    value_ids: FxHashMap<Value, ValueId>,
    nodes: Vec<Node>,
    node_ids: FxHashMap<NodeKey, NodeId>,
    owners: Vec<OwnerTerm>,
    owner_ids: FxHashMap<OwnerTerm, u32>,
    /// By value: whether it may be asked of a packet that has it not.
    can_fail: Vec<bool>,
}

impl Builder {
    /// Begins anew, for about so many of each; memory is kept.
    pub fn clear(&mut self, values: usize, nodes: usize) {
        self.values.clear();
        self.values.reserve(values);
        self.value_ids.clear();
        self.value_ids.reserve(values);
        self.nodes.clear();
        self.nodes.reserve(nodes);
        self.node_ids.clear();
        self.node_ids.reserve(nodes);
        self.owners.clear();
        self.owner_ids.clear();
        self.can_fail.clear();
    }

    pub fn value(&mut self, value: Value) -> ValueId {
        let next = ValueId(index(self.values.len()));
        let id = *self.value_ids.entry(value).or_insert(next);
        if id == next {
            let fails = matches!(value, Value::Load { .. })
                || self.divides(value)
                || value
                    .operands()
                    .into_iter()
                    .flatten()
                    .any(|id| self.can_fail(id));
            self.values.push(value);
            self.can_fail.push(fails);
        }
        id
    }

    /// Division by what is, or may be, zero.
    fn divides(&self, value: Value) -> bool {
        matches!(value, Value::Binary { operator: Operator::Div | Operator::Mod, right, .. }
            if self.as_constant(right).is_none_or(|right| right == 0))
    }

    /// What `id` stands for.
    pub fn get(&self, id: ValueId) -> Option<Value> {
        self.values.get(id.0 as usize).copied()
    }

    /// The number, if it is the same for every packet.
    pub fn as_constant(&self, id: ValueId) -> Option<u32> {
        match self.get(id) {
            Some(Value::Constant(number)) => Some(number),
            _ => None,
        }
    }

    /// Whether the value may be asked of a packet that has it not.
    pub fn can_fail(&self, id: ValueId) -> bool {
        self.can_fail.get(id.0 as usize).copied().unwrap_or(false)
    }

    pub fn constant(&mut self, number: u32) -> ValueId {
        self.value(Value::Constant(number))
    }

    pub fn length(&mut self) -> ValueId {
        self.value(Value::Length)
    }

    pub fn fact(&mut self, fact: Fact) -> ValueId {
        self.value(Value::Fact(fact))
    }

    /// Bytes at `base + offset`. With a constant base the sum wraps, as in libpcap's programs.
    pub fn load(&mut self, size: Size, base: Option<ValueId>, offset: u32) -> ValueId {
        let (base, offset) = match base.and_then(|base| self.as_constant(base)) {
            Some(constant) => (None, offset.wrapping_add(constant)),
            None => (base, offset),
        };
        self.value(Value::Load { size, base, offset })
    }

    pub fn binary(&mut self, operator: Operator, left: ValueId, right: ValueId) -> ValueId {
        let numbers = (self.as_constant(left), self.as_constant(right));
        if let (Some(left), Some(right)) = numbers
            && let Some(number) = operator.apply(left, right)
        {
            return self.constant(number);
        }
        if numbers.1.is_some_and(|right| operator.keeps_left(right)) {
            return left;
        }
        self.value(Value::Binary {
            operator,
            left,
            right,
        })
    }

    /// The owner term as a test; equal terms are one.
    pub fn owner(&mut self, term: OwnerTerm) -> Test {
        let next = index(self.owners.len());
        let owners = &mut self.owners;
        let id = self.owner_ids.entry(term).or_insert_with_key(|term| {
            owners.push(term.clone());
            next
        });
        Test::Owner(*id)
    }

    /// The decision, or where it leads if that is the same for every packet.
    pub fn node(&mut self, test: Test, yes: Target, no: Target) -> Target {
        if let Test::Compare {
            comparison,
            left,
            right,
        } = test
        {
            let numbers = (self.as_constant(left), self.as_constant(right));
            if let (Some(left), Some(right)) = numbers {
                return if comparison.holds(left, right) {
                    yes
                } else {
                    no
                };
            }
        }
        let next = NodeId(index(self.nodes.len()));
        let id = *self
            .node_ids
            .entry(node_key(test, yes, no))
            .or_insert_with(|| {
                self.nodes.push(Node { test, yes, no });
                next
            });
        Target::Node(id)
    }

    /// The graph that begins at `entry`, without what is not reached from there.
    pub fn finish(mut self, entry: Target) -> Graph {
        let mut graph = Graph::default();
        self.finish_into(entry, &mut graph);
        graph
    }

    /// As [`Self::finish`], in the place of another graph, whose memory is taken over. To be
    /// [cleared](Self::clear) before it is used again.
    pub fn finish_into(&mut self, entry: Target, graph: &mut Graph) {
        std::mem::swap(&mut graph.values, &mut self.values);
        std::mem::swap(&mut graph.nodes, &mut self.nodes);
        std::mem::swap(&mut graph.owners, &mut self.owners);
        graph.entry = entry;
        graph.nodes.reverse();
        let last = index(graph.nodes.len().saturating_sub(1));
        let flip = |target: &mut Target| {
            if let Target::Node(id) = target {
                id.0 = last.saturating_sub(id.0);
            }
        };
        flip(&mut graph.entry);
        for node in &mut graph.nodes {
            flip(&mut node.yes);
            flip(&mut node.no);
        }
        graph.prune();
    }
}

impl Graph {
    /// Drops nodes that are not reached, and values and owner terms that are not used.
    pub fn prune(&mut self) {
        let mut reached = vec![false; self.nodes.len()];
        let mark = |reached: &mut Vec<bool>, target: Target| {
            if let Target::Node(id) = target
                && let Some(mark) = reached.get_mut(id.0 as usize)
            {
                *mark = true;
            }
        };
        mark(&mut reached, self.entry);
        for (at, node) in self.nodes.iter().enumerate() {
            if reached.get(at) == Some(&true) {
                mark(&mut reached, node.yes);
                mark(&mut reached, node.no);
            }
        }
        let node_ids = renumber(&reached);
        let mut at = 0;
        self.nodes.retain(|_| {
            at += 1;
            reached.get(at - 1) == Some(&true)
        });
        let lead = |target: &mut Target| {
            if let Target::Node(id) = target {
                id.0 = new_id(&node_ids, id.0);
            }
        };
        lead(&mut self.entry);
        for node in &mut self.nodes {
            lead(&mut node.yes);
            lead(&mut node.no);
        }
        self.prune_values();
        self.prune_owners();
    }

    fn prune_values(&mut self) {
        let mut used = vec![false; self.values.len()];
        let mut mark = |id: ValueId| {
            if let Some(mark) = used.get_mut(id.0 as usize) {
                *mark = true;
            }
        };
        for node in &self.nodes {
            node.test
                .operands()
                .into_iter()
                .flatten()
                .for_each(&mut mark);
        }
        for (at, value) in self.values.iter().enumerate().rev() {
            if used.get(at) == Some(&true) {
                for id in value.operands().into_iter().flatten() {
                    if let Some(mark) = used.get_mut(id.0 as usize) {
                        *mark = true;
                    }
                }
            }
        }
        let ids = renumber(&used);
        let mut at = 0;
        self.values.retain(|_| {
            at += 1;
            used.get(at - 1) == Some(&true)
        });
        for value in &mut self.values {
            *value = value.map_operands(|id| ValueId(new_id(&ids, id.0)));
        }
        for node in &mut self.nodes {
            node.test = node.test.map_operands(|id| ValueId(new_id(&ids, id.0)));
        }
    }

    fn prune_owners(&mut self) {
        let mut used = vec![false; self.owners.len()];
        for node in &self.nodes {
            if let Test::Owner(at) = node.test
                && let Some(mark) = used.get_mut(at as usize)
            {
                *mark = true;
            }
        }
        let ids = renumber(&used);
        let mut at = 0;
        self.owners.retain(|_| {
            at += 1;
            used.get(at - 1) == Some(&true)
        });
        for node in &mut self.nodes {
            if let Test::Owner(at) = &mut node.test {
                *at = new_id(&ids, *at);
            }
        }
    }
}

impl Value {
    /// The values it is made of.
    pub fn operands(self) -> [Option<ValueId>; 2] {
        match self {
            Self::Load { base, .. } => [base, None],
            Self::Binary { left, right, .. } => [Some(left), Some(right)],
            Self::Constant(_) | Self::Length | Self::Fact(_) => [None, None],
        }
    }

    #[must_use]
    pub fn map_operands(self, mut to: impl FnMut(ValueId) -> ValueId) -> Self {
        match self {
            Self::Load { size, base, offset } => Self::Load {
                size,
                base: base.map(to),
                offset,
            },
            Self::Binary {
                operator,
                left,
                right,
            } => Self::Binary {
                operator,
                left: to(left),
                right: to(right),
            },
            Self::Constant(_) | Self::Length | Self::Fact(_) => self,
        }
    }
}

impl Test {
    /// The values it looks at.
    pub fn operands(self) -> [Option<ValueId>; 2] {
        match self {
            Self::Compare { left, right, .. } => [Some(left), Some(right)],
            Self::Chain { base, .. } => [base, None],
            Self::Owner(_) => [None, None],
        }
    }

    #[must_use]
    pub fn map_operands(self, mut to: impl FnMut(ValueId) -> ValueId) -> Self {
        match self {
            Self::Compare {
                comparison,
                left,
                right,
            } => Self::Compare {
                comparison,
                left: to(left),
                right: to(right),
            },
            Self::Chain {
                version,
                base,
                offset,
                protocol,
            } => Self::Chain {
                version,
                base: base.map(to),
                offset,
                protocol,
            },
            Self::Owner(_) => self,
        }
    }
}

impl Comparison {
    /// Both unsigned.
    pub fn holds(self, left: u32, right: u32) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Greater => left > right,
            Self::GreaterEqual => left >= right,
            Self::AnyBit => left & right != 0,
        }
    }
}

impl Operator {
    /// `None` for division and remainder by zero. Shifts by 32 and more leave nothing.
    pub fn apply(self, left: u32, right: u32) -> Option<u32> {
        Some(match self {
            Self::Add => left.wrapping_add(right),
            Self::Sub => left.wrapping_sub(right),
            Self::Mul => left.wrapping_mul(right),
            Self::Div => left.checked_div(right)?,
            Self::Mod => left.checked_rem(right)?,
            Self::And => left & right,
            Self::Or => left | right,
            Self::Xor => left ^ right,
            Self::ShiftLeft => left.checked_shl(right).unwrap_or(0),
            Self::ShiftRight => left.checked_shr(right).unwrap_or(0),
        })
    }

    /// With this on its right side, every number on its left side stays as it is.
    fn keeps_left(self, right: u32) -> bool {
        match self {
            Self::Add | Self::Sub | Self::Or | Self::Xor | Self::ShiftLeft | Self::ShiftRight => {
                right == 0
            }
            Self::Mul | Self::Div => right == 1,
            Self::And => right == u32::MAX,
            Self::Mod => false,
        }
    }
}

/// A node in three numbers, which are hashed and compared sooner than the node itself.
type NodeKey = (u64, u64, u64);

fn node_key(test: Test, yes: Target, no: Target) -> NodeKey {
    let target = |target| match target {
        Target::Accept => 0,
        Target::Reject => 1,
        Target::Node(NodeId(id)) => u64::from(id) + 2,
    };
    let pair = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    let (first, second) = match test {
        Test::Compare {
            comparison,
            left,
            right,
        } => (comparison as u64, pair(left.0, right.0)),
        Test::Owner(at) => (0x10, at.into()),
        Test::Chain {
            version,
            base,
            offset,
            protocol,
        } => (
            0x20 | u64::from(version) << 8 | u64::from(protocol) << 16 | u64::from(offset) << 32,
            base.map_or(u64::MAX, |base| base.0.into()),
        ),
    };
    // Numbers of nodes have 32 bits, and there are never nearly so many.
    (first, second, target(yes) | target(no) << 32)
}

/// For each kept item the number it has among those kept.
fn renumber(kept: &[bool]) -> Vec<u32> {
    let mut next = 0;
    kept.iter()
        .map(|kept| {
            let id = next;
            next += u32::from(*kept);
            id
        })
        .collect()
}

fn new_id(ids: &[u32], old: u32) -> u32 {
    ids.get(old as usize).copied().unwrap_or(0)
}

/// Graphs are much smaller than 2^32: a text of that size would be needed.
fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_nodes_stand_once_in_order() {
        let mut builder = Builder::default();
        let unused = builder.constant(7);
        let half = builder.load(Size::Half, None, 12);
        assert_eq!(half, builder.load(Size::Half, None, 12));
        let ip = builder.constant(0x0800);
        let test = Test::Compare {
            comparison: Comparison::Equal,
            left: half,
            right: ip,
        };
        let last = builder.node(test, Target::Accept, Target::Reject);
        assert_eq!(last, builder.node(test, Target::Accept, Target::Reject));
        let length = builder.length();
        let entry = builder.node(
            Test::Compare {
                comparison: Comparison::Greater,
                left: length,
                right: ip,
            },
            Target::Reject,
            last,
        );
        let _ = unused;
        let graph = builder.finish(entry);
        assert_eq!(graph.values.len(), 3);
        assert_eq!(graph.nodes.len(), 2);
        assert_eq!(graph.entry, Target::Node(NodeId(0)));
        assert_eq!(graph.nodes[0].no, Target::Node(NodeId(1)));
    }

    #[test]
    fn constants_are_folded() {
        let mut builder = Builder::default();
        let (a, b) = (builder.constant(6), builder.constant(0));
        let product = builder.binary(Operator::Mul, a, a);
        assert_eq!(builder.as_constant(product), Some(36));
        let quotient = builder.binary(Operator::Div, a, b);
        assert_eq!(builder.as_constant(quotient), None);
        let test = Test::Compare {
            comparison: Comparison::Equal,
            left: a,
            right: a,
        };
        let entry = builder.node(test, Target::Accept, Target::Reject);
        assert_eq!(entry, Target::Accept);
        assert!(builder.finish(entry).values.is_empty());
    }
}
