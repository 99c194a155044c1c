//! Virtual router redundancy, versions 2 and 3 (RFC 3768, RFC 5798).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::PacketType;
use crate::carp;
use crate::checksum::Sum;
use crate::ip_proto::{self, Ip};
use crate::out::{Out, Printed, named};
use crate::put::{Hex, Visible, put};

static AUTHENTICATIONS: &[(u8, &str)] = &[(0, "none"), (1, "simple"), (2, "ah")];

/// An advertisement of `length` bytes, or CARP's, which has the same number over IPv4.
pub(crate) fn vrrp_or_carp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    if p.style.packet_type == Some(PacketType::Carp) && ip.src.is_ipv4() {
        return carp::carp(p, c, length, ip);
    }
    vrrp(p, c, length, ip)
}

fn vrrp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    p.protocol = "vrrp";
    let whole = c;
    let mut c = c;
    put!(p, "VRRP");
    let first = c.u8()?;
    let (version, kind) = (first >> 4, first & 15);
    put!(p, "v", version, ", ");
    match kind {
        1 => put!(p, "Advertisement"),
        other => put!(p, "unknown type (", other, ")"),
    }
    if ip.ttl != 255 {
        put!(p, ", (ttl ", ip.ttl, ")");
    }
    if !matches!(version, 2 | 3) || kind != 1 {
        return Ok(());
    }
    put!(p, ", vrid ", c.u8()?, ", prio ", c.u8()?);
    let count = c.u8()?;
    let authentication = if version == 2 {
        let kind = c.u8()?;
        put!(p, ", authtype ", named(AUTHENTICATIONS, kind, "unknown"));
        put!(p, ", intvl ", c.u8()?, "s, length ", length);
        kind
    } else {
        put!(p, ", intvl ", c.u16()? & 0xfff, "cs, length ", length);
        0
    };
    if !p.verbose(1) {
        return Ok(());
    }
    checksum(p, whole, length, version, ip)?;
    put!(p, ", addrs");
    if count != 1 {
        put!(p, "(", count, ")");
    }
    put!(p, ":");
    c.skip(2)?;
    for n in 0..count {
        let addr = match ip.src {
            IpAddr::V4(_) => IpAddr::from(Ipv4Addr::from(c.u32()?)),
            IpAddr::V6(_) => IpAddr::from(Ipv6Addr::from(c.u128()?)),
        };
        put!(p, if n == 0 { " " } else { "," });
        p.addr(addr);
    }
    if authentication == 1 {
        put!(p, " auth \"");
        let text = c.rest();
        let text = text.get(..8).unwrap_or(text);
        let end = text.iter().position(|&byte| byte == 0);
        put!(
            p,
            Visible(text.get(..end.unwrap_or(text.len())).unwrap_or(text))
        );
        if end.is_none() && text.len() < 8 {
            return Err(Truncated);
        }
        put!(p, "\"");
    }
    Ok(())
}

fn checksum(p: &mut Out<'_>, c: Cursor<'_>, length: usize, version: u8, ip: &Ip) -> Printed {
    let Some(bytes) = c.rest().get(..length) else {
        return Ok(());
    };
    let sum = if version == 3 {
        Sum::pseudo(ip.src, ip.dst, ip_proto::VRRP, length)
    } else {
        Sum::default()
    };
    if sum.add(bytes).finish() != 0 {
        let mut field = c;
        field.skip(6)?;
        put!(p, ", (bad vrrp cksum ", Hex(field.u16()?), ")");
    }
    Ok(())
}
