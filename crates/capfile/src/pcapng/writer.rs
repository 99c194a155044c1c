//! pcapng, written: one little-endian section, a description of each device before its first
//! packet, a block of each process before the first packet it owns, statistics at the end.
//!
//! A packet refers to the process at this end by option 0x8001, and, when both ends are local
//! and known, to the other by 0x8003; `epb_flags` tells which of them is the sender: inbound,
//! the process at this end receives. Such a packet also has the comment
//! `curl.4321 > nginx.812`. When only one end is known and it is the unexpected one, the comment
//! is `curl.4321 >` on an inbound packet and `> nginx.812` on any other. Option 8 repeats pid
//! and tid for other readers.
//!
//! tcpdump refuses files whose devices differ in link type or snapshot length, and several
//! devices of raw IP (libpcap 1.10.3 takes their link types for different). So the options have
//! one snapshot length for all, and can give all packets the same cooked header.
//!
//! Source: draft-ietf-opsawg-pcapng; what Wireshark 4.6 and Apple's tcpdump read.

use std::io::Write;

use pktwho_packet::{Direction, Iface, LinkType, Packet, Timestamp};

use super::compose::{end_block, end_options, pad, start_block, write_text};
use super::iface_write::{self, Common, nanoseconds};
use super::packet_options::{Ends, PacketOptions, Place};
use super::process_index::{End, ProcessIndex};
use super::{BYTE_ORDER_MAGIC, block, option};
use crate::counters::Counters;
use crate::error::Error;
use crate::limits::{MAX_IFACES, MAX_SNAPLEN};
use crate::output::{Output, Record};
use crate::sll2::Sll2;

/// What a pcapng file says of itself and all its devices; empty text is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PcapngOptions {
    /// The machine (`shb_hardware`).
    pub hardware: String,
    /// The operating system (`shb_os`, and `if_os` of each device).
    pub os: String,
    /// The program that writes (`shb_userappl`).
    pub application: String,
    /// Most bytes kept of a packet on any device; longer ones are cut. 0: each device's own.
    pub snaplen: u32,
    /// Whether every packet gets the header of `LINUX_SLL2` in place of its own.
    pub cooked: bool,
    /// The filter expression that packets passed (`if_filter`).
    pub filter: String,
    /// Whether each packet gets comments about its process, as ptcpdump writes them.
    pub comments: bool,
    /// What another file's section says of itself, from [`Reader::section`](crate::Reader::section),
    /// instead of hardware, system and program.
    pub section: Option<Vec<u8>>,
}

impl Default for PcapngOptions {
    fn default() -> Self {
        Self {
            hardware: String::new(),
            os: String::new(),
            application: String::new(),
            snaplen: MAX_SNAPLEN,
            cooked: false,
            filter: String::new(),
            comments: false,
            section: None,
        }
    }
}

/// A device as the file knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Its number in the section.
    pub(crate) id: u32,
    pub(crate) snaplen: usize,
    /// Whether it is described in the words of another file, with that one's unit of time.
    pub(crate) verbatim: bool,
}

/// A packet of a file, as far as others can be like it: its device, direction and owners. Only
/// good for the writer that gave it.
#[derive(Clone, Copy, Debug)]
pub struct Like {
    iface: Known,
    options: Place,
}

/// Writes packets and their owners as a pcapng file.
#[derive(Debug)]
pub struct PcapngWriter<W: Write> {
    pub(crate) output: Output<W>,
    options: PcapngOptions,
    /// By `Iface::id`.
    ifaces: Vec<Option<Known>>,
    /// Number of the next device in the section.
    next_iface: u32,
    pub(crate) processes: ProcessIndex,
    packet_options: PacketOptions,
    pub(crate) last_time: Timestamp,
}

impl<W: Write> PcapngWriter<W> {
    /// Starts a file; its header reaches the stream with the first packets or [`Self::flush`].
    pub fn new(sink: W, options: PcapngOptions) -> Self {
        let mut output = Output::new(sink, record);
        let out = output.buffer();
        let start = start_block(out, block::SECTION_HEADER);
        out.extend_from_slice(&BYTE_ORDER_MAGIC.to_le_bytes());
        // Version 1.0, length of the section unknown.
        out.extend_from_slice(&[1, 0, 0, 0]);
        out.extend_from_slice(&[0xff; 8]);
        if let Some(section) = &options.section {
            out.extend_from_slice(section);
        } else {
            write_text(out, option::SHB_HARDWARE, &options.hardware);
            write_text(out, option::SHB_OS, &options.os);
            write_text(out, option::SHB_APPLICATION, &options.application);
        }
        end_options(out);
        end_block(out, start);
        Self {
            output,
            options,
            ifaces: Vec::new(),
            next_iface: 0,
            processes: ProcessIndex::default(),
            packet_options: PacketOptions::default(),
            last_time: Timestamp::default(),
        }
    }

    /// Describes a device, unless the file already does. Packets do this by themselves.
    ///
    /// # Errors
    /// When there are more devices than a reader would accept.
    pub fn add(&mut self, iface: &Iface) -> Result<(), Error> {
        self.described(iface).map(|_| ())
    }

    #[inline]
    fn described(&mut self, iface: &Iface) -> Result<Known, Error> {
        match self.known(iface) {
            Some(known) => Ok(known),
            None => self.describe(iface, None),
        }
    }

    /// The device, if the file describes it.
    #[inline]
    pub(crate) fn known(&self, iface: &Iface) -> Option<Known> {
        self.ifaces.get(iface.id as usize).copied().flatten()
    }

    pub(crate) fn has_comments(&self) -> bool {
        self.options.comments
    }

    pub(crate) fn is_cooked(&self) -> bool {
        self.options.cooked
    }

    /// Describes a device, with another file's options if there are some.
    #[cold]
    pub(crate) fn describe(
        &mut self,
        iface: &Iface,
        verbatim: Option<&[u8]>,
    ) -> Result<Known, Error> {
        let position = iface.id as usize;
        if position >= MAX_IFACES {
            return Err(Error::TooManyInterfaces {
                maximum: MAX_IFACES,
            });
        }
        let snaplen = match self.options.snaplen {
            0 => iface.snaplen,
            // Another kind of header may be longer.
            snaplen if self.options.cooked => snaplen.max(iface.snaplen),
            _ if verbatim.is_some() => iface.snaplen,
            snaplen => snaplen,
        };
        let link_type = if self.options.cooked {
            LinkType::LINUX_SLL2
        } else {
            iface.link_type
        };
        let common = Common {
            link_type,
            snaplen,
            os: &self.options.os,
            filter: &self.options.filter,
        };
        // Options of the file's own unit of time are no longer true of cooked packets' times,
        // which are in nanoseconds.
        let verbatim = verbatim.filter(|_| !self.options.cooked);
        iface_write::description(self.output.buffer(), iface, &common, verbatim);
        let described = Known {
            id: self.next_iface,
            snaplen: crate::limits::effective_snaplen(snaplen, link_type) as usize,
            verbatim: verbatim.is_some(),
        };
        self.next_iface += 1;
        if self.ifaces.len() <= position {
            self.ifaces.resize(position + 1, None);
        }
        if let Some(place) = self.ifaces.get_mut(position) {
            *place = Some(described);
        }
        Ok(described)
    }

    /// Adds a packet, and before it what the file does not yet say of its device and owners.
    ///
    /// # Errors
    /// When the stream cannot be written, there are too many devices, or the packet cannot be
    /// cooked as the options ask.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        if self.options.cooked && packet.iface.link_type != LinkType::LINUX_SLL2 {
            return self.cooked(packet);
        }
        self.record(packet, [], packet.data, packet.orig_len)
    }

    fn cooked(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        let (header, payload, orig_len) = Sll2::cook(packet).ok_or(Error::LinkType {
            file: LinkType::LINUX_SLL2.0,
            packet: packet.iface.link_type.0,
        })?;
        self.record(packet, header, payload, orig_len)
    }

    /// Writes a packet whose bytes lie in two parts.
    #[inline]
    fn record<const N: usize>(
        &mut self,
        packet: &Packet<'_>,
        header: [u8; N],
        payload: &[u8],
        orig_len: u32,
    ) -> Result<(), Error> {
        let iface = self.described(packet.iface)?;
        let ends = self.ends(packet);
        self.last_time = packet.time;
        let comments = self.options.comments;
        let options = self
            .packet_options
            .of(packet, &ends, &self.processes, comments);
        let out = self.output.buffer();
        enhanced(
            out,
            iface,
            packet.time,
            header,
            (payload, orig_len),
            options,
        );
        Ok(self.output.end_record()?)
    }

    /// How the packet that was added last, from this device, can be had again.
    pub fn like(&self, iface: &Iface) -> Option<Like> {
        let iface = self.known(iface).filter(|_| !self.options.cooked)?;
        let options = self.packet_options.place();
        Some(Like { iface, options })
    }

    /// Adds a packet that is like another of this file but for its time and bytes. `false` when
    /// that one is no longer remembered, and this one is to be added in full.
    ///
    /// # Errors
    /// When the stream cannot be written.
    #[inline]
    pub fn repeat(
        &mut self,
        like: &Like,
        time: Timestamp,
        data: &[u8],
        orig_len: u32,
    ) -> Result<bool, Error> {
        let Some(options) = self.packet_options.at(like.options) else {
            return Ok(false);
        };
        self.last_time = time;
        let out = self.output.buffer();
        enhanced(out, like.iface, time, [], (data, orig_len), options);
        self.output.end_record()?;
        Ok(true)
    }

    /// Finds or writes the blocks of a packet's owners.
    #[inline]
    fn ends<'a>(&mut self, packet: &'a Packet<'a>) -> Ends<'a> {
        let (expected, other) = match packet.direction {
            Direction::In => (&packet.receiver, &packet.sender),
            Direction::Out | Direction::Unknown => (&packet.sender, &packet.receiver),
        };
        let (near, far) = match expected {
            Some(_) => (expected.as_ref(), other.as_ref()),
            None => (other.as_ref(), None),
        };
        let Some(near) = near else {
            return Ends::default();
        };
        self.processes.make_room();
        let out = self.output.buffer();
        let block = self.processes.block(near, End::Near, out);
        let far = far.map(|far| self.processes.block(far, End::Far, out));
        Ends {
            near: Some((near, block)),
            far,
            unexpected: expected.is_none(),
        }
    }

    /// Hands everything written so far to the stream and flushes it.
    ///
    /// # Errors
    /// When the stream cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        Ok(self.output.flush()?)
    }

    /// Ends the file with the counters of each device. Devices that had no packet are described
    /// too, so that the file says which were watched.
    ///
    /// # Errors
    /// When the stream cannot be written, or there are too many devices.
    pub fn finish(&mut self, counters: &[(&Iface, Counters)]) -> Result<(), Error> {
        for (iface, _) in counters {
            self.add(iface)?;
        }
        for (iface, counters) in counters {
            let id = self.described(iface)?.id;
            let time = counters.end.unwrap_or(self.last_time);
            iface_write::statistics(self.output.buffer(), id, counters, time);
        }
        self.flush()
    }

    /// After a failure to write: how many bytes at the beginning of the stream are whole blocks.
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

/// The block that these bytes begin with.
fn record(bytes: &[u8], _at_start: bool) -> Option<Record> {
    let kind: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    let length: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
    let kind = u32::from_le_bytes(kind);
    Some(Record {
        length: u32::from_le_bytes(length) as usize,
        is_packet: matches!(kind, block::ENHANCED_PACKET | block::SIMPLE_PACKET),
    })
}

/// Appends an enhanced packet block; `packet`: the bytes behind `header`, and the length of all
/// before it was cut.
#[inline]
fn enhanced<const N: usize>(
    out: &mut Vec<u8>,
    iface: Known,
    time: Timestamp,
    header: [u8; N],
    (payload, orig_len): (&[u8], u32),
    options: &[u8],
) {
    let header = header.get(..iface.snaplen).unwrap_or(&header);
    let payload = payload
        .get(..iface.snaplen - header.len())
        .unwrap_or(payload);
    let captured = header.len() + payload.len();
    let start = out.len();
    let fixed = packet_header(iface.id, nanoseconds(time), captured, orig_len);
    out.extend_from_slice(&fixed);
    if !header.is_empty() {
        out.extend_from_slice(header);
    }
    out.extend_from_slice(payload);
    pad(out, captured);
    out.extend_from_slice(options);
    end_block(out, start);
}

/// The fixed part of an enhanced packet block, but for its length.
#[inline]
pub(crate) fn packet_header(iface: u32, time: u64, captured: usize, orig_len: u32) -> [u8; 28] {
    let [b0, b1, b2, b3] = block::ENHANCED_PACKET.to_le_bytes();
    let [i0, i1, i2, i3] = iface.to_le_bytes();
    let [t0, t1, t2, t3, t4, t5, t6, t7] = time.to_le_bytes();
    let [c0, c1, c2, c3] = u32::try_from(captured).unwrap_or(u32::MAX).to_le_bytes();
    let [o0, o1, o2, o3] = orig_len.to_le_bytes();
    [
        b0, b1, b2, b3, 0, 0, 0, 0, i0, i1, i2, i3, t4, t5, t6, t7, t0, t1, t2, t3, c0, c1, c2, c3,
        o0, o1, o2, o3,
    ]
}
