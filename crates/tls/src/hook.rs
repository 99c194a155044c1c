//! A place in a library's code where a secret can be read, and how.
//!
//! Every library hands each of its secrets, with the label of the key log, to one function. A
//! [`Hook`] names that function's first instruction and says where its arguments are then.

use std::fmt;

use crate::Machine;

/// One function that is given secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    pub library: Library,
    /// Of an instruction in the file, in bytes: what uprobes take. The function's first, or one
    /// soon after it ([`cheaper`](crate::cheaper)).
    pub offset: u64,
    /// The key log's word for the secret.
    pub label: Operand,
    /// 32 bytes.
    pub client_random: Operand,
    pub secret: Operand,
    /// What led to the function, in words for people.
    pub evidence: String,
}

/// Whose code it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Library {
    OpenSsl,
    BoringSsl,
    GnuTls,
    Go,
}

/// Bytes in the process's memory when the function is entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Text up to a NUL.
    Text(Place),
    /// So many bytes.
    Fixed(Place, u32),
    /// As many bytes as the register says, in its lower 32 bits.
    Sized(Place, Register),
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenSsl => "OpenSSL",
            Self::BoringSsl => "BoringSSL",
            Self::GnuTls => "GnuTLS",
            Self::Go => "Go crypto/tls",
        })
    }
}

impl Operand {
    /// For people: where it is, and how long: `[rdi+0xa8]+0xb8 (32 bytes)`.
    pub fn words(&self, machine: Machine) -> String {
        match self {
            Self::Text(place) => place.words(machine),
            Self::Fixed(place, length) => format!("{} ({length} bytes)", place.words(machine)),
            Self::Sized(place, length) => {
                let length = machine.register_name(*length);
                format!("{} ({length} bytes)", place.words(machine))
            }
        }
    }
}

/// An address: a register's value, followed through pointers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub register: Register,
    /// For each: this is added, and the pointer read that is there. At most [`Place::STEPS_MAX`].
    pub steps: Vec<i32>,
    /// Added at the end.
    pub add: i32,
}

impl Place {
    /// What a register points to.
    pub fn of(register: Register) -> Self {
        Self {
            register,
            steps: Vec::new(),
            add: 0,
        }
    }

    fn words(&self, machine: Machine) -> String {
        let plus = |words: String, add: i32| match add {
            0 => words,
            1.. => format!("{words}+{add:#x}"),
            _ => format!("{words}-{:#x}", add.unsigned_abs()),
        };
        let mut words = machine.register_name(self.register).to_owned();
        for &step in &self.steps {
            words = format!("[{}]", plus(words, step));
        }
        plus(words, self.add)
    }

    /// As many pointers are followed at most.
    pub const STEPS_MAX: usize = 4;
}

/// A general register, as its machine's call convention numbers it in DWARF: on x86-64
/// 0 rax, 1 rdx, 2 rcx, 3 rbx, 4 rsi, 5 rdi, 6 rbp, 7 rsp, 8–15 r8–r15; on arm64 0–30 x0–x30, 31 sp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Register(pub u8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_words() {
        let check = |register, steps: &[i32], add, expected| {
            let place = Place {
                register: Register(register),
                steps: steps.to_vec(),
                add,
            };
            let operand = Operand::Fixed(place, 32);
            assert_eq!(operand.words(Machine::X86), expected);
        };
        check(5, &[], 0, "rdi (32 bytes)");
        check(5, &[], 0x160, "rdi+0x160 (32 bytes)");
        check(5, &[0xa8], 0xb8, "[rdi+0xa8]+0xb8 (32 bytes)");
        check(5, &[0, -8], -1, "[[rdi]-0x8]-0x1 (32 bytes)");
        check(99, &[], 0, "? (32 bytes)");
        let secret = Operand::Sized(Place::of(Register(2)), Register(3));
        assert_eq!(secret.words(Machine::Arm64), "x2 (x3 bytes)");
    }
}
