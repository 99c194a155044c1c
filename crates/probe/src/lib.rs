//! Everything that enters the kernel: eBPF objects, rings, devices.
//!
//! [`Live`] is the way in: it loads the programs, attaches them and delivers packets and
//! process events in time order. Nothing here prints, parses packets beyond what the kernel
//! side does, or knows the names of processes; `owner` does that from the events.

mod abi;
mod attach;
mod btf;
mod cgroups;
mod clock;
mod device;
mod error;
mod events;
mod filter;
mod homes;
pub mod janitor;
mod layout;
mod live;
mod load;
mod mmaps;
mod netlink;
mod netns;
mod reach;
mod rings;
mod spaces;
mod sys;
mod terms;
mod tls;

pub use attach::Backend;
pub use device::{Device, devices};
pub use error::Error;
pub use filter::Filter;
pub use live::{Config, Counts, DirectionChoice, Event, Interfaces, Live, RawPacket};
pub use netns::Netns;
pub use rings::Ends;
pub use spaces::Namespaces;
pub use terms::{Lineage, can_follow};
pub use tls::{FoundSecret, Hooked, TlsConfig, TlsFile, TlsReport, TlsSecrets, Unhooked};
