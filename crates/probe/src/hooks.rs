//! The ways to keep the owner of a socket up to date, of which a kernel takes one.
//!
//! Start reading at [`HOOKS`]. The programs are those of `bpf/owner.bpf.c` and its parts.

use crate::abi::{UNSEEN_ALL, UNSEEN_NONE, UNSEEN_SOME};
use crate::types::Shown;

/// Programs, what they may ask, and what is lost by it.
pub struct Hooks {
    /// What looks at packets may ask for the current task (5.15).
    pub asks_current: bool,
    /// Of the programs that tell of uses those that are wanted, of [`USES`].
    pub uses: &'static [&'static str],
    /// Other programs that are not wanted then.
    pub without: &'static [&'static str],
    /// Whether uses of sockets go unseen: then owners are guesses. One of `UNSEEN_…`.
    pub unseen: u8,
    /// What is lost, where a capture says so when it begins.
    pub lost: Option<&'static str>,
    /// What the first set does better: of a kernel that lacks something it is known
    /// (docs/kernels.md), of one that refuses a program for another reason it is told.
    pub weaker: &'static str,
}

const SENT: &str = "each send is looked at by one more program, not TCP's alone";
const CALLED: &str = "each receive, and each send of TCP's, is looked at by one more program";
const SOME: &str = "nobody sees who writes what leaves later, nor who receives but by TCP: an owner that does not \
                    send at this moment is who used the socket last, as far as that is seen, as a guess";
const UNSEEN: &str =
    "nobody sees who uses a socket: its owner is who made or accepted it, as a guess";

/// Of UDP, without a connection.
const SENDS: [&str; 2] = ["sendmsg4", "sendmsg6"];
/// Of UDP, when the caller asks who has sent.
const ASKED: [&str; 2] = ["recvmsg4", "recvmsg6"];
/// Of all sockets (6.3).
const RECEIVED: &str = "sock_recv_length";
const SENT_LENGTH: &str = "sock_send_length";
/// Of TCP, what is written (6.16) and received.
const TCP_WRITTEN: &str = "tcp_sendmsg_locked";
const TCP_RECEIVED: &str = "tcp_rcv_space_adjust";
const TRACEPOINTS: [&str; 4] = [RECEIVED, SENT_LENGTH, TCP_WRITTEN, TCP_RECEIVED];

/// The programs at functions of the kernel.
pub const CALLS: [&str; 5] = [
    "tcp_sendmsg",
    "do_tcp_sendpages",
    "inet_recvmsg",
    "inet6_recvmsg",
    "tcp_splice_read",
];

/// What is seen of datagrams in the cgroup's hooks.
const DATAGRAMS: &[&str] = &[SENDS[0], SENDS[1], ASKED[0], ASKED[1]];

/// All programs that tell who sends and who receives.
const USES: [&[&str]; 4] = [&SENDS, &ASKED, &TRACEPOINTS, &CALLS];

/// Tracing programs that look into sockets' storage: the last of [`HOOKS`] goes without them, and
/// nothing makes up for it.
pub const WITH_STORAGE: [&str; 2] = ["inet_sock_set_state", "existing_sockets"];

/// The best first.
pub const HOOKS: [Hooks; 6] = [
    Hooks {
        asks_current: true,
        uses: &[RECEIVED, TCP_WRITTEN],
        without: &[],
        unseen: UNSEEN_NONE,
        lost: None,
        weaker: "",
    },
    Hooks {
        asks_current: true,
        uses: &[RECEIVED, SENT_LENGTH],
        without: &[],
        unseen: UNSEEN_NONE,
        lost: None,
        weaker: SENT,
    },
    Hooks {
        asks_current: true,
        uses: &CALLS,
        without: &[],
        unseen: UNSEEN_NONE,
        lost: None,
        weaker: CALLED,
    },
    Hooks {
        asks_current: true,
        uses: &[TCP_RECEIVED, ASKED[0], ASKED[1]],
        without: &[],
        unseen: UNSEEN_SOME,
        lost: Some(
            "this kernel does not show every use of a socket: an owner that does not send at this moment is \
             who used it last, as far as that is seen, marked as a guess",
        ),
        weaker: SOME,
    },
    Hooks {
        asks_current: false,
        uses: DATAGRAMS,
        without: &[],
        unseen: UNSEEN_ALL,
        lost: Some(
            "this kernel does not show who uses a socket: an owner is who made or accepted it, marked \
             as a guess",
        ),
        weaker: UNSEEN,
    },
    // Tracing programs may not look into sockets' storage (5.10).
    Hooks {
        asks_current: false,
        uses: DATAGRAMS,
        without: &WITH_STORAGE,
        unseen: UNSEEN_ALL,
        lost: Some(
            "this kernel does not show who uses a socket: an owner is who made or accepted it, marked \
             as a guess; those of connections from before the capture may be missing",
        ),
        weaker: UNSEEN,
    },
];

impl Hooks {
    /// Whether it takes this program.
    pub fn want(&self, program: &str) -> bool {
        if USES.iter().any(|programs| programs.contains(&program)) {
            self.uses.contains(&program)
        } else {
            !self.without.contains(&program)
        }
    }

    /// Whether this kernel has what these programs ask for and hang on, by the types that it shows.
    pub fn are_there(&self, shown: Option<&Shown>) -> bool {
        let is_there = |shown: &Shown, name: &str| match name {
            // A tracepoint shows its arguments.
            name if TRACEPOINTS.contains(&name) => shown.have(&format!("btf_trace_{name}")),
            name => !CALLS.contains(&name) || shown.have(name),
        };
        let mut uses = self.uses.iter();
        shown.is_none_or(|shown| {
            // Of 5.11, though not for all programs.
            (!self.asks_current || shown.have("BPF_FUNC_get_current_task_btf"))
                && uses.all(|name| is_there(shown, name))
        })
    }

    /// Whether it goes without [`WITH_STORAGE`].
    pub fn go_without_storage(&self) -> bool {
        WITH_STORAGE.iter().all(|name| !self.want(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Programs;

    #[test]
    fn what_is_wanted_or_not_is_in_the_object() {
        let programs = Programs::names();
        for name in USES.iter().copied().flatten().chain(&WITH_STORAGE) {
            assert!(programs.iter().any(|known| known == name), "{name}");
        }
    }

    #[test]
    fn a_kernel_has_what_its_types_name() {
        let there = |may_ask: bool, types: &[&str]| {
            let asked = ["BPF_FUNC_get_current_task_btf"];
            let names = types.iter().chain(asked.iter().filter(|_| may_ask));
            let names: Vec<String> = names.map(|name| format!("\0{name}\0")).collect();
            let shown = Shown::Read(names.concat().into_bytes());
            HOOKS.each_ref().map(|hooks| hooks.are_there(Some(&shown)))
        };
        let traced = TRACEPOINTS.map(|name| format!("btf_trace_{name}"));
        let traced = traced.each_ref().map(String::as_str);
        let [received, sent, written, by_tcp] = traced;
        assert_eq!(
            there(true, &[received, written]),
            [true, false, false, false, true, true]
        );
        assert_eq!(
            there(true, &[received, sent]),
            [false, true, false, false, true, true]
        );
        assert_eq!(there(true, &CALLS), [false, false, true, false, true, true]);
        assert_eq!(
            there(true, &[by_tcp]),
            [false, false, false, true, true, true]
        );
        assert!(!there(true, &CALLS[1..])[2]);
        assert_eq!(
            there(false, &CALLS),
            [false, false, false, false, true, true]
        );
        // Nobody knows what a kernel lacks that shows no types.
        assert!(HOOKS.iter().all(|hooks| hooks.are_there(None)));
    }
}
