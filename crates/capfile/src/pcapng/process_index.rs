//! Which process blocks the section has so far, and the writing of new ones.
//!
//! Promises: a block stands before the first packet that refers to it; what was written last is
//! found again by comparing a few words; memory is bounded: see
//! [`MAX_PROCESSES_WRITTEN`](crate::limits::MAX_PROCESSES_WRITTEN).

use pktwho_packet::{Confidence, Owner};
use rustc_hash::FxHashMap;

use super::compose::{end_block, end_options, pad, start_block, write_option};
use super::{block, option};
use crate::limits::{MAX_PROCESS_BYTES_WRITTEN, MAX_PROCESSES_WRITTEN};
use crate::process_comment::{self, write_label};

/// Everything that tells one block from another: an [`Owner`] as plain words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    process: u64,
    /// Serial of the parent; all ones when its facts are not known.
    parent: u64,
    /// User id; all ones when unknown.
    uid: u64,
    /// Thread id, confidence.
    thread: u64,
    name: u128,
}

impl Key {
    #[inline]
    fn of(owner: &Owner<'_>) -> Self {
        let confidence: u64 = match owner.confidence {
            Confidence::Exact => 0,
            Confidence::Flow => 1,
            Confidence::Guess => 2,
        };
        Self {
            process: owner.process.serial,
            parent: owner.parent.map_or(u64::MAX, |parent| parent.serial),
            uid: owner.uid.map_or(u64::MAX, u64::from),
            thread: u64::from(owner.tid) | confidence << 32,
            name: owner.thread.bits(),
        }
    }

    /// What tells one first block of a process from another.
    fn family(&self) -> (u64, u64) {
        (self.process, self.parent)
    }
}

/// A block that was written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Written {
    /// Its number in the section.
    pub(crate) index: u32,
    /// Where its label lies among all labels.
    label_start: u32,
    label_end: u32,
}

/// Which end of a packet an owner is at: packets of one flow alternate little, so each end
/// remembers its last block.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Near,
    Far,
}

/// All blocks that are still remembered.
#[derive(Debug, Default)]
pub(crate) struct ProcessIndex {
    /// Number of the next block in the section.
    next: u32,
    blocks: FxHashMap<Key, Written>,
    /// First block of each process.
    families: FxHashMap<(u64, u64), u32>,
    labels: Vec<u8>,
    /// Bytes of the blocks since all were forgotten.
    bytes: usize,
    near: Option<(Key, Written)>,
    far: Option<(Key, Written)>,
    /// Blocks of other programs, by the serial of their process.
    raw: FxHashMap<u64, u32>,
    comment: Vec<u8>,
}

impl ProcessIndex {
    /// Forgets all blocks when there are too many. To be called before the blocks of a packet
    /// are asked for, so that both stay valid until it is written.
    #[inline]
    pub(crate) fn make_room(&mut self) {
        let blocks = self.blocks.len() + self.raw.len();
        if blocks >= MAX_PROCESSES_WRITTEN || self.bytes >= MAX_PROCESS_BYTES_WRITTEN {
            self.forget();
        }
    }

    /// The block of `owner`; appends it to `out` when the section does not have it yet.
    #[inline]
    pub(crate) fn block(&mut self, owner: &Owner<'_>, end: End, out: &mut Vec<u8>) -> Written {
        let key = Key::of(owner);
        let last = match end {
            End::Near => &self.near,
            End::Far => &self.far,
        };
        if let Some((last, written)) = last
            && *last == key
        {
            return *written;
        }
        let written = self.find(key, owner, out);
        match end {
            End::Near => self.near = Some((key, written)),
            End::Far => self.far = Some((key, written)),
        }
        written
    }

    fn find(&mut self, key: Key, owner: &Owner<'_>, out: &mut Vec<u8>) -> Written {
        match self.blocks.get(&key) {
            Some(written) => *written,
            None => self.write(key, owner, out),
        }
    }

    #[cold]
    fn write(&mut self, key: Key, owner: &Owner<'_>, out: &mut Vec<u8>) -> Written {
        let index = self.next;
        self.next = self.next.wrapping_add(1);
        let before = out.len();
        if let Some(&first) = self.families.get(&key.family()) {
            process_comment::of_use(&mut self.comment, owner, first);
        } else {
            self.families.insert(key.family(), index);
            process_comment::of_process(&mut self.comment, owner);
        }
        write_block(out, owner, &self.comment);
        self.bytes += out.len() - before;
        let label_start = self.labels.len();
        write_label(&mut self.labels, owner.process);
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let written = Written {
            index,
            label_start: place(label_start),
            label_end: place(self.labels.len()),
        };
        self.blocks.insert(key, written);
        written
    }

    /// The number of the block with this body, for the process of that serial; appends it to
    /// `out` when the section does not have it yet.
    pub(crate) fn raw(&mut self, serial: u64, body: &[u8], out: &mut Vec<u8>) -> u32 {
        if let Some(&index) = self.raw.get(&serial) {
            return index;
        }
        let index = self.next;
        self.next = self.next.wrapping_add(1);
        let start = start_block(out, block::PROCESS);
        out.extend_from_slice(body);
        pad(out, body.len());
        end_block(out, start);
        self.bytes += body.len();
        self.raw.insert(serial, index);
        index
    }

    /// The label of a block that was given since [`Self::make_room`].
    pub(crate) fn label(&self, written: Written) -> &[u8] {
        let range = written.label_start as usize..written.label_end as usize;
        self.labels.get(range).unwrap_or_default()
    }

    #[cold]
    fn forget(&mut self) {
        self.blocks.clear();
        self.families.clear();
        self.labels.clear();
        self.raw.clear();
        self.bytes = 0;
        self.near = None;
        self.far = None;
    }
}

/// Appends a process block. The name comes first, since Wireshark 4.6 stops reading at the
/// first option that it does not know.
fn write_block(out: &mut Vec<u8>, owner: &Owner<'_>, comment: &[u8]) {
    let start = start_block(out, block::PROCESS);
    out.extend_from_slice(&owner.process.id.pid.to_le_bytes());
    let name = String::from_utf8_lossy(&owner.process.name);
    write_option(out, option::PROCESS_NAME, name.as_bytes());
    if !comment.is_empty() {
        write_option(out, option::COMMENT, comment);
    }
    end_options(out);
    end_block(out, start);
}
