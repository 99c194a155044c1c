//! The little of a packet that the truth is keyed by: protocol, addresses, ports, TCP flags
//! and payload. Reads IPv4 and IPv6 without extension headers over Ethernet or raw IP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use pktwho_packet::LinkType;

use crate::truth::Protocol;

/// What a TCP or UDP packet says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub protocol: Protocol,
    pub source: SocketAddr,
    pub destination: SocketAddr,
    /// TCP's flag byte; 0 for UDP.
    pub flags: u8,
    pub payload: Vec<u8>,
}

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;

/// The tag that puppets begin their payload with: the sender's pid and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag {
    pub pid: u32,
    pub number: u32,
}

impl Segment {
    /// The segment in a frame, `None` when it holds no TCP or UDP that we read.
    pub fn of(link_type: LinkType, frame: &[u8]) -> Option<Self> {
        let packet = if link_type == LinkType::ETHERNET {
            frame.get(14..)?
        } else {
            frame
        };
        match packet.first()? >> 4 {
            4 => {
                let header = usize::from(packet.first()? & 15) * 4;
                let total = usize::from(u16_at(packet, 2)?);
                let ends = (
                    IpAddr::V4(Ipv4Addr::from(array(packet, 12)?)),
                    IpAddr::V4(Ipv4Addr::from(array(packet, 16)?)),
                );
                Self::transport(*packet.get(9)?, ends, packet.get(header..total)?)
            }
            6 => {
                let total = 40 + usize::from(u16_at(packet, 4)?);
                let ends = (
                    IpAddr::V6(Ipv6Addr::from(array(packet, 8)?)),
                    IpAddr::V6(Ipv6Addr::from(array(packet, 24)?)),
                );
                Self::transport(*packet.get(6)?, ends, packet.get(40..total)?)
            }
            _ => None,
        }
    }

    fn transport(number: u8, ends: (IpAddr, IpAddr), bytes: &[u8]) -> Option<Self> {
        let (protocol, header, flags) = match number {
            6 => {
                let header = usize::from(bytes.get(12)? >> 4) * 4;
                (Protocol::Tcp, header, *bytes.get(13)?)
            }
            17 => (Protocol::Udp, 8, 0),
            _ => return None,
        };
        Some(Self {
            protocol,
            source: SocketAddr::new(ends.0, u16_at(bytes, 0)?),
            destination: SocketAddr::new(ends.1, u16_at(bytes, 2)?),
            flags,
            payload: bytes.get(header..)?.to_vec(),
        })
    }

    /// The tag at the start of the payload.
    pub fn tag(&self) -> Option<Tag> {
        let end = self.payload.iter().position(|byte| *byte == b'|')?;
        let text = std::str::from_utf8(self.payload.get(..end)?).ok()?;
        let (pid, number) = text.strip_prefix("pktwho pid=")?.split_once(" n=")?;
        Some(Tag {
            pid: pid.parse().ok()?,
            number: number.parse().ok()?,
        })
    }

    /// TCP's flags as tcpdump's letters; empty for UDP.
    pub fn letters(&self) -> String {
        let letters = [(SYN, 'S'), (FIN, 'F'), (RST, 'R'), (0x08, 'P'), (ACK, '.')];
        let set = letters.iter().filter(|(bit, _)| self.flags & bit != 0);
        set.map(|(_, letter)| letter).collect()
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(array(bytes, at)?))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tagged_datagram_is_read() {
        let payload = b"pktwho pid=7 n=3|...";
        let mut packet = vec![
            0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2,
        ];
        packet.extend([0x12, 0x34, 0x00, 0x35, 0, 28, 0, 0]);
        packet.extend(payload);
        packet[3] = u8::try_from(packet.len()).unwrap();
        let segment = Segment::of(LinkType::RAW, &packet).unwrap();
        assert_eq!(segment.source, "127.0.0.1:4660".parse().unwrap());
        assert_eq!(segment.destination, "127.0.0.2:53".parse().unwrap());
        assert_eq!(segment.tag(), Some(Tag { pid: 7, number: 3 }));
    }
}
