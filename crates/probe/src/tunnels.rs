//! What lies beyond tun devices, of which the kernel says nothing: a process holds the other end, and
//! carries packets wherever it likes.
//!
//! Where that is another namespace of this machine, they come out of a tun device there, which has the
//! address that they are sent to. So the addresses of other namespaces' tun devices count as being
//! beyond ours, if one namespace of the machine alone has them, and only on our tun devices. It
//! may be another network that uses the same addresses: whoever holds the socket there is a guess.
//!
//! All namespaces are entered for a moment each, and only while ours has such a device. Those that have one
//! too are given an id in ours, by which the kernel side can ask for their sockets; it goes with them.

use std::time::{Duration, Instant};

use netlink_packet_route::AddressFamily;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::{
    InfoKind, LinkAttribute, LinkExtentMask, LinkInfo, LinkLayerType, LinkMessage,
};
use pktwho_packet::NetnsId;
use rustc_hash::{FxHashMap, FxHashSet};
use rustix::io::Errno;

use crate::abi::{Beyond, Home};
use crate::clock;
use crate::config::Begin;
use crate::lookout::Lookout;
use crate::netlink::Socket;
use crate::netns::{Netns, scan};
use crate::reach::{Address, View, local_address, reachable};
use crate::spaces::introduce;

/// [`Home::via`] of what is beyond tun devices, and [`Beyond::nsid`] of those (`BEYOND_TUN` in `abi.h`).
pub(crate) const BEYOND_TUN: u32 = u32::MAX - 1;
/// Of more namespaces none is believed: to look at all would take long.
const SPACES_MAX: usize = 1024;
/// How often to look when nothing asks for it, and when something does: most namespaces tell us nothing.
const PATROL: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);
/// Looking takes this share of a processor at most.
const LOOK_SHARE: u32 = 50;

/// Other namespaces that have tun devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tunnels {
    /// The addresses of those devices that nobody else has, and the id of who has them.
    pub homes: FxHashMap<Address, u32>,
    pub spaces: FxHashSet<u32>,
}

/// What is asked in a namespace: its addresses, and which of them a tun device has.
type Inside = Vec<(Address, bool)>;

/// Whether a device hands IP packets to a process: one of a tap's frames is another end of a wire.
pub(crate) fn is_tun(link: &LinkMessage) -> bool {
    let is_kind = |attribute: &LinkAttribute| {
        matches!(attribute, LinkAttribute::LinkInfo(infos)
            if infos.contains(&LinkInfo::Kind(InfoKind::Tun)))
    };
    link.header.link_layer_type == LinkLayerType::None && link.attributes.iter().any(is_kind)
}

/// What there is now, seen from the calling thread's namespace. What cannot be asked is not there.
pub(crate) fn look() -> Tunnels {
    let (Ok(own), Ok(mut asker)) = (Netns::own(), Socket::open(0)) else {
        return Tunnels::default();
    };
    let mut others = scan();
    others.remove(&own.id());
    if others.len() > SPACES_MAX {
        return Tunnels::default();
    }
    let told = others.iter().filter_map(|(&id, netns)| {
        let inside = netns.within(inside).ok()?.ok()?;
        Some((id, inside))
    });
    let alone = only_on_tuns(told);
    let mut ids: FxHashMap<NetnsId, Option<u32>> = FxHashMap::default();
    let mut tunnels = Tunnels::default();
    for (address, id) in alone {
        let nsid = *ids.entry(id).or_insert_with(|| {
            let nsid = introduce(&mut asker, others.get(&id)?).ok()?;
            u32::try_from(nsid).ok()
        });
        if let Some(nsid) = nsid {
            tunnels.homes.insert(address, nsid);
            tunnels.spaces.insert(nsid);
        }
    }
    tunnels
}

/// The addresses that one namespace alone has, on a tun device.
fn only_on_tuns(
    asked: impl Iterator<Item = (NetnsId, Inside)>,
) -> impl Iterator<Item = (Address, NetnsId)> {
    let mut holders: FxHashMap<Address, Option<(NetnsId, bool)>> = FxHashMap::default();
    for (id, inside) in asked {
        for (address, on_tun) in inside {
            holders
                .entry(address)
                .and_modify(|holder| {
                    let same = holder.filter(|(other, _)| *other == id);
                    *holder = same.map(|(_, before)| (id, before && on_tun));
                })
                .or_insert(Some((id, on_tun)));
        }
    }
    holders
        .into_iter()
        .filter_map(|(address, holder)| match holder {
            Some((id, true)) => Some((address, id)),
            _ => None,
        })
}

/// Asks the namespace in which the calling thread is.
fn inside() -> Result<Inside, Errno> {
    let mut socket = Socket::open(0)?;
    let mut request = LinkMessage::default();
    request.attributes = vec![LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats])];
    let mut tuns = FxHashSet::default();
    for message in socket.dump_whole(RouteNetlinkMessage::GetLink(request))? {
        if let RouteNetlinkMessage::NewLink(link) = message
            && is_tun(&link)
        {
            tuns.insert(link.header.index);
        }
    }
    let mut found = Vec::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut request = AddressMessage::default();
        request.header.family = family;
        for message in socket.dump_whole(RouteNetlinkMessage::GetAddress(request))? {
            if let RouteNetlinkMessage::NewAddress(message) = message
                && let Some(address) = local_address(&message).and_then(reachable)
            {
                found.push((address, tuns.contains(&message.header.index)));
            }
        }
    }
    Ok(found)
}

impl View {
    /// Takes over what is beyond tun devices, in place of what was; what is nearer goes before it.
    pub fn tunnel(&mut self, tunnels: &Tunnels) {
        self.homes.retain(|_, home| home.via != BEYOND_TUN);
        self.beyond.retain(|_, beyond| beyond.nsid != BEYOND_TUN);
        self.tunnelled.clone_from(&tunnels.spaces);
        if tunnels.homes.is_empty() {
            return;
        }
        let beyond = Beyond {
            nsid: BEYOND_TUN,
            forwards: 0,
            ifindex: 0,
        };
        self.beyond
            .extend(self.tuns.iter().map(|&index| (index, beyond)));
        for (&address, &nsid) in &tunnels.homes {
            if !self.tuns.is_empty() && !self.doubtful.contains(&address) {
                self.homes.entry(address).or_insert(Home {
                    nsid,
                    via: BEYOND_TUN,
                    netns: 0,
                });
            }
        }
    }
}

/// The thread that looks, and what it has found last.
#[derive(Debug)]
pub(crate) struct Tunneller {
    lookout: Lookout<(Tunnels, Duration)>,
    found: Tunnels,
    looked: Instant,
    /// Of a processor.
    took: Duration,
}

impl Tunneller {
    /// `found`: by a look a moment ago.
    ///
    /// # Errors
    /// The system has no thread.
    pub fn start(found: Tunnels, begin: Begin) -> std::io::Result<Self> {
        let look = || {
            let begin = clock::used();
            (look(), clock::used().saturating_sub(begin))
        };
        Ok(Self {
            lookout: Lookout::start("tunnels", begin, look)?,
            found,
            looked: Instant::now(),
            took: Duration::ZERO,
        })
    }

    pub fn is_out(&self) -> bool {
        self.lookout.is_out()
    }

    /// How long until it is to look; `stale`: something has changed. It is not looking now.
    pub fn due(&self, stale: bool) -> Duration {
        let pause = if stale { PAUSE } else { PATROL };
        let pause = pause.max(self.took * LOOK_SHARE);
        pause.saturating_sub(self.looked.elapsed())
    }

    pub fn send(&mut self) {
        self.lookout.send(0);
    }

    /// Whether it has found something else than before.
    pub fn has_found(&mut self) -> bool {
        let Some(sight) = self.lookout.sight() else {
            return false;
        };
        let (found, took) = sight.found;
        self.looked = Instant::now();
        self.took = took;
        let differs = found != self.found;
        self.found = found;
        differs
    }

    pub fn found(&self) -> &Tunnels {
        &self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: u8) -> Address {
        let mut address = [0; 16];
        address[15] = last;
        address
    }

    #[test]
    fn an_address_counts_that_one_namespace_alone_has_on_a_tun_device() {
        let asked = [
            (
                NetnsId(1),
                vec![(at(1), true), (at(2), true), (at(5), true)],
            ),
            (
                NetnsId(2),
                vec![(at(2), false), (at(3), false), (at(6), true)],
            ),
            (
                NetnsId(3),
                vec![(at(4), true), (at(4), true), (at(5), true)],
            ),
            (
                NetnsId(4),
                vec![(at(6), true), (at(6), false), (at(7), true), (at(7), false)],
            ),
        ];
        let mut found: Vec<_> = only_on_tuns(asked.into_iter()).collect();
        found.sort_unstable();
        assert_eq!(found, [(at(1), NetnsId(1)), (at(4), NetnsId(3))]);
    }

    #[test]
    fn it_is_beyond_our_tun_devices_unless_somebody_nearer_has_it() {
        let home = |nsid, via| Home {
            nsid,
            via,
            netns: 0,
        };
        let mut view = View::default();
        view.homes.insert(at(1), home(7, 7));
        view.doubtful.insert(at(2));
        let tunnels = Tunnels {
            homes: [1, 2, 3].map(|last| (at(last), 9)).into_iter().collect(),
            spaces: [9].into_iter().collect(),
        };
        view.tunnel(&tunnels);
        assert!(view.beyond.is_empty(), "there is no such device");
        assert_eq!(view.homes.len(), 1);
        view.tuns.insert(4);
        view.tunnel(&tunnels);
        assert_eq!(view.homes.get(&at(1)), Some(&home(7, 7)));
        assert_eq!(view.homes.get(&at(2)), None);
        assert_eq!(view.homes.get(&at(3)), Some(&home(9, BEYOND_TUN)));
        assert_eq!(view.beyond.get(&4).map(|b| b.nsid), Some(BEYOND_TUN));
        view.tunnel(&Tunnels::default());
        assert!(view.beyond.is_empty());
        assert_eq!(view.homes.len(), 1);
    }
}
