//! Packets that ATM adaptation layer 5 carried (RFC 2684), and what Sun's adapters put before
//! them: signalling (ITU-T Q.2931), LAN emulation (ATM Forum), management.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, HexBytes, HexZeros, put};
use crate::{ether, llc, oam, snmp};

/// Bytes that some drivers put before LLC.
const UNKNOWN: usize = 8;

/// `LINKTYPE_ATM_RFC1483`.
pub(crate) fn rfc1483(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "atm";
    if wire < 8 || c.is_empty() {
        return Err(Truncated);
    }
    let (mut c, mut length) = (c, wire);
    // LLC of SNAP or of OSI begins the packet, or something that is shown with -e alone.
    if !matches!(c.rest(), [0xaa, 0xaa, 0x03, ..] | [0xfe, 0xfe, 0x03, ..]) {
        let (low, high) = (c.array::<UNKNOWN>()?, c.array::<UNKNOWN>()?);
        if p.style.link {
            put!(p, HexBytes(&low), " ", HexBytes(&high), " ");
        }
        c.skip(4)?;
        length = length.checked_sub(20).ok_or(Truncated)?;
    }
    let before = wire - length;
    let c = Cursor::new(c.rest());
    let printed = p.deeper(|p| llc::llc(p, c, length, None));
    p.link_len += before;
    printed
}

const HEADER: usize = 4;
/// Sent, in the first byte of Sun's header; the low four bits say what is carried.
const SENT: u8 = 0x80;
const LAN_EMULATION: u8 = 1;

/// Virtual channels of path 0 that have a meaning.
const META: u16 = 1;
const BROADCAST: u16 = 2;
const OAM_SEGMENT: u16 = 3;
const OAM_END: u16 = 4;
const SIGNALLING: u16 = 5;
const MANAGEMENT: u16 = 16;

/// `LINKTYPE_SUNATM`.
pub(crate) fn sunatm(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "sunatm";
    if p.style.link {
        let sent = c.rest().first().is_some_and(|first| first & SENT != 0);
        put!(p, if sent { "Tx: " } else { "Rx: " });
    }
    c.need(HEADER)?;
    p.link_len = HEADER;
    let (flags, vpi, vci) = (c.u8()?, c.u8()?, c.u16()?);
    if p.style.link {
        put!(p, "VPI:", vpi, " VCI:", vci, " ");
    }
    let c = Cursor::new(c.rest());
    let length = wire.saturating_sub(HEADER);
    if vpi == 0 {
        match vci {
            META => {
                put!(p, "meta: ");
                return Ok(());
            }
            BROADCAST => {
                put!(p, "broadcast sig: ");
                return Ok(());
            }
            OAM_SEGMENT | OAM_END => return oam::oam(p, c, length, 1),
            SIGNALLING => return signalling(p, c),
            MANAGEMENT => {
                put!(p, "ilmi: ");
                return p.deeper(|p| snmp::snmp(p, c, length));
            }
            _ => {}
        }
    }
    let printed = if flags & 15 == LAN_EMULATION {
        emulated(p, c, length)
    } else {
        p.deeper(|p| llc::llc(p, c, length, None))
    };
    // compat: what stands before the packet within it is shown by -x (4.99.3).
    p.link_len = HEADER;
    printed
}

static MESSAGES: &[(u8, &str)] = &[
    (0x02, "Call_proceeding"),
    (0x05, "Setup"),
    (0x07, "Connect"),
    (0x0f, "Connect_ack"),
    (0x46, "Restart"),
    (0x4d, "Release"),
    (0x4e, "Restart_ack"),
    (0x5a, "Release_complete"),
    (0x75, "Status_enquiry"),
    (0x7d, "Status"),
    (0x80, "Add_party"),
    (0x81, "Add_party_ack"),
    (0x82, "Add_party_reject"),
    (0x83, "Drop_party"),
    (0x84, "Drop_party_ack"),
];

/// What the network is asked for.
fn signalling(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    const Q2931: u8 = 0x09;
    p.protocol = "atm";
    let protocol = c.u8()?;
    if protocol != Q2931 {
        put!(p, "SSCOP, proto ", protocol, " ");
        return Ok(());
    }
    put!(p, "Q.2931");
    c.skip(1)?;
    let (reference, kind) = (c.u24()?, c.u8()?);
    match lookup(MESSAGES, kind) {
        Some(name) => put!(p, ":", name, " "),
        None => put!(p, ":msgtype#", kind, " "),
    }
    put!(p, "CALL_REF:0x", HexZeros(reference, 6));
    Ok(())
}

static OPERATIONS: &[(u16, &str)] = &[
    (0x0001, "configure request"),
    (0x0002, "join request"),
    (0x0003, "ready query"),
    (0x0004, "register request"),
    (0x0005, "unregister request"),
    (0x0006, "ARP request"),
    (0x0007, "flush request"),
    (0x0008, "NARP request"),
    (0x0009, "topology request"),
    (0x0101, "configure response"),
    (0x0102, "join response"),
    (0x0103, "ready indication"),
    (0x0104, "register response"),
    (0x0105, "unregister response"),
    (0x0106, "ARP response"),
    (0x0107, "flush response"),
];

/// LAN emulation: an Ethernet frame behind the number of its sender, or a control frame.
fn emulated(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    const CONTROL: u16 = 0xff00;
    const ETHERNET: usize = 14;
    p.protocol = "lane";
    let mut frame = c;
    let client = frame.u16()?;
    if client == CONTROL {
        let mut c = frame;
        let (protocol, version, operation) = (c.u8()?, c.u8()?, c.u16()?);
        put!(p, "lec: proto ", Hex(protocol), " vers ", Hex(version), " ");
        match lookup(OPERATIONS, operation) {
            Some(name) => put!(p, name),
            None => put!(p, "opcode-#", operation),
        }
        return Ok(());
    }
    if frame.need(ETHERNET).is_err() {
        p.protocol = "ether";
        return Err(Truncated);
    }
    put!(p, "lecid:", Hex(client), " ");
    p.link_len = 0;
    let inner = Cursor::new(frame.rest());
    p.deeper(|p| ether::frame(p, inner, length.saturating_sub(2)))
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn channels_of_sun() {
        let udp = "4500001c00010000401166ce0a0000010a0000020001000200089bd8";
        let linked = || Style {
            link: true,
            ..style(0)
        };
        for (packet, expected) in [
            (
                format!("82050007aaaa030000000800{udp}"),
                "Tx: VPI:5 VCI:7 LLC, dsap SNAP (0xaa) Individual, ssap SNAP (0xaa) Command, ctrl 0x03: oui Ethernet (0x000000), ethertype IPv4 (0x0800), length 28: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
            ),
            (
                format!("010000120001 0200000000020200000000010800{udp}"),
                "Rx: VPI:0 VCI:18 lecid:1 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 42: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
            ),
            (
                "01000012ff0001010006".to_owned(),
                "Rx: VPI:0 VCI:18 lec: proto 1 vers 1 ARP request\n",
            ),
            (
                "0200000509038000015a0000".to_owned(),
                "Rx: VPI:0 VCI:5 Q.2931:Release_complete CALL_REF:0x800001\n",
            ),
            (
                "02000005aa".to_owned(),
                "Rx: VPI:0 VCI:5 SSCOP, proto 170 \n",
            ),
            ("10".to_owned(), "Rx:  [|sunatm]\n"),
        ] {
            check(LinkType::SUNATM, &packet, linked(), expected);
        }
    }
}
