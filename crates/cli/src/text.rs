//! Lines on their way to standard output, gathered into few large writes.
//!
//! Promises: on a terminal and with `-l` each packet's lines go out at once; else when there
//! are many, and whenever the program is about to wait for more packets.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;

use anyhow::{Context as _, Result};

use crate::failure;

/// Gathered text is put out from this size on.
const ENOUGH: usize = 32 * 1024;

/// Standard output, for text.
#[derive(Debug)]
pub struct Text {
    output: File,
    /// Text not yet put out; append to it, then call [`Text::packet_done`].
    pub buffer: Vec<u8>,
    at_once: bool,
}

impl Text {
    /// Standard output; `at_once` puts out each packet by itself even into a pipe or a file.
    ///
    /// # Errors
    /// It is closed.
    pub fn stdout(at_once: bool) -> Result<Self> {
        let output = stdout()?;
        let at_once = at_once || output.is_terminal();
        Ok(Self {
            output,
            buffer: Vec::new(),
            at_once,
        })
    }

    /// Whether somebody waits for each line.
    pub fn is_immediate(&self) -> bool {
        self.at_once
    }

    /// To be called when a packet's text is complete.
    ///
    /// # Errors
    /// As [`Text::flush`].
    pub fn packet_done(&mut self) -> Result<()> {
        if self.at_once || self.buffer.len() >= ENOUGH {
            self.flush()?;
        }
        Ok(())
    }

    /// Puts out what there is, and keeps it when that fails.
    ///
    /// # Errors
    /// Standard output takes no more; a broken pipe is among the causes.
    pub fn flush(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.output.write_all(&self.buffer);
        written
            .map_err(failure::worded)
            .context("Unable to write output")?;
        self.buffer.clear();
        Ok(())
    }
}

/// Standard output without Rust's buffer of lines.
///
/// # Errors
/// It is closed.
pub fn stdout() -> Result<File> {
    let output = io::stdout().as_fd().try_clone_to_owned();
    Ok(File::from(output.context("cannot use standard output")?))
}
