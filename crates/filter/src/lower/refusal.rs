//! Why an expression that is well written has no meaning here, in libpcap's words.
//!
//! Source of the words: what libpcap answers, where 1.10 and 1.11 differ the newer one.

use crate::tree::{Kind, Protocol};

/// A reason that lowering finds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A number too large for its field.
    #[error("{what} {number} greater than maximum {maximum}")]
    TooLarge {
        what: &'static str,
        number: u32,
        maximum: u32,
    },
    /// The link type has nothing of the kind.
    #[error("'{what}' not supported on {link}")]
    NotOnLink { what: &'static str, link: String },
    #[error("link-layer type filtering not implemented for {0}")]
    LinkTypes(String),
    /// `what` is a protocol, direction or kind, `of` what it was written with.
    #[error("'{what}' is not a valid qualifier for '{of}'")]
    Qualifier { what: &'static str, of: String },
    #[error("'{0}' is not a valid qualifier for 'broadcast'")]
    BroadcastOf(&'static str),
    #[error("'{0}' is not a valid qualifier for 'multicast'")]
    MulticastOf(&'static str),
    /// An address where a number or name is meant.
    #[error("'{kind}' qualifier applied to {to}")]
    AppliedTo {
        kind: &'static str,
        to: &'static str,
    },
    #[error("'{0}' is valid for 802.11 syntax only")]
    WlanOnly(&'static str),
    #[error("Ethernet address used in non-ether expression")]
    EtherAddress,
    #[error("'link' is the only valid proto qualifier for 'host $XX'")]
    ArcnetAddress,
    #[error("illegal link-layer address '{0}'")]
    LinkAddress(String),
    #[error("invalid DECnet address '{0}'")]
    DecnetAddress(String),
    #[error("invalid IPv4 address '{0}'")]
    Ipv4Address(String),
    #[error("invalid IPv6 address '{0}'")]
    Ipv6Address(String),
    #[error("non-network bits set in \"{0}\"")]
    NetworkBits(String),
    #[error("netmask length {0} greater than maximum 32")]
    MaskLength(u32),
    #[error("mask length must be <= 128")]
    MaskLength6,
    #[error("unknown host '{0}'")]
    Host(String),
    /// It has addresses, but none of the kind that is asked for.
    #[error("unknown host '{0}' for specified address family")]
    HostFamily(String),
    #[error("unknown Ethernet-like host '{0}'")]
    EtherHost(String),
    #[error("unknown network '{0}'")]
    Network(String),
    #[error("unknown port '{0}'")]
    Port(String),
    #[error("unknown port in range '{0}'")]
    PortRange(String),
    /// A port that only the other protocol has.
    #[error("port '{name}' is {of}")]
    PortOf { name: String, of: &'static str },
    #[error("port in range '{name}' is {of}")]
    PortRangeOf { name: String, of: &'static str },
    /// `of` is `proto` or `protochain`, with the protocol before it.
    #[error("unknown '{of}' value '{name}'")]
    ProtocolName { of: String, name: String },
    #[error("unknown user '{0}'")]
    User(String),
    #[error("unknown network namespace '{0}'")]
    Netns(String),
    #[error("'protochain' not supported with variable length headers")]
    VariableChain,
    #[error("netmask not known, so 'ip broadcast' not supported")]
    NoNetmask,
    #[error("'gateway' cannot be used within VXLAN or Geneve")]
    GatewayInTunnel,
    #[error("unsupported protocol over mpls")]
    OverMpls,
    #[error("no VLAN match after MPLS")]
    VlanAfterMpls,
    #[error("'{0}' does not support the index operation")]
    Index(&'static str),
    #[error("radio information not present in capture")]
    NoRadio,
    #[error("'{0}' cannot be used as an abbreviation")]
    NotAlone(&'static str),
    #[error("division by zero")]
    DivisionByZero,
    #[error("modulus by zero")]
    ModulusByZero,
    #[error("shift by more than 31 bits")]
    Shift,
    #[error("invalid 802.11 type value")]
    WlanType,
    #[error("unknown 802.11 type name \"{0}\"")]
    WlanTypeName(String),
    #[error("invalid 802.11 subtype value")]
    WlanSubtype,
    #[error("unknown 802.11 subtype name \"{0}\"")]
    WlanSubtypeName(String),
    #[error("unknown 802.11 type/subtype name \"{0}\"")]
    WlanAnySubtypeName(String),
    #[error("invalid 802.11 direction")]
    WlanDirection,
    #[error("unknown 802.11 direction")]
    WlanDirectionName,
    #[error("unknown LLC type name \"{0}\"")]
    LlcName(String),
    #[error("unknown PF action \"{0}\"")]
    PfAction(String),
    #[error("unknown PF reason \"{0}\"")]
    PfReason(String),
    /// A name that the field cannot hold.
    #[error("{what} names can only be {maximum} characters")]
    NameLength { what: &'static str, maximum: usize },
    #[error("{0} supported only on PF linktype")]
    PfOnly(&'static str),
    #[error("'{0}' supported only on raw ATM")]
    AtmOnly(&'static str),
    #[error("'{0}' supported only on MTP2")]
    Mtp2Only(&'static str),
    #[error("'{0}' supported only on MTP2_HSL")]
    Mtp2HighOnly(&'static str),
    #[error("'{0}' supported only on SS7")]
    Ss7Only(&'static str),
    #[error("{what} not supported on {link} when reading savefiles")]
    NotInFiles { what: &'static str, link: String },
    #[error("out of registers needed to evaluate expression")]
    TooManyTunnels,
}

/// The word that stands for a protocol.
pub(super) fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Link => "link",
        Protocol::Ip => "ip",
        Protocol::Arp => "arp",
        Protocol::Rarp => "rarp",
        Protocol::Sctp => "sctp",
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Icmp => "icmp",
        Protocol::Igmp => "igmp",
        Protocol::Igrp => "igrp",
        Protocol::Pim => "pim",
        Protocol::Vrrp => "vrrp",
        Protocol::Carp => "carp",
        Protocol::Atalk => "atalk",
        Protocol::Aarp => "aarp",
        Protocol::Decnet => "decnet",
        Protocol::Lat => "lat",
        Protocol::Sca => "sca",
        Protocol::Moprc => "moprc",
        Protocol::Mopdl => "mopdl",
        Protocol::Ip6 => "ip6",
        Protocol::Icmp6 => "icmp6",
        Protocol::Ah => "ah",
        Protocol::Esp => "esp",
        Protocol::Iso => "iso",
        Protocol::Esis => "esis",
        Protocol::Isis => "isis",
        Protocol::IsisL1 => "l1",
        Protocol::IsisL2 => "l2",
        Protocol::IsisIih => "iih",
        Protocol::IsisLsp => "lsp",
        Protocol::IsisSnp => "snp",
        Protocol::IsisPsnp => "psnp",
        Protocol::IsisCsnp => "csnp",
        Protocol::Clnp => "clnp",
        Protocol::Stp => "stp",
        Protocol::Ipx => "ipx",
        Protocol::Netbeui => "netbeui",
        Protocol::Radio => "radio",
    }
}

/// The word that stands for a kind; without one a value is a host.
pub(super) fn kind_word(kind: Option<Kind>) -> &'static str {
    match kind {
        None | Some(Kind::Host) => "host",
        Some(Kind::Net) => "net",
        Some(Kind::Port) => "port",
        Some(Kind::PortRange) => "portrange",
        Some(Kind::Proto) => "proto",
        Some(Kind::ProtoChain) => "protochain",
        Some(Kind::Gateway) => "gateway",
    }
}
