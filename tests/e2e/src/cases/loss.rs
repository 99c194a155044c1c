//! Floods: every packet is captured, or counted as dropped.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use pktwho_capfile::Reader;

use super::Outcome;
use crate::dissect::Segment;
use crate::lab::{Lab, PATIENCE, installed, until};
use crate::netns::Netns;
use crate::puppet::{Puppet, Theatre};
use crate::seen::{Seen, read_file};
use crate::tool::Tool;

/// A puppet with a connected socket in slot 1, and the sink it sends to.
pub struct Flood {
    pub sender: Puppet,
    pub sink: Puppet,
}

/// Both ends, in one namespace.
pub fn flood_in(lab: &Lab, netns: &Netns) -> Result<Flood> {
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
    counts
        .add_up(sent.into(), packets.len())
        .with_context(|| figures.clone())?;
    Ok(Outcome::Measured(figures))
}

/// Nobody reads the output until the flood is over, so that rings run full: what is in the
/// output and what is said to be dropped make up what was sent, and the file says it too.
pub fn drops_counted(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let mut flood = flood_in(lab, &netns)?;
    let words = ["-i", "lo", "-w", "-"];
    let (mut tool, stdout) = Tool::piped(&lab.pktwho, &netns, &words, Stdio::null())?;
    tool.ready()?;
    let sent = flood.sender.act("flood 1 200000 1000")?.number()?;
    let reader = std::thread::spawn(move || read_counted(BufReader::new(stdout)));
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    let (delivered, lost) = reader.join().expect("the thread returns its error")?;
    let counts = ended.counts()?;
    let figures = format!("sent {sent}, {counts:?}, delivered {delivered}, lost {lost:?}");
    ensure!(counts.dropped > 0, "nothing was dropped: {figures}");
    let accounted = counts.captured + counts.dropped;
    ensure!(accounted == u64::try_from(sent)?, "{figures}");
    ensure!(counts.captured == delivered, "{figures}");
    ensure!(counts.received == accounted, "{figures}");
    ensure!(lost == Some(counts.dropped), "{figures}");
    Ok(Outcome::Measured(figures))
}

/// How many packets a stream holds, and how many its statistics say are lost.
fn read_counted(stream: impl Read) -> Result<(u64, Option<u64>)> {
    let mut reader = Reader::new(stream)?;
    let mut packets = 0;
    while reader.next()?.is_some() {
        packets += 1;
    }
    Ok((packets, reader.losses()))
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

/// ICMP echo's reply from 10.77.0.2 to 10.77.0.1.
fn late_reply(id: u16) -> String {
    let mut frame = vec![2, 0, 0, 0, 0x77, 1, 2, 0, 0, 0, 0x77, 2, 0x08, 0x00];
    frame.extend([0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0, 0]);
    frame.extend([10, 77, 0, 2, 10, 77, 0, 1]);
    frame.extend([0, 0, 0, 0]);
    frame.extend(id.to_be_bytes());
    frame.extend([0, 9]);
    let hex: Vec<String> = frame.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("frame far0 {}", hex.concat())
}

/// More flows than are remembered: a packet of which only the table could tell whose it is has
/// then no owner, and no wrong one; that some were forgotten is said, on SIGUSR1, at the end, and
/// in the file.
pub fn owners_forgotten(lab: &Lab) -> Result<Outcome> {
    if !installed("ping") {
        return Ok(Outcome::Skipped("ping is not installed".into()));
    }
    let (near, far) = Netns::pair()?;
    let theatre = Theatre::open(&lab.file("forgotten.sock"))?;
    let mut spray = theatre.enter(&lab.puppet_named("spray")?, &near)?;
    let mut forger = theatre.enter(&lab.puppet_named("forger")?, &far)?;
    let path = lab.file("forgotten.pcapng");
    let words = format!(
        "-i near0 -w {} -U icmp and dst host 10.77.0.1",
        path.display()
    );
    let mut tool = Tool::listening(lab, &near, &words)?;
    // Nobody answers: what was looked up once is remembered before all others.
    far.sysctl("net/ipv4/icmp_echo_ignore_all", "1")?;
    let (early, late) = (0x7001, 0x7002);
    // Each CPU keeps its latest entries to itself, until it enters more (kernel/bpf/bpf_lru_list.c).
    let pid = spray.pid.to_string();
    near.run("taskset", &format!("-c -p 0 {pid}"))?;
    for id in [early, late] {
        // It fails for want of an answer.
        let _ = near.run(
            "taskset",
            &format!("-c 0 ping -c 1 -W 0.1 -e {id} 10.77.0.2"),
        );
    }
    forger.act(&late_reply(early))?;
    tool.signal(Signal::SIGUSR1)?;
    tool.until_said("dropped by kernel")?;
    ensure!(!tool.said().contains("forgotten"), "{}", tool.said());
    spray.acts(&["socket 1 udp 4", "bind 1 0.0.0.0 7001"])?;
    for part in 0..50_u32 {
        let first = part * 2000;
        let (high, middle, low) = (first >> 16 & 255, first >> 8 & 255, first & 255);
        spray.act(&format!(
            "spray 1 127.{}.{middle}.{low} 9 2000 64",
            high + 1
        ))?;
    }
    forger.act(&late_reply(late))?;
    tool.signal(Signal::SIGUSR1)?;
    tool.until_said(FORGOTTEN)?;
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    ensure!(
        ended.stderr.matches(FORGOTTEN).count() == 2,
        "{}",
        ended.stderr
    );
    let owners: Vec<Option<Vec<u8>>> = read_file(&path)?
        .into_iter()
        .map(|packet| packet.receiver.map(|who| who.name))
        .collect();
    ensure!(owners == [Some(b"ping".to_vec()), None], "{owners:?}");
    let counted = forgotten_in(&path)?;
    ensure!(counted > 60_000, "{counted} in the file");
    Ok(Outcome::Measured(format!("{counted} flows forgotten")))
}

const FORGOTTEN: &str = " forgotten for want of room: processes may be missing";

/// The count that a file's statistics give.
fn forgotten_in(path: &Path) -> Result<u64> {
    let mut reader = Reader::new(BufReader::new(File::open(path)?))?;
    while reader.next()?.is_some() {}
    let counts = reader
        .counters()
        .iter()
        .map(|counts| counts.owners_forgotten);
    counts.flatten().max().context("no count in the file")
}
