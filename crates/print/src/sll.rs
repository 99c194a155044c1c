//! Linux "cooked" captures: SLL, and SLL2 which names the device.
//!
//! Source: the descriptions of `LINKTYPE_LINUX_SLL` and `LINKTYPE_LINUX_SLL2` of the pcap format.

use pktwho_wire::Cursor;

use crate::ether;
use crate::ethertype;
use crate::llc;
use crate::out::{Out, Printed};
use crate::put::put;

/// Frame types that are no `EtherTypes`.
const NOVELL: u16 = 1;
const LLC: u16 = 4;

/// What the two headers say alike.
struct Header<'a> {
    /// As the kernel's `PACKET_…`.
    direction: u16,
    address: &'a [u8],
    kind: u16,
    /// Of the whole packet.
    wire: usize,
}

/// Version 1.
pub(crate) fn sll(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "sll";
    let direction = c.u16()?;
    c.skip(2)?;
    let address_length = c.u16()?;
    let address = c.array::<8>()?;
    let kind = c.u16()?;
    p.link_len = 16;
    let address = address
        .get(..usize::from(address_length))
        .filter(|address| address.len() == 6)
        .unwrap_or_default();
    let header = Header {
        direction,
        address,
        kind,
        wire,
    };
    if p.style.link {
        put!(p, direction_word(direction));
        details(p, &header);
    }
    payload(p, &header, c, |p, header| {
        if !p.style.link {
            put!(p, direction_word(header.direction));
            details(p, header);
        }
    })
}

/// Version 2.
pub(crate) fn sll2(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "sll2";
    let kind = c.u16()?;
    c.skip(2)?;
    let index = c.u32()?;
    c.skip(2)?;
    let direction = u16::from(c.u8()?);
    let address_length = c.u8()?;
    let address = c.array::<8>()?;
    p.link_len = 20;
    let address = address
        .get(..usize::from(address_length))
        .filter(|address| address.len() == 6)
        .unwrap_or_default();
    let header = Header {
        direction,
        address,
        kind,
        wire,
    };
    // A file cannot say which device had this index; the running machine's names would be a guess.
    put!(p, "?     ");
    let word = match direction {
        0 => "In  ",
        1 => "B   ",
        2 => "M   ",
        3 => "P   ",
        4 => "Out ",
        _ => "?   ",
    };
    put!(p, word);
    if p.style.link {
        put!(p, "ifindex ", index, " ");
        details(p, &header);
    }
    payload(p, &header, c, |p, header| {
        if !p.style.link {
            put!(p, "ifindex ", index, " ");
            details(p, header);
        }
    })
}

fn direction_word(direction: u16) -> &'static str {
    match direction {
        0 => " In ",
        1 => "  B ",
        2 => "  M ",
        3 => "  P ",
        4 => "Out ",
        _ => "  ? ",
    }
}

/// The header of `-e`, from the address on.
fn details(p: &mut Out<'_>, header: &Header<'_>) {
    if let Ok(mac) = <[u8; 6]>::try_from(header.address) {
        p.mac(mac);
        put!(p, " ");
    }
    if p.style.quiet {
        return;
    }
    match header.kind {
        NOVELL => put!(p, "802.3"),
        LLC => put!(p, "802.2"),
        kind if kind <= ether::MAX_LENGTH => {
            put!(p, "ethertype Unknown (0x", crate::put::HexFull(kind), ")");
        }
        kind => ethertype::label(p, kind),
    }
    put!(p, ", length ", header.wire, ": ");
}

fn payload(
    p: &mut Out<'_>,
    header: &Header<'_>,
    mut c: Cursor<'_>,
    unknown: impl Fn(&mut Out<'_>, &Header<'_>),
) -> Printed {
    let mut kind = header.kind;
    loop {
        let length = header.wire.saturating_sub(p.link_len);
        if kind == LLC {
            let header = p.link_len;
            if llc::silent(p, c, length, None)? {
                return Ok(());
            }
            // compat: LLC's header is shown by -x where nobody knows what follows (4.99.3).
            p.link_len = header;
            if !p.style.quiet {
                p.unknown(c.rest());
            }
            return Ok(());
        }
        if kind <= ether::MAX_LENGTH {
            break;
        }
        if let Some(printed) = ethertype::payload(p, kind, c, length) {
            return printed;
        }
        if kind != ethertype::VLAN {
            break;
        }
        p.protocol = "vlan";
        let tag = c.u16()?;
        kind = c.u16()?;
        p.link_len += 4;
        if p.style.link {
            ether::vlan(p, tag);
        }
        if kind <= ether::MAX_LENGTH {
            kind = LLC;
        } else if !p.style.quiet {
            put!(
                p,
                "ethertype ",
                ethertype::name(kind).unwrap_or("Unknown"),
                ", "
            );
        }
    }
    if kind > ether::MAX_LENGTH {
        unknown(p, header);
    }
    if !p.style.quiet {
        p.unknown(c.rest());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn directions() {
        for (packet, expected) in [
            (
                "000000010006020000000001000008004500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                " In 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 47: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "000100010006020000000001000008004500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "  B 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 47: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "000400010006020000000001000008004500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "Out 02:00:00:00:00:01 ethertype IPv4 (0x0800), length 47: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "0000000100060200000000010000999961626364",
                " In 02:00:00:00:00:01 ethertype Unknown (0x9999), length 20: \n\t0x0000:  6162 6364                                abcd\n",
            ),
        ] {
            check(
                LinkType::LINUX_SLL,
                packet,
                Style {
                    link: true,
                    ..style(0)
                },
                expected,
            );
        }
    }

    #[test]
    fn the_second_version() {
        for (packet, expected) in [
            (
                "0800000000012fd10001000602000000000100004500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "?     In  IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "0800000000012fd10001030602000000000100004500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "?     P   IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "9999000000012fd100010006020000000001000061626364",
                "?     In  ifindex 77777 02:00:00:00:00:01 ethertype Unknown (0x9999), length 24: \n\t0x0000:  6162 6364                                abcd\n",
            ),
        ] {
            check(LinkType::LINUX_SLL2, packet, style(0), expected);
        }
    }
}
