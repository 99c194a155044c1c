//! Well-formed files of every kind: both byte orders, every magic number, block and clock.

use std::io::Read;

use pktwho_capfile::{Counters, Format, Reader};
use pktwho_packet::{Direction, LinkType, Reception, Timestamp, TimestampPrecision};

use crate::support::Order::{Big, Little};
use crate::support::*;

fn time(secs: i64, nanos: u64) -> Timestamp {
    Timestamp { secs, nanos }
}

#[test]
fn classic_magic_numbers() {
    for order in [Little, Big] {
        for (magic, extra, expected) in [
            (MICRO, 0, time(7, 999_999_000)),
            (NANO, 0, time(7, 999_999)),
            (MODIFIED, 8, time(7, 999_999_000)),
        ] {
            let mut one = record(order, (7, 999_999), (4, 9), &vec![0; extra]);
            one.extend_from_slice(b"data");
            let file = [header(order, magic, (2, 4), 100, 101), one.clone(), one].concat();
            let mut reader = Reader::new(&file[..]).unwrap();
            assert_eq!(reader.format(), Format::Pcap);
            assert_eq!(reader.link_type(), LinkType::RAW);
            assert_eq!(reader.snaplen(), if magic == MODIFIED { 114 } else { 100 });
            assert_eq!(
                reader.precision() == TimestampPrecision::Nano,
                magic == NANO
            );
            for _ in 0..2 {
                let packet = reader.next().unwrap().unwrap();
                assert_eq!(
                    (packet.data, packet.orig_len, packet.time),
                    (&b"data"[..], 9, expected)
                );
            }
            assert!(reader.next().unwrap().is_none());
            assert_eq!(reader.offset(), file.len() as u64);
        }
    }
}

#[test]
fn lengths_of_old_versions_are_swapped() {
    for (version, stored) in [
        ((2, 4), (4, 9)),
        ((2, 3), (4, 9)),
        ((2, 3), (9, 4)),
        ((2, 2), (9, 4)),
        ((543, 0), (9, 4)),
    ] {
        let file = [
            header(Little, MICRO, version, 100, 1),
            record(Little, (1, 1), stored, b"data"),
        ]
        .concat();
        let mut reader = Reader::new(&file[..]).unwrap();
        let packet = reader.next().unwrap().unwrap();
        assert_eq!(
            (packet.data.len(), packet.orig_len),
            (4, 9),
            "{version:?} {stored:?}"
        );
    }
}

#[test]
fn oddities_of_classic_files() {
    // A frame check sequence length in the link type's upper bits; more than a second of
    // microseconds; a packet longer than it says it was.
    let head = header(Little, MICRO, (2, 4), 0, 0x1400_0001);
    let file = [head, record(Little, (1, 2_500_000), (4, 2), b"data")].concat();
    let mut reader = Reader::new(&file[..]).unwrap();
    assert_eq!(
        (reader.link_type(), reader.snaplen()),
        (LinkType::ETHERNET, 262_144)
    );
    let packet = reader.next().unwrap().unwrap();
    assert_eq!((packet.time, packet.orig_len), (time(1, 2_500_000_000), 2));
}

#[test]
fn a_packet_beyond_snaplen_is_cut() {
    let file = [
        header(Big, MICRO, (2, 4), 3, 1),
        record(Big, (1, 1), (6, 6), b"abcdef"),
        record(Big, (2, 1), (2, 2), b"gh"),
    ]
    .concat();
    let mut reader = Reader::new(&file[..]).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().data, b"abc");
    assert_eq!(reader.next().unwrap().unwrap().data, b"gh");
}

/// `option`: code, then the resolution, or an offset in little-endian.
fn check_clock(options: &[u8], count: u64, expected: Timestamp) {
    for order in [Little, Big] {
        let options = match options {
            [14, seconds @ ..] => {
                let seconds = u64::from_le_bytes(seconds.try_into().unwrap());
                option(order, 14, &order.u64(seconds))
            }
            [code, resolution] => option(order, u16::from(*code), &[*resolution]),
            _ => Vec::new(),
        };
        let file = [
            section(order),
            interface(order, 1, 0, &options),
            packet(order, 0, count, &[]),
        ]
        .concat();
        let mut reader = Reader::new(&file[..]).unwrap();
        assert_eq!(reader.format(), Format::Pcapng);
        assert_eq!(
            reader.next().unwrap().unwrap().time,
            expected,
            "{options:?}"
        );
    }
}

#[test]
fn clocks() {
    let count = 123_456_789_012_345;
    check_clock(&[], count, time(123_456_789, 12_345_000));
    check_clock(&[9, 6], count, time(123_456_789, 12_345_000));
    check_clock(&[9, 9], count, time(123_456, 789_012_345));
    check_clock(&[9, 0], count, time(123_456_789_012_345, 0));
    check_clock(&[9, 3], count, time(123_456_789_012, 345_000_000));
    check_clock(&[9, 12], count, time(123, 456_789_012));
    check_clock(&[9, 19], count, time(0, 12_345));
    check_clock(&[9, 19], u64::MAX, time(1, 844_674_407));
    check_clock(&[9, 0x80], 5, time(5, 0));
    check_clock(&[9, 0x81], 5, time(2, 500_000_000));
    check_clock(&[9, 0xa0], u64::MAX, time(i64::from(u32::MAX), 999_999_999));
    check_clock(&[9, 0xbf], u64::MAX, time(1, 999_999_999));
    check_clock(&[9, 0], u64::MAX, time(i64::MAX, 0));
    let offset = |secs: i64| [&[14][..], &secs.to_le_bytes()].concat();
    check_clock(&offset(1000), 1, time(1000, 1000));
    check_clock(&offset(-1000), 1, time(-1000, 1000));
    check_clock(&offset(i64::MAX), u64::MAX, time(i64::MAX, 551_615_000));
}

#[test]
fn precision_is_that_of_the_first_device() {
    for (resolution, nano) in [
        (6, false),
        (9, true),
        (3, false),
        (7, true),
        (0x94, false),
        (0x95, true),
    ] {
        let file = [
            section(Little),
            interface(Little, 1, 0, &option(Little, 9, &[resolution])),
        ]
        .concat();
        let reader = Reader::new(&file[..]).unwrap();
        assert_eq!(
            reader.precision() == TimestampPrecision::Nano,
            nano,
            "{resolution:#x}"
        );
    }
}

#[test]
fn devices_of_several_sections() {
    let with_name = |order, name: &str| {
        let options = [
            option(order, 2, name.as_bytes()),
            option(order, 3, b"a device\0junk"),
            option(order, 6, &[2, 0, 0, 0, 0, 1]),
            option(order, 8, &order.u64(10_000_000_000)),
            option(order, 2988, b"anything"),
            order.words(&[0]),
        ];
        interface(order, 1, 96, &options.concat())
    };
    let file = [
        section(Little),
        with_name(Little, "eth0"),
        with_name(Little, "eth1"),
        packet(Little, 1, 1, &[]),
        section(Big),
        with_name(Big, "eth2"),
        packet(Big, 0, 2, &[]),
    ]
    .concat();
    let mut reader = Reader::new(&file[..]).unwrap();
    assert_eq!(reader.ifaces().len(), 1);
    let first = reader.next().unwrap().unwrap();
    assert_eq!(
        (
            first.iface.id,
            first.iface.name.as_str(),
            first.iface.snaplen
        ),
        (1, "eth1", 96)
    );
    let second = reader.next().unwrap().unwrap();
    assert_eq!((second.iface.id, second.iface.name.as_str()), (2, "eth2"));
    assert_eq!(second.iface.description.as_deref(), Some("a device"));
    assert_eq!(second.iface.mac, Some([2, 0, 0, 0, 0, 1]));
    assert_eq!(second.iface.speed, Some(10_000_000_000));
    assert_eq!(reader.ifaces().len(), 3);
}

#[test]
fn flags_tell_direction_and_reception() {
    use {Direction as D, Reception as R};
    for (word, direction, reception) in [
        (0, D::Unknown, R::Unspecified),
        (1 | 1 << 2, D::In, R::Unicast),
        (2 | 2 << 2, D::Out, R::Multicast),
        (3 | 3 << 2, D::Unknown, R::Broadcast),
        (1 | 4 << 2 | 0xffff_ff00, D::In, R::Promiscuous),
        (7 << 2, D::Unknown, R::Unspecified),
    ] {
        for order in [Little, Big] {
            let options = option(order, 2, &order.u32(word));
            let file = [
                section(order),
                interface(order, 1, 0, &[]),
                packet(order, 0, 1, &options),
            ]
            .concat();
            let mut reader = Reader::new(&file[..]).unwrap();
            let packet = reader.next().unwrap().unwrap();
            assert_eq!((packet.direction, packet.reception), (direction, reception));
        }
    }
}

#[test]
fn simple_and_obsolete_packets() {
    for order in [Little, Big] {
        let simple = [&order.u32(100)[..], b"abcdefgh"].concat();
        let obsolete = [
            &order.u16(1)[..],
            &order.u16(3),
            &order.words(&[0, 5_000_000, 5, 50]),
            b"hello",
            &[0; 3],
            &option(order, 2, &order.u32(2)),
        ]
        .concat();
        let file = [
            section(order),
            interface(order, 1, 8, &[]),
            interface(order, 1, 8, &[]),
            block(order, 3, &simple),
            block(order, 2, &obsolete),
        ]
        .concat();
        let mut reader = Reader::new(&file[..]).unwrap();
        let packet = reader.next().unwrap().unwrap();
        assert_eq!(
            (packet.data, packet.orig_len, packet.iface.id),
            (&b"abcdefgh"[..], 100, 0)
        );
        assert_eq!(packet.time, time(0, 0));
        let packet = reader.next().unwrap().unwrap();
        assert_eq!(
            (packet.data, packet.orig_len, packet.iface.id),
            (&b"hello"[..], 50, 1)
        );
        assert_eq!(
            (packet.time, packet.direction),
            (time(5, 0), Direction::Out)
        );
    }
}

#[test]
fn statistics_belong_to_their_device() {
    for order in [Little, Big] {
        let statistics = |id: u32, options: &[Vec<u8>]| {
            block(
                order,
                5,
                &[order.words(&[id, 0, 1]), options.concat()].concat(),
            )
        };
        let file = [
            section(order),
            interface(order, 1, 0, &[]),
            interface(order, 1, 0, &option(order, 9, &[9])),
            statistics(
                1,
                &[
                    option(order, 2, &order.words(&[0, 1_500_000_000])),
                    option(order, 3, &order.words(&[0, 2_500_000_000])),
                    option(order, 4, &order.u64(100)),
                    option(order, 5, &order.u64(7)),
                    option(order, 7, &order.u64(u64::MAX)),
                ],
            ),
            statistics(9, &[option(order, 5, &order.u64(7))]),
            block(order, 5, &[]),
        ]
        .concat();
        let mut reader = Reader::new(&file[..]).unwrap();
        assert_eq!(reader.losses(), None);
        assert!(reader.next().unwrap().is_none());
        let counters = reader.counters()[1];
        assert_eq!(counters.start, Some(time(1, 500_000_000)));
        assert_eq!(counters.end, Some(time(2, 500_000_000)));
        assert_eq!((counters.received, counters.dropped), (Some(100), Some(7)));
        assert_eq!(reader.losses(), Some(u64::MAX));
        assert_eq!(reader.counters()[0], Counters::default());
    }
}

/// Gives one byte at a time, as the slowest pipe would.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let len = to.len().min(1);
        self.0.read(&mut to[..len])
    }
}

#[test]
fn a_packet_is_given_as_soon_as_it_is_there() {
    let file = [
        section(Little),
        interface(Little, 1, 0, &[]),
        packet(Little, 0, 1, &[]),
    ]
    .concat();
    let rest = b"\0\0\0";
    let whole = [&file[..], rest].concat();
    let mut source = Trickle(&whole);
    let mut reader = Reader::new(&mut source).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().data.len(), 60);
    drop(reader);
    assert_eq!(source.0, rest, "nothing was read beyond the packet");
}

#[test]
fn records_larger_than_the_buffer() {
    let data: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let len = len32(&data);
    let one = record(Little, (1, 1), (len, len), &data);
    let file = [header(Little, MICRO, (2, 4), 0, 1), one.clone(), one].concat();
    let mut reader = Reader::new(&file[..]).unwrap();
    for _ in 0..2 {
        assert_eq!(reader.next().unwrap().unwrap().data, data);
    }
    assert!(reader.next().unwrap().is_none());
}

#[test]
fn processes_of_apples_files() {
    // One without a name, one whose block is cut, one effective process.
    let process = |pid: u32, options: &[u8]| {
        block(
            Little,
            0x8000_0001,
            &[&pid.to_le_bytes()[..], options].concat(),
        )
    };
    let named = |pid, name: &[u8]| process(pid, &option(Little, 2, name));
    let index = |near: u32, far: Option<u32>| {
        let far = far.map(|far| option(Little, 0x8003, &far.to_le_bytes()));
        let near = option(Little, 0x8001, &near.to_le_bytes());
        packet(Little, 0, 1, &[near, far.unwrap_or_default()].concat())
    };
    let start = [section(Little), interface(Little, 1, 0, &[])].concat();
    let file = [
        start.clone(),
        named(10, b"curl"),
        process(11, &[]),
        block(Little, 0x8000_0001, &[]),
        named(
            12,
            &[b"sshd\0junk", &option(Little, 4, &[7; 16])[..]].concat(),
        ),
        index(0, Some(3)),
        index(1, None),
        index(2, None),
        index(3, None),
        index(4, None),
        start,
        named(13, b"second section"),
        index(0, None),
        index(3, None),
    ]
    .concat();
    let mut reader = Reader::new(&file[..]).unwrap();
    let mut found = Vec::new();
    while let Some(packet) = reader.next().unwrap() {
        assert!(
            packet.receiver.is_none(),
            "the effective process is no receiver"
        );
        found.push(
            packet
                .owner()
                .map(|owner| (owner.process.id.pid, text(&owner.process.name))),
        );
    }
    let some = |pid, name: &str| Some((pid, name.to_owned()));
    assert_eq!(
        found,
        [
            some(10, "curl"),
            some(11, ""),
            None,
            some(12, "sshd"),
            None,
            some(13, "second section"),
            None,
        ]
    );
}

/// The owner that a packet gets by these process blocks, each with a pid, a name and a comment.
fn check_comments(blocks: &[(u32, &str, &str)], index: u32, expected: Option<(u32, &str, &str)>) {
    for order in [Little, Big] {
        let mut file = [section(order), interface(order, 1, 0, &[])].concat();
        for (pid, name, comment) in blocks {
            let options = [
                option(order, 2, name.as_bytes()),
                option(order, 1, comment.as_bytes()),
            ];
            let body = [&order.u32(*pid)[..], &options.concat()].concat();
            file.extend(block(order, 0x8000_0001, &body));
        }
        file.extend(packet(
            order,
            0,
            1,
            &option(order, 0x8001, &order.u32(index)),
        ));
        let mut reader = Reader::new(&file[..]).unwrap();
        let packet = reader.next().unwrap().unwrap();
        let found = packet.owner().map(|owner| {
            (
                owner.process.id.pid,
                text(&owner.process.name),
                text(owner.thread.as_bytes()),
            )
        });
        let expected = expected.map(|(pid, name, thread)| (pid, name.into(), thread.into()));
        assert_eq!(found, expected, "{blocks:?}");
    }
}

#[test]
fn comments_of_process_blocks() {
    let full = r#"{"pid":7,"name":"json","thread":"t"}"#;
    check_comments(&[(7, "option", full)], 0, Some((7, "json", "t")));
    // Of another process, damaged, or somebody's words: the name option counts.
    check_comments(&[(8, "option", full)], 0, Some((8, "option", "")));
    check_comments(
        &[(7, "option", r#"{"pid":7,"name":"#)],
        0,
        Some((7, "option", "")),
    );
    check_comments(
        &[(7, "option", r#"{"pid":7} and more"#)],
        0,
        Some((7, "option", "")),
    );
    check_comments(
        &[(7, "option", "a nice process")],
        0,
        Some((7, "option", "")),
    );
    check_comments(
        &[(7, "a", r#"{"pid":7,"confidence":"sure"}"#)],
        0,
        Some((7, "a", "")),
    );
    // Further blocks of a process, and references to none, to itself, and to another process.
    let of = |first: u32| format!(r#"{{"pid":7,"of":{first},"thread":"u"}}"#);
    check_comments(
        &[(7, "option", full), (7, "b", &of(0))],
        1,
        Some((7, "json", "u")),
    );
    check_comments(
        &[(7, "option", full), (7, "b", &of(9))],
        1,
        Some((7, "b", "")),
    );
    check_comments(
        &[(7, "option", full), (7, "b", &of(1))],
        1,
        Some((7, "b", "")),
    );
    check_comments(
        &[(8, "option", ""), (7, "b", &of(0))],
        1,
        Some((7, "b", "")),
    );
    check_comments(&[(7, "option", full)], 1, None);
}

#[test]
fn a_packet_may_give_its_process_by_id_alone() {
    let ids =
        |pid: u32, tid: u32| packet(Little, 0, 1, &option(Little, 8, &Little.words(&[pid, tid])));
    let file = [
        section(Little),
        interface(Little, 1, 0, &[]),
        ids(10, 11),
        ids(10, 12),
        ids(20, 0),
        packet(Little, 0, 1, &option(Little, 8, &[1, 2, 3])),
    ]
    .concat();
    let mut reader = Reader::new(&file[..]).unwrap();
    let mut seen = Vec::new();
    while let Some(packet) = reader.next().unwrap() {
        seen.push(
            packet
                .owner()
                .map(|owner| (owner.process.id.pid, owner.tid, owner.process.serial)),
        );
    }
    let [
        Some((10, 11, first)),
        Some((10, 12, again)),
        Some((20, 0, other)),
        None,
    ] = seen[..]
    else {
        panic!("{seen:?}");
    };
    assert!(first == again && first != other);
}

#[test]
fn old_numbers_of_link_types_mean_the_same() {
    for (number, link_type) in [
        (12, LinkType::RAW),
        (19, LinkType::ATM_CLIP),
        (1, LinkType(1)),
    ] {
        for order in [Little, Big] {
            let old = header(order, MICRO, (2, 4), 0, u32::from(number));
            assert_eq!(Reader::new(&old[..]).unwrap().link_type(), link_type);
            let new = [section(order), interface(order, number, 0, &[])].concat();
            assert_eq!(Reader::new(&new[..]).unwrap().link_type(), link_type);
        }
    }
}
