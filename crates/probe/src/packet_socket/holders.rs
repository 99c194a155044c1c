//! Which process holds which socket, as `/proc` tells: without eBPF nobody tells it of a packet.
//!
//! A socket is found by its addresses and then by whose descriptor it is. Both are true of the
//! moment of looking only, so that an owner is a guess in any case: a short-lived socket is
//! missed, one that several processes hold is given to the youngest of them.
//!
//! Source: proc(5), `net/tcp`, `net/udp` and `PID/fd`.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use pktwho_packet::{Confidence, OwnerFacts, ProcessId, ThreadName};
use rustc_hash::{FxHashMap, FxHashSet};
use rustix::io::Errno;

use super::tuple::{Protocol, Tuple};
use crate::netlink::Socket;
use crate::{clock, reach};

/// Not more often than this, and not more than a twentieth of a processor: a look in which the thread
/// was stopped, by ^Z say, does not put off the next.
const PAUSE: Duration = Duration::from_millis(50);
const SHARE: u32 = 20;
/// Sockets that are gone are remembered for so many looks, for their last packets.
const LOOKS_MAX: u32 = 20;
/// Sockets known at most; those beyond are nobody's.
const SOCKETS_MAX: usize = 1 << 18;
/// Clock ticks of `/proc/PID/stat` are 10 ms for every reader.
const TICK_NS: u64 = 10_000_000;

/// One end of a socket, and the other when it is connected.
type Place = (Protocol, SocketAddr, Option<SocketAddr>);

/// The sockets of our network namespace and the processes that hold them.
#[derive(Debug)]
pub struct Holders {
    sockets: FxHashMap<Place, Known>,
    addresses: FxHashSet<IpAddr>,
    looks: u32,
    looked: Option<Instant>,
    /// What the last look had of a processor.
    used: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    who: OwnerFacts,
    look: u32,
}

impl Holders {
    pub fn new() -> Self {
        Self {
            sockets: FxHashMap::default(),
            addresses: FxHashSet::default(),
            looks: 0,
            looked: None,
            used: Duration::ZERO,
        }
    }

    /// Whether the last look was not a moment ago.
    pub fn refresh_is_due(&self) -> bool {
        let pause = PAUSE.max(self.used * SHARE);
        self.looked.is_none_or(|last| last.elapsed() >= pause)
    }

    /// Looks again, unless that was done a moment ago.
    pub fn refresh(&mut self) {
        if !self.refresh_is_due() {
            return;
        }
        let before = clock::used();
        self.look();
        self.used = clock::used().saturating_sub(before);
        self.looked = Some(Instant::now());
    }

    /// Looks at once.
    pub fn look(&mut self) {
        self.looks += 1;
        if let Ok(addresses) = addresses() {
            self.addresses = addresses;
        }
        let (now, oldest) = (self.looks, self.looks.saturating_sub(LOOKS_MAX));
        self.sockets.retain(|_, known| known.look >= oldest);
        let holders = holders();
        for (file, protocol) in [
            ("tcp", Protocol::Tcp),
            ("tcp6", Protocol::Tcp),
            ("udp", Protocol::Udp),
            ("udp6", Protocol::Udp),
        ] {
            // IPv6 may be off.
            let text = fs::read(format!("/proc/net/{file}")).unwrap_or_default();
            for line in text.split(|&byte| byte == b'\n').skip(1) {
                let Some((local, remote, inode)) = socket(line) else {
                    continue;
                };
                if let Some(&who) = holders.get(&inode)
                    && self.sockets.len() < SOCKETS_MAX
                {
                    let known = Known { who, look: now };
                    self.sockets.insert((protocol, local, remote), known);
                }
            }
        }
    }

    /// Who has sent such a packet, if it comes from here.
    pub fn sender(&self, tuple: &Tuple) -> Option<OwnerFacts> {
        self.find(tuple.protocol, tuple.from, tuple.to, false)
    }

    /// Who will receive it, if it is for us. `to_many`: it is a broadcast or multicast.
    pub fn receiver(&self, tuple: &Tuple, to_many: bool) -> Option<OwnerFacts> {
        self.find(tuple.protocol, tuple.to, tuple.from, to_many)
    }

    fn find(
        &self,
        protocol: Protocol,
        local: SocketAddr,
        remote: SocketAddr,
        to_many: bool,
    ) -> Option<OwnerFacts> {
        let get = |local, remote| self.sockets.get(&(protocol, local, remote));
        let any = |ip: IpAddr| SocketAddr::new(ip, local.port());
        let unbound = || {
            let ip = local.ip();
            let is_ours = to_many || ip.is_loopback() || self.addresses.contains(&ip);
            let v4 = any(Ipv4Addr::UNSPECIFIED.into());
            let v6 = any(Ipv6Addr::UNSPECIFIED.into());
            let own = if local.is_ipv4() { v4 } else { v6 };
            is_ours.then(|| get(own, None).or_else(|| get(v6, None)))?
        };
        let known = get(local, Some(remote)).or_else(|| get(local, None));
        known.or_else(unbound).map(|known| known.who)
    }
}

/// The addresses of this network namespace.
fn addresses() -> Result<FxHashSet<IpAddr>, Errno> {
    let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
    let answer = Socket::open(0)?.dump(request)?;
    let address = |message| match message {
        RouteNetlinkMessage::NewAddress(message) => reach::local_address(&message),
        _ => None,
    };
    Ok(answer.into_iter().filter_map(address).collect())
}

/// One line of `/proc/net/tcp` and its like: local address, remote one when connected, inode.
fn socket(line: &[u8]) -> Option<(SocketAddr, Option<SocketAddr>, u64)> {
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace().skip(1);
    let local = address(words.next()?)?;
    let remote = address(words.next()?)?;
    let inode = words.nth(6)?.parse().ok().filter(|&inode| inode != 0)?;
    Some((
        local,
        Some(remote).filter(|remote| remote.port() != 0),
        inode,
    ))
}

/// `0100007F:1F90`: words of the host's order, in hexadecimal digits.
fn address(word: &str) -> Option<SocketAddr> {
    let (ip, port) = word.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let number = |digits: &str| u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes);
    let ip: IpAddr = if ip.len() == 8 {
        number(ip)?.into()
    } else {
        let mut bytes = [0; 16];
        for (at, to) in bytes.chunks_exact_mut(4).enumerate() {
            to.copy_from_slice(&number(ip.get(8 * at..8 * at + 8)?)?);
        }
        IpAddr::from(bytes).to_canonical()
    };
    Some(SocketAddr::new(ip, port))
}

/// Whose descriptors sockets are, by inode number; of several processes the youngest.
fn holders() -> FxHashMap<u64, OwnerFacts> {
    let mut found: FxHashMap<u64, OwnerFacts> = FxHashMap::default();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // Hidden from us, or gone.
        let Ok(descriptors) = fs::read_dir(entry.path().join("fd")) else {
            continue;
        };
        let mut who = None;
        for descriptor in descriptors.flatten() {
            let Some(inode) = fs::read_link(descriptor.path())
                .ok()
                .and_then(|link| inode_of(link.as_os_str().as_bytes()))
            else {
                continue;
            };
            if who.is_none() {
                who = process(pid);
            }
            let Some(who) = who else { break };
            let known = found.entry(inode).or_insert(who);
            if known.process.start < who.process.start {
                *known = who;
            }
        }
    }
    found
}

/// `socket:[12345]`
fn inode_of(link: &[u8]) -> Option<u64> {
    let digits = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn process(pid: u32) -> Option<OwnerFacts> {
    let folder = format!("/proc/{pid}");
    let stat = fs::read(format!("{folder}/stat")).ok()?;
    // The name may hold spaces and parentheses.
    let open = stat.iter().position(|&byte| byte == b'(')?;
    let close = stat.iter().rposition(|&byte| byte == b')')?;
    let name = stat.get(open + 1..close)?;
    let rest = std::str::from_utf8(stat.get(close + 1..)?).ok()?;
    let ticks: u64 = rest.split_ascii_whitespace().nth(19)?.parse().ok()?;
    Some(OwnerFacts {
        process: ProcessId {
            pid,
            start: ticks.saturating_mul(TICK_NS),
        },
        tid: pid,
        uid: fs::metadata(&folder).ok()?.uid(),
        thread: ThreadName::new(name),
        confidence: Confidence::Guess,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream, UdpSocket};

    #[test]
    fn lines_are_read() {
        let check = |line: &str, expected: Option<(&str, Option<&str>, u64)>| {
            let found = socket(line.as_bytes());
            let expected = expected.map(|(local, remote, inode)| {
                let read = |text: &str| text.parse().unwrap();
                (read(local), remote.map(read), inode)
            });
            assert_eq!(found, expected, "{line}");
        };
        if cfg!(target_endian = "little") {
            check(
                "   0: 0100007F:1F90 0200000A:0050 01 00000000:00000000 00:00000000 00000000 0 0 77 1",
                Some(("127.0.0.1:8080", Some("10.0.0.2:80"), 77)),
            );
            check(
                "  1: 0000000000000000FFFF00000100007F:0016 00000000000000000000000000000000:0000 \
                 0A 0:0 00:0 0 0 0 8",
                Some(("127.0.0.1:22", None, 8)),
            );
        }
        check("   0: 0100007F:1F90 0200000A:0050 01", None);
        check("", None);
        check("  x: zz:1 0:0 0 0 0 0 0 0 1", None);
    }

    #[test]
    fn this_process_holds_its_sockets() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let udp = UdpSocket::bind("0.0.0.0:0").unwrap();
        let mut holders = Holders::new();
        holders.refresh();
        let tuple = |protocol, from, to| Tuple { protocol, from, to };
        let (near, far) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        let pid = |who: Option<OwnerFacts>| who.map(|who| who.process.pid);
        let own = Some(std::process::id());
        assert_eq!(pid(holders.sender(&tuple(Protocol::Tcp, near, far))), own);
        let elsewhere = "192.0.2.7:9".parse().unwrap();
        let to = |ip: &str| SocketAddr::new(ip.parse().unwrap(), udp.local_addr().unwrap().port());
        let receiver = |ip: &str, to_many| {
            pid(holders.receiver(&tuple(Protocol::Udp, elsewhere, to(ip)), to_many))
        };
        assert_eq!(receiver("127.0.0.1", false), own);
        // Somebody else's address, whatever its port.
        assert_eq!(receiver("192.0.2.8", false), None);
        assert_eq!(receiver("224.0.0.5", true), own);
    }
}
