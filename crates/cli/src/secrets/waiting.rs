//! Secrets until it is known whether their process is in a container, and in a pod, that the flags name.
//!
//! A process may be gone before anybody has asked for its container; the kernel has said in which
//! cgroup it was. What a cgroup is comes by an event, and what a runtime says of a container later.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use pktwho_owner::Processes;
use pktwho_probe::FoundSecret;
use pktwho_tls::Secret;

use crate::plan::OwnerFilter;
use crate::{privileges, select};

/// As long is waited; then it is no container that is known.
const PATIENCE: Duration = Duration::from_secs(2);
/// As many secrets wait; of more the oldest are given up.
const WAITING_MAX: usize = 4096;

/// Secrets that have come, in order, and when.
#[derive(Default)]
pub struct Waiting {
    queue: VecDeque<(Instant, FoundSecret)>,
}

impl Waiting {
    pub fn push(&mut self, found: FoundSecret) {
        if self.queue.len() >= WAITING_MAX {
            self.queue.pop_front();
        }
        self.queue.push_back((Instant::now(), found));
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Those that are wanted, as far as that is known; others that are not are forgotten.
    pub fn take(&mut self, owners: &OwnerFilter, processes: &Processes) -> Vec<Secret> {
        let mut wanted = Vec::new();
        self.queue.retain(|(since, found)| {
            let is_within = is_within(owners, found, processes);
            if is_within == Some(true) {
                wanted.push(found.secret.clone());
            }
            is_within.is_none() && since.elapsed() < PATIENCE
        });
        wanted
    }
}

/// Whether the process is in a container, and in a pod, that the flags name; `None` while that is
/// not known.
fn is_within(owners: &OwnerFilter, found: &FoundSecret, processes: &Processes) -> Option<bool> {
    if owners.containers.is_empty() && owners.pods.is_empty() {
        return Some(true);
    }
    let is_named = |container| {
        select::has(&owners.containers, container) && select::has(&owners.pods, container)
    };
    if let Some((container, is_told)) = processes.container_in(found.cgroup) {
        let is_named = is_named(container.as_deref());
        return (is_named || is_told).then_some(is_named);
    }
    let process = found.process;
    let read = privileges::with(move || pktwho_owner::read_process(process, true));
    let Some(by_path) = read.ok().flatten()?.container else {
        return Some(false);
    };
    // What its runtime has told of it, if it has.
    let mut told = processes.containers();
    let told = told.find(|container| container.id == by_path.id);
    let is_named = is_named(Some(told.unwrap_or(&by_path)));
    let is_told = told.is_some() && !processes.is_unnamed(&by_path.id);
    (is_named || is_told).then_some(is_named)
}

#[cfg(test)]
mod tests {
    use pktwho_filter::tree::{Glob, OwnerIs};
    use pktwho_packet::{ProcessChange, ProcessEvent, ProcessId};
    use pktwho_tls::Label;

    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    /// Nobody has it, or ever had.
    const GONE: ProcessId = ProcessId {
        pid: 4_000_009,
        start: 9,
    };

    fn found(cgroup: u64) -> FoundSecret {
        FoundSecret {
            secret: Secret::new(Label::ClientRandom, [1; 32], &[1; 48]).unwrap(),
            process: GONE,
            cgroup,
            tid: GONE.pid,
            uid: 0,
            name: Vec::new(),
            exe: Vec::new(),
            ancestors: Vec::new(),
        }
    }

    #[test]
    fn a_process_that_is_gone_was_in_a_container() {
        let named = |id: &str| OwnerFilter {
            containers: vec![OwnerIs::ContainerId(id.into())],
            ..OwnerFilter::default()
        };
        let mut waiting = Waiting::default();
        let mut processes = Processes::new();
        waiting.push(found(5));
        waiting.push(found(6));
        let mut take = |owners, processes: &Processes| waiting.take(&owners, processes).len();
        assert_eq!(take(named("0123"), &processes), 0);
        let path = format!("/system.slice/docker-{ID}.scope");
        processes.apply(&ProcessEvent {
            change: ProcessChange::NewCgroup,
            time: 0,
            process: GONE,
            parent: GONE,
            uid: 0,
            name: b"",
            exe: b"",
            args: b"",
            args_cut: false,
            cgroup: 5,
            cgroup_path: path.as_bytes(),
        });
        assert_eq!(take(named("0123"), &processes), 1);
        // The other one's cgroup is still not known.
        assert_eq!(take(named("0123"), &processes), 0);
        assert!(!waiting.is_empty());
        waiting.push(found(5));
        assert_eq!(waiting.take(&named("4567"), &processes).len(), 0);
        waiting.push(found(5));
        let by_name = OwnerFilter {
            containers: vec![OwnerIs::Container(Glob::exactly(b"web"))],
            ..OwnerFilter::default()
        };
        assert_eq!(waiting.take(&by_name, &processes).len(), 0);
        assert_eq!(waiting.take(&OwnerFilter::default(), &processes).len(), 1);
        assert!(waiting.is_empty());
    }
}
