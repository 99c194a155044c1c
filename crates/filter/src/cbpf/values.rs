//! Values in classic BPF: into the accumulator A, the index register X and 16 cells of memory.

use super::{Insn, op};
use crate::graph::{Fact, Graph, Size, Value, ValueId};
use crate::tree::Operator;

/// Why the instructions of a value end early.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// A division by a constant zero: no packet comes past it.
    Rejects,
    TooDeep,
}

/// Cells of scratch memory (`BPF_MEMWORDS`).
const CELLS: u32 = 16;

/// How many cells each value needs while it is got: the greedier operand comes first
/// (Sethi and Ullman 1970).
pub struct Needs(Vec<u32>);

impl Needs {
    pub fn new(graph: &Graph) -> Self {
        let mut needs = Self(Vec::with_capacity(graph.values.len()));
        for &value in &graph.values {
            let need = match value {
                Value::Load {
                    base: Some(base), ..
                } => needs.of(base),
                Value::Binary { left, right, .. } if is_direct(graph, right) => needs.of(left),
                Value::Binary { left, right, .. } => {
                    let (left, right) = (needs.of(left), needs.of(right));
                    left.max(right).max(left.min(right) + 1)
                }
                Value::Load { base: None, .. }
                | Value::Constant(_)
                | Value::Length
                | Value::Fact(_) => 0,
            };
            needs.0.push(need);
        }
        needs
    }

    fn of(&self, id: ValueId) -> u32 {
        let index = usize::try_from(id.0).unwrap_or(usize::MAX);
        self.0.get(index).copied().unwrap_or(0)
    }
}

/// Whether the value gets into X without the help of A.
fn is_direct(graph: &Graph, id: ValueId) -> bool {
    graph.header_length(id).is_some()
        || matches!(graph.value(id), Value::Constant(_) | Value::Length)
}

/// Writes the instructions of one node, knowing what A and X hold.
pub struct Encoder<'g> {
    pub graph: &'g Graph,
    needs: &'g Needs,
    pub body: Vec<Insn>,
    pub a: Option<ValueId>,
    pub x: Option<ValueId>,
    cells: u32,
}

impl<'g> Encoder<'g> {
    pub fn new(graph: &'g Graph, needs: &'g Needs, a: Option<ValueId>, x: Option<ValueId>) -> Self {
        Self {
            graph,
            needs,
            body: Vec::new(),
            a,
            x,
            cells: 0,
        }
    }

    pub fn put(&mut self, code: u16, k: u32) {
        self.body.push(Insn {
            code,
            jt: 0,
            jf: 0,
            k,
        });
    }

    /// Takes a cell of memory until [`Self::release`].
    pub fn cell(&mut self) -> Result<u32, Stop> {
        let cell = self.cells;
        self.cells += 1;
        if cell < CELLS {
            Ok(cell)
        } else {
            Err(Stop::TooDeep)
        }
    }

    pub fn release(&mut self) {
        self.cells = self.cells.saturating_sub(1);
    }

    /// The packet's type into A: outgoing or not.
    pub fn direction(&mut self) {
        self.put(op::LD | op::H | op::ABS, op::PKTTYPE);
        self.a = None;
    }

    /// Into A.
    pub fn load(&mut self, id: ValueId) -> Result<(), Stop> {
        if self.a == Some(id) {
            return Ok(());
        }
        match self.graph.value(id) {
            Value::Constant(number) => self.put(op::LD | op::IMM, number),
            Value::Length => self.put(op::LD | op::W | op::LEN, 0),
            Value::Load { size, base, offset } => self.bytes(size, base, offset)?,
            Value::Fact(fact) => self.fact(fact),
            Value::Binary {
                operator,
                left,
                right,
            } => self.binary(operator, left, right)?,
        }
        self.a = Some(id);
        Ok(())
    }

    fn bytes(&mut self, size: Size, base: Option<ValueId>, offset: u32) -> Result<(), Stop> {
        let size = match size {
            Size::Byte => op::B,
            Size::Half => op::H,
            Size::Word => op::W,
        };
        if offset >= op::ANCILLARY {
            // There the kernel has facts of its own; no packet is so long.
            return Err(Stop::Rejects);
        }
        if let Some(base) = base {
            self.index(base)?;
            self.put(op::LD | size | op::IND, offset);
        } else {
            self.put(op::LD | size | op::ABS, offset);
        }
        Ok(())
    }

    fn fact(&mut self, fact: Fact) {
        match fact {
            Fact::Direction => {
                self.direction();
                let (in_, out) = (1, 2);
                self.body.push(Insn {
                    code: op::JMP | op::JEQ,
                    jt: 2,
                    jf: 0,
                    k: op::OUTGOING,
                });
                self.put(op::LD | op::IMM, in_);
                self.put(op::JMP | op::JA, 1);
                self.put(op::LD | op::IMM, out);
            }
            Fact::Ifindex => self.put(op::LD | op::W | op::ABS, op::IFINDEX),
            Fact::VlanPresent => self.put(op::LD | op::B | op::ABS, op::VLAN_PRESENT),
            Fact::VlanProtocol => self.put(op::LD | op::H | op::ABS, op::VLAN_PROTOCOL),
            Fact::VlanTag => self.put(op::LD | op::H | op::ABS, op::VLAN_TAG),
        }
    }

    /// Into X; A is lost unless the value [is got](is_direct) without it.
    fn index(&mut self, id: ValueId) -> Result<(), Stop> {
        if self.x == Some(id) {
            return Ok(());
        }
        if let Some(byte) = self.graph.header_length(id).filter(|&b| b < op::ANCILLARY) {
            self.put(op::LDX | op::B | op::MSH, byte);
        } else if let Some(number) = self.graph.constant(id) {
            self.put(op::LDX | op::IMM, number);
        } else if self.graph.value(id) == Value::Length {
            self.put(op::LDX | op::W | op::LEN, 0);
        } else {
            self.load(id)?;
            self.put(op::MISC | op::TAX, 0);
        }
        self.x = Some(id);
        Ok(())
    }

    /// The left value into A, the right one into X.
    pub fn load_pair(&mut self, left: ValueId, right: ValueId) -> Result<(), Stop> {
        if is_direct(self.graph, right) {
            self.load(left)?;
            return self.index(right);
        }
        let cell = self.cell()?;
        if self.cells_for(left) >= self.cells_for(right) {
            self.load(left)?;
            self.put(op::ST, cell);
            self.load(right)?;
            self.put(op::MISC | op::TAX, 0);
            self.put(op::LD | op::MEM, cell);
        } else {
            self.load(right)?;
            self.put(op::ST, cell);
            self.load(left)?;
            self.put(op::LDX | op::MEM, cell);
        }
        self.a = Some(left);
        self.x = Some(right);
        self.release();
        Ok(())
    }

    fn cells_for(&self, id: ValueId) -> u32 {
        self.needs.of(id)
    }

    fn binary(&mut self, operator: Operator, left: ValueId, right: ValueId) -> Result<(), Stop> {
        let (left, right) = match operator {
            Operator::Add | Operator::Mul | Operator::And | Operator::Or | Operator::Xor
                if self.graph.constant(left).is_some() =>
            {
                (right, left)
            }
            _ => (left, right),
        };
        let code = op::ALU
            | match operator {
                Operator::Add => op::ADD,
                Operator::Sub => op::SUB,
                Operator::Mul => op::MUL,
                Operator::Div => op::DIV,
                Operator::Mod => op::MOD,
                Operator::And => op::AND,
                Operator::Or => op::OR,
                Operator::Xor => op::XOR,
                Operator::ShiftLeft => op::LSH,
                Operator::ShiftRight => op::RSH,
            };
        let Some(number) = self.graph.constant(right) else {
            self.load_pair(left, right)?;
            self.put(code | op::X, 0);
            return Ok(());
        };
        self.load(left)?;
        match operator {
            Operator::Div | Operator::Mod if number == 0 => return Err(Stop::Rejects),
            // Nothing of it is left, and programs may not say so.
            Operator::ShiftLeft | Operator::ShiftRight if number >= 32 => {
                self.put(op::ALU | op::AND, 0);
            }
            _ => self.put(code, number),
        }
        Ok(())
    }
}
