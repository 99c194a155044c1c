//! What container runtimes cost a capture's start, and how soon a filter knows of a new container.
//!
//! The runtimes only answer, or do not ([`crate::containers::fake`]): their own time is not ours.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::Bars;
use super::start::{figures, first_packet, median};
use crate::containers::fake::{Crowd, Manner, addresses, service};
use crate::lab::{Lab, PATIENCE};
use crate::netns::Netns;
use crate::tool::Tool;
use crate::traffic::Line;

/// From a start on with runtimes that are no help to the first captured packet.
const CAPTURING: Duration = Duration::from_millis(100);
/// Containers, and from a start until one of them is known by its name.
const MANY: usize = 500;
const MATCHING: Duration = Duration::from_secs(1);
/// From the making of a container until a packet of it, chosen by its name, is printed.
const UPDATE: Duration = Duration::from_millis(50);

/// Runs the bench and prints its table. Gives whether every bar was met.
///
/// # Errors
/// When a tool does not run.
pub fn run(lab: &Lab, rounds: usize) -> Result<bool> {
    let mut out = io::stdout().lock();
    let load = std::fs::read_to_string("/proc/loadavg")?;
    writeln!(out, "load {}", load.trim())?;
    writeln!(out, "{rounds} rounds; median (fastest, slowest)")?;
    let mut bars = Bars::default();
    let netns = Netns::new()?;
    for (name, manner) in [
        ("no runtime", None),
        ("silent runtimes", Some(Manner::Silent)),
        ("runtimes that talk garbage", Some(Manner::Garbage)),
        ("runtimes that die", Some(Manner::Dying)),
    ] {
        let mut times = starts(lab, &netns, manner, rounds)?;
        writeln!(out, "{name}: captures after {}", figures(&mut times)?)?;
        bars.under(&times, CAPTURING, &format!("{name}: start to first packet"))?;
    }
    let Some(mut crowd) = Crowd::new(lab, &netns, MANY)? else {
        writeln!(out, "skipped: no cgroup2 hierarchy is mounted")?;
        return Ok(false);
    };
    let mut times = matches(lab, &netns, &crowd, rounds)?;
    let what = format!("start to the name of one of {MANY} containers");
    writeln!(out, "{what}: {}", figures(&mut times)?)?;
    bars.under(&times, MATCHING, &what)?;
    let mut times = updates(lab, &netns, &mut crowd, rounds)?;
    let what = format!("a new container beside {MANY} to its first line");
    writeln!(out, "{what}: {}", figures(&mut times)?)?;
    bars.under(&times, UPDATE, &what)?;
    for verdict in &bars.verdicts {
        writeln!(out, "{verdict}")?;
    }
    Ok(!bars.missed)
}

impl Bars {
    /// Of sorted times.
    fn under(&mut self, times: &[Duration], wanted: Duration, what: &str) -> Result<()> {
        let median = median(times)?;
        let text = format!("{what}: {median:.1?} (wanted: less than {wanted:?})");
        self.bar(median < wanted, &text);
        Ok(())
    }
}

/// From starts to first packets, packets flowing.
fn starts(
    lab: &Lab,
    netns: &Netns,
    manner: Option<Manner>,
    rounds: usize,
) -> Result<Vec<Duration>> {
    let socket = manner.map(|manner| service(lab, manner)).transpose()?;
    let flags = addresses(socket.as_deref(), socket.as_deref());
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let line = Line::loopback(netns)?;
    let path = lab.file("runtimes");
    let round = |_| {
        let first = || first_packet(&lab.pktwho, netns, &path, &flags);
        line.sending(first).map(|(capturing, _)| capturing)
    };
    (0..rounds).map(round).collect()
}

/// From starts until a container that has to run is known by its name.
fn matches(lab: &Lab, netns: &Netns, crowd: &Crowd, rounds: usize) -> Result<Vec<Duration>> {
    let last = MANY - 1;
    let sockets = addresses(Some(&crowd.socket), None);
    let words = format!("-i lo -n --require-match --container-name c{last} {sockets}");
    let round = |_| {
        let tool = Tool::listening(lab, netns, &words)?;
        let elapsed = tool.started.elapsed();
        tool.stop()?.expect_status(0)?;
        Ok(elapsed)
    };
    (0..rounds).map(round).collect()
}

/// From the making of containers until their first packets are printed.
fn updates(lab: &Lab, netns: &Netns, crowd: &mut Crowd, rounds: usize) -> Result<Vec<Duration>> {
    let sockets = addresses(Some(&crowd.socket), None);
    let words = format!("-i lo -n -l --container-name new* {sockets} udp");
    let tool = Tool::listening(lab, netns, &words)?;
    let script = format!("exec {} once udp 127.0.0.1 9009", lab.puppet.display());
    let mut times = Vec::new();
    for round in 0..rounds {
        let name = format!("new{round}");
        let begin = Instant::now();
        let place = crowd.add(netns, &name, &script)?;
        crowd.go(place)?;
        let shown = format!("Container [{name}");
        while !String::from_utf8_lossy(&tool.output()).contains(&shown) {
            let is_late = begin.elapsed() > PATIENCE;
            (!is_late).then_some(()).with_context(|| name.clone())?;
            thread::sleep(Duration::from_micros(200));
        }
        times.push(begin.elapsed());
    }
    tool.stop()?.expect_status(0)?;
    Ok(times)
}
