//! The connectionless network protocol (ISO 8473).

use pktwho_wire::{Cursor, Truncated};

use super::{fletcher, table};
use crate::hexdump;
use crate::nsap::nsap;
use crate::out::{Out, Printed, bits, lookup, named};
use crate::put::{Hex, HexBytes, HexFull, put};

const FIXED: usize = 9;
const SEGMENT: usize = 6;
const SEGMENTATION: u8 = 0x80;

/// A packet of `length` bytes; `false` if its bytes are to be shown.
pub(super) fn clnp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    p.protocol = "clnp";
    let whole = c;
    let mut c = c;
    c.need(FIXED)?;
    c.skip(1)?;
    let indicator = usize::from(c.u8()?);
    if !p.style.link {
        put!(p, "CLNP");
    }
    let version = c.u8()?;
    if version != 1 {
        put!(p, "version ", version, " packet not supported");
        return Ok(false);
    }
    if indicator > length {
        put!(
            p,
            " length indicator(",
            indicator,
            ") > PDU size (",
            length,
            ")!"
        );
        return Ok(false);
    }
    if indicator < FIXED {
        too_short(p, indicator, whole);
        return Ok(false);
    }
    let (lifetime, kind, size, checksum) = (c.u8()?, c.u8()?, c.u16()?, c.u16()?);
    let mut left = indicator - FIXED;
    let to = address(&mut c, &mut left)?;
    // The second address is not looked for where the first has no room.
    let from = if to.is_some() {
        address(&mut c, &mut left)?
    } else {
        None
    };
    let (Some(to), Some(from)) = (to, from) else {
        put!(p, "li < size of fixed part of CLNP header and addresses");
        return Ok(false);
    };
    if !p.verbose(1) {
        put!(p, if p.style.link { "" } else { ", " });
        nsap(p, from);
        put!(p, " > ");
        nsap(p, to);
        put!(p, ", ");
        kind_name(p, kind);
        put!(p, ", length ", length);
        return Ok(true);
    }
    put!(
        p,
        if p.style.link { "" } else { ", " },
        "length ",
        length,
        "\n\t"
    );
    kind_name(p, kind);
    put!(
        p,
        " PDU, hlen: ",
        indicator,
        ", v: ",
        version,
        ", lifetime: ",
        lifetime / 2,
        "."
    );
    put!(
        p,
        (lifetime % 2) * 5,
        "s, Segment PDU length: ",
        size,
        ", checksum: 0x"
    );
    put!(p, HexFull(checksum));
    verdict(p, whole.rest().get(..indicator), 7, checksum);
    put!(p, "\n\tFlags [");
    bits(p, table::FLAGS, u32::from(kind), ", ", "none");
    put!(p, "]\n\tsource address (length ", from.len(), "): ");
    nsap(p, from);
    put!(p, "\n\tdest   address (length ", to.len(), "): ");
    nsap(p, to);
    rest(p, c, kind, left, length, indicator)
}

fn kind_name(p: &mut Out<'_>, kind: u8) {
    match lookup(table::CLNP, kind & 31) {
        Some(name) => put!(p, name),
        None => put!(p, "unknown (", kind & 31, ")"),
    }
}

/// What follows the addresses: `left` bytes of header, then the payload.
fn rest(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    kind: u8,
    mut left: usize,
    length: usize,
    indicator: usize,
) -> Result<bool, Truncated> {
    if kind & SEGMENTATION != 0 {
        if left < SEGMENT {
            put!(
                p,
                "li < size of fixed part of CLNP header, addresses, and segment part"
            );
            return Ok(false);
        }
        left -= SEGMENT;
        put!(
            p,
            "\n\tData Unit ID: 0x",
            HexFull(c.u16()?),
            ", Segment Offset: ",
            c.u16()?
        );
        put!(p, ", Total PDU Length: ", c.u16()?);
    }
    if !options(p, &mut c, left)? {
        return Ok(false);
    }
    match kind & 31 {
        1 => error(p, c, length, indicator)?,
        29..=31 => {}
        _ => {
            let rest = length - indicator;
            if rest > 0 {
                put!(p, "\n\t  undecoded non-header data, length ", rest);
                hexdump::hex(p, "\n\t  ", c.limit(rest).rest());
            }
        }
    }
    Ok(true)
}

/// A length and so many bytes; `None` if the header has not so many left.
pub(super) fn address<'a>(
    c: &mut Cursor<'a>,
    left: &mut usize,
) -> Result<Option<&'a [u8]>, Truncated> {
    let Some(after) = left.checked_sub(1) else {
        return Ok(None);
    };
    let length = usize::from(c.u8()?);
    let Some(after) = after.checked_sub(length) else {
        return Ok(None);
    };
    *left = after;
    c.take(length).map(Some)
}

/// A header that is too short, and all that was captured from it on.
pub(super) fn too_short(p: &mut Out<'_>, indicator: usize, whole: Cursor<'_>) {
    put!(p, " length indicator ", indicator, " < min PDU size:");
    let start = p.out.len();
    put!(p, HexBytes(whole.rest()));
    if let Some(digits) = p.out.get_mut(start..) {
        digits.make_ascii_uppercase();
    }
}

/// What a checksum says of the bytes it covers; 0 says that there is none.
pub(super) fn verdict(p: &mut Out<'_>, bytes: Option<&[u8]>, at: usize, found: u16) {
    let Some(bytes) = bytes.filter(|_| found != 0) else {
        return put!(p, " (unverified)");
    };
    if fletcher::is_right(bytes) {
        return put!(p, " (correct)");
    }
    match fletcher::should_be(bytes, at) {
        Some(right) => put!(p, " (incorrect should be 0x", HexFull(right), ")"),
        None => put!(p, " (unverified)"),
    }
}

fn options(p: &mut Out<'_>, c: &mut Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    let mut left = length;
    while left > 0 {
        if left < 2 {
            put!(p, ", bad opts/li");
            return Ok(false);
        }
        let (kind, size) = (c.u8()?, usize::from(c.u8()?));
        left -= 2;
        if size > left {
            put!(p, ", opt (", kind, ") too long");
            return Ok(false);
        }
        left -= size;
        put!(
            p,
            "\n\t  ",
            named(table::CLNP_OPTIONS, kind, "Unknown"),
            " Option #",
            kind
        );
        put!(p, ", length ", size, ", value: ");
        let mut value = c.sub(size)?;
        match kind {
            204 => put!(p, "padding data"),
            205 if size > 0 => put!(p, "0x", Hex(value.u8()? & 15)),
            197 if size > 1 => {
                let (format, level) = (value.u8()?, value.u8()?);
                put!(
                    p,
                    "\n\t    Format Code: ",
                    named(table::SECURITY, format & 0xc0, "Reserved")
                );
                put!(p, ", Security-Level ", level);
            }
            193 if size > 0 => {
                let reason = value.u8()?;
                let class = reason >> 4;
                put!(
                    p,
                    "\n\t    Class: ",
                    named(table::ERROR_CLASSES, class, "Unknown")
                );
                put!(p, " Error (0x", Hex(class), "), ", reason_name(reason));
                put!(p, " (0x", Hex(reason & 15), ")");
            }
            193 | 195 | 197 | 205 => {
                put!(p, ", bad opt len");
                return Ok(false);
            }
            _ => hexdump::hex(p, "\n\t  ", value.rest()),
        }
    }
    Ok(true)
}

fn reason_name(reason: u8) -> &'static str {
    let table = match reason >> 4 {
        0 => table::GENERAL,
        8 => table::ADDRESS,
        9 => table::ROUTING,
        10 => table::LIFETIME,
        11 => table::DISCARDED,
        12 => table::REASSEMBLY,
        _ => return "Unknown",
    };
    named(table, reason & 15, "Unknown")
}

/// The packet that an error report is about.
fn error(p: &mut Out<'_>, c: Cursor<'_>, length: usize, indicator: usize) -> Printed {
    let rest = length - indicator;
    if rest > 0 && { c }.u8()? == crate::nlpid::CLNP {
        put!(p, "\n\t-----original packet-----\n\t");
        if rest < length {
            p.deeper(|p| clnp(p, Cursor::new(c.rest()), rest).map(drop))?;
        }
    }
    Ok(())
}
