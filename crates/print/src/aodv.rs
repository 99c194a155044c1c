//! Ad hoc on-demand distance vector routing (RFC 3561).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{HexFull, put};

/// A datagram of `length` bytes.
pub(crate) fn aodv(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "aodv";
    put!(p, " aodv");
    let v6 = p.ip.is_some_and(|ip| ip.src.is_ipv6());
    let kind = { c }.u8()?;
    match kind {
        1 => request(p, c, length, v6),
        2 => reply(p, c, length, v6),
        3 => error(p, c, length, v6),
        4 => {
            put!(p, " rrep-ack ", length);
            Ok(())
        }
        _ => {
            put!(p, " type ", kind, " ", length);
            Ok(())
        }
    }
}

fn address(c: &mut Cursor<'_>, v6: bool) -> Result<IpAddr, Truncated> {
    Ok(if v6 {
        Ipv6Addr::from(c.u128()?).into()
    } else {
        Ipv4Addr::from(c.u32()?).into()
    })
}

fn request(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, v6: bool) -> Printed {
    let size = if v6 { 48 } else { 24 };
    c.need(size)?;
    if length < size {
        return Err(Truncated);
    }
    c.skip(1)?;
    let flags = c.u8()?;
    c.skip(1)?;
    put!(p, if v6 { " v6 rreq " } else { " rreq " }, length, " ");
    for (bit, name) in [(0x80, "[J]"), (0x40, "[R]"), (0x20, "[G]"), (0x10, "[D]")] {
        if flags & bit != 0 {
            put!(p, name);
        }
    }
    put!(p, if flags & 0x08 == 0 { " " } else { "[U] " });
    put!(p, "hops ", c.u8()?, " id 0x", HexFull(c.u32()?), "\n\tdst ");
    let destination = address(&mut c, v6)?;
    p.addr(destination);
    put!(p, " seq ", c.u32()?, " src ");
    let source = address(&mut c, v6)?;
    p.addr(source);
    put!(p, " seq ", c.u32()?);
    if length > size {
        return extension(p, c, length - size);
    }
    Ok(())
}

fn reply(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, v6: bool) -> Printed {
    let size = if v6 { 44 } else { 20 };
    c.need(size)?;
    if length < size {
        return Err(Truncated);
    }
    c.skip(1)?;
    let flags = c.u8()?;
    put!(p, " rrep ", length, " ");
    put!(p, if flags & 0x80 == 0 { "" } else { "[R]" });
    put!(p, if flags & 0x40 == 0 { " " } else { "[A] " });
    let prefix = c.u8()?;
    put!(p, "prefix ", prefix & if v6 { 0x7f } else { 0x1f });
    put!(p, " hops ", c.u8()?, "\n\tdst ");
    let destination = address(&mut c, v6)?;
    p.addr(destination);
    put!(p, " dseq ", c.u32()?, " src ");
    let source = address(&mut c, v6)?;
    p.addr(source);
    put!(p, " ", c.u32()?, " ms");
    if length > size {
        return extension(p, c, length - size);
    }
    Ok(())
}

fn error(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, v6: bool) -> Printed {
    c.need(4)?;
    c.skip(1)?;
    let flags = c.u8()?;
    c.skip(1)?;
    let count = c.u8()?;
    put!(p, " rerr ", if flags & 0x80 == 0 { "" } else { "[D]" });
    put!(p, " [items ", count, "] [", length, "]:");
    let each = if v6 { 20 } else { 8 };
    let mut left = length.saturating_sub(4);
    for _ in 0..count {
        if left < each {
            return Err(Truncated);
        }
        c.need(each)?;
        put!(p, " {");
        let addr = address(&mut c, v6)?;
        p.addr(addr);
        put!(p, "}(", c.u32()?, ")");
        left -= each;
    }
    Ok(())
}

fn extension(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    c.need(2)?;
    let (kind, size) = (c.u8()?, c.u8()?);
    if kind != 1 {
        put!(p, "\n\text ", kind, " ", size);
        return Ok(());
    }
    if size < 4 {
        put!(p, "\n\text HELLO - bad length ", size);
        p.invalid();
        return Ok(());
    }
    if length < 2 + usize::from(size) {
        return Err(Truncated);
    }
    put!(p, "\n\text HELLO ", c.u32()?, " ms");
    c.skip(usize::from(size) - 4)
}
