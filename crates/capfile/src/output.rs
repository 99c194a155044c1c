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
}

impl<W: Write> Output<W> {
    pub(crate) fn new(sink: W) -> Self {
        Self {
            sink,
            buffer: Vec::with_capacity(2 * FULL),
            written: 0,
            failed: false,
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
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let result = self.sink.write_all(&self.buffer);
        self.failed = result.is_err();
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        result
    }

    /// Hands everything on to the stream, and through it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.sink.flush()
    }
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
