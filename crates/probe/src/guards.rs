//! Where what sockets send is looked at, so that each packet finds its owner in its socket.
//!
//! In the beginning, and whenever a device or a namespace has come, that is before all devices, in
//! the hook of the cgroup: nothing escapes it, and it costs every sender as much again as all
//! the rest. Once nothing has come for a while, a program on each device from which packets get to
//! us takes over: on those of our namespace, and of those that lie around it. Devices that are
//! captured on need none: the filter and the capture program do it.
//!
//! All is left as it is where that is not to be had: no tcx, several namespaces captured in, more
//! devices than a few, a namespace that cannot be entered.
//!
//! It is a thread's work, for each question may wait for whoever changes devices just then.

use std::io;
use std::mem::offset_of;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use pktwho_packet::{LinkType, NetnsId};
use rustc_hash::{FxHashMap, FxHashSet};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use crate::Error;
use crate::abi::ReaderState;
use crate::config::Begin;
use crate::device::{Device, LINK_GROUP};
use crate::load::Programs;
use crate::netlink::Socket;
use crate::netns::{Netns, scan};
use crate::reach::look_around;
use crate::spaces::{NSID_GROUP, nsid_of};
use crate::sys::{self, Mapped};
use crate::tunnels;

/// So long nothing must have come, at first and at most: it doubles with each that comes.
const CALM: Duration = Duration::from_millis(200);
const CALM_MAX: Duration = Duration::from_mins(1);
/// To come and to go takes the kernel some 10 ms for each.
const POSTS_MAX: usize = 8;

/// A device, in its namespace.
type Place = (NetnsId, u32);

/// What it takes to look, and to look away.
#[derive(Debug)]
pub struct Watch {
    /// The program for the hook of the cgroup, that cgroup, and where it hangs there.
    pub program: OwnedFd,
    pub cgroup: OwnedFd,
    pub link: Option<OwnedFd>,
    /// The programs for devices with an Ethernet header and without.
    pub ethernet: OwnedFd,
    pub raw: OwnedFd,
    /// Where the programs see who is to look.
    pub reader: Mapped,
}

impl Watch {
    fn begin(&mut self) -> io::Result<()> {
        self.link = Some(sys::attach_egress(
            self.program.as_fd(),
            self.cgroup.as_fd(),
        )?);
        self.reader.store_u64(offset_of!(ReaderState, watching), 1);
        Ok(())
    }

    fn end(&mut self) {
        self.reader.store_u64(offset_of!(ReaderState, watching), 0);
        self.link = None;
    }
}

/// The thread; it ends when this is dropped, and looks as it did at last until the end.
#[derive(Debug)]
pub struct Guards {
    captured: Arc<Mutex<FxHashSet<u32>>>,
    end: OwnedFd,
    thread: Option<thread::JoinHandle<()>>,
}

impl Guards {
    /// Of the calling thread's namespace, whose packets are captured. The hook looks by now, and
    /// is left to do so where that is all that can be had.
    ///
    /// # Errors
    /// The system has no thread, or no descriptors.
    pub fn start(programs: &mut Programs, begin: Begin) -> Result<Option<Self>, Error> {
        let monitor = Socket::open(LINK_GROUP | NSID_GROUP)
            .map_err(Error::system("cannot open a netlink socket"))?;
        // Refused without CAP_NET_BROADCAST: then nothing is heard of what comes elsewhere.
        if sys::netlink_option(monitor.fd(), libc::NETLINK_LISTEN_ALL_NSID).is_err() {
            return Ok(None);
        }
        let watch = programs.hand_over_watch()?;
        let guards = watch
            .map(|watch| Self::with(watch, monitor, begin))
            .transpose();
        guards.map_err(Error::system_io("cannot start a thread"))
    }

    fn with(watch: Watch, monitor: Socket, begin: Begin) -> io::Result<Self> {
        let end = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let sign = end.try_clone()?;
        let captured = Arc::<Mutex<FxHashSet<u32>>>::default();
        let mut guarding = Guarding {
            watch,
            monitor,
            captured: Arc::clone(&captured),
            posts: FxHashMap::default(),
            calm: CALM,
            due: Some(Instant::now() + CALM),
        };
        let guard = move || {
            begin("guards");
            while guarding.wait(&sign) {}
        };
        let thread = thread::Builder::new().name("guards".into()).spawn(guard)?;
        Ok(Self {
            captured,
            end,
            thread: Some(thread),
        })
    }

    /// What leaves by this device is looked at by the programs that capture there.
    pub fn is_captured(&self, index: u32) {
        let captured = self.captured.lock();
        captured
            .unwrap_or_else(PoisonError::into_inner)
            .insert(index);
    }

    /// It is not captured on any more, or gone.
    pub fn is_released(&self, index: u32) {
        let captured = self.captured.lock();
        captured
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&index);
    }
}

impl Drop for Guards {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.end, &1_u64.to_ne_bytes());
        // What it has attached is to be gone when we are.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Guarding {
    watch: Watch,
    monitor: Socket,
    captured: Arc<Mutex<FxHashSet<u32>>>,
    posts: FxHashMap<Place, OwnedFd>,
    calm: Duration,
    /// When devices may take over; none while they have.
    due: Option<Instant>,
}

impl Guarding {
    /// Waits until there is something to do, and does it; `false`: it is over.
    fn wait(&mut self, end: &OwnedFd) -> bool {
        let timeout = self.due.map(|due| {
            let left = due.saturating_duration_since(Instant::now());
            Timespec {
                tv_sec: left.as_secs().cast_signed(),
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        let monitor = self.monitor.fd();
        let mut fds = [
            PollFd::new(&monitor, PollFlags::IN),
            PollFd::new(end, PollFlags::IN),
        ];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return false,
        }
        let [heard, ended] = fds.map(|fd| !fd.revents().is_empty());
        if ended {
            return false;
        }
        if heard {
            // What is told does not matter, or was lost.
            self.monitor.drain();
        }
        match self.due {
            None if heard => self.check(),
            Some(due) if due <= Instant::now() => {
                self.relieve();
                true
            }
            _ => true,
        }
    }

    /// Something has changed: is every device guarded? If not the hook is to look again. `false`:
    /// it is refused, which it was not before.
    fn check(&mut self) -> bool {
        if let Some(wanted) = self.wanted() {
            let places = self.leave_all_but(&wanted);
            if places.iter().all(|place| self.posts.contains_key(place)) {
                return true;
            }
        }
        self.wait_longer();
        self.watch.begin().is_ok()
    }

    /// Has devices take over, as far as they can.
    fn relieve(&mut self) {
        let Some(wanted) = self.wanted() else {
            self.wait_longer();
            return;
        };
        self.leave_all_but(&wanted);
        for post in &wanted {
            if self.posts.contains_key(&post.place()) {
                continue;
            }
            let Some(link) = post.man(&self.watch) else {
                self.wait_longer();
                return;
            };
            self.posts.insert(post.place(), link);
        }
        self.watch.end();
        self.due = None;
        // What has come in between.
        if !self.check() {
            self.wait_longer();
        }
    }

    /// Leaves the devices that are gone or not to be looked at any more; the places wanted.
    fn leave_all_but(&mut self, wanted: &[Post]) -> FxHashSet<Place> {
        let places: FxHashSet<Place> = wanted.iter().map(Post::place).collect();
        self.posts.retain(|place, _| places.contains(place));
        places
    }

    fn wait_longer(&mut self) {
        self.due = Some(Instant::now() + self.calm);
        self.calm = (self.calm * 2).min(CALM_MAX);
    }

    /// The devices at which packets are to be looked at; `None` when that cannot be had.
    fn wanted(&self) -> Option<Vec<Post>> {
        let own = Netns::own().ok()?;
        let view = look_around(POSTS_MAX).ok()?;
        let mut around = view.around;
        if !view.tuns.is_empty() {
            around.extend(tunnels::look().spaces);
        }
        let around = entrances(&own, around)?;
        let captured = self.captured.lock();
        let captured = captured.unwrap_or_else(PoisonError::into_inner).clone();
        let mut posts = Vec::new();
        for netns in std::iter::once(&own).chain(&around) {
            for device in netns.devices().ok()? {
                let needed = if netns.is_own() {
                    !captured.contains(&device.index)
                } else {
                    // What does not leave another namespace does not get to us.
                    !device.loopback
                };
                if needed {
                    posts.push(Post::new(netns, &device));
                }
            }
        }
        (posts.len() <= POSTS_MAX).then_some(posts)
    }
}

/// A device whose outgoing packets are to be looked at.
struct Post {
    netns: Netns,
    index: u32,
    link_type: Option<LinkType>,
}

impl Post {
    fn new(netns: &Netns, device: &Device) -> Self {
        Self {
            netns: netns.clone(),
            index: device.index,
            link_type: device.link_type(),
        }
    }

    fn place(&self) -> Place {
        (self.netns.id(), self.index)
    }

    fn man(&self, watch: &Watch) -> Option<OwnedFd> {
        let program = match self.link_type? {
            LinkType::ETHERNET => &watch.ethernet,
            LinkType::RAW => &watch.raw,
            _ => return None,
        };
        let attach = || sys::attach_tcx(program.as_fd(), self.index, true);
        self.netns.within(attach).ok()?.ok()
    }
}

/// How to get into these namespaces, which the calling thread's, `own`, knows by id; all of them, or
/// none. It may be one of them itself, and is left out.
fn entrances(own: &Netns, mut wanted: FxHashSet<u32>) -> Option<Vec<Netns>> {
    if wanted.is_empty() {
        return Some(Vec::new());
    }
    let mut socket = Socket::open(0).ok()?;
    let mut found = Vec::new();
    for (id, netns) in scan() {
        let file = netns.open().ok();
        let nsid = file.and_then(|file| nsid_here(&mut socket, &file));
        if nsid.is_some_and(|nsid| wanted.remove(&nsid)) && id != own.id() {
            found.push(netns);
        }
    }
    wanted.is_empty().then_some(found)
}

/// The id that a namespace has in that of the socket.
fn nsid_here(socket: &mut Socket, netns: &OwnedFd) -> Option<u32> {
    let mut request = NsidMessage::default();
    request.attributes = vec![NsidAttribute::Fd(netns.as_raw_fd().unsigned_abs())];
    let answer = socket.request(RouteNetlinkMessage::GetNsId(request)).ok()?;
    answer.iter().find_map(|message| match message {
        RouteNetlinkMessage::NewNsId(answer) => u32::try_from(nsid_of(answer)?).ok(),
        _ => None,
    })
}
