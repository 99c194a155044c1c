//! Prefixes and other routes in updates (RFC 4271, RFC 4760, RFC 8277, RFC 4364, RFC 4684, RFC
//! 6514, RFC 4761, RFC 7911).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use super::table;
use crate::afi;
use crate::nsap::nsap;
use crate::out::{Out, Printed, named};
use crate::put::{HexFull, put};

/// How each route of an address family is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Ipv4,
    Ipv6,
    LabeledIpv4,
    LabeledIpv6,
    VpnIpv4,
    VpnIpv6,
    Nsap,
    VpnNsap,
    L2vpn,
    RouteTarget,
    Mdt,
    MulticastVpn,
}

impl Layout {
    pub(super) fn of(afi: u16, safi: u8) -> Option<Self> {
        Some(match (afi, safi) {
            (afi::IPV4, 1..=3) => Self::Ipv4,
            (afi::IPV4, 4) => Self::LabeledIpv4,
            (afi::IPV4, 5) => Self::MulticastVpn,
            (afi::IPV4, 66) => Self::Mdt,
            (afi::IPV4, 128..=130) => Self::VpnIpv4,
            (afi::IPV4, 132) => Self::RouteTarget,
            (afi::IPV6, 1..=3) => Self::Ipv6,
            (afi::IPV6, 4) => Self::LabeledIpv6,
            (afi::IPV6, 128..=130) => Self::VpnIpv6,
            (afi::NSAP, 1..=3) => Self::Nsap,
            (afi::NSAP, 128..=130) => Self::VpnNsap,
            (afi::L2VPN, 65 | 128..=130) => Self::L2vpn,
            _ => return None,
        })
    }
}

/// Why a route is not printed.
enum Bad {
    /// Its prefix is longer than an address: what follows cannot be found.
    Length,
    /// It is longer than the field it stands in.
    Remainder,
    /// The message ends.
    Truncated,
}

impl From<Truncated> for Bad {
    fn from(_: Truncated) -> Self {
        Self::Truncated
    }
}

/// All routes of a field, each after `start`.
pub(super) fn list(p: &mut Out<'_>, c: Cursor<'_>, layout: Layout, start: &str) -> Printed {
    let mut c = Cursor::new(c.rest());
    let longest = match layout {
        Layout::Ipv4 | Layout::LabeledIpv4 => Some(32),
        Layout::Ipv6 | Layout::LabeledIpv6 => Some(128),
        _ => None,
    };
    let labels = matches!(layout, Layout::LabeledIpv4 | Layout::LabeledIpv6);
    let paths = longest.is_some_and(|longest| has_path_ids(c, longest, labels));
    while !c.is_empty() {
        let path = if paths { Some(c.u32()?) } else { None };
        let mark = p.out.len();
        put!(p, start);
        match one(p, &mut c, layout) {
            Ok(()) => {}
            Err(bad) => {
                p.out.truncate(mark);
                match bad {
                    Bad::Length => {
                        put!(p, "\n\t    (illegal prefix length)");
                        return Ok(());
                    }
                    Bad::Remainder => return Ok(()),
                    Bad::Truncated => return Err(Truncated),
                }
            }
        }
        if let Some(path) = path {
            put!(p, "   Path Id: ", path);
        }
    }
    Ok(())
}

/// Whether four bytes of path identifier stand before each prefix (RFC 7911): the session's
/// agreement is not known, so the field is read both ways and the one that fits wins.
fn has_path_ids(c: Cursor<'_>, longest: u8, labels: bool) -> bool {
    let longest = if labels {
        longest.saturating_add(24)
    } else {
        longest
    };
    let fits = |path: usize| -> bool {
        let mut c = c;
        loop {
            if c.is_empty() {
                return true;
            }
            if c.skip(path).is_err() {
                return false;
            }
            match c.u8() {
                Ok(bits) if bits <= longest => {
                    if c.skip(usize::from(bits).div_ceil(8)).is_err() {
                        return false;
                    }
                }
                _ => return false,
            }
        }
    };
    !c.is_empty() && fits(4) && !fits(0)
}

fn one(p: &mut Out<'_>, c: &mut Cursor<'_>, layout: Layout) -> Result<(), Bad> {
    match layout {
        Layout::Ipv4 => {
            let bits = c.u8()?;
            prefix4(p, c, bits)
        }
        Layout::Ipv6 => {
            let bits = c.u8()?;
            prefix6(p, c, bits)
        }
        Layout::LabeledIpv4 | Layout::LabeledIpv6 => {
            let bits = c.u8()?.checked_sub(24).ok_or(Bad::Length)?;
            let label = c.u24()?;
            if layout == Layout::LabeledIpv4 {
                prefix4(p, c, bits)?;
            } else {
                prefix6(p, c, bits)?;
            }
            put!(p, ", label:", label >> 4, " ", bottom(label));
            Ok(())
        }
        Layout::VpnIpv4 | Layout::VpnIpv6 | Layout::VpnNsap => vpn(p, c, layout),
        Layout::Nsap => {
            let bits = c.u8()?;
            nsap_prefix(p, c, bits, bits)
        }
        Layout::L2vpn => l2vpn(p, c),
        Layout::RouteTarget => route_target(p, c),
        Layout::Mdt => mdt(p, c),
        Layout::MulticastVpn => Ok(multicast(p, c)?),
    }
}

fn bottom(label: u32) -> &'static str {
    if label & 1 == 0 {
        "(BOGUS: Bottom of Stack NOT set!)"
    } else {
        "(bottom)"
    }
}

/// The bytes of a prefix of `bits`, zeros behind and beside it.
fn prefix<const N: usize>(c: &mut Cursor<'_>, bits: u8) -> Result<[u8; N], Bad> {
    let bits = usize::from(bits);
    if bits > N * 8 {
        return Err(Bad::Length);
    }
    let bytes = c.take(bits.div_ceil(8)).map_err(|_| Bad::Remainder)?;
    let mut full = [0; N];
    for (n, (to, from)) in full.iter_mut().zip(bytes).enumerate() {
        let kept = bits.saturating_sub(n * 8).min(8);
        let mask = u8::try_from(0xff00_u16 >> kept & 0xff).unwrap_or(0xff);
        *to = from & mask;
    }
    Ok(full)
}

fn prefix4(p: &mut Out<'_>, c: &mut Cursor<'_>, bits: u8) -> Result<(), Bad> {
    let addr = prefix::<4>(c, bits)?;
    p.addr(Ipv4Addr::from(addr));
    put!(p, "/", bits);
    Ok(())
}

fn prefix6(p: &mut Out<'_>, c: &mut Cursor<'_>, bits: u8) -> Result<(), Bad> {
    let addr = prefix::<16>(c, bits)?;
    p.addr(Ipv6Addr::from(addr));
    put!(p, "/", bits);
    Ok(())
}

/// `shown` is what stands after the slash.
fn nsap_prefix(p: &mut Out<'_>, c: &mut Cursor<'_>, bits: u8, shown: u8) -> Result<(), Bad> {
    // The length byte itself is part of the address here.
    let addr = prefix::<19>(c, bits)?;
    nsap(
        p,
        addr.get(..usize::from(bits).div_ceil(8)).unwrap_or(&addr),
    );
    put!(p, "/", shown);
    Ok(())
}

/// A route distinguisher (RFC 4364 section 4.2).
pub(crate) fn distinguisher(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Truncated> {
    let kind = c.u16()?;
    match kind {
        0 => {
            let (number, value) = (c.u16()?, c.u32()?);
            put!(p, number, ":", value, " (= ", Ipv4Addr::from(value), ")");
        }
        1 => {
            let (addr, value) = (c.u32()?, c.u16()?);
            put!(p, Ipv4Addr::from(addr), ":", value);
        }
        2 => {
            let (number, value) = (c.u32()?, c.u16()?);
            put!(
                p,
                number,
                ":",
                value,
                " (",
                Ipv4Addr::from(number),
                ":",
                value,
                ")"
            );
        }
        _ => {
            c.skip(6)?;
            put!(p, "unknown RD format");
        }
    }
    Ok(())
}

/// Label, distinguisher and prefix.
fn vpn(p: &mut Out<'_>, c: &mut Cursor<'_>, layout: Layout) -> Result<(), Bad> {
    let bits = c.u8()?.checked_sub(88).ok_or(Bad::Length)?;
    let longest = if layout == Layout::VpnIpv4 { 32 } else { 128 };
    if layout != Layout::VpnNsap && bits > longest {
        return Err(Bad::Length);
    }
    let label = c.u24()?;
    put!(p, "RD: ");
    distinguisher(p, c)?;
    put!(p, ", ");
    match layout {
        Layout::VpnIpv4 => prefix4(p, c, bits)?,
        Layout::VpnIpv6 => prefix6(p, c, bits)?,
        _ => nsap_prefix(p, c, bits, bits)?,
    }
    put!(p, ", label:", label >> 4, " ", bottom(label));
    Ok(())
}

/// RFC 4761 section 3.2.2, or RFC 6074 section 3.2.1 where there are 12 bytes.
fn l2vpn(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Bad> {
    let length = usize::from(c.u16()?);
    // Without its own length field, a route of 12 bytes is a distinguisher and an address.
    if length == 12 {
        put!(p, "RD: ");
        distinguisher(p, c)?;
        put!(p, ", BGPNH: ", Ipv4Addr::from(c.u32()?));
        return Ok(());
    }
    let Some(mut left) = length.checked_sub(17) else {
        return Err(Bad::Truncated);
    };
    put!(p, "RD: ");
    distinguisher(p, c)?;
    put!(p, ", CE-ID: ", c.u16()?, ", Label-Block Offset: ", c.u16()?);
    c.skip(2)?;
    put!(p, ", Label Base ", c.u24()? >> 4);
    while left > 3 {
        let kind = c.u8()?;
        let size = usize::from(c.u16()?);
        left = left.saturating_sub(3);
        if kind != 1 {
            put!(p, "\n\t\tunknown TLV #", kind, ", length: ", size);
            c.skip(size.min(c.remaining()))?;
            left = left.saturating_sub(size);
            continue;
        }
        put!(
            p,
            "\n\t\tcircuit status vector (",
            kind,
            ") length: ",
            size,
            ": 0x"
        );
        // The length counts bits.
        let bytes = size.div_ceil(8);
        for _ in 0..bytes {
            if left == 0 {
                put!(p, "\n\t\tran past the end");
                return Ok(());
            }
            put!(p, HexFull(c.u8()?));
            left -= 1;
        }
    }
    Ok(())
}

/// RFC 4684.
fn route_target(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Bad> {
    let bits = c.u8()?;
    if bits == 0 {
        put!(p, "default route target");
        return Ok(());
    }
    let Some(bits) = bits.checked_sub(32) else {
        return Err(Bad::Length);
    };
    let origin = c.u32()?;
    let value = prefix::<8>(c, bits)?;
    put!(p, "origin AS: ", origin, ", ");
    target(p, value, bits);
    Ok(())
}

fn target(p: &mut Out<'_>, value: [u8; 8], bits: u8) {
    let text = |p: &mut Out<'_>| {
        for byte in value.iter().take(usize::from(bits).div_ceil(8)) {
            put!(p, HexFull(*byte));
        }
    };
    if bits < 16 {
        match bits {
            0 => return put!(p, "route-target: 0:0/0"),
            _ => put!(p, "route-target: partial-type: ("),
        }
        text(p);
        return put!(p, "/", bits, ")");
    }
    let [a, b, c, d, e, f, g, h] = value;
    let kind = u16::from_be_bytes([a, b]);
    match kind {
        0x0002 => put!(
            p,
            "route-target: ",
            u16::from_be_bytes([c, d]),
            ":",
            u32::from_be_bytes([e, f, g, h]),
            "/",
            bits,
            " ("
        ),
        0x0102 => put!(
            p,
            "route-target: ",
            Ipv4Addr::from([c, d, e, f]),
            ":",
            u16::from_be_bytes([g, h]),
            "/",
            bits,
            " ("
        ),
        0x0202 => put!(
            p,
            "route-target: ",
            u32::from_be_bytes([c, d, e, f]),
            ":",
            u16::from_be_bytes([g, h]),
            "/",
            bits,
            " ("
        ),
        _ => {
            put!(p, "route target: unknown-type(", HexFull(kind), ") (");
            text(p);
            return put!(p, "/", bits, ")");
        }
    }
    text(p);
    put!(p, ")");
}

/// A multicast distribution tree (RFC 6037).
fn mdt(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Bad> {
    if c.u8()? != 128 {
        return Err(Bad::Length);
    }
    put!(p, "RD: ");
    distinguisher(p, c)?;
    let (source, group) = (c.u32()?, c.u32()?);
    put!(p, ", VPN IP Address: ", Ipv4Addr::from(source));
    put!(p, ", MC Group Address: ", Ipv4Addr::from(group));
    Ok(())
}

/// Routes that start in the first `length` bytes.
pub(super) fn multicast_list(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    // compat: the last route's length is read where it should be, be that after the field.
    while c.position() < length {
        put!(p, "\n\t      ");
        multicast(p, &mut c)?;
    }
    Ok(())
}

/// RFC 6514 section 4.
fn multicast(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let kind = c.u8()?;
    let length = usize::from(c.u8()?);
    let name = named(table::MULTICAST_ROUTES, kind, "Unknown");
    put!(p, "Route-Type: ", name, " (", kind, "), length: ", length);
    let least = match kind {
        1 | 2 => 12,
        3 => 14,
        5 => 10,
        6 | 7 => 14,
        _ => 0,
    };
    if length < least {
        return Err(Truncated);
    }
    let start = c.position();
    if least > 0 {
        put!(p, ", RD: ");
        distinguisher(p, c)?;
    }
    match kind {
        1 => put!(p, ", Originator ", Ipv4Addr::from(c.u32()?)),
        2 => put!(p, ", Source-AS ", c.u32()?),
        3 => {
            source_group(p, c)?;
            put!(p, ", Originator ", Ipv4Addr::from(c.u32()?));
        }
        5 => source_group(p, c)?,
        6 | 7 => {
            put!(p, ", Source-AS ", c.u32()?);
            source_group(p, c)?;
        }
        _ => {}
    }
    let left = length.saturating_sub(c.position() - start);
    c.skip(left.min(c.remaining()))
}

fn source_group(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    for name in [", Source ", ", Group "] {
        let bits = c.u8()?;
        put!(p, name);
        match bits {
            0 => {}
            32 => p.addr(Ipv4Addr::from(c.u32()?)),
            128 => p.addr(Ipv6Addr::from(c.u128()?)),
            other => {
                put!(p, "bogus address length ", other / 8);
                c.skip(usize::from(other / 8))?;
            }
        }
    }
    Ok(())
}

/// Where the routes lead; `length` bytes of `c`.
pub(super) fn next_hop(p: &mut Out<'_>, mut c: Cursor<'_>, layout: Layout) -> Printed {
    let mut first = true;
    while !c.is_empty() {
        if !first {
            put!(p, ", ");
        }
        first = false;
        match layout {
            Layout::Ipv4 | Layout::LabeledIpv4 | Layout::RouteTarget | Layout::MulticastVpn => {
                match c.u32() {
                    Ok(addr) => p.addr(Ipv4Addr::from(addr)),
                    Err(_) => return invalid(p),
                }
            }
            Layout::L2vpn => match c.u32() {
                Ok(addr) => p.addr(Ipv4Addr::from(addr)),
                Err(_) => return invalid(p),
            },
            Layout::Ipv6 | Layout::LabeledIpv6 => match c.u128() {
                Ok(addr) => p.addr(Ipv6Addr::from(addr)),
                Err(_) => return invalid(p),
            },
            Layout::VpnIpv4 | Layout::Mdt => {
                if c.remaining() < 12 {
                    return invalid(p);
                }
                put!(p, "RD: ");
                distinguisher(p, &mut c)?;
                put!(p, ", ");
                p.addr(Ipv4Addr::from(c.u32()?));
            }
            Layout::VpnIpv6 => {
                if c.remaining() < 24 {
                    return invalid(p);
                }
                put!(p, "RD: ");
                distinguisher(p, &mut c)?;
                put!(p, ", ");
                p.addr(Ipv6Addr::from(c.u128()?));
            }
            Layout::Nsap => {
                nsap(p, c.rest());
                return Ok(());
            }
            Layout::VpnNsap => {
                if c.remaining() < 9 {
                    return invalid(p);
                }
                put!(p, "RD: ");
                distinguisher(p, &mut c)?;
                put!(p, ", ");
                nsap(p, c.rest());
                // RFC 986 maps IP addresses into this prefix.
                let mut mapped = c;
                if mapped.u32() == Ok(0x4700_0601) {
                    put!(p, " = ");
                    p.addr(Ipv4Addr::from(mapped.u32()?));
                }
                return Ok(());
            }
        }
    }
    Ok(())
}

fn invalid(p: &mut Out<'_>) -> Printed {
    put!(p, "invalid len");
    Ok(())
}
