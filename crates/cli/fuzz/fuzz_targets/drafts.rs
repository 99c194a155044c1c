//! Packets that are drafted by several and completed in their turn (decision 8): their text is that
//! of one printer, which prints them one after the other.
//!
//! `cargo xtask fuzz drafts`

#![no_main]

#[path = "../../src/ahead/batch.rs"]
mod batch;

use std::borrow::Cow;
use std::collections::VecDeque;

use batch::{Batch, Shared};
use libfuzzer_sys::fuzz_target;
use pktwho_packet::{
    Confidence, Direction, Iface, LinkType, Owner, Packet, Process, ProcessId, Reception,
    ThreadName, Timestamp, TimestampPrecision,
};
use pktwho_print::{Drafter, Dump, Names, Printer, Style, TimeStyle, Transport};

/// Drafters at the most, and batches on their way through them.
const DRAFTERS: usize = 3;
const DEPTH: usize = 4;

/// A packet of the input.
struct Cut<'a> {
    how: u8,
    time: Timestamp,
    lost: u8,
    data: &'a [u8],
}

/// Takes packets out of the input, each behind four bytes that say how it is.
fn packets(mut input: &[u8]) -> Vec<Cut<'_>> {
    let mut cuts = Vec::new();
    let mut time = Timestamp {
        secs: Zone::CHANGE - 40,
        nanos: 0,
    };
    while let [how, step, low, high, rest @ ..] = input {
        // Seconds forth, or a little back; the fraction may be no fraction.
        time.secs += i64::from(*step & 63) - 8;
        time.nanos = u64::from(*step >> 6) * 400_000_123;
        let size = usize::from(u16::from_le_bytes([*low, *high & 7])).min(rest.len());
        let (data, behind) = rest.split_at(size);
        let lost = *high >> 3;
        cuts.push(Cut {
            how: *how,
            time,
            lost,
            data,
        });
        input = behind;
    }
    cuts
}

/// Services and users have names, and the clocks are changed meanwhile.
struct Zone;

impl Zone {
    const CHANGE: i64 = 1_603_587_600;
}

impl Names for Zone {
    fn port(&mut self, transport: Transport, port: u16) -> Option<Cow<'_, str>> {
        (port < 64).then(|| format!("{transport:?}-{port}").into())
    }

    fn user(&mut self, uid: u32) -> Option<Cow<'_, str>> {
        (uid < 2).then(|| "somebody".into())
    }

    fn utc_offset(&mut self, secs: i64) -> i32 {
        if secs < Self::CHANGE { 7200 } else { 3600 }
    }
}

/// A style out of three bytes.
fn style(flags: u8, verbose: u8, more: u8) -> Style {
    let dumps = [Dump::None, Dump::Ascii, Dump::HexAscii, Dump::HexAsciiLink];
    let times = [
        TimeStyle::Clock,
        TimeStyle::None,
        TimeStyle::Epoch,
        TimeStyle::Delta,
        TimeStyle::Date,
        TimeStyle::SinceFirst,
    ];
    let precisions = [TimestampPrecision::Micro, TimestampPrecision::Nano];
    Style {
        verbose: verbose % 5,
        color: verbose & 0x80 != 0,
        quiet: flags & 1 != 0,
        link: flags & 2 != 0,
        numeric: flags & 4 != 0,
        absolute_seq: flags & 8 != 0,
        number: flags & 16 != 0,
        lengths: flags & 32 != 0,
        dump: dumps[usize::from(flags >> 6)],
        time: times[usize::from(more % 6)],
        one_line: more & 16 != 0,
        show_iface: more & 32 != 0,
        precision: precisions[usize::from(more >> 6 & 1)],
        no_checksums: more & 128 != 0,
        ..Style::default()
    }
}

/// Two devices; the second has the link type of the input.
fn ifaces(link_type: u16) -> [Iface; 2] {
    let named = |id: u32, name: &str, link_type| Iface {
        id,
        name: name.into(),
        link_type,
        ..Iface::default()
    };
    [
        named(0, "eth0", LinkType::ETHERNET),
        named(1, "other", LinkType(link_type)),
    ]
}

/// One runs two programs, one after the other; the last is the parent of both.
fn processes() -> [Process; 3] {
    let process = |serial, pid, name: &str| Process {
        id: ProcessId { pid, start: 1 },
        serial,
        name: name.into(),
        exe: b"/bin/\xff\n".to_vec(),
        args: vec![b"first".to_vec(), b"\x1b[0m".to_vec()],
        uid: Some(pid & 3),
        ..Process::default()
    };
    [
        process(1, 100, "sh"),
        process(2, 100, "curl"),
        process(3, 1, "init"),
    ]
}

fn packet<'a>(cut: &Cut<'a>, ifaces: &'a [Iface; 2], processes: &'a [Process; 3]) -> Packet<'a> {
    let Cut { how, data, .. } = *cut;
    let owner = |which: u8| {
        let process = processes.get(usize::from(which & 3))?;
        Some(Owner {
            process,
            // The same process under two names, as it was once and is later.
            parent: processes.get(usize::from(cut.lost & 3)),
            tid: process.id.pid + u32::from(cut.lost & 1),
            thread: ThreadName::new(b"worker"),
            uid: Some(7),
            confidence: [Confidence::Exact, Confidence::Guess][usize::from(how >> 7)],
        })
    };
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    Packet {
        time: cut.time,
        iface: &ifaces[usize::from(how & 1)],
        data,
        orig_len: length + u32::from(cut.lost),
        direction: [Direction::Unknown, Direction::In, Direction::Out][usize::from(how % 3)],
        reception: Reception::Unspecified,
        // The third number is nobody's: most packets have no owners.
        sender: owner(3 - (how >> 2 & 3)),
        receiver: owner(3 - (how >> 4 & 3)),
    }
}

/// The text of packets as the threads make it: batches go to drafters by turns, and are completed
/// in their order, a few later.
fn drafted(packets: &[Packet<'_>], hows: &[u8], style: &Style, width: usize) -> Vec<u8> {
    let mut drafters: Vec<_> = (0..width).map(|_| Drafter::new(style.clone())).collect();
    let mut printer = Printer::new(style.clone());
    let (mut shared, mut free, mut under_way) = (Shared::default(), Vec::new(), VecDeque::new());
    let mut filling = Batch::default();
    let (mut number, mut out) = (0, Vec::new());
    for (packet, how) in packets.iter().zip(hows) {
        let turn = printer.turn(packet);
        filling.add(packet, turn, &mut shared);
        if how & 0x40 == 0 && !filling.is_full() {
            continue;
        }
        let mut batch = std::mem::replace(&mut filling, free.pop().unwrap_or_default());
        batch.draft(&mut drafters[number % width], &mut Zone);
        number += 1;
        under_way.push_back(batch);
        if under_way.len() >= DEPTH {
            let mut batch = under_way.pop_front().unwrap_or_default();
            batch.settle(&mut printer, &mut Zone, &mut out);
            batch.clear();
            free.push(batch);
        }
    }
    filling.draft(&mut drafters[number % width], &mut Zone);
    under_way.push_back(filling);
    for batch in under_way {
        batch.settle(&mut printer, &mut Zone, &mut out);
    }
    out
}

fuzz_target!(|data: &[u8]| {
    let [flags, verbose, more, high, low, rounds, input @ ..] = data else {
        return;
    };
    let style = style(*flags, *verbose, *more);
    let ifaces = ifaces(u16::from_be_bytes([*high & 1, *low]));
    let processes = processes();
    let cuts = packets(input);
    let rounds = usize::from(rounds % 3 + 1);
    let hows: Vec<u8> = cuts
        .iter()
        .map(|cut| cut.how)
        .collect::<Vec<_>>()
        .repeat(rounds);
    let once: Vec<_> = cuts
        .iter()
        .map(|cut| packet(cut, &ifaces, &processes))
        .collect();
    let packets = once.repeat(rounds);

    let mut expected = Vec::new();
    let mut printer = Printer::new(style.clone());
    for packet in &packets {
        let before = expected.len();
        printer.packet(packet, &mut Zone, &mut expected);
        let grown = expected.len() - before;
        assert!(grown < 50_000 + 400 * packet.data.len(), "{grown} bytes");
    }
    let found = drafted(&packets, &hows, &style, *more as usize % DRAFTERS + 1);
    if found != expected {
        let at = found
            .iter()
            .zip(&expected)
            .take_while(|(a, b)| a == b)
            .count();
        let from = at.saturating_sub(100);
        let texts = [&found, &expected].map(|text| {
            let text = text.get(from..text.len().min(at + 100));
            String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
        });
        panic!("byte {at}: drafted\n{}\nin turn\n{}", texts[0], texts[1]);
    }
});
