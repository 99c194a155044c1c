//! IPv4 (RFC 791).

mod options;

use std::net::{IpAddr, Ipv4Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::checksum::{Sum, should_be};
use crate::ip_proto::{self, Ip};
use crate::out::{Out, Printed, bits};
use crate::put::{Hex, put};

const HEADER: usize = 20;

static FLAGS: &[(u32, &str)] = &[(0x2000, "+"), (0x4000, "DF"), (0x8000, "rsvd")];

/// How long the packet is, where its header does not say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presumed {
    /// The header says.
    No,
    /// Total length 0: segmentation was left to the device.
    Tso,
    /// The same, of more than 65535 bytes.
    BigTcp,
}

/// The fields of a header that verbose printing shows.
struct Header<'a> {
    tos: u8,
    total: usize,
    presumed: Presumed,
    id: u16,
    /// Flags and fragment offset.
    offset: u16,
    ttl: u8,
    protocol: u8,
    checksum: u16,
    /// The header's captured bytes, options included.
    bytes: &'a [u8],
    length: usize,
}

/// A packet of `length` bytes, as the layer below knows.
pub(crate) fn ip(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "ip";
    let whole = c;
    let mut c = c;
    let first = c.u8()?;
    if !p.style.link {
        put!(p, "IP ");
    }
    let header_length = usize::from(first & 15) * 4;
    if !plausible(p, first >> 4, header_length, length) {
        return Ok(());
    }
    whole.need(HEADER)?;
    let tos = c.u8()?;
    let stated = usize::from(c.u16()?);
    let Some((total, presumed)) = total_length(p, stated, header_length, length) else {
        return Ok(());
    };
    // What follows the packet, padding of short frames, is not part of it.
    let whole = whole.limit(total);
    let header = Header {
        tos,
        total,
        presumed,
        id: c.u16()?,
        offset: c.u16()?,
        ttl: c.u8()?,
        protocol: c.u8()?,
        checksum: c.u16()?,
        bytes: whole.limit(header_length).rest(),
        length: header_length,
    };
    let src = IpAddr::from(Ipv4Addr::from(c.u32()?));
    let dst = IpAddr::from(Ipv4Addr::from(c.u32()?));
    let options_whole = !p.verbose(1) || verbose(p, &header)?;
    let there = header.bytes.len();
    if options_whole && there < header_length {
        put!(p, " [remaining caplen(", there, ") < header length(");
        put!(p, header_length, ")]");
        return Err(Truncated);
    }
    let route = Cursor::new(header.bytes.get(HEADER..).unwrap_or_default());
    let ip = Ip {
        src,
        dst,
        ttl: header.ttl,
        last_dst: options::last_hop(route).map_or(dst, IpAddr::from),
        fragment: header.offset & 0x3fff != 0,
        addresses_shown: false,
    };
    if !options_whole {
        ip_proto::addresses(p, &ip);
        return Err(Truncated);
    }
    let mut payload = whole;
    payload.skip(header_length)?;
    let left = total.min(length).saturating_sub(header_length);
    // Link layers that it carries are none of the packet's own.
    let link_len = p.link_len;
    let printed = body(p, &header, &ip, Cursor::new(payload.rest()), left);
    p.link_len = link_len;
    printed
}

/// Whether version and lengths can be those of a packet; says what is wrong if not.
fn plausible(p: &mut Out<'_>, version: u8, header_length: usize, length: usize) -> bool {
    if version != 4 {
        put!(p, " [version ", version, " != 4]");
    } else if length < HEADER {
        put!(p, " [length ", length, " < ", HEADER, "]");
    } else if header_length < HEADER {
        put!(p, " [header length ", header_length, " < ", HEADER, "]");
    } else {
        return true;
    }
    p.invalid();
    false
}

/// The packet's length, and where it was guessed why; `None` if the header does not fit in it.
fn total_length(
    p: &mut Out<'_>,
    stated: usize,
    header_length: usize,
    length: usize,
) -> Option<(usize, Presumed)> {
    let (total, presumed) = match stated {
        0 if length > 65535 => (length, Presumed::BigTcp),
        0 => (length, Presumed::Tso),
        _ => (stated, Presumed::No),
    };
    if total > length {
        put!(p, "[total length ", total, " > length ", length, "]");
        p.invalid();
        put!(p, " ");
    }
    if total < header_length {
        put!(p, " [total length ", total, " < header length ");
        put!(p, header_length, "]");
        p.invalid();
        return None;
    }
    Some((total, presumed))
}

/// What the packet carries.
fn body(p: &mut Out<'_>, header: &Header<'_>, ip: &Ip, c: Cursor<'_>, left: usize) -> Printed {
    if header.offset & 0x1fff != 0 {
        // Only the first fragment has the header of the protocol inside.
        ip_proto::addresses(p, ip);
        p.ip_protocol(header.protocol);
        return Ok(());
    }
    if !ip_proto::has_ports(header.protocol) {
        ip_proto::addresses(p, ip);
    }
    ip_proto::payload(p, header.protocol, c, left, ip)
}

/// The line of `-v` that stands before the addresses; `false` if an option is cut.
fn verbose(p: &mut Out<'_>, header: &Header<'_>) -> Result<bool, Truncated> {
    let mut options_whole = true;
    put!(p, "(tos 0x", Hex(header.tos));
    match header.tos & 3 {
        1 => put!(p, ",ECT(1)"),
        2 => put!(p, ",ECT(0)"),
        3 => put!(p, ",CE"),
        _ => {}
    }
    if header.ttl > 0 {
        put!(p, ", ttl ", header.ttl);
    }
    put!(
        p,
        ", id ",
        header.id,
        ", offset ",
        (header.offset & 0x1fff) * 8,
        ", flags ["
    );
    bits(p, FLAGS, u32::from(header.offset), ", ", "none");
    let name = ip_proto::name(header.protocol).unwrap_or("unknown");
    put!(
        p,
        "], proto ",
        name,
        " (",
        header.protocol,
        "), length ",
        header.total
    );
    match header.presumed {
        Presumed::No => {}
        Presumed::Tso => put!(p, " [was 0, presumed TSO]"),
        Presumed::BigTcp => put!(p, " [was 0, presumed BIG TCP]"),
    }
    if header.length > HEADER {
        put!(p, ", options (");
        let mut c = Cursor::new(header.bytes);
        c.skip(HEADER)?;
        options_whole = options::options(p, c, header.length - HEADER)?;
        put!(p, ")");
    }
    if !p.style.no_checksums && header.bytes.len() == header.length {
        let residue = Sum::default().add(header.bytes).finish();
        if residue != 0 {
            let right = should_be(header.checksum, residue);
            put!(
                p,
                ", bad cksum ",
                Hex(header.checksum),
                " (->",
                Hex(right),
                ")!"
            );
        }
    }
    put!(p, if p.style.one_line { ") " } else { ")\n    " });
    Ok(options_whole)
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn fragments_and_what_is_inside() {
        for (packet, expected) in [
            (
                "4500001f00012000401146cb0a0000010a00000200010002000b2770616263",
                "IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "4500001f000120b9401146120a0000010a00000200010002000b2770616263",
                "IP 10.0.0.1 > 10.0.0.2: ip-proto-17\n",
            ),
            (
                "4500001f000100b94006661d0a0000010a00000200010002000b2770616263",
                "IP 10.0.0.1 > 10.0.0.2: ip-proto-6\n",
            ),
            (
                "450000180001000040f065f30a0000010a00000261626364",
                "IP 10.0.0.1 > 10.0.0.2:  ip-proto-240 4\n",
            ),
            (
                "4500003500010000400466c20a0000010a0000024500002100010000401166c90a0000010a0000029c40829a000d892468656c6c6f",
                "IP 10.0.0.1 > 10.0.0.2: IP 10.0.0.1.40000 > 10.0.0.2.33434: UDP, length 5\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(0), expected);
        }
    }

    #[test]
    fn fields_with_v() {
        for (packet, expected) in [
            (
                "4501001f00010000401166ca0a0000010a00000200010002000b2770616263",
                "IP (tos 0x1,ECT(1), ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 31)\n    10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "4503001f00010000401166c80a0000010a00000200010002000b2770616263",
                "IP (tos 0x3,CE, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 31)\n    10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "4500001f000100000011a6cb0a0000010a00000200010002000b2770616263",
                "IP (tos 0x0, id 1, offset 0, flags [none], proto UDP (17), length 31)\n    10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "4500001f00010000401100050a0000010a00000200010002000b2770616263",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 31, bad cksum 5 (->66cb)!)\n    10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(1), expected);
        }
    }
}
