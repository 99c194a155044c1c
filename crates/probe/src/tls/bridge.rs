//! Secrets of one process until the file that it runs is hooked.
//!
//! Before the kernel puts a uprobe into a file it waits until no CPU is in the middle of a fork,
//! some 10 ms; programs that have just started may be through their handshake by then. A breakpoint of the
//! processor stands in the threads of one process at once.
//! Source: `perf_event_open(2)`, `PERF_TYPE_BREAKPOINT`.

use std::fs;
use std::os::fd::{AsRawFd as _, IntoRawFd as _};

use libbpf_rs::{Link, MapCore as _, MapFlags, Object, ProgramMut};
use pktwho_tls::Hook;
use zerocopy::IntoBytes as _;

use crate::abi::TlsBreakpoint;
use crate::mmaps::{self, MappedFile};
use crate::sys;

/// The program's name in the object.
pub const PROGRAM: &str = "tls_breakpoint";
/// Of the four that processors have, so many are used: a debugger may want others.
const FUNCTIONS_MAX: usize = 2;
/// Threads of a process that are looked after.
const THREADS_MAX: usize = 64;
/// How often it is looked for threads that were started meanwhile.
const ROUNDS_MAX: usize = 3;

/// The breakpoints; gone when this is dropped.
#[derive(Debug)]
pub struct Bridge<'a> {
    object: &'a Object,
    links: Vec<Link>,
    keys: Vec<TlsBreakpoint>,
}

impl<'a> Bridge<'a> {
    /// Sets them in the process that has mapped the file, as far as the machine has some.
    pub fn build(object: &'a Object, file: &MappedFile, hooks: &[Hook], cookies: &[u32]) -> Self {
        let mut bridge = Self {
            object,
            links: Vec::new(),
            keys: Vec::new(),
        };
        let map = object.maps().find(|map| map.name() == "breakpoints");
        let program = object.progs_mut().find(|program| program.name() == PROGRAM);
        let (Some(map), Some(program)) = (map, program) else {
            return bridge;
        };
        for (hook, cookie) in hooks.iter().zip(cookies).take(FUNCTIONS_MAX) {
            let Some(address) = address_of(file, hook.offset) else {
                continue;
            };
            let key = TlsBreakpoint {
                address,
                pid: file.pid,
                pad: 0,
            };
            let told = map.update(key.as_bytes(), cookie.as_bytes(), MapFlags::ANY);
            if told.is_ok() {
                bridge.keys.push(key);
            }
        }
        if !bridge.keys.is_empty() {
            bridge.set(&program, file.pid);
        }
        bridge
    }

    /// Whether there are any.
    pub fn stands(&self) -> bool {
        !self.links.is_empty()
    }

    fn set(&mut self, program: &ProgramMut<'_>, pid: u32) {
        let mut known = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let before = known.len();
            for tid in threads(pid) {
                if known.len() >= THREADS_MAX || known.contains(&tid) {
                    continue;
                }
                known.push(tid);
                for key in &self.keys {
                    self.links.extend(attach(program, tid, key.address));
                }
            }
            // Threads that are started from here on have theirs from those that start them.
            if known.len() == before {
                return;
            }
        }
    }
}

impl Drop for Bridge<'_> {
    fn drop(&mut self) {
        self.links.clear();
        if let Some(map) = self.object.maps().find(|map| map.name() == "breakpoints") {
            for key in &self.keys {
                let _ = map.delete(key.as_bytes());
            }
        }
    }
}

/// Where an offset in the file lies in the process's memory: in the mapping that was told of, or in
/// another of the same file. Linkers may put code in several.
fn address_of(file: &MappedFile, offset: u64) -> Option<u64> {
    let id = (file.id.major, file.id.minor, file.id.inode);
    let is_of_it = |other: &MappedFile| (other.id.major, other.id.minor, other.id.inode) == id;
    file.address_of(offset).or_else(|| {
        let mapped = mmaps::of_process(file.pid).into_iter();
        mapped
            .filter(is_of_it)
            .find_map(|mapping| mapping.address_of(offset))
    })
}

fn attach(program: &ProgramMut<'_>, tid: i32, address: u64) -> Option<Link> {
    let event = sys::perf_breakpoint(tid, address).ok()?;
    let link = program.attach_perf_event(event.as_raw_fd()).ok()?;
    // The link closes it.
    let _ = event.into_raw_fd();
    Some(link)
}

fn threads(pid: u32) -> impl Iterator<Item = i32> {
    let entries = fs::read_dir(format!("/proc/{pid}/task"));
    let entries = entries.into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}
