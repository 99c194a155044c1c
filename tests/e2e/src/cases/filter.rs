//! Filter expressions of captures: the kernel keeps exactly what they mean.

use std::net::UdpSocket;

use anyhow::{Context, Result, ensure};
use pktwho_packet::Direction;

use super::Outcome;
use super::devices::{tagged_frame, with_tun};
use super::select::{Three, three};
use crate::lab::{Lab, PATIENCE, until};
use crate::netns::Netns;
use crate::puppet::Theatre;
use crate::seen::read_file;
use crate::tool::Tool;
use crate::traffic::{Line, expect_numbers};

/// What the packet itself says: those that do not match are neither delivered nor counted.
pub fn packets(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let (wanted, other) = (Line::loopback(&netns)?, Line::loopback(&netns)?);
    let port = wanted.port()?;
    for expression in [
        format!("udp port {port}"),
        format!("ip host 127.0.0.1 and not tcp and udp dst port {port}"),
        format!("udp[2:2] = {port} and len > 20"),
        format!("inbound and udp dst portrange {port}-{port}"),
    ] {
        let start = wanted.sent();
        let path = lab.file(&format!("filter{}.pcapng", lab.number()));
        let words = format!("-i lo -w {} {expression}", path.display());
        let tool = Tool::listening(lab, &netns, &words)?;
        other.send(20)?;
        wanted.send(20)?;
        other.send(20)?;
        let ended = tool.stop()?;
        ended.expect_status(0)?;
        expect_numbers(&read_file(&path)?, start..start + 20).context(expression)?;
        let counts = ended.counts()?;
        ensure!(
            (counts.captured, counts.received, counts.dropped) == (20, 20, 0),
            "{counts:?}"
        );
    }
    Ok(Outcome::Passed)
}

/// Terms about processes, decided in the kernel and, where it does not know, by us.
pub fn owners(lab: &Lab) -> Result<Outcome> {
    let mut three = three(lab, "one", "other")?;
    let (one, other, sink) = (three.one.pid, three.other.pid, three.sink.pid);
    let check = |three: &mut Three, expression: &str, expected: &[u32]| -> Result<()> {
        let kept = three.kept(lab, expression)?;
        let count = 3 * expected.len();
        ensure!(
            kept == (expected.iter().copied().collect(), count),
            "{expression}: {kept:?} instead of {expected:?}"
        );
        Ok(())
    };
    let ppid = std::process::id();
    let known = [
        ("proc one".to_owned(), &[one][..]),
        ("not proc one".into(), &[other]),
        ("udp port 7000 and proc one".into(), &[one]),
        ("tcp or sender proc other".into(), &[other]),
        ("sender proc sink".into(), &[]),
        ("receiver proc sink".into(), &[one, other]),
        (format!("pid {one} or pid {other}"), &[one, other]),
        (format!("sender pid {sink} or tid {other}"), &[other]),
        ("uid root and not proc other".into(), &[one]),
        (format!("ppid {ppid} and proc one or other"), &[one, other]),
        ("dev lo and proc one".into(), &[one]),
        ("dev eth0 and proc one".into(), &[]),
    ];
    let ours = [
        ("exe */one".to_owned(), &[one][..]),
        ("udp and not exe */one".into(), &[other]),
        ("proc on*".into(), &[one]),
        ("pproc e2e* and proc other".into(), &[other]),
        ("exe */nobody".into(), &[]),
    ];
    for (expression, expected) in known.into_iter().chain(ours) {
        check(&mut three, &expression, expected)?;
    }
    Ok(Outcome::Passed)
}

/// A socket goes to a child, which sends what the filter refuses: it receives the answer that the
/// filter wants, on a socket with a peer and on one without.
pub fn handed_over(lab: &Lab) -> Result<Outcome> {
    let (near, far) = Netns::pair()?;
    let theatre = Theatre::open(&lab.file("handed-over.sock"))?;
    for (connected, expression) in [
        (false, "udp port 7000"),
        (false, "udp src port 7000"),
        (false, "src host 10.77.0.2 and udp"),
        (true, "udp src port 7000"),
        (true, "udp port 7000 and inbound"),
    ] {
        let mut peer = theatre.enter(&lab.puppet, &far)?;
        peer.acts(&["socket 0 udp 4", "bind 0 10.77.0.2 7000"])?;
        let path = lab.file(&format!("handed-over{}.pcapng", lab.number()));
        let words = format!("-i near0 -w {} {expression}", path.display());
        let tool = Tool::listening(lab, &near, &words)?;
        if lab.relieves()? {
            tool.until_relieved()?;
        }
        let mut parent = theatre.enter(&lab.puppet, &near)?;
        parent.acts(&["socket 1 udp 4", "bind 1 10.77.0.1 7001"])?;
        let (to_peer, elsewhere) = if connected {
            parent.act("connect 1 10.77.0.2 7000")?;
            ("send 1 64", "send 1 64")
        } else {
            ("sendto 1 10.77.0.2 7000 64", "sendto 1 10.77.0.2 9 64")
        };
        parent.act(to_peer)?;
        let mut child = theatre.fork(&mut parent)?;
        child.act(elsewhere)?;
        peer.act("sendto 0 10.77.0.1 7001 64")?;
        // What has arrived is looked at before it is received.
        child.act("recvfrom 1")?;
        tool.stop()?.expect_status(0)?;
        let packets = read_file(&path)?;
        let answer = packets.last().context("no packet")?;
        let receiver = answer.receiver.as_ref().map(|who| who.pid);
        ensure!(
            answer.direction == Direction::In && receiver == Some(child.pid),
            "{expression}, connected {connected}: {receiver:?}, {} sends by {}: {answer:?}",
            child.pid,
            parent.pid
        );
    }
    Ok(Outcome::Passed)
}

/// Tags that the kernel has taken out of the bytes are filtered on as those in them.
pub fn vlan(lab: &Lab) -> Result<Outcome> {
    let (near, far) = Netns::pair()?;
    for netns in [&near, &far] {
        netns.without_ipv6()?;
    }
    let theatre = Theatre::open(&lab.file("filter-vlan.sock"))?;
    let one: &[u8] = &[0x81, 0x00, 0x60, 0x05];
    let two: &[u8] = &[0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0x00, 0x09];
    let frames = [tagged_frame(one), tagged_frame(two), tagged_frame(&[])];
    for (expression, expected) in [
        ("vlan", &[0, 1][..]),
        ("vlan 5", &[0]),
        ("vlan 7 and vlan 9", &[1]),
        ("vlan and udp port 9", &[0]),
        ("vlan and vlan and dst host 10.77.0.1", &[1]),
        ("udp port 9", &[2]),
        ("not vlan", &[2]),
        ("ether[12:2] = 0x8100 and ether[14:2] & 0xfff = 5", &[0]),
        ("ether[13:4] = 0x600508", &[0]),
        ("len = 46 or len = 50", &[0, 2]),
    ] {
        // A puppet lives for two minutes, and all of them may take longer.
        let mut sender = theatre.enter(&lab.puppet, &far)?;
        for (netns, device) in [(&near, "near0"), (&far, "far0")] {
            let path = lab.file(&format!("filter-vlan{}.pcapng", lab.number()));
            let words = format!("-i {device} -w {} {expression}", path.display());
            let tool = Tool::listening(lab, netns, &words)?;
            for frame in &frames {
                let hex: Vec<String> = frame.iter().map(|byte| format!("{byte:02x}")).collect();
                sender.act(&format!("frame far0 {}", hex.concat()))?;
            }
            tool.stop()?.expect_status(0)?;
            let packets = read_file(&path)?;
            let found: Vec<usize> = packets
                .iter()
                .filter_map(|packet| frames.iter().position(|frame| *frame == packet.data))
                .collect();
            ensure!(
                found == expected && packets.len() == expected.len(),
                "{expression} on {device}: {found:?} instead of {expected:?}"
            );
        }
    }
    Ok(Outcome::Passed)
}

/// Bytes far behind the headers, where the kernel keeps them in pages.
pub fn far_bytes(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let socket = netns.within(|| Ok(UdpSocket::bind("127.0.0.1:0")?))?;
    let mut datagram = vec![0; 40_000];
    *datagram.get_mut(30_000).context("short")? = b'A';
    for (expression, expected) in [
        ("udp[30008] = 0x41", 1),
        ("udp[30008] = 0x42", 0),
        ("udp[30007:4] = 0x4100 and udp[4:2] = 40008", 0),
        ("udp[30006:4] = 0x4100 and udp[4:2] = 40008", 1),
        ("udp[40007] = 0", 1),
        ("not udp[40008] = 1 and udp", 0),
    ] {
        let path = lab.file(&format!("filter-far{}.pcapng", lab.number()));
        let words = format!("-i lo -w {} {expression}", path.display());
        let tool = Tool::listening(lab, &netns, &words)?;
        socket.send_to(&datagram, "127.0.0.1:9")?;
        tool.stop()?.expect_status(0)?;
        let found = read_file(&path)?
            .iter()
            .filter(|packet| packet.orig_len > 40_000)
            .count();
        ensure!(found == expected, "{expression}: {found} packets");
    }
    Ok(Outcome::Passed)
}

/// A device that appears while `-i any` captures gets the filter as well.
pub fn later_device(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let tool = Tool::listening(lab, &netns, "-i any -n -l udp dst port 9 and dev later*")?;
    let peer = Netns::new()?;
    netns.ip(&format!(
        "link add later0 type veth peer name later1 netns {}",
        peer.path()
    ))?;
    netns.ip("addr add 10.79.0.1/24 dev later0")?;
    netns.ip("neigh add 10.79.0.2 lladdr 02:00:00:00:79:02 dev later0")?;
    netns.ip("link set later0 up")?;
    peer.ip("link set later1 up")?;
    let socket = netns.within(|| Ok(UdpSocket::bind("0.0.0.0:0")?))?;
    until("the new device is captured", PATIENCE, || {
        for to in ["127.0.0.1:9", "10.79.0.2:10", "10.79.0.2:9"] {
            // Nobody listens on loopback: the answer of one makes the next send fail.
            let _ = socket.send_to(b"e2e", to);
        }
        let output = String::from_utf8_lossy(&tool.output()).into_owned();
        Ok(output.contains("later0").then_some(()))
    })?;
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    let output = String::from_utf8_lossy(&ended.stdout);
    let strange = output
        .lines()
        .find(|line| !line.contains("later0") || !line.contains("10.79.0.2.9:"));
    ensure!(strange.is_none(), "{strange:?}");
    Ok(Outcome::Passed)
}

/// Packets without a link layer; the same expression means the same there.
pub fn without_link_layer(lab: &Lab) -> Result<Outcome> {
    with_tun(lab, |netns, _| {
        for (expression, expected) in [
            ("udp and dst host 10.78.0.2", 1),
            ("udp port 10", 0),
            ("ip6", 0),
            ("outbound and udp port 9", 1),
        ] {
            let path = lab.file(&format!("filter-tun{}.pcapng", lab.number()));
            let words = format!("-i tun0 -w {} {expression}", path.display());
            let tool = Tool::listening(lab, netns, &words)?;
            let socket = netns.within(|| Ok(UdpSocket::bind("10.78.0.1:0")?))?;
            socket.send_to(b"e2e", "10.78.0.2:9")?;
            tool.stop()?.expect_status(0)?;
            let found = read_file(&path)?.len();
            ensure!(found == expected, "{expression}: {found} packets");
        }
        Ok(())
    })
}

/// Nothing is captured by what is no filter, or not one for the device.
pub fn refused(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    for (expression, said) in [
        ("tcp prt 80", "syntax error"),
        ("wlan type data", "not supported on"),
        ("port 100000", "100000"),
    ] {
        let ended = Tool::start(lab, &netns, &format!("-i lo {expression}"))?.wait()?;
        ended.expect_status(1)?;
        ensure!(
            ended.stderr.contains(said),
            "{expression}: {}",
            ended.stderr
        );
    }
    Ok(Outcome::Passed)
}
