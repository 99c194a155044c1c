//! Linux cooked capture v2: one link-layer header for packets of any device.
//!
//! What tcpdump writes for `-i any`. VLAN tags stay in the payload, behind the protocol number
//! of the first. Source: draft-ietf-opsawg-pcaplinktype, `LINKTYPE_LINUX_SLL2`; packet(7) for
//! packet types and protocol numbers; `if_arp.h` for device types.

use pktwho_packet::{Direction, Iface, LinkType, Packet, Reception};

/// Length of the header.
pub const SLL2_HEADER_LEN: usize = 20;

/// `ARPHRD_ETHER`
pub const ARPHRD_ETHER: u16 = 1;
/// `ARPHRD_LOOPBACK`
pub const ARPHRD_LOOPBACK: u16 = 772;
/// `ARPHRD_NONE`: a device without a link-layer header, such as a tun.
pub const ARPHRD_NONE: u16 = 0xfffe;

const ETHERNET_HEADER: usize = 14;
/// Below this the field after the addresses is a length, not a protocol.
const FIRST_ETHERTYPE: u16 = 0x0600;
const ETH_P_802_3: u16 = 0x0001;
const ETH_P_802_2: u16 = 0x0004;
const ETH_P_IP: u16 = 0x0800;
const ETH_P_IPV6: u16 = 0x86dd;

/// What the cooked header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sll2 {
    /// Protocol of the payload: an Ethernet type, or one of Linux's own below 0x0600.
    pub protocol: u16,
    /// The kernel's interface index.
    pub ifindex: u32,
    /// Type of device, `ARPHRD_…`.
    pub arphrd: u16,
    /// `PACKET_HOST` 0, `PACKET_BROADCAST` 1, `PACKET_MULTICAST` 2, `PACKET_OTHERHOST` 3,
    /// `PACKET_OUTGOING` 4.
    pub packet_type: u8,
    /// Link-layer address of the sender, of devices that have one.
    pub source: Option<[u8; 6]>,
}

impl Sll2 {
    /// The header of `packet` on a device of type `arphrd`, and how many bytes of the packet's
    /// own header it replaces; `None` for link types other than Ethernet and raw IP, and for
    /// packets cut within their header.
    pub fn of(packet: &Packet<'_>, arphrd: u16) -> Option<(Self, usize)> {
        let (protocol, source, replaced) = match packet.iface.link_type {
            LinkType::ETHERNET => {
                let (header, payload) = packet.data.split_first_chunk::<ETHERNET_HEADER>()?;
                let [_, _, _, _, _, _, source @ .., high, low] = *header;
                let protocol = match u16::from_be_bytes([high, low]) {
                    ethertype @ FIRST_ETHERTYPE.. => ethertype,
                    // Novell's frames have no LLC header but start with a checksum of all ones.
                    _ if payload.starts_with(&[0xff, 0xff]) => ETH_P_802_3,
                    _ => ETH_P_802_2,
                };
                (protocol, Some(source), ETHERNET_HEADER)
            }
            LinkType::IPV4 => (ETH_P_IP, None, 0),
            LinkType::IPV6 => (ETH_P_IPV6, None, 0),
            LinkType::RAW => {
                let protocol = match packet.data.first()? >> 4 {
                    6 => ETH_P_IPV6,
                    _ => ETH_P_IP,
                };
                (protocol, None, 0)
            }
            _ => return None,
        };
        let header = Self {
            protocol,
            ifindex: packet.iface.index,
            arphrd,
            packet_type: packet_type(packet),
            source,
        };
        Some((header, replaced))
    }

    /// What becomes of `packet` in a file of cooked packets: header, payload, and the length of
    /// the whole packet with the new header. `None` as for [`Self::of`].
    pub(crate) fn cook<'a>(packet: &Packet<'a>) -> Option<([u8; SLL2_HEADER_LEN], &'a [u8], u32)> {
        let (header, replaced) = Self::of(packet, arphrd(packet.iface))?;
        let payload = packet.data.get(replaced..)?;
        let added = SLL2_HEADER_LEN - replaced;
        let orig_len = packet.orig_len.saturating_add(u32::try_from(added).ok()?);
        Some((header.to_bytes(), payload, orig_len))
    }

    /// The header as it lies in a file.
    pub fn to_bytes(&self) -> [u8; SLL2_HEADER_LEN] {
        let [protocol @ .., _, _] = (u32::from(self.protocol) << 16).to_be_bytes();
        let [p0, p1] = protocol;
        let [i0, i1, i2, i3] = self.ifindex.to_be_bytes();
        let [a0, a1] = self.arphrd.to_be_bytes();
        let len = if self.source.is_some() { 6 } else { 0 };
        let [m0, m1, m2, m3, m4, m5] = self.source.unwrap_or_default();
        [
            p0,
            p1,
            0,
            0,
            i0,
            i1,
            i2,
            i3,
            a0,
            a1,
            self.packet_type,
            len,
            m0,
            m1,
            m2,
            m3,
            m4,
            m5,
            0,
            0,
        ]
    }
}

fn packet_type(packet: &Packet<'_>) -> u8 {
    match (packet.direction, packet.reception) {
        (Direction::Out, _) => 4,
        (_, Reception::Unspecified | Reception::Unicast) => 0,
        (_, Reception::Broadcast) => 1,
        (_, Reception::Multicast) => 2,
        (_, Reception::Promiscuous) => 3,
    }
}

/// The type of a device, as far as its description tells: no link-layer header means none, an
/// all-zero address means loopback, anything else counts as Ethernet.
pub fn arphrd(iface: &Iface) -> u16 {
    match iface.link_type {
        LinkType::ETHERNET if iface.mac == Some([0; 6]) || iface.name == "lo" => ARPHRD_LOOPBACK,
        LinkType::ETHERNET => ARPHRD_ETHER,
        _ => ARPHRD_NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        link_type: LinkType,
        direction: Direction,
        reception: Reception,
        data: &[u8],
        expected: &[u8],
    ) {
        let iface = Iface {
            index: 0x0102,
            link_type,
            ..Iface::default()
        };
        let packet = Packet {
            time: pktwho_packet::Timestamp::default(),
            iface: &iface,
            data,
            orig_len: 0,
            direction,
            reception,
            sender: None,
            receiver: None,
        };
        let (header, replaced) = Sll2::of(&packet, arphrd(&iface)).unwrap();
        let written = [&header.to_bytes()[..], &data[replaced..]].concat();
        assert_eq!(written, expected);
    }

    const SOURCE: [u8; 6] = [2, 3, 4, 5, 6, 7];

    fn frame(after: &[u8]) -> Vec<u8> {
        [&[9; 6][..], &SOURCE, after].concat()
    }

    /// protocol, 0, interface index, device type, packet type, address length, address
    fn cooked(protocol: [u8; 2], device: [u8; 2], kind: u8, rest: &[u8]) -> Vec<u8> {
        let [d0, d1] = device;
        let ethernet = device == [0, 1];
        let address = if ethernet { SOURCE } else { [0; 6] };
        let len = if ethernet { 6 } else { 0 };
        [
            &protocol[..],
            &[0, 0, 0, 0, 1, 2, d0, d1, kind, len],
            &address,
            &[0, 0],
            rest,
        ]
        .concat()
    }

    #[test]
    fn ethernet() {
        use {Direction as D, Reception as R};
        for (direction, reception, kind) in [
            (D::In, R::Unicast, 0),
            (D::Unknown, R::Unspecified, 0),
            (D::In, R::Broadcast, 1),
            (D::In, R::Multicast, 2),
            (D::In, R::Promiscuous, 3),
            (D::Out, R::Broadcast, 4),
        ] {
            let data = frame(b"\x08\x00payload");
            let expected = cooked([8, 0], [0, 1], kind, b"payload");
            check(LinkType::ETHERNET, direction, reception, &data, &expected);
        }
    }

    #[test]
    fn tags_stay_in_the_payload_and_frames_of_802_3_get_linuxs_protocols() {
        for (after, protocol, rest) in [
            (
                &b"\x81\x00\x00\x05\x08\x00tagged"[..],
                [0x81, 0],
                &b"\x00\x05\x08\x00tagged"[..],
            ),
            (b"\x00\x05\x42\x42\x03ab", [0, 4], b"\x42\x42\x03ab"),
            (b"\x00\x05\xff\xffabc", [0, 1], b"\xff\xffabc"),
            (b"\x06\x00", [6, 0], b""),
        ] {
            let expected = cooked(protocol, [0, 1], 0, rest);
            check(
                LinkType::ETHERNET,
                Direction::In,
                Reception::Unicast,
                &frame(after),
                &expected,
            );
        }
    }

    #[test]
    fn packets_without_a_link_layer() {
        let none = [0xff, 0xfe];
        for (link_type, data, protocol) in [
            (LinkType::RAW, b"\x45ip", [8, 0]),
            (LinkType::RAW, b"\x60ip", [0x86, 0xdd]),
            (LinkType::IPV4, b"\x45ip", [8, 0]),
            (LinkType::IPV6, b"\x60ip", [0x86, 0xdd]),
        ] {
            let expected = cooked(protocol, none, 4, data);
            check(
                link_type,
                Direction::Out,
                Reception::Unicast,
                data,
                &expected,
            );
        }
    }

    #[test]
    fn loopback_is_told_by_its_address() {
        let mut iface = Iface {
            link_type: LinkType::ETHERNET,
            ..Iface::default()
        };
        assert_eq!(arphrd(&iface), ARPHRD_ETHER);
        iface.mac = Some([0; 6]);
        assert_eq!(arphrd(&iface), ARPHRD_LOOPBACK);
    }
}
