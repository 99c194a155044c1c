//! Everything that enters the kernel: eBPF objects, rings, devices.
//!
//! [`Source`] is the way in. [`Live`] loads the programs, attaches them and delivers packets and
//! process events in time order; [`PacketSockets`] does what can be done without programs. Nothing here prints, parses packets beyond what the kernel
//! side does, or knows the names of processes; `owner` does that from the events.

mod abi;
mod attach;
mod awaited;
mod beginning;
mod btf;
mod cgroups;
mod clock;
mod config;
mod device;
pub mod doctor;
mod errands;
mod error;
mod events;
mod filter;
mod grace;
mod guards;
mod homes;
mod hooks;
mod iptunnels;
pub mod janitor;
mod keeper;
mod layout;
mod live;
mod load;
mod lookout;
mod mmaps;
mod named;
mod nearby;
mod netlink;
mod netns;
mod packet_socket;
mod peers;
mod reach;
mod refusal;
mod rings;
mod source;
mod spaces;
mod sys;
mod terms;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
mod tunnels;
mod types;

pub use attach::Backend;
pub use config::{Begin, Config, DirectionChoice, Interfaces};
pub use device::{Device, devices};
pub use error::Error;
pub use filter::Filter;
pub use live::{Counts, Event, Live, RawPacket};
pub use netns::Netns;
pub use packet_socket::PacketSockets;
pub use peers::peers;
pub use rings::Ends;
pub use source::Source;
pub use spaces::Namespaces;
pub use terms::{Lineage, can_follow};
pub use tls::{FoundSecret, Hooked, TlsConfig, TlsFile, TlsReport, TlsSecrets, Unhooked};
pub use types::name as name_kernel_types;
