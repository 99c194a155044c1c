//! Pragmatic general multicast (RFC 3208), in IP or in UDP.

mod option;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::PacketType;
use crate::afi;
use crate::ip_proto::{self, Ip};
use crate::out::{Out, Printed};
use crate::put::{HexFull, put};
use crate::zmtp1;

const HEADER: usize = 16;
const OPTIONS_PRESENT: u8 = 1;

const ODATA: u8 = 4;
const RDATA: u8 = 5;

/// A packet of `length` bytes in IP.
pub(crate) fn pgm(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    packet(p, c, length, Some(ip))
}

/// A packet in a datagram, as `-T` asked for.
pub(crate) fn datagram(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    packet(p, c, length, None)
}

fn packet(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: Option<&Ip>) -> Printed {
    p.protocol = "pgm";
    let whole = c;
    let mut c = c;
    let (Ok(source), Ok(destination)) = (c.u16(), c.u16()) else {
        if let Some(ip) = ip {
            ip_proto::addresses(p, ip);
        }
        // compat: no blank before the mark here.
        put!(p, "[|pgm]");
        return Ok(());
    };
    if let Some(ip) = ip {
        p.addr(ip.src);
        put!(p, ".", source, " > ");
        p.addr(ip.dst);
        put!(p, ".", destination, ": ");
    } else {
        put!(p, source, " > ", destination, ": ");
    }
    c.need(HEADER - 4)?;
    let (kind, options) = (c.u8()?, c.u8()?);
    c.skip(2)?;
    let id = c.array::<6>()?;
    put!(p, "PGM, length ", c.u16()?);
    if !p.verbose(1) {
        return Ok(());
    }
    put!(p, " 0x", crate::put::HexBytes(&id), " ");
    if !message(p, kind, &mut c)? {
        return Ok(());
    }
    if options & OPTIONS_PRESENT != 0 && !option::options(p, &mut c)? {
        return Ok(());
    }
    put!(p, " [", length, "]");
    if p.style.packet_type == Some(PacketType::PgmZmtp1) && matches!(kind, ODATA | RDATA) {
        let used = whole.remaining() - c.remaining();
        return zmtp1::datagram(p, Cursor::new(c.rest()), length.saturating_sub(used));
    }
    Ok(())
}

/// An address after its family; `None` for an unknown one.
fn address(c: &mut Cursor<'_>) -> Result<Option<IpAddr>, Truncated> {
    let family = c.u16()?;
    c.skip(2)?;
    bare(c, family)
}

fn bare(c: &mut Cursor<'_>, family: u16) -> Result<Option<IpAddr>, Truncated> {
    Ok(match family {
        afi::IPV4 => Some(Ipv4Addr::from(c.u32()?).into()),
        afi::IPV6 => Some(Ipv6Addr::from(c.u128()?).into()),
        _ => None,
    })
}

/// What stands before the options; `false` if they cannot be found.
fn message(p: &mut Out<'_>, kind: u8, c: &mut Cursor<'_>) -> Result<bool, Truncated> {
    match kind {
        0x00 => {
            let (sequence, trail, lead) = (c.u32()?, c.u32()?, c.u32()?);
            let Some(addr) = address(c)? else {
                return Err(Truncated);
            };
            put!(
                p, "SPM seq ", sequence, " trail ", trail, " lead ", lead, " nla "
            );
            p.addr(addr);
        }
        0x01 => {
            let (sequence, round) = (c.u32()?, c.u16()?);
            c.skip(2)?;
            let Some(addr) = address(c)? else {
                return Err(Truncated);
            };
            put!(p, "POLL seq ", sequence, " round ", round, " nla ");
            p.addr(addr);
            put!(p, " ivl ", c.u32()?, " rnd 0x", HexFull(c.u32()?));
            put!(p, " mask 0x", HexFull(c.u32()?));
        }
        0x02 => {
            let (sequence, round) = (c.u32()?, c.u16()?);
            c.skip(2)?;
            put!(p, "POLR seq ", sequence, " round ", round);
            c.skip(8)?;
        }
        ODATA | RDATA => {
            let (sequence, trail) = (c.u32()?, c.u32()?);
            let name = if kind == ODATA { "ODATA" } else { "RDATA" };
            put!(p, name, " trail ", trail, " seq ", sequence);
        }
        0x08..=0x0a => {
            let sequence = c.u32()?;
            let (Some(source), Some(group)) = (address(c)?, address(c)?) else {
                return Err(Truncated);
            };
            let name = match kind {
                0x08 => "NAK ",
                0x09 => "NNAK ",
                _ => "NCF ",
            };
            put!(p, name, "(");
            p.addr(source);
            put!(p, " -> ");
            p.addr(group);
            put!(p, "), seq ", sequence);
        }
        0x0b => {
            put!(p, "ACK seq ", c.u32()?);
            c.skip(4)?;
        }
        0x0c => put!(p, "SPMR"),
        other => put!(p, "UNKNOWN type 0x", HexFull(other)),
    }
    Ok(true)
}
