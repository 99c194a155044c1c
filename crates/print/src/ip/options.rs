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

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn every_option() {
        for (packet, expected) in [
            (
                "4800002b00010000401152a00a0000010a000002070b080a0000010a0000010000010002000b2770616263",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 43, options (RR 10.0.0.1, 10.0.0.1,EOL))\n    10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "47000027000100004011dbb10a0000010a0000028307040a0000020000010002000b2770616263",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 39, options (LSRR 10.0.0.2,EOL))\n    10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "4800002b0001000040111aa50a0000010a000002440c0500000000070000000700010002000b2770616263",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 43, options (timestamp TS{TSONLY ^ 7@ 7@}))\n    10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "4a000033000100004011fc610a0000010a00000244140d310a000001000000070a0000010000000700010002000b2770616263",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 51, options (timestamp TS{TS+ADDR 7@10.0.0.1 ^ 7@10.0.0.1 [3 hops not recorded]} ))\n    10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "46000023000100004011d1bd0a0000010a0000029404000500010002000b2770616263",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 35, options (RA value 5))\n    10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "4700002700010000401106f60a0000010a000002990661626364000000010002000b2770616263",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 39, options (unknown 153,EOL))\n    10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "46000023000100004011ccc60a0000010a0000029900000000010002000b2770616263",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 35, options (unknown 153 [bad length 0]))\n    10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "460000230001000040111cc40a0000010a0000024403050000010002000b2770616263",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 35, options (timestamp[bad length 3],EOL))\n    10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(1), expected);
        }
    }
}
