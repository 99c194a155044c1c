//! A key log being written.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use pktwho_tls::Secret;

use crate::names::Login;
use crate::{failure, ownership, text};

/// The file of `--write-keylog-file`. Lines are added to what stands in it, as every program
/// does that writes such files.
#[derive(Debug)]
pub struct KeyLogFile {
    file: File,
    path: PathBuf,
}

/// Only the owner reads and writes.
pub const PRIVATE: u32 = 0o600;

impl KeyLogFile {
    /// Opens or creates it as that user; `-` is standard output.
    ///
    /// # Errors
    /// The path and the reason.
    pub fn open(path: &Path, user: Option<&Login>) -> Result<Self> {
        let file = if path == Path::new("-") {
            text::stdout()?
        } else {
            let mut options = File::options();
            options.append(true).create(true).mode(PRIVATE);
            ownership::open(&options, path, user)
                .map_err(failure::worded)
                .with_context(|| path.display().to_string())?
        };
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Adds lines, all at once: another program may write to the file too.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write(&mut self, secrets: &[Secret]) -> Result<()> {
        if secrets.is_empty() {
            return Ok(());
        }
        self.file
            .write_all(&lines(secrets))
            .map_err(failure::worded)
            .with_context(|| format!("cannot write to {}", self.path.display()))
    }
}

/// A key log of these secrets.
pub fn lines(secrets: &[Secret]) -> Vec<u8> {
    let mut lines = Vec::new();
    for secret in secrets {
        // Into memory it cannot fail.
        let _ = writeln!(lines, "{secret}");
    }
    lines
}
