//! What a link-layer header says it carries.
//!
//! Numbers from 0x600 on are Ethertypes, those up to 255 are LLC service access points; what
//! stands for them differs with the framing.
//!
//! Source: IEEE 802.3 and 802.2, RFC 1042 (SNAP), RFC 1661 and its numbers (PPP), RFC 2427
//! (Frame Relay).

use super::cond::Cond;
use super::layer::{Framing, Place, Tunnel};
use super::{Lowered, Lowering, Refusal};
use crate::graph::Size;
use crate::tree::Protocol;

pub(super) const IP: u32 = 0x0800;
pub(super) const ARP: u32 = 0x0806;
pub(super) const DECNET: u32 = 0x6003;
pub(super) const RARP: u32 = 0x8035;
const ATALK: u32 = 0x809b;
const AARP: u32 = 0x80f3;
const IPX: u32 = 0x8137;
pub(super) const IP6: u32 = 0x86dd;
pub(super) const MPLS: u32 = 0x8847;
pub(super) const PPPOE_DISCOVERY: u32 = 0x8863;
pub(super) const PPPOE_SESSION: u32 = 0x8864;
pub(super) const VLAN: [u32; 3] = [0x8100, 0x88a8, 0x9100];
const XEROX_NS: u32 = 0x0600;

const SAP_IP: u32 = 0x06;
const SAP_STP: u32 = 0x42;
const SAP_IPX: u32 = 0xe0;
const SAP_NETBEUI: u32 = 0xf0;
pub(super) const SAP_ISO: u32 = 0xfe;

/// Largest length of an 802.3 frame; from there on the field is an Ethertype.
const LENGTH_MAX: u32 = 1500;

/// The number under which a protocol is carried by a link layer, if it is.
pub(super) fn ethertype(protocol: Protocol) -> Option<u32> {
    Some(match protocol {
        Protocol::Ip => IP,
        Protocol::Arp => ARP,
        Protocol::Rarp => RARP,
        Protocol::Atalk => ATALK,
        Protocol::Aarp => AARP,
        Protocol::Decnet => DECNET,
        Protocol::Sca => 0x6007,
        Protocol::Lat => 0x6004,
        Protocol::Mopdl => 0x6001,
        Protocol::Moprc => 0x6002,
        Protocol::Ip6 => IP6,
        Protocol::Iso => SAP_ISO,
        Protocol::Stp => SAP_STP,
        Protocol::Ipx => SAP_IPX,
        Protocol::Netbeui => SAP_NETBEUI,
        _ => return None,
    })
}

/// The number behind a name in `link proto NAME`.
pub(super) fn named(name: &str) -> Option<u32> {
    Some(match name {
        "ip" => IP,
        "arp" => ARP,
        "rarp" => RARP,
        "atalk" => ATALK,
        "aarp" => AARP,
        "decnet" => DECNET,
        "sca" => 0x6007,
        "lat" => 0x6004,
        "mopdl" => 0x6001,
        "moprc" => 0x6002,
        "ip6" => IP6,
        "loopback" => 0x9000,
        "lldp" => 0x88cc,
        "slow" => 0x8809,
        "iso" => SAP_ISO,
        "stp" => SAP_STP,
        "ipx" => SAP_IPX,
        "netbeui" => SAP_NETBEUI,
        _ => return None,
    })
}

impl Lowering<'_> {
    /// Does the link-layer header carry the protocol of that number?
    pub(super) fn carries(&mut self, number: u32) -> Lowered<Cond> {
        if self.layer.labels > 0 {
            return self.behind_labels(number);
        }
        let kind = self.layer.kind;
        Ok(match self.layer.framing {
            Framing::Ethernet => self.ethernet_carries(number),
            Framing::Ethertype => self.is(kind, Size::Half, number),
            Framing::CiscoHdlc => {
                let number = if number == SAP_ISO { 0xfefe } else { number };
                self.is(kind, Size::Half, number)
            }
            Framing::Llc => self.llc_carries(number),
            Framing::Wlan => {
                let data = self.wlan_data();
                let carries = self.llc_carries(number);
                data.and(carries)
            }
            Framing::SunAtm => {
                let llc = self.atm_is_llc();
                let carries = self.llc_carries(number);
                llc.and(carries)
            }
            Framing::LinuxCooked => self.cooked_carries(number),
            Framing::RawIp => match number {
                IP => self.masked(Place::at(0), Size::Byte, 0xf0, 0x40),
                IP6 => self.masked(Place::at(0), Size::Byte, 0xf0, 0x60),
                _ => Cond::Never,
            },
            Framing::Ipv4 if number == IP => Cond::Always,
            Framing::Ipv6 if number == IP6 => Cond::Always,
            Framing::LocalTalk if number == ATALK => Cond::Always,
            Framing::Ipv4 | Framing::Ipv6 | Framing::LocalTalk => Cond::Never,
            Framing::PppBsdos if number == IP => {
                // Van Jacobson's compressed forms too.
                let forms = [0x21, 0x2d, 0x2f];
                Cond::any(forms.map(|form| self.is(kind, Size::Half, form)))
            }
            Framing::Ppp | Framing::PppBsdos => self.is(kind, Size::Half, ppp(number)),
            Framing::Null | Framing::Loop | Framing::Pflog => self.family_is(number),
            Framing::Arcnet => match arcnet(number) {
                Some(code) => self.is(kind, Size::Byte, code),
                None => Cond::Never,
            },
            Framing::FrameRelay => self.frame_relay_carries(number),
            // Whatever it is, when the header is Juniper's.
            Framing::Juniper => self.masked(Place::at(0), Size::Word, 0xffff_ff00, 0x4d47_4300),
            Framing::Ipnet => match number {
                IP => self.is(kind, Size::Byte, 2),
                IP6 => self.is(kind, Size::Byte, 26),
                _ => Cond::Never,
            },
            Framing::Unknown => {
                let link = self.layer.link_name();
                return self.refuse(Refusal::LinkTypes(link));
            }
        })
    }

    /// Behind MPLS labels: the last one must be at the bottom of the stack, and the version of
    /// the IP header tells the rest.
    fn behind_labels(&mut self, number: u32) -> Lowered<Cond> {
        let version = match number {
            IP => 0x40,
            IP6 => 0x60,
            _ => return self.refuse(Refusal::OverMpls),
        };
        let network = self.layer.network();
        let bottom = self.any_bit(network.plus(2_u32.wrapping_neg()), Size::Byte, 1);
        let version = self.masked(network, Size::Byte, 0xf0, version);
        Ok(bottom.and(version))
    }

    fn ethernet_carries(&mut self, number: u32) -> Cond {
        let outer = match self.layer.tunnel {
            None => self.outer_is_ethernet(),
            Some(_) => Cond::Always,
        };
        let (kind, payload) = (self.layer.kind, self.layer.payload);
        let is_type = |lowering: &mut Self, number| lowering.is(kind, Size::Half, number);
        let inner = match number {
            SAP_IP | SAP_ISO | SAP_NETBEUI => {
                let is_length = self.above(kind, Size::Half, LENGTH_MAX).not();
                let both = self.is(payload, Size::Half, number << 8 | number);
                is_length.and(both)
            }
            SAP_IPX => {
                let is_type = is_type(self, IPX);
                let is_length = self.above(kind, Size::Half, LENGTH_MAX).not();
                let snap = self.snap(0, IPX);
                let ipx = self.is(payload, Size::Byte, SAP_IPX);
                let novell = self.is(payload, Size::Half, 0xffff);
                is_type.or(is_length.and(snap.or(ipx).or(novell)))
            }
            ATALK | AARP => {
                let is_type = is_type(self, number);
                let is_length = self.above(kind, Size::Half, LENGTH_MAX).not();
                let snap = self.apple_snap(number);
                is_type.or(is_length.and(snap))
            }
            0..=LENGTH_MAX => {
                let is_length = self.above(kind, Size::Half, LENGTH_MAX).not();
                let sap = self.is(payload, Size::Byte, number);
                is_length.and(sap)
            }
            _ => is_type(self, number),
        };
        outer.and(inner)
    }

    /// In a LANE frame, control frames have no Ethernet header.
    pub(super) fn outer_is_ethernet(&mut self) -> Cond {
        if self.layer.lane {
            let marker = Place::at(4);
            return self.is(marker, Size::Half, 0xff00).not();
        }
        Cond::Always
    }

    /// Has the packet the Ethernet header whose addresses are asked for?
    pub(super) fn has_ethernet_header(&mut self) -> Cond {
        if self.layer.tunnel != Some(Tunnel::Geneve) {
            return self.outer_is_ethernet();
        }
        // Without one the payload begins where the header would.
        let (header, payload) = (self.layer.header, self.layer.payload);
        let start = self.place_value(header);
        let end = self.place_value(payload);
        Cond::Test(crate::graph::Test::Compare {
            comparison: crate::graph::Comparison::Equal,
            left: start,
            right: end,
        })
        .not()
    }

    /// The offset as a number.
    pub(super) fn place_value(&mut self, place: Place) -> crate::graph::ValueId {
        self.note(place);
        match place.base {
            Some(base) => self.add(base, place.offset),
            None => self.builder.constant(place.offset),
        }
    }

    /// LLC with SNAP: organisation and number. The end is looked at first.
    fn snap(&mut self, organisation: u32, number: u32) -> Cond {
        let payload = self.layer.payload;
        let low = (organisation & 0xffff) << 16 | number;
        let high = 0xaaaa_0300 | organisation >> 16;
        let low = self.is(payload.plus(4), Size::Word, low);
        let high = self.is(payload, Size::Word, high);
        low.and(high)
    }

    /// `AppleTalk` has its own organisation in SNAP, its address resolution has not.
    fn apple_snap(&mut self, number: u32) -> Cond {
        let organisation = if number == ATALK { 0x08_0007 } else { 0 };
        self.snap(organisation, number)
    }

    pub(super) fn llc_carries(&mut self, number: u32) -> Cond {
        let payload = self.layer.payload;
        match number {
            SAP_IP | SAP_ISO | SAP_NETBEUI => self.is(payload, Size::Half, number << 8 | number),
            ATALK => self.apple_snap(number),
            0..=LENGTH_MAX => self.is(payload, Size::Byte, number),
            _ => self.is(payload.plus(6), Size::Half, number),
        }
    }

    fn cooked_carries(&mut self, number: u32) -> Cond {
        /// What Linux puts for 802.3 frames without and with LLC.
        const NOVELL: u32 = 1;
        const LLC: u32 = 4;
        let (kind, payload) = (self.layer.kind, self.layer.payload);
        match number {
            SAP_IPX => {
                let is_type = self.is(kind, Size::Half, IPX);
                let novell = self.is(kind, Size::Half, NOVELL);
                let llc = self.is(kind, Size::Half, LLC);
                let plain = self.is(payload, Size::Byte, SAP_IPX);
                let snap = self.snap(0, IPX);
                is_type.or(novell).or(llc.and(plain.or(snap)))
            }
            ATALK | AARP => {
                let is_type = self.is(kind, Size::Half, number);
                let llc = self.is(kind, Size::Half, LLC);
                let snap = self.apple_snap(number);
                is_type.or(llc.and(snap))
            }
            0..=LENGTH_MAX => {
                let llc = self.is(kind, Size::Half, LLC);
                let carries = self.llc_carries(number);
                llc.and(carries)
            }
            _ => self.is(kind, Size::Half, number),
        }
    }

    /// Address families, numbered by the system that captured.
    fn family_is(&mut self, number: u32) -> Cond {
        let kind = self.layer.kind;
        let families: &[u32] = match number {
            IP => &[2],
            // NetBSD and OpenBSD, FreeBSD, macOS.
            IP6 if !self.device.live => &[24, 28, 30],
            IP6 => &[10],
            _ => &[],
        };
        let framing = self.layer.framing;
        let conds: Vec<Cond> = families
            .iter()
            .map(|family| match framing {
                Framing::Pflog => self.is(Place::at(1), Size::Byte, *family),
                Framing::Loop => self.is(kind, Size::Word, *family),
                _ if self.device.live => {
                    let stored = u32::from_be_bytes(family.to_ne_bytes());
                    self.is(kind, Size::Word, stored)
                }
                _ => {
                    // The byte order of the machine that captured is not known.
                    let little = self.is(kind, Size::Word, family.swap_bytes());
                    let big = self.is(kind, Size::Word, *family);
                    little.or(big)
                }
            })
            .collect();
        Cond::any(conds)
    }

    /// Two bytes of address, then control and network-layer protocol.
    fn frame_relay_carries(&mut self, number: u32) -> Cond {
        let kinds: &[u32] = match number {
            IP => &[0xcc],
            IP6 => &[0x8e],
            SAP_ISO => &[0x81, 0x82, 0x83],
            _ => &[],
        };
        let conds: Vec<Cond> = kinds
            .iter()
            .map(|kind| self.is(Place::at(2), Size::Half, 0x300 | kind))
            .collect();
        Cond::any(conds)
    }
}

/// PPP's number for a protocol.
fn ppp(number: u32) -> u32 {
    match number {
        IP => 0x21,
        IP6 => 0x57,
        DECNET => 0x27,
        ATALK => 0x29,
        XEROX_NS => 0x25,
        SAP_ISO => 0x23,
        SAP_STP => 0x31,
        SAP_IPX => 0x2b,
        other => other,
    }
}

/// `ARCnet`'s number for a protocol (RFC 1201).
fn arcnet(number: u32) -> Option<u32> {
    Some(match number {
        IP => 0xd4,
        IP6 => 0xc4,
        ARP => 0xd5,
        RARP => 0xd6,
        ATALK => 0xdd,
        _ => return None,
    })
}
