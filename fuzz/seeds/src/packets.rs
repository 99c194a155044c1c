//! Inputs out of packets: each in front of the bytes that say how it is printed.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use pktwho_capfile::Reader;
use pktwho_packet::LinkType;

use crate::Inputs;

/// Most bytes of a packet.
const MAX: usize = 2048;

/// Flags of the style and how verbose: some of each.
const STYLES: [[u8; 2]; 5] = [[0, 0], [0x44, 1], [0x80, 2], [2, 3], [0xe0, 4]];

/// Every packet: link type and bytes.
fn all(paths: &[PathBuf]) -> Vec<(LinkType, Vec<u8>)> {
    paths.iter().flat_map(of_file).collect()
}

/// Those of one file.
fn of_file(path: &PathBuf) -> Vec<(LinkType, Vec<u8>)> {
    let mut packets = Vec::new();
    // Some of the files are damaged on purpose: what comes before that counts.
    let reader = File::open(path).ok().map(BufReader::new).map(Reader::new);
    let Some(Ok(mut reader)) = reader else {
        return packets;
    };
    while let Ok(Some(packet)) = reader.next() {
        let data = packet.data.get(..MAX).unwrap_or(packet.data);
        packets.push((packet.iface.link_type, data.to_vec()));
    }
    packets
}

fn style(number: usize) -> [u8; 2] {
    STYLES[number % STYLES.len()]
}

/// For `link`.
pub fn of_links(paths: &[PathBuf]) -> Inputs {
    let packets = all(paths).into_iter().enumerate();
    let input = |(number, (link_type, data)): (usize, (LinkType, Vec<u8>))| {
        let [high, low] = link_type.0.to_be_bytes();
        let [flags, verbose] = style(number);
        [vec![high, low, flags, verbose, 0], data].concat()
    };
    packets.map(input).collect()
}

/// What a packet carries: the way to say so, the number's two bytes, and the payload.
struct Carried<'a> {
    way: u8,
    number: [u8; 2],
    payload: &'a [u8],
}

impl<'a> Carried<'a> {
    /// What the link layer carries.
    fn by_link(link_type: LinkType, data: &'a [u8]) -> Option<Self> {
        let (number, payload) = match link_type {
            LinkType::ETHERNET => (data.get(12..14)?, data.get(14..)?),
            LinkType::RAW if data.first()? >> 4 == 4 => (&[8, 0][..], data),
            LinkType::RAW => (&[0x86, 0xdd][..], data),
            _ => return None,
        };
        Some(Self {
            way: 0,
            number: number.try_into().ok()?,
            payload,
        })
    }

    /// What IPv4 or IPv6 within it carries.
    fn by_network(&self) -> Option<Self> {
        let (way, protocol, size) = match self.number {
            [8, 0] => (
                1,
                *self.payload.get(9)?,
                usize::from(self.payload.first()? & 15) * 4,
            ),
            [0x86, 0xdd] => (2, *self.payload.get(6)?, 40),
            _ => return None,
        };
        Some(Self {
            way,
            number: [0, protocol],
            payload: self.payload.get(size..)?,
        })
    }
}

/// For `network`.
pub fn of_networks(paths: &[PathBuf]) -> Inputs {
    let mut inputs = Vec::new();
    for (number, (link_type, data)) in all(paths).iter().enumerate() {
        let link = Carried::by_link(*link_type, data);
        let network = link.as_ref().and_then(Carried::by_network);
        for carried in [link, network].into_iter().flatten() {
            let [high, low] = carried.number;
            let [flags, verbose] = style(number);
            let head = vec![carried.way, high, low, flags, verbose, 0];
            inputs.push([&head[..], carried.payload].concat());
        }
    }
    inputs
}

/// For `port`.
pub fn of_ports(paths: &[PathBuf]) -> Inputs {
    let mut inputs = Vec::new();
    for (number, (link_type, data)) in all(paths).iter().enumerate() {
        let carried = Carried::by_link(*link_type, data);
        let Some(carried) = carried.and_then(|link| link.by_network()) else {
            continue;
        };
        let segment = carried.payload;
        let (tcp, size) = match carried.number {
            [0, 6] => (1, segment.get(12).map_or(0, |it| usize::from(it >> 4) * 4)),
            [0, 17] => (0, 8),
            _ => continue,
        };
        let (Some(ports), Some(payload)) = (segment.get(..4), segment.get(size..)) else {
            continue;
        };
        let [flags, verbose] = style(number);
        for (way, ports) in [(0, &ports[..2]), (2, &ports[2..])] {
            let head = [tcp | way, ports[0], ports[1], flags, verbose, 0];
            inputs.push([&head[..], payload].concat());
        }
    }
    inputs
}

/// For `drafts`: packets that follow each other, of a file and of one link type, a few at a time.
pub fn of_drafts(paths: &[PathBuf]) -> Inputs {
    let mut inputs = Vec::new();
    for packets in paths.iter().map(of_file) {
        for (number, some) in packets.chunks(24).enumerate() {
            let number = number + inputs.len();
            let [flags, verbose] = style(number);
            let more = u8::try_from(number % 256).unwrap_or(0);
            let link_type = some.first().map_or(LinkType::ETHERNET, |first| first.0);
            let [high, low] = link_type.0.to_be_bytes();
            let mut input = vec![flags, verbose, more, high, low, more];
            for (data, ends) in some.iter().map(|packet| &packet.1).zip((0..4).cycle()) {
                let data = data.get(..240).unwrap_or(data);
                let size = u8::try_from(data.len()).unwrap_or(u8::MAX);
                // The second device; a batch ends behind every fourth.
                input.extend([if ends == 3 { 0x41 } else { 1 }, 11, size, 0]);
                input.extend_from_slice(data);
            }
            inputs.push(input);
        }
    }
    inputs
}
