//! Several processes at one address: groups, and the same ports elsewhere.

use anyhow::{Context, Result};

use super::{answer, ask, close_both, exchange, first_done};
use crate::lab::{PATIENCE, until};
use crate::puppet::Puppet;
use crate::stage::{Family, PORT, Stage};

/// Four processes bound to one port with `SO_REUSEPORT`.
fn group(stage: &Stage<'_>, kind: &str) -> Result<Vec<Puppet>> {
    let mut group = Vec::new();
    for _ in 0..4 {
        let mut member = stage.server()?;
        member.acts(&[
            &stage.socket(0, kind),
            "option 0 reuseport",
            &stage.any_address("bind 0"),
        ])?;
        if kind == "tcp" {
            member.act("listen 0")?;
        }
        group.push(member);
    }
    Ok(group)
}

pub fn udp_reuseport(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut group = group(stage, "udp")?;
    for member in &mut group {
        member.begin("recvfrom 0")?;
    }
    let mut client = stage.client()?;
    for slot in 1..9 {
        client.act(&stage.socket(slot, "udp"))?;
        client.act(&stage.to_server(&format!("connect {slot}")))?;
        client.act(&format!("send {slot} 64"))?;
        let first = until("a member receives", PATIENCE, || first_done(&mut group))?;
        let member = group.get_mut(first).context("no such member")?;
        let from = member.end()?.peer()?;
        member.act(&format!("sendto 0 {} {} 80", from.ip(), from.port()))?;
        client.act(&format!("recv {slot}"))?;
        member.begin("recvfrom 0")?;
    }
    Ok(())
}

pub fn tcp_reuseport(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut group = group(stage, "tcp")?;
    for member in &mut group {
        member.begin("accept 0 1")?;
    }
    let mut client = stage.client()?;
    for _ in 0..8 {
        client.act(&stage.socket(1, "tcp"))?;
        client.act(&stage.to_server("connect 1"))?;
        let first = until("a member accepts", PATIENCE, || first_done(&mut group))?;
        let member = group.get_mut(first).context("no such member")?;
        member.end()?;
        exchange(&mut client, member)?;
        close_both(&mut client, member)?;
        member.begin("accept 0 1")?;
    }
    Ok(())
}

/// The group's address in this family.
fn group_address(stage: &Stage<'_>) -> &'static str {
    match stage.family {
        Family::V4 => "239.7.7.7",
        Family::V6 => "ff15::7:7",
    }
}

/// A member of the group on a device.
fn join(stage: &Stage<'_>, mut puppet: Puppet, device: &str) -> Result<Puppet> {
    puppet.acts(&[
        &stage.socket(0, "udp"),
        &stage.any_address("bind 0"),
        &format!("option 0 join {} {device}", group_address(stage)),
    ])?;
    Ok(puppet)
}

/// Sends three datagrams to the group, which all its members receive. `beside` is one in the
/// sender's namespace.
fn to_group(stage: &Stage<'_>, members: &mut [Puppet], mut beside: Option<Puppet>) -> Result<()> {
    let mut client = stage.client()?;
    let group = group_address(stage);
    client.act(&stage.socket(1, "udp"))?;
    client.act(&format!("option 1 through {group} near0"))?;
    for _ in 0..3 {
        client.act(&format!("sendto 1 {group} {PORT} 64"))?;
        for member in members.iter_mut() {
            answer(member)?;
            client.act("recvfrom 1")?;
        }
        // Its answer would not pass a device that is captured.
        if let Some(beside) = beside.as_mut() {
            beside.act("recvfrom 0")?;
        }
    }
    Ok(())
}

/// Both devices take multicast.
fn with_multicast(stage: &Stage<'_>) -> Result<()> {
    stage.near.ip("link set near0 multicast on")?;
    stage.far().ip("link set far0 multicast on")?;
    Ok(())
}

pub fn multicast_one(stage: &mut Stage<'_>) -> Result<()> {
    with_multicast(stage)?;
    stage.capture()?;
    let member = join(stage, stage.server()?, "far0")?;
    to_group(stage, &mut [member], None)
}

pub fn multicast_many(stage: &mut Stage<'_>) -> Result<()> {
    with_multicast(stage)?;
    stage.capture()?;
    let beside = stage.lab.puppet_named("beside")?;
    let beside = stage.theatre.enter(&beside, &stage.near)?;
    let mut members = [
        join(stage, stage.server()?, "far0")?,
        join(stage, stage.server()?, "far0")?,
    ];
    let beside = join(stage, beside, "near0")?;
    to_group(stage, &mut members, Some(beside))
}

pub fn broadcast(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut members = [stage.udp_server()?, stage.udp_server()?];
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "udp"))?;
    client.act("option 1 broadcast")?;
    for _ in 0..3 {
        client.act(&format!("sendto 1 10.77.0.255 {PORT} 64"))?;
        for member in &mut members {
            answer(member)?;
            client.act("recvfrom 1")?;
        }
    }
    Ok(())
}

/// The TCP and the UDP server are two processes on one port, their clients as well.
pub fn two_protocols(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let (mut tcp, mut udp) = (stage.tcp_server()?, stage.udp_server()?);
    let (mut one, mut other) = (stage.client()?, stage.client()?);
    let bind = stage.any_address("bind 1");
    let bind = bind.replace(&PORT.to_string(), "7001");
    one.acts(&[&stage.socket(1, "tcp"), &bind])?;
    other.acts(&[&stage.socket(1, "udp"), &bind])?;
    one.act(&stage.to_server("connect 1"))?;
    tcp.act("accept 0 1")?;
    ask(stage, &mut other, &mut udp)?;
    exchange(&mut one, &mut tcp)?;
    ask(stage, &mut other, &mut udp)?;
    close_both(&mut one, &mut tcp)
}

/// All four ends have the same address, protocol and ports, two by two.
pub fn two_hosts(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut pairs = Vec::new();
    let server = stage.lab.puppet_named("server")?;
    let bind = stage.any_address("bind 1");
    let bind = bind.replace(&PORT.to_string(), "7001");
    for netns in [&stage.near, stage.far()] {
        let mut server = stage.theatre.enter(&server, netns)?;
        let mut client = stage.theatre.enter(&stage.lab.puppet, netns)?;
        for (slot, kind) in [(0, "tcp"), (2, "udp")] {
            let any = stage.any_address(&format!("bind {slot}"));
            server.acts(&[&stage.socket(slot, kind), &any])?;
        }
        server.act("listen 0")?;
        client.acts(&[&stage.socket(1, "tcp"), &bind])?;
        client.act(&stage.socket(2, "udp"))?;
        client.act(&bind.replace("bind 1", "bind 2"))?;
        pairs.push((client, server));
    }
    for (client, server) in &mut pairs {
        client.act(&stage.to_server("connect 1"))?;
        server.act("accept 0 1")?;
    }
    for _ in 0..2 {
        for (client, server) in &mut pairs {
            exchange(client, server)?;
            client.act(&format!("{} 64", stage.to_server("sendto 2")))?;
            let from = server.act("recvfrom 2")?.peer()?;
            server.act(&format!("sendto 2 {} {} 80", from.ip(), from.port()))?;
            client.act("recvfrom 2")?;
        }
    }
    for (client, server) in &mut pairs {
        close_both(client, server)?;
    }
    Ok(())
}

/// Three workers wait on one UDP socket; whoever is woken receives and answers.
pub fn udp_workers(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "udp"))?;
    let mut workers = Vec::new();
    for _ in 0..3 {
        let mut worker = stage.theatre.fork(&mut server)?;
        worker.begin("recvfrom 0")?;
        workers.push(worker);
    }
    for _ in 0..6 {
        client.act(&format!("{} 64", stage.to_server("sendto 1")))?;
        let first = until("a worker receives", PATIENCE, || first_done(&mut workers))?;
        let worker = workers.get_mut(first).context("no such worker")?;
        let from = worker.end()?.peer()?;
        worker.act(&format!("sendto 0 {} {} 80", from.ip(), from.port()))?;
        client.act("recvfrom 1")?;
        worker.begin("recvfrom 0")?;
    }
    Ok(())
}

/// Two processes on one UDP port: one for all addresses, one for the address that is used.
pub fn udp_specific(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut specific = stage.server()?;
    let address = stage.server_address().ip();
    let _any = stage.udp_server()?;
    specific.acts(&[&stage.socket(0, "udp"), &format!("bind 0 {address} {PORT}")])?;
    let _any_too = stage.udp_server()?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "udp"))?;
    ask(stage, &mut client, &mut specific)
}

/// Three servers on a port: the one whose socket is bound to the device gets what comes by that.
pub fn bound_beside(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let [_, device] = super::tcp::own_devices(stage);
    let _any = stage.udp_server()?;
    let mut bound = stage.server()?;
    bound.acts(&[
        &stage.socket(0, "udp"),
        &format!("option 0 device {device}"),
        &stage.any_address("bind 0"),
    ])?;
    let _any_too = stage.udp_server()?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "udp"))?;
    ask(stage, &mut client, &mut bound)
}

/// A server that connects a socket on its own port to each client and leaves it to a child.
pub fn udp_per_client(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    let mut clients = [stage.client()?, stage.client()?];
    let mut children = Vec::new();
    for client in &mut clients {
        client.act(&stage.socket(1, "udp"))?;
        client.act(&format!("{} 64", stage.to_server("sendto 1")))?;
        let from = server.act("recvfrom 0")?.peer()?;
        let mut child = stage.theatre.fork(&mut server)?;
        child.acts(&[
            &stage.socket(1, "udp"),
            &format!("bind 1 {} {PORT}", stage.server_address().ip()),
            &format!("connect 1 {} {}", from.ip(), from.port()),
            "send 1 80",
        ])?;
        client.act("recvfrom 1")?;
        children.push(child);
    }
    for _ in 0..2 {
        for (client, child) in clients.iter_mut().zip(&mut children) {
            client.act(&format!("{} 64", stage.to_server("sendto 1")))?;
            child.acts(&["recvfrom 1", "send 1 80"])?;
            client.act("recvfrom 1")?;
        }
    }
    Ok(())
}
