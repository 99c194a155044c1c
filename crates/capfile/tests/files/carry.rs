//! Files carried over to other files: everything that stands in them stands there again.

use std::fs::File;
use std::io::Read;

use pktwho_capfile::{Event, Numbers, PcapngOptions, PcapngWriter, Reader};

use crate::corpus::captures;
use crate::support::Order::{self, Big, Little};
use crate::support::*;

/// All of `sources` in one file, one after the other.
fn carried<R: Read>(sources: Vec<R>) -> Vec<u8> {
    let numbers = Numbers::default();
    let readers = sources.into_iter();
    let mut readers: Vec<_> = readers
        .map(|source| Reader::with_numbers(source, numbers.clone()).unwrap())
        .collect();
    let options = PcapngOptions {
        section: readers[0].section().map(<[u8]>::to_vec),
        ..PcapngOptions::default()
    };
    let mut out = Vec::new();
    let mut writer = PcapngWriter::new(&mut out, options);
    for reader in &mut readers {
        while let Ok(Some(event)) = reader.event() {
            match event {
                Event::Packet(packet, metadata) => writer.copy(&packet, &metadata).unwrap(),
                Event::Block(block) => writer.block(&block).unwrap(),
            }
        }
    }
    writer.flush().unwrap();
    drop(writer);
    out
}

fn number(order: Order, value: u64) -> Vec<u8> {
    order.u64(value).to_vec()
}

/// Every kind of block, with every kind of option that has numbers in it.
fn everything(order: Order) -> Vec<u8> {
    let end = order.words(&[0]);
    let custom = [&order.u32(32622)[..], b"text"].concat();
    let opt = |code, value: &[u8]| option(order, code, value);
    let section = [
        order.words(&[0x1a2b_3c4d]),
        [order.u16(1), order.u16(0)].concat(),
        vec![0xff; 8],
        opt(2, b"machine"),
        opt(3, b"system"),
        opt(4, b"program"),
        opt(1, b"one"),
        opt(1, b"two"),
        opt(2988, &custom),
        end.clone(),
    ];
    let iface = [
        [order.u16(1), order.u16(0)].concat(),
        order.words(&[262_144]),
        opt(2, b"eth0"),
        opt(3, b"first"),
        opt(4, &[192, 0, 2, 1, 255, 255, 255, 0]),
        opt(6, &[2, 0, 0, 0, 0, 1]),
        opt(8, &number(order, 1_000_000_000)),
        opt(9, &[0x8a]),
        opt(10, &order.u32(3600)),
        opt(14, &number(order, 7)),
        opt(16, &number(order, 5)),
        opt(0x7000, b"unknown"),
        end.clone(),
    ];
    let process = [
        order.words(&[4321]),
        opt(2, b"curl"),
        opt(4, &[7; 16]),
        opt(3, b"/usr/bin/curl"),
        end.clone(),
    ];
    let packet = [
        order.words(&[0, 1, 2, 5, 9]),
        b"bytes\0\0\0".to_vec(),
        opt(0x8001, &order.u32(0)),
        opt(0x8003, &order.u32(0)),
        opt(2, &order.u32(0x15)),
        opt(4, &number(order, 3)),
        opt(5, &number(order, 4)),
        opt(6, &order.u32(5)),
        opt(7, &[1, 2, 3]),
        opt(8, &order.words(&[4321, 4330])),
        opt(0x8002, &order.u32(900)),
        opt(0x8004, &order.u32(9)),
        opt(0x8006, &order.u16(0x1234)),
        opt(1, b"first"),
        opt(1, b"second"),
        opt(2989, &custom),
        opt(0x7001, b"unknown"),
        end.clone(),
    ];
    let simple = [order.words(&[6]), b"simple\0\0".to_vec()];
    let name = [&[192, 0, 2, 1][..], b"host\0"].concat();
    let names = [opt(1, &name), end.clone(), opt(2, b"server"), end.clone()];
    let statistics = [
        order.words(&[0, 1, 2]),
        opt(2, &order.words(&[1, 1])),
        opt(4, &number(order, 10)),
        opt(7, &number(order, 2)),
        end.clone(),
    ];
    let secrets = [
        order.words(&[0x544c_534b, 5]),
        b"key x\0\0\0".to_vec(),
        opt(1, b"secret"),
        end.clone(),
    ];
    let event = [
        order.words(&[1, 100, 200, 4]),
        b"kev!".to_vec(),
        opt(1, b"event"),
        end,
    ];
    let block = |kind, parts: &[Vec<u8>]| block(order, kind, &parts.concat());
    [
        block(0x0a0d_0d0a, &section),
        block(1, &iface),
        block(0x8000_0001, &process),
        block(6, &packet),
        block(3, &simple),
        block(4, &names),
        block(10, &secrets),
        block(0x8000_0002, &event),
        block(0xbad, std::slice::from_ref(&custom)),
        block(9, &[b"journal=1\n".to_vec()]),
        block(0x7777, &[b"anything".to_vec()]),
        block(5, &statistics),
    ]
    .concat()
}

#[test]
fn nothing_is_lost_or_changed() {
    let file = everything(Little);
    assert_eq!(carried(vec![&file[..]]), file);
}

#[test]
fn big_endian_files_become_little_endian() {
    assert_eq!(carried(vec![&everything(Big)[..]]), everything(Little));
}

#[test]
fn files_that_are_joined_share_one_section() {
    let file = everything(Little);
    let both = carried(vec![&file[..], &file]);
    let mut reader = Reader::new(&both[..]).unwrap();
    let mut packets = 0;
    while let Some(packet) = reader.next().unwrap() {
        if packet.data == b"bytes" {
            let owner = packet.receiver.unwrap();
            assert_eq!(owner.process.name, b"curl");
            assert_eq!((owner.process.id.pid, owner.tid), (4321, 4330));
            // Units of 1/1024 s.
            assert_eq!(packet.time.secs, 7 + (1 << 22));
        }
        packets += 1;
    }
    assert_eq!((packets, reader.ifaces().len()), (4, 2));
    assert_eq!(both.windows(8).filter(|b| b == b"program\0").count(), 1);
    // The second file's packets refer to the second file's process.
    let first = option(Little, 0x8001, &[0, 0, 0, 0]);
    let second = option(Little, 0x8001, &[1, 0, 0, 0]);
    let count = |bytes: &[u8]| both.windows(8).filter(|b| *b == bytes).count();
    assert_eq!((count(&first), count(&second)), (1, 1));
}

#[test]
fn processes_without_packets_stay_behind() {
    let process = |pid: u32, name: &[u8]| {
        let body = [&pid.to_le_bytes()[..], &option(Little, 2, name)].concat();
        block(Little, 0x8000_0001, &body)
    };
    let file = [
        section(Little),
        interface(Little, 1, 0, &[]),
        process(1, b"init"),
        process(2, b"curl"),
        packet(Little, 0, 5, &option(Little, 0x8001, &[1, 0, 0, 0])),
        // There is no such process: the reference would lead to another one in other files.
        packet(Little, 0, 6, &option(Little, 0x8001, &[9, 0, 0, 0])),
    ]
    .concat();
    let out = carried(vec![&file[..]]);
    assert!(!out.windows(4).any(|bytes| bytes == b"init"));
    let mut reader = Reader::new(&out[..]).unwrap();
    let first = reader.next().unwrap().unwrap();
    assert_eq!(first.sender.unwrap().process.name, b"curl");
    assert!(reader.next().unwrap().unwrap().owner().is_none());
}

/// What a reader gives of each packet, in words; of damaged files as far as they can be read.
fn contents(source: impl Read) -> Vec<String> {
    let mut reader = Reader::new(source).unwrap();
    let mut packets = Vec::new();
    while let Ok(Some(packet)) = reader.next() {
        packets.push(format!("{packet:?}"));
    }
    packets
}

#[test]
fn captures_are_carried_over_whole() {
    let Some(captures) = captures() else {
        return;
    };
    let mut pcapng = 0;
    for path in captures {
        let open = || File::open(&path).unwrap();
        let Ok(mut reader) = Reader::new(open()) else {
            continue;
        };
        let name = path.display();
        let out = carried(vec![open()]);
        if reader.section().is_none() {
            // A device of a classic file has no name, and its link type and length are kept; pcapng
            // has no fraction of more than a second. A file without packets brings no device.
            let mut again = Reader::new(&out[..]).ok();
            while let Ok(Some(packet)) = reader.next() {
                let carried = again.as_mut().unwrap().next().unwrap().unwrap();
                let what = |p: &pktwho_packet::Packet<'_>| {
                    let time = p.time.as_nanos();
                    (time, p.data.to_vec(), p.orig_len, p.iface.link_type)
                };
                assert_eq!(what(&packet), what(&carried), "{name}");
            }
            continue;
        }
        pcapng += 1;
        assert_eq!(contents(open()), contents(&out[..]), "{name}");
        // A second time nothing changes at all: all was said the first time.
        assert_eq!(carried(vec![&out[..]]), out, "{name}");
    }
    println!("{pcapng} pcapng files carried over");
    assert!(pcapng > 0);
}

#[test]
fn references_to_other_blocks_never_lead_astray() {
    let process = |pid: u32, comment: &str| {
        let options = [
            option(Little, 2, b"x"),
            option(Little, 1, comment.as_bytes()),
        ];
        block(
            Little,
            0x8000_0001,
            &[&pid.to_le_bytes()[..], &options.concat()].concat(),
        )
    };
    let of = |index: u32| option(Little, 0x8001, &index.to_le_bytes());
    let file = [
        section(Little),
        interface(Little, 1, 0, &[]),
        // Not what the comment says: the block that refers to it is left alone.
        process(5, "{\"pid\":7,\"start\":1,\"name\":\"a\"}"),
        process(7, "{\"pid\":7,\"of\":0,\"tid\":8}"),
        process(7, "{\"pid\":7,\"start\":2,\"name\":\"b\"}"),
        packet(Little, 0, 5, &of(2)),
        packet(Little, 0, 6, &of(1)),
    ]
    .concat();
    let once = carried(vec![&file[..]]);
    let mut reader = Reader::new(&once[..]).unwrap();
    for name in [&b"b"[..], b"x"] {
        let packet = reader.next().unwrap().unwrap();
        assert_eq!(packet.sender.unwrap().process.name, name);
    }
    assert_eq!(carried(vec![&once[..]]), once);
}
