//! Cgroups that were there before the capture: their paths, by the ids that processes have.
//!
//! Those that are made later tell their paths themselves (`bpf/process.bpf.c`).

use std::io;
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
        let opened = sys::open_cgroup(root, id).and_then(|cgroup| path_of(cgroup.as_fd()));
        let (Ok(path), Ok(root)) = (opened, path_of(root)) else {
            return false;
        };
        self.path = below(path, &root);
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

fn path_of(cgroup: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
    let path = std::fs::read_link(format!("/proc/self/fd/{}", cgroup.as_raw_fd()))?;
    Ok(path.into_os_string().into_vec())
}

/// A path without that of the root, which is where the hierarchy is mounted: as the kernel side
/// tells it.
fn below(path: Vec<u8>, root: &[u8]) -> Vec<u8> {
    let root = root.strip_suffix(b"/").unwrap_or(root);
    match path.strip_prefix(root) {
        Some([]) => b"/".to_vec(),
        Some(rest @ [b'/', ..]) => rest.to_vec(),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn paths_begin_at_the_hierarchy() {
        let check = |path: &str, root: &str, expected: &str| {
            let found = below(path.into(), root.as_bytes());
            assert_eq!(String::from_utf8(found).unwrap(), expected, "{path} {root}");
        };
        check(
            "/sys/fs/cgroup/default/web",
            "/sys/fs/cgroup",
            "/default/web",
        );
        check("/sys/fs/cgroup", "/sys/fs/cgroup", "/");
        check("/default/web", "/", "/default/web");
        check(
            "/sys/fs/cgroupx/web",
            "/sys/fs/cgroup",
            "/sys/fs/cgroupx/web",
        );
    }
}
