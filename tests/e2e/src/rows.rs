//! The rows of the owner table. To add a case: one function, one entry in [`ROWS`].
//!
//! A row does things with puppets, whose every act is entered in the log of the truth, and
//! starts the capture (`stage.capture`) at the point it is about.

use anyhow::{Context, Result, ensure};

use crate::lab::{PATIENCE, until};
use crate::puppet::Puppet;
use crate::stage::{PORT, Stage};

/// One case of the table.
pub struct Row {
    pub name: &'static str,
    pub about: &'static str,
    pub play: fn(&mut Stage<'_>) -> Result<()>,
}

macro_rules! rows {
    ($($name:literal, $play:ident, $about:literal;)*) => {
        &[$(Row { name: $name, about: $about, play: $play }),*]
    };
}

/// All rows, in the order in which they are played and printed.
pub const ROWS: &[Row] = rows! {
    "tcp-new", tcp_new, "connection and both processes begin after the capture";
    "tcp-old-processes", tcp_old_processes, "processes before, sockets after the capture began";
    "tcp-old-listener", tcp_old_listener, "an idle listener from before the capture";
    "tcp-old", tcp_old, "a connection from before the capture";
    "tcp-server-closes", tcp_server_closes, "the server closes first, the client much later";
    "tcp-reset", tcp_reset, "a connection ended by RST";
    "tcp-refused", tcp_refused, "a closed port: its RST has no sender";
    "tcp-exit", tcp_exit, "a process exits with its connection open";
    "tcp-many", tcp_many, "many connections, one after the other and open together";
    "tcp-bulk", tcp_bulk, "large writes that wait for the reader: sent from softirq";
    "udp-connected", udp_connected, "request and response, connected client";
    "udp-unconnected", udp_unconnected, "request and response, unconnected client";
    "udp-old", udp_old, "sockets used before the capture";
    "udp-old-idle", udp_old_idle, "sockets bound before the capture and never used";
    "fork-reads", fork_reads, "forked server whose child reads, then writes";
    "fork-greets", fork_greets, "forked server whose child writes first";
    "fork-old", fork_old, "a child takes over a connection from before the capture";
    "prefork", prefork, "several workers wait in accept on one listener";
    "prefork-quiet", prefork_quiet, "the same, and accept does not ask for the peer's address";
    "fork-no-exec", fork_no_exec, "a child without exec opens sockets of its own";
    "exec-inside", exec_inside, "exec during a connection";
    "vanished", vanished, "gone before anyone looks";
    "passed", passed, "a connection passed over a unix socket";
    "thread", thread, "sent by a thread with a name of its own";
};

/// Rows in which nobody can know the owner for a while, so that a wrong name is allowed when it
/// is marked as a guess. prefork-quiet: no hook tells which worker took the connection out of
/// the listener until that worker uses it.
pub const GUESSED: &[&str] = &["prefork-quiet"];

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

/// The server receives a datagram and answers its sender.
fn answer(server: &mut Puppet) -> Result<()> {
    let received = server.act("recvfrom 0")?;
    let from = received.peer()?;
    server.act(&format!("sendto 0 {} {} 80", from.ip(), from.port()))?;
    Ok(())
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
