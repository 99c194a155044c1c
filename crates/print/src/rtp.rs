//! RTP and RTCP (RFC 3550), and vat's audio, which have no ports of their own.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{Hex, HexFull, Zeros, put};

/// A packet.
pub(crate) fn rtp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "rtp";
    let mut c = c;
    put!(p, "udp/rtp");
    if length < 8 {
        put!(p, ", length ", length, " < 8");
        return Ok(());
    }
    let first = c.u32()?;
    let time = c.u32()?;
    let version = first >> 30;
    let header = if version == 1 { 8 } else { 12 };
    if length < header {
        put!(p, ", length ", length, " < ", header);
        return Ok(());
    }
    let (kind, marker, extension) = match version {
        1 => (
            first >> 16 & 0x3f,
            first & 0x40_0000 != 0,
            first & 0x80_0000 != 0,
        ),
        _ => (
            first >> 16 & 0x7f,
            first & 0x80_0000 != 0,
            first & 0x1000_0000 != 0,
        ),
    };
    let source = if header == 12 || p.verbose(1) {
        Some(c.u32()?)
    } else {
        None
    };
    if version == 1 {
        put!(p, "v1");
    }
    put!(
        p,
        " ",
        length - header,
        " c",
        kind,
        if extension { " +" } else { " " }
    );
    put!(p, if marker { "* " } else { " " });
    put!(p, first & 0xffff, " ", time);
    if let Some(source) = source.filter(|_| p.verbose(1)) {
        put!(p, " ", source);
        if extension {
            c.skip(2)?;
            let words = usize::from(c.u16()?) + 1;
            if words * 4 > length - header {
                put!(p, " !ext");
            }
        } else if kind == 31 {
            // H.261: the start of its header says much.
            put!(p, " 0x", HexFull(c.u16()?));
        }
    }
    Ok(())
}

/// A moment or a span in fractions of a second, with two decimals.
fn hundredths(p: &mut Out<'_>, time: u64, bits: u32) {
    let half = 1_u64 << (bits - 1);
    let rounded = (u128::from(time) * 100 + u128::from(half)) >> bits;
    let rounded = u64::try_from(rounded).unwrap_or(u64::MAX);
    put!(p, rounded / 100, ".", Zeros(rounded % 100, 2));
}

/// RTCP packets, several in one datagram.
pub(crate) fn rtcp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "rtcp";
    let mut c = c.limit(length);
    while c.position() < length {
        packet(p, &mut c)?;
    }
    Ok(())
}

fn packet(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    c.need(8)?;
    let mut at = *c;
    let (count, kind) = (at.u8()? & 0x1f, at.u8()?);
    let length = (usize::from(at.u16()?) + 1) * 4;
    let source = at.u32()?;
    let count_of = usize::from(count);
    match kind {
        200 | 201 => {
            let (name, fixed) = if kind == 200 { (" sr", 28) } else { (" rr", 8) };
            put!(p, name);
            if length != count_of * 24 + fixed {
                put!(p, " [", length, "]");
            }
            if p.verbose(1) {
                put!(p, " ", source);
            }
            if kind == 200 {
                let time = at.u64()?;
                let [media, packets, bytes] = [at.u32()?, at.u32()?, at.u32()?];
                put!(p, " @");
                hundredths(p, time, 32);
                put!(p, " ", media, " ", packets, "p ", bytes, "b");
            }
            if count > 1 {
                put!(p, " c", count);
            }
            // compat: of several reports tcpdump shows the first again and again (4.99.3).
            for _ in 0..count {
                report(p, at)?;
            }
        }
        202 | 203 => {
            put!(p, if kind == 202 { " sdes " } else { " bye " }, length);
            if p.verbose(1) {
                put!(p, " ", source);
            }
        }
        _ => put!(p, " type-0x", Hex(kind), " ", length),
    }
    if length > c.remaining() {
        c.skip(c.remaining())?;
        return Err(Truncated);
    }
    c.skip(length)
}

/// How one source is received.
fn report(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    c.need(24)?;
    let source = c.u32()?;
    if p.verbose(1) {
        put!(p, " ", source);
    }
    let lost = c.u32()? & 0xff_ffff;
    let (sequence, jitter) = (c.u32()?, c.u32()?);
    let (sent, delay) = (c.u32()?, c.u32()?);
    put!(p, " ", lost, "l ", sequence, "s ", jitter, "j @");
    hundredths(p, u64::from(sent), 16);
    put!(p, "+");
    hundredths(p, u64::from(delay), 16);
    Ok(())
}

/// vat's audio.
pub(crate) fn vat(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "vat";
    let mut c = c;
    if length < 2 {
        put!(p, "udp/va/vat, length ", length, " < 2");
        return Ok(());
    }
    let mut ahead = c;
    let first = ahead.u16()?;
    if first & 0xf060 != 0 {
        put!(p, "udp/vt ", length, " ", first & 0x3ff, " / ", first >> 10);
        return Ok(());
    }
    if length < 8 {
        put!(p, "udp/vat, length ", length, " < 8");
        return Ok(());
    }
    let (first, time) = (c.u32()?, c.u32()?);
    put!(p, "udp/vat ", length - 8, " c", first & 0xffff, " ", time);
    put!(p, if first & 0x80_0000 != 0 { "*" } else { "" });
    if first & 0x1f_0000 != 0 {
        put!(p, " f", first >> 16 & 0x1f);
    }
    if first & 0x3f00_0000 != 0 {
        put!(p, " s", first >> 24 & 0x3f);
    }
    Ok(())
}
