//! Tunnels of the kernel's own that have no sockets: GRE, and IP in IP.
//!
//! What such a device sends and takes is told by what rtnetlink(7) says of it: the addresses that its
//! packets have outside, and GRE's key. A device that is down takes nothing.

use std::net::IpAddr;

use netlink_packet_route::link::{
    GreIOFlags, InfoData, InfoGre, InfoGre6, InfoIpTunnel, InfoKind, LinkAttribute, LinkFlags,
    LinkInfo, LinkMessage,
};

use crate::abi::{GRE_ETHERNET, GRE_KEYED, TunnelKey};
use crate::reach::Address;

const IPIP: u8 = 4;
const IPV6: u8 = 41;
const GRE: u8 = 47;

/// The packets that a tunnel takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Tunnel {
    /// Of the tunnel's namespace; `None`: the one in the middle.
    nsid: Option<u32>,
    /// Zeros: any.
    local: Address,
    remote: Address,
    protocol: u8,
    /// `GRE_…`
    gre: u8,
    /// As it stands in packets.
    key: [u8; 4],
}

impl Tunnel {
    /// The same in a namespace.
    pub fn within(self, nsid: Option<u32>) -> Self {
        Self { nsid, ..self }
    }

    /// As the kernel side looks for it, seen from `netns`.
    pub fn key(&self, netns: u32) -> TunnelKey {
        TunnelKey {
            local: self.local,
            remote: self.remote,
            netns,
            nsid: self.nsid.unwrap_or(crate::abi::OUR_NSID),
            key: u32::from_ne_bytes(self.key),
            protocol: self.protocol,
            gre: self.gre,
            pad: [0; 2],
        }
    }
}

/// What a device takes; nothing when it is no such tunnel.
pub(crate) fn tunnels_of(link: &LinkMessage) -> Vec<Tunnel> {
    let infos = link
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::LinkInfo(infos) => Some(infos),
            _ => None,
        });
    if !link.header.flags.contains(LinkFlags::Up) {
        return Vec::new();
    }
    let infos = infos.map(Vec::as_slice).unwrap_or_default();
    let kind = infos.iter().find_map(|info| match info {
        LinkInfo::Kind(kind) => Some(kind),
        _ => None,
    });
    let data = infos.iter().find_map(|info| match info {
        LinkInfo::Data(data) => Some(data),
        _ => None,
    });
    match (kind, data) {
        (_, Some(InfoData::GreTun(facts))) => vec![gre(facts, 0)],
        (_, Some(InfoData::GreTap(facts))) => vec![gre(facts, GRE_ETHERNET)],
        (_, Some(InfoData::GreTun6(facts))) => vec![gre6(facts, 0)],
        (_, Some(InfoData::GreTap6(facts))) => vec![gre6(facts, GRE_ETHERNET)],
        (Some(kind), Some(InfoData::IpTunnel(facts))) => ip_in_ip(kind, facts),
        _ => Vec::new(),
    }
}

fn gre(facts: &[InfoGre], gre: u8) -> Tunnel {
    let mut tunnel = Tunnel {
        protocol: GRE,
        gre,
        ..Tunnel::default()
    };
    let mut key = 0;
    for fact in facts {
        match fact {
            InfoGre::Local(address) => tunnel.local = wide((*address).into()),
            InfoGre::Remote(address) => tunnel.remote = wide((*address).into()),
            InfoGre::IFlags(flags) if flags.contains(GreIOFlags::Key) => tunnel.gre |= GRE_KEYED,
            InfoGre::IKey(number) => key = *number,
            _ => {}
        }
    }
    keyed(tunnel, key)
}

fn gre6(facts: &[InfoGre6], gre: u8) -> Tunnel {
    let mut tunnel = Tunnel {
        protocol: GRE,
        gre,
        ..Tunnel::default()
    };
    let mut key = 0;
    for fact in facts {
        match fact {
            InfoGre6::Local(address) => tunnel.local = wide((*address).into()),
            InfoGre6::Remote(address) => tunnel.remote = wide((*address).into()),
            InfoGre6::IFlags(flags) if flags.contains(GreIOFlags::Key) => tunnel.gre |= GRE_KEYED,
            InfoGre6::IKey(number) => key = *number,
            _ => {}
        }
    }
    keyed(tunnel, key)
}

/// The key counts only where packets are to have one.
fn keyed(tunnel: Tunnel, key: u32) -> Tunnel {
    let key = if tunnel.gre & GRE_KEYED == 0 { 0 } else { key };
    Tunnel {
        key: key.to_be_bytes(),
        ..tunnel
    }
}

/// `ipip`, `sit` and `ip6tnl`, which carry IPv4, IPv6 or both.
fn ip_in_ip(kind: &InfoKind, facts: &[InfoIpTunnel]) -> Vec<Tunnel> {
    let mut tunnel = Tunnel::default();
    let mut carried = None;
    for fact in facts {
        match fact {
            InfoIpTunnel::Local(address) => tunnel.local = wide(*address),
            InfoIpTunnel::Remote(address) => tunnel.remote = wide(*address),
            InfoIpTunnel::Protocol(protocol) => carried = Some(u8::from(*protocol)),
            _ => {}
        }
    }
    // 0: whatever there is.
    let protocols: &[u8] = match (kind, carried) {
        (InfoKind::IpIp, None | Some(0)) | (_, Some(IPIP)) => &[IPIP],
        (InfoKind::SitTun, None) | (_, Some(IPV6)) => &[IPV6],
        (_, Some(0)) => &[IPIP, IPV6],
        _ => &[],
    };
    let protocols = protocols.iter();
    protocols
        .map(|&protocol| Tunnel { protocol, ..tunnel })
        .collect()
}

/// As the kernel side writes addresses; none is any.
fn wide(address: IpAddr) -> Address {
    match address {
        address if address.is_unspecified() => [0; 16],
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn link(kind: InfoKind, data: InfoData, up: bool) -> LinkMessage {
        let mut link = LinkMessage::default();
        link.header.flags.set(LinkFlags::Up, up);
        let infos = vec![LinkInfo::Kind(kind), LinkInfo::Data(data)];
        link.attributes = vec![LinkAttribute::LinkInfo(infos)];
        link
    }

    /// What is looked for: local and remote address by their last bytes, protocol, flags, key.
    fn check(link: &LinkMessage, expected: &[(u8, u8, u8, u8, [u8; 4])]) {
        let found: Vec<_> = tunnels_of(link)
            .iter()
            .map(|it| (it.local[15], it.remote[15], it.protocol, it.gre, it.key))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn gre_with_and_without_a_key() {
        let [one, two] = [1, 2].map(|last| Ipv4Addr::new(10, 0, 0, last));
        let facts = vec![
            InfoGre::IFlags(GreIOFlags::empty()),
            InfoGre::IKey(7),
            InfoGre::Local(one),
            InfoGre::Remote(two),
        ];
        let keyed = vec![
            InfoGre::IFlags(GreIOFlags::Key),
            InfoGre::IKey(7),
            InfoGre::Local(Ipv4Addr::UNSPECIFIED),
            InfoGre::Remote(two),
        ];
        let tun = InfoData::GreTun(facts.clone());
        check(
            &link(InfoKind::GreTun, tun.clone(), true),
            &[(1, 2, GRE, 0, [0; 4])],
        );
        check(&link(InfoKind::GreTun, tun, false), &[]);
        check(
            &link(InfoKind::GreTap, InfoData::GreTap(keyed), true),
            &[(0, 2, GRE, GRE_ETHERNET | GRE_KEYED, [0, 0, 0, 7])],
        );
    }

    #[test]
    fn ip_in_ip_by_what_it_carries() {
        let local = InfoIpTunnel::Local("10.0.0.1".parse().unwrap());
        let carries = |kind: InfoKind, number: u8, expected: &[u8]| {
            let protocol = InfoIpTunnel::Protocol(number.into());
            let data = InfoData::IpTunnel(vec![local.clone(), protocol]);
            let expected: Vec<_> = expected.iter().map(|&it| (1, 0, it, 0, [0; 4])).collect();
            check(&link(kind, data, true), &expected);
        };
        carries(InfoKind::IpIp, IPIP, &[IPIP]);
        carries(InfoKind::IpIp, 0, &[IPIP]);
        carries(InfoKind::SitTun, IPV6, &[IPV6]);
        carries(InfoKind::Ip6Tnl, 0, &[IPIP, IPV6]);
        carries(InfoKind::Ip6Tnl, 137, &[]);
        let data = InfoData::IpTunnel(vec![local.clone()]);
        check(
            &link(InfoKind::SitTun, data, true),
            &[(1, 0, IPV6, 0, [0; 4])],
        );
    }
}
