//! Version 1, inside IGMP, as some routers still speak it.

use std::net::Ipv4Addr;

use pktwho_wire::Cursor;

use crate::ip;
use crate::out::{Out, Printed};
use crate::put::{Span, put};

static MESSAGES: &[&str] = &[
    "Query",
    "Register",
    "Register-Stop",
    "Join/Prune",
    "RP-reachable",
    "Assert",
    "Graft",
    "Graft-ACK",
];

/// A message of `length` bytes, from the type of IGMP on.
pub(crate) fn message(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "pimv1";
    let mut c = c;
    let header = c;
    c.skip(1)?;
    let kind = c.u8()?;
    match MESSAGES.get(usize::from(kind)) {
        Some(name) => put!(p, " ", *name),
        None => put!(p, " [type ", kind, "]"),
    }
    c.skip(2)?;
    let version = { c }.u8();
    c = header;
    c.skip(8.min(c.remaining()))?;
    match kind {
        0 => {
            if let Ok(mode) = { c }.u8() {
                match mode >> 4 {
                    0 => put!(p, " Dense-mode"),
                    1 => put!(p, " Sparse-mode"),
                    2 => put!(p, " Sparse-Dense-mode"),
                    other => put!(p, " mode-", other),
                }
            }
            if p.verbose(1) {
                put!(p, " (Hold-time ");
                c.skip(2)?;
                put!(p, Span(u32::from(c.u16()?)), ")");
            }
        }
        1 => {
            let mut inner = c;
            inner.need(20)?;
            inner.skip(12)?;
            let (source, destination) = (inner.u32()?, inner.u32()?);
            put!(p, " for ");
            ends(p, source, destination);
            if p.verbose(2) {
                put!(p, "\n\t");
                p.deeper(|p| ip::ip(p, Cursor::new(c.rest()), length.saturating_sub(8)))?;
            }
        }
        2 => {
            let (source, group) = (c.u32()?, c.u32()?);
            put!(p, " for ");
            ends(p, source, group);
        }
        4 if p.verbose(1) => reachable(p, c)?,
        5 => assert(p, c)?,
        3 | 6 | 7 if p.verbose(1) => {
            if p.verbose(2) {
                put!(p, " RPF ");
                p.addr(Ipv4Addr::from({ c }.u32()?));
                put!(p, " ");
            }
            join_prune(p, c)?;
        }
        _ => {}
    }
    match version {
        Ok(version) if version >> 4 != 1 => put!(p, " [v", version >> 4, "]"),
        _ => {}
    }
    Ok(())
}

fn ends(p: &mut Out<'_>, source: u32, destination: u32) {
    p.addr(Ipv4Addr::from(source));
    put!(p, " > ");
    p.addr(Ipv4Addr::from(destination));
}

fn reachable(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let group = Ipv4Addr::from(c.u32()?);
    put!(p, " group ");
    p.addr(group);
    let mask = c.u32()?;
    if mask != u32::MAX {
        put!(p, "/", Ipv4Addr::from(mask));
    }
    let point = Ipv4Addr::from(c.u32()?);
    put!(p, " RP ");
    p.addr(point);
    put!(p, " hold ");
    c.skip(2)?;
    put!(p, Span(u32::from(c.u16()?)));
    Ok(())
}

fn assert(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    c.need(20)?;
    let (group, mask, source) = (c.u32()?, c.u32()?, c.u32()?);
    put!(p, " for ");
    ends(p, source, group);
    if mask != u32::MAX {
        put!(p, "/", Ipv4Addr::from(mask));
    }
    let preference = c.u32()?;
    let tree = if preference & 0x8000_0000 == 0 {
        "SPT"
    } else {
        "RP-tree"
    };
    put!(
        p,
        " ",
        tree,
        " pref ",
        preference & 0x7fff_ffff,
        " metric ",
        c.u32()?
    );
    Ok(())
}

fn join_prune(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    put!(p, " Upstream Nbr: ");
    p.addr(Ipv4Addr::from(c.u32()?));
    if p.verbose(2) {
        put!(p, "\n\t");
    }
    c.skip(2)?;
    put!(p, " Hold time: ", Span(u32::from(c.u16()?)));
    if !p.verbose(2) {
        return Ok(());
    }
    c.skip(1)?;
    let (mask_length, address_length, groups) = (c.u8()?, c.u8()?, c.u8()?);
    let _ = address_length;
    for _ in 0..groups {
        let (group, mask) = (c.u32()?, c.u32()?);
        put!(p, "\n\tGroup: ");
        p.addr(Ipv4Addr::from(group));
        if mask != u32::MAX {
            put!(p, "/", Ipv4Addr::from(mask));
        }
        let (joins, prunes) = (c.u16()?, c.u16()?);
        put!(p, " joined: ", joins, " pruned: ", prunes);
        for (count, name) in [(joins, "Join"), (prunes, "Prune")] {
            for _ in 0..count {
                let (flags, mask, addr) = (c.u8()?, c.u8()?, c.u32()?);
                let dense = if flags & 4 == 0 { "Dense " } else { "Sparse " };
                put!(p, "\n\t", name, " ", dense);
                put!(p, if flags & 2 == 0 { "" } else { "WC " });
                put!(p, if flags & 1 == 0 { "SPT " } else { "RP " });
                p.addr(Ipv4Addr::from(addr));
                if mask & 0x3f != mask_length & 0x3f {
                    put!(p, "/", mask & 0x3f);
                }
            }
        }
    }
    Ok(())
}
