//! Which printer reads a packet first: by the link type of its device.

use pktwho_packet::{LinkType, Packet};
use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::{
    ap1394, arcnet, atalk, atm, bluetooth, brcm, chdlc, cip, dsa, enc, ether, fddi, fr, ieee80211,
    ieee802154, ipfc, ipnet, juniper, netanalyzer, nflog, null, pflog, ppi, ppp, pppoe, radiotap,
    raw, slip, sll, symantec, token_ring, usb, vsock,
};

/// A printer of a link layer; the last argument is the length on the wire.
type Link = fn(&mut Out<'_>, Cursor<'_>, usize) -> Printed;

/// Every link type that is understood.
static LINKS: &[(LinkType, Link)] = &[
    (LinkType::ETHERNET, ether::frame),
    (LinkType::LINUX_SLL, sll::sll),
    (LinkType::LINUX_SLL2, sll::sll2),
    (LinkType::RAW, raw::raw),
    (LinkType::IPV4, raw::ipv4),
    (LinkType::IPV6, raw::ipv6),
    (LinkType::NULL, null::null),
    (LinkType::LOOP, null::null),
    (LinkType::PPP, ppp::ppp),
    (LinkType::PPP_HDLC, ppp::hdlc),
    (LinkType::PPP_PPPD, ppp::ppp),
    (LinkType::PPP_ETHER, pppoe::link),
    (LinkType::ARCNET, arcnet::arcnet),
    (LinkType::ARCNET_LINUX, arcnet::linux),
    (LinkType::IPNET, ipnet::ipnet),
    (LinkType::IPOIB, ipnet::ipoib),
    (LinkType::NFLOG, nflog::nflog),
    (LinkType::PPI, ppi::ppi),
    (LinkType::PKTAP, ppi::pktap),
    // What Apple's systems number PKTAP in old files (DLT_USER2).
    (LinkType(149), ppi::pktap),
    (LinkType::VSOCK, vsock::vsock),
    (LinkType::FRELAY, fr::frame),
    (LinkType::MFR, fr::multilink),
    (LinkType::C_HDLC, chdlc::chdlc),
    (LinkType::HDLC, chdlc::chdlc),
    (LinkType::DSA_TAG_DSA, dsa::dsa),
    (LinkType::DSA_TAG_EDSA, dsa::edsa),
    (LinkType::DSA_TAG_BRCM, brcm::inside),
    (LinkType::DSA_TAG_BRCM_PREPEND, brcm::before),
    (LinkType::LTALK, atalk::localtalk),
    (LinkType::IEEE802_11, ieee80211::frame),
    (LinkType::IEEE802_11_RADIO, radiotap::radiotap),
    (LinkType::IEEE802_11_PRISM, ieee80211::prism),
    (LinkType::IEEE802_11_AVS, ieee80211::avs),
    (LinkType::IEEE802_15_4_WITHFCS, ieee802154::frame),
    (LinkType::IEEE802_15_4_NOFCS, ieee802154::frame),
    (LinkType::IEEE802_15_4_TAP, ieee802154::tap),
    (LinkType::JUNIPER_ETHER, juniper::ether),
    (LinkType::JUNIPER_PPP, juniper::ppp),
    (LinkType::JUNIPER_FRELAY, juniper::frelay),
    (LinkType::JUNIPER_CHDLC, juniper::chdlc),
    (LinkType::JUNIPER_PPPOE, juniper::pppoe),
    (LinkType::JUNIPER_PPPOE_ATM, juniper::pppoe_atm),
    (LinkType::JUNIPER_ES, juniper::es),
    (LinkType::JUNIPER_GGSN, juniper::ggsn),
    (LinkType::JUNIPER_SERVICES, juniper::services),
    (LinkType::JUNIPER_MONITOR, juniper::monitor),
    (LinkType::JUNIPER_ATM1, juniper::atm1),
    (LinkType::JUNIPER_ATM2, juniper::atm2),
    (LinkType::JUNIPER_MLPPP, juniper::mlppp),
    (LinkType::JUNIPER_MLFR, juniper::mlfr),
    (LinkType::JUNIPER_MFR, juniper::mfr),
    (LinkType::SLIP, slip::slip),
    (LinkType::ATM_RFC1483, atm::rfc1483),
    (LinkType::NETANALYZER, netanalyzer::netanalyzer),
    (LinkType::NETANALYZER_TRANSPARENT, netanalyzer::transparent),
    (LinkType::APPLE_IP_OVER_IEEE1394, ap1394::ap1394),
    (LinkType::SYMANTEC_FIREWALL, symantec::symantec),
    (LinkType::ENC, enc::enc),
    (LinkType::ATM_CLIP, cip::cip),
    // The number that Linux gives it in memory.
    (LinkType(19), cip::cip),
    (LinkType::BLUETOOTH_HCI_H4_WITH_PHDR, bluetooth::h4),
    (LinkType(6), token_ring::token_ring),
    (LinkType::FDDI, fddi::fddi),
    (LinkType::IP_OVER_FC, ipfc::ipfc),
    (LinkType::SUNATM, atm::sunatm),
    (LinkType::SLIP_BSDOS, slip::bsdos),
    (LinkType::PPP_BSDOS, ppp::bsdos),
    (LinkType::PFLOG, pflog::pflog),
    (LinkType::USB_LINUX, usb::short),
    (LinkType::USB_LINUX_MMAPPED, usb::long),
    // What OpenBSD calls DLT_RAW.
    (LinkType(14), raw::raw),
];

/// Prints the packet from its link layer on.
pub(crate) fn print(p: &mut Out<'_>, packet: &Packet<'_>) -> Printed {
    let length = usize::try_from(packet.orig_len)
        .unwrap_or(usize::MAX)
        .max(packet.data.len());
    let link_type = LinkType::from_dlt(packet.iface.link_type.0);
    match LINKS.iter().find(|link| link.0 == link_type) {
        Some((_, link)) => link(p, Cursor::new(packet.data), length),
        None => {
            crate::unsupported(p, packet.data);
            Ok(())
        }
    }
}

/// Whether packets of that link type have a printer.
pub fn prints(link_type: LinkType) -> bool {
    let link_type = LinkType::from_dlt(link_type.0);
    LINKS.iter().any(|link| link.0 == link_type)
}

/// A packet of another link type inside one whose own header is `before` bytes, if anybody
/// prints that type.
pub(crate) fn inner(
    p: &mut Out<'_>,
    link_type: LinkType,
    c: Cursor<'_>,
    length: usize,
    before: usize,
) -> Option<Printed> {
    let (_, link) = LINKS.iter().find(|link| link.0 == link_type)?;
    p.link_len = 0;
    let printed = p.deeper(|p| link(p, c, length));
    p.link_len += before;
    Some(printed)
}
