//! How soon a capture captures: pktwho and the installed tcpdump in alternation on a loopback
//! device on which packets flow all the time.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Bars;
use crate::lab::{Lab, installed};
use crate::netns::Netns;
use crate::puppet::realtime;
use crate::seen::read_file;
use crate::tool::Tool;
use crate::traffic::Line;

/// From this long after its start on a capture is wanted to miss nothing.
const CAPTURING: Duration = Duration::from_millis(100);
/// The longest wanted from start to exit of `-c 1` with traffic ready.
const FIRST_PACKET: Duration = Duration::from_millis(300);

/// One tool's times, of all rounds.
struct Times<'a> {
    program: &'a Path,
    /// From the start of the process to the first packet captured.
    capturing: Vec<Duration>,
    /// From there to the end of `-c 1`.
    ended: Vec<Duration>,
}

/// Runs the bench and prints its table. Gives whether every bar was met.
///
/// # Errors
/// When a tool does not run.
pub fn run(lab: &Lab, rounds: usize) -> Result<bool> {
    let mut out = io::stdout().lock();
    let mut programs = vec![lab.pktwho.as_path()];
    if installed("tcpdump") {
        programs.push(Path::new("tcpdump"));
    }
    let mut tools: Vec<Times<'_>> = programs.into_iter().map(Times::new).collect();
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    for round in 0..rounds {
        for tool in &mut tools {
            let path = lab.file(&format!("start{round}"));
            line.sending(|| tool.measure(&netns, &path))?;
        }
    }
    writeln!(
        out,
        "-i lo -c 1 -w FILE, packets flowing; {rounds} rounds; median (fastest, slowest)"
    )?;
    for tool in &mut tools {
        let name = tool.program.file_name().unwrap_or_default().display();
        let capturing = figures(&mut tool.capturing)?;
        let ended = figures(&mut tool.ended)?;
        writeln!(
            out,
            "{name:<10} captures after {capturing}, ends after {ended}"
        )?;
    }
    let mut bars = Bars::default();
    if let Some(ours) = tools.first() {
        for (times, wanted, what) in [
            (&ours.capturing, CAPTURING, "start to first captured packet"),
            (&ours.ended, FIRST_PACKET, "start to exit of -c 1"),
        ] {
            let median = median(times)?;
            bars.bar(
                median <= wanted,
                &format!("{what}: {median:.1?} (wanted: at most {wanted:?})"),
            );
        }
    }
    for verdict in &bars.verdicts {
        writeln!(out, "{verdict}")?;
    }
    Ok(!bars.missed)
}

impl<'a> Times<'a> {
    fn new(program: &'a Path) -> Self {
        Self {
            program,
            capturing: Vec::new(),
            ended: Vec::new(),
        }
    }

    fn measure(&mut self, netns: &Netns, path: &Path) -> Result<()> {
        let (capturing, ended) = first_packet(self.program, netns, path, &[])?;
        self.capturing.push(capturing);
        self.ended.push(ended);
        Ok(())
    }
}

/// From the start of the process to its first packet, and to its end.
pub(super) fn first_packet(
    program: &Path,
    netns: &Netns,
    path: &Path,
    more: &[&str],
) -> Result<(Duration, Duration)> {
    let output = path.display().to_string();
    let words = ["-n", "-i", "lo", "-c", "1", "-w", &output];
    let begin = realtime()?;
    let ended = Tool::spawn(program, netns, &[&words[..], more].concat())?.wait()?;
    ended.expect_status(0)?;
    let packets = read_file(path)?;
    let first = packets.first().context("nothing captured")?;
    let delay = u64::try_from(first.time - begin).context("captured before the start")?;
    Ok((Duration::from_nanos(delay), ended.took))
}

/// Of sorted times.
pub(super) fn median(times: &[Duration]) -> Result<Duration> {
    times.get(times.len() / 2).copied().context("no times")
}

/// The median, the fastest and the slowest; sorts.
pub(super) fn figures(times: &mut [Duration]) -> Result<String> {
    times.sort_unstable();
    let mut text = format!("{:.1?}", median(times)?);
    if let (Some(fastest), Some(slowest)) = (times.first(), times.last()) {
        write!(text, " ({fastest:.1?}, {slowest:.1?})")?;
    }
    Ok(text)
}
