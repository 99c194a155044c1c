//! Through a router: what it forwards, and what it translates.

use std::net::SocketAddr;

use anyhow::{Context, Result};

use super::{answer, close_both, exchange, icmp};
use crate::puppet::Puppet;
use crate::stage::{PORT, Stage};
use crate::topology::PUBLISHED;
use crate::truth::Protocol;

/// TCP and UDP from the client to the server, which sees it at whatever address.
fn both_protocols(stage: &Stage<'_>, client: &mut Puppet) -> Result<()> {
    let mut server = stage.tcp_server()?;
    stage.connect(client, &mut server)?;
    translated(stage, client, &server)?;
    exchange(client, &mut server)?;
    close_both(client, &mut server)?;
    datagrams(stage, client)
}

/// Three datagrams and their answers.
fn datagrams(stage: &Stage<'_>, client: &mut Puppet) -> Result<()> {
    let mut server = stage.udp_server()?;
    client.act(&stage.socket(2, "udp"))?;
    for _ in 0..3 {
        client.act(&format!("{} 64", stage.to_server("sendto 2")))?;
        let seen = answer(&mut server)?;
        let mut real = client.local(2)?;
        real.set_ip(stage.client_ip());
        let mut log = stage.theatre.log.borrow_mut();
        log.alias(Protocol::Udp, seen, real);
        drop(log);
        client.act("recvfrom 2")?;
    }
    Ok(())
}

/// Enters that the client of the connection in slot 1 of both has another address there.
fn translated(stage: &Stage<'_>, client: &Puppet, server: &Puppet) -> Result<()> {
    let (seen, real) = (server.remote(1)?, client.local(1)?);
    let mut log = stage.theatre.log.borrow_mut();
    log.alias(Protocol::Tcp, seen, real);
    Ok(())
}

/// Without translation, or with masquerading.
pub fn outbound(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut client = stage.client()?;
    both_protocols(stage, &mut client)
}

/// A process of the router's has the port that the client uses: masquerading takes another.
pub fn collision(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    stage.scattered = true;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    let own = stage.lab.puppet_named("on-the-router")?;
    let mut own = stage.theatre.enter(&own, stage.router()?)?;
    for (puppet, slot) in [(&mut own, 1), (&mut client, 2)] {
        let any = stage.any_address("bind 1");
        puppet.acts(&[
            &stage.socket(1, "tcp"),
            &any.replace(&PORT.to_string(), "7001"),
            &stage.to_server("connect 1"),
        ])?;
        server.act(&format!("accept 0 {slot}"))?;
        let mut log = stage.theatre.log.borrow_mut();
        log.alias(Protocol::Tcp, server.remote(slot)?, puppet.local(1)?);
    }
    for (puppet, slot) in [(&mut own, 1), (&mut client, 2)] {
        puppet.act("send 1 100")?;
        server.acts(&[&format!("recv {slot}"), &format!("send {slot} 200")])?;
        puppet.acts(&["recv 1", "close 1"])?;
        server.acts(&[&format!("recv {slot}"), &format!("close {slot}")])?;
    }
    Ok(())
}

/// The server's child takes over: the connection is its, the listener is not.
pub fn handed_over(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut client = stage.client()?;
    let mut server = stage.tcp_server()?;
    stage.connect(&mut client, &mut server)?;
    translated(stage, &client, &server)?;
    exchange(&mut client, &mut server)?;
    let mut child = stage.theatre.fork(&mut server)?;
    server.act("close 1")?;
    child.act("close 0")?;
    exchange(&mut client, &mut child)?;
    close_both(&mut client, &mut child)
}

/// A server in the container and a client outside, which knows only the router's address.
pub fn published(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let seen = publish(stage);
    let mut server = inside_server(stage, "tcp")?;
    server.act("listen 0")?;
    let mut client = stage.theatre.enter(&stage.lab.puppet, stage.far())?;
    client.act(&stage.socket(1, "tcp"))?;
    client.act(&format!("connect 1 {} {PUBLISHED}", seen.ip()))?;
    server.act("accept 0 1")?;
    exchange(&mut client, &mut server)?;
    close_both(&mut client, &mut server)?;
    let mut server = inside_server(stage, "udp")?;
    client.act(&stage.socket(2, "udp"))?;
    for _ in 0..3 {
        client.act(&format!("sendto 2 {} {PUBLISHED} 64", seen.ip()))?;
        answer(&mut server)?;
        client.act("recvfrom 2")?;
    }
    Ok(())
}

/// The client of a published port resets its connection: where it ends no socket is left to ask.
pub fn published_reset(stage: &mut Stage<'_>) -> Result<()> {
    let seen = publish(stage);
    let mut server = inside_server(stage, "tcp")?;
    server.act("listen 0")?;
    let mut client = stage.theatre.enter(&stage.lab.puppet, stage.far())?;
    client.act(&stage.socket(1, "tcp"))?;
    client.act(&format!("connect 1 {} {PUBLISHED}", seen.ip()))?;
    server.act("accept 0 1")?;
    stage.capture()?;
    exchange(&mut client, &mut server)?;
    client.act("reset 1")?;
    Ok(())
}

/// The published address, entered as standing for the container's.
fn publish(stage: &Stage<'_>) -> SocketAddr {
    let seen = (stage.uplink(), PUBLISHED).into();
    let real = (stage.client_ip(), PORT).into();
    let mut log = stage.theatre.log.borrow_mut();
    log.alias(Protocol::Tcp, seen, real);
    log.alias(Protocol::Udp, seen, real);
    seen
}

/// A server in the container.
fn inside_server(stage: &Stage<'_>, kind: &str) -> Result<Puppet> {
    let program = stage.lab.puppet_named("server")?;
    let mut server = stage.theatre.enter(&program, &stage.near)?;
    server.acts(&[&stage.socket(0, kind), &stage.any_address("bind 0")])?;
    Ok(server)
}

/// The container asks for its own published port: both addresses are translated.
pub fn hairpin(stage: &mut Stage<'_>) -> Result<()> {
    // Back out of the port that it came in by.
    let port = "link set port0 type bridge_slave hairpin on";
    stage.router()?.ip(port)?;
    stage.capture()?;
    stage.scattered = true;
    let seen = publish(stage);
    let mut server = inside_server(stage, "tcp")?;
    server.act("listen 0")?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "tcp"))?;
    client.act(&format!("connect 1 {} {PUBLISHED}", seen.ip()))?;
    server.act("accept 0 1")?;
    translated(stage, &client, &server)?;
    exchange(&mut client, &mut server)?;
    close_both(&mut client, &mut server)
}

/// A process on the router takes connections from outside and hands the bytes on to the
/// container, on a connection of its own.
pub fn proxy(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    stage.scattered = true;
    let mut server = inside_server(stage, "tcp")?;
    server.act("listen 0")?;
    let program = stage.lab.puppet_named("proxy")?;
    let mut proxy = stage.theatre.enter(&program, stage.router()?)?;
    let uplink = stage.uplink();
    let bind = format!("bind 0 {uplink} 8081");
    proxy.acts(&[&stage.socket(0, "tcp"), &bind, "listen 0"])?;
    let mut client = stage.theatre.enter(&stage.lab.puppet, stage.far())?;
    client.act(&stage.socket(1, "tcp"))?;
    client.act(&format!("connect 1 {uplink} 8081"))?;
    proxy.act("accept 0 1")?;
    proxy.act(&stage.socket(2, "tcp"))?;
    proxy.act(&format!("connect 2 {} {PORT}", stage.client_ip()))?;
    server.act("accept 0 1")?;
    for _ in 0..2 {
        client.act("send 1 100")?;
        proxy.acts(&["recv 1", "send 2 100"])?;
        server.acts(&["recv 1", "send 1 300"])?;
        proxy.acts(&["recv 2", "send 1 300"])?;
        client.act("recv 1")?;
    }
    client.act("close 1")?;
    proxy.acts(&["recv 1", "close 1", "close 2"])?;
    server.acts(&["recv 1", "close 1"])
}

/// Errors about translated datagrams, and echo.
pub fn errors(stage: &mut Stage<'_>) -> Result<()> {
    icmp::port_unreachable(stage).context("errors")?;
    let mut client = stage.client()?;
    client.act(&icmp::raw_socket(stage, 1))?;
    icmp::echo(stage, &mut client, 1, 0x5005)
}
