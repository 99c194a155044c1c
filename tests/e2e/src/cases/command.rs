//! `-- command`: its exit status and its output are its own, its packets are all there.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::Outcome;
use crate::dissect::{ACK, FIN, SYN, Segment};
use crate::lab::{Lab, installed};
use crate::netns::Netns;
use crate::seen::{Seen, read_file};
use crate::tool::{Ended, Tool};

/// Runs pktwho with a command until it has ended.
fn run(lab: &Lab, netns: &Netns, path: &Path, command: &[&str]) -> Result<Ended> {
    let path = path.display().to_string();
    let mut words = vec!["-i", "lo", "-w", &path, "--"];
    words.extend(command);
    Tool::spawn(&lab.pktwho, netns, &words)?.wait()
}

pub fn exits_with_its_status(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let path = lab.file("status.pcapng");
    run(lab, &netns, &path, &["true"])?.expect_status(0)?;
    run(lab, &netns, &path, &["false"])?.expect_status(1)?;
    run(lab, &netns, &path, &["sh", "-c", "exit 7"])?.expect_status(7)?;
    // Killed by SIGTERM, and not there at all: as shells say it.
    run(lab, &netns, &path, &["sh", "-c", "kill -TERM $$"])?.expect_status(128 + 15)?;
    run(lab, &netns, &path, &["no-such-command"])?.expect_status(127)?;
    Ok(Outcome::Passed)
}

pub fn keeps_its_output(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let path = lab.file("output.pcapng");
    let script = "echo to stdout; echo to stderr >&2; exit 7";
    let ended = run(lab, &netns, &path, &["sh", "-c", script])?;
    ended.expect_status(7)?;
    let stdout = String::from_utf8_lossy(&ended.stdout);
    ensure!(stdout == "to stdout\n", "stdout: {stdout:?}");
    let lines = ended.stderr.lines();
    let own = lines.filter(|line| *line == "to stderr").count();
    ensure!(own == 1, "stderr: {:?}", ended.stderr);
    ended.counts()?;
    Ok(Outcome::Passed)
}

/// A process that sends one datagram as its last act: the datagram is there, and its owner.
pub fn last_datagram(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let program = lab.puppet_named("speaks-and-is-gone")?;
    let program = program.display().to_string();
    for round in 0..10 {
        let path = lab.file(&format!("last{round}.pcapng"));
        // ICMP's answer to the closed port may be there too.
        let command = [&program, "once", "udp", "127.0.0.1", "7000"];
        run(lab, &netns, &path, &command)?.expect_status(0)?;
        let packets = read_file(&path)?;
        let tagged = |packet: &&Seen| packet.segment().is_some_and(|s| s.tag().is_some());
        let datagram = packets.iter().find(tagged);
        let datagram = datagram.with_context(|| format!("round {round}: not captured"))?;
        let sender = datagram.sender.as_ref().context("no sender")?;
        ensure!(sender.exe == program.as_bytes(), "sent by {sender:?}");
    }
    Ok(Outcome::Passed)
}

/// Started by sudo, the command runs as the user who called sudo, and a new file is theirs.
pub fn invoking_user(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let pktwho = lab.pktwho.display().to_string();
    let user = ["SUDO_UID=65534", "SUDO_GID=65534", "SUDO_USER=nobody"];
    let path = lab.file("sudo.pcapng");
    let file = path.display().to_string();
    let capture = [&pktwho, "-i", "lo", "-w", &file, "--", "id", "-u"];
    let words = [&user[..], &capture[..]].concat();
    let ended = Tool::spawn(Path::new("env"), &netns, &words)?.wait()?;
    ended.expect_status(0)?;
    let uid = String::from_utf8_lossy(&ended.stdout);
    ensure!(uid == "65534\n", "ran as {uid:?}");
    let facts = std::fs::metadata(&path)?;
    ensure!((facts.uid(), facts.gid()) == (65534, 65534), "{facts:?}");
    // What was there before stays whose it is.
    std::os::unix::fs::chown(&path, Some(0), Some(0))?;
    let again = Tool::spawn(Path::new("env"), &netns, &words)?.wait()?;
    again.expect_status(0)?;
    ensure!(std::fs::metadata(&path)?.uid() == 0, "it was taken over");
    Ok(Outcome::Passed)
}

const BODY: &str = "hello from the server\n";

/// Answers one request and closes.
fn serve_once(listener: &TcpListener) -> Result<()> {
    let (mut stream, _) = listener.accept()?;
    let mut request = [0; 4096];
    let read = stream.read(&mut request)?;
    ensure!(read > 0, "no request");
    let length = BODY.len();
    let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(BODY.as_bytes())?;
    Ok(())
}

pub fn curl_whole(lab: &Lab) -> Result<Outcome> {
    if !installed("curl") {
        return Ok(Outcome::Skipped("curl is not installed".into()));
    }
    let netns = Netns::new()?;
    let listener = netns.within(|| Ok(TcpListener::bind("127.0.0.1:0")?))?;
    let url = format!("http://{}/", listener.local_addr()?);
    for round in 0..5 {
        let path = lab.file(&format!("curl{round}.pcapng"));
        let ended = std::thread::scope(|scope| {
            let server = scope.spawn(|| serve_once(&listener));
            let ended = run(lab, &netns, &path, &["curl", "-sS", &url]);
            if ended.as_ref().is_ok_and(|ended| ended.status.success()) {
                server.join().expect("the thread returns its error")?;
            } else {
                // The server waits for a client that never came: be one.
                let client = || Ok(std::net::TcpStream::connect(listener.local_addr()?)?);
                let _ = netns.within(client);
                let _ = server.join();
            }
            ended
        })?;
        ended.expect_status(0)?;
        let body = String::from_utf8_lossy(&ended.stdout);
        ensure!(body == BODY, "stdout: {body:?}");
        whole_connection(&path)?;
    }
    Ok(Outcome::Passed)
}

/// From the first SYN to the ACK of the last FIN, with curl named at its end.
fn whole_connection(path: &Path) -> Result<()> {
    let packets = read_file(path)?;
    let segments: Vec<Segment> = packets.iter().filter_map(Seen::segment).collect();
    let first = segments.first().context("no packets")?;
    ensure!(first.flags == SYN, "begins with [{}]", first.letters());
    let fins = segments.iter().filter(|s| s.flags & FIN != 0).count();
    ensure!(fins == 2, "{fins} FINs");
    let last = segments.last().context("no packets")?;
    ensure!(
        last.flags == ACK || last.flags & FIN != 0,
        "ends with [{}]",
        last.letters()
    );
    let end = segments.iter().rposition(|s| s.flags & FIN != 0);
    let acknowledged = end.is_some_and(|end| end + 1 < segments.len());
    ensure!(acknowledged, "no ACK after the last FIN");
    for (packet, segment) in packets.iter().zip(&segments) {
        let from_curl = segment.source == first.source;
        let who = if from_curl {
            &packet.sender
        } else {
            &packet.receiver
        };
        let name = who.as_ref().map(|who| who.name.as_slice());
        ensure!(
            name == Some(b"curl"),
            "[{}] of {}: {name:?} is not curl",
            segment.letters(),
            segment.source
        );
    }
    Ok(())
}
