//! Next hop resolution (RFC 2332) and the traffic indication of its shortcuts.

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::afi;
use crate::ethertype;
use crate::out::{Out, Printed, lookup};
use crate::put::{HexBytes, HexFull, put};

static MESSAGES: &[(u8, &str)] = &[
    (1, "res request"),
    (2, "res reply"),
    (3, "reg request"),
    (4, "reg reply"),
    (5, "purge request"),
    (6, "purge reply"),
    (ERROR, "error indication"),
    (TRAFFIC, "traffic indication"),
];

const ERROR: u8 = 7;
const TRAFFIC: u8 = 8;

/// RFC 2332 section 5.2.7.
static ERRORS: &[(u16, &str)] = &[
    (1, "unrecognized extension"),
    (3, "NHRP loop detected"),
    (6, "protocol address unreachable"),
    (7, "protocol error"),
    (8, "NHRP SDU size exceeded"),
    (9, "invalid extension"),
    (10, "invalid NHRP resolution reply received"),
    (11, "authentication failure"),
    (15, "hop count exceeded"),
];

const FIXED: usize = 20;
const ENTRY: usize = 12;
/// Lengths of addresses stand in six bits.
const LENGTH: u8 = 0x3f;

/// A message of `length` bytes.
pub(crate) fn nhrp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "nhrp";
    put!(p, "NHRP: ");
    let mut c = c;
    if length < FIXED {
        put!(p, "[length ", length, " < ", FIXED, "]");
        p.invalid();
        return Ok(());
    }
    let (family, protocol) = (c.u16()?, c.u16()?);
    c.skip(5)?;
    let hops = c.u8()?;
    c.skip(4)?;
    let extensions = usize::from(c.u16()?);
    let version = c.u8()?;
    let kind = c.u8()?;
    let (nbma, sub) = (c.u8()? & LENGTH, c.u8()? & LENGTH);
    if version != 1 {
        put!(p, "unknown-version-", HexFull(version), ", ");
        return Ok(());
    }
    match lookup(MESSAGES, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "unknown-op-", HexFull(kind)),
    }
    let end = if extensions == 0 {
        length
    } else {
        extensions.min(length)
    };
    let mut c = c.limit(end.saturating_sub(FIXED));
    let (source, destination) = (c.u8()?, c.u8()?);
    c.skip(2)?;
    if kind == ERROR || kind == TRAFFIC {
        let code = c.u16()?;
        c.skip(2)?;
        put!(p, ", code ");
        match (kind, code) {
            (TRAFFIC, 0) => put!(p, "<NHRP traffic redirect/indirection>"),
            (ERROR, code) if lookup(ERRORS, code).is_some() => {
                put!(p, "<", lookup(ERRORS, code).unwrap_or_default(), ">");
            }
            (_, code) => put!(p, code),
        }
    } else {
        put!(p, ", id ", c.u32()?);
    }
    put!(p, ", hopcnt ", hops);
    if nbma > 0 {
        let addr = c.take(usize::from(nbma))?;
        put!(p, ", ");
        nbma_address(p, family, "src nbma ", addr);
    }
    c.skip(usize::from(sub))?;
    put!(p, ", ");
    if !known(protocol) {
        put!(p, "proto type ", HexFull(protocol), " ");
    }
    protocol_address(p, protocol, c.take(usize::from(source))?);
    put!(p, " -> ");
    protocol_address(p, protocol, c.take(usize::from(destination))?);
    if kind == ERROR || kind == TRAFFIC {
        return Ok(());
    }
    let total = end - FIXED;
    let mut left = total.saturating_sub(
        8 + usize::from(nbma) + usize::from(sub) + usize::from(source) + usize::from(destination),
    );
    while left > 0 {
        if left < ENTRY {
            put!(
                p,
                " [remaining mandatory part length ",
                left,
                " < ",
                ENTRY,
                "]"
            );
            p.invalid();
            return Ok(());
        }
        let used = entry(p, &mut c, family, protocol)?;
        left = left.saturating_sub(used);
    }
    Ok(())
}

/// What is said of a client; the number of bytes.
fn entry(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    family: u16,
    protocol: u16,
) -> Result<usize, Truncated> {
    let (code, width) = (c.u8()?, c.u8()?);
    c.skip(2)?;
    let (mtu, hold) = (c.u16()?, c.u16()?);
    let (nbma, sub, client, preference) = (c.u8()? & LENGTH, c.u8()? & LENGTH, c.u8()?, c.u8()?);
    put!(
        p, " (code ", code, ", pl ", width, ", mtu ", mtu, ", htime ", hold
    );
    put!(p, ", pref ", preference);
    if nbma > 0 {
        let addr = c.take(usize::from(nbma))?;
        put!(p, ", ");
        nbma_address(p, family, "nbma ", addr);
    }
    c.skip(usize::from(sub))?;
    if client > 0 {
        put!(p, ", proto ");
        protocol_address(p, protocol, c.take(usize::from(client))?);
    }
    put!(p, ")");
    Ok(ENTRY + usize::from(nbma) + usize::from(sub) + usize::from(client))
}

/// An address of the network below; `name` stands before those that are understood.
fn nbma_address(p: &mut Out<'_>, family: u16, name: &str, addr: &[u8]) {
    match (family, addr.len()) {
        (afi::IPV4, 4) | (afi::IPV6, 16) => {
            put!(p, name);
            ip(p, addr);
        }
        _ => {
            put!(p, "unknown-nbma-addr-family-", HexFull(family));
            put!(p, " (", HexBytes(addr), ")");
        }
    }
}

fn known(protocol: u16) -> bool {
    matches!(protocol, ethertype::IPV4 | ethertype::IPV6)
}

fn protocol_address(p: &mut Out<'_>, protocol: u16, addr: &[u8]) {
    if known(protocol) && matches!(addr.len(), 4 | 16) {
        ip(p, addr);
    } else {
        put!(p, HexBytes(addr));
    }
}

fn ip(p: &mut Out<'_>, addr: &[u8]) {
    if let Ok(addr) = <[u8; 4]>::try_from(addr) {
        p.addr(Ipv4Addr::from(addr));
    } else if let Ok(addr) = <[u8; 16]>::try_from(addr) {
        p.addr(Ipv6Addr::from(addr));
    }
}
