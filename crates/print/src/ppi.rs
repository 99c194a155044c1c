//! Headers that name the link type of what follows: PPI, and PKTAP of Apple's systems.

use pktwho_packet::LinkType;
use pktwho_wire::Cursor;

use crate::link;
use crate::out::{Out, Printed};
use crate::put::put;

/// `LINKTYPE_PPI`.
pub(crate) fn ppi(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "ppi";
    let start = c;
    let mut c = c;
    c.need(8)?;
    let version = c.u8()?;
    c.skip(1)?;
    let stated = usize::from(c.u16_le()?);
    if !(8..=65532).contains(&stated) {
        put!(p, " [length ", stated, " < 8 or > 65532]");
        p.invalid();
        return Ok(());
    }
    start.need(stated)?;
    // Numbers of the capturing system, which are those of files here.
    let inner = LinkType::from_dlt(u16::try_from(c.u32_le()?).unwrap_or(u16::MAX));
    let header = |p: &mut Out<'_>| {
        let name = inner.name().unwrap_or("UNKNOWN");
        put!(
            p,
            "V.",
            version,
            " DLT ",
            name,
            " (",
            inner.dlt(),
            ") len ",
            stated
        );
        put!(p, ", length ", wire, ": ");
    };
    if p.style.link {
        header(p);
    }
    let mut payload = start;
    payload.skip(stated)?;
    let length = wire.saturating_sub(stated);
    let payload = Cursor::new(payload.rest());
    if let Some(printed) = link::inner(p, inner, payload, length, stated) {
        return printed;
    }
    p.link_len = stated;
    p.unknown_behind(header, payload.rest());
    Ok(())
}

/// `LINKTYPE_PKTAP`.
pub(crate) fn pktap(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    /// The header of the first version.
    const HEADER: usize = 108;
    p.protocol = "pktap";
    let start = c;
    let mut c = c;
    if wire < HEADER {
        put!(p, " (packet too short, ", wire, " < ", HEADER, ")");
        p.invalid();
        return Ok(());
    }
    let stated = usize::try_from(c.u32_le()?).unwrap_or(usize::MAX);
    if stated < HEADER {
        put!(p, " (pkt_len too small, ", stated, " < ", HEADER, ")");
        p.invalid();
        return Ok(());
    }
    if stated > wire {
        put!(p, " (pkt_len too big, ", stated, " > ", wire, ")");
        p.invalid();
        return Ok(());
    }
    start.need(HEADER)?;
    // What follows the header: 0 for nothing, 1 for a packet.
    let kind = c.u32_le()?;
    let dlt = c.u32_le()?;
    let inner = LinkType::from_dlt(u16::try_from(dlt).unwrap_or(u16::MAX));
    let header = |p: &mut Out<'_>| {
        match inner.name() {
            Some(name) => put!(p, "DLT ", name, " (", dlt, ") len ", stated),
            None => put!(p, "DLT UNKNOWN (", dlt, ") len ", stated),
        }
        put!(p, ", length ", wire, ": ");
    };
    if p.style.link {
        header(p);
    }
    let length = wire - stated;
    p.link_len = stated;
    match kind {
        0 => put!(p, "no data"),
        1 => {
            let mut payload = start;
            payload.skip(stated)?;
            let payload = Cursor::new(payload.rest());
            if let Some(printed) = link::inner(p, inner, payload, length, stated) {
                return printed;
            }
            p.link_len = stated;
            p.unknown_behind(header, payload.rest());
        }
        _ => {}
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
            LinkType(192),
            "000008000100000002000000000202000000000108004500001c00010000401166ce0a0000010a0000020001000200089bd8",
            Style {
                link: true,
                ..style(0)
            },
            "V.0 DLT EN10MB (1) len 8, length 50: 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 42: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
        check(
            LinkType(258),
            "6c000000010000000100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000002000000000202000000000108004500001c00010000401166ce0a0000010a0000020001000200089bd8",
            Style {
                link: true,
                ..style(0)
            },
            "DLT EN10MB (1) len 108, length 150: 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 42: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
    }
}
