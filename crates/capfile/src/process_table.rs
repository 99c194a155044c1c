//! The processes a file has told of, by the order of their blocks.
//!
//! Promises: bounded memory, newest kept. Packets name their process by the position of its
//! block in the section, so every block is counted, a bad one too.

use std::collections::VecDeque;
use std::sync::Arc;

use pktwho_packet::{Confidence, Owner, Process};

use crate::limits::{MAX_PROCESS_BYTES_READ, MAX_PROCESSES_READ};

/// A block's number over the whole file (the count of the section is an offset into it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryId(u64);

/// A process and, when known, the one that started it. Shared by the blocks of its threads.
#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) process: Process,
    pub(crate) parent: Option<Process>,
}

/// One block: a process, and how its socket was used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    pub(crate) family: Arc<Family>,
    pub(crate) tid: u32,
    pub(crate) thread: Vec<u8>,
    pub(crate) uid: Option<u32>,
    pub(crate) confidence: Confidence,
    /// Whether the block could be used: a packet may point at one that could not.
    pub(crate) known: bool,
}

/// All blocks that are still remembered.
#[derive(Debug, Default)]
pub(crate) struct ProcessTable {
    entries: VecDeque<Entry>,
    /// Number of the first of `entries`.
    first: u64,
    /// Number of the first block of the current section.
    section: u64,
    /// Estimate of the bytes that `entries` hold.
    bytes: usize,
}

impl ProcessTable {
    /// Restarts the count, as every section header does.
    pub(crate) fn start_section(&mut self) {
        self.section = self.next();
    }

    fn next(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    pub(crate) fn get(&self, id: EntryId) -> Option<&Entry> {
        let position = usize::try_from(id.0.checked_sub(self.first)?).ok()?;
        self.entries.get(position)
    }

    /// The block of that number in this section.
    pub(crate) fn by_index(&self, index: u32) -> Option<EntryId> {
        let id = EntryId(self.section + u64::from(index));
        self.get(id).filter(|entry| entry.known).map(|_| id)
    }

    pub(crate) fn owner(&self, id: EntryId) -> Option<Owner<'_>> {
        let entry = self.get(id).filter(|entry| entry.known)?;
        Some(Owner {
            process: &entry.family.process,
            parent: entry.family.parent.as_ref(),
            tid: entry.tid,
            thread: &entry.thread,
            uid: entry.uid,
            confidence: entry.confidence,
        })
    }
}
