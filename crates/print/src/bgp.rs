//! BGP-4 (RFC 4271 and the documents of its capabilities and attributes), over TCP.

pub(crate) use nlri::distinguisher;

mod attribute;
mod nlri;
mod table;

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::afi;
use crate::hexdump;
use crate::out::{Out, Printed, named};
use crate::put::{HexFull, Visible, put};

const HEADER: usize = 19;
const NOTIFICATION: usize = 21;

const CEASE: u8 = 6;
const MAX_PREFIXES: u8 = 1;
const SHUTDOWN: u8 = 2;
const RESET: u8 = 4;
const HARD_RESET: u8 = 9;

/// What of the stream one segment carries: messages, found by their marker of 16 bytes.
pub(crate) fn bgp(p: &mut Out<'_>, c: Cursor<'_>, _length: usize) -> Printed {
    p.protocol = "bgp";
    put!(p, ": BGP");
    if !p.verbose(1) {
        return Ok(());
    }
    let mut left = Cursor::new(c.rest());
    while !left.is_empty() {
        let there = left.rest();
        let found = there.windows(16).position(|bytes| *bytes == [0xff; 16]);
        let Some(skipped) = found else { break };
        left.skip(skipped)?;
        if left.remaining() < HEADER {
            return Err(Truncated);
        }
        if skipped > 0 {
            p.truncated();
        }
        let mut header = left;
        header.skip(16)?;
        let length = usize::from(header.u16()?);
        let kind = header.u8()?;
        if length < HEADER {
            put!(p, "\nmessage length ", length, " < ", HEADER);
            p.invalid();
            return Ok(());
        }
        let beyond = left.rest();
        let Ok(whole) = left.sub(length) else {
            let name = named(table::MESSAGES, kind, "Unknown Message Type");
            put!(p, "\n[|BGP ", name, "]");
            return Ok(());
        };
        if message(p, whole, beyond, kind, length).is_err() {
            p.truncated();
        }
    }
    Ok(())
}

/// A message; `beyond` are its bytes and all that follow.
fn message(p: &mut Out<'_>, c: Cursor<'_>, beyond: &[u8], kind: u8, length: usize) -> Printed {
    let name = named(table::MESSAGES, kind, "Unknown");
    put!(p, "\n\t", name, " Message (", kind, "), length: ", length);
    let mut body = c;
    body.skip(HEADER)?;
    let body = Cursor::new(body.rest());
    match kind {
        1 => open(p, body),
        2 => update(p, body, beyond.get(HEADER..).unwrap_or_default(), length),
        3 => notification(p, body, length),
        4 => Ok(()),
        5 => refresh(p, body, c.rest()),
        _ => {
            put!(p, "\n\t  no Message ", kind, " decoder");
            hexdump::hex(p, "\n\t  ", c.rest());
            Ok(())
        }
    }
}

fn open(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    c.need(10)?;
    put!(p, "\n\t  Version ", c.u8()?, ", my AS ", c.u16()?);
    put!(p, ", Holdtime ", c.u16()?, "s, ID ");
    p.addr(Ipv4Addr::from(c.u32()?));
    let length = usize::from(c.u8()?);
    put!(p, "\n\t  Optional parameters, length: ", length);
    let mut left = length;
    while left > 0 {
        let kind = c.u8()?;
        let size = usize::from(c.u8()?);
        if size + 2 > left {
            put!(p, "\n\t     Option ", kind, ", length: ", size);
            put!(p, ", goes past the end of the options");
            return Err(Truncated);
        }
        let name = named(table::OPTIONS, kind, "Unknown");
        put!(p, "\n\t    Option ", name, " (", kind, "), length: ", size);
        let value = c;
        c.skip(size)?;
        match kind {
            2 => capabilities(p, value.limit(size), size)?,
            _ => put!(p, "\n\t      no decoder for option ", kind),
        }
        left -= size + 2;
    }
    Ok(())
}

/// `AFI %s (%u), SAFI %s (%u)`.
fn family(p: &mut Out<'_>, afi: u16, safi: u8) {
    let name = afi::name(afi).unwrap_or("Unknown");
    put!(p, "AFI ", name, " (", afi, "), SAFI ");
    put!(p, named(table::SAFIS, safi, "Unknown"), " (", safi, ")");
}

/// RFC 5492: several capabilities in one parameter.
fn capabilities(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        let kind = c.u8()?;
        let size = usize::from(c.u8()?);
        let value = c.sub(size)?;
        let name = named(table::CAPABILITIES, kind, "Unknown");
        put!(p, "\n\t      ", name, " (", kind, "), length: ", size);
        capability(p, kind, value, size)?;
        if p.verbose(2) && size > 0 {
            hexdump::hex(p, "\n\t\t", value.rest());
        }
        left = left.saturating_sub(size + 2);
    }
    Ok(())
}

fn capability(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, size: usize) -> Printed {
    match kind {
        1 if size < 4 => put!(p, " (too short, < 4)"),
        1 => {
            let afi = c.u16()?;
            c.skip(1)?;
            put!(p, "\n\t\t");
            family(p, afi, c.u8()?);
        }
        2 | 5 | 6 | 67 | 68 | 70 | 71 | 128 => {}
        7 if size < 3 => put!(p, " (too short, < 3)"),
        7 => {
            let first = c.u8()?;
            let direction = first >> 3 & 1;
            let name = if direction == 0 { "Receive" } else { "Send" };
            let afi = c.u16()?;
            put!(
                p,
                "\n\t\tVersion ",
                first >> 4,
                ", Direction ",
                name,
                " (",
                direction
            );
            let name = afi::name(afi).unwrap_or("Unknown");
            put!(p, "), AFI ", name, " (", afi, ")");
        }
        8 => {
            while !c.is_empty() {
                let (afi, safi) = (c.u16()?, c.u8()?);
                put!(p, "\n\t\t");
                let count = c.u8()?;
                family(p, afi, safi);
                put!(p, ", Count: ", count);
            }
        }
        9 if size < 1 => put!(p, " (too short, < 1)"),
        9 => {
            let role = c.u8()?;
            let name = named(table::ROLES, role, "Unassigned");
            put!(p, "\n\t\tRole name ", name, " (", role, ")");
        }
        64 => restart(p, c, size)?,
        65 if size < 4 => put!(p, " (too short, < 4)"),
        65 => put!(p, "\n\t\t 4 Byte AS ", c.u32()?),
        69 if size == 0 => put!(p, " (bogus)"),
        69 => {
            while c.remaining() >= 4 {
                let (afi, safi, way) = (c.u16()?, c.u8()?, c.u8()?);
                put!(p, "\n\t\t");
                family(p, afi, safi);
                put!(p, ", Send/Receive: ");
                match crate::out::lookup(table::SEND_RECEIVE, way) {
                    Some(name) => put!(p, name),
                    None => put!(p, "Bogus (0x", HexFull(way), ")"),
                }
            }
        }
        _ => {
            put!(p, "\n\t\tno decoder for Capability ", kind);
            if !p.verbose(2) {
                hexdump::hex(p, "\n\t\t", c.rest());
            }
        }
    }
    Ok(())
}

/// RFC 4724, RFC 8538.
fn restart(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Printed {
    if size < 2 {
        put!(p, " (too short, < 2)");
        return Ok(());
    }
    let first = c.u16()?;
    let flags = match first >> 14 {
        0 => "none",
        1 => "N",
        2 => "R",
        _ => "R, N",
    };
    put!(
        p,
        "\n\t\tRestart Flags: [",
        flags,
        "], Restart Time ",
        first & 0xfff,
        "s"
    );
    while c.remaining() >= 4 {
        let (afi, safi, flags) = (c.u16()?, c.u8()?, c.u8()?);
        put!(p, "\n\t\t  ");
        family(p, afi, safi);
        let kept = if flags & 0x80 == 0 { "no" } else { "yes" };
        put!(p, ", Forwarding state preserved: ", kept);
    }
    Ok(())
}

fn update(p: &mut Out<'_>, mut c: Cursor<'_>, beyond: &[u8], length: usize) -> Printed {
    let withdrawn = usize::from(c.u16()?);
    if withdrawn > 1 {
        // Whether these are IPv4 routes was agreed when the session opened; it is assumed.
        c.need(withdrawn)?;
        put!(p, "\n\t  Withdrawn routes:");
        nlri::list(p, c.sub(withdrawn)?, nlri::Layout::Ipv4, "\n\t    ")?;
    } else {
        c.skip(withdrawn)?;
    }
    let attributes = usize::from(c.u16()?);
    if withdrawn == 0 && attributes == 0 && length == HEADER + 4 {
        put!(p, "\n\t  End-of-Rib Marker (empty NLRI)");
        return Ok(());
    }
    if attributes > 0 {
        let beyond = beyond.get(c.position()..).unwrap_or_default();
        attribute::list(p, c.sub(attributes)?, beyond, 0)?;
    }
    if !c.is_empty() {
        put!(p, "\n\t  Updated routes:");
        nlri::list(p, c, nlri::Layout::Ipv4, "\n\t    ")?;
    }
    Ok(())
}

fn notification(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    c.need(2)?;
    let (major, minor) = (c.u8()?, c.u8()?);
    error(p, major, minor);
    let mut size = length.saturating_sub(NOTIFICATION);
    // RFC 4486: how many prefixes are too many.
    if major == CEASE && minor == MAX_PREFIXES && length == 28 {
        let afi = c.u16()?;
        let safi = c.u8()?;
        put!(p, ", ");
        family(p, afi, safi);
        put!(p, ", Max Prefixes: ", c.u32()?);
        return Ok(());
    }
    if major != CEASE || !matches!(minor, SHUTDOWN | RESET | HARD_RESET) {
        return Ok(());
    }
    let (mut major, mut minor) = (major, minor);
    if minor == HARD_RESET {
        // RFC 8538: the reason proper follows.
        if size < 2 {
            return Ok(());
        }
        (major, minor) = (c.u8()?, c.u8()?);
        error(p, major, minor);
        size -= 2;
    }
    if major != CEASE || !matches!(minor, SHUTDOWN | RESET) || size == 0 {
        return Ok(());
    }
    shutdown(p, c, size)
}

/// A text for the peer's operator (RFC 9003), and what else there is.
fn shutdown(p: &mut Out<'_>, c: Cursor<'_>, size: usize) -> Printed {
    let mut rest = c;
    let stated = usize::from(rest.u8()?);
    let mut data = (c, size);
    if stated == 0 {
        put!(p, ", empty Shutdown Communication");
        data = (rest, size - 1);
    } else if stated + 1 > size {
        put!(p, ", invalid Shutdown Communication length");
    } else {
        put!(p, ", Shutdown Communication (length: ", stated, "): \"");
        put!(p, Visible(rest.take(stated)?), "\"");
        data = (rest, size - 1 - stated);
    }
    if data.1 > 0 {
        put!(p, ", Data: (length: ", data.1, ")");
        hexdump::hex(p, "\n\t\t", data.0.limit(data.1).rest());
    }
    Ok(())
}

/// An error and its subcode.
fn error(p: &mut Out<'_>, major: u8, minor: u8) {
    let name = named(table::ERRORS, major, "Unknown Error");
    put!(p, ", ", name, " (", major, ")");
    let (table, comma) = match major {
        1 => (table::HEADER_ERRORS, ","),
        2 => (table::OPEN_ERRORS, ","),
        3 => (table::UPDATE_ERRORS, ","),
        5 => (table::STATE_ERRORS, ","),
        CEASE => (table::CEASE, ","),
        7 => (table::REFRESH_ERRORS, ""),
        _ => return put!(p, ", subcode Unknown (", minor, ")"),
    };
    put!(
        p,
        comma,
        " subcode ",
        named(table, minor, "Unknown"),
        " (",
        minor,
        ")"
    );
}

fn refresh(p: &mut Out<'_>, mut c: Cursor<'_>, whole: &[u8]) -> Printed {
    let afi = c.u16()?;
    c.skip(1)?;
    let safi = c.u8()?;
    put!(p, "\n\t  ");
    family(p, afi, safi);
    if p.verbose(2) {
        hexdump::hex(p, "\n\t  ", whole);
    }
    Ok(())
}
