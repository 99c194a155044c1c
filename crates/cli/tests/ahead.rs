//! Files printed by several threads: the same bytes, words and exit status as on one processor.
//!
//! The packets are those of `tests/golden/print`, repeated until threads are worth it.

#![expect(clippy::unwrap_used, reason = "a program that is a test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Files are at least as large: several batches.
const SIZE: usize = 250_000;

/// The packets of all golden captures, with their headers, by link type.
fn packets() -> BTreeMap<u32, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/print");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "pcap"))
        .collect();
    paths.sort();
    let mut packets = BTreeMap::<u32, Vec<u8>>::new();
    for path in paths {
        let bytes = fs::read(path).unwrap();
        let (header, records) = bytes.split_at(24);
        // Little-endian, microseconds.
        if header.starts_with(&[0xd4, 0xc3, 0xb2, 0xa1]) {
            let link_type = u32::from_le_bytes(*header.last_chunk().unwrap());
            packets.entry(link_type).or_default().extend(records);
        }
    }
    packets
}

/// A capture of these packets, repeated.
fn capture(name: &str, link_type: u32, packets: &[u8]) -> PathBuf {
    let name = format!("ahead-{name}-{link_type}.pcap");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let words = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, link_type];
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    while bytes.len() < SIZE {
        bytes.extend_from_slice(packets);
    }
    fs::write(&path, bytes).unwrap();
    path
}

fn command(path: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pktwho"));
    command.arg("-r").arg(path).args(words).env("TZ", "UTC0");
    command.stdin(Stdio::null());
    command
}

/// What is said on one processor, and on all that there are.
fn both(path: &Path, words: &[&str]) -> [Output; 2] {
    let all = sched_getaffinity(None).unwrap();
    let first = (0..CpuSet::MAX_CPU).find(|cpu| all.is_set(*cpu)).unwrap();
    let mut one = CpuSet::new();
    one.set(first);
    // Who is started has the processors of the thread that starts it.
    [one, all].map(|processors| {
        sched_setaffinity(None, &processors).unwrap();
        command(path, words).output().unwrap()
    })
}

fn same(path: &Path, words: &[&str]) -> Output {
    let [one, all] = both(path, words);
    let what = format!("{} {words:?}", path.display());
    assert_eq!(one.status, all.status, "{what}");
    assert!(one.stdout == all.stdout, "{what}: other lines");
    let [said, said_by_all] = [&one, &all].map(|output| String::from_utf8_lossy(&output.stderr));
    assert_eq!(said, said_by_all, "{what}");
    all
}

#[test]
fn threads_change_nothing() {
    for (link_type, packets) in packets() {
        let path = capture("same", link_type, &packets);
        let lines = same(&path, &["-nv"]).stdout;
        assert!(!lines.is_empty());
        let all: &[&[&str]] = match link_type {
            1 | 101 => &[
                &["-n"],
                &["-nnevvv"],
                &["-nSt"],
                &["-nttt", "-#", "--lengths"],
                &["-ntttttXX"],
                &["-nqA"],
                &["-n", "-c", "2500"],
                &["-n", "--count"],
                &["-n", "--skip", "100", "--print-sampling", "3"],
                &["-n", "--color", "always", "tcp or port 2049"],
                // Nobody prints ahead where names are shown, or each line is waited for.
                &["-ln", "-c", "2000"],
            ],
            _ => &[],
        };
        for words in all {
            same(&path, words);
        }
        // What stands before damage is printed, then the damage is told.
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, bytes.get(..SIZE - 5).unwrap()).unwrap();
        let output = same(&path, &["-n"]);
        assert!(!output.status.success() && !output.stdout.is_empty());
    }
}

#[test]
fn owners_stay_with_their_packets() {
    let owners = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/cli/owners.pcapng"
    );
    // A section of a file may be followed by others.
    let all = fs::read(owners).unwrap().repeat(100);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ahead-owners.pcapng");
    fs::write(&path, all).unwrap();
    let lines = same(&path, &["-nS"]).stdout;
    assert!(String::from_utf8(lines).unwrap().contains("curl."));
    same(&path, &["-nvv"]);
}

#[test]
fn a_reader_that_goes_is_no_error() {
    let path = capture("gone", 101, packets().get(&101).unwrap());
    let mut child = command(&path, &["-nvXX"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut some = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    assert!(child.wait().unwrap().success());
}
