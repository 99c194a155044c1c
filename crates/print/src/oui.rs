//! Organisations: the first three bytes of a hardware address, and SNAP's name spaces.
//!
//! The few that tcpdump names; it is no registry of vendors.

use crate::out::lookup;

static OUIS: &[(u32, &str)] = &[
    (0x00_0000, "Ethernet"),
    (0x00_000c, "Cisco"),
    (0x00_0081, "Nortel Networks SONMP"),
    (0x00_00f8, "Cisco bridged"),
    (0x00_80c2, "Ethernet bridged"),
    (0x00_a03e, "ATM Forum"),
    (0x00_1000, "Cable Data / BPI"),
    (0x08_0007, "Appletalk"),
    (0x00_9069, "Juniper"),
    (0x00_120f, "IEEE 802.3 Private"),
    (0x00_12bb, "ANSI/TIA"),
];

/// The name of an organisation.
pub(crate) fn name(organisation: u32) -> &'static str {
    lookup(OUIS, organisation).unwrap_or("Unknown")
}

/// Protocols of Cisco's own name space in SNAP.
static CISCO: &[(u16, &str)] = &[
    (0x2000, "CDP"),
    (0x2003, "VTP"),
    (0x2004, "DTP"),
    (0x0111, "UDLD"),
];

/// The name of a protocol in an organisation's name space.
pub(crate) fn protocol(organisation: u32, kind: u16) -> &'static str {
    match organisation {
        0x00_000c => lookup(CISCO, kind).unwrap_or("Unknown"),
        _ => "Unknown",
    }
}
