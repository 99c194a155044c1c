//! Distance vector multicast routing (RFC 1075, draft-ietf-idmr-dvmrp-v3), inside IGMP.

use std::net::Ipv4Addr;

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::put::{Span, put};

static MESSAGES: &[&str] = &[
    "Probe",
    "Report",
    "Ask-neighbors(old)",
    "Neighbors(old)",
    "Ask-neighbors2",
    "Neighbors2",
    "Prune",
    "Graft",
    "Graft-ACK",
];

static FLAGS: &[(u8, &str)] = &[
    (0x01, "/tunnel"),
    (0x02, "/srcrt"),
    (0x40, "/querier"),
    (0x20, "/disabled"),
    (0x10, "/down"),
];

/// A message of `length` bytes, from the type of IGMP on.
pub(crate) fn dvmrp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "dvmrp";
    let mut c = c;
    c.skip(1)?;
    let kind = c.u8()?;
    let start = usize::from(kind).checked_sub(1);
    match start.and_then(|n| MESSAGES.get(n)) {
        Some(name) => put!(p, " ", *name),
        None => put!(p, " [type ", kind, "]"),
    }
    let version = c;
    c.skip(6)?;
    let left = length.saturating_sub(8);
    match kind {
        1 if p.verbose(1) => probe(p, c, left),
        2 if p.verbose(2) => report(p, c, left),
        4 => neighbors(p, c, left),
        6 => {
            put!(p, " ");
            neighbors2(p, c, version, left)
        }
        7 => {
            put!(p, " src ");
            let (source, group, timer) = (c.u32()?, c.u32()?, c.u32()?);
            p.addr(Ipv4Addr::from(source));
            put!(p, " grp ");
            p.addr(Ipv4Addr::from(group));
            put!(p, " timer ", Span(timer));
            Ok(())
        }
        8 | 9 => {
            let (source, group) = (c.u32()?, c.u32()?);
            put!(p, " src ");
            p.addr(Ipv4Addr::from(source));
            put!(p, " grp ");
            p.addr(Ipv4Addr::from(group));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Major and minor version: the last bytes of the header.
fn version(mut c: Cursor<'_>) -> Result<(u8, u8), pktwho_wire::Truncated> {
    c.skip(4)?;
    let (minor, major) = (c.u8()?, c.u8()?);
    Ok((major, minor))
}

fn probe(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    if length < 4 {
        put!(p, " [full length ", length, " < 4]");
        p.invalid();
        return Ok(());
    }
    let start = if p.style.verbose > 1 { "\n\t" } else { " " };
    put!(p, start, "genid ", c.u32()?);
    if !p.verbose(2) {
        return Ok(());
    }
    let mut left = length - 4;
    while left > 0 {
        if left < 4 {
            put!(p, "[remaining length ", left, " < 4]");
            p.invalid();
            return Ok(());
        }
        let neighbor = Ipv4Addr::from(c.u32()?);
        put!(p, "\n\tneighbor ");
        p.addr(neighbor);
        left -= 4;
    }
    Ok(())
}

/// Routes, those of one mask together; only the bytes that the mask needs are sent.
fn report(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        if left < 3 {
            put!(p, " [length ", left, " < 3]");
            p.invalid();
            return Ok(());
        }
        let [b, d, e] = c.array()?;
        let mut width = 1;
        for (byte, count) in [(b, 2), (d, 3), (e, 4)] {
            if byte != 0 {
                width = count;
            }
        }
        put!(p, "\n\tMask ", Ipv4Addr::new(255, b, d, e));
        left -= 3;
        loop {
            if left < width + 1 {
                put!(p, "\n\t  [Truncated Report]");
                p.invalid();
                return Ok(());
            }
            let mut origin = [0; 4];
            for (to, from) in origin.iter_mut().zip(c.take(width)?) {
                *to = *from;
            }
            let metric = c.u8()?;
            put!(
                p,
                "\n\t  ",
                Ipv4Addr::from(origin),
                " metric ",
                metric & 0x7f
            );
            left -= width + 1;
            if metric & 0x80 != 0 || left == 0 {
                break;
            }
        }
    }
    Ok(())
}

fn neighbors(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        if left < 7 {
            put!(p, " [length ", left, " < 7]");
            p.invalid();
            return Ok(());
        }
        let local = Ipv4Addr::from(c.u32()?);
        let (metric, threshold, count) = (c.u8()?, c.u8()?, c.u8()?);
        left -= 7;
        for _ in 0..count {
            if left < 4 {
                put!(p, " [length ", left, " < 4]");
                p.invalid();
                return Ok(());
            }
            put!(p, " [");
            p.addr(local);
            put!(p, " -> ");
            p.addr(Ipv4Addr::from(c.u32()?));
            put!(p, ", (", metric, "/", threshold, ")]");
            left -= 4;
        }
    }
    Ok(())
}

fn neighbors2(p: &mut Out<'_>, mut c: Cursor<'_>, header: Cursor<'_>, length: usize) -> Printed {
    let (major, minor) = version(header)?;
    put!(p, "(v ", major, ".", minor, "):");
    let mut left = length;
    while left > 0 {
        if left < 8 {
            put!(p, " [length ", left, " < 8]");
            p.invalid();
            return Ok(());
        }
        let local = Ipv4Addr::from(c.u32()?);
        let (metric, threshold, flags, mut count) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?);
        left -= 8;
        while count > 0 && left >= 4 {
            put!(p, " [");
            p.addr(local);
            put!(p, " -> ");
            p.addr(Ipv4Addr::from(c.u32()?));
            put!(p, " (", metric, "/", threshold);
            for &(bit, name) in FLAGS {
                if flags & bit != 0 {
                    put!(p, name);
                }
            }
            put!(p, ")]");
            left -= 4;
            count -= 1;
        }
        if count > 0 {
            put!(p, " [invalid ncount]");
            p.invalid();
            return Ok(());
        }
    }
    Ok(())
}
