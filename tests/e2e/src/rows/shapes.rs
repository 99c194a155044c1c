//! Packets of unusual shape.

use anyhow::Result;

use super::{close_both, exchange, icmp};
use crate::stage::Stage;

/// Datagrams both ways and an echo that do not fit into one packet.
pub fn fragments(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    let mut client = stage.client()?;
    client.act(&stage.socket(1, "udp"))?;
    for _ in 0..3 {
        client.act(&format!("{} 5000", stage.to_server("sendto 1")))?;
        let from = server.act("recvfrom 0")?.peer()?;
        server.act(&format!("sendto 0 {} {} 4000", from.ip(), from.port()))?;
        client.act("recvfrom 1")?;
    }
    Ok(())
}

/// An echo that does not fit into one packet.
pub fn fragmented_echo(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut client = stage.client()?;
    client.act(&icmp::raw_socket(stage, 1))?;
    let to = stage.server_address().ip();
    client.act(&format!("echo 1 {to} {} 1 4000", 0x5006))?;
    client.act("recvfrom 1")?;
    Ok(())
}

/// Hop-by-hop options and destination options before TCP and UDP.
pub fn extension_headers(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.tcp_server()?;
    let mut client = stage.client()?;
    client.acts(&[&stage.socket(1, "tcp"), "option 1 extension"])?;
    client.act(&stage.to_server("connect 1"))?;
    server.act("accept 0 1")?;
    exchange(&mut client, &mut server)?;
    close_both(&mut client, &mut server)?;
    let mut server = stage.udp_server()?;
    client.acts(&[&stage.socket(1, "udp"), "option 1 extension"])?;
    server.act("option 0 extension")?;
    super::ask(stage, &mut client, &mut server)
}
