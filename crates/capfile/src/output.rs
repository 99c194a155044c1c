//! Bytes on their way out: one reusable buffer that records are composed in.
//!
//! Promises: a record reaches the stream whole or, after an error, not at all; after an error
//! nothing more is written.

use std::io::{self, Write};

/// Composed bytes are handed on when there are this many.
const FULL: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Output<W: Write> {
    sink: W,
    buffer: Vec<u8>,
    /// Bytes handed on so far.
    written: u64,
    failed: bool,
    /// What the system said then; it is told again.
    errno: Option<i32>,
    /// The length of the record that some bytes begin with; whether they are the file's first.
    record_len: fn(&[u8], bool) -> Option<usize>,
    /// After a failure: bytes of whole records that the stream took.
    whole: u64,
}

impl<W: Write> Output<W> {
    pub(crate) fn new(sink: W, record_len: fn(&[u8], bool) -> Option<usize>) -> Self {
        Self {
            sink,
            buffer: Vec::with_capacity(2 * FULL),
            written: 0,
            failed: false,
            errno: None,
            record_len,
            whole: 0,
        }
    }

    /// Where the next record is composed: at the end of this.
    #[inline]
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Bytes composed since the beginning, written or not.
    pub(crate) fn len(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Ends a record: hands on what was composed, if that is much.
    #[inline]
    pub(crate) fn end_record(&mut self) -> io::Result<()> {
        if self.buffer.len() < FULL {
            return Ok(());
        }
        self.drain()
    }

    #[cold]
    fn drain(&mut self) -> io::Result<()> {
        if self.failed {
            self.buffer.clear();
            return Err(match self.errno {
                Some(errno) => io::Error::from_raw_os_error(errno),
                None => io::ErrorKind::BrokenPipe.into(),
            });
        }
        let (taken, result) = write_all(&mut self.sink, &self.buffer);
        self.failed = result.is_err();
        if let Err(error) = &result {
            self.errno = error.raw_os_error();
            self.whole = self.written + self.whole_of(taken) as u64;
        }
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        result
    }

    /// How many of the first `taken` bytes of the buffer are whole records.
    fn whole_of(&self, taken: usize) -> usize {
        let mut whole = 0;
        while let Some(rest) = self.buffer.get(whole..taken) {
            let at_start = self.written == 0 && whole == 0;
            match (self.record_len)(rest, at_start) {
                Some(len) if len > 0 && len <= rest.len() => whole += len,
                _ => break,
            }
        }
        whole
    }

    /// After a failure: how many bytes at the beginning of the stream are whole records.
    pub(crate) fn whole(&self) -> Option<u64> {
        self.failed.then_some(self.whole)
    }

    /// Hands everything on to the stream, and through it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.sink.flush()
    }
}

/// Writes everything, or says how much could be.
fn write_all(sink: &mut impl Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut taken = 0;
    while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
        match sink.write(rest) {
            Ok(0) => return (taken, Err(io::ErrorKind::WriteZero.into())),
            Ok(more) => taken += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (taken, Err(error)),
        }
    }
    (taken, Ok(()))
}

impl<W: Write> Drop for Output<W> {
    /// A capture that ends on an error keeps the packets it had; who wants to know of a failure
    /// calls `flush`.
    fn drop(&mut self) {
        if !self.failed && !std::thread::panicking() {
            let _ = self.flush();
        }
    }
}
