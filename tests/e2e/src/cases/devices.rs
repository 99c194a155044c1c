//! Devices: which are captured, what they are called, what their packets look like.

use std::net::UdpSocket;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use pktwho_packet::LinkType;

use super::Outcome;
use crate::lab::{Lab, PATIENCE, until};
use crate::netns::Netns;
use crate::puppet::{Puppet, Theatre};
use crate::seen::{Seen, read_file};
use crate::tool::Tool;
use crate::traffic::{Line, expect_numbers, numbers};

/// A device that appears while `-i any` captures is captured too, under its name.
pub fn later(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let peer = Netns::new()?;
    let tool = Tool::listening(lab, &netns, "-i any -n -l")?;
    netns.ip(&format!(
        "link add later0 type veth peer name later1 netns {}",
        peer.path()
    ))?;
    netns.ip("addr add 10.79.0.1/24 dev later0")?;
    netns.ip("neigh add 10.79.0.2 lladdr 02:00:00:00:79:02 dev later0")?;
    netns.ip("link set later0 up")?;
    peer.ip("link set later1 up")?;
    let socket = netns.within(|| Ok(UdpSocket::bind("10.79.0.1:0")?))?;
    until("the new device is captured", PATIENCE, || {
        socket.send_to(b"e2e", "10.79.0.2:9")?;
        let output = String::from_utf8_lossy(&tool.output()).into_owned();
        let found = |line: &str| line.contains("later0") && line.contains("10.79.0.2.9");
        Ok(output.lines().any(found).then_some(()))
    })?;
    tool.stop()?.expect_status(0)?;
    Ok(Outcome::Passed)
}

/// A device that leaves for another namespace is captured on no more from that moment on, however
/// late the tool hears of it.
pub fn left(lab: &Lab) -> Result<Outcome> {
    let (near, far) = (Netns::new()?, Netns::new()?);
    near.ip("link add stays0 type veth peer name leaves0")?;
    near.ip("addr add 10.79.0.1/24 dev stays0")?;
    near.ip("link set stays0 up")?;
    near.ip("link set leaves0 up")?;
    let path = lab.file("left.pcapng");
    let tool = Tool::listening(lab, &near, &format!("-i any -n -w {}", path.display()))?;
    let send = |words: &'static [u8]| -> Result<()> {
        let socket = near.within(|| Ok(UdpSocket::bind("10.79.0.1:0")?))?;
        socket.send_to(words, "10.79.0.2:9")?;
        Ok(())
    };
    near.ip("neigh add 10.79.0.2 lladdr 02:00:00:00:79:02 dev stays0")?;
    send(b"before")?;
    tool.signal(Signal::SIGSTOP)?;
    let moved = leave(&near, &far).and_then(|()| send(b"after"));
    tool.signal(Signal::SIGCONT)?;
    moved?;
    tool.stop()?.expect_status(0)?;
    let packets = read_file(&path)?;
    let seen = |words: &[u8]| {
        let ours = |packet: &&Seen| packet.segment().is_some_and(|s| s.payload == words);
        let mut names: Vec<&str> = packets.iter().filter(ours).map(|p| &*p.iface).collect();
        names.sort_unstable();
        names
    };
    let (before, after) = (seen(b"before"), seen(b"after"));
    ensure!(before == ["leaves0", "stays0"], "before: {before:?}");
    ensure!(after == ["stays0"], "after: {after:?}");
    Ok(Outcome::Passed)
}

/// Moves the device, which is up when this returns.
fn leave(near: &Netns, far: &Netns) -> Result<()> {
    near.ip(&format!("link set leaves0 netns {}", far.path()))?;
    far.ip("link set leaves0 up")?;
    until("the pair is up", PATIENCE, || {
        let state = near.ip("-o link show stays0")?;
        Ok(state.contains("LOWER_UP").then_some(()))
    })
}

/// A device of another namespace is named as it is there, on screen and in the file, also
/// when ours has another one of the same index.
pub fn name_in_netns(lab: &Lab) -> Result<Outcome> {
    let (near, far) = Netns::pair()?;
    let line = Line::between((&near, "10.77.0.1"), (&far, "10.77.0.2"))?;
    let path = lab.file("name.pcapng");
    let words = format!("-i any -n -l --print -w {}", path.display());
    let tool = Tool::listening(lab, &near, &words)?;
    line.send(5)?;
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    let packets = read_file(&path)?;
    expect_numbers(&packets, 0..5)?;
    let names: Vec<&str> = packets.iter().map(|packet| packet.iface.as_str()).collect();
    ensure!(names.iter().all(|name| *name == "near0"), "{names:?}");
    let output = String::from_utf8_lossy(&ended.stdout);
    // The device's own first words (MLD) may come among them.
    let ours = |line: &&str| line.contains(" near0 ") && line.contains(": UDP, ");
    ensure!(output.lines().filter(ours).count() == 5, "{output}");
    Ok(Outcome::Passed)
}

/// `ip netns exec` hides the host's /sys: owners must be found all the same.
pub fn ip_netns_exec(lab: &Lab) -> Result<Outcome> {
    let name = format!("pktwho-e2e-{}", std::process::id());
    let host = Netns::new()?;
    host.ip(&format!("netns add {name}"))?;
    let result = in_named_netns(lab, &host, &name);
    host.ip(&format!("netns del {name}"))?;
    result
}

fn in_named_netns(lab: &Lab, host: &Netns, name: &str) -> Result<Outcome> {
    host.ip(&format!("-n {name} link set lo up"))?;
    let path = lab.file("named.pcapng");
    let (tool, path_text) = (lab.pktwho.display().to_string(), path.display().to_string());
    let words = ["netns", "exec", name, &tool, "-i", "lo", "-w", &path_text];
    let mut tool = Tool::spawn(Path::new("ip"), host, &words)?;
    tool.ready()?;
    let send = "exec 3>/dev/udp/127.0.0.1/9; echo one >&3";
    let words = ["netns", "exec", name, "bash", "-c", send];
    Tool::spawn(Path::new("ip"), host, &words)?
        .wait()?
        .expect_status(0)?;
    tool.stop()?.expect_status(0)?;
    let packets = read_file(&path)?;
    let datagram = packets
        .iter()
        .find(|packet| packet.segment().is_some_and(|s| s.payload == b"one\n"))
        .context("the datagram is not captured")?;
    let sender = datagram.sender.as_ref().context("no sender")?;
    ensure!(sender.name == b"bash", "sent by {sender:?}");
    Ok(Outcome::Passed)
}

/// Loopback hands every packet out and in: it is shown once.
pub fn loopback_once(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    for device in ["lo", "any"] {
        let start = line.sent();
        let path = lab.file(&format!("once-{device}.pcapng"));
        let words = format!("-i {device} -w {}", path.display());
        let tool = Tool::listening(lab, &netns, &words)?;
        line.send(50)?;
        tool.stop()?.expect_status(0)?;
        expect_numbers(&read_file(&path)?, start..start + 50)?;
    }
    Ok(Outcome::Passed)
}

/// Ethernet, the tags, then an IPv4 datagram from 10.77.0.2 to 10.77.0.1, UDP port 9.
pub fn tagged_frame(tags: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0x77, 1, 2, 0, 0, 0, 0x77, 2];
    frame.extend(tags);
    frame.extend([0x08, 0x00]);
    frame.extend([0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0]);
    frame.extend([10, 77, 0, 2, 10, 77, 0, 1]);
    frame.extend([0x1f, 0x90, 0, 9, 0, 12, 0, 0]);
    frame.extend(b"vlan");
    frame
}

/// The kernel takes the outer tag off what comes in; the file has the frame as it was sent,
/// on both ends of the wire.
pub fn vlan(lab: &Lab) -> Result<Outcome> {
    let (near, far) = Netns::pair()?;
    for netns in [&near, &far] {
        netns.without_ipv6()?;
    }
    let theatre = Theatre::open(&lab.file("vlan.sock"))?;
    let mut sender = theatre.enter(&lab.puppet, &far)?;
    let one: &[u8] = &[0x81, 0x00, 0x60, 0x05];
    let two: &[u8] = &[0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0x00, 0x09];
    let frames = [one, two].map(tagged_frame);
    let ends = [(&near, "near0"), (&far, "far0")];
    let mut tools = Vec::new();
    for (netns, device) in ends {
        let path = lab.file(&format!("vlan-{device}.pcapng"));
        let words = format!("-i {device} -w {}", path.display());
        tools.push((device, Tool::listening(lab, netns, &words)?, path));
    }
    for frame in &frames {
        let hex: Vec<String> = frame.iter().map(|byte| format!("{byte:02x}")).collect();
        sender.act(&format!("frame far0 {}", hex.concat()))?;
    }
    for (device, tool, path) in tools {
        tool.stop()?.expect_status(0)?;
        let packets = read_file(&path)?;
        let found: Vec<&[u8]> = packets
            .iter()
            .map(|packet| packet.data.as_slice())
            .collect();
        let expected: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        ensure!(found == expected, "{device}: {found:02x?}");
        let whole = |packet: &Seen| packet.orig_len as usize == packet.data.len();
        ensure!(packets.iter().all(whole), "{device}: other lengths");
    }
    Ok(Outcome::Passed)
}

/// Runs `work` in a namespace with `tun0`, which is 10.78.0.1/24 and whose other end the
/// puppet holds.
pub fn with_tun(
    lab: &Lab,
    work: impl FnOnce(&Netns, &mut Puppet) -> Result<()>,
) -> Result<Outcome> {
    if !Path::new("/dev/net/tun").exists() {
        return Ok(Outcome::Skipped("there is no /dev/net/tun".into()));
    }
    let netns = Netns::new()?;
    let theatre = Theatre::open(&lab.file(&format!("tun{}.sock", lab.number())))?;
    let mut puppet = theatre.enter(&lab.puppet, &netns)?;
    puppet.act("tun 0 tun0")?;
    netns.sysctl("net/ipv6/conf/tun0/disable_ipv6", "1")?;
    netns.ip("addr add 10.78.0.1/24 dev tun0")?;
    netns.ip("link set tun0 up")?;
    work(&netns, &mut puppet)?;
    Ok(Outcome::Passed)
}

/// A device without a link layer: packets begin with their IP header, both ways.
pub fn tun(lab: &Lab) -> Result<Outcome> {
    with_tun(lab, |netns, puppet| both_ways(lab, netns, puppet))
}

/// A device that appears later and has another link type than the file: its packets go to a
/// file beside it.
pub fn other_link_type(lab: &Lab) -> Result<Outcome> {
    if !Path::new("/dev/net/tun").exists() {
        return Ok(Outcome::Skipped("there is no /dev/net/tun".into()));
    }
    let netns = Netns::new()?;
    netns.ip("link set lo up")?;
    let path = lab.file("mixed.pcapng");
    let words = format!("-i any -n -l --print -w {} udp", path.display());
    let tool = Tool::listening(lab, &netns, &words)?;
    let theatre = Theatre::open(&lab.file(&format!("tun{}.sock", lab.number())))?;
    let mut puppet = theatre.enter(&lab.puppet, &netns)?;
    puppet.act("tun 0 tun0")?;
    netns.ip("addr add 10.78.0.1/24 dev tun0")?;
    netns.ip("link set tun0 up")?;
    let socket = netns.within(|| Ok(UdpSocket::bind("0.0.0.0:0")?))?;
    until("both devices are captured", PATIENCE, || {
        socket.send_to(b"e2e", "127.0.0.1:9")?;
        socket.send_to(b"e2e", "10.78.0.2:9")?;
        let output = String::from_utf8_lossy(&tool.output()).into_owned();
        Ok([" lo ", " tun0 "]
            .iter()
            .all(|name| output.contains(name))
            .then_some(()))
    })?;
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    ensure!(
        ended.stderr.contains("mixed-RAW.pcapng"),
        "{}",
        ended.stderr
    );
    for (file, device, link_type) in [
        (path, "lo", LinkType::ETHERNET),
        (lab.file("mixed-RAW.pcapng"), "tun0", LinkType::RAW),
    ] {
        let packets = read_file(&file)?;
        let is_its = packets
            .iter()
            .all(|packet| packet.iface == device && packet.link_type == link_type);
        ensure!(
            is_its && !packets.is_empty(),
            "{}: {packets:?}",
            file.display()
        );
    }
    Ok(Outcome::Passed)
}

fn both_ways(lab: &Lab, netns: &Netns, puppet: &mut Puppet) -> Result<()> {
    let path = lab.file("tun.pcapng");
    let words = format!("-i tun0 -w {}", path.display());
    let tool = Tool::listening(lab, netns, &words)?;
    let sink = netns.within(|| Ok(UdpSocket::bind("10.78.0.1:9")?))?;
    let frame = tagged_frame(&[]);
    let mut inbound = frame.get(14..).context("no packet")?.to_vec();
    // From 10.78.0.2 to 10.78.0.1.
    for at in [13, 17] {
        *inbound.get_mut(at).context("no address")? = 78;
    }
    let hex: Vec<String> = inbound.iter().map(|byte| format!("{byte:02x}")).collect();
    puppet.act(&format!("tunwrite 0 {}", hex.concat()))?;
    sink.send_to(b"e2e n=0|", "10.78.0.2:9")?;
    tool.stop()?.expect_status(0)?;
    let packets = read_file(&path)?;
    let raw = packets
        .iter()
        .all(|packet| packet.link_type == LinkType::RAW);
    ensure!(raw && packets.len() == 2, "{packets:?}");
    ensure!(
        packets.iter().any(|packet| packet.data == inbound),
        "inbound: {packets:?}"
    );
    ensure!(numbers(&packets) == [0], "outbound: {packets:?}");
    Ok(())
}
