//! How long it takes to compile large filters, step by step: `cargo xtask bench filter compile`.
//!
//! Each line is one family of expressions, of which the best of several rounds counts: what
//! else the machine does only adds. `-` is a program that would be too long. A word behind the
//! command keeps the families whose names hold it.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use pktwho_filter::ebpf::Targets;
use pktwho_filter::{Device, Machine, NoNames, cbpf, ebpf, lower, parse};
use pktwho_packet::LinkType;

const ROUNDS: usize = 15;

/// What is wanted of each family that is no larger than what people write.
const BAR: Duration = Duration::from_millis(10);

/// A name, whether the bar is for it, and the text.
struct Family(&'static str, bool, String);

/// Terms, made from their numbers and joined.
fn row(count: u32, joint: &str, term: impl Fn(u32) -> String) -> String {
    let terms: Vec<String> = (0..count).map(term).collect();
    terms.join(joint)
}

fn host(n: u32) -> String {
    // Neither in order nor with anything in common.
    let bytes = n.wrapping_mul(0x9e37_79b1).to_be_bytes();
    format!("host {}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3])
}

fn port(n: u32) -> String {
    format!("port {}", n.wrapping_mul(40_503) % 65_536)
}

fn mixed(n: u32) -> String {
    match n % 8 {
        0 => host(n),
        1 => port(n),
        2 => format!("portrange {}-{}", n, n + 100),
        3 => format!("src net 10.{}.{}.0/24", n / 256 % 256, n % 256),
        4 => format!(
            "ether host 02:00:00:00:{:02x}:{:02x}",
            n / 256 % 256,
            n % 256
        ),
        5 => format!("ip6 dst host 2001:db8::{n:x}"),
        6 => format!("tcp[{}] & {} != 0", n % 60, 1 + n % 255),
        _ => format!("proto {}", n % 256),
    }
}

/// `and`, `or` and `not` in turns, each pair of parentheses within the one before.
fn nested(depth: u32) -> String {
    let mut text = port(0);
    for n in 1..depth {
        text = match n % 3 {
            0 => format!("not ({text} or {})", port(n)),
            1 => format!("({} and {text})", host(n)),
            _ => format!("({text} or udp {})", port(n)),
        };
    }
    text
}

/// `and` and `or` in turns without parentheses: as high a tree as is taken.
fn alternating(terms: u32) -> String {
    let mut text = port(0);
    for n in 1..terms {
        let joint = if n % 2 == 0 { "and" } else { "or" };
        let _ = write!(
            text,
            " {joint} {}",
            if n % 3 == 0 { host(n) } else { port(n) }
        );
    }
    text
}

fn sum(terms: u32) -> String {
    let bytes = row(terms, " + ", |n| format!("ip[{}]", n % 60));
    format!("{bytes} > 1000")
}

fn families() -> Vec<Family> {
    let family = |name, bar, text| Family(name, bar, text);
    vec![
        family("one port", true, "tcp port 80".into()),
        family("500 hosts", true, row(500, " or ", host)),
        family("2000 hosts", true, row(2000, " or ", host)),
        family(
            "not 2000 hosts",
            true,
            format!("not ({})", row(2000, " or ", host)),
        ),
        family("2000 ports", true, row(2000, " or ", port)),
        family(
            "2000 tcp dst ports",
            true,
            row(2000, " or ", |n| format!("tcp dst {}", port(n))),
        ),
        family(
            "500 portranges",
            true,
            row(500, " or ", |n| {
                format!("portrange {}-{}", 100 * n, 100 * n + 50)
            }),
        ),
        family(
            "1000 IPv6 nets",
            true,
            row(1000, " or ", |n| format!("net 2001:db8:{n:x}::/48")),
        ),
        family("2000 mixed", true, row(2000, " or ", mixed)),
        family(
            "500 less/greater",
            true,
            row(500, " or ", |n| {
                format!("(greater {} and less {})", 10 * n, 10 * n + 5)
            }),
        ),
        family(
            "1000 byte tests",
            true,
            row(1000, " or ", |n| format!("ip[{}:2] = {n}", n % 60)),
        ),
        family(
            "vlan 40 deep",
            true,
            row(40, " and ", |n| format!("vlan {n}")) + " and tcp port 80",
        ),
        family("nested 150 deep", true, nested(150)),
        family("alternating 900", true, alternating(900)),
        family("sum of 200 bytes", true, sum(200)),
        family("64 owners", true, row(64, " or ", |n| format!("pid {n}"))),
        family("2000 pids", true, row(2000, " or ", |n| format!("pid {n}"))),
        family("10000 hosts", false, row(10_000, " or ", host)),
        family("10000 ports", false, row(10_000, " or ", port)),
        family("10000 mixed", false, row(10_000, " or ", mixed)),
    ]
}

const STEPS: usize = 6;
const NAMES: [&str; STEPS] = ["parse", "lower", "shrink", "cBPF", "eBPF", "machine"];

/// Milliseconds of each step, and the instructions of the programs.
type Measured = ([Duration; STEPS], [Option<usize>; 2], usize);

fn compile(text: &str) -> Result<Measured, pktwho_filter::Error> {
    let device = Device {
        link_type: LinkType::ETHERNET,
        name: Some("eth0".into()),
        netmask: Some(0),
        live: true,
        ..Device::default()
    };
    let targets = Targets {
        ethernet: true,
        egress: false,
        direct: true,
        owners: None,
        accept: &[],
        reject: &[],
    };
    let mut times = [Duration::ZERO; STEPS];
    let mut begun = Instant::now();
    let mut step = 0;
    let mut done = || {
        if let Some(time) = times.get_mut(step) {
            *time = begun.elapsed();
        }
        step += 1;
        begun = Instant::now();
    };
    let tree = parse(text)?;
    done();
    let mut graph = lower(&tree, &device, &mut NoNames)?;
    done();
    graph.shrink();
    done();
    let classic = cbpf::encode(&graph, 262_144).ok();
    done();
    let extended = ebpf::encode(&graph, &targets).ok();
    done();
    let machine = Machine::new(&graph);
    done();
    let nodes = graph.nodes.len();
    drop(machine);
    Ok((
        times,
        [
            classic.map(|code| code.len()),
            extended.map(|code| code.len()),
        ],
        nodes,
    ))
}

fn best(text: &str) -> Result<Measured, pktwho_filter::Error> {
    let mut best = compile(text)?;
    for _ in 1..ROUNDS {
        let (times, ..) = compile(text)?;
        for (best, time) in best.0.iter_mut().zip(times) {
            *best = time.min(*best);
        }
    }
    Ok(best)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let mut out = io::stdout().lock();
    write!(out, "{:20}", "milliseconds")?;
    for name in NAMES {
        write!(out, " {name:>9}")?;
    }
    writeln!(
        out,
        " {:>9} {:>7} {:>7} {:>7}",
        "all", "tests", "cBPF", "eBPF"
    )?;
    let mut missed = Vec::new();
    for Family(name, has_bar, text) in families() {
        if !name.contains(&wanted) {
            continue;
        }
        let (times, lengths, nodes) = best(&text).map_err(|error| format!("{name}: {error}"))?;
        let all: Duration = times.iter().sum();
        write!(out, "{name:20}")?;
        for time in times.iter().chain([&all]) {
            write!(out, " {:9.3}", time.as_secs_f64() * 1e3)?;
        }
        write!(out, " {nodes:>7}")?;
        for length in lengths {
            let length = length.map_or_else(|| "-".to_owned(), |length| length.to_string());
            write!(out, " {length:>7}")?;
        }
        writeln!(out)?;
        if has_bar && all >= BAR {
            missed.push(name);
        }
    }
    if missed.is_empty() {
        writeln!(
            out,
            "met    every filter but the largest is compiled in less than {BAR:?}"
        )?;
        Ok(())
    } else {
        Err(format!("MISSED less than {BAR:?}: {}", missed.join(", ")).into())
    }
}
