//! From validators of route origins to routers (RFC 6810, RFC 8210), over TCP.

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, named};
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
        let used = unit(p, c, left, true, 8)?;
        c.skip(used)?;
        left -= used;
    }
    Ok(())
}

/// A newline, a tab and blanks.
fn indent(p: &mut Out<'_>, columns: usize) {
    put!(p, "\n\t");
    p.out.resize(p.out.len() + columns.saturating_sub(8), b' ');
}

/// One unit of at most `left` bytes; how many it took. `outer` says that an error may hold
/// another.
fn unit(
    p: &mut Out<'_>,
    c: Cursor<'_>,
    left: usize,
    outer: bool,
    column: usize,
) -> Result<usize, pktwho_wire::Truncated> {
    if left < HEADER {
        indent(p, column);
        put!(p, "(", left, " bytes is too few to decode)");
        p.invalid();
        c.need(left)?;
        return Ok(left);
    }
    c.need(HEADER)?;
    let mut c = c;
    let (version, kind, word) = (c.u8()?, c.u8()?, c.u16()?);
    let size = c.u32()?;
    let length = usize::try_from(size).unwrap_or(usize::MAX);
    if version != 0 {
        indent(p, column);
        put!(p, "RPKI-RTRv", version, " (unknown)");
        c.need(left - HEADER)?;
        return Ok(left);
    }
    if length < HEADER || length > left {
        p.invalid();
        c.need(left - HEADER)?;
        return Ok(left);
    }
    indent(p, column);
    put!(p, "RPKI-RTRv", version, ", ", named(PDUS, kind, "Unknown"));
    put!(p, " PDU (", kind, "), length: ", size);
    let body = c;
    c.need(length - HEADER)?;
    let fits = pdu(p, kind, word, body, length - HEADER, (outer, column + 2))?;
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
    (outer, column): (bool, usize),
) -> Result<bool, pktwho_wire::Truncated> {
    match kind {
        0 | 1 | 7 => {
            if left != 4 {
                return Ok(false);
            }
            indent(p, column);
            put!(p, "Session ID: 0x", HexFull(word), ", Serial: ", c.u32()?);
        }
        2 | 8 => return Ok(left == 0),
        3 => {
            if left != 0 {
                return Ok(false);
            }
            indent(p, column);
            put!(p, "Session ID: 0x", HexFull(word));
        }
        4 | 6 => {
            if left != if kind == 4 { 12 } else { 24 } {
                return Ok(false);
            }
            let (flags, width, longest) = (c.u8()?, c.u8()?, c.u8()?);
            c.skip(1)?;
            indent(p, column);
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
        10 => return error(p, word, c, left, (outer, column)),
        _ => {}
    }
    Ok(true)
}

fn error(
    p: &mut Out<'_>,
    code: u16,
    mut c: Cursor<'_>,
    left: usize,
    (outer, column): (bool, usize),
) -> Result<bool, pktwho_wire::Truncated> {
    if left < 8 {
        return Ok(false);
    }
    let size = c.u32()?;
    let inner = usize::try_from(size).unwrap_or(usize::MAX);
    indent(p, column);
    put!(
        p,
        "Error code: ",
        named(ERRORS, code, "Unknown"),
        " (",
        code
    );
    put!(p, "), Encapsulated PDU length: ", size);
    if inner > left - 8 {
        return Ok(false);
    }
    if inner > 0 {
        let inside = c;
        c.skip(inner)?;
        // An error about an error is not allowed (RFC 6810 section 5.10).
        if outer {
            indent(p, column);
            put!(p, "-----encapsulated PDU-----");
            unit(p, inside, inner, false, column + 2)?;
        }
    }
    let size = c.u32()?;
    let text = usize::try_from(size).unwrap_or(usize::MAX);
    if text > left - 8 - inner {
        return Ok(false);
    }
    if text > 0 {
        indent(p, column);
        put!(p, "Error text: ", Visible(c.take(text)?));
    }
    Ok(true)
}
