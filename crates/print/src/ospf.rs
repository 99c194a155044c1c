//! OSPF version 2 (RFC 2328).

mod lsa;
mod opaque;
mod table;

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::ip_proto::Ip;
use crate::ospf3;
use crate::out::{Out, Printed, bits, lookup, named};
use crate::put::{HexFull, Visible, put};

const HEADER: usize = 24;
const VERSION: u8 = 2;

/// A packet of `length` bytes, of any version.
pub(crate) fn ospf(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    let six = ip.src.is_ipv6();
    p.protocol = if six { "ospf3" } else { "ospf2" };
    let mut peek = c;
    let version = if six {
        peek.u8()?
    } else {
        put!(p, "OSPF");
        let version = peek.u8()?;
        if version != VERSION {
            put!(p, " [version ", version, " != ", VERSION, "]");
            p.invalid();
            return Ok(());
        }
        if length < HEADER {
            put!(p, " [length ", length, " < ", HEADER, "]");
            p.invalid();
            return Ok(());
        }
        version
    };
    let kind = peek.u8()?;
    put!(p, if six { "OSPF" } else { "" }, "v", version, ", ");
    let name = lookup(table::PACKETS, kind);
    match name {
        Some(name) => put!(p, name),
        None if six => put!(p, "unknown packet type (", kind, ")"),
        None => put!(p, "unknown LS-type ", kind),
    }
    put!(p, ", length ", length);
    if name.is_none() || !p.verbose(1) {
        return Ok(());
    }
    if six {
        ospf3::packet(p, c, kind, length)
    } else {
        packet(p, c, kind, length)
    }
}

/// Where it comes from: `, Area 0.0.0.1`.
pub(crate) fn area(p: &mut Out<'_>, area: u32) {
    if area == 0 {
        put!(p, ", Backbone Area");
    } else {
        put!(p, ", Area ", Ipv4Addr::from(area));
    }
}

fn packet(p: &mut Out<'_>, c: Cursor<'_>, kind: u8, length: usize) -> Printed {
    let whole = c;
    let mut c = c;
    c.skip(2)?;
    let stated = usize::from(c.u16()?);
    if stated != length {
        put!(p, " [len ", stated, "]");
    }
    let end = whole.rest().get(..stated).unwrap_or(whole.rest());
    put!(p, "\n\tRouter-ID ");
    p.addr(Ipv4Addr::from(c.u32()?));
    area(p, c.u32()?);
    c.need(12)?;
    c.skip(2)?;
    let authentication = c.u16()?;
    let name = named(table::AUTHENTICATIONS, authentication, "unknown");
    put!(
        p,
        ", Authentication Type: ",
        name,
        " (",
        authentication,
        ")"
    );
    match authentication {
        1 => {
            let text = c.take(8)?;
            let shown = text.split(|&byte| byte == 0).next().unwrap_or_default();
            put!(p, "\n\tSimple text password: ", Visible(shown));
        }
        2 => {
            c.skip(2)?;
            put!(p, "\n\tKey-ID: ", c.u8()?, ", Auth-Length: ", c.u8()?);
            put!(p, ", Crypto Sequence Number: 0x", HexFull(c.u32()?));
        }
        0 => c.skip(8)?,
        _ => return Ok(()),
    }
    let mut body = Cursor::new(end);
    body.skip(HEADER)?;
    let body = Cursor::new(body.rest());
    let left = stated.saturating_sub(HEADER);
    let options = match kind {
        1 => hello(p, body, left)?,
        2 => description(p, body, left)?,
        3 => {
            requests(p, body, left)?;
            0
        }
        4 => {
            lsa::updates(p, body, left)?;
            0
        }
        _ => {
            lsa::headers(p, body, left)?;
            0
        }
    };
    // RFC 5613: a block after the packet, when the options say so.
    if options & 0x10 != 0 && stated < length {
        let mut block = whole;
        block.skip(stated)?;
        link_local(p, block)?;
    }
    Ok(())
}

fn option_bits(p: &mut Out<'_>, options: u8) {
    bits(p, table::OPTIONS, u32::from(options), ", ", "none");
}

/// The router that speaks for a network, and the one that would take over.
pub(crate) fn designated(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let designated = c.u32()?;
    if designated != 0 {
        put!(p, "\n\t  Designated Router ", Ipv4Addr::from(designated));
    }
    let backup = c.u32()?;
    if backup != 0 {
        put!(p, ", Backup Designated Router ", Ipv4Addr::from(backup));
    }
    Ok(())
}

/// Returns the options.
fn hello(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<u8, Truncated> {
    let mask = c.u32()?;
    let (interval, options, priority, dead) = (c.u16()?, c.u8()?, c.u8()?, c.u32()?);
    put!(p, "\n\tOptions [");
    option_bits(p, options);
    put!(
        p,
        "]\n\t  Hello Timer ",
        interval,
        "s, Dead Timer ",
        dead,
        "s, Mask "
    );
    put!(p, Ipv4Addr::from(mask), ", Priority ", priority);
    designated(p, &mut c)?;
    let count = length.saturating_sub(20) / 4;
    for n in 0..count {
        let neighbor = Ipv4Addr::from(c.u32()?);
        put!(
            p,
            if n == 0 { "\n\t  Neighbor List:" } else { "" },
            "\n\t    ",
            neighbor
        );
    }
    Ok(options)
}

fn description(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<u8, Truncated> {
    let (mtu, options, flags) = (c.u16()?, c.u8()?, c.u8()?);
    put!(p, "\n\tOptions [");
    option_bits(p, options);
    put!(p, "], DD Flags [");
    bits(p, table::DD_FLAGS, u32::from(flags), ", ", "none");
    put!(p, "], MTU: ", mtu, ", Sequence: 0x", HexFull(c.u32()?));
    lsa::headers(p, c, length.saturating_sub(8))?;
    Ok(options)
}

fn requests(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    for _ in 0..length / 12 {
        c.need(12)?;
        let kind = c.u32()?;
        let (id, router) = (c.u32()?, c.u32()?);
        let name = u8::try_from(kind)
            .ok()
            .and_then(|kind| lookup(table::LSAS, kind));
        put!(
            p,
            "\n\t  Advertising Router: ",
            Ipv4Addr::from(router),
            ", "
        );
        put!(p, name.unwrap_or("unknown"), " LSA (", kind, ")");
        if matches!(kind, 9..=11) {
            let [opaque, _, _, _] = id.to_be_bytes();
            put!(
                p,
                ", Opaque-Type: ",
                named(table::OPAQUE, opaque, "unknown"),
                " LSA ("
            );
            put!(p, opaque, "), Opaque-ID: ", id & 0xff_ffff);
        } else {
            put!(p, ", LSA-ID: ", Ipv4Addr::from(id));
        }
    }
    Ok(())
}

fn link_local(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    put!(p, "\n\t  LLS: checksum: 0x", HexFull(c.u16()?));
    let words = c.u16()?;
    put!(p, ", length: ", words);
    let Some(left) = (usize::from(words) * 4).checked_sub(4) else {
        return Ok(());
    };
    if left > c.remaining() {
        put!(p, "\n\t[LLS truncated]");
        return Ok(());
    }
    let mut c = c.sub(left)?;
    while c.remaining() >= 4 {
        let (kind, size) = (c.u16()?, usize::from(c.u16()?));
        put!(
            p,
            "\n\t    ",
            named(table::LLS, kind, "Unknown TLV"),
            " (",
            kind,
            ")"
        );
        put!(p, ", length: ", size);
        let mut value = c.limit(size);
        match kind {
            1 => {
                if size != 4 {
                    put!(p, " [should be 4]");
                    return Ok(());
                }
                let options = value.u32()?;
                put!(p, "\n\t      Options: 0x", HexFull(options), " [");
                bits(p, table::LLS_OPTIONS, options, ", ", "?");
                put!(p, "]");
            }
            2 => {
                if size != 20 {
                    put!(p, " [should be 20]");
                    return Ok(());
                }
                put!(p, "\n\t      Sequence number: 0x", HexFull(value.u32()?));
            }
            _ => {}
        }
        c.skip(size.next_multiple_of(4).min(c.remaining()))?;
    }
    Ok(())
}
