//! A window over a stream: the bytes of one record, contiguous, read as they come.
//!
//! Promises: reads no more often than needed (a pipe delivers each packet as soon as it is
//! there), never seeks, and grows only by bytes that really arrived, whatever length a file
//! claims.

use std::io::{self, Read};
use std::ops::Range;

const CHUNK: usize = 64 * 1024;

/// Buffered bytes of a stream.
#[derive(Debug)]
pub(crate) struct Input<R> {
    source: R,
    /// Storage; only `start..end` holds bytes of the stream.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes taken since the beginning.
    offset: u64,
    at_end: bool,
}

impl<R: Read> Input<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            offset: 0,
            at_end: false,
        }
    }

    /// Bytes taken since the beginning of the stream.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads until `len` bytes lie ready, or the stream ends; how many of the `len` there are.
    pub(crate) fn fill(&mut self, len: usize) -> io::Result<usize> {
        while self.end - self.start < len && !self.at_end {
            self.make_room(len);
            let Some(free) = self.buffer.get_mut(self.end..) else {
                break;
            };
            match self.source.read(free) {
                Ok(0) => self.at_end = true,
                Ok(read) => self.end += read.min(free.len()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(len.min(self.end - self.start))
    }

    /// Makes at least one free byte at the end: moves what is held to the front, and doubles
    /// the buffer when it is full of one unfinished record.
    fn make_room(&mut self, len: usize) {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        } else if self.buffer.len() - self.start < len && self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            let larger = self.buffer.len().saturating_mul(2).max(CHUNK);
            self.buffer.resize(larger, 0);
        }
    }

    /// The next `len` bytes, if they lie ready.
    pub(crate) fn peek(&self, len: usize) -> Option<&[u8]> {
        let end = self.start.checked_add(len)?;
        if end > self.end {
            return None;
        }
        self.buffer.get(self.start..end)
    }

    /// The next `N` bytes, if they lie ready.
    pub(crate) fn peek_array<const N: usize>(&self) -> Option<[u8; N]> {
        self.peek(N)?.first_chunk().copied()
    }

    /// Takes up to `len` ready bytes; where they lie until the next `fill`.
    pub(crate) fn take(&mut self, len: usize) -> Range<usize> {
        let len = len.min(self.end - self.start);
        let range = self.start..self.start + len;
        self.start += len;
        self.offset += len as u64;
        range
    }

    /// The bytes that [`Self::take`] gave.
    pub(crate) fn get(&self, range: Range<usize>) -> &[u8] {
        self.buffer.get(range).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_alone_takes_no_memory() {
        let mut input = Input::new(&[1, 2, 3][..]);
        assert_eq!(input.fill(usize::MAX).unwrap(), 3);
        assert_eq!(input.buffer.len(), CHUNK);
        assert_eq!(input.take(2), 0..2);
        assert_eq!((input.peek(1), input.peek(2)), (Some(&[3][..]), None));
        assert_eq!((input.fill(1).unwrap(), input.fill(2).unwrap()), (1, 1));
        assert_eq!(input.offset(), 2);
    }

    #[test]
    fn memory_follows_the_bytes_that_came() {
        let mut input = Input::new(io::repeat(7).take(1_000_000));
        assert_eq!(input.fill(16 << 20).unwrap(), 1_000_000);
        assert!(input.buffer.len() <= 2_100_000);
        assert!(input.peek(1_000_000).unwrap().iter().all(|&byte| byte == 7));
    }

    #[test]
    fn interrupted_reads_go_on() {
        struct Interrupted(bool);
        impl Read for Interrupted {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                self.0 = !self.0;
                if self.0 {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                to.fill(1);
                Ok(to.len())
            }
        }
        let mut input = Input::new(Interrupted(false));
        assert_eq!(input.fill(100).unwrap(), 100);
    }
}
