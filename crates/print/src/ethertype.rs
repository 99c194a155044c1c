//! `EtherTypes`: their names, and who prints what follows them (IEEE 802 numbers registry).

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, put};
use crate::{
    aoe, arp, atalk, cfm, decnet, eap, geonet, ip, ip6, ipx, isoclns, lldp, loopback, mpcp, mpls,
    msnlb, nsh, ppp, pppoe, ptp, realtek, slow, tipc,
};

pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const IPV6: u16 = 0x86dd;
pub(crate) const OSI: u16 = 0xfefe;
pub(crate) const VLAN: u16 = 0x8100;

type Payload = fn(&mut Out<'_>, Cursor<'_>, usize) -> Printed;

/// Payloads that are understood, most frequent first.
static PAYLOADS: &[(u16, Payload)] = &[
    (IPV4, ip::ip),
    (0x86dd, ip6::ip6),
    (0x0806, arp::arp),
    (0x8035, arp::arp),
    (OSI, isoclns::ethernet),
    (0x00fe, isoclns::isoclns),
    (0x8847, mpls::mpls),
    (0x8848, mpls::mpls),
    (0x880b, |p, c, length| {
        if length == 0 {
            return Ok(());
        }
        put!(p, ": ");
        ppp::payload(p, c, length)
    }),
    (0x8863, pppoe::pppoe),
    (0x8864, pppoe::pppoe),
    // What 3Com used.
    (0x3c12, pppoe::pppoe),
    (0x3c13, pppoe::pppoe),
    (0x8809, slow::slow),
    (0x888e, eap::eapol),
    (0x886f, msnlb::msnlb),
    (0x88a2, aoe::aoe),
    (0x9000, loopback::loopback),
    (0x894f, nsh::nsh),
    (0x88f7, ptp::ptp),
    (0x88cc, lldp::lldp),
    (0x8947, geonet::geonet),
    (0x809b, atalk::atalk),
    (0x80f3, atalk::aarp),
    (0x8137, ipx::ethernet),
    (0x88ca, tipc::tipc),
    (0x8902, cfm::cfm),
    (0xabcd, cfm::cfm),
    (0x0707, geonet::geonet),
    (0x1111, geonet::calm_fast),
    (0x6003, decnet::decnet),
    (0x8808, mpcp::mpcp),
    (0x8899, realtek::realtek),
];

/// Names as tcpdump gives them.
static NAMES: &[(u16, &str)] = &[
    (IPV4, "IPv4"),
    (0x86dd, "IPv6"),
    (0x0806, "ARP"),
    (VLAN, "802.1Q"),
    (0x88a8, "802.1Q-QinQ"),
    (0x9100, "802.1Q-9100"),
    (0x9200, "802.1Q-9200"),
    (0x0200, "PUP"),
    (0x0500, "Sprite"),
    (0x0600, "NS"),
    (0x0707, "GeoNet (old)"),
    (0x1000, "Trail"),
    (0x1111, "CALM FAST"),
    (0x6001, "MOP DL"),
    (0x6002, "MOP RC"),
    (0x6003, "DN"),
    (0x6004, "LAT"),
    (0x6007, "SCA"),
    (0x6558, "TEB"),
    (0x8035, "Reverse ARP"),
    (0x8038, "Lanbridge"),
    (0x803c, "DEC DNS"),
    (0x803e, "DEC DTS"),
    (0x805b, "VEXP"),
    (0x805c, "VPROD"),
    (0x809b, "Appletalk"),
    (0x80f3, "Appletalk ARP"),
    (0x8137, "IPX"),
    (0x8808, "MPCP"),
    (0x8809, "Slow Protocols"),
    (0x880b, "PPP"),
    (0x8847, "MPLS unicast"),
    (0x8848, "MPLS multicast"),
    (0x8863, "PPPoE D"),
    (0x8864, "PPPoE S"),
    (0x886f, "MS NLB heartbeat"),
    (0x8870, "Jumbo"),
    (0x888e, "EAPOL"),
    (0x8899, "Realtek protocols"),
    (0x88a2, "AoE"),
    (0x88ca, "TIPC"),
    (0x88cc, "LLDP"),
    (0x88e5, "802.1AE MACsec"),
    (0x88f7, "PTP"),
    (0x8902, "CFM"),
    (0x893a, "IEEE1905.1"),
    (0x8947, "GeoNet"),
    (0x894f, "NSH"),
    (0x9000, "Loopback"),
    (0xabcd, "CFM (old)"),
    (0xd28b, "Arista Vendor Specific Protocol"),
    (0xfefe, "OSI"),
    (0x00fe, "GRE-OSI"),
];

/// The name of an `EtherType`.
pub(crate) fn name(ethertype: u16) -> Option<&'static str> {
    lookup(NAMES, ethertype)
}

/// `ethertype NAME (0xNNNN)`.
pub(crate) fn label(p: &mut Out<'_>, ethertype: u16) {
    let name = name(ethertype).unwrap_or("Unknown");
    put!(p, "ethertype ", name, " (0x", HexFull(ethertype), ")");
}

/// Prints the payload of a frame, if anybody knows it.
#[inline]
pub(crate) fn payload(
    p: &mut Out<'_>,
    ethertype: u16,
    c: Cursor<'_>,
    length: usize,
) -> Option<Printed> {
    let (_, print) = PAYLOADS.iter().find(|entry| entry.0 == ethertype)?;
    Some(p.deeper(|p| print(p, c, length)))
}
