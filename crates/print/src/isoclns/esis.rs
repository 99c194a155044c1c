//! Routing between end systems and intermediate systems (ISO 9542).

use pktwho_wire::{Cursor, Truncated};

use super::clnp::{self, too_short, verdict};
use super::table;
use crate::hexdump;
use crate::nsap::nsap;
use crate::out::{Out, Printed, lookup, named, pass};
use crate::put::{HexFull, put};

const FIXED: usize = 9;
/// The least that a header can have.
const LEAST: usize = FIXED + 2;
const VERSION: u8 = 1;
const REDIRECT: u8 = 6;
const ESH: u8 = 2;
const ISH: u8 = 4;

/// A message of `length` bytes.
pub(super) fn esis(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "esis";
    if !p.style.link {
        put!(p, "ES-IS");
    }
    let whole = c;
    let mut c = c;
    let Some(indicator) = checked(p, &mut c, length)? else {
        return Ok(());
    };
    let (_, kind) = (c.u8()?, c.u8()? & 31);
    let (hold, checksum) = (c.u16()?, c.u16()?);
    let comma = if p.style.link { "" } else { ", " };
    if !p.verbose(1) {
        put!(p, comma);
        match lookup(table::ESIS, kind) {
            Some(name) => put!(p, name),
            None => put!(p, "unknown type (", kind, ")"),
        }
        put!(p, ", length ", length);
        return Ok(());
    }
    put!(p, comma, "length ", length, "\n\t");
    match lookup(table::ESIS, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "unknown type: ", kind),
    }
    put!(p, " (", kind, "), v: ", VERSION);
    put!(p, ", checksum: 0x", HexFull(checksum));
    verdict(p, whole.rest().get(..indicator), 7, checksum);
    put!(
        p,
        ", holding time: ",
        hold,
        "s, length indicator: ",
        indicator
    );
    if p.verbose(2) {
        hexdump::hex(p, "\n\t", whole.limit(FIXED).rest());
    }
    let mut left = indicator - FIXED;
    let fits = match kind {
        REDIRECT => redirect(p, &mut c, &mut left)?,
        ESH => {
            let Some(count) = byte(&mut c, &mut left)? else {
                put!(p, ", bad esh/li");
                return Ok(());
            };
            put!(p, "\n\t  Number of Source Addresses: ", count);
            for _ in 0..count {
                let Some(addr) = address(&mut c, &mut left)? else {
                    put!(p, ", bad esh/li");
                    return Ok(());
                };
                put!(p, "\n\t  NET (length: ", addr.len(), "): ");
                nsap(p, addr);
            }
            true
        }
        ISH => match address(&mut c, &mut left)? {
            Some(addr) => {
                put!(p, "\n\t  NET (length: ", addr.len(), "): ");
                nsap(p, addr);
                true
            }
            None => {
                put!(p, ", bad ish/li");
                false
            }
        },
        _ => {
            if !p.verbose(2) {
                hexdump::hex(p, "\n\t  ", c.limit(left).rest());
            }
            return Ok(());
        }
    };
    if fits { options(p, c, left) } else { Ok(()) }
}

/// An address behind its length; whether it was captured counts before whether it fits.
fn address<'a>(c: &mut Cursor<'a>, left: &mut usize) -> Result<Option<&'a [u8]>, Truncated> {
    if *left > 0 {
        let mut ahead = *c;
        let size = ahead.u8()?;
        ahead.need(usize::from(size))?;
    }
    clnp::address(c, left)
}

/// The length of the header, if it can be; else what is wrong is said. `c` is then behind the version.
fn checked(p: &mut Out<'_>, c: &mut Cursor<'_>, length: usize) -> Result<Option<usize>, Truncated> {
    if length <= 2 {
        let words = if p.style.quiet {
            "bad pkt!"
        } else {
            "no header at all!"
        };
        put!(p, words);
        return Ok(None);
    }
    let whole = *c;
    c.need(FIXED)?;
    c.skip(1)?;
    let (indicator, version) = (usize::from(c.u8()?), c.u8()?);
    if version != VERSION {
        put!(p, " version ", version, " packet not supported");
        return Ok(None);
    }
    if indicator > length {
        put!(p, " length indicator(", indicator);
        put!(p, ") > PDU size (", length, ")!");
        return Ok(None);
    }
    if indicator < LEAST {
        too_short(p, indicator, whole);
        return Ok(None);
    }
    Ok(Some(indicator))
}

fn byte(c: &mut Cursor<'_>, left: &mut usize) -> Result<Option<u8>, Truncated> {
    let Some(after) = left.checked_sub(1) else {
        return Ok(None);
    };
    *left = after;
    c.u8().map(Some)
}

fn redirect(p: &mut Out<'_>, c: &mut Cursor<'_>, left: &mut usize) -> Result<bool, Truncated> {
    let Some(to) = address(c, left)? else {
        put!(p, ", bad redirect/li");
        return Ok(false);
    };
    put!(p, "\n\t  ");
    nsap(p, to);
    let Some(point) = address(c, left)? else {
        put!(p, ", bad redirect/li");
        return Ok(false);
    };
    let Some(net) = address(c, left)? else {
        put!(p, ", bad redirect/li");
        return Ok(false);
    };
    // compat: tcpdump 4.99.3 forgets to count one of the length bytes.
    *left += 1;
    put!(p, "\n\t  SNPA (length: ", point.len(), "): ");
    p.link_addr(point);
    if !net.is_empty() {
        put!(p, "\n\t  NET (length: ", net.len(), ") ");
        nsap(p, net);
    }
    Ok(true)
}

/// Protocols supported.
const PROTOCOLS: u8 = 0x81;

fn options(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        if left < 2 {
            put!(p, ", bad opts/li");
            return Ok(());
        }
        let (kind, size) = (c.u8()?, usize::from(c.u8()?));
        left -= 2;
        if size > left {
            put!(p, ", opt (", kind, ") too long");
            return Ok(());
        }
        left -= size;
        put!(
            p,
            "\n\t  ",
            named(table::ESIS_OPTIONS, kind, "Unknown"),
            " Option #",
            kind
        );
        put!(p, ", length ", size, ", value: ");
        let mut value = Cursor::new(c.rest()).limit(size);
        if kind != PROTOCOLS {
            // compat: where the protocols stand, tcpdump 4.99.3 looks for the next option.
            pass(&mut c, size);
        }
        match kind {
            0xc6 if size == 2 => put!(p, value.u16()?, "s"),
            0xc6 => put!(p, "(bad length)"),
            PROTOCOLS => {
                for n in 0..size {
                    let id = value.u8()?;
                    let name = crate::nlpid::name(id).unwrap_or("unknown");
                    put!(p, name, " (0x", HexFull(id), ")");
                    put!(p, if n + 1 < size { ", " } else { "" });
                }
            }
            _ => hexdump::hex(p, "\n\t\t  ", value.rest()),
        }
    }
    Ok(())
}
