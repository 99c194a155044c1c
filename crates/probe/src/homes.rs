//! Where the far ends of packets live: which addresses other network namespaces of this machine
//! have, and to which of them our devices lead, so that the process at the far end of a veth pair,
//! behind a bridge or behind a router can be asked for.
//!
//! What lies around is listed ([`crate::reach`]) at start, and anew when any of those namespaces says that an
//! address has come or gone; where other namespaces than ours are captured in, now and then too.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use pktwho_packet::NetnsId;
use rustc_hash::FxHashMap;
use zerocopy::{Immutable, IntoBytes};

use crate::Error;
use crate::abi::{DeviceKey, HomeKey};
use crate::load::Programs;
use crate::netlink::Socket;
use crate::reach::{View, look_around};
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

/// So many namespaces that are not next to a captured one are looked at in one look.
const AFAR: usize = 1024;

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
        let afar = AFAR / ids.len().max(1);
        for netns in ids {
            let found = spaces.within(netns, || look_around(afar));
            let found = found.ok().and_then(Result::ok);
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
        let netns = netns.0;
        enter(programs, "homes", &known.homes, &found.homes, |&address| {
            HomeKey { address, netns }
        });
        let device = |&ifindex: &u32| DeviceKey { netns, ifindex };
        enter(programs, "beyond", &known.beyond, &found.beyond, device);
        *known = found;
        true
    }
}

/// Tells the kernel side what has changed in a map. What finds no room is not known there.
fn enter<
    K: std::hash::Hash + Eq,
    V: PartialEq + IntoBytes + Immutable,
    T: IntoBytes + Immutable,
>(
    programs: &Programs,
    map: &'static str,
    known: &FxHashMap<K, V>,
    found: &FxHashMap<K, V>,
    key: impl Fn(&K) -> T,
) {
    for gone in known.keys().filter(|gone| !found.contains_key(*gone)) {
        programs.remove(map, key(gone).as_bytes());
    }
    for (here, value) in found {
        if known.get(here) != Some(value) {
            let _ = programs.update(map, key(here).as_bytes(), value.as_bytes());
        }
    }
}
