//! Optimized link state routing (RFC 3626) and the messages that olsrd adds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed, named};
use crate::put::{Fixed, HexFull, Visible, put};

static MESSAGES: &[(u8, &str)] = &[
    (1, "Hello"),
    (2, "TC"),
    (3, "MID"),
    (4, "HNA"),
    (128, "Powerinfo"),
    (130, "Nameservice"),
    (201, "Hello-LQ"),
    (202, "TC-LQ"),
];

static LINKS: &[(u8, &str)] = &[
    (0, "Unspecified"),
    (1, "Asymmetric"),
    (2, "Symmetric"),
    (3, "Lost"),
];

static NEIGHBORS: &[(u8, &str)] = &[(0, "Not-Neighbor"), (1, "Symmetric"), (2, "Symmetric-MPR")];

const HEADER: usize = 4;

/// A datagram of `length` bytes.
pub(crate) fn olsr(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "olsr";
    let v6 = p.ip.is_some_and(|ip| ip.src.is_ipv6());
    put!(p, if v6 { "OLSRv6" } else { "OLSRv4" });
    let mut c = c;
    if length < HEADER {
        return Err(Truncated);
    }
    c.need(HEADER)?;
    let stated = usize::from(c.u16()?);
    let sequence = c.u16()?;
    let length = length.min(stated);
    put!(p, ", seq 0x", HexFull(sequence), ", length ", length);
    // compat: messages need -v.
    if !p.verbose(1) {
        return Ok(());
    }
    let mut left = length.saturating_sub(HEADER);
    while left > 0 {
        let size = message(p, c, left, v6)?;
        if size == 0 {
            return Ok(());
        }
        c.skip(size)?;
        left -= size;
    }
    Ok(())
}

/// Mantissa and exponent of a time (RFC 3626 section 18.3), in seconds.
fn time(code: u8) -> f64 {
    f64::from(1_u32 << (code & 15)) * (1.0 + f64::from(code >> 4) / 16.0) / 16.0
}

fn address(c: &mut Cursor<'_>, v6: bool) -> Result<IpAddr, Truncated> {
    Ok(if v6 {
        Ipv6Addr::from(c.u128()?).into()
    } else {
        Ipv4Addr::from(c.u32()?).into()
    })
}

/// One message; the number of its bytes, or 0 if what follows cannot be found.
fn message(p: &mut Out<'_>, c: Cursor<'_>, left: usize, v6: bool) -> Result<usize, Truncated> {
    let mut c = c;
    let header = if v6 { 24 } else { 12 };
    c.need(header)?;
    let (kind, validity, size) = (c.u8()?, c.u8()?, usize::from(c.u16()?));
    let originator = address(&mut c, v6)?;
    let (ttl, hops, sequence) = (c.u8()?, c.u8()?, c.u16()?);
    let valid = size >= header && size <= left;
    put!(
        p,
        "\n\t",
        named(MESSAGES, kind, "Unknown"),
        " Message (0x",
        HexFull(kind)
    );
    put!(p, "), originator ");
    p.addr(originator);
    put!(
        p,
        ", ttl ",
        ttl,
        ", hop ",
        hops,
        "\n\t  vtime ",
        Fixed(time(validity), 3)
    );
    put!(p, "s, msg-seq 0x", HexFull(sequence), ", length ", size);
    if !valid {
        p.invalid();
        return Ok(0);
    }
    let inner = size - header;
    c.need(inner)?;
    let mut body = c.sub(inner)?;
    match kind {
        1 | 201 => hello(p, &mut body, kind == 201, v6)?,
        2 | 202 => topology(p, &mut body, kind == 202, v6)?,
        3 => {
            while body.remaining() >= if v6 { 16 } else { 4 } {
                let addr = address(&mut body, v6)?;
                put!(p, "\n\t  interface address ");
                p.addr(addr);
            }
        }
        4 => networks(p, &mut body, v6)?,
        130 => names(p, &mut body, v6)?,
        // Power information, and what nobody knows.
        _ => hexdump::hex(p, "\n\t    ", body.rest()),
    }
    Ok(size)
}

fn hello(p: &mut Out<'_>, c: &mut Cursor<'_>, quality: bool, v6: bool) -> Printed {
    c.need(4)?;
    c.skip(2)?;
    put!(p, "\n\t  hello-time ", Fixed(time(c.u8()?), 3));
    put!(p, "s, MPR willingness ", c.u8()?);
    while !c.is_empty() {
        c.need(4)?;
        let code = c.u8()?;
        c.skip(1)?;
        let size = usize::from(c.u16()?);
        let (link, neighbor) = (code & 3, code >> 2);
        let valid = size >= 4 && size - 4 <= c.remaining();
        put!(p, "\n\t    link-type ", named(LINKS, link, "Unknown"));
        put!(
            p,
            ", neighbor-type ",
            named(NEIGHBORS, neighbor, "Unknown"),
            ", len ",
            size
        );
        if !valid {
            p.invalid();
            return Ok(());
        }
        let mut listed = c.sub(size - 4)?;
        neighbors(p, &mut listed, quality, v6)?;
    }
    Ok(())
}

fn neighbors(p: &mut Out<'_>, c: &mut Cursor<'_>, quality: bool, v6: bool) -> Printed {
    let each = if v6 { 16 } else { 4 };
    if !quality {
        put!(p, "\n\t      neighbor\n\t\t");
        let mut shown = 0_usize;
        while c.remaining() >= each {
            let addr = address(c, v6)?;
            p.addr(addr);
            shown += 1;
            put!(
                p,
                if shown.is_multiple_of(4) {
                    "\n\t\t"
                } else {
                    " "
                }
            );
        }
        return Ok(());
    }
    while c.remaining() >= each + 4 {
        let addr = address(c, v6)?;
        let (mine, theirs) = (c.u8()?, c.u8()?);
        c.skip(2)?;
        put!(p, "\n\t      neighbor ");
        p.addr(addr);
        let percent = |value: u8| Fixed(f64::from(value) / 2.55, 2);
        put!(
            p,
            ", link-quality ",
            percent(mine),
            "%, neighbor-link-quality "
        );
        put!(p, percent(theirs), "%");
    }
    Ok(())
}

fn topology(p: &mut Out<'_>, c: &mut Cursor<'_>, quality: bool, v6: bool) -> Printed {
    c.need(4)?;
    put!(p, "\n\t    advertised neighbor seq 0x", HexFull(c.u16()?));
    c.skip(2)?;
    neighbors(p, c, quality, v6)
}

/// Host and network associations; one without an address may announce a gateway.
fn networks(p: &mut Out<'_>, c: &mut Cursor<'_>, v6: bool) -> Printed {
    /// So many stand in a line.
    const COLUMNS: usize = 4;
    let each = if v6 { 32 } else { 8 };
    put!(
        p,
        "\n\t  Advertised networks (total ",
        c.remaining() / each,
        ")"
    );
    let mut n = 0_usize;
    while c.remaining() >= each {
        if v6 {
            let (addr, mask) = (c.u128()?, c.u128()?);
            put!(p, "\n\t    #", n, ": ");
            p.addr(Ipv6Addr::from(addr));
            put!(p, "/", mask.leading_ones());
            n += 1;
            continue;
        }
        let (addr, mask) = (c.u32()?, c.array::<4>()?);
        let before = if n.is_multiple_of(COLUMNS) {
            "\n\t    "
        } else {
            ", "
        };
        put!(p, before);
        match mask {
            [0, flags, up, down] if addr == 0 && flags != 0 => gateway(p, flags, up, down),
            mask => {
                p.addr(Ipv4Addr::from(addr));
                mask_width(p, u32::from_be_bytes(mask));
            }
        }
        n += 1;
    }
    Ok(())
}

/// compat: -1, unsigned, where the mask has holes.
fn mask_width(p: &mut Out<'_>, mask: u32) {
    let ones = mask.leading_ones();
    let contiguous = mask.count_ones() == ones;
    put!(p, "/", if contiguous { ones } else { u32::MAX });
}

/// What a gateway of olsrd offers, and its speeds in kbit/s.
fn gateway(p: &mut Out<'_>, flags: u8, up: u8, down: u8) {
    put!(p, "Smart-Gateway:");
    for (bit, name) in [
        (0x01, " LINKSPEED"),
        (0x02, " IPV4"),
        (0x04, " IPV4-NAT"),
        (0x08, " IPV6"),
        (0x10, " IPV6-PREFIX"),
    ] {
        if flags & bit != 0 {
            put!(p, name);
        }
    }
    // compat: no speed is no speed, though olsrd's code for it means 1.
    let speed = |code: u8| match code {
        0 => 0,
        _ => u64::from((code >> 3) + 1) * 10_u64.pow(u32::from(code & 7)),
    };
    put!(p, " ", speed(up), "/", speed(down));
}

/// Names of hosts and services.
fn names(p: &mut Out<'_>, c: &mut Cursor<'_>, v6: bool) -> Printed {
    c.need(4)?;
    let (version, entries) = (c.u16()?, c.u16()?);
    put!(p, "\n\t  Version ", version, ", Entries ", entries);
    let most = c.remaining() / 4;
    let mut left = usize::from(entries);
    if left > most {
        p.invalid();
        left = most;
    }
    for n in 0..left {
        c.need(4)?;
        let (kind, size) = (c.u16()?, usize::from(c.u16()?));
        put!(
            p,
            "\n\t    #",
            n,
            ": type 0x",
            HexFull(kind),
            ", length ",
            size
        );
        if size + 16 > c.remaining() {
            p.invalid();
            return Ok(());
        }
        let mut addr = c.sub(16)?;
        put!(p, ", address ");
        let addr = address(&mut addr, v6)?;
        p.addr(addr);
        put!(p, ", name \"", Visible(c.take(size)?), "\"");
        c.skip((size.next_multiple_of(4) - size).min(c.remaining()))?;
    }
    Ok(())
}
