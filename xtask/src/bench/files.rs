//! `bench files`: how long a large capture takes to be read and written, beside the installed
//! tcpdump and tshark by turns in one run, and how much memory it takes.
//!
//! Judged by ratios alone: no more than 1.2 times tcpdump's time, less than three quarters of
//! tshark's, and less than 30 MB whatever the size.

#![expect(clippy::print_stdout, reason = "a measurement is there to be seen")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::runs::{self, Cost};
use crate::Outcome;
use crate::shell::target;

const HELP: &str = "usage: cargo xtask bench files [--packets N] [--rounds N] [--folder PATH]";

/// Peak memory, in KiB, that we may take.
const MEMORY: u64 = 30 * 1024;

/// What is wanted of a run.
struct Options {
    packets: u32,
    rounds: usize,
    folder: PathBuf,
}

impl Options {
    fn parse(words: &[String]) -> Result<Self, String> {
        let shared = Path::new("/dev/shm");
        let mut options = Self {
            packets: 1_000_000,
            rounds: 5,
            // Disks write when they like, which no tool can help.
            folder: if shared.is_dir() {
                shared.to_owned()
            } else {
                target()
            },
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().ok_or(HELP)?;
            let number = || value.parse::<u32>().map_err(|_| HELP.to_owned());
            match word.as_str() {
                "--packets" => options.packets = number()?.max(1),
                "--rounds" => options.rounds = number()?.max(1) as usize,
                "--folder" => options.folder = value.into(),
                _ => return Err(HELP.to_owned()),
            }
        }
        Ok(options)
    }
}

/// A folder that is removed when dropped.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs the bench.
///
/// # Errors
/// A bar is missed, or a tool fails.
pub fn run(words: &[String]) -> Outcome {
    let options = Options::parse(words)?;
    let ours = runs::build()?;
    let folder = Scratch(
        options
            .folder
            .join(format!("pktwho-bench-{}", std::process::id())),
    );
    let failed = |error: std::io::Error| format!("{}: {error}", folder.0.display());
    fs::create_dir(&folder.0).map_err(failed)?;
    let segments = [26, 50, 200, 600, 1460].map(segment);
    let mut segments = segments.iter().cycle();
    let big = runs::capture(&folder.0.join("big.pcap"), options.packets, |frame, _| {
        frame.extend(segments.next().into_iter().flatten());
    })?;
    let size = fs::metadata(&big.0).map_err(failed)?.len() >> 20;
    println!(
        "{} packets, {size} MiB, in {}; medians of {} rounds",
        options.packets,
        options.folder.display(),
        options.rounds
    );
    let convert = |tool: &Path, from: &Path, to: &Path| {
        let mut command = Command::new(tool);
        command.arg("-r").arg(from).arg("-w").arg(to);
        command
    };
    let ng = folder.0.join("big.pcapng");
    runs::compare::<1>(1, |_| convert(&ours, &big.0, &ng))?;
    let null = PathBuf::from("/dev/null");
    let out = |name: &str| folder.0.join(name);
    let mut missed = false;
    for (name, from, to, tcpdump_to) in [
        ("pcap to /dev/null", &big.0, &null, &null),
        ("pcap to pcapng", &big.0, &out("a.pcapng"), &out("b.pcap")),
        ("pcap to pcap", &big.0, &out("a.pcap"), &out("b.pcap")),
        ("pcapng to pcapng", &ng, &out("a.pcapng"), &out("b.pcap")),
    ] {
        let costs = runs::compare(options.rounds, |at| match at {
            0 => convert(&ours, from, to),
            1 => convert(Path::new("tcpdump"), from, tcpdump_to),
            _ => convert(Path::new("tshark"), from, to),
        })?;
        missed |= judge(name, costs);
    }
    if missed {
        Err("a bar is missed".to_owned())
    } else {
        Ok(())
    }
}

/// Prints a line and says whether a bar was missed.
fn judge(name: &str, [ours, tcpdump, tshark]: [Option<Cost>; 3]) -> bool {
    let Some(ours) = ours else {
        return true;
    };
    let against = |theirs: Option<Cost>| {
        theirs.map_or_else(
            || "not here".to_owned(),
            |theirs| format!("{:.3?}, ratio {:.2}", theirs.time, ours.ratio(theirs)),
        )
    };
    let slow = tcpdump.is_some_and(|theirs| ours.ratio(theirs) > 1.2)
        || tshark.is_some_and(|theirs| ours.ratio(theirs) > 0.75);
    let missed = slow || ours.memory > MEMORY;
    println!(
        "{} {name}: {:.3?}, {} KiB; tcpdump {}; tshark {}",
        if missed { "MISSED" } else { "met   " },
        ours.time,
        ours.memory,
        against(tcpdump),
        against(tshark)
    );
    missed
}

/// An Ethernet frame of a TCP segment with so many bytes.
fn segment(payload: u16) -> Vec<u8> {
    let [high, low] = (40 + payload).to_be_bytes();
    let mut bytes = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    bytes.extend_from_slice(&[0x45, 0, high, low, 0, 1, 0x40, 0, 64, 6, 0, 0]);
    bytes.extend_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2, 0x9c, 0x40, 0, 80]);
    bytes.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 4, 0, 0, 0, 0, 0]);
    bytes.extend((0..payload).map(|at| at.to_le_bytes()[0]));
    bytes
}
