//! The little of a packet that the truth is keyed by: protocol, addresses, ports, TCP flags
//! and payload. Reads IPv4 and IPv6 with extension headers over Ethernet (VLAN tags too) or
//! raw IP; ICMP errors down to the packet they are about; VXLAN and GRE down to what they carry.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use pktwho_packet::LinkType;

use crate::truth::Protocol;

/// What a packet says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub kind: Kind,
    pub protocol: Protocol,
    /// Its port is an echo request's identifier, or the number of a protocol without ports.
    pub source: SocketAddr,
    /// The same; the identifier of an echo reply.
    pub destination: SocketAddr,
    /// TCP's flag byte; 0 for others.
    pub flags: u8,
    pub payload: Vec<u8>,
    /// Carried by a tunnel.
    pub inside: bool,
}

/// What sort of packet, where who owns it depends on that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Plain,
    EchoRequest,
    EchoReply,
    /// An ICMP error, and the packet that it is about.
    Error(Box<Segment>),
    /// A fragment that is not the first: addresses and ports are those of the first.
    Fragment,
}

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;

/// UDP port of VXLAN (RFC 7348).
const VXLAN: u16 = 4789;
/// Where the stage's tunnels of `WireGuard` end.
pub const WIREGUARD: u16 = 51820;

/// The tag that puppets begin their payload with: the sender's pid and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag {
    pub pid: u32,
    pub number: u32,
}

/// An IP header's answers.
struct Header<'a> {
    ends: (IpAddr, IpAddr),
    protocol: u8,
    /// Identification of a fragment, and whether it is the first.
    fragment: Option<(u32, bool)>,
    body: &'a [u8],
}

/// The first fragments seen, to know later ones by.
#[derive(Default)]
pub struct Fragments {
    firsts: HashMap<(IpAddr, IpAddr, u32), Segment>,
}

impl Fragments {
    /// The segment in a frame; of a later fragment what its first one said, without payload.
    pub fn segment(&mut self, link_type: LinkType, frame: &[u8]) -> Option<Segment> {
        let header = Header::of(ip_in(link_type, frame)?)?;
        let Some((identification, first)) = header.fragment else {
            return Segment::of(link_type, frame);
        };
        let key = (header.ends.0, header.ends.1, identification);
        if first {
            let segment = Segment::of(link_type, frame)?;
            self.firsts.insert(key, segment.clone());
            return Some(segment);
        }
        let mut segment = self.firsts.get(&key)?.clone();
        if segment.kind == Kind::Plain {
            segment.kind = Kind::Fragment;
        }
        Some(segment)
    }
}

impl Segment {
    /// The segment in a frame, `None` when it holds nothing that we read.
    pub fn of(link_type: LinkType, frame: &[u8]) -> Option<Self> {
        Self::packet(ip_in(link_type, frame)?)
    }

    /// Its end may be missing: cut by the capture, or quoted by an ICMP error.
    fn packet(packet: &[u8]) -> Option<Self> {
        let header = Header::of(packet)?;
        if header.fragment.is_some_and(|(_, first)| !first) {
            return None;
        }
        let (ends, bytes) = (header.ends, header.body);
        let plain = |protocol, ports: (u16, u16), flags, payload: &[u8]| Self {
            kind: Kind::Plain,
            protocol,
            source: SocketAddr::new(ends.0, ports.0),
            destination: SocketAddr::new(ends.1, ports.1),
            flags,
            payload: payload.to_vec(),
            inside: false,
        };
        let ports = || Some((u16_at(bytes, 0)?, u16_at(bytes, 2)?));
        match header.protocol {
            6 => {
                let flags = bytes.get(13).copied().unwrap_or(0);
                let start = usize::from(bytes.get(12).copied().unwrap_or(0x50) >> 4) * 4;
                let payload = bytes.get(start..).unwrap_or_default();
                Some(plain(Protocol::Tcp, ports()?, flags, payload))
            }
            17 => {
                let payload = bytes.get(8..)?;
                if ports()?.1 == VXLAN {
                    let inner = Self::of(LinkType::ETHERNET, payload.get(8..)?)?;
                    return Some(Self {
                        inside: true,
                        ..inner
                    });
                }
                let plain = plain(Protocol::Udp, ports()?, 0, payload);
                Some(Self {
                    // What is in it nobody can tell.
                    inside: ports()?.1 == WIREGUARD,
                    ..plain
                })
            }
            number @ (1 | 58) => {
                let (request, reply) = if number == 1 { (8, 0) } else { (128, 129) };
                let kind = *bytes.first()?;
                let identifier = u16_at(bytes, 4)?;
                let payload = bytes.get(8..)?;
                let (kind, ports) = if kind == request {
                    (Kind::EchoRequest, (identifier, 0))
                } else if kind == reply {
                    (Kind::EchoReply, (0, identifier))
                } else {
                    let is_error = if number == 1 {
                        matches!(kind, 3 | 4 | 5 | 11 | 12)
                    } else {
                        kind < 128
                    };
                    let inner = is_error.then(|| Self::packet(payload)).flatten()?;
                    (Kind::Error(Box::new(inner)), (0, 0))
                };
                let segment = plain(Protocol::Echo, ports, 0, payload);
                Some(Self { kind, ..segment })
            }
            // GRE without options (RFC 2784).
            47 if u16_at(bytes, 0)? == 0 => {
                let inner = Self::packet(bytes.get(4..)?)?;
                Some(Self {
                    inside: true,
                    ..inner
                })
            }
            // Those that come and go by themselves: IGMP.
            2 => None,
            number => {
                let port = u16::from(number);
                Some(plain(Protocol::Raw(number), (port, port), 0, bytes))
            }
        }
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

    /// TCP's flags as tcpdump's letters; empty for others.
    pub fn letters(&self) -> String {
        let letters = [(SYN, 'S'), (FIN, 'F'), (RST, 'R'), (0x08, 'P'), (ACK, '.')];
        let set = letters.iter().filter(|(bit, _)| self.flags & bit != 0);
        set.map(|(_, letter)| letter).collect()
    }

    /// The sort of packet in one word.
    pub fn word(&self) -> &'static str {
        match (&self.kind, self.protocol) {
            _ if self.inside => "tunnelled",
            (Kind::EchoRequest, _) => "request",
            (Kind::EchoReply, _) => "reply",
            (Kind::Error(_), _) => "error",
            (Kind::Fragment, _) => "fragment",
            (Kind::Plain, Protocol::Tcp) => "tcp",
            (Kind::Plain, Protocol::Udp) => "udp",
            (Kind::Plain, Protocol::Echo | Protocol::Raw(_)) => "raw",
        }
    }
}

/// The IP packet in a frame.
fn ip_in(link_type: LinkType, frame: &[u8]) -> Option<&[u8]> {
    let mut at = match link_type {
        LinkType::ETHERNET => 12,
        // All devices in one file, some of them without Ethernet.
        LinkType::LINUX_SLL2 => return cooked(frame),
        _ => return Some(frame),
    };
    // VLAN tags: 802.1Q, 802.1ad.
    while matches!(u16_at(frame, at)?, 0x8100 | 0x88a8) {
        at += 4;
    }
    matches!(u16_at(frame, at)?, 0x0800 | 0x86dd).then(|| frame.get(at + 2..))?
}

/// The IP packet behind a header of `LINKTYPE_LINUX_SLL2`: 20 bytes, the protocol first.
fn cooked(frame: &[u8]) -> Option<&[u8]> {
    let (mut protocol, mut at) = (u16_at(frame, 0)?, 20);
    while matches!(protocol, 0x8100 | 0x88a8) {
        protocol = u16_at(frame, at + 2)?;
        at += 4;
    }
    matches!(protocol, 0x0800 | 0x86dd).then(|| frame.get(at..))?
}

impl<'a> Header<'a> {
    fn of(packet: &'a [u8]) -> Option<Self> {
        let up_to = |total: usize| total.min(packet.len());
        match packet.first()? >> 4 {
            4 => {
                let header = usize::from(packet.first()? & 15) * 4;
                let total = up_to(usize::from(u16_at(packet, 2)?));
                let word = u16_at(packet, 6)?;
                let (more, offset) = (word & 0x2000 != 0, word & 0x1fff);
                Some(Self {
                    ends: (
                        IpAddr::V4(Ipv4Addr::from(array(packet, 12)?)),
                        IpAddr::V4(Ipv4Addr::from(array(packet, 16)?)),
                    ),
                    protocol: *packet.get(9)?,
                    fragment: (more || offset > 0)
                        .then_some((u32::from(u16_at(packet, 4)?), offset == 0)),
                    body: packet.get(header..total)?,
                })
            }
            6 => {
                let total = up_to(40 + usize::from(u16_at(packet, 4)?));
                let mut header = Self {
                    ends: (
                        IpAddr::V6(Ipv6Addr::from(array(packet, 8)?)),
                        IpAddr::V6(Ipv6Addr::from(array(packet, 24)?)),
                    ),
                    protocol: *packet.get(6)?,
                    fragment: None,
                    body: packet.get(40..total)?,
                };
                header.skip_extensions()?;
                Some(header)
            }
            _ => None,
        }
    }

    /// Goes on to what the extension headers stand before (RFC 8200, 4).
    fn skip_extensions(&mut self) -> Option<()> {
        while matches!(self.protocol, 0 | 43 | 44 | 60) {
            let mut length = 8;
            if self.protocol == 44 {
                let first = u16_at(self.body, 2)? & 0xfff8 == 0;
                self.fragment = Some((u32::from_be_bytes(array(self.body, 4)?), first));
            } else {
                length += usize::from(*self.body.get(1)?) * 8;
            }
            self.protocol = *self.body.first()?;
            self.body = self.body.get(length..)?;
            if self.fragment.is_some_and(|(_, first)| !first) {
                break;
            }
        }
        Some(())
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

    fn ip(fragment: u16, protocol: u8, body: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 0, 0, 7];
        packet.extend(fragment.to_be_bytes());
        packet.extend([64, protocol, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2]);
        packet.extend(body);
        packet[3] = u8::try_from(packet.len()).unwrap();
        packet
    }

    fn datagram() -> Vec<u8> {
        let mut body = vec![0x12, 0x34, 0x00, 0x35, 0, 28, 0, 0];
        body.extend(b"pktwho pid=7 n=3|...");
        body
    }

    const TAG: Option<Tag> = Some(Tag { pid: 7, number: 3 });

    #[test]
    fn a_tagged_datagram_is_read() {
        let segment = Segment::of(LinkType::RAW, &ip(0, 17, &datagram())).unwrap();
        assert_eq!(segment.source, "127.0.0.1:4660".parse().unwrap());
        assert_eq!(segment.destination, "127.0.0.2:53".parse().unwrap());
        assert_eq!(segment.tag(), TAG);
    }

    #[test]
    fn an_error_is_about_a_datagram_cut_short() {
        let mut body = vec![3, 3, 0, 0, 0, 0, 0, 0];
        body.extend(ip(0, 17, &datagram()));
        body.truncate(body.len() - 3);
        let error = Segment::of(LinkType::RAW, &ip(0, 1, &body)).unwrap();
        let Kind::Error(inner) = error.kind else {
            panic!("{error:?}");
        };
        assert_eq!(inner.tag(), TAG);
    }

    #[test]
    fn a_datagram_in_gre() {
        let mut body = vec![0, 0, 8, 0];
        body.extend(ip(0, 17, &datagram()));
        let segment = Segment::of(LinkType::RAW, &ip(0, 47, &body)).unwrap();
        assert_eq!((segment.inside, segment.tag()), (true, TAG));
    }

    #[test]
    fn a_later_fragment_is_known_by_its_first() {
        let mut fragments = Fragments::default();
        let later = ip(2, 17, b"more");
        assert_eq!(fragments.segment(LinkType::RAW, &later), None);
        let first = fragments.segment(LinkType::RAW, &ip(0x2000, 17, &datagram()));
        assert_eq!(first.unwrap().kind, Kind::Plain);
        let later = fragments.segment(LinkType::RAW, &later).unwrap();
        assert_eq!((later.kind.clone(), later.tag()), (Kind::Fragment, TAG));
    }

    #[test]
    fn behind_a_cooked_header() {
        let cooked = |protocol: &[u8]| {
            let mut frame = vec![0; 20];
            frame[..2].copy_from_slice(&protocol[..2]);
            frame.extend(&protocol[2..]);
            frame.extend(ip(0, 17, &datagram()));
            Segment::of(LinkType::LINUX_SLL2, &frame)
        };
        assert_eq!(cooked(&[8, 0]).unwrap().tag(), TAG);
        assert_eq!(cooked(&[0x81, 0, 0, 5, 8, 0]).unwrap().tag(), TAG);
        assert_eq!(cooked(&[8, 6]), None);
    }

    #[test]
    fn behind_two_tags_and_two_extension_headers() {
        let mut frame = vec![0; 12];
        frame.extend([0x88, 0xa8, 0, 7, 0x81, 0, 0, 9, 0x86, 0xdd]);
        frame.extend([0x60, 0, 0, 0, 0, 44, 0, 64]);
        frame.extend([0; 32]);
        frame.extend([60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0]);
        frame.extend(datagram());
        let segment = Segment::of(LinkType::ETHERNET, &frame).unwrap();
        assert_eq!(segment.tag(), TAG);
    }
}
