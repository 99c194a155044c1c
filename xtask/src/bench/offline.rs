//! `bench filter offline`: how long it takes to filter a large file, beside the installed tcpdump.
//!
//! Both read the same file and write what matches to `/dev/null`, by turns; the bar is the ratio
//! of their times. No root.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::{Outcome, shell};

/// One packet in twelve matches the first, none the second, all the third.
const EXPRESSIONS: [&str; 3] = ["tcp port 80", "udp port 9998", "ip or ip6 or arp"];

const PACKETS: u32 = 1_500_000;

/// `[--rounds N]`
///
/// # Errors
/// tcpdump is missing, something cannot be run, or it is the faster.
pub fn run(words: &[String]) -> Outcome {
    let rounds = match words {
        [] => 9,
        [word, count] if word == "--rounds" => {
            count.parse().map_err(|_| format!("how many is {count}?"))?
        }
        _ => return Err("usage: cargo xtask bench filter offline [--rounds N]".into()),
    };
    let build = ["build", "--release", "--package", "pktwho"];
    shell::run(&mut shell::command(shell::cargo(), &build))?;
    let path = shell::target().join("bench-filter.pcap");
    let made = File::create(&path).and_then(|file| write(BufWriter::new(file)));
    let result = made
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
        .and_then(|()| compare(&path, rounds));
    // It is large.
    let _ = std::fs::remove_file(&path);
    result
}

fn compare(path: &Path, rounds: usize) -> Outcome {
    let ours = shell::target().join("release/pktwho");
    let tools = [ours.as_path(), Path::new("tcpdump")];
    let mut out = io::stdout().lock();
    let mut say = |line: String| writeln!(out, "{line}").map_err(|error| error.to_string());
    say(format!(
        "{PACKETS} packets of mixed kinds, -r FILE -w /dev/null EXPRESSION; medians of {rounds} rounds"
    ))?;
    let mut slower = Vec::new();
    for expression in EXPRESSIONS {
        let mut times = [Vec::new(), Vec::new()];
        // Once for each to warm up.
        for round in 0..=rounds {
            let mut order = [0, 1];
            if round % 2 == 1 {
                order.reverse();
            }
            for at in order {
                if let (Some(tool), Some(times)) = (tools.get(at), times.get_mut(at)) {
                    let time = once(tool, path, expression)?;
                    if round > 0 {
                        times.push(time);
                    }
                }
            }
        }
        let [ours, theirs] = times.map(median);
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        let met = ratio <= 1.0;
        say(format!(
            "{} {expression:18} {ours:8.1?} against tcpdump's {theirs:8.1?}: {ratio:.2} (wanted: at most 1)",
            if met { "met   " } else { "MISSED" },
        ))?;
        if !met {
            slower.push(expression);
        }
    }
    if slower.is_empty() {
        Ok(())
    } else {
        Err(format!("slower than tcpdump: {}", slower.join(", ")))
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// How long one run takes.
fn once(tool: &Path, path: &Path, expression: &str) -> Result<Duration, String> {
    let mut command = Command::new(tool);
    command.arg("-r").arg(path);
    command.args(["-w", "/dev/null", expression]);
    let start = Instant::now();
    let output = command.output();
    let time = start.elapsed();
    match output {
        Ok(output) if output.status.success() => Ok(time),
        Ok(output) => Err(format!(
            "{}: {}",
            tool.display(),
            String::from_utf8_lossy(&output.stderr)
        )),
        Err(error) => Err(format!("cannot run {}: {error}", tool.display())),
    }
}

/// Twelve kinds of packets in turn, of a few lengths, between a few thousand addresses.
fn write(mut file: impl Write) -> io::Result<()> {
    file.write_all(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0])?;
    file.write_all(&[0; 8])?;
    file.write_all(&262_144_u32.to_le_bytes())?;
    file.write_all(&1_u32.to_le_bytes())?;
    let mut packet = Vec::new();
    for n in 0..PACKETS {
        packet.clear();
        frame(&mut packet, n);
        let length = u32::try_from(packet.len()).unwrap_or(0);
        for number in [
            1_700_000_000 + n / 100_000,
            n % 100_000 * 10,
            length,
            length,
        ] {
            file.write_all(&number.to_le_bytes())?;
        }
        file.write_all(&packet)?;
    }
    file.flush()
}

fn frame(packet: &mut Vec<u8>, n: u32) {
    let [_, _, high, low] = n.wrapping_mul(0x9e37_79b1).to_be_bytes();
    packet.extend([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
    let (tcp, udp) = (6, 17);
    let client = 32_768 + n % 20_000;
    let payload = [0, 40, 512, 1400].get((n / 12 % 4) as usize).copied();
    let payload = payload.unwrap_or(0);
    match n % 12 {
        0 => {
            packet.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
            packet.extend([2, 0, 0, 0, 0, 2, 10, 0, high, low]);
            packet.extend([0, 0, 0, 0, 0, 0, 10, 0, low, high]);
        }
        1 => ipv4(packet, tcp, [high, low], (client, 80), payload),
        2..=4 => ipv4(packet, tcp, [high, low], (443, client), payload),
        5 | 6 => ipv4(packet, udp, [high, low], (client, 53), 60),
        7 => ipv4(packet, udp, [high, low], (client, 4500), payload),
        8 => ipv4(packet, 1, [high, low], (0x0800, client), 56),
        9 | 10 => ipv6(packet, tcp, [high, low], (client, 443), payload),
        _ => ipv6(packet, udp, [high, low], (client, 53), 60),
    }
}

fn ipv4(packet: &mut Vec<u8>, protocol: u8, [high, low]: [u8; 2], ports: (u32, u32), payload: u16) {
    let length = 20 + transport(protocol) + payload;
    packet.extend([8, 0, 0x45, 0]);
    packet.extend(length.to_be_bytes());
    packet.extend([0, 1, 0x40, 0, 64, protocol, 0, 0, 10, 0, high, low]);
    packet.extend([192, 168, low, high]);
    segment(packet, protocol, ports, payload);
}

fn ipv6(packet: &mut Vec<u8>, protocol: u8, [high, low]: [u8; 2], ports: (u32, u32), payload: u16) {
    packet.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    packet.extend((transport(protocol) + payload).to_be_bytes());
    packet.extend([protocol, 64]);
    for end in [[high, low], [low, high]] {
        packet.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        packet.extend(end);
    }
    segment(packet, protocol, ports, payload);
}

/// Bytes of a header of TCP, else of UDP or ICMP.
fn transport(protocol: u8) -> u16 {
    if protocol == 6 { 20 } else { 8 }
}

fn segment(packet: &mut Vec<u8>, protocol: u8, (from, to): (u32, u32), payload: u16) {
    for port in [from, to] {
        packet.extend(u16::try_from(port).unwrap_or(0).to_be_bytes());
    }
    let rest = packet.len() + usize::from(transport(protocol) - 4);
    packet.resize(rest + usize::from(payload), 0x5a);
}
