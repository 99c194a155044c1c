//! Cisco's `NetFlow`, versions 1, 5 and 6, as `-T cnfp` asks for it (formats: Cisco's export datagrams,
//! as their collectors document them).

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{Zeros, put};
use crate::{ip_proto, protocol_names};

/// Bytes of a record.
///
/// compat: tcpdump steps by version 6's length in version 5 too, whose records are 48 bytes, and
/// reads the first alone rightly (4.99.3).
fn record_length(version: u16) -> usize {
    if version == 1 { 48 } else { 52 }
}

/// TCP's flags in the order of their bits.
static FLAGS: &[u8; 6] = b"FSRPAU";

/// A datagram; of other versions their number alone.
pub(crate) fn cnfp(p: &mut Out<'_>, c: Cursor<'_>, _length: usize) -> Printed {
    p.protocol = "cnfp";
    let mut c = c;
    let version = c.u16()?;
    if !matches!(version, 1 | 5 | 6) {
        put!(p, "NetFlow v", version);
        return Ok(());
    }
    c.need(if version == 1 { 14 } else { 22 })?;
    // compat: the count is two bytes long, tcpdump reads four (4.99.3).
    let mut ahead = c;
    let count = ahead.u32()?;
    c.skip(2)?;
    let uptime = c.u32()?;
    put!(p, "NetFlow v", version, ", ");
    seconds(p, uptime);
    let (secs, nanos) = (c.u32()?, c.u32()?);
    put!(p, " uptime, ", secs, ".", Zeros(u64::from(nanos), 9), ", ");
    if version != 1 {
        put!(p, "#", c.u32()?, ", ");
        // Engine and sampling.
        c.skip(4)?;
    }
    put!(p, if count < 10 { " " } else { "" }, count, " recs");
    for _ in 0..count {
        record(p, c.sub(record_length(version))?, version)?;
    }
    Ok(())
}

/// A number of milliseconds, in seconds.
fn seconds(p: &mut Out<'_>, milliseconds: u32) {
    let fraction = u64::from(milliseconds % 1000);
    put!(p, milliseconds / 1000, ".", Zeros(fraction, 3));
}

fn record(p: &mut Out<'_>, mut c: Cursor<'_>, version: u16) -> Result<(), Truncated> {
    let [from, to, hop] = [c.u32()?, c.u32()?, c.u32()?].map(Ipv4Addr::from);
    // Interfaces.
    c.skip(4)?;
    let [packets, octets, start, last] = [c.u32()?, c.u32()?, c.u32()?, c.u32()?];
    let [from_port, to_port] = [c.u16()?, c.u16()?];
    c.skip(1)?;
    // Version 1 has its flags two bytes further on, and nothing but padding behind them.
    let second = c.u8()?;
    let (flags, protocol, service, more) = if version == 1 {
        let [protocol, service, flags] = [c.u8()?, c.u8()?, c.u8()?];
        (flags, protocol, service, None)
    } else {
        let [protocol, service] = [c.u8()?, c.u8()?];
        (second, protocol, service, Some(Networks::read(&mut c)?))
    };
    put!(p, "\n  started ");
    seconds(p, start);
    put!(p, ", last ");
    seconds(p, last);
    put!(p, "\n    ", from);
    if let Some(more) = &more {
        put!(p, "/", more.from_mask, ":", more.from_as);
    }
    put!(p, ":", from_port, " > ", to);
    if let Some(more) = &more {
        put!(p, "/", more.to_mask, ":", more.to_as);
    }
    put!(p, ":", to_port, " >> ", hop, "\n    ");
    protocol_name(p, protocol);
    if protocol == ip_proto::TCP && flags != 0 {
        put!(p, " ");
        for (bit, &letter) in FLAGS.iter().enumerate() {
            if flags >> bit & 1 != 0 {
                put!(p, char::from(letter));
            }
        }
    }
    put!(
        p,
        " tos ",
        service,
        ", ",
        packets,
        " (",
        octets,
        " octets) "
    );
    if let Some(more) = more.filter(|_| version == 6) {
        let [inward, outward] = more.wrappings;
        put!(p, "(", inward, "<>", outward, " encaps)");
    }
    Ok(())
}

/// What records have from version 5 on: the autonomous systems and networks of both ends, and, in
/// version 6, how long the headers around the flow's packets are.
struct Networks {
    from_as: u16,
    to_as: u16,
    from_mask: u8,
    to_mask: u8,
    wrappings: [u8; 2],
}

impl Networks {
    fn read(c: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let [from_as, to_as] = [c.u16()?, c.u16()?];
        Ok(Self {
            from_as,
            to_as,
            from_mask: c.u8()?,
            to_mask: c.u8()?,
            wrappings: c.array()?,
        })
    }
}

fn protocol_name(p: &mut Out<'_>, protocol: u8) {
    match protocol_names::name(protocol).filter(|_| !p.style.numeric) {
        Some(name) => put!(p, name),
        None => put!(p, protocol),
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{bytes, style, text};
    use crate::{PacketType, Style};

    const AROUND: &str = "45000068000100004011000009000001090000020fa0080700540000";
    fn flow(tail: &str, expected: &str) {
        let asked = Style {
            packet_type: Some(PacketType::Cnfp),
            ..style(0)
        };
        let packet = format!("{AROUND}{tail}");
        let data = bytes(&packet);
        let cut = 104 - u32::try_from(data.len()).unwrap();
        assert_eq!(text(LinkType::RAW, &data, cut, asked), expected);
    }

    #[test]
    fn headers_and_what_is_cut() {
        flow("0007", "IP 9.0.0.1.4000 > 9.0.0.2.2055: NetFlow v7\n");
        flow("0005", "IP 9.0.0.1.4000 > 9.0.0.2.2055:  [|cnfp]\n");
        flow(
            "000100000000016d5f5e100000000009",
            "IP 9.0.0.1.4000 > 9.0.0.2.2055: NetFlow v1, 0.365 uptime, 1600000000.000000009,  0 recs\n",
        );
    }
}
