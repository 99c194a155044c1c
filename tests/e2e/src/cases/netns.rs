//! `--netns`: captures in namespaces that are not the tool's own.

use std::fs;
use std::net::UdpSocket;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use super::Outcome;
use super::traces::attached;
use crate::lab::{Lab, PATIENCE, installed, until};
use crate::netns::Netns;
use crate::puppet::Theatre;
use crate::seen::{Seen, Who, read_file};
use crate::tool::Tool;
use crate::traffic::{Line, expect_numbers};

/// The packets of one device.
fn of_device(packets: &[Seen], name: &str) -> Vec<Seen> {
    let packets = packets.iter().filter(|packet| packet.iface == name);
    packets.cloned().collect()
}

/// Two namespaces whose devices have the same indices, from a third one: every packet on each
/// device that it passes, under the device's name there and the namespace's number, once, with
/// both ends; the filter's terms are answered for each.
pub fn chosen(lab: &Lab) -> Result<Outcome> {
    let (near, far) = Netns::pair()?;
    let elsewhere = Netns::new()?;
    let line = Line::between((&near, "10.77.0.1"), (&far, "10.77.0.2"))?;
    let path = lab.file("netns.pcapng");
    for filter in ["udp", "udp and pid SELF"] {
        let start = line.sent();
        let words = format!(
            "--netns {} --netns {} -i any -n -l --print -w {} {}",
            near.path(),
            far.path(),
            path.display(),
            filter.replace("SELF", &std::process::id().to_string())
        );
        let tool = Tool::listening(lab, &elsewhere, &words)?;
        line.send(5)?;
        let ended = tool.stop()?;
        ended.expect_status(0)?;
        let packets = read_file(&path)?;
        let output = String::from_utf8_lossy(&ended.stdout);
        for (netns, device, way) in [(&near, "near0", "Out"), (&far, "far0", "In")] {
            let name = format!("{device}@{}", netns.inode()?);
            let here = of_device(&packets, &name);
            expect_numbers(&here, start..start + 5).with_context(|| name.clone())?;
            let us = std::process::id();
            let is_us = |who: &Option<Who>| who.as_ref().is_some_and(|who| who.pid == us);
            let ours = |packet: &Seen| is_us(&packet.sender) && is_us(&packet.receiver);
            ensure!(here.iter().all(ours), "{name}: {here:?}");
            let is_shown = |line: &&str| {
                line.contains(&format!(" {name} ")) && line.contains(&format!(" {way} IP "))
            };
            ensure!(output.lines().filter(is_shown).count() == 5, "{output}");
        }
        ensure!(packets.len() == 10, "{} packets", packets.len());
    }
    Ok(Outcome::Passed)
}

/// A device of one of several namespaces, by either of its names; a process's namespace.
pub fn device(lab: &Lab) -> Result<Outcome> {
    let (near, far) = Netns::pair()?;
    let elsewhere = Netns::new()?;
    let theatre = Theatre::open(&lab.file("netns-device.sock"))?;
    let puppet = theatre.enter(&lab.puppet, &far)?;
    let line = Line::between((&near, "10.77.0.1"), (&far, "10.77.0.2"))?;
    let path = lab.file("netns-device.pcapng");
    let (pid, number) = (puppet.pid, far.inode()?);
    let shown = format!("far0@{number}");
    for name in [shown.as_str(), "far0", "1"] {
        let start = line.sent();
        let words = format!(
            "--netns {pid} --netns {} -i {name} -w {} udp",
            elsewhere.path(),
            path.display()
        );
        let tool = Tool::listening(lab, &near, &words)?;
        line.send(3)?;
        tool.stop()?.expect_status(0)?;
        let packets = read_file(&path)?;
        ensure!(packets.len() == 3, "{name}: {packets:?}");
        expect_numbers(&of_device(&packets, &shown), start..start + 3)?;
    }
    let expected = format!(
        "1.{shown} [Up, Running, Connected]\n\
         2.any (Pseudo-device that captures on all interfaces) [Up, Running]\n\
         3.lo@{number} [Up, Running, Loopback]\n"
    );
    // The kernel says a moment later that a cable which has been plugged in carries anything.
    until(&format!("-D says {expected:?}"), PATIENCE, || {
        let listed = Tool::start(lab, &near, &format!("-D --netns {pid}"))?.wait()?;
        Ok((listed.stdout == expected.as_bytes()).then_some(()))
    })?;
    puppet.exit()?;
    Ok(Outcome::Passed)
}

/// A namespace that comes with a process while all are captured; when the process has gone the
/// namespace goes too, though we still capture: the other end of its cable tells.
pub fn every(lab: &Lab) -> Result<Outcome> {
    let elsewhere = Netns::new()?;
    let port = 47_391;
    let words = format!("--netns any -i any -n -l --immediate-mode udp port {port}");
    let tool = Tool::listening(lab, &elsewhere, &words)?;
    let (near, far) = Netns::pair()?;
    let number = far.inode()?;
    let theatre = Theatre::open(&lab.file("netns-every.sock"))?;
    let mut puppet = theatre.enter(&lab.puppet, &far)?;
    puppet.acts(&["socket 0 udp 4", "bind 0 0.0.0.0 0"])?;
    let shown = |name: &str| {
        let output = String::from_utf8_lossy(&tool.output()).into_owned();
        let name = format!(" {name} ");
        output.lines().any(|line| line.contains(&name))
    };
    let far0 = format!("far0@{number}");
    until("the new namespace is captured", PATIENCE, || {
        puppet.act(&format!("sendto 0 10.77.0.1 {port} 40"))?;
        Ok(shown(&far0).then_some(()))
    })?;
    near.ip("link show near0")?;
    puppet.exit()?;
    drop(far);
    until("the namespace is gone", PATIENCE, || {
        Ok(near.ip("link show near0").is_err().then_some(()))
    })?;
    // The capture goes on.
    let socket = elsewhere.within(|| Ok(UdpSocket::bind("127.0.0.1:0")?))?;
    until("our own is captured", PATIENCE, || {
        socket.send_to(b"e2e", ("127.0.0.1", port))?;
        Ok(shown("lo").then_some(()))
    })?;
    tool.stop()?.expect_status(0)?;
    Ok(Outcome::Passed)
}

/// A device that comes while nobody is in its namespace, so that none can say where that is: it is captured
/// on as soon as somebody is there again.
pub fn unattended(lab: &Lab) -> Result<Outcome> {
    let elsewhere = Netns::new()?;
    let port = 47_392;
    let words = format!("--netns any -i any -n -l --immediate-mode udp port {port}");
    let tool = Tool::listening(lab, &elsewhere, &words)?;
    let (near, far) = Netns::pair()?;
    let number = far.inode()?;
    let theatre = Theatre::open(&lab.file("netns-unattended.sock"))?;
    let shown = |device: &str| {
        let output = String::from_utf8_lossy(&tool.output()).into_owned();
        output.contains(&format!(" {device}@{number} "))
    };
    // The thread that sends is no process there.
    let send = |from: &str, to: &str| -> Result<()> {
        near.within(|| {
            let socket = UdpSocket::bind((from, 0))?;
            socket.set_broadcast(true)?;
            socket.send_to(b"e2e", (to, port))?;
            Ok(())
        })
    };
    let puppet = theatre.enter(&lab.puppet, &far)?;
    until("the namespace is captured", PATIENCE, || {
        send("10.77.0.1", "10.77.0.2")?;
        Ok(shown("far0").then_some(()))
    })?;
    puppet.exit()?;

    // Who does this is gone before it looks.
    tool.signal(Signal::SIGSTOP)?;
    Netns::cable((&near, "near1"), (&far, "far1"))?;
    near.ip("addr add 10.78.0.1/24 broadcast 10.78.0.255 dev near1")?;
    tool.signal(Signal::SIGCONT)?;
    thread::sleep(Duration::from_secs(2));
    let puppet = theatre.enter(&lab.puppet, &far)?;
    until("the new device is captured", PATIENCE, || {
        send("10.78.0.1", "10.78.0.255")?;
        Ok(shown("far1").then_some(()))
    })?;
    puppet.exit()?;
    tool.stop()?.expect_status(0)?;
    Ok(Outcome::Passed)
}

/// A device that comes into a namespace that was named.
pub fn later_device(lab: &Lab) -> Result<Outcome> {
    let (elsewhere, there, other) = (Netns::new()?, Netns::new()?, Netns::new()?);
    let words = format!("--netns {} -i any -n -l --immediate-mode udp", there.path());
    let tool = Tool::listening(lab, &elsewhere, &words)?;
    Netns::cable((&there, "later0"), (&other, "later1"))?;
    there.address("later0", "10.77.0.1/24")?;
    other.address("later1", "10.77.0.2/24")?;
    let line = Line::between((&there, "10.77.0.1"), (&other, "10.77.0.2"))?;
    let name = format!(" later0@{} ", there.inode()?);
    until("the new device is captured", PATIENCE, || {
        line.send(1)?;
        let output = String::from_utf8_lossy(&tool.output()).into_owned();
        Ok(output.contains(&name).then_some(()))
    })?;
    tool.stop()?.expect_status(0)?;
    Ok(Outcome::Passed)
}

/// Nothing stays in a namespace however the capture ends, by either way of attaching.
pub fn nothing_left(lab: &Lab) -> Result<Outcome> {
    for program in ["bpftool", "tc"] {
        if !installed(program) {
            return Ok(Outcome::Skipped(format!("{program} is not installed")));
        }
    }
    let (elsewhere, there) = (Netns::new()?, Netns::new()?);
    let before = attached(&there, "lo")?;
    let ids = there.ip("netns list-id")?;
    let backends = ["tcx", "clsact"].into_iter();
    for backend in backends.skip(usize::from(!lab.has_tcx()?)) {
        for signal in [Signal::SIGINT, Signal::SIGKILL] {
            let words = format!(
                "--backend {backend} --netns {} -i lo -w /dev/null",
                there.path()
            );
            let tool = Tool::listening(lab, &elsewhere, &words)?;
            let programs = tool.programs()?;
            ensure!(!programs.is_empty(), "{backend}: it holds no program");
            tool.signal(signal)?;
            tool.wait()?;
            until(&format!("{backend}, {signal}: nothing"), PATIENCE, || {
                let is_loaded = |id: &u32| {
                    let show = ["prog", "show", "id", &id.to_string()].map(str::to_owned);
                    let shown = Command::new("bpftool").args(show).output();
                    shown.is_ok_and(|shown| shown.status.success())
                };
                let gone = !programs.iter().any(is_loaded);
                Ok((gone && attached(&there, "lo")? == before).then_some(()))
            })?;
        }
    }
    ensure!(there.ip("netns list-id")? == ids, "it has other ids");
    Ok(Outcome::Passed)
}

/// Nor in one that is kept by a descriptor alone when the capture ends.
pub fn nothing_left_unattended(lab: &Lab) -> Result<Outcome> {
    for program in ["bpftool", "tc"] {
        if !installed(program) {
            return Ok(Outcome::Skipped(format!("{program} is not installed")));
        }
    }
    let (elsewhere, there) = (Netns::new()?, Netns::new()?);
    let before = attached(&there, "lo")?;
    let theatre = Theatre::open(&lab.file("netns-left.sock"))?;
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let puppet = theatre.enter(&lab.puppet, &there)?;
        let words = "--backend clsact --netns any -i any -w /dev/null";
        let tool = Tool::listening(lab, &elsewhere, words)?;
        ensure!(attached(&there, "lo")? != before, "it is not captured");
        puppet.exit()?;
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            // By those who come and go nobody gets there: they are gone again.
            let passers = scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    there.within(|| {
                        thread::sleep(Duration::from_millis(1));
                        Ok(())
                    })?;
                }
                Ok(())
            });
            tool.signal(signal)?;
            let ended = tool.wait().and_then(|_| {
                until(&format!("{signal}: nothing"), PATIENCE, || {
                    Ok((attached(&there, "lo")? == before).then_some(()))
                })
                .with_context(|| attached(&there, "lo").unwrap_or_default())
            });
            over.store(true, Ordering::SeqCst);
            passers
                .join()
                .expect("the thread returns its error")
                .and(ended)
        })?;
    }
    Ok(Outcome::Passed)
}

/// A namespace that is none; a device that is in none of them.
pub fn refused(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let max: u32 = fs::read_to_string("/proc/sys/kernel/pid_max")?
        .trim()
        .parse()?;
    let unused = (max + 1).to_string();
    for (words, expected) in [
        ("--netns nosuch", "nosuch: No such network namespace exists"),
        (
            &format!("--netns {unused}"),
            &format!("{unused}: No such network namespace exists"),
        ),
        (
            "--netns /proc/self/stat",
            "/proc/self/stat: not a network namespace",
        ),
        (
            "--netns /proc/self/ns/uts",
            "/proc/self/ns/uts: not a network namespace",
        ),
        (
            &format!("--netns {} -i nosuch0", netns.path()),
            "nosuch0: No such device exists",
        ),
    ] {
        let ended = Tool::start(lab, &netns, words)?.wait()?;
        ended.expect_status(1)?;
        let first = ended.stderr.lines().next().unwrap_or_default();
        ensure!(first == format!("pktwho: {expected}"), "{words}: {first:?}");
    }
    Ok(Outcome::Passed)
}
