//! `--decrypt`: where secrets come from, and what is shown of the packets that they open.
//!
//! Secrets come from blocks of the file that is read, and from a key log. A plain file is looked
//! through for secrets before its packets are read: they may stand behind the packets.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use pktwho_capfile::{Block, Decompress, Event, Reader};
use pktwho_decrypt::{Decrypted, Decryptor};
use pktwho_packet::{Packet, Timestamp};
use pktwho_tls::Secret;

use crate::args::Args;
use crate::failure;
use crate::privileges;
use crate::sink::say;

/// No line of a key log is as long as that.
const LINE_MAX: u64 = 4096;
/// How often a key log is looked at for more, in nanoseconds of the packets' time.
const PATROL: i128 = 50_000_000;

/// How what TLS carries is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decryption {
    pub key_log: Option<PathBuf>,
    pub verbose: bool,
}

impl Decryption {
    /// `None` when it is not asked for.
    ///
    /// # Errors
    /// Nothing would be shown.
    pub fn new(args: &Args, printed: bool) -> Result<Option<Self>> {
        if !args.decrypt {
            return Ok(None);
        }
        if !printed {
            bail!("--decrypt shows what packets carry: with -w it needs --print");
        }
        Ok(Some(Self {
            key_log: args.keylog_file.clone(),
            verbose: args.verbose > 0,
        }))
    }

    /// Whether the secrets of running processes are needed.
    pub fn needs_processes(&self) -> bool {
        self.key_log.is_none()
    }
}

/// Decrypts the packets on their way to the screen.
pub struct Decrypt {
    decryptor: Decryptor,
    key_log: Option<KeyLog>,
}

impl Decrypt {
    /// For packets that are being captured.
    ///
    /// # Errors
    /// The key log is there and cannot be read.
    pub fn live(plan: &Decryption) -> Result<Self> {
        let mut decrypt = Self::new(plan);
        if let Some(path) = &plan.key_log {
            let mut log = KeyLog::new(path);
            log.read(&mut decrypt.decryptor)?;
            decrypt.key_log = Some(log);
        }
        Ok(decrypt)
    }

    /// For packets of files; those that can be read twice are looked through for secrets.
    ///
    /// # Errors
    /// The key log cannot be read.
    pub fn offline(plan: &Decryption, files: &[PathBuf]) -> Result<Self> {
        let mut decrypt = Self::new(plan);
        if let Some(path) = &plan.key_log {
            let mut log = KeyLog::new(path);
            log.open().with_context(|| path.display().to_string())?;
            log.read(&mut decrypt.decryptor)?;
        }
        let mut all = true;
        for file in files {
            all &= look_through(file, &mut decrypt.decryptor);
        }
        if all {
            decrypt.decryptor.secrets_complete();
        }
        Ok(decrypt)
    }

    fn new(plan: &Decryption) -> Self {
        Self {
            decryptor: Decryptor::new(plan.verbose),
            key_log: None,
        }
    }

    /// Takes a secret of a process.
    pub fn secret(&mut self, secret: &Secret) {
        self.decryptor.secret(secret);
    }

    /// Takes the secrets of a file's block, if it has some.
    pub fn block(&mut self, block: &Block<'_>) {
        secrets_of(block, &mut self.decryptor);
    }

    /// Takes a packet, shown or not: later ones may need it to be decrypted.
    pub fn packet(&mut self, packet: &Packet<'_>) {
        if let Some(log) = &mut self.key_log {
            log.patrol(packet.time, &mut self.decryptor);
        }
        self.decryptor.packet(packet);
    }

    /// What the last packet carries.
    pub fn decrypted(&self) -> Decrypted<'_> {
        self.decryptor.decrypted()
    }

    /// Appends lines about what still waited at the end.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(log) = &mut self.key_log {
            let _ = log.read(&mut self.decryptor);
        }
        let lines = self.decryptor.finish();
        if let Some(lines) = lines.strip_prefix(b"\n") {
            out.extend_from_slice(lines);
            out.push(b'\n');
        }
    }
}

/// Takes the secrets of a file; whether that was possible without taking its packets away.
fn look_through(path: &Path, decryptor: &mut Decryptor) -> bool {
    let file = privileges::open(path).ok();
    let plain = |file: &File| file.metadata().is_ok_and(|facts| facts.is_file());
    let Some(file) = file.filter(plain) else {
        return false;
    };
    let reader = Decompress::new(file).map(Reader::new);
    let Ok(Ok(mut reader)) = reader else {
        // Whoever reads it for its packets will say what is wrong.
        return true;
    };
    while let Ok(Some(event)) = reader.event() {
        if let Event::Block(block) = event {
            secrets_of(&block, decryptor);
        }
    }
    true
}

fn secrets_of(block: &Block<'_>, decryptor: &mut Decryptor) {
    for line in block
        .tls_secrets()
        .unwrap_or_default()
        .split(|&byte| byte == b'\n')
    {
        if let Ok(Some(secret)) = Secret::from_line(line) {
            decryptor.secret(&secret);
        }
    }
}

/// A key log that may grow.
struct KeyLog {
    path: PathBuf,
    /// `None` as long as there is no such file.
    file: Option<BufReader<File>>,
    /// A line of which the end is missing.
    line: Vec<u8>,
    looked: Option<i128>,
}

impl KeyLog {
    fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            line: Vec::new(),
            looked: None,
        }
    }

    fn open(&mut self) -> Result<()> {
        let file = privileges::open(&self.path).map_err(failure::worded)?;
        self.file = Some(BufReader::new(file));
        Ok(())
    }

    /// Takes in what is new, if it was not looked at for a while.
    fn patrol(&mut self, now: Timestamp, decryptor: &mut Decryptor) {
        let now = i128::from(now.secs) * 1_000_000_000 + i128::from(now.nanos);
        if self
            .looked
            .is_some_and(|looked| (looked..looked + PATROL).contains(&now))
        {
            return;
        }
        self.looked = Some(now);
        // What cannot be read any more is said to be unknown.
        let _ = self.read(decryptor);
    }

    /// Takes in what is new.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    fn read(&mut self, decryptor: &mut Decryptor) -> Result<()> {
        if self.file.is_none() && privileges::exists(&self.path) {
            self.open()
                .with_context(|| self.path.display().to_string())?;
        }
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let mut wrong = 0_u32;
        while read_line(file, &mut self.line)? {
            match Secret::from_line(self.line.trim_ascii_end()) {
                Ok(Some(secret)) => decryptor.secret(&secret),
                Ok(None) => {}
                Err(_) => wrong += 1,
            }
            self.line.clear();
        }
        if wrong > 0 {
            let plural = if wrong == 1 { "" } else { "s" };
            let path = self.path.display();
            say(format_args!(
                "pktwho: {path}: {wrong} line{plural} without a secret"
            ));
        }
        Ok(())
    }
}

/// Adds to `line` up to its end, or to where there is no more yet; whether that is its end. What
/// is too long to be a line is cut into several.
fn read_line(file: &mut BufReader<File>, line: &mut Vec<u8>) -> io::Result<bool> {
    let room = LINE_MAX.saturating_sub(u64::try_from(line.len()).unwrap_or(LINE_MAX));
    file.take(room).read_until(b'\n', line)?;
    Ok(line.ends_with(b"\n") || u64::try_from(line.len()).unwrap_or(LINE_MAX) >= LINE_MAX)
}
