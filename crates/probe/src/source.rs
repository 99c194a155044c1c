//! Where a capture's events come from: programs in the kernel, or packet sockets.

use pktwho_packet::{Container, Iface, ProcessId};

use crate::{Backend, Config, Counts, Error, Event, Lineage, Live, PacketSockets};

/// One running capture. Dropping it takes everything off the kernel again.
#[derive(Debug, Default)]
pub enum Source {
    Programs(Box<Live>),
    PacketSockets(Box<PacketSockets>),
    /// Another thread has it for a moment, to do what takes privileges.
    #[default]
    Away,
}

impl Source {
    /// By the backend that the configuration names; `Auto` is with programs.
    ///
    /// # Errors
    /// Whatever the kernel refuses; nothing stays attached then.
    pub fn open(config: Config) -> Result<Self, Error> {
        Ok(match config.backend {
            Backend::PacketSocket => Self::PacketSockets(Box::new(PacketSockets::open(config)?)),
            _ => Self::Programs(Box::new(Live::open(config)?)),
        })
    }

    /// The devices captured on so far; an iface's id is its place here.
    pub fn ifaces(&self) -> &[Iface] {
        match self {
            Self::Programs(live) => live.ifaces(),
            Self::PacketSockets(sockets) => sockets.ifaces(),
            Self::Away => &[],
        }
    }

    /// See [`Live::take_holders`]; packet sockets tell of each process when a packet is of it.
    pub fn take_holders(&mut self) -> Vec<ProcessId> {
        match self {
            Self::Programs(live) => live.take_holders(),
            Self::PacketSockets(_) | Self::Away => Vec::new(),
        }
    }

    /// Words for the user about devices that could not be captured on, each once.
    pub fn take_notices(&mut self) -> Vec<String> {
        match self {
            Self::Programs(live) => live.take_notices(),
            Self::PacketSockets(sockets) => sockets.take_notices(),
            Self::Away => Vec::new(),
        }
    }

    /// The next event of those that were there when [`wait`](Self::wait) returned. It is lent
    /// until the next call.
    #[inline]
    pub fn next_event(&mut self) -> Option<Event<'_>> {
        match self {
            Self::Programs(live) => live.next_event(),
            Self::PacketSockets(sockets) => sockets.next_event(),
            Self::Away => None,
        }
    }

    /// Waits until there is something to do, at most 100 ms; then errands may be due.
    ///
    /// # Errors
    /// The kernel does not let us wait.
    pub fn wait(&mut self) -> Result<(), Error> {
        match self {
            Self::Programs(live) => live.wait(),
            Self::PacketSockets(sockets) => sockets.wait(),
            Self::Away => Ok(()),
        }
    }

    /// See [`Live::errands_are_due`].
    pub fn errands_are_due(&mut self) -> bool {
        match self {
            Self::Programs(live) => live.errands_are_due(),
            Self::PacketSockets(sockets) => sockets.errands_are_due(),
            Self::Away => false,
        }
    }

    /// See [`Live::run_errands`].
    ///
    /// # Errors
    /// When devices cannot be followed any more.
    pub fn run_errands(&mut self) -> Result<(), Error> {
        match self {
            Self::Programs(live) => live.run_errands(),
            Self::PacketSockets(sockets) => sockets.run_errands(),
            Self::Away => Ok(()),
        }
    }

    /// Which processes descend from those that the filter names, if that matters; packet sockets
    /// do not know.
    ///
    /// # Errors
    /// The kernel gives no descriptor.
    pub fn lineage(&self) -> Result<Option<Lineage>, Error> {
        match self {
            Self::Programs(live) => live.lineage(),
            Self::PacketSockets(_) | Self::Away => Ok(None),
        }
    }

    /// See [`Live::wants_containers`].
    pub fn wants_containers(&self) -> bool {
        match self {
            Self::Programs(live) => live.wants_containers(),
            Self::PacketSockets(_) | Self::Away => false,
        }
    }

    /// See [`Live::answer_cgroup`].
    pub fn answer_cgroup(&self, cgroup: u64, container: Option<Option<&Container>>, is_told: bool) {
        if let Self::Programs(live) = self {
            live.answer_cgroup(cgroup, container, is_told);
        }
    }

    /// TCP connections that processes named by the owner filter have open; packet sockets do not
    /// know of any.
    pub fn open_connections(&self) -> u64 {
        match self {
            Self::Programs(live) => live.open_connections(),
            Self::PacketSockets(_) | Self::Away => 0,
        }
    }

    /// Counts so far.
    pub fn counts(&mut self) -> Counts {
        match self {
            Self::Programs(live) => live.counts(),
            Self::PacketSockets(sockets) => sockets.counts(),
            Self::Away => Counts::default(),
        }
    }

    /// Nothing more is captured; what was until now can still be read.
    pub fn stop(&mut self) {
        match self {
            Self::Programs(live) => live.stop(),
            Self::PacketSockets(sockets) => sockets.stop(),
            Self::Away => {}
        }
    }
}

/// A thread may have it for a while.
const fn may_move<T: Send>() {}
const _: () = may_move::<Source>();
