//! The bytes of one direction of a connection in their order, from segments that come late,
//! twice, in overlapping pieces, cut, or never.

use std::collections::VecDeque;

/// Segments that wait for others that should have come before them.
const WAITING_MAX: usize = 512;
/// Bytes that they may hold together.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// A segment that far ahead belongs to something else.
const AHEAD_MAX: u32 = 1 << 26;
/// Missing bytes that the peer acknowledges were received, and so will not come any more, unless
/// the capture has packets out of order. So many acknowledgements prove it, over so long a time in
/// nanoseconds.
const PROOFS: u8 = 3;
const PROOF_TIME: i128 = 20_000_000;

/// What comes next in the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    Data(&'a [u8]),
    /// So many bytes were never seen.
    Lost(u64),
}

/// Takes the pieces of a stream in their order.
pub type Each<'a> = &'a mut dyn FnMut(Piece<'_>);

/// A segment that came too early.
#[derive(Debug)]
struct Waiting {
    seq: u32,
    data: Vec<u8>,
    /// Bytes of the segment behind `data` that were not captured.
    cut: u32,
}

impl Waiting {
    fn len(&self) -> u32 {
        u32::try_from(self.data.len())
            .unwrap_or(u32::MAX)
            .saturating_add(self.cut)
    }
}

/// Puts one direction in order. Its memory is bounded.
#[derive(Debug, Default)]
pub struct Stream {
    /// The sequence number of the byte that comes next.
    next: Option<u32>,
    /// In the order of their numbers.
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// How often the peer acknowledged what is missing, and when first.
    proofs: u8,
    proven_since: i128,
}

impl Stream {
    /// The stream's first byte has this number.
    pub fn begin(&mut self, seq: u32) {
        *self = Self {
            next: Some(seq),
            ..Self::default()
        };
    }

    /// The number of the byte that comes next.
    pub fn next(&self) -> Option<u32> {
        self.next
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes a segment; `cut` bytes behind `data` were not captured. What it makes complete is
    /// handed to `each`.
    pub fn segment(&mut self, seq: u32, data: &[u8], cut: u32, each: Each<'_>) {
        let next = *self.next.get_or_insert(seq);
        let ahead = seq.wrapping_sub(next);
        if ahead == 0 || ahead > u32::MAX / 2 {
            self.deliver(seq, data, cut, each);
        } else if ahead < AHEAD_MAX {
            self.keep(seq, data, cut);
        }
        self.drain(each);
        while self.waiting.len() > WAITING_MAX || self.bytes > WAITING_BYTES_MAX {
            self.give_up(each);
        }
    }

    /// The peer has received everything before `ack`, it says at the time `now` in nanoseconds.
    pub fn acknowledged(&mut self, ack: u32, now: i128, each: Each<'_>) {
        let (Some(next), Some(_)) = (self.next, self.waiting.front()) else {
            return;
        };
        let past = ack.wrapping_sub(next);
        if past == 0 || past > AHEAD_MAX {
            return;
        }
        if self.proofs == 0 {
            self.proven_since = now;
        }
        self.proofs = self.proofs.saturating_add(1);
        if self.proofs >= PROOFS && now - self.proven_since >= PROOF_TIME {
            self.give_up(each);
        }
    }

    /// No more segments will come.
    pub fn end(&mut self, each: Each<'_>) {
        while !self.waiting.is_empty() {
            self.give_up(each);
        }
    }

    /// Hands on what of a segment is new.
    fn deliver(&mut self, seq: u32, data: &[u8], cut: u32, each: Each<'_>) {
        let Some(next) = self.next else { return };
        let old = next.wrapping_sub(seq);
        let len = u32::try_from(data.len()).unwrap_or(u32::MAX);
        if old >= len.saturating_add(cut) {
            return;
        }
        let fresh = usize::try_from(old).ok().and_then(|old| data.get(old..));
        let fresh = fresh.unwrap_or_default();
        let cut = cut.min(len.saturating_add(cut) - old);
        self.next = Some(seq.wrapping_add(len).wrapping_add(cut));
        self.proofs = 0;
        if !fresh.is_empty() {
            each(Piece::Data(fresh));
        }
        if cut > 0 {
            each(Piece::Lost(cut.into()));
        }
    }

    /// Keeps a segment for later, unless one that is kept has all of it.
    fn keep(&mut self, seq: u32, data: &[u8], cut: u32) {
        let Some(next) = self.next else { return };
        let ahead = |of: u32| of.wrapping_sub(next);
        let at = self
            .waiting
            .partition_point(|other| ahead(other.seq) < ahead(seq));
        let len = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let covers = |other: &Waiting| {
            other.seq == seq && other.len() >= len && other.data.len() >= data.len()
        };
        if (data.is_empty() && cut == 0) || self.waiting.get(at).is_some_and(covers) {
            return;
        }
        self.bytes += data.len();
        let data = data.to_vec();
        self.waiting.insert(at, Waiting { seq, data, cut });
    }

    /// Hands on what waits no longer.
    fn drain(&mut self, each: Each<'_>) {
        while let (Some(next), Some(first)) = (self.next, self.waiting.front()) {
            let ahead = first.seq.wrapping_sub(next);
            if ahead != 0 && ahead <= u32::MAX / 2 {
                return;
            }
            if let Some(first) = self.waiting.pop_front() {
                self.bytes -= first.data.len();
                self.deliver(first.seq, &first.data, first.cut, each);
            }
        }
    }

    /// Takes what is missing before the first segment that waits for lost.
    fn give_up(&mut self, each: Each<'_>) {
        let (Some(next), Some(first)) = (self.next, self.waiting.front()) else {
            return;
        };
        let lost = first.seq.wrapping_sub(next);
        self.next = Some(first.seq);
        self.proofs = 0;
        if lost > 0 {
            each(Piece::Lost(lost.into()));
        }
        self.drain(each);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What came out, a hole as so many zeros.
    fn collect(out: &mut Vec<u8>) -> impl FnMut(Piece<'_>) {
        |piece| match piece {
            Piece::Data(data) => out.extend_from_slice(data),
            Piece::Lost(count) => out.resize(out.len() + usize::try_from(count).unwrap(), 0),
        }
    }

    proptest! {
        #[test]
        fn any_order_gives_the_stream(
            begin: u32,
            cuts in prop::collection::vec(1_usize..60, 1..20),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        ) {
            let total: usize = cuts.iter().sum();
            let bytes: Vec<u8> = (1..=255).cycle().take(total).collect();
            let mut segments = Vec::new();
            let mut at = 0;
            for cut in cuts {
                // Some bytes of what came before once more.
                let from = at - at.min(cut % 7);
                segments.push((from, at + cut));
                at += cut;
            }
            let picks = order.iter().map(|index| *index.get(&segments));
            let all: Vec<_> = picks.chain(segments.iter().copied()).collect();
            let mut stream = Stream::default();
            stream.begin(begin);
            let mut out = Vec::new();
            for (from, to) in all {
                let seq = begin.wrapping_add(u32::try_from(from).unwrap());
                stream.segment(seq, &bytes[from..to], 0, &mut collect(&mut out));
            }
            prop_assert_eq!(out, bytes);
            prop_assert_eq!(stream.bytes(), 0);
        }
    }

    #[test]
    fn what_is_acknowledged_and_missing_is_lost() {
        let (mut stream, mut out) = (Stream::default(), Vec::new());
        stream.begin(100);
        stream.segment(100, b"ab", 0, &mut collect(&mut out));
        stream.segment(105, b"fg", 2, &mut collect(&mut out));
        for now in [0, 10, 20, 30, PROOF_TIME - 1] {
            stream.acknowledged(107, now, &mut collect(&mut out));
        }
        assert_eq!(out, b"ab");
        stream.acknowledged(107, PROOF_TIME, &mut collect(&mut out));
        assert_eq!(out, b"ab\0\0\0fg\0\0");
        stream.segment(109, b"h", 0, &mut collect(&mut out));
        stream.segment(112, b"i", 0, &mut collect(&mut out));
        stream.end(&mut collect(&mut out));
        assert_eq!(out, b"ab\0\0\0fg\0\0h\0\0i");
    }

    #[test]
    fn memory_is_bounded() {
        let (mut stream, mut lost) = (Stream::default(), 0);
        stream.begin(0);
        for number in 1..10_000_u32 {
            stream.segment(number * 2000, &[1; 1000], 0, &mut |piece| {
                if let Piece::Lost(count) = piece {
                    lost += count;
                }
            });
            assert!(stream.bytes() <= WAITING_BYTES_MAX);
            assert!(stream.waiting.len() <= WAITING_MAX);
        }
        assert!(lost > 0);
        stream.segment(0x8000_0000, &[1; 1000], 0, &mut |_| {});
    }
}
