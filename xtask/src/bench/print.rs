//! `bench print`: how long it takes to print a large file, and how much memory, beside the
//! installed tcpdump.
//!
//! Both read the same file, a million and more packets of everyday protocols, and print to
//! `/dev/null`, by turns. The bars are the ratio of their times and our peak of memory. No root.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Outcome, shell};

/// Golden captures whose packets are repeated.
const CASES: [&str; 9] = [
    "tcp", "dns", "tcp", "text", "icmp", "tcp", "nd", "arp", "mdns",
];

const PACKETS: u32 = 1_200_000;

/// Arguments, and the least part of tcpdump's time that is allowed.
const RUNS: [&[&str]; 3] = [&["-n"], &["-n", "-v"], &["-n", "-e", "-t"]];

/// At most half of tcpdump's time.
const RATIO: f64 = 0.5;

/// At most so many KiB of memory.
const MEMORY: u64 = 30 * 1024;

/// `[--rounds N]`
///
/// # Errors
/// tcpdump is missing, something cannot be run, or a bar is missed.
pub fn run(words: &[String]) -> Outcome {
    let rounds = match words {
        [] => 5,
        [word, count] if word == "--rounds" => {
            count.parse().map_err(|_| format!("how many is {count}?"))?
        }
        _ => return Err("usage: cargo xtask bench print [--rounds N]".into()),
    };
    let build = ["build", "--release", "--package", "pktwho"];
    shell::run(&mut shell::command(shell::cargo(), &build))?;
    let path = shell::target().join("bench-print.pcap");
    let made = packets().and_then(|packets| {
        let file = BufWriter::new(File::create(&path)?);
        write(file, &packets)
    });
    let result = made
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
        .and_then(|()| compare(&path, rounds));
    // It is large.
    let _ = fs::remove_file(&path);
    result
}

/// What one run took.
#[derive(Clone, Copy, Default)]
struct Cost {
    time: Duration,
    /// Peak of resident memory, in KiB.
    memory: u64,
}

fn compare(path: &Path, rounds: usize) -> Outcome {
    let ours = shell::target().join("release/pktwho");
    let tools = [ours.as_path(), Path::new("tcpdump")];
    let mut out = io::stdout().lock();
    let mut say = |line: String| writeln!(out, "{line}").map_err(|error| error.to_string());
    say(format!(
        "{PACKETS} packets of mixed kinds, printed to /dev/null; medians of {rounds} rounds"
    ))?;
    let mut missed = 0_u32;
    for (zone, args) in [None, Some("UTC0")]
        .into_iter()
        .flat_map(|zone| RUNS.map(|args| (zone, args)))
    {
        let mut costs = [Vec::new(), Vec::new()];
        // Once for each to warm up.
        for round in 0..=rounds {
            let mut order = [0, 1];
            if round % 2 == 1 {
                order.reverse();
            }
            for at in order {
                if let (Some(tool), Some(costs)) = (tools.get(at), costs.get_mut(at)) {
                    let cost = once(tool, path, args, zone)?;
                    if round > 0 {
                        costs.push(cost);
                    }
                }
            }
        }
        let [ours, theirs] = costs.map(median);
        let ratio = ours.time.as_secs_f64() / theirs.time.as_secs_f64();
        let met = ratio <= RATIO && ours.memory <= MEMORY;
        say(format!(
            "{} {:9} TZ {:5} {:8.1?} against tcpdump's {:8.1?}: {ratio:.2} (wanted: at most {RATIO}); {} KiB against {} (wanted: at most {MEMORY})",
            if met { "met   " } else { "MISSED" },
            args.join(" "),
            zone.unwrap_or("unset"),
            ours.time,
            theirs.time,
            ours.memory,
            theirs.memory,
        ))?;
        missed += u32::from(!met);
    }
    match missed {
        0 => Ok(()),
        _ => Err(format!("{missed} bars missed")),
    }
}

fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_unstable_by_key(|cost| cost.time);
    Cost {
        memory: costs.iter().map(|cost| cost.memory).max().unwrap_or(0),
        ..costs.get(costs.len() / 2).copied().unwrap_or_default()
    }
}

/// What one run takes; its memory is looked at while it runs.
fn once(tool: &Path, path: &Path, args: &[&str], zone: Option<&str>) -> Result<Cost, String> {
    let failed = |error| format!("cannot run {}: {error}", tool.display());
    let mut command = Command::new(tool);
    command.arg("-r").arg(path).args(args).env_remove("TZ");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(zone) = zone {
        command.env("TZ", zone);
    }
    let start = Instant::now();
    let mut child = command.spawn().map_err(failed)?;
    let status = format!("/proc/{}/status", child.id());
    let mut memory = 0;
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            if !status.success() {
                return Err(format!("{}: {status}", tool.display()));
            }
            let time = start.elapsed();
            return Ok(Cost { time, memory });
        }
        memory = peak(&status).max(memory);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The peak of resident memory so far, in KiB.
fn peak(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// The packets of the golden captures, in Ethernet frames.
fn packets() -> io::Result<Vec<Vec<u8>>> {
    let folder = shell::root().join("tests/golden/print");
    let mut packets = Vec::new();
    for case in CASES {
        let bytes = fs::read(folder.join(case).with_extension("pcap"))?;
        let (header, mut rest) = bytes.split_at_checked(24).unwrap_or_default();
        let raw = number(header.get(20..)) == 101;
        while let Some((record, after)) = rest.split_at_checked(16) {
            let size = usize::try_from(number(record.get(8..))).unwrap_or(usize::MAX);
            let Some((packet, after)) = after.split_at_checked(size) else {
                break;
            };
            let mut frame = Vec::new();
            if raw {
                frame.extend([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
                let six = packet.first().is_some_and(|first| first >> 4 == 6);
                frame.extend(if six { [0x86, 0xdd] } else { [8, 0] });
            }
            frame.extend_from_slice(packet);
            packets.push(frame);
            rest = after;
        }
    }
    Ok(packets)
}

/// Four bytes, little-endian; 0 if they are missing.
fn number(bytes: Option<&[u8]>) -> u32 {
    let four = bytes.and_then(|bytes| bytes.first_chunk::<4>());
    four.map_or(0, |four| u32::from_le_bytes(*four))
}

fn write(mut file: impl Write, packets: &[Vec<u8>]) -> io::Result<()> {
    file.write_all(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0])?;
    file.write_all(&[0; 8])?;
    file.write_all(&262_144_u32.to_le_bytes())?;
    file.write_all(&1_u32.to_le_bytes())?;
    for (n, packet) in (0..PACKETS).zip(packets.iter().cycle()) {
        let length = u32::try_from(packet.len()).unwrap_or(0);
        let time = [1_700_000_000 + n / 10_000, n % 10_000 * 100];
        for number in time.into_iter().chain([length; 2]) {
            file.write_all(&number.to_le_bytes())?;
        }
        file.write_all(packet)?;
    }
    file.flush()
}
