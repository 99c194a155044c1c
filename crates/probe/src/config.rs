//! What to capture and how, as the caller wants it.

use std::time::Duration;

use crate::attach::Backend;
use crate::filter::Filter;
use crate::spaces::Namespaces;

/// Which devices are captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interfaces {
    /// All, and those that come later.
    Any,
    /// By name; `NAME@NAMESPACE` in one of several namespaces.
    Named(Vec<String>),
    /// Of each namespace the first that is up and not the loopback, else all.
    First,
}

/// `-Q`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DirectionChoice {
    In,
    Out,
    #[default]
    Both,
}

impl DirectionChoice {
    pub(crate) fn inbound(self) -> bool {
        self != Self::Out
    }

    pub(crate) fn outbound(self) -> bool {
        self != Self::In
    }
}

/// Called by each thread of a capture when it begins, with its name: what it does not need is given
/// up there.
pub type Begin = fn(&str);

/// What to capture and how.
#[derive(Debug)]
pub struct Config {
    pub namespaces: Namespaces,
    pub interfaces: Interfaces,
    /// Most bytes kept of a packet, at most 262144.
    pub snaplen: u32,
    pub direction: DirectionChoice,
    /// Bytes of all rings together; `None`: see [`Live::open`](crate::Live::open).
    pub buffer: Option<u64>,
    /// Wake the reader for every packet instead of for many.
    pub immediate: bool,
    /// Packets stay in the rings so long before they are delivered, unless those are half full.
    pub hold: Duration,
    /// Named devices see packets for others too.
    pub promiscuous: bool,
    pub filter: Filter,
    pub backend: Backend,
    pub begin: Begin,
}
