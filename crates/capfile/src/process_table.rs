//! The processes a file has told of, by the order of their blocks.
//!
//! Promises: bounded memory, newest kept. Packets name their process by the position of its
//! block in the section, so every block is counted, a bad one too.

use std::collections::VecDeque;
use std::sync::Arc;

use pktwho_packet::{Confidence, Owner, Process, ProcessId, ThreadName};
use rustc_hash::FxHashMap;

use crate::container_json;
use crate::limits::{MAX_PROCESS_BYTES_READ, MAX_PROCESSES_READ};
use crate::numbers::Numbers;

/// What names a process while a packet is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryId {
    /// The block of that number over the whole file, and the packet's word on the thread,
    /// which counts when the block has none.
    Block { number: u64, tid: u32 },
    /// No block: a packet that gives a pid and a thread id alone.
    Bare { pid: u32, tid: u32 },
    /// No block: words that stand with the packet itself.
    Noted(usize),
}

/// A process and, when known, the one that started it. Shared by the blocks of its threads.
#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) process: Process,
    pub(crate) parent: Option<Process>,
}

impl Family {
    /// About how many bytes it holds.
    fn size(&self) -> usize {
        let of = |process: &Process| {
            let args = process
                .args
                .iter()
                .map(|arg| arg.len() + size_of::<Vec<u8>>());
            let container = process.container.as_deref().map_or(0, container_json::size);
            let names = process.name.len() + process.exe.len();
            size_of::<Process>() + names + args.sum::<usize>() + container
        };
        of(&self.process) + self.parent.as_ref().map_or(0, of)
    }
}

/// One block: a process, and how its socket was used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    pub(crate) family: Arc<Family>,
    pub(crate) tid: u32,
    pub(crate) thread: ThreadName,
    pub(crate) uid: Option<u32>,
    pub(crate) confidence: Confidence,
    /// The block's body, little-endian, of a block that our own way of writing would not give
    /// back: another program's.
    pub(crate) raw: Option<Box<[u8]>>,
    /// Whether the block could be used; one that could not is counted all the same.
    pub(crate) known: bool,
    /// Whether an earlier block brought the family.
    pub(crate) shared: bool,
}

impl Entry {
    /// The owner; `tid` is the packet's word on the thread.
    pub(crate) fn owner(&self, tid: u32) -> Owner<'_> {
        Owner {
            process: &self.family.process,
            parent: self.family.parent.as_ref(),
            tid: if self.tid == 0 { tid } else { self.tid },
            thread: self.thread,
            uid: self.uid,
            confidence: self.confidence,
        }
    }

    /// About how many bytes it holds. A family counts where it came first; blocks that share
    /// it may outlive that one, but not by more blocks than are remembered anyway.
    fn size(&self) -> usize {
        let family = if self.shared { 0 } else { self.family.size() };
        let raw = self.raw.as_ref().map_or(0, |raw| raw.len());
        size_of::<Self>() + raw + family
    }
}

/// All processes that are still remembered.
#[derive(Debug, Default)]
pub(crate) struct ProcessTable {
    entries: VecDeque<Entry>,
    /// Number of the first of `entries`.
    first: u64,
    /// Number of the first block of the current section.
    section: u64,
    /// About how many bytes `entries` hold.
    bytes: usize,
    /// Processes without a block, by pid.
    bare: FxHashMap<u32, Process>,
    numbers: Numbers,
    /// What packets themselves say of processes.
    noted: Vec<Entry>,
    /// Places in `noted` by the words they were made of.
    by_words: FxHashMap<Box<[u8]>, usize>,
    noted_bytes: usize,
}

impl ProcessTable {
    /// Restarts the count, as every section header does.
    pub(crate) fn start_section(&mut self) {
        self.section = self.next_number();
        self.bare.clear();
    }

    pub(crate) fn new(numbers: Numbers) -> Self {
        Self {
            numbers,
            ..Self::default()
        }
    }

    /// A serial for a process.
    pub(crate) fn next_serial(&self) -> u64 {
        self.numbers.next_serial()
    }

    /// What the next block will be numbered.
    pub(crate) fn next_number(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// Adds the next block; forgets the oldest when there are too many.
    pub(crate) fn push(&mut self, entry: Entry) {
        self.bytes += entry.size();
        self.entries.push_back(entry);
        while self.entries.len() > MAX_PROCESSES_READ || self.bytes > MAX_PROCESS_BYTES_READ {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(oldest.size());
            self.first += 1;
        }
    }

    /// The block of that number over the whole file.
    pub(crate) fn get(&self, number: u64) -> Option<&Entry> {
        let position = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.entries.get(position).filter(|entry| entry.known)
    }

    /// The number over the whole file of a block that is known by its place in this section.
    pub(crate) fn number(&self, index: u32) -> Option<u64> {
        let number = self.section + u64::from(index);
        self.get(number).map(|_| number)
    }

    /// The process that a block of this section has told of, with its parent.
    pub(crate) fn family(&self, index: u32) -> Option<&Arc<Family>> {
        self.get(self.section + u64::from(index))
            .map(|entry| &entry.family)
    }

    /// The process of a block.
    pub(crate) fn process(&self, number: u64) -> Option<&Process> {
        self.get(number).map(|entry| &entry.family.process)
    }

    /// Remembers a process that is known by its pid alone.
    pub(crate) fn bare(&mut self, pid: u32, tid: u32) -> EntryId {
        if self.bare.len() >= MAX_PROCESSES_READ && !self.bare.contains_key(&pid) {
            self.bare.clear();
        }
        let numbers = &self.numbers;
        self.bare.entry(pid).or_insert_with(|| Process {
            id: ProcessId { pid, start: 0 },
            serial: numbers.next_serial(),
            ..Process::default()
        });
        EntryId::Bare { pid, tid }
    }

    /// The process that the words of a packet tell of; `make` reads words that are new.
    pub(crate) fn noted(
        &mut self,
        words: &[u8],
        make: impl FnOnce() -> Option<Entry>,
    ) -> Option<EntryId> {
        if let Some(&place) = self.by_words.get(words) {
            return Some(EntryId::Noted(place));
        }
        let mut entry = make()?;
        let mut family = std::mem::take(&mut entry.family);
        if let Some(family) = Arc::get_mut(&mut family) {
            family.process.serial = self.numbers.next_serial();
        }
        entry.family = family;
        self.noted_bytes += entry.size() + words.len();
        let full = self.noted.len() >= MAX_PROCESSES_READ;
        if full || self.noted_bytes > MAX_PROCESS_BYTES_READ {
            self.noted.clear();
            self.by_words.clear();
            self.noted_bytes = entry.size() + words.len();
        }
        let place = self.noted.len();
        self.by_words.insert(words.into(), place);
        self.noted.push(entry);
        Some(EntryId::Noted(place))
    }

    /// The owner that an id stands for.
    pub(crate) fn owner(&self, id: EntryId) -> Option<Owner<'_>> {
        match id {
            EntryId::Block { number, tid } => Some(self.get(number)?.owner(tid)),
            EntryId::Noted(place) => Some(self.noted.get(place)?.owner(0)),
            EntryId::Bare { pid, tid } => Some(Owner {
                process: self.bare.get(&pid)?,
                parent: None,
                tid,
                thread: ThreadName::default(),
                uid: None,
                confidence: Confidence::Exact,
            }),
        }
    }
}
