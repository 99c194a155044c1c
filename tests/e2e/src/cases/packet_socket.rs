//! Capturing without eBPF: by hand, and because there is nothing else.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use pktwho_packet::Confidence;

use super::Outcome;
use crate::lab::{Lab, installed};
use crate::netns::Netns;
use crate::seen::read_file;
use crate::tool::Tool;
use crate::traffic::{Line, expect_numbers};

/// All packets of a device, in order, with their sender as a guess and with exact counts.
pub fn packets(lab: &Lab) -> Result<Outcome> {
    let (near, far) = Netns::pair()?;
    let line = Line::between((&near, "10.77.0.1"), (&far, "10.77.0.2"))?;
    let path = lab.file("sockets.pcapng");
    let filter = format!("udp dst port {}", line.port()?);
    let words = format!(
        "--backend af-packet -i near0 -n -w {} {filter}",
        path.display()
    );
    let tool = Tool::listening(lab, &near, &words)?;
    line.send(5000)?;
    let ended = tool.stop()?;
    ended.expect_status(0)?;
    let counts = ended.counts()?;
    let packets = read_file(&path)?;
    ensure!(
        counts.captured + counts.dropped == 5000 && counts.captured == packets.len() as u64,
        "{counts:?}, {} in the file",
        packets.len()
    );
    if counts.dropped == 0 {
        expect_numbers(&packets, 0..5000)?;
    }
    let own = |who: &crate::seen::Who| {
        who.pid == std::process::id() && who.confidence == Confidence::Guess
    };
    let known = packets.iter().filter_map(|packet| packet.sender.as_ref());
    ensure!(known.clone().all(own), "a wrong owner: {packets:?}");
    let known = known.count();
    ensure!(known == packets.len(), "{known} of {} known", packets.len());
    Ok(Outcome::Passed)
}

/// Several devices in one stream, ordered by time; the loopback device's packets once; a filter
/// on owners decides in user space.
pub fn devices(lab: &Lab) -> Result<Outcome> {
    let (near, far) = Netns::pair()?;
    near.ip("link set lo up")?;
    let veth = Line::between((&near, "10.77.0.1"), (&far, "10.77.0.2"))?;
    let loopback = Line::loopback(&near)?;
    let path = lab.file("sockets-any.pcapng");
    let own = std::process::id();
    let words = format!(
        "--backend af-packet -i any -n -w {} udp and pid {own}",
        path.display()
    );
    let tool = Tool::listening(lab, &near, &words)?;
    for _ in 0..50 {
        veth.send(1)?;
        loopback.send(1)?;
    }
    tool.stop()?.expect_status(0)?;
    let packets = read_file(&path)?;
    for (device, count) in [("lo", 50), ("near0", 50)] {
        let seen = packets.iter().filter(|packet| packet.iface == device);
        let seen = seen.count();
        ensure!(seen == count, "{seen} of {count} on {device}: {packets:?}");
    }
    let times: Vec<_> = packets.iter().map(|packet| packet.time).collect();
    ensure!(times.is_sorted(), "not in the order of their times");
    Ok(Outcome::Passed)
}

/// `doctor` names what is there, and what is lost without it and to be done about it.
pub fn doctor(lab: &Lab) -> Result<Outcome> {
    if !installed("setpriv") {
        return Ok(Outcome::Skipped("setpriv is not installed".into()));
    }
    let netns = Netns::new()?;
    netns.ip("link set lo up")?;
    let ended = Tool::spawn(&lab.pktwho, &netns, &["doctor"])?.wait()?;
    let text = String::from_utf8_lossy(&ended.stdout);
    for words in [
        "ok  eBPF programs: ",
        "ok  hook egress\n",
        "ok  packet sockets\n",
    ] {
        ensure!(text.contains(words), "{words:?} is not in {text}");
    }
    let missing = text.lines().any(|line| line.starts_with("NO"));
    ended.expect_status(i32::from(missing))?;
    let pktwho = lab.pktwho.display().to_string();
    let words = [
        "--bounding-set=-all",
        "--inh-caps=-all",
        "--reuid=65534",
        "--clear-groups",
    ];
    let words = [&words[..], &[&pktwho, "doctor"]].concat();
    let ended = Tool::spawn(Path::new("setpriv"), &netns, &words)?.wait()?;
    ended.expect_status(1)?;
    let text = String::from_utf8_lossy(&ended.stdout);
    for words in [
        "NO  eBPF programs: ",
        "NO  packet sockets: ",
        "\n      lost: no capture at all",
        "\n      hint: run it as root",
    ] {
        ensure!(text.contains(words), "{words:?} is not in {text}");
    }
    let lines: Vec<&str> = text.lines().collect();
    for lines in lines.windows(3).filter(|it| it.concat().starts_with("NO")) {
        let told = lines.iter().skip(1).zip(["      lost: ", "      hint: "]);
        for (line, begins) in told {
            ensure!(line.starts_with(begins), "{lines:?} in {text}");
        }
    }
    without_cgroups(lab, &netns)
}

/// Where no cgroup2 file system is to be had, that is said, and a capture goes on without programs.
fn without_cgroups(lab: &Lab, netns: &Netns) -> Result<Outcome> {
    let pktwho = lab.pktwho.display();
    // Of mounts of its own, which go with it; a lazy end takes those below along.
    let script = format!(
        "umount -l /sys/fs/cgroup
         exec setpriv --bounding-set=-sys_admin --inh-caps=-all {pktwho} \"$@\""
    );
    let within = [
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        &script,
        "sh",
    ];
    let run = |words: &[&str]| {
        let words = [&within[..], words].concat();
        Tool::spawn(Path::new("unshare"), netns, &words)?.wait()
    };
    let ended = run(&["doctor"])?;
    ended.expect_status(1)?;
    let text = String::from_utf8_lossy(&ended.stdout);
    for words in [
        "NO  eBPF programs: no cgroup2 file system is mounted here",
        "\n      lost: packets come from packet sockets",
        "\n      hint: mount it as root: ",
    ] {
        ensure!(text.contains(words), "{words:?} is not in {text}");
    }
    let words = ["-i", "lo", "-c", "1", "--", "ping", "-c", "1", "127.0.0.1"];
    let ended = run(&words)?;
    ended.expect_status(0)?;
    ensure!(
        ended.stderr.contains("capturing without eBPF"),
        "{}",
        ended.stderr
    );
    Ok(Outcome::Passed)
}

/// Without the right to load programs a packet socket is taken unasked, and that is said; without
/// that right too there is tcpdump's refusal.
pub fn unprivileged(lab: &Lab) -> Result<Outcome> {
    if !installed("setpriv") {
        return Ok(Outcome::Skipped("setpriv is not installed".into()));
    }
    let netns = Netns::new()?;
    netns.ip("link set lo up")?;
    let line = Line::loopback(&netns)?;
    let pktwho = lab.pktwho.display().to_string();
    let with = |capability: &str, count: &str| {
        let bounding = format!("--bounding-set=-all{capability}");
        let inheritable = format!("--inh-caps=-all{capability}");
        let mut words = vec!["--no-new-privs", &bounding, &inheritable];
        let ambient = format!("--ambient-caps=-all{capability}");
        words.push(&ambient);
        words.extend(["--reuid=65534", "--regid=65534", "--clear-groups", &pktwho]);
        words.extend(["-i", "lo", "-n", "-c", count, "udp"]);
        Tool::spawn(Path::new("setpriv"), &netns, &words)
    };
    let mut tool = with(",+net_raw", "3")?;
    tool.ready()?;
    line.send(3)?;
    let ended = tool.wait()?;
    ended.expect_status(0)?;
    ensure!(
        ended.stderr.contains("capturing without eBPF"),
        "{}",
        ended.stderr
    );
    let output = String::from_utf8_lossy(&ended.stdout);
    ensure!(output.lines().count() == 3, "{output}");
    let refused = with("", "1")?.wait()?;
    ensure!(!refused.status.success(), "{}", refused.stderr);
    let lines: Vec<&str> = refused.stderr.lines().collect();
    let first = lines.first().context("nothing is said")?;
    ensure!(
        first.ends_with("You don't have permission to perform this capture on that device")
            && lines.get(1) == Some(&"(socket: Operation not permitted)"),
        "{}",
        refused.stderr
    );
    // To become root is no advice for root.
    let words = [
        "--bounding-set=-all",
        "--inh-caps=-all",
        &pktwho,
        "-i",
        "lo",
    ];
    let refused = Tool::spawn(Path::new("setpriv"), &netns, &words)?.wait()?;
    ensure!(
        !refused.status.success()
            && refused
                .stderr
                .contains("hint: root has not all rights here"),
        "{}",
        refused.stderr
    );
    Ok(Outcome::Passed)
}
