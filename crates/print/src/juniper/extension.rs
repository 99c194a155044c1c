//! The TLVs of a longer header, which say what the interface is.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, named};
use crate::put::put;

const MEDIA: [u8; 2] = [3, 7];
const ENCAPSULATION: [u8; 2] = [6, 8];

static KINDS: &[(u8, &str)] = &[
    (1, "Device Interface Index"),
    (2, "Device Interface Name"),
    (3, "Device Media Type"),
    (4, "Logical Interface Index"),
    (5, "Logical Unit Number"),
    (6, "Logical Interface Encapsulation"),
    (7, "TTP derived Device Media Type"),
    (8, "TTP derived Logical Interface Encapsulation"),
];

static MEDIA_TYPES: &[(u32, &str)] = &[
    (1, "Ethernet"),
    (2, "FDDI"),
    (3, "Token-Ring"),
    (4, "PPP"),
    (5, "Frame-Relay"),
    (6, "Cisco-HDLC"),
    (7, "SMDS-DXI"),
    (8, "ATM-PVC"),
    (9, "PPP-CCC"),
    (10, "Frame-Relay-CCC"),
    (11, "IP-over-IP"),
    (12, "GRE"),
    (13, "PIM-Encapsulator"),
    (14, "PIM-Decapsulator"),
    (15, "Cisco-HDLC-CCC"),
    (16, "VLAN-CCC"),
    (17, "Multilink-PPP"),
    (18, "Multilink-FR"),
    (19, "Multilink"),
    (20, "LSI"),
    (22, "ATM-CCC-Cell-Relay"),
    (23, "IPSEC-over-IP"),
    (24, "GGSN"),
    (27, "PPP-TCC"),
    (28, "Frame-Relay-TCC"),
    (29, "Cisco-HDLC-TCC"),
    (30, "Ethernet-CCC"),
    (31, "VPN-Loopback-tunnel"),
    (32, "Extended-VLAN-CCC"),
    (33, "Ethernet-over-ATM"),
    (34, "Monitor"),
    (35, "Ethernet-TCC"),
    (36, "VLAN-TCC"),
    (37, "Extended-VLAN-TCC"),
    (38, "Controller"),
    (39, "Multilink-FR-UNI-NNI"),
    (40, "LinkService"),
    (41, "VPLS"),
    (42, "VLAN-VPLS"),
    (43, "Extended-VLAN-VPLS"),
    (44, "Logical-tunnel"),
    (45, "General-Services"),
    (46, "Ethernet-VPLS-over-ATM"),
    (48, "Extended FR-CCC"),
    (49, "Extended FR-TCC"),
    (50, "Flexible-FrameRelay"),
    (52, "Flexible-Ethernet-Services"),
    (53, "Flow-collection"),
    (56, "PPPoE"),
    (57, "PPP-Subordinate"),
    (59, "Dynamic-Flow-Capture"),
    (60, "PIC Peer"),
];

static ENCAPSULATIONS: &[(u32, &str)] = &[
    (2, "ATM SNAP"),
    (3, "ATM NLPID"),
    (4, "ATM VCMUX"),
    (5, "ATM LLC"),
    (6, "PPP over ATM VCMUX"),
    (7, "PPP over ATM LLC"),
    (8, "PPP over FUNI"),
    (9, "CCC over ATM"),
    (10, "FR NLPID"),
    (11, "FR SNAP"),
    (12, "FR PPP"),
    (13, "FR CCC"),
    (14, "Ethernet"),
    (17, "PPP"),
    (18, "C-HDLC"),
    (19, "PPP CCC"),
    (20, "IPIP"),
    (21, "PIM Null"),
    (22, "GRE NULL"),
    (23, "PPP over GRE"),
    (24, "PIMd"),
    (25, "C-HDLC CCC"),
    (26, "CISCO compatible NLPID"),
    (27, "VLAN CCC"),
    (28, "MLPPP"),
    (29, "MLFR"),
    (30, "LSI Null"),
    (32, "ATM CCC Cell Relay"),
    (33, "Crypto"),
    (34, "GGSN"),
    (35, "ATM VCMUX TCC"),
    (36, "FR TCC"),
    (37, "PPP TCC"),
    (38, "C-HDLC TCC"),
    (39, "Ethernet CCC"),
    (40, "VT"),
    (41, "Ethernet over ATM LLC"),
    (42, "Extended VLAN CCC"),
    (43, "ATM SNAP TCC"),
    (44, "Monitor"),
    (45, "Ethernet TCC"),
    (46, "VLAN TCC"),
    (47, "Extended VLAN TCC"),
    (48, "MFR"),
    (49, "VPLS"),
    (50, "VLAN VPLS"),
    (51, "Extended VLAN VPLS"),
    (52, "General Services"),
    (53, "Ethernet VPLS over ATM LLC"),
    (54, "FR CCC"),
    (55, "MLPPP over ATM LLC"),
    (56, "Ethernet over ATM CCC"),
    (57, "LT VLAN"),
    (58, "Collector"),
    (59, "Aggregator"),
    (60, "LAPD"),
    (61, "PPPoE over ATM LLC"),
    (62, "PPPoE over Ethernet"),
    (63, "PPPoE"),
    // compat: it has a place in the table, and no name (4.99.3).
    (64, ""),
    (65, "C-HDLC via dialer"),
];

/// Reads the list, and shows it with `-vv`; `false` if it contradicts itself, which is said.
pub(super) fn extensions(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<bool, Truncated> {
    let shown = p.verbose(2);
    let mut left = usize::from(c.u16()?);
    let mut list = *c;
    if shown {
        put!(p, ", PCAP Extension(s) total length ", left);
    }
    c.skip(left)?;
    while left > 2 {
        let (kind, size) = (list.u8()?, usize::from(list.u8()?));
        if kind == 0 || size == 0 {
            break;
        }
        if left < size + 2 {
            put!(p, " [extension_length ", left, " < ", size + 2, "]");
            p.invalid();
            return Ok(false);
        }
        left -= size + 2;
        let value = list.take(size)?;
        if shown {
            element(p, kind, value);
        }
    }
    if shown {
        put!(p, "\n\t-----original packet-----\n\t");
    }
    Ok(true)
}

/// One of them; numbers of up to four bytes have the low byte first.
fn element(p: &mut Out<'_>, kind: u8, value: &[u8]) {
    let name = named(KINDS, kind, "Unknown");
    put!(p, "\n\t  ", name, " Extension TLV #", kind);
    put!(p, ", length ", value.len(), ", value ");
    // compat: the name of a device is never shown (4.99.3).
    if kind == 2 || value.len() > 4 {
        return;
    }
    let number = value
        .iter()
        .rev()
        .fold(0_u32, |number, &byte| number << 8 | u32::from(byte));
    let table = if MEDIA.contains(&kind) {
        MEDIA_TYPES
    } else if ENCAPSULATION.contains(&kind) {
        ENCAPSULATIONS
    } else {
        return put!(p, number);
    };
    put!(p, named(table, number, "Unknown"), " (", number, ")");
}
