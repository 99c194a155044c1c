//! ARCNET (RFC 1051, RFC 1201), as BSD and as Linux capture it.

use pktwho_wire::{Cursor, Truncated};

use crate::ethertype;
use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, put};
use crate::{arp, ip, ip6};

const OLD_IP: u8 = 0xf0;
const OLD_ARP: u8 = 0xf1;
const DIAGNOSE: u8 = 0x80;

static TYPES: &[(u8, &str)] = &[
    (OLD_IP, "oldip"),
    (OLD_ARP, "oldarp"),
    (0xd4, "ip"),
    (0xd5, "arp"),
    (0xd6, "rarp"),
    (0xdd, "atalk"),
    (0xf7, "banyan"),
    (0xfa, "ipx"),
    (0xc4, "ipv6"),
    (DIAGNOSE, "diag"),
];

/// Types before RFC 1201 have no fragments.
fn is_old(kind: u8) -> bool {
    matches!(kind, OLD_IP | OLD_ARP | DIAGNOSE)
}

/// What the header of `-e` says.
struct Header {
    source: u8,
    destination: u8,
    kind: u8,
    /// Whether a packet number and fragments follow the type.
    sequence: Option<u16>,
    /// Fragment: an odd flag for the first, an even one for the others.
    flag: u8,
    wire: usize,
}

fn show(p: &mut Out<'_>, header: &Header) {
    put!(
        p,
        HexFull(header.source),
        " ",
        HexFull(header.destination),
        " "
    );
    if !p.style.quiet {
        match lookup(TYPES, header.kind) {
            Some(name) => put!(p, name, " "),
            None => put!(p, HexFull(header.kind), " "),
        }
        if let Some(sequence) = header.sequence {
            put!(p, "seqid ", HexFull(sequence), " ");
            let number = header.flag / 2;
            match header.flag {
                0 => {}
                flag if flag & 1 == 1 => {
                    put!(p, "(first of ", u16::from(number) + 2, " fragments) ");
                }
                _ => put!(p, "(fragment ", u16::from(number) + 1, ") "),
            }
        }
    }
    put!(p, header.wire, ": ");
}

/// `LINKTYPE_ARCNET_BSD`.
pub(crate) fn arcnet(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "arcnet";
    let whole = c;
    let mut c = c;
    if wire < 3 {
        return Err(Truncated);
    }
    c.need(3)?;
    let (source, destination, kind) = (c.u8()?, c.u8()?, c.u8()?);
    let mut header = Header {
        source,
        destination,
        kind,
        sequence: None,
        flag: 0,
        wire,
    };
    if !is_old(kind) {
        if wire < 6 || c.remaining() < 3 {
            if p.style.link {
                show(p, &header);
            }
            put!(p, " phds");
            return Err(Truncated);
        }
        header.flag = c.u8()?;
        if header.flag == 0xff {
            // An exception: padding, and the same again.
            if wire < 9 || c.remaining() < 5 {
                if p.style.link {
                    show(p, &header);
                }
                put!(p, " phds extended");
                return Err(Truncated);
            }
            c.skip(2)?;
            header.flag = c.u8()?;
        }
        header.sequence = Some(c.u16()?);
    }
    if p.style.link {
        show(p, &header);
    }
    let consumed = whole.remaining() - c.remaining();
    p.link_len = consumed;
    if header.flag != 0 && header.flag & 1 == 0 {
        // What a later fragment holds is not the start of a packet.
        return Ok(());
    }
    payload(p, kind, c, wire.saturating_sub(consumed))
}

/// `LINKTYPE_ARCNET_LINUX`: offsets instead of fragments.
pub(crate) fn linux(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "arcnet_linux";
    let whole = c;
    let mut c = c;
    if wire < 5 {
        return Err(Truncated);
    }
    c.need(5)?;
    let (source, destination) = (c.u8()?, c.u8()?);
    // compat: tcpdump shows the first of the offsets where the type belongs.
    let shown = c.u8()?;
    c.skip(1)?;
    let kind = c.u8()?;
    let header = Header {
        source,
        destination,
        kind: shown,
        sequence: None,
        flag: 0,
        wire,
    };
    if !is_old(kind) {
        if wire < 8 {
            return Err(Truncated);
        }
        c.skip(3)?;
    }
    if p.style.link {
        show(p, &header);
    }
    let consumed = whole.remaining() - c.remaining();
    p.link_len = consumed;
    payload(p, kind, c, wire.saturating_sub(consumed))
}

fn payload(p: &mut Out<'_>, kind: u8, c: Cursor<'_>, length: usize) -> Printed {
    let c = Cursor::new(c.rest());
    let known = match kind {
        OLD_IP | 0xd4 => return ip::ip(p, c, length),
        0xc4 => return ip6::ip6(p, c, length),
        OLD_ARP | 0xd5 | 0xd6 => return arp::arp(p, c, length),
        0xdd => ethertype::payload(p, 0x809b, c, length),
        0xfa => ethertype::payload(p, 0x8137, c, length),
        _ => None,
    };
    if let Some(printed) = known {
        return printed;
    }
    p.unknown(c.rest());
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
            LinkType(7),
            "0102d40000014500001c00010000401166ce0a0000010a0000020001000200089bd8",
            Style {
                link: true,
                ..style(0)
            },
            "01 02 ip seqid 0001 34: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
        check(
            LinkType(129),
            "01020000d40000014500001c00010000401166ce0a0000010a0000020001000200089bd8",
            Style {
                link: true,
                ..style(0)
            },
            "01 02 00 36: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
    }
}
