//! What terms mean, checked on packets made by hand.

use super::{Device, lower};
use crate::machine::Machine;
use crate::names::NoNames;
use crate::parse::parse;
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
