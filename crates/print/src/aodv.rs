//! AODV, routing on demand in ad hoc networks (RFC 3561).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{HexFull, put};

/// A message; addresses are as long as those of the packet that carries it.
pub(crate) fn aodv(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "aodv";
    let six = p.ends.is_some_and(|ends| ends.src.is_ipv6());
    let mut c = c;
    c.need(1)?;
    let kind = c.rest().first().copied().unwrap_or_default();
    put!(p, " aodv");
    match kind {
        1 => request(p, &mut c, six, length),
        2 => reply(p, &mut c, six, length),
        3 => error(p, &mut c, six, length),
        4 => {
            c.need(2)?;
            put!(p, " rrep-ack ", length);
            Ok(())
        }
        _ => {
            put!(p, " type ", kind, " ", length);
            Ok(())
        }
    }
}

fn address(c: &mut Cursor<'_>, six: bool) -> Result<IpAddr, Truncated> {
    Ok(if six {
        Ipv6Addr::from(c.u128()?).into()
    } else {
        Ipv4Addr::from(c.u32()?).into()
    })
}

fn request(p: &mut Out<'_>, c: &mut Cursor<'_>, six: bool, length: usize) -> Printed {
    let size = if six { 48 } else { 24 };
    c.need(size)?;
    c.skip(3)?;
    let hops = c.u8()?;
    put!(
        p,
        " rreq ",
        length,
        "  hops ",
        hops,
        " id 0x",
        HexFull(c.u32()?)
    );
    let destination = address(c, six)?;
    put!(p, "\n\tdst ");
    p.addr(destination);
    put!(p, " seq ", c.u32()?, " src ");
    let origin = address(c, six)?;
    p.addr(origin);
    put!(p, " seq ", c.u32()?);
    extension(p, c, length.saturating_sub(size))
}

fn reply(p: &mut Out<'_>, c: &mut Cursor<'_>, six: bool, length: usize) -> Printed {
    let size = if six { 44 } else { 20 };
    c.need(size)?;
    c.skip(2)?;
    put!(p, " rrep ", length, "  prefix ", c.u8()? & 0x1f);
    put!(p, " hops ", c.u8()?);
    let destination = address(c, six)?;
    put!(p, "\n\tdst ");
    p.addr(destination);
    put!(p, " dseq ", c.u32()?, " src ");
    let origin = address(c, six)?;
    p.addr(origin);
    put!(p, " ", c.u32()?, " ms");
    extension(p, c, length.saturating_sub(size))
}

fn extension(p: &mut Out<'_>, c: &mut Cursor<'_>, left: usize) -> Printed {
    if left == 0 {
        return Ok(());
    }
    c.need(2)?;
    let (kind, size) = (c.u8()?, usize::from(c.u8()?));
    if kind != 1 {
        put!(p, "\n\text ", kind, " ", size);
        return Ok(());
    }
    if left < size {
        return Err(Truncated);
    }
    if size < 4 {
        put!(p, "\n\text HELLO - bad length ", size);
        return Ok(());
    }
    put!(p, "\n\text HELLO ", c.u32()?, " ms");
    Ok(())
}

fn error(p: &mut Out<'_>, c: &mut Cursor<'_>, six: bool, length: usize) -> Printed {
    c.need(4)?;
    c.skip(1)?;
    let flags = c.u8()?;
    c.skip(1)?;
    let count = c.u8()?;
    put!(p, " rerr ", if flags & 0x80 != 0 { "[D]" } else { "" });
    put!(p, " [items ", count, "] [", length, "]:");
    for _ in 0..count {
        c.need(if six { 20 } else { 8 })?;
        let lost = address(c, six)?;
        put!(p, " {");
        p.addr(lost);
        put!(p, "}(", c.u32()?, ")");
    }
    Ok(())
}
