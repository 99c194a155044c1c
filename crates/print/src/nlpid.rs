//! Network layer protocol identifiers (ISO 9577).

use crate::out::lookup;

pub(crate) const Q933: u8 = 0x08;
pub(crate) const CLNP: u8 = 0x81;
pub(crate) const ESIS: u8 = 0x82;
pub(crate) const ISIS: u8 = 0x83;
pub(crate) const IPV6: u8 = 0x8e;
pub(crate) const IPV4: u8 = 0xcc;
pub(crate) const PPP: u8 = 0xcf;

static NAMES: &[(u8, &str)] = &[
    (0x00, "NULL"),
    (Q933, "Q.933"),
    (0x09, "LMI"),
    (0x80, "SNAP"),
    (CLNP, "CLNP"),
    (ESIS, "ES-IS"),
    (ISIS, "IS-IS"),
    (0x84, "CONS"),
    (0x85, "IDRP"),
    (0xc1, "ISIS_SPB"),
    (0xb1, "FRF.15"),
    (IPV4, "IPv4"),
    (PPP, "PPP"),
    (0x8a, "X25 ES-IS"),
    (IPV6, "IPv6"),
];

/// The name of an identifier.
pub(crate) fn name(nlpid: u8) -> Option<&'static str> {
    lookup(NAMES, nlpid)
}
