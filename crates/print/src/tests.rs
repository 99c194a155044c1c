//! What the printers have in common: owners around the line, no panic whatever the bytes.
//!
//! `check` is for every protocol's own tests too.

use std::sync::Arc;

use pktwho_packet::{
    Confidence, Container, Direction, Iface, LinkType, Owner, Packet, Pod, Process, ProcessId,
    Reception, ThreadName, Timestamp,
};
use proptest::prelude::*;

use crate::{Context, Dump, NoNames, Printer, Style, TimeStyle};

/// Hexadecimal digits; blanks and newlines between them do not count.
pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|char| char.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap())
        .collect()
}

/// A style of tests: no time, no names, so many `-v`.
pub(crate) fn style(verbose: u8) -> Style {
    Style {
        verbose,
        numeric: true,
        time: TimeStyle::None,
        ..Style::default()
    }
}

/// The text of `data`, of which `cut` bytes were lost by the capture.
pub(crate) fn text(link_type: LinkType, data: &[u8], cut: u32, style: Style) -> String {
    let iface = Iface {
        link_type,
        ..Iface::default()
    };
    let packet = Packet {
        orig_len: u32::try_from(data.len()).unwrap() + cut,
        ..packet(&iface, data)
    };
    print(&packet, style)
}

/// A packet in hexadecimal and its text.
pub(crate) fn check(link_type: LinkType, hex: &str, style: Style, expected: &str) {
    assert_eq!(text(link_type, &bytes(hex), 0, style), expected, "{hex}");
}

fn print(packet: &Packet<'_>, style: Style) -> String {
    let mut out = Vec::new();
    Printer::new(style).packet(packet, &mut NoNames, &mut out);
    String::from_utf8(out).unwrap()
}

pub(crate) fn packet<'a>(iface: &'a Iface, data: &'a [u8]) -> Packet<'a> {
    Packet {
        time: Timestamp {
            secs: 1_600_000_000,
            nanos: 123_456_789,
        },
        iface,
        data,
        orig_len: u32::try_from(data.len()).unwrap(),
        direction: Direction::Unknown,
        reception: Reception::Unspecified,
        sender: None,
        receiver: None,
    }
}

/// UDP from 10.0.0.1 port 1 to 10.0.0.2 port 2, nothing inside.
const UDP: &str = "4500001c0001000040116 6ce0a0000010a000002 000100020008ebd8";

fn process(name: &[u8], pid: u32) -> Process {
    Process {
        id: ProcessId { pid, start: 1 },
        name: name.to_vec(),
        exe: [b"/usr/bin/", name].concat(),
        args: vec![name.to_vec(), b"https://kernel.org".to_vec()],
        uid: Some(1000),
        ..Process::default()
    }
}

fn owner<'a>(process: &'a Process, parent: Option<&'a Process>) -> Owner<'a> {
    Owner {
        process,
        parent,
        tid: process.id.pid,
        thread: ThreadName::new(b"worker"),
        uid: None,
        confidence: Confidence::Exact,
    }
}

/// `check` of the UDP packet on `eth0`, outbound, with owners.
fn check_owned(
    sender: Option<Owner<'_>>,
    receiver: Option<Owner<'_>>,
    style: Style,
    expected: &str,
) {
    let iface = Iface {
        name: "eth0".into(),
        link_type: LinkType::RAW,
        ..Iface::default()
    };
    let data = bytes(UDP);
    let packet = Packet {
        direction: Direction::Out,
        sender,
        receiver,
        ..packet(&iface, &data)
    };
    assert_eq!(print(&packet, style), expected);
}

#[test]
fn a_known_owner_stands_in_the_line() {
    let (curl, bash, nginx) = (
        process(b"curl", 4321),
        process(b"bash", 45198),
        process(b"nginx", 812),
    );
    let sender = owner(&curl, Some(&bash));
    check_owned(
        Some(sender),
        None,
        style(0),
        "eth0 curl.4321 Out IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0, ParentProc [bash.45198]\n",
    );
    check_owned(
        Some(sender),
        Some(owner(&nginx, None)),
        style(0),
        "eth0 curl.4321>nginx.812 Out IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0, ParentProc [bash.45198>]\n",
    );
    check_owned(
        Some(Owner {
            tid: 4400,
            ..sender
        }),
        None,
        style(0),
        "eth0 curl.4321 Out IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0, Thread [worker.4400], ParentProc [bash.45198]\n",
    );
    check_owned(
        Some(sender),
        Some(Owner {
            tid: 814,
            ..owner(&nginx, Some(&bash))
        }),
        style(0),
        "eth0 curl.4321>nginx.812 Out IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0, Thread [>worker.814], ParentProc [bash.45198>bash.45198]\n",
    );
}

#[test]
fn without_owner_or_context_the_line_is_tcpdumps() {
    let line = "IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n";
    check_owned(None, None, style(0), line);
    let curl = process(b"curl", 1);
    let none = Style {
        context: Context::NONE,
        ..style(0)
    };
    check_owned(Some(owner(&curl, None)), None, none, line);
    let iface = Style {
        show_iface: true,
        ..style(0)
    };
    check_owned(None, None, iface, &format!("eth0  Out {line}"));
}

#[test]
fn the_owner_ends_the_first_line_also_when_bytes_follow() {
    let (curl, bash) = (process(b"curl", 4321), process(b"bash", 45198));
    check_owned(
        Some(owner(&curl, Some(&bash))),
        None,
        Style {
            dump: Dump::Hex,
            ..style(0)
        },
        "eth0 curl.4321 Out IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0, ParentProc [bash.45198]\n\
         \t0x0000:  4500 001c 0001 0000 4011 66ce 0a00 0001\n\
         \t0x0010:  0a00 0002 0001 0002 0008 ebd8\n",
    );
}

#[test]
fn verbose_owners_have_lines_of_their_own() {
    let (curl, bash, nginx) = (
        process(b"curl", 4321),
        process(b"bash", 45198),
        process(b"nginx", 812),
    );
    let ip = "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 28)\n    \
              10.0.0.1.1 > 10.0.0.2.2: ";
    check_owned(
        Some(owner(&curl, Some(&bash))),
        None,
        style(1),
        &format!(
            "eth0 Out {ip}UDP, length 0\n    \
             Process (pid 4321, cmd /usr/bin/curl, args curl https://kernel.org)\n    \
             User (uid 1000)\n    \
             ParentProc (pid 45198, cmd /usr/bin/bash, args bash https://kernel.org)\n"
        ),
    );
    check_owned(
        Some(owner(&curl, None)),
        Some(Owner {
            confidence: Confidence::Guess,
            ..owner(&nginx, None)
        }),
        style(2),
        &format!(
            "eth0 Out {ip}[udp sum ok] UDP, length 0\n    \
             Sender: Process (pid 4321, cmd /usr/bin/curl, args curl https://kernel.org)\n    \
             Sender: User (uid 1000)\n    \
             Sender: Confidence (exact)\n    \
             Receiver: Process (pid 812, cmd /usr/bin/nginx, args nginx https://kernel.org)\n    \
             Receiver: User (uid 1000)\n    \
             Receiver: Confidence (guess)\n"
        ),
    );
}

#[test]
fn a_process_cannot_forge_a_field_or_move_the_cursor() {
    let hostile = process(b"a.1 Out IP\x1b[2J\n\xff]>,\\", 7);
    let mut other = process("\u{202e}x".as_bytes(), 8);
    other.args = vec![b"a\nb\t\x07".to_vec()];
    other.args_cut = true;
    other.exe = b"/x, args y".to_vec();
    check_owned(
        Some(owner(&hostile, Some(&other))),
        None,
        style(0),
        "eth0 a.1\\x20Out\\x20IP\\x1b\\x5b2J\\n\\xff\\x5d\\x3e\\x2c\\\\.7 Out IP 10.0.0.1.1 > 10.0.0.2.2: \
         UDP, length 0, ParentProc [\\u{202e}x.8]\n",
    );
    check_owned(
        Some(owner(&other, None)),
        None,
        style(1),
        "eth0 Out IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 28)\n    \
         10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n    \
         Process (pid 8, cmd /x\\x2c args y, args a\\nb\\t\\x07 ...)\n    \
         User (uid 1000)\n",
    );
}

#[test]
fn transports_and_their_marks() {
    check(
        LinkType::RAW,
        UDP,
        style(0),
        "IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
    );
    // A SYN with all of a handshake's options; 2 bytes of the header lost.
    let syn = "4500003c1b6840004006 0b4d 0a0000010a000002 da7000503758897e00000000a0027fff1421000 0
               0204400c0402080a4ddc92160000000001030302";
    check(
        LinkType::RAW,
        syn,
        style(0),
        "IP 10.0.0.1.55920 > 10.0.0.2.80: Flags [S], seq 928549246, win 32767, options \
         [mss 16396,sackOK,TS val 1306300950 ecr 0,nop,wscale 2], length 0\n",
    );
    let data = bytes(syn);
    let cut = &data[..data.len() - 2];
    assert_eq!(
        text(LinkType::RAW, cut, 2, style(0)),
        "IP 10.0.0.1.55920 > 10.0.0.2.80: Flags [S], seq 928549246, win 32767, options \
         [mss 16396,sackOK,TS val 1306300950 ecr 0,nop, [|tcp]\n"
    );
}

#[test]
fn dns_names_follow_pointers_back_only() {
    let head =
        "4500003100010000401166b9 0a0000010a000002 03e80035001d0000 000701000001000000000000";
    let line = "IP 10.0.0.1.1000 > 10.0.0.2.53: 7+ A? ";
    for (question, expected) in [
        ("03666f6f00 00010001", "foo. (21)\n"),
        ("c00c 00010001 000000", "<BAD PTR> [|domain]\n"),
        ("c020 00010001 000000", "<BAD PTR> [|domain]\n"),
        ("0261c000 00010001 00", "aM-@. (21)\n"),
    ] {
        check(
            LinkType::RAW,
            &format!("{head} {question}"),
            style(0),
            &format!("{line}{expected}"),
        );
    }
}

#[test]
fn a_packet_of_many_headers_ends() {
    // 3000 times IPv4 in IPv4.
    let header = "4500ffff000000004004 0000 0a0000010a000002";
    let out = text(LinkType::RAW, &bytes(&header.repeat(3000)), 0, style(0));
    assert!(
        out.ends_with(" [nested too deep]\n"),
        "{}",
        &out[out.len() - 80..]
    );
}

#[test]
fn colours_change_no_text() {
    let (curl, bash) = (process(b"curl", 4321), process(b"bash", 45198));
    let color = |verbose| Style {
        color: true,
        ..style(verbose)
    };
    check_owned(
        Some(owner(&curl, Some(&bash))),
        None,
        color(0),
        "eth0 \x1b[1;32mcurl.4321\x1b[0m Out IP \x1b[36m10.0.0.1\x1b[0m.1 > \x1b[36m10.0.0.2\x1b[0m.2: \
         UDP, length 0, ParentProc [bash.45198]\n",
    );
    for &(link, head) in STARTS {
        let data = [bytes(head), vec![7; 60]].concat();
        let plain = text(LinkType(link), &data, 0, style(2));
        let mut coloured = text(LinkType(link), &data, 0, color(2));
        for code in ["\x1b[1;32m", "\x1b[36m", "\x1b[0m"] {
            coloured = coloured.replace(code, "");
        }
        assert_eq!(coloured, plain, "{head}");
    }
}

/// Every style at once would be 2^20: what changes the way through a printer.
fn styles() -> impl Strategy<Value = Style> {
    (0..4_u8, any::<[bool; 5]>(), 0..7_usize).prop_map(|(verbose, flags, dump)| {
        let [quiet, link, absolute_seq, no_checksums, numeric] = flags;
        let dumps = [
            Dump::None,
            Dump::Ascii,
            Dump::AsciiLink,
            Dump::Hex,
            Dump::HexLink,
            Dump::HexAscii,
            Dump::HexAsciiLink,
        ];
        Style {
            verbose,
            quiet,
            link,
            absolute_seq,
            no_checksums,
            numeric,
            dump: dumps[dump],
            ..Style::default()
        }
    })
}

const LINKS: &[u16] = &[
    0, 1, 9, 12, 50, 51, 101, 104, 108, 113, 160, 166, 228, 229, 276, 281, 282, 284, 285, 7, 129,
    192, 226, 239, 242, 258, 271, 107, 182, 105, 114, 119, 127, 132, 133, 135, 136, 137, 163, 164,
    167, 168, 178, 179, 180, 181, 8, 100, 195, 230, 6, 10, 99, 102, 103, 106, 109, 117, 122, 123,
    130, 131, 134, 138, 189, 201, 220, 240, 241,
];

/// Where a header of each protocol starts, so that random bytes get past the first check.
const STARTS: &[(u16, &str)] = &[
    (6, "1040020000000002820000000001"),
    (123, "020000030000000018"),
    (123, "020000050903000001"),
    (130, "4d47438100170101020206"),
    (135, "4d4743010000000000000010"),
    (134, "4d474301540000000000"),
    (1, "02000000000202000000000160030a0002020801040500"),
    (1, "02000000000202000000000160030a0007010400"),
    (1, "020000000002020000000001880800030000000702"),
    (1, "020000000002020000000001889901012379"),
    (
        101,
        "450004000000000040080000 0a0000010a000002 02010001000000640007",
    ),
    (101, "450004000000000040370000 0a0000010a000002 06800000"),
    (
        101,
        "45000400000000004011 0000 0a0000010a000002 06a5 06a5 03ec 0000 c802 03e4 0005 0006 0001 0002",
    ),
    (
        101,
        "45000400000000004011 0000 0a0000010a000002 06a5 06a5 03ec 0000 0202 0005 0006 0000 ff03",
    ),
    (195, "01c8 01"),
    (101, "45000400000000004001 0000 0a0000010a000002"),
    (
        101,
        "45000400000000004006 0000 0a0000010a000002 00500051 00000001000000025 012",
    ),
    (101, "4f000400000000004011 0000 0a0000010a000002"),
    (
        101,
        "45000400000000004011 0000 0a0000010a000002 0035 0035 03c0 0000",
    ),
    (
        101,
        "6000000003c03a40 fe800000000000000000000000000001 fe800000000000000000000000000002",
    ),
    (
        101,
        "6000000003c00040 fe800000000000000000000000000001 fe800000000000000000000000000002",
    ),
    (
        101,
        "6000000003c02b40 fe800000000000000000000000000001 fe800000000000000000000000000002",
    ),
    (
        101,
        "6000000003c08740 fe800000000000000000000000000001 fe800000000000000000000000000002",
    ),
    (101, "45000400000000000102 0000 0a0000010a000002"),
    (101, "45000400000000000109 0000 0a0000010a000002"),
    (101, "45000400000000000158 0000 0a0000010a000002 02"),
    (
        101,
        "4500040000000000012e 0000 0a0000010a000002 1001 0000 01000300",
    ),
    (101, "45000400000000000159 0000 0a0000010a000002 02040100"),
    (101, "45000400000000000159 0000 0a0000010a000002 03040100"),
    (
        101,
        "45000400000000000171 0000 0a0000010a000002 0001000204010000010203040506",
    ),
    (
        101,
        "45000400000000000184 0000 0a0000010a000002 000100020000000000000000",
    ),
    (101, "45000400000000000167 0000 0a0000010a000002 21"),
    (101, "45000400000000000170 0000 0a0000010a000002 21"),
    (
        101,
        "45000400000000004011 0000 0a0000010a000002 03e8 0208 03c0 0000 02",
    ),
    (
        101,
        "45000400000000004011 0000 0a0000010a000002 03e8 0209 03c0 0000 01",
    ),
    (
        101,
        "45000400000000004011 0000 0a0000010a000002 03e8 07c1 03c0 0000 00",
    ),
    (
        101,
        "45000400000000004011 0000 0a0000010a000002 03e8 0ec8 03c0 0000 20",
    ),
    (
        101,
        "45000400000000004006 0000 0a0000010a000002 00b303e8 00000001 00000002 50100000 00000000
         ffffffffffffffffffffffffffffffff 0100",
    ),
    (
        101,
        "45000400000000004006 0000 0a0000010a000002 027f03e8 00000001 00000002 50100000 00000000",
    ),
    (
        101,
        "45000400000000004006 0000 0a0000010a000002 014303e8 00000001 00000002 50100000 00000000 00",
    ),
    (
        101,
        "45000400000000000136 0000 0a0000010a000002 00010800 00000000 00ff0000 00000000 0100 0400",
    ),
    (1, "020000000002020000000001 8847"),
    (1, "020000000002020000000001 fefe03"),
    (1, "020000000002020000000001 fefe03 831b010012010000"),
    (
        1,
        "020000000002020000000001 fefe03 831b010012010000 00400400 010203040506 0000 00000001 0000 03",
    ),
    (1, "020000000002020000000001 0806"),
    (1, "020000000002020000000001 8100 0005"),
    (1, "020000000002020000000001 0100"),
    (1, "020000000002020000000001 0100 424203 0000"),
    (1, "020000000002020000000001 0100 424203 0000 0302"),
    (1, "020000000002020000000001 0100 424203 0000 0402"),
    (
        1,
        "020000000002020000000001 0100 aaaa03 00000c 2000 02b4 0000",
    ),
    (
        1,
        "020000000002020000000001 0100 aaaa03 00000c 2003 0102 0108",
    ),
    (1, "020000000002020000000001 0100 aaaa03 00000c 2004 01"),
    (1, "020000000002020000000001 0100 aaaa03 00000c 0111 2100"),
    (1, "020000000002020000000001 0100 aaaa03 0080c2 0007 0000"),
    (1, "020000000002020000000001 8809 01"),
    (1, "020000000002020000000001 8809 02"),
    (1, "020000000002020000000001 8809 03 0050"),
    (1, "020000000002020000000001 8863 1109 0000"),
    (1, "020000000002020000000001 8864 1100 0001 0100"),
    (1, "020000000002020000000001 888e 0100 0100"),
    (1, "020000000002020000000001 88a2 1000"),
    (1, "020000000002020000000001 88e5 2000"),
    (1, "020000000002020000000001 9000 0000 0200"),
    (1, "020000000002020000000001 d28b 0001 0010"),
    (1, "020000000002020000000001 894f 0006 0201"),
    (1, "020000000002020000000001 886f"),
    (9, "ff03 c021 01"),
    (9, "ff03 8021 01"),
    (9, "ff03 8057 01"),
    (9, "ff03 80fd 01"),
    (9, "ff03 c02b 01"),
    (9, "ff03 c023 01"),
    (9, "ff03 c223 01"),
    (9, "ff03 c227 01"),
    (9, "ff03 7e7d"),
    (104, "0f00 8035 000000"),
    (284, "020000000002020000000001 c0000000 0800"),
    (281, "020000000002020000000001 20000001 0800"),
    (101, "45000400000000004 02f 0000 0a0000010a000002 4000 0800"),
    (
        101,
        "45000400000000004 02f 0000 0a0000010a000002 1000 88be 00000000 10",
    ),
    (101, "45000400000000004 02f 0000 0a0000010a000002 3081 880b"),
    (
        101,
        "45000400000000004 02f 0000 0a0000010a000002 1000 22eb 00000000 20",
    ),
    (
        101,
        "450004000000000040 11 0000 0a0000010a000002 12b5 12b5 03c0 0000",
    ),
    (
        101,
        "450004000000000040 11 0000 0a0000010a000002 12b6 12b6 03c0 0000",
    ),
    (
        101,
        "450004000000000040 11 0000 0a0000010a000002 2118 2118 03c0 0000",
    ),
    (
        101,
        "450004000000000040 11 0000 0a0000010a000002 17c1 17c1 03c0 0000",
    ),
    (
        101,
        "45000400000000004006 0000 0a0000010a000002 06bb 06bb 00000001000000025 018 ffff0000 0000 0100 0001 1a2b3c4d 00",
    ),
    (1, "020000000002020000000001 88cc 0204 04020000 0406"),
    (1, "020000000002020000000001 88cc 0e04"),
    (1, "020000000002020000000001 88cc 100c 0501"),
    (1, "020000000002020000000001 88cc fe19 0080c2"),
    (1, "020000000002020000000001 88cc fe0d 00120f"),
    (1, "020000000002020000000001 88cc fe12 0012bb03"),
    (1, "020000000002020000000001 88cc fe1b 001b2102 0411"),
    (1, "020000000002020000000001 88cc fe1b 00005e01"),
    (1, "020000000002020000000001 8947 0050"),
    (1, "020000000002020000000001 8947 0151"),
    (1, "020000000002020000000001 1111"),
    (1, "020000000002020000000001 88f7 0b02"),
    (
        271,
        "0300000000000000020000000000000000040000d2040000 0100 0200 2c00 0000",
    ),
    (7, "0102d4"),
    (129, "010200 00d4"),
    (192, "00000800 01000000"),
    (239, "0200 0001"),
    (258, "6c000000 01000000 01000000"),
    (226, "0102"),
    (
        101,
        "450004000000000040110000 0a0000010a000002 0635 0635 03c0 0000 0101 0004 00000001",
    ),
    (
        101,
        "450004000000000040110000 0a0000010a000002 013f 013f 03c0 0000 0002",
    ),
    (107, "1871 03"),
    (107, "1871 0308 0000"),
    (182, "e000 01 0304"),
    (182, "c000 1871 03"),
    (107, "1871 0380 00000c 2003 0202"),
    (
        101,
        "45000400000000004021 0000 0a0000010a000002 03e807d0 0810 0000 09 000000000102",
    ),
    (1, "020000000002020000000001 809b 0428"),
    (1, "020000000002020000000001 80f3 0001809b 0604"),
    (1, "020000000002020000000001 8137 ffff 0040"),
    (1, "020000000002020000000001 88ca 4a600018"),
    (1, "020000000002020000000001 8902 20010546"),
    (105, "8000 3000"),
    (105, "0802 3000"),
    (127, "00000f00 0f000000"),
    (127, "00002000 ffffffff 00000008"),
    (
        101,
        "45000400000000004006 0000 0a0000010a000002 19fd03e8 00000001 00000002 50100000 00000000 01",
    ),
    (
        101,
        "45000400000000004006 0000 0a0000010a000002 19fd03e8 00000001 00000002 50100000 00000000 04",
    ),
    (178, "4d474380 000c"),
    (132, "4d474301"),
    (8, "0085"),
    (100, "fefe03"),
    (
        101,
        "450004000000000040110000 0a0000010a000002 02bd 02bd 03c0 0000 10000004 0300",
    ),
    (
        101,
        "450004000000000040110000 0a0000010a000002 0399 0399 03c0 0000 00000300 0000",
    ),
];

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_flood(
        style in styles(),
        link in 0..LINKS.len(),
        data in proptest::collection::vec(any::<u8>(), 0..400),
        lost in 0..100_u32,
    ) {
        let out = text(LinkType(LINKS[link]), &data, lost, style);
        prop_assert!(out.len() < 20_000 + 100 * data.len(), "{} bytes", out.len());
        prop_assert!(out.ends_with('\n'));
    }

    #[test]
    fn nor_do_bytes_after_a_right_start(
        style in styles(),
        start in 0..STARTS.len(),
        rest in proptest::collection::vec(any::<u8>(), 0..600),
        small in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let (link, head) = STARTS[start];
        let mut data = bytes(head);
        // Small numbers are likelier to be types and lengths that lead further.
        data.extend(rest.iter().map(|&byte| if small { byte % 24 } else { byte }));
        let kept = cut.index(data.len() + 1);
        let lost = u32::try_from(data.len() - kept).unwrap();
        let out = text(LinkType(link), &data[..kept], lost, style);
        prop_assert!(out.len() < 50_000 + 400 * data.len(), "{} bytes", out.len());
    }

    #[test]
    fn nor_do_bytes_to_a_known_port(
        style in styles(),
        udp in any::<bool>(),
        entry in any::<prop::sample::Index>(),
        either in any::<bool>(),
        rest in proptest::collection::vec(any::<u8>(), 0..600),
        small in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let ports = if udp { crate::port::udp_ports() } else { crate::port::tcp_ports() };
        let port = ports[entry.index(ports.len())].to_be_bytes();
        let other = [0x80, 0x01];
        let ends = if either { [port, other] } else { [other, port] }.concat();
        let mut data = bytes(if udp {
            "45000400000000004011 0000 0a0000010a000002"
        } else {
            "45000400000000004006 0000 0a0000010a000002"
        });
        data.extend(ends);
        data.extend(bytes(if udp { "03c0 0000" } else { "00000001 00000002 5018 0000 0000 0000" }));
        data.extend(rest.iter().map(|&byte| if small { byte % 24 } else { byte }));
        let kept = cut.index(data.len() + 1);
        let lost = u32::try_from(data.len() - kept).unwrap();
        let out = text(LinkType::RAW, &data[..kept], lost, style);
        prop_assert!(out.len() < 50_000 + 400 * data.len(), "{} bytes", out.len());
    }
}

#[test]
fn containers_and_pods_stand_behind_the_line() {
    let label = |key: &str, value: &str| (key.into(), value.into());
    let web = Container {
        id: b"0123456789abcdef".repeat(4),
        name: b"web".into(),
        image: b"docker.io/library/nginx:1".into(),
        labels: vec![label("a", "1\n\"\u{202e}"), label("b", "")],
        pod: Some(Pod {
            name: b"api".into(),
            namespace: b"prod".into(),
            uid: b"u-1".into(),
            labels: vec![label("app", "web")],
            annotations: Vec::new(),
        }),
        runtime: b"cri".into(),
    };
    let nameless = Container {
        name: Vec::new(),
        pod: None,
        ..web.clone()
    };
    let within = |name: &[u8], pid, container| Process {
        container: Some(Arc::new(container)),
        ..process(name, pid)
    };
    let (curl, nginx) = (within(b"curl", 7, web), within(b"nginx", 8, nameless));
    let outside = process(b"sshd", 9);
    let ip = "IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0";
    check_owned(
        Some(owner(&curl, None)),
        None,
        style(0),
        &format!("eth0 curl.7 Out {ip}, Container [web], Pod [api.prod]\n"),
    );
    check_owned(
        Some(owner(&curl, None)),
        Some(owner(&nginx, None)),
        style(0),
        &format!("eth0 curl.7>nginx.8 Out {ip}, Container [web>0123456789ab], Pod [api.prod>]\n"),
    );
    let alone = Context {
        container: true,
        ..Context::NONE
    };
    let alone = Style {
        context: alone,
        ..style(0)
    };
    check_owned(
        Some(owner(&outside, None)),
        Some(owner(&nginx, None)),
        alone.clone(),
        &format!("eth0 Out {ip}, Container [>0123456789ab]\n"),
    );
    check_owned(Some(owner(&outside, None)), None, alone, &format!("{ip}\n"));
    let id = "0123456789abcdef".repeat(4);
    let verbose = Style {
        context: Context {
            container: true,
            pod: true,
            ..Context::NONE
        },
        ..style(1)
    };
    check_owned(
        Some(owner(&curl, None)),
        None,
        verbose,
        &format!(
            "eth0 Out IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 28)\n    \
             10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n    \
             Container (name web, id {id}, image docker.io/library/nginx:1, labels \
             {{\"a\":\"1\\n\\\"\\u202e\",\"b\":\"\"}})\n    \
             Pod (name api, namespace prod, UID u-1, labels {{\"app\":\"web\"}}, annotations {{}})\n"
        ),
    );
}
