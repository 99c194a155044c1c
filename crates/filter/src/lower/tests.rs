//! What terms mean, checked on packets made by hand.

use super::{Device, graph, lower};
use crate::machine::Machine;
use crate::names::NoNames;
use crate::parse::parse;
use crate::testing::{Facts, Random};
use pktwho_packet::LinkType;

fn device(link_type: LinkType) -> Device {
    Device {
        link_type,
        netmask: Some(0),
        live: true,
        ..Device::default()
    }
}

fn refusal(link_type: LinkType, text: &str) -> String {
    let tree = parse(text).expect(text);
    match lower(&tree, &device(link_type), &mut NoNames) {
        Ok(_) => String::from("compiles"),
        Err(error) => error.to_string(),
    }
}

fn accepts(link_type: LinkType, text: &str, data: &[u8]) -> bool {
    let tree = parse(text).expect(text);
    let graph = lower(&tree, &device(link_type), &mut NoNames).expect(text);
    let length = u32::try_from(data.len()).expect("short");
    Machine::new(&graph).accepts(data, length, &())
}

#[test]
fn refusals_are_libpcaps() {
    let check = |link_type, text, expected| {
        assert_eq!(refusal(link_type, text), expected, "{text:?}");
    };
    check(LinkType::RAW, "vlan", "'vlan' not supported on DLT_RAW");
    check(
        LinkType::ETHERNET,
        "vlan 4096",
        "VLAN tag 4096 greater than maximum 4095",
    );
    check(
        LinkType::ETHERNET,
        "ah port 80",
        "'ah' is not a valid qualifier for 'port'",
    );
    check(
        LinkType::ETHERNET,
        "addr1 port 80",
        "'addr1' is not a valid qualifier for 'port'",
    );
    check(LinkType::ETHERNET, "len / 0 = 1", "division by zero");
    check(
        LinkType::ETHERNET,
        "mpls and arp",
        "unsupported protocol over mpls",
    );
    check(
        LinkType::ETHERNET,
        "geneve and geneve and geneve and geneve and geneve and geneve",
        "out of registers needed to evaluate expression",
    );
}

/// Ethernet, an outer tag, IPv4, UDP to port 53.
fn tagged_dns() -> Vec<u8> {
    let mut packet = vec![0x11; 12];
    packet.extend([0x81, 0x00, 0x00, 0x07, 0x08, 0x00]);
    packet.extend([
        0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    ]);
    packet.extend([0x30, 0x39, 0, 53, 0, 8, 0, 0]);
    packet
}

#[test]
fn terms_behind_a_tag_look_behind_it() {
    let packet = tagged_dns();
    let check = |text, expected| {
        assert_eq!(
            accepts(LinkType::ETHERNET, text, &packet),
            expected,
            "{text:?}"
        );
    };
    check("vlan 7 and udp dst port 53", true);
    check("vlan 7 and src host 10.0.0.1", true);
    check("vlan 8 or udp", true);
    check("udp", false);
    check("vlan and tcp", false);
    check("vlan and udp[2:2] = 53 and ip[8] > 63", true);
    check("not vlan", false);
}

#[test]
fn signal_units_are_found_behind_other_headers() {
    // A service unit: two bytes of sequence numbers, length 3, service 0x85, label 1-2-0.
    let unit = [0x81, 0x82, 0x03, 0x85, 0x01, 0x80, 0x00, 0x00];
    for (link_type, header) in [
        (LinkType::MTP2, 0),
        (LinkType::MTP2_WITH_PHDR, 4),
        (LinkType::ERF, 20),
    ] {
        let mut packet = vec![0; header];
        packet.extend_from_slice(&unit);
        for (text, expected) in [
            ("msu", true),
            ("lssu", false),
            ("fisu", false),
            ("sio 0x85", true),
            ("dpc 1", true),
            ("opc 2", true),
            ("opc 1", false),
            ("sls 0", true),
        ] {
            assert_eq!(
                accepts(link_type, text, &packet),
                expected,
                "{link_type:?} {text}"
            );
        }
    }
}

#[test]
fn hdlc_has_two_numbers() {
    let packet = [0x0f, 0, 0x08, 0, 0x45, 0, 0, 20];
    for link_type in [LinkType::C_HDLC, LinkType::HDLC] {
        assert!(accepts(link_type, "ip", &packet));
        assert!(!accepts(link_type, "ip6", &packet));
    }
}

#[test]
fn what_is_cut_off_rejects() {
    let packet = tagged_dns();
    let cut = packet.get(..38).expect("longer");
    assert!(!accepts(LinkType::ETHERNET, "vlan and udp port 53", cut));
    assert!(!accepts(
        LinkType::ETHERNET,
        "vlan and not udp port 53",
        cut
    ));
    assert!(accepts(LinkType::ETHERNET, "vlan and not tcp port 53", cut));
}

/// A Geneve packet over IPv4 or IPv6 with one option, and an ARP request for 10.0.0.2 in it.
fn geneve(over_ip6: bool) -> Vec<u8> {
    let mut packet = vec![0x22; 12];
    if over_ip6 {
        packet.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, 17, 64]);
        packet.extend([0; 32]);
    } else {
        packet.extend([0x08, 0x00, 0x46, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0]);
        packet.extend([10, 0, 0, 1, 10, 0, 0, 2, 1, 1, 1, 1]);
    }
    packet.extend([0x30, 0x39, 0x17, 0xc1, 0, 0, 0, 0]);
    packet.extend([0x01, 0, 0x65, 0x58, 0, 0, 9, 0, 1, 2, 3, 0]);
    packet.extend([1, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 0x08, 0x06]);
    packet.extend([0, 1, 8, 0, 6, 4, 0, 1, 2, 2, 2, 2, 2, 2, 10, 0, 0, 1]);
    packet.extend([0, 0, 0, 0, 0, 0, 10, 0, 0, 2]);
    packet
}

#[test]
fn tunnels_are_entered_over_both() {
    for over_ip6 in [false, true] {
        let packet = geneve(over_ip6);
        let check = |text, expected| {
            assert_eq!(
                accepts(LinkType::ETHERNET, text, &packet),
                expected,
                "{text:?}"
            );
        };
        check("geneve", true);
        check("geneve 9 and arp", true);
        check("geneve 8", false);
        check("geneve and arp dst host 10.0.0.2", true);
        check("geneve and ether src 2:2:2:2:2:2", true);
        check("geneve and ether multicast", true);
        check("geneve and ip", false);
        check("vxlan", false);
    }
}

/// Radiotap of eight bytes, a `QoS` data frame, LLC with SNAP, IPv6.
#[test]
fn wlan_bodies_are_found() {
    let mut packet = vec![0, 0, 8, 0, 0, 0, 0, 0];
    packet.extend([0x88, 0x01, 0, 0]);
    packet.extend([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3]);
    packet.extend([0; 4]);
    packet.extend([0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd]);
    packet.extend([0x60, 0, 0, 0, 0, 0, 58, 64]);
    packet.extend([0; 32]);
    packet.extend([128, 0]);
    let check = |text, expected| {
        assert_eq!(
            accepts(LinkType::IEEE802_11_RADIO, text, &packet),
            expected,
            "{text:?}"
        );
    };
    check("ip6", true);
    check("icmp6[0] = 128", true);
    check("wlan type data subtype qos-data", true);
    check("wlan dst 3:3:3:3:3:3 and wlan src 2:2:2:2:2:2", true);
    check("wlan addr1 1:1:1:1:1:1", true);
    check("wlan dir tods", true);
    check("ip", false);
}

/// Long lists of terms, of which some begin the same.
fn list(random: &mut Random) -> String {
    let mut terms: Vec<String> = (0..random.below(4)).map(|_| random.expression(0)).collect();
    for _ in 0..6 + random.below(12) {
        let number = random.below(4);
        let term = match random.below(13) {
            0 => format!("host 10.0.0.{number}"),
            1 => format!("port {}", 53 + number),
            2 => format!("tcp dst portrange {number}-{}", number + 60),
            3 => format!("net 2001:db8:{number}::/48"),
            4 => format!("(ip and ip[{number}] = 69 and udp)"),
            5 => format!("(not tcp and not src 10.0.0.{number})"),
            6 => format!("vlan {number}"),
            7..=9 => format!("src host 10.0.0.{number}"),
            _ => format!("len = {}", 40 + number),
        };
        let place = random.below(1 + u32::try_from(terms.len()).expect("few")) as usize;
        terms.insert(place, term);
    }
    let joint = ["or", "or", "or not", "and not"][random.below(4) as usize];
    let text = terms.join(&format!(" {joint} "));
    if random.below(4) == 0 {
        format!("not ({text})")
    } else {
        text
    }
}

#[test]
fn what_begins_the_same_is_put_together_without_another_verdict() {
    let links = [LinkType::ETHERNET, LinkType::RAW, LinkType::LINUX_SLL2];
    let (mut fewer, mut taken, mut left) = (0, 0, 0);
    for seed in 0..600 {
        let mut random = Random(seed);
        let text = list(&mut random);
        let tree = parse(&text).expect(&text);
        let device = device(links[random.below(3) as usize]);
        let Ok(plain) = graph(&tree, &device, &mut NoNames, |cond, _| cond) else {
            continue;
        };
        let factored = lower(&tree, &device, &mut NoNames).expect(&text);
        fewer += u32::from(factored.nodes.len() < plain.nodes.len());
        let machines = [Machine::new(&plain), Machine::new(&factored)];
        for _ in 0..30 {
            // Of any length: what is cut off must reject in both.
            let data = random.packet();
            let length = u32::try_from(data.len()).expect("short");
            let verdicts = machines
                .each_ref()
                .map(|machine| machine.accepts(&data, length, &Facts::default()));
            assert_eq!(verdicts[0], verdicts[1], "{text:?} {data:?}");
            taken += u32::from(verdicts[0]);
            left += u32::from(!verdicts[0]);
        }
    }
    assert!(
        fewer > 200 && taken > 3000 && left > 3000,
        "{fewer} {taken} {left}"
    );
}

#[test]
fn lists_ask_for_headers_once() {
    let nodes = |text: &str| {
        let tree = parse(text).expect(text);
        let graph = lower(&tree, &device(LinkType::ETHERNET), &mut NoNames).expect(text);
        graph.nodes.len()
    };
    let ports: Vec<String> = (1..=100).map(|port| format!("port {port}")).collect();
    // Two ports of each, over IPv6 and IPv4, and at most ten tests for all of them.
    assert!(nodes(&ports.join(" or ")) <= 410);
    assert!(nodes(&format!("not {}", ports.join(" and not "))) <= 410);
}
