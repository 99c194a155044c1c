//! A capture file of either kind, to any stream.

use std::io::Write;

use pktwho_packet::{Iface, Packet, Timestamp};

use crate::counters::Counters;
use crate::error::Error;
use crate::event::{Block, Metadata};
use crate::pcap_writer::PcapWriter;
use crate::pcapng::writer::{Like, PcapngWriter};

/// Writes packets as pcap or pcapng.
#[derive(Debug)]
pub enum Writer<W: Write> {
    Pcap(PcapWriter<W>),
    Pcapng(Box<PcapngWriter<W>>),
}

impl<W: Write> Writer<W> {
    /// Adds a packet.
    ///
    /// # Errors
    /// When the stream cannot be written ([`Error::Io`]; its kind tells a broken pipe), or the
    /// file cannot hold such a packet.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        match self {
            Self::Pcap(pcap) => pcap.packet(packet),
            Self::Pcapng(pcapng) => pcapng.packet(packet),
        }
    }

    /// Adds a packet with all that its file says of it, where the format has a place for that.
    ///
    /// # Errors
    /// As [`Self::packet`].
    #[inline]
    pub fn copy(&mut self, packet: &Packet<'_>, metadata: &Metadata<'_>) -> Result<(), Error> {
        match self {
            Self::Pcap(pcap) => pcap.packet(packet),
            Self::Pcapng(pcapng) => pcapng.copy(packet, metadata),
        }
    }

    /// See [`PcapngWriter::like`]; classic files have none.
    pub fn like(&self, iface: &Iface) -> Option<Like> {
        match self {
            Self::Pcap(_) => None,
            Self::Pcapng(pcapng) => pcapng.like(iface),
        }
    }

    /// See [`PcapngWriter::repeat`].
    ///
    /// # Errors
    /// As [`Self::packet`].
    #[inline]
    pub fn repeat(
        &mut self,
        like: &Like,
        time: Timestamp,
        data: &[u8],
        orig_len: u32,
    ) -> Result<bool, Error> {
        match self {
            Self::Pcap(_) => Ok(false),
            Self::Pcapng(pcapng) => pcapng.repeat(like, time, data, orig_len),
        }
    }

    /// Adds a block that holds no packet, where the format has a place for it.
    ///
    /// # Errors
    /// As [`Self::packet`].
    pub fn block(&mut self, block: &Block<'_>) -> Result<(), Error> {
        match self {
            Self::Pcap(_) => Ok(()),
            Self::Pcapng(pcapng) => pcapng.block(block),
        }
    }

    /// Hands everything written so far to the stream and flushes it.
    ///
    /// # Errors
    /// When the stream cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        match self {
            Self::Pcap(pcap) => pcap.flush(),
            Self::Pcapng(pcapng) => pcapng.flush(),
        }
    }

    /// Ends the file: with each device's counters, where the format has a place for them.
    ///
    /// # Errors
    /// When the stream cannot be written.
    pub fn finish(&mut self, counters: &[(&Iface, Counters)]) -> Result<(), Error> {
        match self {
            Self::Pcap(pcap) => pcap.flush(),
            Self::Pcapng(pcapng) => pcapng.finish(counters),
        }
    }

    /// After a failure to write: how many bytes at the beginning of the stream are whole records.
    pub fn whole_bytes(&self) -> Option<u64> {
        match self {
            Self::Pcap(pcap) => pcap.whole_bytes(),
            Self::Pcapng(pcapng) => pcapng.whole_bytes(),
        }
    }

    /// After a failure to write: how many packets were added that the stream did not take.
    pub fn lost_packets(&self) -> u64 {
        match self {
            Self::Pcap(pcap) => pcap.lost_packets(),
            Self::Pcapng(pcapng) => pcapng.lost_packets(),
        }
    }

    /// Bytes of the file so far, those not yet handed to the stream included.
    pub fn bytes_written(&self) -> u64 {
        match self {
            Self::Pcap(pcap) => pcap.bytes_written(),
            Self::Pcapng(pcapng) => pcapng.bytes_written(),
        }
    }
}
