//! PPP over Ethernet (RFC 2516; tag PPP-Max-Payload: RFC 4638).

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, lookup};
use crate::ppp;
use crate::put::{Dotted, Hex, put};

const SESSION: u8 = 0;
/// Tags of an initiation packet, so that relays have room for one more (RFC 2516 section 5.1).
const MAX: usize = 1478;
const INITIATION: u8 = 0x09;

static CODES: &[(u8, &str)] = &[
    (SESSION, ""),
    (0x07, "PADO"),
    (0x09, "PADI"),
    (0x19, "PADR"),
    (0x65, "PADS"),
    (0xa7, "PADT"),
];

const END_OF_LIST: u16 = 0;

static TAGS: &[(u16, &str)] = &[
    (END_OF_LIST, "EOL"),
    (0x0101, "Service-Name"),
    (0x0102, "AC-Name"),
    (0x0103, "Host-Uniq"),
    (0x0104, "AC-Cookie"),
    (0x0105, "Vendor-Specific"),
    (0x0110, "Relay-Session-ID"),
    (0x0120, "PPP-Max-Payload"),
    (0x0201, "Service-Name-Error"),
    (0x0202, "AC-System-Error"),
    (0x0203, "Generic-Error"),
];

/// `LINKTYPE_PPP_ETHER`.
pub(crate) fn link(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "pppoe";
    p.link_len = 6;
    pppoe(p, c, wire)
}

/// A discovery or session packet of `length` bytes.
pub(crate) fn pppoe(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "pppoe";
    let mut c = Cursor::new(c.rest());
    if length < 6 {
        put!(p, " (length ", length, " < 6)");
        p.invalid();
        return Ok(());
    }
    c.need(6)?;
    let (first, code, session) = (c.u8()?, c.u8()?, c.u16()?);
    let stated = usize::from(c.u16()?);
    let left = length - 6;
    if first >> 4 != 1 {
        put!(p, " [ver ", first >> 4, "]");
    }
    if first & 15 != 1 {
        put!(p, " [type ", first & 15, "]");
    }
    put!(p, "PPPoE ");
    match lookup(CODES, code) {
        Some(name) => put!(p, name),
        None => put!(p, "PAD-", Hex(code)),
    }
    if code == INITIATION && stated > MAX {
        put!(p, " [len ", stated, "!]");
    }
    if stated > left {
        put!(p, " [len ", stated, " > ", left, "!]");
    }
    let stated = stated.min(left);
    if session != 0 {
        put!(p, " [ses 0x", Hex(session), "]");
    }
    if code != SESSION {
        return tags(p, c, stated);
    }
    put!(p, " ");
    p.deeper(|p| ppp::payload(p, c, stated))
}

/// Discovery tags up to the end of the list.
fn tags(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        c.need(4)?;
        let (kind, stated) = (c.u16()?, usize::from(c.u16()?));
        c.need(stated)?;
        put!(p, " [");
        match lookup(TAGS, kind) {
            Some(name) => put!(p, name),
            None => put!(p, "TAG-0x", Hex(kind)),
        }
        if kind == END_OF_LIST {
            put!(p, "]");
            return Ok(());
        }
        if stated > 0 {
            value(p, c, stated)?;
        }
        put!(p, "]");
        c.skip(stated)?;
        left = left.saturating_sub(stated + 4);
    }
    Ok(())
}

/// Text where most of it is text, else bytes.
fn value(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    c.need(length)?;
    let bytes = c.limit(length).rest();
    let text = bytes
        .iter()
        .filter(|byte| matches!(byte, 0x20..0x7f))
        .count();
    if text * 2 > length {
        put!(p, " \"", Dotted(bytes), "\"");
        return Ok(());
    }
    put!(p, " 0x");
    for &byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            p.out.push(crate::put::digit(nibble).to_ascii_uppercase());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "020000000002020000000001886311090000000c010100000103000401020304",
            style(0),
            "PPPoE PADI [Service-Name] [Host-Uniq 0x01020304]\n",
        );
        check(
            LinkType(1),
            "0200000000020200000000018864110000070006c02109010008",
            style(0),
            "PPPoE  [ses 0x7] LCP, Echo-Request (0x09), id 1, length 6\n",
        );
    }
}
