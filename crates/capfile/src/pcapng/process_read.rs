//! Process blocks and the options that tie packets to them, read.
//!
//! Source: the layout that Apple's tcpdump writes and Wireshark reads; comments and the meaning
//! of a second process as in [`crate::process_comment`].

use std::sync::Arc;

use pktwho_packet::{Direction, Process, ProcessId};

use super::options::{Options, RawOption};
use super::{block, little, option, packet_comments};
use crate::bytes::{Endian, Fields};
use crate::process_comment::{self, Parsed, plain_entry, write_label};
use crate::process_table::{Entry, EntryId, ProcessTable};
use crate::record::Record;

/// Learns from a process block's body. A block that makes no sense is counted and left unknown.
pub(crate) fn learn(body: &[u8], endian: Endian, table: &mut ProcessTable) {
    let entry = entry(body, endian, table).unwrap_or_default();
    table.push(entry);
}

fn entry(body: &[u8], endian: Endian, table: &ProcessTable) -> Option<Entry> {
    let mut fields = Fields::new(body, endian);
    let pid = fields.u32()?;
    let mut name = None;
    let mut parsed = None;
    // Whether another program has added something.
    let mut foreign = false;
    for option in Options::new(fields.rest(), endian) {
        match option.code {
            option::PROCESS_NAME => name = Some(until_nul(option.value)),
            option::COMMENT if parsed.is_none() => {
                parsed = process_comment::parse(option.value, pid);
                foreign |= parsed.is_none();
            }
            _ => foreign = true,
        }
    }
    let serial = table.next_serial();
    let raw = || {
        let mut raw = Vec::new();
        little::write_body(&mut raw, block::PROCESS, body, endian);
        Some(raw.into_boxed_slice())
    };
    // A block that refers to another by its number would refer to a wrong one elsewhere.
    let refers = parsed.as_ref().is_some_and(|parsed| parsed.of.is_some());
    if let Some(mut entry) = parsed.and_then(|parsed| known(parsed, serial, table)) {
        if foreign && !refers {
            entry.raw = raw();
        }
        return Some(entry);
    }
    let mut entry = plain_entry(Process {
        id: ProcessId { pid, start: 0 },
        serial,
        name: name.unwrap_or_default().to_vec(),
        ..Process::default()
    });
    if !refers {
        entry.raw = raw();
    }
    Some(entry)
}

fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// The entry of a block with a comment of ours; `None` when it refers to a block of another
/// process, or one that is forgotten.
fn known(parsed: Parsed, serial: u64, table: &ProcessTable) -> Option<Entry> {
    let Parsed {
        mut entry,
        mut family,
        of,
    } = parsed;
    entry.family = if let Some(first) = of {
        let same = table.family(first)?;
        if same.process.id.pid != family.process.id.pid {
            return None;
        }
        Arc::clone(same)
    } else {
        family.process.serial = serial;
        Arc::new(family)
    };
    entry.known = true;
    entry.shared = of.is_some();
    Some(entry)
}

/// What one packet's options say of processes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Link<'a> {
    /// Position in the section of the block of the process at this end.
    process: Option<u32>,
    /// The same for the other end, or for something else Apple means by it.
    other: Option<u32>,
    /// Process id and thread id.
    ids: Option<(u32, u32)>,
    comment: Option<&'a [u8]>,
    /// A comment that tells of a process in the words of another program.
    told: bool,
}

impl<'a> Link<'a> {
    /// Takes note of an option that is about processes; those of a wrong length say nothing.
    pub(crate) fn note(&mut self, option: RawOption<'a>, endian: Endian) {
        match option.code {
            option::PACKET_PROCESS_INDEX => self.process = option.u32(endian),
            option::PACKET_OTHER_INDEX => self.other = option.u32(endian),
            option::PACKET_PROCESS => {
                let mut fields = Fields::new(option.value, endian);
                self.ids = fields.u32().zip(fields.u32());
            }
            option::COMMENT => {
                self.told |= packet_comments::is_one(option.value);
                self.comment.get_or_insert(option.value);
            }
            _ => {}
        }
    }

    /// Sets the ends of a packet whose direction is known by now.
    /// `options` are all of the packet's.
    pub(crate) fn resolve(
        self,
        record: &mut Record,
        table: &mut ProcessTable,
        options: (&[u8], Endian),
    ) {
        let inbound = record.direction == Direction::In;
        let near = match (self.process.and_then(|index| table.number(index)), self.ids) {
            (Some(number), ids) => {
                let pid = table.process(number).map(|process| process.id.pid);
                let tid = ids
                    .filter(|&(id, _)| Some(id) == pid)
                    .map_or(0, |(_, tid)| tid);
                Some(EntryId::Block { number, tid })
            }
            (None, Some((pid, tid))) if self.process.is_none() => Some(table.bare(pid, tid)),
            (None, _) => None,
        };
        let near = near.or_else(|| {
            let (bytes, endian) = options;
            let read = || packet_comments::read(bytes, endian);
            self.told.then(|| table.noted(bytes, read)).flatten()
        });
        let far = self.other.and_then(|index| table.number(index));
        record.process = self.process.and_then(|index| table.number(index));
        record.other = far;
        let far = far.filter(|&far| self.names_both(near, far, inbound, table));
        let far = far.map(|number| EntryId::Block { number, tid: 0 });
        let swap = far.is_none() && self.names_one(near, inbound, table);
        (record.sender, record.receiver) = if inbound == swap {
            (near, far)
        } else {
            (far, near)
        };
    }

    /// Whether the comment says `sender > receiver` with just these processes. Without it the
    /// second process is what Apple calls the effective one, which is no end of the packet.
    fn names_both(
        &self,
        near: Option<EntryId>,
        far: u64,
        inbound: bool,
        table: &ProcessTable,
    ) -> bool {
        let Some((EntryId::Block { number: near, .. }, comment)) = near.zip(self.comment) else {
            return false;
        };
        let (sender, receiver) = if inbound { (far, near) } else { (near, far) };
        let (Some(sender), Some(receiver)) = (table.process(sender), table.process(receiver))
        else {
            return false;
        };
        let mut expected = Vec::new();
        write_label(&mut expected, sender);
        expected.extend_from_slice(b" > ");
        write_label(&mut expected, receiver);
        comment == expected
    }

    /// Whether the comment says that the one process is at the end where it is not expected:
    /// `sender >` inbound, `> receiver` otherwise.
    fn names_one(&self, near: Option<EntryId>, inbound: bool, table: &ProcessTable) -> bool {
        let Some((EntryId::Block { number, .. }, comment)) = near.zip(self.comment) else {
            return false;
        };
        let label = if inbound {
            comment.strip_suffix(b" >")
        } else {
            comment.strip_prefix(b"> ")
        };
        let (Some(label), Some(process)) = (label, table.process(number)) else {
            return false;
        };
        let mut expected = Vec::new();
        write_label(&mut expected, process);
        label == expected
    }
}
