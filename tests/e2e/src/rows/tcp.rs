//! TCP's packets that no process sends by a call.

use anyhow::{Result, bail, ensure};
use nix::sys::signal::Signal;

use super::{ask, close_both, exchange};
use crate::dissect::{ACK, FIN, SYN};
use crate::lab::{PATIENCE, until};
use crate::netns::Netns;
use crate::puppet::Puppet;
use crate::stage::{Lacking, PORT, Place, Stage};

/// The client is killed while data lies unread in its socket: the kernel sends RST for it.
pub fn killed(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    exchange(&mut client, &mut server)?;
    server.act("send 1 500")?;
    client.signal(Signal::SIGKILL)
}

/// The client closes first; then a segment outside the window makes its `TIME_WAIT` answer.
pub fn time_wait(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "tcp"))?;
    let any = stage.any_address("bind 1");
    client.act(&any.replace(&PORT.to_string(), "7001"))?;
    client.act(&stage.to_server("connect 1"))?;
    server.act("accept 0 1")?;
    exchange(&mut client, &mut server)?;
    close_both(&mut client, &mut server)?;
    let mut forger = stage.server()?;
    forger.act(&stage.socket(2, "header"))?;
    let (from, to) = (stage.server_address().ip(), stage.client_ip());
    forger.act(&format!(
        "craft 2 tcp {from} {PORT} {to} 7001 40 {} 1",
        FIN | ACK
    ))?;
    Ok(())
}

/// SYN by hand from an address and port without a socket.
pub fn half_open(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let _server = stage.tcp_server()?;
    let mut forger = stage.client()?;
    forger.act(&stage.socket(2, "header"))?;
    let (from, to) = (stage.client_ip(), stage.server_address().ip());
    forger.act(&format!("craft 2 tcp {from} 7002 {to} {PORT} 40 {SYN} 1"))?;
    Ok(())
}

/// The client has sent more than the server takes, and is gone before the rest leaves.
pub fn orphan(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    server.act("option 0 rcvbuf 8192")?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    client.acts(&["option 1 sndbuf 200000", "send 1 60000"])?;
    client.exit()?;
    while server.act("recv 1")?.number()? > 0 {}
    server.act("close 1")?;
    Ok(())
}

/// Both ends are silent: the kernel probes, in nobody's context.
pub fn keepalive(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    exchange(&mut client, &mut server)?;
    client.act("option 1 keepalive")?;
    server.act("option 1 patience 1500")?;
    ensure!(server.act("recv 1").is_err(), "somebody spoke");
    close_both(&mut client, &mut server)
}

/// Servers whose sockets are of IPv6 and take IPv4.
pub fn dual_stack(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.server()?;
    let bind = format!("bind 0 :: {PORT}");
    server.acts(&["socket 0 tcp 6", &bind, "listen 0"])?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    exchange(&mut client, &mut server)?;
    close_both(&mut client, &mut server)?;
    let mut server = stage.server()?;
    server.acts(&["socket 0 udp 6", &bind])?;
    client.act(&stage.socket(1, "udp"))?;
    ask(stage, &mut client, &mut server)
}

/// Waits until all that was sent in a namespace by TCP is acknowledged.
fn acknowledged(netns: &Netns) -> Result<()> {
    until("all is acknowledged", PATIENCE, || {
        let table = netns.run("cat", "/proc/net/tcp /proc/net/tcp6")?;
        let mut queues = table.lines().filter_map(|line| {
            let mut words = line.split_whitespace().skip(3);
            let is_open = words.next()? == "01";
            words.next().filter(|_| is_open)
        });
        Ok(queues
            .all(|queues| queues.starts_with("00000000:"))
            .then_some(()))
    })
}

/// Multipath TCP: the process has a socket that sends nothing itself, but makes others.
pub fn multipath(stage: &mut Stage<'_>) -> Result<()> {
    let mut server = stage.server()?;
    if server.act(&stage.socket(0, "mptcp")).is_err() {
        bail!(Lacking("this kernel has no MPTCP".into()));
    }
    stage.capture()?;
    server.acts(&[&stage.any_address("bind 0"), "listen 0"])?;
    let mut client = stage.client()?;
    for _ in 0..2 {
        client.act(&stage.socket(1, "mptcp"))?;
        client.act(&stage.to_server("connect 1"))?;
        server.act("accept 0 1")?;
        exchange(&mut client, &mut server)?;
        let mut child = stage.theatre.fork(&mut server)?;
        server.act("close 1")?;
        child.act("close 0")?;
        // The child only receives: what acknowledges that comes by a timer.
        for _ in 0..2 {
            client.act("send 1 100")?;
            child.act("recv 1")?;
        }
        acknowledged(&stage.near)?;
        exchange(&mut client, &mut child)?;
        close_both(&mut client, &mut child)?;
    }
    // The kernel closes the connections below in its own time.
    for netns in [&stage.near, stage.far()] {
        until("all connections are closed", PATIENCE, || {
            let table = netns.run("cat", "/proc/net/tcp /proc/net/tcp6")?;
            let mut states = table
                .lines()
                .filter_map(|line| line.split_whitespace().nth(3));
            // Listening, TIME_WAIT, and the two heads.
            Ok(states
                .all(|state| matches!(state, "0A" | "06" | "st"))
                .then_some(()))
        })?;
    }
    Ok(())
}

/// Sockets bound to a device.
pub fn bound_to_device(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let (client, server) = (stage.client()?, bound_server(stage)?);
    on_devices(stage, client, server)
}

/// The server's are bound when the capture begins.
pub fn bound_before(stage: &mut Stage<'_>) -> Result<()> {
    let (client, server) = (stage.client()?, bound_server(stage)?);
    stage.capture()?;
    on_devices(stage, client, server)
}

/// The devices between the client and the server.
pub fn own_devices(stage: &Stage<'_>) -> [&'static str; 2] {
    match stage.place {
        Place::Loopback => ["lo", "lo"],
        _ => ["near0", "far0"],
    }
}

fn bound_server(stage: &Stage<'_>) -> Result<Puppet> {
    let [_, far] = own_devices(stage);
    let mut server = stage.server()?;
    for (slot, kind) in [(0, "tcp"), (2, "udp")] {
        server.acts(&[
            &stage.socket(slot, kind),
            &format!("option {slot} device {far}"),
            &stage.any_address(&format!("bind {slot}")),
        ])?;
    }
    server.act("listen 0")?;
    Ok(server)
}

fn on_devices(stage: &Stage<'_>, mut client: Puppet, mut server: Puppet) -> Result<()> {
    let [near, _] = own_devices(stage);
    client.acts(&[
        &stage.socket(1, "tcp"),
        &format!("option 1 device {near}"),
        &stage.to_server("connect 1"),
    ])?;
    server.act("accept 0 1")?;
    exchange(&mut client, &mut server)?;
    close_both(&mut client, &mut server)?;
    client.acts(&[&stage.socket(2, "udp"), &format!("option 2 device {near}")])?;
    for _ in 0..2 {
        client.act(&format!("{} 64", stage.to_server("sendto 2")))?;
        let from = server.act("recvfrom 2")?.peer()?;
        server.act(&format!("sendto 2 {} {} 80", from.ip(), from.port()))?;
        client.act("recvfrom 2")?;
    }
    Ok(())
}
