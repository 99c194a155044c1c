//! Organisations: the first three bytes of a hardware address, and SNAP's name spaces.
//!
//! The few that tcpdump names; it is no registry of vendors.

use crate::ethertype;
use crate::out::lookup;

static OUIS: &[(u32, &str)] = &[
    (0x00_0000, "Ethernet"),
    (0x00_000c, "Cisco"),
    (0x00_005e, "IANA"),
    (0x00_0081, "Nortel Networks SONMP"),
    (0x00_00f8, "Cisco bridged"),
    (0x00_049f, "Freescale"),
    (0x00_04ea, "HP-Labs"),
    (0x00_1018, "Broadcom"),
    (0x00_120f, "IEEE 802.3 Private"),
    (0x00_12bb, "ANSI/TIA"),
    (0x00_15ad, "Netronome"),
    (0x00_19a7, "ITU-T"),
    (0x00_1b21, "DCBX"),
    (0x00_2320, "Nicira Networks"),
    (0x00_2481, "HP"),
    (0x00_80c2, "Ethernet bridged"),
    (0x00_9069, "Juniper"),
    (0x00_a03e, "ATM Forum"),
    (0x00_e004, "PMC-Sierra"),
    (0x00_e02f, "DOCSIS Spanning Tree"),
    (0x08_0007, "Appletalk"),
    (0x08_0009, "Hewlett-Packard"),
    (0x5c_16c7, "Big Switch Networks"),
    (0x74_8771, "Infoblox Inc"),
    (0xa4_2305, "Open Networking Lab"),
    (0xb0_d2f5, "Vello Systems"),
];

/// The name of an organisation.
pub(crate) fn name(organisation: u32) -> &'static str {
    lookup(OUIS, organisation).unwrap_or("Unknown")
}

/// Protocols of Cisco's own name space in SNAP.
static CISCO: &[(u16, &str)] = &[
    (0x010b, "PVST"),
    (0x010c, "VLAN Bridge"),
    (0x0111, "UDLD"),
    (0x2000, "CDP"),
    (0x2003, "VTP"),
    (0x2004, "DTP"),
];

/// What is bridged over other links (RFC 2684, section 5.2).
static BRIDGED: &[(u16, &str)] = &[
    (0x0001, "Ethernet + FCS"),
    (0x0002, "802.4 + FCS"),
    (0x0003, "Token Ring + FCS"),
    (0x0004, "FDDI + FCS"),
    (0x0007, "Ethernet w/o FCS"),
    (0x0008, "802.4 w/o FCS"),
    (0x0009, "Token Ring w/o FCS"),
    (0x000a, "FDDI w/o FCS"),
    (0x000e, "BPDU"),
];

/// The name of a protocol in an organisation's name space.
pub(crate) fn protocol(organisation: u32, kind: u16) -> &'static str {
    match organisation {
        0x00_000c => lookup(CISCO, kind),
        0x00_80c2 => lookup(BRIDGED, kind),
        0x00_00f8 | 0x08_0007 => ethertype::name(kind),
        _ => None,
    }
    .unwrap_or("Unknown")
}
