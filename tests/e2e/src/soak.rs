//! Random scenes by a seeded program: sockets, forks, execs, passed descriptors, NAT, sudden
//! ends, for as long as wanted; every packet judged by the log of the truth. Nobody may be
//! named wrongly, nothing may be missing, and the memory of the tool must not grow.

pub mod packets;

use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use crate::cases::Outcome;
use crate::judge::{Sort, Tally, grouped, judge_all};
use crate::lab::Lab;
use crate::puppet::Puppet;
use crate::stage::{Family, Place, Stage};
use crate::truth::Protocol;

/// How long, and which program.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub duration: Duration,
    pub seed: u64,
    /// Tell what is empty, too.
    pub verbose: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(20),
            seed: 1,
            verbose: false,
        }
    }
}

/// How much more memory than after the first quarter, in KiB, is no growth: the allocator's and
/// the kernel's own coming and going.
const SLACK_KIB: u64 = 4096;

/// From this length on the memory has to be flat: what is remembered of processes that are gone is full
/// before the first scene, and from half of the time on there is no more growth than this, in KiB.
const LONG: Duration = Duration::from_mins(2);
const FLAT_KIB: u64 = 2048;

/// What is gone is remembered, so many processes at most, each in about a KiB.
pub const REMEMBERED: u64 = 16_384;

/// Processes and threads that were made since the machine started (`proc_stat(5)`).
pub fn forked() -> Result<u64> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat
        .lines()
        .find_map(|line| line.strip_prefix("processes "));
    Ok(line.context("/proc/stat has no processes")?.parse()?)
}

/// Marsaglia's xorshift: the same scenes for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Less than `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % end.max(1)
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn size(&mut self) -> u64 {
        40 + self.below(2000)
    }
}

/// Where an actor lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    /// In the container.
    Inside,
    Router,
    /// Behind the uplink.
    Outside,
}

struct Show<'a> {
    stage: Stage<'a>,
    random: Random,
    /// Those that wait for their next scene.
    idle: Vec<(Home, Puppet)>,
    scenes: u16,
}

/// One scene's two parties and the address that the client uses.
struct Cast {
    from: Home,
    to: Home,
    client: Puppet,
    server: Puppet,
    address: SocketAddr,
}

/// Plays, judges, and gives the figures in words.
///
/// # Errors
/// Somebody was named wrongly, something is missing, or the memory grew.
pub fn run(lab: &Lab, options: &Options) -> Result<String> {
    let name = format!("soak-{}", lab.number());
    let mut stage = Stage::new(lab, Place::Soak, Family::V4, &name)?;
    stage.capture()?;
    let is_long = options.duration >= LONG;
    if is_long {
        fill_the_memory(&stage)?;
    }
    let mut show = Show {
        stage,
        random: Random::new(options.seed),
        idle: Vec::new(),
        scenes: 0,
    };
    let start = Instant::now();
    let mut early = None;
    while start.elapsed() < options.duration {
        let number = show.scenes;
        show.scene()
            .with_context(|| format!("seed {}, scene {number}", options.seed))?;
        let part = if is_long { 2 } else { 4 };
        if early.is_none() && start.elapsed() > options.duration / part {
            early = Some((show.stage.memory()?, show.processes()));
        }
    }
    let (early, before) = early.unwrap_or_default();
    let late = show.stage.memory()?;
    let begun = (show.processes() - before).min(REMEMBERED);
    show.idle.clear();
    let captures = show.stage.packets()?;
    let since = show.stage.since.context("not captured")?;
    let mut complaints = Vec::new();
    let sum = judge_all(
        &show.stage.theatre.log.borrow(),
        since,
        &captures,
        &mut complaints,
    );
    let mut figures = figures(&show, &sum, &early, &late);
    if options.verbose && !complaints.is_empty() {
        figures = format!("{figures}\n{}", grouped(&complaints).join("\n"));
    }
    complaints.retain(|complaint| matches!(complaint.sort, Sort::Wrong | Sort::Missing));
    ensure!(
        complaints.is_empty(),
        "seed {}: {figures}\n{}",
        options.seed,
        grouped(&complaints).join("\n")
    );
    for (early, late) in early.iter().zip(&late) {
        let growth = if is_long { FLAT_KIB } else { begun + SLACK_KIB };
        let allowed = early + growth;
        ensure!(*late <= allowed, "memory grows: {figures}");
    }
    Ok(figures)
}

/// Has as many processes come and go as are remembered, and some more; they are called as the actors are.
fn fill_the_memory(stage: &Stage<'_>) -> Result<()> {
    let program = stage.lab.puppet_named("a-process")?;
    for _ in 0..REMEMBERED + REMEMBERED / 8 {
        let mut process = Command::new(&program);
        process.stdin(Stdio::null()).stdout(Stdio::null());
        process.stderr(Stdio::null()).arg("nowhere").status()?;
    }
    Ok(())
}

/// The case of the end-to-end tests.
pub fn case(lab: &Lab) -> Result<Outcome> {
    run(lab, &Options::default()).map(Outcome::Measured)
}

fn figures(show: &Show<'_>, sum: &Tally, early: &[u64], late: &[u64]) -> String {
    let ends = |ends: crate::judge::Ends| {
        format!(
            "{} right, {} empty, {} guessed, {} wrong",
            ends.right, ends.empty, ends.guessed, ends.wrong
        )
    };
    format!(
        "{} scenes, {} processes, {} packets; near: {}; far: {}; missing: {}; memory {early:?} then {late:?} KiB",
        show.scenes,
        show.processes(),
        sum.packets,
        ends(sum.near),
        ends(sum.far),
        sum.missing
    )
}

impl Show<'_> {
    /// How many processes have begun, or begun anew by exec.
    fn processes(&self) -> u64 {
        self.stage.theatre.log.borrow().processes()
    }

    fn scene(&mut self) -> Result<()> {
        self.scenes = self.scenes.wrapping_add(1);
        self.stage.family = if self.random.one_in(2) {
            Family::V4
        } else {
            Family::V6
        };
        match self.random.below(8) {
            0 => self.vanished(),
            1 | 2 => self.datagrams(),
            _ => self.connection(),
        }
    }

    /// An idle actor, or a new one.
    fn actor(&mut self, home: Home) -> Result<Puppet> {
        if let Some(at) = self.idle.iter().position(|(lives, _)| *lives == home) {
            return Ok(self.idle.swap_remove(at).1);
        }
        let (netns, name) = match home {
            Home::Inside => (&self.stage.near, "inside"),
            Home::Router => (self.stage.router()?, "router"),
            Home::Outside => (self.stage.far(), "outside"),
        };
        let program = self.stage.lab.puppet_named(name)?;
        self.stage.theatre.enter(&program, netns)
    }

    /// Sends an actor to rest, or away.
    fn rest(&mut self, home: Home, puppet: Puppet) -> Result<()> {
        if self.random.one_in(6) {
            return puppet.exit();
        }
        self.idle.push((home, puppet));
        Ok(())
    }

    /// A server's own address and the one that clients elsewhere use for it.
    fn addresses(&self, from: Home, to: Home) -> (IpAddr, IpAddr) {
        let stage = &self.stage;
        match (from, to) {
            (Home::Outside, Home::Inside) => (stage.client_ip(), stage.uplink()),
            (_, Home::Inside) => (stage.client_ip(), stage.client_ip()),
            _ => (stage.server_address().ip(), stage.server_address().ip()),
        }
    }

    /// Two parties; each scene has a port of its own, and what NAT does to it is entered.
    fn cast(&mut self, kind: &str, protocol: Protocol) -> Result<Cast> {
        let (from, to) = match self.random.below(5) {
            0 => (Home::Inside, Home::Inside),
            1 => (Home::Inside, Home::Outside),
            2 => (Home::Outside, Home::Inside),
            3 => (Home::Router, Home::Inside),
            _ => (Home::Router, Home::Outside),
        };
        let (mut server, mut client) = (self.actor(to)?, self.actor(from)?);
        let port = 20_000 + self.scenes % 12_000;
        let (own, address) = self.addresses(from, to);
        let mut log = self.stage.theatre.log.borrow_mut();
        log.alias(protocol, (address, port).into(), (own, port).into());
        drop(log);
        let any = match self.stage.family {
            Family::V4 => "0.0.0.0",
            Family::V6 => "::",
        };
        server.acts(&[&self.stage.socket(0, kind), &format!("bind 0 {any} {port}")])?;
        client.act(&self.stage.socket(1, kind))?;
        // Not among the ports that the container's clients get, for which the router stands in.
        if from == Home::Router {
            client.act(&format!("bind 1 {any} {}", 8_100 + self.scenes % 11_000))?;
        }
        Ok(Cast {
            from,
            to,
            client,
            server,
            address: (address, port).into(),
        })
    }

    /// A client inside is seen with the router's address outside.
    fn translated(&self, cast: &Cast, protocol: Protocol, seen: SocketAddr) -> Result<()> {
        if (cast.from, cast.to) == (Home::Inside, Home::Outside) {
            let mut real = cast.client.local(1)?;
            real.set_ip(self.stage.client_ip());
            self.stage
                .theatre
                .log
                .borrow_mut()
                .alias(protocol, seen, real);
        }
        Ok(())
    }

    fn exchange(&mut self, one: &mut Puppet, other: &mut Puppet) -> Result<()> {
        for _ in 0..=self.random.below(3) {
            one.act(&format!("send 1 {}", self.random.size()))?;
            other.act("recv 1")?;
            other.act(&format!("send 1 {}", self.random.size()))?;
            one.act("recv 1")?;
        }
        Ok(())
    }

    fn connection(&mut self) -> Result<()> {
        let mut cast = self.cast("tcp", Protocol::Tcp)?;
        let (ip, port) = (cast.address.ip(), cast.address.port());
        cast.server.act("listen 0")?;
        cast.client.act(&format!("connect 1 {ip} {port}"))?;
        cast.server.act("accept 0 1")?;
        let seen = cast.server.remote(1)?;
        self.translated(&cast, Protocol::Tcp, seen)?;
        if !self.random.one_in(3) {
            self.exchange(&mut cast.client, &mut cast.server)?;
        }
        match self.random.below(6) {
            0 => self.forked_server(&mut cast)?,
            1 => self.forked_client(&mut cast)?,
            2 => self.passed(&mut cast)?,
            3 => {
                let program = self.stage.lab.puppet_named("became-another")?;
                cast.client = self.stage.theatre.exec(cast.client, &program)?;
                self.exchange(&mut cast.client, &mut cast.server)?;
                close(&mut cast.client, &mut cast.server)?;
            }
            4 => {
                cast.client.act("reset 1")?;
                cast.server.act("close 1")?;
            }
            _ => {
                self.exchange(&mut cast.client, &mut cast.server)?;
                if self.random.one_in(4) {
                    cast.client.signal(Signal::SIGKILL)?;
                    cast.server.acts(&["recv 1", "close 1", "close 0"])?;
                    return self.rest(cast.to, cast.server);
                }
                close(&mut cast.client, &mut cast.server)?;
            }
        }
        cast.server.act("close 0")?;
        self.rest(cast.to, cast.server)?;
        self.rest(cast.from, cast.client)
    }

    fn forked_server(&mut self, cast: &mut Cast) -> Result<()> {
        let mut child = self.stage.theatre.fork(&mut cast.server)?;
        cast.server.act("close 1")?;
        child.act("close 0")?;
        self.exchange(&mut cast.client, &mut child)?;
        close(&mut cast.client, &mut child)
    }

    fn forked_client(&mut self, cast: &mut Cast) -> Result<()> {
        let mut child = self.stage.theatre.fork(&mut cast.client)?;
        cast.client.act("close 1")?;
        self.exchange(&mut child, &mut cast.server)?;
        close(&mut child, &mut cast.server)
    }

    fn passed(&mut self, cast: &mut Cast) -> Result<()> {
        let mut taker = self.actor(cast.to)?;
        let mailbox = self
            .stage
            .lab
            .file(&format!("{}.mail", self.stage.lab.number()));
        taker.act(&format!("mailbox {}", mailbox.display()))?;
        cast.server.act(&format!("pass 1 {}", mailbox.display()))?;
        taker.receive(&cast.server, 1)?;
        cast.server.act("close 1")?;
        self.exchange(&mut cast.client, &mut taker)?;
        close(&mut cast.client, &mut taker)?;
        self.rest(cast.to, taker)
    }

    fn datagrams(&mut self) -> Result<()> {
        let mut cast = self.cast("udp", Protocol::Udp)?;
        let (ip, port) = (cast.address.ip(), cast.address.port());
        let connected = self.random.one_in(2);
        if connected {
            cast.client.act(&format!("connect 1 {ip} {port}"))?;
        }
        let child = if self.random.one_in(3) {
            Some(self.stage.theatre.fork(&mut cast.server)?)
        } else {
            None
        };
        let mut child = child;
        for _ in 0..=self.random.below(4) {
            let size = self.random.size().min(1200);
            if connected {
                cast.client.act(&format!("send 1 {size}"))?;
            } else {
                cast.client.act(&format!("sendto 1 {ip} {port} {size}"))?;
            }
            let other = self.random.one_in(2);
            let server = match child.as_mut() {
                Some(child) if other => child,
                _ => &mut cast.server,
            };
            let from = server.act("recvfrom 0")?.peer()?;
            server.act(&format!("sendto 0 {} {} 90", from.ip(), from.port()))?;
            self.translated(&cast, Protocol::Udp, from)?;
            cast.client.act("recvfrom 1")?;
        }
        drop(child);
        cast.client.act("close 1")?;
        cast.server.act("close 0")?;
        self.rest(cast.to, cast.server)?;
        self.rest(cast.from, cast.client)
    }

    /// Programs that are gone after a datagram.
    fn vanished(&mut self) -> Result<()> {
        let mut server = self.actor(Home::Outside)?;
        let any = self.stage.any_address("bind 0");
        server.acts(&[&self.stage.socket(0, "udp"), &any])?;
        for _ in 0..=self.random.below(3) {
            self.stage.send_and_vanish("vanished")?;
            server.act("recvfrom 0")?;
        }
        server.act("close 0")?;
        self.rest(Home::Outside, server)
    }
}

/// The first closes first, the other when it has seen that.
fn close(one: &mut Puppet, other: &mut Puppet) -> Result<()> {
    one.act("close 1")?;
    other.acts(&["recv 1", "close 1"])
}
