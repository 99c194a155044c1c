//! The Babel routing protocol (RFC 8966) and its extensions (RFC 8967, RFC 9229, RFC 9616, RFC
//! 9079).

mod prefix;

use std::net::IpAddr;

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{HexFull, Pairs, Zeros, digit, put};
use prefix::Prefixes;

const MAGIC: u8 = 42;
const HEADER: usize = 4;
const MANDATORY: u8 = 0x80;

/// A datagram of `length` bytes.
pub(crate) fn babel(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "babel";
    put!(p, "babel");
    let mut c = Cursor::new(c.limit(length).rest());
    c.need(HEADER)?;
    let (magic, version) = (c.u8()?, c.u8()?);
    if magic != MAGIC {
        put!(p, " invalid header");
        return Ok(());
    }
    put!(p, " ", version);
    if version != 2 {
        put!(p, " unknown version");
        return Ok(());
    }
    let body = usize::from(c.u16()?);
    put!(p, " (", body, ")");
    let left = length - HEADER;
    if body > left {
        p.invalid();
        return Ok(());
    }
    let mut prefixes = Prefixes::default();
    tlvs(p, &mut c, body, &mut prefixes)?;
    if left > body {
        // RFC 8966 section 4.2: the trailer, which carries authentication.
        put!(
            p,
            if p.style.verbose > 0 {
                "\n\t----"
            } else {
                " |"
            }
        );
        tlvs(p, &mut c, left - body, &mut prefixes)?;
    }
    Ok(())
}

fn tlvs(p: &mut Out<'_>, c: &mut Cursor<'_>, length: usize, prefixes: &mut Prefixes) -> Printed {
    let mut left = length;
    while left > 0 {
        let kind = c.u8()?;
        left -= 1;
        if kind == 0 {
            put!(
                p,
                if p.style.verbose > 0 {
                    "\n\tPad 1"
                } else {
                    " pad1"
                }
            );
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
        let value = c.sub(size)?;
        left -= size;
        if p.verbose(1) {
            if tlv(p, kind, value, size, prefixes)?.is_none() {
                p.invalid();
                return Ok(());
            }
        } else {
            name(p, kind, value, size)?;
        }
    }
    Ok(())
}

/// Without `-v`, the names alone.
fn name(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, size: usize) -> Printed {
    let name = match kind {
        1 => " padN",
        2 => " ack-req",
        3 => " ack",
        4 => " hello",
        5 => " ihu",
        6 => " router-id",
        7 => " nh",
        8 => {
            put!(p, " update");
            if size >= 2 {
                c.skip(1)?;
                flags(p, c.u8()?);
            }
            ""
        }
        9 => " route-request",
        10 => " seqno-request",
        11 => " tspc",
        12 => " hmac",
        13 => " ss-update",
        14 => " ss-request",
        15 => " ss-mh-request",
        16 => " mac",
        17 => " pc",
        18 => " challenge_request",
        19 => " challenge_reply",
        _ => " unknown",
    };
    put!(p, name);
    Ok(())
}

fn flags(p: &mut Out<'_>, flags: u8) {
    for (bits, name) in [(0x80, "/prefix"), (0x40, "/id"), (0x3f, "/unknown")] {
        if flags & bits != 0 {
            put!(p, name);
        }
    }
}

/// Hundredths of a second.
fn interval(p: &mut Out<'_>, value: u16) {
    if value == 0 {
        return put!(p, "0.0s (bogus)");
    }
    put!(p, value / 100, ".", Zeros(u64::from(value % 100), 2), "s");
}

/// An interval of updates, which may be infinite.
fn update_interval(p: &mut Out<'_>, value: u16) {
    if value == 0xffff {
        put!(p, "infinity");
    } else {
        interval(p, value);
    }
}

/// One TLV of `-v`; `None` if it contradicts itself.
fn tlv(
    p: &mut Out<'_>,
    kind: u8,
    mut c: Cursor<'_>,
    size: usize,
    prefixes: &mut Prefixes,
) -> Result<Option<()>, Truncated> {
    let least = match kind {
        2 | 4 | 5 => 6,
        3 | 7 | 9 => 2,
        6 | 8 => 10,
        10 | 15 => 14,
        11 => 6,
        12 => 18,
        13 => 10,
        14 => 3,
        17 => 4,
        _ => 0,
    };
    if size < least {
        return Ok(None);
    }
    match kind {
        1 => put!(p, "\n\tPad ", size + 2),
        2 => {
            c.skip(2)?;
            put!(p, "\n\tAcknowledgment Request ", HexFull(c.u16()?), " ");
            interval(p, c.u16()?);
            sub_tlvs(p, c)?;
        }
        3 => {
            put!(p, "\n\tAcknowledgment ", HexFull(c.u16()?));
            sub_tlvs(p, c)?;
        }
        4 => hello(p, c)?,
        5 => {
            let encoding = c.u8()?;
            c.skip(1)?;
            let (cost, time) = (c.u16()?, c.u16()?);
            put!(p, "\n\tIHU ");
            match prefix::address(&mut c, encoding) {
                None => return Ok(None),
                Some(addr) => addr.put(p),
            }
            put!(p, " rxcost ", cost, " interval ");
            interval(p, time);
            sub_tlvs(p, c)?;
        }
        6 => {
            c.skip(2)?;
            put!(p, "\n\tRouter Id ", Pairs(&c.array::<8>()?, ':'));
            sub_tlvs(p, c)?;
        }
        7 => {
            let encoding = c.u8()?;
            c.skip(1)?;
            put!(p, "\n\tNext Hop ");
            match prefix::address(&mut c, encoding) {
                None => return Ok(None),
                Some(addr) => addr.put(p),
            }
            sub_tlvs(p, c)?;
        }
        8 => return update(p, c, prefixes),
        9 => {
            let (encoding, width) = (c.u8()?, c.u8()?);
            put!(p, "\n\tRoute Request for ");
            match prefixes.read(&mut c, encoding, width, 0) {
                None => return Ok(None),
                Some(prefix) => prefix.put(p),
            }
            sub_tlvs(p, c)?;
        }
        10 => {
            let (encoding, width) = (c.u8()?, c.u8()?);
            let (seqno, hops) = (c.u16()?, c.u8()?);
            c.skip(1)?;
            let id = c.array::<8>()?;
            put!(p, "\n\tSeqno Request (", hops, " hops) for ");
            match prefixes.read(&mut c, encoding, width, 0) {
                None => return Ok(None),
                Some(prefix) => prefix.put(p),
            }
            put!(p, " seqno ", seqno, " id ", Pairs(&id, ':'));
            sub_tlvs(p, c)?;
        }
        13..=15 => return source_specific(p, kind, c, prefixes),
        _ => authentication(p, kind, c)?,
    }
    Ok(Some(()))
}

fn hello(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let (flags, seqno, time) = (c.u16()?, c.u16()?, c.u16()?);
    put!(p, "\n\tHello ");
    if flags & 0x8000 != 0 {
        put!(p, "(Unicast) ");
    }
    put!(p, "seqno ", seqno, " ");
    if time == 0 {
        put!(p, "unscheduled");
    } else {
        put!(p, "interval ");
        interval(p, time);
    }
    sub_tlvs(p, c)
}

fn update(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    prefixes: &mut Prefixes,
) -> Result<Option<()>, Truncated> {
    let (encoding, bits, width, omitted) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?);
    let (time, seqno, metric) = (c.u16()?, c.u16()?, c.u16()?);
    put!(p, "\n\tUpdate");
    let Some(read) = prefixes.read(&mut c, encoding, width, omitted) else {
        return Ok(None);
    };
    flags(p, bits);
    put!(p, " ");
    read.put(p);
    put!(p, " metric ", metric, " seqno ", seqno, " interval ");
    update_interval(p, time);
    if bits & 0x80 != 0 {
        prefixes.keep(read);
    }
    sub_tlvs(p, c)?;
    Ok(Some(()))
}

/// draft-boutier-babel-source-specific.
fn source_specific(
    p: &mut Out<'_>,
    kind: u8,
    mut c: Cursor<'_>,
    prefixes: &Prefixes,
) -> Result<Option<()>, Truncated> {
    let encoding = c.u8()?;
    let fields = match kind {
        13 => {
            let (source, width, omitted) = (c.u8()?, c.u8()?, c.u8()?);
            put!(p, "\n\tSS-Update");
            (source, width, omitted)
        }
        14 => {
            let (width, source) = (c.u8()?, c.u8()?);
            put!(p, "\n\tSS-Request ");
            (source, width, 0)
        }
        _ => {
            let width = c.u8()?;
            put!(p, "\n\tSS-MH-Request ");
            (0, width, 0)
        }
    };
    let (mut source, width, omitted) = fields;
    match kind {
        13 => {
            let (time, seqno, metric) = (c.u16()?, c.u16()?, c.u16()?);
            let Some(to) = prefixes.read(&mut c, encoding, width, omitted) else {
                return Ok(None);
            };
            let Some(from) = prefixes.read(&mut c, encoding, source, 0) else {
                return Ok(None);
            };
            put!(p, " ");
            to.put(p);
            put!(p, " from ");
            from.put(p);
            put!(p, " metric ", metric, " seqno ", seqno, " interval ");
            update_interval(p, time);
        }
        14 => {
            if encoding == 0 {
                put!(p, "for any");
            } else {
                let to = prefixes.read(&mut c, encoding, width, 0);
                let from = prefixes.read(&mut c, encoding, source, 0);
                let (Some(to), Some(from)) = (to, from) else {
                    return Ok(None);
                };
                put!(p, "for (");
                to.put(p);
                put!(p, ", ");
                from.put(p);
                put!(p, ")");
            }
        }
        _ => {
            let seqno = c.u16()?;
            let hops = c.u8()?;
            source = c.u8()?;
            let id = c.array::<8>()?;
            let to = prefixes.read(&mut c, encoding, width, 0);
            let from = prefixes.read(&mut c, encoding, source, 0);
            let (Some(to), Some(from)) = (to, from) else {
                return Ok(None);
            };
            put!(p, "(", hops, " hops) for (");
            to.put(p);
            put!(p, ", ");
            from.put(p);
            put!(p, ") seqno ", seqno, " id ", Pairs(&id, ':'));
        }
    }
    sub_tlvs(p, c)?;
    Ok(Some(()))
}

fn upper(p: &mut Out<'_>, bytes: &[u8]) {
    for &byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            p.out.push(digit(nibble).to_ascii_uppercase());
        }
    }
}

fn authentication(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>) -> Printed {
    match kind {
        11 => {
            let (counter, time) = (c.u16()?, c.u32()?);
            put!(p, "\n\tTS/PC timestamp ", time, " packetcounter ", counter);
            sub_tlvs(p, c)?;
        }
        12 => {
            put!(
                p,
                "\n\tHMAC key-id ",
                c.u16()?,
                " digest-",
                c.remaining(),
                " "
            );
            upper(p, c.rest());
        }
        16 => {
            put!(p, "\n\tMAC ");
            upper(p, c.rest());
        }
        17 => {
            put!(p, "\n\tPC value ", c.u32()?, " index len ", c.remaining());
        }
        18 | 19 => {
            let name = if kind == 18 { "Request" } else { "Reply" };
            put!(p, "\n\tChallenge ", name, " len ", c.remaining());
        }
        _ => put!(p, "\n\tUnknown message type ", kind),
    }
    Ok(())
}

/// What follows a TLV inside of it.
fn sub_tlvs(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    while !c.is_empty() {
        let kind = c.u8()?;
        if kind == 0 {
            put!(p, " sub-pad1");
            continue;
        }
        let Ok(size) = c.u8() else {
            p.invalid();
            return Ok(());
        };
        let Ok(mut value) = c.sub(usize::from(size)) else {
            p.invalid();
            return Ok(());
        };
        match kind {
            1 => put!(p, " sub-padn"),
            2 => {
                put!(p, " sub-diversity");
                if value.is_empty() {
                    put!(p, " empty");
                } else {
                    put!(p, " ");
                    for (n, byte) in value.rest().iter().enumerate() {
                        put!(p, if n == 0 { "" } else { "-" }, *byte);
                    }
                }
            }
            3 => {
                put!(p, " sub-timestamp");
                let mut mark = " ";
                while let Ok(micros) = value.u32() {
                    let fraction = u64::from(micros % 1_000_000);
                    put!(p, mark, micros / 1_000_000, ".", Zeros(fraction, 6), "s");
                    mark = "|";
                }
            }
            other => put!(p, " sub-unknown-0x", HexFull(other)),
        }
        if kind & MANDATORY != 0 {
            put!(p, " (M)");
        }
    }
    Ok(())
}

/// An address, or none where a wildcard is meant.
#[derive(Clone, Copy)]
enum Address {
    Any,
    Of(IpAddr),
}

impl Address {
    fn put(self, p: &mut Out<'_>) {
        match self {
            Self::Any => put!(p, "any"),
            Self::Of(addr) => p.addr(addr),
        }
    }
}
