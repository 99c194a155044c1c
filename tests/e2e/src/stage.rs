//! Where the rows of the owner table play: one or two namespaces, puppets in them, and a
//! capture of what passes between them.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::judge::{Capture, Standing};
use crate::lab::Lab;
use crate::netns::Netns;
use crate::puppet::{Puppet, Theatre, realtime};
use crate::seen::{Seen, read_file};
use crate::tool::Tool;
use crate::topology;

/// Where clients and servers live and which devices are captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Loopback,
    /// A veth pair, captured on the client's device.
    ClientSide,
    /// A veth pair, captured on the server's device.
    ServerSide,
    /// A veth pair, captured on both devices by an instance each.
    BothSides,
    /// Two namespaces without a way between them, both loopback devices captured.
    Hosts,
    /// A container's veth, a bridge and an uplink with the server behind, captured in the
    /// namespace with the bridge on all its devices by one instance.
    Router,
    /// The same, captured on the container's own device: the server is two namespaces away.
    Behind,
    /// As [`Self::Router`], with masquerading and a published port.
    Nat,
    /// As [`Self::Behind`], with masquerading and a published port.
    BehindNat,
    /// As [`Self::Nat`], captured in the container as well, on all its devices.
    Soak,
    /// A VLAN device on each end of a veth pair, captured on all four by an instance each side.
    Vlan,
    /// The same with a VLAN in a service VLAN (802.1ad).
    QinQ,
    /// The same with a VXLAN tunnel.
    Vxlan,
    /// The same with a GRE tunnel.
    Gre,
    /// The same with a `WireGuard` tunnel.
    WireGuard,
    /// A tun device in each namespace and a process that carries packets between them.
    Tun,
}

/// Why a place cannot be had on this machine.
#[derive(Debug)]
pub struct Lacking(pub String);

impl std::fmt::Display for Lacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Lacking {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Place {
    /// One machine, and two joined by a wire, from every side.
    pub const ALL: &[Self] = &[
        Self::Loopback,
        Self::ClientSide,
        Self::ServerSide,
        Self::BothSides,
    ];
    /// The two of them in which most goes on.
    pub const SMALL: &[Self] = &[Self::Loopback, Self::BothSides];
    pub const WIRE: &[Self] = &[Self::BothSides];

    pub fn name(self) -> &'static str {
        match self {
            Self::Loopback => "lo",
            Self::ClientSide => "client's veth",
            Self::ServerSide => "server's veth",
            Self::BothSides => "both veths",
            Self::Hosts => "two loopbacks",
            Self::Router => "router",
            Self::Behind => "behind router",
            Self::Nat => "NAT router",
            Self::BehindNat => "behind NAT",
            Self::Soak => "everywhere",
            Self::Vlan => "VLAN",
            Self::QinQ => "QinQ",
            Self::Vxlan => "VXLAN",
            Self::Gre => "GRE",
            Self::WireGuard => "WireGuard",
            Self::Tun => "tun",
        }
    }

    /// The last byte of addresses, and the network part, of the client and the server.
    fn networks(self) -> [(&'static str, &'static str, u8); 2] {
        match self {
            Self::Loopback | Self::Hosts => [("127.0.0", "::", 1); 2],
            Self::ClientSide | Self::ServerSide | Self::BothSides => {
                [("10.77.0", "fd00:77::", 1), ("10.77.0", "fd00:77::", 2)]
            }
            Self::Router | Self::Behind | Self::Nat | Self::BehindNat | Self::Soak => {
                [("10.78.1", "fd00:78::", 2), ("10.79.0", "fd00:79::", 2)]
            }
            Self::Vlan | Self::QinQ | Self::Vxlan | Self::Gre | Self::WireGuard | Self::Tun => {
                [("10.80.0", "fd00:80::", 1), ("10.80.0", "fd00:80::", 2)]
            }
        }
    }
}

impl Family {
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    pub fn name(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }

    /// As the puppets' `socket` command takes it.
    pub fn digit(self) -> &'static str {
        match self {
            Self::V4 => "4",
            Self::V6 => "6",
        }
    }
}

/// One play of one row.
pub struct Stage<'a> {
    pub lab: &'a Lab,
    pub place: Place,
    pub family: Family,
    /// The client's namespace; the server's too on loopback.
    pub near: Netns,
    far: Option<Netns>,
    /// What lies between, if anything does.
    pub router: Option<Netns>,
    pub theatre: Theatre,
    /// Processes that the place itself needs.
    helpers: Vec<Puppet>,
    captures: Vec<Running>,
    /// Since when everything must be in the captures.
    pub since: Option<i64>,
    /// Not every device sees everything; each thing must pass at least one of them.
    pub scattered: bool,
}

/// A capture under way, of these devices of one namespace.
struct Running {
    tool: Tool,
    path: PathBuf,
    netns: u64,
    devices: Devices,
}

/// The names of devices, and where each stands.
type Devices = Vec<(&'static str, Standing)>;

/// Enough for every header and tag.
const SNAPLEN: u32 = 2048;

/// Where the rows' servers listen.
pub const PORT: u16 = 7000;

impl<'a> Stage<'a> {
    /// An empty one; `name` is unique among all plays.
    ///
    /// # Errors
    /// [`Lacking`] when this machine has no such place.
    pub fn new(lab: &'a Lab, place: Place, family: Family, name: &str) -> Result<Self> {
        let (near, far, router) = match place {
            Place::Loopback => (Netns::new()?, None, None),
            Place::Hosts => (Netns::new()?, Some(Netns::new()?), None),
            Place::Router | Place::Behind | Place::Nat | Place::BehindNat | Place::Soak => {
                let nat = matches!(place, Place::Nat | Place::BehindNat | Place::Soak);
                let [near, router, far] = topology::routed(nat)?;
                (near, Some(far), Some(router))
            }
            Place::Tun => (Netns::quiet()?, Some(Netns::quiet()?), None),
            _ => {
                let (near, far) = Netns::pair()?;
                (near, Some(far), None)
            }
        };
        let theatre = Theatre::open(&lab.file(&format!("{name}.sock")))?;
        let mut stage = Self {
            lab,
            place,
            family,
            near,
            far,
            router,
            theatre,
            helpers: Vec::new(),
            captures: Vec::new(),
            since: None,
            scattered: false,
        };
        stage.helpers = topology::overlay(&stage)?;
        if stage.relieved()? && stage.far.is_some() {
            // A namespace without a process cannot be found.
            let holders = [stage.client()?, stage.server()?];
            stage.helpers.extend(holders);
        }
        stage.enter_homes()?;
        Ok(stage)
    }

    /// Tells the log where the addresses are.
    fn enter_homes(&self) -> Result<()> {
        let mut log = self.theatre.log.borrow_mut();
        for netns in [Some(&self.near), self.far.as_ref(), self.router.as_ref()] {
            let Some(netns) = netns else { continue };
            let number = netns.inode()?;
            for line in netns.ip("-o addr show")?.lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                let (Some(&"inet" | &"inet6"), Some(address)) = (words.get(2), words.get(3)) else {
                    continue;
                };
                let address = address.split('/').next().unwrap_or_default();
                log.home(address.parse()?, number);
            }
        }
        Ok(())
    }

    pub fn far(&self) -> &Netns {
        self.far.as_ref().unwrap_or(&self.near)
    }

    /// The namespace between the client's and the server's.
    pub fn router(&self) -> Result<&Netns> {
        self.router.as_ref().context("there is no router here")
    }

    /// Which devices of which namespaces are captured.
    fn devices(&self) -> Result<Vec<(&Netns, Devices)>> {
        let (near, far) = (&self.near, self.far());
        let lo = ("lo", Standing::Amid);
        let between = |device| (device, Standing::Between);
        let apart = |device| (device, Standing::Apart);
        let hub = || vec![apart("port0"), apart("br0"), apart("up0")];
        let wire = |device| vec![between(device)];
        Ok(match self.place {
            Place::Loopback => vec![(near, vec![lo])],
            Place::Hosts => vec![(near, vec![lo]), (far, vec![lo])],
            Place::ClientSide | Place::Behind | Place::BehindNat => vec![(near, wire("near0"))],
            Place::ServerSide => vec![(far, wire("far0"))],
            Place::BothSides => vec![(near, wire("near0")), (far, wire("far0"))],
            Place::Router | Place::Nat => vec![(self.router()?, hub())],
            Place::Soak => vec![(near, vec![lo, between("near0")]), (self.router()?, hub())],
            Place::Vlan | Place::QinQ | Place::Vxlan | Place::Gre | Place::WireGuard => vec![
                (near, vec![between("near0"), between("over0")]),
                (far, vec![between("far0"), between("over0")]),
            ],
            Place::Tun => vec![(near, wire("over0")), (far, wire("over0"))],
        })
    }

    /// Starts the captures of this place and waits until they listen.
    pub fn capture(&mut self) -> Result<()> {
        ensure!(self.since.is_none(), "captured already");
        let mut captures = Vec::new();
        for (netns, devices) in self.devices()? {
            let number = self.lab.number();
            let path = self.lab.file(&format!("{number}.pcapng"));
            let device = match devices.as_slice() {
                [(device, _)] => device,
                _ => "any",
            };
            let words = format!("-i {device} -B 32768 -s {SNAPLEN} -w {}", path.display());
            let tool = Tool::listening(self.lab, netns, &words)?;
            if self.relieved()? {
                tool.until_relieved()?;
            }
            captures.push(Running {
                tool,
                path,
                netns: netns.inode()?,
                devices,
            });
        }
        self.captures = captures;
        self.since = Some(realtime()?);
        Ok(())
    }

    /// Whether what is sent is looked at by the devices' hooks alone: after a while it is so, and
    /// these plays wait for it, so that both ways are tried, where the kernel has both.
    fn relieved(&self) -> Result<bool> {
        let one = self.family == Family::V4;
        let one = one && matches!(self.place, Place::Loopback | Place::BothSides);
        Ok(one && self.lab.relieves()?)
    }

    /// What each capturing process has in memory, in KiB.
    pub fn memory(&self) -> Result<Vec<u64>> {
        let captures = self.captures.iter();
        captures.map(|c| c.tool.status_value("VmRSS")).collect()
    }

    /// Ends the captures and gives what each device saw.
    pub fn packets(&mut self) -> Result<Vec<Capture>> {
        let mut all = Vec::new();
        for capture in self.captures.drain(..) {
            let ended = capture.tool.stop()?;
            ended.expect_status(0)?;
            let packets = read_file(&capture.path)?;
            let counts = ended.counts()?;
            ensure!(
                counts.dropped == 0 && counts.captured == packets.len() as u64,
                "{counts:?}, but the file has {} packets",
                packets.len()
            );
            let mut packets = packets;
            for (device, standing) in capture.devices {
                let (here, others) = packets.into_iter().partition(|p: &Seen| p.iface == device);
                packets = others;
                all.push(Capture {
                    standing,
                    netns: capture.netns,
                    packets: here,
                    complete: !self.scattered
                        && !matches!(self.place, Place::Hosts | Place::Soak | Place::WireGuard),
                });
            }
        }
        ensure!(!all.is_empty(), "the row never captured");
        Ok(all)
    }

    /// A puppet at the client's end.
    pub fn client(&self) -> Result<Puppet> {
        self.theatre.enter(&self.lab.puppet, &self.near)
    }

    /// A puppet at the server's end, with another name than the client.
    pub fn server(&self) -> Result<Puppet> {
        let program = self.lab.puppet_named("server")?;
        self.theatre.enter(&program, self.far())
    }

    /// `verb SLOT` with the server's address and port.
    pub fn to_server(&self, verb_and_slot: &str) -> String {
        let address = self.server_address();
        format!("{verb_and_slot} {} {}", address.ip(), address.port())
    }

    /// A socket command for this family.
    pub fn socket(&self, slot: u32, kind: &str) -> String {
        format!("socket {slot} {kind} {}", self.family.digit())
    }

    pub fn server_address(&self) -> SocketAddr {
        SocketAddr::new(self.address(1), PORT)
    }

    /// The client's own address, as it is on its own device.
    pub fn client_ip(&self) -> IpAddr {
        self.address(0)
    }

    /// The address that the router has on the uplink.
    pub fn uplink(&self) -> IpAddr {
        let text = match self.family {
            Family::V4 => "10.79.0.1",
            Family::V6 => "fd00:79::1",
        };
        text.parse().expect("an address")
    }

    fn address(&self, end: usize) -> IpAddr {
        let [client, server] = self.place.networks();
        let (four, six, last) = if end == 0 { client } else { server };
        let text = match self.family {
            Family::V4 => format!("{four}.{last}"),
            Family::V6 => format!("{six}{last}"),
        };
        text.parse().expect("an address")
    }

    /// All addresses of the server's end and its port, for `bind SLOT`.
    pub fn any_address(&self, verb_and_slot: &str) -> String {
        let any = match self.family {
            Family::V4 => "0.0.0.0",
            Family::V6 => "::",
        };
        format!("{verb_and_slot} {any} {PORT}")
    }

    /// A server that listens for TCP in slot 0.
    pub fn tcp_server(&self) -> Result<Puppet> {
        let mut server = self.server()?;
        server.acts(&[
            &self.socket(0, "tcp"),
            &self.any_address("bind 0"),
            "listen 0",
        ])?;
        Ok(server)
    }

    /// A server bound for UDP in slot 0.
    pub fn udp_server(&self) -> Result<Puppet> {
        let mut server = self.server()?;
        server.acts(&[&self.socket(0, "udp"), &self.any_address("bind 0")])?;
        Ok(server)
    }

    /// Connects the client's slot 1 to the server, which accepts into its slot 1.
    pub fn connect(&self, client: &mut Puppet, server: &mut Puppet) -> Result<()> {
        client.act(&self.socket(1, "tcp"))?;
        client.act(&self.to_server("connect 1"))?;
        server.act("accept 0 1")?;
        Ok(())
    }

    /// A program that sends one datagram to the server and exits at once.
    pub fn send_and_vanish(&self, name: &str) -> Result<()> {
        let program = self.lab.puppet_named(name)?;
        let address = self.server_address();
        let (ip, port) = (address.ip().to_string(), address.port().to_string());
        let begin = realtime()?;
        let arguments = ["once", "udp", &ip, &port];
        let (pid, status) = self.near.within(|| {
            let mut child = std::process::Command::new(&program)
                .args(arguments)
                .spawn()?;
            Ok((child.id(), child.wait()?))
        })?;
        ensure!(status.success(), "{name}: {status}");
        let mut log = self.theatre.log.borrow_mut();
        let parent = std::process::id();
        log.vanished(&program, &arguments, pid, parent, begin)
            .context("entering it")
    }
}
