//! `bench files`: how long a large capture takes to be read and written, beside the installed
//! tcpdump and tshark by turns in one run, and how much memory it takes.
//!
//! Judged by ratios alone: no more than 1.2 times tcpdump's time, less than three quarters of
//! tshark's, and less than 30 MB whatever the size.

#![expect(clippy::print_stdout, reason = "a measurement is there to be seen")]

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::shell::{cargo, command, run, target};

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
pub fn bench(words: &[String]) -> Outcome {
    let options = Options::parse(words)?;
    run(&mut command(
        cargo(),
        &["build", "--release", "--package", "pktwho"],
    ))?;
    let ours = target().join("release/pktwho");
    let folder = Scratch(
        options
            .folder
            .join(format!("pktwho-bench-{}", std::process::id())),
    );
    let failed = |error: std::io::Error| format!("{}: {error}", folder.0.display());
    fs::create_dir(&folder.0).map_err(failed)?;
    let big = folder.0.join("big.pcap");
    capture(&big, options.packets).map_err(failed)?;
    let size = fs::metadata(&big).map_err(failed)?.len() >> 20;
    println!(
        "{} packets, {size} MiB, in {}; medians of {} rounds",
        options.packets,
        options.folder.display(),
        options.rounds
    );
    let ng = folder.0.join("big.pcapng");
    once(&ours, &big, &ng)?;
    let null = PathBuf::from("/dev/null");
    let out = |name: &str| folder.0.join(name);
    let mut missed = false;
    for (name, from, to, tcpdump_to) in [
        ("pcap to /dev/null", &big, &null, &null),
        ("pcap to pcapng", &big, &out("a.pcapng"), &out("b.pcap")),
        ("pcap to pcap", &big, &out("a.pcap"), &out("b.pcap")),
        ("pcapng to pcapng", &ng, &out("a.pcapng"), &out("b.pcap")),
    ] {
        let mut runs = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..options.rounds {
            let tools = [
                (ours.as_path(), to),
                (Path::new("tcpdump"), tcpdump_to),
                (Path::new("tshark"), to),
            ];
            for ((tool, to), runs) in tools.iter().zip(&mut runs) {
                runs.extend(once(tool, from, to)?);
            }
        }
        missed |= judge(name, &mut runs);
    }
    if missed {
        Err("a bar is missed".to_owned())
    } else {
        Ok(())
    }
}

/// How long one run took, and its peak memory in KiB; `None` when there is no such tool.
fn once(tool: &Path, from: &Path, to: &Path) -> Result<Option<(Duration, u64)>, String> {
    let start = Instant::now();
    let child = Command::new(tool)
        .arg("-r")
        .arg(from)
        .arg("-w")
        .arg(to)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        return Ok(None);
    };
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0;
    loop {
        // The kernel keeps the highest value; it is gone with the process.
        memory = memory.max(peak(&status).unwrap_or(0));
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(Some((start.elapsed(), memory))),
            Ok(None) => std::thread::sleep(Duration::from_millis(1)),
            _ => return Err(format!("{} failed", tool.display())),
        }
    }
}

fn peak(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Prints a line and says whether a bar was missed.
fn judge(name: &str, runs: &mut [Vec<(Duration, u64)>; 3]) -> bool {
    let memory = runs
        .first()
        .and_then(|ours| ours.iter().map(|run| run.1).max());
    let memory = memory.unwrap_or(0);
    let [ours, tcpdump, tshark] = runs.each_mut().map(|runs| {
        runs.sort();
        runs.get(runs.len() / 2).map(|run| run.0.as_secs_f64())
    });
    let Some(ours) = ours else {
        return true;
    };
    let against = |theirs: Option<f64>| {
        theirs.map_or_else(
            || "not here".to_owned(),
            |t| format!("{t:.3} s, ratio {:.2}", ours / t),
        )
    };
    let slow = tcpdump.is_some_and(|theirs| ours > 1.2 * theirs)
        || tshark.is_some_and(|theirs| ours > 0.75 * theirs);
    let missed = slow || memory > MEMORY;
    println!(
        "{} {name}: {ours:.3} s, {memory} KiB; tcpdump {}; tshark {}",
        if missed { "MISSED" } else { "met   " },
        against(tcpdump),
        against(tshark)
    );
    missed
}

/// Writes a capture of TCP segments of several lengths.
fn capture(path: &Path, packets: u32) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 1] {
        file.write_all(&word.to_le_bytes())?;
    }
    let segments = [26, 50, 200, 600, 1460].map(segment);
    for (number, segment) in (0..packets).zip(segments.iter().cycle()) {
        let len = u32::try_from(segment.len()).unwrap_or(0);
        for word in [
            1_700_000_000 + number / 10_000,
            number % 10_000 * 100,
            len,
            len,
        ] {
            file.write_all(&word.to_le_bytes())?;
        }
        file.write_all(segment)?;
    }
    file.flush()
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
