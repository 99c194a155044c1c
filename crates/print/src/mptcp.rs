//! Multipath TCP (RFC 6824 version 0, RFC 8684 version 1): its option in TCP headers.

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, bits};
use crate::put::{Hex, HexBytes, put};
use crate::tcp::{ACK, SYN};

/// Flags of `MP_CAPABLE` are named by letters.
static CAPABLE_FLAGS: &[(u32, &str)] = &[
    (0x80, "A"),
    (0x40, "B"),
    (0x20, "C"),
    (0x10, "D"),
    (0x08, "E"),
    (0x04, "F"),
    (0x02, "G"),
    (0x01, "H"),
];

/// The option after its kind and length; `size` is its whole length, `flags` are those of the
/// segment.
///
/// # Errors
/// Its length does not fit its subtype or the segment.
pub(crate) fn option(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    size: usize,
    flags: u16,
) -> Result<(), Truncated> {
    let first = c.u8()?;
    let low = first & 15;
    let syn = flags & SYN != 0;
    let ack = flags & ACK != 0;
    put!(p, " ", size, " ");
    match first >> 4 {
        0 => capable(p, c, size, low, syn, ack),
        1 => join(p, c, size, low, syn, ack),
        2 => dss(p, c, syn),
        3 => add_addr(p, c, size, low),
        4 => rem_addr(p, c),
        5 => prio(p, c, size, low),
        6 => {
            put!(p, "fail");
            exactly(size == 12)?;
            c.skip(1)?;
            put!(p, " seq ", c.u64()?);
            Ok(())
        }
        7 => {
            put!(p, "fast-close");
            exactly(size == 12)?;
            c.skip(1)?;
            put!(p, " key 0x", Hex(c.u64()?));
            Ok(())
        }
        _ => {
            put!(p, "unknown");
            Ok(())
        }
    }
}

/// A length that does not fit is the same as one that ends early.
fn exactly(fits: bool) -> Result<(), Truncated> {
    if fits { Ok(()) } else { Err(Truncated) }
}

fn capable(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    size: usize,
    version: u8,
    syn: bool,
    ack: bool,
) -> Result<(), Truncated> {
    put!(p, "capable");
    exactly(match size {
        4 => syn && version == 1,
        12 => syn,
        20 | 22 => !syn && ack,
        _ => false,
    })?;
    if version > 1 {
        put!(p, " Unknown Version (", version, ")");
        return Ok(());
    }
    let flags = c.u8()?;
    put!(p, " v", version, " flags [");
    bits(p, CAPABLE_FLAGS, u32::from(flags), "", "none");
    put!(p, "]");
    if flags & 0x80 != 0 {
        put!(p, " csum");
    }
    if size >= 12 {
        put!(p, " {0x", Hex(c.u64()?));
        if size >= 20 {
            put!(p, ",0x", Hex(c.u64()?));
        }
        put!(p, "}");
    }
    Ok(())
}

fn join(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    size: usize,
    low: u8,
    syn: bool,
    ack: bool,
) -> Result<(), Truncated> {
    put!(p, "join");
    exactly(match size {
        12 => syn,
        16 => syn && ack,
        24 => ack,
        _ => false,
    })?;
    if size == 24 {
        c.skip(1)?;
        put!(p, " hmac 0x", HexBytes(c.take(20)?));
        return Ok(());
    }
    if low & 1 != 0 {
        put!(p, " backup");
    }
    put!(p, " id ", c.u8()?);
    if size == 12 {
        put!(p, " token 0x", Hex(c.u32()?));
    } else {
        put!(p, " hmac 0x", Hex(c.u64()?));
    }
    put!(p, " nonce 0x", Hex(c.u32()?));
    Ok(())
}

/// Data sequence signal.
fn dss(p: &mut Out<'_>, c: &mut Cursor<'_>, syn: bool) -> Result<(), Truncated> {
    put!(p, "dss");
    exactly(!syn)?;
    let flags = c.u8()?;
    if flags & 0x10 != 0 {
        put!(p, " fin");
    }
    if flags & 0x01 != 0 {
        put!(p, " ack ");
        number(p, c, flags & 0x02 != 0)?;
    }
    if flags & 0x04 != 0 {
        put!(p, " seq ");
        number(p, c, flags & 0x08 != 0)?;
        put!(p, " subseq ", c.u32()?, " len ", c.u16()?);
        if !c.is_empty() {
            put!(p, " csum 0x", Hex(c.u16()?));
        }
    }
    exactly(c.is_empty())
}

/// A data sequence number of eight bytes or four.
fn number(p: &mut Out<'_>, c: &mut Cursor<'_>, long: bool) -> Result<(), Truncated> {
    if long {
        put!(p, c.u64()?);
    } else {
        put!(p, c.u32()?);
    }
    Ok(())
}

fn add_addr(p: &mut Out<'_>, c: &mut Cursor<'_>, size: usize, low: u8) -> Result<(), Truncated> {
    put!(p, "add-addr");
    // Version 0 has the address family here, version 1 the echo flag and an HMAC unless echoed.
    let (kind, v6) = match (low, size) {
        (4, 8 | 10) => (" v0-ip4", false),
        (6, 20 | 22) => (" v0-ip6", true),
        (0, 8 | 10 | 16 | 18) => (" v1", false),
        (1, 8 | 10) => (" v1-echo", false),
        (0, 20 | 22 | 28 | 30) => (" v1", true),
        (1, 20 | 22) => (" v1-echo", true),
        _ => return Err(Truncated),
    };
    put!(p, kind, " id ", c.u8()?, " ");
    if v6 {
        p.addr(Ipv6Addr::from(c.u128()?));
    } else {
        p.addr(Ipv4Addr::from(c.u32()?));
    }
    if matches!(size, 10 | 18 | 22 | 30) {
        put!(p, ":", c.u16()?);
    }
    if !c.is_empty() {
        put!(p, " hmac 0x", Hex(c.u64()?));
    }
    Ok(())
}

fn rem_addr(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Truncated> {
    put!(p, "rem-addr");
    exactly(!c.is_empty())?;
    put!(p, " id");
    while let Ok(id) = c.u8() {
        put!(p, " ", id);
    }
    Ok(())
}

fn prio(p: &mut Out<'_>, c: &mut Cursor<'_>, size: usize, low: u8) -> Result<(), Truncated> {
    put!(p, "prio");
    exactly(matches!(size, 3 | 4))?;
    put!(
        p,
        if low & 1 == 0 {
            " non-backup"
        } else {
            " backup"
        }
    );
    if size == 4 {
        put!(p, " id ", c.u8()?);
    }
    Ok(())
}
