//! TLS secrets: what a key log holds, and where in a library's code they can be read.
//!
//! Pure: bytes in, values out. Nothing here opens a file or attaches to a process. Files are
//! hostile: whatever they hold, [`resolve`] ends soon and without a panic.
//!
//! Start reading at `resolve.rs`.

#![forbid(unsafe_code)]

mod arm64;
mod calls;
mod cheap;
mod client_random;
mod code;
mod elf;
mod gnutls;
mod go;
mod hook;
mod inlined;
mod labels;
mod plt;
mod refusal;
mod resolve;
mod secret;
mod trace;
mod trail;
mod x86;

pub use cheap::cheaper;
pub use elf::{Machine, build_id, machine, reach};
pub use hook::{Hook, Library, Operand, Place, Register};
pub use refusal::Refusal;
pub use resolve::resolve;
pub use secret::{Label, Secret, SecretError};
pub use trail::{Places, Trail, resolve_noting};

#[cfg(test)]
mod tests;
