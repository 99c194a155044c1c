//! Which packets of a file are wanted, by direction and by owner.

use pktwho_packet::{Direction, Owner, Packet, Process, ProcessId};
use rustc_hash::FxHashSet;

use crate::args::Way;
use crate::plan::OwnerFilter;

/// Chooses packets. Remembers processes when children are to be followed.
#[derive(Debug)]
pub struct Select {
    direction: Way,
    owners: OwnerFilter,
    /// Processes that matched, or whose parent did.
    matched: FxHashSet<ProcessId>,
}

impl Select {
    pub fn new(direction: Way, owners: OwnerFilter) -> Self {
        Self {
            direction,
            owners,
            matched: FxHashSet::default(),
        }
    }

    /// Whether this packet is wanted.
    pub fn takes(&mut self, packet: &Packet<'_>) -> bool {
        let wrong_way = matches!(
            (self.direction, packet.direction),
            (Way::In, Direction::Out) | (Way::Out, Direction::In)
        );
        if wrong_way {
            return false;
        }
        if self.owners.is_empty() {
            return true;
        }
        // Both ends are looked at even when the first matches: each may teach a process.
        let mut wanted = false;
        for owner in [packet.sender, packet.receiver].into_iter().flatten() {
            wanted |= self.takes_owner(owner);
        }
        wanted
    }

    fn takes_owner(&mut self, owner: Owner<'_>) -> bool {
        let process = owner.process;
        let matches_itself = matches(&self.owners, process, owner.uid.or(process.uid));
        if !self.owners.follow_forks {
            return matches_itself;
        }
        let wanted = matches_itself
            || self.matched.contains(&process.id)
            || process.parent.is_some_and(|id| self.matched.contains(&id))
            || owner
                .parent
                .is_some_and(|p| matches(&self.owners, p, p.uid));
        if wanted {
            self.matched.insert(process.id);
        }
        wanted
    }
}

/// Whether the process itself is one of those asked for.
fn matches(owners: &OwnerFilter, process: &Process, uid: Option<u32>) -> bool {
    let file_name = process.exe.rsplit(|&byte| byte == b'/').next();
    let named = |name: &Vec<u8>| {
        *name == process.name || file_name.is_some_and(|file| file == name.as_slice())
    };
    (owners.pids.is_empty() || owners.pids.contains(&process.id.pid))
        && (owners.names.is_empty() || owners.names.iter().any(named))
        && (owners.uids.is_empty() || uid.is_some_and(|uid| owners.uids.contains(&uid)))
}

#[cfg(test)]
mod tests {
    use pktwho_packet::{Confidence, Iface, Reception, Timestamp};

    use super::*;

    fn process(pid: u32, name: &str, exe: &str, parent: u32, uid: u32) -> Process {
        Process {
            id: ProcessId { pid, start: 1 },
            name: name.into(),
            exe: exe.into(),
            parent: Some(ProcessId {
                pid: parent,
                start: 1,
            }),
            uid: Some(uid),
            ..Process::default()
        }
    }

    fn owner(process: &Process) -> Owner<'_> {
        Owner {
            process,
            parent: None,
            tid: process.id.pid,
            thread: b"a-thread",
            uid: process.uid,
            confidence: Confidence::Exact,
        }
    }

    /// Which of these processes' packets are taken, by pid, in order.
    fn taken(filter: OwnerFilter, processes: &[Process]) -> Vec<u32> {
        let iface = Iface::default();
        let mut select = Select::new(Way::InOut, filter);
        let mut pids = Vec::new();
        for process in processes {
            let packet = Packet {
                time: Timestamp::default(),
                iface: &iface,
                data: &[],
                orig_len: 0,
                direction: Direction::Unknown,
                reception: Reception::Unspecified,
                sender: None,
                receiver: Some(owner(process)),
            };
            if select.takes(&packet) {
                pids.push(process.id.pid);
            }
        }
        pids
    }

    #[test]
    fn one_value_of_each_kind_has_to_match() {
        let all = [
            process(1, "init", "/sbin/init", 0, 0),
            process(2, "a-very-long-nam", "/bin/a-very-long-name-indeed", 1, 7),
            process(3, "sh", "/bin/dash", 2, 8),
            process(4, "curl", "/usr/bin/curl", 3, 8),
        ];
        let none = OwnerFilter::default();
        assert_eq!(taken(none.clone(), &all), [1, 2, 3, 4]);
        let by_name = |name: &str| OwnerFilter {
            names: vec![name.into()],
            ..none.clone()
        };
        assert_eq!(taken(by_name("a-very-long-nam"), &all), [2]);
        assert_eq!(taken(by_name("a-very-long-name-indeed"), &all), [2]);
        assert_eq!(taken(by_name("dash"), &all), [3]);
        assert_eq!(taken(by_name("sh"), &all), [3]);
        assert_eq!(taken(by_name("a-thread"), &all), [0; 0]);
        assert_eq!(taken(by_name("bin/dash"), &all), [0; 0]);
        let several = OwnerFilter {
            pids: vec![1, 4, 99],
            uids: vec![8, 7],
            names: vec!["curl".into(), "init".into()],
            follow_forks: false,
        };
        assert_eq!(taken(several, &all), [4]);
        let forks = OwnerFilter {
            pids: vec![2],
            follow_forks: true,
            ..none
        };
        assert_eq!(taken(forks, &all), [2, 3, 4]);
    }
}
