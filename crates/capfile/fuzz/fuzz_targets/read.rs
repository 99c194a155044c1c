//! Any bytes as a capture file, compressed or not: no panic, bounded memory, an error ends it,
//! and every way of reading gives the same packets.
//!
//! `cargo xtask fuzz read`

#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use pktwho_capfile::{Apple, Coming, Decompress, Event, Pktap, Reader};

/// Packets by `next`.
fn simple(data: &[u8]) -> usize {
    let Ok(mut reader) = Reader::new(data) else {
        return 0;
    };
    let mut packets = 0;
    loop {
        match reader.next() {
            Ok(Some(packet)) => {
                assert!(packet.time.nanos <= u64::from(u32::MAX) * 1000);
                let _ = (packet.owner(), Pktap::parse(packet.data));
                packets += 1;
            }
            Ok(None) => return packets,
            Err(_) => {
                assert!(reader.next().is_ok_and(|packet| packet.is_none()));
                return packets;
            }
        }
    }
}

/// Packets by `event`, each announced by `coming`.
fn events(data: &[u8]) -> usize {
    let Ok(mut reader) = Reader::new(data) else {
        return 0;
    };
    let mut packets = 0;
    while let Ok(Some(coming)) = reader.coming() {
        match (coming, reader.event()) {
            (Coming::Packet(time), Ok(Some(Event::Packet(packet, metadata)))) => {
                assert_eq!(time, packet.time);
                let _ = Apple::of(&packet, &metadata);
                packets += 1;
            }
            (Coming::Block, Ok(Some(Event::Block(block)))) => {
                let _ = (block.words(), block.to_kept().size());
            }
            (coming, other) => panic!("{coming:?} came as {other:?}"),
        }
    }
    packets
}

fuzz_target!(|data: &[u8]| {
    assert_eq!(simple(data), events(data));
    let Ok(source) = Decompress::new(data) else {
        return;
    };
    let mut plain = Vec::new();
    let _ = source.take(1 << 20).read_to_end(&mut plain);
    if plain != data {
        simple(&plain);
    }
});
