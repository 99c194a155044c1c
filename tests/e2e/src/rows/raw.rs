//! Packets made by hand.

use anyhow::Result;

use super::{close_both, exchange};
use crate::dissect::ACK;
use crate::puppet::Puppet;
use crate::stage::{PORT, Stage};

/// An experimental protocol's number (RFC 3692).
const NUMBER: u8 = 253;

pub fn protocol(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let (mut client, mut server) = raw_sockets(stage)?;
    speak(stage, &mut client, &mut server)
}

pub fn protocol_before(stage: &mut Stage<'_>) -> Result<()> {
    let (mut client, mut server) = raw_sockets(stage)?;
    stage.capture()?;
    speak(stage, &mut client, &mut server)
}

fn raw_sockets(stage: &Stage<'_>) -> Result<(Puppet, Puppet)> {
    let (mut client, mut server) = (stage.client()?, stage.server()?);
    client.act(&format!("{} {NUMBER}", stage.socket(1, "raw")))?;
    server.act(&format!("{} {NUMBER}", stage.socket(0, "raw")))?;
    Ok((client, server))
}

fn speak(stage: &Stage<'_>, client: &mut Puppet, server: &mut Puppet) -> Result<()> {
    let (there, back) = (stage.server_address().ip(), stage.client_ip());
    for _ in 0..3 {
        client.act(&format!("sendto 1 {there} 0 64"))?;
        server.act("recvfrom 0")?;
        server.act(&format!("sendto 0 {back} 0 64"))?;
        client.act("recvfrom 1")?;
    }
    Ok(())
}

/// The client's port is another process's; the datagrams are not.
pub fn forges(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    let mut victim = stage.client()?;
    let mut forger = stage.client()?;
    forger.act(&stage.socket(2, "header"))?;
    let (from, to) = (stage.client_ip(), stage.server_address().ip());
    victim.act(&stage.socket(1, "udp"))?;
    victim.act(&format!("bind 1 {from} 7001"))?;
    for _ in 0..2 {
        victim.act(&format!("{} 64", stage.to_server("sendto 1")))?;
        server.act("recvfrom 0")?;
        forger.act(&format!("craft 2 udp {from} 7001 {to} {PORT} 64"))?;
        server.act("recvfrom 0")?;
    }
    Ok(())
}

/// The same with a TCP segment into a connection of the victim's.
pub fn forges_tcp(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut victim = stage.client()?;
    let mut forger = stage.client()?;
    forger.act(&stage.socket(2, "header"))?;
    let (from, to) = (stage.client_ip(), stage.server_address().ip());
    let bind = format!("bind 1 {from} 7001");
    victim.acts(&[&stage.socket(1, "tcp"), &bind])?;
    victim.act(&stage.to_server("connect 1"))?;
    server.act("accept 0 1")?;
    exchange(&mut victim, &mut server)?;
    forger.act(&format!("craft 2 tcp {from} 7001 {to} {PORT} 64 {ACK} 1"))?;
    exchange(&mut victim, &mut server)?;
    close_both(&mut victim, &mut server)
}

/// The same below IP.
pub fn packet_socket(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    let mut victim = stage.client()?;
    let mut forger = stage.client()?;
    let (from, to) = (stage.client_ip(), stage.server_address().ip());
    victim.act(&stage.socket(1, "udp"))?;
    victim.act(&format!("bind 1 {from} 7001"))?;
    for _ in 0..2 {
        victim.act(&format!("{} 64", stage.to_server("sendto 1")))?;
        server.act("recvfrom 0")?;
        forger.act(&format!("craft near0 udp {from} 7001 {to} {PORT} 64"))?;
        server.act("recvfrom 0")?;
    }
    Ok(())
}
