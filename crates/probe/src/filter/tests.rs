use std::io;
use std::os::fd::{AsFd, OwnedFd};

use pktwho_filter::Machine;
use pktwho_filter::ebpf::{self, Owners, Targets};
use pktwho_filter::graph::{Graph, Node, NodeId, Target, Test};
use pktwho_filter::testing::{Facts, Random, accepts};
use pktwho_packet::LinkType;

use super::instructions;
use crate::sys;

/// `return number`
fn verdict(number: i32) -> [ebpf::Insn; 2] {
    let insn = |code, immediate| ebpf::Insn {
        code,
        registers: 0,
        offset: 0,
        immediate,
    };
    [insn(0xb7, number), insn(0x95, 0)]
}

/// How the program is made and run.
#[derive(Clone, Copy, Debug)]
struct Way {
    ethernet: bool,
    direct: bool,
    egress: bool,
    /// The tag that lies beside the packet.
    tag: Option<u16>,
}

const TAG_PROTOCOL: u16 = 0x8100;

/// `bpf_skb_vlan_push(R6, 0x8100, tag)`: the tag is put beside the bytes, as devices do.
fn tagging(tag: u16) -> [ebpf::Insn; 4] {
    let insn = |code, registers, immediate| ebpf::Insn {
        code,
        registers,
        offset: 0,
        immediate,
    };
    [
        insn(0xbf, 0x61, 0),
        insn(0xb7, 2, i32::from(TAG_PROTOCOL.to_be())),
        insn(0xb7, 3, i32::from(tag)),
        insn(0x85, 0, 18),
    ]
}

fn encoded(graph: &Graph, way: Way) -> Option<Vec<ebpf::Insn>> {
    let tagging = way.tag.map(tagging);
    let targets = Targets {
        ethernet: way.ethernet,
        egress: way.egress,
        direct: way.direct,
        owners: tagging.as_ref().map(|tagging| Owners {
            masks: tagging,
            unknown: &[],
        }),
        accept: &verdict(1),
        reject: &verdict(0),
    };
    ebpf::encode(graph, &targets).ok()
}

/// The packet as we store it.
fn stored(packet: &[u8], way: Way) -> Vec<u8> {
    let mut bytes = packet.to_vec();
    if let Some(tag) = way.tag {
        let tag = [TAG_PROTOCOL.to_be_bytes(), tag.to_be_bytes()].concat();
        bytes.splice(12..12, tag);
    }
    bytes
}

/// Loads a program; the verifier's words when it is refused.
fn load(program: &[ebpf::Insn]) -> io::Result<OwnedFd> {
    sys::load_classifier(c"pktwho_test", &instructions(program))
}

/// Whether programs can be loaded here at all.
fn skipped() -> bool {
    if let Err(error) = load(&verdict(0)) {
        eprintln!("skipped: the kernel takes no program: {error}");
        return true;
    }
    false
}

/// Random graphs over random packets: the kernel's verdict is that of the graph, by direct
/// access and by calls, also for packets whose VLAN tag lies beside them.
#[test]
fn the_kernel_does_what_the_graph_says() {
    if skipped() {
        return;
    }
    let mut random = Random(7);
    let (mut kept, mut all, mut ran) = (0, 0, 0);
    for round in 0..1000 {
        let graph = random.graph();
        let way = Way {
            ethernet: round % 3 != 0,
            direct: round % 2 == 0,
            egress: round % 5 < 2,
            tag: (round % 3 == 1).then(|| u16::try_from(random.below(0x1_0000)).expect("16 bits")),
        };
        let Some(program) = encoded(&graph, way) else {
            continue;
        };
        let loaded = load(&program).unwrap_or_else(|error| {
            let words = sys::refusal(&instructions(&program));
            panic!("{way:?}: {error}: {graph:#?}\n{words}");
        });
        for _ in 0..8 {
            let packet = random.packet();
            let shown = stored(&packet, way);
            let length = u32::try_from(shown.len()).expect("short");
            let facts = Facts {
                outgoing: way.egress,
                ifindex: 1,
            };
            let wanted = accepts(&graph, &shown, length, facts);
            all += 1;
            // Some kernels refuse to run over an IP header that is cut.
            let Ok((got, _)) = sys::test_run(loaded.as_fd(), &packet, 1) else {
                continue;
            };
            assert_eq!(got == 1, wanted, "{way:?}: {graph:#?}\n{packet:02x?}");
            kept += u32::from(wanted);
            ran += 1;
        }
    }
    assert!(ran * 2 > all, "only {ran} of {all} ran");
    assert!(kept * 5 > ran && kept * 5 < ran * 4, "{kept} of {ran} kept");
}

/// Masks of owners as the capture program leaves them; a term that is not known accepts.
#[test]
fn owner_terms_are_bits() {
    if skipped() {
        return;
    }
    let graph = |at: u32| Graph {
        nodes: vec![Node {
            test: Test::Owner(at),
            yes: Target::Accept,
            no: Target::Reject,
        }],
        entry: Target::Node(NodeId(0)),
        ..Graph::default()
    };
    let store = |offset: i16, mask: u64| {
        let insn = |code, registers, offset, immediate| ebpf::Insn {
            code,
            registers,
            offset,
            immediate,
        };
        let half = |shift: u32| u32::try_from(mask >> shift & 0xffff_ffff).expect("32 bits");
        [
            insn(0x18, 0, 0, half(0).cast_signed()),
            insn(0, 0, 0, half(32).cast_signed()),
            insn(0x7b, 10, offset, 0),
        ]
    };
    for at in [0, 31, 32, 63] {
        for (known, is, wanted) in [(0, 0, 1), (1, 0, 0), (1, 1, 1)] {
            let masks = [store(-8, known << at), store(-16, is << at)].concat();
            let targets = Targets {
                ethernet: true,
                egress: false,
                direct: true,
                owners: Some(Owners {
                    masks: &masks,
                    unknown: &[],
                }),
                accept: &verdict(1),
                reject: &verdict(0),
            };
            let program = ebpf::encode(&graph(at), &targets).expect("a program");
            let program = load(&program).expect("the kernel takes it");
            let (got, _) = sys::test_run(program.as_fd(), &[1; 60], 1).expect("a run");
            assert_eq!(got, wanted, "term {at}, known {known}, true {is}");
        }
    }
}

/// Expressions as users write them: the kernel's verdict is that of the user-space machine,
/// whether the graph has been optimised or not.
#[test]
fn the_kernel_means_what_the_machine_means() {
    if skipped() {
        return;
    }
    let mut random = Random(11);
    let (mut kept, mut ran) = (0, 0);
    for (number, expression) in EXPRESSIONS.iter().enumerate() {
        let plain = graph_of(expression);
        let machine = Machine::new(&plain);
        let mut better = plain.clone();
        better.optimise();
        let way = |direct, tag| Way {
            ethernet: true,
            direct,
            egress: number % 2 == 1,
            tag,
        };
        let mut programs = Vec::new();
        for tag in [None, Some(5), Some(0xe007)] {
            for (graph, direct) in [(&plain, true), (&better, true), (&better, false)] {
                let program = encoded(graph, way(direct, tag)).expect("a program");
                let loaded = load(&program).unwrap_or_else(|error| {
                    let words = sys::refusal(&instructions(&program));
                    panic!("{expression}: {error}: {words}");
                });
                programs.push((way(direct, tag), loaded));
            }
        }
        for _ in 0..40 {
            let packet = random.packet();
            for (way, program) in &programs {
                let shown = stored(&packet, *way);
                let length = u32::try_from(shown.len()).expect("short");
                let facts = Facts {
                    outgoing: way.egress,
                    ifindex: 1,
                };
                let wanted = machine.accepts(&shown, length, &facts);
                let Ok((got, _)) = sys::test_run(program.as_fd(), &packet, 1) else {
                    continue;
                };
                assert_eq!(got == 1, wanted, "{way:?}: {expression}: {packet:02x?}");
                kept += u32::from(wanted);
                ran += 1;
            }
        }
    }
    assert!(
        kept * 10 > ran && kept * 10 < ran * 9,
        "{kept} of {ran} kept"
    );
}

const EXPRESSIONS: &[&str] = &[
    "ip",
    "ip6 or arp",
    "tcp",
    "not udp",
    "tcp port 0 or udp port 1",
    "not port 2",
    "src portrange 0-7 and not dst port 3",
    "host 0.0.0.1 or net 1.0.0.0/8 or net 0.0.0.0/30",
    "ip6 net ::/16 or ip6 host ::1",
    "ether host 0:0:0:0:0:1 or ether[0] & 1 = 0",
    "ether multicast or ip multicast",
    "vlan",
    "vlan 5",
    "vlan and not vlan",
    "vlan and ip and udp",
    "vlan 7 and vlan 9 or ip",
    "ip proto 6 or ip6 proto 17",
    "ip protochain 6",
    "ip6 protochain 17",
    "not ip6 protochain 59",
    "vlan and ip protochain 51",
    "less 60",
    "greater 70 and not ip6",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "ip[0] & 0xf > 5",
    "ip[ip[2]:2] = 0",
    "ether[ether[20]:4] < 0x1000000",
    "not ether[ether[21] + 9:4] = 0",
    "ether[13:4] != 0 and ether[10:4] & 0xff00 = 0",
    "len - ip[3] / 3 > 40",
    "ip[8] % ip[9] = 0",
    "ip[8] << ip[1] != 0 or len >> ip[2] = 0",
    "icmp[icmptype] = icmp-echo or icmp6",
    "pppoed or mpls",
    "inbound and ip",
    "outbound or ifindex 2",
    "ip broadcast or ether broadcast",
    "ether proto 0x8100 or ether proto 0x800",
    "iso or stp or ipx or netbeui",
    "ip[6:2] & 0x1fff = 0 and (udp or tcp)",
];

fn graph_of(expression: &str) -> Graph {
    let tree = pktwho_filter::parse(expression).expect("a filter");
    let device = pktwho_filter::Device {
        link_type: LinkType::ETHERNET,
        live: true,
        netmask: Some(0xffff_ff00),
        ifindex: Some(1),
        directions: true,
        ..pktwho_filter::Device::default()
    };
    pktwho_filter::lower(&tree, &device, &mut pktwho_filter::NoNames).expect("a graph")
}

/// What a packet costs that is not wanted: for a look by hand, with `--ignored --nocapture`.
#[test]
#[ignore = "figures, no verdict"]
fn what_it_costs() {
    let mut packet = vec![2, 0, 0, 0, 0x77, 1, 2, 0, 0, 0, 0x77, 2, 8, 0];
    packet.extend([0x45, 0, 0, 50, 0, 1, 0, 0, 64, 17, 0, 0]);
    packet.extend([10, 77, 0, 2, 10, 77, 0, 1]);
    packet.extend([0x1f, 0x90, 0, 9, 0, 30, 0, 0]);
    packet.resize(64, 7);
    for expression in ["", "udp port 9998", "tcp port 80 or host 1.2.3.4"] {
        for direct in [true, false] {
            let way = Way {
                ethernet: true,
                direct,
                egress: false,
                tag: None,
            };
            let program = encoded(&graph_of(expression), way).expect("a program");
            let loaded = load(&program).expect("the kernel takes it");
            let best = (0..7)
                .filter_map(|_| sys::test_run(loaded.as_fd(), &packet, 200_000).ok())
                .map(|(_, nanos)| nanos)
                .min();
            eprintln!(
                "{expression:?}, direct {direct}: {} instructions, {best:?} ns",
                program.len()
            );
        }
    }
}
