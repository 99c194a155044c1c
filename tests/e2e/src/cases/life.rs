//! Start, end, signals and memory of a capture, and several at once.

use std::fs;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use super::Outcome;
use super::traces::attached;
use crate::lab::Lab;
use crate::netns::Netns;
use crate::seen::read_file;
use crate::tool::Tool;
use crate::traffic::{Line, expect_numbers, number};

/// Most memory with default buffers on two CPUs, in bytes.
const MEMORY: u64 = 50_000_000;

pub fn closing_lines(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let path = lab.file("closing.pcapng");
    let tool = Tool::listening(lab, &netns, &format!("-i lo -w {}", path.display()))?;
    line.send(20)?;
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    let lines: Vec<&str> = ended.stderr.lines().rev().take(3).collect();
    let expected = [
        "0 packets dropped by kernel",
        "20 packets received by filter",
        "20 packets captured",
    ];
    ensure!(lines == expected, "{:?}", ended.stderr);
    expect_numbers(&read_file(&path)?, 0..20)?;
    Ok(Outcome::Passed)
}

pub fn sigterm(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let before = attached(&netns, "lo")?;
    let path = lab.file("sigterm.pcapng");
    let tool = Tool::listening(lab, &netns, &format!("-i lo -w {}", path.display()))?;
    line.send(20)?;
    tool.signal(Signal::SIGTERM)?;
    let ended = tool.wait()?;
    ended.expect_status(0)?;
    let captured = ended.counts()?.captured;
    ensure!(captured == 20, "{captured} captured of 20");
    expect_numbers(&read_file(&path)?, 0..20)?;
    ensure!(attached(&netns, "lo")? == before, "something is left");
    Ok(Outcome::Passed)
}

pub fn sigusr1(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let mut tool = Tool::listening(lab, &netns, "-i lo -w /dev/null")?;
    line.send(20)?;
    tool.signal(Signal::SIGUSR1)?;
    tool.until_said("dropped by kernel")?;
    let said = tool.said();
    ensure!(said.contains("20 packets captured"), "{said:?}");
    line.send(5)?;
    let captured = tool.stop()?.counts()?.captured;
    ensure!(captured == 25, "{captured} captured of 25 in the end");
    Ok(Outcome::Passed)
}

/// The first packet that comes ends `-c 1`. How soon: `cargo xtask bench start`.
pub fn first_packet(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let ended = line.sending(|| Tool::start(lab, &netns, "-i lo -c 1 -w /dev/null")?.wait())?;
    ended.expect_status(0)?;
    let captured = ended.counts()?.captured;
    ensure!(captured == 1, "{captured} captured");
    Ok(Outcome::Passed)
}

/// From the first packet that is captured on none is missing.
pub fn gapless_from_first(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    for round in 0..3 {
        let path = lab.file(&format!("soon{round}.pcapng"));
        let words = format!("-i lo -c 50 -w {}", path.display());
        line.sending(|| Tool::start(lab, &netns, &words)?.wait())?
            .expect_status(0)?;
        let packets = read_file(&path)?;
        let first = packets
            .first()
            .and_then(number)
            .context("nothing captured")?;
        expect_numbers(&packets, first..first + 50)?;
    }
    Ok(Outcome::Passed)
}

/// Everything: the pages of the process, and those of its maps in the kernel, once each.
pub fn memory(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let tool = Tool::listening(lab, &netns, "-i lo -w /dev/null")?;
    line.send(50_000)?;
    let peak = tool.status_value("VmHWM")? * 1024;
    let mapped = mapped_rings(tool.pid())?;
    let maps = map_memory(tool.pid())?;
    let total = peak.saturating_sub(mapped) + maps;
    tool.stop()?.expect_status(0)?;
    let cpus = std::thread::available_parallelism()?;
    let figures = format!(
        "{} kB in all on {cpus} CPUs: process {}, kernel maps {}",
        total / 1000,
        peak.saturating_sub(mapped) / 1000,
        maps / 1000
    );
    ensure!(cpus.get() > 2 || total < MEMORY, "{figures}");
    Ok(Outcome::Measured(figures))
}

/// Bytes of BPF maps that are mapped into the process and counted as its own.
fn mapped_rings(pid: i32) -> Result<u64> {
    let mut bytes = 0;
    let mut is_ring = false;
    for line in fs::read_to_string(format!("/proc/{pid}/smaps"))?.lines() {
        let first = line.split_whitespace().next().unwrap_or_default();
        if first.contains('-') {
            is_ring = line.contains("bpf");
        } else if first == "Rss:" && is_ring {
            let kilobytes = line.split_whitespace().nth(1).context("no size")?;
            bytes += kilobytes.parse::<u64>()? * 1024;
        }
    }
    Ok(bytes)
}

/// Bytes of the BPF maps that the process holds open, as the kernel counts them.
fn map_memory(pid: i32) -> Result<u64> {
    let mut maps = std::collections::HashMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
        // A descriptor may be closed while we look.
        let Ok(text) = fs::read_to_string(entry?.path()) else {
            continue;
        };
        let value = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        if let (Some(id), Some(bytes)) = (value("map_id:"), value("memlock:")) {
            maps.insert(id, bytes);
        }
    }
    Ok(maps.values().sum())
}

pub fn two_at_once(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let paths = [lab.file("one.pcapng"), lab.file("two.pcapng")];
    let mut tools = Vec::new();
    for path in &paths {
        let words = format!("-i lo -w {}", path.display());
        tools.push(Tool::listening(lab, &netns, &words)?);
    }
    line.send(100)?;
    let second = tools.pop().context("two tools")?;
    second.stop()?.expect_status(0)?;
    // The one that came first goes on undisturbed.
    line.send(100)?;
    let first = tools.pop().context("two tools")?;
    first.stop()?.expect_status(0)?;
    let [one, two] = &paths;
    expect_numbers(&read_file(one)?, 0..200)?;
    expect_numbers(&read_file(two)?, 0..100)?;
    Ok(Outcome::Passed)
}
