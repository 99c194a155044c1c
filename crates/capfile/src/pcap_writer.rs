//! Classic pcap, written: one link type, no owners, no device names.
//!
//! Promises: little-endian on every host; packets are cut to the snapshot length. Source:
//! draft-ietf-opsawg-pcap.

use std::io::Write;

use pktwho_packet::{LinkType, Packet, Timestamp, TimestampPrecision};

use crate::error::Error;
use crate::limits::MAX_SNAPLEN;
use crate::output::{Output, Record};
use crate::sll2::Sll2;

const MAGIC_MICRO: u32 = 0xa1b2_c3d4;
const MAGIC_NANO: u32 = 0xa1b2_3c4d;
const VERSION_MAJOR: u16 = 2;
const VERSION_MINOR: u16 = 4;

/// What a classic file says of all its packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PcapOptions {
    /// Ethernet and raw packets may be written to a file of type `LINUX_SLL2`: they get its
    /// header. Any other difference is refused.
    pub link_type: LinkType,
    /// Most bytes kept of a packet; longer ones are cut. 0 means [`MAX_SNAPLEN`].
    pub snaplen: u32,
    pub precision: TimestampPrecision,
}

impl Default for PcapOptions {
    fn default() -> Self {
        Self {
            link_type: LinkType::ETHERNET,
            snaplen: MAX_SNAPLEN,
            precision: TimestampPrecision::Micro,
        }
    }
}

/// Writes packets as a classic pcap file.
#[derive(Debug)]
pub struct PcapWriter<W: Write> {
    output: Output<W>,
    options: PcapOptions,
}

impl<W: Write> PcapWriter<W> {
    /// Starts a file; its header reaches the stream with the first packets or [`Self::flush`].
    pub fn new(sink: W, mut options: PcapOptions) -> Self {
        if options.snaplen == 0 {
            options.snaplen = MAX_SNAPLEN;
        }
        let mut output = Output::new(sink, record);
        let magic = match options.precision {
            TimestampPrecision::Micro => MAGIC_MICRO,
            TimestampPrecision::Nano => MAGIC_NANO,
        };
        let buffer = output.buffer();
        buffer.extend_from_slice(&magic.to_le_bytes());
        buffer.extend_from_slice(&VERSION_MAJOR.to_le_bytes());
        buffer.extend_from_slice(&VERSION_MINOR.to_le_bytes());
        // Time zone and accuracy, always 0.
        buffer.extend_from_slice(&[0; 8]);
        buffer.extend_from_slice(&options.snaplen.to_le_bytes());
        buffer.extend_from_slice(&u32::from(options.link_type.0).to_le_bytes());
        Self { output, options }
    }

    /// Adds a packet.
    ///
    /// # Errors
    /// When the stream cannot be written, or the packet's link type does not fit the file's.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        let link_type = packet.iface.link_type;
        if link_type == self.options.link_type {
            self.record(packet.time, &[], packet.data, packet.orig_len)
        } else {
            self.cooked(packet)
        }
    }

    fn cooked(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        let cooked = match self.options.link_type {
            LinkType::LINUX_SLL2 => Sll2::cook(packet),
            _ => None,
        };
        let (header, payload, orig_len) = cooked.ok_or(Error::LinkType {
            file: self.options.link_type.0,
            packet: packet.iface.link_type.0,
        })?;
        self.record(packet.time, &header, payload, orig_len)
    }

    /// Writes a packet that lies in two parts.
    #[inline]
    fn record(
        &mut self,
        time: Timestamp,
        header: &[u8],
        payload: &[u8],
        orig_len: u32,
    ) -> Result<(), Error> {
        let snaplen = self.options.snaplen as usize;
        let header = header.get(..snaplen).unwrap_or(header);
        let payload = payload.get(..snaplen - header.len()).unwrap_or(payload);
        let captured = u32::try_from(header.len() + payload.len()).unwrap_or(u32::MAX);
        let [s0, s1, s2, s3] = seconds(time).to_le_bytes();
        let [f0, f1, f2, f3] = self.fraction(time).to_le_bytes();
        let [c0, c1, c2, c3] = captured.to_le_bytes();
        let [o0, o1, o2, o3] = orig_len.to_le_bytes();
        let buffer = self.output.buffer();
        buffer.extend_from_slice(&[
            s0, s1, s2, s3, f0, f1, f2, f3, c0, c1, c2, c3, o0, o1, o2, o3,
        ]);
        buffer.extend_from_slice(header);
        buffer.extend_from_slice(payload);
        Ok(self.output.end_record()?)
    }

    /// The part of a second, which a damaged file may have made larger than fits.
    #[inline]
    fn fraction(&self, time: Timestamp) -> u32 {
        let fraction = match self.options.precision {
            TimestampPrecision::Micro => time.micros(),
            TimestampPrecision::Nano => time.nanos,
        };
        u32::try_from(fraction).unwrap_or(u32::MAX)
    }

    /// Hands everything written so far to the stream and flushes it.
    ///
    /// # Errors
    /// When the stream cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        Ok(self.output.flush()?)
    }

    /// After a failure to write: how many bytes at the beginning of the stream are whole records.
    pub fn whole_bytes(&self) -> Option<u64> {
        self.output.whole()
    }

    /// After a failure to write: how many packets were added that the stream did not take.
    pub fn lost_packets(&self) -> u64 {
        self.output.lost()
    }

    /// Bytes of the file so far.
    pub fn bytes_written(&self) -> u64 {
        self.output.len()
    }
}

/// The record that these bytes begin with, or the file header.
fn record(bytes: &[u8], at_start: bool) -> Option<Record> {
    if at_start {
        return Some(Record {
            length: 24,
            is_packet: false,
        });
    }
    let captured: [u8; 4] = bytes.get(8..12)?.try_into().ok()?;
    Some(Record {
        length: 16 + u32::from_le_bytes(captured) as usize,
        is_packet: true,
    })
}

/// Seconds as the format stores them: 1970 to 2106, what lies outside at the nearer end.
fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.secs.max(0)).unwrap_or(u32::MAX)
}
