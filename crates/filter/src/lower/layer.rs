//! Where a packet's headers stand: at a constant offset, or at one that is computed.
//!
//! Source: the link-layer header types registry of the pcap and pcapng formats; where libpcap's
//! programs look elsewhere (SLIP, Juniper), there (compat).

use super::Lowering;
use crate::graph::{Size, ValueId};
use crate::tree::Operator;
use pktwho_packet::LinkType;

/// A byte of the packet: `base + offset`. No base is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) base: Option<ValueId>,
    pub(super) offset: u32,
}

impl Place {
    pub(super) fn at(offset: u32) -> Self {
        Self { base: None, offset }
    }

    /// `bytes` further on; above 32 bits it wraps, which stands for a step back.
    pub(super) fn plus(self, bytes: u32) -> Self {
        Self {
            offset: self.offset.wrapping_add(bytes),
            ..self
        }
    }
}

/// How a header says what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// An Ethertype, or a length before an LLC header.
    Ethernet,
    /// An Ethertype alone.
    Ethertype,
    CiscoHdlc,
    /// LLC and nothing else.
    Llc,
    Wlan,
    /// Packets of `SunATM`: LLC, LANE and others.
    SunAtm,
    LinuxCooked,
    /// An IP header, told by its version.
    RawIp,
    Ipv4,
    Ipv6,
    Ppp,
    PppBsdos,
    /// An address family of the machine that captured.
    Null,
    /// An address family in network order.
    Loop,
    Pflog,
    Arcnet,
    LocalTalk,
    FrameRelay,
    Juniper,
    Ipnet,
    /// Nothing is known of it.
    Unknown,
}

/// The headers that terms look at now. `vlan` and its like change it for what is written behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer {
    pub(super) link_type: LinkType,
    pub(super) framing: Framing,
    /// The link-layer header.
    pub(super) header: Place,
    /// The field that says what is carried, where there is one.
    pub(super) kind: Place,
    /// What is carried.
    pub(super) payload: Place,
    /// From `payload` to the network header, behind LLC with SNAP and behind LLC alone.
    pub(super) network: u32,
    pub(super) network_no_snap: u32,
    /// How many labels stand before the network header.
    pub(super) labels: u32,
    /// In VXLAN or Geneve: no link-layer header of the outside is looked at.
    pub(super) tunnel: Option<Tunnel>,
    /// An Ethernet header within a LANE frame.
    pub(super) lane: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tunnel {
    Vxlan,
    /// May carry something else than Ethernet.
    Geneve,
}

/// What stands before an 802.11 header, or before everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    None,
    Prism,
    Avs,
    Radiotap,
    Ppi,
}

/// What [`Place`]s that vary are computed from, once somebody asks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Variable {
    pub(super) header: Option<ValueId>,
    pub(super) payload: Option<ValueId>,
}

/// A place that no packet has: one before its first byte.
const NOWHERE: u32 = u32::MAX;

struct Row {
    framing: Framing,
    kind: u32,
    payload: u32,
    network: u32,
    network_no_snap: u32,
}

fn row(framing: Framing, kind: u32, payload: u32) -> Row {
    Row {
        framing,
        kind,
        payload,
        network: 0,
        network_no_snap: 0,
    }
}

fn with_llc(framing: Framing, payload: u32) -> Row {
    Row {
        network: 8,
        network_no_snap: 3,
        ..row(framing, payload, payload)
    }
}

fn ethernet(header: u32) -> Row {
    Row {
        network_no_snap: 3,
        ..row(Framing::Ethernet, header + 12, header + 14)
    }
}

fn juniper(payload: u32, network: u32, network_no_snap: u32) -> Row {
    Row {
        network,
        network_no_snap,
        ..row(Framing::Juniper, NOWHERE, payload)
    }
}

fn table(link_type: LinkType) -> Row {
    match link_type {
        LinkType::ETHERNET => ethernet(0),
        LinkType::NETANALYZER => ethernet(4),
        LinkType::NETANALYZER_TRANSPARENT => ethernet(12),
        LinkType::DSA_TAG_BRCM | LinkType::DSA_TAG_DSA => Row {
            network_no_snap: 3,
            ..row(Framing::Ethernet, 16, 18)
        },
        LinkType::ARCNET => row(Framing::Arcnet, 2, 6),
        LinkType::ARCNET_LINUX => row(Framing::Arcnet, 4, 8),
        LinkType::SLIP => row(Framing::RawIp, NOWHERE, 16),
        LinkType::SLIP_BSDOS => row(Framing::RawIp, NOWHERE, 24),
        LinkType::RAW => row(Framing::RawIp, NOWHERE, 0),
        LinkType::IPV4 => row(Framing::Ipv4, NOWHERE, 0),
        LinkType::IPV6 => row(Framing::Ipv6, NOWHERE, 0),
        LinkType::NULL => row(Framing::Null, 0, 4),
        LinkType::LOOP => row(Framing::Loop, 0, 4),
        LinkType::ENC => row(Framing::Null, 0, 12),
        LinkType::PPP | LinkType::PPP_PPPD | LinkType::PPP_HDLC => row(Framing::Ppp, 2, 4),
        LinkType::PPP_ETHER => row(Framing::Ppp, 6, 8),
        LinkType::PPP_BSDOS => row(Framing::PppBsdos, 5, 24),
        LinkType::C_HDLC | LinkType::HDLC => row(Framing::CiscoHdlc, 2, 4),
        LinkType::FDDI => with_llc(Framing::Llc, 13),
        LinkType::IEEE802_5 => with_llc(Framing::Llc, 14),
        LinkType::IP_OVER_FC => with_llc(Framing::Llc, 16),
        LinkType::ATM_RFC1483 | LinkType::ATM_CLIP => with_llc(Framing::Llc, 0),
        LinkType::SUNATM => with_llc(Framing::SunAtm, 4),
        LinkType::IEEE802_11
        | LinkType::IEEE802_11_PRISM
        | LinkType::IEEE802_11_RADIO
        | LinkType::IEEE802_11_AVS
        | LinkType::PPI => with_llc(Framing::Wlan, 0),
        LinkType::LINUX_SLL => row(Framing::LinuxCooked, 14, 16),
        LinkType::LINUX_SLL2 => row(Framing::Ethertype, 0, 20),
        LinkType::APPLE_IP_OVER_IEEE1394 => row(Framing::Ethertype, 16, 18),
        LinkType::SYMANTEC_FIREWALL => row(Framing::Ethertype, 6, 44),
        LinkType::LTALK => row(Framing::LocalTalk, NOWHERE, 0),
        LinkType::FRELAY => row(Framing::FrameRelay, NOWHERE, 0),
        LinkType::PFLOG => row(Framing::Pflog, 0, 0),
        LinkType::IPNET => row(Framing::Ipnet, 1, 24),
        _ => juniper_row(link_type),
    }
}

/// Behind Juniper's own header, whatever it carries; for some types no place is known.
fn juniper_row(link_type: LinkType) -> Row {
    match link_type {
        LinkType::JUNIPER_ATM1 => juniper(4, 0, 10),
        LinkType::JUNIPER_ATM2 => juniper(8, 0, 10),
        LinkType::JUNIPER_ETHER | LinkType::JUNIPER_PPPOE => juniper(14, 18, 21),
        LinkType::JUNIPER_PPPOE_ATM => juniper(6, 0, NOWHERE),
        LinkType::JUNIPER_GGSN | LinkType::JUNIPER_MONITOR => juniper(12, 0, NOWHERE),
        LinkType::JUNIPER_MFR
        | LinkType::JUNIPER_MLFR
        | LinkType::JUNIPER_MLPPP
        | LinkType::JUNIPER_PPP
        | LinkType::JUNIPER_CHDLC
        | LinkType::JUNIPER_FRELAY => juniper(4, 0, NOWHERE),
        LinkType::JUNIPER_ATM_CEMIC
        | LinkType::JUNIPER_ES
        | LinkType::JUNIPER_FIBRECHANNEL
        | LinkType::JUNIPER_ISM
        | LinkType::JUNIPER_SERVICES
        | LinkType::JUNIPER_SRX_E2E
        | LinkType::JUNIPER_ST
        | LinkType::JUNIPER_VP
        | LinkType::JUNIPER_VS => juniper(NOWHERE, NOWHERE, NOWHERE),
        _ => row(Framing::Unknown, NOWHERE, NOWHERE),
    }
}

pub(super) fn prefix(link_type: LinkType) -> Prefix {
    match link_type {
        LinkType::IEEE802_11_PRISM => Prefix::Prism,
        LinkType::IEEE802_11_AVS => Prefix::Avs,
        LinkType::IEEE802_11_RADIO => Prefix::Radiotap,
        LinkType::PPI => Prefix::Ppi,
        _ => Prefix::None,
    }
}

impl Layer {
    /// The outermost headers. Places that vary are filled in by [`Lowering::compute_places`].
    pub(super) fn outermost(link_type: LinkType) -> Self {
        let row = table(link_type);
        let header = match link_type {
            LinkType::NETANALYZER => 4,
            LinkType::NETANALYZER_TRANSPARENT => 12,
            _ => 0,
        };
        Self {
            link_type,
            framing: row.framing,
            header: Place::at(header),
            kind: Place::at(row.kind),
            payload: Place::at(row.payload),
            network: row.network,
            network_no_snap: row.network_no_snap,
            labels: 0,
            tunnel: None,
            lane: false,
        }
    }

    /// The network header.
    pub(super) fn network(&self) -> Place {
        self.payload.plus(self.network)
    }

    /// The network header behind LLC without SNAP.
    pub(super) fn network_no_snap(&self) -> Place {
        self.payload.plus(self.network_no_snap)
    }

    /// The name that messages give the link type.
    pub(super) fn link_name(&self) -> String {
        link_name(self.link_type)
    }
}

pub(super) fn link_name(link_type: LinkType) -> String {
    match link_type.name() {
        Some(name) => format!("DLT_{name}"),
        None => format!("DLT {}", link_type.dlt()),
    }
}

impl Lowering<'_> {
    /// Computes where headers of varying length end, and puts it into the outermost layer.
    pub(super) fn compute_places(&mut self) {
        let link_type = self.layer.link_type;
        let header = match prefix(link_type) {
            Prefix::None => None,
            Prefix::Prism => Some(self.prism_length()),
            Prefix::Avs => Some(self.builder.load(Size::Word, None, 4)),
            Prefix::Radiotap | Prefix::Ppi => Some(self.little_endian_half(2)),
        };
        self.variable.header = header;
        self.layer.header.base = header;
        let payload = match self.layer.framing {
            Framing::Wlan => Some(self.wlan_payload(prefix(link_type) == Prefix::Radiotap)),
            Framing::Pflog => {
                let length = self.builder.load(Size::Byte, None, 0);
                let sum = self.add(length, 3);
                Some(self.and(sum, !3))
            }
            _ => None,
        };
        if payload.is_some() {
            self.variable.payload = payload;
            self.layer.payload.base = payload;
            if self.layer.framing == Framing::Wlan {
                self.layer.kind = self.layer.payload;
            }
        }
    }

    /// A Prism header is 144 bytes long; the AVS header that some drivers put in its place says
    /// its length.
    fn prism_length(&mut self) -> ValueId {
        let cookie = self.builder.load(Size::Word, None, 0);
        let cookie = self.and(cookie, 0xffff_f000);
        let magic = self.builder.constant(0x8021_1000);
        let is_avs = self.equals(cookie, magic);
        let length = self.builder.load(Size::Word, None, 4);
        let prism = self.builder.constant(144);
        self.select(is_avs, length, prism)
    }

    fn little_endian_half(&mut self, offset: u32) -> ValueId {
        let high = self.builder.load(Size::Byte, None, offset + 1);
        let low = self.builder.load(Size::Byte, None, offset);
        let high = self.shift_left(high, 8);
        self.builder.binary(Operator::Or, high, low)
    }

    /// Where the body of an 802.11 frame begins: `QoS` data frames have two bytes more, and some
    /// drivers pad the header of data frames to four bytes, as radiotap's flags tell.
    fn wlan_payload(&mut self, radiotap: bool) -> ValueId {
        let header = self.layer.header;
        let control = self.builder.load(Size::Byte, header.base, header.offset);
        let data = self.bit(control, 3);
        let other = self.bit(control, 2);
        let other = self.flip(other);
        let data = self.builder.binary(Operator::And, data, other);
        let quality = self.bit(control, 7);
        let quality = self.builder.binary(Operator::And, quality, data);
        let base = header.base.unwrap_or_else(|| self.builder.constant(0));
        let length = self.add(base, 24);
        let two = self.shift_left(quality, 1);
        let end = self.builder.binary(Operator::Add, length, two);
        if !radiotap {
            return end;
        }
        let present = self.builder.load(Size::Word, None, 4);
        // The flags stand behind the time stamp when there is one.
        let time = self.bit(present, 24);
        let skip = self.shift_left(time, 3);
        let flags = self.builder.load(Size::Byte, Some(skip), 8);
        let padded = self.bit(flags, 5);
        let has_flags = self.bit(present, 25);
        let more_words = self.bit(present, 7);
        let simple = self.flip(more_words);
        let padded = [has_flags, simple, data]
            .into_iter()
            .fold(padded, |sum, bit| {
                self.builder.binary(Operator::And, sum, bit)
            });
        let zero = self.builder.constant(0);
        let missing = self.builder.binary(Operator::Sub, zero, end);
        let missing = self.and(missing, 3);
        let padding = self.builder.binary(Operator::Mul, missing, padded);
        self.builder.binary(Operator::Add, end, padding)
    }
}
