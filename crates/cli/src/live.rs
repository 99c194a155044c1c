//! Capturing: from the kernel's events to the sink, until somebody or something says stop.
//!
//! Promises: what was let through and not delivered is counted in the closing lines; a stop
//! takes the programs off the devices first and then delivers what they have stored.

mod closing;
mod repeats;
mod unwritten;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use pktwho_capfile::Counters;
use pktwho_owner::{Processes, Runtimes, Slot};
use pktwho_packet::{Iface, LinkType, OwnerFacts, Packet, Timestamp};
use pktwho_probe as probe;
use probe::{Counts, Ends, Event, Interfaces, RawPacket};

use crate::args::{Backend, Way};
use crate::child::Running;
use crate::decrypt::Decrypt;
use crate::devices::Chosen;
use crate::failure::{self, Hinted};
use crate::matching::Matching;
use crate::names::Pace;
use crate::offline::link_type;
use crate::ownership::is_root;
use crate::plan::{self, Buffering, Output};
use crate::privileges::{self, Confined};
use crate::secrets::{self, Secrets};
use crate::signals::Signals;
use crate::sink::{Sink, SourceFacts, say};
use crate::text::Text;
use crate::wanted::Wanted;
use crate::{devices, names};
use repeats::Repeats;

/// After a command has ended and closed its connections: how long no packet of it must have
/// come before the capture ends, and how long we wait for that at most.
const QUIET: Duration = Duration::from_millis(250);
const QUIET_MAX: Duration = Duration::from_secs(5);

/// How long the processes that run already may keep us; about 400 can be asked in that time.
const MEETING: Duration = Duration::from_millis(20);

/// Captures until `-c`, a signal, or the end of the command.
///
/// # Errors
/// The capture cannot be opened, or the output takes no more.
pub fn run(plan: &plan::Live) -> Result<ExitCode> {
    let signals = Signals::new()?
        .with_counts()
        .context("cannot handle signals")?;
    let chosen = devices::choose(&plan.interfaces)?;
    let mut command = match plan.command.as_slice() {
        [] => None,
        command => Some(Running::start(command)?),
    };
    let text = Rc::new(RefCell::new(Text::stdout(
        plan.output.buffering >= Buffering::Line,
    )?));
    let at_once = plan.immediate
        || plan.output.limit.is_some()
        || plan.output.buffering == Buffering::Packet
        || (plan.output.print.is_some() && text.borrow().is_immediate());
    let pid = command.as_ref().map(Running::pid);
    let secrets = Secrets::open(plan, pid)?;
    if let Some(secrets) = &secrets {
        secrets.settle();
    }
    let wanted = Wanted::default();
    let filter = wanted.filter(plan, pid, chosen.is_one())?;
    let opened = probe::Source::open(config(plan, &chosen, filter, at_once));
    let live = match opened {
        Err(error) if plan.backend == Backend::Auto && error.is_about_programs() => {
            let filter = wanted.filter(plan, pid, chosen.is_one())?;
            without_programs(plan, config(plan, &chosen, filter, at_once), &error)
        }
        opened => opened,
    };
    let live = live.map_err(|error| refused(error, &chosen.interfaces, &wanted))?;
    let any = chosen.may_grow();
    let near = plan.foreign_numeric.then(|| live.ifaces());
    let mut sink = Sink::new(
        &plan.output,
        &facts(&live, plan, any),
        names::for_style(plan.output.print.as_ref(), near, Pace::Live),
        text,
    )?;
    let mut processes = Processes::new();
    if live.wants_containers() {
        processes.be_patient();
    }
    processes.ask_runtimes(Runtimes::start(
        &plan.containers.runtimes,
        privileges::beginning(plan.output.confined.as_ref()),
    ));
    if let Some(decryption) = &plan.output.decrypt {
        sink.set_decrypt(Decrypt::live(decryption)?);
    }
    let mut capture = Capture {
        matching: Matching::new(plan),
        lineage: live.lineage().map_err(worded)?,
        live,
        sink,
        wanted,
        secrets,
        embeds: plan.output.key_log.embed,
        processes,
        slots: Slots::default(),
        repeats: Repeats::default(),
        signals,
        started: now(),
        by_iface: Vec::new(),
        last_packet: Instant::now(),
        refused: 0,
        abandoned: 0,
    };
    capture.meet_processes(privileges::beginning(plan.output.confined.as_ref()))?;
    capture.store_given(&plan.output)?;
    capture.matching.wait(&mut capture.processes)?;
    capture.give_up(&plan.output)?;
    announce(plan, &chosen, capture.live.ifaces());
    if let Some(command) = &command {
        command.release()?;
    }
    let ran = capture.run(command.as_mut());
    if ran.is_err() {
        capture.abandon();
    }
    let closed = capture.close();
    let code = command.map_or(ExitCode::SUCCESS, |command| command.end(&capture.signals));
    ran.and(closed).map(|()| code)
}

struct Capture {
    live: probe::Source,
    /// With children to be followed.
    lineage: Option<probe::Lineage>,
    sink: Sink,
    wanted: Wanted,
    secrets: Option<Secrets>,
    /// Whether they go into the file.
    embeds: bool,
    processes: Processes,
    slots: Slots,
    repeats: Repeats,
    matching: Matching,
    signals: Signals,
    started: Timestamp,
    /// Packets delivered, by device.
    by_iface: Vec<u64>,
    last_packet: Instant,
    /// Packets that the kernel could not decide on and the filter refuses.
    refused: u64,
    /// Packets that came when nothing could be put out any more.
    abandoned: u64,
}

impl Capture {
    /// Takes in the processes that run already, before we say that we listen: a process that
    /// is gone a moment later keeps its name. Packets are stored meanwhile.
    fn meet_processes(&mut self, begin: probe::Begin) -> Result<()> {
        while let Some(event) = self.live.next_event() {
            if let Event::Process(event) = event {
                self.processes.apply(&event);
            }
        }
        let first = self.live.take_holders();
        self.processes.sweep(&first, MEETING, begin);
        self.tell_cgroups()
    }

    /// Gives up what reading packets does not take, before the first one is looked at.
    fn give_up(&mut self, output: &Output) -> Result<()> {
        let Some(confined) = &output.confined else {
            return Ok(());
        };
        self.processes.read_through(|id, with_container| {
            let read = move || pktwho_owner::read_process(id, with_container);
            privileges::with(read).ok().flatten()
        });
        let confined = Confined {
            looks_into_maps: self.lineage.is_some(),
            ..confined.clone()
        };
        privileges::give_up(&confined).context("cannot give up privileges")
    }

    /// Has something done to the source that takes privileges.
    fn errand<R: Send + 'static>(
        &mut self,
        errand: impl FnOnce(&mut probe::Source) -> R + Send + 'static,
    ) -> Result<R> {
        Ok(privileges::lend(&mut self.live, errand)?)
    }

    /// Tells the kernel's filter of containers what is known of them by now.
    fn tell_cgroups(&mut self) -> Result<()> {
        let changed = self.processes.changed_cgroups();
        if changed.is_empty() || !self.live.wants_containers() {
            return Ok(());
        }
        self.errand(move |live| {
            for (cgroup, container, is_told) in changed {
                let container = container.as_ref().map(Option::as_deref);
                live.answer_cgroup(cgroup, container, is_told);
            }
        })
    }

    fn run(&mut self, mut command: Option<&mut Running>) -> Result<()> {
        let mut ended: Option<Instant> = None;
        let mut counts_asked = false;
        while !self.signals.stop() {
            if self.deliver(false)?.is_break() {
                return Ok(());
            }
            self.sink.flush()?;
            self.processes.absorb();
            self.tell_cgroups()?;
            self.matching.look(&self.processes)?;
            if counts_asked {
                let counts = self.errand(probe::Source::counts)?;
                say(format_args!("pktwho: {}", self.counts_line(", ", &counts)));
                for line in missing(&counts, self.processes.forgotten()) {
                    say(format_args!("pktwho: {line}"));
                }
            }
            for notice in self.live.take_notices() {
                say(format_args!("pktwho: {notice}"));
            }
            if let Some(command) = command.as_mut()
                && command.poll().is_some()
            {
                let ended = *ended.get_or_insert_with(Instant::now);
                if self.command_is_through(ended) {
                    break;
                }
            }
            // What came before the question is to be among the answer.
            counts_asked = self.signals.take_counts();
            self.live.wait().map_err(worded)?;
            if self.live.errands_are_due() {
                self.errand(probe::Source::run_errands)?.map_err(worded)?;
            }
        }
        self.errand(probe::Source::stop)?;
        self.deliver(true).map(drop)
    }

    /// Whether nothing more is to be expected of a command that has ended.
    fn command_is_through(&self, ended: Instant) -> bool {
        let quiet_since = ended.max(self.last_packet);
        let nothing_sent = self.sink.packets() == 0;
        self.live.open_connections() == 0 && (nothing_sent || quiet_since.elapsed() >= QUIET)
            || ended.elapsed() >= QUIET_MAX
    }

    /// Stores the secrets that are given.
    fn store_given(&mut self, output: &Output) -> Result<()> {
        match secrets::given(&output.key_log)? {
            Some(given) => self.sink.block(&given.block()),
            None => Ok(()),
        }
    }

    /// Takes in the secrets that have come. Packets that they decrypt follow them in the file:
    /// what has not been held back long enough is not delivered yet.
    fn take_secrets(&mut self) -> Result<()> {
        let Some(secrets) = &mut self.secrets else {
            return Ok(());
        };
        let fresh = secrets.collect(&self.processes)?;
        if let Some(decrypt) = self.sink.decrypt() {
            for secret in &fresh {
                decrypt.secret(secret);
            }
        }
        match secrets::block(&fresh).filter(|_| self.embeds) {
            Some(block) => self.sink.block(&block.block()),
            None => Ok(()),
        }
    }

    /// Delivers what is there; `Break` when no more is wanted.
    fn deliver(&mut self, all: bool) -> Result<ControlFlow<()>> {
        let mut delivered = false;
        let mut changed = true;
        // More may be known of processes than when packets were delivered last.
        self.repeats.forget();
        loop {
            // Of a process that is news its secrets may wait, and the packets behind it for those.
            if std::mem::take(&mut changed) {
                self.take_secrets()?;
            }
            // Looked at where it is: a packet is some hundred bytes to move.
            let event = self.live.next_event();
            match &event {
                None => break,
                Some(Event::Process(event)) => {
                    self.processes.apply(event);
                    self.repeats.forget();
                    let secrets = self.secrets.as_ref();
                    changed = secrets.is_some_and(Secrets::wait_for_containers);
                }
                Some(Event::Packet(raw)) => {
                    if let Some(like) = self.repeats.like(raw)
                        && self.sink.repeat(like, raw)?
                    {
                        delivered = true;
                        count(&mut self.by_iface, raw.iface.id);
                        continue;
                    }
                    self.slots.find(raw.ends, &mut self.processes);
                    let packet = owned(raw, &self.processes, &self.slots);
                    if let Some(decrypt) = self.sink.decrypt() {
                        decrypt.packet(&packet);
                    }
                    if raw.undecided {
                        let lineage = self.lineage.as_ref();
                        let unnamed = unnamed(&packet, &self.processes);
                        let taken = self.wanted.takes(&packet, lineage, unnamed);
                        if taken != Some(true) {
                            self.refused += 1;
                            self.matching.doubt(taken);
                            continue;
                        }
                    }
                    delivered = true;
                    let iface = packet.iface.id;
                    let taken = self.sink.packet(&packet)?;
                    self.repeats.learn(raw, self.sink.like(raw.iface));
                    if self.sink.wants_counters() {
                        self.end_files()?;
                    }
                    count(&mut self.by_iface, iface);
                    if taken.is_break() {
                        self.errand(probe::Source::stop)?;
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            if !all && self.signals.stop() {
                break;
            }
        }
        if all {
            self.take_secrets()?;
        }
        if delivered {
            self.last_packet = Instant::now();
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Ends files of a series with what was seen and lost before the packet that came last.
    #[cold]
    fn end_files(&mut self) -> Result<()> {
        let counts = self.errand(probe::Source::counts)?;
        let counters = counters(self.live.ifaces(), &counts, &self.by_iface, self.started);
        self.sink.end_files(&counters)
    }

    /// Ends the file and says how much was seen and lost.
    fn close(&mut self) -> Result<()> {
        let counts = self.errand(|live| {
            live.stop();
            live.counts()
        })?;
        let counters = counters(self.live.ifaces(), &counts, &self.by_iface, self.started);
        let finished = self.sink.finish(&counters);
        say(format_args!("{}", self.counts_line("\n", &counts)));
        if !finished.as_ref().is_err_and(failure::is_broken_pipe) {
            self.report_unwritten();
        }
        for line in missing(&counts, self.processes.forgotten()) {
            say(format_args!("{line}"));
        }
        self.matching.report();
        if let Some(secrets) = &self.secrets {
            secrets.report();
        }
        finished
    }

    /// tcpdump's counts, in one line or several.
    fn counts_line(&self, between: &str, counts: &Counts) -> String {
        let captured = self.sink.packets() + self.abandoned;
        closing::line(captured, self.refused, counts, between)
    }
}

/// What is known of each device by now.
fn counters<'a>(
    ifaces: &'a [Iface],
    counts: &Counts,
    by_iface: &[u64],
    started: Timestamp,
) -> Vec<(&'a Iface, Counters)> {
    let end = now();
    let losses = counts.lost_by_iface.iter();
    let each = ifaces.iter().zip(losses.zip(&counts.dropped_by_iface));
    each.map(|(iface, (&lost, &dropped))| {
        let delivered = by_iface.get(iface.id as usize).copied().unwrap_or(0);
        let counters = Counters {
            start: Some(started),
            end: Some(end),
            received: Some(delivered + lost),
            dropped,
            os_dropped: Some(lost),
            owners_forgotten: Some(counts.lost.owners),
        };
        (iface, counters)
    })
    .collect()
}

/// Why owners may be missing, if anything is known of it. `ended`: processes that had ended and are
/// forgotten.
fn missing(counts: &Counts, ended: u64) -> impl Iterator<Item = String> {
    let (events, owners) = (counts.lost.events, counts.lost.owners);
    let events = (events > 0).then(|| {
        let plural = plural(events);
        format!("{events} process event{plural} lost: names may be missing")
    });
    let owners = (owners > 0).then(|| {
        let plural = plural(owners);
        format!("{owners} owner{plural} forgotten for want of room: processes may be missing")
    });
    let ended = (ended > 0).then(|| {
        let plural = if ended == 1 { "" } else { "es" };
        format!("{ended} ended process{plural} forgotten for want of room: names of late packets may be missing")
    });
    events.into_iter().chain(owners).chain(ended)
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Where the owners of the last packet were found: those of the next are mostly the same.
#[derive(Clone, Copy, Debug, Default)]
struct Slots {
    sender: Slot,
    receiver: Slot,
}

impl Slots {
    /// Finds a packet's owners.
    #[inline]
    fn find(&mut self, ends: &Ends, processes: &mut Processes) {
        if let Some(facts) = &ends.sender {
            self.sender = processes.find(facts, self.sender);
        }
        if let Some(facts) = &ends.receiver {
            self.receiver = processes.find(facts, self.receiver);
        }
    }
}

/// The packet with its owners in words, which have been found.
#[inline]
fn owned<'a>(raw: &RawPacket<'a>, processes: &'a Processes, slots: &Slots) -> Packet<'a> {
    let owner = |facts: &'a Option<OwnerFacts>, slot| processes.owner(facts.as_ref()?, slot);
    Packet {
        time: raw.time,
        iface: raw.iface,
        data: raw.data,
        orig_len: raw.orig_len,
        direction: raw.direction,
        reception: raw.reception,
        sender: owner(&raw.ends.sender, slots.sender),
        receiver: owner(&raw.ends.receiver, slots.receiver),
    }
}

/// Of which ends, sender and receiver, the container has no name yet.
fn unnamed(packet: &Packet<'_>, processes: &Processes) -> [bool; 2] {
    [packet.sender, packet.receiver].map(|owner| {
        let container = owner.and_then(|owner| owner.process.container.as_ref());
        container.is_some_and(|container| processes.is_unnamed(&container.id))
    })
}

#[inline]
fn count(by_iface: &mut Vec<u64>, iface: u32) {
    let id = iface as usize;
    if by_iface.len() <= id {
        by_iface.resize(id + 1, 0);
    }
    if let Some(packets) = by_iface.get_mut(id) {
        *packets += 1;
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or_else(
        |_| Timestamp::default(),
        |time| Timestamp {
            secs: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
            nanos: time.subsec_nanos().into(),
        },
    )
}

fn config(
    plan: &plan::Live,
    chosen: &Chosen,
    filter: probe::Filter,
    immediate: bool,
) -> probe::Config {
    probe::Config {
        namespaces: chosen.namespaces.clone(),
        interfaces: chosen.interfaces.clone(),
        snaplen: plan.snaplen,
        direction: match plan.direction {
            Way::In => probe::DirectionChoice::In,
            Way::Out => probe::DirectionChoice::Out,
            Way::InOut => probe::DirectionChoice::Both,
        },
        buffer: plan.buffer_bytes,
        immediate,
        hold: if plan.output.key_log.embed || plan.output.decrypt.is_some() {
            secrets::HOLD
        } else {
            Duration::ZERO
        },
        promiscuous: plan.promiscuous,
        filter,
        backend: match plan.backend {
            Backend::Auto | Backend::Programs => probe::Backend::Auto,
            Backend::PacketSocket => probe::Backend::PacketSocket,
            Backend::Tcx => probe::Backend::Tcx,
            Backend::Clsact => probe::Backend::Clsact,
        },
        begin: privileges::beginning(plan.output.confined.as_ref()),
    }
}

/// The kernel takes no programs: what a packet socket sees is better than nothing, and said.
fn without_programs(
    plan: &plan::Live,
    config: probe::Config,
    reason: &probe::Error,
) -> Result<probe::Source, probe::Error> {
    let source = probe::Source::open(probe::Config {
        backend: probe::Backend::PacketSocket,
        ..config
    })?;
    let reason = without_number(&reason.to_string());
    let children = if plan.owners.follow_forks || !plan.command.is_empty() {
        ", children are not followed"
    } else {
        ""
    };
    say(format_args!(
        "pktwho: {reason}: capturing without eBPF: owners are guesses from /proc{children}"
    ));
    Ok(source)
}

fn facts<'a>(live: &'a probe::Source, plan: &plan::Live, any: bool) -> SourceFacts<'a> {
    let system = rustix::system::uname();
    let ifaces = live.ifaces();
    SourceFacts {
        ifaces,
        snaplen: plan.snaplen,
        // compat: pcapng has nanoseconds anyway; pcap has them when they are asked for.
        precision: plan.output.precision,
        show_iface: any || ifaces.len() > 1,
        any,
        hardware: system.machine().to_string_lossy().into_owned(),
        os: format!(
            "{} {}",
            system.sysname().to_string_lossy(),
            system.release().to_string_lossy()
        ),
        section: None,
        now: Some(now().secs),
    }
}

/// tcpdump's words before the first packet.
fn announce(plan: &plan::Live, chosen: &Chosen, ifaces: &[Iface]) {
    let Output { print, verbose, .. } = &plan.output;
    let name = chosen.in_words(ifaces);
    let first = ifaces
        .first()
        .map_or(LinkType::ETHERNET, |iface| iface.link_type);
    let listening = format!(
        "listening on {name}, link-type {}, snapshot length {} bytes",
        link_type(first),
        plan.snaplen
    );
    if print.is_some() && !verbose {
        say(format_args!(
            "pktwho: verbose output suppressed, use -v[v]... for full protocol decode\n{listening}"
        ));
    } else {
        say(format_args!("pktwho: {listening}"));
    }
}

/// Why a capture could not begin, in tcpdump's words where it has some.
fn refused(error: probe::Error, interfaces: &Interfaces, wanted: &Wanted) -> anyhow::Error {
    if let probe::Error::Filter { .. } = error
        && let Some(refusal) = wanted.take_refusal()
    {
        return refusal;
    }
    let name = match interfaces {
        Interfaces::Any | Interfaces::First => devices::ANY,
        Interfaces::Named(names) => names.first().map_or("", String::as_str),
    };
    if error.is_permission() {
        let message = format!(
            "{name}: You don't have permission to perform this capture on that device\n({})",
            without_number(&error.to_string())
        );
        let hint = if is_root() {
            // A container's root, as a rule.
            "root has not all rights here: CAP_NET_RAW is the least; `pktwho doctor` names what is missing"
        } else {
            "run it as root, for instance with sudo"
        };
        return Hinted::new(message, hint).into();
    }
    worded(error)
}

/// Without Rust's number behind the system's words.
fn without_number(text: &str) -> String {
    let end = text.find(" (os error ").unwrap_or(text.len());
    text.get(..end).unwrap_or(text).to_owned()
}

/// What the probe refused, with advice where there is some.
pub fn worded(error: probe::Error) -> anyhow::Error {
    let hint = match &error {
        // compat: tcpdump puts the cause in parentheses behind the words.
        probe::Error::NoDevice { .. } => {
            return anyhow::Error::msg(format!("{error}\n(No such device exists)"));
        }
        probe::Error::NoProcess { .. } => "a process that is to come can be named with --pname",
        probe::Error::NoNetns { .. } => devices::NETNS_HINT,
        probe::Error::Permission { .. } | probe::Error::Netns { .. } => {
            return anyhow::Error::msg(without_number(&error.to_string()));
        }
        _ => return error.into(),
    };
    Hinted::new(error.to_string(), hint).into()
}
