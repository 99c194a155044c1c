//! What a capture costs and what it loses: pktwho and the installed tcpdump in alternation
//! on the same veth pair, against no capture at all in the same round.
//!
//! The pair is silent but for the generator, so that what a tool captured is what was sent,
//! or it was lost; lost without being reported is the figure that has to be 0 for us. No
//! figure is compared with a constant of this machine, only A with B in one run.

pub mod generator;
mod layers;
pub mod runtimes;
pub mod start;
mod table;
pub mod tls;

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::signal::Signal;
use nix::sys::time::{TimeVal, TimeValLike};

use crate::lab::{Lab, installed, until};
use crate::netns::Netns;
use crate::tool::{Counts, Tool, counts_in};

use generator::{Generator, Load, Sent};
use table::Cell;

/// What is wanted of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long each load lasts.
    pub duration: Duration,
    pub rounds: usize,
    /// Only loads whose name holds one of these; all when empty.
    pub filter: Vec<String>,
    /// A file instead of `/dev/null`, for both tools.
    pub output: PathBuf,
    /// Device whose packets are captured: the sender's or the receiver's end.
    pub device: Device,
    /// A filter expression that no packet matches: what it costs to look and turn away.
    pub expression: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    Sender,
    Receiver,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(2),
            rounds: 5,
            filter: Vec::new(),
            output: "/dev/null".into(),
            device: Device::Sender,
            expression: None,
        }
    }
}

/// Who captures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tools {
    None,
    Pktwho,
    Tcpdump,
}

/// One tool under one load, once.
#[derive(Clone, Copy, Debug)]
struct Run {
    sent: Sent,
    counts: Option<Counts>,
    user: Duration,
    system: Duration,
    /// Wall time of the load.
    elapsed: Duration,
}

/// Runs the whole bench and prints its table. Gives whether every bar was met.
pub fn run(lab: &Lab, options: &Options) -> Result<bool> {
    let mut out = io::stdout().lock();
    let tools: &[Tools] = if installed("tcpdump") {
        &[Tools::None, Tools::Pktwho, Tools::Tcpdump]
    } else {
        writeln!(out, "tcpdump is not installed: pktwho alone")?;
        &[Tools::None, Tools::Pktwho]
    };
    write!(out, "{}", about(options)?)?;
    table::head(&mut out)?;
    let mut bars = Bars::default();
    let wanted = |load: &&Load| {
        let name = load.name();
        let named = |part: &String| name.contains(part.as_str());
        // The length does not matter to a packet that is not wanted.
        let fits = options.expression.is_none() || (load.length == 64 && **load != Load::IDLE);
        fits && (options.filter.is_empty()
            || **load == Load::IDLE
            || options.filter.iter().any(named))
    };
    for load in Load::ALL.iter().filter(wanted) {
        let mut cells: Vec<(Tools, Cell)> = tools.iter().map(|t| (*t, Cell::default())).collect();
        for round in 0..options.rounds {
            let mut baseline = None;
            for tool in order(tools, round) {
                let run = one(lab, options, *load, tool).with_context(|| load.name())?;
                let base = *baseline.get_or_insert(run.sent.nanos_per_packet());
                if let Some((_, cell)) = cells.iter_mut().find(|(of, _)| *of == tool) {
                    cell.add(&run, base)?;
                }
            }
        }
        for (tool, cell) in &cells {
            table::line(&mut out, *load, *tool, cell)?;
        }
        if options.expression.is_some() {
            bars.judge_filter(*load, &cells);
        } else {
            bars.judge(*load, &cells);
        }
    }
    for verdict in &bars.verdicts {
        writeln!(out, "{verdict}")?;
    }
    if options.expression.is_none() {
        layers::print(&mut out, lab)?;
    }
    Ok(!bars.missed)
}

/// The baseline first, then the tools by turns.
fn order(tools: &[Tools], round: usize) -> Vec<Tools> {
    let (first, rest) = tools.split_at(1);
    let mut rest = rest.to_vec();
    if round % 2 == 1 {
        rest.reverse();
    }
    [first, &rest].concat()
}

/// What was measured where, so that figures can be read elsewhere.
fn about(options: &Options) -> Result<String> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let cpus = std::thread::available_parallelism()?;
    let mut text = String::new();
    writeln!(
        text,
        "Linux {}, {cpus} CPUs; UDP over a veth pair, captured on the {} device, -w {}; \
         medians of {} rounds of {:.1} s (CPU times: means).\nLengths are whole Ethernet frames. `+ns` is the \
         sending thread's CPU time per packet above the baseline of the same round,\nafter pktwho's \
         first quarter of a second, in which it watches all that is sent on the machine.{}",
        kernel.trim(),
        match options.device {
            Device::Sender => "sender's",
            Device::Receiver => "receiver's",
        },
        options.output.display(),
        options.rounds,
        options.duration.as_secs_f32(),
        options
            .expression
            .as_ref()
            .map(|expression| format!("\nFilter, which no packet matches: {expression}"))
            .unwrap_or_default(),
    )?;
    Ok(text)
}

/// One load with one tool: quiet namespaces of its own, tool up, load, tool down.
fn one(lab: &Lab, options: &Options, load: Load, tools: Tools) -> Result<Run> {
    let (near, far) = Netns::pair()?;
    near.without_ipv6()?;
    far.without_ipv6()?;
    let mut generator = Generator::between(&near, &far)?;
    let (netns, device) = match options.device {
        Device::Sender => (&near, "near0"),
        Device::Receiver => (&far, "far0"),
    };
    let program = match tools {
        Tools::None => None,
        Tools::Pktwho => Some(lab.pktwho.as_path()),
        Tools::Tcpdump => Some(Path::new("tcpdump")),
    };
    let output = options.output.display().to_string();
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let tool = match program {
        Some(program) => {
            let mut words = vec!["-n", "-i", device, "-w", &output];
            words.extend(options.expression.as_deref());
            let mut tool = Tool::spawn(program, netns, &words)?;
            tool.ready()?;
            if tools == Tools::Pktwho {
                tool.until_relieved()?;
            }
            Some(tool)
        }
        None => None,
    };
    let start = std::time::Instant::now();
    let sent = generator.send(load, options.duration)?;
    let elapsed = start.elapsed();
    let counts = match tool {
        Some(tool) if options.expression.is_some() => {
            let ended = tool.stop()?;
            ended.expect_status(0)?;
            let captured = ended.counts()?.captured;
            ensure!(captured == 0, "{captured} packets match the filter");
            None
        }
        Some(tool) => Some(settle(tool, tools, sent.packets)?),
        None => None,
    };
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok(Run {
        sent,
        counts,
        user: spent(&before, &after, Usage::user_time)?,
        system: spent(&before, &after, Usage::system_time)?,
        elapsed,
    })
}

/// Ends the tool and gives what it says it captured and dropped. pktwho is interrupted at
/// once and must deliver what lies in its rings. tcpdump throws away what lies ready when it
/// is interrupted, so it is asked until it has accounted for everything or had time for it.
fn settle(mut tool: Tool, tools: Tools, sent: u64) -> Result<Counts> {
    if tools == Tools::Tcpdump {
        let mut asked = 0;
        // Longer than libpcap keeps a block that is not full; what then lacks is lost.
        let _ = until("tcpdump has read all", Duration::from_secs(2), || {
            let answers = tool.said().matches("dropped by kernel").count();
            if answers < asked {
                return Ok(None);
            }
            let all = |counts: Counts| counts.captured + counts.dropped >= sent;
            if asked > 0 && counts_in(&tool.said()).is_ok_and(all) {
                return Ok(Some(()));
            }
            asked += 1;
            tool.signal(Signal::SIGUSR1)?;
            Ok(None)
        });
        tool.until_said("dropped by kernel")?;
    }
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    ended.counts()
}

/// What the children that ended between two moments used.
fn spent(before: &Usage, after: &Usage, which: fn(&Usage) -> TimeVal) -> Result<Duration> {
    let microseconds = which(after).num_microseconds() - which(before).num_microseconds();
    Ok(Duration::from_micros(u64::try_from(microseconds)?))
}

/// What is wanted, and whether it was so.
#[derive(Default)]
struct Bars {
    /// User CPU time of an idle pktwho and an idle tcpdump.
    idle: (Duration, Duration),
    missed: bool,
    verdicts: Vec<String>,
}

impl Bars {
    fn judge(&mut self, load: Load, cells: &[(Tools, Cell)]) {
        let of = |tools| {
            cells
                .iter()
                .find(|(of, _)| *of == tools)
                .map(|(_, cell)| cell)
        };
        let Some(ours) = of(Tools::Pktwho) else {
            return;
        };
        if load == Load::IDLE {
            let theirs = of(Tools::Tcpdump).map_or(Duration::ZERO, Cell::user);
            self.idle = (ours.user(), theirs);
            return;
        }
        let name = load.name();
        let unreported = ours.unreported();
        self.bar(
            unreported == 0,
            &format!("{name}: {unreported} lost without being reported (wanted: 0)"),
        );
        if load.rate == Some(200_000) {
            let dropped = ours.most_dropped();
            self.bar(
                dropped == 0,
                &format!("{name}: {dropped} dropped in the worst round (wanted: 0)"),
            );
        }
        let Some(theirs) = of(Tools::Tcpdump) else {
            return;
        };
        // At the lowest rate most of what is measured is the noise of waking up.
        if load.length == 64 && load.rate != Some(50_000) {
            let (our, their) = (ours.added(), theirs.added());
            self.bar(
                2 * our <= their,
                &format!("{name}: +{our} ns against tcpdump's +{their} (wanted: at most half)"),
            );
        }
        if load.rate.is_some() {
            let (our, their) = (ours.user(), theirs.user());
            let busy = our.saturating_sub(self.idle.0);
            let their_busy = their.saturating_sub(self.idle.1);
            self.bar(
                busy <= their_busy,
                &format!(
                    "{name}: {busy:.1?} user CPU beyond idle against {their_busy:.1?} \
                     (wanted: no more; in all {our:.1?} against {their:.1?})"
                ),
            );
        }
    }

    /// No packet is wanted: a third of tcpdump's cost.
    fn judge_filter(&mut self, load: Load, cells: &[(Tools, Cell)]) {
        let of = |tools| cells.iter().find(|(of, _)| *of == tools);
        let (Some((_, ours)), Some((_, theirs))) = (of(Tools::Pktwho), of(Tools::Tcpdump)) else {
            return;
        };
        // At the lowest rate most of what is measured is the noise of waking up.
        if load.rate != Some(50_000) {
            let (name, our, their) = (load.name(), ours.added(), theirs.added());
            self.bar(
                3 * our <= their,
                &format!("{name}: +{our} ns against tcpdump's +{their} (wanted: at most a third)"),
            );
        }
    }

    fn bar(&mut self, met: bool, what: &str) {
        self.missed |= !met;
        let verdict = if met { "met   " } else { "MISSED" };
        self.verdicts.push(format!("{verdict} {what}"));
    }
}
