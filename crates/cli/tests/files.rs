//! Reading and writing files: series of them, damage, full disks. What tcpdump does too is
//! compared with the installed one.

#![expect(clippy::unwrap_used, reason = "a program that is a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A folder of its own, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("{}-{name}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// A capture of `count` packets of `len` bytes, one each second.
    fn capture(&self, name: &str, count: u32, len: u32) {
        self.capture_of(name, 1, (0, count, 1), len);
    }

    /// The same of a link type, with packets from a second on and every so many seconds.
    fn capture_of(&self, name: &str, link: u32, (from, count, step): (u32, u32, u32), len: u32) {
        let mut file = Vec::new();
        for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, link] {
            file.extend_from_slice(&u32::to_le_bytes(word));
        }
        for number in 0..count {
            let second = from + number * step;
            for word in [1_700_000_000 + second, 0, len, len] {
                file.extend_from_slice(&word.to_le_bytes());
            }
            let mut packet = vec![0; len as usize];
            // An Ethernet header of a type that is for experiments.
            packet.splice(12..14, [0x88, 0xb5]);
            file.extend_from_slice(&packet);
        }
        fs::write(self.0.join(name), file).unwrap();
    }

    fn run(&self, program: &str, args: &str) -> Option<Output> {
        let output = Command::new(program)
            .args(args.split_whitespace())
            .current_dir(&self.0)
            .env("TZ", "UTC")
            // No nameserver is asked.
            .env("RES_OPTIONS", "attempts:0")
            .stdin(Stdio::null())
            .output();
        output.ok()
    }

    fn pktwho(&self, args: &str) -> Output {
        self.run(env!("CARGO_BIN_EXE_pktwho"), args).unwrap()
    }

    /// Runs it and gives what it said on standard error.
    fn expect(&self, args: &str, status: i32) -> String {
        let output = self.pktwho(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{args}: {said}");
        said
    }

    /// Names that begin so, and how many packets each file has.
    fn files(&self, start: &str) -> Vec<(String, usize)> {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.starts_with(start)).collect();
        names.sort();
        let counted = names.into_iter().map(|name| {
            let packets = self.packets(&name);
            (name, packets)
        });
        counted.collect()
    }

    /// How many packets we find in a file.
    fn packets(&self, name: &str) -> usize {
        let output = self.pktwho(&format!("-r {name} --count"));
        let said = String::from_utf8(output.stdout).unwrap();
        let count = said.split(' ').next().and_then(|word| word.parse().ok());
        count.unwrap_or_else(|| panic!("{name}: {said}"))
    }

    fn clear(&self, start: &str) {
        for (name, _) in self.files(start) {
            fs::remove_file(self.0.join(name)).unwrap();
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn series_are_those_of_tcpdump() {
    let folder = Folder::new("series");
    folder.capture("in.pcap", 60, 50_000);
    for args in [
        "-C 1",
        "-C 1 -W 3",
        "-C 1 -W 2",
        "-C 1 -W 11",
        "-C 2 -W 1",
        "-C 1 -G 1000 -W 20",
    ] {
        let write = |to| format!("-r in.pcap -w {to} {args}");
        folder.expect(&write("out.pcap"), 0);
        let ours = folder.files("out.pcap");
        assert!(!ours.is_empty());
        folder.clear("out.pcap");
        // Otherwise it becomes another user, who cannot write here.
        let Some(_) = folder.run("tcpdump", &(write("out.pcap") + " -Z root")) else {
            println!("skipped: tcpdump is not installed");
            return;
        };
        // By its clock no time passes, by ours a minute: not a thousand seconds either.
        assert_eq!(folder.files("out.pcap"), ours, "{args}");
        folder.clear("out.pcap");
    }
}

#[test]
fn every_file_of_a_series_is_whole() {
    let folder = Folder::new("whole");
    let owners = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/cli/owners.pcapng"
    );
    let lines = |args: &str| {
        let output = folder.pktwho(args);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    folder.expect(&format!("-r {owners} -w out-%s -G 1 -C 1k -W 99"), 0);
    let files = folder.files("out-");
    assert!(files.len() > 3, "{files:?}");
    let all: String = files
        .iter()
        .map(|(name, _)| lines(&format!("-nttr {name} -S")))
        .collect();
    assert_eq!(all, lines(&format!("-nttr {owners} -S")));
}

#[test]
fn a_file_that_is_read_is_divided_by_its_times() {
    let folder = Folder::new("times");
    folder.capture("in.pcap", 25, 60);
    folder.expect("-r in.pcap -w o-%H%M%S -G 10", 0);
    let expected = [("o-221320", 10), ("o-221330", 10), ("o-221340", 5)];
    let expected = expected.map(|(name, packets)| (name.to_owned(), packets));
    assert_eq!(folder.files("o-"), expected);
    folder.clear("o-");
    let said = folder.expect("-r in.pcap -w o-%S -G 10 -W 2", 0);
    assert!(
        said.ends_with("\nMaximum file limit reached: 2\n"),
        "{said}"
    );
    assert_eq!(folder.files("o-").len(), 2);
}

#[test]
fn commands_get_the_files_that_are_complete() {
    let folder = Folder::new("commands");
    folder.capture("in.pcap", 60, 50_000);
    folder.expect("-r in.pcap -w out.pcap -C 1 -z gzip", 0);
    let deadline = Instant::now() + Duration::from_secs(20);
    let names = || {
        let files = fs::read_dir(&folder.0).unwrap();
        let mut names: Vec<_> = files
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("out"))
            .collect();
        names.sort();
        names
    };
    // The last one is left as it is.
    let expected = ["out.pcap.gz", "out.pcap1.gz", "out.pcap2"];
    while names() != expected {
        assert!(Instant::now() < deadline, "{:?}", names());
        std::thread::yield_now();
    }
    let total: usize = folder.files("out").into_iter().map(|(_, n)| n).sum();
    assert_eq!(total, 60);
    let said = folder.expect("-r in.pcap -w x.pcap -C 2 -z no-such-program", 0);
    let complaint = "pktwho: cannot run no-such-program x.pcap: No such file or directory\n";
    assert!(said.ends_with(complaint), "{said}");
}

#[test]
fn what_fits_on_a_full_disk_can_be_read() {
    let folder = Folder::new("full");
    folder.capture("in.pcap", 100, 1000);
    for to in ["out.pcap", "out.pcapng"] {
        // A limit on the size of files is met like the end of a disk: a write takes what fits.
        let pktwho = env!("CARGO_BIN_EXE_pktwho");
        let script = format!("trap '' XFSZ; ulimit -f 60; exec {pktwho} -r in.pcap -w {to}");
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(&folder.0)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        let complaint = format!("\npktwho: cannot write to {to}: File too large\n");
        assert!(said.ends_with(&complaint), "{said}");
        let packets = folder.packets(to);
        assert!((50..=61).contains(&packets), "{packets}");
        assert_eq!(
            folder
                .expect(&format!("-nr {to} -w /dev/null"), 0)
                .lines()
                .count(),
            1
        );
    }
    let said = folder.expect("-r in.pcap -w /dev/full", 1);
    assert!(
        said.ends_with("cannot write to /dev/full: No space left on device\n"),
        "{said}"
    );
}

#[test]
fn folders_that_are_gone() {
    let folder = Folder::new("gone");
    folder.capture("in.pcap", 3, 60);
    let said = folder.expect("-r in.pcap -w no/such/out", 1);
    assert!(
        said.ends_with("\npktwho: no/such/out: No such file or directory\n"),
        "{said}"
    );
    // The second file of the series is to be in a folder that is not there.
    fs::create_dir(folder.0.join("20")).unwrap();
    let said = folder.expect("-r in.pcap -w %S/out.pcap -G 1", 1);
    assert!(
        said.ends_with("\npktwho: 21/out.pcap: No such file or directory\n"),
        "{said}"
    );
    assert_eq!(folder.packets("20/out.pcap"), 1);
}

#[test]
fn a_series_has_no_place_on_standard_output() {
    let folder = Folder::new("stdout");
    folder.capture("in.pcap", 3, 60);
    let said = folder.expect("-r in.pcap -w - -C 1", 1);
    assert!(said.contains("need a file to write"), "{said}");
    let said = folder.expect("-r in.pcap -w out -Z nobody:such", 1);
    assert_eq!(said, "pktwho: Couldn't find user 'nobody:such'\n");
}

/// The seconds that `-tt` shows.
fn seconds(output: &Output) -> Vec<u64> {
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    let packets = lines.lines().filter(|line| line.starts_with("17000"));
    let second = |line: &str| line.get(..10).unwrap().parse::<u64>().unwrap() - 1_700_000_000;
    packets.map(second).collect()
}

#[test]
fn packets_of_several_files_come_by_their_times() {
    let folder = Folder::new("merge");
    folder.capture_of("even.pcap", 1, (0, 5, 2), 60);
    folder.capture_of("odd.pcap", 1, (1, 5, 2), 60);
    folder.capture_of("raw.pcap", 101, (0, 3, 3), 60);
    let lines = |args: &str| seconds(&folder.pktwho(args));
    assert_eq!(
        lines("-ttr even.pcap -r odd.pcap"),
        (0..10).collect::<Vec<_>>()
    );
    let three = [0, 0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9];
    assert_eq!(lines("-ttr even.pcap -r odd.pcap -r raw.pcap"), three);
    assert_eq!(lines("-ttr odd.pcap -r even.pcap -c 3"), [0, 1, 2]);
    let said = folder.expect("-r even.pcap -r odd.pcap -r raw.pcap -w all.pcapng", 0);
    assert!(said.contains("--split-linktypes"), "{said}");
    assert_eq!(lines("-ttr all.pcapng"), three);
    // Whatever it was merged from, it can be merged again.
    folder.expect("-r all.pcapng -r odd.pcap -w more.pcapng", 0);
    assert_eq!(lines("-ttr more.pcapng").len(), 18);

    // One that ends early does not end the others.
    let whole = fs::read(folder.0.join("even.pcap")).unwrap();
    fs::write(
        folder.0.join("cut.pcap"),
        whole.get(..whole.len() - 10).unwrap(),
    )
    .unwrap();
    let output = folder.pktwho("-ttr cut.pcap -r odd.pcap");
    assert_eq!(seconds(&output).len(), 9);
    let said = String::from_utf8(output.stderr).unwrap();
    let complaint =
        "pktwho: cut.pcap: truncated dump file; tried to read 60 captured bytes, only got 50\n";
    assert!(said.ends_with(complaint), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn files_of_a_list_come_one_after_the_other() {
    let folder = Folder::new("list");
    folder.capture_of("even.pcap", 1, (0, 3, 2), 60);
    folder.capture_of("odd.pcap", 1, (1, 3, 2), 60);
    let list = |names: &str| fs::write(folder.0.join("list"), names).unwrap();
    let both = |args: &str| {
        let ours = folder.pktwho(args);
        if let Some(theirs) = folder.run("tcpdump", args) {
            let words = |output: &Output| {
                let said = String::from_utf8(output.stderr.clone()).unwrap();
                (said.replace("tcpdump: ", "pktwho: "), output.status.code())
            };
            assert_eq!(words(&ours), words(&theirs), "{args}");
            assert_eq!(seconds(&ours), seconds(&theirs), "{args}");
        }
        seconds(&ours)
    };
    list("even.pcap\nodd.pcap\n");
    assert_eq!(both("-ttV list"), [0, 2, 4, 1, 3, 5]);
    // tcpdump counts anew in each file (4.99.3).
    assert_eq!(seconds(&folder.pktwho("-ttV list -c 4")), [0, 2, 4, 1]);
    both("-V list -r odd.pcap");
    both("-V nothing");
    list("even.pcap\nnothing\n");
    assert_eq!(both("-ttV list"), [0, 2, 4]);
    list("");
    both("-V list");
}

#[test]
fn packets_of_a_time() {
    let folder = Folder::new("window");
    folder.capture("in.pcap", 10, 60);
    let lines = |args: &str| seconds(&folder.pktwho(args));
    assert_eq!(lines("-ttr in.pcap --since 1700000007"), [7, 8, 9]);
    assert_eq!(lines("-ttr in.pcap --until 1700000002.000001"), [0, 1, 2]);
    let both = "-ttr in.pcap --since 2023-11-14T22:13:23Z --until 2023-11-14T22:13:25";
    assert_eq!(lines(both), [3, 4]);
    assert_eq!(lines("-ttr in.pcap --since 1700000003 -c 2"), [3, 4]);
    let said = folder.expect("-r in.pcap --since yesterday", 1);
    assert_eq!(said, "pktwho: invalid time yesterday\n");
}

#[test]
fn a_file_for_each_link_type() {
    let folder = Folder::new("split");
    folder.capture_of("ether.pcap", 1, (0, 5, 2), 60);
    folder.capture_of("raw.pcap", 101, (1, 3, 2), 60);
    for (extension, args) in [
        ("pcap", ""),
        ("pcapng", ""),
        ("pcapng", "--context=process"),
    ] {
        let write = format!("-r ether.pcap -r raw.pcap --split-linktypes -w o.{extension} {args}");
        folder.expect(&write, 0);
        let expected = [
            (format!("o-EN10MB.{extension}"), 5),
            (format!("o-RAW.{extension}"), 3),
        ];
        assert_eq!(folder.files("o"), expected);
        for (name, _) in &expected {
            if let Some(output) = folder.run("tcpdump", &format!("-nr {name}")) {
                assert!(output.status.success(), "{output:?}");
            }
        }
        folder.clear("o");
    }
    folder.expect("-r ether.pcap -r raw.pcap -y LINUX_SLL2 -w o.pcapng", 0);
    if let Some(output) = folder.run("tcpdump", "-ttnr o.pcapng") {
        assert_eq!(seconds(&output).len(), 8);
    }
}

/// A block of a pcapng file.
fn block(kind: u32, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let len = u32::try_from(body.len() + 12).unwrap().to_le_bytes();
    [&kind.to_le_bytes()[..], &len, &body, &len].concat()
}

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(value.len()).unwrap();
    let mut out = [code.to_le_bytes(), len.to_le_bytes()].concat();
    out.extend_from_slice(value);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

/// An ARP request; times in microseconds.
fn packet(micros: u8, options: &[Vec<u8>]) -> Vec<u8> {
    let mut data = vec![0xff; 6];
    data.extend_from_slice(&[2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    data.extend_from_slice(&[
        2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2,
    ]);
    let len = u32::try_from(data.len()).unwrap().to_le_bytes();
    data.extend_from_slice(&[0; 2]);
    let head = [&[0; 8][..], &[micros, 0, 0, 0], &len, &len].concat();
    block(6, &[&head, &data, &options.concat()])
}

fn pcapng(link_type: u8, blocks: &[Vec<u8>]) -> Vec<u8> {
    let section = [
        &0x1a2b_3c4d_u32.to_le_bytes()[..],
        &[1, 0, 0, 0],
        &[0xff; 8],
    ]
    .concat();
    let program = [option(2, b"Mac"), option(4, b"tcpdump")].concat();
    let iface = [&[link_type, 0, 0, 0, 0, 0, 4, 0][..], &option(2, b"en0")].concat();
    let start = [
        block(0x0a0d_0d0a, &[&section, &program]),
        block(1, &[&iface]),
    ];
    [start.concat(), blocks.concat()].concat()
}

/// Standard output of a command about `in.pcapng`, a line each, without the packet itself.
fn notes(folder: &Folder, args: &str) -> Vec<String> {
    let output = folder.pktwho(&format!("-tr in.pcapng {args}"));
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text
        .lines()
        .map(|line| line.split("ARP,").next().unwrap().to_owned());
    lines.collect()
}

#[test]
fn apple_metadata_are_shown_as_apple_shows_them() {
    let folder = Folder::new("apple");
    let process = |pid: u32, name: &[u8], uuid: Option<u8>| {
        let uuid = uuid.map_or_else(Vec::new, |byte| option(4, &[byte; 16]));
        block(0x8000_0001, &[&pid.to_le_bytes(), &option(2, name), &uuid])
    };
    let number = |code, value: u32| option(code, &value.to_le_bytes());
    let full = [
        number(0x8001, 0),
        number(0x8003, 1),
        number(2, 2),
        number(0x8002, 900),
        number(0x8005, 0x1f),
        option(0x8006, &[0x34, 0x12]),
        option(1, b"a note\n"),
        number(0x8004, 8 | 1),
    ];
    let blocks = [
        process(4321, b"curl", Some(0xab)),
        process(1, b"launchd", None),
        packet(1, &full),
        packet(2, &[number(2, 1)]),
        packet(3, &[option(1, b"proc ssh:44637, svc CTL, out")]),
        packet(4, &[option(1, b"words")]),
    ];
    fs::write(folder.0.join("in.pcapng"), pcapng(1, &blocks)).unwrap();
    let uuid = "abababab-abab-abab-abab-abababababab";
    let usual = "(en0, proc curl:4321, eproc launchd:1, svc CTL, out, nf, so, a note\\n) ";
    let plain = "(proc ssh:44637, svc CTL, out) ";
    assert_eq!(
        notes(&folder, "-k"),
        [usual, "(en0, in) ", plain, "(en0, words) "]
    );
    assert_eq!(
        notes(&folder, "-k NU -c1"),
        [format!("(proc curl:{uuid}, eproc launchd) ")]
    );
    let numbers = "(proc 4321, eproc 1, flowid 0x1f, ttag 0x1234, dlt 0x1, cmpgc 0x0) ";
    assert_eq!(notes(&folder, "-k Pftdc -c1"), [numbers]);
    // A word that is no letters is the filter; in a cluster there is no argument.
    assert_eq!(notes(&folder, "-k arp -c1"), [usual]);
    assert_eq!(notes(&folder, "-knc1"), [usual]);
    assert_eq!(notes(&folder, "-k S -c2"), ["(svc CTL) ", "() "]);
    let said = folder.expect("-r in.pcapng --apple-md-print=Z", 1);
    assert_eq!(said, "pktwho: unknown metadata letter `Z'\n");
    let blocks = notes(&folder, "-k V -c 1");
    let expected = [
        "Section Header Block version 1.0, section_length: -1, hardware: Mac, app: tcpdump"
            .to_owned(),
        "Interface Description Block id: 0 name: en0 linktype: 1 (dlt: 1) snaplen: 262144"
            .to_owned(),
        format!("Process Information Block pid: 4321 proc_name: curl proc_uuid: {uuid}"),
        "Process Information Block pid: 1 proc_name: launchd".to_owned(),
        String::new(),
    ];
    assert_eq!(blocks, expected);
    // The same again from a file that was written from this one.
    folder.expect("-r in.pcapng -w again.pcapng", 0);
    fs::rename(folder.0.join("again.pcapng"), folder.0.join("in.pcapng")).unwrap();
    assert_eq!(notes(&folder, "-k -c1"), [usual]);
    assert_eq!(notes(&folder, "-kn -Q proc=ssh"), [plain]);
}

#[test]
fn processes_of_pktap_headers() {
    let folder = Folder::new("pktap");
    for (link, dlt) in [(258_u32, 1_u8), (149, 1)] {
        let mut header = vec![0; 108];
        for (at, value) in [
            (0, &[108][..]),
            (4, &[1]),
            (8, &[dlt]),
            (12, b"en5"),
            (36, &[2, 0, 2, 0]),
            (52, &[0xe1, 0x10]),
            (56, b"curl"),
            (76, &[0xff; 4]),
            (84, &[0xff; 4]),
        ] {
            header.splice(at..at + value.len(), value.iter().copied());
        }
        let arp = packet(0, &[]);
        header.extend_from_slice(arp.get(28..70).unwrap());
        let len = u32::try_from(header.len()).unwrap();
        let words = [
            0xa1b2_c3d4,
            0x0004_0002,
            0,
            0,
            262_144,
            link,
            1_700_000_000,
            0,
            len,
            len,
        ];
        let file: Vec<u8> = words
            .iter()
            .flat_map(|word: &u32| word.to_le_bytes())
            .collect();
        fs::write(folder.0.join("in.pcapng"), [file, header].concat()).unwrap();
        assert_eq!(notes(&folder, "-k"), ["(proc curl:4321, out, so) "]);
        assert_eq!(notes(&folder, "-Q proc=curl").len(), 1);
        assert_eq!(notes(&folder, "-Q pid=4322").len(), 0);
        // tcpdump's lines show no process.
        assert_eq!(notes(&folder, ""), [""]);
    }
}

#[test]
fn comments_of_ptcpdump() {
    let folder = Folder::new("ptcpdump");
    let comments = [
        option(
            1,
            b"PID: 122868\nCmd: /usr/bin/curl\nArgs: curl -s http://192.0.2.1",
        ),
        option(1, b"ThreadId: 122869\nThreadName: resolver"),
        option(1, b"UserId: 1000"),
        option(
            1,
            b"ParentPID: 18840\nParentCmd: /usr/bin/bash\nParentArgs: -bash",
        ),
        option(2, &2_u32.to_le_bytes()),
    ];
    let file = pcapng(1, &[packet(1, &comments), packet(2, &[])]);
    fs::write(folder.0.join("in.pcapng"), file).unwrap();
    let output = folder.pktwho("-tr in.pcapng -v -c1");
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "122868",
        "/usr/bin/curl",
        "-s http://192.0.2.1",
        "resolver",
        "1000",
        "bash",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(notes(&folder, "--pname curl").len(), 1);
    assert_eq!(notes(&folder, "--uid 1000").len(), 1);
    // What we write of such a packet reads the same to ptcpdump's users, once or again.
    for args in [
        "-w out.pcapng",
        "-w out.pcapng --comments",
        "-w out.pcapng --comments --context=process",
    ] {
        folder.expect(&format!("-r in.pcapng {args}"), 0);
        let written = fs::read(folder.0.join("out.pcapng")).unwrap();
        let wanted = b"PID: 122868\nCmd: /usr/bin/curl\nArgs: curl -s http://192.0.2.1";
        let times = written
            .windows(wanted.len())
            .filter(|bytes| bytes == wanted);
        assert_eq!(times.count(), 1, "{args}");
    }
}

/// A UDP datagram from 127.0.0.1 to itself, of a device of raw IP.
fn datagram() -> Vec<u8> {
    let mut data = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0];
    data.extend_from_slice(&[127, 0, 0, 1, 127, 0, 0, 1]);
    data.extend_from_slice(&[0x13, 0x88, 0x13, 0x89, 0, 8, 0, 0]);
    let len = u32::try_from(data.len()).unwrap().to_le_bytes();
    block(6, &[&[0; 12], &len, &len, &data])
}

/// A name resolution block that gives 127.0.0.1 a name.
fn named(name: &[u8]) -> Vec<u8> {
    let record = option(1, &[&[127, 0, 0, 1], name, &[0]].concat());
    block(4, &[&record, &[0; 4]])
}

/// What hosts(5) of this machine calls 127.0.0.1.
fn local_name() -> Option<String> {
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let mut lines = hosts.lines().map(str::split_whitespace);
    lines.find_map(|mut words| {
        let name = (words.next() == Some("127.0.0.1")).then(|| words.next());
        name.flatten().map(str::to_owned)
    })
}

#[test]
fn names_that_lines_show_are_stored() {
    let Some(name) = local_name() else {
        eprintln!("skipped: /etc/hosts has no name for 127.0.0.1");
        return;
    };
    let folder = Folder::new("names");
    // Section and device, whose options get an end each.
    let start = pcapng(101, &[]).len() + 8;
    let check = |blocks: &[Vec<u8>], args: &str, expected: &[Vec<u8>]| {
        fs::write(folder.0.join("in.pcapng"), pcapng(101, blocks)).unwrap();
        let output = folder.pktwho(&format!("-r in.pcapng -w out.pcapng {args}"));
        assert!(output.status.success(), "{output:?}");
        let written = fs::read(folder.0.join("out.pcapng")).unwrap();
        assert_eq!(written[start..], expected.concat(), "{args}");
    };
    let (packet, ours) = (datagram(), named(name.as_bytes()));
    let three = [packet.clone(), packet.clone(), packet.clone()];
    // Once, before the packets that follow.
    let stored = [packet.clone(), ours.clone(), packet.clone(), packet.clone()];
    check(&three, "--print", &stored);
    if let Some(output) = folder.run("tshark", "-r out.pcapng -N n") {
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.matches(&name).count(), 4, "{text}");
    }
    check(&stored, "--print", &stored);
    check(&three, "--print -n", &three);
    check(&three, "", &three);
    // Another's name is kept, before a packet and after it.
    let others = named(b"other.example");
    let before = [others.clone(), packet.clone(), packet.clone()];
    check(&before, "--print", &before);
    let after = [packet.clone(), others, packet.clone()];
    check(&after, "--print", &after);
    // After the last packet it stands at the end.
    check(&three[..1], "--print", &[packet, ours]);
}
