//! What this machine offers, found out by trying: each thing that a capture uses, whether it is
//! there, what is lost without it, and what can be done about it.
//!
//! Nothing stays behind, and no packet is looked at.

use std::borrow::Cow;
use std::fmt;
use std::fs;
use std::path::Path;

use rustix::thread::CapabilitySet;

use crate::layout::RingLayout;
use crate::load::{Programs, Taken};
use crate::terms::Terms;
use crate::{Error, abi, grace, sys, tls, types};

/// One thing and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was tried.
    pub what: String,
    pub state: State,
    /// What a capture cannot do without it; empty when it is there.
    pub loss: Cow<'static, str>,
    /// What whoever misses it can do; empty when it is there.
    pub hint: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It works; perhaps with a word about how.
    Works(String),
    /// It does not, and why.
    Missing(String),
}

impl Finding {
    fn new(
        what: impl Into<String>,
        state: Result<String, String>,
        loss: impl Into<Cow<'static, str>>,
        hint: &'static str,
    ) -> Self {
        let (state, loss, hint) = match state {
            Ok(how) => (State::Works(how), Cow::default(), ""),
            Err(why) => (State::Missing(why), loss.into(), hint),
        };
        Self {
            what: what.into(),
            state,
            loss,
            hint,
        }
    }

    /// Whether it is there.
    pub fn works(&self) -> bool {
        matches!(self.state, State::Works(_))
    }
}

/// What is tried of the programs that keep owners, by their names in `bpf/*.bpf.c`, with what
/// each is for.
const HOOKS: &[(&str, &str)] = &[
    (
        "egress",
        "owners of sent packets before a device sees them; those of other namespaces",
    ),
    ("sock_create", "sockets from their making on"),
    ("connect4", "who connects, IPv4"),
    ("connect6", "who connects, IPv6"),
    ("sendmsg4", "who sends without a connection, IPv4"),
    ("sendmsg6", "who sends without a connection, IPv6"),
    ("getpeername4", "who has accepted a connection, IPv4"),
    ("getpeername6", "who has accepted a connection, IPv6"),
    (
        "sock_recv_length",
        "who receives from a socket that several processes hold",
    ),
    (
        "tcp_sendmsg_locked",
        "who sends on a connection that several processes hold",
    ),
    (
        "sock_send_length",
        "who sends on a connection that several processes hold",
    ),
    ("tcp_rcv_space_adjust", "who receives by TCP"),
    ("tcp_sendmsg", "who sends by TCP"),
    ("do_tcp_sendpages", "who sends files by TCP"),
    ("inet_recvmsg", "who receives, IPv4"),
    ("inet6_recvmsg", "who receives, IPv6"),
    ("tcp_splice_read", "who receives by splice(2)"),
    ("inet_sock_set_state", "owners of connections that end"),
    ("sched_process_exec", "names of processes that begin"),
    ("sched_process_fork", "children of processes"),
    ("sched_process_exit", "processes that end"),
    ("task_rename", "processes that change their name"),
    ("cgroup_mkdir", "containers that begin"),
    ("cgroup_attach_task", "processes that enter a container"),
    (
        "existing_sockets",
        "sockets that were open before the capture",
    ),
    (
        "existing_processes",
        "processes that ran before the capture",
    ),
];

/// For what the kernel does not offer: nothing but another kernel helps.
const NEWER: &str = "a newer kernel has it; docs/kernels.md tells which";

/// Tries everything. Takes some hundred milliseconds.
pub fn examine() -> Vec<Finding> {
    let mut findings = vec![privileges(), lockdown(), types()];
    let sockets = packet_socket();
    match try_programs() {
        Ok(taken) => programs(&taken, &mut findings),
        Err(error) => {
            let loss = if sockets.works() {
                "packets come from packet sockets, owners from /proc: all of them are guesses, and \
                 those of short-lived processes stay empty"
            } else {
                "no capture at all, as there are no packet sockets either"
            };
            let (why, hint) = (words(&error), what_to_do(&error));
            findings.push(Finding::new("eBPF programs", Err(why), loss, hint));
        }
    }
    findings.extend([
        traffic_control(),
        sockets,
        conntrack(),
        namespaces(),
        secrets(),
    ]);
    findings
}

fn try_programs() -> Result<Taken, Error> {
    let terms = Terms::default();
    let layout = RingLayout::choose(Some(1), 96);
    let config = abi::Config {
        snaplen: 96,
        ring_size: layout.size,
        owners: 1,
        ..terms.config()
    };
    let mut programs = Programs::load(config, &terms, layout)?;
    Ok(programs.take_stock())
}

fn programs(taken: &Taken, findings: &mut Vec<Finding>) {
    findings.push(Finding::new(
        "eBPF programs",
        Ok(format!("{} loaded", taken.hooks.len())),
        "",
        "",
    ));
    let refused = taken.refused.iter();
    let refused = refused.map(|name| {
        let why = "the kernel lets no such program into sockets' storage";
        ((*name).to_owned(), Err(why.to_owned()))
    });
    for (name, state) in taken.hooks.iter().cloned().chain(refused) {
        let named = HOOKS.iter().find(|(hook, _)| *hook == name);
        let loss = named.map_or("owners of some packets", |(_, loss)| loss);
        let state = state.map(|()| String::new());
        findings.push(Finding::new(format!("hook {name}"), state, loss, NEWER));
    }
    let found = |is_there: bool, lack: &str| {
        let state = is_there.then(String::new);
        state.ok_or_else(|| match &taken.refusal {
            Some(refusal) => format!("the kernel refuses the program {refusal}"),
            None => lack.to_owned(),
        })
    };
    let hint = match taken.refusal {
        Some(_) => "it is a fault of ours that this kernel brought to light: tell us of it",
        None => NEWER,
    };
    findings.push(Finding::new(
        "current process at packets",
        found(
            taken.asks_current,
            "the kernel does not let such programs ask",
        ),
        "who sends on packet sockets is not known",
        hint,
    ));
    let lack = match taken.unseen {
        abi::UNSEEN_SOME => "the kernel does not tell of all",
        _ => "the kernel tells of none",
    };
    findings.push(Finding::new(
        "uses of sockets",
        found(taken.unseen == abi::UNSEEN_NONE, lack),
        taken.weaker,
        hint,
    ));
}

/// What helps against a refusal of all programs.
fn what_to_do(error: &Error) -> &'static str {
    match error {
        Error::Cgroup { .. } => {
            "mount it as root: mount -t cgroup2 none /sys/fs/cgroup; give a container the host's: \
             -v /sys/fs/cgroup:/sys/fs/cgroup:ro"
        }
        error if error.is_permission() => "it takes CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN",
        _ if !types::are_there() => {
            "--kernel-btf FILE takes the types from a file, as a package of the kernel's debugging \
             symbols has it"
        }
        _ => NEWER,
    }
}

fn words(error: &Error) -> String {
    let text = error.to_string();
    let end = text.find(" (os error ").unwrap_or(text.len());
    text.get(..end).unwrap_or(&text).to_owned()
}

/// What is lost without each capability.
const CAPABILITIES: &[(CapabilitySet, &str, &str)] = &[
    (CapabilitySet::NET_RAW, "CAP_NET_RAW", "packet sockets"),
    (
        CapabilitySet::NET_ADMIN,
        "CAP_NET_ADMIN",
        "programs on devices",
    ),
    (CapabilitySet::BPF, "CAP_BPF", "eBPF programs"),
    (
        CapabilitySet::PERFMON,
        "CAP_PERFMON",
        "programs that look at processes and sockets",
    ),
    (
        CapabilitySet::SYS_PTRACE,
        "CAP_SYS_PTRACE",
        "executables, arguments and sockets of other users' processes",
    ),
    (
        CapabilitySet::SYS_ADMIN,
        "CAP_SYS_ADMIN",
        "other network namespaces",
    ),
];

fn privileges() -> Finding {
    let held = rustix::thread::capabilities(None).map(|sets| sets.effective);
    let missing = |held: CapabilitySet| {
        let all = CAPABILITIES.iter();
        all.filter(move |(capability, ..)| !held.contains(*capability))
    };
    let (state, loss) = match held {
        Err(errno) => (
            Err(errno.to_string()),
            "nothing is known of the others".to_owned(),
        ),
        Ok(held) if missing(held).next().is_none() => {
            (Ok("all that is used".to_owned()), String::new())
        }
        Ok(held) => {
            let names: Vec<&str> = missing(held).map(|(_, name, _)| *name).collect();
            let losses: Vec<&str> = missing(held).map(|(.., loss)| *loss).collect();
            (
                Err(format!("without {}", names.join(", "))),
                losses.join("; "),
            )
        }
    };
    let hint = if rustix::process::geteuid().is_root() {
        "root has not all rights here, as in a container: start that with --cap-add and each of \
         these, or with --privileged"
    } else {
        "run it as root, for instance with sudo"
    };
    Finding::new("privileges", state, loss, hint)
}

/// Source: the kernel's `security/lockdown`.
fn lockdown() -> Finding {
    let text = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
    let chosen = text.split(['[', ']']).nth(1).unwrap_or("none");
    let state = if chosen == "confidentiality" {
        Err(chosen.to_owned())
    } else {
        Ok(chosen.to_owned())
    };
    Finding::new(
        "kernel lockdown",
        state,
        "programs may not read the kernel's memory: no owners but guesses",
        "start the kernel with lockdown=integrity, or without lockdown",
    )
}

fn types() -> Finding {
    let state = match fs::metadata(sys::KERNEL_TYPES) {
        Ok(_) => Ok(sys::KERNEL_TYPES.to_owned()),
        Err(error) => Err(format!("{}: {}", sys::KERNEL_TYPES, error.kind())),
    };
    Finding::new(
        "kernel types (BTF)",
        state,
        "the programs can be fitted to this kernel only by a file that tells its types",
        "--kernel-btf FILE names such a file; a kernel built with CONFIG_DEBUG_INFO_BTF needs none",
    )
}

fn traffic_control() -> Finding {
    let state = match sys::ask_tcx() {
        Ok(()) => Ok(match grace::switch() {
            Some(_) => "tcx".to_owned(),
            None => format!(
                "tcx, 20 ms for each device ({} cannot be written)",
                grace::SWITCH
            ),
        }),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(error.kind().to_string())
        }
        Err(_) => Ok("clsact (the kernel has no tcx)".to_owned()),
    };
    Finding::new(
        "traffic control",
        state,
        "no capture by eBPF",
        "it takes CAP_NET_ADMIN",
    )
}

fn packet_socket() -> Finding {
    let state = sys::packet_socket().map(|_| String::new());
    let hint = match &state {
        Err(error) if error.kind() != std::io::ErrorKind::PermissionDenied => {
            "load the module af_packet"
        }
        _ => "it takes CAP_NET_RAW",
    };
    Finding::new(
        "packet sockets",
        state.map_err(|error| error.kind().to_string()),
        "no capture where eBPF is refused, and no promiscuous mode",
        hint,
    )
}

fn conntrack() -> Finding {
    let state = types::functions(types::Shown::open().as_ref())
        .tracks
        .then(String::new)
        .ok_or_else(|| "the kernel lets no program ask its connection tracking".to_owned());
    Finding::new(
        "connection tracking",
        state,
        "who is behind an address translation of this machine is not known",
        "it takes Linux 5.18 or newer, and the module nf_conntrack where addresses are translated",
    )
}

fn namespaces() -> Finding {
    let state = std::thread::scope(|scope| {
        let made = scope.spawn(|| sys::new_netns().map_err(|error| error.kind().to_string()));
        made.join().unwrap_or_else(|_| Err("failed".to_owned()))
    });
    Finding::new(
        "network namespaces",
        state.map(|()| String::new()),
        "only the devices of the network namespace that it is started in can be captured on",
        "it takes CAP_SYS_ADMIN",
    )
}

fn secrets() -> Finding {
    let uprobes = Path::new("/sys/bus/event_source/devices/uprobe");
    let (state, hint) = if uprobes.exists() {
        match tls::form() {
            Ok(form) => (Ok(form), ""),
            Err(error) if error.is_permission() => {
                (Err(words(&error)), "it takes CAP_BPF and CAP_PERFMON")
            }
            Err(error) => (Err(words(&error)), NEWER),
        }
    } else {
        let why = "the kernel has no uprobes".to_owned();
        (
            Err(why),
            "it takes a kernel built with CONFIG_UPROBE_EVENTS",
        )
    };
    Finding::new(
        "TLS secrets",
        state,
        "--write-keylog-file, --embed-keylog-to-pcapng and --decrypt get none of running programs",
        hint,
    )
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, word) = match &self.state {
            State::Works(how) => ("ok", how),
            State::Missing(why) => ("NO", why),
        };
        write!(f, "{mark}  {}", self.what)?;
        if !word.is_empty() {
            write!(f, ": {word}")?;
        }
        if !self.loss.is_empty() {
            write!(f, "\n      lost: {}", self.loss)?;
        }
        if !self.hint.is_empty() {
            write!(f, "\n      hint: {}", self.hint)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_says_what_is_lost_and_what_to_do() {
        let stolen = Err("stolen".to_owned());
        let finding = Finding::new("wheels", stolen, "no rolling", "walk");
        assert_eq!(
            finding.to_string(),
            "NO  wheels: stolen\n      lost: no rolling\n      hint: walk"
        );
        let finding = Finding::new("wheels", Ok(String::new()), "no rolling", "walk");
        assert_eq!(finding.to_string(), "ok  wheels");
    }

    #[test]
    fn the_hooks_are_those_of_the_object() {
        let programs = Programs::names();
        for (name, _) in HOOKS {
            assert!(programs.iter().any(|known| known == name), "{name}");
        }
    }
}
