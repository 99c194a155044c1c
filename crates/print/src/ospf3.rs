//! OSPF version 3 (RFC 5340), the parts after what all versions have in common.

mod table;

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::ospf::{area, designated};
use crate::out::{Out, Printed, bits, named};
use crate::put::{HexBytes, HexFull, put};

const HEADER: usize = 16;
const LSA_HEADER: usize = 20;

/// A packet of `length` bytes, from its first byte.
pub(crate) fn packet(p: &mut Out<'_>, c: Cursor<'_>, kind: u8, length: usize) -> Printed {
    p.protocol = "ospf3";
    let whole = c;
    let mut c = c;
    let version = c.u8()?;
    c.skip(1)?;
    let stated = usize::from(c.u16()?);
    if stated != length {
        put!(p, " [len ", stated, "]");
    }
    let end = whole.rest().get(..stated).unwrap_or(whole.rest());
    put!(p, "\n\tRouter-ID ", Ipv4Addr::from(c.u32()?));
    area(p, c.u32()?);
    // compat: of another version nothing more is said (4.99.3).
    if version != 3 {
        return Ok(());
    }
    c.skip(2)?;
    let instance = c.u8()?;
    if instance != 0 {
        put!(p, ", Instance ", instance);
    }
    let mut body = Cursor::new(end);
    body.skip(HEADER)?;
    let left = stated.saturating_sub(HEADER);
    let body = Cursor::new(body.rest());
    let options = match kind {
        1 => hello(p, body, left)?,
        2 => description(p, body, left)?,
        _ => {
            if p.verbose(2) {
                match kind {
                    3 => requests(p, body, left)?,
                    4 => updates(p, body)?,
                    _ => headers(p, body, left)?,
                }
            }
            0
        }
    };
    if stated < length {
        let mut after = whole;
        after.skip(stated)?;
        trailers(p, after, options, length - stated)?;
    }
    Ok(())
}

/// RFC 5613 and RFC 7166: blocks after the packet.
fn trailers(p: &mut Out<'_>, mut c: Cursor<'_>, options: u32, length: usize) -> Printed {
    let mut left = length;
    if options & 0x200 != 0 {
        let (checksum, words) = (c.u16()?, c.u16()?);
        put!(
            p,
            "\n\tLLS Checksum 0x",
            HexFull(checksum),
            ", Data Length ",
            words
        );
        let size = usize::from(words) * 4;
        if size < 4 || size > left {
            p.invalid();
            return Ok(());
        }
        c.skip(size - 4)?;
        left -= size;
    }
    if options & 0x400 != 0 && left > 0 {
        let (kind, size) = (c.u16()?, c.u16()?);
        put!(
            p,
            "\n\tAuthentication Type ",
            named(&[(1, "HMAC")], kind, "unknown")
        );
        put!(p, ", Length ", size);
        c.skip(2)?;
        put!(p, ", SAID ", c.u16()?, ", CSN 0x", HexFull(c.u64()?));
        let Some(inner) = usize::from(size).checked_sub(16) else {
            p.invalid();
            return Ok(());
        };
        put!(p, "\n\tAuthentication Data ", HexBytes(c.take(inner)?));
    }
    Ok(())
}

fn option_bits(p: &mut Out<'_>, options: u32) {
    bits(p, table::OPTIONS, options, ", ", "none");
}

/// Returns the options.
fn hello(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<u32, Truncated> {
    let interface = c.u32()?;
    let (priority, options) = (c.u8()?, c.u24()?);
    let (interval, dead) = (c.u16()?, c.u16()?);
    put!(p, "\n\tOptions [");
    option_bits(p, options);
    put!(
        p,
        "]\n\t  Hello Timer ",
        interval,
        "s, Dead Timer ",
        dead,
        "s, Interface-ID "
    );
    put!(p, Ipv4Addr::from(interface), ", Priority ", priority);
    designated(p, &mut c)?;
    if p.verbose(2) {
        put!(p, "\n\t  Neighbor List:");
        for _ in 0..length.saturating_sub(20) / 4 {
            put!(p, "\n\t    ", Ipv4Addr::from(c.u32()?));
        }
    }
    Ok(options)
}

fn description(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<u32, Truncated> {
    let options = c.u32()? & 0xff_ffff;
    let mtu = c.u16()?;
    c.skip(1)?;
    let flags = c.u8()?;
    put!(p, "\n\tOptions [");
    option_bits(p, options);
    put!(p, "], DD Flags [");
    bits(p, table::DD_FLAGS, u32::from(flags), ", ", "none");
    put!(p, "]");
    put!(p, ", MTU ", mtu, ", DD-Sequence 0x", HexFull(c.u32()?));
    if p.verbose(2) {
        headers(p, c, length.saturating_sub(12))?;
    }
    Ok(options)
}

/// `Router LSA (1), Area Local Scope, LSA-ID 0.0.0.0`, in a line of its own.
fn name(p: &mut Out<'_>, kind: u16, id: u32) {
    let number = kind & 0x1fff;
    put!(
        p,
        "\n\t    ",
        named(table::LSAS, number, "Unknown"),
        " LSA (",
        number,
        "), "
    );
    put!(p, named(table::SCOPES, kind & 0x6000, "unknown"), " Scope");
    put!(
        p,
        if kind & 0x8000 == 0 {
            ""
        } else {
            ", transitive"
        }
    );
    put!(p, ", LSA-ID ", Ipv4Addr::from(id));
}

fn requests(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    for _ in 0..length / 12 {
        c.need(12)?;
        c.skip(2)?;
        let (kind, id, router) = (c.u16()?, c.u32()?, c.u32()?);
        put!(p, "\n\t  Advertising Router ", Ipv4Addr::from(router));
        name(p, kind, id);
    }
    Ok(())
}

fn headers(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left >= LSA_HEADER {
        header(p, &mut c)?;
        left -= LSA_HEADER;
    }
    Ok(())
}

/// Type and length of the advertisement.
fn header(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(u16, usize), Truncated> {
    c.need(LSA_HEADER)?;
    let (age, kind) = (c.u16()?, c.u16()?);
    let (id, router, sequence) = (c.u32()?, c.u32()?, c.u32()?);
    c.skip(2)?;
    let stated = usize::from(c.u16()?);
    let Some(length) = stated.checked_sub(LSA_HEADER) else {
        put!(
            p,
            "\n\t\t  Bogus length ",
            stated,
            " < header (",
            LSA_HEADER,
            ")"
        );
        return Err(Truncated);
    };
    put!(
        p,
        "\n\t  Advertising Router ",
        Ipv4Addr::from(router),
        ", seq 0x"
    );
    put!(p, HexFull(sequence), ", age ", age, "s, length ", length);
    name(p, kind, id);
    Ok((kind, length))
}

fn updates(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    for _ in 0..c.u32()? {
        let (kind, length) = header(p, &mut c)?;
        let body = Cursor::new(c.limit(length).rest());
        advertisement(p, kind, length, body)?;
        c.skip(length)?;
    }
    Ok(())
}

fn advertisement(p: &mut Out<'_>, kind: u16, length: usize, mut c: Cursor<'_>) -> Printed {
    match kind {
        0x2001 => {
            let word = c.u32()?;
            put!(p, "\n\t      Options [");
            option_bits(p, word & 0xff_ffff);
            put!(p, "], RLA-Flags [");
            bits(p, table::ROUTER_FLAGS, word >> 24, ", ", "none");
            put!(p, "]");
            for _ in 0..length.saturating_sub(4) / 16 {
                if !link(p, &mut c)? {
                    return Ok(());
                }
            }
        }
        0x2002 => {
            put!(p, "\n\t      Options [");
            option_bits(p, c.u32()? & 0xff_ffff);
            put!(p, "]\n\t      Connected Routers:");
            for _ in 0..length.saturating_sub(4) / 4 {
                put!(p, "\n\t\t", Ipv4Addr::from(c.u32()?));
            }
        }
        0x2003 => {
            put!(p, ", metric ", c.u32()? & 0xff_ffff);
            while !c.is_empty() {
                if !prefix(p, &mut c)? {
                    return Ok(());
                }
            }
        }
        0x4005 | 0x2007 => external(p, c)?,
        0x0008 => {
            let word = c.u32()?;
            put!(p, "\n\t      Options [");
            option_bits(p, word & 0xff_ffff);
            let addr = Ipv6Addr::from(c.u128()?);
            let count = c.u32()?;
            put!(
                p,
                "]\n\t      Priority ",
                word >> 24,
                ", Link-local address "
            );
            p.addr(addr);
            put!(p, ", Prefixes ", count, ":");
            prefixes(p, c, count)?;
        }
        0x2009 => {
            let (count, kind, id) = (c.u16()?, c.u16()?, c.u32()?);
            c.skip(4)?;
            // What the prefixes belong to.
            name(p, kind, id);
            put!(p, "\n\t      Prefixes ", count, ":");
            prefixes(p, c, count.into())?;
        }
        _ => {}
    }
    Ok(())
}

/// A link of a router; `false` for an unknown type.
fn link(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<bool, Truncated> {
    let kind = c.u8()?;
    c.skip(1)?;
    let metric = c.u16()?;
    let (mine, theirs, router) = (c.u32()?, c.u32()?, c.u32()?);
    let name = match kind {
        1 => "Neighbor Router-ID ",
        2 => "Neighbor Network-ID ",
        4 => "Virtual Link: Neighbor Router-ID ",
        other => {
            put!(p, "\n\t      Unknown Router Links Type 0x", HexFull(other));
            return Ok(false);
        }
    };
    put!(
        p,
        "\n\t      ",
        name,
        Ipv4Addr::from(router),
        "\n\t      Neighbor Interface-ID "
    );
    put!(
        p,
        Ipv4Addr::from(theirs),
        ", Interface ",
        Ipv4Addr::from(mine),
        ", metric ",
        metric
    );
    Ok(true)
}

fn prefixes(p: &mut Out<'_>, mut c: Cursor<'_>, count: u32) -> Printed {
    for _ in 0..count {
        if !prefix(p, &mut c)? {
            return Ok(());
        }
    }
    Ok(())
}

/// A prefix with its metric; `false` if it is longer than an address.
fn prefix(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<bool, Truncated> {
    let (width, options, metric) = (c.u8()?, c.u8()?, c.u16()?);
    if width > 128 {
        put!(p, " bogus prefixlen /", width);
        return Ok(false);
    }
    // In words of 32 bits.
    let bytes = c.take(usize::from(width).div_ceil(32) * 4)?;
    let mut addr = [0; 16];
    for (to, from) in addr.iter_mut().zip(bytes) {
        *to = *from;
    }
    put!(p, "\n\t\t");
    p.addr(Ipv6Addr::from(addr));
    put!(p, "/", width);
    if options != 0 {
        put!(p, ", Options [");
        bits(p, table::PREFIX_OPTIONS, u32::from(options), ", ", "none");
        put!(p, "]");
    }
    put!(p, ", metric ", metric);
    Ok(true)
}

fn external(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let word = c.u32()?;
    put!(p, "\n\t     Flags [");
    bits(p, table::EXTERNAL_FLAGS, word, ", ", "none");
    put!(p, "], metric ", word & 0xff_ffff);
    let mut referred = c;
    referred.skip(2)?;
    let kind = referred.u16()?;
    if !prefix(p, &mut c)? {
        return Ok(());
    }
    if word & 0x0200_0000 != 0 {
        let addr = Ipv6Addr::from(c.u128()?);
        put!(p, " forward ");
        p.addr(addr);
    }
    if word & 0x0100_0000 != 0 {
        put!(p, " tag ", Ipv4Addr::from(c.u32()?));
    }
    if kind != 0 {
        put!(p, " RefLSID: ", Ipv4Addr::from(c.u32()?));
    }
    Ok(())
}
