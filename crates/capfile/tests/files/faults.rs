//! Damaged files: every packet up to the fault, then libpcap's words for it. The same files go
//! through the installed tcpdump, whose answer must be the same.

use pktwho_capfile::{Error, Reader};

use crate::support::Order::{Big, Little};
use crate::support::*;

/// A damaged file, how many packets it gives, and the words of the fault (`""`: none).
struct Case {
    name: &'static str,
    file: Vec<u8>,
    packets: usize,
    fault: &'static str,
    /// Why tcpdump says something else, if it does.
    differs: Option<&'static str>,
}

fn case(name: &'static str, parts: &[&[u8]], packets: usize, fault: &'static str) -> Case {
    Case {
        name,
        file: parts.concat(),
        packets,
        fault,
        differs: None,
    }
}

fn classic_cases() -> Vec<Case> {
    let head = &header(Little, MICRO, (2, 4), 65535, 1)[..];
    let snap = |snaplen| header(Little, MICRO, (2, 4), snaplen, 1);
    let version = |major, minor| header(Little, MICRO, (major, minor), 65535, 1);
    let good = &record(Little, (1, 1), (60, 60), &[0; 60])[..];
    let claims = |captured| record(Little, (1, 1), (captured, captured), &[0; 300]);
    vec![
        case(
            "empty",
            &[],
            0,
            "truncated dump file; tried to read 4 file header bytes, only got 0",
        ),
        case(
            "three bytes",
            &[b"abc"],
            0,
            "truncated dump file; tried to read 4 file header bytes, only got 3",
        ),
        case(
            "garbage",
            &[b"garbage in, garbage out"],
            0,
            "unknown file format",
        ),
        case(
            "short header",
            &[&head[..8]],
            0,
            "truncated dump file; tried to read 24 file header bytes, only got 4",
        ),
        case("no packets", &[head], 0, ""),
        case(
            "version 1",
            &[&version(1, 0)],
            0,
            "archaic pcap savefile format",
        ),
        case(
            "version 3",
            &[&version(3, 4)],
            0,
            "unsupported pcap savefile version 3.4",
        ),
        case(
            "version 2.5",
            &[&version(2, 5)],
            0,
            "unsupported pcap savefile version 2.5",
        ),
        case(
            "cut header",
            &[head, good, &good[..7]],
            1,
            "truncated dump file; tried to read 16 header bytes, only got 7",
        ),
        case(
            "cut packet",
            &[head, good, &good[..22]],
            1,
            "truncated dump file; tried to read 60 captured bytes, only got 6",
        ),
        case("beyond snaplen", &[&snap(100), &claims(300), good], 2, ""),
        case(
            "beyond snaplen, cut",
            &[&snap(100), &claims(300)[..50]],
            0,
            "truncated dump file; tried to read 100 captured bytes, only got 34",
        ),
        case(
            "huge",
            &[head, good, &claims(0x2000_0000)],
            1,
            "invalid packet capture length 536870912, bigger than snaplen of 65535",
        ),
        case(
            "huge without snaplen",
            &[&snap(0), &claims(262_145)],
            0,
            "invalid packet capture length 262145, bigger than snaplen of 262144",
        ),
        case(
            "huge with a huge snaplen",
            &[&snap(1_000_000), &claims(262_145)],
            0,
            "invalid packet capture length 262145, bigger than maximum of 262144",
        ),
    ]
}

fn section_cases() -> Vec<Case> {
    let shb = &section(Little)[..];
    let idb = &interface(Little, 1, 65535, &[])[..];
    let epb = &packet(Little, 0, 1, &[])[..];
    let with = |options: &[u8]| interface(Little, 1, 65535, options);
    let mut bad_magic = shb.to_vec();
    bad_magic[8] ^= 1;
    let short_section = block_of_length(Little, 0x0a0d_0d0a, &shb[8..20], 24, 24);
    vec![
        case("type alone", &[&shb[..4]], 0, "unknown file format"),
        case("no byte order", &[&shb[..10]], 0, "unknown file format"),
        case(
            "bad byte order",
            &[&bad_magic, idb, epb],
            0,
            "unknown file format",
        ),
        case(
            "cut section",
            &[&shb[..20]],
            0,
            "truncated pcapng dump file; tried to read 16 bytes, only got 8",
        ),
        case(
            "section alone",
            &[shb],
            0,
            "the capture file has no Interface Description Blocks",
        ),
        case("no packets", &[shb, idb], 0, ""),
        case(
            "short section",
            &[&short_section],
            0,
            "Section Header Block in pcapng dump file has invalid length 28 < _24_ < 1048576 (BT_SHB_INSANE_MAX)",
        ),
        case(
            "version 2.0",
            &[&section_version(Little, 2, 0), idb, epb],
            0,
            "unsupported pcapng savefile version 2.0",
        ),
        case(
            "version 1.1",
            &[&section_version(Little, 1, 1), idb, epb],
            0,
            "unsupported pcapng savefile version 1.1",
        ),
        case(
            "version 1.2",
            &[&section_version(Little, 1, 2), idb, epb],
            1,
            "",
        ),
        case(
            "bad second section",
            &[shb, idb, epb, &bad_magic],
            1,
            "the file has a section with a bad byte order magic field",
        ),
        case(
            "no interface",
            &[shb, epb],
            0,
            "the capture file has a packet block before any Interface Description Blocks",
        ),
        case(
            "resolution",
            &[shb, &with(&option(Little, 9, &[20])), epb],
            0,
            "Interface Description Block if_tsresol option resolution 10^-20 is too high",
        ),
        case(
            "binary resolution",
            &[shb, &with(&option(Little, 9, &[0xc0])), epb],
            0,
            "Interface Description Block if_tsresol option resolution 2^-64 is too high",
        ),
        case(
            "long resolution",
            &[shb, &with(&option(Little, 9, &[6, 0])), epb],
            0,
            "Interface Description Block has if_tsresol option with length 2 != 1",
        ),
        case(
            "short offset",
            &[shb, &with(&option(Little, 14, &[0; 4])), epb],
            0,
            "Interface Description Block has if_tsoffset option with length 4 != 8",
        ),
        case(
            "option beyond interface",
            &[shb, &with(&[2, 0, 0xff, 0, 0, 0, 0, 0]), epb],
            0,
            "block of type 1 in pcapng dump file is too short",
        ),
    ]
}

fn block_cases() -> Vec<Case> {
    let start = &[section(Little), interface(Little, 1, 65535, &[])].concat()[..];
    let epb = &packet(Little, 0, 1, &[])[..];
    let lengths = |first, last| block_of_length(Little, 6, &epb[8..epb.len() - 4], first, last);
    let simple = |claims: u32| block(Little, 3, &[&claims.to_le_bytes()[..], &[0; 60]].concat());
    let small = &[section(Little), interface(Little, 1, 20, &[])].concat()[..];
    vec![
        case(
            "cut block header",
            &[start, epb, &epb[..5]],
            1,
            "truncated pcapng dump file; tried to read 8 bytes, only got 5",
        ),
        case(
            "cut block",
            &[start, epb, &epb[..40]],
            1,
            "truncated pcapng dump file; tried to read 84 bytes, only got 32",
        ),
        case(
            "cut trailer",
            &[start, epb, &epb[..90]],
            1,
            "truncated pcapng dump file; tried to read 84 bytes, only got 82",
        ),
        case(
            "unknown interface",
            &[start, epb, &packet(Little, 3, 1, &[])],
            1,
            "a packet arrived on interface 3, but there's no Interface Description Block for that interface",
        ),
        case(
            "trailer",
            &[start, &lengths(92, 100)],
            0,
            "block total length in header and trailer don't match",
        ),
        case(
            "long block",
            &[start, &lengths(0x0100_0004, 92)],
            0,
            "pcapng block size 16777220 > maximum 16777216",
        ),
        case(
            "odd block",
            &[start, &lengths(93, 93)],
            0,
            "block in pcapng dump file has a length of 93 that is not a multiple of 4",
        ),
        case(
            "short block",
            &[start, &lengths(8, 8)],
            0,
            "block in pcapng dump file has a length of 8 < 12",
        ),
        case(
            "short packet block",
            &[start, &block(Little, 6, &[0; 12])],
            0,
            "block of type 6 in pcapng dump file is too short",
        ),
        case(
            "packet beyond block",
            &[start, &packet_of_length(Little, 0, 1, 400, &[])],
            0,
            "block of type 6 in pcapng dump file is too short",
        ),
        case(
            "packet beyond snaplen",
            &[small, &packet(Little, 0, 1, &[])],
            0,
            "invalid packet capture length 60, bigger than snaplen of 20",
        ),
        case("simple packet", &[start, &simple(60)], 1, ""),
        case("simple packet, cut", &[small, &simple(60)], 1, ""),
        case(
            "short simple packet",
            &[start, &simple(400)],
            0,
            "block of type 3 in pcapng dump file is too short",
        ),
        case(
            "option beyond packet",
            &[start, &packet(Little, 0, 1, &[2, 0, 0xff, 0, 0, 0, 0, 0])],
            1,
            "",
        ),
        case(
            "unknown block",
            &[start, &block(Little, 0x7777, &[1; 21]), epb],
            1,
            "",
        ),
    ]
}

/// Files that we read and libpcap does not.
fn foreign_cases() -> Vec<Case> {
    let start = &[section(Little), interface(Little, 1, 65535, &[])].concat()[..];
    let epb = &packet(Little, 0, 1, &[])[..];
    let mut cases = Vec::new();
    let other = [interface(Little, 101, 100, &[]), packet(Little, 1, 1, &[])].concat();
    cases.push(Case {
        differs: Some("libpcap reads only devices of one link type and snapshot length"),
        ..case("two link types", &[start, epb, &other], 2, "")
    });
    let big = [
        section(Big),
        interface(Big, 1, 65535, &[]),
        packet(Big, 0, 1, &[]),
    ]
    .concat();
    cases.push(Case {
        differs: Some("libpcap reads only sections of one byte order"),
        ..case("two byte orders", &[start, epb, &big], 2, "")
    });
    cases
}

fn cases() -> Vec<Case> {
    [
        classic_cases(),
        section_cases(),
        block_cases(),
        foreign_cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn packets_up_to_the_fault_then_the_fault() {
    for Case {
        name,
        file,
        packets,
        fault,
        ..
    } in cases()
    {
        let (count, result) = drain(&file[..]);
        let words = result
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert_eq!((count, words.as_str()), (packets, fault), "{name}");
    }
}

#[test]
fn tcpdump_says_the_same() {
    for Case {
        name,
        file,
        packets,
        fault,
        differs,
    } in cases()
    {
        if let Some(reason) = differs {
            println!("not compared: {name}: {reason}");
            continue;
        }
        let file = TempFile::new("fault.pcap", &file);
        let Some(output) = run("tcpdump", &["-nn", "-t", "-r", file.path()]) else {
            return;
        };
        let stderr = text(&output.stderr);
        let words = stderr
            .lines()
            .find_map(|line| line.strip_prefix("tcpdump: "));
        let words = words.map_or("", |line| line.strip_prefix("pcap_loop: ").unwrap_or(line));
        let count = text(&output.stdout).lines().count();
        assert_eq!((count, words), (packets, fault), "{name}");
    }
}

/// A stream that fails after its bytes.
struct Failing<'a>(&'a [u8]);

impl std::io::Read for Failing<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(to)? {
            0 => Err(std::io::ErrorKind::ConnectionReset.into()),
            read => Ok(read),
        }
    }
}

/// A stream that has nothing before each of its bytes.
struct Reluctant<'a>(&'a [u8], bool);

impl std::io::Read for Reluctant<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        self.0.read(&mut to[..1])
    }
}

#[test]
fn a_read_that_would_block_loses_nothing() {
    let classic = header(Little, MICRO, (2, 4), 65535, 1);
    let one = record(Little, (1, 1), (60, 60), &[0; 60]);
    let blocks = [section(Little), interface(Little, 1, 0, &[])].concat();
    let two = packet(Little, 0, 1, &[]);
    for (start, packet) in [(classic, one), (blocks, two)] {
        let rest = [&packet[..], &packet].concat();
        let source = std::io::Read::chain(&start[..], Reluctant(&rest, false));
        let mut reader = Reader::new(source).unwrap();
        let (mut packets, mut waits) = (0, 0);
        loop {
            match reader.next() {
                Ok(Some(_)) => packets += 1,
                Ok(None) => break,
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    waits += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!((packets, waits), (2, rest.len() + 1));
    }
}

#[test]
fn a_failing_stream_is_told_as_it_is() {
    let head = header(Little, MICRO, (2, 4), 65535, 1);
    let file = [head, record(Little, (1, 1), (60, 60), &[0; 60])].concat();
    let (count, result) = drain(Failing(&file));
    let Err(Error::Io(error)) = result else {
        panic!("{result:?}");
    };
    assert_eq!(
        (count, error.kind()),
        (1, std::io::ErrorKind::ConnectionReset)
    );
}
