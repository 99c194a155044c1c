//! The first sequence numbers of TCP connections, from which relative ones are counted.
//!
//! Bounded: two generations of at most [`GENERATION`] connections each. When the young one is
//! full, the old one is forgotten; a connection that is seen again becomes young. So at least
//! the last [`GENERATION`] connections with traffic are always known.

use std::collections::HashMap;
use std::net::IpAddr;

use rustc_hash::FxBuildHasher;

/// Connections kept per generation (about 6 MiB in all).
const GENERATION: usize = 32768;

/// One end of a connection.
pub(crate) type End = (IpAddr, u16);

/// What a connection's numbers are learnt from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) src: End,
    pub(crate) dst: End,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) syn: bool,
}

/// What a segment's numbers are counted from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origins<T> {
    /// Its sequence number.
    pub(crate) seq: T,
    /// Its acknowledgement.
    pub(crate) ack: T,
    /// The acknowledgements in its SACK blocks.
    pub(crate) peer: T,
}

/// Sequence numbers of the two directions: of the lower end, of the higher end.
type Initial = (u32, u32);

#[derive(Debug, Default)]
pub(crate) struct Flows {
    young: HashMap<(End, End), Initial, FxBuildHasher>,
    old: HashMap<(End, End), Initial, FxBuildHasher>,
}

impl Flows {
    /// What the numbers of a segment that has ACK are counted from: those of the connection's
    /// first such segment; nothing when this one is the first, or a SYN (which starts anew).
    pub(crate) fn origins(&mut self, segment: &Segment) -> Origins<u32> {
        let &Segment {
            src,
            dst,
            seq,
            ack,
            syn,
        } = segment;
        let forward = src <= dst;
        let key = if forward { (src, dst) } else { (dst, src) };
        let known = self.young.get(&key).copied().or_else(|| {
            let initial = self.old.remove(&key)?;
            self.insert(key, initial);
            Some(initial)
        });
        match known.filter(|_| !syn) {
            Some((low, high)) => {
                let (own, other) = if forward { (low, high) } else { (high, low) };
                Origins {
                    seq: own,
                    ack: other,
                    peer: other,
                }
            }
            None => {
                // The peer's number before the one that is acknowledged, so that the next ack is 1.
                let other = ack.wrapping_sub(1);
                self.insert(key, if forward { (seq, other) } else { (other, seq) });
                Origins {
                    seq: 0,
                    ack: 0,
                    peer: other,
                }
            }
        }
    }

    fn insert(&mut self, key: (End, End), initial: Initial) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, initial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    /// Sequence number and acknowledgement as they are shown, and the peer's origin.
    fn relative(
        flows: &mut Flows,
        src: End,
        dst: End,
        (seq, ack): (u32, u32),
        syn: bool,
    ) -> (u32, u32, u32) {
        let origins = flows.origins(&Segment {
            src,
            dst,
            seq,
            ack,
            syn,
        });
        (seq - origins.seq, ack - origins.ack, origins.peer)
    }

    fn end(n: u32) -> End {
        (IpAddr::V4(Ipv4Addr::from(n)), 80)
    }

    #[test]
    fn counts_from_the_syn_in_both_directions() {
        let mut flows = Flows::default();
        assert_eq!(
            relative(&mut flows, end(2), end(1), (500, 101), true),
            (500, 101, 100)
        );
        assert_eq!(
            relative(&mut flows, end(1), end(2), (101, 501), false),
            (1, 1, 500)
        );
        assert_eq!(
            relative(&mut flows, end(2), end(1), (501, 111), false),
            (1, 11, 100)
        );
    }

    #[test]
    fn is_bounded_and_keeps_what_is_used() {
        let mut flows = Flows::default();
        relative(&mut flows, end(1), end(2), (500, 101), true);
        for n in 0..4 * u32::try_from(GENERATION).unwrap() {
            relative(&mut flows, end(10 + n), end(3), (1, 1), false);
            if n % 1000 == 0 {
                assert_eq!(relative(&mut flows, end(1), end(2), (501, 111), false).0, 1);
            }
        }
        assert!(flows.young.len() <= GENERATION && flows.old.len() <= GENERATION);
    }
}
