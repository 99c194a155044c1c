//! Any capture file written again: what is written is a capture file, with the same packets,
//! and carried over once more nothing changes.
//!
//! `cargo xtask fuzz carry`

#![no_main]

use libfuzzer_sys::fuzz_target;
use pktwho_capfile::{Event, PcapOptions, PcapWriter, PcapngOptions, PcapngWriter, Reader, Writer};

/// What of a packet must survive.
type Kept = (i64, u64, Vec<u8>, u32);

/// The packets of a file, and the file written again.
fn carried(data: &[u8]) -> Option<(Vec<Kept>, Vec<u8>)> {
    let mut reader = Reader::new(data).ok()?;
    let options = PcapngOptions {
        section: reader.section().map(<[u8]>::to_vec),
        ..PcapngOptions::default()
    };
    let (mut packets, mut out) = (Vec::new(), Vec::new());
    let mut writer = PcapngWriter::new(&mut out, options);
    while let Ok(Some(event)) = reader.event() {
        match event {
            Event::Packet(packet, metadata) => {
                packets.push((
                    packet.time.secs,
                    packet.time.nanos,
                    packet.data.to_vec(),
                    packet.orig_len,
                ));
                writer.copy(&packet, &metadata).unwrap();
            }
            Event::Block(block) => writer.block(&block).unwrap(),
        }
    }
    writer.flush().unwrap();
    drop(writer);
    Some((packets, out))
}

/// The packets alone, by our own way of writing.
fn written(data: &[u8], pcapng: bool) {
    let Ok(mut reader) = Reader::new(data) else {
        return;
    };
    let link_type = reader.link_type();
    let mut writer = if pcapng {
        let options = PcapngOptions {
            comments: true,
            ..PcapngOptions::default()
        };
        Writer::Pcapng(Box::new(PcapngWriter::new(Vec::new(), options)))
    } else {
        let options = PcapOptions {
            link_type,
            ..PcapOptions::default()
        };
        Writer::Pcap(PcapWriter::new(Vec::new(), options))
    };
    while let Ok(Some(packet)) = reader.next() {
        let _ = writer.packet(&packet);
    }
    let _ = writer.finish(&[]);
}

fuzz_target!(|data: &[u8]| {
    written(data, true);
    written(data, false);
    let Some((packets, once)) = carried(data) else {
        return;
    };
    if packets.is_empty() {
        return;
    }
    let (again, twice) = carried(&once).expect("what we write can be read");
    assert_eq!(packets.len(), again.len());
    for (before, after) in packets.iter().zip(&again) {
        assert_eq!((&before.2, before.3), (&after.2, after.3));
        // Times outside the years 1970 to 2554 cannot be said in nanoseconds, nor can fractions of more than a second.
        if (0..1 << 33).contains(&before.0) && before.1 < 1_000_000_000 {
            assert_eq!((before.0, before.1), (after.0, after.1));
        }
    }
    assert_eq!(once, twice);
});
