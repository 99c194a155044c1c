//! Cgroups that were there before the capture: their paths, by the ids that processes have.
//!
//! Those that are made later tell their paths themselves (`bpf/process.bpf.c`).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;

use pktwho_packet::{ProcessChange, ProcessEvent, ProcessId};
use rustc_hash::FxHashSet;

use crate::sys;

/// The cgroups met so far, and the path of the last one.
#[derive(Debug, Default)]
pub struct Cgroups {
    met: FxHashSet<u64>,
    path: Vec<u8>,
}

impl Cgroups {
    /// Whether a cgroup is met for the first time, and its path is known.
    pub fn meet(&mut self, root: BorrowedFd<'_>, id: u64) -> bool {
        if !self.met.insert(id) {
            return false;
        }
        let path = sys::open_cgroup(root, id).and_then(|cgroup| {
            let link = format!("/proc/self/fd/{}", cgroup.as_fd().as_raw_fd());
            std::fs::read_link(link)
        });
        match path {
            Ok(path) => self.path = path.into_os_string().into_vec(),
            Err(_) => return false,
        }
        true
    }

    /// The cgroup met last, as if it had been made now.
    pub fn event(&self, id: u64) -> ProcessEvent<'_> {
        ProcessEvent {
            change: ProcessChange::NewCgroup,
            time: 0,
            process: ProcessId::default(),
            parent: ProcessId::default(),
            uid: 0,
            name: b"",
            exe: b"",
            args: b"",
            args_cut: false,
            cgroup: id,
            cgroup_path: &self.path,
        }
    }
}
