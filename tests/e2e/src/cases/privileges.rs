//! What a capture may once it listens: as little as possible, thread by thread.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::Outcome;
use crate::lab::{Lab, PATIENCE, until};
use crate::netns::Netns;
use crate::seen::read_file;
use crate::tool::Tool;
use crate::traffic::Line;

/// The lines of `/proc/PID/task/TID/status`, by the thread's id: a new one has another's name for
/// a moment.
type Threads = BTreeMap<String, String>;

fn threads(pid: i32) -> Result<Threads> {
    let mut threads = Threads::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // One that has just ended is none.
        let Ok(status) = fs::read_to_string(task?.path().join("status")) else {
            continue;
        };
        threads.insert(field(&status, "Pid")?.to_owned(), status);
    }
    Ok(threads)
}

/// A line of status without its name and the blanks.
fn field<'a>(status: &'a str, name: &str) -> Result<&'a str> {
    let mut lines = status.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    Ok(value
        .with_context(|| format!("no {name} in {status}"))?
        .trim())
}

fn thread<'a>(threads: &'a Threads, name: &str) -> Result<&'a str> {
    let mut all = threads.values().map(String::as_str);
    let found = all.find(|status| field(status, "Name").ok() == Some(name));
    found.with_context(|| format!("no thread {name} among {threads:?}"))
}

/// The thread that reads packets is nobody's and has nothing; the one that attaches sees no
/// packet and has what that takes; the one that makes files has not even that.
pub fn threads_have_little(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let path = lab.file("little.pcapng");
    let words = format!("-i any -n -w {}", path.display());
    let tool = Tool::listening(lab, &netns, &words)?;
    line.send(3)?;
    let threads = threads(tool.pid())?;
    let reader = threads.get(&tool.pid().to_string());
    let reader = reader.context("no first thread")?;
    for (name, expected) in [
        ("Uid", "65534\t65534\t65534\t65534"),
        ("Gid", "65534\t65534\t65534\t65534"),
        ("CapEff", "0000000000000000"),
        ("CapPrm", "0000000000000000"),
        ("NoNewPrivs", "1"),
        ("Seccomp", "2"),
    ] {
        let value = field(reader, name)?;
        ensure!(value == expected, "{name} of the reader is {value}");
    }
    // CAP_SETPCAP, CAP_SYS_MODULE, CAP_SYS_BOOT, CAP_CHOWN: neither has all that root has.
    for (name, never) in [
        ("errands", 1 << 8 | 1 << 16 | 1 << 22),
        ("files", 1 << 21 | 1 << 19),
    ] {
        let capabilities = field(thread(&threads, name)?, "CapPrm")?;
        let capabilities = u64::from_str_radix(capabilities, 16)?;
        ensure!(
            capabilities != 0 && capabilities & never == 0,
            "{name} has {capabilities:x}"
        );
    }
    tool.stop()?.expect_status(0)?;
    ensure!(read_file(&path)?.len() == 3, "not all packets");
    Ok(Outcome::Passed)
}

/// Capabilities by their numbers in `linux/capability.h`.
const DAC_OVERRIDE: u64 = 1 << 1;
const DAC_READ_SEARCH: u64 = 1 << 2;
const NET_ADMIN: u64 = 1 << 12;
const IPC_LOCK: u64 = 1 << 14;
const SYS_PTRACE: u64 = 1 << 19;
const SYS_ADMIN: u64 = 1 << 21;
const SYS_NICE: u64 = 1 << 23;
const SYS_RESOURCE: u64 = 1 << 24;
const PERFMON: u64 = 1 << 38;
const BPF: u64 = 1 << 39;

/// What a thread beside the reader may have at most: by its name (`-events` is as what it listens to),
/// whether it is root, its capabilities, and whether its calls are filtered.
const BESIDE: &[(&str, bool, u64, bool)] = &[
    ("homes", false, BPF, true),
    ("lookout", false, NET_ADMIN, true),
    (
        "tunnels",
        false,
        NET_ADMIN | SYS_ADMIN | SYS_PTRACE | DAC_READ_SEARCH,
        true,
    ),
    (
        "guards",
        false,
        BPF | NET_ADMIN | SYS_ADMIN | SYS_PTRACE | DAC_READ_SEARCH,
        true,
    ),
    (
        "tls",
        true,
        BPF | PERFMON
            | SYS_ADMIN
            | SYS_PTRACE
            | SYS_RESOURCE
            | SYS_NICE
            | IPC_LOCK
            | DAC_READ_SEARCH,
        true,
    ),
    ("proc-sweep", false, SYS_PTRACE, true),
    ("docker", true, DAC_OVERRIDE, true),
    ("podman", true, DAC_OVERRIDE, true),
    ("containerd", true, DAC_OVERRIDE, true),
    ("cri", true, DAC_OVERRIDE, true),
];

/// Whoever stands beside the reader has what its work takes and no more, however packets are captured.
pub fn others_have_little(lab: &Lab) -> Result<Outcome> {
    let elsewhere = Netns::new()?;
    for (words, expected) in [
        (
            "-i any",
            &["homes", "lookout", "tunnels", "docker", "cri"][..],
        ),
        ("-i lo", &["homes", "guards", "podman"]),
        ("-i any --backend clsact", &["homes", "containerd"]),
        ("-i any --backend af-packet", &["docker"]),
        ("-i any --netns NETNS", &["docker"]),
        ("-i lo --write-keylog-file KEYS", &["homes", "tls"]),
    ] {
        let netns = Netns::new()?;
        let _line = Line::loopback(&netns)?;
        let keys = lab.file("keys.log");
        let words = words
            .replace("NETNS", &elsewhere.path())
            .replace("KEYS", &keys.to_string_lossy());
        let tool = Tool::listening(lab, &netns, &format!("-n {words}"))?;
        for name in expected {
            until("it has given up what it does not need", PATIENCE, || {
                let threads = threads(tool.pid())?;
                // One that begins has no name yet.
                let is_ready = match thread(&threads, name) {
                    Ok(status) => has_little(status)?,
                    Err(_) => false,
                };
                Ok(is_ready.then_some(()))
            })
            .with_context(|| format!("{name} with {words}"))?;
        }
        // Those that are still beginning give it up in a moment.
        let mut last = String::new();
        until("all have given up what they do not need", PATIENCE, || {
            for status in threads(tool.pid())?.values() {
                if !has_little(status)? {
                    last.clone_from(status);
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
        .with_context(|| format!("{words}: more than it needs: {last}"))?;
        tool.stop()?.expect_status(0)?;
    }
    Ok(Outcome::Passed)
}

/// Whether a thread has no more than it may have. One that nobody has judged has too much.
fn has_little(status: &str) -> Result<bool> {
    let name = field(status, "Name")?;
    let name = name.strip_suffix("-events").unwrap_or(name);
    if ["pktwho", "names", "errands", "files"].contains(&name) {
        // `threads_have_little` looks at them.
        return Ok(true);
    }
    let Some((_, may_be_root, may, is_filtered)) = BESIDE.iter().find(|it| it.0 == name) else {
        return Ok(false);
    };
    let capabilities = u64::from_str_radix(field(status, "CapPrm")?, 16)?;
    let is_root = field(status, "Uid")?.split('\t').any(|id| id == "0");
    let is_nobodys = !is_root && !field(status, "Groups")?.split(' ').any(|id| id == "0");
    Ok(capabilities & !may == 0
        && (*may_be_root || is_nobodys)
        && field(status, "NoNewPrivs")? == "1"
        && (!is_filtered || field(status, "Seccomp")? == "2"))
}

/// `-Z user` is whom the reader is; root keeps all; so does `--no-sandbox`.
pub fn chosen_user(lab: &Lab) -> Result<Outcome> {
    for (words, uid, filtered) in [
        ("-Z daemon", "1", "2"),
        ("-Z root", "0", "0"),
        ("--no-sandbox", "0", "0"),
    ] {
        let netns = Netns::new()?;
        let _line = Line::loopback(&netns)?;
        let tool = Tool::listening(lab, &netns, &format!("-i lo -n {words}"))?;
        let status = fs::read_to_string(format!("/proc/{}/status", tool.pid()))?;
        let is = (field(&status, "Uid")?, field(&status, "Seccomp")?);
        let first = is.0.split('\t').next();
        ensure!(
            first == Some(uid) && is.1 == filtered,
            "{words}: {is:?} and not {uid}"
        );
        tool.stop()?.expect_status(0)?;
    }
    Ok(Outcome::Passed)
}

/// Files of a series go where nobody may write, and belong to the user of `-Z`; its command runs
/// without the reader's restrictions.
pub fn series_after_the_drop(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let folder = lab.file("series-of-root");
    fs::create_dir(&folder)?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
    let command = lab.file("status.sh");
    fs::write(
        &command,
        "#!/bin/sh\ngrep -E '^(NoNewPrivs|Seccomp):' /proc/self/status > $1.status.tmp\nmv $1.status.tmp $1.status\n",
    )?;
    fs::set_permissions(&command, fs::Permissions::from_mode(0o755))?;
    let words = format!(
        "-i lo -n -C 1 -z {} -w {}/x.pcap",
        command.display(),
        folder.display()
    );
    let tool = Tool::listening(lab, &netns, &words)?;
    let first = folder.join("x.pcap");
    let status = folder.join("x.pcap.status");
    until("the first file is complete", PATIENCE, || {
        line.send(2000)?;
        Ok(status.exists().then_some(()))
    })?;
    tool.stop()?.expect_status(0)?;
    let said = fs::read_to_string(&status)?;
    ensure!(
        field(&said, "NoNewPrivs")? == "0" && field(&said, "Seccomp")? == "0",
        "the command is confined: {said}"
    );
    ensure!(first.metadata()?.uid() == 0, "not root's");
    ensure!(folder.join("x.pcap1").exists(), "no second file");
    Ok(Outcome::Passed)
}

/// A file that root alone may read is read, and by a thread that has nothing.
pub fn reading_of_files(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let path = lab.file("of-root.pcapng");
    let words = format!("-i lo -n -w {}", path.display());
    let tool = Tool::listening(lab, &netns, &words)?;
    line.send(2)?;
    tool.stop()?.expect_status(0)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    let words = format!("-n -r {}", path.display());
    let ended = Tool::start(lab, &netns, &words)?.wait()?;
    ended.expect_status(0)?;
    let lines = String::from_utf8_lossy(&ended.stdout).lines().count();
    ensure!(lines == 2, "{lines} lines");
    Ok(Outcome::Passed)
}

/// A program that the command runs may become another user.
pub fn commands_are_free(lab: &Lab) -> Result<Outcome> {
    let netns = Netns::new()?;
    let _line = Line::loopback(&netns)?;
    let path = lab.file("free.pcapng");
    let path = path.display().to_string();
    let words = ["-i", "lo", "-w", &path, "--", "grep", "-E"];
    let words = [
        &words[..],
        &["^(NoNewPrivs|Seccomp|CapEff):", "/proc/self/status"],
    ]
    .concat();
    let ended = Tool::spawn(Path::new(&lab.pktwho), &netns, &words)?.wait()?;
    ended.expect_status(0)?;
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    ensure!(
        field(&said, "NoNewPrivs")? == "0"
            && field(&said, "Seccomp")? == "0"
            && field(&said, "CapEff")? != "0000000000000000",
        "{said}"
    );
    Ok(Outcome::Passed)
}
