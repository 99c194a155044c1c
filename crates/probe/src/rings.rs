//! The reader's side of the rings: every CPU's records in one stream, in time order.
//!
//! Promises: a record is delivered once, in place, and its room is given back when the next
//! one is asked for; records come in the order of their times across CPUs; nothing blocks.
//!
//! Order without waiting: a snapshot first takes the time T, then looks at each ring. A ring
//! that is not busy then has published every record older than T. For a busy ring that holds
//! only for the last T at which it was not busy. The least of these is how far we may deliver.

mod ahead;
mod told;

use std::io;
use std::mem::offset_of;
use std::os::fd::BorrowedFd;

use pktwho_packet::{Confidence, NetnsId, OwnerFacts, ProcessId, ThreadName};
use zerocopy::FromBytes;

use crate::abi::{self, OwnerPair, OwnerRecord, PacketRecord, RING_HEADER, RingControl};
use crate::clock;
use crate::sys::Mapped;

pub use ahead::Waiting;
use told::Told;

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
    /// The owners that records told, and that of the record lent out last.
    told: Told,
    /// That record's size in bytes.
    lent: u64,
}

/// Who sends and who receives a packet, as far as the kernel side knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ends {
    pub sender: Option<OwnerFacts>,
    pub receiver: Option<OwnerFacts>,
}

impl Ends {
    fn of(pair: &OwnerPair) -> Self {
        Self {
            sender: owner_facts(&pair.sender),
            receiver: owner_facts(&pair.receiver),
        }
    }
}

/// A record, as long as it is lent out.
#[derive(Clone, Copy, Debug)]
pub struct Lent<'a> {
    pub record: &'a PacketRecord,
    pub ends: &'a Ends,
    /// Records with the same number have the same ends; never 0.
    pub ends_serial: u64,
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
    /// The ring whose record was lent out last.
    lent: Option<usize>,
}

impl Ring {
    /// Where in the mapping the record at this position lies.
    #[inline]
    fn place_of(&self, position: u64, ring_size: u64) -> usize {
        let offset = usize::try_from(position & (ring_size - 1)).unwrap_or(0);
        self.base + RING_HEADER as usize + offset
    }

    /// Looks what the record at `position` is, which must be below `head`.
    #[inline]
    fn look(&mut self, memory: &Mapped, ring_size: u64) {
        let next = record_at(memory, self.place_of(self.position, ring_size));
        (self.next_time, self.is_awaited) =
            next.map_or((0, false), |it| (it.time, it.awaited != 0));
    }

    /// Gives the room of all that was read back to the kernel side.
    fn release(&mut self, memory: &Mapped) {
        self.released = self.position;
        memory.store_u64(self.base + offset_of!(RingControl, tail), self.position);
    }
}

#[inline]
fn record_at(memory: &Mapped, at: usize) -> Option<&PacketRecord> {
    let head = memory.bytes(at, size_of::<PacketRecord>());
    PacketRecord::ref_from_prefix(head).ok().map(|read| read.0)
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
                told: Told::new(i),
                lent: 0,
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
                ring.look(&self.memory, self.ring_size);
            }
        }
        self.limit = if last { u64::MAX } else { limit };
    }

    /// Keeps back what is later than this (ns).
    pub fn hold(&mut self, time: u64) {
        self.limit = self.limit.min(time);
    }

    /// Whether an answer may tell who receives the ring's next packet.
    #[inline]
    pub fn is_awaited(&self, index: usize) -> bool {
        self.each.get(index).is_some_and(|ring| ring.is_awaited)
    }

    fn record(&self, index: usize) -> Option<&PacketRecord> {
        let ring = self.each.get(index)?;
        record_at(&self.memory, ring.place_of(ring.position, self.ring_size))
    }

    /// Time of the oldest record that may be delivered now, and its ring. The record lent out
    /// before is given back.
    #[inline]
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
    #[inline]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Lends out the next record of the ring that [`oldest`](Self::oldest) named.
    #[inline]
    pub fn lend(&mut self, index: usize) -> Option<Lent<'_>> {
        let ring = self.each.get_mut(index)?;
        let mut at = ring.place_of(ring.position, self.ring_size);
        let record = record_at(&self.memory, at)?;
        at += size_of::<PacketRecord>();
        if record.owners != 0 {
            ring.told.take(pair_at(&self.memory, at)?);
            at += size_of::<OwnerPair>();
        }
        ring.lent = u64::from(record.size);
        self.lent = Some(index);
        Some(Lent {
            record,
            ends: ring.told.ends(),
            ends_serial: ring.told.serial(),
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
    #[inline]
    fn give_back(&mut self) {
        let Some(index) = self.lent.take() else {
            return;
        };
        let Some(ring) = self.each.get_mut(index) else {
            return;
        };
        ring.position += ring.lent;
        if ring.position < ring.head {
            ring.look(&self.memory, self.ring_size);
            if ring.position - ring.released < self.ring_size / RELEASE_FRACTION {
                return;
            }
        }
        ring.release(&self.memory);
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

/// The owners that follow a record.
#[inline]
fn pair_at(memory: &Mapped, at: usize) -> Option<&OwnerPair> {
    let pair = memory.bytes(at, size_of::<OwnerPair>());
    OwnerPair::ref_from_prefix(pair).ok().map(|read| read.0)
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
