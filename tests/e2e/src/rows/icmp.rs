//! ICMP: echo by identifier, and errors about other packets.

use anyhow::{Context, Result};

use crate::lab::{PATIENCE, until};
use crate::puppet::Puppet;
use crate::stage::{Family, Stage};

/// Lets everybody use ping sockets.
fn allow(stage: &Stage<'_>) -> Result<()> {
    for netns in [&stage.near, stage.far()] {
        netns.sysctl("net/ipv4/ping_group_range", "0 2147483647")?;
    }
    Ok(())
}

/// The `socket` command of a raw ICMP socket.
pub fn raw_socket(stage: &Stage<'_>, slot: u32) -> String {
    let number = match stage.family {
        Family::V4 => 1,
        Family::V6 => 58,
    };
    format!("{} {number}", stage.socket(slot, "raw"))
}

/// Echo requests, and for each a wait until the reply is there.
pub fn echo(stage: &Stage<'_>, puppet: &mut Puppet, slot: u32, identifier: u16) -> Result<()> {
    let to = stage.server_address().ip();
    for number in 1..4 {
        puppet.act(&format!("echo {slot} {to} {identifier} {number} 64"))?;
        puppet.act(&format!("recvfrom {slot}"))?;
    }
    Ok(())
}

pub fn ping(stage: &mut Stage<'_>) -> Result<()> {
    allow(stage)?;
    stage.capture()?;
    let mut clients = [stage.client()?, stage.client()?];
    for client in &mut clients {
        client.act(&stage.socket(1, "ping"))?;
        echo(stage, client, 1, 0)?;
    }
    Ok(())
}

pub fn ping_raw(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut clients = [stage.client()?, stage.client()?];
    for client in &mut clients {
        client.act(&raw_socket(stage, 1))?;
    }
    for (identifier, client) in [0x5001, 0x5002].into_iter().zip(&mut clients) {
        echo(stage, client, 1, identifier)?;
    }
    Ok(())
}

pub fn ping_old(stage: &mut Stage<'_>) -> Result<()> {
    allow(stage)?;
    let (mut one, mut other) = (stage.client()?, stage.client()?);
    one.act(&stage.socket(1, "ping"))?;
    other.act(&raw_socket(stage, 1))?;
    echo(stage, &mut one, 1, 0)?;
    echo(stage, &mut other, 1, 0x5003)?;
    stage.capture()?;
    echo(stage, &mut one, 1, 0)?;
    echo(stage, &mut other, 1, 0x5003)
}

/// Both ends ask each other with one identifier.
pub fn ping_twins(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let (mut client, mut server) = (stage.client()?, stage.server()?);
    client.act(&raw_socket(stage, 1))?;
    server.act(&raw_socket(stage, 1))?;
    echo(stage, &mut client, 1, 0x5004)?;
    let to = stage.client_ip();
    for number in 1..4 {
        server.act(&format!("echo 1 {to} {} {number} 64", 0x5004))?;
        server.act("recvfrom 1")?;
    }
    Ok(())
}

/// Connected and unconnected datagrams to a port that nobody has.
pub fn port_unreachable(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut clients = [stage.client()?, stage.client()?];
    for client in &mut clients {
        client.act(&stage.socket(1, "udp"))?;
        client.act(&stage.to_server("connect 1"))?;
        client.act("send 1 64")?;
        // The error is there: the next call tells it.
        let refused = client.act("recv 1");
        anyhow::ensure!(refused.is_err(), "somebody answers");
        client.act(&stage.socket(2, "udp"))?;
        client.act(&format!("{} 64", stage.to_server("sendto 2")))?;
    }
    Ok(())
}

/// A datagram larger than the uplink takes: the router says so.
pub fn too_big(stage: &mut Stage<'_>) -> Result<()> {
    stage.router()?.ip("link set up0 mtu 1300")?;
    stage.far().ip("link set far0 mtu 1300")?;
    stage.capture()?;
    stage.scattered = true;
    let mut server = stage.udp_server()?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "udp"))?;
    client.act("option 1 discover 2")?;
    client.act(&stage.to_server("connect 1"))?;
    client.act("send 1 1400")?;
    // The error is told once, or what is too big is refused at once; then the small one goes.
    until("the path's MTU is known", PATIENCE, || {
        Ok(client.act("send 1 1400").is_err().then_some(()))
    })?;
    until("the small one is sent", PATIENCE, || {
        Ok(client.act("send 1 200").is_ok().then_some(()))
    })?;
    server.act("recvfrom 0").context("the small one")?;
    Ok(())
}
