//! A capture tool as a child process: started, waited for until it listens, ended by signal.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::{Lab, PATIENCE, until};
use crate::netns::Netns;

/// A running tool. Killed when dropped.
pub struct Tool {
    child: Child,
    said: Arc<Mutex<String>>,
    threads: Vec<JoinHandle<()>>,
    output: Arc<Mutex<Vec<u8>>>,
    /// When the process was started.
    pub started: Instant,
}

/// What a tool left when it ended.
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
    /// From the start of the process to its end.
    pub took: Duration,
}

/// The closing lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub captured: u64,
    pub received: u64,
    pub dropped: u64,
}

impl Counts {
    /// All that was sent is captured or dropped, and what is captured is in the file.
    pub fn add_up(&self, sent: i64, in_file: usize) -> Result<()> {
        let all = self.captured + self.dropped;
        ensure!(all == u64::try_from(sent)?, "{sent} sent, {all} counted");
        ensure!(self.captured == in_file as u64, "{in_file} in the file");
        Ok(())
    }
}

impl Tool {
    /// Starts pktwho in the namespace with these words; a word may hold no blank.
    pub fn start(lab: &Lab, netns: &Netns, words: &str) -> Result<Self> {
        let words: Vec<&str> = words.split_whitespace().collect();
        Self::spawn(&lab.pktwho, netns, &words)
    }

    /// Starts pktwho and waits until it listens.
    pub fn listening(lab: &Lab, netns: &Netns, words: &str) -> Result<Self> {
        let mut tool = Self::start(lab, netns, words)?;
        tool.ready()?;
        Ok(tool)
    }

    /// Starts any program in the namespace, its output and errors kept.
    pub fn spawn(program: &Path, netns: &Netns, words: &[&str]) -> Result<Self> {
        Self::fed(program, netns, words, Stdio::null())
    }

    /// Starts any program in the namespace with this standard input.
    pub fn fed(program: &Path, netns: &Netns, words: &[&str], stdin: Stdio) -> Result<Self> {
        let (mut tool, stdout) = Self::piped(program, netns, words, stdin)?;
        let output = Arc::clone(&tool.output);
        tool.threads.push(collect(stdout, output));
        Ok(tool)
    }

    /// Starts any program in the namespace; its standard output is the caller's to read.
    pub fn piped(
        program: &Path,
        netns: &Netns,
        words: &[&str],
        stdin: Stdio,
    ) -> Result<(Self, ChildStdout)> {
        let started = Instant::now();
        let mut child = netns.within(|| {
            Command::new(program)
                .args(words)
                .stdin(stdin)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .with_context(|| format!("cannot run {}", program.display()))
        })?;
        let stdout = child.stdout.take().context("no standard output")?;
        let stderr = child.stderr.take().context("no standard error")?;
        let said = Arc::new(Mutex::new(String::new()));
        let tool = Self {
            child,
            threads: vec![listen_to(stderr, Arc::clone(&said))],
            said,
            output: Arc::default(),
            started,
        };
        Ok((tool, stdout))
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid fits")
    }

    /// What it wrote to standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("no panic holds it").clone()
    }

    /// What it wrote to standard output so far.
    pub fn output(&self) -> Vec<u8> {
        self.output.lock().expect("no panic holds it").clone()
    }

    /// Waits until it says that it listens.
    pub fn ready(&mut self) -> Result<()> {
        self.until_said("listening on")
    }

    /// Waits until its standard error holds `words`.
    pub fn until_said(&mut self, words: &str) -> Result<()> {
        until(&format!("the tool says {words:?}"), PATIENCE, || {
            if self.said().contains(words) {
                return Ok(Some(()));
            }
            if let Some(status) = self.child.try_wait()? {
                self.join_readers();
                if self.said().contains(words) {
                    return Ok(Some(()));
                }
                bail!("the tool ended ({status}): {}", self.said().trim());
            }
            Ok(None)
        })
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill(Pid::from_raw(self.pid()), signal).context("kill")
    }

    /// SIGINT, then waits for the end.
    pub fn stop(self) -> Result<Ended> {
        self.signal(Signal::SIGINT)?;
        self.wait()
    }

    /// Waits for the end.
    pub fn wait(mut self) -> Result<Ended> {
        let child = &mut self.child;
        let ended = until("the tool ends", PATIENCE * 2, || Ok(child.try_wait()?));
        let took = self.started.elapsed();
        let status = ended.with_context(|| format!("stderr: {}", self.said().trim()))?;
        self.join_readers();
        Ok(Ended {
            status,
            stdout: self.output(),
            stderr: self.said(),
            took,
        })
    }

    /// Ids of the BPF programs that it holds, by themselves or through a link.
    pub fn programs(&self) -> Result<BTreeSet<u32>> {
        let mut programs = BTreeSet::new();
        for entry in std::fs::read_dir(format!("/proc/{}/fdinfo", self.pid()))? {
            // A descriptor may be closed while we look.
            let text = std::fs::read_to_string(entry?.path()).unwrap_or_default();
            let ids = text
                .lines()
                .filter_map(|line| line.strip_prefix("prog_id:"));
            programs.extend(ids.filter_map(|id| id.trim().parse::<u32>().ok()));
        }
        Ok(programs)
    }

    /// Whether it looks at all that is sent on this machine, in the hook of the root cgroup.
    fn watches_all(&self) -> Result<bool> {
        /// `BPF_CGROUP_INET_EGRESS` of linux/bpf.h.
        const EGRESS: &str = "attach_type:\t1";
        for entry in std::fs::read_dir(format!("/proc/{}/fdinfo", self.pid()))? {
            // A descriptor may be closed while we look.
            let text = std::fs::read_to_string(entry?.path()).unwrap_or_default();
            let has = |wanted: &str| text.lines().any(|line| line.starts_with(wanted));
            if has("cgroup_id:") && text.lines().any(|line| line == EGRESS) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Waits until it no longer [does](Self::watches_all) that, but looks at devices.
    pub fn until_relieved(&self) -> Result<()> {
        until("devices are looked at", PATIENCE, || {
            Ok((!self.watches_all()?).then_some(()))
        })
    }

    /// Waits until it has done nothing for so long.
    pub fn until_idle(&self, quiet: Duration) -> Result<()> {
        let path = format!("/proc/{}/stat", self.pid());
        let mut seen = (String::new(), Instant::now());
        until("the tool is idle", PATIENCE, || {
            let stat = std::fs::read_to_string(&path)?;
            // Fields 14 and 15 of proc_pid_stat(5), counted from behind the name: CPU time.
            let fields = stat.rsplit(") ").next().unwrap_or_default();
            let spent: Vec<&str> = fields.split(' ').skip(11).take(2).collect();
            let spent = spent.join(" ");
            if spent != seen.0 {
                seen = (spent, Instant::now());
            }
            Ok((seen.1.elapsed() >= quiet).then_some(()))
        })
    }

    /// When it has ended: waits until all that it wrote is read.
    fn join_readers(&mut self) {
        for thread in self.threads.drain(..) {
            thread.join().expect("a reader does not panic");
        }
    }

    /// A line of `/proc/PID/status` in its own unit, for instance `VmHWM`.
    pub fn status_value(&self, name: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(value.with_context(|| format!("no {name}"))?.parse()?)
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // Harmless when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The closing lines, which must be all there.
    pub fn counts(&self) -> Result<Counts> {
        counts_in(&self.stderr)
    }

    /// Fails unless the exit status is this one.
    pub fn expect_status(&self, code: i32) -> Result<()> {
        ensure!(
            self.status.code() == Some(code),
            "{} instead of exit status {code}; stderr: {}",
            self.status,
            self.stderr.trim()
        );
        Ok(())
    }
}

/// The three counts as the last such lines of a text say them.
pub fn counts_in(text: &str) -> Result<Counts> {
    let count = |what: &str| -> Result<u64> {
        let line = text.lines().rev().find_map(|line| {
            let (before, _) = line.split_once(what)?;
            before.split_whitespace().next_back()?.parse().ok()
        });
        line.with_context(|| {
            let mut message = String::new();
            let _ = write!(message, "no {what:?} on stderr: {}", text.trim());
            message
        })
    };
    Ok(Counts {
        captured: count(" packets captured").or_else(|_| count(" packet captured"))?,
        received: count(" packets received by filter")
            .or_else(|_| count(" packet received by filter"))?,
        dropped: count(" packets dropped by kernel")
            .or_else(|_| count(" packet dropped by kernel"))?,
    })
}

fn listen_to(stderr: ChildStderr, said: Arc<Mutex<String>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut lines = BufReader::new(stderr);
        let mut line = Vec::new();
        while lines
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            let text = String::from_utf8_lossy(&line);
            said.lock().expect("no panic holds it").push_str(&text);
            line.clear();
        }
    })
}

fn collect(mut stdout: ChildStdout, output: Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut chunk = vec![0; 65536];
        while let Ok(read) = stdout.read(&mut chunk) {
            let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
                return;
            };
            output
                .lock()
                .expect("no panic holds it")
                .extend_from_slice(bytes);
        }
    })
}
