//! The ways to keep the owner of a socket up to date, of which a kernel takes one.
//!
//! Start reading at [`HOOKS`]. The programs are those of `bpf/owner.bpf.c` and its parts.

use crate::types::Shown;

/// Programs, what they may ask, and what is lost by it.
pub struct Hooks {
    /// `cgroup_skb` may ask for the current task (6.10).
    pub current_in_egress: bool,
    /// Classifiers may, too (6.12).
    pub current_in_capture: bool,
    /// Functions of the kernel that are looked into, of [`CALLS`].
    pub calls: &'static [&'static str],
    /// Programs that are not wanted then.
    pub without: &'static [&'static str],
    /// Not every use of a socket is seen: all owners of sockets are guesses.
    pub unseen: bool,
    /// What is lost, where a capture says so when it begins.
    pub lost: Option<&'static str>,
    /// What the first set does better: of a kernel that lacks something it is known
    /// (docs/kernels.md), of one that refuses a program for another reason it is told.
    pub weaker: &'static str,
}

/// What is lost where classifiers may not ask for the current task.
pub const NOT_IN_CAPTURE: &str = "who sends on packet sockets is not known";
const CALLED: &str = "each send and receive is looked at by one more program";
const SENT: &str = "each send costs one tracepoint more; a handed-over socket's first packet may have \
                    its former owner";
const UNSEEN: &str =
    "nobody sees who uses a socket: its owner is who made or accepted it, as a guess";

const SENDS: [&str; 2] = ["sendmsg4", "sendmsg6"];
const RECEIVES: [&str; 2] = ["recvmsg4", "recvmsg6"];
/// Sees every receive (6.3).
const RECEIVED: &str = "sock_recv_length";
/// Of its arguments; there if it is.
const RECEIVED_TYPE: &str = "btf_trace_sock_recv_length";
const SENT_LENGTH: &str = "sock_send_length";

/// The programs at functions of the kernel: those that send, and those that receive.
pub const CALLS: &[&str] = &[
    SEND_CALLS[0],
    SEND_CALLS[1],
    SEND_CALLS[2],
    "inet_recvmsg",
    "inet6_recvmsg",
    "tcp_splice_read",
];
const SEND_CALLS: [&str; 3] = ["inet_sendmsg", "inet6_sendmsg", "inet_sendpage"];
/// Those that not every kernel has, or needs.
const DISPENSABLE: &[&str] = &["inet_sendpage", "tcp_splice_read"];

const NOT_WITH_CURRENT: &[&str] = &[SENDS[0], SENDS[1], RECEIVES[0], RECEIVES[1], SENT_LENGTH];

/// Tracing programs that look into sockets' storage: the last of [`HOOKS`] goes without them, and
/// nothing makes up for it.
pub const WITH_STORAGE: [&str; 2] = ["inet_sock_set_state", "existing_sockets"];

/// The best first.
pub const HOOKS: [Hooks; 7] = [
    Hooks {
        current_in_egress: true,
        current_in_capture: true,
        calls: &[],
        without: NOT_WITH_CURRENT,
        unseen: false,
        lost: None,
        weaker: "",
    },
    Hooks {
        current_in_egress: true,
        current_in_capture: false,
        calls: &[],
        without: NOT_WITH_CURRENT,
        unseen: false,
        lost: None,
        weaker: NOT_IN_CAPTURE,
    },
    Hooks {
        current_in_egress: false,
        current_in_capture: false,
        calls: &SEND_CALLS,
        without: NOT_WITH_CURRENT,
        unseen: false,
        lost: None,
        weaker: CALLED,
    },
    Hooks {
        current_in_egress: false,
        current_in_capture: false,
        calls: &[],
        without: &[RECEIVES[0], RECEIVES[1]],
        unseen: false,
        lost: None,
        weaker: SENT,
    },
    Hooks {
        current_in_egress: false,
        current_in_capture: false,
        calls: CALLS,
        without: &[
            SENDS[0],
            SENDS[1],
            RECEIVES[0],
            RECEIVES[1],
            SENT_LENGTH,
            RECEIVED,
        ],
        unseen: false,
        lost: None,
        weaker: CALLED,
    },
    Hooks {
        current_in_egress: false,
        current_in_capture: false,
        calls: &[],
        without: &[SENT_LENGTH, RECEIVED],
        unseen: true,
        lost: Some(
            "this kernel does not show who uses a socket: an owner is who made or accepted it, marked \
             as a guess",
        ),
        weaker: UNSEEN,
    },
    // Tracing programs may not look into sockets' storage (5.10).
    Hooks {
        current_in_egress: false,
        current_in_capture: false,
        calls: &[],
        without: &[SENT_LENGTH, RECEIVED, WITH_STORAGE[0], WITH_STORAGE[1]],
        unseen: true,
        lost: Some(
            "this kernel does not show who uses a socket: an owner is who made or accepted it, marked \
             as a guess; those of connections from before the capture may be missing",
        ),
        weaker: UNSEEN,
    },
];

impl Hooks {
    /// Which of its functions this kernel lacks, by the types that it shows; `None` when it cannot go
    /// without one.
    pub fn lacking(&self, shown: Option<&Shown>) -> Option<Vec<&'static str>> {
        let Some(shown) = shown else {
            return Some(Vec::new());
        };
        let calls = self.calls.iter().copied();
        let wanted = calls.chain(self.has_receives().then_some(RECEIVED_TYPE));
        let lacking: Vec<_> = wanted.filter(|name| !shown.have(name)).collect();
        let goes = lacking.iter().all(|name| DISPENSABLE.contains(name));
        goes.then_some(lacking)
    }

    /// Whether it is told of every receive.
    pub fn sees_receives(&self) -> bool {
        self.has_receives() || self.calls == CALLS
    }

    fn has_receives(&self) -> bool {
        !self.without.contains(&RECEIVED)
    }

    /// Whether it goes without [`WITH_STORAGE`].
    pub fn go_without_storage(&self) -> bool {
        let mut all = WITH_STORAGE.iter();
        all.all(|name| self.without.contains(name))
    }
}
