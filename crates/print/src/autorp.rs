//! Cisco's Auto-RP: who is a rendezvous point for which groups of PIM (pim-autorp-spec01).

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{HexFull, Span, put};

/// A datagram.
pub(crate) fn autorp(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "cisco_autorp";
    if length < 8 {
        return Err(Truncated);
    }
    put!(p, " auto-rp ");
    match c.u8()? {
        0x11 => put!(p, "candidate-advert"),
        0x12 => put!(p, "mapping"),
        kind => put!(p, "type-0x", HexFull(kind)),
    }
    let count = c.u8()?;
    put!(p, " Hold ");
    match c.u16()? {
        0 => put!(p, "FOREVER"),
        seconds => put!(p, Span(u32::from(seconds))),
    }
    // Reserved.
    c.skip(4)?;
    for _ in 0..count {
        point(p, &mut c)?;
    }
    Ok(())
}

/// A rendezvous point and its groups.
fn point(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Truncated> {
    let address = Ipv4Addr::from(c.u32()?);
    put!(p, " RP ");
    p.addr(address);
    let version = c.u8()?;
    let name = match version & 3 {
        0 => " PIMv?",
        1 => " PIMv1",
        2 => " PIMv2",
        _ => " PIMv1+2",
    };
    put!(p, name);
    if version & !3 != 0 {
        put!(p, " [rsvd=0x", HexFull(version & !3), "]");
    }
    let groups = c.u8()?;
    let mut separator = " ";
    for _ in 0..groups {
        c.need(6)?;
        let (flags, bits, address) = (c.u8()?, c.u8()?, Ipv4Addr::from(c.u32()?));
        put!(p, separator, if flags & 1 != 0 { "!" } else { "" });
        p.addr(address);
        put!(p, "/", bits, if flags & 2 != 0 { " bidir" } else { "" });
        if flags & !3 != 0 {
            put!(p, "[rsvd=0x", HexFull(flags & !3), "]");
        }
        separator = ",";
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn points_and_groups() {
        check(
            LinkType::RAW,
            "4500003600010000401166b40a0000010a0000029c4001f000220000 1201007800000000 0a000002 02 02 0104e0000000 0218ef010100",
            style(0),
            "IP 10.0.0.1.40000 > 10.0.0.2.496:  auto-rp mapping Hold 2m RP 10.0.0.2 PIMv2 !224.0.0.0/4,239.1.1.0/24 bidir\n",
        );
    }
}
