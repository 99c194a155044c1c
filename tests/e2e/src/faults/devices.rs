//! Devices that come and go by the hundred, and a namespace that goes while it is captured.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::UdpSocket;

use anyhow::{Context, Result, ensure};

use super::Options;
use crate::cases::Outcome;
use crate::lab::{Lab, PATIENCE, until};
use crate::netns::Netns;
use crate::seen::read_file;
use crate::soak::{REMEMBERED, forked};
use crate::tool::Tool;
use crate::traffic::{Line, numbers};

/// How many come at once: pairs, of which each end is a device.
const PAIRS: u32 = 8;

/// What may stay with the tool of all devices together: a filter's program for their kind.
const KINDS: usize = 4;

/// Most that the memory of the tool may grow by, for each device, in bytes: what the end of a file
/// tells of each.
const PER_DEVICE: u64 = 512;

/// What is no growth, in KiB: the allocator's coming and going. Beside it one for each process
/// that was made on the machine meanwhile, which may be remembered.
const SLACK_KIB: u64 = 4096;

/// Some go as soon as they have come, others when they are captured and a datagram has passed:
/// it is in the file, under its device's name. Nothing of them stays with the tool.
pub fn come_and_go(lab: &Lab, options: &Options) -> Result<Outcome> {
    let netns = Netns::quiet()?;
    let line = Line::loopback(&netns)?;
    let path = lab.file("devices.pcapng");
    let words = format!("-i any -n -q -l --print -w {} udp", path.display());
    let tool = Tool::listening(lab, &netns, &words)?;
    let (descriptors, programs) = (descriptors(&tool)?, tool.programs()?.len());
    let memory = tool.status_value("RssAnon")?;
    let processes = forked()?;
    let mut told = BTreeMap::new();
    let (mut made, mut batches) = (0, 0);
    line.sending(|| {
        while made < options.devices {
            let stays = batches % 2 == 0;
            batch(lab, &netns, &tool, made, stays.then_some(&mut told))?;
            made += 2 * PAIRS;
            batches += 1;
        }
        Ok(())
    })?;
    until("it has let go of them", 6 * PATIENCE, || {
        let same = self::descriptors(&tool)? <= descriptors + KINDS
            && tool.programs()?.len() <= programs + KINDS;
        Ok(same.then_some(()))
    })
    .with_context(|| {
        let now = (
            self::descriptors(&tool).ok(),
            tool.programs().map(|it| it.len()).ok(),
        );
        format!("descriptors and programs: {descriptors} and {programs}, then {now:?}")
    })?;
    let grown = tool.status_value("RssAnon")?.saturating_sub(memory);
    let remembered = (forked()? - processes).min(REMEMBERED);
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    let counts = ended.counts()?;
    let packets = read_file(&path)?;
    let found = numbers(&packets).len();
    let figures = format!(
        "{made} devices, {grown} KiB more, {} and {} datagrams, {counts:?}",
        line.sent(),
        told.len()
    );
    ensure!(
        grown <= SLACK_KIB + remembered + u64::from(made) * PER_DEVICE / 1024,
        "memory grows: {figures}"
    );
    ensure!(
        found as u64 == u64::from(line.sent()),
        "{found} of lo: {figures}"
    );
    for (device, sent) in &told {
        let of_it = packets.iter().filter(|packet| packet.iface == *device);
        let seen = of_it.count();
        ensure!(seen >= *sent, "{device}: {seen} of {sent}; {figures}");
    }
    ensure!(counts.captured == packets.len() as u64, "{figures}");
    ensure!(counts.dropped == 0, "{figures}");
    let said = ended.stderr.lines().count();
    ensure!(said < 20, "it says too much: {}", ended.stderr);
    fs::remove_file(&path)?;
    Ok(Outcome::Measured(figures))
}

/// Makes pairs of devices and deletes them. With `told`: not before each is captured and has sent
/// a datagram, which is entered there.
fn batch(
    lab: &Lab,
    netns: &Netns,
    tool: &Tool,
    first: u32,
    told: Option<&mut BTreeMap<String, usize>>,
) -> Result<()> {
    let (mut make, mut delete) = (String::new(), String::new());
    for number in 0..PAIRS {
        let (name, net) = (format!("go{first}x{number}"), 100 + number);
        // A String takes everything.
        let _ = writeln!(make, "link add {name} type veth peer name {name}b");
        let _ = writeln!(make, "addr add 10.{net}.0.1/24 dev {name}");
        let _ = writeln!(
            make,
            "neigh add 10.{net}.0.2 lladdr 02:00:00:00:00:02 dev {name}"
        );
        let _ = writeln!(make, "link set {name} up");
        let _ = writeln!(make, "link set {name}b up");
        let _ = writeln!(delete, "link del {name}");
    }
    ip_batch(lab, netns, &make)?;
    if let Some(told) = told {
        pass(netns, tool, first, told)?;
    }
    ip_batch(lab, netns, &delete)
}

/// Sends datagrams on each device until the tool has shown one of each.
fn pass(netns: &Netns, tool: &Tool, first: u32, told: &mut BTreeMap<String, usize>) -> Result<()> {
    let socket = netns.within(|| Ok(UdpSocket::bind("0.0.0.0:0")?))?;
    let names: Vec<String> = (0..PAIRS).map(|it| format!("go{first}x{it}")).collect();
    let mut waiting: Vec<(u32, &String)> = (100..).zip(&names).collect();
    // What it has shown by now is of others.
    let shown = tool.output().len();
    // Each is a program to be made and checked, or two.
    until("each new device is captured", 6 * PATIENCE, || {
        for (net, _) in &waiting {
            socket.send_to(b"e2e", format!("10.{net}.0.2:9"))?;
        }
        let output = tool.output();
        let output = String::from_utf8_lossy(output.get(shown..).unwrap_or_default());
        waiting.retain(|(_, name)| !output.contains(&format!(" {name} ")));
        Ok(waiting.is_empty().then_some(()))
    })
    .with_context(|| format!("{waiting:?}"))?;
    told.extend(names.into_iter().map(|name| (name, 1)));
    Ok(())
}

fn ip_batch(lab: &Lab, netns: &Netns, lines: &str) -> Result<()> {
    let path = lab.file("batch");
    fs::write(&path, lines)?;
    netns.ip(&format!("-batch {}", path.display()))?;
    Ok(())
}

fn descriptors(tool: &Tool) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{}/fd", tool.pid()))?.count())
}

/// One of two namespaces that are captured goes, with all its devices; then the other one.
pub fn namespace_gone(lab: &Lab, _: &Options) -> Result<Outcome> {
    let elsewhere = Netns::new()?;
    let (stays, goes) = (Netns::quiet()?, Netns::quiet()?);
    let number = goes.inode()?;
    Netns::cable((&stays, "stays0"), (&goes, "goes0"))?;
    let path = lab.file("gone.pcapng");
    let words = format!(
        "--netns {} --netns {} -i any -w {} udp",
        stays.path(),
        goes.path(),
        path.display()
    );
    let tool = Tool::listening(lab, &elsewhere, &words)?;
    let line = Line::loopback(&stays)?;
    line.send(10)?;
    let short = Line::loopback(&goes)?;
    short.send(10)?;
    drop(short);
    drop(goes);
    // Its end of the cable goes with it: it is not kept by us.
    until("the namespace is gone", PATIENCE, || {
        Ok(stays.ip("link show stays0").is_err().then_some(()))
    })?;
    line.send(10)?;
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    let packets = read_file(&path)?;
    let counts = ended.counts()?;
    let of = |name: &str| packets.iter().filter(|packet| packet.iface == name).count();
    let here = of(&format!("lo@{}", stays.inode()?));
    let there = of(&format!("lo@{number}"));
    let figures = format!("{here} here, {there} there, {counts:?}");
    ensure!((here, there) == (20, 10), "{figures}");
    ensure!(counts.captured == 30 && counts.dropped == 0, "{figures}");
    Ok(Outcome::Passed)
}
