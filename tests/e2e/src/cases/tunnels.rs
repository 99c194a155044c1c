//! The far end of a tun device: a guess, where one namespace alone has the address on such a device.

use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pktwho_packet::Confidence;

use super::Outcome;
use crate::lab::{Lab, PATIENCE, until};
use crate::netns::Netns;
use crate::puppet::{Puppet, Theatre};
use crate::seen::{Seen, Who, read_file};
use crate::tool::Tool;

const FAR: &str = "10.80.0.2";

/// A namespace with the tun device `over0`, which has this address, and the process that holds it.
fn tunnelled(lab: &Lab, theatre: &Theatre, address: &str) -> Result<(Netns, Puppet)> {
    let netns = Netns::quiet()?;
    let mut holder = theatre.enter(&lab.puppet, &netns)?;
    holder.act("tun 7 over0")?;
    netns.address("over0", &format!("{address}/24"))?;
    netns.ip("link set over0 up")?;
    Ok((netns, holder))
}

fn theatre(lab: &Lab) -> Result<Theatre> {
    Theatre::open(&lab.file(&format!("tunnels{}.sock", lab.number())))
}

/// Why nothing of this can be tried.
fn lacking() -> Option<Outcome> {
    let there = Path::new("/dev/net/tun").exists();
    (!there).then(|| Outcome::Skipped("there is no /dev/net/tun".into()))
}

/// The receivers of what went to this address, in order.
fn receivers<'a>(packets: &'a [Seen], to: &str) -> Vec<Option<&'a Who>> {
    let goes_there = |packet: &&Seen| {
        let segment = packet.segment();
        segment.is_some_and(|segment| segment.destination.to_string() == to)
    };
    let packets = packets.iter().filter(goes_there);
    packets.map(|packet| packet.receiver.as_ref()).collect()
}

/// Who has the socket that a packet is for is a guess; who has the address, or the port, alone is nobody.
pub fn guessed(lab: &Lab) -> Result<Outcome> {
    if let Some(skipped) = lacking() {
        return Ok(skipped);
    }
    let theatre = theatre(lab)?;
    let (near, _holder) = tunnelled(lab, &theatre, "10.80.0.1")?;
    let (_far, mut right) = tunnelled(lab, &theatre, FAR)?;
    let path = lab.file("tunnels.pcapng");
    let words = format!("-i over0 -w {}", path.display());
    let tool = Tool::listening(lab, &near, &words)?;
    right.acts(&["socket 0 udp 4", "bind 0 0.0.0.0 7000"])?;
    right.acts(&["socket 1 tcp 4", "bind 1 0.0.0.0 7001", "listen 1"])?;
    right.acts(&["socket 2 udp 4", "bind 2 10.80.0.2 7002"])?;
    right.act("connect 2 10.80.0.1 9")?;
    // The address and the port, and no tun device that has it.
    let elsewhere = Netns::quiet()?;
    elsewhere.address("lo", "10.80.0.3/32")?;
    let mut decoy = theatre.enter(&lab.puppet, &elsewhere)?;
    decoy.acts(&["socket 0 udp 4", "bind 0 0.0.0.0 7000"])?;
    let (known, unknown) = (
        ["10.80.0.2:7000", "10.80.0.2:7001"],
        [
            "10.80.0.2:7002",
            "10.80.0.2:7003",
            "10.80.0.2:7004",
            "10.80.0.3:7000",
        ],
    );
    near.within(|| {
        let sender = UdpSocket::bind("0.0.0.0:0")?;
        for to in [
            "10.80.0.2:7000",
            "10.80.0.2:7002",
            "10.80.0.2:7003",
            "10.80.0.3:7000",
        ] {
            sender.send_to(b"e2e", to)?;
        }
        // Nobody carries what they ask.
        for to in ["10.80.0.2:7001", "10.80.0.2:7004"] {
            let connected = TcpStream::connect_timeout(&to.parse()?, Duration::from_millis(10));
            ensure!(connected.is_err(), "somebody carries packets");
        }
        Ok(())
    })?;
    tool.stop()?.expect_status(0)?;
    let packets = read_file(&path)?;
    for to in known {
        let found = receivers(&packets, to);
        let right = |who: &Who| who.pid == right.pid && who.confidence == Confidence::Guess;
        ensure!(
            !found.is_empty() && found.iter().all(|who| who.is_some_and(right)),
            "{to}: {found:?}"
        );
    }
    for to in unknown {
        let found = receivers(&packets, to);
        ensure!(
            !found.is_empty() && found.iter().all(Option::is_none),
            "{to}: {found:?}"
        );
    }
    Ok(Outcome::Passed)
}

/// Of two namespaces that have the address none is believed, until one gives it up. The second comes
/// while we capture.
pub fn twins(lab: &Lab) -> Result<Outcome> {
    if let Some(skipped) = lacking() {
        return Ok(skipped);
    }
    let theatre = theatre(lab)?;
    let (near, _holder) = tunnelled(lab, &theatre, "10.80.0.1")?;
    let (_far, mut right) = tunnelled(lab, &theatre, FAR)?;
    let tool = Tool::listening(lab, &near, "-i over0 -n -l --immediate-mode")?;
    right.acts(&["socket 0 udp 4", "bind 0 0.0.0.0 8000"])?;
    let sender = near.within(|| Ok(UdpSocket::bind("10.80.0.1:0")?))?;
    let named = |expected: bool| {
        until("what is shown is as it should be", PATIENCE, || {
            sender.send_to(b"e2e", (FAR, 8000))?;
            Ok((last_is_named(&tool, right.pid) == Some(expected)).then_some(()))
        })
    };
    named(true).context("one has the address")?;
    let (twin, mut other) = tunnelled(lab, &theatre, FAR)?;
    other.acts(&["socket 0 udp 4", "bind 0 0.0.0.0 8000"])?;
    named(false).context("two have the address")?;
    twin.ip(&format!("addr del {FAR}/24 dev over0"))?;
    named(true).context("one has given it up")?;
    let output = String::from_utf8_lossy(&tool.output()).into_owned();
    let wrong = format!(".{} Out", other.pid);
    ensure!(!output.contains(&wrong), "the other one was named");
    tool.stop()?.expect_status(0)?;
    Ok(Outcome::Passed)
}

/// Whether the last line captured so far names this process.
fn last_is_named(tool: &Tool, pid: u32) -> Option<bool> {
    let output = String::from_utf8_lossy(&tool.output()).into_owned();
    let line = output.lines().rfind(|line| line.contains("UDP"))?;
    Some(line.contains(&format!(".{pid} Out")))
}
