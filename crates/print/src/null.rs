//! BSD loopback: a protocol family of four bytes before the packet.
//!
//! Families are in the byte order of the machine that captured; both are tried. IPv6 has
//! another number on every BSD.

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, lookup};
use crate::put::put;
use crate::{atalk, ip, ip6, ipx, isoclns};

static FAMILIES: &[(u32, &str)] = &[
    (2, "IPv4"),
    (24, "IPv6"),
    (28, "IPv6"),
    (30, "IPv6"),
    (6, "NS"),
    (7, "ISO"),
    (16, "Appletalk"),
    (23, "IPX"),
];

/// `LINKTYPE_NULL` and, with the family in network order, `LINKTYPE_LOOP`.
pub(crate) fn null(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "null";
    let family = c.u32_le()?;
    // A family is a small number: what has high bits was written in the other order.
    let family = if family > 0xffff {
        family.swap_bytes()
    } else {
        family
    };
    p.link_len = 4;
    if p.style.link {
        header(p, family, wire);
    }
    let length = wire.saturating_sub(4);
    match family {
        2 => ip::ip(p, c, length),
        24 | 28 | 30 => ip6::ip6(p, c, length),
        7 => isoclns::isoclns(p, c, length),
        16 => atalk::atalk(p, c, length),
        23 => ipx::ipx(p, c, length),
        _ => {
            if !p.style.link {
                header(p, family, wire);
            }
            if !p.style.quiet {
                p.unknown(c.rest());
            }
            Ok(())
        }
    }
}

fn header(p: &mut Out<'_>, family: u32, wire: usize) {
    let name = lookup(FAMILIES, family);
    match (p.style.quiet, name) {
        (false, name) => put!(p, "AF ", name.unwrap_or("Unknown"), " (", family, ")"),
        (true, Some(name)) => put!(p, name),
        (true, None) => put!(p, "Unknown AF ", family),
    }
    put!(p, ", length ", wire, ": ");
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn families_in_both_orders() {
        for (packet, expected) in [
            (
                "020000004500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "AF IPv4 (2), length 35: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "000000024500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "AF IPv4 (2), length 35: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "1e00000060000000000d114020010db800000000000000000000000120010db80000000000000000000000029c40829a000d41b268656c6c6f",
                "AF IPv6 (30), length 57: 2001:db8::1.40000 > 2001:db8::2.33434: UDP, length 5\n",
            ),
            (
                "0a00000078",
                "AF Unknown (10), length 5: \n\t0x0000:  78                                       x\n",
            ),
        ] {
            check(
                LinkType::NULL,
                packet,
                Style {
                    link: true,
                    ..style(0)
                },
                expected,
            );
        }
    }
}
