//! `-- command`: a program that runs while we capture, from its first packet to its last.
//!
//! It starts as a stopped copy of ourselves ([`NAME`]), so that its process id is known to the
//! kernel side before it can send anything; then it becomes the command, as the user who
//! called sudo. Its standard streams, environment and exit status are its own.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process, set_parent_process_death_signal, waitpid,
};

use crate::failure;
use crate::names::Login;
use crate::privileges;
use crate::signals::Signals;

/// `argv[0]` by which the binary knows that it is to become a command: see [`become_command`].
pub const NAME: &str = "pktwho-command";

/// What shells say of a command that is not there, or cannot be run.
pub const NOT_FOUND: u8 = 127;
const NOT_RUNNABLE: u8 = 126;
/// How long a command may take to end once it was asked to.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often we look whether it has ended.
const TICK: Duration = Duration::from_millis(5);

/// There is no such command; the exit status is the shells', 127.
#[derive(Debug, thiserror::Error)]
#[error("{}: command not found", .0.display())]
pub struct NotFound(OsString);

/// The command, stopped or running.
#[derive(Debug)]
pub struct Running {
    child: Child,
    pid: Pid,
    status: Option<ExitStatus>,
}

impl Running {
    /// Starts the copy of ourselves and waits until it has stopped.
    ///
    /// # Errors
    /// [`NotFound`], or no process could be made.
    pub fn start(command: &[OsString]) -> Result<Self> {
        let program = command.first().context("no command")?;
        if path(program).is_none() {
            return Err(NotFound(program.clone()).into());
        }
        let mut child = Command::new("/proc/self/exe")
            .arg0(NAME)
            .args(command)
            .spawn()
            .map_err(failure::worded)
            .context("cannot start the command")?;
        let pid = Pid::from_child(&child);
        match waitpid(Some(pid), WaitOptions::UNTRACED) {
            Ok(Some((_, status))) if status.stopped() => Ok(Self {
                child,
                pid,
                status: None,
            }),
            _ => {
                // Whatever it is, it is not the command.
                let _ = child.kill();
                bail!("cannot start the command");
            }
        }
    }

    /// The process id it has now and keeps.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets it become the command.
    ///
    /// # Errors
    /// It is gone.
    pub fn release(&self) -> Result<()> {
        let pid = self.pid;
        let continued = privileges::with(move || kill_process(pid, Signal::CONT));
        continued?.context("cannot start the command")
    }

    /// Its exit status, once it has ended.
    pub fn poll(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            // An error means that somebody else has waited for it: it has ended.
            self.status = self
                .child
                .try_wait()
                .unwrap_or(Some(ExitStatus::from_raw(0)));
        }
        self.status
    }

    /// Waits until it has ended; once we were asked to stop it is asked too, and waited for a
    /// while only.
    pub fn end(mut self, signals: &Signals) -> ExitCode {
        let mut asked: Option<Instant> = None;
        while self.poll().is_none() {
            match asked {
                Some(asked) if asked.elapsed() > PATIENCE => return ExitCode::FAILURE,
                None if signals.stop() => {
                    send(self.pid, Signal::CONT);
                    send(self.pid, Signal::TERM);
                    asked = Some(Instant::now());
                }
                _ => {}
            }
            std::thread::sleep(TICK);
        }
        self.status.map_or(ExitCode::FAILURE, exit_code)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Never leave a stopped process behind; one that was released has its own life.
        if self.status.is_none() {
            send(self.pid, Signal::CONT);
        }
    }
}

/// It may be another user's by now, or root's.
fn send(to: Pid, signal: Signal) {
    let _ = privileges::with(move || kill_process(to, signal));
}

/// As shells tell a status: the signal's number and 128 when one ended it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .and_then(|code| u8::try_from(code & 0xff).ok());
    ExitCode::from(code.unwrap_or(u8::MAX))
}

/// Whether execvp(3) would find it; what it cannot run it says itself.
pub fn path(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let program = program.as_ref();
    if program.as_bytes().contains(&b'/') {
        return Some(program.into()).filter(|path: &PathBuf| path.exists());
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let mut paths = std::env::split_paths(&path).map(|folder| folder.join(program));
    paths.find(|path| path.exists())
}

/// The copy's part: stops, and when it is continued becomes the command.
pub fn become_command(command: &[OsString]) -> ExitCode {
    // Should our parent die now, nobody would ever continue us.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    if kill_process(getpid(), Signal::STOP).is_err() {
        return ExitCode::from(NOT_RUNNABLE);
    }
    let _ = set_parent_process_death_signal(None);
    let Some((program, arguments)) = command.split_first() else {
        return ExitCode::from(NOT_FOUND);
    };
    let mut command = Command::new(program);
    command.args(arguments);
    if let Err(error) = become_caller(&mut command) {
        eprintln!(
            "pktwho: cannot run {} as the user who called sudo: {error}",
            program.display()
        );
        return ExitCode::from(NOT_RUNNABLE);
    }
    let error = command.exec();
    let code = if error.kind() == io::ErrorKind::NotFound {
        NOT_FOUND
    } else {
        NOT_RUNNABLE
    };
    eprintln!(
        "pktwho: cannot run {}: {}",
        program.display(),
        failure::worded(error)
    );
    ExitCode::from(code)
}

/// Under sudo: the caller's ids, groups and home.
fn become_caller(command: &mut Command) -> io::Result<()> {
    use rustix::process::{Gid, Uid};
    use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let Some(login) = Login::of_sudo() else {
        return Ok(());
    };
    let groups: Vec<Gid> = login.groups.iter().map(|&gid| Gid::from_raw(gid)).collect();
    let (uid, gid) = (Uid::from_raw(login.uid), Gid::from_raw(login.gid));
    // The process has one thread: its ids are the process's.
    set_thread_groups(&groups)?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    command.env("USER", &login.name).env("LOGNAME", &login.name);
    if let Some(home) = &login.home {
        command.env("HOME", home);
    }
    Ok(())
}
