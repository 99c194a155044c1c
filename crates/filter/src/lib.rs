//! The filter language: pcap-filter(7) as libpcap 1.10 takes it, and terms about owners.
//!
//! Text goes through four forms, each in a file of its own:
//!
//! 1. [`tree`]: what was written, qualifiers inherited, nothing looked up. Made by the parser.
//! 2. [`graph`]: tests on values of one link type's packets, joined by their outcomes.
//!    Lowering asks [`Names`] for addresses and ports and refuses what the link type
//!    has not.
//! 3. The same graph with fewer tests: [`Graph::fold`](graph::Graph::fold) drops what libpcap
//!    drops, [`Graph::optimise`](graph::Graph::optimise) changes no verdict.
//! 4. A program: eBPF for the kernel, classic BPF for `-d` and packet sockets, or the graph
//!    itself run in user space.
//!
//! One tree, one meaning: a load beyond the captured bytes rejects the packet, in each of them.
//! Nothing here knows files, sockets or the kernel, and no text makes it panic.
//!
//! Source: pcap-filter(7); where it is silent, what libpcap 1.10's programs do with packets.

#![forbid(unsafe_code)]

pub mod builder;
pub mod cbpf;
mod container;
#[cfg(test)]
mod differential;
pub mod ebpf;
mod error;
mod facts;
mod flow;
pub mod graph;
mod lower;
mod machine;
mod metadata;
mod names;
mod optimise;
mod parse;
mod shape;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tree;

pub use error::{Error, Reason};
pub use facts::{Doubtful, WithAncestors};
pub use lower::{Device, Refusal, lower};
pub use machine::{Facts, Machine};
pub use metadata::parse_metadata;
pub use names::{Names, NoNames, Transport};
pub use parse::parse;
