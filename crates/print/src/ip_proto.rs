//! IP protocol numbers: their names, and who prints what follows an IP header.

use std::net::IpAddr;

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, lookup};
use crate::put::put;
use crate::{
    dccp, egp, eigrp, esp, ether, gre, icmp, icmp6, igmp, igrp, ip, ip6, mobile, mpls, nhrp, ospf,
    pgm, pim, rsvp, sctp, tcp, udp, vrrp,
};

pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const ICMP6: u8 = 58;
pub(crate) const PIM: u8 = 103;
pub(crate) const VRRP: u8 = 112;
pub(crate) const DCCP: u8 = 33;
const SCTP: u8 = 132;

/// What the IP header around a payload says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ip {
    pub(crate) src: IpAddr,
    /// Where the header says.
    pub(crate) dst: IpAddr,
    /// Time to live, or hop limit.
    pub(crate) ttl: u8,
    /// Where a routing header leads in the end; what checksums are made with.
    pub(crate) last_dst: IpAddr,
    /// One of several fragments: the payload is not whole.
    pub(crate) fragment: bool,
    /// The addresses stand in the line already (an extension header was printed).
    pub(crate) addresses_shown: bool,
}

type Payload = fn(&mut Out<'_>, Cursor<'_>, usize, &Ip) -> Printed;

/// Payloads that are understood.
static PAYLOADS: &[(u8, Payload)] = &[
    (TCP, tcp::tcp),
    (UDP, udp::udp),
    (ICMP, icmp::icmp),
    (ICMP6, icmp6::icmp6),
    (2, igmp::igmp),
    (8, |p, c, length, _| egp::egp(p, c, length)),
    (9, igrp::igrp),
    (46, rsvp::rsvp),
    (55, |p, c, length, _| mobile::mobile(p, c, length)),
    (54, |p, c, length, _| nhrp::nhrp(p, c, length)),
    (137, |p, c, length, _| mpls::mpls(p, c, length)),
    (88, |p, c, length, _| eigrp::eigrp(p, c, length)),
    (89, ospf::ospf),
    (113, pgm::pgm),
    (SCTP, sctp::sctp),
    (DCCP, dccp::dccp),
    (PIM, pim::pim),
    (VRRP, vrrp::vrrp_or_carp),
    (50, esp::esp),
    (51, esp::ah),
    (108, esp::ipcomp),
    (4, |p, c, length, _| ip::ip(p, c, length)),
    (41, |p, c, length, _| ip6::ip6(p, c, length)),
    (143, |p, c, length, _| ether::frame(p, c, length)),
    (47, |p, c, length, _| gre::gre(p, c, length)),
    // Sun's network disk.
    (77, |p, _, length, _| {
        put!(p, " nd ", length);
        Ok(())
    }),
    (59, |p, _, _, _| {
        put!(p, "no next header");
        Ok(())
    }),
];

static NAMES: &[(u8, &str)] = &[
    (0, "HBH"),
    (1, "ICMP"),
    (2, "IGMP"),
    (4, "IPIP"),
    (6, "TCP"),
    (8, "EGP"),
    (9, "IGRP"),
    (17, "UDP"),
    (33, "DCCP"),
    (41, "IPv6"),
    (43, "Routing"),
    (44, "Fragment"),
    (46, "RSVP"),
    (47, "GRE"),
    (50, "ESP"),
    (51, "AH"),
    (55, "Mobile IP"),
    (58, "ICMPv6"),
    (59, "No Next Header"),
    (60, "DSTOPT"),
    (62, "Mobile IP (old)"),
    (88, "EIGRP"),
    (89, "OSPF"),
    (PIM, "PIM"),
    (108, "Compressed IP"),
    (VRRP, "VRRP"),
    (113, "PGM"),
    (SCTP, "SCTP"),
    (135, "Mobility"),
    (143, "Ethernet"),
];

/// The name of a protocol number, or of an extension header.
pub(crate) fn name(number: u8) -> Option<&'static str> {
    lookup(NAMES, number)
}

/// Whether a protocol shows the addresses itself, with its ports.
pub(crate) fn has_ports(number: u8) -> bool {
    matches!(number, TCP | UDP | SCTP | DCCP)
}

/// Prints the payload of an IP packet.
#[inline]
pub(crate) fn payload(
    p: &mut Out<'_>,
    number: u8,
    c: Cursor<'_>,
    length: usize,
    ip: &Ip,
) -> Printed {
    p.ip = Some(*ip);
    let of_other = match (number, ip.src.is_ipv4()) {
        (ICMP, false) => Some("ICMP requires IPv4"),
        (2, false) => Some("IGMP requires IPv4"),
        (ICMP6, true) => Some("ICMPv6 requires IPv6"),
        (143, true) => Some("Ethernet requires IPv6"),
        _ => None,
    };
    if let Some(fault) = of_other {
        put!(p, "[", fault, "]");
        p.invalid();
        return Ok(());
    }
    if let Some((_, print)) = PAYLOADS.iter().find(|entry| entry.0 == number) {
        return p.deeper(|p| print(p, c, length, ip));
    }
    put!(p, " ");
    p.ip_protocol(number);
    put!(p, " ", length);
    Ok(())
}

/// `10.0.0.1 > 10.0.0.2: `.
pub(crate) fn addresses(p: &mut Out<'_>, ip: &Ip) {
    p.addr(ip.src);
    put!(p, " > ");
    p.addr(ip.dst);
    put!(p, ": ");
}
