//! A live capture of several processes, read by a tshark that knows processes (4.6 or later;
//! `PKTWHO_TSHARK` names it) and by the readers that are installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::Outcome;
use crate::lab::{Lab, installed};
use crate::netns::Netns;
use crate::puppet::{Puppet, Theatre};
use crate::tool::Tool;

const IN: &str = "0x00000001";
const OUT: &str = "0x00000002";

/// What tshark must show of one packet.
struct Shown<'a> {
    device: &'a str,
    /// On this side of the device: the receiver of what comes in, the sender of what goes out.
    owner: &'a Puppet,
    name: &'a str,
    direction: &'a str,
    /// The comment's sender and receiver; `None` for an end that is in another namespace, which
    /// need not be known.
    comment: (Option<String>, Option<String>),
}

pub fn processes(lab: &Lab) -> Result<Outcome> {
    let Some(tshark) = std::env::var_os("PKTWHO_TSHARK").map(PathBuf::from) else {
        let reason = "PKTWHO_TSHARK names no tshark of 4.6 or later";
        return Ok(Outcome::Skipped(reason.into()));
    };
    let (major, minor) = version(&tshark)?;
    if (major, minor) < (4, 6) {
        let reason = format!("PKTWHO_TSHARK is {major}.{minor}, older than 4.6");
        return Ok(Outcome::Skipped(reason));
    }
    let path = lab.file("wireshark.pcapng");
    let (near, far) = Netns::pair()?;
    near.without_ipv6()?;
    far.without_ipv6()?;
    let theatre = Theatre::open(&lab.file("wireshark.sock"))?;
    let enter = |name, netns| theatre.enter(&lab.puppet_named(name)?, netns);
    let mut one = enter("w-one", &near)?;
    let mut other = enter("w-other", &near)?;
    let mut local = enter("w-one-more", &near)?;
    let mut beyond = enter("w-beyond", &far)?;
    one.acts(&["socket 1 udp 4", "bind 1 10.77.0.1 7001"])?;
    other.act("socket 1 udp 4")?;
    local.acts(&["socket 1 udp 4", "bind 1 127.0.0.1 7002"])?;
    beyond.acts(&["socket 1 udp 4", "bind 1 10.77.0.2 7003"])?;

    let tool = Tool::listening(lab, &near, &format!("-i any -w {}", path.display()))?;
    one.act("sendto 1 10.77.0.2 7003 40")?;
    other.act("sendto 1 10.77.0.2 7003 40")?;
    beyond.act("sendto 1 10.77.0.1 7001 40")?;
    other.act("sendto 1 127.0.0.1 7002 40")?;
    tool.stop()?.expect_status(0)?;

    let called = |name: &str, puppet: &Puppet| Some(format!("{name}.{}", puppet.pid));
    let shown = |device, owner, name, direction, comment| Shown {
        device,
        owner,
        name,
        direction,
        comment,
    };
    let to_local = (called("w-other", &other), called("w-one-more", &local));
    let expected = [
        shown("near0", &one, "w-one", OUT, (called("w-one", &one), None)),
        shown(
            "near0",
            &other,
            "w-other",
            OUT,
            (called("w-other", &other), None),
        ),
        shown("near0", &one, "w-one", IN, (None, called("w-one", &one))),
        shown("lo", &local, "w-one-more", IN, to_local),
    ];
    check_fields(&tshark, &path, &expected)?;
    check_filter(&tshark, &path, &expected)?;
    let mut readers = vec![format!("tshark {major}.{minor}")];
    for reader in ["tshark", "tcpdump"] {
        if installed(reader) {
            let lines = read(Path::new(reader), &path, &[])?;
            ensure!(lines.len() == expected.len(), "{reader}: {lines:?}");
            let version = version(Path::new(reader))?;
            readers.push(format!("{reader} {}.{}", version.0, version.1));
        }
    }
    Ok(Outcome::Measured(format!("read by {}", readers.join(", "))))
}

fn check_fields(tshark: &Path, path: &Path, expected: &[Shown]) -> Result<()> {
    let words = "-T fields -E separator=| \
                 -e frame.interface_name -e frame.darwin.process_info.pname \
                 -e frame.darwin.process_info.pid -e frame.packet_flags_direction \
                 -e frame.comment";
    let words: Vec<&str> = words.split_whitespace().collect();
    let lines = read(tshark, path, &words)?;
    ensure!(lines.len() == expected.len(), "{lines:?}");
    for (line, shown) in lines.iter().zip(expected) {
        let (fields, comment) = line.rsplit_once('|').context("no comment")?;
        let (device, name, direction) = (shown.device, shown.name, shown.direction);
        let wanted = format!("{device}|{name}|{}|{direction}", shown.owner.pid);
        ensure!(fields == wanted, "{fields} instead of {wanted}");
        if comment.is_empty() && (shown.comment.0.is_none() || shown.comment.1.is_none()) {
            // Only this end is known, and the direction tells which one it is.
            continue;
        }
        let (from, to) = comment.split_once('>').context("no > in the comment")?;
        let right = |found: &str, end: &Option<String>| match end {
            Some(end) => found.trim() == end,
            None => found.trim().is_empty() || found.trim().starts_with("w-beyond."),
        };
        ensure!(
            right(from, &shown.comment.0) && right(to, &shown.comment.1),
            "comment {comment:?} instead of {:?}",
            shown.comment
        );
    }
    Ok(())
}

/// A name in a display filter gives that process's packets and no other's.
fn check_filter(tshark: &Path, path: &Path, expected: &[Shown]) -> Result<()> {
    for name in ["w-one", "w-other", "w-one-more", "w-nobody"] {
        let filter = format!("frame.darwin.process_info.pname == \"{name}\"");
        let words = ["-T", "fields", "-e", "frame.number", "-Y", &filter];
        let found = read(tshark, path, &words)?;
        let numbered = (1..).zip(expected);
        let wanted: Vec<String> = numbered
            .filter(|(_, shown)| shown.name == name)
            .map(|(number, _): (u32, _)| number.to_string())
            .collect();
        ensure!(found == wanted, "{filter}: {found:?}, not {wanted:?}");
    }
    Ok(())
}

/// The lines that a reader shows of a file. It may say nothing but what it always says.
fn read(reader: &Path, path: &Path, words: &[&str]) -> Result<Vec<String>> {
    let output = Command::new(reader)
        .args(["-n", "-r"])
        .arg(path)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", reader.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let usual = ["reading from file ", "Running as user \"root\""];
    let odd: Vec<&str> = said
        .lines()
        .filter(|line| !line.is_empty() && !usual.iter().any(|word| line.starts_with(word)))
        .collect();
    let name = reader.display();
    ensure!(output.status.success() && odd.is_empty(), "{name}: {said}");
    let lines = String::from_utf8_lossy(&output.stdout);
    Ok(lines.lines().map(str::to_owned).collect())
}

/// (major, minor) as `--version` says.
fn version(program: &Path) -> Result<(u32, u32)> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let parse = |word: &str| {
        let (major, rest) = word.split_once('.')?;
        let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    let version = said.split_whitespace().find_map(parse);
    version.with_context(|| format!("{}: no version in {said:?}", program.display()))
}
