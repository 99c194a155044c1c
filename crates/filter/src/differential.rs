//! Random filters on random packets, by us and by the installed tcpdump (which is libpcap's
//! compiler): the same are refused, and the others keep the same packets.
//!
//! tcpdump's program (`-ddd`) is run here by a plain machine for classic BPF, which also bends
//! packets so that they take all its branches. `PKTWHO_DIFF_SEED` and `PKTWHO_DIFF_COUNT` choose
//! other filters and more of them; `cargo xtask diff filter` sets them.

mod expressions;
mod oracle;

use std::fmt::Write as _;

use pktwho_packet::LinkType;

use crate::testing::{Facts, Random};
use crate::{Device, Error, Machine, Names, lower, parse};
use expressions::Expressions;

const SEED: u64 = 1;
const COUNT: u64 = 400;

/// Packets that each filter sees.
const PACKETS: usize = 60;

/// Bytes of packets that are not cut.
const LONG: usize = 200;

/// Names that every system has, with the numbers that they have everywhere.
struct Everywhere;

impl Names for Everywhere {
    fn ip_protocol(&mut self, name: &str) -> Option<u8> {
        let known = [
            ("tcp", 6),
            ("udp", 17),
            ("icmp", 1),
            ("esp", 50),
            ("sctp", 132),
        ];
        known
            .iter()
            .find(|known| known.0 == name)
            .map(|known| known.1)
    }
}

#[test]
fn filters_mean_what_they_mean_to_libpcap() {
    if !oracle::is_installed() {
        println!("skipped: there is no tcpdump");
        return;
    }
    let variable = |name: &str, otherwise| {
        let value = std::env::var(name).ok();
        value
            .and_then(|value| value.parse().ok())
            .unwrap_or(otherwise)
    };
    let (seed, count) = (
        variable("PKTWHO_DIFF_SEED", SEED),
        variable("PKTWHO_DIFF_COUNT", COUNT),
    );
    let mut wrong = String::new();
    let mut counts = Counts::default();
    for number in 0..count {
        let mut random = Random(seed.wrapping_mul(1_000_003).wrapping_add(number));
        let link_type = expressions::link_type(&mut random);
        let text = Expressions::new(&mut random, link_type).filter();
        for optimise in [true, false] {
            if let Err(difference) = compare(link_type, &text, optimise, &mut random, &mut counts) {
                let name = link_type.name().unwrap_or_default();
                let option = if optimise { "" } else { "-O " };
                let _ = writeln!(wrong, "{option}-y {name} '{text}'\n    {difference}");
                break;
            }
        }
    }
    println!("{counts:?}");
    assert!(wrong.is_empty(), "{wrong}");
    // The generator is to make filters that are right, most of the time.
    assert!(counts.compared > counts.refused, "{counts:?}");
}

#[derive(Debug, Default)]
struct Counts {
    /// Programs that were run on packets.
    compared: u64,
    /// Packets that both took, and that both left.
    taken: u64,
    left: u64,
    /// Cut packets, on which we differ.
    cut: u64,
    /// Filters that both refused.
    refused: u64,
}

fn ours(link_type: LinkType, text: &str, optimise: bool) -> Result<Machine, Error> {
    let device = Device {
        link_type,
        netmask: Some(0),
        live: true,
        ..Device::default()
    };
    let mut graph = lower(&parse(text)?, &device, &mut Everywhere)?;
    if optimise {
        graph.fold();
        graph.optimise();
    }
    Ok(Machine::new(&graph))
}

fn compare(
    link_type: LinkType,
    text: &str,
    optimise: bool,
    random: &mut Random,
    counts: &mut Counts,
) -> Result<(), String> {
    let theirs = oracle::compile(link_type, text, optimise);
    let ours = ours(link_type, text, optimise);
    let (theirs, ours) = match (theirs, ours) {
        (Ok(theirs), Ok(ours)) => (theirs, ours),
        (Err(_), Err(_)) => {
            counts.refused += 1;
            return Ok(());
        }
        // Whether a filter could ever match is for an optimiser to find out.
        (Err(why), Ok(ours)) if why.contains("rejects all packets") => {
            (oracle::Program::nothing(), ours)
        }
        (Err(theirs), Ok(_)) => return Err(format!("they say: {theirs}")),
        (Ok(_), Err(ours)) => return Err(format!("we say: {ours}")),
    };
    if !theirs.is_plain() {
        return Ok(());
    }
    counts.compared += 1;
    for _ in 0..PACKETS {
        let facts = Facts {
            outgoing: random.below(2) == 0,
            ifindex: random.below(4),
        };
        let mut packet = random.packet();
        // Long enough for what filters look at, most of the time.
        let cut = random.below(8) == 0;
        while !cut && packet.len() < LONG {
            packet.extend(random.packet());
        }
        let length = theirs.bend(&mut packet, facts, random);
        let verdict = theirs.run(&packet, length, facts);
        if ours.accepts(&packet, length, &facts) != verdict {
            // Which loads an optimiser finds it can do without is its own affair; and a load
            // beyond the end rejects.
            if cut || theirs.runs_off(&packet, length, facts) {
                counts.cut += 1;
                continue;
            }
            let hex: String = packet.iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            let takes = if verdict { "take" } else { "leave" };
            return Err(format!("they {takes} {hex} (length {length}, {facts:?})"));
        }
        counts.taken += u64::from(verdict);
        counts.left += u64::from(!verdict);
    }
    Ok(())
}
