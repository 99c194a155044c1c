//! Terms that move where the terms behind them look: VLAN, MPLS, PPPoE, VXLAN, Geneve.
//!
//! Source: IEEE 802.1Q, RFC 3032, RFC 2516, RFC 7348, RFC 8926.

use super::cond::Cond;
use super::layer::{Framing, Layer, Place, Tunnel};
use super::{Lowered, Lowering, Refusal, link};
use crate::graph::Size;
use crate::tree::Operator;
use pktwho_packet::LinkType;

const GENEVE_PORT: u32 = 6081;
const VXLAN_PORT: u32 = 4789;
/// In Geneve: an Ethernet frame follows.
const TRANSPARENT_BRIDGING: u32 = 0x6558;
/// libpcap gets so deep before it is out of registers.
const DEPTH_MAX: u32 = 5;

impl Lowering<'_> {
    pub(super) fn vlan(&mut self, tag: Option<u32>) -> Lowered<Cond> {
        if self.layer.labels > 0 {
            return self.refuse(Refusal::VlanAfterMpls);
        }
        let tagged = self.layer.framing == Framing::Ethernet
            || self.is_wlan() && self.layer.link_type != LinkType::PPI;
        if !tagged {
            return self.not_on_link("vlan");
        }
        let tag = match tag {
            Some(tag) => Some(self.at_most("VLAN tag", tag, 4095)?),
            None => None,
        };
        let mut is_vlan = Cond::Never;
        for number in link::VLAN {
            let carries = self.carries(number)?;
            is_vlan = is_vlan.or(carries);
        }
        if let Some(tag) = tag {
            let place = self.layer.payload;
            let is_tag = self.masked(place, Size::Half, 0x0fff, tag);
            is_vlan = is_vlan.and(is_tag);
        }
        self.layer.kind = self.layer.kind.plus(4);
        self.layer.payload = self.layer.payload.plus(4);
        Ok(is_vlan)
    }

    pub(super) fn mpls(&mut self, label: Option<u32>) -> Lowered<Cond> {
        let is_mpls = if self.layer.labels > 0 {
            // There is one more as long as the last one is not the bottom of the stack.
            let place = self.layer.network().plus(2_u32.wrapping_neg());
            self.any_bit(place, Size::Byte, 1).not()
        } else {
            match self.layer.framing {
                Framing::Ethernet | Framing::CiscoHdlc => self.carries(link::MPLS)?,
                Framing::Ppp if self.layer.link_type == LinkType::PPP => self.carries(0x0281)?,
                _ => return self.not_on_link("mpls"),
            }
        };
        let is_mpls = match label {
            Some(label) => {
                let label = self.at_most("MPLS label", label, 0xf_ffff)?;
                let place = self.layer.network();
                let is_label = self.masked(place, Size::Word, 0xffff_f000, label << 12);
                is_mpls.and(is_label)
            }
            None => is_mpls,
        };
        self.layer.network = self.layer.network.wrapping_add(4);
        self.layer.network_no_snap = self.layer.network_no_snap.wrapping_add(4);
        self.layer.labels = self.layer.labels.saturating_add(1);
        Ok(is_mpls)
    }

    pub(super) fn pppoes(&mut self, session: Option<u32>) -> Lowered<Cond> {
        let session = match session {
            Some(session) => Some(self.at_most("PPPoE session number", session, 65535)?),
            None => None,
        };
        let mut is_session = self.carries(link::PPPOE_SESSION)?;
        let network = self.layer.network();
        if let Some(session) = session {
            let is_number = self.is(network.plus(2), Size::Half, session);
            is_session = is_session.and(is_number);
        }
        let header = network.plus(6);
        self.layer = Layer {
            link_type: LinkType::PPP,
            framing: Framing::Ppp,
            header,
            kind: header,
            payload: header.plus(2),
            network: 0,
            network_no_snap: 0,
            labels: 0,
            ..self.layer
        };
        Ok(is_session)
    }

    pub(super) fn geneve(&mut self, network: Option<u32>) -> Lowered<Cond> {
        let network = match network {
            Some(network) => Some(self.at_most("Geneve VNI", network, 0xff_ffff)?),
            None => None,
        };
        let over_ip = self.geneve_over(link::IP, network)?;
        let over_ip6 = self.geneve_over(link::IP6, network)?;
        let header = self.behind_udp()?;
        let inner = self.load(header.plus(2), Size::Half);
        // libpcap reads it to find the inner header, whoever asks for that.
        let has_inner = self.needs(inner);
        self.enter_geneve(header)?;
        Ok(over_ip.or(over_ip6).and(has_inner))
    }

    fn geneve_over(&mut self, number: u32, network: Option<u32>) -> Lowered<Cond> {
        let udp = self.udp_port_over(number, GENEVE_PORT)?;
        let header = self.udp_payload(number);
        let version = self.masked(header, Size::Byte, 0xc0, 0);
        let network = self.network_is(header.plus(4), network);
        Ok(udp.and(version).and(network))
    }

    pub(super) fn vxlan(&mut self, network: Option<u32>) -> Lowered<Cond> {
        let network = match network {
            Some(network) => Some(self.at_most("VXLAN VNI", network, 0xff_ffff)?),
            None => None,
        };
        let over_ip = self.vxlan_over(link::IP, network)?;
        let over_ip6 = self.vxlan_over(link::IP6, network)?;
        let header = self.behind_udp()?.plus(8);
        self.enter_ethernet(header, header.plus(12), header.plus(14), Tunnel::Vxlan)?;
        Ok(over_ip.or(over_ip6))
    }

    fn vxlan_over(&mut self, number: u32, network: Option<u32>) -> Lowered<Cond> {
        let udp = self.udp_port_over(number, VXLAN_PORT)?;
        let header = self.udp_payload(number);
        let flags = self.is(header, Size::Byte, 0x08);
        let network = self.network_is(header.plus(4), network);
        Ok(udp.and(flags).and(network))
    }

    fn network_is(&mut self, place: Place, network: Option<u32>) -> Cond {
        match network {
            Some(network) => self.masked(place, Size::Word, 0xffff_ff00, network << 8),
            None => Cond::Always,
        }
    }

    /// What UDP over IPv4 or IPv6 carries.
    fn udp_payload(&mut self, number: u32) -> Place {
        if number == link::IP {
            self.behind_ip().plus(8)
        } else {
            self.layer.network().plus(48)
        }
    }

    /// What UDP carries, over whichever of the two this packet has.
    fn behind_udp(&mut self) -> Lowered<Place> {
        let network = self.layer.network();
        let is_ip = self.carries(link::IP)?;
        let is_ip = self.truth(&is_ip);
        let first = self.load(network, Size::Byte);
        let words = self.and(first, 15);
        let length = self.shift_left(words, 2);
        let length6 = self.builder.constant(40);
        let length = self.select(is_ip, length, length6);
        let base = match network.base {
            Some(base) => self.builder.binary(Operator::Add, length, base),
            None => length,
        };
        Ok(Place {
            base: Some(base),
            offset: network.offset.wrapping_add(8),
        })
    }

    /// Geneve has options, and may carry something else than Ethernet; then its own header says
    /// what.
    fn enter_geneve(&mut self, header: Place) -> Lowered<()> {
        let base = self.place_value(header);
        let flags = self.load(header, Size::Byte);
        let words = self.and(flags, 0x3f);
        let options = self.shift_left(words, 2);
        let start = self.add(base, 8);
        let start = self.builder.binary(Operator::Add, start, options);
        let protocol = self.load(header.plus(2), Size::Half);
        let is_ethernet = self.compare(
            crate::graph::Comparison::Equal,
            protocol,
            TRANSPARENT_BRIDGING,
        );
        let is_ethernet = self.truth(&is_ethernet);
        // Behind the options and the addresses of the frame, or at 2 in the header before them.
        let further = self.add(options, 18);
        let further = self.builder.binary(Operator::Mul, further, is_ethernet);
        let kind = self.add(base, 2);
        let kind = self.builder.binary(Operator::Add, kind, further);
        let frame = self.builder.constant(14);
        let frame = self.builder.binary(Operator::Mul, frame, is_ethernet);
        let payload = self.builder.binary(Operator::Add, start, frame);
        let at = |base| Place {
            base: Some(base),
            offset: 0,
        };
        self.enter_ethernet(at(start), at(kind), at(payload), Tunnel::Geneve)
    }

    fn enter_ethernet(
        &mut self,
        header: Place,
        kind: Place,
        payload: Place,
        tunnel: Tunnel,
    ) -> Lowered<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.refuse(Refusal::TooManyTunnels);
        }
        self.layer = Layer {
            header,
            kind,
            payload,
            tunnel: Some(tunnel),
            ..Layer::outermost(LinkType::ETHERNET)
        };
        Ok(())
    }
}
