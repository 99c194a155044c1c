//! What writing one packet costs: the whole call, down to a stream that throws all away.
//!
//! `cargo bench -p pktwho-capfile`. Each line is the best of several rounds, in nanoseconds.

#![expect(clippy::print_stdout, reason = "a measurement is there to be seen")]

use std::hint::black_box;
use std::io;
use std::time::Instant;

use pktwho_capfile::{PcapOptions, PcapWriter, PcapngOptions, PcapngWriter, Reader, Writer};
use pktwho_packet::{
    Confidence, Direction, Iface, LinkType, Owner, Packet, Process, ProcessId, Reception,
    ThreadName, Timestamp,
};

const PACKETS: u32 = 1_000_000;
const ROUNDS: u32 = 7;

fn iface() -> Iface {
    Iface {
        index: 2,
        name: "eth0".into(),
        link_type: LinkType::ETHERNET,
        snaplen: 262_144,
        ..Iface::default()
    }
}

fn process(pid: u32) -> Process {
    Process {
        id: ProcessId { pid, start: 1 },
        serial: u64::from(pid),
        name: b"curl".to_vec(),
        exe: b"/usr/bin/curl".to_vec(),
        args: vec![b"curl".to_vec(), b"https://example.org/".to_vec()],
        args_cut: false,
        parent: None,
        uid: Some(1000),
        container: None,
    }
}

fn owner(process: &Process) -> Owner<'_> {
    Owner {
        process,
        parent: None,
        tid: process.id.pid,
        thread: ThreadName::new(&process.name),
        uid: Some(1000),
        confidence: Confidence::Exact,
    }
}

/// The best round's nanoseconds for each call of `one`, which gets the call's number.
fn nanoseconds(mut one: impl FnMut(u32)) -> f64 {
    let round = |one: &mut dyn FnMut()| {
        let start = Instant::now();
        one();
        start.elapsed().as_secs_f64() * 1e9 / f64::from(PACKETS)
    };
    let mut all = || (0..PACKETS).for_each(&mut one);
    (0..ROUNDS)
        .map(|_| round(&mut all))
        .fold(f64::INFINITY, f64::min)
}

/// Writes packets of `len` bytes, owned by `ends(number)`.
fn write<'a>(
    name: &str,
    len: usize,
    mut writer: Writer<io::Sink>,
    ends: impl Fn(u32) -> (Option<Owner<'a>>, Option<Owner<'a>>),
) {
    let iface = iface();
    let data = vec![0x5a; len];
    let cost = nanoseconds(|number| {
        let (sender, receiver) = ends(number);
        let packet = Packet {
            time: Timestamp {
                secs: 1_700_000_000,
                nanos: number.into(),
            },
            iface: &iface,
            data: black_box(&data),
            orig_len: u32::try_from(len).unwrap_or(u32::MAX),
            direction: Direction::Out,
            reception: Reception::Unicast,
            sender,
            receiver,
        };
        assert!(writer.packet(black_box(&packet)).is_ok());
    });
    println!("{name:<44} {len:>5} bytes {cost:>7.1} ns");
}

fn pcap(link_type: LinkType) -> Writer<io::Sink> {
    let options = PcapOptions {
        link_type,
        ..PcapOptions::default()
    };
    Writer::Pcap(PcapWriter::new(io::sink(), options))
}

fn pcapng() -> Writer<io::Sink> {
    Writer::Pcapng(Box::new(PcapngWriter::new(
        io::sink(),
        PcapngOptions::default(),
    )))
}

fn read(name: &str, writer: impl FnOnce(&mut Vec<u8>)) {
    let mut file = Vec::new();
    writer(&mut file);
    let mut packets = 0_u32;
    let start = Instant::now();
    if let Ok(mut reader) = Reader::new(&file[..]) {
        while let Ok(Some(packet)) = reader.next() {
            packets += black_box(&packet).data.first().map_or(0, |_| 1);
        }
    }
    let cost = start.elapsed().as_secs_f64() * 1e9 / f64::from(packets.max(1));
    println!("{name:<44} {packets:>5} read  {cost:>7.1} ns");
}

fn main() {
    let processes: Vec<Process> = (1..=64).map(process).collect();
    let [first, second, ..] = &processes[..] else {
        return;
    };
    let many = |number: u32| processes.get(number as usize % 64).map(owner);
    for len in [64, 1400] {
        write("pcap", len, pcap(LinkType::ETHERNET), |_| (None, None));
        write("pcap, cooked", len, pcap(LinkType::LINUX_SLL2), |_| {
            (None, None)
        });
        write("pcapng, no owner", len, pcapng(), |_| (None, None));
        write("pcapng, one owner", len, pcapng(), |_| {
            (Some(owner(first)), None)
        });
        write("pcapng, owners at both ends", len, pcapng(), |_| {
            (Some(owner(first)), Some(owner(second)))
        });
        write("pcapng, 64 owners in turn", len, pcapng(), |number| {
            (many(number), None)
        });
    }
    let iface = iface();
    let packet = Packet {
        time: Timestamp { secs: 1, nanos: 1 },
        iface: &iface,
        data: &[0x5a; 64],
        orig_len: 64,
        direction: Direction::Out,
        reception: Reception::Unicast,
        sender: Some(owner(first)),
        receiver: None,
    };
    read("reading pcap", |file| {
        let mut writer = PcapWriter::new(file, PcapOptions::default());
        assert!((0..PACKETS).all(|_| writer.packet(&packet).is_ok()));
    });
    read("reading pcapng, one owner", |file| {
        let mut writer = PcapngWriter::new(file, PcapngOptions::default());
        assert!((0..PACKETS).all(|_| writer.packet(&packet).is_ok()));
    });
}
