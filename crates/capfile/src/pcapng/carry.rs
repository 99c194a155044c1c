//! Packets and blocks of another pcapng file, carried over with all that is said of them.
//!
//! Promises: options stay as they are, known or not, but for the numbers of process blocks,
//! which are this file's; times keep the unit of their device. A process block comes before the
//! first packet that refers to it, and only if one does.

use std::io::Write;

use pktwho_packet::{Iface, Owner, Packet};

use super::compose::{
    end_block, end_options, pad, start_block, write_option as write_value, write_u32_option,
};
use super::options::Options;
use super::process_index::End;
use super::writer::{PcapngWriter, packet_header};
use super::{block, little, option, packet_comments};
use crate::error::Error;
use crate::event::{Block, Described, Form, Metadata};
use crate::process_table::Entry;

impl<W: Write> PcapngWriter<W> {
    /// Adds a packet with all that its file says of it. One of a classic file is written as by
    /// [`Self::packet`], and so is one whose device came with too much to keep.
    ///
    /// # Errors
    /// As [`Self::packet`].
    pub fn copy(&mut self, packet: &Packet<'_>, metadata: &Metadata<'_>) -> Result<(), Error> {
        let Some(source) = metadata.described.filter(|_| !self.is_cooked()) else {
            return self.packet(packet);
        };
        let iface = self.carried(packet.iface, source)?;
        if !iface.verbatim {
            return self.packet(packet);
        }
        self.last_time = packet.time;
        let (process, other) = self.carry_processes(metadata);
        let comments = self.has_comments();
        let data = packet.data.get(..iface.snaplen).unwrap_or(packet.data);
        let out = self.output.buffer();
        let start = out.len();
        let is_whole = data.len() == iface.snaplen.min(packet.orig_len as usize);
        if metadata.form == Form::Simple && iface.id == 0 && is_whole {
            start_block(out, block::SIMPLE_PACKET);
            out.extend_from_slice(&packet.orig_len.to_le_bytes());
        } else {
            let fixed = packet_header(iface.id, metadata.count, data.len(), packet.orig_len);
            out.extend_from_slice(&fixed);
        }
        out.extend_from_slice(data);
        pad(out, data.len());
        let owner = packet.owner().filter(|_| comments);
        write_options(out, metadata, (process, other), owner.as_ref());
        end_block(out, start);
        Ok(self.output.end_record()?)
    }

    /// Finds or writes the process blocks that a packet's options refer to.
    fn carry_processes(&mut self, metadata: &Metadata<'_>) -> (Option<u32>, Option<u32>) {
        if metadata.process.is_none() {
            // compat: Wireshark 4.6 takes a second process without a first for process 0.
            return (None, None);
        }
        self.processes.make_room();
        let out = self.output.buffer();
        let processes = &mut self.processes;
        let mut carry = |entry: &Entry, end| match &entry.raw {
            Some(raw) => processes.raw(entry.family.process.serial, raw, out),
            None => processes.block(&entry.owner(0), end, out).index,
        };
        let process = metadata.process.map(|entry| carry(entry, End::Near));
        let other = metadata.other.map(|entry| carry(entry, End::Far));
        (process, other)
    }

    /// Adds a block that holds no packet. Sections and processes are not among them: this file
    /// has one section, and processes come with their packets.
    ///
    /// # Errors
    /// When the stream cannot be written, or there are too many devices.
    pub fn block(&mut self, from: &Block<'_>) -> Result<(), Error> {
        match from.kind {
            block::SECTION_HEADER | block::PROCESS => return Ok(()),
            block::INTERFACE_DESCRIPTION => {
                if let Some((iface, described)) = from.iface {
                    self.carried(iface, described)?;
                }
            }
            block::INTERFACE_STATISTICS => {
                let Some((iface, described)) = from.iface else {
                    return Ok(());
                };
                let id = self.carried(iface, described)?.id;
                let out = self.output.buffer();
                let start = start_block(out, from.kind);
                let body = out.len();
                little::write_body(out, from.kind, from.body, from.endian);
                if let Some(field) = out.get_mut(body..body + 4) {
                    field.copy_from_slice(&id.to_le_bytes());
                }
                end_block(out, start);
            }
            other => {
                let out = self.output.buffer();
                let start = start_block(out, other);
                little::write_body(out, other, from.body, from.endian);
                end_block(out, start);
            }
        }
        Ok(self.output.end_record()?)
    }

    /// The device as this file knows it; describes it in the words of its own file.
    #[inline]
    fn carried(
        &mut self,
        iface: &Iface,
        source: &Described,
    ) -> Result<super::writer::Known, Error> {
        match self.known(iface) {
            Some(known) => Ok(known),
            None => self.describe(iface, source.options.as_deref()),
        }
    }
}

#[inline]
fn write_options(
    out: &mut Vec<u8>,
    metadata: &Metadata<'_>,
    (process, other): (Option<u32>, Option<u32>),
    comments_on: Option<&Owner<'_>>,
) {
    let before = out.len();
    let mut commented = false;
    let endian = metadata.endian;
    for raw in Options::new(metadata.options, endian) {
        let index = match raw.code {
            option::PACKET_PROCESS_INDEX => process,
            option::PACKET_OTHER_INDEX => other,
            _ => {
                commented |= raw.code == option::COMMENT && packet_comments::is_one(raw.value);
                little::write_option(out, block::ENHANCED_PACKET, raw, endian);
                continue;
            }
        };
        if let Some(index) = index {
            write_u32_option(out, raw.code, index);
        }
    }
    if let Form::Obsolete { drops: Some(drops) } = metadata.form {
        let drops = u64::from(drops).to_le_bytes();
        write_value(out, option::PACKET_DROPS, &drops);
    }
    if let Some(owner) = comments_on.filter(|_| !commented && metadata.form != Form::Simple) {
        packet_comments::write(out, owner);
    }
    if out.len() > before {
        end_options(out);
    }
}
