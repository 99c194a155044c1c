//! Frame Relay (RFC 2427), its multilink (FRF.16) and fragments (FRF.15).

use pktwho_wire::{Cursor, Truncated};

use crate::ethertype;
use crate::hexdump;
use crate::llc;
use crate::out::{Out, Printed, bits, lookup};
use crate::put::{HexFull, HexZeros, Visible, put};
use crate::{ip, ip6, nlpid, ppp, q933};

static FLAGS: &[(u32, &str)] = &[
    (0x0200, "C!"),
    (0x0002, "DE"),
    (0x0004, "BECN"),
    (0x0008, "FECN"),
    (0x2_0000, "sdlcore"),
];

const UI: u8 = 3;

/// Addresses of Q.922: two to four bytes.
struct Address {
    length: usize,
    dlci: u32,
    flags: u32,
}

impl Address {
    /// `None` if it does not end after four bytes.
    fn read(c: &mut Cursor<'_>) -> Result<Option<Self>, Truncated> {
        let first = c.u8()?;
        if first & 1 != 0 {
            return Ok(None);
        }
        let second = c.u8()?;
        let mut address = Self {
            length: 2,
            dlci: u32::from(first >> 2) << 4 | u32::from(second >> 4),
            flags: u32::from(first) << 8 & 0x0200 | u32::from(second & 0x0e),
        };
        if second & 1 != 0 {
            return Ok(Some(address));
        }
        let mut last = c.u8()?;
        address.length = 3;
        if last & 1 == 0 {
            address.dlci = address.dlci << 7 | u32::from(last >> 1);
            last = c.u8()?;
            address.length = 4;
            if last & 1 == 0 {
                return Ok(None);
            }
        }
        address.dlci = address.dlci << 6 | u32::from(last >> 2);
        if last & 2 != 0 {
            address.flags |= 0x2_0000;
        }
        Ok(Some(address))
    }

    fn show(&self, p: &mut Out<'_>, header: usize, protocol: u16, length: usize) {
        if p.style.quiet {
            return put!(p, "Q.922, DLCI ", self.dlci, ", length ", length, ": ");
        }
        put!(
            p,
            "Q.922, hdr-len ",
            header,
            ", DLCI ",
            self.dlci,
            ", Flags ["
        );
        bits(p, FLAGS, self.flags, ", ", "none");
        match u8::try_from(protocol) {
            Ok(number) => {
                let name = nlpid::name(number).unwrap_or("unknown");
                put!(p, "], NLPID ", name, " (0x", HexFull(number), ")");
            }
            Err(_) => {
                let name = ethertype::name(protocol).unwrap_or("unknown");
                put!(
                    p,
                    "], cisco-ethertype ",
                    name,
                    " (0x",
                    HexFull(protocol),
                    ")"
                );
            }
        }
        put!(p, ", length ", length, ": ");
    }
}

/// `LINKTYPE_FRELAY`, and the frames of multilink.
pub(crate) fn frame(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "fr";
    let whole = Cursor::new(c.rest());
    let mut c = whole;
    let Some(address) = Address::read(&mut c)? else {
        put!(p, "Q.922, invalid address");
        return Ok(());
    };
    c.need(2)?;
    if wire < address.length + 2 {
        return Err(Truncated);
    }
    let control = { c }.u8()?;
    if control != UI && address.dlci != 0 {
        // Cisco's framing has a type where the control byte would be.
        let mut inner = c;
        if let Ok(kind) = inner.u16() {
            if p.style.link {
                address.show(p, address.length, kind, wire);
            }
            let left = wire - address.length - 2;
            if let Some(printed) = ethertype::payload(p, kind, Cursor::new(inner.rest()), left) {
                return printed;
            }
        }
        put!(p, "UI ", HexFull(control), "! ");
    }
    c.skip(1)?;
    let mut header = address.length + 2;
    let mut protocol = c.u8()?;
    if protocol == 0 {
        if address.length != 3 {
            put!(p, "Pad! ");
        }
        header += 1;
        protocol = c.u8()?;
    } else if address.length == 3 {
        put!(p, "No pad! ");
    }
    if wire < header {
        return Err(Truncated);
    }
    if p.link_len == 0 {
        p.link_len = header;
    }
    if p.style.link {
        address.show(p, address.length, u16::from(protocol), wire);
    }
    payload(p, protocol, whole, header, wire, &address)
}

fn payload(
    p: &mut Out<'_>,
    protocol: u8,
    whole: Cursor<'_>,
    header: usize,
    wire: usize,
    address: &Address,
) -> Printed {
    let mut c = whole;
    c.skip(header)?;
    let c = Cursor::new(c.rest());
    let length = wire - header;
    match protocol {
        0xcc => return p.deeper(|p| ip::ip(p, c, length)),
        0x8e => return p.deeper(|p| ip6::ip6(p, c, length)),
        0x81..=0x83 => {
            // The identifier belongs to the packet.
            let mut from = whole;
            from.skip(header - 1)?;
            let from = Cursor::new(from.rest());
            if let Some(printed) = ethertype::payload(p, 0x00fe, from, length + 1) {
                return printed;
            }
        }
        0x80 => {
            if let Some(printed) = llc::snap_payload(p, c, length) {
                return printed;
            }
            if !p.style.link {
                address.show(p, header, u16::from(protocol), wire);
            }
            if !p.style.quiet {
                p.unknown(whole.rest());
            }
            return Ok(());
        }
        0x08 => return q933::q933(p, c, length),
        0xb1 => return fragment(p, c, length),
        0xcf => return p.deeper(|p| ppp::payload(p, c, length)),
        _ => {}
    }
    if !p.style.link {
        address.show(p, address.length, u16::from(protocol), wire);
    }
    p.unknown(c.rest());
    c.need(length)
}

static PARTS: &[(u32, &str)] = &[(0x80, "Begin"), (0x40, "End"), (0x20, "Control")];

/// A fragment inside a frame (FRF.15, FRF.12).
fn fragment(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let (first, second) = (c.u8()?, c.u8()?);
    p.protocol = "frf15";
    let sequence = u32::from(first & 0x1e) << 7 | u32::from(second);
    let kind = if first & 1 != 0 {
        "Interface"
    } else {
        "End-to-End"
    };
    put!(p, "FRF.15, seq 0x", HexZeros(sequence, 3), ", Flags [");
    bits(p, PARTS, u32::from(first & 0xe0), ", ", "none");
    put!(p, "],", kind, " Fragmentation, length ", length);
    Ok(())
}

static MESSAGES: &[(u8, &str)] = &[
    (1, "Add Link"),
    (2, "Add Link ACK"),
    (3, "Add Link Reject"),
    (4, "Hello"),
    (5, "Hello ACK"),
    (6, "Remove Link"),
    (7, "Remove Link ACK"),
];

static ELEMENTS: &[(u8, &str)] = &[
    (1, "Bundle ID"),
    (2, "Link ID"),
    (3, "Magic Number"),
    (5, "Timestamp"),
    (6, "Vendor Extension"),
];

/// `LINKTYPE_MFR`: frames and fragments of several links, and what manages the bundle.
pub(crate) fn multilink(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "mfr";
    let whole = Cursor::new(c.rest());
    let mut c = whole;
    if wire < 4 {
        return Err(Truncated);
    }
    c.need(4)?;
    let (first, second) = (c.u8()?, c.u8()?);
    let parts = first & 0xe0;
    if parts == 0xe0 && second == 0 {
        return management(p, parts, c, wire);
    }
    let sequence = u32::from(first & 0x1e) << 7 | u32::from(second);
    put!(p, "FRF.16 Frag, seq ", sequence, ", Flags [");
    bits(p, PARTS, u32::from(parts), ", ", "none");
    put!(p, "]");
    if matches!(parts, 0xc0 | 0x80) {
        put!(p, ", ");
        return frame(p, Cursor::new(c.rest()), wire - 2);
    }
    hexdump::hex(p, "\n\t", whole.limit(wire).rest());
    Ok(())
}

fn management(p: &mut Out<'_>, parts: u8, mut c: Cursor<'_>, wire: usize) -> Printed {
    let message = c.u8()?;
    put!(p, "FRF.16 Control, Flags [");
    bits(p, PARTS, u32::from(parts), ", ", "none");
    put!(p, "], ");
    match lookup(MESSAGES, message) {
        Some(name) => put!(p, name),
        None => put!(p, "Unknown Message (0x", HexFull(message), ")"),
    }
    put!(p, ", length ", wire);
    if !p.verbose(1) {
        return Ok(());
    }
    let mut left = wire - 3;
    while left >= 2 {
        let (kind, stated) = (c.u8()?, usize::from(c.u8()?));
        let name = lookup(ELEMENTS, kind).unwrap_or("Unknown");
        put!(p, "\n\tIE ", name, " (", kind, "), length ", stated, ": ");
        if kind == 0 || stated <= 2 {
            return Ok(());
        }
        let length = stated - 2;
        c.need(length)?;
        let mut value = c.limit(length);
        let mut known = true;
        match (kind, length) {
            (3, 4) => put!(p, "0x", HexFull(value.u32()?)),
            (3, _) => {
                put!(p, "[IE data length ", length, " != 4]");
                p.invalid();
            }
            (1 | 2, _) => put!(p, Visible::until_zero(value.limit(50).rest())),
            _ => known = false,
        }
        if p.verbose(2) || !known {
            hexdump::hex(p, "\n\t  ", c.limit(length).rest());
        }
        c.skip(length)?;
        left = left.saturating_sub(stated);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(107),
            "187103cc4500001c00010000401166ce0a0000010a0000020001000200089bd8",
            Style {
                link: true,
                ..style(0)
            },
            "Q.922, hdr-len 2, DLCI 103, Flags [none], NLPID IPv4 (0xcc), length 32: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
        check(
            LinkType(182),
            "e00001030601020304",
            Style {
                link: true,
                ..style(1)
            },
            "FRF.16 Control, Flags [Begin, End, Control], Add Link, length 9\n\tIE Magic Number (3), length 6: 0x01020304\n",
        );
        check(
            LinkType(182),
            "c001187103cc4500001c00010000401166ce0a0000010a0000020001000200089bd8",
            Style {
                link: true,
                ..style(0)
            },
            "FRF.16 Frag, seq 1, Flags [Begin, End], Q.922, hdr-len 2, DLCI 103, Flags [none], NLPID IPv4 (0xcc), length 32: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
    }
}
