//! From the kernel's process ids to names: who a packet belongs to, in words.
//!
//! [`Processes`] lives off the event stream (fork, exec, rename, exit), which comes in time
//! order with the packets, so that a process which is gone before anybody looks keeps its
//! name. `/proc` is only asked about what ran before the stream began, and only believed when
//! the start time agrees: a reused pid cannot lie.

#![forbid(unsafe_code)]

mod processes;
mod procfs;
mod sweep;

pub use processes::{Processes, Slot};
