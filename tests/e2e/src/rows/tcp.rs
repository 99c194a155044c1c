//! TCP's packets that no process sends by a call.

use anyhow::Result;
use nix::sys::signal::Signal;

use super::{close_both, exchange};
use crate::dissect::{ACK, FIN, SYN};
use crate::stage::{PORT, Stage};

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
