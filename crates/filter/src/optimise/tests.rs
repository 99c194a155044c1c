//! The optimised filter gives the same verdicts, and is smaller where it can be.

use crate::graph::{Graph, Target, Test};
use crate::machine::Machine;
use crate::testing::{Facts, Random, accepts};
use crate::{Device, NoNames, lower, parse};
use pktwho_packet::LinkType;

/// `None`: a load failed, or a division by zero.
fn verdict(graph: &Graph, data: &[u8], length: u32, facts: Facts) -> Option<bool> {
    if accepts(graph, data, length, facts) {
        return Some(true);
    }
    // What rejects for want of bytes does so with its targets turned round, too.
    let mut turned = graph.clone();
    let turn = |target: &mut Target| {
        *target = match *target {
            Target::Accept => Target::Reject,
            Target::Reject => Target::Accept,
            Target::Node(id) => Target::Node(id),
        }
    };
    turn(&mut turned.entry);
    for node in &mut turned.nodes {
        turn(&mut node.yes);
        turn(&mut node.no);
    }
    accepts(&turned, data, length, facts).then_some(false)
}

#[test]
fn verdicts_stay() {
    let mut smaller = 0;
    for seed in 0..12_000 {
        let mut random = Random(seed);
        let graph = random.graph();
        let mut optimised = graph.clone();
        optimised.optimise();
        let mut folded = graph.clone();
        folded.fold();
        smaller += u32::from(optimised.nodes.len() < graph.nodes.len());
        let machine = Machine::new(&optimised);
        for _ in 0..6 {
            let data = random.packet();
            let length = u32::try_from(data.len()).expect("short") + random.below(3);
            let facts = Facts {
                outgoing: random.below(2) == 0,
                ifindex: random.below(4),
            };
            let before = verdict(&graph, &data, length, facts);
            let after = accepts(&optimised, &data, length, facts);
            assert_eq!(
                after,
                before == Some(true),
                "{graph:?}\n{optimised:?}\n{data:?}"
            );
            assert_eq!(
                machine.accepts(&data, length, &facts),
                after,
                "{optimised:?}"
            );
            if let Some(before) = before {
                let after = accepts(&folded, &data, length, facts);
                assert_eq!(before, after, "{graph:?}\n{folded:?}\n{data:?}");
            }
        }
    }
    assert!(smaller > 4_000, "{smaller}");
}

fn device() -> Device {
    Device {
        link_type: LinkType::ETHERNET,
        netmask: Some(0),
        live: true,
        ..Device::default()
    }
}

fn optimised(text: &str) -> Graph {
    let tree = parse(text).expect(text);
    let mut graph = lower(&tree, &device(), &mut NoNames).expect(text);
    graph.fold();
    graph.optimise();
    graph
}

#[test]
fn filters_keep_their_verdicts() {
    let mut compiled = 0;
    for seed in 0..1500 {
        let mut random = Random(seed);
        let text = random.expression(2);
        let tree = parse(&text).expect(&text);
        let Ok(graph) = lower(&tree, &device(), &mut NoNames) else {
            continue;
        };
        compiled += 1;
        let mut folded = graph.clone();
        folded.fold();
        let mut optimised = folded.clone();
        optimised.optimise();
        let (plain, fast) = (Machine::new(&graph), Machine::new(&optimised));
        for _ in 0..20 {
            let data = random.packet();
            let length = u32::try_from(data.len()).expect("short") + random.below(100);
            let facts = Facts::default();
            let before = accepts(&folded, &data, length, facts);
            assert_eq!(
                accepts(&optimised, &data, length, facts),
                before,
                "{text:?} {data:?}"
            );
            assert_eq!(
                fast.accepts(&data, length, &facts),
                before,
                "{text:?} {data:?}"
            );
            let whole = verdict(&graph, &data, length, facts);
            assert_eq!(
                plain.accepts(&data, length, &facts),
                whole == Some(true),
                "{text:?}"
            );
            if let Some(whole) = whole {
                assert_eq!(whole, before, "{text:?} {data:?}");
            }
        }
    }
    assert!(compiled > 1000, "{compiled}");
}

#[test]
fn header_checks_are_shared() {
    let check = |text, nodes| assert_eq!(optimised(text).nodes.len(), nodes, "{text:?}");
    check("ip and ip", 1);
    check("tcp port 80", 9);
    check("host 10.0.0.1 and tcp port 80", 7);
    check("tcp port 80 and not udp", 9);
    check("ip or not ip", 0);
    check("tcp[tcpflags] & tcp-syn != 0 and tcp port 22", 6);
    check("ether[0] & 1 = 0 and not multicast", 1);
    check("len > 100 and len > 50", 1);
    check("vlan 5 or vlan 5", 8);
    check("port 80 or port 443", 17);
}

#[test]
fn folding_knows_what_libpcap_knows() {
    let folded = |text| {
        let tree = parse(text).expect(text);
        let mut graph = lower(&tree, &device(), &mut NoNames).expect(text);
        graph.fold();
        graph
    };
    assert_eq!(folded("tcp or not tcp").entry, Target::Accept);
    assert!(folded("ip and ip6").rejects_all());
    assert!(!folded("len > 100 and len < 50").rejects_all());
    assert!(!folded("arp and netbeui").rejects_all());
}

#[test]
fn contradictions_reject_all() {
    for text in [
        "ip and ip6",
        "tcp port 80 and icmp",
        "len > 100 and len < 50",
        "1 = 2",
        "ip proto 17 and ip6 proto 44",
        "not ip and host 10.0.0.1 and tcp",
        "src 10.0.0.1 and src 10.0.0.2",
    ] {
        assert!(optimised(text).rejects_all(), "{text:?}");
    }
    assert!(!optimised("tcp or udp").rejects_all());
}

#[test]
fn owners_are_asked_last() {
    let graph = optimised("proc curl and tcp port 80");
    let owners: Vec<bool> = graph
        .nodes
        .iter()
        .map(|node| matches!(node.test, Test::Owner(_)))
        .collect();
    assert_eq!(owners.iter().filter(|owner| **owner).count(), 1);
    assert_eq!(owners.last(), Some(&true));
}

#[test]
fn long_filters_take_no_longer_than_they_should() {
    let hosts: Vec<String> = (0..2000)
        .map(|n| format!("src host 10.0.{}.{}", n / 256, n % 256))
        .collect();
    let text = hosts.join(" or ");
    let graph = optimised(&text);
    assert!(graph.nodes.len() < 6010, "{}", graph.nodes.len());
}

/// A chain of headers that leaves the packet rejects it, even where its outcome changes nothing.
#[test]
fn loops_are_not_folded() {
    let mut data = vec![0; 60];
    (data[12], data[13], data[20]) = (0x86, 0xdd, 60);
    // The second header would be far behind the end.
    data[55] = 255;
    for text in [
        "ip6 protochain 17 or not ip6 protochain 17",
        "not ip6 protochain 17 or ip6",
    ] {
        let tree = parse(text).expect(text);
        let graph = lower(&tree, &device(), &mut NoNames).expect(text);
        let mut shrunk = graph.clone();
        assert!(!shrunk.shrink(), "{text}");
        let mut folded = graph.clone();
        folded.fold();
        for graph in [&graph, &folded, &shrunk] {
            assert!(!accepts(graph, &data, 60, Facts::default()), "{text}");
        }
    }
}
