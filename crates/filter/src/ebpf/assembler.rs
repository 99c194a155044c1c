//! Instructions and the distances of jumps.

use super::Error;

/// One instruction (`struct bpf_insn`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insn {
    pub code: u8,
    /// Destination in the low four bits, source in the high four.
    pub registers: u8,
    pub offset: i16,
    pub immediate: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
    R10,
}

/// The packet's `struct __sk_buff`, from the first instruction on.
pub const CONTEXT: Register = Register::R6;
pub const STACK: Register = Register::R10;

/// Fields of `struct __sk_buff`, each of 32 bits.
pub mod field {
    pub const LEN: i16 = 0;
    pub const VLAN_PRESENT: i16 = 20;
    pub const VLAN_TAG: i16 = 24;
    pub const VLAN_PROTOCOL: i16 = 28;
    pub const IFINDEX: i16 = 40;
    pub const DATA: i16 = 76;
    pub const DATA_END: i16 = 80;
}

/// Operations of arithmetic and conditions of jumps, as they stand in the code's high bits.
pub mod op {
    pub const ADD: u8 = 0x00;
    pub const SUB: u8 = 0x10;
    pub const MUL: u8 = 0x20;
    pub const DIV: u8 = 0x30;
    pub const OR: u8 = 0x40;
    pub const AND: u8 = 0x50;
    pub const LSH: u8 = 0x60;
    pub const RSH: u8 = 0x70;
    pub const MOD: u8 = 0x90;
    pub const XOR: u8 = 0xa0;
    pub const MOV: u8 = 0xb0;

    pub const JEQ: u8 = 0x10;
    pub const JGT: u8 = 0x20;
    pub const JGE: u8 = 0x30;
    pub const JSET: u8 = 0x40;
    pub const JNE: u8 = 0x50;
    pub const JLT: u8 = 0xa0;
    pub const JLE: u8 = 0xb0;
}

const LDX: u8 = 0x61;
const STX: u8 = 0x63;
const ALU32: u8 = 0x04;
const ALU64: u8 = 0x07;
const JMP32: u8 = 0x06;
const JMP64: u8 = 0x05;
/// The operand is a register.
const X: u8 = 0x08;
const TO_BIG_ENDIAN: u8 = 0xdc;
const CALL: u8 = 0x85;

/// `bpf_skb_load_bytes`
const LOAD_BYTES: i32 = 26;

/// How many bytes are read, and how that is said in an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    Byte = 0x10,
    Half = 0x08,
    Word = 0x00,
    Double = 0x18,
}

impl Width {
    pub fn bytes(self) -> u32 {
        match self {
            Self::Byte => 1,
            Self::Half => 2,
            Self::Word => 4,
            Self::Double => 8,
        }
    }
}

/// A place to jump to, known when it is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(usize);

#[derive(Debug, Default)]
pub struct Assembler {
    code: Vec<Insn>,
    labels: Vec<Option<usize>>,
    /// Jumps and where they lead.
    jumps: Vec<(usize, Label)>,
}

/// Instructions of one program at most; the kernel looks at a million, along every path.
const LENGTH_MAX: usize = 400_000;

impl Assembler {
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// The label is the next instruction.
    pub fn place(&mut self, label: Label) {
        let here = self.code.len();
        if let Some(place) = self.labels.get_mut(label.0) {
            *place = Some(here);
        }
    }

    pub fn is_used(&self, label: Label) -> bool {
        self.jumps.iter().rev().any(|(_, to)| *to == label)
    }

    pub fn is_too_long(&self) -> bool {
        self.code.len() > LENGTH_MAX
    }

    /// # Errors
    /// A jump is longer than 16 bits can say.
    pub fn finish(mut self) -> Result<Vec<Insn>, Error> {
        for (at, label) in self.jumps {
            let to = self.labels.get(label.0).copied().flatten();
            let (Some(to), Some(insn)) = (to, self.code.get_mut(at)) else {
                return Err(Error::TooLong);
            };
            let distance = i64::try_from(to).unwrap_or(i64::MAX) - i64::try_from(at).unwrap_or(0);
            insn.offset = i16::try_from(distance - 1).map_err(|_| Error::TooLong)?;
        }
        Ok(self.code)
    }

    fn put(&mut self, code: u8, to: Register, from: Register, offset: i16, immediate: i32) {
        self.code.push(Insn {
            code,
            registers: to as u8 | (from as u8) << 4,
            offset,
            immediate,
        });
    }

    pub fn put_all(&mut self, code: &[Insn]) {
        self.code.extend_from_slice(code);
    }

    /// All 64 bits: numbers and pointers.
    pub fn copy(&mut self, to: Register, from: Register) {
        self.put(ALU64 | op::MOV | X, to, from, 0, 0);
    }

    pub fn set(&mut self, to: Register, number: u32) {
        let number = number.cast_signed();
        self.put(ALU32 | op::MOV, to, Register::R0, 0, number);
    }

    /// In 32 bits; the upper half becomes 0.
    pub fn alu(&mut self, operation: u8, to: Register, number: u32) {
        let number = number.cast_signed();
        self.put(ALU32 | operation, to, Register::R0, 0, number);
    }

    pub fn alu_by(&mut self, operation: u8, to: Register, by: Register) {
        self.put(ALU32 | operation | X, to, by, 0, 0);
    }

    /// In 64 bits, for pointers and for sums that must not wrap.
    pub fn add(&mut self, to: Register, number: i32) {
        self.put(ALU64 | op::ADD, to, Register::R0, 0, number);
    }

    pub fn add_register(&mut self, to: Register, by: Register) {
        self.put(ALU64 | op::ADD | X, to, by, 0, 0);
    }

    pub fn read(&mut self, width: Width, to: Register, base: Register, offset: i16) {
        self.put(LDX | width as u8, to, base, offset, 0);
    }

    /// A field of the context.
    pub fn context(&mut self, to: Register, field: i16) {
        self.read(Width::Word, to, CONTEXT, field);
    }

    /// All 64 bits onto the stack.
    pub fn store(&mut self, offset: i16, from: Register) {
        self.put(STX | Width::Double as u8, STACK, from, offset, 0);
    }

    /// What was read in the packet's byte order into a number.
    pub fn swap(&mut self, width: Width, register: Register) {
        let bits = match width {
            Width::Byte => return,
            Width::Half => 16,
            Width::Word => 32,
            Width::Double => 64,
        };
        self.put(TO_BIG_ENDIAN, register, Register::R0, 0, bits);
    }

    fn jump_insn(&mut self, code: u8, left: Register, right: Register, number: i32, to: Label) {
        self.jumps.push((self.code.len(), to));
        self.put(code, left, right, 0, number);
    }

    pub fn jump(&mut self, to: Label) {
        self.jump_insn(JMP64, Register::R0, Register::R0, 0, to);
    }

    /// If the lower 32 bits compare so.
    pub fn jump_if(&mut self, condition: u8, left: Register, number: u32, to: Label) {
        let number = number.cast_signed();
        self.jump_insn(JMP32 | condition, left, Register::R0, number, to);
    }

    pub fn jump_if_by(&mut self, condition: u8, left: Register, right: Register, to: Label) {
        self.jump_insn(JMP32 | condition | X, left, right, 0, to);
    }

    /// In 64 bits: what bounds a pointer.
    pub fn jump_if_above(&mut self, left: Register, number: i32, to: Label) {
        self.jump_insn(JMP64 | op::JGT, left, Register::R0, number, to);
    }

    pub fn jump_if_behind(&mut self, left: Register, right: Register, to: Label) {
        self.jump_insn(JMP64 | op::JGT | X, left, right, 0, to);
    }

    pub fn jump_unless_zero(&mut self, register: Register, to: Label) {
        self.jump_insn(JMP64 | op::JNE, register, Register::R0, 0, to);
    }

    /// `bpf_skb_load_bytes(context, R2, stack + offset, bytes)`; R0 is 0 when they are there.
    pub fn load_bytes(&mut self, offset: i16, bytes: u32) {
        self.copy(Register::R1, CONTEXT);
        self.copy(Register::R3, STACK);
        self.add(Register::R3, offset.into());
        self.set(Register::R4, bytes);
        self.put(CALL, Register::R0, Register::R0, 0, LOAD_BYTES);
    }
}
