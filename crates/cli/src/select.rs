//! Which packets of a file are wanted.
//!
//! The filter decides, by a program for each device that the file describes. Children of
//! processes are followed here: whose child a process is comes to light packet by packet.

use anyhow::Result;
use pktwho_capfile::Format;
use pktwho_filter::tree::OwnerIs;
use pktwho_filter::{Device, Machine};
use pktwho_packet::{Container, Direction, Iface, Owner, Packet, Process, ProcessId};
use rustc_hash::FxHashSet;

use crate::args::Way;
use crate::filter::Filter;
use crate::names::Lookup;
use crate::plan::OwnerFilter;
use crate::sink::say;

/// Chooses packets.
#[derive(Debug)]
pub struct Select {
    direction: Way,
    filter: Filter,
    format: Format,
    names: Lookup,
    /// By number of the device.
    programs: Vec<Program>,
    /// With children to be followed.
    followed: Option<Followed>,
}

/// What the filter is for one device.
#[derive(Debug)]
enum Program {
    Unknown,
    Everything,
    Nothing,
    Machine(Machine),
}

impl Select {
    /// Of `owners` only those are looked at whose children are to be followed; others are part
    /// of the filter.
    pub fn new(direction: Way, filter: Filter, owners: OwnerFilter, format: Format) -> Self {
        Self {
            direction,
            filter,
            format,
            names: Lookup::default(),
            programs: Vec::new(),
            followed: (owners.follow_forks && !owners.is_empty()).then(|| Followed {
                owners,
                matched: FxHashSet::default(),
            }),
        }
    }

    /// Which kind of file the next packets come from.
    pub fn set_format(&mut self, format: Format) {
        self.format = format;
    }

    /// Compiles the filter for a device's packets.
    ///
    /// # Errors
    /// It cannot be, and there is no other device for which it can.
    pub fn meet(&mut self, iface: &Iface) -> Result<()> {
        let id = iface.id as usize;
        if self.programs.len() <= id {
            self.programs.resize_with(id + 1, || Program::Unknown);
        }
        let program = if self.filter.is_empty() {
            Program::Everything
        } else {
            let device = device(iface, self.format);
            match self.filter.graph(&device, &mut self.names) {
                Ok(graph) => Program::Machine(Machine::new(&graph)),
                Err(error) if self.has_program() => {
                    let name = iface.name.escape_debug();
                    say(format_args!("pktwho: no packets of {name}: {error}"));
                    Program::Nothing
                }
                Err(error) => return Err(error),
            }
        };
        if let Some(place) = self.programs.get_mut(id) {
            *place = program;
        }
        Ok(())
    }

    fn has_program(&self) -> bool {
        let is = |program: &Program| matches!(program, Program::Machine(_));
        self.programs.iter().any(is)
    }

    /// Whether this packet is wanted.
    ///
    /// # Errors
    /// As [`Self::meet`], for a device that is new.
    pub fn takes(&mut self, packet: &Packet<'_>) -> Result<bool> {
        let wrong_way = matches!(
            (self.direction, packet.direction),
            (Way::In, Direction::Out) | (Way::Out, Direction::In)
        );
        // Followed processes are to be met in packets that the filter refuses too.
        let of_followed = match &mut self.followed {
            Some(followed) if !wrong_way => followed.takes(packet),
            _ => true,
        };
        if wrong_way || !of_followed {
            return Ok(false);
        }
        let id = packet.iface.id as usize;
        if !matches!(self.programs.get(id), Some(program) if !matches!(program, Program::Unknown)) {
            self.meet(packet.iface)?;
        }
        Ok(match self.programs.get(id) {
            Some(Program::Machine(machine)) => {
                machine.accepts(packet.data, packet.orig_len, packet)
            }
            Some(Program::Everything) => true,
            Some(Program::Nothing | Program::Unknown) | None => false,
        })
    }
}

/// A device as a file describes it.
pub fn device(iface: &Iface, format: Format) -> Device {
    Device {
        link_type: iface.link_type,
        name: (!iface.name.is_empty()).then(|| iface.name.clone()),
        netns: iface.netns.map(|netns| u64::from(netns.0)),
        // compat: as of tcpdump, for which a file has none (4.99.3).
        netmask: Some(0),
        directions: format == Format::Pcapng,
        ..Device::default()
    }
}

/// Processes that were asked for, and their children.
#[derive(Debug)]
struct Followed {
    owners: OwnerFilter,
    /// Processes that matched, or whose parent did.
    matched: FxHashSet<ProcessId>,
}

impl Followed {
    fn takes(&mut self, packet: &Packet<'_>) -> bool {
        // Both ends are looked at even when the first matches: each may teach a process.
        let mut wanted = false;
        for owner in [packet.sender, packet.receiver].into_iter().flatten() {
            wanted |= self.takes_owner(owner);
        }
        wanted
    }

    fn takes_owner(&mut self, owner: Owner<'_>) -> bool {
        let process = owner.process;
        let wanted = matches(&self.owners, process, owner.uid.or(process.uid))
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
        && is_in(&owners.containers, process)
        && is_in(&owners.pods, process)
}

/// Whether the process is in one of these, or none are asked for.
fn is_in(terms: &[OwnerIs], process: &Process) -> bool {
    has(terms, process.container.as_deref())
}

/// Whether the container is one of these, or none are asked for.
pub fn has(terms: &[OwnerIs], container: Option<&Container>) -> bool {
    let holds = |is: &OwnerIs| container.is_some_and(|container| is.holds_in(container));
    terms.is_empty() || terms.iter().any(holds)
}

#[cfg(test)]
mod tests {
    use pktwho_packet::{Confidence, Iface, Reception, ThreadName, Timestamp};

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
            thread: ThreadName::new(b"a-thread"),
            uid: process.uid,
            confidence: Confidence::Exact,
        }
    }

    /// Which of these processes' packets are taken, by pid, in order.
    fn taken(filter: OwnerFilter, processes: &[Process]) -> Vec<u32> {
        let iface = Iface::default();
        let mut select = Followed {
            owners: filter,
            matched: FxHashSet::default(),
        };
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
    fn children_are_followed() {
        let all = [
            process(1, "init", "/sbin/init", 0, 0),
            process(2, "a-very-long-nam", "/bin/a-very-long-name-indeed", 1, 7),
            process(3, "sh", "/bin/dash", 2, 8),
            process(4, "curl", "/usr/bin/curl", 3, 8),
        ];
        let by_name = |name: &str| OwnerFilter {
            names: vec![name.into()],
            follow_forks: true,
            ..OwnerFilter::default()
        };
        assert_eq!(taken(by_name("a-very-long-nam"), &all), [2, 3, 4]);
        assert_eq!(taken(by_name("a-very-long-name-indeed"), &all), [2, 3, 4]);
        assert_eq!(taken(by_name("dash"), &all), [3, 4]);
        assert_eq!(taken(by_name("a-thread"), &all), [0; 0]);
        assert_eq!(taken(by_name("bin/dash"), &all), [0; 0]);
        let several = OwnerFilter {
            pids: vec![1, 4, 99],
            uids: vec![8, 7],
            names: vec!["curl".into(), "init".into()],
            follow_forks: true,
            ..OwnerFilter::default()
        };
        assert_eq!(taken(several, &all), [4]);
    }
}
