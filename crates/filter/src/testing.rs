//! For tests: random filters, random graphs, random packets, and the plainest evaluation of a graph.

mod expression;

use crate::graph::{
    CHAIN_HEADERS, Comparison, Fact, Graph, Node, NodeId, Size, Target, Test, Value, ValueId,
};
use crate::tree::Operator;

/// What comes with a packet beside its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    pub outgoing: bool,
    pub ifindex: u32,
}

impl crate::Facts for Facts {
    fn fact(&self, fact: Fact) -> u32 {
        match fact {
            Fact::Direction => 1 + u32::from(self.outgoing),
            Fact::Ifindex => self.ifindex,
            _ => 0,
        }
    }

    fn owner(&self, _: &crate::tree::OwnerTerm) -> bool {
        true
    }
}

/// A small generator of random numbers (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number less than `end`, which is not 0.
    pub fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end.max(1))).unwrap_or(0)
    }

    fn pick<T: Copy>(&mut self, of: &[T], otherwise: T) -> T {
        let place = self.below(u32::try_from(of.len()).unwrap_or(1));
        of.get(place as usize).copied().unwrap_or(otherwise)
    }

    fn constant(&mut self) -> u32 {
        match self.below(8) {
            0 => self.pick(
                &[0, 1, 31, 32, 33, 255, 256, 0xffff, u32::MAX, 0x8000_0000],
                0,
            ),
            1 => u32::try_from(self.next() >> 32).unwrap_or(0),
            2 => self.pick(&[0x800, 0x86dd, 6, 17, 51, 59, 0x8100, 80, 1500], 0),
            _ => self.below(64),
        }
    }

    fn value(&mut self, before: u32) -> Value {
        let id = |random: &mut Self| ValueId(random.below(before));
        match if before == 0 { 0 } else { self.below(10) } {
            0 | 1 => Value::Constant(self.constant()),
            2 => self.pick(
                &[
                    Value::Length,
                    Value::Fact(Fact::Direction),
                    Value::Fact(Fact::Ifindex),
                ],
                Value::Length,
            ),
            3..=6 => Value::Load {
                size: self.pick(&[Size::Byte, Size::Half, Size::Word], Size::Byte),
                base: (self.below(2) == 0).then(|| id(self)),
                offset: if self.below(2) == 0 {
                    self.below(80)
                } else {
                    self.constant()
                },
            },
            _ => Value::Binary {
                operator: self.pick(&OPERATORS, Operator::Add),
                left: id(self),
                right: id(self),
            },
        }
    }

    fn target(&mut self, place: u32, nodes: u32) -> Target {
        match self.below(6) {
            0 => Target::Accept,
            1 => Target::Reject,
            _ if place + 1 < nodes => {
                Target::Node(NodeId(place + 1 + self.below((nodes - place - 1).min(4))))
            }
            _ if self.below(2) == 0 => Target::Accept,
            _ => Target::Reject,
        }
    }

    /// A graph with some of everything but tests on owners and VLAN facts.
    pub fn graph(&mut self) -> Graph {
        let (values, nodes) = (1 + self.below(24), 1 + self.below(12));
        let mut graph = Graph::default();
        // Bytes of an Ethernet header and an IPv4 header's length are in most filters.
        for value in [
            Value::Load {
                size: Size::Byte,
                base: None,
                offset: 14,
            },
            Value::Constant(15),
            Value::Binary {
                operator: Operator::And,
                left: ValueId(0),
                right: ValueId(1),
            },
            Value::Constant(2),
            Value::Binary {
                operator: Operator::ShiftLeft,
                left: ValueId(2),
                right: ValueId(3),
            },
        ] {
            graph.values.push(value);
        }
        for _ in 0..values {
            let value = self.value(u32::try_from(graph.values.len()).unwrap_or(1));
            graph.values.push(value);
        }
        let all = u32::try_from(graph.values.len()).unwrap_or(1);
        for place in 0..nodes {
            let test = if self.below(12) == 0 {
                Test::Chain {
                    version: self.pick(&[4, 6], 4),
                    base: (self.below(2) == 0).then(|| ValueId(self.below(all))),
                    offset: self.pick(&[14, 14, 14, 0, u32::MAX], 14),
                    protocol: self.pick(&[6, 17, 50, 51, 59, 0], 6),
                }
            } else {
                Test::Compare {
                    comparison: self.pick(&COMPARISONS, Comparison::Equal),
                    left: ValueId(self.below(all)),
                    right: ValueId(self.below(all)),
                }
            };
            graph.nodes.push(Node {
                test,
                yes: self.target(place, nodes),
                no: self.target(place, nodes),
            });
        }
        graph.entry = Target::Node(NodeId(0));
        graph
    }

    /// Bytes that are sometimes nearly a packet.
    pub fn packet(&mut self) -> Vec<u8> {
        let most = if self.below(4) == 0 { 400 } else { 80 };
        let length = 14 + self.below(most);
        let mut bytes: Vec<u8> = (0..length)
            .map(|_| {
                let byte = match self.below(3) {
                    0 => self.below(256),
                    1 => self.below(8),
                    _ => 0,
                };
                u8::try_from(byte).unwrap_or(0)
            })
            .collect();
        let start: &[u8] = self.pick(
            &[
                &[0x08, 0x00, 0x45],
                &[0x08, 0x00, 0x46],
                &[0x86, 0xdd, 0x60],
                &[0x81, 0x00],
            ],
            &[],
        );
        for (to, from) in bytes.iter_mut().skip(12).zip(start) {
            *to = *from;
        }
        if self.below(3) == 0 {
            let protocols = [0, 6, 17, 43, 44, 51, 59, 60];
            for at in [20, 23, 34, 54, 62] {
                let protocol = self.pick(&protocols, 0);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = protocol;
                }
            }
        }
        bytes
    }
}

const OPERATORS: [Operator; 10] = [
    Operator::Add,
    Operator::Sub,
    Operator::Mul,
    Operator::Div,
    Operator::Mod,
    Operator::And,
    Operator::Or,
    Operator::Xor,
    Operator::ShiftLeft,
    Operator::ShiftRight,
];

const COMPARISONS: [Comparison; 4] = [
    Comparison::Equal,
    Comparison::Greater,
    Comparison::GreaterEqual,
    Comparison::AnyBit,
];

/// Whether the graph accepts the packet, by its definition; tests on owners accept.
pub fn accepts(graph: &Graph, data: &[u8], length: u32, facts: Facts) -> bool {
    let packet = Evaluation {
        graph,
        data,
        length,
        facts,
    };
    let mut target = graph.entry;
    loop {
        let Target::Node(id) = target else {
            return target == Target::Accept;
        };
        let Some(node) = graph.nodes.get(id.0 as usize) else {
            return false;
        };
        target = match packet.test(&node.test) {
            None => return false,
            Some(true) => node.yes,
            Some(false) => node.no,
        };
        if matches!(node.test, Test::Owner(_)) {
            return true;
        }
    }
}

struct Evaluation<'a> {
    graph: &'a Graph,
    data: &'a [u8],
    length: u32,
    facts: Facts,
}

/// `None`: the packet is rejected.
impl Evaluation<'_> {
    fn test(&self, test: &Test) -> Option<bool> {
        match *test {
            Test::Compare {
                comparison,
                left,
                right,
            } => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                Some(match comparison {
                    Comparison::Equal => left == right,
                    Comparison::Greater => left > right,
                    Comparison::GreaterEqual => left >= right,
                    Comparison::AnyBit => left & right != 0,
                })
            }
            Test::Owner(_) => Some(true),
            Test::Chain {
                version,
                base,
                offset,
                protocol,
            } => {
                let start = u64::from(self.base(base)?) + u64::from(offset);
                self.chain(version, start, protocol.into())
            }
        }
    }

    fn value(&self, id: ValueId) -> Option<u32> {
        match self.graph.value(id) {
            Value::Constant(number) => Some(number),
            Value::Length => Some(self.length),
            Value::Load { size, base, offset } => {
                let size = match size {
                    Size::Byte => 1,
                    Size::Half => 2,
                    Size::Word => 4,
                };
                self.bytes(u64::from(self.base(base)?) + u64::from(offset), size)
            }
            Value::Binary {
                operator,
                left,
                right,
            } => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                match operator {
                    Operator::Add => Some(left.wrapping_add(right)),
                    Operator::Sub => Some(left.wrapping_sub(right)),
                    Operator::Mul => Some(left.wrapping_mul(right)),
                    Operator::Div => left.checked_div(right),
                    Operator::Mod => left.checked_rem(right),
                    Operator::And => Some(left & right),
                    Operator::Or => Some(left | right),
                    Operator::Xor => Some(left ^ right),
                    Operator::ShiftLeft => Some(left.checked_shl(right).unwrap_or(0)),
                    Operator::ShiftRight => Some(left.checked_shr(right).unwrap_or(0)),
                }
            }
            Value::Fact(Fact::Direction) => Some(1 + u32::from(self.facts.outgoing)),
            Value::Fact(Fact::Ifindex) => Some(self.facts.ifindex),
            Value::Fact(_) => Some(0),
        }
    }

    fn base(&self, base: Option<ValueId>) -> Option<u32> {
        base.map_or(Some(0), |base| self.value(base))
    }

    fn bytes(&self, offset: u64, size: usize) -> Option<u32> {
        let bytes = self
            .data
            .get(usize::try_from(offset).ok()?..)?
            .get(..size)?;
        Some(
            bytes
                .iter()
                .fold(0, |number, &byte| number << 8 | u32::from(byte)),
        )
    }

    fn chain(&self, version: u8, start: u64, protocol: u32) -> Option<bool> {
        let byte = |at: u32| self.bytes(start + u64::from(at), 1);
        let (mut next, mut at) = if version == 4 {
            (byte(9)?, 4 * (byte(0)? & 15))
        } else {
            (byte(6)?, 40)
        };
        for _ in 0..CHAIN_HEADERS {
            match next {
                _ if next == protocol => return Some(true),
                51 => (next, at) = (byte(at)?, 4 * (byte(at + 1)? + 2)),
                0 | 43 | 44 | 60 if version == 6 => {
                    (next, at) = (byte(at)?, at + 8 * (byte(at + 1)? + 1));
                }
                _ => return Some(false),
            }
        }
        Some(false)
    }
}
