//! Which protocol a UDP or TCP port carries.

use std::net::IpAddr;

use pktwho_wire::Cursor;

use crate::ip_proto::Ip;
use crate::out::{Out, Printed};
use crate::{
    PacketType, ahcp, aodv, atalk, autorp, babel, bcm_li, beep, bfd, bgp, bootp, cnfp, dhcp6, dns,
    geneve, hncp, hsrp, isakmp, krb, l2tp, ldp, lisp, lmp, lspping, lwapp, lwres, mpls, msdp, nfs,
    ntp, olsr, openflow, pgm, pptp, ptp, quic, radius, resp, rip, rpki_rtr, rtp, rx, sflow, snmp,
    someip, syslog, telnet, text, tftp, timed, vqp, vxlan, wb, zep, zephyr, zmtp1,
};

/// A printer of what a datagram or segment carries.
pub(crate) type Payload = fn(&mut Out<'_>, Cursor<'_>, usize) -> Printed;

/// Between whom a datagram or segment goes; for protocols that remember or name their ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) source: u16,
    pub(crate) destination: u16,
}

impl Ends {
    pub(crate) fn new(ip: &Ip, source: u16, destination: u16) -> Self {
        Self {
            src: ip.src,
            dst: ip.dst,
            source,
            destination,
        }
    }
}

/// Ports and who prints what goes between them.
struct Entry {
    first: u16,
    last: u16,
    ends: Which,
    print: Payload,
}

/// Whose port counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Source,
    Destination,
    Either,
}

/// A port of either end.
const fn port(port: u16, print: Payload) -> Entry {
    ports(port, port, print)
}

/// A range of ports of either end.
const fn ports(first: u16, last: u16, print: Payload) -> Entry {
    Entry {
        first,
        last,
        ends: Which::Either,
        print,
    }
}

/// A port of the destination alone.
const fn to_port(port: u16, print: Payload) -> Entry {
    Entry {
        first: port,
        last: port,
        ends: Which::Destination,
        print,
    }
}

/// A port of the source alone.
const fn from_port(port: u16, print: Payload) -> Entry {
    Entry {
        first: port,
        last: port,
        ends: Which::Source,
        print,
    }
}

/// UDP ports; the first entry that fits decides. The order is tcpdump's: that of the numbers below
/// 1024, from which nobody sends who serves nothing, then the one found out by datagrams between
/// each two of them.
static UDP: &[Entry] = &[
    // RFC 8926: any port may be its source, and this its destination only.
    to_port(6081, geneve::geneve),
    port(53, dns::datagram),
    ports(67, 68, bootp::bootp),
    port(69, tftp::tftp),
    port(88, krb::krb),
    port(123, ntp::ntp),
    ports(161, 162, snmp::snmp),
    ports(319, 320, ptp::ptp),
    port(443, quic::quic),
    port(496, autorp::autorp),
    port(500, isakmp::isakmp),
    port(514, syslog::syslog),
    port(520, rip::rip),
    port(521, rip::ng::ripng),
    port(525, timed::timed),
    ports(546, 547, dhcp6::dhcp6),
    port(646, ldp::ldp),
    port(654, aodv::aodv),
    port(698, olsr::olsr),
    port(701, lmp::lmp),
    port(750, krb::krb),
    port(921, lwres::lwres),
    port(5353, dns::multicast),
    port(4500, isakmp::encapsulated),
    port(7500, isakmp::isakmp),
    port(8500, isakmp::isakmp),
    port(1701, l2tp::l2tp),
    to_port(3456, rtp::vat),
    port(2103, zephyr::zephyr),
    port(2104, zephyr::zephyr),
    ports(7000, 7009, rx::rx),
    port(5359, ahcp::ahcp),
    ports(6696, 6697, babel::babel),
    port(8231, hncp::hncp),
    to_port(4567, wb::wb),
    ports(1645, 1646, radius::radius),
    ports(1812, 1813, radius::radius),
    port(3799, radius::radius),
    port(1700, radius::radius),
    to_port(1985, hsrp::hsrp),
    port(3503, lspping::lspping),
    port(3784, bfd::control),
    port(3785, bfd::echo),
    port(4784, bfd::multihop),
    port(6784, bfd::lag),
    port(7784, bfd::seamless),
    port(1589, vqp::vqp),
    port(6343, sflow::sflow),
    ports(12222, 12223, lwapp::lwapp),
    port(5060, text::sip),
    port(8472, vxlan::vxlan),
    port(4789, vxlan::vxlan),
    port(4342, lisp::lisp),
    port(4790, vxlan::gpe),
    port(6635, mpls::mpls),
    port(30490, someip::someip),
    port(17754, zep::zep),
    // Well-known sockets of AppleTalk, as three gateways number them.
    ports(200, 327, atalk::in_udp),
    ports(768, 895, atalk::in_udp),
    ports(16512, 16639, atalk::in_udp),
    from_port(49152, bcm_li::bcm_li),
];

/// TCP ports, likewise.
static TCP: &[Entry] = &[
    port(21, text::ftp),
    port(22, text::ssh),
    port(23, telnet::telnet),
    port(25, text::smtp),
    port(43, text::whois),
    port(53, dns::stream),
    port(80, text::http),
    port(179, bgp::bgp),
    port(323, rpki_rtr::rpki_rtr),
    port(554, text::rtsp),
    port(639, msdp::msdp),
    port(646, ldp::ldp),
    port(1723, pptp::pptp),
    port(6379, resp::resp),
    port(10288, beep::beep),
    port(6653, openflow::openflow),
    port(6633, openflow::openflow),
    port(8080, text::http),
    port(3128, text::http),
    port(8554, text::rtsp),
    port(2049, nfs::stream),
    port(5060, text::sip_stream),
];

fn find(table: &[Entry], source: u16, destination: u16) -> Option<Payload> {
    table
        .iter()
        .find(|entry| {
            let among = entry.first..=entry.last;
            entry.ends != Which::Source && among.contains(&destination)
                || entry.ends != Which::Destination && among.contains(&source)
        })
        .map(|entry| entry.print)
}

/// The printer for a UDP datagram between two ports.
pub(crate) fn udp(source: u16, destination: u16) -> Option<Payload> {
    find(UDP, source, destination)
}

/// The printer for a TCP segment between two ports.
pub(crate) fn tcp(source: u16, destination: u16) -> Option<Payload> {
    find(TCP, source, destination)
}

/// The printer of datagrams that `-T` asked for.
pub(crate) fn udp_as(kind: PacketType) -> Option<Payload> {
    match kind {
        PacketType::Domain => Some(dns::datagram),
        PacketType::Aodv => Some(aodv::aodv),
        PacketType::Cnfp => Some(cnfp::cnfp),
        PacketType::Pgm | PacketType::PgmZmtp1 => Some(pgm::datagram),
        PacketType::Lmp => Some(lmp::lmp),
        PacketType::Zmtp1 => Some(zmtp1::datagram),
        PacketType::Snmp => Some(snmp::snmp),
        PacketType::Radius => Some(radius::radius),
        PacketType::Quic => Some(quic::quic),
        PacketType::Ptp => Some(ptp::ptp),
        PacketType::Rtp => Some(rtp::rtp),
        PacketType::Rtcp => Some(rtp::rtcp),
        PacketType::Someip => Some(someip::someip),
        PacketType::Wb => Some(wb::wb),
        PacketType::Vat => Some(rtp::vat),
        PacketType::Tftp => Some(tftp::tftp),
        // What other protocols have by their port.
        PacketType::Vxlan => udp(4789, 4789),
        PacketType::Geneve => udp(6081, 6081),
        _ => None,
    }
}

/// The printer of segments that `-T` asked for.
pub(crate) fn tcp_as(kind: PacketType) -> Option<Payload> {
    match kind {
        PacketType::Domain => Some(dns::stream),
        PacketType::Resp => Some(resp::resp),
        PacketType::Zmtp1 => Some(zmtp1::stream),
        _ => None,
    }
}

/// The UDP ports that have a printer, for tests of all of them.
#[cfg(test)]
pub(crate) fn udp_ports() -> Vec<u16> {
    UDP.iter().map(|entry| entry.first).collect()
}

/// The TCP ports that have a printer.
#[cfg(test)]
pub(crate) fn tcp_ports() -> Vec<u16> {
    TCP.iter().map(|entry| entry.first).collect()
}

#[cfg(test)]
mod tests {
    use super::{TCP, UDP, Which, find};

    #[test]
    fn low_ports_decide_in_their_order() {
        for table in [UDP, TCP] {
            let low = |port: u16| find(table, port, 40000).is_some() && port < 1024;
            for port in (1..200).filter(|&port| low(port)) {
                for other in (port + 1..=9999).filter(|&other| find(table, other, 40000).is_some())
                {
                    let alone = find(table, port, 40000).map(|print| print as usize);
                    for (source, destination) in [(port, other), (other, port)] {
                        let both = find(table, source, destination).map(|print| print as usize);
                        assert_eq!(both, alone, "{source} > {destination}");
                    }
                }
            }
        }
    }

    #[test]
    fn geneve_is_known_by_its_destination() {
        let alone = find(UDP, 40000, 6081).map(|print| print as usize);
        assert_eq!(find(UDP, 53, 6081).map(|print| print as usize), alone);
        assert!(find(UDP, 6081, 40000).is_none());
        assert!(
            UDP.iter()
                .any(|entry| entry.first == 6081 && entry.ends == Which::Destination)
        );
    }
}
