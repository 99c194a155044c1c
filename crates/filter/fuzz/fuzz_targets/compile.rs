//! Text to programs, and a packet through them: see README.md.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use pktwho_filter::cbpf::interpret::{self, Ancillary};
use pktwho_filter::cbpf::{self, Insn, op};
use pktwho_filter::ebpf::{self, Targets};
use pktwho_filter::graph::{Graph, Target, Test};
use pktwho_filter::testing::{Facts, Random};
use pktwho_filter::{Device, Error, Machine, NoNames, lower, parse};
use pktwho_packet::LinkType;

fuzz_target!(|input: &[u8]| {
    let [mode, link, rest @ ..] = input else {
        return;
    };
    let mut parts = rest.splitn(2, |byte| *byte == 0);
    let text = parts.next().unwrap_or_default();
    let packet = parts.next().unwrap_or_default();
    let text = if mode % 4 == 3 {
        let seed = text.iter().fold(0, |seed: u64, byte| {
            seed.wrapping_mul(257).wrapping_add((*byte).into())
        });
        Random(seed).expression(1 + u32::from(mode / 64))
    } else {
        String::from_utf8_lossy(text).into_owned()
    };
    let start = Instant::now();
    compile(&text, link_type(*link), packet, mode / 4 % 2 == 1);
    assert!(start.elapsed() < Duration::from_secs(2), "{text:?}");
});

/// Ethernet half of the time, for most terms are about it.
fn link_type(byte: u8) -> LinkType {
    if byte < 128 {
        LinkType::ETHERNET
    } else {
        // Those that have most of a meaning of their own.
        let numbers = [
            0, 6, 7, 8, 9, 10, 12, 50, 51, 99, 100, 101, 104, 105, 107, 108, 109, 112, 113, 114,
            117, 119, 122, 123, 127, 129, 138, 139, 140, 141, 163, 192, 204, 224, 226, 228, 229,
            240, 276, 143,
        ];
        LinkType(numbers[usize::from(byte) % numbers.len()])
    }
}

fn compile(text: &str, link_type: LinkType, packet: &[u8], outgoing: bool) {
    let tree = match parse(text) {
        Ok(tree) => tree,
        Err(error) => {
            place(&error, text);
            return;
        }
    };
    let device = Device {
        link_type,
        name: Some("eth0".to_owned()),
        ifindex: Some(2),
        netmask: Some(0xff00_0000),
        live: true,
        ..Device::default()
    };
    let raw = match lower(&tree, &device, &mut NoNames) {
        Ok(raw) => raw,
        Err(error) => {
            place(&error, text);
            return;
        }
    };
    let mut folded = raw.clone();
    folded.fold();
    let mut shrunk = raw.clone();
    shrunk.shrink();
    let mut again = lower(&tree, &device, &mut NoNames).expect("as before");
    again.shrink();
    assert_eq!(again, shrunk, "the same text");
    let mut optimised = raw.clone();
    optimised.optimise();

    let length = u32::try_from(packet.len()).expect("short");
    let facts = Facts {
        outgoing,
        ifindex: 2,
    };
    let takes = |graph: &Graph| Machine::new(graph).accepts(packet, length, &facts);
    let verdict = takes(&raw);
    assert_eq!(takes(&optimised), verdict, "optimised");
    assert_eq!(takes(&shrunk), takes(&folded), "folded, then optimised");
    // Folding may let a packet pass that is cut off, as libpcap does; else it may not.
    if verdict || takes(&turned(&raw)) {
        assert_eq!(takes(&folded), verdict, "folded");
    }
    for graph in [&raw, &shrunk] {
        programs(graph, packet, length, facts);
    }
}

/// Says where, if anywhere.
fn place(error: &Error, text: &str) {
    if let Some(span) = error.span {
        assert!(span.start <= span.end, "{span:?}");
        assert!(text.get(span.start..span.end).is_some(), "{span:?}");
    }
    assert!(error.caret(text).len() <= 4 * text.len() + 64);
}

/// Takes what the graph leaves, but for what rejects for want of bytes.
fn turned(graph: &Graph) -> Graph {
    let turn = |target| match target {
        Target::Accept => Target::Reject,
        Target::Reject => Target::Accept,
        Target::Node(id) => Target::Node(id),
    };
    let mut turned = graph.clone();
    turned.entry = turn(turned.entry);
    for node in &mut turned.nodes {
        (node.yes, node.no) = (turn(node.yes), turn(node.no));
    }
    turned
}

fn programs(graph: &Graph, packet: &[u8], length: u32, facts: Facts) {
    let has = |wanted: fn(&Test) -> bool| graph.nodes.iter().any(|node| wanted(&node.test));
    let chains = has(|test| matches!(test, Test::Chain { .. }));
    if let Ok(program) = cbpf::encode(graph, 1) {
        check(&program, chains);
        // A term about owners accepts there.
        if !has(|test| matches!(test, Test::Owner(_))) {
            let ancillary = Ancillary {
                outgoing: facts.outgoing,
                ifindex: facts.ifindex,
                vlan: None,
            };
            let kept = interpret::run(&program, packet, length, ancillary) != 0;
            let wanted = Machine::new(graph).accepts(packet, length, &facts);
            assert_eq!(kept, wanted, "{}", cbpf::listing(&program));
        }
    }
    for ethernet in [false, true] {
        // It knows itself whether its jumps are in range.
        let _ = ebpf::encode(
            graph,
            &Targets {
                ethernet,
                egress: false,
                direct: true,
                owners: None,
                accept: &[],
                reject: &[],
            },
        );
    }
}

/// The rules of the kernel's checker for classic BPF (`bpf_check_classic`), and libpcap's
/// (`bpf_validate`), as far as they are about what stands in the program.
fn check(program: &[Insn], chains: bool) {
    assert!(!program.is_empty());
    for (at, insn) in program.iter().enumerate() {
        let behind = program.len() - at - 1;
        let Insn { code, jt, jf, k } = *insn;
        match code & 7 {
            op::JMP if code & 0xf0 == op::JA => {
                let distance = k as usize;
                assert!(distance < behind || chains, "{at}: ja {distance}");
            }
            op::JMP => {
                assert!(usize::from(jt) < behind && usize::from(jf) < behind, "{at}");
            }
            op::ST | op::STX => assert!(k < 16, "{at}: cell {k}"),
            op::LD | op::LDX if code & 0xe0 == op::MEM => assert!(k < 16, "{at}: cell {k}"),
            op::ALU if code & op::X == 0 => match code & 0xf0 {
                op::DIV | op::MOD => assert!(k != 0, "{at}: division by 0"),
                op::LSH | op::RSH => assert!(k < 32, "{at}: shift by {k}"),
                _ => {}
            },
            _ => {}
        }
    }
    assert_eq!(program.last().map(|insn| insn.code & 7), Some(op::RET));
}
