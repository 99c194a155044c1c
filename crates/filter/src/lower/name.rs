//! Values that are names: hosts, networks, ports, gateways, protocols.

use super::cond::Cond;
use super::refusal::{kind_word, word};
use super::value::{PortOf, shifted};
use super::{Lowered, Lowering, Refusal, link, osi};
use crate::names::Transport;
use crate::tree::{Kind, Protocol, Qualifiers};
use std::net::IpAddr;

impl Lowering<'_> {
    pub(super) fn name(&mut self, qualifiers: Qualifiers, name: &str) -> Lowered<Cond> {
        match qualifiers.kind {
            None | Some(Kind::Host) => self.host_name(qualifiers, name),
            Some(Kind::Net) => self.network_name(qualifiers, name),
            Some(Kind::Port) => {
                self.port_ends(qualifiers)?;
                let unknown = || Refusal::Port(name.to_owned());
                let Some((port, of)) = self.port_name(name)? else {
                    return self.refuse(unknown());
                };
                self.check_port(qualifiers, of, |of| Refusal::PortOf {
                    name: name.to_owned(),
                    of,
                })?;
                self.port(qualifiers, port, port, of)
            }
            Some(Kind::PortRange) => self.port_range(qualifiers, name),
            Some(Kind::Gateway) => self.gateway(qualifiers, name),
            Some(Kind::Proto) => self.protocol_name(qualifiers, name),
            Some(Kind::ProtoChain) => {
                let number = match qualifiers.protocol {
                    None | Some(Protocol::Ip | Protocol::Ip6) => self.names.ip_protocol(name),
                    Some(_) => None,
                };
                match number {
                    Some(number) => self.chain_number(qualifiers.protocol, number.into()),
                    None => self.unknown_protocol(qualifiers, name),
                }
            }
        }
    }

    fn host_name(&mut self, qualifiers: Qualifiers, name: &str) -> Lowered<Cond> {
        match qualifiers.protocol {
            Some(Protocol::Link) => {
                if !self.is_ether_like() {
                    return self.not_on_link("link host");
                }
                let Some(address) = self.names.ethernet_host(name) else {
                    return self.refuse(Refusal::EtherHost(name.to_owned()));
                };
                return self.ether_host(address, qualifiers.direction);
            }
            Some(Protocol::Decnet) => return self.bad_qualifier("decnet", "host"),
            _ => {}
        }
        let addresses = self.names.host(name);
        if addresses.is_empty() {
            return self.refuse(Refusal::Host(name.to_owned()));
        }
        let mut any = None;
        for address in addresses {
            let cond = match (address, qualifiers.protocol) {
                (IpAddr::V4(_), Some(Protocol::Ip6))
                | (IpAddr::V6(_), Some(Protocol::Ip | Protocol::Arp | Protocol::Rarp)) => continue,
                (IpAddr::V4(address), _) => {
                    self.ipv4(qualifiers, address.into(), u32::MAX, "address")?
                }
                (IpAddr::V6(address), _) => {
                    self.ip6_address(qualifiers, address.into(), u128::MAX, false)?
                }
            };
            any = Some(match any {
                None => cond,
                Some(any) => Cond::or(any, cond),
            });
        }
        match any {
            Some(any) => Ok(any),
            None => self.refuse(Refusal::HostFamily(name.to_owned())),
        }
    }

    fn network_name(&mut self, qualifiers: Qualifiers, name: &str) -> Lowered<Cond> {
        let Some(number) = self.names.network(name) else {
            return self.refuse(Refusal::Network(name.to_owned()));
        };
        let (address, mask) = shifted(number);
        self.ipv4(qualifiers, address, mask, "address")
    }

    /// A port by name or number, and whose it is.
    fn port_name(&mut self, name: &str) -> Lowered<Option<(u32, PortOf)>> {
        if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = name.parse().unwrap_or(u32::MAX);
            let number = self.at_most("port number", number, 65535)?;
            return Ok(Some((number, PortOf::Any)));
        }
        let tcp = self.names.port(name, Transport::Tcp);
        let udp = self.names.port(name, Transport::Udp);
        Ok(match (tcp, udp) {
            (Some(tcp), Some(udp)) if tcp == udp => Some((tcp.into(), PortOf::Any)),
            (Some(tcp), _) => Some((tcp.into(), PortOf::Tcp)),
            (None, Some(udp)) => Some((udp.into(), PortOf::Udp)),
            (None, None) => None,
        })
    }

    /// Refuses a port of one protocol with another before it.
    fn check_port(
        &self,
        qualifiers: Qualifiers,
        of: PortOf,
        refusal: impl Fn(&'static str) -> Refusal,
    ) -> Lowered<()> {
        match (qualifiers.protocol, of) {
            (Some(Protocol::Udp | Protocol::Sctp), PortOf::Tcp) => self.refuse(refusal("tcp")),
            (Some(Protocol::Tcp | Protocol::Sctp), PortOf::Udp) => self.refuse(refusal("udp")),
            _ => Ok(()),
        }
    }

    fn port_range(&mut self, qualifiers: Qualifiers, name: &str) -> Lowered<Cond> {
        self.port_ends(qualifiers)?;
        let (low, high) = name.split_once('-').unwrap_or((name, name));
        let low = self.port_name(low)?;
        let high = self.port_name(high)?;
        let (Some((low, low_of)), Some((high, high_of))) = (low, high) else {
            return self.refuse(Refusal::PortRange(name.to_owned()));
        };
        let of = if low_of == high_of {
            low_of
        } else {
            PortOf::Any
        };
        self.check_port(qualifiers, of, |of| Refusal::PortRangeOf {
            name: name.to_owned(),
            of,
        })?;
        self.port(qualifiers, low, high, of)
    }

    /// Packets that go through a host: its link-layer address, and not its own IP address.
    fn gateway(&mut self, qualifiers: Qualifiers, name: &str) -> Lowered<Cond> {
        match qualifiers.protocol {
            None | Some(Protocol::Ip | Protocol::Arp | Protocol::Rarp) => {}
            Some(other) => return self.bad_qualifier(word(other), "gateway"),
        }
        if self.layer.tunnel.is_some() {
            return self.refuse(Refusal::GatewayInTunnel);
        }
        if !self.is_ether_like() {
            return self.not_on_link("gateway");
        }
        let Some(address) = self.names.ethernet_host(name) else {
            return self.refuse(Refusal::EtherHost(name.to_owned()));
        };
        let station = self.ether_host(address, None)?;
        let host = Qualifiers {
            kind: Some(Kind::Host),
            ..qualifiers
        };
        let itself = self.host_name(host, name)?;
        Ok(station.and(itself.not()))
    }

    fn protocol_name(&mut self, qualifiers: Qualifiers, name: &str) -> Lowered<Cond> {
        let number = match qualifiers.protocol {
            None | Some(Protocol::Ip | Protocol::Ip6) => {
                self.names.ip_protocol(name).map(u32::from)
            }
            Some(Protocol::Link) => link::named(name),
            Some(Protocol::Iso) => osi::named(name),
            Some(Protocol::Decnet) => return self.bad_qualifier("decnet", "proto"),
            Some(_) => None,
        };
        match number {
            Some(number) => self.protocol_number(qualifiers.protocol, number),
            None => self.unknown_protocol(qualifiers, name),
        }
    }

    fn unknown_protocol(&self, qualifiers: Qualifiers, name: &str) -> Lowered<Cond> {
        let kind = kind_word(qualifiers.kind);
        let of = match qualifiers.protocol {
            Some(protocol) => format!("{} {kind}", word(protocol)),
            None => kind.to_owned(),
        };
        self.refuse(Refusal::ProtocolName {
            of,
            name: name.to_owned(),
        })
    }
}
