//! A capture that is stopped and goes on: from a terminal, by ^Z and `fg`, and in a flood.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use super::Options;
use crate::cases::{Outcome, loss};
use crate::lab::{Lab, PATIENCE, installed, until};
use crate::netns::Netns;
use crate::seen::read_file;
use crate::tool::{Tool, counts_in};
use crate::traffic::Line;

/// A shell at a terminal of its own, with jobs. Both end when this is dropped.
struct Shell {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<Vec<u8>>>,
}

impl Shell {
    fn start(netns: &Netns) -> Result<Self> {
        let pty = nix::pty::openpty(None, None).context("openpty")?;
        let keyboard = File::from(pty.master);
        let screen = Arc::new(Mutex::new(Vec::new()));
        collect(keyboard.try_clone()?, Arc::clone(&screen));
        let terminal: OwnedFd = pty.slave;
        let child = netns.within(|| {
            // setsid makes its standard input the session's terminal.
            Command::new("setsid")
                .args(["--ctty", "bash", "--norc", "--noprofile", "-i"])
                .env("PS1", "")
                .env("TERM", "dumb")
                .stdin(terminal.try_clone()?)
                .stdout(terminal.try_clone()?)
                .stderr(terminal)
                .spawn()
                .context("cannot run setsid")
        })?;
        Ok(Self {
            child,
            keyboard,
            screen,
        })
    }

    fn type_in(&mut self, keys: &str) -> Result<()> {
        Ok(self.keyboard.write_all(keys.as_bytes())?)
    }

    fn shows(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().expect("no panic holds it")).into_owned()
    }

    fn until_shown<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> Result<T> {
        until(what, PATIENCE, || Ok(find(&self.shows()))).with_context(|| {
            let shows = self.shows();
            let lines: Vec<&str> = shows.lines().rev().take(5).collect();
            format!("last on the screen: {lines:?}")
        })
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // What it runs gets SIGHUP when its terminal goes. Harmless when it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(mut terminal: File, screen: Arc<Mutex<Vec<u8>>>) {
    thread::spawn(move || {
        let mut chunk = vec![0; 65536];
        while let Ok(read) = terminal.read(&mut chunk) {
            let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
                return;
            };
            screen
                .lock()
                .expect("no panic holds it")
                .extend_from_slice(bytes);
        }
    });
}

/// ^Z, packets, `fg`: what came meanwhile is shown then, and counted.
pub fn stopped(lab: &Lab, _: &Options) -> Result<Outcome> {
    for program in ["setsid", "bash"] {
        if !installed(program) {
            return Ok(Outcome::Skipped(format!("{program} is not installed")));
        }
    }
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let mut shell = Shell::start(&netns)?;
    let pktwho = lab.pktwho.display();
    shell.type_in(&format!(
        "sh -c 'echo \"=$$=\"; exec {pktwho} -i lo -n -l udp'\n"
    ))?;
    let pid = shell.until_shown("the pid is shown", |screen| {
        screen.split('=').find_map(|word| word.parse::<u32>().ok())
    })?;
    shell.until_shown("it listens", |screen| {
        screen.contains("listening on").then_some(())
    })?;
    let all_shown = |shell: &Shell, count: usize| {
        shell.until_shown(&format!("{count} packets are shown"), |screen| {
            (screen.matches("UDP, length").count() == count).then_some(())
        })
    };
    let (mut rounds, mut sent) = (0, 0);
    while rounds < 3 {
        line.send(20)?;
        sent += 20;
        all_shown(&shell, sent)?;
        shell.type_in("\x1a")?;
        until("it is stopped", PATIENCE, || {
            Ok((super::state(pid)? == Some('T')).then_some(()))
        })?;
        line.send(30)?;
        sent += 30;
        shell.type_in("fg\n")?;
        all_shown(&shell, sent)?;
        rounds += 1;
    }
    shell.type_in("\x03")?;
    // The terminal shows the key as well.
    let counts = shell.until_shown("the counts are shown", |screen| {
        counts_in(&screen.replace("^C", "")).ok()
    })?;
    ensure!(
        counts.captured == sent as u64 && counts.dropped == 0,
        "{sent} sent, {counts:?}"
    );
    Ok(Outcome::Passed)
}

/// More comes while it is stopped than there is room for: what was dropped is counted.
pub fn stopped_in_a_flood(lab: &Lab, _: &Options) -> Result<Outcome> {
    let netns = Netns::new()?;
    let mut flood = loss::flood_in(lab, &netns)?;
    let path = lab.file("stopped.pcapng");
    let words = format!("-i lo -w {}", path.display());
    let tool = Tool::listening(lab, &netns, &words)?;
    let mut sent = flood.sender.act("flood 1 1000 100")?.number()?;
    tool.signal(Signal::SIGSTOP)?;
    let pid = u32::try_from(tool.pid())?;
    until("it is stopped", PATIENCE, || {
        Ok((super::state(pid)? == Some('T')).then_some(()))
    })?;
    sent += flood.sender.act("flood 1 100000 1000")?.number()?;
    tool.signal(Signal::SIGCONT)?;
    sent += flood.sender.act("flood 1 1000 100")?.number()?;
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    let counts = ended.counts()?;
    let packets = read_file(&path)?;
    std::fs::remove_file(&path)?;
    let figures = format!("sent {sent}, {counts:?}, in the file {}", packets.len());
    ensure!(counts.dropped > 0, "nothing was dropped: {figures}");
    counts
        .add_up(sent.into(), packets.len())
        .with_context(|| figures.clone())?;
    ensure!(
        packets.is_sorted_by_key(|packet| packet.time),
        "not in the order of time: {figures}"
    );
    Ok(Outcome::Measured(figures))
}
