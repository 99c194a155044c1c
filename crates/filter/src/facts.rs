//! The facts of a packet in hand, for the user-space machine.

use pktwho_packet::{Direction, Owner, Packet, Process, ProcessId};

use crate::graph::Fact;
use crate::machine::Facts;
use crate::tree::{End, Glob, OwnerIs, OwnerTerm};

/// A packet answers for itself.
///
/// Nothing is known of services, nor of what Apple's files say beside the process: such terms
/// match nothing.
impl Facts for Packet<'_> {
    fn fact(&self, fact: Fact) -> u32 {
        match fact {
            Fact::Direction => match self.direction {
                Direction::Unknown => 0,
                Direction::In => 1,
                Direction::Out => 2,
            },
            Fact::Ifindex => self.iface.index,
            // The tag is in the bytes.
            Fact::VlanPresent | Fact::VlanProtocol | Fact::VlanTag => 0,
        }
    }

    fn owner(&self, term: &OwnerTerm) -> bool {
        match &term.is {
            OwnerIs::Direction(text) => text.eq_ignore_ascii_case(direction(self.direction)),
            OwnerIs::Dlt(number) => dlt(self.iface.link_type.0) == *number,
            OwnerIs::Device(name) => name.matches(self.iface.name.as_bytes()),
            is => ends(self, term.end)
                .into_iter()
                .flatten()
                .any(|owner| is.holds(owner)),
        }
    }
}

/// A packet whose processes are what a term names also where an ancestor of theirs is.
#[derive(Clone, Copy)]
pub struct WithAncestors<'a, 'p> {
    pub packet: &'a Packet<'p>,
    /// Whether that process descends from what the term names.
    pub descends: &'a dyn Fn(ProcessId, &OwnerTerm) -> bool,
}

impl Facts for WithAncestors<'_, '_> {
    fn fact(&self, fact: Fact) -> u32 {
        Facts::fact(self.packet, fact)
    }

    fn owner(&self, term: &OwnerTerm) -> bool {
        let owners = || ends(self.packet, term.end).into_iter().flatten();
        Facts::owner(self.packet, term)
            || owners().any(|owner| (self.descends)(owner.process.id, term))
    }
}

/// Facts of a packet of which some ends are in a container of which nothing is known but its id: a term
/// about it may hold or not.
#[derive(Clone, Copy)]
pub struct Doubtful<'a, 'p> {
    pub packet: &'a Packet<'p>,
    pub facts: &'a dyn Facts,
    /// Whether that owner is in such a container.
    pub is_doubtful: &'a dyn Fn(&Owner<'_>) -> bool,
    /// What is assumed of such terms.
    pub assumed: bool,
}

impl Facts for Doubtful<'_, '_> {
    fn fact(&self, fact: Fact) -> u32 {
        self.facts.fact(fact)
    }

    fn owner(&self, term: &OwnerTerm) -> bool {
        let in_doubt = || {
            term.is.is_about_containers()
                && !term.is.is_about_container_ids()
                && ends(self.packet, term.end)
                    .iter()
                    .flatten()
                    .any(self.is_doubtful)
        };
        self.facts.owner(term) || self.assumed && in_doubt()
    }
}

/// Apple's word for it.
fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Unknown => "",
        Direction::In => "in",
        Direction::Out => "out",
    }
}

/// Darwin's number of a link type of files; most are the same.
fn dlt(link_type: u16) -> u32 {
    match link_type {
        101 => 12,
        other => u32::from(other),
    }
}

/// The owners that a term speaks of, as far as they are known.
fn ends<'p>(packet: &Packet<'p>, end: End) -> [Option<Owner<'p>>; 2] {
    let (near, far) = match packet.direction {
        Direction::In => (packet.receiver, packet.sender),
        Direction::Out | Direction::Unknown => (packet.sender, packet.receiver),
    };
    match end {
        End::Either => [packet.sender, packet.receiver],
        End::Sender => [packet.sender, None],
        End::Receiver => [packet.receiver, None],
        End::Own => [near.or(far), None],
        // The far end is the own one when it is the only one that is known.
        End::Other => [near.and(far), None],
    }
}

impl OwnerIs {
    fn holds(&self, owner: Owner<'_>) -> bool {
        let process = owner.process;
        match self {
            Self::Name(name) => named(name, process),
            Self::Exe(path) => path.matches(&process.exe),
            Self::Pid(pid) => process.id.pid == *pid,
            Self::Tid(tid) => owner.tid == *tid && owner.tid != 0,
            Self::Uid(uid) => owner.uid.or(process.uid) == Some(*uid),
            Self::ParentPid(pid) => {
                let parent = owner.parent.map(|parent| parent.id);
                process.parent.or(parent).is_some_and(|id| id.pid == *pid)
            }
            Self::ParentName(name) => owner.parent.is_some_and(|parent| named(name, parent)),
            Self::Container(_)
            | Self::ContainerId(_)
            | Self::Image(_)
            | Self::Pod { .. }
            | Self::Namespace(_)
            | Self::Label { .. } => process
                .container
                .as_ref()
                .is_some_and(|container| self.holds_in(container)),
            // Lowering has looked these up, or they are not about processes, or not known yet.
            Self::User(_)
            | Self::Netns(_)
            | Self::Device(_)
            | Self::Direction(_)
            | Self::Dlt(_)
            | Self::Service(_)
            | Self::ServiceClass(_)
            | Self::FlowId(_) => false,
        }
    }
}

/// By the name, or by the whole file name of the executable, however long.
fn named(name: &Glob, process: &Process) -> bool {
    let file = process.exe.rsplit(|&byte| byte == b'/').next();
    name.matches(&process.name) || file.is_some_and(|file| !file.is_empty() && name.matches(file))
}

impl Glob {
    /// This text, in which nothing stands for anything else.
    pub fn exactly(text: &[u8]) -> Self {
        let pieces = vec![text.to_vec()];
        Self { pieces }
    }

    /// Whether `text` is what is meant. Takes time in proportion to both lengths multiplied, at
    /// worst.
    pub fn matches(&self, text: &[u8]) -> bool {
        let (first, rest) = match self.pieces.as_slice() {
            [] => return false,
            [only] => return only == text,
            [first, rest @ ..] => (first, rest),
        };
        let Some((last, middle)) = rest.split_last() else {
            return false;
        };
        let Some(text) = text.strip_prefix(first.as_slice()) else {
            return false;
        };
        let Some(mut text) = text.strip_suffix(last.as_slice()) else {
            return false;
        };
        // The leftmost place for each piece leaves the most for those after it.
        middle.iter().all(|piece| match find(text, piece) {
            Some(after) => {
                text = text.get(after..).unwrap_or_default();
                true
            }
            None => false,
        })
    }
}

/// Where the first `piece` in `text` ends.
fn find(text: &[u8], piece: &[u8]) -> Option<usize> {
    if piece.is_empty() {
        return Some(0);
    }
    let at = text.windows(piece.len()).position(|part| part == piece)?;
    Some(at + piece.len())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pktwho_packet::{Confidence, Container, Iface, LinkType, Reception, ThreadName, Timestamp};

    use super::*;
    use crate::tree::{Expr, Term};

    fn term(text: &str) -> OwnerTerm {
        match crate::parse(text).unwrap().root {
            Some(Expr::Term(Term::Owner(term), _)) => term,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn stars_stand_for_any_text() {
        let check = |glob: &str, text: &str, expected: bool| {
            let OwnerIs::Exe(parsed) = term(&format!("exe '{glob}'")).is else {
                panic!("{glob}");
            };
            assert_eq!(parsed.matches(text.as_bytes()), expected, "{glob} {text}");
        };
        check("a", "a", true);
        check("a", "ab", false);
        check("", "", true);
        check("", "a", false);
        check("*", "", true);
        check("a*", "a", true);
        check("a*a", "a", false);
        check("a*a", "aa", true);
        check("*b*c*", "abracadabra c", true);
        check("*b*c*", "acb", false);
        check("/usr/*/curl", "/usr/local/bin/curl", true);
        check("a\\*", "ab", false);
        check("a\\*", "a*", true);
    }

    fn process(pid: u32, name: &str, exe: &str) -> Process {
        Process {
            id: ProcessId { pid, start: 1 },
            name: name.into(),
            exe: exe.into(),
            parent: Some(ProcessId { pid: 1, start: 1 }),
            uid: Some(1000),
            ..Process::default()
        }
    }

    fn owner<'a>(process: &'a Process, parent: &'a Process) -> Owner<'a> {
        Owner {
            process,
            parent: Some(parent),
            tid: process.id.pid + 1,
            thread: ThreadName::new(b"a-thread"),
            uid: None,
            confidence: Confidence::Exact,
        }
    }

    #[test]
    fn a_container_without_a_name_may_be_any() {
        let process = Process {
            container: Some(Arc::new(Container {
                id: b"0123456789ab".into(),
                ..Container::default()
            })),
            ..process(7, "curl", "/usr/bin/curl")
        };
        let other = self::process(8, "sshd", "/bin/sshd");
        let iface = Iface::default();
        let packet = Packet {
            time: Timestamp::default(),
            iface: &iface,
            data: &[],
            orig_len: 0,
            direction: Direction::In,
            reception: Reception::Unspecified,
            sender: Some(owner(&process, &other)),
            receiver: Some(owner(&other, &other)),
        };
        let check = |text: &str, expected: [bool; 2]| {
            let holds = |assumed| {
                let facts = Doubtful {
                    packet: &packet,
                    facts: &packet,
                    is_doubtful: &|owner| owner.process.container.is_some(),
                    assumed,
                };
                Facts::owner(&facts, &term(text))
            };
            assert_eq!([holds(false), holds(true)], expected, "{text}");
        };
        for text in ["container web", "image x", "pod x", "ns x", "label x"] {
            check(text, [false, true]);
        }
        check("sender container web", [false, true]);
        check("receiver container web", [false, false]);
        check("proc curl", [true, true]);
        check("proc sshd", [true, true]);
        check("proc cat", [false, false]);
    }

    #[test]
    fn owners_of_either_end() {
        let init = process(1, "init", "/sbin/init");
        let curl = process(7, "curl", "/usr/bin/curl");
        let server = process(8, "a-very-long-nam", "/bin/a-very-long-name-indeed");
        let iface = Iface {
            name: "eth0".to_owned(),
            link_type: LinkType(101),
            ..Iface::default()
        };
        let packet = Packet {
            time: Timestamp::default(),
            iface: &iface,
            data: &[],
            orig_len: 0,
            direction: Direction::In,
            reception: Reception::Unspecified,
            sender: Some(owner(&curl, &init)),
            receiver: Some(owner(&server, &init)),
        };
        let yes = [
            "proc curl",
            "sender proc c*l",
            "receiver proc a-very-long-name-indeed",
            "proc a-very-long-nam",
            "exe */bin/curl",
            "pid 7",
            "tid 9",
            "uid 1000",
            "ppid 1",
            "pproc init",
            "dev eth*",
        ];
        let no = [
            "receiver proc curl",
            "proc bin/curl",
            "proc a-thread",
            "exe curl",
            "pid 1",
            "sender pid 8",
            "tid 7",
            "uid 0",
            "ppid 7",
            "pproc curl",
            "container *",
            "pod *",
            "label app",
            "dev eth",
        ];
        for text in yes {
            assert!(Facts::owner(&packet, &term(text)), "{text}");
        }
        for text in no {
            assert!(!Facts::owner(&packet, &term(text)), "{text}");
        }
        let pid = |end, pid| OwnerTerm {
            end,
            is: OwnerIs::Pid(pid),
        };
        assert!(
            Facts::owner(&packet, &pid(End::Own, 8)) && Facts::owner(&packet, &pid(End::Other, 7))
        );
        assert!(
            !Facts::owner(&packet, &pid(End::Own, 7))
                && !Facts::owner(&packet, &pid(End::Other, 8))
        );
        let alone = Packet {
            receiver: None,
            ..packet
        };
        assert!(
            Facts::owner(&alone, &pid(End::Own, 7)) && !Facts::owner(&alone, &pid(End::Other, 7))
        );
    }
}
