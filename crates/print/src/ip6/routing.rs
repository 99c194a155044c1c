//! Routing headers: type 0 (RFC 2460, deprecated by RFC 5095), type 2 (RFC 6275), segment
//! routing (RFC 8754).

use std::net::{IpAddr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use super::hex;
use crate::ip_proto::Ip;
use crate::out::Out;
use crate::put::{HexBytes, HexFull, put};

const SOURCE: u8 = 0;
const MOBILITY: u8 = 2;
const SEGMENT: u8 = 4;

/// The next header, or `None` if nothing after this header can be trusted. The last address of
/// the route becomes what checksums are made with.
pub(super) fn routing(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    ip: &mut Ip,
) -> Result<Option<u8>, Truncated> {
    p.protocol = "rt6";
    put!(p, "RT6");
    let next = c.u8()?;
    let units = c.u8()?;
    let kind = c.u8()?;
    let segments = c.u8()?;
    let name = if kind == SOURCE { " [Deprecated]" } else { "" };
    put!(p, " (len=", units, ", type=", kind, name);
    put!(p, ", segleft=", segments);
    let size = usize::from(units) * 8;
    let end = match kind {
        SOURCE | MOBILITY => source_route(p, c, size)?,
        SEGMENT => segment_list(p, c, size)?,
        _ => {
            put!(p, " (unknown type)");
            None
        }
    };
    let Some(end) = end else {
        p.invalid();
        return Ok(None);
    };
    put!(p, ") ");
    if segments > 0 {
        ip.last_dst = end.unwrap_or(ip.last_dst);
    }
    Ok(Some(next))
}

/// Where the route ends, if it has an address; the outer `None` stands for an invalid header,
/// of which the reason is printed.
type End = Option<Option<IpAddr>>;

fn source_route(p: &mut Out<'_>, c: &mut Cursor<'_>, size: usize) -> Result<End, Truncated> {
    let reserved = c.u32()?;
    if reserved != 0 || p.verbose(1) {
        put!(p, ", rsv=");
        hex(p, reserved);
    }
    if !size.is_multiple_of(16) {
        put!(p, " (invalid length ", size / 8, ")");
        return Ok(None);
    }
    let mut route = *c;
    let (_, last) = addresses(p, &mut route, size / 16)?;
    c.skip(size)?;
    Ok(Some(last))
}

fn segment_list(p: &mut Out<'_>, c: &mut Cursor<'_>, size: usize) -> Result<End, Truncated> {
    let last_entry = c.u8()?;
    put!(p, ", last-entry=", last_entry);
    let flags = c.u8()?;
    if flags != 0 || p.verbose(1) {
        put!(p, ", flags=");
        hex(p, u32::from(flags));
    }
    let tag = c.u16()?;
    put!(p, ", tag=");
    if tag == 0 {
        put!(p, "0");
    } else {
        hex(p, u32::from(tag));
    }
    let count = usize::from(last_entry) + 1;
    let mut route = c.sub(size)?;
    if count * 16 > size {
        put!(p, " (invalid last-entry ", last_entry, ")");
        return Ok(None);
    }
    let (first, _) = addresses(p, &mut route, count)?;
    values(p, &mut route)?;
    Ok(Some(first))
}

/// `[0]a, [1]b`; returns the first and the last. A source route leads to the last, a segment
/// list is written backwards.
fn addresses(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    count: usize,
) -> Result<(Option<IpAddr>, Option<IpAddr>), Truncated> {
    let (mut first, mut last) = (None, None);
    for n in 0..count {
        let address = IpAddr::from(Ipv6Addr::from(c.u128()?));
        put!(p, ", [", n, "]");
        p.addr(address);
        first = first.or(Some(address));
        last = Some(address);
    }
    Ok((first, last))
}

/// What may follow the segments (RFC 8754 section 2.1).
fn values(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Truncated> {
    while !c.is_empty() {
        let kind = c.u8()?;
        let name = match kind {
            0 => "Pad1",
            4 => "PadN",
            5 => "HMAC",
            _ => "Unknown",
        };
        put!(p, ", TLV-type=", name, "(", kind, ")");
        if kind == 0 {
            continue;
        }
        let size = c.u8()?;
        put!(p, ", TLV-len=", size);
        if usize::from(size) > c.remaining() {
            put!(
                p,
                " [remaining tlv length ",
                c.remaining(),
                " < ",
                size,
                "]"
            );
            p.invalid();
            return Ok(());
        }
        if kind == 5 {
            // compat: tcpdump takes the length for that of the HMAC alone.
            let flags = c.u16()?;
            put!(
                p,
                ", D=",
                flags >> 15,
                ", HMAC-key-ID=0x",
                HexFull(c.u32()?)
            );
            put!(p, ", HMAC=0x", HexBytes(c.take(usize::from(size))?));
        } else {
            c.skip(usize::from(size))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn each_type() {
        for (packet, expected) in [
            (
                "6000000000232b4020010db800000000000000000000000120010db8000000000000000000000002110200010000000020010db800000000000000000000000200010002000bdffd616263",
                "IP6 2001:db8::1 > 2001:db8::2: RT6 (len=2, type=0 [Deprecated], segleft=1, [0]2001:db8::2) 1 > 2: UDP, length 3\n",
            ),
            (
                "6000000000232b4020010db800000000000000000000000120010db8000000000000000000000002110202010000000020010db800000000000000000000000200010002000bdffd616263",
                "IP6 2001:db8::1 > 2001:db8::2: RT6 (len=2, type=2, segleft=1, [0]2001:db8::2) 1 > 2: UDP, length 3\n",
            ),
            (
                "6000000000232b4020010db800000000000000000000000120010db8000000000000000000000002110204010000000020010db800000000000000000000000200010002000bdffd616263",
                "IP6 2001:db8::1 > 2001:db8::2: RT6 (len=2, type=4, segleft=1, last-entry=0, tag=0, [0]2001:db8::2) 1 > 2: UDP, length 3\n",
            ),
            (
                "6000000000232b4020010db800000000000000000000000120010db8000000000000000000000002110209010000000020010db800000000000000000000000200010002000bdffd616263",
                "IP6 2001:db8::1 > 2001:db8::2: RT6 (len=2, type=9, segleft=1 (unknown type) (invalid)\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(0), expected);
        }
    }
}
