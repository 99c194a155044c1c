//! `-z`: a command for each file that is complete, while the next one is written; `-Z`: whose
//! files they are.
//!
//! Source of truth: tcpdump(1). The command gets the file's name as its only argument and runs
//! at the lowest priority.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, setpriority_process};

use crate::failure;
use crate::names::Login;
use crate::ownership::is_root;
use crate::privileges;
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
        let user = self.user.clone();
        // A thread that is confined would hand that on.
        let started = privileges::with(move || {
            if let Some(user) = user.filter(|_| is_root()) {
                command.uid(user.uid).gid(user.gid);
            }
            let child = command.spawn()?;
            let _ = setpriority_process(Some(Pid::from_child(&child)), LOWEST);
            Ok(child)
        });
        match started.flatten() {
            Ok(child) => self.running.push(child),
            Err(error) => say(format_args!(
                "pktwho: cannot run {} {}: {}",
                program.display(),
                file.display(),
                failure::worded(error)
            )),
        }
    }
}
