//! The network namespaces that are captured in, and what their devices do.
//!
//! One namespace, ours, is followed by a socket in it. Several are followed by one socket in
//! a namespace that is made for it and that nobody else is in: there each of them is given an id
//! (`nsid`, rtnetlink(7)), by which the kernel says whose device a message is about. So nothing
//! is changed in any of them, none is kept alive, and all goes with our descriptors.
//!
//! New namespaces are met with the processes that begin in them, and by looking when devices
//! come and go, or now and then: the longer a look takes, the rarer it is.

use std::collections::VecDeque;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use pktwho_packet::NetnsId;
use rustc_hash::FxHashMap;
use rustix::io::Errno;

use crate::device::{Device, LINK_GROUP};
use crate::netlink::Socket;
use crate::netns::{Netns, scan, stranger};
use crate::{Error, Interfaces, clock, sys};

/// Which network namespaces are captured in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// These; none twice.
    These(Vec<Netns>),
    /// All that can be found, and those that come later.
    Every,
}

/// `RTNLGRP_NSID` (28) as a bit.
pub(crate) const NSID_GROUP: u32 = 1 << 27;
/// At most so many are followed.
const SPACES_MAX: usize = 4096;
/// How often all processes are looked through, when nothing asks for it and when something does.
const PATROL: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);
/// Looking takes this share of a processor at most. A thread that is kept waiting in the middle of it,
/// on a busy machine or by ^Z, looks again no later for that.
const LOOK_SHARE: u32 = 50;

/// What has happened to a device, or to all of a namespace.
#[derive(Debug)]
pub enum Change {
    /// It is new, or something about it changed.
    Present(NetnsId, Device),
    /// It is gone, or has moved to another namespace.
    Gone(NetnsId, u32),
    /// The namespace is gone.
    Left(NetnsId),
    /// Something was missed: whatever exists is to be looked at anew.
    Unknown,
}

#[derive(Debug)]
struct Space {
    netns: Netns,
    nsid: i32,
    /// Which of its devices are wanted; never [`Interfaces::First`].
    interfaces: Interfaces,
    /// Not all of its devices could be looked at: no way led to it when they were.
    is_owed: bool,
}

/// See the module header.
#[derive(Debug)]
pub struct Spaces {
    known: FxHashMap<NetnsId, Space>,
    listener: Socket,
    /// For requests, where there are several.
    asker: Option<Socket>,
    by_nsid: FxHashMap<i32, NetnsId>,
    interfaces: Interfaces,
    every: bool,
    only: Option<NetnsId>,
    /// Found, yet to be met.
    strangers: VecDeque<Netns>,
    stale: bool,
    looked: Instant,
    /// Of a processor.
    look_took: Duration,
}

impl Spaces {
    /// Follows the devices of these namespaces from now on.
    ///
    /// # Errors
    /// Whatever the kernel refuses.
    pub fn new(namespaces: &Namespaces, interfaces: &Interfaces) -> Result<Self, Error> {
        let (first, every) = match namespaces {
            Namespaces::These(these) => (these.clone(), false),
            Namespaces::Every => (Netns::every()?, true),
        };
        let only = match first.as_slice() {
            [only] if !every => Some(only.id()),
            _ => None,
        };
        let alone = !every && matches!(first.as_slice(), [only] if only.is_own());
        let (listener, asker) = if alone {
            (Socket::open(LINK_GROUP), None)
        } else {
            let (listener, asker) = watch_post()?;
            (Ok(listener), Some(asker))
        };
        let mut spaces = Self {
            known: FxHashMap::default(),
            listener: listener.map_err(Error::system("cannot open a netlink socket"))?,
            asker,
            by_nsid: FxHashMap::default(),
            interfaces: interfaces.clone(),
            every,
            only,
            strangers: VecDeque::new(),
            stale: false,
            looked: Instant::now(),
            look_took: Duration::ZERO,
        };
        for netns in first {
            let id = netns.id();
            if let Err(error) = spaces.register(netns)
                && (!every || error.is_permission())
            {
                return Err(error);
            }
            debug_assert!(every || spaces.known.contains_key(&id));
        }
        Ok(spaces)
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.listener.fd()
    }

    /// Whether more may come.
    pub fn every(&self) -> bool {
        self.every
    }

    /// All that are followed now, by inode number.
    pub fn ids(&self) -> Vec<NetnsId> {
        let mut ids: Vec<NetnsId> = self.known.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// The only one that there is and will be.
    pub fn only(&self) -> Option<NetnsId> {
        self.only
    }

    /// Whether it is our own alone.
    pub fn is_ours(&self) -> bool {
        self.asker.is_none()
    }

    pub fn netns(&self, id: NetnsId) -> Option<&Netns> {
        self.known.get(&id).map(|space| &space.netns)
    }

    /// The devices of a namespace that are wanted, of those that it has now.
    ///
    /// # Errors
    /// It cannot be asked; of [`every`](Self::every) namespace it is asked again, as
    /// [`owe`](Self::owe) says.
    pub fn wanted(&mut self, id: NetnsId) -> Result<Vec<Device>, Error> {
        let Some(space) = self.known.get_mut(&id) else {
            return Ok(Vec::new());
        };
        let devices = match space.netns.devices() {
            Ok(devices) => devices,
            Err(error) => {
                space.is_owed = true;
                return Err(error);
            }
        };
        if self.interfaces == Interfaces::First {
            space.interfaces = Device::likeliest(&devices).map_or(Interfaces::Any, |device| {
                Interfaces::Named(vec![device.name.clone()])
            });
        }
        Ok(devices
            .into_iter()
            .filter(|device| self.wants(id, device))
            .collect())
    }

    /// Whether a device is one of those to capture on.
    pub fn wants(&self, id: NetnsId, device: &Device) -> bool {
        let Some(space) = self.known.get(&id) else {
            return false;
        };
        match &space.interfaces {
            Interfaces::Any => true,
            Interfaces::Named(names) => {
                let shown = space.netns.shown(&device.name);
                names
                    .iter()
                    .any(|name| *name == device.name || *name == shown)
            }
            Interfaces::First => false,
        }
    }

    /// Whether devices that come later are wanted.
    pub fn follows(&self, id: NetnsId) -> bool {
        let space = self.known.get(&id);
        self.every || space.is_some_and(|space| space.interfaces == Interfaces::Any)
    }

    /// Nothing could be done in a namespace, for no process that we know is in it any more, though it may be there
    /// still: it is met anew when somebody is found in it.
    pub fn owe(&mut self, id: NetnsId) {
        if let Some(space) = self.known.get_mut(&id) {
            space.is_owed = true;
        }
    }

    /// Does something in a namespace.
    ///
    /// # Errors
    /// It cannot be entered any more.
    pub fn within<T>(&self, id: NetnsId, work: impl FnOnce() -> T) -> Result<T, Error> {
        let gone = || Error::Netns {
            name: id.0.to_string(),
            source: std::io::ErrorKind::NotFound.into(),
        };
        let netns = self.netns(id).ok_or_else(gone)?;
        netns.within(work).map_err(|source| Error::Netns {
            name: netns.shown(""),
            source,
        })
    }

    /// A process has begun, or runs another program: it may be in a namespace not yet known.
    pub fn meet(&mut self, pid: u32) {
        if self.every && self.strangers.len() < SPACES_MAX {
            let strangers = &self.strangers;
            let known = |id| {
                self.known.get(&id).is_some_and(|space| !space.is_owed)
                    || strangers.iter().any(|netns| netns.id() == id)
            };
            self.strangers.extend(stranger(pid, known));
        }
    }

    /// Whether [`look`](Self::look) would do anything now.
    pub fn look_is_due(&self) -> bool {
        self.every && (!self.strangers.is_empty() || self.is_time_to_look())
    }

    fn is_time_to_look(&self) -> bool {
        let pause = if self.stale { PAUSE } else { PATROL };
        self.looked.elapsed() >= pause.max(self.look_took * LOOK_SHARE)
    }

    /// Looks for namespaces that have come; those whose devices are to be looked at now.
    pub fn look(&mut self) -> Vec<NetnsId> {
        if !self.every {
            return Vec::new();
        }
        if self.is_time_to_look() {
            self.look_everywhere();
        }
        let mut met = Vec::new();
        while let Some(netns) = self.strangers.pop_front() {
            let id = netns.id();
            let is_met = match self.known.get_mut(&id) {
                Some(space) if space.is_owed => {
                    space.netns.refresh(netns);
                    std::mem::take(&mut space.is_owed)
                }
                Some(_) => false,
                // One that is gone again, or that we may not enter, is none of ours.
                None => self.known.len() < SPACES_MAX && self.register(netns).is_ok(),
            };
            if is_met {
                met.push(id);
            }
        }
        met
    }

    fn look_everywhere(&mut self) {
        let begin = clock::used();
        self.stale = false;
        for (id, netns) in scan() {
            match self.known.get_mut(&id) {
                Some(space) if space.netns.is_own() => {}
                Some(space) if !space.is_owed => space.netns.refresh(netns),
                _ => self.strangers.push_back(netns),
            }
        }
        self.looked = Instant::now();
        self.look_took = clock::used().saturating_sub(begin);
    }

    /// What has changed since the last call; does not wait.
    ///
    /// # Errors
    /// Devices cannot be followed any more.
    pub fn changes(&mut self) -> Result<Vec<Change>, Error> {
        let mut news = Vec::new();
        let heard = self
            .listener
            .hear(|nsid, message| news.extend(News::of(message).map(|it| (nsid, it))));
        match heard {
            Ok(has_come) => self.stale |= has_come,
            Err(Errno::NOBUFS) => {
                self.stale = true;
                return Ok(vec![Change::Unknown]);
            }
            Err(errno) => return Err(Error::system("cannot follow the devices")(errno)),
        }
        let changes = news.into_iter();
        Ok(changes
            .filter_map(|(nsid, news)| self.change(nsid, news))
            .collect())
    }

    fn change(&mut self, nsid: Option<i32>, news: News) -> Option<Change> {
        let netns = match (&self.asker, nsid) {
            // The listener's own namespace is the one that is followed.
            (None, _) => self.only(),
            (Some(_), Some(nsid)) => self.by_nsid.get(&nsid).copied(),
            (Some(_), None) => None,
        };
        match news {
            News::Present(device) => Some(Change::Present(netns?, device)),
            News::Gone(index) => Some(Change::Gone(netns?, index)),
            News::Left(gone) if nsid.is_none() => {
                let netns = self.by_nsid.remove(&gone)?;
                self.known.remove(&netns);
                Some(Change::Left(netns))
            }
            News::Left(_) => None,
        }
    }

    /// From here on we hear of its devices.
    fn register(&mut self, netns: Netns) -> Result<(), Error> {
        let failed = |source| Error::Netns {
            name: netns.shown(""),
            source,
        };
        let nsid = match &mut self.asker {
            None => 0,
            Some(asker) => introduce(asker, &netns).map_err(failed)?,
        };
        self.by_nsid.insert(nsid, netns.id());
        let space = Space {
            nsid,
            interfaces: self.interfaces.clone(),
            netns,
            is_owed: false,
        };
        // The number of one that is gone, of which we have not heard yet.
        if let Some(old) = self.known.insert(space.netns.id(), space)
            && old.nsid != nsid
        {
            self.by_nsid.remove(&old.nsid);
        }
        Ok(())
    }
}

/// What a message says, as far as it matters here. Many come at once: nothing else of them is kept.
#[derive(Debug)]
enum News {
    Present(Device),
    Gone(u32),
    /// A namespace, by its id.
    Left(i32),
}

impl News {
    fn of(message: &RouteNetlinkMessage) -> Option<Self> {
        match message {
            RouteNetlinkMessage::NewLink(link) => Some(Self::Present(Device::from_message(link)?)),
            RouteNetlinkMessage::DelLink(link) => Some(Self::Gone(link.header.index)),
            RouteNetlinkMessage::DelNsId(gone) => Some(Self::Left(nsid_of(gone)?)),
            _ => None,
        }
    }
}

/// A namespace of our own with a socket that hears of devices elsewhere, and one for requests.
fn watch_post() -> Result<(Socket, Socket), Error> {
    let made = std::thread::spawn(|| -> std::io::Result<(Socket, Socket)> {
        sys::new_netns()?;
        let listener = Socket::open(LINK_GROUP | NSID_GROUP)?;
        sys::netlink_option(listener.fd(), libc::NETLINK_LISTEN_ALL_NSID)?;
        Ok((listener, Socket::open(0)?))
    });
    made.join()
        .unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()))
        .map_err(Error::system_io("cannot watch network namespaces"))
}

/// Gives a namespace an id in that of the socket; gives the id.
///
/// # Errors
/// It is gone, or may not be entered.
pub(crate) fn introduce(asker: &mut Socket, netns: &Netns) -> std::io::Result<i32> {
    let file = netns.open()?;
    let fd = NsidAttribute::Fd(file.as_raw_fd().unsigned_abs());
    let mut request = NsidMessage::default();
    request.attributes = vec![NsidAttribute::Id(-1), fd.clone()];
    match asker.request(RouteNetlinkMessage::NewNsId(request)) {
        Ok(_) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    let mut request = NsidMessage::default();
    request.attributes = vec![fd];
    let answer = asker.request(RouteNetlinkMessage::GetNsId(request))?;
    let id = answer.iter().find_map(|message| match message {
        RouteNetlinkMessage::NewNsId(answer) => nsid_of(answer).filter(|&id| id >= 0),
        _ => None,
    });
    id.ok_or_else(|| std::io::ErrorKind::NotFound.into())
}

pub(crate) fn nsid_of(message: &NsidMessage) -> Option<i32> {
    message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NsidAttribute::Id(id) => Some(*id),
            _ => None,
        })
}
