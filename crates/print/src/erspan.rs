//! ERSPAN: mirrored frames inside GRE (draft-foschiano-erspan).

use pktwho_wire::Cursor;

use crate::ether;
use crate::ip;
use crate::out::{Out, Printed, lookup};
use crate::put::put;

/// Type III's `EtherType`; types I and II share 0x88be.
const TYPE_III: u16 = 0x22eb;

/// What the mirroring device thought of the frame.
static CONDITIONS: &[(u32, &str)] = &[(0, "Good"), (1, "Short"), (2, "Oversized"), (3, "Bad")];

const FRAME_ETHERNET: u16 = 0;
const FRAME_IP: u16 = 2;

/// The payload of a GRE packet; without a sequence number it is of type I.
pub(crate) fn erspan(
    p: &mut Out<'_>,
    kind: u16,
    numbered: bool,
    c: Cursor<'_>,
    length: usize,
) -> Printed {
    p.protocol = "erspan";
    if kind == TYPE_III {
        return type_3(p, c, length);
    }
    if numbered {
        return type_2(p, c, length);
    }
    put!(p, "erspan type1: ");
    ether::frame(p, c, length)
}

fn type_2(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    put!(p, "erspan type2");
    if length < 8 {
        put!(p, " [length ", length, " < 8]");
        p.invalid();
        return Ok(());
    }
    let first = c.u32()?;
    let version = first >> 28;
    if version != 1 {
        put!(p, " erspan-unknown-version-", version);
        return Ok(());
    }
    let vlan = first >> 16 & 0xfff;
    put!(p, " session ", first & 0x3ff);
    match first >> 11 & 3 {
        0 => {}
        1 => put!(p, " isl ", vlan),
        _ => put!(p, " vlan ", vlan),
    }
    put!(p, " cos ", first >> 13 & 7);
    if first & 0x400 != 0 {
        put!(p, " truncated");
    }
    put!(p, " index ", c.u32()? & 0xf_ffff, ": ");
    ether::frame(p, c, length - 8)
}

fn type_3(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    put!(p, "erspan type3");
    if length < 12 {
        put!(p, " [length ", length, " < 12]");
        p.invalid();
        return Ok(());
    }
    let first = c.u32()?;
    let version = first >> 28;
    if version != 2 {
        put!(p, " erspan-unknown-version-", version);
        return Ok(());
    }
    let condition = lookup(CONDITIONS, first >> 11 & 3).unwrap_or_default();
    put!(p, " session ", first & 0x3ff, " bso ", condition);
    put!(p, " cos ", first >> 13 & 7);
    if first & 0x400 != 0 {
        put!(p, " truncated");
    }
    c.skip(6)?;
    let last = c.u16()?;
    let kind = last >> 10 & 31;
    match kind {
        FRAME_ETHERNET => put!(p, " ft Ethernet"),
        FRAME_IP => put!(p, " ft IP"),
        _ => put!(p, " ft unknown ", kind),
    }
    let mut left = length - 12;
    if last & 1 != 0 {
        // The platform's own sub-header.
        c.skip(8)?;
        left = left.saturating_sub(8);
    }
    put!(p, ": ");
    match kind {
        FRAME_ETHERNET => ether::frame(p, c, left),
        FRAME_IP => ip::ip(p, c, left),
        _ => {
            put!(p, "Frame type unknown");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(101),
            "4500004e00010000402f00000a0000010a000002100088be00000001100100650000000502000000000202000000000108004500001c00010000401166ce0a0000010a0000020001000200089bd8",
            style(0),
            "IP 10.0.0.1 > 10.0.0.2: GREv0, seq 1, length 58: erspan type2 session 101 cos 0 index 5: IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
    }
}
