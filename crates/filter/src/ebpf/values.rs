//! Values in registers.

use super::assembler::{Register, STACK, Width, field, op};
use super::body::{Body, CELLS, CELLS_MAX, Stop};
use crate::graph::{Fact, Size, Value, ValueId};
use crate::tree::Operator;

impl Body<'_, '_> {
    /// The value's register.
    pub fn load(&mut self, id: ValueId) -> Result<Register, Stop> {
        if let Some(register) = self.register_of(id) {
            return Ok(register);
        }
        match self.graph.value(id) {
            Value::Constant(number) => Ok(self.number(id, number)),
            Value::Length => {
                let to = self.take(id);
                self.code.context(to, field::LEN);
                if self.tagged {
                    self.code.alu(op::ADD, to, 4);
                }
                Ok(to)
            }
            Value::Load { size, base, offset } => self.bytes(id, width(size), base, offset),
            Value::Binary {
                operator,
                left,
                right,
            } => self.binary(id, operator, left, right),
            Value::Fact(Fact::Direction) => {
                let direction = 1 + u32::from(self.targets.egress);
                Ok(self.number(id, direction))
            }
            Value::Fact(Fact::Ifindex) => {
                let to = self.take(id);
                self.code.context(to, field::IFINDEX);
                Ok(to)
            }
            // The tag is in the bytes, as we show them.
            Value::Fact(Fact::VlanPresent | Fact::VlanProtocol | Fact::VlanTag) => {
                Ok(self.number(id, 0))
            }
        }
    }

    fn number(&mut self, id: ValueId, number: u32) -> Register {
        let to = self.take(id);
        self.code.set(to, number);
        to
    }

    pub fn register_of(&self, id: ValueId) -> Option<Register> {
        let mut held = self.pool.iter().zip(self.held.registers);
        held.find(|(_, held)| *held == Some(id))
            .map(|(register, _)| *register)
    }

    /// A register that holds the value from now on: one that is free, else one whose value is
    /// needed no more, else any in turn.
    pub fn take(&mut self, id: ValueId) -> Register {
        let is_pinned = |place: usize| self.pinned >> place & 1 == 1;
        let open = |place: &usize| !is_pinned(*place);
        let places = 0..self.pool.len();
        let held = |place: usize| self.held.registers.get(place).copied().flatten();
        let done = |value: ValueId| {
            let index = usize::try_from(value.0).unwrap_or(usize::MAX);
            let last = self.last_use.get(index);
            last.is_none_or(|&last| last < self.node) || self.graph.constant(value).is_some()
        };
        let free = places
            .clone()
            .filter(open)
            .find(|&place| held(place).is_none());
        let done = || {
            let mut places = places.clone().filter(open);
            places.find(|&place| held(place).is_some_and(done))
        };
        let turn = self.turn;
        let any = || {
            let pool = self.pool.len();
            (0..pool)
                .map(|step| (turn + step) % pool)
                .find(|place| open(place))
        };
        let place = free.or_else(done).or_else(any).unwrap_or(0);
        self.turn = place + 1;
        if let Some(held) = self.held.registers.get_mut(place) {
            *held = Some(id);
        }
        self.pool.get(place).copied().unwrap_or(Register::R0)
    }

    fn pin(&mut self, register: Register) {
        if let Some(place) = self.pool.iter().position(|&r| r == register) {
            self.pinned |= 1 << place;
        }
    }

    /// Whether computing it takes one register and nothing else.
    fn is_simple(&self, id: ValueId) -> bool {
        !matches!(
            self.graph.value(id),
            Value::Binary { .. } | Value::Load { base: Some(_), .. }
        )
    }

    /// Both values in registers, which are pinned: the caller unpins.
    ///
    /// Nothing is pinned while something that is not simple is computed, so that three
    /// registers are enough for everything; what has to wait meanwhile lies on the stack.
    pub fn pair(&mut self, left: ValueId, right: ValueId) -> Result<(Register, Register), Stop> {
        let need = |id: ValueId| {
            let index = usize::try_from(id.0).unwrap_or(usize::MAX);
            self.needs.get(index).copied().unwrap_or(0)
        };
        let right_first =
            !self.is_simple(right) && (self.is_simple(left) || need(right) > need(left));
        let (first, second) = if right_first {
            (right, left)
        } else {
            (left, right)
        };
        let in_order = |first, second| {
            if right_first {
                (second, first)
            } else {
                (first, second)
            }
        };
        let register = self.load(first)?;
        if self.is_simple(second) || self.register_of(second).is_some() {
            self.pin(register);
            let second = self.load(second)?;
            self.pin(second);
            return Ok(in_order(register, second));
        }
        let cell = CELLS - 8 * self.cells;
        self.cells += 1;
        if self.cells > CELLS_MAX {
            return Err(Stop::TooDeep);
        }
        self.code.store(cell, register);
        let second = self.load(second)?;
        self.pin(second);
        let first = if let Some(register) = self.register_of(first) {
            register
        } else {
            let register = self.take(first);
            self.code.read(Width::Double, register, STACK, cell);
            register
        };
        self.pin(first);
        self.cells -= 1;
        Ok(in_order(first, second))
    }

    fn binary(
        &mut self,
        id: ValueId,
        operator: Operator,
        left: ValueId,
        right: ValueId,
    ) -> Result<Register, Stop> {
        if let Some(number) = self.graph.constant(right) {
            let register = self.load(left)?;
            self.pin(register);
            let to = self.take(id);
            self.pinned = 0;
            self.code.copy(to, register);
            match operator {
                Operator::Div | Operator::Mod if number == 0 => return Err(Stop::Rejects),
                Operator::ShiftLeft | Operator::ShiftRight if number >= 32 => self.code.set(to, 0),
                _ => self.code.alu(operation(operator), to, number),
            }
            return Ok(to);
        }
        let (register, by) = self.pair(left, right)?;
        let to = self.take(id);
        self.pinned = 0;
        if matches!(operator, Operator::Div | Operator::Mod) {
            self.code.jump_if(op::JEQ, by, 0, self.reject);
        }
        self.code.copy(to, register);
        if matches!(operator, Operator::ShiftLeft | Operator::ShiftRight) {
            // The processor would shift by the lower five bits.
            let (wide, done) = (self.code.label(), self.code.label());
            self.code.jump_if(op::JGT, by, 31, wide);
            self.code.alu_by(operation(operator), to, by);
            self.code.jump(done);
            self.code.place(wide);
            self.code.set(to, 0);
            self.code.place(done);
        } else {
            self.code.alu_by(operation(operator), to, by);
        }
        Ok(to)
    }
}

fn operation(operator: Operator) -> u8 {
    match operator {
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
    }
}

fn width(size: Size) -> Width {
    match size {
        Size::Byte => Width::Byte,
        Size::Half => Width::Half,
        Size::Word => Width::Word,
    }
}
