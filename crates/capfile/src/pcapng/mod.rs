//! pcapng: numbers of blocks and options, and the readers and writers of each block.
//!
//! Source: draft-ietf-opsawg-pcapng. Process blocks (type `0x8000_0001`) and the options
//! 0x8001 and 0x8003 come from Apple's local-use range; they were never registered.

mod carry;
mod compose;
mod iface_blocks;
mod iface_write;
pub(crate) mod little;
mod names;
pub(crate) mod options;
mod packet_blocks;
mod packet_comments;
mod packet_options;
mod process_index;
mod process_read;
pub(crate) mod reader;
pub(crate) mod writer;

/// Block types.
pub(crate) mod block {
    pub(crate) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    pub(crate) const INTERFACE_DESCRIPTION: u32 = 1;
    /// Obsolete packet block.
    pub(crate) const PACKET: u32 = 2;
    pub(crate) const SIMPLE_PACKET: u32 = 3;
    pub(crate) const NAME_RESOLUTION: u32 = 4;
    pub(crate) const INTERFACE_STATISTICS: u32 = 5;
    pub(crate) const ENHANCED_PACKET: u32 = 6;
    pub(crate) const DECRYPTION_SECRETS: u32 = 10;
    pub(crate) const CUSTOM: u32 = 0xbad;
    pub(crate) const CUSTOM_NO_COPY: u32 = 0x4000_0bad;
    /// Apple's process block.
    pub(crate) const PROCESS: u32 = 0x8000_0001;
    /// Apple's event of the operating system.
    pub(crate) const OS_EVENT: u32 = 0x8000_0002;
}

/// Option codes; each is used in the blocks its name says, the first two in all.
pub(crate) mod option {
    pub(crate) const END: u16 = 0;
    pub(crate) const COMMENT: u16 = 1;
    pub(crate) const SHB_HARDWARE: u16 = 2;
    pub(crate) const SHB_OS: u16 = 3;
    pub(crate) const SHB_APPLICATION: u16 = 4;
    pub(crate) const IF_NAME: u16 = 2;
    pub(crate) const IF_DESCRIPTION: u16 = 3;
    pub(crate) const IF_MAC: u16 = 6;
    pub(crate) const IF_SPEED: u16 = 8;
    pub(crate) const IF_TSRESOL: u16 = 9;
    pub(crate) const IF_TZONE: u16 = 10;
    pub(crate) const IF_FILTER: u16 = 11;
    pub(crate) const IF_OS: u16 = 12;
    pub(crate) const IF_TSOFFSET: u16 = 14;
    pub(crate) const ISB_START: u16 = 2;
    pub(crate) const ISB_END: u16 = 3;
    pub(crate) const ISB_RECEIVED: u16 = 4;
    pub(crate) const ISB_DROPPED: u16 = 5;
    pub(crate) const ISB_OS_DROPPED: u16 = 7;
    pub(crate) const PROCESS_NAME: u16 = 2;
    pub(crate) const PACKET_FLAGS: u16 = 2;
    /// Packets dropped between the one before and this.
    pub(crate) const PACKET_DROPS: u16 = 4;
    pub(crate) const PACKET_ID: u16 = 5;
    pub(crate) const PACKET_QUEUE: u16 = 6;
    /// `epb_processid_threadid`: process id, thread id.
    pub(crate) const PACKET_PROCESS: u16 = 8;
    /// Position of the process's block in the section.
    pub(crate) const PACKET_PROCESS_INDEX: u16 = 0x8001;
    /// Position of the block of the process at the other end (Apple: the effective process).
    pub(crate) const PACKET_OTHER_INDEX: u16 = 0x8003;
}

/// What the magic field of a section header reads in the section's own byte order.
pub(crate) const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// Bytes that round a length up to the next multiple of four.
pub(crate) fn padding(len: usize) -> usize {
    len.wrapping_neg() & 3
}
