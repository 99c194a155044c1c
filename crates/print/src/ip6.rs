//! IPv6 (RFC 8200), jumbograms (RFC 2675).

mod options;
mod routing;

use std::net::{IpAddr, Ipv6Addr};

use pktwho_wire::Cursor;

use crate::ip_proto::{self, Ip};
use crate::mobility;
use crate::out::{Out, Printed};
use crate::put::{Hex, HexZeros, put};

const HEADER: usize = 40;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION: u8 = 60;

/// A packet of `length` bytes, as the layer below knows.
pub(crate) fn ip6(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "ip6";
    let whole = c;
    let mut c = c;
    let mut peek = c;
    if !p.style.link {
        put!(p, "IP6 ");
    }
    let version = peek.u8()? >> 4;
    if version != 6 {
        put!(p, " [version ", version, " != 6]");
        p.invalid();
        return Ok(());
    }
    if length < HEADER {
        put!(p, " [length ", length, " < ", HEADER, "]");
        p.invalid();
        return Ok(());
    }
    whole.need(HEADER)?;
    let first = c.u32()?;
    let stated = usize::from(c.u16()?);
    let next = c.u8()?;
    let hops = c.u8()?;
    let src = IpAddr::from(Ipv6Addr::from(c.u128()?));
    let dst = IpAddr::from(Ipv6Addr::from(c.u128()?));
    // A payload of 0 is a jumbogram, or one so big that nobody could state it.
    let jumbo = stated == 0 && next == HOP_BY_HOP;
    let big = stated == 0 && !jumbo && length > 65535 + HEADER;
    let mut payload = stated;
    if jumbo || big {
        payload = length - HEADER;
    } else if length < stated + HEADER {
        put!(
            p,
            "[header+payload length ",
            stated + HEADER,
            " > length ",
            length,
            "]"
        );
        p.invalid();
        put!(p, " ");
        payload = length - HEADER;
    }
    if p.verbose(1) {
        verbose(p, first, next, hops, stated);
        if big {
            put!(p, "[real length ", length, ", presumed BIG TCP] ");
        }
    }
    let mut body = whole;
    body.skip(HEADER)?;
    let mut ip = Ip {
        src,
        dst,
        ttl: hops,
        last_dst: dst,
        fragment: false,
        addresses_shown: false,
    };
    if !ip_proto::has_ports(next) {
        ip_proto::addresses(p, &ip);
        ip.addresses_shown = true;
    }
    // compat: tcpdump 5 reads a fragment header beyond a payload length of 0.
    let limit = if payload == 0 && next == FRAGMENT {
        usize::MAX
    } else {
        payload
    };
    let body = Cursor::new(body.limit(limit).rest());
    // Link layers that it carries are none of the packet's own.
    let link_len = p.link_len;
    let printed = chain(p, body, payload, next, &mut ip, jumbo);
    p.link_len = link_len;
    printed
}

/// The parentheses of `-v`.
fn verbose(p: &mut Out<'_>, first: u32, next: u8, hops: u8, payload: usize) {
    put!(p, "(");
    match first >> 20 & 0xff {
        0 => {}
        class => put!(p, "class 0x", HexZeros(class, 2), ", "),
    }
    match first & 0xf_ffff {
        0 => {}
        label => put!(p, "flowlabel 0x", HexZeros(label, 5), ", "),
    }
    let name = ip_proto::name(next).unwrap_or("unknown");
    put!(
        p,
        "hlim ",
        hops,
        ", next-header ",
        name,
        " (",
        next,
        "), payload length ",
        payload,
        ") "
    );
}

/// Extension headers, then the payload.
fn chain(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    length: usize,
    next: u8,
    ip: &mut Ip,
    jumbo: bool,
) -> Printed {
    let mut left = length;
    let mut next = next;
    let mut expect_jumbo = jumbo;
    let mut place = Place::First;
    loop {
        let before = c.remaining();
        match next {
            HOP_BY_HOP if misplaced(p, &mut place) => return Ok(()),
            HOP_BY_HOP => {
                let options = options::hop_by_hop(p, &mut c, left, expect_jumbo)?;
                let Some(following) = options.next else {
                    return Ok(());
                };
                next = following;
                if let Some(stated) = options.jumbo.filter(|_| expect_jumbo) {
                    expect_jumbo = false;
                    let there = length;
                    if stated > there {
                        put!(p, "[header+payload length ", stated + HEADER, " > length ");
                        put!(p, there + HEADER, "]");
                        p.invalid();
                        put!(p, " ");
                    }
                    left = stated;
                }
            }
            DESTINATION => match options::destination(p, &mut c, left)? {
                Some(following) => next = following,
                None => return Ok(()),
            },
            ROUTING => match routing::routing(p, &mut c, ip)? {
                Some(following) => next = following,
                None => return Ok(()),
            },
            FRAGMENT => match fragment(p, &mut c, left, ip)? {
                Some(following) => next = following,
                None => return Ok(()),
            },
            62 | 135 => return mobility::mobility(p, c),
            _ => return ip_proto::payload(p, next, Cursor::new(c.rest()), left, ip),
        }
        if place == Place::First {
            place = Place::Later;
        }
        let used = before - c.remaining();
        left = left.saturating_sub(used);
        if used == 0 {
            return Ok(());
        }
    }
}

/// What came before an extension header, as far as hop-by-hop options care.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    AfterHopByHop,
    Later,
}

/// Hop-by-hop options stand right behind the IPv6 header, and once (RFC 8200 section 4.1); says so
/// if these do not.
fn misplaced(p: &mut Out<'_>, place: &mut Place) -> bool {
    let fault = match place {
        Place::First => {
            *place = Place::AfterHopByHop;
            return false;
        }
        Place::AfterHopByHop => "was already found",
        Place::Later => "don't follow the IPv6 header",
    };
    put!(p, "[The Hop-by-Hop Options header ", fault, "]");
    p.invalid();
    true
}

/// The next header, unless this is not the first fragment.
fn fragment(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    length: usize,
    ip: &mut Ip,
) -> Result<Option<u8>, pktwho_wire::Truncated> {
    p.protocol = "frag6";
    put!(p, "frag (");
    let next = c.u8()?;
    c.skip(1)?;
    let offset = c.u16()?;
    let id = c.u32()?;
    if p.verbose(1) {
        put!(p, "0x", crate::put::HexFull(id), ":");
    }
    put!(p, offset & !7, "|");
    let Some(size) = length.checked_sub(8) else {
        put!(p, "[length < 0]");
        p.invalid();
        put!(p, ")");
        return Ok(None);
    };
    put!(p, size, ")");
    ip.fragment = true;
    if offset & !7 != 0 {
        return Ok(None);
    }
    put!(p, " ");
    Ok(Some(next))
}

/// `0x` and the digits a value needs.
fn hex(p: &mut Out<'_>, value: u32) {
    put!(p, "0x", Hex(value));
}
