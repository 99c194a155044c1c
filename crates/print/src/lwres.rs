//! BIND's lightweight resolver protocol (its `lwres` documentation).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::dns;
use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, HexBytes, Span, Visible, put};

const HEADER: usize = 28;
const RESPONSE: u16 = 1;
const ADDRESSES: u32 = 0x1_0001;
const NAMES: u32 = 0x1_0002;
const RECORDS: u32 = 0x1_0003;

static OPERATIONS: &[(u32, &str)] = &[
    (0, "noop"),
    (ADDRESSES, "getaddrsbyname"),
    (NAMES, "getnamebyaddr"),
    (RECORDS, "getrdatabyname"),
];

/// A datagram.
pub(crate) fn lwres(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "lwres";
    c.need(HEADER)?;
    let whole = c;
    let mut c = c;
    let (stated, version, flags) = (c.u32()?, c.u16()?, c.u16()?);
    let (serial, operation) = (c.u32()?, c.u32()?);
    let (result, received) = (c.u32()?, c.u32()?);
    let (auth_kind, auth_length) = (c.u16()?, c.u16()?);
    put!(p, " lwres");
    if version != 0 || p.verbose(1) {
        put!(p, " v", version);
    }
    let stated = usize::try_from(stated).unwrap_or(usize::MAX);
    if version != 0 {
        whole.need(stated)?;
        said_length(p, stated, length);
        return Ok(());
    }
    match lookup(OPERATIONS, operation) {
        Some(name) => put!(p, " ", name),
        None => put!(p, " #0x", Hex(operation)),
    }
    let answer = flags & RESPONSE != 0;
    if !answer {
        put!(p, "?");
        let other = flags & !RESPONSE;
        if other != 0 {
            put!(p, "[0x", Hex(other), "]");
        }
    }
    if p.verbose(2) {
        put!(p, " (serial:0x", Hex(serial), " result:0x", Hex(result));
        put!(p, " recvlen:", received);
        if p.verbose(3) {
            put!(p, " authtype:0x", Hex(auth_kind), " authlen:", auth_length);
        }
        put!(p, ")");
    }
    if answer {
        response(p, &mut c, operation)?;
    } else {
        request(p, &mut c, operation)?;
    }
    said_length(p, stated, length);
    let read = whole.remaining() - c.remaining();
    if read < stated {
        put!(p, "[extra]");
    }
    Ok(())
}

fn said_length(p: &mut Out<'_>, stated: usize, length: usize) {
    if stated != length {
        put!(p, " [len: ", stated, " != ", length, "]");
    }
}

/// Flags of what is asked or answered.
fn flags(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let flags = c.u32()?;
    if p.verbose(3) {
        put!(p, " flags:0x", Hex(flags));
    }
    Ok(())
}

fn request(p: &mut Out<'_>, c: &mut Cursor<'_>, operation: u32) -> Printed {
    match operation {
        ADDRESSES => {
            c.need(10)?;
            flags(p, c)?;
            let families = c.u32()?;
            match families & 3 {
                1 => put!(p, " IPv4"),
                2 => put!(p, " IPv6"),
                3 => put!(p, " IPv4/6"),
                _ => {}
            }
            if families & !3 != 0 {
                put!(p, "[0x", Hex(families), "]");
            }
            name(p, c)
        }
        NAMES => {
            flags(p, c)?;
            address(p, c)
        }
        RECORDS => {
            c.need(10)?;
            flags(p, c)?;
            let (class, kind) = (c.u16()?, c.u16()?);
            put!(p, " ");
            dns::kind(p, kind);
            other_class(p, class);
            name(p, c)
        }
        _ => Ok(()),
    }
}

fn other_class(p: &mut Out<'_>, class: u16) {
    if class != 1 {
        put!(p, " ");
        dns::class(p, class);
    }
}

fn response(p: &mut Out<'_>, c: &mut Cursor<'_>, operation: u32) -> Printed {
    match operation {
        ADDRESSES => {
            c.need(10)?;
            flags(p, c)?;
            let (aliases, addresses) = (c.u16()?, c.u16()?);
            put!(p, " ", aliases, "/", addresses);
            name(p, c)?;
            for _ in 0..aliases {
                name(p, c)?;
            }
            for _ in 0..addresses {
                address(p, c)?;
            }
            Ok(())
        }
        NAMES => {
            c.need(8)?;
            flags(p, c)?;
            let aliases = c.u16()?;
            put!(p, " ", aliases);
            name(p, c)?;
            for _ in 0..aliases {
                name(p, c)?;
            }
            Ok(())
        }
        RECORDS => records(p, c),
        _ => Ok(()),
    }
}

fn records(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    c.need(16)?;
    flags(p, c)?;
    let (class, kind, ttl) = (c.u16()?, c.u16()?, c.u32()?);
    let (count, signatures) = (c.u16()?, c.u16()?);
    put!(p, " ");
    dns::kind(p, kind);
    other_class(p, class);
    put!(p, " TTL ", Span(ttl), " ", count, "/", signatures);
    name(p, c)?;
    for _ in 0..u32::from(count) + u32::from(signatures) {
        let size = usize::from(c.u16()?);
        // What was captured of it is shown.
        put!(p, HexBytes(c.limit(size).rest()));
        c.skip(size)?;
    }
    Ok(())
}

/// Text with its length before it and a zero after it.
fn name(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let size = usize::from(c.u16()?);
    put!(p, " ");
    let Ok(text) = c.take(size) else {
        put!(p, Visible::until_zero(c.rest()));
        return Err(Truncated);
    };
    put!(p, Visible::until_zero(text));
    if c.u8()? != 0 {
        put!(p, " (not NUL-terminated!)");
    }
    Ok(())
}

fn address(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let (family, size) = (c.u32()?, usize::from(c.u16()?));
    match (family, size) {
        (1, 4) => put!(p, " ", Ipv4Addr::from(c.array::<4>()?)),
        (2, 16) => put!(p, " ", Ipv6Addr::from(c.array::<16>()?)),
        _ => put!(p, " ", family, "/", HexBytes(c.take(size)?)),
    }
    Ok(())
}
