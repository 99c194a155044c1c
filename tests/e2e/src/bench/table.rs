//! Medians of the rounds, and how they are printed.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::{Context, Result};

use super::generator::Load;
use super::{Run, Tools};

/// All rounds of one tool under one load.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    rate: Vec<u64>,
    sent: Vec<u64>,
    captured: Vec<u64>,
    dropped: Vec<u64>,
    /// Sent, not captured and not reported as dropped; negative when reported twice.
    unreported: Vec<i64>,
    nanos: Vec<i64>,
    added: Vec<i64>,
    user: Vec<Duration>,
    system: Vec<Duration>,
}

impl Cell {
    /// Enters a round; `baseline` is the ns per packet without any tool in that round.
    pub fn add(&mut self, run: &Run, baseline: i64) -> Result<()> {
        let sent = run.sent.packets;
        let milliseconds = u64::try_from(run.elapsed.as_millis())?.max(1);
        self.rate.push(sent * 1000 / milliseconds);
        self.sent.push(sent);
        if let Some(counts) = run.counts {
            self.captured.push(counts.captured);
            self.dropped.push(counts.dropped);
            let accounted = counts.captured + counts.dropped;
            let unreported = i64::try_from(sent)? - i64::try_from(accounted)?;
            self.unreported.push(unreported);
        }
        self.nanos.push(run.sent.nanos_per_packet());
        self.added.push(run.sent.nanos_per_packet() - baseline);
        self.user.push(run.user);
        self.system.push(run.system);
        Ok(())
    }

    /// The worst round's.
    pub fn unreported(&self) -> i64 {
        let worst = self.unreported.iter().max_by_key(|count| count.abs());
        worst.copied().unwrap_or(0)
    }

    pub fn most_dropped(&self) -> u64 {
        self.dropped.iter().max().copied().unwrap_or(0)
    }

    /// The sender's ns per packet above the baseline.
    pub fn added(&self) -> i64 {
        median(&self.added).unwrap_or(0)
    }

    /// Mean user CPU time of a round: the kernel tells user from system time by sampling,
    /// which evens out only over rounds.
    pub fn user(&self) -> Duration {
        mean(&self.user).unwrap_or_default()
    }
}

fn median<T: Copy + Ord>(values: &[T]) -> Option<T> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

fn mean(values: &[Duration]) -> Option<Duration> {
    let count = u32::try_from(values.len()).ok()?;
    values.iter().sum::<Duration>().checked_div(count)
}

pub fn head(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "\n{:15} {:8} {:>9} {:>9} {:>9} {:>8} {:>10} {:>6} {:>6} {:>9} {:>9}",
        "load",
        "tool",
        "sent/s",
        "sent",
        "captured",
        "dropped",
        "unreported",
        "ns",
        "+ns",
        "user ms",
        "system ms"
    )
}

pub fn line(out: &mut impl Write, load: Load, tool: Tools, cell: &Cell) -> Result<()> {
    let count = |values: &[u64]| median(values).map_or("-".to_owned(), |value| value.to_string());
    let time = |values: &[Duration]| {
        mean(values).map_or("-".to_owned(), |t| format!("{:.1}", t.as_secs_f64() * 1e3))
    };
    let name = match tool {
        Tools::None => "none",
        Tools::Pktwho => "pktwho",
        Tools::Tcpdump => "tcpdump",
    };
    let captures = tool != Tools::None;
    let sends = load != Load::IDLE;
    let only = |text: String| if captures { text } else { "-".to_owned() };
    let nanos = median(&cell.nanos).context("no rounds")?.to_string();
    writeln!(
        out,
        "{:15} {name:8} {:>9} {:>9} {:>9} {:>8} {:>10} {:>6} {:>6} {:>9} {:>9}",
        load.name(),
        count(&cell.rate),
        count(&cell.sent),
        count(&cell.captured),
        count(&cell.dropped),
        only(cell.unreported().to_string()),
        if sends { nanos } else { "-".into() },
        only(if sends {
            format!("{:+}", cell.added())
        } else {
            "-".into()
        }),
        only(time(&cell.user)),
        only(time(&cell.system)),
    )?;
    Ok(())
}
