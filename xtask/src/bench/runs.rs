//! What the benches on files share: a capture to read, runs of a tool measured, tools by turns.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::shell;

/// What one run took, or the median of several with the highest memory of all.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    pub time: Duration,
    /// Peak of resident memory, in KiB.
    pub memory: u64,
}

impl Cost {
    fn of(mut runs: Vec<Self>) -> Self {
        runs.sort_unstable_by_key(|run| run.time);
        Self {
            memory: runs.iter().map(|run| run.memory).max().unwrap_or(0),
            ..runs.get(runs.len() / 2).copied().unwrap_or_default()
        }
    }

    /// This time as a part of another.
    pub fn ratio(self, other: Self) -> f64 {
        self.time.as_secs_f64() / other.time.as_secs_f64()
    }
}

/// Builds the tool as it is shipped; where it is then.
pub fn build() -> Result<PathBuf, String> {
    let words = ["build", "--release", "--package", "pktwho"];
    shell::run(&mut shell::command(shell::cargo(), &words))?;
    Ok(shell::target().join("release/pktwho"))
}

/// The number after `--rounds`, or as many as usual.
pub fn rounds(words: &[String], usual: usize, usage: &str) -> Result<usize, String> {
    match words {
        [] => Ok(usual),
        [word, count] if word == "--rounds" => match count.parse() {
            Ok(count) if count > 0 => Ok(count),
            _ => Err(format!("how many is {count}?")),
        },
        _ => Err(usage.to_owned()),
    }
}

/// Runs each command so many times, by turns and once before that counts; the medians. `None` for
/// a tool that is not there.
pub fn compare<const N: usize>(
    rounds: usize,
    command: impl Fn(usize) -> Command,
) -> Result<[Option<Cost>; N], String> {
    let mut runs: [Vec<Cost>; N] = std::array::from_fn(|_| Vec::new());
    for round in 0..=rounds {
        for turn in 0..N {
            let at = if round % 2 == 1 { N - 1 - turn } else { turn };
            let cost = once(&mut command(at))?;
            if round > 0
                && let Some(runs) = runs.get_mut(at)
            {
                runs.extend(cost);
            }
        }
    }
    Ok(runs.map(|runs| (!runs.is_empty()).then(|| Cost::of(runs))))
}

/// One run; its memory is looked at while it runs.
fn once(command: &mut Command) -> Result<Option<Cost>, String> {
    let tool = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = match command.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        child => child.map_err(|error| format!("cannot run {tool}: {error}"))?,
    };
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0;
    loop {
        // The kernel keeps the highest value; it is gone with the process.
        memory = peak(&status).unwrap_or(0).max(memory);
        match child.try_wait() {
            Ok(Some(status)) if status.success() => {
                let time = start.elapsed();
                return Ok(Some(Cost { time, memory }));
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(1)),
            Ok(Some(status)) => return Err(format!("{tool}: {status}")),
            Err(error) => return Err(format!("{tool}: {error}")),
        }
    }
}

fn peak(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// A file that is removed when dropped: captures for benches are large.
pub struct Scratch(pub PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Writes a pcap of Ethernet frames; `frame` puts the one of a number into the empty buffer.
pub fn capture(
    path: &Path,
    packets: u32,
    frame: impl FnMut(&mut Vec<u8>, u32),
) -> Result<Scratch, String> {
    let scratch = Scratch(path.to_owned());
    match write(path, packets, frame) {
        Ok(()) => Ok(scratch),
        Err(error) => Err(format!("cannot write {}: {error}", path.display())),
    }
}

fn write(path: &Path, packets: u32, mut frame: impl FnMut(&mut Vec<u8>, u32)) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 1] {
        file.write_all(&word.to_le_bytes())?;
    }
    let mut bytes = Vec::new();
    for number in 0..packets {
        bytes.clear();
        frame(&mut bytes, number);
        let length = u32::try_from(bytes.len()).unwrap_or(0);
        let time = [1_700_000_000 + number / 10_000, number % 10_000 * 100];
        for word in time.into_iter().chain([length; 2]) {
            file.write_all(&word.to_le_bytes())?;
        }
        file.write_all(&bytes)?;
    }
    file.flush()
}
