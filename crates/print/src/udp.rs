//! UDP (RFC 768).

use pktwho_wire::{Cursor, Truncated};

use crate::checksum::{Sum, should_be};
use crate::ip_proto::{self, Ip};
use crate::nfs;
use crate::out::{Out, Printed};
use crate::port::{self, Ends};
use crate::put::{HexFull, put};
use crate::{PacketType, Transport, sunrpc};

const HEADER: usize = 8;

/// A datagram; `length` is what IP leaves for it.
pub(crate) fn udp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    p.protocol = "udp";
    let whole = c;
    let mut c = c;
    let (Ok(source), Ok(destination)) = (c.u16(), c.u16()) else {
        if !ip.addresses_shown {
            ip_proto::addresses(p, ip);
        }
        return Err(Truncated);
    };
    if p.style.packet_type == Some(PacketType::Rpc)
        && let Some((payload, inner)) = payload_of(whole, length)
    {
        return sunrpc::datagram(p, payload, inner, ip);
    }
    ends(p, Transport::Udp, source, destination, ip);
    if length < HEADER {
        put!(p, "truncated-udp ", length);
        return Ok(());
    }
    let stated = usize::from(c.u16()?);
    let mut left = length;
    if stated < HEADER {
        // A jumbogram's length does not fit (RFC 2675 section 4), nor does that of a packet that
        // a device is to cut.
        if stated != 0 || length <= 65535 {
            put!(p, "truncated-udplength ", stated);
            return Ok(());
        }
    } else {
        left = left.min(stated);
    }
    let checksum = c.u16()?;
    // compat: a printer inside may read on to the end of the packet around.
    let beyond = whole;
    let whole = whole.limit(left);
    let mut payload = beyond;
    payload.skip(HEADER)?;
    let payload = Cursor::new(payload.rest());
    let inner = left - HEADER;
    let print = match p.style.packet_type {
        Some(kind) => port::udp_as(kind),
        None if p.style.quiet => None,
        None => port::udp(source, destination),
    };
    let ends = Ends::new(ip, source, destination);
    let asked = p.style.quiet || p.style.packet_type.is_some();
    if !asked && nfs::is_message(ends, payload) {
        // compat: of these tcpdump does not verify the checksum (4.99.3).
        p.ends = Some(ends);
        return p.deeper(|p| nfs::datagram(p, payload, inner));
    }
    // compat: with -T tcpdump does not verify it (4.99.3).
    if p.style.packet_type.is_none() {
        verify(p, whole.rest(), left, checksum, ip);
    }
    if let Some(print) = print {
        p.ends = Some(ends);
        return p.deeper(|p| print(p, payload, inner));
    }
    if stated > length {
        put!(p, "UDP, bad length ", stated - HEADER, " > ", inner);
    } else {
        put!(p, "UDP, length ", inner);
    }
    Ok(())
}

/// What follows a header that is whole and says a length that can be, and how long it is.
fn payload_of(datagram: Cursor<'_>, length: usize) -> Option<(Cursor<'_>, usize)> {
    let mut c = datagram;
    c.skip(4).ok()?;
    let stated = match c.u16().ok()? {
        0 if length > 65535 => length,
        stated => length.min(usize::from(stated)),
    };
    c.skip(2).ok()?;
    Some((Cursor::new(c.rest()), stated.checked_sub(HEADER)?))
}

/// `10.0.0.1.53 > 10.0.0.2.4321: `, or the ports alone where the addresses are shown already.
pub(crate) fn ends(p: &mut Out<'_>, transport: Transport, source: u16, destination: u16, ip: &Ip) {
    if !ip.addresses_shown {
        p.addr(ip.src);
        put!(p, ".");
    }
    p.port(transport, source);
    put!(p, " > ");
    if !ip.addresses_shown {
        p.addr(ip.dst);
        put!(p, ".");
    }
    p.port(transport, destination);
    put!(p, ": ");
}

/// Says whether the checksum is right, if it was captured whole. IPv4 needs `-vv` for it.
fn verify(p: &mut Out<'_>, datagram: &[u8], length: usize, found: u16, ip: &Ip) {
    let v4 = ip.src.is_ipv4();
    if !p.verbose(if v4 { 2 } else { 1 }) || p.style.no_checksums || ip.fragment {
        return;
    }
    if found == 0 && v4 {
        return put!(p, "[no cksum] ");
    }
    if datagram.len() < length {
        return;
    }
    let residue = Sum::pseudo(ip.src, ip.last_dst, ip_proto::UDP, length)
        .add(datagram)
        .finish();
    if residue == 0 {
        put!(p, "[udp sum ok] ");
    } else {
        let right = should_be(found, residue);
        put!(
            p,
            "[bad udp cksum 0x",
            HexFull(found),
            " -> 0x",
            HexFull(right),
            "!] "
        );
    }
}
