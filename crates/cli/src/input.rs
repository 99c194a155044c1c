//! The file to read, or standard input.
//!
//! Compressed files are read as if they were not. Promises: before it waits for bytes of a pipe it puts out the text gathered so far, and
//! while it waits it notices that it was asked to stop.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context as _, Result};
use pktwho_capfile::Decompress;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::failure;
use crate::offline;
use crate::privileges;
use crate::signals::Signals;
use crate::text::Text;

/// How much of a stream may be looked at before it is read.
const PEEK: usize = 64 * 1024;

/// The bytes of a capture file.
#[derive(Debug)]
pub struct Input {
    source: Decompress<Waiting>,
    may_wait: bool,
    /// Bytes that were looked at and are still to be read.
    peeked: VecDeque<u8>,
}

/// A stream of bytes that may keep us waiting.
#[derive(Debug)]
struct Waiting {
    file: File,
    may_wait: bool,
    signals: Signals,
    text: Rc<RefCell<Text>>,
}

impl Input {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// In the words of tcpdump: the path and the reason.
    pub fn open(path: &Path, signals: Signals, text: Rc<RefCell<Text>>) -> Result<Self> {
        let file = if path == Path::new("-") {
            let input = io::stdin().as_fd().try_clone_to_owned();
            File::from(input.context("cannot use standard input")?)
        } else {
            let name = || path.display().to_string();
            privileges::open(path)
                .map_err(failure::worded)
                .with_context(name)?
        };
        let may_wait = file.metadata().is_ok_and(|metadata| !metadata.is_file());
        let waiting = Waiting {
            file,
            may_wait,
            signals,
            text,
        };
        let source = Decompress::new(waiting).map_err(|error| offline::worded(error.into()))?;
        Ok(Self {
            source,
            may_wait,
            peeked: VecDeque::new(),
        })
    }

    /// Whether reading may keep us waiting.
    pub fn may_wait(&self) -> bool {
        self.may_wait
    }

    /// The first bytes, as many as one read gives; they stay to be read.
    ///
    /// # Errors
    /// As reading.
    pub fn peek(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; PEEK];
        let got = self.read(&mut bytes)?;
        bytes.truncate(got);
        self.peeked.extend(&bytes);
        Ok(bytes)
    }
}

impl Waiting {
    /// Waits until there is something to read, the end included.
    fn wait(&self) -> io::Result<()> {
        // Asking to stop interrupts the poll, unless it comes just before it.
        const TICK: Timespec = Timespec {
            tv_sec: 0,
            tv_nsec: 200_000_000,
        };
        let ready = |timeout: &Timespec| {
            let fd = PollFd::from_borrowed_fd(self.file.as_fd(), PollFlags::IN);
            match poll(&mut [fd], Some(timeout)) {
                Err(rustix::io::Errno::INTR) => Ok(false),
                other => Ok::<_, io::Error>(other? > 0),
            }
        };
        if ready(&Timespec::default())? {
            return Ok(());
        }
        // The text keeps what it could not put out; whoever reads us flushes again and hears why.
        let flushed = self.text.borrow_mut().flush();
        flushed.map_err(|_| io::Error::other("output failed"))?;
        while !ready(&TICK)? {
            if self.signals.stop() {
                return Err(io::Error::other("asked to stop"));
            }
        }
        Ok(())
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.peeked.is_empty() {
            return self.peeked.read(buffer);
        }
        self.source.read(buffer)
    }
}

impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.may_wait {
            self.wait()?;
        }
        self.file.read(buffer)
    }
}
