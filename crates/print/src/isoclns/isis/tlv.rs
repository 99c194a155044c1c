//! The variable part: type, length, value.

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use super::{Id, capability, reach, table};
use crate::hexdump;
use crate::nlpid;
use crate::nsap::nsap;
use crate::out::{Out, Printed, bits, lookup, named};
use crate::put::{HexBytes, HexFull, Padded, Visible, put};

/// `length` bytes of them, as the message says, of `there` that were sent.
pub(super) fn tlvs(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, there: usize) -> Printed {
    let whole = c;
    let mut left = length;
    while left > 0 {
        if c.position() - whole.position() == there {
            return Ok(());
        }
        c.need(2)?;
        if left < 2 {
            put!(p, "\n\t\t packet length ", left);
            p.invalid();
            return Ok(());
        }
        let (kind, size) = (c.u8()?, usize::from(c.u8()?));
        left -= 2;
        let name = named(table::TLVS, kind, "unknown");
        put!(p, "\n\t    ", name, " TLV #", kind, ", length: ", size);
        if size > left {
            return Err(Truncated);
        }
        if size == 0 {
            continue;
        }
        let beyond = c;
        // Where the capture ends within, what is there is shown.
        let value = Cursor::new(c.limit(size).rest());
        let printed = if kind == 240 {
            adjacency(p, value, beyond)
        } else {
            tlv(p, kind, size, value, beyond)
        };
        // A value that was captured but is too short for its kind is passed over.
        if value.remaining() < size || MARKED.contains(&kind) {
            printed?;
        }
        if matches!(kind, 128 | 130) && size % 12 != 0 {
            return Ok(());
        }
        if p.verbose(2) {
            hexdump::hex(p, "\n\t      ", value.rest());
        }
        left -= size;
        if c.skip(size).is_err() {
            // compat: padding that ends the message is not missed.
            return if kind == 8 && left == 0 {
                Ok(())
            } else {
                Err(Truncated)
            };
        }
    }
    Ok(())
}

/// Kinds whose value is marked as cut where it is too short.
const MARKED: &[u8] = &[22, 24, 135, 222, 235, 236, 237, 240];

/// One of them; `beyond` is its value and all that follows.
fn tlv(p: &mut Out<'_>, kind: u8, size: usize, c: Cursor<'_>, beyond: Cursor<'_>) -> Printed {
    let mut c = c;
    match kind {
        1 => {
            let mut left = size;
            while left > 0 {
                let inner = usize::from(c.u8()?);
                left -= 1;
                if inner > left {
                    break;
                }
                left -= inner;
                put!(p, "\n\t      Area address (length: ", inner, "): ");
                nsap(p, c.take(inner)?);
            }
        }
        2 => reach::neighbors(p, c, size)?,
        3 => {
            while c.remaining() >= 10 {
                let metrics = c.array()?;
                put!(p, "\n\t      ES Neighbor: ", Id(c.take(6)?));
                reach::metrics(p, "\n\t\t", metrics);
            }
        }
        4 => {
            while c.remaining() >= 6 {
                put!(p, "\n\t      ", Id(c.take(6)?));
            }
        }
        5 if size < 4 => {}
        5 => prefix_neighbors(p, c)?,
        6 => each(p, c, size, "SNPA: ")?,
        7 => instance(p, c)?,
        8 => {}
        9 => {
            for _ in 0..size / 16 {
                let lifetime = c.u16()?;
                put!(p, "\n\t      lsp-id: ", Id(c.take(8)?));
                put!(p, ", seq: 0x", HexFull(c.u32()?));
                put!(p, ", lifetime: ", Padded(u64::from(lifetime), 5), "s");
                put!(p, ", chksum: 0x", HexFull(c.u16()?));
            }
        }
        10 => authentication(p, c)?,
        12 => {
            let checksum = c.u16()?;
            put!(p, "\n\t      checksum: 0x", HexFull(checksum), " ");
            put!(p, " (unverified)");
        }
        13 => purge(p, c)?,
        14 => put!(p, "\n\t      LSP Buffersize: ", c.u16()?),
        22 => {
            while !c.is_empty() {
                reach::extended(p, &mut c, kind)?;
            }
        }
        24 => reach::extended(p, &mut c, kind)?,
        222 => {
            reach::topology(p, &mut c)?;
            while !c.is_empty() {
                reach::extended(p, &mut c, kind)?;
            }
        }
        _ => return later(p, kind, size, c, beyond),
    }
    Ok(())
}

/// The types from 128 on.
fn later(p: &mut Out<'_>, kind: u8, size: usize, mut c: Cursor<'_>, beyond: Cursor<'_>) -> Printed {
    match kind {
        128 | 130 => reach::old_prefixes(p, c, size)?,
        135 | 236 => reach::prefixes(p, beyond, size, kind == 236)?,
        235 | 237 => {
            reach::topology(p, &mut c)?;
            let mut beyond = beyond;
            beyond.skip(2)?;
            reach::prefixes(p, beyond, size.saturating_sub(2), kind == 237)?;
        }
        129 => {
            put!(p, "\n\t      NLPID(s): ");
            while let Ok(id) = c.u8() {
                put!(
                    p,
                    nlpid::name(id).unwrap_or("unknown"),
                    " (0x",
                    HexFull(id),
                    ")"
                );
                put!(p, if c.is_empty() { "" } else { ", " });
            }
        }
        131 => domain(p, c)?,
        132 => {
            while c.remaining() >= 4 {
                let addr = Ipv4Addr::from(c.u32()?);
                put!(p, "\n\t      IPv4 interface address: ");
                p.addr(addr);
            }
        }
        134 => {
            let addr = Ipv4Addr::from(c.u32()?);
            put!(p, "\n\t      Traffic Engineering Router ID: ");
            p.addr(addr);
        }
        137 => put!(p, "\n\t      Hostname: ", Visible(c.rest())),
        138 => risk(p, c)?,
        143 => capability::port(p, c)?,
        144 => capability::topology(p, c)?,
        211 => restart(p, c)?,
        229 => {
            while !c.is_empty() {
                if c.remaining() == 1 {
                    put!(p, "\n\t      invalid MT-ID");
                    break;
                }
                reach::topology(p, &mut c)?;
            }
        }
        232 => {
            while !c.is_empty() {
                let addr = Ipv6Addr::from(c.u128()?);
                put!(p, "\n\t      IPv6 interface address: ");
                p.addr(addr);
            }
        }
        241 => put!(p, "\n\t      Sequence number: ", c.u32()?),
        242 => capability::router(p, c, size)?,
        250 => {
            let vendor = c.u24()?;
            put!(
                p,
                "\n\t      Vendor: ",
                crate::oui::name(vendor),
                " (",
                vendor,
                ")"
            );
            if !c.is_empty() {
                hexdump::hex(p, "\n\t\t", c.rest());
            }
        }
        _ if !p.verbose(2) => hexdump::hex(p, "\n\t\t", c.rest()),
        _ => {}
    }
    Ok(())
}

/// Identifiers of one length.
fn each(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, name: &str) -> Printed {
    let size = 6;
    for _ in 0..length / size {
        put!(p, "\n\t      ", name, Id(c.take(size)?));
    }
    Ok(())
}

fn prefix_neighbors(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    put!(p, "\n\t      Metric Block");
    reach::metrics(p, "\n\t\t", c.array()?);
    while !c.is_empty() {
        // In half bytes.
        let length = c.u8()?;
        let bytes = c.take(usize::from(length / 2))?;
        put!(p, "\n\t\tAddress: ");
        nsap(p, bytes);
        put!(p, "/", u16::from(length) * 4);
    }
    Ok(())
}

/// RFC 8202.
fn instance(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    if c.remaining() < 4 {
        return Ok(());
    }
    let id = c.u16()?;
    let topologies = c.remaining() / 2;
    let colon = if topologies > 0 { ":" } else { "" };
    put!(
        p,
        "\n\t      Instance ID: ",
        id,
        ", ITIDs(",
        topologies,
        ")",
        colon,
        " "
    );
    while c.remaining() >= 2 {
        put!(p, c.u16()?);
        put!(p, if c.remaining() >= 2 { ", " } else { "" });
    }
    Ok(())
}

fn authentication(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let kind = c.u8()?;
    put!(p, "\n\t      ");
    match lookup(table::AUTHENTICATION, kind) {
        Some(name) => put!(p, name, ": "),
        None => put!(p, "unknown Authentication type 0x", HexFull(kind), ": "),
    }
    match kind {
        1 => put!(p, Visible(c.rest())),
        54 => {
            put!(p, HexBytes(c.rest()));
            if c.remaining() != 16 {
                put!(p, ", (invalid subTLV) ");
            }
        }
        3 => {
            put!(p, c.u16()?, ", password: ");
            put!(p, HexBytes(c.rest()));
        }
        _ => hexdump::hex(p, "\n\t\t  ", c.rest()),
    }
    Ok(())
}

/// RFC 6232.
fn purge(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let count = c.u8()?;
    if count == 0 {
        put!(p, " No system IDs supplied");
        return Ok(());
    }
    if let Ok(id) = c.array::<6>() {
        put!(p, "\n\t      Purge Originator System-ID: ", Id(&id));
    }
    if count > 1
        && let Ok(id) = c.array::<6>()
    {
        put!(p, "\n\t      Received from System-ID: ", Id(&id));
    }
    Ok(())
}

fn domain(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let kind = c.u8()?;
    put!(p, "\n\t      Inter-Domain Information Type: ");
    match lookup(table::DOMAINS, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "Unknown (0x", HexFull(kind), ")"),
    }
    match kind {
        2 => put!(p, "AS Number: ", c.u16()?),
        _ => hexdump::hex(p, "\n\t      ", c.rest()),
    }
    Ok(())
}

/// Shared risk link groups (RFC 5307 section 1.4).
fn risk(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    put!(p, "\n\t      IS Neighbor: ", Id(c.take(7)?));
    let flags = c.u8()?;
    let name = if flags & 1 == 0 {
        "unnumbered"
    } else {
        "numbered"
    };
    put!(p, ", Flags: [", name, "]");
    if c.is_empty() {
        return Ok(());
    }
    for name in ["interface", "neighbor"] {
        let addr = Ipv4Addr::from(c.u32()?);
        put!(p, "\n\t      IPv4 ", name, " address: ");
        p.addr(addr);
    }
    while c.remaining() >= 4 {
        put!(p, "\n\t      Link-ID: 0x", HexFull(c.u32()?));
    }
    Ok(())
}

/// RFC 5306.
fn restart(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    put!(p, "\n\t      Flags [");
    bits(p, table::RESTART, u32::from(c.u8()?), ", ", "none");
    put!(p, "]");
    if let Ok(time) = c.u16() {
        put!(p, ", Remaining holding time ", time, "s");
    }
    if c.remaining() == 6 {
        put!(p, ", for ", Id(c.take(6)?));
    }
    Ok(())
}

/// RFC 5303.
fn adjacency(p: &mut Out<'_>, mut c: Cursor<'_>, mut beyond: Cursor<'_>) -> Printed {
    let state = c.u8()?;
    put!(
        p,
        "\n\t      Adjacency State: ",
        named(table::ADJACENCY, state, "unknown")
    );
    put!(p, " (", state, ")");
    // compat: four bytes alone are the neighbour's.
    if c.remaining() > 4 {
        put!(
            p,
            "\n\t      Extended Local circuit-ID: 0x",
            HexFull(c.u32()?)
        );
    }
    if let Ok(id) = c.array::<6>() {
        put!(p, "\n\t      Neighbor System-ID: ", Id(&id));
    }
    // compat: it is read where it stands when all is there.
    if c.remaining() >= 4 {
        beyond.skip(11)?;
        put!(p, "\n\t      Neighbor Extended Local circuit-ID: 0x");
        put!(p, HexFull(beyond.u32()?));
    }
    Ok(())
}
