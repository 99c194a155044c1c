//! Files of ours in other people's hands: tcpdump and tshark read them without a word of
//! complaint, and see the same packets at the same times.
//!
//! `PKTWHO_TSHARK` names another tshark than the installed one; from version 4.6 on it must
//! also show the processes.

use std::fs::File;

use pktwho_capfile::{Counters, PcapOptions, PcapWriter, PcapngOptions, PcapngWriter, Writer};
use pktwho_packet::{
    Confidence, Direction, Iface, LinkType, NetnsId, Process, ProcessId, Reception, ThreadName,
    Timestamp, TimestampPrecision,
};

use crate::model::{OwnerModel, PacketModel, write};
use crate::support::*;

fn iface(id: u32, name: &str, link_type: LinkType) -> Iface {
    Iface {
        id,
        index: id + 1,
        name: name.into(),
        link_type,
        snaplen: 262_144,
        description: Some(format!("device {name}")),
        mac: Some([2, 0, 0, 0, 0, 1]),
        speed: Some(1_000_000_000),
        netns: Some(NetnsId(4_026_531_840)),
    }
}

fn owner(pid: u32, name: &[u8], tid: u32, thread: &[u8]) -> OwnerModel {
    let shell = Process {
        id: ProcessId { pid: 99, start: 5 },
        serial: 1,
        name: b"bash".to_vec(),
        ..Process::default()
    };
    OwnerModel {
        process: Process {
            id: ProcessId {
                pid,
                start: 1_000_000_007,
            },
            serial: u64::from(pid),
            name: name.to_vec(),
            exe: [b"/usr/bin/", name].concat(),
            args: vec![name.to_vec(), b"--say=\"\xff\"".to_vec()],
            args_cut: false,
            parent: Some(shell.id),
            uid: Some(1000),
            container: None,
        },
        parent: Some(shell),
        tid,
        thread: ThreadName::new(thread),
        uid: Some(1000),
        confidence: Confidence::Exact,
    }
}

/// An IPv4 packet of UDP, with an Ethernet header if the link has one.
fn udp(link_type: LinkType, port: u16) -> Vec<u8> {
    let [high, low] = port.to_be_bytes();
    let mut out = Vec::new();
    if link_type == LinkType::ETHERNET {
        out.extend_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0]);
    }
    out.extend_from_slice(&[
        0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1,
    ]);
    out.extend_from_slice(&[0x9c, 0x40, high, low, 0, 12, 0, 0, b'd', b'a', b't', b'a']);
    out
}

/// Packets with no owner, one and two, on two devices.
fn packets(link_type: LinkType) -> Vec<PacketModel> {
    let curl = || Some(owner(4321, b"curl", 4321, b"curl"));
    let nginx = || Some(owner(812, b"nginx", 813, b"worker"));
    let odd = || Some(owner(5, b"a > b\x1b\xff", 5, b""));
    let ends = [
        (Direction::Out, curl(), None),
        (Direction::In, None, nginx()),
        (Direction::Out, curl(), nginx()),
        (Direction::In, curl(), nginx()),
        (Direction::Unknown, None, nginx()),
        (Direction::In, odd(), None),
        (Direction::Unknown, None, None),
        (Direction::Out, odd(), None),
    ];
    let devices = [iface(0, "eth0", link_type), iface(1, "lo", link_type)];
    let numbered = (0..).zip(ends);
    let packet = |(number, (direction, sender, receiver)): (u16, _)| {
        let data = udp(link_type, 1000 + number);
        PacketModel {
            time: Timestamp {
                secs: 1_700_000_000 + i64::from(number),
                nanos: 123_456_789,
            },
            iface: devices[usize::from(number % 2)].clone(),
            orig_len: len32(&data),
            data,
            direction,
            reception: Reception::Unicast,
            sender,
            receiver,
        }
    };
    numbered.map(packet).collect()
}

fn file(make: impl FnOnce(File) -> Writer<File>, packets: &[PacketModel]) -> TempFile {
    let file = TempFile::new("written", &[]);
    let mut writer = make(File::create(file.path()).unwrap());
    let counters = Counters {
        start: Some(Timestamp {
            secs: 1_700_000_000,
            nanos: 0,
        }),
        end: Some(Timestamp {
            secs: 1_700_000_100,
            nanos: 0,
        }),
        received: Some(20),
        dropped: Some(3),
        os_dropped: Some(4),
        owners_forgotten: None,
    };
    write(&mut writer, packets, counters).unwrap();
    file
}

fn pcapng(link_type: LinkType, cooked: bool) -> TempFile {
    let options = PcapngOptions {
        hardware: "x86_64".into(),
        os: "Linux 6.1".into(),
        application: "pktwho test".into(),
        filter: "udp".into(),
        cooked,
        ..PcapngOptions::default()
    };
    let make = |file| Writer::Pcapng(Box::new(PcapngWriter::new(file, options)));
    file(make, &packets(link_type))
}

fn pcap(link_type: LinkType, of: LinkType, precision: TimestampPrecision) -> TempFile {
    let options = PcapOptions {
        link_type,
        precision,
        ..PcapOptions::default()
    };
    file(
        |file| Writer::Pcap(PcapWriter::new(file, options)),
        &packets(of),
    )
}

/// tcpdump's lines: nothing but packets, and one line of introduction.
fn check_tcpdump(file: &TempFile, nanos: &str) {
    let args = ["-nn", "-tt", "-q", "-K", "--nano", "-r", file.path()];
    let Some(output) = run("tcpdump", &args) else {
        return;
    };
    let stderr = text(&output.stderr);
    assert!(stderr.starts_with("reading from file"), "{stderr}");
    // tcpdump warns of any cooked file, its own too.
    let others = |line: &&str| *line != "Warning: interface names might be incorrect";
    assert_eq!(stderr.lines().filter(others).count(), 1, "{stderr}");
    let stdout = text(&output.stdout);
    let found: Vec<_> = stdout.lines().map(without_device).collect();
    let line = |n| {
        let (secs, port) = (1_700_000_000 + n, 1000 + n);
        format!("{secs}.{nanos} IP 127.0.0.1.40000 > 127.0.0.1.{port}: UDP, length 4")
    };
    assert_eq!(found, (0..8).map(line).collect::<Vec<_>>());
}

/// A line of tcpdump without what it says of a cooked packet's device, which is made up.
fn without_device(line: &str) -> String {
    let (time, rest) = line.split_once(' ').unwrap();
    format!("{time} {}", &rest[rest.find("IP ").unwrap()..])
}

#[test]
fn tcpdump_reads_pcapng() {
    check_tcpdump(&pcapng(LinkType::ETHERNET, false), "123456789");
}

#[test]
fn tcpdump_reads_pcap() {
    use {LinkType as L, TimestampPrecision as P};
    check_tcpdump(&pcap(L::ETHERNET, L::ETHERNET, P::Micro), "123456000");
    check_tcpdump(&pcap(L::RAW, L::RAW, P::Nano), "123456789");
}

#[test]
fn tcpdump_reads_cooked_packets() {
    use {LinkType as L, TimestampPrecision as P};
    check_tcpdump(&pcap(L::LINUX_SLL2, L::ETHERNET, P::Micro), "123456000");
    check_tcpdump(&pcap(L::LINUX_SLL2, L::RAW, P::Micro), "123456000");
    check_tcpdump(&pcapng(L::ETHERNET, true), "123456789");
    check_tcpdump(&pcapng(L::RAW, true), "123456789");
}

fn tshark() -> String {
    std::env::var("PKTWHO_TSHARK").unwrap_or_else(|_| "tshark".to_owned())
}

/// (major, minor)
fn tshark_version() -> Option<(u32, u32)> {
    let output = run(&tshark(), &["--version"])?;
    let stdout = text(&output.stdout);
    let version = stdout
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    Some((parts.next()?, parts.next()?))
}

/// The fields of each packet, separated by `|`. Complains about any complaint.
fn fields(file: &TempFile, filter: &str, names: &[&str]) -> Option<Vec<String>> {
    let mut args = vec![
        "-n",
        "-r",
        file.path(),
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-Y",
        filter,
    ];
    args.extend(names.iter().flat_map(|name| ["-e", name]));
    let output = run(&tshark(), &args)?;
    let stderr = text(&output.stderr);
    let harmless = |line: &str| line.is_empty() || line.starts_with("Running as user \"root\"");
    assert!(stderr.lines().all(harmless), "{stderr}");
    assert!(output.status.success());
    Some(text(&output.stdout).lines().map(str::to_owned).collect())
}

#[test]
fn tshark_reads_pcapng() {
    let names = [
        "frame.number",
        "frame.time_epoch",
        "frame.interface_name",
        "udp.dstport",
    ];
    for (link_type, cooked) in [
        (LinkType::ETHERNET, false),
        (LinkType::ETHERNET, true),
        (LinkType::RAW, false),
        (LinkType::RAW, true),
    ] {
        let Some(found) = fields(&pcapng(link_type, cooked), "", &names) else {
            return;
        };
        let expected: Vec<_> = (0..8)
            .map(|n| {
                let device = ["eth0", "lo"][n % 2];
                let (number, secs, port) = (n + 1, 1_700_000_000 + n, 1000 + n);
                format!("{number}|{secs}.123456789|{device}|{port}")
            })
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn tshark_reads_pcap() {
    use {LinkType as L, TimestampPrecision as P};
    for (file, nanos) in [
        (pcap(L::ETHERNET, L::ETHERNET, P::Micro), "123456000"),
        (pcap(L::ETHERNET, L::ETHERNET, P::Nano), "123456789"),
        (pcap(L::LINUX_SLL2, L::ETHERNET, P::Nano), "123456789"),
    ] {
        let Some(found) = fields(&file, "", &["frame.time_epoch", "udp.dstport"]) else {
            return;
        };
        let expected: Vec<_> = (0..8)
            .map(|n| format!("{}.{nanos}|{}", 1_700_000_000 + n, 1000 + n))
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn tshark_shows_comments_and_direction() {
    let names = ["frame.comment", "frame.packet_flags_direction"];
    let Some(found) = fields(&pcapng(LinkType::ETHERNET, false), "frame.comment", &names) else {
        return;
    };
    let directions: Vec<_> = found
        .iter()
        .filter_map(|line| line.rsplit('|').next())
        .collect();
    assert!(found[0].starts_with("curl.4321 > nginx.812|"), "{found:?}");
    assert!(found[2].starts_with("> nginx.812|"), "{found:?}");
    assert_eq!(found.len(), 4, "{found:?}");
    assert_eq!(directions.len(), 4);
}

#[test]
fn tshark_4_6_shows_and_filters_processes() {
    match tshark_version() {
        None => return,
        Some(version) if version < (4, 6) => {
            println!("skipped: tshark {version:?} is older than 4.6; PKTWHO_TSHARK names another");
            return;
        }
        Some(_) => {}
    }
    let file = pcapng(LinkType::ETHERNET, false);
    let names = [
        "frame.number",
        "frame.darwin.process_info.pname",
        "frame.darwin.process_info.pid",
    ];
    let found = fields(&file, "", &names).unwrap();
    let odd = format!("a > b\u{1b}{}", char::REPLACEMENT_CHARACTER);
    let shown: Vec<_> = found
        .iter()
        .map(|line| line.split('|').nth(2).unwrap())
        .collect();
    assert_eq!(
        shown,
        ["4321", "812", "4321", "812", "812", "5", "", "5"],
        "{odd}"
    );
    assert!(
        found[0].contains("|curl|") && found[4].contains("|nginx|"),
        "{found:?}"
    );
    let only = fields(
        &file,
        "frame.darwin.process_info.pname == \"curl\"",
        &["frame.number"],
    );
    assert_eq!(only.unwrap(), ["1", "3"]);
    let only = fields(
        &file,
        "frame.darwin.process_info.pid == 812",
        &["frame.number"],
    );
    assert_eq!(only.unwrap(), ["2", "4", "5"]);
}

/// editcap and mergecap pass a file on: the packets with their times and comments.
#[test]
fn editcap_and_mergecap_pass_it() {
    let file = pcapng(LinkType::ETHERNET, false);
    let names = ["frame.time_epoch", "udp.dstport", "frame.comment"];
    let Some(expected) = fields(&file, "", &names) else {
        return;
    };
    let passed = TempFile::new("passed", &[]);
    let Some(output) = run("editcap", &[file.path(), passed.path()]) else {
        return;
    };
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    assert_eq!(fields(&passed, "", &names).unwrap(), expected);
    let output = run("mergecap", &["-w", passed.path(), file.path(), file.path()]).unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        fields(&passed, "", &names).unwrap().len(),
        2 * expected.len()
    );
}
