//! What `/proc` says of a process (proc(5)).

use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStringExt;

use pktwho_packet::{Container, ProcessId};

use crate::cgroup;

/// `/proc/PID/stat` counts in clock ticks, which are 10 ms for every reader of it
/// (`USER_HZ` is 100 on every architecture that we build for).
const TICK_NS: u64 = 10_000_000;
/// As much of the arguments as the kernel side gives with an exec.
const ARGS_MAX: usize = 4096;
/// Bytes read of a process's cgroups: a dozen hierarchies, with long paths.
const CGROUPS_MAX: usize = 16 << 10;

/// Image and arguments of a process that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub exe: Vec<u8>,
    pub args: Vec<Vec<u8>>,
    pub args_cut: bool,
    /// By its cgroups, where that was asked for.
    pub container: Option<Container>,
}

/// Reads the facts of exactly this process: `None` when it is gone, hidden, or another
/// process has its pid. `with_container`: look for that too.
pub fn read(id: ProcessId, with_container: bool) -> Option<Facts> {
    let folder = format!("/proc/{}", id.pid);
    if start_ticks(&folder)? != id.start / TICK_NS {
        return None;
    }
    let exe = fs::read_link(format!("{folder}/exe"))
        .map(|path| path.into_os_string().into_vec())
        .unwrap_or_default();
    let mut room = [0; ARGS_MAX + 1];
    let args = read_start(&format!("{folder}/cmdline"), &mut room)?;
    let (args, args_cut) = match args.get(..ARGS_MAX) {
        Some(most) => (most, args.len() > ARGS_MAX),
        None => (args, false),
    };
    let container = with_container.then(|| container(&folder)).flatten();
    // Still the same process after all that reading?
    (start_ticks(&folder)? == id.start / TICK_NS).then(|| Facts {
        exe,
        args: split_args(args),
        args_cut,
        container,
    })
}

/// Whether processes are in hierarchies of cgroups beside the default one.
pub fn has_old_hierarchies() -> bool {
    let mut room = [0; CGROUPS_MAX];
    read_start("/proc/self/cgroup", &mut room).is_some_and(|text| cgroup::of_process(text).1)
}

/// The container of the process behind a folder of `/proc`, by its cgroups.
pub fn container(folder: &str) -> Option<Container> {
    let mut room = [0; CGROUPS_MAX];
    let text = read_start(&format!("{folder}/cgroup"), &mut room)?;
    cgroup::of_process(text).0
}

/// The cgroup of the process behind a folder of `/proc`, in the default hierarchy.
pub fn cgroup_path(folder: &str) -> Option<Vec<u8>> {
    let mut room = [0; CGROUPS_MAX];
    let text = read_start(&format!("{folder}/cgroup"), &mut room)?;
    cgroup::default_path(text).map(<[u8]>::to_vec)
}

/// Field 22 of stat, counted after the name, which may hold spaces and parentheses.
fn start_ticks(folder: &str) -> Option<u64> {
    let mut room = [0; 1024];
    let stat = read_start(&format!("{folder}/stat"), &mut room)?;
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// As much of a file as there is room for, in as few system calls: files in `/proc` tell no size.
fn read_start<'a>(path: &str, room: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut file = fs::File::open(path).ok()?;
    let mut filled = 0;
    while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    room.get(..filled)
}

/// Arguments from their NUL-ended form.
pub fn split_args(bytes: &[u8]) -> Vec<Vec<u8>> {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_this_process_and_no_other_of_its_pid() {
        let pid = std::process::id();
        let ticks = start_ticks(&format!("/proc/{pid}")).unwrap();
        let id = ProcessId {
            pid,
            start: ticks * TICK_NS + 123,
        };
        let facts = read(id, true).unwrap();
        assert_eq!(
            facts.exe,
            std::env::current_exe().unwrap().into_os_string().into_vec()
        );
        let args: Vec<Vec<u8>> = std::env::args().map(String::into_bytes).collect();
        assert_eq!(facts.args, args);
        let start = (ticks + 1) * TICK_NS;
        assert_eq!(read(ProcessId { pid, start }, false), None);
    }

    #[test]
    fn empty_arguments_count() {
        assert_eq!(
            split_args(b"a\0\0b\0"),
            [b"a".to_vec(), b"".to_vec(), b"b".to_vec()]
        );
        assert_eq!(split_args(b""), Vec::<Vec<u8>>::new());
    }
}
