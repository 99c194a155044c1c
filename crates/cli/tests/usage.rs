//! What the program says and how it exits, for command lines right and wrong.
//!
//! The table is tcpdump 4.99.3's behaviour, and the rows marked [`Like::Tcpdump`] are run
//! through the installed tcpdump as well, to see that they still are.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a program that is a test"
)]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Whether tcpdump does the same, its name aside.
#[derive(Clone, Copy, PartialEq)]
enum Like {
    Tcpdump,
    Ours,
}
use Like::{Ours, Tcpdump};

/// Arguments (with -n where lines are printed: nobody is to be asked for names), standard error
/// without the usage, exit status. Standard output is empty but for what `-r` prints.
const ROWS: &[(&str, &str, i32, Like)] = &[
    // The words of getopt.
    ("-1", "P: invalid option -- '1'", 1, Tcpdump),
    ("-nPx", "P: invalid option -- 'P'", 1, Tcpdump),
    ("-c", "P: option requires an argument -- 'c'", 1, Tcpdump),
    ("-i", "P: option requires an argument -- 'i'", 1, Tcpdump),
    ("-nr", "P: option requires an argument -- 'r'", 1, Tcpdump),
    ("--foo", "P: unrecognized option '--foo'", 1, Tcpdump),
    ("--foo=1", "P: unrecognized option '--foo=1'", 1, Tcpdump),
    (
        "--count=3",
        "P: option '--count' doesn't allow an argument",
        1,
        Tcpdump,
    ),
    (
        "--interface",
        "P: option '--interface' requires an argument",
        1,
        Tcpdump,
    ),
    ("--pid", "P: option '--pid' requires an argument", 1, Ours),
    (
        "tls-probe nothing-here",
        "P: cannot read nothing-here: No such file or directory",
        1,
        Ours,
    ),
    (
        "--pi=1 --p",
        "P: option '--p' is ambiguous; possibilities: '--pid' '--pname' '--pod-name' '--podman-address' '--print' '--packet-buffered' '--print-sampling'",
        1,
        Ours,
    ),
    // Values.
    ("-c 0", "P: invalid packet count 0", 1, Tcpdump),
    ("-c -1", "P: invalid packet count -1", 1, Tcpdump),
    ("-c x", "P: invalid packet count x", 1, Tcpdump),
    ("-c 3x -r two.pcap", "P: invalid packet count 3x", 1, Ours),
    (
        "-s x",
        "P: invalid snaplen x (must be >= 0 and <= 262144)",
        1,
        Tcpdump,
    ),
    (
        "-s -1",
        "P: invalid snaplen -1 (must be >= 0 and <= 262144)",
        1,
        Tcpdump,
    ),
    (
        "-s 262145",
        "P: invalid snaplen 262145 (must be >= 0 and <= 262144)",
        1,
        Tcpdump,
    ),
    (
        "-tttttt",
        "P: only -t, -tt, -ttt, -tttt and -ttttt are supported",
        1,
        Tcpdump,
    ),
    ("-Q foo", "P: unknown capture direction `foo'", 1, Tcpdump),
    ("-B 0", "P: invalid packet buffer size 0", 1, Tcpdump),
    ("-B x", "P: invalid packet buffer size x", 1, Tcpdump),
    (
        "-B 2097152",
        "P: invalid packet buffer size 2097152",
        1,
        Tcpdump,
    ),
    (
        "--time-stamp-precision=milli",
        "P: unsupported time stamp precision",
        1,
        Tcpdump,
    ),
    ("-c 0 --foo", "P: invalid packet count 0", 1, Tcpdump),
    ("--pid x", "P: invalid process id x", 1, Ours),
    ("--uid no:body", "P: unknown user no:body", 1, Ours),
    ("--backend x", "P: unknown backend `x'", 1, Ours),
    ("--context x", "P: unknown context `x'", 1, Ours),
    // Files.
    ("-r two.pcap -f", "P: -f can not be used with -r", 1, Ours),
    (
        "-r nofile",
        "P: nofile: No such file or directory",
        1,
        Tcpdump,
    ),
    (
        "-r empty",
        "P: truncated dump file; tried to read 4 file header bytes, only got 0",
        1,
        Tcpdump,
    ),
    ("-r garbage", "P: unknown file format", 1, Tcpdump),
    (
        "-r .",
        "P: error reading dump file: Is a directory",
        1,
        Tcpdump,
    ),
    (
        "-r -",
        "P: truncated dump file; tried to read 4 file header bytes, only got 0",
        1,
        Tcpdump,
    ),
    (
        "-r head",
        "P: truncated dump file; tried to read 24 file header bytes, only got 16",
        1,
        Tcpdump,
    ),
    ("-nr two.pcap", "READ two.pcap", 0, Tcpdump),
    ("-n -r two.pcap -c1", "READ two.pcap", 0, Tcpdump),
    (
        "-nr two.pcap -s 20 -Q in -B 10 -p -l -U -K -S -N -q -v -e",
        "READ two.pcap",
        0,
        Tcpdump,
    ),
    (
        "-r two.pcap --immediate-mode --cou",
        "READ two.pcap",
        0,
        Tcpdump,
    ),
    (
        "-r garbage -nr two.pcap",
        "P: garbage: unknown file format",
        1,
        Ours,
    ),
    ("-nr two.pcap -i eth77", "READ two.pcap", 0, Tcpdump),
    (
        "-r two.pcap -w no/file",
        "READ two.pcap\nP: no/file: No such file or directory",
        1,
        Tcpdump,
    ),
    (
        "-r two.pcap -w .",
        "READ two.pcap\nP: .: Is a directory",
        1,
        Tcpdump,
    ),
    (
        "-r two.pcap -w two.pcap",
        "READ two.pcap\nP: cannot write to two.pcap: it is being read",
        1,
        Ours,
    ),
    (
        "-r two.pcap -w /dev/full",
        "READ two.pcap\nP: cannot write to /dev/full: No space left on device",
        1,
        Ours,
    ),
    (
        "-n -r cut",
        "READ cut\nP: truncated dump file; tried to read 42 captured bytes, only got 2",
        1,
        Ours,
    ),
    // Filters.
    ("-y foo", "P: invalid data link type foo", 1, Tcpdump),
    ("-nr two.pcap tcp port 80", "READ two.pcap", 0, Tcpdump),
    ("-nr two.pcap -- tcp", "READ two.pcap", 0, Tcpdump),
    ("-nr two.pcap -L", "READ two.pcap", 0, Tcpdump),
    (
        "-nr two.pcap -y raw -O ip[0] = 0x45",
        "READ two.pcap",
        0,
        Tcpdump,
    ),
    (
        "-nr two.pcap port nosuchport",
        "READ two.pcap\nP: unknown port 'nosuchport'\nport nosuchport\n^^^^^^^^^^^^^^^",
        1,
        Ours,
    ),
    (
        "-nr two.pcap tcp prt 80",
        "READ two.pcap\nP: can't parse filter expression: syntax error\ntcp prt 80\n    ^^^",
        1,
        Ours,
    ),
    (
        "-nr two.pcap -F nofile",
        "READ two.pcap\nP: can't open nofile: No such file or directory",
        1,
        Tcpdump,
    ),
    (
        "-d -F nofile",
        "Warning: assuming Ethernet\nP: can't open nofile: No such file or directory",
        1,
        Tcpdump,
    ),
    (
        "-nr two.pcap -Q pid=x",
        "P: invalid expression \"pid=x\"\npid=x\n    ^",
        1,
        Ours,
    ),
    ("-nr two.pcap --", "READ two.pcap", 0, Tcpdump),
];

/// A folder with the files that the table speaks of.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    let two = two_packets();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    put("two.pcap", &two);
    put("cut", &two[..two.len() - 40]);
    put("head", &two[..20]);
    put("empty", b"");
    put("garbage", b"hello world, this is no capture file");
    folder
}

/// A pcap file of two ARP requests, 42 bytes each.
fn two_packets() -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65535, 1] {
        file.extend(word.to_le_bytes());
    }
    for second in 1..=2_u32 {
        for word in [second, 5, 42, 42] {
            file.extend(u32::to_le_bytes(word));
        }
        file.extend([0xff; 6]);
        file.extend([2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
        file.extend([
            2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2,
        ]);
    }
    file
}

struct Ran {
    stdout: Vec<u8>,
    stderr: String,
    status: i32,
}

fn run(program: &str, words: &[&str], folder: &PathBuf) -> Ran {
    let output = Command::new(program)
        .args(words)
        .current_dir(folder)
        .env("TZ", "UTC")
        // No nameserver is asked.
        .env("RES_OPTIONS", "attempts:0")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code().unwrap(),
    }
}

const PKTWHO: &str = env!("CARGO_BIN_EXE_pktwho");

/// Runs a row; standard error is compared up to the version and usage.
fn check(program: &str, row: &(&str, &str, i32, Like), folder: &PathBuf) {
    let &(line, stderr, status, _) = row;
    let name = program.rsplit('/').next().unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let ran = run(program, &words, folder);
    let said = ran.stderr.split(&format!("\n{name} version ")).next();
    let expected = stderr
        .replace("P: ", &format!("{name}: "))
        .lines()
        .map(|line| match line.strip_prefix("READ ") {
            Some(file) => format!(
                "reading from file {file}, link-type EN10MB (Ethernet), snapshot length 65535"
            ),
            None => line.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\n");
    assert_eq!(said.unwrap().trim_end(), expected, "{name} {line}");
    assert_eq!(ran.status, status, "{name} {line}");
    let usage = ran.stderr.contains("Usage: ");
    let getopt = ["option ", "invalid option", "unrecognized option"];
    let is_getopt = getopt
        .iter()
        .any(|word| stderr.starts_with(&format!("P: {word}")));
    assert_eq!(usage, is_getopt, "{name} {line}");
    if !stderr.contains("READ") {
        assert!(ran.stdout.is_empty(), "{name} {line}");
    }
}

#[test]
fn words_and_exit_statuses() {
    let folder = folder("usage-ours");
    for row in ROWS {
        check(PKTWHO, row, &folder);
    }
}

#[test]
fn tcpdump_still_does_the_same() {
    if Command::new("tcpdump").arg("--version").output().is_err() {
        println!("skipped tcpdump_still_does_the_same: tcpdump is not installed");
        return;
    }
    let folder = folder("usage-tcpdump");
    for row in ROWS.iter().filter(|(.., like)| *like == Tcpdump) {
        check("tcpdump", row, &folder);
    }
}

#[test]
fn versions_and_usage_go_to_standard_output() {
    let folder = folder("usage-texts");
    for (flag, last) in [
        ("-h", "[ -- command ]\n"),
        ("--help", "belong to the expression.\n"),
        ("--version", "\n"),
        ("--man", ".BR pcap-filter (7)\n"),
        ("--completions=bash", "complete -F _pktwho pktwho\n"),
    ] {
        let ran = run(PKTWHO, &[flag], &folder);
        let text = String::from_utf8(ran.stdout).unwrap();
        assert!(text.ends_with(last), "{flag}: {text}");
        assert_eq!((ran.stderr.as_str(), ran.status), ("", 0), "{flag}");
        let version = concat!("pktwho version ", env!("CARGO_PKG_VERSION"), "\n");
        let of_version = !matches!(flag, "--man" | "--completions=bash");
        assert!(text.starts_with(version) || !of_version, "{flag}");
    }
}

#[test]
fn counts() {
    let folder = folder("usage-counts");
    for (line, stdout) in [
        ("-r two.pcap --count", "2 packets\n"),
        ("-r two.pcap --count --print", "2 packets\n"),
        ("-r two.pcap --count -c 1", "1 packet\n"),
        ("-r two.pcap --count --pid 1", "0 packets\n"),
        ("-r two.pcap --count -w out.pcap", "2 packets\n"),
        ("-r cut --count", "1 packet\n"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = run(PKTWHO, &words, &folder);
        assert_eq!(String::from_utf8(ran.stdout).unwrap(), stdout, "{line}");
    }
    assert_eq!(fs::read(folder.join("out.pcap")).unwrap(), two_packets());
}

#[test]
fn files_are_converted_both_ways() {
    let folder = folder("usage-convert");
    let go = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let ran = run(PKTWHO, &words, &folder);
        assert_eq!(ran.status, 0, "{line}: {}", ran.stderr);
        ran.stdout
    };
    let printed = go("-n -r two.pcap");
    assert_eq!(printed.split(|&byte| byte == b'\n').count(), 3);
    assert!(go("-r two.pcap -w two.pcapng").is_empty());
    let pcapng = fs::read(folder.join("two.pcapng")).unwrap();
    assert_eq!(&pcapng[..4], b"\x0a\x0d\x0d\x0a");
    assert_eq!(go("-n -r two.pcapng"), printed);
    assert!(go("-r two.pcapng -w again.pcap --nano").is_empty());
    assert_eq!(go("-n -r again.pcap"), printed);
    // Standard output takes pcapng, which reads back from a pipe.
    let piped = go("-r two.pcap -w -");
    assert_eq!(piped, pcapng);
    let mut child = Command::new(PKTWHO)
        .args(["-n", "-r", "-"])
        .env("TZ", "UTC")
        // No nameserver is asked.
        .env("RES_OPTIONS", "attempts:0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&piped).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.stdout, output.status.code()), (printed, Some(0)));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = folder("usage-pipe");
    let mut many = two_packets();
    let packets = many.split_off(24);
    for _ in 0..10_000 {
        many.extend_from_slice(&packets);
    }
    fs::write(folder.join("many.pcap"), many).unwrap();
    for words in [["-r", "many.pcap", "-n"], ["-r", "many.pcap", "-w-"]] {
        let mut child = Command::new(PKTWHO)
            .args(words)
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
