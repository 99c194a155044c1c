//! Values with their qualifiers: `src host 10.0.0.1`, `tcp port http`, `net 10/8`.
//!
//! What a value is was seen by the parser; what it means depends on its kind. What does not go
//! together is refused in libpcap's words.

use super::cond::Cond;
use super::ether::direction_word;
use super::ip::{Ends, Ports, ends};
use super::refusal::{kind_word, word};
use super::{Lowered, Lowering, Refusal, ip, link, osi};
use crate::names::Transport;
use crate::tree::{Direction, Kind, Protocol, Qualifiers, Value};
use std::net::{IpAddr, Ipv6Addr};

/// Which transport protocols a port's name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PortOf {
    Tcp,
    Udp,
    Any,
}

impl Lowering<'_> {
    pub(super) fn value(&mut self, qualifiers: Qualifiers, value: &Value) -> Lowered<Cond> {
        match value {
            Value::Name(name) => self.name(qualifiers, name),
            Value::Number(number) => self.number(qualifiers, *number),
            Value::Dotted(text) => self.dotted(qualifiers, text),
            Value::DottedPrefix(text, length) => {
                let written = format!("{text}/{length}");
                self.not_masked(qualifiers, &written, "IPv4 address and prefix length")?;
                let (address, mask) = self.short_address(text)?;
                if *length > 32 {
                    return self.refuse(Refusal::MaskLength(*length));
                }
                let _ = mask;
                let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
                self.network(qualifiers, &written, address, mask)
            }
            Value::DottedMask(text, mask) => {
                let written = format!("{text} mask {mask}");
                self.not_masked(qualifiers, &written, "IPv4 address and netmask")?;
                let (address, _) = self.short_address(text)?;
                let (mask, _) = self.short_address(mask)?;
                self.network(qualifiers, &written, address, mask)
            }
            Value::Ipv6(text) => self.ipv6(qualifiers, text, None),
            Value::Ipv6Prefix(text, length) => self.ipv6(qualifiers, text, Some(*length)),
            Value::NamePrefix(name, _) => match qualifiers.kind {
                Some(Kind::Net) => self.refuse(Refusal::Network(name.clone())),
                _ => self.refuse(Refusal::Host(name.clone())),
            },
            Value::Ether(address) => {
                let host = matches!(qualifiers.kind, None | Some(Kind::Host));
                if !host || qualifiers.protocol != Some(Protocol::Link) {
                    return self.refuse(Refusal::EtherAddress);
                }
                self.ether_host(*address, qualifiers.direction)
            }
            Value::Arcnet(address) => {
                if !matches!(qualifiers.kind, None | Some(Kind::Host)) {
                    return self.refuse(Refusal::Qualifier {
                        what: kind_word(qualifiers.kind),
                        of: "$XX".into(),
                    });
                }
                if qualifiers.protocol != Some(Protocol::Link) {
                    return self.refuse(Refusal::ArcnetAddress);
                }
                self.arcnet_host(*address, qualifiers.direction)
            }
        }
    }

    fn bad_qualifier<T>(&self, what: &'static str, of: impl Into<String>) -> Lowered<T> {
        self.refuse(Refusal::Qualifier {
            what,
            of: of.into(),
        })
    }

    /// The two ends, or a refusal of 802.11's directions.
    fn plain_ends(&self, direction: Option<Direction>) -> Lowered<Ends> {
        match ends(direction) {
            Some(ends) => Ok(ends),
            None => self.refuse(Refusal::WlanOnly(direction_word(direction))),
        }
    }

    // Addresses.

    /// One to four numbers with dots: the number they make when the missing ones are 0, and the
    /// mask of those that are there.
    fn short_address(&self, text: &str) -> Lowered<(u32, u32)> {
        let mut address = 0_u32;
        let mut parts = 0_u32;
        for part in text.split('.') {
            let byte = part.parse::<u8>().ok().filter(|_| parts < 4);
            let Some(byte) = byte else {
                return self.refuse(Refusal::Ipv4Address(text.to_owned()));
            };
            address = address << 8 | u32::from(byte);
            parts += 1;
        }
        let missing = 32 - 8 * parts.min(4);
        let address = address.checked_shl(missing).unwrap_or(0);
        Ok((address, u32::MAX.checked_shl(missing).unwrap_or(0)))
    }

    fn dotted(&mut self, qualifiers: Qualifiers, text: &str) -> Lowered<Cond> {
        match qualifiers.kind {
            None | Some(Kind::Host | Kind::Net) => {}
            Some(Kind::Gateway) => return self.no_gateway(qualifiers, text),
            kind => {
                return self.refuse(Refusal::AppliedTo {
                    kind: kind_word(kind),
                    to: "IPv4 address",
                });
            }
        }
        match qualifiers.protocol {
            Some(Protocol::Decnet) => {
                if qualifiers.kind == Some(Kind::Net) {
                    return self.bad_qualifier("decnet", "net");
                }
                let address = self.decnet_address(text)?;
                let ends = self.plain_ends(qualifiers.direction)?;
                return self.decnet_host(address, ends);
            }
            Some(Protocol::Link) => {
                return self.refuse(Refusal::LinkAddress(text.to_owned()));
            }
            _ => {}
        }
        let (address, mask) = self.short_address(text)?;
        self.ipv4(qualifiers, address, mask, "address")
    }

    fn no_gateway(&self, qualifiers: Qualifiers, text: &str) -> Lowered<Cond> {
        if qualifiers.protocol == Some(Protocol::Decnet) {
            return self.bad_qualifier("decnet", "gateway");
        }
        self.bad_qualifier("gateway", text)
    }

    /// Refuses masks with anything but networks. `to` is what messages call the value.
    fn not_masked(&self, qualifiers: Qualifiers, written: &str, to: &'static str) -> Lowered<Cond> {
        let decnet = qualifiers.protocol == Some(Protocol::Decnet);
        match qualifiers.kind {
            Some(Kind::Net) if decnet => self.bad_qualifier("decnet", "net"),
            Some(Kind::Net) => Ok(Cond::Always),
            None | Some(Kind::Host) if decnet => self.bad_qualifier("decnet", "host"),
            None | Some(Kind::Host) => self.bad_qualifier("host", written),
            Some(Kind::Gateway) => self.no_gateway(qualifiers, written),
            kind => self.refuse(Refusal::AppliedTo {
                kind: kind_word(kind),
                to,
            }),
        }
    }

    fn network(
        &mut self,
        qualifiers: Qualifiers,
        written: &str,
        address: u32,
        mask: u32,
    ) -> Lowered<Cond> {
        if address & !mask != 0 {
            return self.refuse(Refusal::NetworkBits(written.to_owned()));
        }
        self.ipv4(qualifiers, address, mask, "prefix")
    }

    /// An address or network. `form` is what messages call it.
    fn ipv4(
        &mut self,
        qualifiers: Qualifiers,
        address: u32,
        mask: u32,
        form: &str,
    ) -> Lowered<Cond> {
        let protocol = match qualifiers.protocol {
            None => None,
            Some(Protocol::Ip) => Some(link::IP),
            Some(Protocol::Arp) => Some(link::ARP),
            Some(Protocol::Rarp) => Some(link::RARP),
            Some(other) => {
                let kind = kind_word(qualifiers.kind);
                return self.bad_qualifier(word(other), format!("{kind} <IPv4 {form}>"));
            }
        };
        let ends = self.plain_ends(qualifiers.direction)?;
        match protocol {
            Some(protocol) => self.address(protocol, address, mask, ends),
            None => self.address_anywhere(address, mask, ends),
        }
    }

    fn ipv6(&mut self, qualifiers: Qualifiers, text: &str, length: Option<u32>) -> Lowered<Cond> {
        let written = match length {
            Some(length) => format!("{text}/{length}"),
            None => text.to_owned(),
        };
        let net = match qualifiers.kind {
            None | Some(Kind::Host) => false,
            Some(Kind::Net) => true,
            Some(Kind::Gateway) => return self.bad_qualifier("gateway", written),
            kind => {
                return self.refuse(Refusal::AppliedTo {
                    kind: kind_word(kind),
                    to: match length {
                        Some(_) => "IPv6 address and prefix length",
                        None => "IPv6 address",
                    },
                });
            }
        };
        let Ok(address) = text.parse::<Ipv6Addr>() else {
            return self.refuse(Refusal::Ipv6Address(text.to_owned()));
        };
        let length = length.unwrap_or(128);
        if length > 128 {
            return self.refuse(Refusal::MaskLength6);
        }
        if !net && length != 128 {
            return self.bad_qualifier("host", written);
        }
        let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
        let address = u128::from(address);
        if address & !mask != 0 {
            return self.refuse(Refusal::NetworkBits(written));
        }
        self.ip6_address(qualifiers, address, mask, net)
    }

    fn ip6_address(
        &mut self,
        qualifiers: Qualifiers,
        address: u128,
        mask: u128,
        net: bool,
    ) -> Lowered<Cond> {
        if let Some(protocol) = qualifiers
            .protocol
            .filter(|protocol| *protocol != Protocol::Ip6)
        {
            let of = if net {
                "net <IPv6 prefix>"
            } else {
                "host <IPv6 address>"
            };
            return self.bad_qualifier(word(protocol), of);
        }
        let ends = self.plain_ends(qualifiers.direction)?;
        self.address6(address, mask, ends)
    }

    // Numbers.

    fn number(&mut self, qualifiers: Qualifiers, number: u32) -> Lowered<Cond> {
        match qualifiers.kind {
            None | Some(Kind::Host | Kind::Net) => {
                if let Some(Protocol::Decnet | Protocol::Link) = qualifiers.protocol {
                    return self.dotted(qualifiers, &number.to_string());
                }
                let (address, mask) = if qualifiers.kind == Some(Kind::Net) {
                    shifted(number)
                } else {
                    (number, u32::MAX)
                };
                self.ipv4(qualifiers, address, mask, "address")
            }
            Some(Kind::Port | Kind::PortRange) => {
                let port = self.at_most("port number", number, 65535)?;
                self.port(qualifiers, port, port, PortOf::Any)
            }
            Some(Kind::Gateway) => self.no_gateway(qualifiers, &number.to_string()),
            Some(Kind::Proto) => self.protocol_number(qualifiers.protocol, number),
            Some(Kind::ProtoChain) => self.chain_number(qualifiers.protocol, number),
        }
    }

    fn protocol_number(&mut self, protocol: Option<Protocol>, number: u32) -> Lowered<Cond> {
        match protocol {
            Some(Protocol::Link) => {
                let what = match self.layer.framing {
                    super::layer::Framing::Ppp | super::layer::Framing::PppBsdos => "PPP protocol",
                    super::layer::Framing::CiscoHdlc => "HDLC protocol",
                    super::layer::Framing::Unknown => {
                        return self.carries(number);
                    }
                    _ => "EtherType",
                };
                let number = self.at_most(what, number, 65535)?;
                self.carries(number)
            }
            None => {
                let number = self.at_most("protocol number", number, 255)?;
                self.ip_or_ip6_protocol(number)
            }
            Some(Protocol::Ip) => {
                let number = self.at_most("protocol number", number, 255)?;
                self.ip_protocol(number)
            }
            Some(Protocol::Ip6) => {
                let number = self.at_most("protocol number", number, 255)?;
                self.ip6_protocol(number)
            }
            Some(Protocol::Iso) => {
                let number = self.at_most("ISO protocol", number, 255)?;
                self.iso_protocol(number)
            }
            Some(Protocol::Isis) => {
                let number = self.at_most("IS-IS PDU type", number, 31)?;
                self.isis_types(&[number])
            }
            Some(other) => self.bad_qualifier(word(other), "proto"),
        }
    }

    fn chain_number(&mut self, protocol: Option<Protocol>, number: u32) -> Lowered<Cond> {
        if !matches!(protocol, None | Some(Protocol::Ip | Protocol::Ip6)) {
            let what = protocol.map_or("", word);
            return self.bad_qualifier(what, "protochain");
        }
        let number = self.at_most("protocol number", number, 255)?;
        let Ok(number) = u8::try_from(number) else {
            return Ok(Cond::Never);
        };
        match protocol {
            Some(Protocol::Ip) => self.chain(4, number),
            Some(_) => self.chain(6, number),
            None => {
                let over_ip = self.chain(4, number)?;
                let over_ip6 = self.chain(6, number)?;
                Ok(over_ip.or(over_ip6))
            }
        }
    }

    /// Ports from `low` to `high`, of the protocols that both the qualifiers and the name allow.
    fn port(&mut self, qualifiers: Qualifiers, low: u32, high: u32, of: PortOf) -> Lowered<Cond> {
        let protocols: &[u32] = match (qualifiers.protocol, of) {
            (Some(Protocol::Tcp), _) | (None, PortOf::Tcp) => &[ip::TCP],
            (Some(Protocol::Udp), _) | (None, PortOf::Udp) => &[ip::UDP],
            (Some(Protocol::Sctp), _) => &[ip::SCTP],
            _ => &[ip::TCP, ip::UDP, ip::SCTP],
        };
        let Some(ends) = self.port_ends(qualifiers)? else {
            return Ok(Cond::Never);
        };
        let ports = Ports {
            low: low.min(high),
            high: high.max(low),
        };
        self.ports(protocols, ports, ends)
    }

    /// Refuses what cannot stand before a port.
    fn port_ends(&self, qualifiers: Qualifiers) -> Lowered<Option<Ends>> {
        let kind = kind_word(qualifiers.kind);
        match qualifiers.protocol {
            None | Some(Protocol::Tcp | Protocol::Udp | Protocol::Sctp) => {}
            Some(other) => return self.bad_qualifier(word(other), kind),
        }
        match ends(qualifiers.direction) {
            Some(ends) => Ok(Some(ends)),
            None => self.bad_qualifier(direction_word(qualifiers.direction), kind),
        }
    }

    // Names.

    fn name(&mut self, qualifiers: Qualifiers, name: &str) -> Lowered<Cond> {
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

/// A network's number, which leaves out the bytes that are not its own: moved up until the first
/// byte is not 0, with the mask of what is there.
fn shifted(number: u32) -> (u32, u32) {
    let (mut number, mut mask) = (number, u32::MAX);
    while number != 0 && number >> 24 == 0 {
        number <<= 8;
        mask <<= 8;
    }
    (number, mask)
}
