//! TLS secrets: what a key log holds, and where in a library's code they can be read.
//!
//! Pure: bytes in, values out. Nothing here opens a file or attaches to a process.

#![forbid(unsafe_code)]

mod hook;
mod secret;

pub use hook::{Hook, Library, Operand, Place, Register};
pub use secret::{Label, Secret, SecretError};
