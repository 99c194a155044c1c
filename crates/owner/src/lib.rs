//! From the kernel's process ids to names: who a packet belongs to, in words.
//!
//! [`Processes`] lives off the event stream (fork, exec, rename, exit), which comes in time
//! order with the packets, so that a process which is gone before anybody looks keeps its
//! name. `/proc` is only asked about what ran before the stream began, and only believed when
//! the start time agrees: a reused pid cannot lie.
//!
//! Containers are known by the paths of cgroups (`cgroup.rs`), which the same stream tells, and
//! get their names from their runtimes (`runtimes.rs`), asked beside the capture.

#![forbid(unsafe_code)]

mod cgroup;
mod containerd;
mod containers;
mod cri;
mod docker;
mod grpc;
mod http;
mod inhabitants;
mod kubernetes;
mod news;
mod podman;
mod processes;
mod procfs;
mod protobuf;
mod runtimes;
mod settling;
mod sweep;
#[cfg(feature = "testing")]
pub mod testing;

pub use inhabitants::containers_in;
pub use processes::{ChangedCgroup, Processes, ReadProc, Slot};
pub use procfs::{Facts as ProcessFacts, read as read_process};
pub use runtimes::{Addresses, Runtimes};
