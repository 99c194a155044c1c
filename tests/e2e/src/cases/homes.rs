//! The far end of a packet: a process in another namespace, found by its address there.

use std::net::UdpSocket;

use anyhow::{Result, ensure};

use super::Outcome;
use crate::lab::{Lab, PATIENCE, until};
use crate::netns::Netns;
use crate::seen::{Seen, read_file};
use crate::tool::Tool;

/// A socket near, bound and connected to one far; both are the runner's own.
fn connected(near: &Netns, far: &Netns) -> Result<(UdpSocket, UdpSocket)> {
    let sink = far.within(|| Ok(UdpSocket::bind("10.77.0.2:0")?))?;
    let sender = near.within(|| Ok(UdpSocket::bind("10.77.0.1:0")?))?;
    sender.connect(sink.local_addr()?)?;
    Ok((sender, sink))
}

/// Who receives the datagrams with that payload, in order: a process id, or nobody.
fn receivers(packets: &[Seen], payload: &[u8]) -> Vec<Option<u32>> {
    let wanted = |packet: &&Seen| packet.segment().is_some_and(|s| s.payload == payload);
    let pid = |packet: &Seen| packet.receiver.as_ref().map(|who| who.pid);
    packets.iter().filter(wanted).map(pid).collect()
}

/// Who receives the last datagram captured so far, by the text on screen.
fn last_receiver(tool: &Tool) -> Option<bool> {
    let output = String::from_utf8_lossy(&tool.output()).into_owned();
    let line = output.lines().rfind(|line| line.contains("UDP"))?;
    Some(line.split(" IP ").next()?.contains('>'))
}

/// An address that two other namespaces have tells nothing; once one gives it up, it does.
pub fn twins(lab: &Lab) -> Result<Outcome> {
    let (near, far) = Netns::pair()?;
    let twin = Netns::new()?;
    near.ip(&format!(
        "link add near1 type veth peer name twin0 netns {}",
        twin.path()
    ))?;
    twin.ip("addr add 10.77.0.2/24 dev twin0")?;
    twin.ip("link set twin0 up")?;
    let tool = Tool::listening(lab, &near, "-i near0 -n -l --immediate-mode")?;
    let (sender, _sink) = connected(&near, &far)?;
    sender.send(b"e2e")?;
    let known = until("the datagram is shown", PATIENCE, || {
        Ok(last_receiver(&tool))
    })?;
    ensure!(
        !known,
        "two namespaces have the address, and one is believed: {}",
        String::from_utf8_lossy(&tool.output())
    );
    twin.ip("addr del 10.77.0.2/24 dev twin0")?;
    until("the address is certain", PATIENCE, || {
        sender.send(b"e2e")?;
        Ok((last_receiver(&tool) == Some(true)).then_some(()))
    })?;
    tool.stop()?.expect_status(0)?;
    Ok(Outcome::Passed)
}

/// A namespace, and an address in it, that come while we capture.
pub fn later(lab: &Lab) -> Result<Outcome> {
    let near = Netns::new()?;
    let tool = Tool::listening(lab, &near, "-i any -n -l --immediate-mode")?;
    let far = Netns::new()?;
    near.ip(&format!(
        "link add near0 type veth peer name far0 netns {}",
        far.path()
    ))?;
    near.ip("addr add 10.77.0.1/24 dev near0")?;
    near.ip("link set near0 up")?;
    far.ip("addr add 10.77.0.2/24 dev far0")?;
    far.ip("link set far0 up")?;
    let (sender, _sink) = connected(&near, &far)?;
    until("the far end is known", PATIENCE, || {
        sender.send(b"e2e")?;
        Ok((last_receiver(&tool) == Some(true)).then_some(()))
    })?;
    tool.stop()?.expect_status(0)?;
    Ok(Outcome::Passed)
}

/// What a connected socket sends to others, or after it is connected anew, is not what it sends
/// to its first peer; and a receiver that is gone is nobody.
pub fn elsewhere(lab: &Lab) -> Result<Outcome> {
    let (near, far) = Netns::pair()?;
    let (sender, sink) = connected(&near, &far)?;
    let path = lab.file("elsewhere.pcapng");
    let words = format!("-i near0 -w {}", path.display());
    let tool = Tool::listening(lab, &near, &words)?;
    for _ in 0..3 {
        sender.send(b"peer")?;
        sender.send_to(b"other", "10.77.0.2:9")?;
    }
    let first = sink.local_addr()?;
    sender.connect("10.77.0.2:9")?;
    for _ in 0..2 {
        // The refusal of the last one is told once.
        let _ = sender.send(b"nobody");
    }
    sender.connect(first)?;
    sender.send(b"again")?;
    drop(sink);
    sender.send(b"gone")?;
    tool.stop()?.expect_status(0)?;
    let packets = read_file(&path)?;
    let own = Some(std::process::id());
    for (payload, expected) in [
        (b"peer".as_slice(), vec![own; 3]),
        (b"other", vec![None; 3]),
        (b"again", vec![own]),
        (b"gone", vec![None]),
    ] {
        let found = receivers(&packets, payload);
        let name = String::from_utf8_lossy(payload);
        ensure!(
            found == expected,
            "{name}: {found:?} instead of {expected:?}"
        );
    }
    let nobody = receivers(&packets, b"nobody");
    ensure!(
        !nobody.is_empty() && nobody.iter().all(Option::is_none),
        "a port that nobody has: {nobody:?}"
    );
    Ok(Outcome::Passed)
}
