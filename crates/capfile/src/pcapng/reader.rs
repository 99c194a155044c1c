//! Sections and blocks in file order; each block is checked whole before it is believed.
//!
//! Promises: a block's length is checked before its bytes are read; unknown blocks are passed
//! over. Limits and the words of errors are libpcap 1.10.3's, as seen through tcpdump; unlike
//! libpcap, devices may differ in link type and snapshot length, and sections in byte order.

use std::io::Read;
use std::ops::Range;

use pktwho_packet::{Direction, Reception, Timestamp, TimestampPrecision};

use super::iface_blocks::{self, Clock};
use super::options::Options;
use super::process_read::{self, Link};
use super::{BYTE_ORDER_MAGIC, block, little, option, packet_blocks};
use crate::bytes::{Endian, Fields};
use crate::counters::Counters;
use crate::error::Error;
use crate::input::Input;
use crate::limits::{MAX_BLOCK, MAX_IFACES, MAX_OPENING, MAX_SECTION_HEADER, max_block};
use crate::reader::Facts;
use crate::record::Record;

/// Type and total length of a block.
const BLOCK_HEADER: usize = 8;
/// A section header block without options.
const MIN_SECTION_HEADER: u32 = 28;
/// Of those, what tells that this is pcapng: type, length, byte order.
const SECTION_START: usize = 12;
/// Bytes of a section header's body before its options, and of an interface description's.
const SECTION_FIXED: usize = 16;
const IFACE_FIXED: usize = 8;

/// The state of the current section.
#[derive(Debug)]
pub(crate) struct PcapngReader {
    endian: Endian,
    /// Position of the section's first device among all devices of the file.
    first_iface: usize,
    /// Clocks of the section's devices.
    clocks: Vec<Clock>,
    /// Longest block accepted.
    max_block: u32,
    /// Of the file's first device.
    precision: TimestampPrecision,
}

/// A whole block that was taken from the input.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) block_type: u32,
    /// Where its body lies, without type, lengths and padding.
    pub(crate) body: Range<usize>,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Found {
    /// In the record that was given to be filled.
    Packet,
    Block(Block),
}

impl PcapngReader {
    /// Reads up to and including the first interface description.
    pub(crate) fn open<R: Read>(input: &mut Input<R>, facts: &mut Facts) -> Result<Self, Error> {
        let mut reader = Self {
            endian: Endian::Little,
            first_iface: 0,
            clocks: Vec::new(),
            max_block: MAX_BLOCK,
            precision: TimestampPrecision::Micro,
        };
        input.fill(SECTION_START)?;
        let start: Option<[u8; SECTION_START]> = input.peek_array();
        let Some([0x0a, 0x0d, 0x0d, 0x0a, _, _, _, _, magic @ ..]) = start else {
            return Err(Error::UnknownFormat);
        };
        byte_order(magic).ok_or(Error::UnknownFormat)?;
        while facts.ifaces.is_empty() {
            let block = reader.block(input)?.ok_or(Error::NoInterface)?;
            match block.block_type {
                block::PACKET | block::SIMPLE_PACKET | block::ENHANCED_PACKET => {
                    return Err(Error::PacketBeforeInterface);
                }
                _ => reader.other_block(&block, input, facts)?,
            }
            facts.keep_opening(block.block_type, input.get(block.body), reader.endian);
        }
        reader.precision = reader
            .clocks
            .first()
            .map_or(reader.precision, |clock| clock.precision());
        Ok(reader)
    }

    pub(crate) fn precision(&self) -> TimestampPrecision {
        self.precision
    }

    /// The next packet, put into `record`, or other block; `None` at a proper end.
    pub(crate) fn next<R: Read>(
        &mut self,
        input: &mut Input<R>,
        facts: &mut Facts,
        record: &mut Record,
    ) -> Result<Option<Found>, Error> {
        let Some(block) = self.block(input)? else {
            return Ok(None);
        };
        match block.block_type {
            block::PACKET | block::SIMPLE_PACKET | block::ENHANCED_PACKET => {
                *record = self.packet(&block, input, facts)?;
                Ok(Some(Found::Packet))
            }
            _ => {
                self.other_block(&block, input, facts)?;
                Ok(Some(Found::Block(block)))
            }
        }
    }

    pub(crate) fn endian(&self) -> Endian {
        self.endian
    }

    /// The position among the file's devices of the one that a block describes or counts for.
    pub(crate) fn iface_of(&self, block_type: u32, body: &[u8]) -> Option<usize> {
        match block_type {
            block::INTERFACE_DESCRIPTION => (self.first_iface + self.clocks.len()).checked_sub(1),
            block::INTERFACE_STATISTICS => {
                let id = iface_blocks::statistics_iface(body, self.endian)?;
                self.clocks.get(id as usize)?;
                Some(self.first_iface + id as usize)
            }
            _ => None,
        }
    }

    /// Takes the next block.
    fn block<R: Read>(&mut self, input: &mut Input<R>) -> Result<Option<Block>, Error> {
        let got = input.fill(BLOCK_HEADER)?;
        if got == 0 {
            return Ok(None);
        }
        let Some([type0, type1, type2, type3, length @ ..]) = input.peek_array::<BLOCK_HEADER>()
        else {
            return Err(Error::TruncatedBlock {
                wanted: BLOCK_HEADER,
                got,
            });
        };
        let block_type = self.endian.u32([type0, type1, type2, type3]);
        if block_type == block::SECTION_HEADER {
            return self.section_header(input).map(Some);
        }
        let length = self.endian.u32(length);
        self.check_length(length)?;
        let whole = length as usize;
        let got = input.fill(whole)?;
        if got < whole {
            return Err(Error::TruncatedBlock {
                wanted: whole - BLOCK_HEADER,
                got: got.saturating_sub(BLOCK_HEADER),
            });
        }
        let range = input.take(whole);
        let body = range.start + BLOCK_HEADER..range.end - 4;
        let trailer = Fields::new(input.get(body.end..range.end), self.endian).u32();
        match trailer {
            Some(trailer) if trailer == length => Ok(Some(Block { block_type, body })),
            trailer => Err(Error::BlockTrailer {
                header: length,
                trailer: trailer.unwrap_or(0),
            }),
        }
    }

    fn check_length(&self, length: u32) -> Result<(), Error> {
        if length < 12 {
            Err(Error::BlockLength { length })
        } else if !length.is_multiple_of(4) {
            Err(Error::BlockAlignment { length })
        } else if length > self.max_block {
            Err(Error::BlockSize {
                length,
                maximum: self.max_block,
            })
        } else {
            Ok(())
        }
    }

    /// Takes a section header, in whichever byte order it is. compat: libpcap checks neither
    /// its alignment nor its trailing length.
    fn section_header<R: Read>(&mut self, input: &mut Input<R>) -> Result<Block, Error> {
        let got = input.fill(SECTION_START)?;
        let Some([_, _, _, _, l0, l1, l2, l3, magic @ ..]) = input.peek_array::<SECTION_START>()
        else {
            return Err(Error::TruncatedBlock {
                wanted: SECTION_START - BLOCK_HEADER,
                got: got.saturating_sub(BLOCK_HEADER),
            });
        };
        let endian = byte_order(magic).ok_or(Error::ByteOrder)?;
        let length = endian.u32([l0, l1, l2, l3]);
        if !(MIN_SECTION_HEADER..=MAX_SECTION_HEADER).contains(&length) {
            return Err(Error::SectionLength { length });
        }
        let whole = length as usize;
        let got = input.fill(whole)?;
        if got < whole {
            let fixed = MIN_SECTION_HEADER as usize;
            let (wanted, before) = if got < fixed {
                (fixed - SECTION_START, SECTION_START)
            } else {
                (whole - fixed, fixed)
            };
            return Err(Error::TruncatedBlock {
                wanted,
                got: got.saturating_sub(before),
            });
        }
        self.endian = endian;
        let range = input.take(whole);
        Ok(Block {
            block_type: block::SECTION_HEADER,
            body: range.start + BLOCK_HEADER..range.end - 4,
        })
    }

    /// Learns from a block that holds no packet.
    fn other_block<R: Read>(
        &mut self,
        block: &Block,
        input: &Input<R>,
        facts: &mut Facts,
    ) -> Result<(), Error> {
        let body = input.get(block.body.clone());
        match block.block_type {
            block::SECTION_HEADER => self.start_section(body, facts),
            block::INTERFACE_DESCRIPTION => self.add_iface(body, facts),
            block::INTERFACE_STATISTICS => {
                self.add_statistics(body, facts);
                Ok(())
            }
            block::PROCESS => {
                process_read::learn(body, self.endian, &mut facts.processes);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn start_section(&mut self, body: &[u8], facts: &mut Facts) -> Result<(), Error> {
        let mut fields = Fields::new(body, self.endian);
        let (Some(_magic), Some(major), Some(minor)) = (fields.u32(), fields.u16(), fields.u16())
        else {
            return Err(Error::BlockShort {
                block_type: block::SECTION_HEADER,
            });
        };
        // Version 1.2 was written by mistake and means 1.0.
        if major != 1 || !matches!(minor, 0 | 2) {
            return Err(Error::Version {
                format: "pcapng",
                major,
                minor,
            });
        }
        if facts.section.is_none() {
            let options = body.get(SECTION_FIXED..).unwrap_or_default();
            let mut section = Vec::new();
            if options.len() <= MAX_OPENING {
                let of = block::SECTION_HEADER;
                little::write_options(&mut section, of, options, self.endian);
            }
            facts.section = Some(section);
        }
        self.first_iface = facts.ifaces.len();
        self.clocks.clear();
        facts.processes.start_section();
        Ok(())
    }

    fn add_iface(&mut self, body: &[u8], facts: &mut Facts) -> Result<(), Error> {
        if facts.ifaces.len() >= MAX_IFACES {
            return Err(Error::TooManyInterfaces {
                maximum: MAX_IFACES,
            });
        }
        let (mut iface, clock) = iface_blocks::description(body, self.endian)?;
        iface.id = facts.numbers.next_iface();
        let options = body.get(IFACE_FIXED..).unwrap_or_default();
        facts.describe(options, self.endian);
        self.max_block = self.max_block.max(max_block(iface.link_type));
        facts.ifaces.push(iface);
        facts.counters.push(Counters::default());
        self.clocks.push(clock);
        Ok(())
    }

    fn add_statistics(&self, body: &[u8], facts: &mut Facts) {
        let Some(id) = iface_blocks::statistics_iface(body, self.endian) else {
            return;
        };
        let (Some(&clock), Some(counters)) = (
            self.clocks.get(id as usize),
            facts.counters.get_mut(self.first_iface + id as usize),
        ) else {
            return;
        };
        *counters = iface_blocks::statistics(body, self.endian, clock);
    }

    fn packet<R: Read>(
        &self,
        block: &Block,
        input: &Input<R>,
        facts: &mut Facts,
    ) -> Result<Record, Error> {
        let body = input.get(block.body.clone());
        let mut header = packet_blocks::header(block.block_type, body, self.endian)?;
        let id = header.iface;
        let unknown = || Error::UnknownInterface { id };
        let iface = self.first_iface + id as usize;
        let clock = self.clocks.get(id as usize).ok_or_else(unknown)?;
        let snaplen = facts.ifaces.get(iface).ok_or_else(unknown)?.snaplen;
        if block.block_type == block::SIMPLE_PACKET {
            header.captured = header.captured.min(snaplen);
        }
        if header.captured > snaplen {
            return Err(Error::LongerThanSnaplen {
                length: header.captured,
                snaplen,
            });
        }
        let (data, option_bytes) = packet_blocks::contents(block.block_type, &header, body)?;
        let base = block.body.start;
        let mut record = Record {
            time: header
                .time
                .map_or_else(Timestamp::default, |count| clock.time(count)),
            iface,
            options: base + option_bytes.start..base + option_bytes.end,
            count: header.time.unwrap_or(0),
            form: header.form,
            process: None,
            other: None,
            data: base + data.start..base + data.end,
            orig_len: header.orig_len,
            direction: Direction::Unknown,
            reception: Reception::Unspecified,
            sender: None,
            receiver: None,
        };
        let bytes = body.get(option_bytes).unwrap_or_default();
        self.packet_options(bytes, &mut record, facts);
        Ok(record)
    }

    /// Learns direction and processes from a packet's options.
    fn packet_options(&self, options: &[u8], record: &mut Record, facts: &mut Facts) {
        let mut link = Link::default();
        for raw in Options::new(options, self.endian) {
            if raw.code != option::PACKET_FLAGS {
                link.note(raw, self.endian);
            } else if let Some(word) = raw.u32(self.endian) {
                (record.direction, record.reception) = packet_blocks::flags(word);
            }
        }
        link.resolve(record, &mut facts.processes, (options, self.endian));
    }
}

fn byte_order(magic: [u8; 4]) -> Option<Endian> {
    [Endian::Little, Endian::Big]
        .into_iter()
        .find(|endian| endian.u32(magic) == BYTE_ORDER_MAGIC)
}
