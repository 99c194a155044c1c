//! What instructions do, as far as it matters for following pointers: the same words for
//! every machine.

use crate::Register;
use crate::elf::Machine;
use crate::{arm64, x86};

/// One effect of an instruction. An instruction has up to four, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// `to = from + add`
    Move {
        to: Register,
        from: Register,
        add: i32,
    },
    Constant {
        to: Register,
        value: u64,
    },
    /// `to` = the 64 bits in memory.
    Load {
        to: Register,
        at: Memory,
    },
    /// `to` = a byte in memory.
    LoadByte {
        to: Register,
        at: Memory,
    },
    /// 64 bits of a register to memory.
    Store {
        from: Register,
        at: Memory,
    },
    /// Holds nothing that is known from here on.
    Forget(Register),
    /// To an address, or to what is not known.
    Call(Option<u64>),
    Jump(Option<u64>),
    /// Here or there.
    Branch(u64),
    /// Nothing comes after it: a return, a trap.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    pub base: Register,
    pub displacement: i32,
    /// A register is added that counts, as in loops.
    pub indexed: bool,
}

impl Machine {
    /// The register of an argument, and of the stack pointer.
    pub fn arguments(self) -> &'static [Register] {
        match self {
            Self::X86 => &x86::ARGUMENTS,
            Self::Arm64 => &arm64::ARGUMENTS,
        }
    }

    pub fn stack_pointer(self) -> Register {
        match self {
            Self::X86 => x86::STACK_POINTER,
            Self::Arm64 => arm64::STACK_POINTER,
        }
    }

    /// Whether a call leaves the register as it was.
    pub fn is_kept(self, register: Register) -> bool {
        match self {
            Self::X86 => matches!(register.0, 3 | 6 | 7 | 12..=15),
            Self::Arm64 => matches!(register.0, 19..=29 | 31),
        }
    }

    /// Appends the effects of the first instruction of `code` and returns its length in bytes.
    /// `None` where it is none.
    pub fn decode(self, code: &[u8], address: u64, ops: &mut Vec<Op>) -> Option<usize> {
        match self {
            Self::X86 => x86::decode(code, address, ops),
            Self::Arm64 => arm64::decode(code, address, ops),
        }
    }
}
