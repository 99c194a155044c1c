//! The TCP segment in a packet: link layers, VLAN tags, PPP, MPLS, IP in IP, GRE, VXLAN and
//! GENEVE are passed over.
//!
//! Source: the link-layer header types registry; RFC 791, 8200, 9293; RFC 2784 (GRE), 7348
//! (VXLAN), 8926 (GENEVE), 3032 (MPLS), 2516 (`PPPoE`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pktwho_packet::{LinkType, Packet};
use pktwho_wire::{Cursor, Truncated};

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Headers are followed this deep.
const DEPTH_MAX: u8 = 16;

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

/// An end of a connection.
pub type End = (IpAddr, u16);

/// A segment, as far as it was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    pub from: End,
    pub to: End,
    pub seq: u32,
    pub ack: u32,
    /// `FIN`, `SYN`, …
    pub flags: u8,
    pub payload: &'a [u8],
    /// Bytes of payload that were not captured.
    pub cut: u32,
    /// Bytes of the packet before the payload.
    pub before: usize,
}

/// The innermost IP packet's TCP segment, if the packet holds one that is no fragment.
pub fn segment<'a>(packet: &Packet<'a>) -> Option<Segment<'a>> {
    let wire = usize::try_from(packet.orig_len).ok()?;
    let mut bytes = Bytes {
        c: Cursor::new(packet.data),
        wire: wire.max(packet.data.len()),
        depth: 0,
    };
    let found = link(&mut bytes, LinkType::from_dlt(packet.iface.link_type.0)).ok()??;
    let before = packet.data.len() - found.1;
    Some(Segment { before, ..found.0 })
}

/// What is not yet read: captured bytes, and how many there were on the wire.
struct Bytes<'a> {
    c: Cursor<'a>,
    wire: usize,
    depth: u8,
}

/// A segment, and how many captured bytes there are from its payload to the packet's end.
type Found<'a> = Result<Option<(Segment<'a>, usize)>, Truncated>;

impl Bytes<'_> {
    fn skip(&mut self, count: usize) -> Result<(), Truncated> {
        self.c.skip(count)?;
        self.wire = self.wire.saturating_sub(count);
        Ok(())
    }

    fn u8(&mut self) -> Result<u8, Truncated> {
        self.wire = self.wire.saturating_sub(1);
        self.c.u8()
    }

    fn u16(&mut self) -> Result<u16, Truncated> {
        self.wire = self.wire.saturating_sub(2);
        self.c.u16()
    }

    fn u32(&mut self) -> Result<u32, Truncated> {
        self.wire = self.wire.saturating_sub(4);
        self.c.u32()
    }
}

fn link<'a>(b: &mut Bytes<'a>, link_type: LinkType) -> Found<'a> {
    match link_type {
        LinkType::ETHERNET => ethernet(b),
        LinkType::LINUX_SLL => {
            b.skip(14)?;
            ether_type(b)
        }
        LinkType::LINUX_SLL2 => {
            let kind = b.u16()?;
            b.skip(18)?;
            typed(b, kind)
        }
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 | LinkType(14) => ip(b),
        LinkType::NULL | LinkType::LOOP => {
            b.skip(4)?;
            ip(b)
        }
        LinkType::PPP | LinkType::PPP_HDLC | LinkType::PPP_PPPD => {
            // With or without HDLC's address and control bytes; one byte may say the direction.
            match b.c.rest() {
                [0xff | 0 | 1, 3, ..] => b.skip(2)?,
                [0 | 1, ..] if link_type == LinkType::PPP_PPPD => b.skip(1)?,
                _ => {}
            }
            ppp(b)
        }
        LinkType::C_HDLC => {
            b.skip(2)?;
            ether_type(b)
        }
        LinkType::PPP_ETHER => {
            b.skip(6)?;
            ppp(b)
        }
        LinkType::IPNET => {
            b.skip(24)?;
            ip(b)
        }
        LinkType::PKTAP | LinkType(149) => {
            let length = b.c.u32_le()?;
            let _record = b.c.u32_le()?;
            let inner = b.c.u32_le()?;
            b.wire = b.wire.saturating_sub(12);
            b.skip(usize::try_from(length).unwrap_or(0).saturating_sub(12))?;
            deeper(b)?;
            link(b, LinkType::from_dlt(u16::try_from(inner).unwrap_or(0)))
        }
        _ => Ok(None),
    }
}

/// Another header inside; an error where there are too many.
fn deeper(b: &mut Bytes<'_>) -> Result<(), Truncated> {
    b.depth += 1;
    if b.depth > DEPTH_MAX {
        return Err(Truncated);
    }
    Ok(())
}

fn ethernet<'a>(b: &mut Bytes<'a>) -> Found<'a> {
    b.skip(12)?;
    ether_type(b)
}

fn ether_type<'a>(b: &mut Bytes<'a>) -> Found<'a> {
    let kind = b.u16()?;
    typed(b, kind)
}

fn typed<'a>(b: &mut Bytes<'a>, mut kind: u16) -> Found<'a> {
    loop {
        deeper(b)?;
        kind = match kind {
            0x0800 | 0x86dd => return ip(b),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                b.skip(2)?;
                b.u16()?
            }
            0x8847 | 0x8848 => {
                while b.u32()? & 0x100 == 0 {}
                return ip(b);
            }
            0x8864 => {
                b.skip(6)?;
                return ppp(b);
            }
            _ => return Ok(None),
        };
    }
}

fn ppp<'a>(b: &mut Bytes<'a>) -> Found<'a> {
    let first = b.u8()?;
    // The protocol field may be compressed to one byte, which is odd then (RFC 1661).
    let protocol = if first & 1 == 1 {
        u16::from(first)
    } else {
        u16::from(first) << 8 | u16::from(b.u8()?)
    };
    match protocol {
        0x21 | 0x57 => ip(b),
        _ => Ok(None),
    }
}

fn ip<'a>(b: &mut Bytes<'a>) -> Found<'a> {
    deeper(b)?;
    match b.c.rest().first().map(|first| first >> 4) {
        Some(4) => ipv4(b),
        Some(6) => ipv6(b),
        _ => Ok(None),
    }
}

fn ipv4<'a>(b: &mut Bytes<'a>) -> Found<'a> {
    let wire = b.wire;
    let header = usize::from(b.u8()? & 15) * 4;
    b.skip(1)?;
    let total = usize::from(b.u16()?);
    b.skip(2)?;
    let offset = b.u16()?;
    b.skip(1)?;
    let protocol = b.u8()?;
    b.skip(2)?;
    let from = Ipv4Addr::from(b.u32()?);
    let to = Ipv4Addr::from(b.u32()?);
    b.skip(header.checked_sub(20).ok_or(Truncated)?)?;
    // 0 where the device was left to cut the packet.
    let total = if total == 0 { wire } else { total.min(wire) };
    b.wire = total.checked_sub(header).ok_or(Truncated)?;
    if offset & 0x3fff != 0 {
        return Ok(None);
    }
    transport(b, protocol, from.into(), to.into())
}

fn ipv6<'a>(b: &mut Bytes<'a>) -> Found<'a> {
    b.skip(4)?;
    let length = usize::from(b.u16()?);
    let mut next = b.u8()?;
    b.skip(1)?;
    let from = Ipv6Addr::from(b.c.u128()?);
    let to = Ipv6Addr::from(b.c.u128()?);
    b.wire = b.wire.saturating_sub(32);
    if length != 0 {
        b.wire = b.wire.min(length);
    }
    loop {
        deeper(b)?;
        let this = next;
        match this {
            // Hop-by-hop, routing, destination options; authentication counts in words.
            0 | 43 | 60 | 51 => {
                next = b.u8()?;
                let length = usize::from(b.u8()?);
                let length = if this == 51 {
                    length * 4 + 8
                } else {
                    length * 8 + 8
                };
                b.skip(length - 2)?;
            }
            44 => {
                next = b.u8()?;
                b.skip(1)?;
                let offset = b.u16()?;
                b.skip(4)?;
                if offset & 0xfff9 != 0 {
                    return Ok(None);
                }
            }
            _ => return transport(b, this, from.into(), to.into()),
        }
    }
}

fn transport<'a>(b: &mut Bytes<'a>, protocol: u8, from: IpAddr, to: IpAddr) -> Found<'a> {
    match protocol {
        TCP => tcp(b, from, to),
        UDP => udp(b),
        4 | 41 => ip(b),
        47 => gre(b),
        _ => Ok(None),
    }
}

fn gre<'a>(b: &mut Bytes<'a>) -> Found<'a> {
    let flags = b.u16()?;
    let kind = b.u16()?;
    if flags & 7 != 0 {
        return Ok(None);
    }
    let words = [0x8000, 0x2000, 0x1000].map(|flag| usize::from(flags & flag != 0));
    b.skip(words.iter().sum::<usize>() * 4)?;
    if kind == 0x6558 {
        deeper(b)?;
        return ethernet(b);
    }
    typed(b, kind)
}

fn udp<'a>(b: &mut Bytes<'a>) -> Found<'a> {
    b.skip(2)?;
    let port = b.u16()?;
    b.skip(4)?;
    match port {
        4789 | 8472 => {
            b.skip(8)?;
            deeper(b)?;
            ethernet(b)
        }
        6081 => {
            let options = usize::from(b.u8()? & 0x3f) * 4;
            b.skip(1)?;
            let kind = b.u16()?;
            b.skip(4 + options)?;
            deeper(b)?;
            if kind == 0x6558 {
                return ethernet(b);
            }
            typed(b, kind)
        }
        _ => Ok(None),
    }
}

fn tcp<'a>(b: &mut Bytes<'a>, from: IpAddr, to: IpAddr) -> Found<'a> {
    let (source, destination) = (b.u16()?, b.u16()?);
    let (seq, ack) = (b.u32()?, b.u32()?);
    let header = usize::from(b.u8()? >> 4) * 4;
    let flags = b.u8()?;
    b.skip(6)?;
    b.skip(header.checked_sub(20).ok_or(Truncated)?)?;
    let payload = b.c.limit(b.wire).rest();
    let cut = b.wire.saturating_sub(payload.len());
    let segment = Segment {
        from: (from, source),
        to: (to, destination),
        seq,
        ack,
        flags,
        payload,
        cut: u32::try_from(cut).unwrap_or(u32::MAX),
        before: 0,
    };
    Ok(Some((segment, b.c.remaining())))
}

#[cfg(test)]
mod tests {
    use pktwho_packet::{Direction, Iface, Reception, Timestamp};

    use super::*;
    use crate::tests::bytes;

    /// Ports 1 and 2, number 16, `hi`.
    const TCP_HI: &str = "0001000200000010000000205018000000000000 6869";
    const IPV4: &str = "450000 2a 00000000 40 06 0000 0a000001 0a000002";

    fn located(link_type: LinkType, data: &[u8], orig_len: usize) -> Option<(u32, usize, u32)> {
        let iface = Iface {
            link_type,
            ..Iface::default()
        };
        let packet = Packet {
            time: Timestamp::default(),
            iface: &iface,
            data,
            orig_len: u32::try_from(orig_len).unwrap(),
            direction: Direction::Unknown,
            reception: Reception::Unspecified,
            sender: None,
            receiver: None,
        };
        let found = segment(&packet)?;
        assert_eq!(&data[found.before..][..found.payload.len()], found.payload);
        Some((found.seq, found.payload.len(), found.cut))
    }

    #[test]
    fn a_segment_is_found_in_every_wrapping() {
        let mac = "020000000001020000000002";
        let inner = format!("{IPV4} {TCP_HI}");
        let ip6 = format!(
            "60000000 001e 00 40 {} {} 06 00 010400000000 {TCP_HI}",
            "00".repeat(16),
            "00".repeat(16)
        );
        for (link_type, packet) in [
            // Padding is no payload.
            (LinkType::ETHERNET, format!("{mac}0800{inner}00000000")),
            (
                LinkType::ETHERNET,
                format!("{mac}88a8000181000002 86dd{ip6}"),
            ),
            (
                LinkType::ETHERNET,
                format!("{mac}8864 11000001002c 0021{inner}"),
            ),
            (
                LinkType::ETHERNET,
                format!("{mac}8847 00010040 00011140{inner}"),
            ),
            (
                LinkType::ETHERNET,
                format!(
                    "{mac}0800 45000000 00000000 4011 0000 0a000001 0a000002 \
                     000112b5 00000000 0800000000000100 {mac}0800{inner}"
                ),
            ),
            (
                LinkType::LINUX_SLL,
                format!("0000 0001 0006 0000000000000000 0800{inner}"),
            ),
            (
                LinkType::LINUX_SLL2,
                format!("0800 0000 00000001 0001 00 06 0000000000000000{inner}"),
            ),
            (LinkType::NULL, format!("02000000{inner}")),
            (LinkType::PPP, format!("ff0321{inner}")),
            (LinkType::RAW, inner.clone()),
            (
                LinkType::RAW,
                format!("4500003e 00000000 4004 0000 0a000001 0a000002 {inner}"),
            ),
            (
                LinkType::RAW,
                format!("45000046 00000000 402f 0000 0a000001 0a000002 20000800 00000001 {inner}"),
            ),
        ] {
            let data = bytes(&packet);
            let found = located(link_type, &data, data.len());
            assert_eq!(found, Some((16, 2, 0)), "{link_type:?} {packet}");
            for end in 0..data.len() {
                let cut = located(link_type, &data[..end], data.len());
                let sum = cut.map_or(2, |(_, there, cut)| there + cut as usize);
                assert_eq!(sum, 2, "{link_type:?} {end}");
            }
        }
    }

    #[test]
    fn other_packets_have_none() {
        let fragment = IPV4.replace("2a 00000000", "2a 00002000");
        for packet in [
            format!("{fragment}{TCP_HI}"),
            IPV4.replace("40 06", "40 11") + TCP_HI,
            "4".to_owned() + &"0".repeat(99),
        ] {
            let data = bytes(&packet);
            assert_eq!(located(LinkType::RAW, &data, data.len()), None, "{packet}");
        }
        let deep = bytes("00000800").repeat(1000);
        let mut vlans = bytes("0200000000010200000000028100");
        vlans.extend(bytes("00008100").repeat(1000));
        assert_eq!(located(LinkType::ETHERNET, &vlans, 5000), None);
        assert_eq!(located(LinkType::ETHERNET, &deep, 5000), None);
    }
}
