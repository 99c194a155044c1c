//! Options of the IPv4 header (RFC 791 section 3.1; RFC 2113, RFC 1393).

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup};
use crate::put::put;

const END: u8 = 0;
const NOP: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const TIMESTAMP: u8 = 68;
const LOOSE_ROUTE: u8 = 131;
const STRICT_ROUTE: u8 = 137;
const ROUTER_ALERT: u8 = 148;

static NAMES: &[(u8, &str)] = &[
    (END, "EOL"),
    (NOP, "NOP"),
    (RECORD_ROUTE, "RR"),
    (TIMESTAMP, "timestamp"),
    (82, "traceroute"),
    (130, "security"),
    (LOOSE_ROUTE, "LSRR"),
    (STRICT_ROUTE, "SSRR"),
    (ROUTER_ALERT, "RA"),
];

/// Where a source route leads in the end: what checksums are made with.
pub(super) fn last_hop(mut c: Cursor<'_>) -> Option<Ipv4Addr> {
    loop {
        match c.u8().ok()? {
            END => return None,
            NOP => {}
            kind => {
                let size = usize::from(c.u8().ok()?);
                let value = c.take(size.checked_sub(2)?).ok()?;
                if matches!(kind, LOOSE_ROUTE | STRICT_ROUTE) {
                    return value
                        .get(1..)?
                        .last_chunk::<4>()
                        .copied()
                        .map(Ipv4Addr::from);
                }
            }
        }
    }
}

/// The options between the fixed header and the payload, `length` bytes on the wire; `false` if
/// one was not captured whole.
pub(super) fn options(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    length: usize,
) -> Result<bool, Truncated> {
    let mut left = length;
    let mut separator = "";
    while left > 0 {
        put!(p, separator);
        separator = ",";
        let start = c;
        let kind = c.u8()?;
        match lookup(NAMES, kind) {
            Some(name) => put!(p, name),
            None => put!(p, "unknown ", kind),
        }
        if kind == END || kind == NOP {
            left -= 1;
            if kind == END {
                break;
            }
            continue;
        }
        // A lone type at the end of the header has no length.
        let size = if left > 1 { usize::from(c.u8()?) } else { 0 };
        if size < 2 || size > left {
            put!(p, " [bad length ", size, "]");
            break;
        }
        if start.remaining() < size {
            put!(p, " [truncated-option]");
            return Ok(false);
        }
        let mut rest = start;
        rest.skip(2)?;
        if kind == TIMESTAMP && !timestamp(p, rest, size)? {
            return Ok(false);
        }
        match kind {
            RECORD_ROUTE | LOOSE_ROUTE | STRICT_ROUTE => route(p, rest, size)?,
            ROUTER_ALERT if size == 4 => match rest.u16()? {
                0 => {}
                value => put!(p, " value ", value),
            },
            _ => {}
        }
        c = start;
        c.skip(size)?;
        left -= size;
    }
    Ok(true)
}

/// A list of addresses; those before the pointer are used already.
fn route(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Printed {
    if size < 3 {
        put!(p, " [bad length ", size, "]");
        return Ok(());
    }
    if !(size + 1).is_multiple_of(4) {
        put!(p, " [bad length ", size, "]");
    }
    let pointer = c.u8()?;
    let next = usize::from(pointer).saturating_sub(1);
    if next < 3 || !(next + 1).is_multiple_of(4) {
        put!(p, " [bad ptr ", pointer, "]");
    }
    for offset in (3..size).step_by(4) {
        put!(p, " ");
        p.addr(Ipv4Addr::from(c.u32()?));
        if next > offset {
            put!(p, ",");
        }
    }
    Ok(())
}

/// Timestamps, alone or with the address of the router that made them; `false` if the last one
/// is cut.
fn timestamp(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Result<bool, Truncated> {
    if size < 4 {
        put!(p, "[bad length ", size, "]");
        return Ok(true);
    }
    put!(p, " TS{");
    let pointer = c.u8()?;
    let flags = c.u8()?;
    let kind = flags & 15;
    let hop = if kind == 0 { 4 } else { 8 };
    if !(size - 4).is_multiple_of(hop) {
        put!(p, "[bad length ", size, "]");
    }
    let next = usize::from(pointer).saturating_sub(1);
    if next < 4 || !(next - 4).is_multiple_of(hop) || next > size {
        put!(p, "[bad ptr ", pointer, "]");
    }
    match kind {
        0 => put!(p, "TSONLY"),
        1 => put!(p, "TS+ADDR"),
        3 => put!(p, "PRESPEC"),
        other => {
            put!(p, "[bad ts type ", other, "]}");
            return Ok(true);
        }
    }
    for offset in (4..size).step_by(hop) {
        put!(p, if next == offset { " ^ " } else { " " });
        if offset + hop > size {
            put!(p, "[truncated-option]");
            return Ok(false);
        }
        let address = if hop == 8 { Some(c.u32()?) } else { None };
        put!(p, c.u32()?, "@");
        if let Some(address) = address {
            p.addr(Ipv4Addr::from(address));
        }
    }
    if next == size {
        put!(p, " ^ ");
    }
    match flags >> 4 {
        0 => put!(p, "}"),
        missed => put!(p, " [", missed, " hops not recorded]} "),
    }
    Ok(true)
}
