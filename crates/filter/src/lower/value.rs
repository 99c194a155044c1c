//! Values with their qualifiers: `src host 10.0.0.1`, `tcp port http`, `net 10/8`.
//!
//! What a value is was seen by the parser; what it means depends on its kind. What does not go
//! together is refused in libpcap's words.

use super::cond::Cond;
use super::ether::direction_word;
use super::ip::{Ends, Ports, ends};
use super::refusal::{kind_word, word};
use super::{Lowered, Lowering, Refusal, ip, link};
use crate::tree::{Direction, Kind, Protocol, Qualifiers, Value};
use std::net::Ipv6Addr;

/// Which transport protocols a port's name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PortOf {
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

    pub(super) fn bad_qualifier<T>(&self, what: &'static str, of: impl Into<String>) -> Lowered<T> {
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
    pub(super) fn ipv4(
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

    pub(super) fn ip6_address(
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

    pub(super) fn protocol_number(
        &mut self,
        protocol: Option<Protocol>,
        number: u32,
    ) -> Lowered<Cond> {
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

    pub(super) fn chain_number(
        &mut self,
        protocol: Option<Protocol>,
        number: u32,
    ) -> Lowered<Cond> {
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
    pub(super) fn port(
        &mut self,
        qualifiers: Qualifiers,
        low: u32,
        high: u32,
        of: PortOf,
    ) -> Lowered<Cond> {
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
    pub(super) fn port_ends(&self, qualifiers: Qualifiers) -> Lowered<Option<Ends>> {
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
}

/// A network's number, which leaves out the bytes that are not its own: moved up until the first
/// byte is not 0, with the mask of what is there.
pub(super) fn shifted(number: u32) -> (u32, u32) {
    let (mut number, mut mask) = (number, u32::MAX);
    while number != 0 && number >> 24 == 0 {
        number <<= 8;
        mask <<= 8;
    }
    (number, mask)
}
