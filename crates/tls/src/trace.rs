//! Following pointers through code without running it.
//!
//! A register holds a number, or a pointer that was come to from what some register held in the
//! beginning, or something that is not known. Nothing else is needed to see what a function is
//! given, and which of it another is handed on.

use std::collections::HashSet;

use crate::code::{Memory, Op};
use crate::elf::Elf;
use crate::{Place, Register};

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Unknown,
    Number(u64),
    Pointer(Pointer),
}

/// A register's first value, followed: a [`Place`] without an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    pub root: Register,
    steps: [i32; Place::STEPS_MAX],
    depth: u8,
    pub add: i32,
}

impl Pointer {
    fn new(root: Register) -> Self {
        Self {
            root,
            steps: [0; Place::STEPS_MAX],
            depth: 0,
            add: 0,
        }
    }

    /// The pointer that is in memory here.
    fn follow(mut self, displacement: i32) -> Option<Self> {
        let slot = self.steps.get_mut(usize::from(self.depth))?;
        *slot = self.add.checked_add(displacement)?;
        self.depth = self.depth.checked_add(1)?;
        self.add = 0;
        Some(self)
    }

    pub fn plus(self, add: i32) -> Option<Self> {
        let add = self.add.checked_add(add)?;
        Some(Self { add, ..self })
    }

    /// How far another place in the same memory is from here, in bytes.
    pub fn distance(&self, other: &Self) -> Option<i32> {
        let same = Self { add: 0, ..*self } == Self { add: 0, ..*other };
        other.add.checked_sub(self.add).filter(|_| same)
    }

    pub fn steps(&self) -> &[i32] {
        self.steps.get(..usize::from(self.depth)).unwrap_or(&[])
    }

    pub fn place(&self) -> Place {
        Place {
            register: self.root,
            steps: self.steps().to_vec(),
            add: self.add,
        }
    }
}

/// As many registers as a machine can have.
const REGISTERS: usize = 32;
/// As many words of the stack are remembered; what comes then is not.
const STACK_MAX: usize = 64;

/// What the registers and the function's own stack hold.
#[derive(Clone)]
pub(crate) struct State {
    registers: [Value; REGISTERS],
    stack: Vec<(i32, Value)>,
    stack_pointer: Register,
}

impl State {
    /// At the beginning: every register is its own.
    pub fn new(stack_pointer: Register) -> Self {
        let mut registers = [Value::Unknown; REGISTERS];
        for (number, value) in (0..).zip(&mut registers) {
            *value = Value::Pointer(Pointer::new(Register(number)));
        }
        Self {
            registers,
            stack: Vec::new(),
            stack_pointer,
        }
    }

    pub fn get(&self, register: Register) -> Value {
        let value = self.registers.get(usize::from(register.0));
        value.copied().unwrap_or(Value::Unknown)
    }

    fn set(&mut self, register: Register, value: Value) {
        if let Some(slot) = self.registers.get_mut(usize::from(register.0)) {
            *slot = value;
        }
    }

    fn plus(&self, register: Register, add: i32) -> Value {
        match self.get(register) {
            Value::Number(number) => Value::Number(number.wrapping_add_signed(i64::from(add))),
            Value::Pointer(pointer) => pointer.plus(add).map_or(Value::Unknown, Value::Pointer),
            Value::Unknown => Value::Unknown,
        }
    }

    /// The place in memory, apart from its index.
    pub fn address(&self, at: Memory) -> Option<Pointer> {
        match self.plus(at.base, at.displacement) {
            Value::Pointer(pointer) => Some(pointer),
            _ => None,
        }
    }

    /// Where on the function's own stack that is.
    fn on_stack(&self, at: Memory) -> Option<i32> {
        let pointer = self.address(at).filter(|_| !at.indexed)?;
        let own = pointer.root == self.stack_pointer && pointer.depth == 0;
        own.then_some(pointer.add)
    }

    fn load(&self, at: Memory) -> Value {
        if let Some(place) = self.on_stack(at) {
            let slot = self.stack.iter().find(|(known, _)| *known == place);
            return slot.map_or(Value::Unknown, |(_, value)| *value);
        }
        match self.get(at.base) {
            Value::Pointer(pointer) if !at.indexed => pointer
                .follow(at.displacement)
                .map_or(Value::Unknown, Value::Pointer),
            _ => Value::Unknown,
        }
    }

    fn store(&mut self, from: Register, at: Memory) {
        let Some(place) = self.on_stack(at) else {
            return;
        };
        let value = self.get(from);
        self.stack.retain(|(known, _)| *known != place);
        if self.stack.len() < STACK_MAX {
            self.stack.push((place, value));
        }
    }

    /// What becomes of it. Jumps change nothing.
    fn apply(&mut self, op: Op, elf: &Elf<'_>) {
        match op {
            Op::Move { to, from, add } => self.set(to, self.plus(from, add)),
            Op::Constant { to, value } => self.set(to, Value::Number(value)),
            Op::Load { to, at } => self.set(to, self.load(at)),
            Op::LoadByte { to, .. } | Op::Forget(to) => self.set(to, Value::Unknown),
            Op::Store { from, at } => self.store(from, at),
            Op::Call(_) => {
                for number in (0..).map(Register).take(REGISTERS) {
                    if !elf.machine.is_kept(number) {
                        self.set(number, Value::Unknown);
                    }
                }
            }
            Op::LoadVector { .. } | Op::Jump(_) | Op::Branch(_) | Op::End => {}
        }
    }
}

/// As many ways may wait.
const WAYS_MAX: usize = 64;
/// No instruction is longer, in bytes.
const LONGEST: usize = 16;

/// Whether to go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    On,
    /// Not on this way.
    Stop,
}

/// How far to follow code.
#[derive(Clone, Copy)]
pub(crate) struct Reach {
    /// Into the branches that are taken, too.
    pub branches: bool,
    /// As many instructions are looked at, on all ways together.
    pub instructions: usize,
}

/// Follows the code from an address on, each instruction once, and shows `look` the state
/// before each effect. What comes after a branch is followed before where it leads to.
pub(crate) fn walk(
    elf: &Elf<'_>,
    start: u64,
    reach: Reach,
    mut look: impl FnMut(u64, Op, &State) -> Next,
) {
    let mut seen = HashSet::new();
    let mut ways = vec![(start, State::new(elf.machine.stack_pointer()))];
    let mut ops = Vec::with_capacity(8);
    let mut left = reach.instructions;
    while let Some((mut address, mut state)) = ways.pop() {
        while left > 0 && seen.insert(address) {
            left -= 1;
            ops.clear();
            let code = elf.code_at(address);
            let Some(length) = code.and_then(|code| elf.machine.decode(code, address, &mut ops))
            else {
                if reach.branches && code.is_none_or(|code| code.len() < LONGEST) {
                    elf.note_cut();
                }
                break;
            };
            let mut next = address.wrapping_add(u64::try_from(length).unwrap_or(1));
            let mut stop = false;
            for &op in &ops {
                stop |= look(address, op, &state) == Next::Stop;
                state.apply(op, elf);
                match op {
                    Op::Branch(target) if reach.branches && ways.len() < WAYS_MAX => {
                        ways.push((target, state.clone()));
                    }
                    Op::Jump(Some(target)) => next = target,
                    Op::Jump(None) | Op::End => stop = true,
                    _ => {}
                }
            }
            if stop {
                break;
            }
            address = next;
        }
    }
}
