//! Files and streams that others read.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use pktwho_capfile::Reader;

use super::Outcome;
use crate::lab::{Lab, PATIENCE, installed, until};
use crate::netns::Netns;
use crate::tool::Tool;
use crate::traffic::Line;

/// `pktwho -w - | tcpdump -r -`: each packet arrives while the capture runs.
pub fn pipe(lab: &Lab) -> Result<Outcome> {
    if !installed("tcpdump") {
        return Ok(Outcome::Skipped("tcpdump is not installed".into()));
    }
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let words = ["-i", "lo", "-U", "-w", "-"];
    let (mut tool, stdout) = Tool::piped(&lab.pktwho, &netns, &words, Stdio::null())?;
    let words = ["-l", "-n", "-r", "-"];
    let reader = Tool::fed(Path::new("tcpdump"), &netns, &words, stdout.into())?;
    tool.ready()?;
    line.send(10)?;
    until("tcpdump shows ten packets", PATIENCE, || {
        let output = reader.output();
        let lines = output.split(|byte| *byte == b'\n');
        Ok((lines.filter(|line| !line.is_empty()).count() == 10).then_some(()))
    })
    .with_context(|| reader.said())?;
    tool.stop()?.expect_status(0)?;
    let ended = reader.wait()?;
    ended.expect_status(0)?;
    let said = ended.stderr.trim();
    let usual = said.starts_with("reading from file -") && said.lines().count() == 1;
    ensure!(usual, "tcpdump says {said:?}");
    Ok(Outcome::Passed)
}

/// A reader that has seen enough is no failure.
pub fn broken_pipe(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    for words in [["-i", "lo", "-l", "-n"], ["-i", "lo", "-Uw", "-"]] {
        let (mut tool, stdout) = Tool::piped(&lab.pktwho, &netns, &words, Stdio::null())?;
        tool.ready()?;
        drop(stdout);
        let ended = line.sending(|| tool.wait())?;
        ended.expect_status(0)?;
    }
    Ok(Outcome::Passed)
}

/// tcpdump and tshark read what was captured live, both formats, and complain of nothing.
pub fn readers(lab: &Lab) -> Result<Outcome> {
    let readers: Vec<&str> = ["tcpdump", "tshark"]
        .into_iter()
        .filter(|reader| installed(reader))
        .collect();
    if readers.is_empty() {
        return Ok(Outcome::Skipped(
            "neither tcpdump nor tshark is installed".into(),
        ));
    }
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    for ending in ["pcapng", "pcap"] {
        let path = lab.file(&format!("readers.{ending}"));
        let words = format!("-i lo -w {}", path.display());
        let tool = Tool::listening(lab, &netns, &words)?;
        line.send(30)?;
        tool.stop()?.expect_status(0)?;
        for reader in &readers {
            expect_quiet(reader, &path, 30)?;
        }
    }
    Ok(Outcome::Measured(format!(
        "read by {}",
        readers.join(" and ")
    )))
}

fn expect_quiet(reader: &str, path: &Path, packets: usize) -> Result<()> {
    let output = Command::new(reader)
        .args(["-n", "-r"])
        .arg(path)
        .stdin(Stdio::null())
        .output()?;
    let (out, said) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let what = format!("{reader} -r {}", path.display());
    ensure!(output.status.success(), "{what}: {said}");
    let lines = out.lines().filter(|line| !line.is_empty()).count();
    ensure!(lines == packets, "{what}: {lines} of {packets} packets");
    // What they always say.
    let usual = ["reading from file", "Running as user"];
    let odd: Vec<&str> = said
        .lines()
        .filter(|line| !line.is_empty() && !usual.iter().any(|word| line.starts_with(word)))
        .collect();
    ensure!(odd.is_empty(), "{what}: {odd:?}");
    Ok(())
}

/// The file tells how many packets were received and dropped.
pub fn statistics(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let path = lab.file("statistics.pcapng");
    let words = format!("-i lo -w {}", path.display());
    let tool = Tool::listening(lab, &netns, &words)?;
    line.send(30)?;
    tool.stop()?.expect_status(0)?;
    let mut reader = Reader::new(BufReader::new(File::open(&path)?))?;
    while reader.next()?.is_some() {}
    let counters = reader.counters().first().context("no device")?;
    ensure!(
        counters.received == Some(30),
        "received: {:?}",
        counters.received
    );
    ensure!(reader.losses() == Some(0), "lost: {:?}", reader.losses());
    Ok(Outcome::Passed)
}

/// Of a series of files each is whole by itself: devices, processes, packets, counters.
pub fn series(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let path = lab.file("series.pcapng");
    let words = format!("-i lo -C 4k -W 99 -w {}", path.display());
    let tool = Tool::listening(lab, &netns, &words)?;
    line.send(200)?;
    tool.stop()?.expect_status(0)?;
    let (mut files, mut packets) = (0, 0);
    loop {
        let file = lab.file(&format!("series.pcapng{files:02}"));
        let Ok(file) = File::open(&file) else {
            break;
        };
        let mut reader = Reader::new(BufReader::new(file))?;
        let mut owned = 0;
        while let Some(packet) = reader.next()? {
            ensure!(packet.iface.name == "lo", "device {:?}", packet.iface.name);
            let known = |owner: pktwho_packet::Owner<'_>| !owner.process.exe.is_empty();
            owned += u32::from(packet.owner().is_some_and(known));
            packets += 1;
        }
        ensure!(owned > 0, "file {files} says nothing of processes");
        let counters = reader.counters().first().context("no device")?;
        ensure!(
            counters.received == Some(packets) && counters.os_dropped == Some(0),
            "file {files}, {packets} packets so far: {counters:?}"
        );
        files += 1;
    }
    ensure!(packets == 200, "{packets} of 200 packets in {files} files");
    ensure!(files > 3, "{files} files");
    Ok(Outcome::Measured(format!("{files} files")))
}
