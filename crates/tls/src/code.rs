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
    /// So many bytes of memory to a vector register.
    LoadVector {
        at: Memory,
        length: u8,
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
    /// The one this program was built for.
    pub const OURS: Option<Self> = if cfg!(target_arch = "x86_64") {
        Some(Self::X86)
    } else if cfg!(target_arch = "aarch64") {
        Some(Self::Arm64)
    } else {
        None
    };

    /// The register's name in assembler.
    pub fn register_name(self, register: Register) -> &'static str {
        let names: &[&str] = match self {
            Self::X86 => &x86::NAMES,
            Self::Arm64 => &arm64::NAMES,
        };
        names.get(usize::from(register.0)).copied().unwrap_or("?")
    }

    /// The registers of arguments, in order.
    pub(crate) fn arguments(self) -> &'static [Register] {
        match self {
            Self::X86 => &x86::ARGUMENTS,
            Self::Arm64 => &arm64::ARGUMENTS,
        }
    }

    pub(crate) fn stack_pointer(self) -> Register {
        match self {
            Self::X86 => x86::STACK_POINTER,
            Self::Arm64 => arm64::STACK_POINTER,
        }
    }

    /// Whether a call leaves the register as it was.
    pub(crate) fn is_kept(self, register: Register) -> bool {
        match self {
            Self::X86 => matches!(register.0, 3 | 6 | 7 | 12..=15),
            Self::Arm64 => matches!(register.0, 19..=29 | 31),
        }
    }

    /// Appends the effects of the first instruction of `code` and returns its length in bytes.
    /// `None` where it is none.
    pub(crate) fn decode(self, code: &[u8], address: u64, ops: &mut Vec<Op>) -> Option<usize> {
        match self {
            Self::X86 => x86::decode(code, address, ops),
            Self::Arm64 => arm64::decode(code, address, ops),
        }
    }
}
