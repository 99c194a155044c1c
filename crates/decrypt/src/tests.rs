//! Captures of real programs (`tests/golden/decrypt`), as they are and after mishaps on the way:
//! segments that come late, twice, cut in two, cut short, or never.

use std::path::Path;

use pktwho_capfile::{Event, Reader};
use pktwho_packet::{Iface, LinkType, Packet};
use pktwho_tls::Secret;

use super::*;

/// What stands there in hexadecimal digits, whatever is between them.
pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap())
        .collect()
}

/// A packet of a capture.
#[derive(Clone)]
struct Kept {
    iface: Iface,
    time: pktwho_packet::Timestamp,
    data: Vec<u8>,
    orig_len: usize,
}

impl Kept {
    fn packet(&self) -> Packet<'_> {
        Packet {
            time: self.time,
            iface: &self.iface,
            data: &self.data,
            orig_len: u32::try_from(self.orig_len).unwrap(),
            direction: pktwho_packet::Direction::Unknown,
            reception: pktwho_packet::Reception::Unspecified,
            sender: None,
            receiver: None,
        }
    }

    fn payload(&self) -> usize {
        locate::segment(&self.packet()).map_or(0, |segment| segment.payload.len())
    }

    /// The segment as two.
    fn halves(&self) -> [Self; 2] {
        let segment = locate::segment(&self.packet()).unwrap();
        let (before, half) = (segment.before, segment.payload.len() / 2);
        let [mut first, mut second] = [self.clone(), self.clone()];
        first.data.truncate(before + half);
        second.data.drain(before..before + half);
        for part in [&mut first, &mut second] {
            part.orig_len = part.data.len();
            let ip = 14;
            let length = u16::try_from(part.data.len() - ip).unwrap();
            match part.data[ip] >> 4 {
                4 => part.data[ip + 2..ip + 4].copy_from_slice(&length.to_be_bytes()),
                _ => part.data[ip + 4..ip + 6].copy_from_slice(&(length - 40).to_be_bytes()),
            }
        }
        let tcp = before - usize::from(second.data[before_tcp(self) + 12] >> 4) * 4;
        let seq = segment.seq.wrapping_add(u32::try_from(half).unwrap());
        second.data[tcp + 4..tcp + 8].copy_from_slice(&seq.to_be_bytes());
        [first, second]
    }
}

/// Where the TCP header of an Ethernet frame without options of IP begins.
fn before_tcp(kept: &Kept) -> usize {
    14 + if kept.data[14] >> 4 == 4 { 20 } else { 40 }
}

const CAPTURES: &[&str] = &[
    "http1",
    "http2",
    "http2-tls12",
    "update",
    "renegotiated",
    "early",
    "retry",
];

fn capture(name: &str) -> (Vec<Kept>, Vec<Secret>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/decrypt");
    let bytes = std::fs::read(folder.join(name).with_extension("pcapng")).unwrap();
    let mut reader = Reader::new(bytes.as_slice()).unwrap();
    let (mut packets, mut secrets) = (Vec::new(), Vec::new());
    while let Some(event) = reader.event().unwrap() {
        match event {
            Event::Packet(packet, _) => packets.push(Kept {
                iface: packet.iface.clone(),
                time: packet.time,
                data: packet.data.to_vec(),
                orig_len: packet.data.len(),
            }),
            Event::Block(block) => {
                let lines = block.tls_secrets().unwrap_or_default();
                let lines = lines.split(|&byte| byte == b'\n');
                secrets.extend(lines.filter_map(|line| Secret::from_line(line).unwrap()));
            }
        }
    }
    assert!(packets.len() > 10 && !secrets.is_empty(), "{name}");
    (packets, secrets)
}

/// All that is said, without whose it is, and with data of one direction joined.
fn told(packets: &[Kept], decryptor: &mut Decryptor) -> Vec<String> {
    let mut text = String::new();
    for kept in packets {
        decryptor.packet(&kept.packet());
        text += std::str::from_utf8(decryptor.decrypted().lines).unwrap();
    }
    text += std::str::from_utf8(decryptor.finish()).unwrap();
    let lines = text.split("\n\t").skip(1);
    let ours = lines.map(|line| match line.split_once(": ") {
        Some((ends, rest)) if ends.contains(" > ") => rest.to_owned(),
        _ => line.to_owned(),
    });
    ours.collect()
}

fn knowing(secrets: &[Secret]) -> Decryptor {
    let mut decryptor = Decryptor::new(false);
    for secret in secrets {
        decryptor.secret(secret);
    }
    decryptor
}

/// The lines that do not depend on how data is divided, in an order that does not depend on
/// which direction came first.
fn sorted(lines: &[String]) -> Vec<&String> {
    let whole = |line: &&String| !line.starts_with("TLS: ") || line.contains("data: ");
    let mut lines: Vec<_> = lines.iter().filter(whole).collect();
    lines.sort();
    lines
}

/// Those about HTTP.
fn messages(lines: &[String]) -> Vec<&String> {
    let mut lines = sorted(lines);
    lines.retain(|line| line.starts_with("HTTP"));
    lines
}

/// Bytes of data that were told of.
fn data(lines: &[String]) -> u64 {
    let counts = lines.iter().filter_map(|line| {
        let (count, _) = line.strip_prefix("TLS: ")?.split_once(" byte")?;
        count
            .parse::<u64>()
            .ok()
            .filter(|_| line.contains(" of data"))
    });
    counts.sum()
}

/// Numbers that look random, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % end.max(1)
    }
}

#[test]
fn segments_may_come_late_twice_and_in_pieces() {
    for name in CAPTURES {
        let (packets, secrets) = capture(name);
        let expected = told(&packets, &mut knowing(&secrets));
        assert!(!sorted(&expected).is_empty(), "{name}");
        assert!(
            expected.iter().all(|line| !line.contains("not ")),
            "{name}: {expected:?}"
        );
        for seed in 1..40 {
            let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
            let mut mixed: Vec<Kept> = Vec::new();
            for kept in &packets {
                let parts = if kept.payload() > 1 && numbers.below(3) == 0 {
                    kept.halves().to_vec()
                } else {
                    vec![kept.clone()]
                };
                for part in parts {
                    // Not before what opens its connection, and not past the end of it.
                    let late = numbers.below(3).min(mixed.len());
                    let movable = |other: &Kept| other.payload() > 0;
                    let stays = late == 0
                        || part.payload() == 0
                        || !mixed[mixed.len() - late..].iter().all(movable);
                    let at = mixed.len() - if stays { 0 } else { late };
                    if numbers.below(4) == 0 {
                        mixed.insert(at, part.clone());
                    }
                    mixed.insert(at, part);
                }
            }
            for (millis, kept) in (0_u32..).zip(&mut mixed) {
                kept.time.nanos = (millis * 1_000_000).into();
                kept.time.secs = 0;
            }
            let found = told(&mixed, &mut knowing(&secrets));
            assert_eq!(sorted(&found), sorted(&expected), "{name} {seed}");
            assert_eq!(data(&found), data(&expected), "{name} {seed}");
        }
    }
}

#[test]
fn secrets_may_come_after_their_packets() {
    for name in CAPTURES {
        let (packets, secrets) = capture(name);
        let expected = told(&packets, &mut knowing(&secrets));
        for late in [1, packets.len() / 3, packets.len() / 2, packets.len()] {
            let mut decryptor = Decryptor::new(false);
            let (before, after) = packets.split_at(late);
            let mut found = Vec::new();
            for kept in before {
                decryptor.packet(&kept.packet());
                let lines = decryptor.decrypted().lines;
                found.extend(
                    lines
                        .split(|&byte| byte == b'\n')
                        .skip(1)
                        .map(<[u8]>::to_vec),
                );
            }
            for secret in &secrets {
                decryptor.secret(secret);
            }
            let rest = told(after, &mut decryptor);
            // Closed connections have been said to stay closed.
            let said = found.iter().any(|line| line.ends_with(b"key unknown"));
            if said {
                assert!(late == packets.len() || name == &"early", "{name} {late}");
                continue;
            }
            assert_eq!(messages(&rest), messages(&expected), "{name} {late}");
            assert_eq!(data(&rest), data(&expected), "{name} {late}");
        }
    }
}

#[test]
fn a_lost_segment_costs_what_was_in_it() {
    for name in CAPTURES {
        let (packets, secrets) = capture(name);
        let expected = told(&packets, &mut knowing(&secrets));
        let mut losses = 0;
        for lost in 0..packets.len() {
            if packets[lost].payload() == 0 {
                continue;
            }
            let mut fewer = packets.clone();
            fewer.remove(lost);
            let found = told(&fewer, &mut knowing(&secrets));
            losses += usize::from(found.iter().any(|line| line.contains("not captured")));
            // Nothing is made up: each message stood there before. Fields may have become unknown.
            for line in found.iter().filter(|line| line.starts_with("HTTP")) {
                let head = line.split('\n').next().unwrap();
                let known = expected.iter().any(|other| other.starts_with(head));
                assert!(known, "{name} without {lost}: {line}");
                for field in line
                    .split('\n')
                    .skip(1)
                    .filter(|field| !field.ends_with('?'))
                {
                    let known = expected.iter().any(|other| other.contains(field));
                    assert!(known, "{name} without {lost}: {field}");
                }
            }
        }
        assert!(losses > 2, "{name}");
    }
}

#[test]
fn data_goes_on_behind_a_lost_record() {
    let (packets, secrets) = capture("update");
    let texts = ["one", "two", "three"];
    for (lost, text) in texts.iter().enumerate() {
        let mut fewer = packets.clone();
        let mut at = None;
        let mut decryptor = knowing(&secrets);
        for (index, kept) in packets.iter().enumerate() {
            decryptor.packet(&kept.packet());
            if decryptor
                .decrypted()
                .lines
                .ends_with(format!(": {text}").as_bytes())
            {
                at = Some(index);
            }
        }
        fewer.remove(at.unwrap());
        let found = told(&fewer, &mut knowing(&secrets)).join("\n");
        for (other, text) in texts.iter().enumerate() {
            let there = found.contains(&format!("data: {text}"));
            assert_eq!(there, other != lost, "{text} without {lost}: {found}");
        }
        assert_eq!(found.matches("not captured").count(), 1, "{found}");
    }
}

#[test]
fn what_is_not_captured_whole_is_said() {
    let (packets, secrets) = capture("http1");
    let short: Vec<Kept> = packets
        .iter()
        .map(|kept| {
            let mut kept = kept.clone();
            kept.data.truncate(800);
            kept
        })
        .collect();
    let found = told(&short, &mut knowing(&secrets));
    let lines = sorted(&found);
    assert!(
        found
            .iter()
            .any(|line| line == "TLS: 3288 bytes not captured"),
        "{found:?}"
    );
    for line in ["HTTP: POST /none HTTP/1.1", "HTTP: HTTP/1.1 204 No Content"] {
        assert!(
            lines.iter().any(|other| *other == line),
            "{line}: {found:?}"
        );
    }
}

#[test]
fn a_connection_that_was_joined_late_is_said_to_be_closed_once() {
    for name in ["http1", "http2", "update"] {
        let (packets, secrets) = capture(name);
        let handshake = packets.iter().position(|kept| kept.payload() > 0).unwrap();
        let found = told(&packets[handshake + 3..], &mut knowing(&secrets));
        assert_eq!(found, ["TLS: not decrypted: handshake not seen"], "{name}");
    }
    let (packets, _) = capture("http1");
    let found = told(&packets, &mut Decryptor::new(false));
    assert_eq!(found, ["TLS: not decrypted: key unknown"]);
    let (_, other) = capture("http2");
    let found = told(&packets, &mut knowing(&other));
    assert_eq!(found, ["TLS: not decrypted: key unknown"]);
}

#[test]
fn a_resumed_session_has_the_secret_of_the_connection_that_made_it() {
    let (packets, secrets) = capture("resumed");
    assert_eq!(secrets.len(), 2);
    let check = |secrets: &[Secret], texts: &[&str], unknown: usize| {
        let found = told(&packets, &mut knowing(secrets));
        for text in ["one", "two", "three", "four", "five"] {
            let line = format!(" of data: {text}");
            let is_told = found.iter().any(|other| other.ends_with(&line));
            assert_eq!(is_told, texts.contains(&text), "{text}: {found:?}");
        }
        let said = |reason: &str| found.iter().filter(|line| line.ends_with(reason)).count();
        assert_eq!(said(": key unknown"), unknown, "{found:?}");
        // Of the third the first connection is not in the capture.
        assert_eq!(said("session it resumes was not captured"), 1, "{found:?}");
    };
    check(&secrets, &["one", "two", "four", "five"], 0);
    check(&secrets[..1], &["one", "two"], 2);
    check(&secrets[1..], &["four", "five"], 2);
    check(&[], &[], 4);
}

/// As where a proxy is asked for a connection, or mail servers for encryption.
#[test]
fn tls_may_begin_behind_much_else() {
    let (packets, secrets) = capture("http1");
    let expected = told(&packets, &mut knowing(&secrets));
    let chunk = [b'x'; 1000];
    for chunks in [1, 40_u32] {
        let mut more = packets[..3].to_vec();
        // Both numbers of a segment: each direction carries the same.
        let add = |kept: &mut Kept, count: u32| {
            for at in [before_tcp(kept) + 4, before_tcp(kept) + 8] {
                let number = u32::from_be_bytes(kept.data[at..at + 4].try_into().unwrap());
                kept.data[at..at + 4].copy_from_slice(&number.wrapping_add(count).to_be_bytes());
            }
        };
        for number in 0..chunks {
            // What acknowledges the server's opening, with data; and the same from the server.
            let mut kept = packets[2].clone();
            kept.data.extend(chunk);
            kept.orig_len = kept.data.len();
            let length = u16::try_from(kept.data.len() - 14).unwrap();
            kept.data[16..18].copy_from_slice(&length.to_be_bytes());
            add(&mut kept, number * 1000);
            more.push(kept.clone());
            for (first, second, length) in [(26, 30, 4), (34, 36, 2), (38, 42, 4)] {
                for at in 0..length {
                    kept.data.swap(first + at, second + at);
                }
            }
            more.push(kept);
        }
        for kept in &packets[3..] {
            let mut kept = kept.clone();
            add(&mut kept, chunks * 1000);
            more.push(kept);
        }
        assert_eq!(told(&more, &mut knowing(&secrets)), expected, "{chunks}");
    }
}

#[test]
fn plain_text_stands_in_the_place_of_the_payload() {
    let (packets, secrets) = capture("http1");
    let mut decryptor = knowing(&secrets);
    let mut seen = 0;
    for kept in &packets {
        decryptor.packet(&kept.packet());
        if let Some(plain) = decryptor.decrypted().plain {
            let before = locate::segment(&kept.packet()).unwrap().before;
            assert_eq!(plain[..before], kept.data[..before]);
            let text =
                plain[before..].starts_with(b"POST /") || plain[before..].starts_with(b"HTTP/1.1 ");
            seen += usize::from(text);
        }
    }
    assert_eq!(seen, 6);
}

#[test]
fn many_connections_do_not_need_much() {
    let (packets, _) = capture("http1");
    let mut decryptor = Decryptor::new(false);
    let opening = packets.iter().take(4).cloned().collect::<Vec<_>>();
    for number in 0..70_000_u32 {
        for kept in &opening {
            let mut kept = kept.clone();
            // Another client's address; hello and all, and no secret.
            let [_, a, b, c] = number.to_be_bytes();
            for at in [26, 30] {
                kept.data[at + 1..at + 4].copy_from_slice(&[a, b, c]);
            }
            kept.iface.link_type = LinkType::ETHERNET;
            decryptor.packet(&kept.packet());
        }
    }
    let (slots, bytes) = decryptor.connections.held();
    assert!(slots <= 1 << 16 && bytes <= 64 << 20, "{slots} {bytes}");
    assert!(slots > 10_000);
}
