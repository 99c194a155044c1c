//! Looking at records before they are delivered.

use super::{Ends, Ring, Rings, pair_at, record_at};
use crate::abi::{OwnerPair, PacketRecord};

/// A record that is still to be delivered.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    pub record: &'a PacketRecord,
    pub ends: Ends,
    /// The packet's bytes.
    pub data: &'a [u8],
}

/// What waits in one ring, in the order of its records.
#[derive(Debug)]
struct Ahead<'a> {
    rings: &'a Rings,
    ring: &'a Ring,
    position: u64,
    /// The owners of the record before.
    ends: Ends,
}

impl<'a> Iterator for Ahead<'a> {
    type Item = Waiting<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.position >= self.ring.head {
            return None;
        }
        let memory = &self.rings.memory;
        let mut at = self.ring.place_of(self.position, self.rings.ring_size);
        let record = record_at(memory, at)?;
        at += size_of::<PacketRecord>();
        if record.owners != 0 {
            self.ends = Ends::of(pair_at(memory, at)?);
            at += size_of::<OwnerPair>();
        }
        self.position += u64::from(record.size.max(8));
        Some(Waiting {
            record,
            ends: self.ends,
            data: memory.bytes(at, record.cap_len as usize),
        })
    }
}

impl Rings {
    /// The next record of a ring that has one.
    pub fn next(&self, index: usize) -> Option<Waiting<'_>> {
        self.ahead(index)?.next()
    }

    /// Records of this snapshot that are younger than `time`, ring by ring, at most `most` of each.
    pub fn younger(&self, time: u64, most: usize) -> impl Iterator<Item = Waiting<'_>> {
        let rings = self.active.iter().filter_map(|&index| self.ahead(index));
        rings
            .flat_map(move |ring| ring.take(most))
            .filter(move |waiting| waiting.record.time > time)
    }

    /// Whether a quarter of some ring waits.
    pub fn are_filling(&self) -> bool {
        self.queued() >= self.ring_size / 4
    }

    fn ahead(&self, index: usize) -> Option<Ahead<'_>> {
        let ring = self.each.get(index)?;
        Some(Ahead {
            rings: self,
            ring,
            position: ring.position,
            ends: *ring.told.ends(),
        })
    }
}
