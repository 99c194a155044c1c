//! The rows of the owner table. To add a case: one function, one entry in [`ROWS`].
//!
//! A row does things with puppets, whose every act is entered in the log of the truth, and
//! starts the capture (`stage.capture`) at the point it is about.

mod groups;
mod icmp;
mod nat;
mod raw;
mod scale;
mod shapes;
mod tcp;
mod ways;

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};

use crate::lab::{PATIENCE, until};
use crate::puppet::Puppet;
use crate::stage::{Family, PORT, Place, Stage};

/// One case of the table.
pub struct Row {
    pub name: &'static str,
    pub about: &'static str,
    pub play: fn(&mut Stage<'_>) -> Result<()>,
    pub places: &'static [Place],
    pub families: &'static [Family],
    pub gap: Option<Gap>,
}

/// What a row is known to lack. Nothing else may be missing in it, and it is shown as what it is.
pub struct Gap {
    pub why: &'static str,
    /// Ends that may be empty: words that all stand in a complaint's `about`, as
    /// `far reply receiver`.
    pub empty: &'static [&'static str],
    /// Ends at which another process is named today. An error of ours, never a limit.
    pub wrong: &'static [&'static str],
}

/// Where and in which families a row is played.
struct Scope(&'static [Place], &'static [Family]);

const ALL: Scope = Scope(Place::ALL, &Family::ALL);
const SMALL: Scope = Scope(Place::SMALL, &Family::ALL);
const LO: Scope = Scope(&[Place::Loopback], &Family::ALL);
const LO4: Scope = Scope(&[Place::Loopback], &[Family::V4]);
const WIRE: Scope = Scope(Place::WIRE, &Family::ALL);
const WIRE4: Scope = Scope(Place::WIRE, &[Family::V4]);
const WIRE6: Scope = Scope(Place::WIRE, &[Family::V6]);
const ROUTER: Scope = Scope(&[Place::Router], &Family::ALL);
const BEHIND: Scope = Scope(&[Place::Behind], &Family::ALL);
const NAT: Scope = Scope(&[Place::Nat], &Family::ALL);
const NAT_ALL: Scope = Scope(&[Place::Nat, Place::BehindNat], &Family::ALL);
const BEHIND_NAT: Scope = Scope(&[Place::BehindNat], &Family::ALL);
const VLAN: Scope = Scope(&[Place::Vlan, Place::QinQ], &Family::ALL);
const VXLAN: Scope = Scope(&[Place::Vxlan], &Family::ALL);
const GRE: Scope = Scope(&[Place::Gre], &Family::ALL);
const WIREGUARD: Scope = Scope(&[Place::WireGuard], &Family::ALL);
const TUN: Scope = Scope(&[Place::Tun], &Family::ALL);
const HOSTS: Scope = Scope(&[Place::Hosts], &Family::ALL);

macro_rules! rows {
    ($($name:literal, $play:path, $scope:expr, $about:literal $(, gap $gap:expr)?;)*) => {
        &[$(Row {
            name: $name,
            about: $about,
            play: $play,
            places: $scope.0,
            families: $scope.1,
            gap: rows!(@gap $($gap)?),
        }),*]
    };
    (@gap) => { None };
    (@gap $gap:expr) => { Some($gap) };
}

/// All rows, in the order in which they are played and printed.
pub const ROWS: &[Row] = rows! {
    "tcp-new", tcp_new, ALL, "connection and both processes begin after the capture";
    "tcp-old-processes", tcp_old_processes, ALL, "processes before, sockets after the capture began";
    "tcp-old-listener", tcp_old_listener, ALL, "an idle listener from before the capture";
    "tcp-old", tcp_old, ALL, "a connection from before the capture";
    "tcp-server-closes", tcp_server_closes, ALL, "the server closes first, the client much later";
    "tcp-reset", tcp_reset, ALL, "a connection ended by RST";
    "tcp-refused", tcp_refused, ALL, "a closed port: its RST has no sender";
    "tcp-exit", tcp_exit, ALL, "a process exits with its connection open";
    "tcp-many", tcp_many, ALL, "many connections, one after the other and open together";
    "tcp-bulk", tcp_bulk, ALL, "large writes that wait for the reader: sent from softirq";
    "udp-connected", udp_connected, ALL, "request and response, connected client";
    "udp-unconnected", udp_unconnected, ALL, "request and response, unconnected client";
    "udp-old", udp_old, ALL, "sockets used before the capture";
    "udp-old-idle", udp_old_idle, ALL, "sockets bound before the capture and never used";
    "fork-reads", fork_reads, ALL, "forked server whose child reads, then writes";
    "fork-greets", fork_greets, ALL, "forked server whose child writes first";
    "fork-corked", fork_corked, ALL, "forked server whose child writes what leaves later";
    "fork-old", fork_old, ALL, "a child takes over a connection from before the capture";
    "prefork", prefork, ALL, "several workers wait in accept on one listener";
    "prefork-quiet", prefork_quiet, ALL, "the same, and accept does not ask for the peer's address";
    "fork-no-exec", fork_no_exec, ALL, "a child without exec opens sockets of its own";
    "exec-inside", exec_inside, ALL, "exec during a connection";
    "vanished", vanished, ALL, "gone before anyone looks";
    "passed", passed, ALL, "a connection passed over a unix socket";
    "thread", thread, ALL, "sent by a thread with a name of its own";
    "tcp-killed", tcp::killed, SMALL, "killed with unread data: RST";
    "tcp-time-wait", tcp::time_wait, WIRE, "ACK of a connection in TIME_WAIT";
    "tcp-half-open", tcp::half_open, SMALL, "SYN-ACK of a request socket that nobody completes";
    "tcp-orphan", tcp::orphan, SMALL, "gone before its data has left";
    "tcp-keepalive", tcp::keepalive, WIRE4, "probes that a timer sends";
    "dual-stack", tcp::dual_stack, SMALL, "servers of IPv6 that take IPv4";
    "bound-to-device", tcp::bound_to_device, SMALL, "sockets bound to a device";
    "bound-to-device-old", tcp::bound_before, SMALL, "the same, bound before the capture and never used";
    "bound-beside", groups::bound_beside, SMALL, "two processes on a port, one bound to a device";
    "mptcp", tcp::multipath, SMALL, "multipath TCP, and a child that takes over";
    "ping", icmp::ping, SMALL, "echo by a ping socket: request and reply";
    "ping-raw", icmp::ping_raw, SMALL, "echo by raw sockets of two processes, told apart by identifier";
    "ping-old", icmp::ping_old, SMALL, "both sorts of echo sockets from before the capture";
    "ping-same-identifier", icmp::ping_twins, WIRE, "the same identifier on both sides";
    "port-unreachable", icmp::port_unreachable, SMALL, "the error belongs to the process that sent";
    "too-big", icmp::too_big, ROUTER, "fragmentation needed, said by a router";
    "raw-protocol", raw::protocol, SMALL, "raw sockets with a protocol number of their own";
    "raw-protocol-old", raw::protocol_before, SMALL, "the same, from before the capture";
    "raw-forges", raw::forges, WIRE, "a header made by hand, with another process's address and port";
    "raw-forges-lo", raw::forges, LO, "the same on loopback";
    "raw-forges-tcp", raw::forges_tcp, WIRE, "a segment made by hand in another process's connection";
    "raw-forges-tcp-lo", raw::forges_tcp, LO, "the same on loopback";
    "packet-socket", raw::packet_socket, WIRE, "frames made by hand, with another process's address and port";
    "udp-reuseport", groups::udp_reuseport, SMALL, "four processes share a UDP port";
    "tcp-reuseport", groups::tcp_reuseport, SMALL, "four processes listen on one TCP port";
    "udp-workers", groups::udp_workers, SMALL, "several workers wait on one UDP socket";
    "udp-specific", groups::udp_specific, SMALL, "two processes on a port, one for all addresses";
    "udp-per-client", groups::udp_per_client, SMALL, "a connected socket for each client on the server's port";
    "multicast-one", groups::multicast_one, WIRE, "a group with one receiver";
    "multicast-many", groups::multicast_many, WIRE, "a group with three receivers, one beside the sender";
    "broadcast", groups::broadcast, WIRE4, "broadcast to two receivers";
    "two-protocols", groups::two_protocols, SMALL, "TCP and UDP of other processes on the same ports";
    "two-hosts", groups::two_hosts, HOSTS, "two namespaces, the same loopback address and port, at once";
    "routed", nat::outbound, ROUTER, "through a bridge and a router";
    "behind-router", nat::outbound, BEHIND, "the same, seen by the client";
    "nat-masquerade", nat::outbound, NAT, "the router takes its own address for the client's";
    "nat-behind", nat::outbound, BEHIND_NAT, "the same, seen by the client";
    "nat-collision", nat::collision, NAT, "and another port, because a process of its own has that";
    "nat-handed-over", nat::handed_over, NAT, "the server's child goes on with a translated connection";
    "nat-published", nat::published, NAT, "a published port of the container's";
    "nat-published-reset", nat::published_reset, NAT_ALL, "a connection to it from before the capture, ended by RST";
    "nat-hairpin", nat::hairpin, NAT, "the container asks for its own published port";
    "nat-errors", nat::errors, NAT, "ICMP errors and echo through NAT";
    "user-space-proxy", nat::proxy, ROUTER, "a process on the router hands the bytes on";
    "fragments", shapes::fragments, WIRE, "datagrams in several packets";
    "fragments-echo", shapes::fragmented_echo, WIRE, "an echo in several packets";
    "extension-headers", shapes::extension_headers, WIRE6, "IPv6 options before TCP and UDP";
    "io-uring", ways::io_uring, SMALL, "sent and received by io_uring, in three contexts";
    "io-uring-inherited", ways::io_uring_inherited, SMALL, "the same by a child on its parent's connection";
    "sendfile", ways::sendfile, SMALL, "sendfile and splice, in and out";
    "sendfile-inherited", ways::sendfile_inherited, SMALL, "the same by a child on its parent's connection";
    "inherited-udp", ways::inherited, SMALL, "parent and child use one UDP socket by turns";
    "late-neighbour", ways::late_neighbour, WIRE4, "a child sends first, to a neighbour not yet known";
    "passed-udp", ways::passed, SMALL, "a UDP socket passed over a unix socket, used by both";
    "pid-reuse", scale::pid_reuse, SMALL, "six processes with one process id";
    "processes-10000", scale::processes, LO4, "ten thousand processes send on one socket";
    "flows-100000", scale::flows, LO4, "more flows than any table holds, on a shared port";
    "vlan", nat::outbound, VLAN, "a VLAN device, and one in a service VLAN";
    "vxlan", nat::outbound, VXLAN, "a VXLAN tunnel, inside and outside";
    "gre", nat::outbound, GRE, "a GRE tunnel, inside and outside";
    "wireguard", nat::outbound, WIREGUARD, "a WireGuard tunnel: inside the processes, outside the kernels";
    "tun", nat::outbound, TUN, "devices without a link layer, and a process that carries packets";
};

/// Rows in which nobody can know the owner for a while, so that a wrong name is allowed when it
/// is marked as a guess. prefork-quiet: no hook tells which worker took the connection out of
/// the listener until that worker uses it. late-neighbour: at the device somebody else is current.
pub const GUESSED: &[&str] = &["prefork-quiet", "late-neighbour"];

/// Two rounds of request and response on slot 1 of both.
fn exchange(client: &mut Puppet, server: &mut Puppet) -> Result<()> {
    for _ in 0..2 {
        client.act("send 1 100")?;
        server.act("recv 1")?;
        server.act("send 1 900")?;
        client.act("recv 1")?;
    }
    Ok(())
}

/// The client closes first, the server when it has seen that.
fn close_both(client: &mut Puppet, server: &mut Puppet) -> Result<()> {
    client.act("close 1")?;
    server.acts(&["recv 1", "close 1"])
}

fn tcp_new(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    exchange(&mut client, &mut server)?;
    close_both(&mut client, &mut server)
}

fn tcp_old_processes(stage: &mut Stage<'_>) -> Result<()> {
    let (mut client, mut server) = (stage.client()?, stage.server()?);
    stage.capture()?;
    server.acts(&[
        &stage.socket(0, "tcp"),
        &stage.any_address("bind 0"),
        "listen 0",
    ])?;
    // The worker waits in accept before the client comes.
    server.begin("accept 0 1")?;
    client.act(&stage.socket(1, "tcp"))?;
    client.act(&stage.to_server("connect 1"))?;
    server.end()?;
    exchange(&mut client, &mut server)?;
    close_both(&mut client, &mut server)
}

fn tcp_old_listener(stage: &mut Stage<'_>) -> Result<()> {
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    stage.capture()?;
    stage.connect(&mut client, &mut server)?;
    exchange(&mut client, &mut server)?;
    close_both(&mut client, &mut server)
}

fn tcp_old(stage: &mut Stage<'_>) -> Result<()> {
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    exchange(&mut client, &mut server)?;
    stage.capture()?;
    exchange(&mut client, &mut server)?;
    close_both(&mut client, &mut server)
}

fn tcp_server_closes(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    exchange(&mut client, &mut server)?;
    server.act("close 1")?;
    client.acts(&["recv 1", "send 1 50"])?;
    // The other end is closed: what was sent is answered by RST.
    client.act("close 1")?;
    Ok(())
}

fn tcp_reset(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    exchange(&mut client, &mut server)?;
    client.act("reset 1")?;
    Ok(())
}

fn tcp_refused(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "tcp"))?;
    let any = stage.any_address("bind 1");
    client.act(&any.replace(&PORT.to_string(), "7001"))?;
    let refused = client.act(&stage.to_server("connect 1"));
    ensure!(refused.is_err(), "somebody listens");
    Ok(())
}

fn tcp_exit(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    exchange(&mut client, &mut server)?;
    client.exit()?;
    server.acts(&["recv 1", "close 1"])
}

fn tcp_many(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut clients = [stage.client()?, stage.client()?];
    for _ in 0..5 {
        for client in &mut clients {
            stage.connect(client, &mut server)?;
            exchange(client, &mut server)?;
            close_both(client, &mut server)?;
        }
    }
    for slot in 1..6 {
        for (number, client) in (0..).zip(&mut clients) {
            let theirs = 10 + slot * 2 + number;
            client.act(&stage.socket(slot, "tcp"))?;
            client.act(&stage.to_server(&format!("connect {slot}")))?;
            server.act(&format!("accept 0 {theirs}"))?;
            client.act(&format!("send {slot} 300"))?;
            server.acts(&[&format!("recv {theirs}"), &format!("send {theirs} 300")])?;
            client.act(&format!("recv {slot}"))?;
        }
    }
    Ok(())
}

fn tcp_bulk(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    // Far more than the windows hold: most of it leaves when the peer's ACKs arrive.
    client.begin("flood 1 40 60000")?;
    let mut received = 0;
    while received < 40 * 60_000 {
        received += server.act("recv 1")?.number()?;
    }
    client.end()?;
    close_both(&mut client, &mut server)
}

fn udp_connected(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "udp"))?;
    client.act(&stage.to_server("connect 1"))?;
    for _ in 0..3 {
        client.act("send 1 64")?;
        answer(&mut server)?;
        client.act("recv 1")?;
    }
    Ok(())
}

fn udp_unconnected(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "udp"))?;
    ask(stage, &mut client, &mut server)
}

/// Three rounds from the client's unconnected slot 1.
fn ask(stage: &Stage<'_>, client: &mut Puppet, server: &mut Puppet) -> Result<()> {
    for _ in 0..3 {
        client.act(&format!("{} 64", stage.to_server("sendto 1")))?;
        answer(server)?;
        client.act("recvfrom 1")?;
    }
    Ok(())
}

/// The server receives a datagram and answers its sender, whose address it gives.
fn answer(server: &mut Puppet) -> Result<SocketAddr> {
    let from = server.act("recvfrom 0")?.peer()?;
    server.act(&format!("sendto 0 {} {} 80", from.ip(), from.port()))?;
    Ok(from)
}

fn udp_old(stage: &mut Stage<'_>) -> Result<()> {
    let mut server = stage.udp_server()?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "udp"))?;
    ask(stage, &mut client, &mut server)?;
    stage.capture()?;
    ask(stage, &mut client, &mut server)
}

fn udp_old_idle(stage: &mut Stage<'_>) -> Result<()> {
    let mut server = stage.udp_server()?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "udp"))?;
    client.act(&stage.to_server("connect 1"))?;
    stage.capture()?;
    client.act("send 1 64")?;
    answer(&mut server)?;
    client.act("recv 1")?;
    Ok(())
}

fn fork_reads(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    for _ in 0..3 {
        stage.connect(&mut client, &mut server)?;
        let mut child = stage.theatre.fork(&mut server)?;
        server.act("close 1")?;
        child.act("close 0")?;
        exchange(&mut client, &mut child)?;
        close_both(&mut client, &mut child)?;
    }
    Ok(())
}

fn fork_greets(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    for _ in 0..3 {
        stage.connect(&mut client, &mut server)?;
        let mut child = stage.theatre.fork(&mut server)?;
        server.act("close 1")?;
        child.acts(&["close 0", "send 1 120"])?;
        client.act("recv 1")?;
        exchange(&mut client, &mut child)?;
        close_both(&mut client, &mut child)?;
    }
    Ok(())
}

fn fork_corked(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    exchange(&mut client, &mut server)?;
    server.act("option 1 cork 1")?;
    let mut child = stage.theatre.fork(&mut server)?;
    server.act("close 1")?;
    child.act("send 1 120")?;
    client.act("recv 1")?;
    exchange(&mut client, &mut child)?;
    close_both(&mut client, &mut child)
}

fn fork_old(stage: &mut Stage<'_>) -> Result<()> {
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    exchange(&mut client, &mut server)?;
    stage.capture()?;
    let mut child = stage.theatre.fork(&mut server)?;
    server.act("close 1")?;
    exchange(&mut client, &mut child)?;
    close_both(&mut client, &mut child)
}

fn prefork(stage: &mut Stage<'_>) -> Result<()> {
    workers(stage, "accept 0 1")
}

fn prefork_quiet(stage: &mut Stage<'_>) -> Result<()> {
    workers(stage, "accept 0 1 quiet")
}

/// Three workers that wait for connections, each served as it comes.
fn workers(stage: &mut Stage<'_>, accept: &str) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    let mut workers = Vec::new();
    for _ in 0..3 {
        let mut worker = stage.theatre.fork(&mut server)?;
        worker.begin(accept)?;
        workers.push(worker);
    }
    for _ in 0..6 {
        client.act(&stage.socket(1, "tcp"))?;
        client.act(&stage.to_server("connect 1"))?;
        let first = until("a worker accepts", PATIENCE, || first_done(&mut workers))?;
        let worker = workers.get_mut(first).context("no such worker")?;
        worker.end()?;
        exchange(&mut client, worker)?;
        close_both(&mut client, worker)?;
        worker.begin(accept)?;
    }
    Ok(())
}

fn first_done(workers: &mut [Puppet]) -> Result<Option<usize>> {
    for (number, worker) in workers.iter_mut().enumerate() {
        if worker.done()? {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

fn fork_no_exec(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut tcp_server = stage.tcp_server()?;
    let mut udp_server = stage.udp_server()?;
    let mut parent = stage.client()?;
    for _ in 0..3 {
        let mut child = stage.theatre.fork(&mut parent)?;
        child.act(&stage.socket(1, "udp"))?;
        ask(stage, &mut child, &mut udp_server)?;
        child.act("close 1")?;
        stage.connect(&mut child, &mut tcp_server)?;
        exchange(&mut child, &mut tcp_server)?;
        close_both(&mut child, &mut tcp_server)?;
    }
    Ok(())
}

fn exec_inside(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    exchange(&mut client, &mut server)?;
    let program = stage.lab.puppet_named("became-another-program")?;
    let mut client = stage.theatre.exec(client, &program)?;
    exchange(&mut client, &mut server)?;
    close_both(&mut client, &mut server)
}

fn vanished(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    for _ in 0..10 {
        stage.send_and_vanish("gone-before-anyone-looks")?;
        server.act("recvfrom 0")?;
    }
    Ok(())
}

fn passed(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    let mut taker = stage.server()?;
    let mailbox = stage.lab.file(&format!("{}.mail", stage.lab.number()));
    taker.act(&format!("mailbox {}", mailbox.display()))?;
    stage.connect(&mut client, &mut server)?;
    exchange(&mut client, &mut server)?;
    server.act(&format!("pass 1 {}", mailbox.display()))?;
    taker.receive(&server, 1)?;
    server.act("close 1")?;
    exchange(&mut client, &mut taker)?;
    close_both(&mut client, &mut taker)
}

fn thread(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "udp"))?;
    client.act(&stage.to_server("connect 1"))?;
    for _ in 0..3 {
        client.act("threadsend 1 worker-thread 64")?;
        answer(&mut server)?;
        client.act("recv 1")?;
    }
    Ok(())
}
