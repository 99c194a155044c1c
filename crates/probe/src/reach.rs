//! Which network namespaces lie around one: those to which its devices lead, those to which
//! theirs lead, and so on; and which addresses are there.
//!
//! All is asked of rtnetlink(7) in the one in the middle, where the kernel gives each namespace
//! that a device leads to an id (`nsid`), also when it is another namespace's device. No
//! descriptor of them is needed, nor a process in them.
//!
//! What is near comes first: an address counts for the nearest namespaces that have it, and for
//! none when several of them do.

use std::net::IpAddr;

use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    AfSpecInet, AfSpecInet6, AfSpecUnspec, LinkAttribute, LinkExtentMask, LinkMessage,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustc_hash::{FxHashMap, FxHashSet};
use rustix::io::Errno;

use crate::abi::{Beyond, Home};
use crate::iptunnels::{Tunnel, tunnels_of};
use crate::netlink::Socket;
use crate::sys;
use crate::tunnels::is_tun;

/// How many steps away the farthest are that are looked for.
const STEPS: usize = 3;
/// More namespaces than these are not looked past: what their devices lead to would take long.
const PASSED_MAX: usize = 64;
/// [`Home::via`] of what is too far away to say how packets get there.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// An address as the kernel side writes it: IPv4 as `::ffff:a.b.c.d`.
pub(crate) type Address = [u8; 16];

/// What a namespace sees around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct View {
    /// The addresses of which it is certain which other namespace has them.
    pub homes: FxHashMap<Address, Home>,
    /// Those that it has itself, or of which that is not certain.
    pub doubtful: FxHashSet<Address>,
    /// Its devices, by index, that lead to other namespaces.
    pub beyond: FxHashMap<u32, Beyond>,
    /// All namespaces that a look has met, by their ids; it may be one of them itself.
    pub around: FxHashSet<u32>,
    /// Its tun devices, by index.
    pub tuns: FxHashSet<u32>,
    /// Tunnels of the kernel's own, here and in the namespaces that a look has met.
    pub tunnels: FxHashMap<Tunnel, u32>,
    /// Namespaces with tun devices of their own, by their ids: what these tell is looked for
    /// ([`crate::tunnels`]).
    pub tunnelled: FxHashSet<u32>,
}

/// The devices of a namespace.
#[derive(Clone, Debug, Default)]
struct Links {
    /// By index: the namespaces in which their other ends are, and the indexes there.
    ends: Vec<(u32, u32, u32)>,
    /// Those that hand packets to a process.
    tuns: Vec<u32>,
    /// What the kernel's own tunnels take.
    tunnels: Vec<Tunnel>,
    /// Packets are forwarded between them.
    forwards: bool,
}

/// What can be asked about a namespace; `None` is the one in the middle.
trait Ask {
    fn links(&mut self, nsid: Option<u32>) -> Result<Links, Errno>;
    fn addresses(&mut self, nsid: Option<u32>) -> Result<Vec<Address>, Errno>;
}

/// What the calling thread's namespace sees. At most `afar` namespaces that are not next to it are
/// looked at: more of them at a distance and none there is.
///
/// # Errors
/// rtnetlink cannot be asked.
pub(crate) fn look_around(afar: usize) -> Result<View, Errno> {
    let mut socket = Socket::open(0)?;
    // Only then does the kernel look at which namespace is asked for (5.0).
    sys::netlink_option(socket.fd(), libc::NETLINK_GET_STRICT_CHK)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))?;
    view(&mut socket, afar)
}

fn view(ask: &mut impl Ask, afar: usize) -> Result<View, Errno> {
    // Whoever stands here with `None` is not certain.
    let mut homes: FxHashMap<Address, Option<Home>> = FxHashMap::default();
    homes.extend(ask.addresses(None)?.into_iter().map(|own| (own, None)));
    let ours = ask.links(None)?;
    let mut forwarders = FxHashSet::default();
    let mut seen = FxHashSet::default();
    let mut around = FxHashSet::default();
    let mut tunnels = FxHashMap::default();
    enter_tunnels(&mut tunnels, None, &ours);
    let mut level: FxHashMap<u32, u32> = ours.ends.iter().map(|&(_, id, _)| (id, id)).collect();
    for step in 1..=STEPS {
        around.extend(level.keys().copied());
        if step > 1 && level.len() > afar {
            break;
        }
        enter_level(ask, &level, &mut homes)?;
        seen.extend(level.keys().copied());
        if level.is_empty() || level.len() > PASSED_MAX {
            break;
        }
        let mut next: FxHashMap<u32, u32> = FxHashMap::default();
        for (&id, &via) in &level {
            let Some(links) = unless_gone(ask.links(Some(id)))? else {
                continue;
            };
            if links.forwards {
                forwarders.insert(id);
            }
            enter_tunnels(&mut tunnels, Some(id), &links);
            let via = if step == 1 { via } else { NOWHERE };
            for &(_, end, _) in links.ends.iter().filter(|(_, end, _)| !seen.contains(end)) {
                next.entry(end)
                    .and_modify(|other| *other = if *other == via { via } else { NOWHERE })
                    .or_insert(via);
            }
        }
        level = next;
    }
    let beyond = ours.ends.iter().map(|&(index, nsid, ifindex)| {
        let forwards = u32::from(forwarders.contains(&nsid));
        (
            index,
            Beyond {
                nsid,
                forwards,
                ifindex,
            },
        )
    });
    let mut view = View {
        beyond: beyond.collect(),
        around,
        tunnels,
        tuns: ours.tuns.into_iter().collect(),
        ..View::default()
    };
    for (address, home) in homes {
        match home {
            Some(home) => drop(view.homes.insert(address, home)),
            None => drop(view.doubtful.insert(address)),
        }
    }
    Ok(view)
}

fn enter_tunnels(tunnels: &mut FxHashMap<Tunnel, u32>, nsid: Option<u32>, links: &Links) {
    let those = links.tunnels.iter();
    tunnels.extend(those.map(|&tunnel| (tunnel.within(nsid), 1)));
}

/// Enters the addresses of namespaces that are equally far away and that nobody nearer has.
fn enter_level(
    ask: &mut impl Ask,
    level: &FxHashMap<u32, u32>,
    homes: &mut FxHashMap<Address, Option<Home>>,
) -> Result<(), Errno> {
    let mut here: FxHashMap<Address, Option<Home>> = FxHashMap::default();
    for (&nsid, &via) in level {
        for address in unless_gone(ask.addresses(Some(nsid)))?.unwrap_or_default() {
            here.entry(address)
                .and_modify(|home| *home = home.filter(|home| home.nsid == nsid))
                .or_insert(Some(Home {
                    nsid,
                    via,
                    netns: 0,
                }));
        }
    }
    for (address, home) in here {
        homes.entry(address).or_insert(home);
    }
    Ok(())
}

/// What is said of a namespace; `None`: it went in between. One that changes all the time is still there.
fn unless_gone<T>(answer: Result<T, Errno>) -> Result<Option<T>, Errno> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Errno::INTR) => Err(Errno::INTR),
        Err(_) => Ok(None),
    }
}

impl Ask for Socket {
    fn links(&mut self, nsid: Option<u32>) -> Result<Links, Errno> {
        let mut request = LinkMessage::default();
        request.attributes = vec![LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats])];
        let target = nsid.map(|id| LinkAttribute::IfNetnsId(id.cast_signed()));
        request.attributes.extend(target);
        let mut links = Links::default();
        // (It makes the kernel give those namespaces an id that have none yet.)
        for message in self.dump_whole(RouteNetlinkMessage::GetLink(request))? {
            let RouteNetlinkMessage::NewLink(link) = message else {
                continue;
            };
            links
                .ends
                .extend(other_end(&link).map(|(id, there)| (link.header.index, id, there)));
            links.tunnels.extend(tunnels_of(&link));
            links
                .tuns
                .extend(is_tun(&link).then_some(link.header.index));
            for attribute in &link.attributes {
                if let LinkAttribute::AfSpecUnspec(specs) = attribute {
                    links.forwards |= forwards(specs);
                }
            }
        }
        Ok(links)
    }

    /// Those by which others may reach it: no loopback, no link-local ones.
    fn addresses(&mut self, nsid: Option<u32>) -> Result<Vec<Address>, Errno> {
        let mut found = Vec::new();
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut request = AddressMessage::default();
            request.header.family = family;
            let target = nsid.map(|id| AddressAttribute::TargetNetNsId(id.cast_signed()));
            request.attributes.extend(target);
            for message in self.dump_whole(RouteNetlinkMessage::GetAddress(request))? {
                if let RouteNetlinkMessage::NewAddress(message) = message {
                    found.extend(local_address(&message).and_then(reachable));
                }
            }
        }
        Ok(found)
    }
}

/// The namespace of a device's other end, and its index there (0: not told); `None` when that is
/// in the same one.
pub(crate) fn other_end(link: &LinkMessage) -> Option<(u32, u32)> {
    let (mut nsid, mut there) = (None, 0);
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::LinkNetNsId(id) => nsid = u32::try_from(*id).ok(),
            LinkAttribute::Link(index) => there = *index,
            _ => {}
        }
    }
    nsid.map(|nsid| (nsid, there))
}

/// Whether a device takes part in forwarding (`net.ipv4.conf.*.forwarding` and IPv6's).
fn forwards(specs: &[AfSpecUnspec]) -> bool {
    specs.iter().any(|spec| match spec {
        AfSpecUnspec::Inet(facts) => facts
            .iter()
            .any(|fact| matches!(fact, AfSpecInet::DevConf(conf) if conf.forwarding != 0)),
        AfSpecUnspec::Inet6(facts) => facts
            .iter()
            .any(|fact| matches!(fact, AfSpecInet6::DevConf(conf) if conf.forwarding != 0)),
        _ => false,
    })
}

/// The own address: `IFA_LOCAL` on point-to-point devices, where `IFA_ADDRESS` is the peer's.
pub(crate) fn local_address(message: &AddressMessage) -> Option<IpAddr> {
    let mut address = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(local) => return Some(*local),
            AddressAttribute::Address(other) => address = Some(*other),
            _ => {}
        }
    }
    address
}

/// As the kernel side writes addresses; `None` for those that mean another host everywhere.
pub(crate) fn reachable(address: IpAddr) -> Option<Address> {
    let wide = match address {
        IpAddr::V4(address) if address.is_link_local() => return None,
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) if address.is_unicast_link_local() => return None,
        IpAddr::V6(address) => address,
    };
    (!address.is_loopback()).then(|| wide.octets())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Namespaces by id, the middle one 0: where their devices lead, and the last bytes of
    /// their addresses. Those named `router` forward.
    struct World(Vec<(&'static [u32], &'static [u8])>, u32);

    impl World {
        fn of(&self, nsid: Option<u32>) -> Result<(&'static [u32], &'static [u8]), Errno> {
            let at = nsid.unwrap_or(0) as usize;
            self.0.get(at).copied().ok_or(Errno::INVAL)
        }
    }

    impl Ask for World {
        fn links(&mut self, nsid: Option<u32>) -> Result<Links, Errno> {
            let ends = self.of(nsid)?.0.iter().zip(10..);
            Ok(Links {
                ends: ends.map(|(&end, index)| (index, end, 2)).collect(),
                forwards: nsid == Some(self.1),
                ..Links::default()
            })
        }

        fn addresses(&mut self, nsid: Option<u32>) -> Result<Vec<Address>, Errno> {
            Ok(self.of(nsid)?.1.iter().map(|&last| at(last)).collect())
        }
    }

    fn at(last: u8) -> Address {
        let mut address = [0; 16];
        address[15] = last;
        address
    }

    #[test]
    fn what_is_near_comes_first() {
        // A container, its router, two others there, and what lies behind one of those.
        let mut world = World(
            vec![
                (&[1], &[1]),
                (&[0, 2, 3], &[2, 7]),
                (&[1, 4], &[1, 3, 7, 8]),
                (&[1], &[4, 8, 9]),
                (&[2], &[5, 9]),
            ],
            1,
        );
        let view = view(&mut world, 100).unwrap();
        let home = |last| view.homes.get(&at(last)).map(|home| (home.nsid, home.via));
        assert_eq!(home(2), Some((1, 1)), "next to it");
        assert_eq!(home(7), Some((1, 1)), "and another farther away");
        assert_eq!(home(3), Some((2, 1)), "behind that");
        assert_eq!(home(9), Some((3, 1)), "nearer than the other");
        assert_eq!(home(5), Some((4, NOWHERE)), "three steps away");
        assert_eq!(home(1), None, "its own");
        assert_eq!(home(8), None, "two that are equally far");
        let beyond = view
            .beyond
            .get(&10)
            .map(|b| (b.nsid, b.forwards, b.ifindex));
        assert_eq!(beyond, Some((1, 1, 2)));
    }

    #[test]
    fn too_many_afar_are_left_out() {
        let mut world = World(
            vec![(&[1], &[1]), (&[0, 2, 3], &[2]), (&[1], &[3]), (&[1], &[4])],
            9,
        );
        let view = view(&mut world, 1).unwrap();
        assert_eq!(view.homes.len(), 1);
        assert_eq!(view.beyond.get(&10).map(|b| b.forwards), Some(0));
    }

    #[test]
    fn one_that_goes_meanwhile_is_passed_over() {
        let mut world = World(vec![(&[1, 2], &[1]), (&[0, 5], &[2])], 1);
        let view = view(&mut world, 100).unwrap();
        assert_eq!(view.homes.len(), 1);
    }

    #[test]
    fn only_addresses_that_mean_one_host() {
        let check = |text: &str| reachable(text.parse().expect("an address"));
        for text in ["127.0.0.1", "127.8.8.8", "::1", "169.254.1.1", "fe80::1"] {
            assert_eq!(check(text), None, "{text}");
        }
        let mut mapped = [0; 16];
        mapped[10..].copy_from_slice(&[0xff, 0xff, 10, 0, 0, 7]);
        assert_eq!(check("10.0.0.7"), Some(mapped));
        assert_eq!(check("fd00::7").map(|bytes| bytes[15]), Some(7));
    }
}
