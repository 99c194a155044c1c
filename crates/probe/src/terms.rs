//! The filter's terms about owners: which the kernel side can answer, and with what.
//!
//! Each term is a bit. What is true of a process stands in the map `processes`: here for those
//! that run already, by the kernel side (`bpf/process.bpf.c`) for those that come later, by the
//! same rules. Terms that need more than ids and exact names are left to user space.

use std::os::unix::ffi::OsStrExt as _;

use pktwho_filter::ebpf::OWNERS_MAX;
use pktwho_filter::tree::{End, Glob, OwnerIs, OwnerTerm};
use pktwho_packet::{Container, ProcessEvent, ProcessId};
use rustc_hash::FxHashMap;

use crate::abi::{self, CgroupAnswer, LONG_NAME_LEN, ProcessAnswer, ProcessKey};
use crate::load::{Answers, Programs};
use crate::{Error, events};

/// The terms of all devices' filters, each once; its place is its bit.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    list: Vec<OwnerTerm>,
    /// Descendants of a process that a term names by id or name are meant too.
    follow: bool,
    /// The process whose connections, and its descendants', are counted.
    counted: Option<u32>,
}

/// Which processes a term means because an ancestor of theirs is meant, as the kernel side knows
/// it: for packets on which user space decides, since it also asks for something else.
#[derive(Debug)]
pub struct Lineage {
    answers: Answers,
    terms: Terms,
}

impl Lineage {
    pub(crate) fn new(answers: Answers, terms: Terms) -> Self {
        Self { answers, terms }
    }

    /// Whether the process, or one that it descends from, is what the term names. `false` also
    /// for terms of which descendants are not meant, and for processes that are not known.
    ///
    /// What is followed stays with a process for good, so that the answer of now is that of the
    /// packet's time, unless the process has become what is named in the few milliseconds since.
    pub fn holds(&self, process: ProcessId, term: &OwnerTerm) -> bool {
        let place = self.terms.list.iter().position(|listed| listed == term);
        let bit = place.and_then(|place| 1_u64.checked_shl(u32::try_from(place).ok()?));
        bit.is_some_and(|bit| {
            self.terms.config().followed & bit != 0
                && self.answers.of(process_key(process)) & bit != 0
        })
    }
}

/// Whether descendants of what is named can be followed: by an id, or by a name and no pattern.
pub fn can_follow(is: &OwnerIs) -> bool {
    match is {
        OwnerIs::Pid(_) => true,
        OwnerIs::Name(name) => key(name).is_some(),
        _ => false,
    }
}

/// A name as the kernel side compares it: with a NUL at the end.
pub type NameKey = [u8; LONG_NAME_LEN];

impl Terms {
    /// # Errors
    /// There are more than 64.
    pub fn new<'a>(
        terms: impl IntoIterator<Item = &'a OwnerTerm>,
        follow: bool,
        counted: Option<u32>,
    ) -> Result<Self, Error> {
        let mut list: Vec<OwnerTerm> = Vec::new();
        for term in terms {
            if !list.contains(term) {
                list.push(term.clone());
            }
        }
        if list.len() > OWNERS_MAX {
            return Err(Error::Filter {
                reason: format!(
                    "expression too complex: {} terms about owners, at most {OWNERS_MAX} can be captured by",
                    list.len()
                ),
            });
        }
        Ok(Self {
            list,
            follow,
            counted,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The term's bit; the first that is free for a term that came later, which no answer is
    /// ever known of. None when there is none left.
    pub fn place(&self, term: &OwnerTerm) -> Option<u32> {
        let known = self.list.iter().position(|listed| listed == term);
        let place = known.unwrap_or(self.list.len());
        u32::try_from(place).ok().filter(|_| place < OWNERS_MAX)
    }

    /// Whether the map `processes` has to know every process.
    pub fn are_about_processes(&self) -> bool {
        let about = abi::TERMS_PROCESS | abi::TERMS_PARENT | abi::TERMS_CONTAINER;
        self.config().filter_mask & about != 0
    }

    /// Whether the map `cgroups` has to know every container.
    pub fn are_about_containers(&self) -> bool {
        self.list.iter().any(|term| term.is.is_about_containers())
    }

    /// What the terms about containers come to in a cgroup of this container, or of none.
    /// `is_told`: its runtime has said all it will, and not its id alone is known.
    pub fn answer_container(&self, container: Option<&Container>, is_told: bool) -> CgroupAnswer {
        let mut answer = CgroupAnswer::default();
        for (bit, term) in self.bits() {
            let is = &term.is;
            if !is.is_about_containers() || !(is_told || is.is_about_container_ids()) {
                continue;
            }
            answer.known |= bit;
            if container.is_some_and(|container| is.holds_in(container)) {
                answer.is |= bit;
            }
        }
        answer
    }

    fn bits(&self) -> impl Iterator<Item = (u64, &OwnerTerm)> {
        self.list
            .iter()
            .zip(0u32..)
            .map(|(term, place)| (1u64 << place, term))
    }

    /// The constants that tell the kernel side what each bit means; the others are 0.
    pub fn config(&self) -> abi::Config {
        let mut config = abi::Config::default();
        for (bit, term) in self.bits() {
            let end = match term.end {
                // Not about owners: only user space knows the answer, nobody there or not.
                _ if matches!(
                    term.is,
                    OwnerIs::Device(_) | OwnerIs::Direction(_) | OwnerIs::Dlt(_)
                ) =>
                {
                    config.filter_mask |= abi::TERMS_OTHER;
                    continue;
                }
                End::Either => &mut config.either,
                End::Sender => &mut config.sender,
                End::Receiver => &mut config.receiver,
                End::Own => &mut config.own,
                End::Other => &mut config.other,
            };
            *end |= bit;
            match &term.is {
                OwnerIs::Pid(pid) => {
                    config.by_process |= bit;
                    config.filter_mask |= abi::TERMS_PROCESS;
                    if self.follow {
                        config.followed |= bit;
                    }
                    if self.counted == Some(*pid) {
                        config.counted |= bit;
                    }
                }
                OwnerIs::ParentPid(_) => {
                    config.by_process |= bit;
                    config.filter_mask |= abi::TERMS_PROCESS;
                }
                OwnerIs::Name(name) if key(name).is_some() => {
                    config.by_process |= bit;
                    config.inherited |= bit;
                    config.filter_mask |= abi::TERMS_PROCESS;
                    if self.follow {
                        config.followed |= bit;
                    }
                }
                OwnerIs::ParentName(name) if key(name).is_some() => {
                    config.by_parent |= bit;
                    config.inherited |= bit;
                    config.filter_mask |= abi::TERMS_PARENT;
                }
                OwnerIs::Uid(_) => {
                    config.by_uid |= bit;
                    config.filter_mask |= abi::TERMS_UID;
                }
                OwnerIs::Tid(_) => {
                    config.by_tid |= bit;
                    config.filter_mask |= abi::TERMS_TID;
                }
                is if is.is_about_containers() => {
                    config.by_container |= bit;
                    config.filter_mask |= abi::TERMS_CONTAINER;
                }
                _ => config.filter_mask |= abi::TERMS_OTHER,
            }
        }
        config
    }

    /// The names that terms ask for, with those terms.
    pub fn names(&self) -> FxHashMap<NameKey, u64> {
        let mut names = FxHashMap::default();
        for (bit, term) in self.bits() {
            if let OwnerIs::Name(name) | OwnerIs::ParentName(name) = &term.is
                && let Some(key) = key(name)
            {
                *names.entry(key).or_insert(0) |= bit;
            }
        }
        names
    }

    /// The numbers that terms ask for, with those terms, by the name of their map.
    pub fn numbers(&self) -> [(&'static str, FxHashMap<u32, u64>); 4] {
        let of = |number: fn(&OwnerIs) -> Option<u32>| {
            let mut numbers: FxHashMap<u32, u64> = FxHashMap::default();
            for (bit, term) in self.bits() {
                if let Some(number) = number(&term.is) {
                    *numbers.entry(number).or_insert(0) |= bit;
                }
            }
            numbers
        };
        [
            ("uids", of(uid)),
            ("tids", of(tid)),
            ("pids", of(pid)),
            ("parent_pids", of(parent_pid)),
        ]
    }

    /// What is true of the process of an event, but for what it has from its ancestors.
    fn answer(&self, event: &ProcessEvent<'_>) -> u64 {
        let exe = std::cell::OnceCell::new();
        let is_named = |name: &Glob| {
            let base = || -> Vec<u8> {
                let exe = std::fs::read_link(format!("/proc/{}/exe", event.process.pid));
                let base = exe.ok().and_then(|exe| Some(exe.file_name()?.to_owned()));
                base.map(|base| base.as_bytes().to_vec())
                    .unwrap_or_default()
            };
            key(name).is_some() && (name.matches(event.name) || name.matches(exe.get_or_init(base)))
        };
        let holds = |is: &OwnerIs| match is {
            OwnerIs::Pid(pid) => event.process.pid == *pid,
            OwnerIs::ParentPid(pid) => event.parent.pid == *pid,
            OwnerIs::Name(name) | OwnerIs::ParentName(name) => is_named(name),
            _ => false,
        };
        self.bits()
            .filter(|(_, term)| holds(&term.is))
            .fold(0, |is, (bit, _)| is | bit)
    }
}

fn uid(is: &OwnerIs) -> Option<u32> {
    match is {
        OwnerIs::Uid(uid) => Some(*uid),
        _ => None,
    }
}

fn tid(is: &OwnerIs) -> Option<u32> {
    match is {
        // No thread has it; it stands for one that is not known.
        OwnerIs::Tid(tid) if *tid != 0 => Some(*tid),
        _ => None,
    }
}

fn pid(is: &OwnerIs) -> Option<u32> {
    match is {
        OwnerIs::Pid(pid) => Some(*pid),
        _ => None,
    }
}

fn parent_pid(is: &OwnerIs) -> Option<u32> {
    match is {
        OwnerIs::ParentPid(pid) => Some(*pid),
        _ => None,
    }
}

/// The name as a key, when it is a name and no pattern, and short enough.
fn key(name: &Glob) -> Option<NameKey> {
    let [name] = name.pieces.as_slice() else {
        return None;
    };
    let mut key = [0; LONG_NAME_LEN];
    if name.is_empty() || name.len() >= LONG_NAME_LEN || name.contains(&0) {
        return None;
    }
    for (to, from) in key.iter_mut().zip(name) {
        *to = *from;
    }
    Some(key)
}

fn process_key(process: ProcessId) -> ProcessKey {
    ProcessKey {
        start: process.start,
        pid: process.pid,
        pad: 0,
    }
}

/// Tells the kernel side what is true of the processes that run now, and returns their events.
/// Twice, since a process may fork while we do it.
///
/// # Errors
/// One of `must_run` does not run.
pub fn answer_existing(
    programs: &Programs,
    terms: &Terms,
    must_run: &[u32],
) -> Result<Vec<u8>, Error> {
    let mut bytes = programs.existing_processes()?;
    for pid in must_run {
        if !iterate(&bytes).any(|event| event.process.pid == *pid) {
            return Err(Error::NoProcess { pid: *pid });
        }
    }
    if !terms.are_about_processes() {
        return Ok(bytes);
    }
    for _ in 0..2 {
        for (process, answer) in answers(&bytes, terms) {
            programs.set_answer(process_key(process), Some(answer));
        }
        bytes = programs.existing_processes()?;
    }
    Ok(bytes)
}

/// Takes a process that is gone out of the table.
pub fn forget(programs: &Programs, process: ProcessId) {
    programs.set_answer(process_key(process), None);
}

/// The records that follow one another.
pub fn iterate(mut bytes: &[u8]) -> impl Iterator<Item = ProcessEvent<'_>> {
    std::iter::from_fn(move || {
        let (event, size) = events::parse(bytes).filter(|&(_, size)| size > 0)?;
        bytes = bytes.get(size..)?;
        Some(event)
    })
}

fn answers(bytes: &[u8], terms: &Terms) -> FxHashMap<ProcessId, ProcessAnswer> {
    let mut answers: FxHashMap<ProcessId, ProcessAnswer> = FxHashMap::default();
    for event in iterate(bytes) {
        let answer = ProcessAnswer {
            is: terms.answer(&event),
            parent: process_key(event.parent),
            cgroup: event.cgroup,
        };
        answers.insert(event.process, answer);
    }
    // Descendants, until nothing changes; the depth of the tree bounds it.
    let followed = terms.config().followed;
    let mut changed = followed != 0;
    while changed {
        changed = false;
        for event in iterate(bytes) {
            let parents = answers.get(&event.parent).map_or(0, |parent| parent.is);
            if let Some(answer) = answers.get_mut(&event.process) {
                let is = answer.is | parents & followed;
                changed |= is != answer.is;
                answer.is = is;
            }
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(end: End, is: OwnerIs) -> OwnerTerm {
        OwnerTerm { end, is }
    }

    #[test]
    fn each_term_is_a_bit_of_its_kinds() {
        let exact = || Glob::exactly(b"curl");
        let pattern = Glob {
            pieces: vec![b"cu".to_vec(), vec![]],
        };
        let terms = [
            term(End::Either, OwnerIs::Pid(7)),
            term(End::Sender, OwnerIs::Name(exact())),
            term(End::Receiver, OwnerIs::ParentName(exact())),
            term(End::Either, OwnerIs::Name(pattern)),
            term(End::Either, OwnerIs::Uid(0)),
            term(End::Own, OwnerIs::Tid(9)),
            term(End::Either, OwnerIs::Device(exact())),
            term(End::Either, OwnerIs::Pid(7)),
        ];
        let terms = Terms::new(&terms, true, Some(7)).expect("few");
        let config = terms.config();
        assert_eq!(
            (config.either, config.sender, config.receiver, config.own),
            (0b1_1001, 0b10, 0b100, 0b10_0000)
        );
        assert_eq!(
            (
                config.by_process,
                config.by_parent,
                config.by_uid,
                config.by_tid
            ),
            (0b11, 0b100, 0b1_0000, 0b10_0000)
        );
        assert_eq!(
            (config.followed, config.inherited, config.counted),
            (0b11, 0b110, 1)
        );
        assert_eq!(config.filter_mask, 31);
        assert_eq!(terms.names().values().copied().collect::<Vec<_>>(), [0b110]);
        let later = term(End::Either, OwnerIs::Pid(8));
        assert_eq!(terms.place(&later), Some(7));
    }

    #[test]
    fn containers_answer_by_id_before_their_names_are_known() {
        let terms = [
            term(End::Either, OwnerIs::Container(Glob::exactly(b"web"))),
            term(End::Either, OwnerIs::Pid(7)),
            term(End::Sender, OwnerIs::ContainerId(b"0123456789ab".into())),
        ];
        let terms = Terms::new(&terms, false, None).expect("few");
        assert!(terms.are_about_processes() && terms.are_about_containers());
        assert_eq!(terms.config().by_container, 0b101);
        let container = Container {
            id: b"0123456789abcdef".into(),
            name: b"web".into(),
            ..Container::default()
        };
        let answer = |container, is_told| {
            let CgroupAnswer { known, is } = terms.answer_container(container, is_told);
            (known, is)
        };
        assert_eq!(answer(Some(&container), false), (0b100, 0b100));
        assert_eq!(answer(Some(&container), true), (0b101, 0b101));
        assert_eq!(answer(None, true), (0b101, 0));
    }

    #[test]
    fn more_terms_than_bits_are_refused() {
        let many: Vec<OwnerTerm> = (0..65)
            .map(|n| term(End::Either, OwnerIs::Pid(n)))
            .collect();
        assert!(Terms::new(&many, false, None).is_err());
        let most = Terms::new(&many[..64], false, None).expect("64");
        assert_eq!(most.place(&many[63]), Some(63));
        assert_eq!(most.place(&many[64]), None);
    }
}
