//! Capturing without eBPF: a packet socket for each device, owners by looking into `/proc`.
//!
//! For kernels and containers that take no programs of ours. What is less than with eBPF: every
//! owner is a guess (`packet_socket/holders.rs`), the far end in another network namespace is
//! not known, children of a process are not followed.
//!
//! Promises: packets come in the order of their times across devices, as far as the kernel hands
//! its blocks over in time; what there was no room for is counted by device; a packet of the
//! loopback device is shown once.

mod holders;
mod steps;
mod tap;
pub(crate) mod tuple;
mod ways;

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pktwho_filter::cbpf;
use pktwho_packet::{Direction, Iface, LinkType, Lost, NetnsId, Reception, Timestamp};
use rustix::event::epoll;

use crate::Error;
use crate::beginning::{choose_devices, link_type};
use crate::config::{Config, Interfaces};
use crate::device::Device;
use crate::live::{Counts, Event, RawPacket};
use crate::named::Named;
use crate::rings::Ends;
use crate::spaces::{Change, Spaces};
use holders::Holders;
use steps::Steps;
use tap::{BLOCK_TIME, Tag, Taken, Tap};
use tuple::{Tuple, tuple};

/// Bytes of all rings together, unless something else is asked for; and of one at most.
const BUFFER_DEFAULT: u64 = 64 << 20;
const RING_DEFAULT_MAX: u64 = 4 << 20;
/// How long to wait for packets at most.
const PATROL: Duration = Duration::from_millis(100);
/// Older packets of another device may come this late.
const LATE: Duration = Duration::from_millis(3 * BLOCK_TIME as u64);
/// `PACKET_OUTGOING` and the like of `linux/if_packet.h`.
const OUTGOING: u8 = 4;
/// How long the last packets are waited for at most.
const STOP_GRACE: Duration = Duration::from_millis(500);
const TAG_LEN: usize = 4;
const ADDRESSES: usize = 12;

/// One running capture.
#[derive(Debug)]
pub struct PacketSockets {
    ifaces: Vec<Iface>,
    devices: Vec<Captured>,
    spaces: Spaces,
    netns: NetnsId,
    named: Named,
    holders: Holders,
    poll: OwnedFd,
    config: Config,
    /// Bytes of one ring.
    ring: u64,
    delivered: u64,
    /// Packets up to this time may be delivered now.
    limit: Timestamp,
    steps: Steps,
    stopped: bool,
    /// Devices have changed.
    devices_changed: bool,
    notices: Vec<String>,
    /// Of the packet lent out last.
    ends: Ends,
    /// That packet with its tag.
    tagged: Vec<u8>,
}

/// A device, at the place of its iface.
#[derive(Debug)]
struct Captured {
    tap: Option<Tap>,
    index: u32,
    loopback: bool,
    /// The filter asks for owners: only user space can decide.
    undecided: bool,
    /// What its ring had no room for while it was there.
    dropped: u64,
    /// Since then; what is left in the ring is still delivered.
    gone: Option<Instant>,
}

impl PacketSockets {
    /// Opens a socket for each device.
    ///
    /// # Errors
    /// More than our own network namespace is asked for; whatever the kernel refuses.
    pub fn open(config: Config) -> Result<Self, Error> {
        let mut spaces = Spaces::new(&config.namespaces, &config.interfaces)?;
        let netns = spaces.only().filter(|_| spaces.is_ours());
        let netns = netns.ok_or_else(|| Error::Load {
            reason: "a packet socket sees one network namespace, our own".to_owned(),
        })?;
        let wanted = choose_devices(&mut spaces, &config.interfaces)?;
        let share = BUFFER_DEFAULT / u64::try_from(wanted.len().max(1)).unwrap_or(u64::MAX);
        let ring = config.buffer.unwrap_or(share.min(RING_DEFAULT_MAX));
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)
            .map_err(Error::system("cannot wait for packets"))?;
        let mut opened = Self {
            ifaces: Vec::new(),
            devices: Vec::new(),
            spaces,
            netns,
            named: Named::default(),
            holders: Holders::new(),
            poll,
            config,
            ring,
            delivered: 0,
            limit: Timestamp::default(),
            steps: Steps::new(SystemTime::now(), Instant::now()),
            stopped: false,
            devices_changed: false,
            notices: Vec::new(),
            ends: Ends::default(),
            tagged: Vec::new(),
        };
        opened.watch(None)?;
        for (_, device) in &wanted {
            opened.add(device)?;
        }
        if opened.devices.is_empty()
            && let Some(notice) = opened.notices.pop()
        {
            return Err(Error::Filter { reason: notice });
        }
        Ok(opened)
    }

    pub fn ifaces(&self) -> &[Iface] {
        &self.ifaces
    }

    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Waits for the devices' own changes, or the packets of the last one.
    fn watch(&self, tap: Option<&Tap>) -> Result<(), Error> {
        let fd = tap.map_or_else(|| self.spaces.fd(), Tap::fd);
        let data = epoll::EventData::new_u64(u64::from(tap.is_none()));
        epoll::add(&self.poll, fd, data, epoll::EventFlags::IN)
            .map_err(Error::system("cannot wait for packets"))
    }

    /// Captures on a device; of `any`, one that cannot be captured on is only told of.
    fn add(&mut self, device: &Device) -> Result<(), Error> {
        match self.open_tap(device) {
            Ok(()) => Ok(()),
            Err(error) if self.config.interfaces == Interfaces::Any && error.is_gone() => Ok(()),
            Err(error) if self.config.interfaces == Interfaces::Any && !error.is_permission() => {
                self.notices.push(format!("{}: {error}", device.name));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn open_tap(&mut self, device: &Device) -> Result<(), Error> {
        if self.captures(device.index) {
            return Ok(());
        }
        let link_type = link_type(device)?;
        let Some(space) = self.spaces.netns(self.netns) else {
            return Ok(());
        };
        let number = u32::try_from(self.ifaces.len()).unwrap_or(u32::MAX);
        let iface = device.iface(number, link_type, self.config.snaplen, space);
        let graph = self.config.filter.graph(&iface)?;
        let program = cbpf::encode(&graph, self.config.snaplen).map_err(|error| Error::Filter {
            reason: error.to_string(),
        })?;
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::PermissionDenied => Error::Permission {
                what: "socket".to_owned(),
                source,
            },
            _ => Error::Attach {
                name: device.name.clone(),
                source,
            },
        };
        let program = ways::only(self.config.direction, device.loopback, &program);
        let tap = Tap::open(device.index, &program, self.ring).map_err(failed)?;
        self.watch(Some(&tap))?;
        let named = self.config.interfaces != Interfaces::Any;
        if self.config.promiscuous && named && !device.loopback {
            self.named.add(self.ifaces.len(), device);
        }
        self.ifaces.push(iface);
        self.devices.push(Captured {
            tap: Some(tap),
            index: device.index,
            loopback: device.loopback,
            undecided: !graph.owners.is_empty(),
            dropped: 0,
            gone: None,
        });
        Ok(())
    }

    fn captures(&self, index: u32) -> bool {
        let is_it = |device: &Captured| device.index == index && device.gone.is_none();
        self.devices.iter().any(is_it)
    }

    /// Waits until a block of packets is there or devices have changed, at most 100 ms.
    ///
    /// # Errors
    /// The kernel does not let us wait.
    pub fn wait(&mut self) -> Result<(), Error> {
        let mut ready = Vec::with_capacity(4);
        let timeout = rustix::time::Timespec {
            tv_sec: 0,
            tv_nsec: i64::try_from(self.patience().as_nanos()).unwrap_or(0),
        };
        let room = rustix::buffer::spare_capacity(&mut ready);
        match epoll::wait(&self.poll, room, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::system("cannot wait for packets")(errno)),
        }
        let now = self.steps.latest(SystemTime::now(), Instant::now());
        self.devices_changed |= ready.iter().any(|event| event.data.u64() != 0);
        self.limit = self.limit_at(now);
        self.devices.iter_mut().for_each(Captured::close);
        Ok(())
    }

    /// See [`Live::errands_are_due`](crate::Live::errands_are_due).
    pub fn errands_are_due(&mut self) -> bool {
        self.devices_changed || self.holders.refresh_is_due() && self.has_packets()
    }

    /// Follows the devices, and looks who holds which socket.
    ///
    /// # Errors
    /// When devices cannot be followed any more.
    pub fn run_errands(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.devices_changed) {
            self.follow_devices()?;
        }
        if self.has_packets() {
            self.holders.refresh();
        }
        Ok(())
    }

    /// Packets that wait for their time are looked at again when it has come.
    fn patience(&mut self) -> Duration {
        if self.has_packets() { LATE } else { PATROL }
    }

    fn has_packets(&mut self) -> bool {
        self.devices.iter_mut().any(|device| {
            let tap = device.tap.as_mut();
            tap.is_some_and(|tap| tap.next_time().is_some())
        })
    }

    /// One device has no others to wait for.
    fn limit_at(&self, now: SystemTime) -> Timestamp {
        let alone = self.devices.len() == 1 && self.config.interfaces != Interfaces::Any;
        let until = if alone || self.stopped {
            now + PATROL
        } else {
            now - LATE
        };
        let since = until.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp {
            secs: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            nanos: since.subsec_nanos().into(),
        }
    }

    fn follow_devices(&mut self) -> Result<(), Error> {
        for change in self.spaces.changes()? {
            match change {
                Change::Present(netns, device)
                    if self.spaces.follows(netns) && self.spaces.wants(netns, &device) =>
                {
                    self.add(&device)?;
                }
                Change::Gone(_, index) => {
                    let mut devices = self.devices.iter_mut();
                    let is_it = |it: &&mut Captured| it.index == index && it.gone.is_none();
                    if let Some(device) = devices.find(is_it) {
                        device.gone = Some(Instant::now());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The device whose next packet is the oldest of those that may be delivered.
    fn next_device(&mut self) -> Option<usize> {
        let limit = self.limit;
        let mut oldest: Option<(Timestamp, usize)> = None;
        for (at, device) in self.devices.iter_mut().enumerate() {
            let time = device.tap.as_mut().and_then(Tap::next_time);
            if let Some(time) = time.filter(|time| *time <= limit)
                && oldest.is_none_or(|(other, _)| time < other)
            {
                oldest = Some((time, at));
            }
        }
        oldest.map(|(_, at)| at)
    }

    /// The next packet of those that were there when [`wait`](Self::wait) returned, lent until
    /// the next call.
    pub fn next_event(&mut self) -> Option<Event<'_>> {
        let at = self.next_device()?;
        self.lend(at)
    }

    fn lend(&mut self, at: usize) -> Option<Event<'_>> {
        let iface = self.ifaces.get(at)?;
        let device = self.devices.get_mut(at)?;
        let packet = device.tap.as_mut()?.take()?;
        self.delivered += 1;
        let out = packet.pkt_type == OUTGOING;
        let to_many = matches!(packet.pkt_type, 1 | 2);
        let ends = tuple(iface.link_type, packet.data)
            .map(|tuple| ends(&self.holders, &tuple, out, device.loopback, to_many));
        self.ends = ends.unwrap_or_default();
        let (data, orig_len) = match packet.tag {
            Some(tag) if iface.link_type == LinkType::ETHERNET => {
                put_tag(&mut self.tagged, &packet, tag, self.config.snaplen);
                let length = packet.orig_len.saturating_add(4);
                (self.tagged.as_slice(), length)
            }
            _ => (packet.data, packet.orig_len),
        };
        Some(Event::Packet(RawPacket {
            time: packet.time,
            iface,
            orig_len,
            direction: if out { Direction::Out } else { Direction::In },
            reception: reception(packet.pkt_type),
            ends: &self.ends,
            ends_serial: 0,
            undecided: device.undecided,
            data,
        }))
    }

    /// Whether packets are still in the kernel's hands.
    fn is_behind(&mut self) -> bool {
        let mut taps = self.devices.iter_mut().filter_map(|it| it.tap.as_mut());
        taps.any(Tap::is_behind)
    }

    /// Counts so far.
    pub fn counts(&mut self) -> Counts {
        let lost_by_iface: Vec<u64> = self.devices.iter_mut().map(Captured::count).collect();
        let lost = Lost {
            ring_full: lost_by_iface.iter().sum(),
            ..Lost::default()
        };
        Counts {
            received: self.delivered + lost.packets(),
            lost,
            lost_by_iface,
            dropped_by_iface: self.named.dropped(self.ifaces.len()),
        }
    }

    /// Nothing more is captured; what was can still be read.
    pub fn stop(&mut self) {
        self.stopped = true;
        self.named.release();
        for device in &mut self.devices {
            if let Some(tap) = &device.tap {
                tap.stop();
            }
        }
        self.holders.look();
        // The kernel hands over the blocks that it has begun when their time is up.
        let deadline = Instant::now() + STOP_GRACE;
        while self.is_behind() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        let now = self.steps.latest(SystemTime::now(), Instant::now());
        self.limit = self.limit_at(now);
    }
}

impl Captured {
    fn count(&mut self) -> u64 {
        if let Some(tap) = &mut self.tap {
            self.dropped = tap.dropped();
        }
        self.dropped
    }

    /// Lets go of a device that is gone, once its last packets have been delivered.
    fn close(&mut self) {
        if self.gone.is_some_and(|gone| gone.elapsed() > 2 * LATE)
            && let Some(tap) = &mut self.tap
            && tap.next_time().is_none()
        {
            self.count();
            self.tap = None;
        }
    }
}

/// Who stands at the ends, as far as they can be here at all.
fn ends(holders: &Holders, tuple: &Tuple, out: bool, loopback: bool, to_many: bool) -> Ends {
    Ends {
        sender: (out || loopback).then(|| holders.sender(tuple)).flatten(),
        receiver: (!out).then(|| holders.receiver(tuple, to_many)).flatten(),
    }
}

/// The packet with the tag where the wire had it, cut to `snaplen`.
fn put_tag(to: &mut Vec<u8>, packet: &Taken<'_>, tag: Tag, snaplen: u32) {
    to.clear();
    let (addresses, rest) = packet
        .data
        .split_at_checked(ADDRESSES)
        .unwrap_or((packet.data, &[]));
    to.reserve(packet.data.len() + TAG_LEN);
    to.extend_from_slice(addresses);
    if addresses.len() == ADDRESSES {
        to.extend_from_slice(&tag.protocol.to_be_bytes());
        to.extend_from_slice(&tag.control.to_be_bytes());
        to.extend_from_slice(rest);
    }
    to.truncate(snaplen as usize);
}

/// `PACKET_…` of `linux/if_packet.h`.
fn reception(pkt_type: u8) -> Reception {
    match pkt_type {
        0 => Reception::Unicast,
        1 => Reception::Broadcast,
        2 => Reception::Multicast,
        3 => Reception::Promiscuous,
        _ => Reception::Unspecified,
    }
}
