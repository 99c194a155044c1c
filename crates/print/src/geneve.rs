//! Geneve (RFC 8926).

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, bits};
use crate::put::{Hex, HexFull, put};
use crate::{ether, ethertype};

const ETHERNET: u16 = 0x6558;

/// Control packet, critical options, reserved.
static FLAGS: &[(u32, &str)] = &[
    (0x80, "O"),
    (0x40, "C"),
    (0x20, "R1"),
    (0x10, "R2"),
    (0x08, "R3"),
    (0x04, "R4"),
    (0x02, "R5"),
    (0x01, "R6"),
];

/// A datagram of the Geneve port.
pub(crate) fn geneve(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "geneve";
    put!(p, "Geneve");
    if length < 8 {
        put!(p, " [length ", length, " < 8]");
        p.invalid();
        return Ok(());
    }
    c.need(8)?;
    let first = c.u8()?;
    if first >> 6 != 0 {
        put!(p, " ERROR: unknown-version ", first >> 6);
        return Ok(());
    }
    let flags = c.u8()?;
    put!(p, ", Flags [");
    bits(p, FLAGS, u32::from(flags), "", "none");
    put!(p, "]");
    let kind = c.u16()?;
    put!(p, ", vni 0x", Hex(c.u24()?));
    let reserved = c.u8()?;
    if reserved != 0 {
        put!(p, ", rsvd 0x", Hex(reserved));
    }
    if p.style.link {
        let name = ethertype::name(kind).unwrap_or("unknown");
        put!(p, ", proto ", name, " (0x", HexFull(kind), ")");
    }
    let options = usize::from(first & 0x3f) * 4;
    let left = length - 8;
    if left < options {
        put!(p, " truncated-geneve - ", options - left, " bytes missing");
        p.invalid();
        return Ok(());
    }
    c.need(options)?;
    if options > 0 {
        put!(p, ", options [");
        if p.verbose(1) {
            list(p, c.sub(options)?)?;
        } else {
            c.skip(options)?;
            put!(p, options, " bytes");
        }
        put!(p, "]");
    }
    put!(p, if p.verbose(1) { "\n\t" } else { ": " });
    let left = left - options;
    let c = Cursor::new(c.rest());
    if kind == ETHERNET {
        return p.deeper(|p| ether::frame(p, c, left));
    }
    if let Some(printed) = ethertype::payload(p, kind, c, left) {
        return printed;
    }
    put!(p, "geneve-proto-0x", Hex(kind));
    Ok(())
}

/// The options, and with `-vv` their values.
fn list(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let mut separator = "";
    while !c.is_empty() {
        let class = c.u16()?;
        let kind = c.u8()?;
        let length = usize::from(c.u8()? & 0x1f) * 4;
        put!(
            p,
            separator,
            "class ",
            class_name(class),
            " (0x",
            Hex(class),
            ") type 0x",
            Hex(kind)
        );
        put!(
            p,
            if kind & 0x80 != 0 { "(C)" } else { "" },
            " len ",
            length + 4
        );
        separator = ", ";
        if length > c.remaining() {
            put!(p, " [bad length]");
            return Ok(());
        }
        let mut value = c.sub(length)?;
        if p.verbose(2) && length > 0 {
            put!(p, " data");
            while !value.is_empty() {
                put!(p, " ", HexFull(value.u32()?));
            }
        }
    }
    Ok(())
}

/// Who defined an option (IANA's registry of Geneve option classes).
fn class_name(class: u16) -> &'static str {
    match class {
        0x0000..=0x00ff => "Standard",
        0x0100 => "Linux",
        0x0101 => "Open vSwitch",
        0x0102 => "Open Virtual Networking (OVN)",
        0x0103 => "In-band Network Telemetry (INT)",
        0x0104 => "VMware",
        0x0105 | 0x0108..=0x0110 => "Amazon",
        0x0106 | 0x0130..=0x0131 => "Cisco",
        0x0107 => "Oracle",
        0x0118 => "IBM",
        0x0128 => "Ericsson",
        0x0129 => "Oxide",
        0x0132 => "Google",
        0xfff0..=0xffff => "Experimental",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(101),
            "4500004800010000401100000a0000010a00000217c117c1003400000240080000000a00000080010000000c4500001c00010000401166ce0a0000010a0000020001000200089bd8",
            style(2),
            "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 72, bad cksum 0 (->66a2)!)\n    10.0.0.1.6081 > 10.0.0.2.6081: [no cksum] Geneve, Flags [C], vni 0xa, options [class Standard (0x0) type 0x80(C) len 8 data 0000000c]\n\tIP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 28)\n    10.0.0.1.1 > 10.0.0.2.2: [bad udp cksum 0x9bd8 -> 0xebd8!] UDP, length 0\n",
        );
    }
}
