//! The log of the truth, and what it says of a packet: which processes may rightly be named
//! as its sender and its receiver.
//!
//! The rule: a socket belongs to the process that used it last (`socket` calls do not count;
//! `bind`, `listen`, `connect`, `accept`, sending and receiving do). While a call is under
//! way, the one before and the one that calls are both right. Before `accept` returns, the
//! new connection belongs to the listener's owner; a process that waits in `accept` is as
//! right as the one that opened the listener. A packet that carries a puppet's tag was sent by
//! the process in the tag and by no other; if the harness knows on which sockets the tag was
//! received, it is received by the owners of those and by no others. A SYN belongs to the
//! listener that the connection was accepted from.
//!
//! An address belongs to the network namespaces that have it, a loopback address to the one in
//! which the packet was captured: sockets elsewhere are not asked. Addresses that NAT has put
//! in place of others stand for those ([`Log::alias`]).
//!
//! What the kernel sends of its own accord (echo replies, ICMP errors, a closed port's RST) has
//! no sender. An echo reply is received by the process that sent the request, an error by the
//! one that sent the packet it is about.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::dissect::{Kind, Segment, Tag};

/// How far the clocks of packets and puppets may be apart, in nanoseconds.
const SLACK: i64 = 50_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    Tcp,
    Udp,
    /// ICMP of either family; the port is an echo request's identifier.
    Echo,
    /// One without ports; the port is the protocol's number.
    Raw(u8),
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
    /// The socket's inode number, the same for all who hold it.
    pub socket: u64,
    /// The listener that it was accepted from.
    pub listener: Option<u64>,
    /// The inode number of its network namespace.
    pub netns: u64,
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

/// Who may rightly be named at one end of a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    pub pids: BTreeSet<u32>,
    /// Nobody is right, too.
    pub nobody: bool,
}

impl From<BTreeSet<u32>> for Allowed {
    fn from(pids: BTreeSet<u32>) -> Self {
        let nobody = pids.is_empty();
        Self { pids, nobody }
    }
}

/// All that was done.
#[derive(Debug, Default)]
pub struct Log {
    /// By protocol and local port.
    uses: HashMap<(Protocol, u16), Vec<Use>>,
    /// Where each tagged payload was received: the socket and the process that took it out.
    pub received: HashMap<Tag, Vec<(u64, u32)>>,
    /// The namespaces that have an address; all when it is not entered.
    homes: HashMap<IpAddr, HashSet<u64>>,
    aliases: HashMap<(Protocol, SocketAddr), SocketAddr>,
    /// Who made packets by hand that come from an address.
    crafted: HashMap<(Protocol, SocketAddr), BTreeSet<u32>>,
    images: HashMap<u32, Vec<Image>>,
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
    /// Enters a use of a socket.
    pub fn used(&mut self, used: Use) {
        let key = (used.protocol, used.local.port());
        self.uses.entry(key).or_default().push(used);
    }

    /// Enters a tunnel's socket, which is the kernel's own. What it sends and receives may also be
    /// said to be that of the processes there whose packets it carries.
    pub fn kernel(&mut self, protocol: Protocol, local: SocketAddr, netns: u64) {
        let always = Span {
            begin: 0,
            end: i64::MAX - SLACK,
        };
        self.used(Use {
            // Processes' sockets have other numbers.
            socket: 0,
            listener: None,
            netns,
            protocol,
            local,
            remote: None,
            pid: 0,
            span: always,
            waits: false,
        });
    }

    /// The uses of sockets at an address.
    fn uses_at(&self, protocol: Protocol, local: SocketAddr) -> impl Iterator<Item = &Use> {
        let here = self.uses.get(&(protocol, local.port()));
        here.into_iter()
            .flatten()
            .filter(move |used| matches(used.local, local))
    }

    /// Enters what a process is from now on.
    pub fn image(&mut self, image: Image) {
        self.images.entry(image.pid).or_default().push(image);
    }

    /// How many processes there were, each anew when it became another program.
    pub fn processes(&self) -> u64 {
        self.images.values().map(|images| images.len() as u64).sum()
    }

    /// Enters a process that another one forked and that is, but for its pid, what that was.
    pub fn forked(&mut self, parent: u32, child: u32, span: Span) {
        if let Some(image) = self.images.get(&parent).and_then(|images| images.last()) {
            let facts = Facts {
                parent,
                ..image.facts.clone()
            };
            self.image(Image {
                pid: child,
                span,
                facts,
            });
        }
    }

    /// Enters the namespace of an address.
    pub fn home(&mut self, address: IpAddr, netns: u64) {
        self.homes.entry(address).or_default().insert(netns);
    }

    /// Enters that on some way packets carry `seen` in place of `real`.
    pub fn alias(&mut self, protocol: Protocol, seen: SocketAddr, real: SocketAddr) {
        if seen != real {
            self.aliases.insert((protocol, seen), real);
        }
    }

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
        parent: u32,
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
            parent,
            uid: nix::unistd::geteuid().as_raw(),
        };
        self.image(Image { pid, span, facts });
        self.sent.push(Sent {
            pid,
            number: 1,
            time: begin,
        });
        Ok(())
    }

    /// Who may be named as the packet's sender; nobody when no process sent it. `netns`: where
    /// it was captured.
    pub fn senders(&self, segment: &Segment, netns: u64, time: i64) -> Allowed {
        match (&segment.kind, segment.tag()) {
            (Kind::EchoReply | Kind::Error(_), _) => Allowed::from(BTreeSet::new()),
            (_, Some(Tag { pid, .. })) => BTreeSet::from([pid]).into(),
            _ => {
                let ends = (segment.source, segment.destination);
                let right = self.holders(segment.protocol, ends, netns, time, None);
                self.or_crafted(right, segment.protocol, segment.source)
            }
        }
    }

    /// Who may be named as the packet's receiver.
    pub fn receivers(&self, segment: &Segment, netns: u64, time: i64) -> Allowed {
        match (&segment.kind, segment.tag()) {
            (Kind::EchoRequest, _) => Allowed::from(BTreeSet::new()),
            (Kind::EchoReply, Some(Tag { pid, .. })) => BTreeSet::from([pid]).into(),
            (Kind::Error(inner), _) => self.senders(inner, netns, time),
            (_, tag) => {
                let known = tag.and_then(|tag| self.received.get(&tag));
                let ends = (segment.destination, segment.source);
                let mut right = self.holders(segment.protocol, ends, netns, time, known);
                right.extend(known.into_iter().flatten().map(|(_, pid)| pid));
                self.or_crafted(right, segment.protocol, segment.destination)
            }
        }
    }

    /// Enters a packet made by hand from this address.
    pub fn crafted(&mut self, protocol: Protocol, from: SocketAddr, pid: u32) {
        self.crafted
            .entry((protocol, from))
            .or_default()
            .insert(pid);
    }

    /// Where no socket is: what the kernel answers in the name of a packet made by hand, and
    /// what is sent back to it, may be said to be its maker's.
    fn or_crafted(&self, right: BTreeSet<u32>, protocol: Protocol, end: SocketAddr) -> Allowed {
        match self.crafted.get(&(protocol, end)) {
            Some(makers) if right.is_empty() => Allowed {
                pids: makers.clone(),
                nobody: true,
            },
            _ => right.into(),
        }
    }

    /// Whether the log knows either end.
    pub fn knows(&self, segment: &Segment) -> bool {
        if let Kind::Error(inner) = &segment.kind {
            return self.knows(inner);
        }
        let end = |local: SocketAddr| {
            let local = self.real(segment.protocol, local);
            self.uses_at(segment.protocol, local).next().is_some()
        };
        segment.tag().is_some() || end(segment.source) || end(segment.destination)
    }

    /// The address behind one that NAT has put in its place.
    pub fn real(&self, protocol: Protocol, address: SocketAddr) -> SocketAddr {
        let real = self.aliases.get(&(protocol, address));
        real.copied().unwrap_or(address)
    }

    /// The facts any of which may be given of a process at a time.
    pub fn facts(&self, pid: u32, time: i64) -> Vec<&Facts> {
        let mut right = Vec::new();
        for image in self.images.get(&pid).into_iter().flatten() {
            if image.span.over(time) {
                right.clear();
            }
            if image.span.begun(time) || right.is_empty() {
                right.push(&image.facts);
            }
        }
        right
    }

    /// Who may be said to own the socket at the first of two addresses. `received`: on which
    /// sockets, when that is known.
    fn holders(
        &self,
        protocol: Protocol,
        ends: (SocketAddr, SocketAddr),
        netns: u64,
        time: i64,
        received: Option<&Vec<(u64, u32)>>,
    ) -> BTreeSet<u32> {
        let (local, remote) = (self.real(protocol, ends.0), self.real(protocol, ends.1));
        let there = |used: &&Use| {
            self.lives(used, local.ip(), netns)
                && received.is_none_or(|all| all.iter().any(|(socket, _)| *socket == used.socket))
        };
        let here: Vec<&Use> = self.uses_at(protocol, local).filter(there).collect();
        let peer = |used: &Use| used.remote.map(|address| self.real(protocol, address));
        let connection: Vec<&Use> = here
            .iter()
            .copied()
            .filter(|used| peer(used) == Some(remote))
            .collect();
        if let Some(tunnel) = here.iter().find(|used| used.pid == 0) {
            let uses = self.uses.values().flatten();
            let there = uses.filter(|used| used.netns == tunnel.netns);
            return there.map(|used| used.pid).collect();
        }
        let (mut right, settled) = at(&connection, time);
        if !settled {
            let listeners: HashSet<u64> = connection.iter().filter_map(|u| u.listener).collect();
            let open: Vec<&Use> = here
                .into_iter()
                .filter(|used| used.remote.is_none())
                .filter(|used| listeners.is_empty() || listeners.contains(&used.socket))
                .collect();
            right.extend(at(&open, time).0);
        }
        right
    }

    /// Whether a socket is in a namespace where packets to this address go.
    fn lives(&self, used: &Use, address: IpAddr, netns: u64) -> bool {
        if address.is_loopback() {
            return used.netns == netns;
        }
        let homes = self.homes.get(&address);
        homes.is_none_or(|homes| homes.contains(&used.netns))
    }
}

/// Who is right at a time among uses, and whether one of them had its socket for good.
fn at(uses: &[&Use], time: i64) -> (BTreeSet<u32>, bool) {
    let mut last: HashMap<u64, &Use> = HashMap::new();
    let mut right = BTreeSet::new();
    for used in uses.iter().filter(|used| used.span.begun(time)) {
        if !used.span.over(time) {
            right.insert(used.pid);
        } else if !used.waits
            && last
                .get(&used.socket)
                .is_none_or(|last| last.span.end <= used.span.end)
        {
            last.insert(used.socket, used);
        }
    }
    right.extend(last.values().map(|used| used.pid));
    (right, !last.is_empty())
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
            socket: u64::from(remote.is_some()),
            listener: None,
            netns: 0,
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
        let mut log = Log::default();
        log.used(used(1, None, 0, 1, false));
        log.used(used(2, None, 10, 20, true));
        log.used(used(2, Some(peer), 10, 20, false));
        log.used(used(3, Some(peer), 30, 40, false));
        let check = |milliseconds: i64, expected: &[u32]| {
            let holders = log.holders(
                Protocol::Tcp,
                ("10.0.0.1:80".parse().unwrap(), peer.parse().unwrap()),
                0,
                milliseconds * 1_000_000,
                None,
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
        let segment = datagram();
        let senders = Log::default().senders(&segment, 0, 0);
        assert_eq!(senders, BTreeSet::from([9]).into());
        let receivers = Log::default().receivers(&segment, 0, 0);
        assert_eq!(receivers, BTreeSet::new().into());
    }

    fn datagram() -> Segment {
        Segment {
            kind: Kind::Plain,
            protocol: Protocol::Udp,
            source: "10.0.0.1:1".parse().unwrap(),
            destination: "10.0.0.2:2".parse().unwrap(),
            flags: 0,
            payload: b"pktwho pid=9 n=1|".to_vec(),
            inside: false,
        }
    }

    /// Three sockets have the address: one in another namespace, and two of which one is known
    /// to have received the payload.
    #[test]
    fn where_it_was_received_and_where_the_address_is() {
        let mut log = Log::default();
        for (pid, socket, netns) in [(1, 11, 5), (2, 12, 5), (3, 13, 6)] {
            log.used(Use {
                socket,
                netns,
                protocol: Protocol::Udp,
                local: "0.0.0.0:2".parse().unwrap(),
                ..used(pid, None, 0, 1, false)
            });
        }
        let receivers = |log: &Log| log.receivers(&datagram(), 6, 1_000_000_000).pids;
        assert_eq!(receivers(&log), BTreeSet::from([1, 2, 3]));
        log.home("10.0.0.2".parse().unwrap(), 5);
        assert_eq!(receivers(&log), BTreeSet::from([1, 2]));
        log.received
            .insert(datagram().tag().unwrap(), vec![(12, 2)]);
        assert_eq!(receivers(&log), BTreeSet::from([2]));
    }

    #[test]
    fn an_address_in_place_of_another() {
        let mut log = Log::default();
        log.used(used(4, Some("10.0.0.9:5"), 0, 1, false));
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        log.alias(Protocol::Tcp, address("1.2.3.4:99"), address("10.0.0.1:80"));
        let segment = Segment {
            protocol: Protocol::Tcp,
            source: address("1.2.3.4:99"),
            destination: address("10.0.0.9:5"),
            payload: Vec::new(),
            ..datagram()
        };
        let senders = log.senders(&segment, 0, 1_000_000_000);
        assert_eq!(senders, BTreeSet::from([4]).into());
    }
}
