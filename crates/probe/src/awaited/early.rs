//! Processes that have come since a packet was captured that waits for its answer, and that the answer names.
//!
//! The packet is older than they are, so that their events would follow it. They are told before it, and once
//! more in their order: a fork says all that is known of a process then, so the second time leaves nothing of
//! the first. Of processes that were there before nothing is told ahead: what they were called
//! when the packet came stays true.

use pktwho_packet::{ProcessChange, ProcessEvent, ProcessId};

use crate::events::Events;

/// So many events are looked at for one packet, and so many processes followed.
const LOOKS: u32 = 512;
const BORN: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Early {
    /// The packet, by its time (ns) and its ring.
    packet: Option<(u64, usize)>,
    /// Where in the events we are, and how many looks are left.
    position: u64,
    looks: u32,
    /// Forked since the packet came.
    born: Vec<ProcessId>,
}

impl Early {
    /// Whether events have been told for this packet, the next one of its ring.
    pub fn is_begun(&self, packet: (u64, usize)) -> bool {
        self.packet == Some(packet)
    }

    /// Where the next event is, not younger than `until` (ns), of a process forked since the packet
    /// came, which is delivered after the last of them.
    pub fn next(&mut self, packet: (u64, usize), events: &Events, until: u64) -> Option<u64> {
        if !self.is_begun(packet) {
            self.packet = Some(packet);
            (self.position, self.looks) = (0, LOOKS);
            self.born.clear();
        }
        while self.looks > 0
            && let Some((at, event, behind)) = events.ahead(self.position)
        {
            self.looks -= 1;
            self.position = behind;
            if event.time <= until && self.is_wanted(&event) {
                return Some(at);
            }
        }
        self.packet = None;
        None
    }

    fn is_wanted(&mut self, event: &ProcessEvent<'_>) -> bool {
        match event.change {
            ProcessChange::Fork if self.born.len() < BORN => {
                self.born.push(event.process);
                true
            }
            ProcessChange::Exec | ProcessChange::Rename | ProcessChange::Moved => {
                self.born.contains(&event.process)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of these events of processes, by their numbers, are told ahead.
    fn check(events: &[(ProcessChange, u32)], expected: &[bool]) {
        let mut early = Early::default();
        let told = events.iter().map(|&(change, pid)| {
            early.is_wanted(&ProcessEvent {
                change,
                time: 0,
                process: ProcessId { pid, start: 1 },
                parent: ProcessId::default(),
                uid: 0,
                name: b"",
                exe: b"",
                args: b"",
                args_cut: false,
                cgroup: 0,
                cgroup_path: b"",
            })
        });
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn only_of_new_processes() {
        use ProcessChange::{Exec, Exit, Fork, Moved, Rename};
        // What is older keeps its name until its events come in their order.
        check(
            &[(Exec, 1), (Fork, 2), (Exec, 2), (Rename, 2), (Moved, 2)],
            &[false, true, true, true, true],
        );
        check(&[(Fork, 2), (Exec, 1), (Exit, 2)], &[true, false, false]);
    }
}
