//! TLS secrets: from running processes into key logs and captures.
//!
//! Promises: a secret is written once, and only of processes that the flags about owners name;
//! files that hold secrets are for their owner alone, and it is said that they hold some.
//! Source of truth: draft-ietf-tls-keylogfile for key logs, the pcapng draft for blocks of
//! secrets, ptcpdump 0.37 for the names of the flags.

mod known;
mod log;
mod waiting;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use pktwho_capfile::{Block, KeptBlock};
use pktwho_owner::Processes;
use pktwho_probe::{self as probe, FoundSecret, TlsConfig, TlsReport, TlsSecrets};
use pktwho_tls::Secret;

use crate::args::Args;
use crate::child::{self, Running};
use crate::decrypt::Decryption;
use crate::live::worded;
use crate::names::Login;
use crate::plan::{self, Format, Output, OwnerFilter};
use crate::privileges;
use crate::signals::Signals;
use crate::sink::say;
use known::Known;
use log::KeyLogFile;
pub use log::PRIVATE;
use waiting::Waiting;

/// What is to become of TLS secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyLog {
    /// `--write-keylog-file`; `-` is standard output.
    pub write: Option<PathBuf>,
    /// `--embed-keylog-to-pcapng`
    pub embed: bool,
    /// `--keylog-only`
    pub only: bool,
    /// `--embed-keylog-from`
    pub embed_from: Option<PathBuf>,
}

impl KeyLog {
    /// Whether secrets of running processes are asked for.
    pub fn is_live(&self) -> bool {
        self.write.is_some() || self.embed
    }

    /// Whether the capture file will hold secrets.
    pub fn is_embedded(&self) -> bool {
        self.embed || self.embed_from.is_some()
    }

    /// # Errors
    /// Flags that do not go together.
    pub fn check(&self, args: &Args, output: &Output) -> Result<()> {
        let reads = !args.read.is_empty() || args.read_list.is_some();
        let target = output.write.as_ref();
        let is_pcapng = target.is_some_and(|target| target.format == Format::Pcapng);
        if self.is_embedded() && !is_pcapng {
            bail!("TLS secrets are stored in pcapng files: name one with -w (not *.pcap)");
        }
        if self.embed && reads {
            bail!("a file that is read has no processes: secrets come with --embed-keylog-from");
        }
        if self.only {
            if self.write.is_none() {
                bail!("--keylog-only needs --write-keylog-file");
            }
            if !args.containers.is_empty() || !args.pods.is_empty() {
                bail!("--keylog-only knows no containers: they are known while capturing");
            }
            if reads || target.is_some() {
                bail!("--keylog-only takes no packets: it goes with neither -r nor -w");
            }
        }
        Ok(())
    }
}

/// Handshakes after this moment have secrets; how long we wait for it to come.
const SETTLE: Duration = Duration::from_secs(5);
/// How long packets are kept back for the secrets that decrypt them.
pub const HOLD: Duration = Duration::from_millis(500);
/// How often we look at signals and at the command while nothing comes.
const PATROL: Duration = Duration::from_millis(50);
/// Files that could not be hooked are named up to this many.
const NAMED: usize = 8;

/// Secrets of running processes.
pub struct Secrets {
    source: TlsSecrets,
    log: Option<KeyLogFile>,
    known: Known,
    waiting: Waiting,
    owners: OwnerFilter,
    follow: bool,
    verbose: bool,
}

impl Secrets {
    /// Starts to look for them, if they are asked for. `command` is the process that we have
    /// started, not yet what it will be. Packets are captured without them where the kernel is too
    /// old, which is said.
    ///
    /// # Errors
    /// The kernel refuses, or the key log cannot be opened.
    pub fn open(plan: &plan::Live, command: Option<u32>) -> Result<Option<Self>> {
        let wanted = &plan.output.key_log;
        let decrypt = plan.output.decrypt.as_ref();
        if !wanted.is_live() && !decrypt.is_some_and(Decryption::needs_processes) {
            return Ok(None);
        }
        let log = match &wanted.write {
            Some(path) => Some(KeyLogFile::open(path, user(&plan.output))?),
            None => None,
        };
        let mut owners = plan.owners.clone();
        owners.pids.extend(command);
        let follow = owners.follow_forks || command.is_some();
        let source = TlsSecrets::open(TlsConfig {
            programs: plan
                .command
                .first()
                .and_then(child::path)
                .into_iter()
                .collect(),
            ancestors: follow,
            begin: privileges::beginning(plan.output.confined.as_ref()),
        });
        let source = match source {
            Err(error @ probe::Error::Lacks { .. }) if !wanted.only => {
                say(format_args!("pktwho: no TLS secrets: {error}"));
                return Ok(None);
            }
            opened => opened.map_err(worded)?,
        };
        warn(&plan.output);
        Ok(Some(Self {
            source,
            log,
            known: Known::default(),
            waiting: Waiting::default(),
            owners,
            follow,
            verbose: plan.output.verbose,
        }))
    }

    /// Waits until the processes that run already have been looked at.
    pub fn settle(&self) {
        if !self.source.settle(SETTLE) {
            say(format_args!(
                "pktwho: still looking for TLS code in running processes: their first secrets \
                 may be missed"
            ));
        }
    }

    /// Takes in the secrets that have come, writes them to the key log, and returns those that
    /// are new.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn collect(&mut self, processes: &Processes) -> Result<Vec<Secret>> {
        self.source.snapshot();
        while let Some(found) = self.source.next_secret() {
            if is_wanted(&self.owners, self.follow, &found) {
                self.waiting.push(found);
            }
        }
        let mut fresh = self.waiting.take(&self.owners, processes);
        fresh.retain(|secret| self.known.is_new(secret));
        if let Some(log) = &mut self.log {
            log.write(&fresh)?;
        }
        Ok(fresh)
    }

    /// Whether there are some of which it is not known yet in which container their process is.
    pub fn wait_for_containers(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Says what could not be hooked, and with -v what became of every file.
    pub fn report(&self) {
        let reports = self.source.reports();
        if self.verbose {
            for report in &reports {
                say(format_args!("pktwho: {}", line(report)));
            }
            return;
        }
        let mut lines = HashSet::new();
        let failed = reports.iter().filter(|report| report.file.outcome.is_err());
        for report in failed {
            let line = line(report);
            if lines.len() < NAMED && !lines.contains(&line) {
                say(format_args!("pktwho: {line}"));
                lines.insert(line);
            }
        }
        let lost: u64 = reports.iter().map(|report| report.lost).sum();
        if lost > 0 {
            say(format_args!(
                "pktwho: {lost} TLS secrets lost for want of room"
            ));
        }
    }
}

/// What is stored in a capture.
pub fn block(secrets: &[Secret]) -> Option<KeptBlock> {
    (!secrets.is_empty()).then(|| KeptBlock::tls_secrets(&log::lines(secrets)))
}

/// Whose files they are.
fn user(output: &Output) -> Option<&Login> {
    output.write.as_ref()?.user.as_ref()
}

/// Says once which files will hold secrets.
pub fn warn(output: &Output) {
    let log = output.key_log.write.iter().map(PathBuf::as_path);
    let capture = output.write.iter().filter(|_| output.key_log.is_embedded());
    let files: Vec<String> = log
        .chain(capture.map(|target| target.path.as_path()))
        .filter(|path| *path != Path::new("-"))
        .map(|path| path.display().to_string())
        .collect();
    if !files.is_empty() {
        say(format_args!(
            "pktwho: {} will hold TLS secrets: whoever can read it can decrypt the connections",
            files.join(" and ")
        ));
    }
}

/// Whether the process, or with `follow` one of its ancestors, is one that the flags name.
fn is_wanted(owners: &OwnerFilter, follow: bool, found: &FoundSecret) -> bool {
    let is_it = takes(
        owners,
        found.process.pid,
        found.uid,
        [&found.name, &found.exe],
    );
    is_it
        || follow
            && found
                .ancestors
                .iter()
                .any(|&pid| takes_ancestor(owners, pid))
}

fn takes(owners: &OwnerFilter, pid: u32, uid: u32, names: [&Vec<u8>; 2]) -> bool {
    (owners.pids.is_empty() || owners.pids.contains(&pid))
        && (owners.uids.is_empty() || owners.uids.contains(&uid))
        && (owners.names.is_empty() || owners.names.iter().any(|name| names.contains(&name)))
}

fn takes_ancestor(owners: &OwnerFilter, pid: u32) -> bool {
    // The kernel has just named it; only what is asked for is looked up.
    if !owners.pids.is_empty() && !owners.pids.contains(&pid) {
        return false;
    }
    if owners.uids.is_empty() && owners.names.is_empty() {
        return true;
    }
    let looked = privileges::with(move || {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let facts = folder.metadata()?;
        let name = std::fs::read(folder.join("comm")).unwrap_or_default();
        let exe = std::fs::read_link(folder.join("exe")).unwrap_or_default();
        std::io::Result::Ok((facts, name, exe))
    });
    let Ok(Ok((facts, name, exe))) = looked else {
        return false;
    };
    let exe = exe.file_name().map(|name| name.as_bytes().to_vec());
    let names = [&name.trim_ascii_end().to_vec(), &exe.unwrap_or_default()];
    takes(owners, pid, facts.uid(), names)
}

/// What became of a file.
fn line(report: &TlsReport) -> String {
    let path = report.file.path.display();
    let hooked = match &report.file.outcome {
        Err(reason) => return format!("{path}: no TLS secrets: {reason}"),
        Ok(hooked) => hooked,
    };
    let mut line = format!(
        "{path}: {:?} ({}): {} secret{}",
        hooked.library,
        hooked.evidence,
        report.secrets,
        if report.secrets == 1 { "" } else { "s" }
    );
    if let Some(delay) = hooked.delay {
        let _ = write!(
            line,
            ", hooked {:.1} ms after it was mapped",
            delay.as_secs_f64() * 1e3
        );
    }
    for (count, what) in [
        (report.refused, "refused"),
        (report.unreadable, "unreadable"),
        (report.lost, "lost"),
    ] {
        if count > 0 {
            let _ = write!(line, ", {count} {what}");
        }
    }
    line
}

/// `--keylog-only`: secrets and no packets, until a signal or the end of the command.
///
/// # Errors
/// The kernel refuses, or the key log takes no more.
pub fn run(plan: &plan::Live) -> Result<ExitCode> {
    let signals = Signals::new().context("cannot handle signals")?;
    let mut command = match plan.command.as_slice() {
        [] => None,
        command => Some(Running::start(command)?),
    };
    let pid = command.as_ref().map(Running::pid);
    let Some(mut secrets) = Secrets::open(plan, pid)? else {
        bail!("--keylog-only needs --write-keylog-file");
    };
    secrets.settle();
    say(format_args!("pktwho: listening for TLS secrets"));
    if let Some(command) = &command {
        command.release()?;
    }
    let processes = Processes::new();
    let mut count = 0;
    let mut ended = false;
    while !signals.stop() {
        count += secrets.collect(&processes)?.len();
        if ended {
            break;
        }
        // One more look after the end: what it has left behind is there by then.
        ended = command
            .as_mut()
            .is_some_and(|command| command.poll().is_some());
        if !ended {
            secrets.source.wait(PATROL).map_err(worded)?;
        }
    }
    count += secrets.collect(&processes)?.len();
    say(format_args!(
        "{count} TLS secret{}",
        if count == 1 { "" } else { "s" }
    ));
    secrets.report();
    Ok(command.map_or(ExitCode::SUCCESS, |command| command.end(&signals)))
}

/// The secrets of files that are read, and those that are added to them.
pub struct FileSecrets {
    log: Option<KeyLogFile>,
    known: Known,
}

impl FileSecrets {
    /// # Errors
    /// The key log cannot be opened.
    pub fn open(output: &Output) -> Result<Self> {
        let path = output.key_log.write.as_ref();
        warn(output);
        Ok(Self {
            log: path
                .map(|path| KeyLogFile::open(path, user(output)))
                .transpose()?,
            known: Known::default(),
        })
    }

    /// Takes the secrets out of a block that holds some.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn block(&mut self, block: &Block<'_>) -> Result<()> {
        let Some(log) = &mut self.log else {
            return Ok(());
        };
        let Some(text) = block.tls_secrets() else {
            return Ok(());
        };
        let secrets = text.split(|&byte| byte == b'\n').map(Secret::from_line);
        let secrets = secrets.filter_map(|secret| secret.ok().flatten());
        let fresh: Vec<_> = secrets.filter(|secret| self.known.is_new(secret)).collect();
        log.write(&fresh)
    }
}

/// The secrets of `--embed-keylog-from`.
///
/// # Errors
/// The key log cannot be read, or a line of it is damaged.
pub fn given(key_log: &KeyLog) -> Result<Option<KeptBlock>> {
    let Some(path) = &key_log.embed_from else {
        return Ok(None);
    };
    let text = privileges::read(path)
        .map_err(crate::failure::worded)
        .with_context(|| path.display().to_string())?;
    let mut known = Known::default();
    let mut secrets = Vec::new();
    for (number, line) in (1..).zip(text.split(|&byte| byte == b'\n')) {
        let secret = Secret::from_line(line);
        let secret = secret.with_context(|| format!("{}: line {number}", path.display()))?;
        secrets.extend(secret.filter(|secret| known.is_new(secret)));
    }
    Ok(block(&secrets))
}

#[cfg(test)]
mod tests;
