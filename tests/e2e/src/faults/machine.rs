//! What happens to a whole machine: its clock is set, a CPU is taken away and comes back, it sleeps.
//! Only in a guest that has nothing else to do, which says so by `E2E_GUEST`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

use super::Options;
use crate::cases::Outcome;
use crate::cases::loss::flood_in;
use crate::lab::{Lab, PATIENCE, until};
use crate::netns::Netns;
use crate::seen::{Seen, read_file};
use crate::tool::Tool;
use crate::traffic::{Line, expect_numbers};

/// Why a case is not played on a machine that others use.
fn elsewhere() -> Option<Outcome> {
    let is_guest = std::env::var_os("E2E_GUEST").is_some();
    let reason = "is for guests of cargo xtask vm: it changes the whole machine";
    (!is_guest).then(|| Outcome::Skipped(reason.into()))
}

const SECOND: i64 = 1_000_000_000;
/// The clock is set by so much, which is more than anything takes.
const HOUR: i64 = 3600;

fn clock(id: ClockId) -> Result<i64> {
    let time = clock_gettime(id)?;
    Ok(time.tv_sec() * SECOND + time.tv_nsec())
}

/// The wall clock, which is set right again when this is dropped.
struct WallClock {
    /// What it was ahead of the monotonic one.
    ahead: i64,
}

impl WallClock {
    fn new() -> Result<Self> {
        let ahead = clock(ClockId::CLOCK_REALTIME)? - clock(ClockId::CLOCK_MONOTONIC)?;
        Ok(Self { ahead })
    }

    /// So many seconds ahead of what is right.
    fn set(&self, seconds: i64) -> Result<()> {
        let right = clock(ClockId::CLOCK_MONOTONIC)? + self.ahead;
        let word = format!("@{}", right / SECOND + seconds);
        let output = Command::new("date").args(["-s", &word]).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "date -s {word}: {}", said.trim());
        Ok(())
    }
}

impl Drop for WallClock {
    fn drop(&mut self) {
        // A case that failed is told; this is only for those after it.
        let _ = self.set(0);
    }
}

/// A capture of numbered datagrams that shows each time at once, too.
struct Shown {
    tool: Tool,
    line: Line,
    path: std::path::PathBuf,
}

impl Shown {
    fn start(lab: &Lab) -> Result<Self> {
        let netns = Netns::new()?;
        let line = Line::loopback(&netns)?;
        let path = lab.file(&format!("machine{}.pcapng", lab.number()));
        let words = format!("-i lo -n -tt -l --print -w {}", path.display());
        let tool = Tool::listening(lab, &netns, &words)?;
        Ok(Self { tool, line, path })
    }

    /// Sends so many, and waits until all that was sent is shown; gives how far the last packet's
    /// time is from now, in seconds.
    fn exchange(&self, count: u32) -> Result<i64> {
        self.line.send(count)?;
        let sent = self.line.sent() as usize;
        let last = until("all is shown", PATIENCE, || {
            let output = String::from_utf8_lossy(&self.tool.output()).into_owned();
            let mut lines = output.lines().filter(|line| line.contains("UDP, length"));
            let last = lines.nth(sent - 1).map(str::to_owned);
            // A line may be on its way.
            Ok(last.filter(|_| output.ends_with('\n')))
        })?;
        let time = last.split('.').next().context("no time")?.parse::<i64>()?;
        Ok(time - clock(ClockId::CLOCK_REALTIME)? / SECOND)
    }

    /// Waits until packets have the time that the clock says.
    fn until_right(&self, what: &str) -> Result<()> {
        until(what, PATIENCE, || {
            // What is shown late is from before, and not from an hour before.
            Ok((self.exchange(1)?.abs() < HOUR / 2).then_some(()))
        })
    }

    /// Every packet once and in the order in which it was sent.
    fn stop(self) -> Result<Vec<Seen>> {
        let ended = self.tool.stop()?;
        ended.expect_status(0)?;
        let counts = ended.counts()?;
        let packets = read_file(&self.path)?;
        fs::remove_file(&self.path)?;
        ensure!(
            counts.dropped == 0 && counts.captured == u64::from(self.line.sent()),
            "{} sent, {counts:?}",
            self.line.sent()
        );
        expect_numbers(&packets, 0..self.line.sent())?;
        Ok(packets)
    }
}

/// The clock is set ahead and back: packets after it have its time, their order stays that in
/// which they were sent, and nothing else moves their times.
pub fn clock_steps(lab: &Lab, _: &Options) -> Result<Outcome> {
    if let Some(skipped) = elsewhere() {
        return Ok(skipped);
    }
    let wall = WallClock::new()?;
    let shown = Shown::start(lab)?;
    shown.exchange(20)?;
    for seconds in [HOUR, -HOUR, 0] {
        wall.set(seconds)?;
        shown.until_right("packets have the new time")?;
        let off = shown.exchange(20)?;
        ensure!(off.abs() < HOUR / 2, "{seconds} s: {off} s from it again");
    }
    let packets = shown.stop()?;
    let steps: Vec<i64> = packets
        .windows(2)
        .filter_map(|pair| {
            let [before, after] = pair else { return None };
            let step = after.time - before.time;
            (!(0..HOUR / 2 * SECOND).contains(&step)).then_some(step / SECOND)
        })
        .collect();
    let is_near = |step: i64, wanted: i64| (step - wanted).abs() < HOUR / 2;
    let [ahead, back, right] = steps[..] else {
        anyhow::bail!("three steps, and the times go {steps:?}");
    };
    ensure!(
        is_near(ahead, HOUR) && is_near(back, -2 * HOUR) && is_near(right, HOUR),
        "the times go {steps:?}"
    );
    let count = packets.len();
    Ok(Outcome::Measured(format!(
        "{count} packets, steps {steps:?}"
    )))
}

/// A CPU that can be taken away, back when this is dropped.
struct Cpu(u32);

impl Cpu {
    fn set(&self, online: bool) -> Result<()> {
        let path = format!("/sys/devices/system/cpu/cpu{}/online", self.0);
        let mut word = fs::read_to_string(&path)?;
        let wanted = if online { "1" } else { "0" };
        if word.trim() != wanted {
            fs::write(&path, wanted).with_context(|| format!("{wanted} to {path}"))?;
            word = fs::read_to_string(&path)?;
        }
        ensure!(word.trim() == wanted, "{path} stays {}", word.trim());
        Ok(())
    }
}

impl Drop for Cpu {
    fn drop(&mut self) {
        // A case that failed is told; this is only for those after it.
        let _ = self.set(true);
    }
}

/// A CPU goes and comes, under a capture and before one begins; whoever sends is on it
/// whenever it is there. All that was sent is captured or counted.
pub fn cpu_unplugged(lab: &Lab, _: &Options) -> Result<Outcome> {
    if let Some(skipped) = elsewhere() {
        return Ok(skipped);
    }
    let cpu = Cpu(1);
    if !Path::new("/sys/devices/system/cpu/cpu1/online").exists() {
        return Ok(Outcome::Skipped(
            "no second CPU that can be taken away".into(),
        ));
    }
    let mut figures = Vec::new();
    for from_the_start in [true, false] {
        cpu.set(from_the_start)?;
        let figure = unplugged(lab, &cpu);
        figures.push(figure.with_context(|| format!("there at the start: {from_the_start}"))?);
    }
    Ok(Outcome::Measured(figures.join("; ")))
}

/// How often it goes.
const ROUNDS: u32 = 4;

fn unplugged(lab: &Lab, cpu: &Cpu) -> Result<String> {
    let netns = Netns::new()?;
    let mut flood = flood_in(lab, &netns)?;
    let path = lab.file("unplugged.pcapng");
    let words = format!("-i lo -w {}", path.display());
    let tool = Tool::listening(lab, &netns, &words)?;
    let mut there = CpuSet::new();
    there.set(usize::try_from(cpu.0)?)?;
    let sender = Pid::from_raw(i32::try_from(flood.sender.pid)?);
    let mut sent = 0;
    for _ in 0..ROUNDS {
        cpu.set(true)?;
        sched_setaffinity(sender, &there)?;
        sent += flood.sender.act("flood 1 1000 100")?.number()?;
        flood.sender.begin("flood 1 20000 100")?;
        // In the middle of it; the kernel moves the sender to another one.
        cpu.set(false)?;
        sent += flood.sender.end()?.number()?;
        sent += flood.sender.act("flood 1 1000 100")?.number()?;
    }
    cpu.set(true)?;
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    let counts = ended.counts()?;
    let packets = read_file(&path)?;
    fs::remove_file(&path)?;
    let lost = lost_before_the_device(flood.sender.pid)?;
    let figures = format!(
        "sent {sent}, {lost} lost before they came in, {counts:?}, in the file {}",
        packets.len()
    );
    counts
        .add_up(i64::from(sent) - lost, packets.len())
        .with_context(|| figures.clone())?;
    ensure!(
        packets.is_sorted_by_key(|packet| packet.time),
        "not in the order of time: {figures}"
    );
    Ok(figures)
}

/// What the loopback device of a process's namespace has not received of what was sent: the queue
/// of a CPU was full, which is before any capture.
fn lost_before_the_device(pid: u32) -> Result<i64> {
    let text = fs::read_to_string(format!("/proc/{pid}/net/dev"))?;
    let lines = text.lines();
    let mut counters = lines.filter_map(|line| line.trim().strip_prefix("lo:"));
    let dropped = counters
        .next()
        .and_then(|line| line.split_whitespace().nth(3));
    Ok(dropped.context("no counters of lo")?.parse()?)
}

/// How deep the machine sleeps: to memory, where an emulated one wakes up by its clock.
const DEPTH: &str = "/sys/power/mem_sleep";
const ALARM: &str = "/sys/class/rtc/rtc0/wakealarm";

/// Sleeps 10 seconds.
fn sleep() -> Result<()> {
    let steps = [
        (ALARM, "0"),
        (ALARM, "+10"),
        (DEPTH, "deep"),
        ("/sys/power/state", "mem"),
    ];
    for (file, word) in steps {
        fs::write(file, word).with_context(|| format!("{word} to {file}"))?;
    }
    Ok(())
}

/// The machine sleeps and wakes up: the capture goes on, and times are those of the clock again.
pub fn suspended(lab: &Lab, _: &Options) -> Result<Outcome> {
    if let Some(skipped) = elsewhere() {
        return Ok(skipped);
    }
    let depths = fs::read_to_string(DEPTH).unwrap_or_default();
    if !depths.contains("deep") {
        return Ok(Outcome::Skipped("this machine cannot sleep".into()));
    }
    if !Path::new(ALARM).exists() {
        return Ok(Outcome::Skipped("nothing would wake this machine".into()));
    }
    let shown = Shown::start(lab)?;
    shown.exchange(20)?;
    // The monotonic clock stands still meanwhile.
    let slept = || -> Result<i64> {
        Ok((clock(ClockId::CLOCK_BOOTTIME)? - clock(ClockId::CLOCK_MONOTONIC)?) / SECOND)
    };
    let before = slept()?;
    sleep()?;
    let slept = slept()? - before;
    ensure!(slept >= 5, "slept {slept} s");
    until("packets have the time of the clock", PATIENCE, || {
        Ok((shown.exchange(1)?.abs() < slept / 2).then_some(()))
    })?;
    let packets = shown.stop()?;
    ensure!(
        packets.is_sorted_by_key(|packet| packet.time),
        "not in the order of time"
    );
    let count = packets.len();
    Ok(Outcome::Measured(format!(
        "slept {slept} s, {count} packets"
    )))
}
