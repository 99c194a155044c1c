//! Nothing is left in the kernel however a capture ends, and others who were there before stay
//! undisturbed.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use super::Outcome;
use crate::lab::{Lab, PATIENCE, installed, until};
use crate::netns::Netns;
use crate::seen::read_file;
use crate::tool::Tool;
use crate::traffic::{Line, expect_numbers};

pub fn nothing_left_tcx(lab: &Lab) -> Result<Outcome> {
    if !lab.has_tcx()? {
        return Ok(Outcome::Skipped("this kernel has no tcx".into()));
    }
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
        let mut tool = Tool::listening(lab, &netns, &words)?;
        if backend == "clsact" {
            tool.until_said("devices drop what they send")?;
        }
        // A tool that is older than tcx does not list it: the programs themselves tell.
        let programs = tool.programs()?;
        ensure!(!programs.is_empty(), "{backend}: it holds no program");
        ensure!(programs.iter().all(|id| is_loaded(*id)), "not all loaded");
        tool.signal(signal)?;
        let said = tool.wait()?.stderr;
        let disturbs = said.contains("devices drop");
        ensure!(disturbs == (backend == "clsact"), "{backend}: {said}");
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

/// Where the kernel is told to make grace periods short, for the whole machine.
const SWITCH: &str = "/sys/kernel/rcu_expedited";

/// Where many devices are attached to at once, and left, grace periods are short meanwhile. Killed
/// just then, it leaves them as they were.
pub fn grace_periods(lab: &Lab) -> Result<Outcome> {
    if !lab.has_tcx()? {
        return Ok(Outcome::Skipped("this kernel has no tcx".into()));
    }
    if fs::OpenOptions::new().write(true).open(SWITCH).is_err() {
        return Ok(Outcome::Skipped(format!("{SWITCH} cannot be written")));
    }
    let before = fs::read_to_string(SWITCH)?;
    if before != "0\n" {
        return Ok(Outcome::Skipped(format!("{SWITCH} is not 0")));
    }
    let netns = crowded(40)?;
    for (first, last) in [
        (None, "listening on"),
        (Some(Signal::SIGINT), "packets captured"),
    ] {
        let mut caught = 0;
        // The moment may be missed on a machine that has much to do.
        for _ in 0..10 {
            let mut tool = Tool::start(lab, &netns, "-i any -w /dev/null")?;
            if let Some(signal) = first {
                tool.ready()?;
                ensure!(
                    fs::read_to_string(SWITCH)? == before,
                    "short when it listens"
                );
                tool.signal(signal)?;
            }
            let is_caught = until(&format!("it says {last}"), PATIENCE, || {
                if fs::read_to_string(SWITCH)? != before {
                    return Ok(Some(true));
                }
                Ok(tool.said().contains(last).then_some(false))
            })?;
            tool.signal(Signal::SIGKILL)?;
            tool.wait()?;
            until("grace periods are as they were", PATIENCE, || {
                Ok((fs::read_to_string(SWITCH)? == before).then_some(()))
            })?;
            caught += u32::from(is_caught);
            if caught == 3 {
                break;
            }
        }
        ensure!(caught > 0, "before it says {last:?} they are never short");
    }
    Ok(Outcome::Passed)
}

/// A namespace with so many pairs of devices.
fn crowded(pairs: u32) -> Result<Netns> {
    let netns = Netns::quiet()?;
    for number in 0..pairs {
        Netns::cable(
            (&netns, &format!("crowd{number}")),
            (&netns, &format!("other{number}")),
        )?;
    }
    Ok(netns)
}

/// What a machine with many devices sends all arrives while captures begin and end.
pub fn nothing_disturbed(lab: &Lab) -> Result<Outcome> {
    if !lab.has_tcx()? {
        let why = "this kernel has no tcx: a queueing discipline comes and goes";
        return Ok(Outcome::Skipped(why.into()));
    }
    let netns = crowded(10)?;
    let line = Line::loopback(&netns)?;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let sender = scope.spawn(|| -> Result<()> {
            while !over.load(Ordering::SeqCst) {
                // Each is waited for.
                line.send(1)?;
            }
            Ok(())
        });
        let captures = (0..5).try_for_each(|_| {
            let tool = Tool::listening(lab, &netns, "-i any -w /dev/null")?;
            tool.stop()?.expect_status(0)
        });
        over.store(true, Ordering::SeqCst);
        sender.join().expect("the thread returns its error")?;
        captures
    })?;
    Ok(Outcome::Measured(format!("{} datagrams", line.sent())))
}

/// Whether the kernel still has a program. Attached to anything, it has.
pub fn is_loaded(program: u32) -> bool {
    bpftool(&["prog", "show", "id", &program.to_string()]).is_ok()
}

/// What hangs on a device: XDP, tcx and tc programs, qdiscs and filters.
pub fn attached(netns: &Netns, device: &str) -> Result<String> {
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
