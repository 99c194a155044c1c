//! The ad hoc configuration protocol (draft-chroboczek-ahcp).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, Pairs, put};
use crate::time::{Date, TimeOfDay};

static MESSAGES: &[(u8, &str)] = &[
    (0, "Discover"),
    (1, "Offer"),
    (2, "Request"),
    (3, "Ack"),
    (4, "Nack"),
    (5, "Release"),
];

static OPTIONS: &[(u8, &str)] = &[
    (PAD, "Pad"),
    (1, "Mandatory"),
    (ORIGIN, "Origin Time"),
    (EXPIRES, "Expires"),
    (4, "My-IPv6-Address"),
    (5, "My-IPv4-Address"),
    (6, "IPv6 Prefix"),
    (7, "IPv4 Prefix"),
    (8, "IPv6 Address"),
    (9, "IPv4 Address"),
    (10, "IPv6 Prefix Delegation"),
    (11, "IPv4 Prefix Delegation"),
    (12, "Name Server"),
    (13, "NTP Server"),
];

const PAD: u8 = 0;
const MANDATORY: u8 = 1;
const ORIGIN: u8 = 2;
const EXPIRES: u8 = 3;

const MAGIC: u8 = 43;
const VERSION: u8 = 1;
const HEADER: usize = 24;
const BODY_HEADER: usize = 4;

/// A datagram of `length` bytes.
pub(crate) fn ahcp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "ahcp";
    put!(p, "AHCP");
    if length < 2 {
        p.invalid();
        return Ok(());
    }
    let whole = c;
    let mut c = c;
    if c.u8()? != MAGIC {
        return p.invalid_message(whole, length);
    }
    let version = c.u8()?;
    if version != VERSION {
        put!(p, " Version ", version, " (unknown)");
        return whole.need(length);
    }
    put!(p, " Version 1");
    if !p.verbose(1) {
        if !fits(c, length)? {
            p.invalid();
        }
        return Ok(());
    }
    if length < HEADER {
        p.invalid();
        return Ok(());
    }
    put!(p, "\n\tHopcount ", c.u8()?);
    put!(p, ", Original Hopcount ", c.u8()?);
    put!(p, ", Nonce 0x", HexFull(c.u32()?));
    put!(p, ", Source Id ", Pairs(&c.array::<8>()?, ':'));
    put!(p, ", Destination Id ", Pairs(&c.array::<8>()?, ':'));
    body(p, c, length - HEADER)
}

/// Whether a datagram of `length` bytes, `c` behind its version, holds the body that it states.
fn fits(mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    let Some(left) = length.checked_sub(HEADER + BODY_HEADER) else {
        return Ok(false);
    };
    c.skip(HEADER)?;
    Ok(usize::from(c.u16()?) <= left)
}

fn body(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    if length < 4 {
        p.invalid();
        return Ok(());
    }
    c.need(4)?;
    let kind = c.u8()?;
    put!(p, "\n\t");
    match lookup(MESSAGES, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "Unknown-", kind),
    }
    let reserved = c.u8()?;
    if reserved != 0 {
        put!(p, ", MBZ ", reserved);
    }
    let size = usize::from(c.u16()?);
    put!(p, ", Length ", size);
    if size > length - 4 {
        p.invalid();
        return Ok(());
    }
    if p.verbose(2) {
        return options(p, c, size);
    }
    c.need(size)
}

fn options(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        let kind = c.u8()?;
        left -= 1;
        put!(p, "\n\t ");
        match lookup(OPTIONS, kind) {
            Some(name) => put!(p, name),
            None => put!(p, "Unknown-", kind),
        }
        if matches!(kind, PAD | MANDATORY) {
            continue;
        }
        if left < 1 {
            p.invalid();
            return Ok(());
        }
        let size = usize::from(c.u8()?);
        left -= 1;
        if size > left {
            p.invalid();
            return Ok(());
        }
        let value = c;
        if !option(p, kind, value, size)? {
            p.invalid();
            return Ok(());
        }
        c.skip(size)?;
        left -= size;
    }
    Ok(())
}

/// `false` when the option's length is impossible.
fn option(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, size: usize) -> Result<bool, Truncated> {
    match kind {
        ORIGIN => {
            if size != 4 {
                return Ok(false);
            }
            let secs = i64::from(c.u32()?);
            put!(p, ": ", Date(secs), " ", TimeOfDay(secs), " UTC");
        }
        EXPIRES => {
            if size != 4 {
                return Ok(false);
            }
            put!(p, ": ", c.u32()?, "s");
        }
        4 | 8 | 12 | 13 => {
            return list(p, &mut c, size, 16, |p, c| {
                p.addr(Ipv6Addr::from(c.u128()?));
                Ok(())
            });
        }
        5 | 9 => {
            return list(p, &mut c, size, 4, |p, c| {
                p.addr(Ipv4Addr::from(c.u32()?));
                Ok(())
            });
        }
        6 | 10 => {
            return list(p, &mut c, size, 17, |p, c| {
                let addr = Ipv6Addr::from(c.u128()?);
                p.addr(addr);
                put!(p, "/", c.u8()?);
                Ok(())
            });
        }
        7 | 11 => {
            return list(p, &mut c, size, 5, |p, c| {
                let addr = Ipv4Addr::from(c.u32()?);
                p.addr(addr);
                put!(p, "/", c.u8()?);
                Ok(())
            });
        }
        _ => put!(p, " (Length ", size, ")"),
    }
    Ok(true)
}

fn list(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    size: usize,
    each: usize,
    print: impl Fn(&mut Out<'_>, &mut Cursor<'_>) -> Printed,
) -> Result<bool, Truncated> {
    let mut left = size;
    let mut mark = ": ";
    while left > 0 {
        if left < each {
            return Ok(false);
        }
        c.need(each)?;
        put!(p, mark);
        print(p, c)?;
        mark = ", ";
        left -= each;
    }
    Ok(true)
}
