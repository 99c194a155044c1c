//! How much a file may make us hold, and how long a packet may be.
//!
//! Source: the behaviour of libpcap 1.10.3 (through `tcpdump -r` on files made for it); the
//! bounds on devices and processes are ours.

use pktwho_packet::LinkType;

/// Longest packet of most link types, and what a snapshot length of 0 means.
pub const MAX_SNAPLEN: u32 = 262_144;

/// Longest pcapng block read, unless the link type has longer packets.
pub(crate) const MAX_BLOCK: u32 = 16 * 1024 * 1024;

/// Longest section header block read.
pub(crate) const MAX_SECTION_HEADER: u32 = 1024 * 1024;

/// Room for a block's fields and options beside the longest packet.
const BLOCK_OVERHEAD: u32 = 1024 * 1024;

/// Most devices of one file.
pub(crate) const MAX_IFACES: usize = 65_536;

/// Bytes kept of a device's name and of its description; Linux has 15 and 255.
pub(crate) const MAX_IFACE_TEXT: usize = 256;

/// Bytes kept of all devices' options, to be carried over to another file.
pub(crate) const MAX_IFACE_OPTIONS: usize = 16 * 1024 * 1024;

/// Bytes kept of the first section's options, and of the blocks before the first device.
pub(crate) const MAX_OPENING: usize = 1024 * 1024;

/// Process blocks remembered while reading; older ones are forgotten, newest kept.
pub(crate) const MAX_PROCESSES_READ: usize = 65_536;

/// Bytes of process facts remembered while reading.
pub(crate) const MAX_PROCESS_BYTES_READ: usize = 64 * 1024 * 1024;

/// Process blocks remembered while writing. When so many were written, all are forgotten and
/// written again as packets need them. Well below [`MAX_PROCESSES_READ`], so that our reader
/// never misses one.
pub(crate) const MAX_PROCESSES_WRITTEN: usize = 16_384;

/// Bytes of process blocks after which the same happens.
pub(crate) const MAX_PROCESS_BYTES_WRITTEN: usize = 16 * 1024 * 1024;

/// Longest packet a file of this link type may hold.
pub(crate) fn max_snaplen(link_type: LinkType) -> u32 {
    match link_type.0 {
        231 => 128 * 1024 * 1024, // D-Bus: the longest message
        249 => 1024 * 1024,       // USBPcap
        279 => 8 * 1024 * 1024,   // EBHSCR
        _ => MAX_SNAPLEN,
    }
}

/// The snapshot length that a file's field means: 0 and negative numbers say nothing.
pub(crate) fn effective_snaplen(field: u32, link_type: LinkType) -> u32 {
    match i32::try_from(field) {
        Ok(snaplen) if snaplen > 0 => field,
        _ => max_snaplen(link_type),
    }
}

/// Longest block that a section with this link type may hold.
pub(crate) fn max_block(link_type: LinkType) -> u32 {
    MAX_BLOCK.max(max_snaplen(link_type) + BLOCK_OVERHEAD)
}
