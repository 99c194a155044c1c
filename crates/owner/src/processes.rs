//! The table of processes, kept by the event stream.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pktwho_packet::{
    Container, Owner, OwnerFacts, Process, ProcessChange, ProcessEvent, ProcessId,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::containers::{Containers, Home};
use crate::procfs::{self, Facts};
use crate::runtimes::Runtimes;
use crate::sweep::Sweep;

/// Processes that are gone and still remembered, for packets that come late.
const GONE_MAX: usize = 16_384;
/// What those take at most beside their entries, in bytes: arguments may be many and long.
const GONE_BYTES_MAX: usize = 16 << 20;
/// What an argument takes beside its own bytes, about: where it is, and what the allocator keeps.
const ARGUMENT_BYTES: usize = 64;

/// How many of the processes that ran before are asked about at once, however long it takes: some
/// 2 ms where a machine has time.
const AT_ONCE_MIN: usize = 32;

/// A cgroup's id; the container of its processes, as far as it is known; whether the runtimes
/// have said what they know of it.
pub type ChangedCgroup = (u64, Option<Option<Arc<Container>>>, bool);

/// Reads what `/proc` says of a process, of its container too if that is wanted:
/// [`read_process`](crate::read_process), or somebody who calls it.
pub type ReadProc = fn(ProcessId, bool) -> Option<Facts>;

/// Every process that may own a packet. Bounded: by the processes that run, and `GONE_MAX`
/// that do not, or fewer that take `GONE_BYTES_MAX`.
#[derive(Debug, Default)]
pub struct Processes {
    /// Where in `entries` a process is.
    slots: FxHashMap<ProcessId, usize>,
    pub(crate) entries: Vec<Entry>,
    free: Vec<usize>,
    /// The oldest first, with the bytes that each takes.
    gone: VecDeque<(ProcessId, usize)>,
    /// What those take in all.
    gone_bytes: usize,
    /// Those that are not remembered any more.
    forgotten: u64,
    pub(crate) serial: u64,
    pub(crate) containers: Containers,
    /// There are cgroups of version 1, and a container may be in those alone.
    pub(crate) has_old_hierarchies: bool,
    /// `/proc` is to be asked for containers too.
    pub(crate) ask_proc: bool,
    /// Who asks it, where we may not ourselves.
    reads: Option<ReadProc>,
    /// Ran before the stream began; not yet given to the sweep.
    existing: Vec<ProcessId>,
    sweep: Option<Sweep>,
}

#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) process: Process,
    /// Id of its cgroup in the default hierarchy.
    pub(crate) cgroup: u64,
    /// Image and arguments are known, or `/proc` has been asked in vain.
    settled: bool,
    /// A packet has named it, so that it, its container and its parent have been settled.
    pub(crate) named: bool,
    /// Where its parent was then; another may be there by now.
    parent_slot: Option<usize>,
}

/// Where a process is in the table; only good until the next change to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot(usize);

impl Processes {
    pub fn new() -> Self {
        let has_old_hierarchies = procfs::has_old_hierarchies();
        Self {
            has_old_hierarchies,
            ask_proc: has_old_hierarchies,
            ..Self::default()
        }
    }

    /// From now on container runtimes are asked, beside the capture, for what they know of the
    /// containers in which processes are.
    pub fn ask_runtimes(&mut self, runtimes: Runtimes) {
        self.containers.ask(runtimes);
    }

    /// From now on `/proc` is read by this one.
    pub fn read_through(&mut self, reads: ReadProc) {
        self.reads = Some(reads);
    }

    fn read(&self, id: ProcessId, with_container: bool) -> Option<Facts> {
        self.reads.unwrap_or(procfs::read)(id, with_container)
    }

    /// Packets are chosen by their containers: they are to wait longer for those.
    pub fn be_patient(&mut self) {
        self.containers.be_patient();
    }

    /// The containers in which there have been processes.
    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        self.containers.met()
    }

    /// Processes that had ended and are not remembered any more, for want of room: late packets of
    /// theirs have no names.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Whether nothing is known of the container of this id, and a runtime may still tell of it.
    pub fn is_unnamed(&self, id: &[u8]) -> bool {
        self.containers.is_unnamed(id)
    }

    /// Whether all runtimes that can be asked have told what runs.
    pub fn runtimes_have_told(&self) -> bool {
        self.containers.all_is_told()
    }

    /// The container of a cgroup's processes, none if it is of none, and whether the runtimes have
    /// said what they know of it. `None`: the cgroup is not known.
    pub fn container_in(&self, cgroup: u64) -> Option<(Option<Arc<Container>>, bool)> {
        match self.containers.home(cgroup) {
            Home::Unknown => None,
            Home::None if self.containers.is_doubtful(cgroup) => None,
            // A container may be in an older hierarchy alone.
            Home::None if self.has_old_hierarchies => None,
            Home::None => Some((None, true)),
            Home::In(container) => {
                let id = &container.id;
                let is_told = self.containers.is_told(id) && !self.containers.is_unnamed(id);
                Some((Some(container), is_told))
            }
        }
    }

    /// Of which cgroups something else is known than when this was asked last: the container
    /// that its processes are in, if it is of one, and whether the runtimes have said what they
    /// know of that. `None`: nothing is known any more.
    pub fn changed_cgroups(&mut self) -> Vec<ChangedCgroup> {
        let changed = self.containers.take_changed().into_iter();
        changed
            .map(|cgroup| match self.container_in(cgroup) {
                None => (cgroup, None, true),
                Some((container, is_told)) => (cgroup, Some(container), is_told),
            })
            .collect()
    }

    /// Takes over what an event says. Events must come in time order with packets.
    pub fn apply(&mut self, event: &ProcessEvent<'_>) {
        match event.change {
            ProcessChange::Existing => {
                self.existing.push(event.process);
                let container = self.container_at(event, None);
                self.insert(event, Facts::default(), container, false);
            }
            ProcessChange::Fork => self.fork(event),
            ProcessChange::Exec => self.exec(event),
            ProcessChange::Rename => {
                let serial = self.next_serial();
                if let Some(entry) = self.get_mut(event.process)
                    && entry.process.name != event.name
                {
                    entry.process.name = event.name.to_vec();
                    entry.process.serial = serial;
                }
            }
            ProcessChange::Exit => self.retire(event.process),
            ProcessChange::Moved => self.moved(event),
            ProcessChange::NewCgroup => {
                self.containers.learn(event.cgroup, event.cgroup_path);
            }
        }
    }

    /// A child has its parent's image.
    fn fork(&mut self, event: &ProcessEvent<'_>) {
        self.settle(event.parent);
        let parent = self.get(event.parent);
        let settled = parent.is_some_and(|parent| parent.settled);
        let image = parent
            .map(|parent| image_of(&parent.process))
            .unwrap_or_default();
        let before = parent.map(|parent| (parent.cgroup, parent.process.container.clone()));
        let container = self.container_at(event, before);
        self.insert(event, image, container, settled);
    }

    /// A new image, and still the child of the one that forked it.
    fn exec(&mut self, event: &ProcessEvent<'_>) {
        let image = Facts {
            exe: event.exe.to_vec(),
            args: procfs::split_args(event.args),
            args_cut: event.args_cut,
            container: None,
        };
        let known = self.get(event.process);
        let parent = known.map(|known| known.process.parent);
        let before = known.map(|known| (known.cgroup, known.process.container.clone()));
        let container = self.container_at(event, before);
        let slot = self.insert(event, image, container, true);
        if let (Some(parent), Some(entry)) = (parent, self.entries.get_mut(slot)) {
            entry.process.parent = parent;
        }
    }

    /// Asks `/proc` about the processes that ran before the capture: as many as the time
    /// allows at once, and at least [`AT_ONCE_MIN`], and the others from a thread of its own, which
    /// calls `begin` first. `holders`, which have sockets, come before those that have none; of both the
    /// youngest come first, since they are the first to go.
    pub fn sweep(&mut self, holders: &[ProcessId], time: Duration, begin: fn(&str)) {
        let end = Instant::now() + time;
        let holders: FxHashSet<ProcessId> = holders.iter().copied().collect();
        let rank = |id: &ProcessId| (holders.contains(id), id.start);
        self.existing.sort_by_cached_key(rank);
        let mut asked = 0;
        while (asked < AT_ONCE_MIN || Instant::now() < end)
            && let Some(id) = self.existing.pop()
        {
            self.settle(id);
            asked += 1;
        }
        if !self.existing.is_empty() {
            self.existing.reverse();
            self.sweep = Sweep::start(std::mem::take(&mut self.existing), self.ask_proc, begin);
        }
    }

    /// To be called when there is time: takes in what the sweep has found, and what container
    /// runtimes have said.
    pub fn absorb(&mut self) {
        if self.containers.absorb() {
            self.tell_news();
        }
        while let Some(sweep) = &self.sweep {
            match sweep.next() {
                Ok(Some((id, facts))) => self.take_in(id, Some(facts)),
                Ok(None) => break,
                Err(()) => self.sweep = None,
            }
        }
    }

    /// Finds the process of an owner and sees to it that its image and arguments are known,
    /// and its parent's. `guess` is where it was found the last time, to look there first.
    #[inline]
    pub fn find(&mut self, facts: &OwnerFacts, guess: Slot) -> Slot {
        if let Some(entry) = self.entries.get(guess.0)
            && entry.process.id == facts.process
            && entry.named
        {
            return guess;
        }
        self.search(facts)
    }

    fn search(&mut self, facts: &OwnerFacts) -> Slot {
        let Some(&slot) = self.slots.get(&facts.process) else {
            return Slot(self.meet_stranger(facts));
        };
        if self.entries.get(slot).is_some_and(|entry| !entry.named) {
            self.settle(facts.process);
            self.name(slot);
        }
        Slot(slot)
    }

    /// The owner in words. A process never heard of (its event was lost, or it is hidden from
    /// us) is told by its pid alone.
    #[inline]
    pub fn owner(&self, facts: &OwnerFacts, slot: Slot) -> Option<Owner<'_>> {
        let entry = self.entries.get(slot.0)?;
        let parent = entry
            .parent_slot
            .and_then(|slot| self.entries.get(slot))
            .filter(|parent| Some(parent.process.id) == entry.process.parent);
        Some(Owner {
            process: &entry.process,
            parent: parent.map(|parent| &parent.process),
            tid: facts.tid,
            thread: facts.thread,
            uid: Some(facts.uid),
            confidence: facts.confidence,
        })
    }

    fn get(&self, id: ProcessId) -> Option<&Entry> {
        self.entries.get(*self.slots.get(&id)?)
    }

    pub(crate) fn get_mut(&mut self, id: ProcessId) -> Option<&mut Entry> {
        self.entries.get_mut(*self.slots.get(&id)?)
    }

    /// Remembers where the parent is, and settles it.
    fn name(&mut self, slot: usize) {
        self.wait_for_container(slot);
        let parent = self.entries.get(slot).and_then(|e| e.process.parent);
        if let Some(parent) = parent {
            self.settle(parent);
        }
        let parent_slot = parent.and_then(|parent| self.slots.get(&parent).copied());
        if let Some(entry) = self.entries.get_mut(slot) {
            entry.named = true;
            entry.parent_slot = parent_slot;
        }
    }

    fn meet_stranger(&mut self, facts: &OwnerFacts) -> usize {
        let name = if facts.tid == facts.process.pid {
            facts.thread.as_bytes()
        } else {
            &[]
        };
        let process = Process {
            id: facts.process,
            serial: self.next_serial(),
            name: name.to_vec(),
            uid: Some(facts.uid),
            ..Process::default()
        };
        let slot = self.place(process, 0, false);
        let found = self.read(facts.process, true);
        self.take_in(facts.process, found);
        self.name(slot);
        // No exit event will come, or it has come already.
        self.retire(facts.process);
        slot
    }

    fn insert(
        &mut self,
        event: &ProcessEvent<'_>,
        image: Facts,
        container: Option<Arc<Container>>,
        settled: bool,
    ) -> usize {
        let process = Process {
            id: event.process,
            serial: self.next_serial(),
            name: event.name.to_vec(),
            exe: image.exe,
            args: image.args,
            args_cut: image.args_cut,
            parent: (event.parent.pid != 0).then_some(event.parent),
            uid: Some(event.uid),
            container,
        };
        self.place(process, event.cgroup, settled)
    }

    /// Enters a process, in its old place if it has one.
    fn place(&mut self, process: Process, cgroup: u64, settled: bool) -> usize {
        let entry = Entry {
            cgroup,
            settled,
            named: false,
            parent_slot: None,
            process,
        };
        let id = entry.process.id;
        let known = self.slots.get(&id).copied();
        let slot = known
            .or_else(|| self.free.pop())
            .unwrap_or(self.entries.len());
        self.slots.insert(id, slot);
        match self.entries.get_mut(slot) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
        slot
    }

    /// Asks `/proc` about a process whose image is not known, once.
    fn settle(&mut self, id: ProcessId) {
        if self.get(id).is_some_and(|entry| !entry.settled) {
            let facts = self.read(id, self.ask_proc);
            self.take_in(id, facts);
        }
    }

    /// What `/proc` says, unless an event has said it before; `None`: it says nothing.
    fn take_in(&mut self, id: ProcessId, facts: Option<Facts>) {
        let serial = self.next_serial();
        let Some(entry) = self.get_mut(id).filter(|entry| !entry.settled) else {
            return;
        };
        entry.settled = true;
        if let Some(facts) = facts {
            let in_none = entry.process.container.is_none();
            let process = &mut entry.process;
            (process.exe, process.args, process.args_cut) = (facts.exe, facts.args, facts.args_cut);
            process.serial = serial;
            if let Some(container) = facts.container.filter(|_| in_none) {
                let container = self.containers.meet(container);
                let container = self.containers.get(&container);
                if let Some(entry) = self.get_mut(id) {
                    entry.process.container = container;
                }
            }
        }
    }

    fn retire(&mut self, id: ProcessId) {
        let Some(entry) = self.get(id) else {
            return;
        };
        let bytes = bytes_of(&entry.process);
        self.gone.push_back((id, bytes));
        self.gone_bytes += bytes;
        while self.gone.len() > GONE_MAX || self.gone_bytes > GONE_BYTES_MAX {
            let Some((oldest, bytes)) = self.gone.pop_front() else {
                return;
            };
            self.gone_bytes -= bytes;
            self.forget(oldest);
        }
    }

    fn forget(&mut self, id: ProcessId) {
        let Some(slot) = self.slots.remove(&id) else {
            return;
        };
        self.forgotten += 1;
        self.free.push(slot);
        if let Some(entry) = self.entries.get_mut(slot) {
            *entry = Entry::default();
        }
    }

    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

/// What a process takes beside its entry, about.
fn bytes_of(process: &Process) -> usize {
    let arguments = process.args.iter().map(|arg| arg.len() + ARGUMENT_BYTES);
    arguments.sum::<usize>() + process.exe.len() + process.name.len()
}

fn image_of(process: &Process) -> Facts {
    Facts {
        exe: process.exe.clone(),
        args: process.args.clone(),
        args_cut: process.args_cut,
        container: None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use pktwho_packet::{Confidence, ThreadName};

    const SHELL: ProcessId = ProcessId {
        pid: 4_000_001,
        start: 1,
    };
    const CHILD: ProcessId = ProcessId {
        pid: 4_000_002,
        start: 2,
    };

    fn event(
        change: ProcessChange,
        process: ProcessId,
        name: &'static str,
    ) -> ProcessEvent<'static> {
        ProcessEvent {
            change,
            time: 0,
            process,
            parent: SHELL,
            uid: 7,
            name: name.as_bytes(),
            exe: b"",
            args: b"",
            args_cut: false,
            cgroup: 1,
            cgroup_path: b"",
        }
    }

    #[test]
    fn holders_of_sockets_are_asked_about_first_and_some_in_any_case() {
        thread_local! {
            static ASKED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
        }
        let id = |pid: u32| ProcessId {
            pid: 4_000_000 + pid,
            start: pid.into(),
        };
        let many = u32::try_from(AT_ONCE_MIN).unwrap() + 2;
        let mut processes = Processes::default();
        processes.read_through(|id, _| {
            ASKED.with_borrow_mut(|asked| asked.push(id.pid - 4_000_000));
            None
        });
        for pid in 1..=many {
            processes.apply(&event(ProcessChange::Existing, id(pid), "any"));
        }
        processes.sweep(&[id(1), id(2)], Duration::ZERO, |_| {});
        let asked = ASKED.take();
        assert_eq!(asked[..4], [2, 1, many, many - 1]);
        assert_eq!(asked.len(), AT_ONCE_MIN);
    }

    fn exec(
        process: ProcessId,
        name: &'static str,
        exe: &'static str,
        args: &'static str,
    ) -> ProcessEvent<'static> {
        ProcessEvent {
            exe: exe.as_bytes(),
            args: args.as_bytes(),
            ..event(ProcessChange::Exec, process, name)
        }
    }

    fn facts(process: ProcessId) -> OwnerFacts {
        OwnerFacts {
            process,
            tid: process.pid,
            uid: 7,
            thread: ThreadName::new(b"thread"),
            confidence: Confidence::Exact,
        }
    }

    /// What the table says of a process: name, exe, arguments, parent's name.
    fn check(
        processes: &mut Processes,
        id: ProcessId,
        expected: (&str, &str, &[&str], Option<&str>),
    ) {
        let slot = processes.find(&facts(id), Slot::default());
        let owner = processes.owner(&facts(id), slot).expect("known");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let args: Vec<String> = owner.process.args.iter().map(|arg| text(arg)).collect();
        assert_eq!(
            (
                text(&owner.process.name).as_str(),
                text(&owner.process.exe).as_str()
            ),
            (expected.0, expected.1)
        );
        assert_eq!(args, expected.2);
        assert_eq!(owner.parent.map(|p| text(&p.name)).as_deref(), expected.3);
    }

    #[test]
    fn a_fork_inherits_and_an_exec_replaces() {
        let mut processes = Processes::new();
        processes.apply(&exec(SHELL, "sh", "/bin/sh", "sh\0-c\0"));
        processes.apply(&event(ProcessChange::Fork, CHILD, "sh"));
        check(
            &mut processes,
            CHILD,
            ("sh", "/bin/sh", &["sh", "-c"], Some("sh")),
        );
        processes.apply(&exec(CHILD, "curl", "/usr/bin/curl", "curl\0http://x/\0"));
        check(
            &mut processes,
            CHILD,
            ("curl", "/usr/bin/curl", &["curl", "http://x/"], Some("sh")),
        );
        processes.apply(&event(ProcessChange::Rename, CHILD, "renamed"));
        check(
            &mut processes,
            CHILD,
            (
                "renamed",
                "/usr/bin/curl",
                &["curl", "http://x/"],
                Some("sh"),
            ),
        );
        // Late packets of a process that is gone still have its name.
        processes.apply(&event(ProcessChange::Exit, CHILD, "renamed"));
        check(
            &mut processes,
            CHILD,
            (
                "renamed",
                "/usr/bin/curl",
                &["curl", "http://x/"],
                Some("sh"),
            ),
        );
    }

    #[test]
    fn of_those_that_ended_as_many_are_remembered_as_there_is_room_for() {
        let mut processes = Processes::new();
        let id = |start: usize| ProcessId {
            pid: 4_000_002,
            start: start as u64,
        };
        let name = |processes: &mut Processes, id| {
            let facts = facts(id);
            let slot = processes.find(&facts, Slot::default());
            let owner = processes.owner(&facts, slot).unwrap();
            owner.process.name.clone()
        };
        for start in 1..=GONE_MAX + 3 {
            processes.apply(&event(ProcessChange::Fork, id(start), "brief"));
            processes.apply(&event(ProcessChange::Exit, id(start), "brief"));
            assert_eq!(processes.forgotten(), start.saturating_sub(GONE_MAX) as u64);
        }
        assert!(processes.entries.len() <= GONE_MAX + 1);
        assert_eq!(name(&mut processes, id(4)), b"brief");
        // What is told of a stranger.
        assert_eq!(name(&mut processes, id(3)), b"thread");
    }

    #[test]
    fn every_change_has_its_serial() {
        let mut processes = Processes::new();
        let mut serials = std::collections::HashSet::new();
        for change in [
            exec(SHELL, "sh", "/bin/sh", "sh\0"),
            event(ProcessChange::Fork, CHILD, "sh"),
            exec(CHILD, "a", "/a", "a\0"),
            event(ProcessChange::Rename, CHILD, "b"),
        ] {
            processes.apply(&change);
            let id = change.process;
            assert!(serials.insert(processes.get(id).unwrap().process.serial));
        }
    }

    #[test]
    fn a_stranger_is_told_by_its_pid_and_thread() {
        let mut processes = Processes::new();
        check(&mut processes, CHILD, ("thread", "", &[], None));
    }

    #[test]
    fn the_dead_are_bounded() {
        let mut processes = Processes::new();
        for pid in 0..40_000 {
            let id = ProcessId {
                pid: 4_100_000 + pid,
                start: 9,
            };
            processes.apply(&exec(id, "x", "/x", "x\0"));
            processes.apply(&event(ProcessChange::Exit, id, "x"));
        }
        assert!(processes.slots.len() <= GONE_MAX && processes.entries.len() <= GONE_MAX + 1);
    }
    #[test]
    fn what_the_dead_were_called_with_is_bounded() {
        let mut processes = Processes::new();
        let many = "a\0".repeat(2048).leak();
        for pid in 0..1000 {
            let id = ProcessId {
                pid: 4_100_000 + pid,
                start: 9,
            };
            processes.apply(&exec(id, "x", "/x", many));
            processes.apply(&event(ProcessChange::Exit, id, "x"));
        }
        let sizes = processes.gone.iter().map(|(_, bytes)| bytes);
        assert_eq!(processes.gone_bytes, sizes.sum::<usize>());
        assert!(processes.gone_bytes <= GONE_BYTES_MAX);
        assert_eq!(processes.slots.len(), processes.gone.len());
        assert_eq!(processes.slots.len() as u64 + processes.forgotten(), 1000);
        let held: usize = processes
            .entries
            .iter()
            .map(|entry| bytes_of(&entry.process))
            .sum();
        assert!(held <= GONE_BYTES_MAX + bytes_of(&processes.entries[0].process));
    }
}
