//! Resource records (RFC 1035 section 3.2 and the RFCs of each type).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use super::{Message, edns, name};
use crate::out::{Out, Printed, lookup};
use crate::put::{put, visible};

pub(super) const INTERNET: u16 = 1;

pub(super) const OPT: u16 = 41;

const TSIG: u16 = 250;

static KINDS: &[(u16, &str)] = &[
    (1, "A"),
    (28, "AAAA"),
    (2, "NS"),
    (3, "MD"),
    (4, "MF"),
    (5, "CNAME"),
    (6, "SOA"),
    (7, "MB"),
    (8, "MG"),
    (9, "MR"),
    (10, "NULL"),
    (11, "WKS"),
    (12, "PTR"),
    (13, "HINFO"),
    (14, "MINFO"),
    (15, "MX"),
    (16, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (19, "X25"),
    (20, "ISDN"),
    (21, "RT"),
    (22, "NSAP"),
    (23, "NSAP_PTR"),
    (24, "SIG"),
    (25, "KEY"),
    (26, "PX"),
    (27, "GPOS"),
    (29, "LOC"),
    (30, "NXT"),
    (31, "EID"),
    (32, "NIMLOC"),
    (33, "SRV"),
    (34, "ATMA"),
    (35, "NAPTR"),
    (36, "KX"),
    (37, "CERT"),
    (38, "A6"),
    (39, "DNAME"),
    (40, "SINK"),
    (OPT, "OPT"),
    (42, "APL"),
    (43, "DS"),
    (44, "SSHFP"),
    (45, "IPSECKEY"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (99, "SPF"),
    (100, "UINFO"),
    (101, "UID"),
    (102, "GID"),
    (103, "UNSPEC"),
    (104, "UNSPECA"),
    (249, "TKEY"),
    (TSIG, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (253, "MAILB"),
    (254, "MAILA"),
    (255, "ANY"),
    (256, "URI"),
];

static CLASSES: &[(u16, &str)] = &[(INTERNET, "IN"), (3, "CHAOS"), (4, "HS"), (255, "ANY")];

/// The name of a record type.
pub(super) fn kind(p: &mut Out<'_>, kind: u16) {
    match lookup(KINDS, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "Type", kind),
    }
}

/// The name of a class.
pub(super) fn class(p: &mut Out<'_>, class: u16) {
    match lookup(CLASSES, class) {
        Some(name) => put!(p, name),
        None => put!(p, "(Class ", class, ")"),
    }
}

/// One record, after a space; `false` if it ends before its fixed part does.
pub(super) fn record<'a>(
    p: &mut Out<'_>,
    m: Message<'a>,
    c: &mut Cursor<'a>,
) -> Result<bool, Truncated> {
    if p.verbose(1) {
        put!(p, " ");
        name::print(p, m.bytes, c)?;
    } else if name::skip(c).is_err() {
        return Ok(false);
    }
    let mut fixed = *c;
    let (Ok(kind), Ok(class), Ok(ttl), Ok(length)) =
        (fixed.u16(), fixed.u16(), fixed.u32(), fixed.u16())
    else {
        // compat: tcpdump leaves a message that ends here without a mark.
        return Ok(false);
    };
    let (class, flush) = if kind == OPT {
        (class, false)
    } else {
        m.class(class)
    };
    if class != INTERNET && kind != OPT {
        put!(p, " ");
        self::class(p, class);
    }
    if flush {
        put!(p, " (Cache flush)");
    }
    if p.verbose(3) && kind != OPT {
        put!(p, " [");
        relative(p, ttl);
        put!(p, "]");
    }
    put!(p, " ");
    self::kind(p, kind);
    let length = usize::from(length);
    let data = fixed.limit(length);
    fixed.need(length)?;
    data_of(p, m, kind, class, ttl, data, length)?;
    fixed.skip(length)?;
    *c = fixed;
    Ok(true)
}

/// The record's data, as far as this type has a text.
fn data_of<'a>(
    p: &mut Out<'_>,
    m: Message<'a>,
    kind: u16,
    class: u16,
    ttl: u32,
    mut c: Cursor<'a>,
    length: usize,
) -> Printed {
    match kind {
        1 => {
            put!(p, " ", Ipv4Addr::from(c.u32()?));
        }
        28 => put!(p, " ", Ipv6Addr::from(c.u128()?)),
        2 | 5 | 12 | 39 => {
            put!(p, " ");
            domain(p, m, &mut c)?;
        }
        6 if p.verbose(1) => soa(p, m, &mut c)?,
        15 => {
            let preference = c.u16()?;
            put!(p, " ");
            domain(p, m, &mut c)?;
            put!(p, " ", preference);
        }
        16 | 99 if kind == 16 => {
            while !c.is_empty() {
                put!(p, " \"");
                string(p, &mut c)?;
                put!(p, "\"");
            }
        }
        33 => {
            let (priority, weight, port) = (c.u16()?, c.u16()?, c.u16()?);
            put!(p, " ");
            domain(p, m, &mut c)?;
            put!(p, ":", port, " ", priority, " ", weight);
        }
        38 => a6(p, m, &mut c)?,
        104 => {
            for &byte in c.rest() {
                visible(p.out, byte);
            }
        }
        256 => {
            put!(p, " ", c.u16()?, " ", c.u16()?, " ");
            for &byte in c.rest() {
                visible(p.out, byte);
            }
        }
        TSIG if p.verbose(1) => tsig(p, m, &mut c)?,
        OPT => {
            put!(p, " UDPsize=", class);
            if ttl & 0x8000 != 0 {
                put!(p, " DO");
            }
            edns::options(p, c, length)?;
        }
        _ => {}
    }
    Ok(())
}

/// A name within the record's data; it may point anywhere into the message.
fn domain<'a>(p: &mut Out<'_>, m: Message<'a>, c: &mut Cursor<'a>) -> Printed {
    name::print(p, m.bytes, c)
}

fn soa<'a>(p: &mut Out<'_>, m: Message<'a>, c: &mut Cursor<'a>) -> Printed {
    put!(p, " ");
    domain(p, m, c)?;
    put!(p, " ");
    domain(p, m, c)?;
    for _ in 0..5 {
        put!(p, " ", c.u32()?);
    }
    Ok(())
}

/// A transaction signature (RFC 8945), without the signature.
fn tsig<'a>(p: &mut Out<'_>, m: Message<'a>, c: &mut Cursor<'a>) -> Printed {
    put!(p, " ");
    domain(p, m, c)?;
    // The time signed.
    c.skip(6)?;
    let fudge = c.u16()?;
    let mac = c.u16()?;
    put!(p, " fudge=", fudge, " maclen=", mac);
    c.skip(usize::from(mac))?;
    put!(
        p,
        " origid=",
        c.u16()?,
        " error=",
        c.u16()?,
        " otherlen=",
        c.u16()?
    );
    Ok(())
}

/// A string after its length.
fn string(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let length = usize::from(c.u8()?);
    for &byte in c.limit(length).rest() {
        visible(p.out, byte);
    }
    c.skip(length)
}

/// RFC 2874: the end of an address, and the name of whoever has its start.
fn a6<'a>(p: &mut Out<'_>, m: Message<'a>, c: &mut Cursor<'a>) -> Printed {
    let prefix = c.u8()?;
    if prefix > 128 {
        put!(p, " ", prefix, "(bad plen)");
        return Ok(());
    }
    put!(p, " ", prefix);
    if prefix < 128 {
        let size = (128 - usize::from(prefix)).div_ceil(8);
        let mut address = [0; 16];
        for (to, from) in address.iter_mut().rev().zip(c.take(size)?.iter().rev()) {
            *to = *from;
        }
        put!(p, " ", Ipv6Addr::from(address));
    }
    if prefix > 0 {
        put!(p, " ");
        domain(p, m, c)?;
    }
    Ok(())
}

/// Seconds as weeks, days, hours, minutes and seconds, zeros left out.
fn relative(p: &mut Out<'_>, seconds: u32) {
    if seconds == 0 {
        return put!(p, "0s");
    }
    let mut left = seconds;
    for (unit, letter) in [
        (604_800, "w"),
        (86400, "d"),
        (3600, "h"),
        (60, "m"),
        (1, "s"),
    ] {
        if left >= unit {
            put!(p, left / unit, letter);
            left %= unit;
        }
    }
}
