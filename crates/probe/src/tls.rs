//! TLS secrets of running processes, as their libraries hand them on.
//!
//! A thread, `tls`, looks for code to hook and attaches; it never sees a packet, and the one
//! who reads secrets never waits for it. Only handshakes after the attachment have secrets to
//! be read. Start reading at [`TlsSecrets::open`], then `finder.rs`, `hooks.rs`.

mod bridge;
mod builds;
mod finder;
mod held;
mod hooks;
mod later;
mod workspace;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use libbpf_rs::{MapCore as _, MapFlags, MapHandle, RingBuffer, RingBufferBuilder};
use pktwho_packet::ProcessId;
use pktwho_tls::{Label, Secret};
use rustc_hash::FxHashMap;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use zerocopy::{FromBytes as _, IntoBytes as _};

pub use finder::{Hooked, TlsFile, Unhooked};

use crate::Error;
use crate::abi::{self, TlsHook, TlsSecret, trimmed};
use crate::config::Begin;
use crate::mmaps::Mmaps;
use finder::{Files, Finder, is_promising};
use hooks::Hooks;

/// How uprobes would be attached here, in words; loads the program and lets it go again.
///
/// # Errors
/// The kernel takes no form of it.
pub(crate) fn form() -> Result<String, Error> {
    let form = match Hooks::load(false)?.form() {
        "tls_multi" => "by uprobe links",
        _ => "by uprobe events",
    };
    Ok(form.to_owned())
}

/// Whose secrets are looked for, and how.
#[derive(Debug)]
pub struct TlsConfig {
    /// Executables that will be started soon.
    pub programs: Vec<PathBuf>,
    /// Whether secrets say from which processes theirs descends.
    pub ancestors: bool,
    pub begin: Begin,
}

/// A secret and the process that has it.
#[derive(Clone, Debug)]
pub struct FoundSecret {
    pub secret: Secret,
    pub process: ProcessId,
    /// Id of the process's cgroup in the default hierarchy.
    pub cgroup: u64,
    pub tid: u32,
    pub uid: u32,
    /// The process's name, not only its thread's.
    pub name: Vec<u8>,
    /// The file name of its executable, without directories; at most 63 bytes of it.
    pub exe: Vec<u8>,
    /// Process ids from the parent on, at most 8; none unless asked for.
    pub ancestors: Vec<u32>,
}

/// What became of a file with TLS code.
#[derive(Clone, Debug)]
pub struct TlsReport {
    pub file: TlsFile,
    pub secrets: u64,
    /// Calls whose values were no secrets.
    pub refused: u64,
    /// Calls whose values could not be read.
    pub unreadable: u64,
    /// Secrets for which there was no room.
    pub lost: u64,
}

/// Secrets as they come. Dropping it takes everything off the kernel again.
pub struct TlsSecrets {
    ring: RingBuffer<'static>,
    queue: Rc<RefCell<VecDeque<TlsSecret>>>,
    /// The map of the ring: readable when much has come.
    pending: MapHandle,
    hooks: MapHandle,
    files: Files,
    /// By cookie: secrets, and what was none.
    counts: FxHashMap<u32, (u64, u64)>,
    first_pass: mpsc::Receiver<()>,
    stop: OwnedFd,
    thread: Option<JoinHandle<()>>,
}

impl TlsSecrets {
    /// Loads the program and starts to look for code to hook.
    ///
    /// # Errors
    /// Whatever the kernel refuses.
    pub fn open(config: TlsConfig) -> Result<Self, Error> {
        // Before it is looked who runs already: nobody is missed between.
        let mmaps = Mmaps::open().map_err(Error::system_io("cannot hear of mappings"))?;
        let hooks = Hooks::load(config.ancestors)?;
        let queue = Rc::new(RefCell::new(VecDeque::new()));
        let pending = hooks.map("secrets")?;
        let ring = ring(&pending, &queue)?;
        let table = hooks.map("hooks")?;
        let files = Files::default();
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(Error::system("cannot make an eventfd"))?;
        let told = stop
            .try_clone()
            .map_err(Error::system_io("cannot keep an eventfd"))?;
        let (done, first_pass) = mpsc::channel();
        let finder = Finder::new(hooks, Arc::clone(&files));
        let TlsConfig {
            programs, begin, ..
        } = config;
        let thread = std::thread::Builder::new()
            .name("tls".into())
            .spawn(move || {
                begin("tls");
                watch(finder, mmaps, &programs, &done, &told);
            })
            .map_err(Error::system_io("cannot start a thread"))?;
        Ok(Self {
            ring,
            queue,
            pending,
            hooks: table,
            files,
            counts: FxHashMap::default(),
            first_pass,
            stop,
            thread: Some(thread),
        })
    }

    /// Waits until the programs that run already, and libraries whose names promise TLS, have
    /// been looked at, but not longer than this. Whether they have been.
    pub fn settle(&self, patience: Duration) -> bool {
        !matches!(
            self.first_pass.recv_timeout(patience),
            Err(RecvTimeoutError::Timeout)
        )
    }

    /// Waits that long, or until there are many secrets.
    ///
    /// # Errors
    /// What poll(2) says; a signal is none.
    pub fn wait(&self, patience: Duration) -> Result<(), Error> {
        let fd = self.pending.as_fd();
        let timeout = rustix::time::Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: patience.subsec_nanos().into(),
        };
        match poll(
            &mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)],
            Some(&timeout),
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(errno) => Err(Error::system("cannot wait for secrets")(errno)),
        }
    }

    /// Takes in what has come.
    pub fn snapshot(&mut self) {
        // Fails only when a callback does, and ours does not.
        let _ = self.ring.consume();
    }

    /// The next secret of those that were there at the last [`snapshot`](Self::snapshot).
    pub fn next_secret(&mut self) -> Option<FoundSecret> {
        loop {
            let record = self.queue.borrow_mut().pop_front()?;
            let counts = self.counts.entry(record.hook).or_default();
            match found(&record) {
                Some(found) => {
                    counts.0 += 1;
                    return Some(found);
                }
                None => counts.1 += 1,
            }
        }
    }

    /// What became of each file so far.
    pub fn reports(&self) -> Vec<TlsReport> {
        let files = self.files.lock().map(|files| files.clone());
        let files = files.unwrap_or_default();
        files.into_iter().map(|file| self.report(file)).collect()
    }

    fn report(&self, file: TlsFile) -> TlsReport {
        let mut report = TlsReport {
            file,
            secrets: 0,
            refused: 0,
            unreadable: 0,
            lost: 0,
        };
        for cookie in report
            .file
            .outcome
            .iter()
            .flat_map(|hooked| &hooked.cookies)
        {
            let (secrets, refused) = self.counts.get(cookie).copied().unwrap_or_default();
            report.secrets += secrets;
            report.refused += refused;
            let index = cookie & abi::TLS_HOOK_INDEX;
            let hook = self.hooks.lookup(index.as_bytes(), MapFlags::ANY);
            let hook = hook.ok().flatten();
            if let Some(hook) = hook.and_then(|bytes| TlsHook::read_from_bytes(&bytes).ok()) {
                report.unreadable += hook.unreadable;
                report.lost += hook.lost;
            }
        }
        report
    }
}

impl Drop for TlsSecrets {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.stop, 1_u64.as_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for TlsSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsSecrets").finish_non_exhaustive()
    }
}

/// Records wait here when the reader comes late; the kernel's ring holds as many again.
const QUEUE_MAX: usize = 65_536;

fn ring(
    map: &MapHandle,
    queue: &Rc<RefCell<VecDeque<TlsSecret>>>,
) -> Result<RingBuffer<'static>, Error> {
    let queue = Rc::clone(queue);
    let take = move |record: &[u8]| {
        let mut queue = queue.borrow_mut();
        if let Ok(record) = TlsSecret::read_from_bytes(record)
            && queue.len() < QUEUE_MAX
        {
            queue.push_back(record);
        }
        0
    };
    let build = || -> libbpf_rs::Result<RingBuffer<'static>> {
        let mut builder = RingBufferBuilder::new();
        builder.add(map, take)?;
        builder.build()
    };
    build().map_err(|error| crate::load::refused(&error))
}

/// What a record says, if it is a secret.
fn found(record: &TlsSecret) -> Option<FoundSecret> {
    let label = record.label.0.get(..record.label_len as usize)?;
    let bytes = record.secret.0.get(..record.secret_len as usize)?;
    let secret = Secret::new(Label::from_name(label)?, record.client_random, bytes).ok()?;
    Some(FoundSecret {
        secret,
        process: ProcessId {
            pid: record.pid,
            start: record.start,
        },
        cgroup: record.cgroup,
        tid: record.tid,
        uid: record.uid,
        name: trimmed(&record.name).to_vec(),
        exe: trimmed(&record.exe.0).to_vec(),
        ancestors: record
            .ancestors
            .iter()
            .copied()
            .take_while(|&pid| pid != 0)
            .collect(),
    })
}

/// Looks at what is there, then at what comes, until told to stop.
fn watch(
    mut finder: Finder,
    mut mmaps: Mmaps,
    programs: &[PathBuf],
    done: &mpsc::Sender<()>,
    stop: &OwnedFd,
) {
    // Those who look for secrets must not be slower than those who make them.
    let _ = rustix::process::setpriority_process(None, -20);
    // So that the first breakpoint stands as soon as those after it.
    let _ready = crate::sys::perf_nothing();
    for program in programs {
        finder.meet_program(program);
    }
    finder.look_ahead(None);
    let (mut rescan, mut told) = (true, false);
    let mut looked = Instant::now();
    loop {
        if std::mem::take(&mut rescan) {
            for file in Finder::mapped_now() {
                if !told && !is_promising(&file) {
                    while finder.catch_up() {}
                    told = done.send(()).is_ok();
                }
                finder.meet(&file);
                // Whoever starts meanwhile is in more of a hurry than who runs already.
                rescan |= finder.hear(&mut mmaps);
                if is_told(stop) {
                    return;
                }
            }
            // Nobody may be waiting any more.
            let _ = done.send(());
        }
        // The next may be of somebody who has just started.
        let is_idle = !finder.catch_up();
        if is_idle && !wait(&mmaps, stop, finder.holds()) || is_told(stop) {
            return;
        }
        rescan |= finder.hear(&mut mmaps);
        if looked.elapsed() >= PATROL && finder.holds() {
            rescan |= finder.let_go();
            looked = Instant::now();
        }
    }
}

/// How often it is looked whether files can still be used.
const PATROL: Duration = Duration::from_secs(5);

/// Until something is mapped, we are told to stop or it is time to look at what we hold; `false` when
/// that cannot be waited for.
fn wait(mmaps: &Mmaps, stop: &OwnedFd, holds: bool) -> bool {
    let mut fds: Vec<_> = mmaps
        .fds()
        .chain([stop.as_fd()])
        .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
        .collect();
    let patience = rustix::time::Timespec {
        tv_sec: i64::try_from(PATROL.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: 0,
    };
    let patience = holds.then_some(&patience);
    matches!(
        poll(&mut fds, patience),
        Ok(_) | Err(rustix::io::Errno::INTR)
    )
}

fn is_told(stop: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(stop, PollFlags::IN)];
    let now = rustix::time::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
}
