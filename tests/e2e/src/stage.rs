//! Where the rows of the owner table play: one or two namespaces, puppets in them, and a
//! capture of what passes between them.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::lab::Lab;
use crate::netns::Netns;
use crate::puppet::{Puppet, Theatre, realtime};
use crate::seen::{Seen, read_file};
use crate::tool::Tool;

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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Place {
    pub const ALL: [Self; 4] = [
        Self::Loopback,
        Self::ClientSide,
        Self::ServerSide,
        Self::BothSides,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Loopback => "lo",
            Self::ClientSide => "client's veth",
            Self::ServerSide => "server's veth",
            Self::BothSides => "both veths",
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
    pub theatre: Theatre,
    captures: Vec<(Tool, PathBuf)>,
    /// Since when everything must be in the captures.
    pub since: Option<i64>,
}

/// Where the rows' servers listen.
pub const PORT: u16 = 7000;

impl<'a> Stage<'a> {
    /// An empty one; `name` is unique among all plays.
    pub fn new(lab: &'a Lab, place: Place, family: Family, name: &str) -> Result<Self> {
        let (near, far) = if place == Place::Loopback {
            (Netns::new()?, None)
        } else {
            let (near, far) = Netns::pair()?;
            (near, Some(far))
        };
        let theatre = Theatre::open(&lab.file(&format!("{name}.sock")))?;
        Ok(Self {
            lab,
            place,
            family,
            near,
            far,
            theatre,
            captures: Vec::new(),
            since: None,
        })
    }

    pub fn far(&self) -> &Netns {
        self.far.as_ref().unwrap_or(&self.near)
    }

    /// Starts the captures of this place and waits until they listen.
    pub fn capture(&mut self) -> Result<()> {
        ensure!(self.since.is_none(), "captured already");
        let near = (&self.near, "near0");
        let far = (self.far(), "far0");
        let devices = match self.place {
            Place::Loopback => vec![(&self.near, "lo")],
            Place::ClientSide => vec![near],
            Place::ServerSide => vec![far],
            Place::BothSides => vec![near, far],
        };
        let mut captures = Vec::new();
        for (netns, device) in devices {
            let number = self.lab.number();
            let path = self.lab.file(&format!("{number}-{device}.pcapng"));
            let words = format!("-i {device} -w {}", path.display());
            captures.push((Tool::listening(self.lab, netns, &words)?, path));
        }
        self.captures = captures;
        self.since = Some(realtime()?);
        Ok(())
    }

    /// Ends the captures and gives each one's packets.
    pub fn packets(&mut self) -> Result<Vec<Vec<Seen>>> {
        let mut all = Vec::new();
        for (tool, path) in self.captures.drain(..) {
            let ended = tool.stop()?;
            ended.expect_status(0)?;
            let packets = read_file(&path)?;
            let counts = ended.counts()?;
            ensure!(
                counts.dropped == 0 && counts.captured == packets.len() as u64,
                "{counts:?}, but the file has {} packets",
                packets.len()
            );
            all.push(packets);
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
        let text = match (self.place, self.family) {
            (Place::Loopback, Family::V4) => "127.0.0.1",
            (Place::Loopback, Family::V6) => "::1",
            (_, Family::V4) => "10.77.0.2",
            (_, Family::V6) => "fd00:77::2",
        };
        SocketAddr::new(text.parse().expect("an address"), PORT)
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
        log.vanished(&program, &arguments, pid, begin)
            .context("entering it")
    }
}
