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
    /// The record that some bytes begin with; whether they are the file's first.
    record: fn(&[u8], bool) -> Option<Record>,
    /// After a failure: bytes of whole records that the stream took, and packets that it did not
    /// take.
    whole: u64,
    lost: u64,
}

/// A record that has been composed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    /// In bytes.
    pub(crate) length: usize,
    pub(crate) is_packet: bool,
}

/// Records that follow one another.
struct Records {
    /// Where the last one ends.
    bytes: usize,
    packets: u64,
}

impl<W: Write> Output<W> {
    pub(crate) fn new(sink: W, record: fn(&[u8], bool) -> Option<Record>) -> Self {
        Self {
            sink,
            buffer: Vec::with_capacity(2 * FULL),
            written: 0,
            failed: false,
            errno: None,
            record,
            whole: 0,
            lost: 0,
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
            self.lost += self.records(0, self.buffer.len()).packets;
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
            let whole = self.records(0, taken).bytes;
            self.whole = self.written + whole as u64;
            self.lost = self.records(whole, self.buffer.len()).packets;
        }
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        result
    }

    /// The whole records between two places of the buffer.
    fn records(&self, start: usize, end: usize) -> Records {
        let mut found = Records {
            bytes: start,
            packets: 0,
        };
        while let Some(rest) = self.buffer.get(found.bytes..end) {
            let at_start = self.written == 0 && found.bytes == 0;
            match (self.record)(rest, at_start) {
                Some(Record { length, is_packet }) if length > 0 && length <= rest.len() => {
                    found.bytes += length;
                    found.packets += u64::from(is_packet);
                }
                _ => break,
            }
        }
        found
    }

    /// After a failure: how many bytes at the beginning of the stream are whole records.
    pub(crate) fn whole(&self) -> Option<u64> {
        self.failed.then_some(self.whole)
    }

    /// After a failure: how many packets were composed that the stream did not take.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, then there is no room.
    struct Disk(usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Ten bytes each; packets but for the first.
    fn record(bytes: &[u8], at_start: bool) -> Option<Record> {
        (!bytes.is_empty()).then_some(Record {
            length: 10,
            is_packet: !at_start,
        })
    }

    #[test]
    fn what_no_disk_took_is_counted() {
        for (room, whole, lost) in [(0, 0, 5), (9, 0, 5), (10, 10, 5), (35, 30, 3), (59, 50, 1)] {
            let mut output = Output::new(Disk(room), record);
            for _ in 0..4 {
                output.buffer().extend_from_slice(&[0; 10]);
            }
            let first = output.drain();
            // One composed after the failure, and one with room or not.
            output.buffer().extend_from_slice(&[0; 10]);
            let second = output.drain();
            output.buffer().extend_from_slice(&[0; 10]);
            let third = output.drain();
            assert_eq!(first.is_err(), room < 40);
            assert_eq!(second.is_err(), room < 50);
            assert!(third.is_err());
            let found = (output.whole(), output.lost());
            assert_eq!(found, (Some(whole), lost), "room for {room}");
        }
        let mut output = Output::new(Disk(60), record);
        output.buffer().extend_from_slice(&[0; 60]);
        output.flush().unwrap();
        assert_eq!((output.whole(), output.lost()), (None, 0));
    }
}
