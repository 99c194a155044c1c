//! A device that packets are seen on, live or in a file.

use crate::LinkType;

/// Inode number of a network namespace (`/proc/PID/ns/net`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetnsId(pub u32);

/// What is known of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Iface {
    /// Number of this device within its source, counted from 0 without gaps.
    pub id: u32,
    /// The kernel's interface index; 0 when unknown.
    pub index: u32,
    /// Its name, with `@` and the namespace's when that was not ours; empty when a file has none.
    pub name: String,
    pub link_type: LinkType,
    /// Most bytes kept of a packet.
    pub snaplen: u32,
    /// Free text from the kernel's alias or a file.
    pub description: Option<String>,
    /// Hardware address, for devices that have one of six bytes.
    pub mac: Option<[u8; 6]>,
    /// Bits per second, if known.
    pub speed: Option<u64>,
    /// The network namespace the device lives in, if known.
    pub netns: Option<NetnsId>,
}
