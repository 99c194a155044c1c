//! Address families by the numbers of BSD's sockets, as RIP and loopback headers use them.

use crate::out::lookup;

pub(crate) const INET: u16 = 2;

static NAMES: &[(u16, &str)] = &[
    (INET, "IPv4"),
    (6, "NS"),
    (7, "ISO"),
    (16, "Appletalk"),
    (23, "IPX"),
    (24, "IPv6"),
    (28, "IPv6"),
    (30, "IPv6"),
];

/// The name of a family.
pub(crate) fn name(family: u16) -> Option<&'static str> {
    lookup(NAMES, family)
}
