//! Which addresses live in other network namespaces of this machine, so that the process at the
//! far end of a veth pair or behind a bridge can be asked for.
//!
//! Only namespaces are known to which a device leads from one that is captured in: there the
//! kernel has given each of them an id (`nsid`, rtnetlink(7)), by which its addresses are listed and its
//! sockets found. They are listed at start, and anew when any of those namespaces says that an
//! address has come or gone; where other namespaces than ours are captured in, now and then too. An address that two of them have belongs to neither.

use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use pktwho_packet::NetnsId;
use rustc_hash::FxHashMap;
use rustix::io::Errno;

use crate::Error;
use crate::abi::HomeKey;
use crate::load::Programs;
use crate::netlink::Socket;
use crate::spaces::Spaces;
use crate::sys;

/// `RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR`, and `RTNLGRP_NSID` (28) as a bit.
const GROUPS: u32 = 0x1 | 0x10 | 0x100 | 1 << 27;
/// Changes come in swarms: look again this long after the last look at the earliest.
const PAUSE: Duration = Duration::from_millis(20);
/// When namespaces are captured in that we may not hear of: look without being asked to.
const PATROL: Duration = Duration::from_secs(1);
/// Looking takes this share of the time at most.
const LOOK_SHARE: u32 = 50;

/// The addresses that one other namespace has, each with its id.
type View = FxHashMap<[u8; 16], u32>;

/// The addresses of the other namespaces, and what tells us of changes.
#[derive(Debug)]
pub struct Homes {
    monitor: Socket,
    /// As seen from each namespace that is captured in.
    known: FxHashMap<NetnsId, View>,
    /// How often `known` has changed; what the kernel side takes as a part of its generation.
    version: u64,
    /// Something has changed since the last look.
    stale: bool,
    looked: Instant,
    look_took: Duration,
}

impl Homes {
    /// Hears of changes from now on, and knows nothing yet.
    ///
    /// # Errors
    /// When rtnetlink cannot be asked.
    pub fn new() -> Result<Self, Error> {
        let monitor =
            Socket::open(GROUPS).map_err(Error::system("cannot open a netlink socket"))?;
        // Refused without CAP_NET_BROADCAST: then changes there are seen when ours change.
        let _ = sys::netlink_option(monitor.fd(), libc::NETLINK_LISTEN_ALL_NSID);
        Ok(Self {
            monitor,
            known: FxHashMap::default(),
            version: 0,
            stale: true,
            looked: Instant::now(),
            look_took: Duration::ZERO,
        })
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.monitor.fd()
    }

    /// Takes note that something has changed: what is told does not matter, or was lost.
    pub fn hear(&mut self) {
        let heard = self.monitor.pending();
        self.stale |= !matches!(heard, Ok(messages) if messages.is_empty());
    }

    /// Tells the kernel side what has changed, unless it was told a moment ago. Gives the new
    /// version then. What cannot be listed (a namespace that is just going) is left out.
    pub fn refresh(&mut self, programs: &Programs, spaces: &Spaces) -> Option<u64> {
        if self.version > 0 || !self.known.is_empty() {
            let pause = match (spaces.is_ours(), self.stale) {
                (true, true) => PAUSE,
                (true, false) => return None,
                (false, true) => PAUSE.max(self.look_took * LOOK_SHARE),
                (false, false) => PATROL.max(self.look_took * LOOK_SHARE),
            };
            if self.looked.elapsed() < pause {
                return None;
            }
        }
        self.stale = false;
        let begin = Instant::now();
        let ids = spaces.ids();
        let gone: Vec<NetnsId> = self.known.keys().copied().collect();
        let mut changed = false;
        for netns in gone.into_iter().filter(|netns| !ids.contains(netns)) {
            changed |= self.show(programs, netns, View::default());
            self.known.remove(&netns);
        }
        for netns in ids {
            let found = spaces.within(netns, addresses).ok().and_then(Result::ok);
            changed |= self.show(programs, netns, found.unwrap_or_default());
        }
        self.looked = Instant::now();
        self.look_took = self.looked - begin;
        self.version += u64::from(changed);
        changed.then_some(self.version)
    }

    /// What one namespace sees now; whether that is something else than before.
    fn show(&mut self, programs: &Programs, netns: NetnsId, found: View) -> bool {
        let known = self.known.entry(netns).or_default();
        if *known == found {
            return false;
        }
        let key = |address| HomeKey {
            address,
            netns: netns.0,
        };
        for (&address, _) in known.iter().filter(|(key, _)| !found.contains_key(*key)) {
            programs.set_home(key(address), None);
        }
        for (&address, &nsid) in &found {
            if known.get(&address) != Some(&nsid) {
                programs.set_home(key(address), Some(nsid));
            }
        }
        *known = found;
        true
    }
}

/// The addresses that exactly one other namespace has, with its id.
fn addresses() -> Result<View, Errno> {
    let mut socket = Socket::open(0)?;
    // Only then does the kernel look at which namespace is asked for (5.0).
    sys::netlink_option(socket.fd(), libc::NETLINK_GET_STRICT_CHK)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))?;
    let mut homes: FxHashMap<[u8; 16], Option<u32>> = FxHashMap::default();
    let ours = addresses_in(&mut socket, None)?;
    for address in ours {
        homes.insert(address, None);
    }
    for nsid in neighbours(&mut socket)? {
        // One that went in between.
        let Ok(theirs) = addresses_in(&mut socket, Some(nsid)) else {
            continue;
        };
        for address in theirs {
            homes
                .entry(address)
                .and_modify(|home| *home = home.filter(|&other| other == nsid.unsigned_abs()))
                .or_insert(Some(nsid.unsigned_abs()));
        }
    }
    let certain = |(address, home): ([u8; 16], Option<u32>)| Some((address, home?));
    Ok(homes.into_iter().filter_map(certain).collect())
}

/// The ids of the namespaces in which the other ends of our devices are. (Asking for the
/// devices makes the kernel give those an id that have none yet.)
fn neighbours(socket: &mut Socket) -> Result<Vec<i32>, Errno> {
    let links = socket.dump(RouteNetlinkMessage::GetLink(LinkMessage::default()))?;
    let mut ids: Vec<i32> = links
        .iter()
        .filter_map(|message| match message {
            RouteNetlinkMessage::NewLink(link) => Some(&link.attributes),
            _ => None,
        })
        .flatten()
        .filter_map(|attribute| match attribute {
            LinkAttribute::LinkNetNsId(id) if *id >= 0 => Some(*id),
            _ => None,
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// The addresses of a namespace by which others may reach it: no loopback, no link-local ones.
fn addresses_in(socket: &mut Socket, nsid: Option<i32>) -> Result<Vec<[u8; 16]>, Errno> {
    let mut found = Vec::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut request = AddressMessage::default();
        request.header.family = family;
        request
            .attributes
            .extend(nsid.map(AddressAttribute::TargetNetNsId));
        for message in socket.dump(RouteNetlinkMessage::GetAddress(request))? {
            if let RouteNetlinkMessage::NewAddress(message) = message {
                found.extend(local_address(&message).and_then(reachable));
            }
        }
    }
    Ok(found)
}

/// The own address: `IFA_LOCAL` on point-to-point devices, where `IFA_ADDRESS` is the peer's.
fn local_address(message: &AddressMessage) -> Option<IpAddr> {
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
fn reachable(address: IpAddr) -> Option<[u8; 16]> {
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
