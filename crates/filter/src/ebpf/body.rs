//! One copy of the graph: its tests in order, each with the values it needs.
//!
//! What a value is does not change on the way through the graph, so that it stays in its
//! register for the tests to come: where ways meet, what all of them left there counts.

use super::assembler::{Assembler, Label, Register, STACK, Width, op};
use super::{Ends, Error, Targets};
use crate::graph::{Comparison, Graph, NodeId, Size, Target, Test, Value, ValueId};

/// Why the code of a test ends early.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// No packet comes past here.
    Rejects,
    /// Only the copy with calls can go on.
    Calls,
    TooDeep,
}

/// Registers that hold values. Calls leave only R6 to R9 alone.
pub const DIRECT_POOL: &[Register] = &[
    Register::R0,
    Register::R1,
    Register::R2,
    Register::R3,
    Register::R4,
];
pub const CALLS_POOL: &[Register] = &[Register::R7, Register::R8, Register::R9];
pub const POOL_MAX: usize = 5;

/// With direct access: the packet's first byte, its end, a place within it, and a scratch.
pub const DATA: Register = Register::R7;
pub const DATA_END: Register = Register::R8;
pub const PLACE: Register = Register::R9;
pub const SCRATCH: Register = Register::R5;

/// Stack: the masks of owners, then what we use.
pub const KNOWN: i16 = -8;
pub const TRUE: i16 = -16;
/// Where calls leave their bytes.
pub const BYTES: i16 = -24;
/// An offset while a tagged packet's bytes are put together, or the start of a chain.
pub const OFFSET: i16 = -32;
/// The first of the cells for operands that wait.
pub const CELLS: i16 = -40;
pub const CELLS_MAX: i16 = 32;

/// What is known when a node is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// By place in the pool.
    pub registers: [Option<ValueId>; POOL_MAX],
    /// Bytes of the packet that are known to lie in the linear part.
    pub checked: u32,
    /// [`PLACE`] is the packet's first byte plus this value, and so many bytes from there on are
    /// known to lie in the linear part.
    pub place: Option<(ValueId, u32)>,
}

impl Held {
    /// What both know.
    fn meet(&mut self, other: &Self) {
        for (register, other) in self.registers.iter_mut().zip(other.registers) {
            *register = register.filter(|_| *register == other);
        }
        self.checked = self.checked.min(other.checked);
        self.place = match (self.place, other.place) {
            (Some((value, checked)), Some((same, also))) if value == same => {
                Some((value, checked.min(also)))
            }
            _ => None,
        };
    }
}

pub struct Body<'a, 'g> {
    pub graph: &'g Graph,
    pub targets: &'a Targets<'a>,
    pub code: &'a mut Assembler,
    pub accept: Label,
    pub reject: Label,
    unknown: Label,
    /// The copy with calls; None in that copy itself.
    pub calls: Option<Label>,
    pub tagged: bool,
    pub pool: &'static [Register],
    pub held: Held,
    /// Registers of operands that are still needed, by place in the pool.
    pub pinned: u8,
    /// Cells in use.
    pub cells: i16,
    /// By value: the last node that uses it, and how many cells it takes to compute.
    pub last_use: Vec<u32>,
    pub needs: Vec<u32>,
    pub node: u32,
    /// The register of the pool to be given away next.
    pub turn: usize,
    nodes: Vec<(Label, Option<Held>)>,
}

impl<'a, 'g> Body<'a, 'g> {
    pub fn new(
        graph: &'g Graph,
        targets: &'a Targets<'a>,
        code: &'a mut Assembler,
        ends: Ends,
    ) -> Self {
        let nodes = graph.nodes.iter().map(|_| (code.label(), None)).collect();
        Self {
            graph,
            targets,
            code,
            accept: ends.accept,
            reject: ends.reject,
            unknown: ends.unknown,
            calls: None,
            tagged: false,
            pool: CALLS_POOL,
            held: Held::default(),
            pinned: 0,
            cells: 0,
            last_use: last_use(graph),
            needs: needs(graph),
            node: 0,
            turn: 0,
            nodes,
        }
    }

    /// Writes all nodes that can be reached; `calls` is where direct access falls back to.
    pub fn write(mut self, tagged: bool, calls: Option<Label>) -> Result<(), Error> {
        self.tagged = tagged;
        self.calls = calls;
        if calls.is_some() {
            self.pool = DIRECT_POOL;
            self.code.context(DATA, super::field::DATA);
            self.code.context(DATA_END, super::field::DATA_END);
        }
        self.reach(self.graph.entry);
        for (place, node) in self.graph.nodes.iter().enumerate() {
            let Some(&(label, Some(held))) = self.nodes.get(place) else {
                continue;
            };
            if self.code.is_too_long() {
                return Err(Error::TooLong);
            }
            self.code.place(label);
            self.held = held;
            (self.pinned, self.cells) = (0, 0);
            self.node = u32::try_from(place).unwrap_or(u32::MAX);
            match self.test(&node.test, node.yes, node.no) {
                Ok(()) => {}
                Err(Stop::Rejects) => self.code.jump(self.reject),
                Err(Stop::Calls) => match self.calls {
                    Some(calls) => self.code.jump(calls),
                    None => return Err(Error::TooDeep),
                },
                Err(Stop::TooDeep) => return Err(Error::TooDeep),
            }
        }
        Ok(())
    }

    /// The target is led to from here, with what is known here.
    fn reach(&mut self, target: Target) {
        if let Target::Node(id) = target
            && let Some((_, held)) = self.nodes.get_mut(index(id))
        {
            match held {
                Some(held) => held.meet(&self.held),
                None => *held = Some(self.held),
            }
        }
    }

    fn label(&self, target: Target) -> Label {
        match target {
            Target::Accept => self.accept,
            Target::Reject => self.reject,
            Target::Node(id) => self.nodes.get(index(id)).map_or(self.reject, |node| node.0),
        }
    }

    /// The node whose code comes next: the next that is led to.
    fn is_next(&self, target: Target) -> bool {
        let here = usize::try_from(self.node).unwrap_or(usize::MAX);
        let mut behind = self.nodes.iter().enumerate().skip(here.saturating_add(1));
        let next = behind.find(|(_, (_, held))| held.is_some());
        matches!((target, next), (Target::Node(id), Some((place, _))) if index(id) == place)
    }

    fn test(&mut self, test: &Test, yes: Target, no: Target) -> Result<(), Stop> {
        match *test {
            Test::Compare {
                comparison,
                left,
                right,
            } => self.compare(comparison, left, right, yes, no),
            Test::Owner(at) => {
                self.owner(at, yes, no);
                Ok(())
            }
            Test::Chain {
                version,
                base,
                offset,
                protocol,
            } => {
                let (labels, protocol) = ((self.label(yes), self.label(no)), protocol.into());
                self.chain(version, (base, offset), protocol, labels)?;
                self.reach(yes);
                self.reach(no);
                Ok(())
            }
        }
    }

    fn always(&mut self, target: Target) {
        self.reach(target);
        if !self.is_next(target) {
            self.code.jump(self.label(target));
        }
    }

    /// In a tagged packet the type is that of a tag: what asks for another protocol leads to
    /// nothing, and its way need not be written.
    fn cannot_be(&self, left: ValueId, number: u32) -> bool {
        let kind = Value::Load {
            size: Size::Half,
            base: None,
            offset: 12,
        };
        self.tagged && self.graph.value(left) == kind && ![0x8100, 0x88a8].contains(&number)
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        left: ValueId,
        right: ValueId,
        yes: Target,
        no: Target,
    ) -> Result<(), Stop> {
        if comparison == Comparison::Equal
            && let Some(number) = self.graph.constant(right)
            && self.cannot_be(left, number)
        {
            // Shorter packets than this are rejected: that the kernel took a tag out says more.
            self.always(no);
            return Ok(());
        }
        let (condition, otherwise) = match comparison {
            Comparison::Equal => (op::JEQ, Some(op::JNE)),
            Comparison::Greater => (op::JGT, Some(op::JLE)),
            Comparison::GreaterEqual => (op::JGE, Some(op::JLT)),
            Comparison::AnyBit => (op::JSET, None),
        };
        let operands = if let Some(number) = self.graph.constant(right) {
            (self.load(left)?, Operand::Number(number))
        } else {
            let (left, right) = self.pair(left, right)?;
            (left, Operand::Register(right))
        };
        self.reach(yes);
        self.reach(no);
        match otherwise {
            Some(otherwise) if self.is_next(yes) => self.branch(otherwise, operands, no),
            _ => {
                self.branch(condition, operands, yes);
                if !self.is_next(no) {
                    self.code.jump(self.label(no));
                }
            }
        }
        Ok(())
    }

    fn branch(&mut self, condition: u8, (left, right): (Register, Operand), to: Target) {
        let to = self.label(to);
        match right {
            Operand::Number(number) => self.code.jump_if(condition, left, number, to),
            Operand::Register(right) => self.code.jump_if_by(condition, left, right, to),
        }
    }

    fn owner(&mut self, at: u32, yes: Target, no: Target) {
        if self.targets.owners.is_none() {
            self.code.jump(self.accept);
            return;
        }
        // SCRATCH holds nothing across nodes in either copy.
        let half = i16::try_from(at / 32 * 4).unwrap_or(0);
        let bit = 1 << (at % 32);
        let known = self.code.label();
        self.code.read(Width::Word, SCRATCH, STACK, KNOWN + half);
        self.code.jump_if(op::JSET, SCRATCH, bit, known);
        self.code.jump(self.unknown);
        self.code.place(known);
        self.code.read(Width::Word, SCRATCH, STACK, TRUE + half);
        self.reach(yes);
        self.reach(no);
        let (yes_label, no_label) = (self.label(yes), self.label(no));
        self.code.jump_if(op::JSET, SCRATCH, bit, yes_label);
        if !self.is_next(no) {
            self.code.jump(no_label);
        }
    }
}

#[derive(Clone, Copy)]
enum Operand {
    Number(u32),
    Register(Register),
}

fn index(id: NodeId) -> usize {
    usize::try_from(id.0).unwrap_or(usize::MAX)
}

fn at<T: Copy + Default>(of: &[T], id: ValueId) -> T {
    let index = usize::try_from(id.0).unwrap_or(usize::MAX);
    of.get(index).copied().unwrap_or_default()
}

/// By value, the last node that needs it, directly or for another value.
fn last_use(graph: &Graph) -> Vec<u32> {
    let mut last = vec![0u32; graph.values.len()];
    let raise = |last: &mut Vec<u32>, id: ValueId, to: u32| {
        let index = usize::try_from(id.0).unwrap_or(usize::MAX);
        if let Some(last) = last.get_mut(index) {
            *last = to.max(*last);
        }
    };
    for (place, node) in (0u32..).zip(&graph.nodes) {
        match node.test {
            Test::Compare { left, right, .. } => {
                raise(&mut last, left, place);
                raise(&mut last, right, place);
            }
            Test::Chain {
                base: Some(base), ..
            } => raise(&mut last, base, place),
            Test::Chain { base: None, .. } | Test::Owner(_) => {}
        }
    }
    for (place, value) in graph.values.iter().enumerate().rev() {
        let to = last.get(place).copied().unwrap_or(0);
        match *value {
            Value::Load {
                base: Some(base), ..
            } => raise(&mut last, base, to),
            Value::Binary { left, right, .. } => {
                raise(&mut last, left, to);
                raise(&mut last, right, to);
            }
            _ => {}
        }
    }
    last
}

/// By value, how many operands have to wait on the stack at a time while it is computed.
fn needs(graph: &Graph) -> Vec<u32> {
    let mut needs: Vec<u32> = Vec::with_capacity(graph.values.len());
    for value in &graph.values {
        let need = match *value {
            Value::Load {
                base: Some(base), ..
            } => at(&needs, base),
            Value::Binary { left, right, .. } => {
                let (more, less) = {
                    let (left, right) = (at(&needs, left), at(&needs, right));
                    (left.max(right), left.min(right))
                };
                more.max(less + 1)
            }
            _ => 0,
        };
        needs.push(need);
    }
    needs
}
