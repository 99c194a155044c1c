//! IPv4 and IPv6: addresses, networks, what they carry, ports.
//!
//! Source: RFC 791, RFC 8200, RFC 826 (addresses in ARP), the IANA protocol numbers.

use super::cond::Cond;
use super::layer::Place;
use super::{Lowered, Lowering, Refusal, link};
use crate::graph::{Comparison, Size, Test};
use crate::tree::{Direction, Operator, Protocol};

pub(super) const TCP: u32 = 6;
pub(super) const UDP: u32 = 17;
const FRAGMENT: u32 = 44;
pub(super) const ICMP6: u32 = 58;
pub(super) const SCTP: u32 = 132;

/// Protocols over IPv4 and IPv6.
pub(super) fn over_both(protocol: Protocol) -> Option<u32> {
    Some(match protocol {
        Protocol::Tcp => TCP,
        Protocol::Udp => UDP,
        Protocol::Sctp => SCTP,
        Protocol::Esp => 50,
        Protocol::Ah => 51,
        Protocol::Pim => 103,
        _ => return None,
    })
}

/// Protocols over IPv4 alone.
pub(super) fn over_ip(protocol: Protocol) -> Option<u32> {
    Some(match protocol {
        Protocol::Icmp => 1,
        Protocol::Igmp => 2,
        Protocol::Igrp => 9,
        Protocol::Vrrp | Protocol::Carp => 112,
        _ => return None,
    })
}

/// Which of a packet's two fields, when there are no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    Source,
    Destination,
    Either,
    Both,
}

impl Ends {
    /// The test for each end, joined.
    pub(super) fn join(
        self,
        mut source: impl FnMut() -> Cond,
        mut destination: impl FnMut() -> Cond,
    ) -> Cond {
        match self {
            Ends::Source => source(),
            Ends::Destination => destination(),
            Ends::Either => source().or(destination()),
            Ends::Both => source().and(destination()),
        }
    }
}

/// `None` for the directions of 802.11.
pub(super) fn ends(direction: Option<Direction>) -> Option<Ends> {
    match direction {
        None | Some(Direction::SrcOrDst) => Some(Ends::Either),
        Some(Direction::Src) => Some(Ends::Source),
        Some(Direction::Dst) => Some(Ends::Destination),
        Some(Direction::SrcAndDst) => Some(Ends::Both),
        Some(_) => None,
    }
}

/// Ports from `low` to `high`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) low: u32,
    pub(super) high: u32,
}

impl Lowering<'_> {
    pub(super) fn ip_protocol(&mut self, number: u32) -> Lowered<Cond> {
        let ip = self.carries(link::IP)?;
        let place = self.layer.network().plus(9);
        let is = self.is(place, Size::Byte, number);
        Ok(ip.and(is))
    }

    /// The next header, or the one behind a fragment header.
    pub(super) fn ip6_protocol(&mut self, number: u32) -> Lowered<Cond> {
        let ip6 = self.carries(link::IP6)?;
        let network = self.layer.network();
        let next = self.is(network.plus(6), Size::Byte, number);
        let fragment = self.is(network.plus(6), Size::Byte, FRAGMENT);
        let behind = self.is(network.plus(40), Size::Byte, number);
        Ok(ip6.and(next.or(fragment.and(behind))))
    }

    pub(super) fn ip_or_ip6_protocol(&mut self, number: u32) -> Lowered<Cond> {
        let ip = self.ip_protocol(number)?;
        let ip6 = self.ip6_protocol(number)?;
        Ok(ip.or(ip6))
    }

    /// Not a fragment of IPv4 behind the first.
    pub(super) fn first_fragment(&mut self) -> Cond {
        let place = self.layer.network().plus(6);
        self.any_bit(place, Size::Half, 0x1fff).not()
    }

    /// What follows the IPv4 header.
    pub(super) fn behind_ip(&mut self) -> Place {
        let network = self.layer.network();
        let first = self.load(network, Size::Byte);
        let words = self.and(first, 15);
        let length = self.shift_left(words, 2);
        let base = match network.base {
            Some(base) => self.builder.binary(Operator::Add, length, base),
            None => length,
        };
        Place {
            base: Some(base),
            offset: network.offset,
        }
    }

    /// An IPv4 address or network in the header of IP, ARP or RARP.
    pub(super) fn address(
        &mut self,
        protocol: u32,
        address: u32,
        mask: u32,
        ends: Ends,
    ) -> Lowered<Cond> {
        let (source, destination) = if protocol == link::IP {
            (12, 16)
        } else {
            (14, 24)
        };
        let carries = self.carries(protocol)?;
        let network = self.layer.network();
        let at = |lowering: &mut Self, offset| {
            lowering.masked(network.plus(offset), Size::Word, mask, address)
        };
        let source = at(self, source);
        let destination = at(self, destination);
        let is = ends.join(|| source.clone(), || destination.clone());
        Ok(carries.and(is))
    }

    /// An address in IPv4, ARP and RARP, as far as they can be.
    pub(super) fn address_anywhere(
        &mut self,
        address: u32,
        mask: u32,
        ends: Ends,
    ) -> Lowered<Cond> {
        let ip = self.address(link::IP, address, mask, ends)?;
        if self.layer.labels > 0 {
            return Ok(ip);
        }
        let arp = self.address(link::ARP, address, mask, ends)?;
        let rarp = self.address(link::RARP, address, mask, ends)?;
        Ok(ip.or(arp).or(rarp))
    }

    pub(super) fn address6(&mut self, address: u128, mask: u128, ends: Ends) -> Lowered<Cond> {
        let carries = self.carries(link::IP6)?;
        let network = self.layer.network();
        let at = |lowering: &mut Self, offset: u32| {
            let words = words(address)
                .into_iter()
                .zip(words(mask))
                .zip([0, 4, 8, 12]);
            let conds: Vec<Cond> = words
                .map(|((word, mask), step)| {
                    lowering.masked(network.plus(offset + step), Size::Word, mask, word)
                })
                .collect();
            Cond::all(conds)
        };
        let source = at(self, 8);
        let destination = at(self, 24);
        let is = ends.join(|| source.clone(), || destination.clone());
        Ok(carries.and(is))
    }

    /// Ports of any of the protocols, over IPv6 and IPv4.
    pub(super) fn ports(&mut self, protocols: &[u32], ports: Ports, ends: Ends) -> Lowered<Cond> {
        let ip6 = self.carries(link::IP6)?;
        let network = self.layer.network();
        let protocol = self.one_of(network.plus(6), protocols);
        let there = self.port_fields(network.plus(40), ports, ends);
        let over_ip6 = ip6.and(protocol.and(there));
        let ip = self.carries(link::IP)?;
        let protocol = self.one_of(network.plus(9), protocols);
        let first = self.first_fragment();
        let behind = self.behind_ip();
        let there = self.port_fields(behind, ports, ends);
        let over_ip = ip.and(protocol.and(first).and(there));
        Ok(over_ip6.or(over_ip))
    }

    fn one_of(&mut self, place: Place, numbers: &[u32]) -> Cond {
        let conds: Vec<Cond> = numbers
            .iter()
            .map(|number| self.is(place, Size::Byte, *number))
            .collect();
        Cond::any(conds)
    }

    fn port_fields(&mut self, transport: Place, ports: Ports, ends: Ends) -> Cond {
        let at = |lowering: &mut Self, offset| {
            let place = transport.plus(offset);
            if ports.low == ports.high {
                return lowering.is(place, Size::Half, ports.low);
            }
            let port = lowering.load(place, Size::Half);
            let low = lowering.compare(Comparison::GreaterEqual, port, ports.low);
            let high = lowering
                .compare(Comparison::Greater, port, ports.high)
                .not();
            low.and(high)
        };
        let source = at(self, 0);
        let destination = at(self, 2);
        ends.join(|| source.clone(), || destination.clone())
    }

    /// A port of UDP over IPv4 or IPv6 alone, for what is carried by it.
    pub(super) fn udp_port_over(&mut self, number: u32, port: u32) -> Lowered<Cond> {
        let carries = self.carries(number)?;
        let network = self.layer.network();
        let inner = if number == link::IP {
            let udp = self.is(network.plus(9), Size::Byte, UDP);
            let first = self.first_fragment();
            let behind = self.behind_ip();
            let port = self.is(behind.plus(2), Size::Half, port);
            udp.and(first).and(port)
        } else {
            let udp = self.is(network.plus(6), Size::Byte, UDP);
            let port = self.is(network.plus(42), Size::Half, port);
            udp.and(port)
        };
        Ok(carries.and(inner))
    }

    /// `protochain` over IPv4 (`version` 4) or IPv6.
    pub(super) fn chain(&mut self, version: u8, protocol: u8) -> Lowered<Cond> {
        let number = if version == 4 { link::IP } else { link::IP6 };
        if self.layer.payload.base.is_some() {
            return self.refuse(Refusal::VariableChain);
        }
        let carries = self.carries(number)?;
        let network = self.layer.network();
        let chain = Cond::Test(Test::Chain {
            version,
            base: network.base,
            offset: network.offset,
            protocol,
        });
        Ok(carries.and(chain))
    }
}

/// The four words of an address.
fn words(address: u128) -> [u32; 4] {
    [96, 64, 32, 0].map(|shift| {
        #[expect(clippy::cast_possible_truncation, reason = "one word of four is meant")]
        let word = (address >> shift) as u32;
        word
    })
}
