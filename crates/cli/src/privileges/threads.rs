//! What the threads keep that stand beside the reader: each gives up, before it does anything, what
//! its work does not take. None of them sees a packet.

use rustix::thread::set_no_new_privs;

use super::calls::{self, Calls};
use super::{Confined, become_user, capabilities, domain};
use crate::names::Login;
use crate::ownership::is_root;

/// A kind of threads.
#[derive(Debug)]
struct Thread {
    names: &'static [&'static str],
    /// Whether it stays root, as what it opens belongs to root; else it becomes nobody.
    is_root: bool,
    kept: capabilities::Set,
    /// Where it may read files; `None`: everywhere. (With Landlock nothing is told of other
    /// processes, nor are their namespaces entered.)
    reads: Option<&'static [&'static str]>,
    /// Which system calls it has; `None`: all but those of [`calls::OF_ROOT`].
    calls: Option<Calls>,
}

const THREADS: &[Thread] = &[
    Thread {
        names: &["homes"],
        is_root: false,
        kept: capabilities::MAPS,
        reads: Some(&[]),
        calls: Some(Calls::WRITER_OF_MAPS),
    },
    Thread {
        names: &["lookout"],
        is_root: false,
        kept: capabilities::NETLINK,
        reads: Some(&[]),
        calls: Some(Calls::NETLINK),
    },
    Thread {
        names: &["guards", "janitor"],
        is_root: false,
        kept: capabilities::GUARDS,
        reads: None,
        calls: Some(Calls::GUARD),
    },
    Thread {
        names: &["tunnels"],
        is_root: false,
        kept: capabilities::TUNNELS,
        reads: None,
        calls: Some(Calls::ENTERING),
    },
    Thread {
        names: &["tls"],
        is_root: true,
        kept: capabilities::TLS,
        reads: None,
        calls: None,
    },
    Thread {
        names: &["proc-sweep"],
        is_root: false,
        kept: capabilities::PROC,
        reads: None,
        calls: Some(Calls::NO_MORE),
    },
    Thread {
        names: &["docker", "podman", "containerd", "cri"],
        is_root: true,
        kept: capabilities::SOCKETS,
        // Where Podman tells of its containers.
        reads: Some(&["/var/lib/containers", "/run/containers"]),
        calls: Some(Calls::UNIX),
    },
];

/// What threads do first, told their names: nothing when nothing is to be given up.
pub fn beginning(confined: Option<&Confined>) -> fn(&str) {
    if confined.is_some() { begin } else { |_| () }
}

/// The calling thread, called so, keeps what it needs and no more, nor do those that it starts. What
/// the kernel does not offer is left out.
fn begin(name: &str) {
    let is_it = |thread: &&Thread| thread.names.contains(&name);
    let Some(thread) = THREADS.iter().find(is_it) else {
        return;
    };
    if is_root() && !thread.is_root {
        let _ = become_user(Login::named("nobody").as_ref());
    }
    let _ = capabilities::keep(thread.kept);
    let _ = set_no_new_privs(true);
    if let Some(folders) = thread.reads {
        let _ = domain::read_within(folders);
    }
    let _ = match thread.calls {
        Some(calls) => calls::confine(calls).map(drop),
        None => calls::forbid(calls::OF_ROOT),
    };
}

/// The same for the process that takes programs off devices after us.
pub fn begin_janitor() {
    begin("janitor");
}
