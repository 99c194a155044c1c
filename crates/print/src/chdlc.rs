//! Cisco's HDLC, and its SLARP.

use std::net::Ipv4Addr;

use pktwho_wire::Cursor;

use crate::hexdump;
use crate::out::{Out, Printed};
use crate::put::{HexFull, put};
use crate::{ethertype, ip, ip6};

const SLARP: u16 = 0x8035;

/// `LINKTYPE_C_HDLC`.
pub(crate) fn chdlc(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "chdlc";
    let outermost = p.link_len == 0 || p.link_len == wire;
    c.need(4)?;
    let address = c.u8()?;
    c.skip(1)?;
    let kind = c.u16()?;
    if outermost {
        p.link_len = 4;
    }
    if p.style.link {
        match address {
            0x0f => put!(p, "unicast"),
            0x8f => put!(p, "bcast"),
            _ => put!(p, "0x", HexFull(address)),
        }
        let name = ethertype::name(kind).unwrap_or("Unknown");
        put!(
            p,
            ", ethertype ",
            name,
            " (0x",
            HexFull(kind),
            "), length ",
            wire,
            ": "
        );
    }
    let length = wire.saturating_sub(4);
    let c = Cursor::new(c.rest());
    let other = match kind {
        0x0800 => return p.deeper(|p| ip::ip(p, c, length)),
        0x86dd => return p.deeper(|p| ip6::ip6(p, c, length)),
        SLARP => return slarp(p, c, length),
        0x8847 | 0x8848 => ethertype::payload(p, kind, c, length),
        // Some put a byte before ISO's protocols, some do not.
        0xfefe => {
            c.need(2)?;
            let padded = matches!(c.rest(), [_, 0x81..=0x83, ..]);
            let mut inner = c;
            inner.skip(usize::from(padded))?;
            let left = length.saturating_sub(usize::from(padded));
            ethertype::payload(p, 0x00fe, Cursor::new(inner.rest()), left)
        }
        _ => None,
    };
    if let Some(printed) = other {
        return printed;
    }
    if !p.style.link {
        put!(p, "unknown CHDLC protocol (0x", HexFull(kind), ")");
    }
    Ok(())
}

/// Addresses asked and told, and keepalives.
fn slarp(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "chdlc_slarp";
    put!(p, "SLARP (length: ", length, "), ");
    if length < 14 {
        return Err(pktwho_wire::Truncated);
    }
    c.need(14)?;
    let whole = c;
    let code = c.u32()?;
    let mut shown = 4;
    match code {
        0 => put!(p, "request"),
        1 => {
            let (address, mask) = (c.u32()?, c.u32()?);
            put!(p, "reply ");
            p.addr(Ipv4Addr::from(address));
            put!(p, "/");
            p.addr(Ipv4Addr::from(mask));
        }
        2 => {
            let (mine, yours) = (c.u32()?, c.u32()?);
            put!(
                p,
                "keepalive: mineseen=0x",
                HexFull(mine),
                ", yourseen=0x",
                HexFull(yours)
            );
            put!(p, ", reliability=0x", HexFull(c.u16()?));
            shown = 16;
            if length >= 18 {
                let seconds = c.u32()? / 1000;
                let (days, seconds) = (seconds / 86400, seconds % 86400);
                put!(
                    p,
                    ", link uptime=",
                    days,
                    "d",
                    seconds / 3600,
                    "h",
                    seconds / 60 % 60,
                    "m"
                );
                put!(p, seconds % 60, "s");
            }
        }
        _ => {
            put!(p, "0x", crate::put::HexZeros(code, 2), " unknown");
            if !p.verbose(2) {
                hexdump::hex(p, "\n\t", c.rest());
            }
        }
    }
    if length > 18 && p.verbose(1) {
        put!(p, ", (trailing junk: ", length - 18, " bytes)");
    }
    if p.verbose(2) {
        hexdump::hex(p, "\n\t", whole.rest().get(shown..).unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(104),
            "0f008035000000020000000100000002ffff00010203",
            Style {
                link: true,
                ..style(0)
            },
            "unicast, ethertype Reverse ARP (0x8035), length 22: SLARP (length: 18), keepalive: mineseen=0x00000001, yourseen=0x00000002, reliability=0xffff, link uptime=0d0h1m6s\n",
        );
        check(
            LinkType(104),
            "0f0008004500001c00010000401166ce0a0000010a0000020001000200089bd8",
            Style {
                link: true,
                ..style(0)
            },
            "unicast, ethertype IPv4 (0x0800), length 32: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
    }
}
