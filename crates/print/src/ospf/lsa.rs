//! Link state advertisements (RFC 2328 section A.4, RFC 3101, RFC 4915).

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use super::{opaque, option_bits, table};
use crate::hexdump;
use crate::out::{Out, Printed, bits, named};
use crate::put::{HexFull, put};

const HEADER: usize = 20;

/// What the rest of an advertisement needs of its header.
pub(super) struct Header {
    kind: u8,
    /// Type within opaque advertisements.
    opaque: u8,
    length: usize,
}

/// Headers alone, of `length` bytes.
pub(super) fn headers(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        if header(p, &mut c)?.is_none() {
            return Ok(());
        }
        left = left.saturating_sub(HEADER);
        if left < HEADER {
            return Ok(());
        }
    }
    Ok(())
}

/// `None` if the length it states is impossible.
fn header(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<Option<Header>, Truncated> {
    c.need(HEADER)?;
    let (age, options, kind) = (c.u16()?, c.u8()?, c.u8()?);
    let (id, router, sequence) = (c.u32()?, c.u32()?, c.u32()?);
    c.skip(2)?;
    let length = usize::from(c.u16()?);
    let Some(body) = length.checked_sub(HEADER) else {
        put!(
            p,
            "\n\t    Bogus length ",
            length,
            " < header (",
            HEADER,
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
    put!(p, HexFull(sequence), ", age ", age, "s, length ", body);
    let name = named(table::LSAS, kind, "unknown");
    let [opaque, _, _, _] = id.to_be_bytes();
    put!(p, "\n\t    ", name, " LSA (", kind, ")");
    if matches!(kind, 9..=11) {
        put!(
            p,
            ", Opaque-Type ",
            named(table::OPAQUE, opaque, "unknown"),
            " LSA (",
            opaque
        );
        put!(p, "), Opaque-ID ", id & 0xff_ffff);
    } else {
        put!(p, ", LSA-ID: ", Ipv4Addr::from(id));
    }
    put!(p, "\n\t    Options: [");
    option_bits(p, options);
    put!(p, "]");
    Ok(Some(Header {
        kind,
        opaque,
        length: body,
    }))
}

/// Whole advertisements, counted.
pub(super) fn updates(p: &mut Out<'_>, mut c: Cursor<'_>, _: usize) -> Printed {
    let count = c.u32()?;
    put!(p, ", ", count, " LSA", if count == 1 { "" } else { "s" });
    for n in 1..=count {
        put!(p, "\n\t  LSA #", n);
        let Some(header) = header(p, &mut c)? else {
            return Ok(());
        };
        // Where the packet ends within, what is there is shown.
        let body = Cursor::new(c.limit(header.length).rest());
        advertisement(p, &header, body)?;
        c.skip(header.length)?;
    }
    Ok(())
}

fn advertisement(p: &mut Out<'_>, header: &Header, c: Cursor<'_>) -> Printed {
    let length = header.length;
    let whole = c;
    let mut c = c;
    match header.kind {
        1 => router(p, c)?,
        2 => {
            put!(
                p,
                "\n\t    Mask ",
                Ipv4Addr::from(c.u32()?),
                "\n\t    Connected Routers:"
            );
            for _ in 0..length.saturating_sub(4) / 4 {
                put!(p, "\n\t      ", Ipv4Addr::from(c.u32()?));
            }
        }
        3 => {
            put!(p, "\n\t    Mask ", Ipv4Addr::from(c.u32()?));
            summary(p, c, length.saturating_sub(4))?;
        }
        4 => {
            c.skip(4)?;
            summary(p, c, length.saturating_sub(4))?;
        }
        5 | 7 => {
            put!(p, "\n\t    Mask ", Ipv4Addr::from(c.u32()?));
            external(p, c, length.saturating_sub(4))?;
        }
        6 => {
            for _ in 0..length / 8 {
                let (kind, id) = (c.u32()?, Ipv4Addr::from(c.u32()?));
                match kind {
                    1 => put!(p, "\n\t    Router Router-ID ", id),
                    2 => put!(p, "\n\t    Network Designated Router ", id),
                    other => {
                        put!(p, "\n\t    unknown VertexType (", other, ")");
                        break;
                    }
                }
            }
        }
        9..=11 => return opaque::opaque(p, header.opaque, c, length),
        _ => {}
    }
    if p.verbose(2) {
        hexdump::hex(p, "\n\t    ", whole.rest());
    }
    Ok(())
}

fn topology(p: &mut Out<'_>, id: u8) {
    put!(
        p,
        "\n\t\ttopology ",
        named(table::TOPOLOGIES, id, "Unknown"),
        " (",
        id,
        ")"
    );
}

fn router(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let flags = c.u8()?;
    put!(p, "\n\t    Router LSA Options: [");
    bits(p, table::ROUTER, u32::from(flags), ", ", "none");
    put!(p, "]");
    c.skip(1)?;
    for _ in 0..c.u16()? {
        let (id, data) = (Ipv4Addr::from(c.u32()?), Ipv4Addr::from(c.u32()?));
        let (kind, count, metric) = (c.u8()?, c.u8()?, c.u16()?);
        match kind {
            1 => put!(
                p,
                "\n\t      Neighbor Router-ID: ",
                id,
                ", Interface Address: ",
                data
            ),
            2 => put!(
                p,
                "\n\t      Neighbor Network-ID: ",
                id,
                ", Interface Address: ",
                data
            ),
            3 => put!(p, "\n\t      Stub Network: ", id, ", Mask: ", data),
            4 => {
                put!(p, "\n\t      Virtual Link: Neighbor Router-ID: ", id);
                put!(p, ", Interface Address: ", data);
            }
            other => {
                put!(p, "\n\t      Unknown Router Link Type (", other, ")");
                return Ok(());
            }
        }
        topology(p, 0);
        put!(p, ", metric ", metric);
        for _ in 0..count {
            let id = c.u8()?;
            c.skip(1)?;
            topology(p, id);
            put!(p, ", metric ", c.u16()?);
        }
    }
    Ok(())
}

fn summary(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    for _ in 0..length / 4 {
        let word = c.u32()?;
        let [id, _, _, _] = word.to_be_bytes();
        topology(p, id & 0x7f);
        put!(p, " metric ", word & 0xff_ffff);
    }
    Ok(())
}

fn external(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    for _ in 0..length / 12 {
        let word = c.u32()?;
        let [id, _, _, _] = word.to_be_bytes();
        topology(p, id & 0x7f);
        put!(
            p,
            ", type ",
            if id & 0x80 == 0 { 1_u8 } else { 2 },
            ", metric "
        );
        match word & 0xff_ffff {
            0xff_ffff => put!(p, "infinite"),
            metric => put!(p, metric),
        }
        let (forward, tag) = (c.u32()?, c.u32()?);
        if forward != 0 {
            put!(p, ", forward ", Ipv4Addr::from(forward));
        }
        if tag != 0 {
            put!(p, ", tag ", Ipv4Addr::from(tag));
        }
    }
    Ok(())
}
