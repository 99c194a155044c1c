//! Many processes, many flows, and process ids that come again.

use std::path::Path;

use anyhow::{Context, Result};

use crate::stage::{PORT, Stage};

/// A process id that nobody has and that is not soon given out: half the way round from the one
/// given last (the last word of `/proc/loadavg`). Neither a process group nor a session may
/// bear it: its neighbours are free as well.
fn free_pid() -> Result<u32> {
    let read = |path: &str| std::fs::read_to_string(path);
    let bound: u32 = read("/proc/sys/kernel/pid_max")?.trim().parse()?;
    let bound = bound.min(32_000);
    let loadavg = read("/proc/loadavg")?;
    let last = loadavg.split_whitespace().last();
    let last: u32 = last.context("no last process id")?.parse()?;
    let free = |pid: &u32| !Path::new(&format!("/proc/{pid}")).exists();
    (0..bound - 300)
        .map(|step| 300 + (last + bound / 2 + step) % (bound - 300))
        .find(|pid| (*pid..*pid + 20).all(|pid| free(&pid)))
        .context("no free process id")
}

/// Programs with one process id, one after the other, each gone after a datagram.
pub fn pid_reuse(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    let mut parent = stage.client()?;
    let pid = free_pid()?;
    let address = stage.server_address().ip();
    for name in ["first-life", "second-life"].into_iter().cycle().take(6) {
        let program = stage.lab.puppet_named(name)?;
        let program = program.display();
        parent.act(&format!("once {pid} {program} {address} {PORT}"))?;
        server.act("recvfrom 0")?;
    }
    Ok(())
}

/// Ten thousand processes alive at once, each of which sends on a socket they all share.
pub fn processes(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let _server = stage.udp_server()?;
    let mut parent = stage.client()?;
    parent.act(&stage.socket(1, "udp"))?;
    parent.act(&stage.to_server("connect 1"))?;
    for _ in 0..10 {
        let list = stage.lab.file(&format!("{}.pids", stage.lab.number()));
        parent.act(&format!("swarm 1 1000 64 {}", list.display()))?;
    }
    Ok(())
}

/// A hundred thousand flows of two processes that share a port, and a third one, which shares
/// it as well and has one flow only: far older than any table remembers.
pub fn flows(stage: &mut Stage<'_>) -> Result<()> {
    stage.capture()?;
    let mut server = stage.udp_server()?;
    server.act("option 0 rcvbuf 4096")?;
    let mut clients = Vec::new();
    for name in ["spray", "other-spray", "old", "older"] {
        let program = stage.lab.puppet_named(name)?;
        let mut client = stage.theatre.enter(&program, &stage.near)?;
        let bind = stage.any_address("bind 1");
        client.acts(&[
            &stage.socket(1, "udp"),
            "option 1 reuseport",
            &bind.replace(&PORT.to_string(), "7001"),
        ])?;
        clients.push(client);
    }
    let few = |clients: &mut [crate::puppet::Puppet]| -> Result<()> {
        for client in clients {
            client.act(&format!("{} 64", stage.to_server("sendto 1")))?;
        }
        Ok(())
    };
    few(&mut clients)?;
    for part in 0..50 {
        let client = clients.get_mut(part % 2).context("no such client")?;
        let (high, low) = (part * 2000 / 65536 + 1, part * 2000 % 65536);
        let first = format!("127.{high}.{}.{}", low / 256, low % 256);
        client.act(&format!("spray 1 {first} {PORT} 2000 64"))?;
    }
    few(&mut clients)
}
