//! The BPF ring buffer of process events, which is also the doorbell of the packet rings.
//!
//! Source: the layout of BPF ring buffers (Documentation/bpf/ringbuf.rst): a consumer page, a
//! producer page, and the data mapped twice in a row, so that records never wrap.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use pktwho_packet::{ProcessChange, ProcessEvent, ProcessId};
use zerocopy::FromBytes;

use crate::abi::{
    EventRecord, KIND_EXEC, KIND_EXISTING, KIND_EXIT, KIND_FORK, KIND_MOVED, KIND_NEW_CGROUP,
    KIND_RENAME, trimmed,
};
use crate::sys::Mapped;

const BUSY: u32 = 1 << 31;
const DISCARD: u32 = 1 << 30;
const HEADER: usize = 8;

/// The process event at the start of these bytes and its size; `None` for what is none.
pub fn parse(bytes: &[u8]) -> Option<(ProcessEvent<'_>, usize)> {
    let (record, text) = EventRecord::ref_from_prefix(bytes).ok()?;
    let change = match record.kind {
        KIND_EXISTING => ProcessChange::Existing,
        KIND_FORK => ProcessChange::Fork,
        KIND_EXEC => ProcessChange::Exec,
        KIND_RENAME => ProcessChange::Rename,
        KIND_EXIT => ProcessChange::Exit,
        KIND_MOVED => ProcessChange::Moved,
        KIND_NEW_CGROUP => ProcessChange::NewCgroup,
        _ => return None,
    };
    let (exe, rest) = text.split_at_checked(record.exe_len.into())?;
    let args = rest.get(..record.args_len.into())?;
    let (args, cgroup_path) = match change {
        ProcessChange::Moved | ProcessChange::NewCgroup => (&[][..], trimmed(args)),
        _ => (args, &[][..]),
    };
    let event = ProcessEvent {
        change,
        time: record.time,
        process: ProcessId {
            pid: record.pid,
            start: record.start,
        },
        parent: ProcessId {
            pid: record.parent_pid,
            start: record.parent_start,
        },
        uid: record.uid,
        name: trimmed(&record.name),
        exe: trimmed(exe),
        args,
        args_cut: record.args_cut != 0,
        cgroup: record.cgroup,
        cgroup_path,
    };
    Some((event, record.size as usize))
}

#[derive(Debug)]
pub struct Events {
    map: OwnedFd,
    consumer: Mapped,
    producer: Mapped,
    /// Bytes of the data area, a power of two.
    size: usize,
    page: usize,
    position: u64,
    /// What had been published at the last snapshot.
    end: u64,
    lent: u64,
}

impl Events {
    pub fn new(map: BorrowedFd<'_>, size: usize) -> io::Result<Self> {
        let page = rustix::param::page_size();
        Ok(Self {
            consumer: Mapped::new(map, 0, page, true)?,
            producer: Mapped::new(map, page as u64, page + 2 * size, false)?,
            map: map.try_clone_to_owned()?,
            size,
            page,
            position: 0,
            end: 0,
            lent: 0,
        })
    }

    /// Readable when the doorbell has been rung.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }

    /// Looks what has been published.
    pub fn snapshot(&mut self) {
        self.end = self.producer.load_u64(0);
    }

    fn give_back(&mut self) {
        if self.lent > 0 {
            self.position += std::mem::take(&mut self.lent);
            self.consumer.store_u64(0, self.position);
        }
    }

    /// Skips doorbells and what is no event; the bytes of the next event, if one is complete.
    fn peek(&mut self) -> Option<(usize, usize, u64)> {
        self.give_back();
        loop {
            if self.position >= self.end {
                return None;
            }
            let offset = usize::try_from(self.position).ok()? & (self.size - 1);
            let header = self.producer.load_u32(self.page + offset);
            if header & BUSY != 0 {
                return None;
            }
            let len = (header & !DISCARD) as usize;
            let start = self.page + offset + HEADER;
            let room = (HEADER + len).next_multiple_of(8) as u64;
            if header & DISCARD == 0 && parse(self.producer.bytes(start, len)).is_some() {
                return Some((start, len, room));
            }
            self.lent = room;
            self.give_back();
        }
    }

    /// The event at or behind a position (0: the next one), where it is, and the position behind it.
    /// Nothing is given back.
    pub fn ahead(&self, position: u64) -> Option<(u64, ProcessEvent<'_>, u64)> {
        let mut at = position.max(self.position + self.lent);
        while at < self.end {
            let offset = usize::try_from(at).ok()? & (self.size - 1);
            let header = self.producer.load_u32(self.page + offset);
            if header & BUSY != 0 {
                break;
            }
            let len = (header & !DISCARD) as usize;
            let start = self.page + offset + HEADER;
            let behind = at + (HEADER + len).next_multiple_of(8) as u64;
            if header & DISCARD == 0
                && let Some((event, _)) = parse(self.producer.bytes(start, len))
            {
                return Some((at, event, behind));
            }
            at = behind;
        }
        None
    }

    /// Time of the next event.
    #[inline]
    pub fn next_time(&mut self) -> Option<u64> {
        if self.lent == 0 && self.position >= self.end {
            return None;
        }
        self.peek_time()
    }

    fn peek_time(&mut self) -> Option<u64> {
        let (start, len, _) = self.peek()?;
        parse(self.producer.bytes(start, len)).map(|(event, _)| event.time)
    }

    /// The next event; its room is given back by the next call.
    pub fn next_event(&mut self) -> Option<ProcessEvent<'_>> {
        let (start, len, room) = self.peek()?;
        self.lent = room;
        parse(self.producer.bytes(start, len)).map(|(event, _)| event)
    }
}
