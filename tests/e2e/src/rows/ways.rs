//! Ways of sending and receiving other than send(2) by the process that opened the socket.

use anyhow::{Result, bail};

use super::{close_both, exchange};
use crate::puppet::Puppet;
use crate::stage::{Lacking, Stage};

/// A connection, slot 1 of both.
fn connected(stage: &Stage<'_>) -> Result<(Puppet, Puppet)> {
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    stage.connect(&mut client, &mut server)?;
    Ok((client, server))
}

/// [`Lacking`] where nobody may use `io_uring`.
fn with_uring() -> Result<()> {
    let disabled = std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled");
    if disabled.is_ok_and(|value| value.trim() != "0") {
        bail!(Lacking("io_uring is disabled".into()));
    }
    Ok(())
}

/// By `io_uring`: in the caller's context, by a worker thread, by the ring's own thread.
pub fn io_uring(stage: &mut Stage<'_>) -> Result<()> {
    with_uring()?;
    stage.capture()?;
    let (mut client, mut server) = connected(stage)?;
    let mut receiver = stage.udp_server()?;
    client.act(&stage.socket(2, "udp"))?;
    client.act(&stage.to_server("connect 2"))?;
    for how in ["plain", "async", "sqpoll"] {
        client.act(&format!("uring 1 send {how} 100"))?;
        server.act(&format!("uring 1 recv {how}"))?;
        server.act(&format!("uring 1 send {how} 300"))?;
        client.act(&format!("uring 1 recv {how}"))?;
        client.act(&format!("uring 2 send {how} 64"))?;
        receiver.act(&format!("uring 0 recv {how}"))?;
    }
    close_both(&mut client, &mut server)
}

/// A child sends by `io_uring` on the connection that its parent opened.
pub fn io_uring_inherited(stage: &mut Stage<'_>) -> Result<()> {
    with_uring()?;
    stage.capture()?;
    let (mut client, mut server) = connected(stage)?;
    exchange(&mut client, &mut server)?;
    let mut child = stage.theatre.fork(&mut client)?;
    client.act("close 1")?;
    for how in ["plain", "async", "sqpoll"] {
        child.act(&format!("uring 1 send {how} 100"))?;
        server.acts(&["recv 1", "send 1 300"])?;
        child.act(&format!("uring 1 recv {how}"))?;
    }
    close_both(&mut child, &mut server)
}

/// By sendfile(2) and splice(2).
pub fn sendfile(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let (mut client, mut server) = connected(stage)?;
    for _ in 0..2 {
        client.act("sendfile 1 3000")?;
        server.acts(&["splicerecv 1", "splice 1 2000"])?;
        client.act("splicerecv 1")?;
    }
    close_both(&mut client, &mut server)
}

/// A child sends by sendfile(2) and splice(2) first, and receives by splice(2), on the
/// connection that its parent has accepted.
pub fn sendfile_inherited(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let (mut client, mut server) = connected(stage)?;
    exchange(&mut client, &mut server)?;
    let mut child = stage.theatre.fork(&mut server)?;
    server.act("close 1")?;
    child.acts(&["close 0", "sendfile 1 3000"])?;
    client.acts(&["recv 1", "send 1 100"])?;
    child.acts(&["splicerecv 1", "splice 1 500"])?;
    client.act("recv 1")?;
    close_both(&mut client, &mut child)
}

/// Parent and child send by turns on one UDP socket that the parent opened.
pub fn inherited(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    let mut parent = stage.client()?;
    parent.acts(&[&stage.socket(1, "udp"), &stage.socket(2, "udp")])?;
    parent.act(&stage.to_server("connect 1"))?;
    let mut child = stage.theatre.fork(&mut parent)?;
    for _ in 0..3 {
        for puppet in [&mut child, &mut parent] {
            puppet.act("send 1 64")?;
            super::answer(&mut server)?;
            puppet.act("recv 1")?;
            puppet.act(&format!("{} 64", stage.to_server("sendto 2")))?;
            super::answer(&mut server)?;
            puppet.act("recvfrom 2")?;
        }
    }
    Ok(())
}

/// A child is the first to send on its parent's socket, to a neighbour whose address is not known
/// then: what it sends leaves in the context of ip(8), which enters it.
pub fn late_neighbour(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    let mut parent = stage.client()?;
    parent.act(&stage.socket(1, "udp"))?;
    parent.act(&stage.to_server("connect 1"))?;
    let mut child = stage.theatre.fork(&mut parent)?;
    let neighbour = stage.server_address().ip();
    stage.far().sysctl("net/ipv4/conf/far0/arp_ignore", "8")?;
    stage.near.ip(&format!("neigh del {neighbour} dev near0"))?;
    for puppet in [&mut child, &mut parent] {
        puppet.act("send 1 64")?;
        stage.near.ip(&format!(
            "neigh replace {neighbour} lladdr 02:00:00:00:77:02 dev near0"
        ))?;
        super::answer(&mut server)?;
        puppet.act("recv 1")?;
    }
    Ok(())
}

/// A UDP server's socket passed over a unix socket, used by both by turns.
pub fn passed(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    let mut taker = stage.server()?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "udp"))?;
    let mailbox = stage.lab.file(&format!("{}.mail", stage.lab.number()));
    taker.act(&format!("mailbox {}", mailbox.display()))?;
    server.act(&format!("pass 0 {}", mailbox.display()))?;
    taker.receive(&server, 0)?;
    super::ask(stage, &mut client, &mut taker)?;
    super::ask(stage, &mut client, &mut server)?;
    super::ask(stage, &mut client, &mut taker)
}
