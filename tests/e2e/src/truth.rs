//! The log of the truth, and what it says of a packet: which processes may rightly be named
//! as its sender and its receiver.
//!
//! The rule: a socket belongs to the process that used it last (`socket` calls do not count;
//! `bind`, `listen`, `connect`, `accept`, sending and receiving do). While a call is under
//! way, the one before and the one that calls are both right. Before `accept` returns, the
//! new connection belongs to the listener's owner; a process that waits in `accept` is as
//! right as the one that opened the listener. A packet that carries a puppet's tag was sent by
//! the process in the tag and by no other.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::dissect::{Segment, Tag};

/// How far the clocks of packets and puppets may be apart, in nanoseconds.
const SLACK: i64 = 50_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Tcp,
    Udp,
}

/// From when to when, in nanoseconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub begin: i64,
    pub end: i64,
}

impl Span {
    fn over(self, time: i64) -> bool {
        self.end + SLACK < time
    }

    fn begun(self, time: i64) -> bool {
        self.begin - SLACK <= time
    }
}

/// One use of a socket by a process.
#[derive(Clone, Debug)]
pub struct Use {
    pub protocol: Protocol,
    pub local: SocketAddr,
    /// `None` for listeners and unconnected sockets.
    pub remote: Option<SocketAddr>,
    pub pid: u32,
    pub span: Span,
    /// It only waited there: right meanwhile, not afterwards.
    pub waits: bool,
}

/// What a process is, from one exec or fork on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub name: Vec<u8>,
    pub exe: Vec<u8>,
    pub args: Vec<Vec<u8>>,
    pub parent: u32,
    pub uid: u32,
}

/// The facts of a process, and when they became true.
#[derive(Clone, Debug)]
pub struct Image {
    pub pid: u32,
    pub span: Span,
    pub facts: Facts,
}

/// A tagged payload that must be seen.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub pid: u32,
    pub number: u32,
    /// When the call began.
    pub time: i64,
}

/// A handshake that must be seen.
#[derive(Clone, Copy, Debug)]
pub struct Connected {
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub span: Span,
}

/// All that was done.
#[derive(Debug, Default)]
pub struct Log {
    pub uses: Vec<Use>,
    pub images: Vec<Image>,
    pub sent: Vec<Sent>,
    pub connected: Vec<Connected>,
}

impl Image {
    /// What `/proc` says of a process that stands still.
    pub fn of(pid: u32, span: Span) -> Result<Self> {
        let file = |name: &str| fs::read(format!("/proc/{pid}/{name}"));
        let status = String::from_utf8_lossy(&file("status")?).into_owned();
        let number = |name: &str, column: usize| -> Result<u32> {
            let line = status.lines().find(|line| line.starts_with(name));
            let word = line.and_then(|line| line.split_whitespace().nth(column));
            Ok(word.with_context(|| format!("no {name}"))?.parse()?)
        };
        let mut args: Vec<Vec<u8>> = file("cmdline")?
            .split(|byte| *byte == 0)
            .map(<[u8]>::to_vec)
            .collect();
        args.pop();
        let exe = fs::read_link(format!("/proc/{pid}/exe"))?;
        let facts = Facts {
            name: file("comm")?.trim_ascii_end().to_vec(),
            exe: exe.as_os_str().as_bytes().to_vec(),
            args,
            parent: number("PPid:", 1)?,
            uid: number("Uid:", 2)?,
        };
        Ok(Self { pid, span, facts })
    }
}

impl Log {
    /// Enters a TCP connection made.
    pub fn connected(
        &mut self,
        protocol: Protocol,
        local: Option<SocketAddr>,
        remote: Option<SocketAddr>,
        span: Span,
    ) {
        if let (Protocol::Tcp, Some(local), Some(remote)) = (protocol, local, remote) {
            self.connected.push(Connected {
                local,
                remote,
                span,
            });
        }
    }

    /// Enters a program of ours that sent one datagram and is gone; nobody could ask `/proc`.
    pub fn vanished(
        &mut self,
        program: &Path,
        arguments: &[&str],
        pid: u32,
        begin: i64,
    ) -> Result<()> {
        let exe = program.as_os_str().as_bytes();
        let name = program.file_name().context("no file name")?.as_bytes();
        let words = arguments.iter().map(|word| word.as_bytes().to_vec());
        let span = Span { begin, end: begin };
        let facts = Facts {
            name: name.iter().take(15).copied().collect(),
            exe: exe.to_vec(),
            args: std::iter::once(exe.to_vec()).chain(words).collect(),
            parent: std::process::id(),
            uid: nix::unistd::geteuid().as_raw(),
        };
        self.images.push(Image { pid, span, facts });
        self.sent.push(Sent {
            pid,
            number: 1,
            time: begin,
        });
        Ok(())
    }

    /// The pids any of which may be named as the packet's sender; none when no process sent it.
    pub fn senders(&self, segment: &Segment, time: i64) -> BTreeSet<u32> {
        match segment.tag() {
            Some(Tag { pid, .. }) => BTreeSet::from([pid]),
            None => self.holders(segment.protocol, segment.source, segment.destination, time),
        }
    }

    /// The pids any of which may be named as the packet's receiver.
    pub fn receivers(&self, segment: &Segment, time: i64) -> BTreeSet<u32> {
        self.holders(segment.protocol, segment.destination, segment.source, time)
    }

    /// Whether the log knows either end.
    pub fn knows(&self, segment: &Segment) -> bool {
        let end = |local: SocketAddr| {
            self.uses
                .iter()
                .any(|used| used.protocol == segment.protocol && matches(used.local, local))
        };
        end(segment.source) || end(segment.destination) || segment.tag().is_some()
    }

    /// The facts any of which may be given of a process at a time.
    pub fn facts(&self, pid: u32, time: i64) -> Vec<&Facts> {
        let mut right = Vec::new();
        for image in self.images.iter().filter(|image| image.pid == pid) {
            if image.span.over(time) {
                right.clear();
            }
            if image.span.begun(time) || right.is_empty() {
                right.push(&image.facts);
            }
        }
        right
    }

    fn holders(
        &self,
        protocol: Protocol,
        local: SocketAddr,
        remote: SocketAddr,
        time: i64,
    ) -> BTreeSet<u32> {
        let here = |used: &&Use| used.protocol == protocol && matches(used.local, local);
        let connection = self.uses.iter().filter(here);
        let connection = connection.filter(|used| used.remote == Some(remote));
        let (mut right, settled) = at(connection, time);
        if !settled {
            let open = self.uses.iter().filter(here);
            right.extend(at(open.filter(|used| used.remote.is_none()), time).0);
        }
        right
    }
}

/// Who is right at a time among uses of one socket, and whether one of them had it for good.
fn at<'a>(uses: impl Iterator<Item = &'a Use>, time: i64) -> (BTreeSet<u32>, bool) {
    let mut last: Option<&Use> = None;
    let mut right = BTreeSet::new();
    for used in uses.filter(|used| used.span.begun(time)) {
        if !used.span.over(time) {
            right.insert(used.pid);
        } else if !used.waits && last.is_none_or(|last| last.span.end <= used.span.end) {
            last = Some(used);
        }
    }
    right.extend(last.map(|used| used.pid));
    (right, last.is_some())
}

/// Whether a socket bound here has this address; the unspecified address has them all.
fn matches(bound: SocketAddr, address: SocketAddr) -> bool {
    bound.port() == address.port() && (bound.ip() == address.ip() || bound.ip().is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(pid: u32, remote: Option<&str>, begin: i64, end: i64, waits: bool) -> Use {
        Use {
            protocol: Protocol::Tcp,
            local: "10.0.0.1:80".parse().unwrap(),
            remote: remote.map(|remote| remote.parse().unwrap()),
            pid,
            span: Span {
                begin: begin * 1_000_000,
                end: end * 1_000_000,
            },
            waits,
        }
    }

    /// A master (1) listens, a worker (2) waits in accept and gets the connection, hands it
    /// to its child (3), which receives.
    #[test]
    fn a_connection_goes_from_hand_to_hand() {
        let peer = "10.0.0.2:4000";
        let log = Log {
            uses: vec![
                used(1, None, 0, 1, false),
                used(2, None, 10, 20, true),
                used(2, Some(peer), 10, 20, false),
                used(3, Some(peer), 30, 40, false),
            ],
            ..Log::default()
        };
        let check = |milliseconds: i64, expected: &[u32]| {
            let holders = log.holders(
                Protocol::Tcp,
                "10.0.0.1:80".parse().unwrap(),
                peer.parse().unwrap(),
                milliseconds * 1_000_000,
            );
            let expected = expected.iter().copied().collect::<BTreeSet<_>>();
            assert_eq!(holders, expected, "at {milliseconds} ms");
        };
        check(5, &[1]);
        check(15, &[1, 2]);
        check(25, &[2]);
        check(35, &[2, 3]);
        check(45, &[3]);
    }

    #[test]
    fn a_tag_is_stricter_than_the_log() {
        let segment = Segment {
            protocol: Protocol::Udp,
            source: "10.0.0.1:1".parse().unwrap(),
            destination: "10.0.0.2:2".parse().unwrap(),
            flags: 0,
            payload: b"pktwho pid=9 n=1|".to_vec(),
        };
        assert_eq!(Log::default().senders(&segment, 0), BTreeSet::from([9]));
        assert!(Log::default().receivers(&segment, 0).is_empty());
    }
}
