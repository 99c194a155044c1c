//! The vocabulary of pktwho: what a packet, a device and an owner are.
//!
//! Every crate speaks in these words, so they hold facts and no logic: no clock, no
//! files, no kernel. Start reading at [`Packet`].

#![forbid(unsafe_code)]

mod container;
mod iface;
mod link_type;
mod lost;
mod owner;
mod time;

pub use container::{Container, Label, Pod};
pub use iface::{Iface, NetnsId};
pub use link_type::LinkType;
pub use lost::Lost;
pub use owner::{
    Confidence, Owner, OwnerFacts, Process, ProcessChange, ProcessEvent, ProcessId, ThreadName,
};
pub use time::{Timestamp, TimestampPrecision};

/// One captured packet: borrowed bytes and the facts that came with them.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// When the packet passed the device.
    pub time: Timestamp,
    /// The device it was seen on.
    pub iface: &'a Iface,
    /// The captured bytes, from the start of the link-layer header of `iface.link_type`.
    pub data: &'a [u8],
    /// Length of the whole packet in bytes; a damaged file may say less than `data.len()`.
    pub orig_len: u32,
    /// Which way it passed the device.
    pub direction: Direction,
    /// To whom it was addressed at the link layer.
    pub reception: Reception,
    /// The process on this machine that sent it, if one did and it is known.
    pub sender: Option<Owner<'a>>,
    /// The process on this machine that receives it, if one does and it is known.
    pub receiver: Option<Owner<'a>>,
}

impl<'a> Packet<'a> {
    /// The owner on this side of the device: the receiver of an inbound packet, the sender
    /// of any other; the other end when only that one is known.
    pub fn owner(&self) -> Option<Owner<'a>> {
        match self.direction {
            Direction::In => self.receiver.or(self.sender),
            Direction::Out | Direction::Unknown => self.sender.or(self.receiver),
        }
    }
}

/// Which way a packet passed its device, as pcapng's `epb_flags` bits 0-1 know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    #[default]
    Unknown,
    In,
    Out,
}

/// To whom a packet was addressed at the link layer, as pcapng's `epb_flags` bits 2-4 know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reception {
    #[default]
    Unspecified,
    /// To this host (`PACKET_HOST`).
    Unicast,
    Multicast,
    Broadcast,
    /// To some other host (`PACKET_OTHERHOST`).
    Promiscuous,
}
