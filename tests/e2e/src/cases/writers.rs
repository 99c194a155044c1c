//! Connections to which several processes write.

use anyhow::{Result, ensure};
use pktwho_packet::Confidence;

use super::Outcome;
use crate::lab::Lab;
use crate::netns::Netns;
use crate::puppet::Theatre;
use crate::seen::{Seen, read_file};
use crate::tool::Tool;

const PORT: u16 = 7000;
/// So many bytes each writes, and the child once more.
const PARENT: usize = 90;
const CHILD: usize = 60;
/// TCP waits 200 ms for a packet to be filled: a slow machine may need several tries.
const TRIES: usize = 5;

/// A packet with bytes of two processes is a guess; the next, which has bytes of one, is not.
pub fn in_one_packet(lab: &Lab) -> Result<Outcome> {
    if !lab.sees_writers()? {
        return Ok(Outcome::Skipped(
            "this kernel does not tell who writes".into(),
        ));
    }
    let netns = Netns::new()?;
    let theatre = Theatre::open(&lab.file("writers.sock"))?;
    for _ in 0..TRIES {
        let path = lab.file(&format!("writers{}.pcapng", lab.number()));
        let words = format!("-i lo -w {} tcp src port {PORT}", path.display());
        let tool = Tool::listening(lab, &netns, &words)?;
        let mut parent = theatre.enter(&lab.puppet, &netns)?;
        let mut client = theatre.enter(&lab.puppet, &netns)?;
        let bind = format!("bind 0 127.0.0.1 {PORT}");
        parent.acts(&["socket 0 tcp 4", &bind, "listen 0"])?;
        client.acts(&["socket 1 tcp 4", &format!("connect 1 127.0.0.1 {PORT}")])?;
        parent.acts(&["accept 0 1", "option 1 cork 1"])?;
        let mut child = theatre.fork(&mut parent)?;
        parent.act(&format!("send 1 {PARENT}"))?;
        child.acts(&[&format!("send 1 {CHILD}"), "option 1 cork 0"])?;
        client.act("recv 1")?;
        child.act(&format!("send 1 {CHILD}"))?;
        client.acts(&["recv 1", "close 1"])?;
        let (parent_pid, child_pid) = (parent.pid, child.pid);
        child.exit()?;
        parent.exit()?;
        tool.stop()?.expect_status(0)?;
        let packets = read_file(&path)?;
        let of_length = |length| {
            let payload = |packet: &&Seen| packet.segment().map(|it| it.payload.len());
            packets.iter().find(|it| payload(it) == Some(length))
        };
        let (Some(mixed), Some(next)) = (of_length(PARENT + CHILD), of_length(CHILD)) else {
            continue;
        };
        let sender = |packet: &Seen| packet.sender.as_ref().map(|it| (it.pid, it.confidence));
        let is_guess = |pid| sender(mixed) == Some((pid, Confidence::Guess));
        ensure!(
            is_guess(parent_pid) || is_guess(child_pid),
            "bytes of {parent_pid} and {child_pid}: {:?}",
            sender(mixed)
        );
        ensure!(
            sender(next) == Some((child_pid, Confidence::Exact)),
            "bytes of {child_pid} alone: {:?}",
            sender(next)
        );
        return Ok(Outcome::Passed);
    }
    Ok(Outcome::Skipped(format!(
        "{TRIES} times their bytes left in packets of their own"
    )))
}
