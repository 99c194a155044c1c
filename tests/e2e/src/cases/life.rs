//! Start, end, neighbours, loss and memory of a capture.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use super::Outcome;
use crate::dissect::Segment;
use crate::lab::{Lab, PATIENCE, installed, until};
use crate::netns::Netns;
use crate::puppet::{Puppet, Theatre, realtime};
use crate::seen::{Seen, read_file};
use crate::tool::Tool;
use crate::traffic::{Line, expect_numbers, number};

/// The longest from start to exit of `-c 1` with traffic ready.
const FIRST_PACKET: Duration = Duration::from_millis(300);
/// From this long after the start on, nothing may be missed.
const CAPTURING: Duration = Duration::from_millis(100);
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

pub fn first_packet(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let mut times = Vec::new();
    for _ in 0..7 {
        let ended = line.sending(|| Tool::start(lab, &netns, "-i lo -c 1 -w /dev/null")?.wait())?;
        ended.expect_status(0)?;
        times.push(ended.took);
    }
    let median = median(&mut times)?;
    ensure!(median <= FIRST_PACKET, "median {median:?} of {times:?}");
    Ok(Outcome::Measured(format!("median {median:?}")))
}

pub fn capturing_soon(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let mut delays = Vec::new();
    for round in 0..7 {
        let path = lab.file(&format!("soon{round}.pcapng"));
        let begin = realtime()?;
        let words = format!("-i lo -c 50 -w {}", path.display());
        line.sending(|| Tool::start(lab, &netns, &words)?.wait())?;
        let packets = read_file(&path)?;
        let first = packets.first().context("nothing captured")?;
        let gapless = packets.windows(2).all(|pair| match pair {
            [one, next] => number(one).map(|number| number + 1) == number(next),
            _ => true,
        });
        ensure!(gapless, "packets are missing after the first");
        let delay = u64::try_from(first.time - begin).context("captured before the start")?;
        delays.push(Duration::from_nanos(delay));
    }
    let median = median(&mut delays)?;
    ensure!(median <= CAPTURING, "median {median:?} of {delays:?}");
    Ok(Outcome::Measured(format!("median {median:?}")))
}

fn median(times: &mut [Duration]) -> Result<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied().context("no times")
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

pub fn nothing_left_tcx(lab: &Lab) -> Result<Outcome> {
    nothing_left(lab, "tcx")
}

pub fn nothing_left_clsact(lab: &Lab) -> Result<Outcome> {
    nothing_left(lab, "clsact")
}

fn nothing_left(lab: &Lab, backend: &str) -> Result<Outcome> {
    for program in ["bpftool", "tc"] {
        if !installed(program) {
            return Ok(Outcome::Skipped(format!("{program} is not installed")));
        }
    }
    let netns = Netns::new()?;
    let before = attached(&netns, "lo")?;
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let words = format!("--backend {backend} -i lo -w /dev/null");
        let tool = Tool::listening(lab, &netns, &words)?;
        // A tool that is older than tcx does not list it: the programs themselves tell.
        let programs = tool.programs()?;
        ensure!(!programs.is_empty(), "{backend}: it holds no program");
        ensure!(programs.iter().all(|id| is_loaded(*id)), "not all loaded");
        tool.signal(signal)?;
        tool.wait()?;
        let mut left = String::new();
        until(&format!("nothing is left after {signal}"), PATIENCE, || {
            left = attached(&netns, "lo")?;
            let gone = programs.iter().all(|id| !is_loaded(*id));
            Ok((gone && left == before).then_some(()))
        })
        .with_context(|| left.clone())?;
    }
    Ok(Outcome::Passed)
}

/// Whether the kernel still has a program. Attached to anything, it has.
fn is_loaded(program: u32) -> bool {
    bpftool(&["prog", "show", "id", &program.to_string()]).is_ok()
}

/// What hangs on a device: XDP, tcx and tc programs, qdiscs and filters.
fn attached(netns: &Netns, device: &str) -> Result<String> {
    let mut all = netns.run("bpftool", &format!("net show dev {device}"))?;
    all += &netns.run("tc", &format!("qdisc show dev {device}"))?;
    for way in ["ingress", "egress"] {
        // Without clsact there is no such hook to ask about.
        if let Ok(filters) = netns.run("tc", &format!("filter show dev {device} {way}")) {
            all += &filters;
        }
    }
    Ok(all)
}

pub fn neighbour_tcx(lab: &Lab) -> Result<Outcome> {
    // Its verdict ends the chain of tc filters: tcx comes before that.
    neighbour(lab, "tcx", 0)
}

pub fn neighbour_clsact(lab: &Lab) -> Result<Outcome> {
    neighbour(lab, "clsact", -1)
}

/// Another tc user, there before us, sees every packet before, during and after us.
fn neighbour(lab: &Lab, backend: &str, verdict: i32) -> Result<Outcome> {
    for program in ["bpftool", "tc", "clang"] {
        if !installed(program) {
            return Ok(Outcome::Skipped(format!("{program} is not installed")));
        }
    }
    let object = build_neighbour(lab, verdict)?;
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    netns.run("tc", "qdisc add dev lo clsact")?;
    let add = format!("filter add dev lo ingress bpf da obj {object} sec classifier");
    netns.run("tc", &add)?;
    let before = attached(&netns, "lo")?;
    let map = map_of_neighbour(&before)?;
    line.send(10)?;
    ensure!(passed(&map)? == 10, "the neighbour does not count");
    let path = lab.file(&format!("neighbour-{backend}.pcapng"));
    let words = format!("--backend {backend} -i lo -w {}", path.display());
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let start = line.sent();
        let tool = Tool::listening(lab, &netns, &words)?;
        line.send(10)?;
        let during = passed(&map)?;
        tool.signal(signal)?;
        tool.wait()?;
        if signal == Signal::SIGINT {
            expect_numbers(&read_file(&path)?, start..start + 10)?;
        }
        let all = u64::from(start) + 10;
        ensure!(during == all, "it saw {during} of {all} during us");
        until("only the neighbour is left", PATIENCE, || {
            Ok((attached(&netns, "lo")? == before).then_some(()))
        })
        .with_context(|| attached(&netns, "lo").unwrap_or_default())?;
        line.send(10)?;
        let after = passed(&map)?;
        ensure!(after == all + 10, "it saw {after} of {} after us", all + 10);
    }
    Ok(Outcome::Passed)
}

fn build_neighbour(lab: &Lab, verdict: i32) -> Result<String> {
    let source = lab.file("neighbour.bpf.c");
    fs::write(&source, include_str!("../../programs/neighbour.bpf.c"))?;
    let object = lab.file(&format!("neighbour{verdict}.o"));
    let status = Command::new("clang")
        .args(["-O2", "-g", "-target", "bpf"])
        .arg(format!("-DVERDICT={verdict}"))
        .arg("-c")
        .arg(&source)
        .arg("-o")
        .arg(&object)
        .status()?;
    ensure!(status.success(), "clang cannot compile the neighbour");
    Ok(object.display().to_string())
}

/// The id of the map of the one program that `attached` told of.
fn map_of_neighbour(attached: &str) -> Result<String> {
    let (_, rest) = attached.split_once("direct-action").context("no filter")?;
    let (_, rest) = rest.split_once(" id ").context("no program id")?;
    let id = rest.split_whitespace().next().context("no program id")?;
    let shown = bpftool(&["prog", "show", "id", id])?;
    let (_, rest) = shown.split_once("map_ids ").context("no map")?;
    let ids = rest.split_whitespace().next().context("no map")?;
    Ok(ids.split(',').next().unwrap_or_default().to_owned())
}

/// How many packets the neighbour has counted.
fn passed(map: &str) -> Result<u64> {
    let dump = bpftool(&["-j", "map", "dump", "id", map])?;
    let (_, rest) = dump
        .rsplit_once(r#""value":"#)
        .with_context(|| dump.clone())?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Ok(digits.parse()?)
}

fn bpftool(words: &[&str]) -> Result<String> {
    let output = Command::new("bpftool").args(words).output()?;
    ensure!(output.status.success(), "bpftool {}", words.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A puppet with a connected socket in slot 1, and the sink it sends to.
struct Flood {
    sender: Puppet,
    sink: Puppet,
}

fn flood_in(lab: &Lab, netns: &Netns) -> Result<Flood> {
    let theatre = Theatre::open(&lab.file(&format!("flood{}.sock", lab.number())))?;
    let mut sink = theatre.enter(&lab.puppet, netns)?;
    let mut sender = theatre.enter(&lab.puppet, netns)?;
    sink.acts(&["socket 0 udp 4", "bind 0 127.0.0.1 7000"])?;
    sender.acts(&["socket 1 udp 4", "connect 1 127.0.0.1 7000"])?;
    Ok(Flood { sender, sink })
}

/// Faster than any ring is emptied: captured and dropped make up what was sent.
pub fn flood(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let mut flood = flood_in(lab, &netns)?;
    let path = lab.file("flood.pcapng");
    let words = format!("-i lo -w {}", path.display());
    let tool = Tool::listening(lab, &netns, &words)?;
    let sent = flood.sender.act("flood 1 200000 1000")?.number()?;
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    flood.sink.act("close 0")?;
    let counts = ended.counts()?;
    let packets = read_file(&path)?;
    fs::remove_file(&path)?;
    let figures = format!("sent {sent}, {counts:?}, in the file {}", packets.len());
    ensure!(
        counts.captured + counts.dropped == u64::try_from(sent)?,
        "{figures}"
    );
    ensure!(counts.captured == packets.len() as u64, "{figures}");
    Ok(Outcome::Measured(figures))
}

/// SIGINT in the middle of it: up to the last packet captured, all others were dropped and
/// counted.
pub fn flood_interrupted(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let mut flood = flood_in(lab, &netns)?;
    let path = lab.file("interrupted.pcapng");
    let words = format!("-i lo -w {}", path.display());
    let tool = Tool::listening(lab, &netns, &words)?;
    flood.sender.begin("flood 1 1000000 200")?;
    until("the flood is under way", PATIENCE, || {
        Ok((file_size(&path) > 4_000_000).then_some(()))
    })?;
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    let still_sending = !flood.sender.done()?;
    drop(flood);
    let counts = ended.counts()?;
    let packets = read_file(&path)?;
    fs::remove_file(&path)?;
    let mut numbers: Vec<u64> = packets.iter().filter_map(flood_number).collect();
    let captured = numbers.len() as u64;
    numbers.dedup();
    let last = numbers.last().copied().context("nothing captured")?;
    let gaps = last + 1 - captured;
    let figures = format!("{counts:?}, {gaps} missing up to number {last}");
    ensure!(still_sending, "the flood was over too soon: {figures}");
    ensure!(
        numbers.len() as u64 == captured,
        "captured twice: {figures}"
    );
    ensure!(
        captured == counts.captured,
        "{captured} in the file: {figures}"
    );
    ensure!(gaps <= counts.dropped, "lost without a word: {figures}");
    ensure!(
        counts.received >= counts.captured + counts.dropped,
        "{figures}"
    );
    Ok(Outcome::Measured(figures))
}

/// The number that `flood` writes behind the tag.
fn flood_number(packet: &Seen) -> Option<u64> {
    let Segment { payload, .. } = packet.segment()?;
    let end = payload.iter().position(|byte| *byte == b'|')?;
    let bytes = payload.get(end + 1..end + 9)?;
    Some(u64::from_ne_bytes(bytes.try_into().ok()?))
}

fn file_size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
