//! What a packet block says after the packet's bytes: which way it went and whose it is.
//!
//! Most packets say of themselves what one of the last said, so that is kept as it was written.

use pktwho_packet::{Direction, Owner, Packet, Reception};

use super::compose::{end_options, pad, write_option_header, write_u32_option};
use super::process_index::{ProcessIndex, Written};
use super::{option, packet_comments};

/// The owners of a packet as its options tell them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ends<'a> {
    pub(crate) near: Option<(&'a Owner<'a>, Written)>,
    pub(crate) far: Option<Written>,
    /// Whether the near end is not the one that the direction lets expect.
    pub(crate) unexpected: bool,
}

/// What all the rest follows from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Said {
    flags: u32,
    near: Option<u32>,
    far: Option<u32>,
    unexpected: bool,
}

/// How many different options are remembered.
const REMEMBERED: usize = 8;

/// Options as they were composed; at first those of a packet that says nothing, which has none.
#[derive(Debug, Default)]
struct Composed {
    said: Said,
    bytes: Vec<u8>,
    /// Told apart by this from all that were composed before.
    serial: u64,
}

/// Options that packets had.
#[derive(Debug, Default)]
pub(crate) struct PacketOptions {
    composed: [Composed; REMEMBERED],
    /// Those of the packet that came last.
    last: usize,
    /// How many were composed.
    serials: u64,
}

/// A packet's options, to be had again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    index: usize,
    serial: u64,
}

impl PacketOptions {
    /// The options of a packet, ended; nothing when it has none.
    #[inline]
    pub(crate) fn of(
        &mut self,
        packet: &Packet<'_>,
        ends: &Ends<'_>,
        processes: &ProcessIndex,
        comments: bool,
    ) -> &[u8] {
        let said = Said {
            flags: flags(packet.direction, packet.reception),
            near: ends.near.map(|(_, block)| block.index),
            far: ends.far.map(|block| block.index),
            unexpected: ends.unexpected,
        };
        let last = self.composed.get(self.last);
        if last.is_none_or(|last| last.said != said) {
            let mut known = self.composed.iter();
            if let Some(known) = known.position(|known| known.said == said) {
                self.last = known;
            } else {
                self.renew(said, |out| {
                    compose(out, packet, ends, said.flags, processes, comments);
                });
            }
        }
        self.composed
            .get(self.last)
            .map_or(&[], |last| last.bytes.as_slice())
    }

    #[cold]
    fn renew(&mut self, said: Said, compose: impl FnOnce(&mut Vec<u8>)) {
        self.last = (self.last + 1) % REMEMBERED;
        self.serials += 1;
        if let Some(oldest) = self.composed.get_mut(self.last) {
            oldest.said = said;
            oldest.serial = self.serials;
            oldest.bytes.clear();
            compose(&mut oldest.bytes);
        }
    }

    /// Where the options of the packet that came last are.
    pub(crate) fn place(&self) -> Place {
        Place {
            index: self.last,
            serial: self.composed.get(self.last).map_or(0, |last| last.serial),
        }
    }

    /// Those options, if they are still remembered.
    #[inline]
    pub(crate) fn at(&self, place: Place) -> Option<&[u8]> {
        let composed = self.composed.get(place.index)?;
        (composed.serial == place.serial).then_some(composed.bytes.as_slice())
    }
}

#[cold]
fn compose(
    out: &mut Vec<u8>,
    packet: &Packet<'_>,
    ends: &Ends<'_>,
    flags: u32,
    processes: &ProcessIndex,
    comments: bool,
) {
    if flags != 0 {
        write_u32_option(out, option::PACKET_FLAGS, flags);
    }
    if let Some((owner, block)) = ends.near {
        out.extend_from_slice(&near_options(owner, block));
        if let Some(far) = ends.far {
            write_u32_option(out, option::PACKET_OTHER_INDEX, far.index);
        }
        write_ends_comment(out, packet.direction, block, ends, processes);
        if comments {
            packet_comments::write(out, owner);
        }
    }
    if !out.is_empty() {
        end_options(out);
    }
}

/// Block and ids of the process at this end.
fn near_options(owner: &Owner<'_>, block: Written) -> [u8; 20] {
    let [c0, c1] = option::PACKET_PROCESS_INDEX.to_le_bytes();
    let [d0, d1] = option::PACKET_PROCESS.to_le_bytes();
    let [i0, i1, i2, i3] = block.index.to_le_bytes();
    let [p0, p1, p2, p3] = owner.process.id.pid.to_le_bytes();
    let [t0, t1, t2, t3] = owner.tid.to_le_bytes();
    [
        c0, c1, 4, 0, i0, i1, i2, i3, d0, d1, 8, 0, p0, p1, p2, p3, t0, t1, t2, t3,
    ]
}

/// Writes the comment that tells sender and receiver, when the direction alone does not.
fn write_ends_comment(
    out: &mut Vec<u8>,
    direction: Direction,
    near: Written,
    ends: &Ends<'_>,
    processes: &ProcessIndex,
) {
    let near = processes.label(near);
    let far = ends.far.map(|far| processes.label(far));
    let inbound = direction == Direction::In;
    let (left, arrow, right): (&[u8], &[u8], &[u8]) = match far {
        Some(far) if inbound => (far, b" > ", near),
        Some(far) => (near, b" > ", far),
        None if !ends.unexpected => return,
        None if inbound => (near, b" >", b""),
        None => (b"", b"> ", near),
    };
    let len = left.len() + arrow.len() + right.len();
    write_option_header(out, option::COMMENT, u16::try_from(len).unwrap_or(u16::MAX));
    out.extend_from_slice(left);
    out.extend_from_slice(arrow);
    out.extend_from_slice(right);
    pad(out, len);
}

/// `epb_flags`: direction in bits 0-1, reception in bits 2-4.
#[inline]
fn flags(direction: Direction, reception: Reception) -> u32 {
    let direction = match direction {
        Direction::Unknown => 0,
        Direction::In => 1,
        Direction::Out => 2,
    };
    let reception = match reception {
        Reception::Unspecified => 0,
        Reception::Unicast => 1,
        Reception::Multicast => 2,
        Reception::Broadcast => 3,
        Reception::Promiscuous => 4,
    };
    direction | reception << 2
}
