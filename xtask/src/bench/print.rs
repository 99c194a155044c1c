//! `bench print`: how long it takes to print a large file, and how much memory, beside the
//! installed tcpdump.
//!
//! Both read the same file, a million and more packets of everyday protocols, and print to
//! `/dev/null`, by turns; we on one processor, and on all that there are (decision 8). The bars are the ratio
//! of their times on one processor and our peak of memory. No root.

use std::fs;
use std::io::{self, Write};
use std::process::Command;

use super::runs;
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
    let rounds = runs::rounds(words, 5, "usage: cargo xtask bench print [--rounds N]")?;
    let tool = runs::build()?;
    let packets = packets().map_err(|error| format!("cannot read the golden captures: {error}"))?;
    let mut packets = packets.iter().cycle();
    let path = shell::target().join("bench-print.pcap");
    let file = runs::capture(&path, PACKETS, |frame, _| {
        frame.extend(packets.next().into_iter().flatten());
    })?;
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
        let command = |at| {
            let mut command = match at {
                0 => Command::new("taskset"),
                1 => Command::new(&tool),
                _ => Command::new("tcpdump"),
            };
            if at == 0 {
                command.args(["--cpu-list", "0"]).arg(&tool);
            }
            command.arg("-r").arg(&file.0).args(args).env_remove("TZ");
            command.envs(zone.map(|zone| ("TZ", zone)));
            command
        };
        let [Some(ours), Some(all), Some(theirs)] = runs::compare(rounds, command)? else {
            return Err("tcpdump or taskset is not installed".into());
        };
        let ratio = ours.ratio(theirs);
        let memory = ours.memory.max(all.memory);
        let met = ratio <= RATIO && memory <= MEMORY;
        say(format!(
            "{} {:9} TZ {:5} {:8.1?} against tcpdump's {:8.1?}: {ratio:.2} (wanted: at most {RATIO}), on all processors {:8.1?}: {:.2} of that on one; {memory} KiB against {} (wanted: at most {MEMORY})",
            if met { "met   " } else { "MISSED" },
            args.join(" "),
            zone.unwrap_or("unset"),
            ours.time,
            theirs.time,
            all.time,
            all.ratio(ours),
            theirs.memory,
        ))?;
        missed += u32::from(!met);
    }
    match missed {
        0 => Ok(()),
        _ => Err(format!("{missed} bars missed")),
    }
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
