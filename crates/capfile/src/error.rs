//! What can go wrong with a capture file. The words are libpcap's where it has some, so that
//! `tcpdump: ` and `pktwho: ` print the same text.

use std::io;

/// Which part of a classic file ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The file's own header.
    FileHeader,
    /// A packet's header.
    PacketHeader,
    /// A packet's bytes.
    Packet,
}

impl Part {
    fn words(self) -> &'static str {
        match self {
            Self::FileHeader => "file header",
            Self::PacketHeader => "header",
            Self::Packet => "captured",
        }
    }
}

/// A fault of a capture file, or of reading or writing it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading or writing failed; `kind()` tells a broken pipe.
    #[error("{0}")]
    Io(#[from] io::Error),

    /// Neither pcap nor pcapng.
    #[error("unknown file format")]
    UnknownFormat,

    /// A classic file ended within something. `got` counts as libpcap does: without the magic
    /// number when the file header is short.
    #[error("truncated dump file; tried to read {wanted} {} bytes, only got {got}", part.words())]
    Truncated {
        part: Part,
        wanted: usize,
        got: usize,
    },

    /// A pcapng file ended within a block.
    #[error("truncated pcapng dump file; tried to read {wanted} bytes, only got {got}")]
    TruncatedBlock { wanted: usize, got: usize },

    /// A classic file of major version 1 or 0.
    #[error("archaic pcap savefile format")]
    Archaic,

    /// A version that nobody has defined.
    #[error("unsupported {format} savefile version {major}.{minor}")]
    Version {
        /// `pcap` or `pcapng`.
        format: &'static str,
        major: u16,
        minor: u16,
    },

    /// A packet that claims to be longer than the file says packets are.
    #[error("invalid packet capture length {length}, bigger than snaplen of {snaplen}")]
    LongerThanSnaplen { length: u32, snaplen: u32 },

    /// A packet that claims to be longer than any of its link type.
    #[error("invalid packet capture length {length}, bigger than maximum of {maximum}")]
    LongerThanMaximum { length: u32, maximum: u32 },

    /// A block shorter than its fixed fields.
    #[error("block in pcapng dump file has a length of {length} < 12")]
    BlockLength { length: u32 },

    #[error("block in pcapng dump file has a length of {length} that is not a multiple of 4")]
    BlockAlignment { length: u32 },

    #[error("pcapng block size {length} > maximum {maximum}")]
    BlockSize { length: u32, maximum: u32 },

    #[error("block total length in header and trailer don't match")]
    BlockTrailer { header: u32, trailer: u32 },

    #[error("block of type {block_type} in pcapng dump file is too short")]
    BlockShort { block_type: u32 },

    #[error(
        "Section Header Block in pcapng dump file has invalid length 28 < _{length}_ < 1048576 (BT_SHB_INSANE_MAX)"
    )]
    SectionLength { length: u32 },

    #[error("the file has a section with a bad byte order magic field")]
    ByteOrder,

    #[error("the capture file has no Interface Description Blocks")]
    NoInterface,

    #[error("the capture file has a packet block before any Interface Description Blocks")]
    PacketBeforeInterface,

    #[error(
        "a packet arrived on interface {id}, but there's no Interface Description Block for that interface"
    )]
    UnknownInterface { id: u32 },

    /// An interface option of the wrong length.
    #[error("Interface Description Block has {option} option with length {length} != {expected}")]
    InterfaceOption {
        option: &'static str,
        length: usize,
        expected: usize,
    },

    /// A time unit too small for 64 bits.
    #[error(
        "Interface Description Block if_tsresol option resolution {base}^-{exponent} is too high"
    )]
    Resolution { base: u8, exponent: u8 },

    /// More devices than we are willing to remember.
    #[error("the capture file has more than {maximum} Interface Description Blocks")]
    TooManyInterfaces { maximum: usize },

    /// A classic file holds one link type, and this packet has another.
    #[error("a packet of link type {packet} cannot be written to a file of link type {file}")]
    LinkType { file: u16, packet: u16 },
}
