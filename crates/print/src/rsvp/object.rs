//! The objects of messages, by class and type.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use super::{flow, route, table};
use crate::afi;
use crate::ethertype;
use crate::gmpls;
use crate::out::{Out, bits, named};
use crate::put::{General, Hex, HexFull, Visible, put};

/// How it went with an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Known,
    /// Its bytes are to be shown.
    Unknown,
    TooShort,
    Invalid,
}

type Result<T> = std::result::Result<T, Truncated>;

pub(super) fn v4(c: &mut Cursor<'_>) -> Result<IpAddr> {
    Ok(Ipv4Addr::from(c.u32()?).into())
}

pub(super) fn v6(c: &mut Cursor<'_>) -> Result<IpAddr> {
    Ok(Ipv6Addr::from(c.u128()?).into())
}

/// An address of a type that is 1 for IPv4 and 2 for IPv6.
fn either(c: &mut Cursor<'_>, kind: u8) -> Result<IpAddr> {
    if kind == 2 { v6(c) } else { v4(c) }
}

/// The least length of what each class and type holds.
fn least(class: u8, kind: u8) -> usize {
    match (class, kind) {
        (1, 2) => 20,
        (1, 7 | 11 | 13) => 12,
        (1, 14) => 24,
        (22, _) | (1 | 3 | 6 | 131, 1) | (10 | 11, 1 | 7) => 8,
        (10, 3) | (3 | 6 | 10 | 11, 2) => 20,
        (11, 12) => 16,
        (11, 13) => 36,
        (5 | 8 | 15 | 50 | 66 | 125 | 134 | 195 | 196, 1) => 4,
        (15 | 195 | 50, 2) => 16,
        (207, 7) => 4,
        (205, 1 | 7) => 20,
        (4, 1) => 32,
        (16 | 34 | 35 | 129, 3) => 12,
        (23 | 24, 1 | 2) => 8,
        (37, 1) => 4,
        _ => 0,
    }
}

pub(super) fn object(
    p: &mut Out<'_>,
    class: u8,
    kind: u8,
    mut c: Cursor<'_>,
    indent: &str,
) -> Result<Done> {
    if c.remaining() < least(class, kind) {
        return Ok(Done::TooShort);
    }
    match (class, kind) {
        (1, _) => return session(p, kind, c, indent),
        (3, 1 | 2) => {
            let addr = either(&mut c, kind)?;
            put!(p, indent, "  Previous/Next Interface: ");
            p.addr(addr);
            put!(p, ", Logical Interface Handle: 0x", HexFull(c.u32()?));
        }
        (4, 1) => integrity(p, c, indent)?,
        (5, 1) => put!(p, indent, "  Refresh Period: ", c.u32()?, "ms"),
        (6, 1 | 2) => error(p, kind, c, indent)?,
        (8, 1) => {
            let (flags, style) = (c.u8()?, c.u24()?);
            put!(
                p,
                indent,
                "  Reservation Style: ",
                named(table::STYLES, style, "Unknown")
            );
            put!(p, ", Flags: [0x", HexFull(flags), "]");
        }
        (9 | 12 | 13, 2) => return flow::spec(p, c, indent),
        (10 | 11, _) => return template(p, class, kind, c, indent),
        (15, 1 | 2) => {
            let addr = either(&mut c, kind)?;
            put!(
                p,
                indent,
                "  IPv",
                if kind == 1 { 4_u8 } else { 6 },
                " Receiver Address: "
            );
            p.addr(addr);
        }
        (16 | 34 | 35 | 129, _) => return label(p, kind, c, indent),
        (19, _) => return label_request(p, kind, c, indent),
        (20 | 21, 1) => return route::route(p, c, indent),
        (22, 1 | 2) => {
            put!(p, indent, "  Source Instance: 0x", HexFull(c.u32()?));
            put!(p, ", Destination Instance: 0x", HexFull(c.u32()?));
        }
        (23 | 24, 1 | 2) => {
            let word = c.u32()?;
            put!(
                p,
                indent,
                "  Flags [0x",
                HexFull(word.to_be_bytes()[0]),
                "], epoch: "
            );
            let id = c.u32()?;
            put!(
                p,
                word & 0xff_ffff,
                indent,
                "    Message-ID 0x",
                HexFull(id),
                " (",
                id,
                ")"
            );
        }
        (25, 1) => {
            let word = c.u32()?;
            put!(
                p,
                indent,
                "  Flags [0x",
                HexFull(word.to_be_bytes()[0]),
                "], epoch: "
            );
            put!(p, word & 0xff_ffff);
            while let Ok(id) = c.u32() {
                put!(p, indent, "    Message-ID 0x", HexFull(id), " (", id, ")");
            }
        }
        (36 | 130, 1) => label_set(p, c, indent)?,
        (50, 1 | 2) => {
            let addr = either(&mut c, kind)?;
            put!(p, indent, "  Sub-LSP destination address: ");
            p.addr(addr);
        }
        _ => return engineering(p, class, kind, c, indent),
    }
    Ok(Done::Known)
}

/// Objects of traffic engineering, protection and optical networks.
fn engineering(
    p: &mut Out<'_>,
    class: u8,
    kind: u8,
    mut c: Cursor<'_>,
    indent: &str,
) -> Result<Done> {
    match (class, kind) {
        (63, 7) => {
            while c.remaining() >= 8 {
                let (point, avoided) = (v4(&mut c)?, v4(&mut c)?);
                put!(p, indent, "  PLR-ID: ");
                p.addr(point);
                put!(p, ", Avoid-Node-ID: ");
                p.addr(avoided);
            }
        }
        (66 | 125, 1) => put!(p, indent, "  CT: ", c.u32()? & 7),
        (131, 1) => {
            put!(
                p,
                indent,
                "  Restart  Time: ",
                c.u32()?,
                "ms, Recovery Time: ",
                c.u32()?,
                "ms"
            );
        }
        (134, 1) => {
            let flags = c.u32()?;
            if flags & !7 != 0 {
                put!(
                    p,
                    indent,
                    "  [reserved=0x",
                    HexFull(flags & !7),
                    " must be zero]"
                );
            }
            put!(p, indent, "  Flags: [");
            bits(p, table::CAPABILITIES, flags, ", ", "none");
            put!(p, "]");
        }
        (195, 1 | 2) => {
            let addr = either(&mut c, kind)?;
            put!(
                p,
                indent,
                "  IPv",
                if kind == 1 { 4_u8 } else { 6 },
                " Notify Node Address: "
            );
            p.addr(addr);
        }
        (196, 1) => {
            put!(p, indent, "  Flags [");
            bits(p, table::ADMIN, c.u32()?, ", ", "none");
            put!(p, "]");
        }
        (204, 1) => return properties(p, c, indent),
        (205, _) => return fast_reroute(p, kind, c, indent),
        (207, 7) => {
            let (setup, hold, flags) = (c.u8()?, c.u8()?, c.u8()?);
            let size = usize::from(c.u8()?);
            if size > c.remaining() {
                return Ok(Done::TooShort);
            }
            put!(p, indent, "  Session Name: ", Visible(c.take(size)?));
            put!(
                p,
                indent,
                "  Setup Priority: ",
                setup,
                ", Holding Priority: ",
                hold
            );
            put!(p, ", Flags: [");
            bits(p, table::SESSION_FLAGS, u32::from(flags), ", ", "none");
            put!(p, "] (");
            alternate(p, flags);
            put!(p, ")");
        }
        (229, 1) => return uni(p, c, indent),
        _ => return Ok(Done::Unknown),
    }
    Ok(Done::Known)
}

/// `%#x`.
pub(super) fn alternate(p: &mut Out<'_>, value: u8) {
    if value == 0 {
        put!(p, "0");
    } else {
        put!(p, "0x", Hex(value));
    }
}

fn session(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, indent: &str) -> Result<Done> {
    match kind {
        1 | 2 => {
            let addr = either(&mut c, kind)?;
            put!(
                p,
                indent,
                "  IPv",
                if kind == 1 { 4_u8 } else { 6 },
                " DestAddress: "
            );
            p.addr(addr);
            put!(p, ", Protocol ID: 0x", HexFull(c.u8()?));
            put!(
                p,
                indent,
                "  Flags: [0x",
                HexFull(c.u8()?),
                "], DestPort ",
                c.u16()?
            );
        }
        7 | 11 | 13 => {
            let name = if kind == 13 {
                "P2MP LSP ID: "
            } else {
                "Tunnel EndPoint: "
            };
            let addr = v4(&mut c)?;
            c.skip(2)?;
            put!(p, indent, "  IPv4 ", name);
            p.addr(addr);
            put!(
                p,
                ", Tunnel ID: 0x",
                HexFull(c.u16()?),
                ", Extended Tunnel ID: "
            );
            p.addr(v4(&mut c)?);
        }
        14 => {
            let id = c.u32()?;
            c.skip(2)?;
            put!(
                p,
                indent,
                "  IPv6 P2MP LSP ID: 0x",
                HexFull(id),
                ", Tunnel ID: 0x"
            );
            put!(p, HexFull(c.u16()?), ", Extended Tunnel ID: ");
            p.addr(v6(&mut c)?);
        }
        _ => return Ok(Done::Unknown),
    }
    Ok(Done::Known)
}

/// Who sends: a filter specification or a sender template.
fn template(p: &mut Out<'_>, class: u8, kind: u8, mut c: Cursor<'_>, indent: &str) -> Result<Done> {
    let filter = class == 10;
    match kind {
        1 | 2 => {
            let addr = either(&mut c, kind)?;
            c.skip(2)?;
            put!(p, indent, "  Source Address: ");
            p.addr(addr);
            put!(p, ", Source Port: ", c.u16()?);
        }
        3 if filter => {
            let addr = v6(&mut c)?;
            c.skip(1)?;
            put!(p, indent, "  Source Address: ");
            p.addr(addr);
            put!(p, ", Flow Label: ", c.u24()?);
        }
        7 => {
            let name = if filter {
                "Source Address: "
            } else {
                "IPv4 Tunnel Sender Address: "
            };
            let addr = v4(&mut c)?;
            c.skip(2)?;
            put!(p, indent, "  ", name);
            p.addr(addr);
            put!(p, ", LSP-ID: 0x", HexFull(c.u16()?));
        }
        12 | 13 => {
            let six = kind == 13;
            if c.remaining() < if six { 40 } else { 16 } {
                return Ok(Done::TooShort);
            }
            let addr = if six { v6(&mut c)? } else { v4(&mut c)? };
            c.skip(2)?;
            put!(
                p,
                indent,
                "  IPv",
                if six { 6_u8 } else { 4 },
                " Tunnel Sender Address: "
            );
            p.addr(addr);
            put!(
                p,
                ", LSP ID: 0x",
                HexFull(c.u16()?),
                indent,
                "  Sub-Group Originator ID: "
            );
            let originator = if six { v6(&mut c)? } else { v4(&mut c)? };
            p.addr(originator);
            c.skip(2)?;
            put!(p, ", Sub-Group ID: 0x", HexFull(c.u16()?));
        }
        _ => return Ok(Done::Unknown),
    }
    Ok(Done::Known)
}

fn label(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, indent: &str) -> Result<Done> {
    match kind {
        1 => {
            while let Ok(label) = c.u32() {
                put!(p, indent, "  Label: ", label);
            }
        }
        2 => {
            if c.remaining() < 4 {
                return Ok(Done::TooShort);
            }
            put!(p, indent, "  Generalized Label: ", c.u32()?);
        }
        3 => {
            put!(
                p,
                indent,
                "  Waveband ID: ",
                c.u32()?,
                indent,
                "  Start Label: ",
                c.u32()?
            );
            put!(p, ", Stop Label: ", c.u32()?);
        }
        _ => return Ok(Done::Unknown),
    }
    Ok(Done::Known)
}

fn label_request(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, indent: &str) -> Result<Done> {
    let protocol = |p: &mut Out<'_>, number: u16| match ethertype::name(number) {
        Some(name) => put!(p, name),
        None => put!(p, "Unknown protocol (0x", HexFull(number), ")"),
    };
    match kind {
        1 => {
            while c.remaining() >= 4 {
                c.skip(2)?;
                put!(p, indent, "  L3 Protocol ID: ");
                protocol(p, c.u16()?);
            }
        }
        2 => {
            if c.remaining() < 12 {
                return Ok(Done::TooShort);
            }
            c.skip(2)?;
            put!(p, indent, "  L3 Protocol ID: ");
            protocol(p, c.u16()?);
            let path = c.u16()?;
            let merge = if path & 0x8000 == 0 { " no" } else { "" };
            put!(p, ",", merge, " merge capability");
            let circuit = c.u16()?;
            put!(
                p,
                indent,
                "  Minimum VPI/VCI: ",
                path & 0xfff,
                "/",
                circuit & 0xfff
            );
            put!(
                p,
                indent,
                "  Maximum VPI/VCI: ",
                c.u16()? & 0xfff,
                "/",
                c.u16()? & 0xfff
            );
        }
        3 => {
            if c.remaining() < 12 {
                return Ok(Done::TooShort);
            }
            c.skip(2)?;
            put!(p, indent, "  L3 Protocol ID: ");
            protocol(p, c.u16()?);
            let (least, most) = (c.u32()?, c.u32()?);
            put!(
                p,
                indent,
                "  Minimum/Maximum DLCI: ",
                least & 0x7f_ffff,
                "/"
            );
            put!(p, most & 0x7f_ffff, ", ");
            let size = match least >> 23 & 3 {
                0 => "10",
                2 => "23",
                _ => "",
            };
            put!(p, size, if size.is_empty() { "?" } else { "" }, " bit DLCI");
        }
        4 => {
            if c.remaining() < 4 {
                return Ok(Done::TooShort);
            }
            let (encoding, switching, payload) = (c.u8()?, c.u8()?, c.u16()?);
            let name = named(gmpls::ENCODINGS, encoding, "Unknown");
            put!(
                p,
                indent,
                "  LSP Encoding Type: ",
                name,
                " (",
                encoding,
                ")"
            );
            let name = named(gmpls::SWITCHING, switching, "Unknown");
            put!(
                p,
                indent,
                "  Switching Type: ",
                name,
                " (",
                switching,
                "), Payload ID: "
            );
            put!(
                p,
                named(gmpls::PAYLOADS, payload, "Unknown"),
                " (0x",
                HexFull(payload),
                ")"
            );
        }
        _ => return Ok(Done::Unknown),
    }
    Ok(Done::Known)
}

fn label_set(p: &mut Out<'_>, mut c: Cursor<'_>, indent: &str) -> Result<()> {
    if c.remaining() < 4 {
        return Ok(());
    }
    let (action, kind) = (c.u8()?, c.u24()? & 0x3fff);
    put!(
        p,
        indent,
        "  Action: ",
        named(table::LABEL_SETS, action, "Unknown"),
        " (",
        action
    );
    put!(p, "), Label type: ", kind);
    if action >= 2 {
        if c.remaining() >= 8 {
            put!(
                p,
                indent,
                "  Start range: ",
                c.u32()?,
                ", End range: ",
                c.u32()?
            );
        }
        return Ok(());
    }
    let mut n = 1_u32;
    while let Ok(channel) = c.u32() {
        put!(p, indent, "  Subchannel #", n, ": ", channel);
        n += 1;
    }
    Ok(())
}

fn error(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, indent: &str) -> Result<()> {
    let addr = either(&mut c, kind)?;
    let (flags, code, value) = (c.u8()?, c.u8()?, c.u16()?);
    put!(p, indent, "  Error Node Address: ");
    p.addr(addr);
    put!(
        p,
        ", Flags: [0x",
        HexFull(flags),
        "]",
        indent,
        "  Error Code: "
    );
    put!(p, named(table::ERRORS, code, "unknown"), " (", code, ")");
    let table = match code {
        24 => table::ROUTING_ERRORS,
        28 | 125 if kind == 1 => table::CLASS_ERRORS,
        _ => {
            put!(p, ", Unknown Error Value (", value, ")");
            return Ok(());
        }
    };
    put!(
        p,
        ", Error Value: ",
        named(table, value, "Unknown"),
        " (",
        value,
        ")"
    );
    Ok(())
}

fn properties(p: &mut Out<'_>, mut c: Cursor<'_>, indent: &str) -> Result<Done> {
    if c.remaining() < 4 {
        return Ok(Done::TooShort);
    }
    c.skip(2)?;
    let (count, padding) = (c.u8()?, c.u8()?);
    put!(
        p,
        indent,
        "  TLV count: ",
        count,
        ", padding bytes: ",
        padding
    );
    for _ in 0..count {
        if c.remaining() < 2 + usize::from(padding) {
            break;
        }
        let (kind, size) = (c.u8()?, c.u8()?);
        put!(
            p,
            indent,
            "    ",
            named(table::PROPERTIES, kind, "unknown"),
            " TLV (0x"
        );
        put!(p, HexFull(kind), "), length: ", size);
        let Some(inner) = usize::from(size).checked_sub(2) else {
            put!(p, indent, "ERROR: property TLV is too short");
            return Ok(Done::Invalid);
        };
        let Ok(value) = c.take(inner) else {
            return Ok(Done::TooShort);
        };
        crate::hexdump::hex(p, "\n\t\t", value);
    }
    Ok(Done::Known)
}

/// RFC 4090.
fn fast_reroute(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, indent: &str) -> Result<Done> {
    if !matches!(kind, 1 | 7) {
        return Ok(Done::Unknown);
    }
    let (setup, hold, hops) = (c.u8()?, c.u8()?, c.u8()?);
    c.skip(1)?;
    let bytes = f64::from(f32::from_bits(c.u32()?));
    put!(
        p,
        indent,
        "  Setup Priority: ",
        setup,
        ", Holding Priority: ",
        hold
    );
    put!(p, ", Hop-limit: ", hops, ", Bandwidth: ");
    put!(p, General(bytes * 8.0 / 1_000_000.0), " Mbps");
    let (any, not) = (c.u32()?, c.u32()?);
    if kind == 1 {
        put!(
            p,
            indent,
            "  Include-any: 0x",
            HexFull(any),
            ", Exclude-any: 0x",
            HexFull(not)
        );
        put!(p, ", Include-all: 0x", HexFull(c.u32()?));
    } else {
        put!(p, indent, "  Include Colors: 0x", HexFull(any));
        put!(p, ", Exclude Colors: 0x", HexFull(not));
    }
    Ok(Done::Known)
}

/// RFC 2747.
fn integrity(p: &mut Out<'_>, mut c: Cursor<'_>, indent: &str) -> Result<()> {
    let flags = c.u8()?;
    c.skip(1)?;
    put!(
        p,
        indent,
        "  Key-ID 0x",
        HexFull(c.u16()?),
        HexFull(c.u32()?)
    );
    put!(
        p,
        ", Sequence 0x",
        HexFull(c.u32()?),
        HexFull(c.u32()?),
        ", Flags ["
    );
    bits(p, &[(0x80, "Handshake")], u32::from(flags), ", ", "none");
    put!(p, "]", indent, "  MD5-sum 0x");
    for _ in 0..4 {
        put!(p, HexFull(c.u32()?));
    }
    put!(p, " ");
    Ok(())
}

/// The user network interface of the OIF.
fn uni(p: &mut Out<'_>, mut c: Cursor<'_>, indent: &str) -> Result<Done> {
    while c.remaining() >= 4 {
        let (size, kind, family) = (c.u16()?, c.u8()?, c.u8()?);
        put!(
            p,
            indent,
            "  Subobject Type: ",
            named(table::UNI, kind, "Unknown")
        );
        put!(
            p,
            " (",
            kind,
            "), AF: ",
            afi::name(family.into()).unwrap_or("Unknown")
        );
        put!(p, " (", family, "), length: ", size);
        let Some(inner) = usize::from(size).checked_sub(4) else {
            return Ok(Done::Invalid);
        };
        let Ok(mut value) = c.sub(inner) else {
            return Ok(Done::Invalid);
        };
        match (kind, u16::from(family)) {
            (1 | 2, afi::IPV4) => {
                let Ok(addr) = v4(&mut value) else {
                    return Ok(Done::Invalid);
                };
                put!(p, indent, "    UNI IPv4 TNA address: ");
                p.addr(addr);
            }
            (1 | 2, afi::IPV6) => {
                let Ok(addr) = v6(&mut value) else {
                    return Ok(Done::Invalid);
                };
                put!(p, indent, "    UNI IPv6 TNA address: ");
                p.addr(addr);
            }
            (4, _) => {
                if value.remaining() < 12 {
                    return Ok(Done::Invalid);
                }
                let (direction, label) = (value.u8()?, value.u8()?);
                value.skip(2)?;
                put!(
                    p,
                    indent,
                    "    U-bit: ",
                    Hex(direction >> 7),
                    ", Label type: ",
                    label
                );
                put!(
                    p,
                    ", Logical port id: ",
                    value.u32()?,
                    ", Label: ",
                    value.u32()?
                );
            }
            (5, _) => {
                let Ok(level) = value.u8() else {
                    return Ok(Done::Invalid);
                };
                put!(p, indent, "    Service level: ", level >> 4);
            }
            _ => {}
        }
    }
    Ok(Done::Known)
}
