//! What routers, ports and topologies can do (RFC 7981, RFC 8667, RFC 6165, RFC 6329).

use std::net::Ipv4Addr;

use pktwho_wire::Cursor;

use super::table;
use crate::hexdump;
use crate::out::{Out, Printed, bits, named};
use crate::put::{Hex, HexFull, Visible, put};

pub(super) fn router(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Printed {
    if size < 5 {
        put!(p, " [object length ", size, " < 5]");
        p.invalid();
        return Ok(());
    }
    put!(p, "\n\t      Router-ID ");
    p.addr(Ipv4Addr::from(c.u32()?));
    put!(p, ", Flags [");
    bits(p, table::CAPABILITY_FLAGS, u32::from(c.u8()?), ", ", "none");
    put!(p, "]");
    while c.remaining() >= 2 {
        let (kind, size) = (c.u8()?, usize::from(c.u8()?));
        let value = c.sub(size)?;
        let name = if kind == 2 {
            "SR-Capabilities"
        } else {
            "unknown"
        };
        put!(p, "\n\t\t", name, " subTLV #", kind, ", length: ", size);
        if kind == 2 {
            segments(p, value)?;
        } else {
            hexdump::hex(p, "\n\t\t", value.rest());
        }
    }
    Ok(())
}

/// RFC 8667 section 3.1.
fn segments(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    put!(p, ", Flags [");
    bits(p, table::SR_FLAGS, u32::from(c.u8()?), ", ", "None");
    put!(p, "], Range ", c.u24()?);
    if c.remaining() < 2 {
        return Ok(());
    }
    let (kind, size) = (c.u8()?, c.u8()?);
    let _ = kind;
    match size {
        3 => put!(p, ", SID value ", c.u24()?),
        4 => put!(p, ", SID value ", c.u32()?),
        other => put!(p, ", Unknown SID length", other),
    }
    Ok(())
}

pub(super) fn port(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    if c.remaining() < 2 {
        return Ok(());
    }
    let word = c.u16()?;
    put!(
        p,
        "\n\t       RES: ",
        word >> 12,
        ", MTID(s): ",
        word & 0xfff
    );
    sub_tlvs(p, c, "\n\t       ", table::PORT, port_sub)
}

/// What a TLV holds after its own words: TLVs, each on a line that begins so.
fn sub_tlvs(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    begin: &'static str,
    names: &[(u8, &'static str)],
    each: fn(&mut Out<'_>, u8, Cursor<'_>) -> Printed,
) -> Printed {
    while c.remaining() >= 2 {
        let (kind, size) = (c.u8()?, usize::from(c.u8()?));
        put!(p, begin, named(names, kind, "unknown"), " subTLV #", kind);
        put!(p, ", length: ", size);
        let Ok(value) = c.sub(size) else {
            put!(p, " (> containing TLV length)");
            return Ok(());
        };
        each(p, kind, value)?;
    }
    Ok(())
}

fn port_sub(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>) -> Printed {
    match kind {
        4 => {
            if c.remaining() < 102 {
                return Ok(());
            }
            put!(p, "\n\t         MCID: ");
            region(p, &mut c)?;
            put!(p, "\n\t         AUX-MCID: ");
            region(p, &mut c)?;
        }
        5 => {
            if c.remaining() < 33 {
                return Ok(());
            }
            let flags = c.u8()?;
            put!(p, "\n\t        RES: ", flags >> 5, " V: ", flags >> 4 & 1);
            put!(p, " A: ", flags >> 2 & 3, " D: ", flags & 3);
            put!(p, "\n\t         Digest: ");
            for _ in 0..4 {
                put!(p, Hex(c.u32()?), " ");
            }
        }
        6 => {
            while c.remaining() >= 8 {
                put!(p, "\n\t           ECT: ", HexFull(c.u32()?));
                let word = c.u16()?;
                c.skip(2)?;
                put!(
                    p,
                    " BVID: ",
                    word >> 4,
                    ", U:",
                    word >> 3 & 1,
                    " M:",
                    word >> 2 & 1,
                    " "
                );
            }
        }
        _ => {}
    }
    Ok(())
}

/// An MST configuration identifier (IEEE 802.1Q).
fn region(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, "ID: ", c.u8()?, ", Name: ", Visible(c.take(32)?));
    put!(p, "\n\t              Lvl: ", c.u16()?, ", Digest: ");
    for &byte in c.take(16)? {
        put!(p, HexFull(byte), " ");
    }
    Ok(())
}

pub(super) fn topology(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    if c.remaining() < 2 {
        return Ok(());
    }
    let word = c.u16()?;
    put!(p, "\n\t      O: ", word >> 15, ", RES: ", word >> 12 & 7);
    put!(p, ", MTID(s): ", word & 0xfff);
    sub_tlvs(p, c, "\n\t      ", table::CAPABILITY, topology_sub)
}

/// RFC 6329.
fn topology_sub(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>) -> Printed {
    match kind {
        1 => {
            if c.remaining() < 19 {
                return Ok(());
            }
            put!(
                p,
                "\n\t        CIST Root-ID: ",
                HexFull(c.u32()?),
                HexFull(c.u32()?)
            );
            put!(p, ", Path Cost: ", HexFull(c.u32()?), ", Prio: ", c.u16()?);
            let word = c.u32()?;
            put!(p, "\n\t        RES: ", word >> 21, ", V: ", word >> 20 & 1);
            put!(
                p,
                ", SPSource-ID: ",
                word & 0xf_ffff,
                ", No of Trees: ",
                Hex(c.u8()?)
            );
            while c.remaining() >= 8 {
                let flags = c.u8()?;
                put!(p, "\n\t         U:", flags >> 7, ", M:", flags >> 6 & 1);
                put!(p, ", A:", flags >> 5 & 1, ", RES:", flags & 31);
                put!(p, ", ECT: ", HexFull(c.u32()?));
                let word = c.u24()?;
                put!(p, ", BVID: ", word >> 12, ", SPVID: ", word & 0xfff);
            }
        }
        3 => {
            if c.remaining() < 8 {
                return Ok(());
            }
            put!(
                p,
                "\n\t        BMAC: ",
                HexFull(c.u32()?),
                HexFull(c.u16()?)
            );
            let word = c.u16()?;
            put!(p, ", RES: ", word >> 12, ", VID: ", word & 0xfff);
            while c.remaining() >= 4 {
                let word = c.u32()?;
                put!(p, "\n\t        T: ", word >> 31, ", R: ", word >> 30 & 1);
                put!(
                    p,
                    ", RES: ",
                    word >> 24 & 0x3f,
                    ", ISID: ",
                    word & 0xff_ffff
                );
            }
        }
        _ => {}
    }
    Ok(())
}
