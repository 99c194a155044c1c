//! Packets that are like others: less work, the same file.

use pktwho_capfile::{PcapngOptions, PcapngWriter};
use pktwho_packet::Packet;
use proptest::prelude::*;
use proptest::{collection, sample};

use crate::model::{PacketModel, capture};

/// Writes the packets at these places, each with the bytes and time of another; whether `repeats`
/// is taken where that can be. Also, how many were repeated.
fn write(packets: &[PacketModel], turns: &[(usize, usize)], repeats: bool) -> (Vec<u8>, usize) {
    let mut file = Vec::new();
    let mut writer = PcapngWriter::new(&mut file, PcapngOptions::default());
    let mut likes = vec![None; packets.len()];
    let mut repeated = 0;
    for &(place, other) in turns {
        let (model, other) = (&packets[place], &packets[other]);
        if let Some(like) = likes[place].as_ref().filter(|_| repeats)
            && writer
                .repeat(like, other.time, &other.data, other.orig_len)
                .unwrap()
        {
            repeated += 1;
            continue;
        }
        let packet = Packet {
            time: other.time,
            data: &other.data,
            orig_len: other.orig_len,
            ..model.packet()
        };
        writer.packet(&packet).unwrap();
        likes[place] = writer.like(&model.iface);
    }
    writer.flush().unwrap();
    drop(writer);
    (file, repeated)
}

fn turns() -> impl Strategy<Value = Vec<(sample::Index, sample::Index)>> {
    collection::vec(any::<(sample::Index, sample::Index)>(), 0..80)
}

proptest! {
    #[test]
    fn repeated_packets_are_those_written_in_full(packets in capture(), turns in turns()) {
        if packets.is_empty() {
            return Ok(());
        }
        let place = |index: &sample::Index| index.index(packets.len());
        let turns: Vec<_> = turns.iter().map(|(a, b)| (place(a), place(b))).collect();
        let (repeated, count) = write(&packets, &turns, true);
        prop_assert_eq!(&repeated, &write(&packets, &turns, false).0);
        // What comes twice in a row is always remembered.
        let twice = turns.windows(2).filter(|pair| pair[0].0 == pair[1].0).count();
        prop_assert!(count >= twice, "{} of {}", count, twice);
    }
}

#[test]
fn cooked_packets_are_not_repeated() {
    let options = PcapngOptions {
        cooked: true,
        ..PcapngOptions::default()
    };
    let mut writer = PcapngWriter::new(Vec::new(), options);
    let iface = pktwho_packet::Iface {
        link_type: pktwho_packet::LinkType::ETHERNET,
        ..pktwho_packet::Iface::default()
    };
    assert!(writer.like(&iface).is_none(), "not described yet");
    writer.add(&iface).unwrap();
    assert!(writer.like(&iface).is_none());
}
