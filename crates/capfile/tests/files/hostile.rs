//! Files from an enemy: no panic, no more memory than promised, and an end.

use pktwho_capfile::{Counters, PcapngOptions, PcapngWriter, Reader, Writer};
use proptest::prelude::*;
use proptest::{collection, sample};

use crate::model::{capture, write};
use crate::support::Order::{Big, Little};
use crate::support::*;

/// Reads everything and looks at every fact, so that any bad reference would show.
fn survive(file: &[u8]) {
    let Ok(mut reader) = Reader::new(file) else {
        return;
    };
    let mut bytes = 0;
    while let Ok(Some(packet)) = reader.next() {
        let owners = [packet.sender, packet.receiver].into_iter().flatten();
        let facts: usize = owners
            .map(|owner| owner.process.name.len() + owner.tid as usize / 2)
            .sum();
        bytes += packet.data.len() + usize::from(facts == usize::MAX) + packet.iface.name.len();
        assert!(packet.time.nanos <= u64::from(u32::MAX) * 1000);
    }
    assert!(reader.offset() <= file.len() as u64);
    // Each packet took at least as many bytes of the file as it has (names are repeated).
    assert!(bytes <= file.len() * 100);
}

fn starts() -> impl Strategy<Value = Vec<u8>> {
    let mut starts = vec![Vec::new()];
    for order in [Little, Big] {
        for magic in [MICRO, NANO, MODIFIED] {
            starts.push(header(order, magic, (2, 4), 100, 1));
        }
        starts.push(section(order));
        starts.push([section(order), interface(order, 1, 0, &[])].concat());
    }
    sample::select(starts)
}

fn valid_file() -> impl Strategy<Value = Vec<u8>> {
    capture().prop_map(|packets| {
        let mut file = Vec::new();
        let options = PcapngOptions {
            snaplen: 0,
            ..PcapngOptions::default()
        };
        let mut writer = Writer::Pcapng(Box::new(PcapngWriter::new(&mut file, options)));
        write(&mut writer, &packets, Counters::default()).unwrap();
        drop(writer);
        file
    })
}

proptest! {
    #[test]
    fn random_bytes(start in starts(), rest in collection::vec(any::<u8>(), 0..2000)) {
        survive(&[start, rest].concat());
    }

    #[test]
    fn random_blocks(
        big in any::<bool>(),
        blocks in collection::vec(
            (sample::select(vec![1_u32, 2, 3, 4, 5, 6, 10, 0xbad, 0x8000_0001]),
             collection::vec(prop_oneof![Just(0), 0..9_u8, any::<u8>()], 0..200)),
            0..20,
        ),
    ) {
        let order = if big { Big } else { Little };
        let mut file = [section(order), interface(order, 1, 0, &[])].concat();
        for (block_type, body) in blocks {
            file.extend(block(order, block_type, &body));
        }
        survive(&file);
    }

    #[test]
    fn random_records(
        records in collection::vec((any::<[u32; 2]>(), 0..300_u32, any::<u32>(), 0..300_usize), 0..20),
    ) {
        let mut file = header(Little, MICRO, (2, 4), 200, 1);
        for (time, captured, length, really) in records {
            file.extend(record(Little, time.into(), (captured, length), &vec![0x5a; really]));
        }
        survive(&file);
    }

    #[test]
    fn mutated_files(
        file in valid_file(),
        changes in collection::vec((any::<sample::Index>(), any::<u8>()), 1..20),
        end in any::<sample::Index>(),
    ) {
        let mut changed = file.clone();
        for (at, byte) in changes {
            changed[at.index(file.len())] = byte;
        }
        survive(&changed);
        survive(&file[..end.index(file.len())]);
    }
}

#[test]
fn endless_bare_processes_are_forgotten() {
    let mut start = [section(Little), interface(Little, 1, 0, &[])].concat();
    for pid in 0..200_000_u32 {
        let ids = option(Little, 8, &Little.words(&[pid, 0]));
        start.extend(block(Little, 6, &[&[0; 20][..], &ids].concat()));
    }
    let mut reader = Reader::new(&start[..]).unwrap();
    let mut pid = 0;
    while let Some(packet) = reader.next().unwrap() {
        assert_eq!(packet.owner().unwrap().process.id.pid, pid);
        pid += 1;
    }
    assert_eq!(pid, 200_000);
}
