//! The owners that a ring's records tell: a record that tells none has those of the one before.
//!
//! Packets of few flows alternate, so the last few pairs are remembered with their numbers.

use super::Ends;
use crate::abi::OwnerPair;

/// How many pairs each ring remembers.
const REMEMBERED: usize = 4;

#[derive(Clone, Copy, Debug)]
struct Known {
    /// As the kernel side wrote it; none before there was one.
    pair: Option<OwnerPair>,
    ends: Ends,
    serial: u64,
}

#[derive(Debug)]
pub(super) struct Told {
    known: [Known; REMEMBERED],
    /// Which of them the last record has.
    current: Known,
    /// Where the next new one goes.
    next: usize,
    /// The number of the newest; those of two rings are never the same.
    newest: u64,
}

/// How many rings there may be.
const RINGS_MAX: u64 = 1 << 16;

impl Told {
    /// `ring`: its place among all, which tells numbers of different rings apart.
    pub(super) fn new(ring: usize) -> Self {
        let serial = ring as u64 % RINGS_MAX + 1;
        let nobody = Known {
            pair: None,
            ends: Ends::default(),
            serial,
        };
        Self {
            known: [nobody; REMEMBERED],
            current: nobody,
            next: 0,
            newest: serial,
        }
    }

    /// A record tells these owners.
    pub(super) fn take(&mut self, pair: &OwnerPair) {
        let mut known = self.known.iter();
        if let Some(known) = known.find(|known| known.pair.as_ref() == Some(pair)) {
            self.current = *known;
            return;
        }
        self.newest += RINGS_MAX;
        self.current = Known {
            pair: Some(*pair),
            ends: Ends::of(pair),
            serial: self.newest,
        };
        if let Some(place) = self.known.get_mut(self.next) {
            *place = self.current;
        }
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// Who is at the ends of the last record.
    #[inline]
    pub(super) fn ends(&self) -> &Ends {
        &self.current.ends
    }

    /// The number of those; never 0.
    #[inline]
    pub(super) fn serial(&self) -> u64 {
        self.current.serial
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{OwnerRecord, SURE_EXACT};

    fn pair(pid: u32) -> OwnerPair {
        OwnerPair {
            sender: OwnerRecord {
                pid,
                sure: SURE_EXACT,
                ..OwnerRecord::default()
            },
            ..OwnerPair::default()
        }
    }

    /// The number of the ends after a record that tells this sender, who must be told right.
    fn take(told: &mut Told, pid: u32) -> u64 {
        told.take(&pair(pid));
        let sender = told.ends().sender.unwrap();
        assert_eq!(sender.process.pid, pid);
        told.serial()
    }

    #[test]
    fn the_same_owners_have_the_same_number() {
        let (mut one, mut other) = (Told::new(0), Told::new(1));
        assert!(one.ends().sender.is_none());
        assert_ne!(one.serial(), other.serial());
        let mut first = Vec::new();
        for pid in 1..=4 {
            first.push(take(&mut one, pid));
        }
        for pid in [4, 1, 3, 2, 2, 1] {
            assert_eq!(take(&mut one, pid), first[pid as usize - 1]);
        }
        let fifth = take(&mut one, 5);
        assert!(!first.contains(&fifth));
        // Of five the first has been forgotten, and gets another number.
        assert_ne!(take(&mut one, 1), first[0]);
        assert!(!first.contains(&take(&mut other, 1)));
        assert_ne!(take(&mut other, 1), one.serial());
    }
}
