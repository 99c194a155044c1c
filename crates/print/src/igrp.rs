//! Cisco's interior gateway routing protocol.

use pktwho_wire::{Cursor, Truncated};

use crate::ip_proto::Ip;
use crate::out::{Out, Printed};
use crate::put::{HexFull, put};

/// Bytes of one route.
const ENTRY: usize = 14;

/// Where a route's network stands among the three kinds of a message.
#[derive(Clone, Copy)]
enum Kind {
    Interior,
    System,
    Exterior,
}

/// A message of `length` bytes.
pub(crate) fn igrp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, _: &Ip) -> Printed {
    p.protocol = "igrp";
    let mut c = Cursor::new(c.limit(length).rest());
    if c.remaining() < 10 {
        put!(p, "igrp:");
        return Err(Truncated);
    }
    let first = c.u8()?;
    let (version, operation) = (first >> 4, first & 15);
    let (edition, number) = (c.u8()?, c.u16()?);
    let counts = [c.u16()?, c.u16()?, c.u16()?];
    put!(p, "igrp: ");
    match operation {
        1 => put!(p, "update"),
        2 => put!(p, "request"),
        other => put!(p, "op-#", other),
    }
    let [interior, system, exterior] = counts;
    put!(p, " V", version, " edit=", edition, " AS=", number);
    put!(p, " (", interior, "/", system, "/", exterior, ")");
    let kinds = [Kind::Interior, Kind::System, Kind::Exterior];
    let checksum = c.u16()?;
    if p.verbose(1) {
        put!(p, " checksum=0x", HexFull(checksum));
    }
    let mut left = length.saturating_sub(12);
    let mut missing = false;
    for (count, kind) in counts.into_iter().zip(kinds) {
        for _ in 0..count {
            if left < ENTRY {
                missing = true;
                break;
            }
            entry(p, &mut c, kind)?;
            left -= ENTRY;
        }
    }
    if left >= ENTRY {
        put!(p, " [extra bytes ", left, "]");
    }
    if missing || left > 0 {
        p.invalid();
    }
    Ok(())
}

fn entry(p: &mut Out<'_>, c: &mut Cursor<'_>, kind: Kind) -> Printed {
    c.need(ENTRY)?;
    let [a, b, d] = c.array()?;
    match kind {
        Kind::Interior => put!(p, " *.", a, ".", b, ".", d),
        Kind::System => put!(p, " ", a, ".", b, ".", d, ".0"),
        Kind::Exterior => put!(p, " X", a, ".", b, ".", d, ".0"),
    }
    let delay = c.u24()?;
    let width = c.u24()?;
    let mtu = c.u16()?;
    let (reliability, load, hops) = (c.u8()?, c.u8()?, c.u8()?);
    let width = width.max(1);
    let metric = width.saturating_add(delay).min(0xff_ffff);
    put!(
        p,
        " d=",
        delay.saturating_mul(10),
        " b=",
        10_000_000 / width
    );
    put!(p, " r=", reliability, " l=", load, " M=", metric);
    put!(p, " mtu=", mtu, " in ", hops, " hops");
    Ok(())
}
