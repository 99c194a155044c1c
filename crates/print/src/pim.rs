//! Protocol independent multicast, version 2 (RFC 7761, RFC 3973, RFC 5015).

mod address;
mod hello;
pub(crate) mod v1;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::checksum::Sum;
use crate::ip_proto::{self, Ip};
use crate::out::{Out, Printed, bits, named};
use crate::put::{Hex, HexFull, Span, put};
use crate::{ip, ip6};
use address::Encoding;

static MESSAGES: &[(u8, &str)] = &[
    (0, "Hello"),
    (REGISTER, "Register"),
    (2, "Register Stop"),
    (3, "Join / Prune"),
    (4, "Bootstrap"),
    (5, "Assert"),
    (6, "Graft"),
    (7, "Graft Acknowledgement"),
    (8, "Candidate RP Advertisement"),
    (9, "Prune Refresh"),
    (ELECTION, "DF Election"),
    (11, "ECMP Redirect"),
];

static REGISTER_FLAGS: &[(u32, &str)] = &[(0x8000_0000, "Border"), (0x4000_0000, "Null")];

static ELECTIONS: &[(u8, &str)] = &[(1, "Offer"), (2, "Winner"), (3, "Backoff"), (4, "Pass")];

const REGISTER: u8 = 1;
const ELECTION: u8 = 10;
/// Type, reserved byte and checksum.
const HEADER: usize = 4;

/// A message of `length` bytes.
pub(crate) fn pim(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    p.protocol = "pim";
    let c = Cursor::new(c.limit(length).rest());
    let mut peek = c;
    let first = peek.u8()?;
    let (version, kind) = (first >> 4, first & 15);
    if version != 2 {
        put!(p, "PIMv", version, ", length ", length);
        return Ok(());
    }
    let name = named(MESSAGES, kind, "Unknown Type");
    if !p.verbose(1) {
        put!(p, "PIMv2, ", name, ", length ", length);
        return Ok(());
    }
    put!(p, "PIMv2, length ", length, "\n\t", name);
    p.protocol = "pimv2";
    if length < 2 {
        put!(p, "[length ", length, " < 2]");
        p.invalid();
        return Ok(());
    }
    let reserved = peek.u8()?;
    // RFC 2117 has the length of addresses here, and no family with each.
    // The subtype of an election stands there too.
    let other_use = kind == ELECTION;
    let encoding = if matches!(reserved, 4 | 16) && !other_use {
        put!(p, ", RFC2117-encoding");
        Encoding::Fixed(reserved)
    } else {
        Encoding::Family
    };
    if length < HEADER {
        put!(p, "[length ", length, " < ", HEADER, "]");
        p.invalid();
        return Ok(());
    }
    let stated = peek.u16()?;
    if stated == 0 {
        put!(p, ", cksum 0x0000 (unverified)");
    } else {
        put!(p, ", cksum 0x", HexFull(stated), " ");
        put!(p, verdict(c, length, kind, ip));
    }
    let body = c.rest().get(HEADER..).unwrap_or_default();
    let c = Cursor::new(body);
    let left = length.saturating_sub(HEADER);
    match kind {
        0 => hello::options(p, c, left),
        REGISTER => register(p, c, left),
        2 => register_stop(p, c, encoding),
        3 | 6 | 7 => join_prune(p, c, kind, encoding),
        4 => bootstrap(p, c, left, encoding),
        5 => assert(p, c, encoding),
        8 => candidate(p, c, left, encoding),
        9 => refresh(p, c, encoding),
        ELECTION => election(p, c, reserved >> 4, encoding),
        _ => {
            put!(p, " [type ", kind, "]");
            Ok(())
        }
    }
}

/// What the checksum says. Of a register message only the first 8 bytes count, but some senders
/// sum all of it (RFC 7761 section 4.9).
fn verdict(c: Cursor<'_>, length: usize, kind: u8, ip: &Ip) -> &'static str {
    let right = |count: usize| {
        let bytes = c.rest().get(..count)?;
        let sum = match ip.src {
            IpAddr::V4(_) => Sum::default().add(bytes),
            IpAddr::V6(_) => Sum::pseudo(ip.src, ip.last_dst, ip_proto::PIM, count).add(bytes),
        };
        Some(sum.finish() == 0)
    };
    if kind == REGISTER && right(8) == Some(true) {
        return "(correct)";
    }
    match right(length) {
        Some(true) => "(correct)",
        Some(false) => "(incorrect)",
        None => "(unverified)",
    }
}

/// A packet on its way to the rendezvous point.
fn register(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let flags = c.u32()?;
    put!(p, ", Flags [ ");
    bits(p, REGISTER_FLAGS, flags, ", ", "none");
    put!(p, " ]\n\t");
    let inner = Cursor::new(c.rest());
    match { c }.u8()? >> 4 {
        0 => {
            // A null register without a version.
            c.skip(12)?;
            put!(p, "IP-Null-header ");
            p.addr(Ipv4Addr::from(c.u32()?));
            put!(p, " > ");
            p.addr(Ipv4Addr::from(c.u32()?));
            Ok(())
        }
        4 => p.deeper(|p| ip::ip(p, inner, length.saturating_sub(4))),
        6 => p.deeper(|p| ip6::ip6(p, inner, length.saturating_sub(4))),
        other => {
            put!(p, "IP ver ", other);
            Ok(())
        }
    }
}

fn register_stop(p: &mut Out<'_>, mut c: Cursor<'_>, encoding: Encoding) -> Printed {
    put!(p, " group=");
    address::group(p, &mut c, encoding)?;
    put!(p, " source=");
    address::unicast(p, &mut c, encoding)
}

fn join_prune(p: &mut Out<'_>, mut c: Cursor<'_>, kind: u8, encoding: Encoding) -> Printed {
    // compat: an acknowledgement is read as if it named no neighbour.
    if kind != 7 {
        put!(p, ", upstream-neighbor: ");
        address::unicast(p, &mut c, encoding)?;
    }
    c.skip(1)?;
    let groups = c.u8()?;
    let hold = c.u16()?;
    put!(p, "\n\t  ", groups, " group(s)");
    // Grafts have no hold time.
    if kind != 7 {
        put!(p, ", holdtime: ");
        hold_time(p, hold);
    }
    for group in 1..=groups {
        put!(p, "\n\t    group #", group, ": ");
        address::group(p, &mut c, encoding)?;
        let (joined, pruned) = (c.u16()?, c.u16()?);
        put!(
            p,
            ", joined sources: ",
            joined,
            ", pruned sources: ",
            pruned
        );
        for (count, what) in [(joined, "joined"), (pruned, "pruned")] {
            for source in 1..=count {
                put!(p, "\n\t      ", what, " source #", source, ": ");
                address::source(p, &mut c, encoding)?;
            }
        }
    }
    Ok(())
}

fn hold_time(p: &mut Out<'_>, seconds: u16) {
    if seconds == 0xffff {
        put!(p, "infinite");
    } else {
        put!(p, Span(u32::from(seconds)));
    }
}

fn bootstrap(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, encoding: Encoding) -> Printed {
    put!(p, " tag=", Hex(c.u16()?));
    put!(p, " hashmlen=", c.u8()?);
    c.need(2)?;
    put!(p, " BSRprio=", c.u8()?);
    put!(p, " BSR=");
    address::unicast(p, &mut c, encoding)?;
    let mut group = 0_u32;
    while c.position() < length {
        put!(p, " (group", group, ": ");
        address::group(p, &mut c, encoding)?;
        put!(p, " RPcnt=", c.u8()?);
        let fragment = c.u8()?;
        put!(p, " FRPcnt=", fragment);
        c.skip(2)?;
        for point in 0..fragment {
            if c.position() >= length {
                break;
            }
            put!(p, " RP", point, "=");
            address::unicast(p, &mut c, encoding)?;
            put!(p, ",holdtime=");
            put!(p, Span(u32::from(c.u16()?)));
            put!(p, ",prio=", c.u8()?);
            c.skip(1)?;
        }
        put!(p, ")");
        group += 1;
    }
    Ok(())
}

fn assert(p: &mut Out<'_>, mut c: Cursor<'_>, encoding: Encoding) -> Printed {
    put!(p, " group=");
    address::group(p, &mut c, encoding)?;
    put!(p, " src=");
    address::unicast(p, &mut c, encoding)?;
    let preference = c.u32()?;
    if preference & 0x8000_0000 != 0 {
        put!(p, " RPT");
    }
    put!(p, " pref=", preference & 0x7fff_ffff);
    put!(p, " metric=", c.u32()?);
    Ok(())
}

fn candidate(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, encoding: Encoding) -> Printed {
    let prefixes = c.u8()?;
    put!(p, " prefix-cnt=", prefixes);
    put!(p, " prio=", c.u8()?);
    put!(p, " holdtime=");
    put!(p, Span(u32::from(c.u16()?)));
    put!(p, " RP=");
    address::unicast(p, &mut c, encoding)?;
    for prefix in 0..prefixes {
        if c.position() >= length {
            break;
        }
        put!(p, " Group", prefix, "=");
        address::group(p, &mut c, encoding)?;
    }
    Ok(())
}

/// State refresh (RFC 3973 section 4.7.10).
fn refresh(p: &mut Out<'_>, mut c: Cursor<'_>, encoding: Encoding) -> Printed {
    put!(p, " src=");
    address::unicast(p, &mut c, encoding)?;
    put!(p, " grp=");
    address::group(p, &mut c, encoding)?;
    put!(p, " forwarder=");
    address::unicast(p, &mut c, encoding)?;
    c.need(2)?;
    put!(p, " TUNR ");
    put!(p, Span(u32::from(c.u16()?)));
    Ok(())
}

/// Election of the designated forwarder (RFC 5015 section 3.7).
fn election(p: &mut Out<'_>, mut c: Cursor<'_>, kind: u8, encoding: Encoding) -> Printed {
    put!(p, "\n\t  ", named(ELECTIONS, kind, "Unknown"), ",");
    put!(p, " rpa=");
    address::unicast(p, &mut c, encoding)?;
    put!(p, " sender pref=", c.u32()?);
    put!(p, " sender metric=", c.u32()?);
    let who = match kind {
        3 => "offer",
        4 => "new winner",
        _ => return Ok(()),
    };
    put!(p, "\n\t  ", who, " addr=");
    address::unicast(p, &mut c, encoding)?;
    put!(p, " ", who, " pref=", c.u32()?);
    put!(p, " ", who, " metric=", c.u32()?);
    if kind == 3 {
        put!(p, " interval ", c.u16()?, "ms");
    }
    Ok(())
}

/// An address of four bytes.
fn v4(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Truncated> {
    p.addr(Ipv4Addr::from(c.u32()?));
    Ok(())
}

/// An address of sixteen.
fn v6(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Truncated> {
    p.addr(Ipv6Addr::from(c.u128()?));
    Ok(())
}
