//! Who owns a packet: the process at an end of it that lies on this machine.

use std::sync::Arc;

use crate::Container;

/// What tells processes apart for good: a pid may be reused, a (pid, start time) may not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessId {
    /// Process id (the kernel's tgid) in the initial pid namespace.
    pub pid: u32,
    /// Start of the process in nanoseconds since boot, suspended time included
    /// (`task->start_boottime` of the thread group leader); 0 when a file does not say.
    pub start: u64,
}

/// The facts of one process at one time. Bytes are as the kernel gives them: not
/// necessarily UTF-8, not fit for a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    pub id: ProcessId,
    /// Changes whenever a fact of this process changes, and is unique among all processes
    /// of one source; what a sink stores once per process it may store once per serial.
    pub serial: u64,
    /// Name of the thread group leader (`comm`, at most 15 bytes; longer from other systems' files).
    pub name: Vec<u8>,
    /// Path of the executable; empty when unknown.
    pub exe: Vec<u8>,
    /// Arguments, the name it was called by first; empty when unknown.
    pub args: Vec<Vec<u8>>,
    /// Whether `args` had more than we could read.
    pub args_cut: bool,
    /// The process that started it; `None` when unknown or gone.
    pub parent: Option<ProcessId>,
    /// Real user id; `None` when unknown.
    pub uid: Option<u32>,
    /// The container it runs in; `None` when in none, or unknown.
    pub container: Option<Arc<Container>>,
}

/// The name of a thread (`comm`): at most 16 bytes. By value, since most packets carry two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ThreadName([u8; ThreadName::MAX]);

impl ThreadName {
    /// The longest name in bytes.
    pub const MAX: usize = 16;

    /// The first 16 bytes of a name, up to a NUL.
    pub fn new(name: &[u8]) -> Self {
        let mut padded = [0; Self::MAX];
        let named = name.iter().take_while(|&&byte| byte != 0);
        for (to, from) in padded.iter_mut().zip(named) {
            *to = *from;
        }
        Self(padded)
    }

    /// A name and the NULs after it, as the kernel side keeps it.
    #[inline]
    pub fn padded(name: [u8; Self::MAX]) -> Self {
        Self(name)
    }

    /// The name and the NULs after it, as one number.
    #[inline]
    pub fn bits(self) -> u128 {
        u128::from_ne_bytes(self.0)
    }

    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|&byte| byte == 0);
        self.0.get(..end.unwrap_or(Self::MAX)).unwrap_or_default()
    }

    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }
}

/// How an owner became known, the surest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// From the socket itself.
    #[default]
    Exact,
    /// From the table of flows.
    Flow,
    /// Anything weaker, for instance a socket that several processes hold open.
    Guess,
}

/// The owner at one end of a packet.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    pub process: &'a Process,
    /// The facts of `process.parent`, if it is known.
    pub parent: Option<&'a Process>,
    /// Id of the thread that last used the socket; 0 when unknown.
    pub tid: u32,
    /// Name of that thread; empty when unknown.
    pub thread: ThreadName,
    /// User id under which the socket was last used; `None` when unknown.
    pub uid: Option<u32>,
    pub confidence: Confidence,
}

/// Who is at one end of a packet, as the kernel side knows it: an id, yet without a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerFacts {
    pub process: ProcessId,
    pub tid: u32,
    /// Real user id of the thread when it used the socket.
    pub uid: u32,
    /// Name of the thread.
    pub thread: ThreadName,
    pub confidence: Confidence,
}

/// What happened to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessChange {
    /// It ran before we looked.
    Existing,
    /// It was forked from its parent and has that one's name and image.
    Fork,
    /// It runs a new image.
    Exec,
    /// It changed its name.
    Rename,
    /// Its last thread is gone.
    Exit,
    /// It was moved to another cgroup.
    Moved,
    /// No process: a cgroup was made.
    NewCgroup,
}

/// A process event as the kernel told it.
#[derive(Clone, Copy, Debug)]
pub struct ProcessEvent<'a> {
    pub change: ProcessChange,
    /// `CLOCK_MONOTONIC`, ns.
    pub time: u64,
    pub process: ProcessId,
    /// The process it descends from (the forking one, for a fork).
    pub parent: ProcessId,
    /// Real user id.
    pub uid: u32,
    /// Name of the thread group leader.
    pub name: &'a [u8],
    /// Path of the executable as execve(2) found it; only with `Exec`.
    pub exe: &'a [u8],
    /// Arguments, each ended by NUL; only with `Exec`.
    pub args: &'a [u8],
    pub args_cut: bool,
    /// Id of its cgroup in the default hierarchy (cgroup v2); 0: of a move in another one.
    pub cgroup: u64,
    /// Path of a cgroup from the root of its hierarchy; only with `Moved` and `NewCgroup`.
    pub cgroup_path: &'a [u8],
}
