//! What a file holds, in its order: packets with all that is said of them, and blocks of other
//! kinds, to be carried over to another file.

use pktwho_packet::{Iface, Packet};

use crate::bytes::Endian;
use crate::process_table::Entry;

/// The next thing in a file.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    Packet(Packet<'a>, Metadata<'a>),
    /// A block that holds no packet. Packets already know what devices and processes it told of.
    Block(Block<'a>),
}

/// What a pcapng file says of a packet, as it stands there. A classic file says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metadata<'a> {
    /// The packet's device as it was described; `None` when too much was said to be kept.
    pub(crate) described: Option<&'a Described>,
    /// Option after option, in the byte order of the section.
    pub(crate) options: &'a [u8],
    pub(crate) endian: Endian,
    /// Time in units of the device.
    pub(crate) count: u64,
    pub(crate) form: Form,
    /// The process that option 0x8001 refers to.
    pub(crate) process: Option<&'a Entry>,
    /// The process that option 0x8003 refers to.
    pub(crate) other: Option<&'a Entry>,
}

/// Which kind of block a packet comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    Enhanced,
    /// Without a time.
    Simple,
    /// With a count of packets dropped before it.
    Obsolete { drops: Option<u16> },
}

/// A block that holds no packet.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    pub(crate) kind: u32,
    /// Without type and lengths.
    pub(crate) body: &'a [u8],
    pub(crate) endian: Endian,
    /// The device that the block describes or counts for.
    pub(crate) iface: Option<(&'a Iface, &'a Described)>,
}

impl Block<'_> {
    /// The type as the format numbers it.
    pub fn block_type(&self) -> u32 {
        self.kind
    }

    /// The device that the block describes or counts for.
    pub fn iface(&self) -> Option<&Iface> {
        self.iface.map(|(iface, _)| iface)
    }

    /// The key log in a block of TLS secrets.
    pub fn tls_secrets(&self) -> Option<&[u8]> {
        use crate::pcapng::block;
        let body = (self.kind == block::DECRYPTION_SECRETS).then_some(self.body)?;
        let (kind, rest) = body.split_first_chunk()?;
        let (len, rest) = rest.split_first_chunk()?;
        let is_tls = self.endian.u32(*kind) == TLS_KEY_LOG;
        let len = usize::try_from(self.endian.u32(*len)).ok()?;
        is_tls.then(|| rest.get(..len))?
    }

    /// The block, kept.
    pub fn to_kept(&self) -> KeptBlock {
        let mut body = Vec::new();
        crate::pcapng::little::write_body(&mut body, self.kind, self.body, self.endian);
        KeptBlock {
            kind: self.kind,
            body,
        }
    }

    /// Whether later files of a series need it too: secrets and names.
    pub fn is_lasting(&self) -> bool {
        use crate::pcapng::block;
        matches!(
            self.kind,
            block::DECRYPTION_SECRETS | block::NAME_RESOLUTION
        )
    }
}

/// A device as its file describes it.
#[derive(Clone, Debug, Default)]
pub struct Described {
    /// Options, little-endian, without their end; `None` when they were too long to be kept.
    pub(crate) options: Option<Box<[u8]>>,
}

/// The kind of secrets that is a key log of TLS.
const TLS_KEY_LOG: u32 = 0x544c_534b;

/// A block that is kept, to be written again; one that is about no device.
#[derive(Clone, Debug)]
pub struct KeptBlock {
    kind: u32,
    /// Little-endian.
    body: Vec<u8>,
}

impl KeptBlock {
    /// TLS secrets as NSS's key log has them, line by line (a decryption secrets block).
    pub fn tls_secrets(key_log: &[u8]) -> Self {
        use crate::pcapng::{block, padding};
        let len = u32::try_from(key_log.len()).unwrap_or(u32::MAX);
        let mut body = TLS_KEY_LOG.to_le_bytes().to_vec();
        body.extend_from_slice(&len.to_le_bytes());
        body.extend_from_slice(key_log);
        body.resize(body.len() + padding(key_log.len()), 0);
        Self {
            kind: block::DECRYPTION_SECRETS,
            body,
        }
    }

    /// A block with that body, which is little-endian.
    pub(crate) fn of(kind: u32, body: Vec<u8>) -> Self {
        Self { kind, body }
    }

    /// How many bytes it holds.
    pub fn size(&self) -> usize {
        self.body.len()
    }

    pub fn block(&self) -> Block<'_> {
        Block {
            kind: self.kind,
            body: &self.body,
            endian: Endian::Little,
            iface: None,
        }
    }
}
