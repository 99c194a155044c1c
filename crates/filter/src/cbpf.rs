//! Classic BPF: what `-d`, `-dd` and `-ddd` show, and what a packet socket takes.
//!
//! A test on an owner counts as *accept*: such a program keeps every packet that may match.
//! `protochain` is a loop, as libpcap writes it; the kernel refuses programs with loops.
//!
//! Source: the BPF paper (`McCanne`, Jacobson 1993), Linux's `filter.rst` for the ancillary
//! loads; texts as tcpdump 4.99.3 prints them. Start reading at [`encode`].

mod chain;
#[cfg(any(test, feature = "testing"))]
pub mod interpret;
mod listing;
#[cfg(test)]
mod tests;
mod values;

pub use listing::{c_array, listing, numbers};

use crate::graph::{Comparison, Fact, Graph, Node, NodeId, Target, Test, ValueId};
use values::{Encoder, Needs, Stop};

/// One instruction (`struct bpf_insn`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insn {
    pub code: u16,
    /// How many instructions a jump skips when its condition holds, and when not.
    pub jt: u8,
    pub jf: u8,
    pub k: u32,
}

/// Why a filter has no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("expression too complex: arithmetic nests too deeply")]
    TooDeep,
    #[error("expression too complex: the program would be too long")]
    TooLong,
}

/// Instructions of one program at most.
const LENGTH_MAX: usize = 200_000;

/// Parts of an instruction's code (`linux/bpf_common.h`).
pub mod op {
    pub const LD: u16 = 0;
    pub const LDX: u16 = 1;
    pub const ST: u16 = 2;
    pub const STX: u16 = 3;
    pub const ALU: u16 = 4;
    pub const JMP: u16 = 5;
    pub const RET: u16 = 6;
    pub const MISC: u16 = 7;

    pub const W: u16 = 0x00;
    pub const H: u16 = 0x08;
    pub const B: u16 = 0x10;

    pub const IMM: u16 = 0x00;
    pub const ABS: u16 = 0x20;
    pub const IND: u16 = 0x40;
    pub const MEM: u16 = 0x60;
    pub const LEN: u16 = 0x80;
    pub const MSH: u16 = 0xa0;

    pub const ADD: u16 = 0x00;
    pub const SUB: u16 = 0x10;
    pub const MUL: u16 = 0x20;
    pub const DIV: u16 = 0x30;
    pub const OR: u16 = 0x40;
    pub const AND: u16 = 0x50;
    pub const LSH: u16 = 0x60;
    pub const RSH: u16 = 0x70;
    pub const NEG: u16 = 0x80;
    pub const MOD: u16 = 0x90;
    pub const XOR: u16 = 0xa0;

    pub const JA: u16 = 0x00;
    pub const JEQ: u16 = 0x10;
    pub const JGT: u16 = 0x20;
    pub const JGE: u16 = 0x30;
    pub const JSET: u16 = 0x40;

    /// The operand is X, not k.
    pub const X: u16 = 0x08;
    /// Return A.
    pub const A: u16 = 0x10;
    pub const TAX: u16 = 0x00;
    pub const TXA: u16 = 0x80;

    /// Linux's ancillary loads begin here (`SKF_AD_OFF`).
    pub const ANCILLARY: u32 = 0xffff_f000;
    pub const PKTTYPE: u32 = ANCILLARY + 4;
    pub const IFINDEX: u32 = ANCILLARY + 8;
    pub const VLAN_TAG: u32 = ANCILLARY + 44;
    pub const VLAN_PRESENT: u32 = ANCILLARY + 48;
    pub const VLAN_PROTOCOL: u32 = ANCILLARY + 60;
    /// `PACKET_OUTGOING` of `linux/if_packet.h`.
    pub const OUTGOING: u32 = 4;
}

/// What a test becomes: instructions, and a jump at their end.
struct Block {
    body: Vec<Insn>,
    end: End,
}

enum End {
    Reject,
    Jump {
        code: u16,
        k: u32,
        yes: Target,
        no: Target,
    },
}

/// The program. `snaplen` is what it returns for packets that match, 0 for all others.
///
/// # Errors
/// The filter is too large.
pub fn encode(graph: &Graph, snaplen: u32) -> Result<Vec<Insn>, Error> {
    if !graph.is_writable() {
        return Err(Error::TooDeep);
    }
    let entry = forward(graph, graph.entry);
    let blocks = blocks(graph, entry)?;
    let mut layout = Layout::new(&blocks, entry, snaplen);
    for (index, block) in blocks.iter().enumerate().rev() {
        if let Some(block) = block {
            layout.put(index, block);
            if layout.backwards.len() > LENGTH_MAX {
                return Err(Error::TooLong);
            }
        }
    }
    layout.backwards.reverse();
    Ok(layout.backwards)
}

fn node(graph: &Graph, id: NodeId) -> Option<&Node> {
    graph.nodes.get(index(id))
}

fn index(id: NodeId) -> usize {
    usize::try_from(id.0).unwrap_or(usize::MAX)
}

/// Where a target leads in the end: tests on owners accept.
fn forward(graph: &Graph, target: Target) -> Target {
    let Target::Node(id) = target else {
        return target;
    };
    match node(graph, id).map(|node| &node.test) {
        Some(Test::Owner(_)) => Target::Accept,
        Some(_) => target,
        None => Target::Reject,
    }
}

/// What the registers hold when a node is reached: only what they hold on every way there.
#[derive(Clone, Copy, Default)]
struct Held {
    reached: bool,
    a: Option<ValueId>,
    x: Option<ValueId>,
}

impl Held {
    fn also(&mut self, a: Option<ValueId>, x: Option<ValueId>) {
        if self.reached {
            self.a = self.a.filter(|_| self.a == a);
            self.x = self.x.filter(|_| self.x == x);
        } else {
            (self.reached, self.a, self.x) = (true, a, x);
        }
    }
}

/// The instructions of every node that can be reached.
fn blocks(graph: &Graph, entry: Target) -> Result<Vec<Option<Block>>, Error> {
    let needs = Needs::new(graph);
    let mut held = vec![Held::default(); graph.nodes.len()];
    let reach = |target: Target, a, x, held: &mut [Held]| {
        if let Target::Node(id) = target
            && let Some(held) = held.get_mut(index(id))
        {
            held.also(a, x);
        }
    };
    reach(entry, None, None, &mut held);
    let mut blocks = Vec::with_capacity(graph.nodes.len());
    let mut total = 0;
    for (place, node) in graph.nodes.iter().enumerate() {
        let here = held.get(place).copied().unwrap_or_default();
        if !here.reached {
            blocks.push(None);
            continue;
        }
        let mut encoder = Encoder::new(graph, &needs, here.a, here.x);
        let (yes, no) = (forward(graph, node.yes), forward(graph, node.no));
        let end = match test(&mut encoder, &node.test, yes, no) {
            Ok(end) => end,
            Err(Stop::Rejects) => {
                encoder.body.clear();
                End::Reject
            }
            Err(Stop::TooDeep) => return Err(Error::TooDeep),
        };
        if let End::Jump { yes, no, .. } = end {
            reach(yes, encoder.a, encoder.x, &mut held);
            reach(no, encoder.a, encoder.x, &mut held);
        }
        total += encoder.body.len();
        if total > LENGTH_MAX {
            return Err(Error::TooLong);
        }
        let body = encoder.body;
        blocks.push(Some(Block { body, end }));
    }
    Ok(blocks)
}

fn test(encoder: &mut Encoder<'_>, test: &Test, yes: Target, no: Target) -> Result<End, Stop> {
    match *test {
        Test::Compare {
            comparison,
            left,
            right,
        } => compare(encoder, comparison, (left, right), yes, no),
        Test::Owner(_) => Ok(always(Target::Accept)),
        Test::Chain {
            version,
            base,
            offset,
            protocol,
        } => {
            encoder.chain(version, (base, offset), protocol)?;
            Ok(End::Jump {
                code: op::JEQ,
                k: protocol.into(),
                yes,
                no,
            })
        }
    }
}

fn always(target: Target) -> End {
    End::Jump {
        code: op::JA,
        k: 0,
        yes: target,
        no: target,
    }
}

fn compare(
    encoder: &mut Encoder<'_>,
    comparison: Comparison,
    (left, right): (ValueId, ValueId),
    yes: Target,
    no: Target,
) -> Result<End, Stop> {
    use crate::graph::Value;
    let graph = encoder.graph;
    if comparison == Comparison::Equal
        && let Some(number) = graph.constant(right)
        && graph.value(left) == Value::Fact(Fact::Direction)
    {
        // The kernel knows "out"; what is not out comes in, and nothing is unknown.
        let (yes, no) = match number {
            1 => (no, yes),
            2 => (yes, no),
            _ => return Ok(always(no)),
        };
        encoder.direction();
        let (code, k) = (op::JEQ, op::OUTGOING);
        return Ok(End::Jump { code, k, yes, no });
    }
    // A constant stands on the right; c > v is not (v >= c), c >= v is not (v > c).
    let swapped = graph.constant(left).is_some() && graph.constant(right).is_none();
    let (left, right) = if swapped {
        (right, left)
    } else {
        (left, right)
    };
    let (code, negated) = match (comparison, swapped) {
        (Comparison::Equal, _) => (op::JEQ, false),
        (Comparison::AnyBit, _) => (op::JSET, false),
        (Comparison::Greater, false) => (op::JGT, false),
        (Comparison::GreaterEqual, false) => (op::JGE, false),
        (Comparison::Greater, true) => (op::JGE, true),
        (Comparison::GreaterEqual, true) => (op::JGT, true),
    };
    let (yes, no) = if negated { (no, yes) } else { (yes, no) };
    if let Some(k) = graph.constant(right) {
        encoder.load(left)?;
        return Ok(End::Jump { code, k, yes, no });
    }
    encoder.load_pair(left, right)?;
    let code = code | op::X;
    Ok(End::Jump {
        code,
        k: 0,
        yes,
        no,
    })
}

/// Writes blocks from the last to the first: every jump leads forwards, so that its distance
/// is known.
struct Layout {
    backwards: Vec<Insn>,
    /// By node: instructions from the block's first to the end of the program.
    starts: Vec<usize>,
    accept: usize,
    reject: usize,
}

impl Layout {
    fn new(blocks: &[Option<Block>], entry: Target, snaplen: u32) -> Self {
        let ret = |k| Insn {
            code: op::RET,
            jt: 0,
            jf: 0,
            k,
        };
        let ends = |target| {
            entry == target
                || blocks.iter().flatten().any(|block| match block.end {
                    End::Reject => target == Target::Reject,
                    End::Jump { yes, no, .. } => yes == target || no == target,
                })
        };
        let mut backwards = Vec::new();
        if ends(Target::Reject) {
            backwards.push(ret(0));
        }
        let reject = backwards.len();
        if ends(Target::Accept) {
            backwards.push(ret(snaplen));
        }
        Self {
            accept: backwards.len(),
            reject,
            backwards,
            starts: vec![0; blocks.len()],
        }
    }

    fn start(&self, target: Target) -> usize {
        match target {
            Target::Accept => self.accept,
            Target::Reject => self.reject,
            Target::Node(id) => self.starts.get(index(id)).copied().unwrap_or(self.reject),
        }
    }

    fn put(&mut self, place: usize, block: &Block) {
        match block.end {
            End::Reject => self.backwards.push(Insn {
                code: op::RET,
                jt: 0,
                jf: 0,
                k: 0,
            }),
            End::Jump { code, k, yes, no } => self.jump(code, k, yes, no),
        }
        self.backwards.extend(block.body.iter().rev());
        if let Some(start) = self.starts.get_mut(place) {
            *start = self.backwards.len();
        }
    }

    /// A jump; where a target is too far for eight bits, over a jump without condition.
    fn jump(&mut self, code: u16, k: u32, yes: Target, no: Target) {
        let behind = self.backwards.len();
        let distance = |target| behind - self.start(target);
        let always = |skipped: usize| Insn {
            code: op::JMP | op::JA,
            jt: 0,
            jf: 0,
            k: u32::try_from(skipped).unwrap_or(u32::MAX),
        };
        let (to_yes, to_no) = (distance(yes), distance(no));
        if code == op::JA || yes == no {
            if to_yes > 0 {
                self.backwards.push(always(to_yes));
            }
            return;
        }
        // At most two are put between, which may make the other distance too great.
        let far = |distance: usize, between: usize| distance + between > usize::from(u8::MAX);
        let no_far = far(to_no, 1);
        let yes_far = far(to_yes, usize::from(no_far));
        let between = usize::from(no_far) + usize::from(yes_far);
        // Behind the condition: the far way of "yes", then that of "no".
        let (mut jt, mut jf) = (to_yes + between, to_no + between);
        if no_far {
            self.backwards.push(always(to_no));
            jf = usize::from(yes_far);
        }
        if yes_far {
            self.backwards.push(always(to_yes + usize::from(no_far)));
            jt = 0;
        }
        let short = |distance: usize| u8::try_from(distance).unwrap_or(u8::MAX);
        self.backwards.push(Insn {
            code: op::JMP | code,
            jt: short(jt),
            jf: short(jf),
            k,
        });
    }
}
