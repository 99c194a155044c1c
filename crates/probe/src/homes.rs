//! Where the far ends of packets live: which addresses other network namespaces of this machine
//! have, and to which of them our devices lead, so that the process at the far end of a veth pair,
//! behind a bridge or behind a router can be asked for.
//!
//! What lies around is listed ([`crate::reach`]) at start, and anew when any of those namespaces says
//! that an address has come or gone. Where only our own namespace is captured in, what they say counts
//! at once ([`crate::keeper`]); where others are, they are looked from now and then too.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use libbpf_rs::{MapCore as _, MapFlags, MapHandle};
use pktwho_packet::NetnsId;
use rustc_hash::FxHashMap;
use zerocopy::{Immutable, IntoBytes};

use crate::abi::{DeviceKey, HomeKey, ReaderState};
use crate::config::Begin;
use crate::iptunnels::Tunnel;
use crate::keeper::Keeper;
use crate::load::Programs;
use crate::netlink::Socket;
use crate::reach::{View, look_around};
use crate::spaces::Spaces;
use crate::sys::{self, Mapped};
use crate::tunnels::{self, Tunnels};
use crate::{Error, clock};

/// `RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR`, and `RTNLGRP_NSID` (28) as a bit.
const GROUPS: u32 = 0x1 | 0x10 | 0x100 | 1 << 27;
/// Changes come in swarms: look again this long after the last look at the earliest.
pub(crate) const PAUSE: Duration = Duration::from_millis(20);
/// When namespaces are captured in that we may not hear of: look without being asked to.
const PATROL: Duration = Duration::from_secs(1);
/// Looking takes this share of a processor at most.
const LOOK_SHARE: u32 = 50;

/// So many namespaces that are not next to a captured one are looked at in one look.
pub(crate) const AFAR: usize = 1024;

/// Who keeps the kernel side's tables.
#[derive(Debug)]
pub enum Homes {
    /// A thread, of our own namespace alone.
    Ours { _keeper: Keeper },
    /// We, between packets.
    Several(Box<Several>),
}

/// The addresses of the other namespaces, and what tells us of changes.
#[derive(Debug)]
pub struct Several {
    monitor: Socket,
    tables: Tables,
    /// As seen from each namespace that is captured in.
    known: FxHashMap<NetnsId, View>,
    /// Something has changed since the last look.
    stale: bool,
    looked: Instant,
    /// How long to wait after it.
    pause: Pause,
}

/// How long after a look the next one may begin.
#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    /// What the last look had of a processor.
    used: Duration,
    /// What passed meanwhile.
    took: Duration,
}

impl Pause {
    /// Whoever changes devices may keep a look waiting, and packets wait with it: so a share of what
    /// passed counts, too. But no more of it than until the next patrol, as it may have been ^Z or a
    /// busy machine, and what comes meanwhile is to be seen.
    fn length(self, stale: bool) -> Duration {
        let pause = if stale { PAUSE } else { PATROL };
        let waited = (self.took * LOOK_SHARE).min(PATROL);
        pause.max(self.used * LOOK_SHARE).max(waited)
    }
}

impl Homes {
    /// Looks once, and hears of changes from then on.
    ///
    /// # Errors
    /// When rtnetlink cannot be asked, or there is no thread.
    pub fn new(programs: &Programs, spaces: &Spaces, begin: Begin) -> Result<Self, Error> {
        let monitor =
            Socket::open(GROUPS).map_err(Error::system("cannot open a netlink socket"))?;
        // Refused without CAP_NET_BROADCAST: then changes there are seen when ours change.
        let _ = sys::netlink_option(monitor.fd(), libc::NETLINK_LISTEN_ALL_NSID);
        let mut tables = Tables::new(programs)?;
        if spaces.is_ours()
            && let [ours] = spaces.ids().as_slice()
        {
            let mut view = look_around(AFAR).unwrap_or_default();
            let tunnels = beyond_tuns(&mut view);
            tables.show(*ours, &View::default(), &view);
            let keeper = Keeper::start(monitor, tables, *ours, view, tunnels, begin)
                .map_err(Error::system_io("cannot start a thread"))?;
            return Ok(Self::Ours { _keeper: keeper });
        }
        let mut several = Box::new(Several {
            monitor,
            tables,
            known: FxHashMap::default(),
            stale: true,
            looked: Instant::now(),
            pause: Pause::default(),
        });
        several.look(spaces);
        Ok(Self::Several(several))
    }

    /// What is readable when [`hear`](Self::hear) is to be called.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Ours { .. } => None,
            Self::Several(several) => Some(several.monitor.fd()),
        }
    }

    /// Takes note that something has changed: what is told does not matter, or was lost.
    pub fn hear(&mut self) {
        if let Self::Several(several) = self {
            several.stale |= several.monitor.drain();
        }
    }

    /// Whether [`refresh`](Self::refresh) would do anything now.
    pub fn refresh_is_due(&self) -> bool {
        let Self::Several(several) = self else {
            return false;
        };
        several.looked.elapsed() >= several.pause.length(several.stale)
    }

    /// Tells the kernel side what has changed, unless it was told a moment ago.
    pub fn refresh(&mut self, spaces: &Spaces) {
        if self.refresh_is_due()
            && let Self::Several(several) = self
        {
            several.look(spaces);
        }
    }
}

/// Adds what is beyond tun devices, if there are any in the calling thread's namespace.
fn beyond_tuns(view: &mut View) -> Tunnels {
    if view.tuns.is_empty() {
        return Tunnels::default();
    }
    let tunnels = tunnels::look();
    view.tunnel(&tunnels);
    tunnels
}

impl Several {
    /// What cannot be listed (a namespace that is just going, or changes all the time) is left as
    /// it was.
    fn look(&mut self, spaces: &Spaces) {
        self.stale = false;
        let (begin, before) = (Instant::now(), clock::used());
        let ids = spaces.ids();
        let gone: Vec<NetnsId> = self.known.keys().copied().collect();
        for netns in gone.into_iter().filter(|netns| !ids.contains(netns)) {
            self.show(netns, View::default());
            self.known.remove(&netns);
        }
        let afar = AFAR / ids.len().max(1);
        for netns in ids {
            let found = spaces.within(netns, || {
                look_around(afar).map(|mut view| {
                    beyond_tuns(&mut view);
                    view
                })
            });
            if let Ok(Ok(found)) = found {
                self.show(netns, found);
            }
        }
        self.looked = Instant::now();
        self.pause = Pause {
            used: clock::used().saturating_sub(before),
            took: self.looked - begin,
        };
    }

    fn show(&mut self, netns: NetnsId, found: View) {
        let known = self.known.entry(netns).or_default();
        self.tables.show(netns, known, &found);
        *known = found;
    }
}

/// The maps `homes`, `beyond` and `tunnels`, and where the kernel side sees that they have changed.
#[derive(Debug)]
pub(crate) struct Tables {
    homes: MapHandle,
    beyond: MapHandle,
    tunnels: MapHandle,
    reader: Mapped,
    /// How often they have changed; what the kernel side takes as a part of its generation.
    version: u64,
}

impl Tables {
    fn new(programs: &Programs) -> Result<Self, Error> {
        let reader = programs.map("reader")?;
        let reader = Mapped::new(reader.as_fd(), 0, rustix::param::page_size(), true)
            .map_err(Error::system_io("cannot map the rings"))?;
        Ok(Self {
            homes: programs.handle("homes")?,
            beyond: programs.handle("beyond")?,
            tunnels: programs.handle("tunnels")?,
            reader,
            version: 0,
        })
    }

    /// What one namespace sees now, and saw before.
    pub fn show(&mut self, netns: NetnsId, known: &View, found: &View) {
        if known.homes == found.homes
            && known.beyond == found.beyond
            && known.tunnels == found.tunnels
        {
            return;
        }
        let netns = netns.0;
        let address = |&address: &_| HomeKey { address, netns };
        enter(&self.homes, &known.homes, &found.homes, address);
        let device = |&ifindex: &u32| DeviceKey { netns, ifindex };
        enter(&self.beyond, &known.beyond, &found.beyond, device);
        let tunnel = |tunnel: &Tunnel| tunnel.key(netns);
        enter(&self.tunnels, &known.tunnels, &found.tunnels, tunnel);
        self.version += 1;
        self.reader
            .store_u64(std::mem::offset_of!(ReaderState, homes), self.version);
    }
}

/// Tells the kernel side what has changed in a map. What finds no room is not known there.
fn enter<
    K: std::hash::Hash + Eq,
    V: PartialEq + IntoBytes + Immutable,
    T: IntoBytes + Immutable,
>(
    map: &MapHandle,
    known: &FxHashMap<K, V>,
    found: &FxHashMap<K, V>,
    key: impl Fn(&K) -> T,
) {
    for gone in known.keys().filter(|gone| !found.contains_key(*gone)) {
        let _ = map.delete(key(gone).as_bytes());
    }
    for (here, value) in found {
        if known.get(here) != Some(value) {
            let _ = map.update(key(here).as_bytes(), value.as_bytes(), MapFlags::ANY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_was_kept_waiting_puts_the_next_off_by_a_second_at_most() {
        let pause = |stale, used, took| {
            let (used, took) = (Duration::from_millis(used), Duration::from_millis(took));
            Pause { used, took }.length(stale).as_millis()
        };
        assert_eq!(pause(true, 0, 0), 20);
        assert_eq!(pause(false, 0, 0), 1000);
        // Stopped for a minute, or in the queue of who changes devices.
        assert_eq!(pause(true, 0, 60_000), 1000);
        assert_eq!(pause(true, 0, 4), 200);
        // Its own work is a fiftieth, however long that is.
        assert_eq!(pause(true, 100, 100), 5000);
        assert_eq!(pause(false, 100, 100), 5000);
    }
}
