//! Path attributes (RFC 4271 section 4.3 and the documents named at each).

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use super::nlri::{self, Layout};
use super::table;
use crate::afi;
use crate::hexdump;
use crate::l2vpn;
use crate::out::{Out, Printed, bits, lookup, named};
use crate::put::{Fixed, Hex, HexFull, put};

/// Sets of attributes within attributes are followed this deep.
const MAX_LEVEL: u8 = 10;

/// Attributes that fill `c`, inside so many others; `beyond` are their bytes and all that follow.
pub(super) fn list(p: &mut Out<'_>, c: Cursor<'_>, beyond: &[u8], level: u8) -> Printed {
    let mut c = Cursor::new(c.rest());
    while !c.is_empty() {
        let (kind, length) = head(p, &mut c, "\n\t  ")?;
        if length > c.remaining() {
            put!(p, " [path attrs too short]");
            return Ok(());
        }
        let beyond = beyond.get(c.position()..).unwrap_or_default();
        attribute(p, kind, c.sub(length)?, beyond, level)?;
    }
    Ok(())
}

/// Type, flags and length, shown after `start`.
fn head(p: &mut Out<'_>, c: &mut Cursor<'_>, start: &str) -> Result<(u8, usize), Truncated> {
    let flags = c.u8()?;
    let kind = c.u8()?;
    let length = if flags & 0x10 == 0 {
        usize::from(c.u8()?)
    } else {
        usize::from(c.u16()?)
    };
    let name = named(table::ATTRIBUTES, kind, "Unknown Attribute");
    put!(p, start, name, " (", kind, "), length: ", length);
    if flags != 0 {
        put!(p, ", Flags [");
        for (bit, letter) in [(0x80, "O"), (0x40, "T"), (0x20, "P"), (0x10, "E")] {
            if flags & bit != 0 {
                put!(p, letter);
            }
        }
        if flags & 15 != 0 {
            put!(p, "+", Hex(flags & 15));
        }
        put!(p, "]: ");
    }
    Ok((kind, length))
}

fn attribute(p: &mut Out<'_>, kind: u8, c: Cursor<'_>, beyond: &[u8], level: u8) -> Printed {
    let mut dumped = c.rest();
    match kind {
        1 | 3 | 4 | 5 | 6 | 7 | 9 | 18 => simple(p, kind, c)?,
        2 | 17 => as_path(p, kind, c)?,
        8 => communities(p, c)?,
        10 => cluster_list(p, c)?,
        14 => reach(p, c, beyond)?,
        15 => unreach(p, c, beyond)?,
        16 => extended_communities(p, c)?,
        22 => pmsi(p, c)?,
        26 => aigp(p, c)?,
        32 => large_communities(p, c)?,
        33 => bgpsec(p, c)?,
        35 => match { c }.u32() {
            Ok(number) if c.remaining() == 4 => put!(p, "\n\t    OTC ", number),
            _ => put!(p, "invalid len"),
        },
        128 => {
            let left = set(p, c, level)?;
            dumped = dumped.get(..left).unwrap_or(dumped);
        }
        _ => {
            put!(p, "\n\t    no Attribute ", kind, " decoder");
            if !p.verbose(2) {
                hexdump::hex(p, "\n\t    ", c.rest());
            }
        }
    }
    if p.verbose(2) {
        hexdump::hex(p, "\n\t    ", dumped);
    }
    Ok(())
}

/// Attributes of one value.
fn simple(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>) -> Printed {
    let right = match kind {
        1 => c.remaining() == 1,
        6 => c.is_empty(),
        7 | 18 => matches!(c.remaining(), 6 | 8),
        _ => c.remaining() == 4,
    };
    if !right {
        put!(p, "invalid len");
        return Ok(());
    }
    match kind {
        1 => put!(p, named(table::ORIGINS, c.u8()?, "Unknown Origin Typecode")),
        4 | 5 => put!(p, c.u32()?),
        6 => {}
        7 | 18 => {
            let number = if c.remaining() == 6 {
                u32::from(c.u16()?)
            } else {
                c.u32()?
            };
            put!(p, " AS #", number, ", origin ");
            p.addr(Ipv4Addr::from(c.u32()?));
        }
        _ => p.addr(Ipv4Addr::from(c.u32()?)),
    }
    Ok(())
}

fn as_path(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>) -> Printed {
    if !c.remaining().is_multiple_of(2) {
        put!(p, "invalid len");
        return Ok(());
    }
    if c.is_empty() {
        put!(p, "empty");
        return Ok(());
    }
    let wide = kind == 17 || !is_path_of_16_bits(c);
    while !c.is_empty() {
        let kind = c.u8()?;
        let (open, close) = table::SEGMENTS
            .iter()
            .find(|entry| entry.0 == kind)
            .map_or(("?", "?"), |entry| entry.1);
        put!(p, open);
        for _ in 0..c.u8()? {
            let number = if wide { c.u32()? } else { u32::from(c.u16()?) };
            put!(p, number, " ");
        }
        put!(p, close);
    }
    Ok(())
}

/// Whether the segments fit with numbers of 16 bits; else they have 32 (RFC 6793). The speakers
/// agreed on it when the session opened.
fn is_path_of_16_bits(mut c: Cursor<'_>) -> bool {
    while !c.is_empty() {
        let (Ok(1..=4), Ok(count @ 1..)) = (c.u8(), c.u8()) else {
            return false;
        };
        if c.skip(usize::from(count) * 2).is_err() {
            return false;
        }
    }
    true
}

fn communities(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    if c.is_empty() || !c.remaining().is_multiple_of(4) {
        put!(p, "invalid len");
        return Ok(());
    }
    while !c.is_empty() {
        match c.u32()? {
            0 => {}
            0xffff_ff01 => put!(p, " NO_EXPORT"),
            0xffff_ff02 => put!(p, " NO_ADVERTISE"),
            0xffff_ff03 => put!(p, " NO_EXPORT_SUBCONFED"),
            0xffff_0000 => put!(p, " gshut"),
            other => {
                let comma = if c.is_empty() { "" } else { ", " };
                put!(p, other >> 16, ":", other & 0xffff, comma);
            }
        }
    }
    Ok(())
}

fn cluster_list(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    if !c.remaining().is_multiple_of(4) {
        put!(p, "invalid len");
        return Ok(());
    }
    while !c.is_empty() {
        p.addr(Ipv4Addr::from(c.u32()?));
        if !c.is_empty() {
            put!(p, ", ");
        }
    }
    Ok(())
}

/// RFC 8092.
fn large_communities(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    if c.is_empty() || !c.remaining().is_multiple_of(12) {
        put!(p, "invalid len");
        return Ok(());
    }
    put!(p, "\n\t    ");
    while !c.is_empty() {
        put!(p, c.u32()?, ":", c.u32()?, ":", c.u32()?);
        if !c.is_empty() {
            put!(p, ", ");
        }
    }
    Ok(())
}

/// `AFI: IPv4 (1), SAFI: Unicast (1)`.
fn family(p: &mut Out<'_>, afi: u16, safi: u8) {
    let name = afi::name(afi).unwrap_or("Unknown AFI");
    let vendor = if safi > 128 { "vendor specific " } else { "" };
    put!(p, "\n\t    AFI: ", name, " (", afi, "), ", vendor, "SAFI: ");
    put!(
        p,
        named(table::SAFIS, safi, "Unknown SAFI"),
        " (",
        safi,
        ")"
    );
}

fn no_decoder(p: &mut Out<'_>, afi: u16, safi: u8, bytes: &[u8]) {
    put!(p, "\n\t    no AFI ", afi, " / SAFI ", safi, " decoder");
    if !p.verbose(2) {
        hexdump::hex(p, "\n\t    ", bytes);
    }
}

/// Routes of other families than IPv4 unicast (RFC 4760).
fn reach(p: &mut Out<'_>, c: Cursor<'_>, beyond: &[u8]) -> Printed {
    let whole = c.rest();
    let mut c = c;
    let (afi, safi) = (c.u16()?, c.u8()?);
    family(p, afi, safi);
    let Some(layout) = Layout::of(afi, safi) else {
        no_decoder(p, afi, safi, whole);
        return Ok(());
    };
    let length = c.u8()?;
    if length > 0 {
        put!(p, "\n\t    nexthop: ");
        nlri::next_hop(p, c.sub(usize::from(length))?, layout)?;
    }
    put!(p, ", nh-length: ", length);
    let points = c.u8()?;
    if points > 0 {
        put!(p, "\n\t    ", points, " SNPA");
        for _ in 0..points {
            let size = c.u8()?;
            put!(p, "\n\t      ", size, " bytes");
            c.skip(usize::from(size))?;
        }
    } else {
        put!(p, ", no SNPA");
    }
    let beyond = beyond.get(c.position()..).unwrap_or_default();
    routes(p, c, beyond, layout)
}

fn routes(p: &mut Out<'_>, c: Cursor<'_>, beyond: &[u8], layout: Layout) -> Printed {
    if layout == Layout::MulticastVpn {
        return nlri::multicast_list(p, Cursor::new(beyond), c.remaining());
    }
    nlri::list(p, c, layout, "\n\t      ")
}

fn unreach(p: &mut Out<'_>, c: Cursor<'_>, beyond: &[u8]) -> Printed {
    let mut c = c;
    let (afi, safi) = (c.u16()?, c.u8()?);
    family(p, afi, safi);
    if c.is_empty() {
        put!(p, "\n\t      End-of-Rib Marker (empty NLRI)");
        return Ok(());
    }
    match Layout::of(afi, safi) {
        Some(layout) => {
            let beyond = beyond.get(c.position()..).unwrap_or_default();
            routes(p, c, beyond, layout)
        }
        None => {
            no_decoder(p, afi, safi, c.rest());
            Ok(())
        }
    }
}

/// RFC 4360 and others.
fn extended_communities(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    if !c.remaining().is_multiple_of(8) {
        put!(p, "invalid len");
        return Ok(());
    }
    while !c.is_empty() {
        let kind = c.u16()?;
        let value = c.sub(6)?;
        let name = named(table::COMMUNITIES, kind, "unknown extd community typecode");
        put!(p, "\n\t    ", name, " (0x", HexFull(kind), "), Flags [");
        bits(p, table::COMMUNITY_FLAGS, u32::from(kind), ", ", "none");
        put!(p, "]: ");
        community(p, kind, value)?;
    }
    Ok(())
}

fn community(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>) -> Printed {
    match kind {
        0x0002 | 0x0003 | 0x000a => {
            let (number, value) = (c.u16()?, c.u32()?);
            put!(p, number, ":", value, " (= ");
            p.addr(Ipv4Addr::from(value));
            put!(p, ")");
        }
        0x0102 | 0x0103 | 0x010b | 0xf10a => {
            p.addr(Ipv4Addr::from(c.u32()?));
            put!(p, ":", c.u16()?);
        }
        0x0202 | 0x0203 => put!(p, c.u32()?, ":", c.u16()?),
        0x0005 | 0x0105 | 0x0205 | 0x8005 | 0x0107 | 0x8001 => p.addr(Ipv4Addr::from(c.u32()?)),
        0x0306 | 0x8000 => {
            put!(p, "area:");
            p.addr(Ipv4Addr::from(c.u32()?));
            let route = c.u8()?;
            let name = named(table::OSPF_ROUTES, route, "unknown (0x");
            put!(p, ", router-type:", name);
            if lookup(table::OSPF_ROUTES, route).is_none() {
                put!(p, HexFull(route), ")");
            }
            let metric = if c.u8()? == 1 { "E2" } else { "" };
            let external = if matches!(route, 5 | 7) { "E1" } else { "" };
            put!(p, ", metric-type:", metric, external);
        }
        0x800a => {
            let encapsulation = c.u8()?;
            let name = named(l2vpn::ENCAPSULATIONS, encapsulation, "unknown encaps");
            put!(
                p,
                name,
                " Control Flags [0x",
                HexFull(c.u8()?),
                "]:MTU ",
                c.u16()?
            );
        }
        0x0009 => put!(p, "AS ", c.u16()?),
        0x4004 => {
            c.skip(2)?;
            let bytes = f64::from(f32::from_bits(c.u32()?));
            put!(
                p,
                "bandwidth: ",
                Fixed(bytes * 8.0 / 1_000_000.0, 3),
                " Mbps"
            );
        }
        0x030c => {
            c.skip(4)?;
            put!(
                p,
                "Tunnel type: ",
                named(table::TUNNELS, c.u16()?, "Unknown")
            );
        }
        0x4300 => {
            c.skip(5)?;
            put!(p, "ovs: ", named(table::VALIDATION, c.u8()?, "unknown"));
        }
        _ => put!(p, crate::put::HexBytes(c.rest())),
    }
    Ok(())
}

/// Tunnels of provider multicast (RFC 6514 section 5).
fn pmsi(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let flags = c.u8()?;
    let kind = c.u8()?;
    let label = c.u24()? >> 4;
    let name = named(table::PMSI_TUNNELS, kind, "Unknown");
    put!(p, "\n\t    Tunnel-type ", name, " (", kind, "), Flags [");
    bits(p, table::PMSI_FLAGS, u32::from(flags), ", ", "none");
    put!(p, "], MPLS Label ", label);
    match kind {
        4 | 5 => {
            put!(p, "\n\t      Sender ");
            p.addr(Ipv4Addr::from(c.u32()?));
            put!(p, ", P-Group ");
            p.addr(Ipv4Addr::from(c.u32()?));
        }
        3 => {
            put!(p, "\n\t      Root-Node ");
            p.addr(Ipv4Addr::from(c.u32()?));
            put!(p, ", P-Group ");
            p.addr(Ipv4Addr::from(c.u32()?));
        }
        6 => {
            put!(p, "\n\t      Tunnel-Endpoint ");
            p.addr(Ipv4Addr::from(c.u32()?));
        }
        2 | 7 => {
            c.skip(8)?;
            put!(p, "\n\t      Root-Node ");
            p.addr(Ipv4Addr::from(c.u32()?));
            put!(p, ", LSP-ID 0x", HexFull(c.u32()?));
        }
        1 => {
            put!(p, "\n\t      Extended-Tunnel-ID ");
            p.addr(Ipv4Addr::from(c.u32()?));
            put!(p, ", P2MP-ID 0x", HexFull(c.u32()?));
        }
        _ if !p.verbose(2) => hexdump::hex(p, "\n\t      ", c.rest()),
        _ => {}
    }
    Ok(())
}

/// RFC 7311.
fn aigp(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    while !c.is_empty() {
        let kind = c.u8()?;
        let length = c.u16()?;
        let name = named(table::AIGP, kind, "Unknown");
        put!(p, "\n\t    ", name, " TLV (", kind, "), length ", length);
        let mut value = c.sub(usize::from(length).checked_sub(3).ok_or(Truncated)?)?;
        match kind {
            1 if length == 11 => put!(p, ", metric ", value.u64()?),
            1 => {}
            _ if !p.verbose(2) => hexdump::hex(p, "\n\t      ", value.rest()),
            _ => {}
        }
    }
    Ok(())
}

/// RFC 6368; the number of bytes that were not understood.
fn set(p: &mut Out<'_>, c: Cursor<'_>, level: u8) -> Result<usize, Truncated> {
    let mut c = c;
    put!(p, "\n\t    Origin AS: ", c.u32()?);
    while !c.is_empty() {
        let (kind, length) = head(p, &mut c, "\n\t      ")?;
        if length > c.remaining() {
            put!(p, " [path attr too short]");
            return Ok(c.remaining());
        }
        let value = c.sub(length)?;
        if level >= MAX_LEVEL {
            put!(p, "(too many nested levels, not recursing)");
        } else {
            attribute(p, kind, value, value.rest(), level + 1)?;
        }
    }
    Ok(0)
}

/// RFC 8205.
fn bgpsec(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let length = c.u16()?;
    put!(p, "\n\t    Secure Path Length: ", length);
    let mut path = c.sub(usize::from(length).checked_sub(2).ok_or(Truncated)?)?;
    while !path.is_empty() {
        put!(p, "\n\t      Secure Path Segment: pCount: ", path.u8()?);
        let flags = path.u8()?;
        put!(p, ", Flags: [");
        bits(
            p,
            &[(0x80, "Confed_Segment")],
            u32::from(flags),
            ", ",
            "none",
        );
        put!(p, "] (0x", HexFull(flags), "), AS: ", path.u32()?);
    }
    while !c.is_empty() {
        let length = c.u16()?;
        put!(
            p,
            "\n\t    Signature Block: Length: ",
            length,
            ", Algo ID: ",
            c.u8()?
        );
        let mut block = c.sub(usize::from(length).checked_sub(3).ok_or(Truncated)?)?;
        while !block.is_empty() {
            put!(p, "\n\t      Signature Segment:\n\t        SKI: ");
            hexdump::hex(p, "\n\t          ", block.take(20)?);
            let size = block.u16()?;
            put!(p, "\n\t        Length: ", size, "\n\t        Signature:");
            hexdump::hex(p, "\n\t          ", block.take(usize::from(size))?);
        }
    }
    Ok(())
}
