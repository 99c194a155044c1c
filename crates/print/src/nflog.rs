//! Packets from Linux's netfilter log (`LINKTYPE_NFLOG`).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{HexFull, put};
use crate::{ip, ip6};

/// The attribute that holds the packet.
const PAYLOAD: u16 = 9;
const IPV4: u8 = 2;
const IPV6: u8 = 10;

/// `LINKTYPE_NFLOG`.
pub(crate) fn nflog(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "nflog";
    let start = c;
    if wire < 4 {
        return Err(Truncated);
    }
    c.need(4)?;
    let (family, version, resource) = (c.u8()?, c.u8()?, c.u16()?);
    if version != 0 {
        put!(p, "version ", version, " (unknown)");
        return Ok(());
    }
    let header = |p: &mut Out<'_>, length: usize| {
        put!(p, "version ", version, ", resource ID ", resource);
        let name = match family {
            IPV4 => Some("IPv4"),
            IPV6 => Some("IPv6"),
            _ => None,
        };
        match (p.style.quiet, name) {
            (false, name) => put!(p, ", family ", name.unwrap_or("Unknown"), " (", family, ")"),
            (true, Some(name)) => put!(p, ", ", name),
            (true, None) => put!(p, "Unknown NFLOG (0x", HexFull(family), ")"),
        }
        put!(p, ", length ", length, ": ");
    };
    if p.style.link {
        header(p, wire);
    }
    // Attributes up to the packet, each padded to a multiple of four.
    let gone = |c: &Cursor<'_>| start.remaining() - c.remaining();
    loop {
        let left = wire.saturating_sub(gone(&c));
        if left == 0 {
            break;
        }
        if left < 4 {
            return Err(Truncated);
        }
        c.need(4)?;
        let (stated, kind) = (usize::from(c.u16_le()?), c.u16_le()?);
        let padded = stated.next_multiple_of(4);
        if padded < 4 || c.remaining() + 4 < padded {
            return Err(Truncated);
        }
        if kind == PAYLOAD {
            break;
        }
        c.skip(padded - 4)?;
    }
    p.link_len = gone(&c);
    let length = wire.saturating_sub(p.link_len);
    let c = Cursor::new(c.rest());
    match family {
        IPV4 => ip::ip(p, c, length),
        IPV6 => ip6::ip6(p, c, length),
        _ => {
            // compat: the attributes are not counted (4.99.3).
            p.unknown_behind(|p| header(p, length + 4), c.rest());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(239),
            "02000005200009004500001c00010000401166ce0a0000010a0000020001000200089bd8",
            Style {
                link: true,
                ..style(0)
            },
            "version 0, resource ID 5, family IPv4 (2), length 36: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
        check(
            LinkType(239),
            "070000050800090041424344",
            style(0),
            "version 0, resource ID 5, family Unknown (7), length 8: \n\t0x0000:  4142 4344                                ABCD\n",
        );
    }
}
