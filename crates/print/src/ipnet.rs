//! IP as a Solaris machine's own observability device shows it (`LINKTYPE_IPNET`).

use pktwho_wire::Cursor;

use crate::ethertype;
use crate::out::{Out, Printed};
use crate::put::{HexFull, put};
use crate::{ip, ip6};

const HEADER: usize = 24;
const IPV4: u8 = 2;
const IPV6: u8 = 26;

/// `LINKTYPE_IPNET`.
pub(crate) fn ipnet(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "ipnet";
    c.need(HEADER)?;
    p.link_len = HEADER;
    c.skip(1)?;
    let family = c.u8()?;
    c.skip(14)?;
    let (source, destination) = (c.u32()?, c.u32()?);
    let header = |p: &mut Out<'_>| {
        put!(p, source, " > ", destination);
        let name = match family {
            IPV4 => Some("IPv4"),
            IPV6 => Some("IPv6"),
            _ => None,
        };
        match (p.style.quiet, name) {
            (false, name) => put!(p, ", family ", name.unwrap_or("Unknown"), " (", family, ")"),
            (true, Some(name)) => put!(p, ", ", name),
            (true, None) => put!(
                p,
                ", Unknown Ethertype (0x",
                HexFull(u16::from(family)),
                ")"
            ),
        }
        put!(p, ", length ", wire, ": ");
    };
    if p.style.link {
        header(p);
    }
    let length = wire.saturating_sub(HEADER);
    match family {
        IPV4 => ip::ip(p, c, length),
        IPV6 => ip6::ip6(p, c, length),
        _ => {
            p.unknown_behind(header, c.rest());
            Ok(())
        }
    }
}

/// `LINKTYPE_IPOIB`: IP over Infiniband (RFC 4391).
pub(crate) fn ipoib(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    /// Global routing header, queue pair and address of the destination, type.
    const IPOIB: usize = 44;
    p.protocol = "ipoib";
    c.need(IPOIB)?;
    p.link_len = IPOIB;
    c.skip(40)?;
    let kind = c.u16()?;
    c.skip(2)?;
    let header = |p: &mut Out<'_>| {
        if p.style.quiet {
            put!(
                p,
                ", ethertype ",
                ethertype::name(kind).unwrap_or("Unknown")
            );
        } else {
            put!(p, ", ");
            ethertype::label(p, kind);
        }
        put!(p, ", length ", wire, ": ");
    };
    if p.style.link {
        put!(p, "IPOIB");
        header(p);
    }
    let length = wire.saturating_sub(IPOIB);
    if let Some(printed) = ethertype::payload(p, kind, Cursor::new(c.rest()), length) {
        return printed;
    }
    p.unknown_behind(header, c.rest());
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
            LinkType(226),
            "0102000100000014000000000000000100000002000000034500001c00010000401166ce0a0000010a0000020001000200089bd8",
            Style {
                link: true,
                ..style(0)
            },
            "2 > 3, family IPv4 (2), length 52: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
        check(
            LinkType(242),
            "00000000000000000000000000000000000000000000000000000000000000000000000000000000080000004500001c00010000401166ce0a0000010a0000020001000200089bd8",
            Style {
                link: true,
                ..style(0)
            },
            "IPOIB, ethertype IPv4 (0x0800), length 72: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
    }
}
