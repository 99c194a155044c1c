//! A capture that runs: the one door between the kernel side and everybody else.

mod devices;
mod poll;

use std::collections::VecDeque;
use std::mem::offset_of;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use pktwho_filter::graph::Graph;
use pktwho_packet::{
    Container, Direction, Iface, Lost, NetnsId, ProcessChange, ProcessEvent, ProcessId, Reception,
    Timestamp,
};
use rustc_hash::FxHashMap;
use rustix::event::epoll;

use crate::Error;
use crate::abi::{self, PacketRecord, ReaderState};
use crate::attach::{Attacher, Attachment};
use crate::awaited::{self, Awaited, Early};
use crate::beginning::{choose_devices, graphs};
use crate::cgroups::Cgroups;
use crate::clock::{self, Clock};
use crate::config::Config;
use crate::errands::Errands;
use crate::events::{self, Events};
use crate::filter::Filters;
use crate::guards::Guards;
use crate::homes::Homes;
use crate::layout::RingLayout;
use crate::load::Programs;
use crate::named::Named;
use crate::rings::{Ends, Lent, Rings};
use crate::spaces::Spaces;
use crate::sys::Mapped;
use crate::terms::{self, Lineage, Terms};

use poll::{DEVICES, HOMES, watch};

/// A packet as it lies in the ring.
#[derive(Clone, Copy, Debug)]
pub struct RawPacket<'a> {
    pub time: Timestamp,
    pub iface: &'a Iface,
    pub orig_len: u32,
    pub direction: Direction,
    pub reception: Reception,
    pub ends: &'a Ends,
    /// Packets with the same number have the same ends; 0: any.
    pub ends_serial: u64,
    /// The filter asks for something that the kernel side did not know: the packet may not be
    /// wanted.
    pub undecided: bool,
    pub data: &'a [u8],
}

/// What happened next.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    Packet(RawPacket<'a>),
    Process(ProcessEvent<'a>),
}

/// How much was seen and lost so far.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Packets that the filter let through: those stored and those lost.
    pub received: u64,
    pub lost: Lost,
    /// By interface id: packets lost there.
    pub lost_by_iface: Vec<u64>,
    /// By interface id: what the device itself had no room for, of those that were named.
    pub dropped_by_iface: Vec<Option<u64>>,
}

/// One running capture. Dropping it takes everything off the kernel again.
#[derive(Debug)]
pub struct Live {
    ifaces: Vec<Iface>,
    by_place: FxHashMap<Place, usize>,
    /// The device asked for last, and where its iface is.
    last_place: (Place, usize),
    attachments: FxHashMap<Place, Attachment>,
    named: Named,
    attacher: Attacher,
    filters: Filters,
    programs: Programs,
    rings: Rings,
    events: Events,
    awaited: Awaited,
    early: Early,
    reader: Mapped,
    wake_bytes: u32,
    /// Of what comes before this (ns) only packets are left, and all of devices of ours.
    plain_before: u64,
    /// Looks since the last packet.
    quiet_looks: u32,
    spaces: Spaces,
    homes: Homes,
    /// None where it is the hook of the cgroup that looks, always.
    guards: Option<Guards>,
    poll: OwnedFd,
    clock: Clock,
    config: Config,
    /// What the filter is for the devices that were there at the start, until they are
    /// attached to.
    graphs: FxHashMap<Place, Graph>,
    /// The kernel side keeps answers about processes, which we take out when they are gone.
    remembers: bool,
    /// Processes that ran before us, yet to be told of, and how far.
    existing: (Vec<u8>, usize),
    /// Those of them that had sockets open.
    holders: Vec<ProcessId>,
    /// Their cgroups.
    cgroups: Cgroups,
    /// Matching processes that are gone: when, and which to forget.
    gone: VecDeque<(u64, ProcessId)>,
    stopped: bool,
    errands: Errands,
    /// Packets of devices that have moved to a namespace in which nothing is captured.
    strays: u64,
    /// Devices that could not be attached to, for the caller to say.
    notices: Vec<String>,
}

const EVENTS_SIZE: usize = 1 << 20;
/// The reader looks by itself this often when nothing wakes it.
const PATROL: Duration = Duration::from_millis(10);
/// After so many looks that found no packet the next one wakes it at once, and it looks seldom.
const QUIET_LOOKS: u32 = 20;
const QUIET_PATROL: Duration = Duration::from_millis(100);
/// A process that is gone keeps matching this long, for its last packets (ns).
const LINGER: u64 = 120_000_000_000;

impl Live {
    /// Loads, attaches and starts to capture.
    ///
    /// Memory: each CPU has a ring of 128 MiB / CPUs, at least 256 KiB and at most 4 MiB, and
    /// room for one packet; `config.buffer` replaces the 128 MiB (and the 4).
    ///
    /// # Errors
    /// Whatever the kernel refuses; nothing stays attached then.
    pub fn open(config: Config) -> Result<Self, Error> {
        let snaplen = config.snaplen.clamp(1, abi::SNAPLEN_MAX);
        let mut spaces = Spaces::new(&config.namespaces, &config.interfaces)?;
        let wanted = choose_devices(&mut spaces, &config.interfaces)?;
        let mut config = Config { snaplen, ..config };
        let graphs = graphs(&mut config, &wanted, &spaces)?;
        let owners = graphs.values().flat_map(|graph| &graph.owners);
        let terms = Terms::new(owners, config.filter.follow, config.filter.counted)?;
        let mut layout = RingLayout::choose(config.buffer, snaplen);
        let kernel_config = |layout: RingLayout| abi::Config {
            snaplen,
            ring_size: layout.size,
            netns: spaces.only().map_or(0, |netns| netns.0),
            owners: 1,
            ..terms.config()
        };
        let mut loaded = Programs::load(kernel_config(layout), &terms, layout);
        while loaded.is_err() && Programs::is_too_large(layout) {
            let Some(smaller) = layout.smaller(snaplen) else {
                break;
            };
            layout = smaller;
            loaded = Programs::load(kernel_config(layout), &terms, layout);
        }
        let mut programs = loaded?;
        let notices = programs.lost();
        programs.attach()?;
        let existing = terms::answer_existing(&programs, &terms, &config.filter.must_run)?;
        let holders = programs.claim_existing_sockets()?;
        let mapping = Error::system_io("cannot map the rings");
        let rings = Rings::new(
            programs.map("rings")?.as_fd(),
            layout.count as usize,
            layout.size,
            layout.stride as usize,
        )
        .map_err(&mapping)?;
        let events = Events::new(programs.map("events")?.as_fd(), EVENTS_SIZE).map_err(&mapping)?;
        let reader = Mapped::new(
            programs.map("reader")?.as_fd(),
            0,
            rustix::param::page_size(),
            true,
        )
        .map_err(&mapping)?;
        reader.store_u64(offset_of!(ReaderState, watching), 1);
        let wake_bytes = match config.hold {
            Duration::ZERO if config.immediate => 1,
            Duration::ZERO => layout.size / 8,
            _ => layout.size / 2,
        };
        let attacher = Attacher::new(config.backend, config.direction);
        let remembers = terms.are_about_processes();
        let filters = Filters::new(&programs, terms, &config.filter)?;
        let homes = Homes::new(&programs, &spaces, config.begin)?;
        // What several namespaces send is looked at before all devices.
        let guards = if spaces.is_ours() {
            Guards::start(&mut programs, config.begin)?
        } else {
            None
        };
        let poll = watch([Some(events.fd()), Some(spaces.fd()), homes.fd()])?;
        let mut live = Self {
            ifaces: Vec::new(),
            by_place: FxHashMap::default(),
            last_place: Default::default(),
            attachments: FxHashMap::default(),
            named: Named::default(),
            attacher,
            filters,
            graphs,
            remembers,
            programs,
            rings,
            events,
            awaited: Awaited::default(),
            early: Early::default(),
            reader,
            wake_bytes,
            quiet_looks: 0,
            spaces,
            homes,
            guards,
            poll,
            clock: Clock::new(),
            config,
            existing: (existing, 0),
            holders,
            plain_before: 0,
            cgroups: Cgroups::default(),
            gone: VecDeque::new(),
            stopped: false,
            errands: Errands::default(),
            strays: 0,
            notices,
        };
        live.attach_all(&wanted)?;
        live.notices.extend(live.attacher.notice());
        Ok(live)
    }

    /// The devices captured on so far; an iface's id is its place here.
    pub fn ifaces(&self) -> &[Iface] {
        &self.ifaces
    }

    /// The processes that had sockets open when the capture began, to be taken once.
    pub fn take_holders(&mut self) -> Vec<ProcessId> {
        std::mem::take(&mut self.holders)
    }

    /// Words for the user about devices that could not be captured on, each once.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// The next event of those that were there when [`wait`](Self::wait) returned. It is lent
    /// until the next call.
    pub fn next_event(&mut self) -> Option<Event<'_>> {
        match self.rings.oldest() {
            Some((time, ring)) if time < self.plain_before && !self.rings.is_awaited(ring) => {
                self.next_packet(ring)
            }
            _ => self.next_of_all(),
        }
    }

    fn next_of_all(&mut self) -> Option<Event<'_>> {
        self.plain_before = 0;
        if self.existing.1 < self.existing.0.len() {
            return self.next_existing();
        }
        let mut packet = self.rings.oldest();
        while self.spaces.only().is_none()
            && let Some((_, ring)) = packet
            && self.is_stray(ring)
        {
            packet = self.rings.oldest();
        }
        if let Some((time, ring)) = packet
            && self.rings.is_awaited(ring)
            && !self.early.is_begun((time, ring))
            && self.is_kept(ring)
        {
            self.rings.hold(time.saturating_sub(1));
            packet = None;
        }
        // No event before the packets that came before it, which may not be published yet.
        let limit = self.rings.limit();
        let event = self.events.next_time().filter(|&time| time <= limit);
        match (packet, event) {
            (packet, Some(event)) if packet.is_none_or(|(packet, _)| event <= packet) => {
                let event = self.events.next_event()?;
                if self.spaces.every()
                    && matches!(event.change, ProcessChange::Exec | ProcessChange::Fork)
                {
                    self.errands.meet(event.process.pid);
                }
                if event.change == ProcessChange::Exit && self.remembers {
                    self.gone.push_back((event.time, event.process));
                }
                Some(Event::Process(event))
            }
            (Some(packet), _) => {
                if let Some(at) = self.next_early(packet) {
                    let (_, event, _) = self.events.ahead(at)?;
                    return Some(Event::Process(event));
                }
                if self.spaces.only().is_some() {
                    self.plain_before = self.events.next_time().unwrap_or(u64::MAX);
                }
                self.next_packet(packet.1)
            }
            (None, _) => None,
        }
    }

    fn next_existing(&mut self) -> Option<Event<'_>> {
        let (bytes, at) = &mut self.existing;
        let (event, size) = events::parse(bytes.get(*at..)?)?;
        if self.cgroups.meet(self.programs.root_cgroup(), event.cgroup) {
            return Some(Event::Process(self.cgroups.event(event.cgroup)));
        }
        *at += size;
        Some(Event::Process(event))
    }

    /// Whether a packet is of no device of ours, and passed over then.
    fn is_stray(&mut self, ring: usize) -> bool {
        let Some(place) = self.rings.place(ring) else {
            return false;
        };
        if self.last_place.0 == place {
            return false;
        }
        let Some(&id) = self.by_place.get(&place) else {
            self.strays += 1;
            self.rings.pass(ring);
            return true;
        };
        self.last_place = (place, id);
        false
    }

    /// Whether a packet waits for its answer.
    #[cold]
    fn is_kept(&mut self, ring: usize) -> bool {
        let may_wait = !self.stopped && !self.rings.are_filling();
        self.awaited.keeps(&self.rings, ring, may_wait, |place| {
            let iface = self.ifaces.get(*self.by_place.get(&place)?)?;
            Some(iface.link_type)
        })
    }

    /// Where the next event is that is told ahead of this packet, whose answer was waited for.
    fn next_early(&mut self, packet: (u64, usize)) -> Option<u64> {
        let told_at = self.awaited.told_at()?;
        let is_awaited = self.rings.is_awaited(packet.1);
        is_awaited.then(|| self.early.next(packet, &self.events, told_at))?
    }

    fn next_packet(&mut self, ring: usize) -> Option<Event<'_>> {
        let Lent {
            record,
            ends,
            ends_serial,
            data,
        } = self.rings.lend(ring)?;
        self.quiet_looks = 0;
        let (ends, ends_serial) = match self.awaited.ends() {
            Some(told) if record.awaited != 0 => (told, 0),
            _ => (ends, ends_serial),
        };
        let place = (NetnsId(record.netns), record.ifindex);
        if self.last_place.0 != place {
            self.last_place = (place, *self.by_place.get(&place)?);
        }
        let iface = self.ifaces.get(self.last_place.1)?;
        Some(Event::Packet(RawPacket {
            time: self.clock.wall(record.time),
            iface,
            orig_len: record.orig_len,
            direction: if record.egress == 0 {
                Direction::In
            } else {
                Direction::Out
            },
            reception: reception(record),
            ends,
            ends_serial,
            undecided: record.undecided != 0,
            data,
        }))
    }

    /// Waits until there is enough to do (see [`errands_are_due`](Self::errands_are_due) then), at most 10 ms: an eighth of a ring is filled, or one
    /// packet has come (`Config::immediate`), or devices have changed. Many packets at a time
    /// are what keeps the reader's cost per packet low. When none have come for a while: until
    /// one comes, at most 100 ms.
    ///
    /// # Errors
    /// The kernel does not let us wait.
    pub fn wait(&mut self) -> Result<(), Error> {
        let now = clock::monotonic();
        self.clock.refresh(now);
        let awaits = self.awaited.take_waits();
        let (patrol, wake_bytes) = if awaits {
            (awaited::PATROL, 1)
        } else {
            self.patience()
        };
        self.reader
            .store_u32_fenced(offset_of!(ReaderState, wake_bytes), wake_bytes);
        self.reader
            .store_u32_fenced(offset_of!(ReaderState, sleeping), 1);
        let mut ready = Vec::with_capacity(4);
        if awaits || self.rings.queued() < u64::from(wake_bytes) {
            let timeout = rustix::time::Timespec {
                tv_sec: 0,
                tv_nsec: i64::try_from(patrol.as_nanos()).unwrap_or(0),
            };
            match epoll::wait(
                &self.poll,
                rustix::buffer::spare_capacity(&mut ready),
                Some(&timeout),
            ) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(Error::system("cannot wait for packets")(errno)),
            }
        }
        self.reader
            .store_u32_fenced(offset_of!(ReaderState, sleeping), 0);
        let rang = |bell| ready.iter().any(|event| event.data.u64() == bell);
        self.errands.devices |= rang(DEVICES);
        self.errands.homes |= rang(HOMES);
        if !self.errands_are_due() {
            self.snapshot();
        }
        Ok(())
    }

    /// Whether [`run_errands`](Self::run_errands) is to be called before the next event is asked
    /// for: something has changed around the capture.
    pub fn errands_are_due(&self) -> bool {
        self.errands.any()
            || self.spaces.look_is_due()
            || self.homes.refresh_is_due()
            || self.is_gone_for_long(clock::monotonic())
    }

    /// What takes privileges while packets flow, and looks at none of them: follows devices,
    /// namespaces and addresses as they come and go, and forgets processes.
    ///
    /// # Errors
    /// When devices cannot be followed any more.
    pub fn run_errands(&mut self) -> Result<(), Error> {
        let errands = std::mem::take(&mut self.errands);
        self.forget_gone(clock::monotonic());
        for pid in errands.newcomers {
            self.spaces.meet(pid);
        }
        if errands.devices {
            self.follow_devices()?;
        }
        self.meet_spaces()?;
        if errands.homes {
            self.homes.hear();
        }
        self.homes.refresh(&self.spaces);
        self.snapshot();
        Ok(())
    }

    /// How long to wait at most, and for how much. A new namespace is to be found soon, which
    /// process events tell of: they do not wake us.
    fn patience(&mut self) -> (Duration, u32) {
        self.quiet_looks = self.quiet_looks.saturating_add(1);
        let holds = !self.config.hold.is_zero();
        if self.quiet_looks > QUIET_LOOKS && !self.spaces.every() && !holds {
            (QUIET_PATROL, 1)
        } else {
            (PATROL, self.wake_bytes)
        }
    }

    fn is_gone_for_long(&self, now: u64) -> bool {
        let first = self.gone.front();
        first.is_some_and(|&(time, _)| now.saturating_sub(time) > LINGER)
    }

    fn forget_gone(&mut self, now: u64) {
        while self.is_gone_for_long(now)
            && let Some(&(_, process)) = self.gone.front()
        {
            terms::forget(&self.programs, process);
            self.gone.pop_front();
        }
    }

    /// Which processes descend from those that the filter names, if that matters.
    ///
    /// # Errors
    /// The kernel gives no descriptor.
    pub fn lineage(&self) -> Result<Option<Lineage>, Error> {
        if !self.config.filter.follow || self.filters.terms().is_empty() {
            return Ok(None);
        }
        let answers = self.programs.answers()?;
        Ok(Some(Lineage::new(answers, self.filters.terms().clone())))
    }

    /// Whether the filter has terms about containers: [`answer_cgroup`](Self::answer_cgroup) is
    /// to be told of all then.
    pub fn wants_containers(&self) -> bool {
        self.filters.terms().are_about_containers()
    }

    /// Processes in this cgroup are in this container, or in none; `is_told`: what its runtime
    /// says of it is known. `None` alone: nothing is known of the cgroup any more.
    pub fn answer_cgroup(&self, cgroup: u64, container: Option<Option<&Container>>, is_told: bool) {
        let terms = self.filters.terms();
        let answer = container.map(|container| terms.answer_container(container, is_told));
        self.programs.set_cgroup(cgroup, answer);
    }

    /// TCP connections that processes named by the owner filter have open.
    pub fn open_connections(&self) -> u64 {
        self.reader
            .load_u64(offset_of!(ReaderState, open_connections))
    }

    /// Counts so far.
    pub fn counts(&self) -> Counts {
        let rings = self.rings.counts();
        let no_ring = self.reader.load_u64(offset_of!(ReaderState, lost_no_ring));
        let lost = Lost {
            ring_full: rings.full,
            ring_busy: rings.busy + no_ring,
            unreadable: rings.unreadable + self.strays,
            events: self.reader.load_u64(offset_of!(ReaderState, lost_events)),
            owners: self.evicted(),
        };
        let mut lost_by_iface = vec![0; self.ifaces.len()];
        for (place, count) in self.programs.losses() {
            if let Some(&id) = self.by_place.get(&place)
                && let Some(lost) = lost_by_iface.get_mut(id)
            {
                *lost += count;
            }
        }
        Counts {
            received: rings.stored + lost.packets() - self.strays,
            lost,
            lost_by_iface,
            dropped_by_iface: self.named.dropped(self.ifaces.len()),
        }
    }

    /// Entries that are no longer in the tables of owners.
    fn evicted(&self) -> u64 {
        let entered = [
            ("flows", offset_of!(ReaderState, entered_flows)),
            ("cookies", offset_of!(ReaderState, entered_cookies)),
            ("fragments", offset_of!(ReaderState, entered_fragments)),
        ];
        // Counted before looking: what comes meanwhile makes it too few, never too many.
        let evicted =
            entered.map(|(table, at)| self.programs.evicted(table, self.reader.load_u64(at)));
        evicted.iter().sum()
    }

    /// Takes the programs off all devices; what was captured until now can still be read with
    /// [`next_event`](Self::next_event), and the counts are final then.
    pub fn stop(&mut self) {
        let count = self.attachments.len();
        self.attacher.hasten(count, true);
        for (_, attachment) in self.attachments.drain() {
            self.attacher.release(attachment);
        }
        self.attacher.hasten(count, false);
        self.named.release();
        // A program that runs now on another CPU ends within microseconds; and the kernel
        // may not have let go of it before a grace period has passed.
        let deadline = clock::monotonic() + STOP_GRACE;
        while self.rings.any_busy() && clock::monotonic() < deadline {
            std::thread::yield_now();
        }
        self.stopped = true;
        self.snapshot();
    }

    /// The rings first: what led to a packet was told before it was sent.
    fn snapshot(&mut self) {
        self.rings.snapshot(self.stopped);
        let holds = !self.config.hold.is_zero() && !self.stopped;
        if holds && self.rings.queued() < u64::from(self.wake_bytes) {
            let hold = u64::try_from(self.config.hold.as_nanos()).unwrap_or(u64::MAX);
            self.rings.hold(clock::monotonic().saturating_sub(hold));
        }
        self.events.snapshot();
        self.plain_before = 0;
    }
}

/// How long to wait for programs that run while we stop (ns).
const STOP_GRACE: u64 = 50_000_000;

/// A device: its namespace and its index there.
pub(crate) type Place = (NetnsId, u32);

/// `PACKET_…` of `linux/if_packet.h`.
fn reception(record: &PacketRecord) -> Reception {
    if record.egress != 0 {
        return Reception::Unspecified;
    }
    match record.pkt_type {
        0 => Reception::Unicast,
        1 => Reception::Broadcast,
        2 => Reception::Multicast,
        3 => Reception::Promiscuous,
        _ => Reception::Unspecified,
    }
}
