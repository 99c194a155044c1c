//! What can go wrong between us and the kernel, with the facts to say so.

use std::io;
use std::path::PathBuf;

/// Everything `probe` fails with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No device of that name; the text is tcpdump's.
    #[error("{name}: No such device exists")]
    NoDevice { name: String },
    /// The device's link layer is one we cannot capture (`arphrd`: `ARPHRD_…` of `linux/if_arp.h`).
    #[error("{name}: link-layer type {arphrd} is not supported")]
    LinkLayer { name: String, arphrd: u16 },
    /// No network namespace of that name, path or process.
    #[error("{name}: No such network namespace exists")]
    NoNetns { name: String },
    /// That path leads to something else.
    #[error("{name}: not a network namespace")]
    NotNetns { name: String },
    /// A network namespace could not be entered or followed.
    #[error("cannot enter the network namespace {name}: {source}")]
    Netns { name: String, source: io::Error },
    /// No process with that id runs.
    #[error("pid {pid}: No such process")]
    NoProcess { pid: u32 },
    /// The filter cannot be applied, in words for the user.
    #[error("{reason}")]
    Filter { reason: String },
    /// The kernel refused an operation for lack of privileges.
    #[error("{what}: {source}")]
    Permission { what: String, source: io::Error },
    /// The eBPF programs were not accepted by this kernel.
    #[error("cannot load the eBPF programs: {reason}")]
    Load { reason: String },
    /// Owners are kept from the root of the cgroup2 hierarchy on, which is not to be had.
    #[error(
        "no cgroup2 file system is mounted here that can be opened, nor can one be mounted: {source}"
    )]
    Cgroup { source: io::Error },
    /// This kernel is too old for it; `since`: the version that brought it.
    #[error("the kernel has no {what} (Linux {since})")]
    Lacks {
        what: &'static str,
        since: &'static str,
    },
    /// The file that was named for the kernel's types.
    #[error("{}: {source}", path.display())]
    Types { path: PathBuf, source: io::Error },
    /// A program could not be attached to a device.
    #[error("cannot attach to {name}: {source}")]
    Attach { name: String, source: io::Error },
    /// Anything else the system refused.
    #[error("{what}: {source}")]
    System {
        what: &'static str,
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn system(what: &'static str) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |errno| Self::System {
            what,
            source: errno.into(),
        }
    }

    pub(crate) fn system_io(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::System { what, source }
    }

    /// Whether the kernel takes no programs of ours, for whatever reason: a capture without them
    /// may work.
    pub fn is_about_programs(&self) -> bool {
        match self {
            Self::Load { .. } | Self::Permission { .. } | Self::Cgroup { .. } => true,
            Self::System { .. } | Self::Attach { .. } => self.is_permission(),
            _ => false,
        }
    }

    /// Whether a device has gone before it could be attached to.
    pub(crate) fn is_gone(&self) -> bool {
        let errno = match self {
            Self::Attach { source, .. } => source.raw_os_error(),
            _ => None,
        };
        errno == Some(rustix::io::Errno::NODEV.raw_os_error())
    }

    /// Whether no way leads to a network namespace: it is gone, or nobody can be found in it now.
    pub(crate) fn is_out_of_reach(&self) -> bool {
        matches!(self, Self::Netns { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether more privileges would have helped.
    pub fn is_permission(&self) -> bool {
        match self {
            Self::Permission { .. } => true,
            Self::Attach { source, .. }
            | Self::Cgroup { source }
            | Self::System { source, .. }
            | Self::Netns { source, .. } => source.kind() == io::ErrorKind::PermissionDenied,
            _ => false,
        }
    }
}
