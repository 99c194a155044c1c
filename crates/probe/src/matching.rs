//! The owner filter: which processes are meant, and which of them run already.
//!
//! Processes that come later are matched by the kernel side (`bpf/process.bpf.c`), by the
//! same rules.

use std::os::unix::ffi::OsStrExt as _;

use pktwho_packet::{ProcessEvent, ProcessId};
use rustc_hash::FxHashMap;

use crate::load::Programs;
use crate::{Error, abi, events};

/// Keeps only packets of some processes: several values of one kind OR together, kinds AND.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerFilter {
    pub pids: Vec<u32>,
    /// Process names or full base names of executables, at most 63 bytes count.
    pub names: Vec<Vec<u8>>,
    pub uids: Vec<u32>,
    /// Descendants of matching processes match too.
    pub follow: bool,
}

impl OwnerFilter {
    pub fn is_empty(&self) -> bool {
        self.pids.is_empty() && self.names.is_empty() && self.uids.is_empty()
    }

    pub(crate) fn mask(&self) -> u32 {
        let bit = |empty: bool, bit| if empty { 0 } else { bit };
        bit(self.pids.is_empty(), abi::MATCH_PID)
            | bit(self.names.is_empty(), abi::MATCH_NAME)
            | bit(self.uids.is_empty(), abi::MATCH_UID)
    }
}

/// Tells the kernel side which of the processes that run now the filter means, and returns
/// their events. Twice, since a process may fork while we do it.
pub fn match_existing(programs: &Programs, filter: &OwnerFilter) -> Result<Vec<u8>, Error> {
    let mut bytes = programs.existing_processes()?;
    if filter.pids.is_empty() && filter.names.is_empty() {
        return Ok(bytes);
    }
    for pid in &filter.pids {
        if !iterate(&bytes).any(|event| event.process.pid == *pid) {
            return Err(Error::NoProcess { pid: *pid });
        }
    }
    for _ in 0..2 {
        let matching = matching(&bytes, filter);
        for (&process, &terms) in &matching {
            programs.set_match(process, terms);
        }
        bytes = programs.existing_processes()?;
    }
    Ok(bytes)
}

fn iterate(mut bytes: &[u8]) -> impl Iterator<Item = ProcessEvent<'_>> {
    std::iter::from_fn(move || {
        let (event, size) = events::parse(bytes)?;
        bytes = bytes.get(size..)?;
        Some(event)
    })
}

/// The processes that the filter means, with their terms.
fn matching(bytes: &[u8], filter: &OwnerFilter) -> FxHashMap<ProcessId, u32> {
    let mut matching: FxHashMap<ProcessId, u32> = FxHashMap::default();
    for event in iterate(bytes) {
        let mut terms = 0;
        if filter.pids.contains(&event.process.pid) {
            terms |= abi::MATCH_PID;
        }
        if named(&event, filter) {
            terms |= abi::MATCH_NAME;
        }
        if terms != 0 {
            matching.insert(event.process, terms);
        }
    }
    // Descendants, until no more are found; the depth of the tree bounds it.
    if !filter.follow {
        return matching;
    }
    loop {
        let before = matching.len();
        for event in iterate(bytes) {
            if let Some(&terms) = matching.get(&event.parent) {
                *matching.entry(event.process).or_insert(0) |= terms;
            }
        }
        if matching.len() == before {
            return matching;
        }
    }
}

fn named(event: &ProcessEvent<'_>, filter: &OwnerFilter) -> bool {
    if filter.names.is_empty() {
        return false;
    }
    if filter.names.iter().any(|name| name == event.name) {
        return true;
    }
    std::fs::read_link(format!("/proc/{}/exe", event.process.pid)).is_ok_and(|exe| {
        exe.file_name().is_some_and(|base| {
            filter
                .names
                .iter()
                .any(|name| name.as_slice() == base.as_bytes())
        })
    })
}
