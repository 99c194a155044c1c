//! A place in a library's code where a secret can be read, and how.
//!
//! Every library hands each of its secrets, with the label of the key log, to one function. A
//! [`Hook`] names that function's first instruction and says where its arguments are then.

/// One function that is given secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    pub library: Library,
    /// Of the function's first instruction in the file, in bytes: what uprobes take.
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

    /// As many pointers are followed at most.
    pub const STEPS_MAX: usize = 4;
}

/// A general register, as its machine's call convention numbers it in DWARF: on x86-64
/// 0 rax, 1 rdx, 2 rcx, 3 rbx, 4 rsi, 5 rdi, 6 rbp, 7 rsp, 8–15 r8–r15; on arm64 0–30 x0–x30, 31 sp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Register(pub u8);
