//! `-z`: a command for each file that is complete, while the next one is written; `-Z`: whose
//! files they are.
//!
//! Source of truth: tcpdump(1). The command gets the file's name as its only argument and runs
//! at the lowest priority.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Gid, Pid, Uid, setpriority_process};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::failure;
use crate::names::Login;
use crate::sink::say;

/// The lowest priority that setpriority(2) knows.
const LOWEST: i32 = 19;

/// The commands that run or ran.
#[derive(Debug, Default)]
pub struct Postrotate {
    command: Option<OsString>,
    user: Option<Login>,
    running: Vec<Child>,
}

impl Postrotate {
    pub fn new(command: Option<OsString>, user: Option<Login>) -> Self {
        Self {
            command,
            user,
            running: Vec::new(),
        }
    }

    /// Starts the command for a file.
    pub fn start(&mut self, file: &Path) {
        let Some(program) = &self.command else {
            return;
        };
        self.running
            .retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        let mut command = Command::new(program);
        command.arg(file).stdin(Stdio::null());
        if let Some(user) = self.user.as_ref().filter(|_| is_root()) {
            command.uid(user.uid).gid(user.gid);
        }
        match command.spawn() {
            Ok(child) => {
                let _ = setpriority_process(Some(Pid::from_child(&child)), LOWEST);
                self.running.push(child);
            }
            Err(error) => say(format_args!(
                "pktwho: cannot run {} {}: {}",
                program.display(),
                file.display(),
                failure::worded(error)
            )),
        }
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Does something with the rights of a user, if we are root and there is one. The thread takes
/// them for that while alone: a capture needs root to follow devices that appear.
///
/// # Errors
/// As `what`, or the kernel refuses the change.
pub fn as_user<T>(user: Option<&Login>, what: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let Some(user) = user.filter(|_| is_root()) else {
        return what();
    };
    let groups = rustix::process::getgroups()?;
    let theirs: Vec<Gid> = user.groups.iter().map(|&gid| Gid::from_raw(gid)).collect();
    let (uid, gid, ours) = (
        Uid::from_raw(user.uid),
        Gid::from_raw(user.gid),
        rustix::process::getegid(),
    );
    set_thread_groups(&theirs)?;
    let result = set_thread_res_gid(None, gid, None)
        .and_then(|()| set_thread_res_uid(None, uid, None))
        .map_err(io::Error::from)
        .and_then(|()| what());
    // Root is the saved id, so that these cannot fail but for want of memory.
    set_thread_res_uid(None, Uid::ROOT, None)?;
    set_thread_res_gid(None, ours, None)?;
    set_thread_groups(&groups)?;
    result
}
