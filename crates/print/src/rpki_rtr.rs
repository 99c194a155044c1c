//! From validators of route origins to routers (RFC 6810, RFC 8210), over TCP.

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::Cursor;

use crate::hexdump;
use crate::out::{Out, Printed, lookup, named};
use crate::put::{HexFull, Visible, put};

static PDUS: &[(u8, &str)] = &[
    (0, "Serial Notify"),
    (1, "Serial Query"),
    (2, "Reset Query"),
    (3, "Cache Response"),
    (4, "IPV4 Prefix"),
    (6, "IPV6 Prefix"),
    (7, "End of Data"),
    (8, "Cache Reset"),
    (10, "Error Report"),
];

static ERRORS: &[(u16, &str)] = &[
    (0, "Corrupt Data"),
    (1, "Internal Error"),
    (2, "No Data Available"),
    (3, "Invalid Request"),
    (4, "Unsupported Protocol Version"),
    (5, "Unsupported PDU Type"),
    (6, "Withdrawal of Unknown Record"),
    (7, "Duplicate Announcement Received"),
];

const HEADER: usize = 8;

/// What a segment carries: units one after the other.
pub(crate) fn rpki_rtr(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "rpki_rtr";
    if !p.verbose(1) {
        put!(p, ", RPKI-RTR");
        return Ok(());
    }
    let mut c = c;
    let mut left = length;
    while left > 0 {
        let used = unit(p, c, left, true)?;
        c.skip(used)?;
        left -= used;
    }
    Ok(())
}

/// A new line for what a unit holds. Those of a unit inside an error are further right.
fn indent(p: &mut Out<'_>, outer: bool) {
    put!(p, if outer { "\n\t  " } else { "\n\t    " });
}

/// One unit of at most `left` bytes; how many it took. `outer` says that an error may hold
/// another.
fn unit(
    p: &mut Out<'_>,
    c: Cursor<'_>,
    left: usize,
    outer: bool,
) -> Result<usize, pktwho_wire::Truncated> {
    if left < HEADER {
        put!(p, "(", left, " bytes is too few to decode)");
        p.invalid();
        c.need(left)?;
        return Ok(left);
    }
    c.need(HEADER)?;
    let whole = c;
    let mut c = c;
    let (version, kind, word) = (c.u8()?, c.u8()?, c.u16()?);
    let size = c.u32()?;
    let length = usize::try_from(size).unwrap_or(usize::MAX);
    if version != 0 {
        put!(p, "\n\tRPKI-RTRv", version, " (unknown)");
        c.need(left - HEADER)?;
        return Ok(left);
    }
    let name = lookup(PDUS, kind);
    put!(p, "\n\tRPKI-RTRv", version, ", ", name.unwrap_or("Unknown"));
    put!(p, " PDU (", kind, "), length: ", size);
    if length < HEADER || length > left {
        p.invalid();
        c.need(left - HEADER)?;
        return Ok(left);
    }
    if name.is_none() {
        hexdump::hex(p, "\n\t  ", whole.limit(length).rest());
    }
    let body = c;
    c.need(length - HEADER)?;
    let fits = pdu(p, kind, word, body, length - HEADER, outer)?;
    if !fits {
        p.invalid();
        return Ok(left);
    }
    Ok(length)
}

/// `false` when the unit's length is not what its type has.
fn pdu(
    p: &mut Out<'_>,
    kind: u8,
    word: u16,
    mut c: Cursor<'_>,
    left: usize,
    outer: bool,
) -> Result<bool, pktwho_wire::Truncated> {
    match kind {
        0 | 1 | 7 => {
            if left != 4 {
                return Ok(false);
            }
            indent(p, outer);
            put!(p, "Session ID: 0x", HexFull(word), ", Serial: ", c.u32()?);
        }
        2 | 8 => return Ok(left == 0),
        3 => {
            if left != 0 {
                return Ok(false);
            }
            indent(p, outer);
            put!(p, "Session ID: 0x", HexFull(word));
        }
        4 | 6 => {
            if left != if kind == 4 { 12 } else { 24 } {
                return Ok(false);
            }
            let (flags, width, longest) = (c.u8()?, c.u8()?, c.u8()?);
            c.skip(1)?;
            indent(p, outer);
            if kind == 4 {
                put!(p, "IPv4 Prefix ");
                p.addr(Ipv4Addr::from(c.u32()?));
            } else {
                put!(p, "IPv6 Prefix ");
                p.addr(Ipv6Addr::from(c.u128()?));
            }
            put!(p, "/", width, "-", longest, ", origin-as ", c.u32()?);
            put!(p, ", flags 0x", HexFull(flags));
        }
        10 => return error(p, word, c, left, outer),
        _ => {}
    }
    Ok(true)
}

fn error(
    p: &mut Out<'_>,
    code: u16,
    mut c: Cursor<'_>,
    left: usize,
    outer: bool,
) -> Result<bool, pktwho_wire::Truncated> {
    if left < 4 {
        return Ok(false);
    }
    let size = c.u32()?;
    let inner = usize::try_from(size).unwrap_or(usize::MAX);
    indent(p, outer);
    put!(
        p,
        "Error code: ",
        named(ERRORS, code, "Unknown"),
        " (",
        code
    );
    put!(p, "), Encapsulated PDU length: ", size);
    if left < 8 || inner > left - 8 {
        return Ok(false);
    }
    if inner > 0 {
        let inside = c;
        c.skip(inner)?;
        // An error about an error is not allowed (RFC 6810 section 5.10).
        if outer {
            put!(p, "\n\t    -----encapsulated PDU-----");
            unit(p, inside, inner, false)?;
        }
    }
    let size = c.u32()?;
    let text = usize::try_from(size).unwrap_or(usize::MAX);
    if text > left - 8 - inner {
        return Ok(false);
    }
    if text > 0 {
        indent(p, outer);
        put!(p, "Error text: ", Visible(c.take(text)?));
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{bytes, style, text};

    fn shown(units: &str, expected: &str) {
        let units = units.replace(' ', "");
        let packet = format!(
            "4500{:04x}00010000400600000a0000010a00000201439c40000003e8000007d05018faf000000000{units}",
            40 + units.len() / 2
        );
        let style = Style {
            no_checksums: true,
            ..style(1)
        };
        let text = text(LinkType::RAW, &bytes(&packet), 0, style);
        let (_, shown) = text.split_once("win 64240, ").unwrap();
        assert_eq!(shown, format!("length {}{expected}\n", units.len() / 2));
    }

    #[test]
    fn errors() {
        shown(
            "000a0001 00000028 00000018 000a0001 00000018 00000008 0002000000000008 00000000 00000000",
            "\n\tRPKI-RTRv0, Error Report PDU (10), length: 40\
             \n\t  Error code: Internal Error (1), Encapsulated PDU length: 24\
             \n\t    -----encapsulated PDU-----\
             \n\tRPKI-RTRv0, Error Report PDU (10), length: 24\
             \n\t    Error code: Internal Error (1), Encapsulated PDU length: 8",
        );
        shown(
            "000a0001 0000000c 00000000",
            "\n\tRPKI-RTRv0, Error Report PDU (10), length: 12\
             \n\t  Error code: Internal Error (1), Encapsulated PDU length: 0 (invalid)",
        );
    }

    #[test]
    fn contradictions() {
        shown(
            "00020000 00000008 00",
            "\n\tRPKI-RTRv0, Reset Query PDU (2), length: 8(1 bytes is too few to decode) (invalid)",
        );
        shown(
            "00020000 00000009",
            "\n\tRPKI-RTRv0, Reset Query PDU (2), length: 9 (invalid)",
        );
        shown(
            "00ff0000 00000008",
            "\n\tRPKI-RTRv0, Unknown PDU (255), length: 8\n\t  0x0000:  00ff 0000 0000 0008",
        );
    }
}
