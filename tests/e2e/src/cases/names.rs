//! Names without `-n`: a nameserver that answers, and one that does not.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::Outcome;
use crate::lab::{Lab, PATIENCE, until};
use crate::netns::Netns;
use crate::tool::Tool;

/// Every address gets its name and is asked for once, though the questions are captured too;
/// `-N` shortens names, `-f` leaves foreign addresses as they are.
pub fn asked_once(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    netns.ip("addr add 198.51.100.7/32 dev lo")?;
    let questions = nameserver(&netns, true)?;
    let near = "box.example";
    for (flags, sender, receiver) in [
        ("-l", near, near),
        ("-l -N", "box", "box"),
        ("-l -f", near, "198.51.100.7"),
    ] {
        questions.lock().expect("no panic holds it").clear();
        let tool = capture(lab, &netns, flags)?;
        let line = format!("IP {sender}.7777 > {receiver}.9999: UDP");
        send(&netns, "127.0.0.5:7777", "198.51.100.7:9999")?;
        shown(&tool, std::slice::from_ref(&line))?;
        // What the questions themselves show is asked for by now as well, if it ever is.
        send(&netns, "127.0.0.5:7777", "198.51.100.7:9999")?;
        until("the second line is shown", PATIENCE, || {
            let output = String::from_utf8_lossy(&tool.output()).into_owned();
            Ok((output.matches(&line).count() == 2).then_some(()))
        })?;
        let output = tool.stop()?.stdout;
        let output = String::from_utf8_lossy(&output);
        ensure!(output.contains("PTR?"), "no question is captured: {output}");
        let mut asked = questions.lock().expect("no panic holds it").clone();
        let count = asked.len();
        asked.sort();
        asked.dedup();
        ensure!(count > 0 && asked.len() == count, "asked again: {output}");
    }
    Ok(Outcome::Passed)
}

/// A nameserver that never answers holds lines up once, for less than a second.
pub fn dead_server(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let questions = nameserver(&netns, false)?;
    let tool = capture(lab, &netns, "-l udp port 9999")?;
    let start = Instant::now();
    let mut lines = Vec::new();
    for last in 1..=20 {
        let sender = format!("127.0.1.{last}");
        send(&netns, &format!("{sender}:7777"), "127.0.0.6:9999")?;
        lines.push(format!("IP {sender}.7777 > 127.0.0.6.9999: UDP"));
    }
    shown(&tool, &lines)?;
    let elapsed = start.elapsed();
    tool.stop()?.expect_status(0)?;
    // One question alone would take the C library's resolver 10 seconds.
    ensure!(
        elapsed < Duration::from_secs(3),
        "the lines took {elapsed:?}"
    );
    let asked = questions.lock().expect("no panic holds it").len();
    ensure!(asked > 0, "nobody was asked");
    Ok(Outcome::Measured(format!(
        "20 lines in {} ms",
        elapsed.as_millis()
    )))
}

/// A server in the namespace that keeps the questions, and calls every address `box.example`.
/// It lasts as long as the test.
fn nameserver(netns: &Netns, answers: bool) -> Result<Arc<Mutex<Vec<Vec<u8>>>>> {
    let socket = netns.within(|| Ok(UdpSocket::bind("127.0.0.1:53")?))?;
    let questions = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&questions);
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let Some(message) = buffer.get(..length).filter(|m| m.len() > 12) else {
                continue;
            };
            let ((id, _), question) = (message.split_at(2), message.get(12..).unwrap_or_default());
            let kept = kept.lock();
            kept.expect("no panic holds it").push(question.to_vec());
            if answers {
                let mut reply = [id, &[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]].concat();
                reply.extend_from_slice(question);
                reply.extend(b"\xc0\x0c\0\x0c\0\x01\0\0\0\x3c\0\x0d\x03box\x07example\0");
                // The tool may have ended meanwhile.
                let _ = socket.send_to(&reply, from);
            }
        }
    });
    Ok(questions)
}

/// The tool on loopback, in a mount namespace where the nameserver is the test's.
fn capture(lab: &Lab, netns: &Netns, flags: &str) -> Result<Tool> {
    let path = lab.file("resolv.conf");
    fs::write(&path, "nameserver 127.0.0.1\n")?;
    let script = format!(
        "mount --bind {} /etc/resolv.conf && exec {} -i lo {flags}",
        path.display(),
        lab.pktwho.display()
    );
    let words = ["--mount", "sh", "-c", &script];
    let mut tool = Tool::spawn(Path::new("unshare"), netns, &words)?;
    tool.ready()?;
    Ok(tool)
}

fn send(netns: &Netns, from: &str, to: &str) -> Result<()> {
    let socket = netns.within(|| Ok(UdpSocket::bind(from)?))?;
    socket.send_to(b"e2e", to)?;
    Ok(())
}

/// Waits until all these are shown.
fn shown(tool: &Tool, lines: &[String]) -> Result<()> {
    until(&format!("{lines:?} are shown"), PATIENCE, || {
        let output = String::from_utf8_lossy(&tool.output()).into_owned();
        let all = lines.iter().all(|line| output.contains(line));
        Ok(all.then_some(()))
    })
}
