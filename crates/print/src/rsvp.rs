//! Resource reservation (RFC 2205) and its extensions for traffic engineering (RFC 3209, RFC 3473).

mod flow;
mod object;
mod route;
mod table;

use pktwho_wire::Cursor;

use crate::hexdump;
use crate::ip_proto::Ip;
use crate::out::{Out, Printed, bits, lookup, named};
use crate::put::{HexFull, put};

const HEADER: usize = 8;
const OBJECT_HEADER: usize = 4;
const BUNDLE: u8 = 12;

/// A message of `length` bytes.
pub(crate) fn rsvp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, _: &Ip) -> Printed {
    p.protocol = "rsvp";
    let mut c = c;
    c.need(HEADER)?;
    let first = c.u8()?;
    if !is_supported(p, first) {
        return Ok(());
    }
    let kind = { c }.u8()?;
    if !p.verbose(1) {
        put!(p, "RSVPv1 ");
        match lookup(table::MESSAGES, kind) {
            Some(name) => put!(p, name),
            None => put!(p, "unknown (", kind, ")"),
        }
        put!(p, " Message, length: ", length);
        return Ok(());
    }
    let stated = header(p, first, &mut c, "\n\t")?;
    if stated < HEADER {
        put!(p, "ERROR: common header too short ", stated, " < ", HEADER);
        return Ok(());
    }
    let left = stated - HEADER;
    if kind == BUNDLE {
        return bundle(p, c, left);
    }
    if lookup(table::MESSAGES, kind).is_none() {
        hexdump::hex(p, "\n\t    ", c.limit(left).rest());
        return Ok(());
    }
    objects(p, c, left, "\n\t  ")
}

/// The common header without its first byte; the message's length.
fn header(
    p: &mut Out<'_>,
    first: u8,
    c: &mut Cursor<'_>,
    start: &str,
) -> Result<usize, pktwho_wire::Truncated> {
    let (kind, checksum, ttl) = (c.u8()?, c.u16()?, c.u8()?);
    c.skip(1)?;
    let stated = c.u16()?;
    put!(p, start, "RSVPv", first >> 4, " ");
    match lookup(table::MESSAGES, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "unknown, type: ", kind),
    }
    put!(p, " Message (", kind, "), Flags: [");
    bits(
        p,
        &[(1, "Refresh reduction capable")],
        u32::from(first & 15),
        ", ",
        "none",
    );
    put!(
        p,
        "], length: ",
        stated,
        ", ttl: ",
        ttl,
        ", checksum: 0x",
        HexFull(checksum)
    );
    Ok(usize::from(stated))
}

/// Whether a message is of the version that there is; says so of another one.
fn is_supported(p: &mut Out<'_>, first: u8) -> bool {
    let version = first >> 4;
    if version != 1 {
        put!(p, "ERROR: RSVP version ", version, " packet not supported");
    }
    version == 1
}

/// Several messages in one (RFC 2961).
fn bundle(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        c.need(HEADER)?;
        let first = c.u8()?;
        if !is_supported(p, first) {
            return Ok(());
        }
        let stated = header(p, first, &mut c, "\n\t  ")?;
        if stated < HEADER || stated > left {
            p.invalid();
            return Ok(());
        }
        let body = c;
        objects(p, body, stated - HEADER, "\n\t    ")?;
        c.skip(stated - HEADER)?;
        left -= stated;
    }
    Ok(())
}

/// The objects of `length` bytes; an error among them ends the message.
fn objects(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, indent: &str) -> Printed {
    let mut left = length;
    while left > 0 {
        c.need(OBJECT_HEADER)?;
        let (size, class, kind) = (usize::from(c.u16()?), c.u8()?, c.u8()?);
        if size % 4 != 0 {
            put!(
                p,
                indent,
                "ERROR: object header size ",
                size,
                " not a multiple of 4"
            );
            return Ok(());
        }
        if size < OBJECT_HEADER {
            put!(
                p,
                indent,
                "ERROR: object header too short ",
                size,
                " < ",
                OBJECT_HEADER
            );
            return Ok(());
        }
        put!(
            p,
            indent,
            named(table::CLASSES, class, "Unknown"),
            " Object (",
            class
        );
        let unknown = match class >> 6 {
            0 | 1 => "reject",
            2 => "ignore silently",
            _ => "ignore and forward",
        };
        let wide = u16::from_be_bytes([class, kind]);
        put!(p, ") Flags: [", unknown, " if unknown], Class-Type: ");
        put!(
            p,
            named(table::TYPES, wide, "Unknown"),
            " (",
            kind,
            "), length: ",
            size
        );
        if size > left {
            put!(p, indent, "ERROR: object goes past end of objects TLV");
            return Ok(());
        }
        let inner = size - OBJECT_HEADER;
        c.need(inner)?;
        let value = c.sub(inner)?;
        let done = object::object(p, class, kind, value, indent)?;
        match done {
            object::Done::Invalid => {
                p.invalid();
                return Ok(());
            }
            object::Done::TooShort => {
                put!(p, indent, "ERROR: object is too short");
                return Ok(());
            }
            object::Done::Known if !p.verbose(2) => {}
            _ => hexdump::hex(p, "\n\t    ", value.rest()),
        }
        left -= size;
    }
    Ok(())
}
