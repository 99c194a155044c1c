//! The reader's side of the rings: every CPU's records in one stream, in time order.
//!
//! Promises: a record is delivered once, in place, and its room is given back when the next
//! one is asked for; records come in the order of their times across CPUs; nothing blocks.
//!
//! Order without waiting: a snapshot first takes the time T, then looks at each ring. A ring
//! that is not busy then has published every record older than T. For a busy ring that holds
//! only for the last T at which it was not busy. The least of these is how far we may deliver.

mod ahead;

use std::io;
use std::mem::offset_of;
use std::os::fd::BorrowedFd;

use pktwho_packet::{Confidence, NetnsId, OwnerFacts, ProcessId, ThreadName};
use zerocopy::FromBytes;

use crate::abi::{self, OwnerPair, OwnerRecord, PacketRecord, RING_HEADER, RingControl};
use crate::clock;
use crate::sys::Mapped;

pub use ahead::Waiting;

/// A store may be seen by another CPU this much later than its clock reading suggests (ns).
const STORE_DELAY: u64 = 10_000;
/// The room of read records is given back in steps of this fraction of a ring.
const RELEASE_FRACTION: u64 = 16;

/// Counters of all rings together.
#[derive(Clone, Copy, Debug, Default)]
pub struct RingCounts {
    pub stored: u64,
    pub full: u64,
    pub busy: u64,
    pub unreadable: u64,
}

#[derive(Debug)]
struct Ring {
    /// Where the control page lies in the mapping.
    base: usize,
    /// Read so far, and so far published by the last snapshot (bytes ever).
    position: u64,
    head: u64,
    released: u64,
    /// Time of the record at `position`; only valid when `position < head`.
    next_time: u64,
    /// Whether an answer may tell who receives that packet.
    is_awaited: bool,
    /// Every record older than this has been published.
    complete: u64,
    /// The owners of the record lent out last.
    ends: Ends,
}

/// Who sends and who receives a packet, as far as the kernel side knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ends {
    pub sender: Option<OwnerFacts>,
    pub receiver: Option<OwnerFacts>,
}

/// A record, as long as it is lent out.
#[derive(Clone, Copy, Debug)]
pub struct Lent<'a> {
    pub record: &'a PacketRecord,
    pub ends: &'a Ends,
    /// The packet's bytes.
    pub data: &'a [u8],
}

#[derive(Debug)]
pub struct Rings {
    memory: Mapped,
    ring_size: u64,
    each: Vec<Ring>,
    /// Indices of rings that have records in this snapshot.
    active: Vec<usize>,
    /// No record younger than this may be delivered yet.
    limit: u64,
    /// The ring whose record was lent out last, and that record's size.
    lent: Option<(usize, u64)>,
}

impl Rings {
    /// `stride`: bytes from one ring's control page to the next one's.
    pub fn new(
        map: BorrowedFd<'_>,
        count: usize,
        ring_size: u32,
        stride: usize,
    ) -> io::Result<Self> {
        let memory = Mapped::new(map, 0, count * stride, true)?;
        let now = clock::monotonic();
        let rings = (0..count)
            .map(|i| Ring {
                base: i * stride,
                position: 0,
                head: 0,
                released: 0,
                next_time: 0,
                is_awaited: false,
                complete: now,
                ends: Ends::default(),
            })
            .collect();
        Ok(Self {
            memory,
            ring_size: u64::from(ring_size),
            each: rings,
            active: Vec::new(),
            limit: 0,
            lent: None,
        })
    }

    /// Looks what has been published. `last`: nothing is written any more, deliver all.
    pub fn snapshot(&mut self, last: bool) {
        self.give_back();
        let now = clock::monotonic();
        let safe = now.saturating_sub(STORE_DELAY);
        let mut limit = u64::MAX;
        self.active.clear();
        for (index, ring) in self.each.iter_mut().enumerate() {
            let control = ring.base;
            if self
                .memory
                .load_u32(control + offset_of!(RingControl, busy))
                == 0
            {
                ring.complete = safe;
            }
            limit = limit.min(ring.complete);
            ring.head = self
                .memory
                .load_u64(control + offset_of!(RingControl, head));
            if ring.position < ring.head {
                self.active.push(index);
            }
        }
        self.limit = if last { u64::MAX } else { limit };
        for i in 0..self.active.len() {
            if let Some(&index) = self.active.get(i) {
                self.load_next_time(index);
            }
        }
    }

    /// Keeps back what is later than this (ns).
    pub fn hold(&mut self, time: u64) {
        self.limit = self.limit.min(time);
    }

    fn load_next_time(&mut self, index: usize) {
        let next = self.record(index);
        let (time, is_awaited) = next.map_or((0, false), |it| (it.time, it.awaited != 0));
        if let Some(ring) = self.each.get_mut(index) {
            ring.next_time = time;
            ring.is_awaited = is_awaited;
        }
    }

    /// Whether an answer may tell who receives the ring's next packet.
    pub fn is_awaited(&self, index: usize) -> bool {
        self.each.get(index).is_some_and(|ring| ring.is_awaited)
    }

    /// Where the record at a ring's position lies, which must be below its head.
    fn at(&self, ring: &Ring) -> usize {
        self.place_of(ring, ring.position)
    }

    fn place_of(&self, ring: &Ring, position: u64) -> usize {
        let offset = usize::try_from(position & (self.ring_size - 1)).unwrap_or(0);
        ring.base + RING_HEADER as usize + offset
    }

    fn record(&self, index: usize) -> Option<&PacketRecord> {
        let at = self.at(self.each.get(index)?);
        let head = self.memory.bytes(at, size_of::<PacketRecord>());
        PacketRecord::ref_from_prefix(head).ok().map(|read| read.0)
    }

    /// Time of the oldest record that may be delivered now, and its ring. The record lent out
    /// before is given back.
    pub fn oldest(&mut self) -> Option<(u64, usize)> {
        self.give_back();
        let (time, index) = match self.active.as_slice() {
            [index] => {
                let ring = self
                    .each
                    .get(*index)
                    .filter(|ring| ring.position < ring.head)?;
                (ring.next_time, *index)
            }
            active => active
                .iter()
                .filter_map(|&index| {
                    let ring = self.each.get(index)?;
                    (ring.position < ring.head).then_some((ring.next_time, index))
                })
                .min()?,
        };
        (time <= self.limit).then_some((time, index))
    }

    /// Up to this time (ns) the snapshot is complete.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Lends out the next record of the ring that [`oldest`](Self::oldest) named.
    pub fn lend(&mut self, index: usize) -> Option<Lent<'_>> {
        let mut at = self.at(self.each.get(index)?) + size_of::<PacketRecord>();
        let (size, owners) = self.record(index).map(|it| (it.size, it.owners))?;
        if owners != 0 {
            let pair = self.memory.bytes(at, size_of::<OwnerPair>());
            let (pair, _) = OwnerPair::ref_from_prefix(pair).ok()?;
            let ends = Ends {
                sender: owner_facts(&pair.sender),
                receiver: owner_facts(&pair.receiver),
            };
            self.each.get_mut(index)?.ends = ends;
            at += size_of::<OwnerPair>();
        }
        self.lent = Some((index, u64::from(size)));
        let record = self.record(index)?;
        Some(Lent {
            record,
            ends: &self.each.get(index)?.ends,
            data: self.memory.bytes(at, record.cap_len as usize),
        })
    }

    /// Namespace and index of the device of the ring's next packet.
    pub fn place(&self, index: usize) -> Option<(NetnsId, u32)> {
        let record = self.record(index)?;
        Some((NetnsId(record.netns), record.ifindex))
    }

    /// Passes over the ring's next record.
    pub fn pass(&mut self, index: usize) {
        let _ = self.lend(index);
    }

    /// Moves past the record lent out last.
    fn give_back(&mut self) {
        let Some((index, size)) = self.lent.take() else {
            return;
        };
        let step = self.ring_size / RELEASE_FRACTION;
        let Some(ring) = self.each.get_mut(index) else {
            return;
        };
        ring.position += size;
        if ring.position >= ring.head || ring.position - ring.released >= step {
            ring.released = ring.position;
            self.memory
                .store_u64(ring.base + offset_of!(RingControl, tail), ring.position);
        }
        if ring.position < ring.head {
            self.load_next_time(index);
        }
    }

    pub fn counts(&self) -> RingCounts {
        let mut counts = RingCounts::default();
        for ring in &self.each {
            let load = |offset| self.memory.load_u64(ring.base + offset);
            counts.stored += load(offset_of!(RingControl, stored));
            counts.full += load(offset_of!(RingControl, lost_full));
            counts.busy += load(offset_of!(RingControl, lost_busy));
            counts.unreadable += load(offset_of!(RingControl, lost_unreadable));
        }
        counts
    }

    /// Whether some CPU is writing a record at this moment.
    pub fn any_busy(&self) -> bool {
        self.each.iter().any(|ring| {
            self.memory
                .load_u32(ring.base + offset_of!(RingControl, busy))
                != 0
        })
    }

    /// Bytes that wait in the fullest ring.
    pub fn queued(&self) -> u64 {
        let queued = |ring: &Ring| {
            let head = self
                .memory
                .load_u64(ring.base + offset_of!(RingControl, head));
            head.saturating_sub(ring.position)
        };
        self.each.iter().map(queued).max().unwrap_or(0)
    }
}

fn owner_facts(record: &OwnerRecord) -> Option<OwnerFacts> {
    let confidence = match record.sure {
        abi::SURE_NOT => return None,
        abi::SURE_EXACT => Confidence::Exact,
        abi::SURE_FLOW => Confidence::Flow,
        _ => Confidence::Guess,
    };
    Some(OwnerFacts {
        process: ProcessId {
            pid: record.pid,
            start: record.start,
        },
        tid: record.tid,
        uid: record.uid,
        thread: ThreadName::padded(record.thread),
        confidence,
    })
}
