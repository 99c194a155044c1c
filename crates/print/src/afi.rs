//! Address families: their numbers in routing protocols and what they are called (IANA registry).

use crate::out::lookup;

pub(crate) const IPV4: u16 = 1;
pub(crate) const IPV6: u16 = 2;
pub(crate) const NSAP: u16 = 3;
pub(crate) const L2VPN: u16 = 25;

static NAMES: &[(u16, &str)] = &[
    (0, "Reserved"),
    (IPV4, "IPv4"),
    (IPV6, "IPv6"),
    (NSAP, "NSAP"),
    (4, "HDLC"),
    (5, "BBN 1822"),
    (6, "802"),
    (7, "E.163"),
    (8, "E.164"),
    (9, "F.69"),
    (10, "X.121"),
    (11, "Novell IPX"),
    (12, "Appletalk"),
    (13, "Decnet IV"),
    (14, "Banyan Vines"),
    (15, "E.164 with NSAP subaddress"),
    (196, "Layer-2 VPN"),
    (L2VPN, "VPLS"),
];

/// The name of a family.
pub(crate) fn name(family: u16) -> Option<&'static str> {
    lookup(NAMES, family)
}
