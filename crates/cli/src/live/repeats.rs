//! Packets that tell nothing new: of the same device, direction and owners as one before them.
//!
//! Promises: what is remembered holds until the table of processes changes, when it is forgotten.

use pktwho_capfile::Like;
use pktwho_packet::{Direction, Reception};
use pktwho_probe::RawPacket;

/// How many are remembered; a power of two.
const REMEMBERED: usize = 16;

/// All that packets can tell beside their time and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    ends: u64,
    iface: u32,
    direction: Direction,
    reception: Reception,
}

impl Told {
    #[inline]
    fn by(packet: &RawPacket<'_>) -> Option<Self> {
        let is_known = packet.ends_serial != 0 && !packet.undecided;
        is_known.then_some(Self {
            ends: packet.ends_serial,
            iface: packet.iface.id,
            direction: packet.direction,
            reception: packet.reception,
        })
    }

    #[inline]
    fn place(self) -> usize {
        usize::try_from(self.ends).unwrap_or(0) & (REMEMBERED - 1)
    }
}

/// Packets that were put out, by what they told.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    known: [Option<(Told, Like)>; REMEMBERED],
    is_empty: bool,
}

impl Repeats {
    /// The packet that told the same.
    #[inline]
    pub(super) fn like(&self, packet: &RawPacket<'_>) -> Option<&Like> {
        let told = Told::by(packet)?;
        let (known, like) = self.known.get(told.place())?.as_ref()?;
        (*known == told).then_some(like)
    }

    /// This packet has been put out, and is remembered as that one.
    pub(super) fn learn(&mut self, packet: &RawPacket<'_>, like: Option<Like>) {
        if let (Some(told), Some(like)) = (Told::by(packet), like)
            && let Some(place) = self.known.get_mut(told.place())
        {
            *place = Some((told, like));
            self.is_empty = false;
        }
    }

    /// The same ends may be told otherwise from now on.
    #[inline]
    pub(super) fn forget(&mut self) {
        if !self.is_empty {
            *self = Self {
                is_empty: true,
                ..Self::default()
            };
        }
    }
}
