//! Ethernet (IEEE 802.3), with VLAN tags (IEEE 802.1Q).

use pktwho_wire::Cursor;

use crate::ethertype;
use crate::llc;
use crate::out::{Out, Printed};
use crate::put::{HexFull, put};

/// Values up to this are lengths of an LLC frame, not `EtherTypes`.
pub(crate) const MAX_LENGTH: u16 = 1500;

/// A frame from its destination address on.
pub(crate) fn frame(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "ether";
    let mut header = 14;
    // Only the outermost frame is the link layer.
    let outermost = p.link_len == 0;
    if outermost {
        p.link_len = header;
    }
    let destination = c.array::<6>()?;
    let source = c.array::<6>()?;
    let mut kind = c.u16()?;
    if p.style.link {
        addresses(p, source, destination);
    }
    let mut tagged = false;
    while is_tag(kind) {
        p.protocol = "vlan";
        let tag = c.u16()?;
        let inner = c.u16()?;
        header += 4;
        if outermost {
            p.link_len = header;
        }
        if p.style.link {
            type_and_length(p, kind, (!tagged).then_some(wire));
            vlan(p, tag);
        }
        tagged = true;
        kind = inner;
    }
    let length = wire.saturating_sub(header);
    if kind <= MAX_LENGTH {
        let length = length.min(usize::from(kind));
        if p.style.link {
            put!(p, "802.3");
            if !tagged {
                put!(p, ", length ", length, ": ");
            }
        }
        return llc::llc(p, c.limit(length), length, Some((&source, &destination)));
    }
    if p.style.link {
        type_and_length(p, kind, (!tagged).then_some(wire));
    }
    if let Some(printed) = ethertype::payload(p, kind, c, length) {
        return printed;
    }
    if !p.style.link {
        addresses(p, source, destination);
        type_and_length(p, kind, Some(wire));
    }
    if !p.style.quiet {
        p.unknown(c.rest());
    }
    Ok(())
}

/// Whether a VLAN tag follows: IEEE 802.1Q, 802.1ad, and what was used before it.
pub(crate) fn is_tag(kind: u16) -> bool {
    matches!(kind, 0x8100 | 0x88a8 | 0x9100 | 0x9200)
}

/// `vlan N, p N, ` with `DEI, ` if frames may be dropped.
pub(crate) fn vlan(p: &mut Out<'_>, tag: u16) {
    put!(p, "vlan ", tag & 0xfff, ", p ", tag >> 13, ", ");
    if tag & 0x1000 != 0 {
        put!(p, "DEI, ");
    }
}

fn addresses(p: &mut Out<'_>, source: [u8; 6], destination: [u8; 6]) {
    p.mac(source);
    put!(p, " > ");
    p.mac(destination);
    put!(p, ", ");
}

/// The type in words; the length of the frame only before the first of several types.
fn type_and_length(p: &mut Out<'_>, kind: u16, length: Option<usize>) {
    if !p.style.quiet {
        ethertype::label(p, kind);
    } else if let Some(name) = ethertype::name(kind) {
        put!(p, name);
    } else {
        put!(p, "Unknown Ethertype (0x", HexFull(kind), ")");
    }
    match length {
        Some(length) => put!(p, ", length ", length, ": "),
        None => put!(p, ", "),
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn types_and_tags() {
        for (packet, expected) in [
            (
                "02000000000202000000000108004500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 45: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "0200000000020200000000018100300508004500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q (0x8100), length 49: vlan 5, p 1, DEI, ethertype IPv4 (0x0800), 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "02000000000202000000000188a800c88100000586dd60000000000d114020010db800000000000000000000000120010db80000000000000000000000029c40829a000d41b268656c6c6f",
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q-QinQ (0x88a8), length 75: vlan 200, p 0, ethertype 802.1Q (0x8100), vlan 5, p 0, ethertype IPv6 (0x86dd), 2001:db8::1.40000 > 2001:db8::2.33434: UDP, length 5\n",
            ),
            (
                "0200000000020200000000019999756e6b6e6f776e207061796c6f6164",
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype Unknown (0x9999), length 29: \n\t0x0000:  756e 6b6e 6f77 6e20 7061 796c 6f61 64    unknown.payload\n",
            ),
        ] {
            check(
                LinkType::ETHERNET,
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
