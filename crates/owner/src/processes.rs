//! The table of processes, kept by the event stream.

use std::collections::VecDeque;

use pktwho_packet::{Owner, OwnerFacts, Process, ProcessChange, ProcessEvent, ProcessId};
use rustc_hash::FxHashMap;

use crate::procfs::{self, Facts};
use crate::sweep::Sweep;

/// Processes that are gone and still remembered, for packets that come late.
const GONE_MAX: usize = 16_384;

/// Every process that may own a packet. Bounded: by the processes that run, and `GONE_MAX`
/// that do not.
#[derive(Debug, Default)]
pub struct Processes {
    entries: FxHashMap<ProcessId, Entry>,
    gone: VecDeque<ProcessId>,
    serial: u64,
    /// Ran before the stream began; not yet given to the sweep.
    existing: Vec<ProcessId>,
    sweep: Option<Sweep>,
}

#[derive(Debug)]
struct Entry {
    process: Process,
    /// Image and arguments are known, or `/proc` has been asked in vain.
    settled: bool,
    /// A packet has named it, so that it and its parent have been settled.
    named: bool,
}

impl Entry {
    fn new(process: Process, settled: bool) -> Self {
        Self {
            process,
            settled,
            named: false,
        }
    }
}

impl Processes {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over what an event says. Events must come in time order with packets.
    pub fn apply(&mut self, event: &ProcessEvent<'_>) {
        match event.change {
            ProcessChange::Existing => {
                self.existing.push(event.process);
                self.insert(event, Facts::default(), false);
            }
            ProcessChange::Fork => {
                self.settle(event.parent);
                let parent = self.entries.get(&event.parent);
                let settled = parent.is_some_and(|parent| parent.settled);
                let image = parent
                    .map(|parent| image_of(&parent.process))
                    .unwrap_or_default();
                self.insert(event, image, settled);
            }
            ProcessChange::Exec => {
                let image = Facts {
                    exe: event.exe.to_vec(),
                    args: procfs::split_args(event.args),
                    args_cut: event.args_cut,
                };
                match self.entries.get(&event.process) {
                    // It stays the child of the one that forked it.
                    Some(known) => {
                        let parent = known.process.parent;
                        self.insert(event, image, true);
                        if let Some(entry) = self.entries.get_mut(&event.process) {
                            entry.process.parent = parent;
                        }
                    }
                    None => self.insert(event, image, true),
                }
            }
            ProcessChange::Rename => {
                let serial = self.next_serial();
                if let Some(entry) = self.entries.get_mut(&event.process)
                    && entry.process.name != event.name
                {
                    entry.process.name = event.name.to_vec();
                    entry.process.serial = serial;
                }
            }
            ProcessChange::Exit => self.retire(event.process),
        }
    }

    /// To be called when there is time: starts or continues to take in what `/proc` knows.
    pub fn absorb(&mut self) {
        if !self.existing.is_empty() {
            self.sweep = Sweep::start(std::mem::take(&mut self.existing));
        }
        while let Some(sweep) = &self.sweep {
            match sweep.next() {
                Ok(Some((id, facts))) => self.take_in(id, facts),
                Ok(None) => break,
                Err(()) => self.sweep = None,
            }
        }
    }

    /// The owner in words. A process never heard of (its event was lost, or it is hidden from
    /// us) is told by its pid alone.
    pub fn resolve<'a>(&'a self, facts: OwnerFacts<'a>) -> Option<Owner<'a>> {
        let process = &self.entries.get(&facts.process)?.process;
        let parent = process.parent.and_then(|id| self.entries.get(&id));
        Some(Owner {
            process,
            parent: parent.map(|parent| &parent.process),
            tid: facts.tid,
            thread: facts.thread,
            uid: Some(facts.uid),
            confidence: facts.confidence,
        })
    }

    /// Makes sure that [`resolve`](Self::resolve) finds this owner, with image and arguments,
    /// and its parent's.
    pub fn prepare(&mut self, facts: &OwnerFacts<'_>) {
        let Some(entry) = self.entries.get_mut(&facts.process) else {
            return self.meet_stranger(facts);
        };
        if entry.named {
            return;
        }
        entry.named = true;
        let parent = entry.process.parent;
        self.settle(facts.process);
        if let Some(parent) = parent {
            self.settle(parent);
        }
    }

    fn meet_stranger(&mut self, facts: &OwnerFacts<'_>) {
        let serial = self.next_serial();
        let name = if facts.tid == facts.process.pid {
            facts.thread
        } else {
            &[]
        };
        let process = Process {
            id: facts.process,
            serial,
            name: name.to_vec(),
            uid: Some(facts.uid),
            ..Process::default()
        };
        self.entries
            .insert(facts.process, Entry::new(process, false));
        self.settle(facts.process);
        // No exit event will come, or it has come already.
        self.retire(facts.process);
    }

    fn insert(&mut self, event: &ProcessEvent<'_>, image: Facts, settled: bool) {
        let process = Process {
            id: event.process,
            serial: self.next_serial(),
            name: event.name.to_vec(),
            exe: image.exe,
            args: image.args,
            args_cut: image.args_cut,
            parent: (event.parent.pid != 0).then_some(event.parent),
            uid: Some(event.uid),
        };
        self.entries
            .insert(event.process, Entry::new(process, settled));
    }

    /// Asks `/proc` about a process whose image is not known, once.
    fn settle(&mut self, id: ProcessId) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        if !entry.settled {
            entry.settled = true;
            if let Some(facts) = procfs::read(id) {
                self.fill(id, facts);
            }
        }
    }

    fn take_in(&mut self, id: ProcessId, facts: Facts) {
        if let Some(entry) = self.entries.get_mut(&id)
            && !entry.settled
        {
            entry.settled = true;
            self.fill(id, facts);
        }
    }

    fn fill(&mut self, id: ProcessId, facts: Facts) {
        let serial = self.next_serial();
        if let Some(entry) = self.entries.get_mut(&id) {
            let process = &mut entry.process;
            (process.exe, process.args, process.args_cut) = (facts.exe, facts.args, facts.args_cut);
            process.serial = serial;
        }
    }

    fn retire(&mut self, id: ProcessId) {
        if !self.entries.contains_key(&id) {
            return;
        }
        self.gone.push_back(id);
        if self.gone.len() > GONE_MAX
            && let Some(oldest) = self.gone.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

fn image_of(process: &Process) -> Facts {
    Facts {
        exe: process.exe.clone(),
        args: process.args.clone(),
        args_cut: process.args_cut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pktwho_packet::Confidence;

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
        }
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

    fn facts(process: ProcessId) -> OwnerFacts<'static> {
        OwnerFacts {
            process,
            tid: process.pid,
            uid: 7,
            thread: b"thread",
            confidence: Confidence::Exact,
        }
    }

    /// What the table says of a process: name, exe, arguments, parent's name.
    fn check(
        processes: &mut Processes,
        id: ProcessId,
        expected: (&str, &str, &[&str], Option<&str>),
    ) {
        processes.prepare(&facts(id));
        let facts = facts(id);
        let owner = processes.resolve(facts).expect("known");
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
            assert!(serials.insert(processes.resolve(facts(id)).unwrap().process.serial));
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
        assert!(processes.entries.len() <= GONE_MAX);
    }
}
