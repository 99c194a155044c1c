//! `bench filter offline`: how long it takes to filter a large file, beside the installed tcpdump.
//!
//! Both read the same file and write what matches to `/dev/null`, by turns; the bar is the ratio
//! of their times. No root.

use std::io::{self, Write};
use std::process::Command;

use super::runs;
use crate::{Outcome, shell};

/// One packet in twelve matches the first, none the second, all the third.
const EXPRESSIONS: [&str; 3] = ["tcp port 80", "udp port 9998", "ip or ip6 or arp"];

const PACKETS: u32 = 1_500_000;

/// `[--rounds N]`
///
/// # Errors
/// tcpdump is missing, something cannot be run, or it is the faster.
pub fn run(words: &[String]) -> Outcome {
    let usage = "usage: cargo xtask bench filter offline [--rounds N]";
    let rounds = runs::rounds(words, 9, usage)?;
    let ours = runs::build()?;
    let path = shell::target().join("bench-filter.pcap");
    let file = runs::capture(&path, PACKETS, frame)?;
    let mut out = io::stdout().lock();
    let mut say = |line: String| writeln!(out, "{line}").map_err(|error| error.to_string());
    say(format!(
        "{PACKETS} packets of mixed kinds, -r FILE -w /dev/null EXPRESSION; medians of {rounds} rounds"
    ))?;
    let mut slower = Vec::new();
    for expression in EXPRESSIONS {
        let command = |at| {
            let mut command = match at {
                0 => Command::new(&ours),
                _ => Command::new("tcpdump"),
            };
            command.arg("-r").arg(&file.0);
            command.args(["-w", "/dev/null", expression]);
            command
        };
        let [Some(ours), Some(theirs)] = runs::compare(rounds, command)? else {
            return Err("tcpdump is not installed".into());
        };
        let ratio = ours.ratio(theirs);
        let met = ratio <= 1.0;
        say(format!(
            "{} {expression:18} {:8.1?} against tcpdump's {:8.1?}: {ratio:.2} (wanted: at most 1)",
            if met { "met   " } else { "MISSED" },
            ours.time,
            theirs.time,
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

/// Twelve kinds of packets in turn, of a few lengths, between a few thousand addresses.
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
