//! The addresses of a TCP or UDP packet, as far as its first headers tell them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use pktwho_packet::LinkType;
use pktwho_wire::{Cursor, Truncated};

/// Who speaks to whom. IPv4 addresses are never in their IPv6 form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuple {
    pub protocol: Protocol,
    pub from: SocketAddr,
    pub to: SocketAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Tcp,
    Udp,
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// 802.1Q and 802.1ad.
const TAGS: [u16; 2] = [0x8100, 0x88a8];

/// Extension headers that are passed over, at most.
const EXTENSIONS: usize = 4;

/// `None`: of another protocol, a later fragment, or cut too early.
pub fn tuple(link_type: LinkType, data: &[u8]) -> Option<Tuple> {
    read(link_type, &mut Cursor::new(data))
}

/// A UDP datagram's addresses, the length in its header and its payload, as far as it is there.
pub fn datagram(link_type: LinkType, data: &[u8]) -> Option<(Tuple, u16, &[u8])> {
    let mut cursor = Cursor::new(data);
    let tuple = read(link_type, &mut cursor).filter(|it| it.protocol == Protocol::Udp)?;
    let length = cursor.u16().ok()?;
    cursor.skip(2).ok()?;
    let payload = cursor.limit(usize::from(length).saturating_sub(8)).rest();
    Some((tuple, length, payload))
}

/// Leaves the cursor behind the ports.
fn read(link_type: LinkType, cursor: &mut Cursor<'_>) -> Option<Tuple> {
    let tuple = match link_type {
        LinkType::ETHERNET => ethernet(cursor),
        LinkType::RAW => raw(cursor),
        _ => Ok(None),
    };
    tuple.ok().flatten()
}

fn ethernet(cursor: &mut Cursor<'_>) -> Result<Option<Tuple>, Truncated> {
    cursor.take(12)?;
    let mut protocol = cursor.u16()?;
    for _ in 0..2 {
        if TAGS.contains(&protocol) {
            cursor.take(2)?;
            protocol = cursor.u16()?;
        }
    }
    match protocol {
        IPV4 => ipv4(cursor),
        IPV6 => ipv6(cursor),
        _ => Ok(None),
    }
}

fn raw(cursor: &mut Cursor<'_>) -> Result<Option<Tuple>, Truncated> {
    match cursor.clone().u8()? >> 4 {
        4 => ipv4(cursor),
        6 => ipv6(cursor),
        _ => Ok(None),
    }
}

/// RFC 791, section 3.1.
fn ipv4(cursor: &mut Cursor<'_>) -> Result<Option<Tuple>, Truncated> {
    let header = usize::from(cursor.u8()? & 0x0f) * 4;
    cursor.take(5)?;
    let offset = cursor.u16()? & 0x1fff;
    cursor.take(1)?;
    let protocol = cursor.u8()?;
    cursor.take(2)?;
    let from = Ipv4Addr::from(cursor.u32()?);
    let to = Ipv4Addr::from(cursor.u32()?);
    cursor.take(header.saturating_sub(20))?;
    if offset != 0 {
        return Ok(None);
    }
    ports(cursor, protocol, from.into(), to.into())
}

/// RFC 8200, section 3; hop-by-hop, destination and routing headers are passed over.
fn ipv6(cursor: &mut Cursor<'_>) -> Result<Option<Tuple>, Truncated> {
    cursor.take(6)?;
    let mut protocol = cursor.u8()?;
    cursor.take(1)?;
    let from = Ipv6Addr::from(cursor.array::<16>()?);
    let to = Ipv6Addr::from(cursor.array::<16>()?);
    for _ in 0..EXTENSIONS {
        if !matches!(protocol, 0 | 43 | 60) {
            break;
        }
        protocol = cursor.u8()?;
        let length = usize::from(cursor.u8()?);
        cursor.take(8 * length + 6)?;
    }
    ports(cursor, protocol, from.into(), to.into())
}

fn ports(
    cursor: &mut Cursor<'_>,
    protocol: u8,
    from: IpAddr,
    to: IpAddr,
) -> Result<Option<Tuple>, Truncated> {
    let protocol = match protocol {
        6 => Protocol::Tcp,
        17 => Protocol::Udp,
        _ => return Ok(None),
    };
    Ok(Some(Tuple {
        protocol,
        from: SocketAddr::new(from.to_canonical(), cursor.u16()?),
        to: SocketAddr::new(to.to_canonical(), cursor.u16()?),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(link_type: LinkType, data: &[u8], expected: Option<(&str, &str)>) {
        let found = tuple(link_type, data);
        let words = found.map(|found| (found.from.to_string(), found.to.to_string()));
        let words = words
            .as_ref()
            .map(|(from, to)| (from.as_str(), to.as_str()));
        assert_eq!(words, expected);
    }

    #[test]
    fn addresses_and_ports() {
        let mut udp = vec![
            0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ];
        udp.extend([0x1f, 0x90, 0, 53, 0, 8, 0, 0]);
        let expected = Some(("10.0.0.1:8080", "10.0.0.2:53"));
        check(LinkType::RAW, &udp, expected);
        for len in 0..24 {
            check(LinkType::RAW, &udp[..len], None);
        }
        let mut frame = vec![0; 12];
        frame.extend([0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0]);
        frame.extend(&udp);
        check(LinkType::ETHERNET, &frame, expected);
        // A later fragment.
        udp[7] = 1;
        check(LinkType::RAW, &udp, None);
        // TCP behind a hop-by-hop header.
        let mut six = vec![0x60, 0, 0, 0, 0, 28, 0, 64];
        six.extend([0; 15]);
        six.push(1);
        six.extend([0; 15]);
        six.push(2);
        six.extend([6, 0, 0, 0, 0, 0, 0, 0, 0, 80, 1, 0]);
        check(LinkType::RAW, &six, Some(("[::1]:80", "[::2]:256")));
        check(LinkType::RAW, &[0x75; 60], None);
    }
}
