//! Cards that do something to packets: encrypt, account, watch, or pass them to a telephone network.

use std::net::Ipv4Addr;

use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, put};
use crate::{ip, ip6};

use super::{Inside, guessed};

/// Bytes of header of the last two kinds.
const SERVICE: usize = 8;

static ASSOCIATIONS: &[(u8, &str)] = &[
    (1, "ESP ENCR-AUTH"),
    (2, "ESP ENCR-AH AUTH"),
    (3, "ESP AUTH"),
    (4, "AH AUTH"),
    (5, "ESP ENCR"),
];

/// What went through an encrypting card.
pub(super) fn encryption(p: &mut Out<'_>, inside: &Inside<'_>) -> Printed {
    /// A header as long as the cards that only authenticate or only encrypt write it.
    const LONG: usize = 16;
    let mut c = inside.c;
    c.need(LONG)?;
    let (index, ttl, kind) = (c.u16()?, c.u8()?, c.u8()?);
    let Some(name) = lookup(ASSOCIATIONS, kind) else {
        put!(p, "ES Invalid type ", kind, ", length ", inside.length);
        return Ok(());
    };
    let short = kind < 3;
    let (c, length) = inside.later(if short { 0 } else { LONG })?;
    if p.style.link {
        put!(p, "ES SA, index ", index, ", ttl ", ttl);
        put!(p, " type ", name, " (", kind, ")");
        if !short {
            let mut ends = inside.c;
            ends.skip(4)?;
            let (spi, source, destination) = (ends.u32()?, ends.u32()?, ends.u32()?);
            put!(p, ", spi ", spi, ", Tunnel ");
            p.addr(Ipv4Addr::from(source));
            put!(p, " > ");
            p.addr(Ipv4Addr::from(destination));
        }
        put!(p, ", length ", length, "\n");
    }
    p.deeper(|p| ip::ip(p, c, length))
}

/// A gateway of GPRS: protocol and VLAN stand in the cookie.
pub(super) fn gateway(p: &mut Out<'_>, inside: &Inside<'_>) -> Printed {
    let &[_, _, protocol, _, high, low, ..] = inside.cookie else {
        return Ok(());
    };
    let name = match protocol {
        1 => "Null",
        2 => "IPv4",
        6 => "IPv6",
        _ => "Unknown",
    };
    if p.style.link {
        let vlan = u16::from_be_bytes([high, low]);
        put!(p, "proto ", name, " (", protocol, "), vlan ", vlan, ": ");
    }
    let (c, length) = (inside.c, inside.length);
    match protocol {
        2 => p.deeper(|p| ip::ip(p, c, length)),
        6 => p.deeper(|p| ip6::ip6(p, c, length)),
        _ => {
            if !p.style.link {
                put!(p, "unknown GGSN proto (", protocol, ")");
            }
            Ok(())
        }
    }
}

/// Services (accounting, stateful firewalls, translation).
///
/// compat: their header and the packet begin at the same byte (4.99.3).
pub(super) fn service(p: &mut Out<'_>, inside: &Inside<'_>) -> Printed {
    inside.c.need(SERVICE)?;
    if p.style.link {
        let mut c = inside.c;
        let (id, flags, set) = (c.u8()?, c.u8()?, c.u16()?);
        c.skip(1)?;
        let iface = c.u24()?;
        put!(p, "service-id ", id, " flags 0x", HexFull(flags));
        put!(p, " service-set-id 0x", HexFull(set), " iif ", iface, ": ");
    }
    guessed(p, inside.c, inside.length).map(drop)
}

pub(super) fn monitoring(p: &mut Out<'_>, inside: &Inside<'_>) -> Printed {
    inside.c.need(SERVICE)?;
    if p.style.link {
        let mut c = inside.c;
        let (kind, _, iface, service) = (c.u8()?, c.u8()?, c.u16()?, c.u32()?);
        put!(
            p,
            "service-id ",
            service,
            ", iif ",
            iface,
            ", pkt-type ",
            kind,
            ": "
        );
    }
    guessed(p, inside.c, inside.length).map(drop)
}
