//! Link-layer addresses: hosts, broadcast, multicast.
//!
//! Source: IEEE 802.3, FDDI (ANSI X3.139), IEEE 802.5, RFC 2625 (Fibre Channel), RFC 1201
//! (`ARCnet`), ASHRAE 135 (MS/TP).

use super::cond::Cond;
use super::ip::{Ends, ends};
use super::layer::{Framing, Place};
use super::refusal::word;
use super::{Lowered, Lowering, Refusal, link};
use crate::graph::Size;
use crate::tree::{Direction, Protocol};
use pktwho_packet::LinkType;

/// Where destination and source stand, from the link-layer header.
#[derive(Clone, Copy)]
struct Addresses {
    destination: u32,
    source: u32,
}

impl Lowering<'_> {
    /// Where addresses of six bytes stand, when they stand at the same place in every packet.
    fn addresses(&self) -> Option<Addresses> {
        let (destination, source) = match self.layer.link_type {
            LinkType::FDDI => (1, 7),
            LinkType::IEEE802_5 => (2, 8),
            LinkType::IP_OVER_FC => (2, 10),
            _ if self.layer.framing == Framing::Ethernet => (0, 6),
            _ => return None,
        };
        Some(Addresses {
            destination,
            source,
        })
    }

    /// Has the link layer addresses of six bytes?
    pub(super) fn is_ether_like(&self) -> bool {
        self.is_wlan() || self.addresses().is_some()
    }

    /// Is the field that address? The end is looked at first.
    pub(super) fn address_is(&mut self, place: Place, address: [u8; 6]) -> Cond {
        let number = address
            .into_iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(byte));
        let [end, start] = [number & 0xffff_ffff, number >> 32]
            .map(|part| u32::try_from(part).unwrap_or_default());
        let end = self.is(place.plus(2), Size::Word, end);
        let start = self.is(place, Size::Half, start);
        end.and(start)
    }

    pub(super) fn ether_host(
        &mut self,
        address: [u8; 6],
        direction: Option<Direction>,
    ) -> Lowered<Cond> {
        if self.is_wlan() {
            return Ok(self.wlan_host(address, direction));
        }
        let Some(ends) = ends(direction) else {
            return self.refuse(Refusal::WlanOnly(direction_word(direction)));
        };
        let Some(addresses) = self.addresses() else {
            return self.not_on_link("link host");
        };
        Ok(self.ether_ends(addresses, address, ends))
    }

    fn ether_ends(&mut self, addresses: Addresses, address: [u8; 6], ends: Ends) -> Cond {
        let has = self.has_ethernet_header();
        let header = self.layer.header;
        let source = self.address_is(header.plus(addresses.source), address);
        let destination = self.address_is(header.plus(addresses.destination), address);
        has.and(ends.join(|| source.clone(), || destination.clone()))
    }

    /// Where stations with addresses of one byte stand: destination, source.
    fn stations(&self) -> Option<(u32, u32)> {
        match self.layer.link_type {
            LinkType::ARCNET | LinkType::ARCNET_LINUX => Some((1, 0)),
            LinkType::BACNET_MS_TP => Some((3, 4)),
            _ => None,
        }
    }

    pub(super) fn arcnet_host(
        &mut self,
        address: u8,
        direction: Option<Direction>,
    ) -> Lowered<Cond> {
        let Some(ends) = ends(direction) else {
            return self.refuse(Refusal::WlanOnly(direction_word(direction)));
        };
        let Some((destination, source)) = self.stations() else {
            return self.not_on_link("link host $XX");
        };
        let header = self.layer.header;
        let source = self.is(header.plus(source), Size::Byte, address.into());
        let destination = self.is(header.plus(destination), Size::Byte, address.into());
        Ok(ends.join(|| source.clone(), || destination.clone()))
    }

    pub(super) fn broadcast(&mut self, protocol: Option<Protocol>) -> Lowered<Cond> {
        match protocol {
            None | Some(Protocol::Link) => {}
            Some(Protocol::Ip) => return self.ip_broadcast(),
            Some(other) => return self.refuse(Refusal::BroadcastOf(word(other))),
        }
        if let Some(station) = self.station_broadcast() {
            return Ok(station);
        }
        if !self.is_ether_like() {
            return self.not_on_link("broadcast");
        }
        self.ether_host([0xff; 6], Some(Direction::Dst))
    }

    /// Everybody, where stations have numbers of one byte.
    fn station_broadcast(&mut self) -> Option<Cond> {
        let (destination, _) = self.stations()?;
        let everybody = if self.layer.link_type == LinkType::BACNET_MS_TP {
            0xff
        } else {
            0
        };
        let place = self.layer.header.plus(destination);
        Some(self.is(place, Size::Byte, everybody))
    }

    /// Host bits all zero or all one.
    fn ip_broadcast(&mut self) -> Lowered<Cond> {
        let Some(netmask) = self.device.netmask else {
            return self.refuse(Refusal::NoNetmask);
        };
        let hosts = !netmask;
        let ip = self.carries(link::IP)?;
        let place = self.layer.network().plus(16);
        let zeros = self.masked(place, Size::Word, hosts, 0);
        let ones = self.masked(place, Size::Word, hosts, hosts);
        Ok(ip.and(zeros.or(ones)))
    }

    pub(super) fn multicast(&mut self, protocol: Option<Protocol>) -> Lowered<Cond> {
        match protocol {
            None | Some(Protocol::Link) => {}
            Some(Protocol::Ip) => {
                let ip = self.carries(link::IP)?;
                let place = self.layer.network().plus(16);
                let group = self.masked(place, Size::Byte, 0xf0, 0xe0);
                return Ok(ip.and(group));
            }
            Some(Protocol::Ip6) => {
                let ip6 = self.carries(link::IP6)?;
                let place = self.layer.network().plus(24);
                let group = self.is(place, Size::Byte, 0xff);
                return Ok(ip6.and(group));
            }
            Some(other) => return self.refuse(Refusal::MulticastOf(word(other))),
        }
        if let Some(station) = self.station_broadcast() {
            return Ok(station);
        }
        if self.is_wlan() {
            return Ok(self.wlan_multicast());
        }
        let Some(addresses) = self.addresses() else {
            return self.not_on_link("multicast");
        };
        let has = self.has_ethernet_header();
        let place = self.layer.header.plus(addresses.destination);
        let group = self.any_bit(place, Size::Byte, 1);
        Ok(has.and(group))
    }
}

/// The word of a direction that only 802.11 has.
pub(super) fn direction_word(direction: Option<Direction>) -> &'static str {
    match direction {
        None | Some(Direction::SrcOrDst) => "src or dst",
        Some(Direction::Src) => "src",
        Some(Direction::Dst) => "dst",
        Some(Direction::SrcAndDst) => "src and dst",
        Some(Direction::Addr1) => "addr1",
        Some(Direction::Addr2) => "addr2",
        Some(Direction::Addr3) => "addr3",
        Some(Direction::Addr4) => "addr4",
        Some(Direction::Ra) => "ra",
        Some(Direction::Ta) => "ta",
    }
}
