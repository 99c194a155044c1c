//! What is written is read again: packets, devices, owners at both ends, statistics.

use pktwho_capfile::{
    Counters, Format, PcapOptions, PcapWriter, PcapngOptions, PcapngWriter, Reader, Writer,
};
use pktwho_packet::{
    Confidence, Direction, Iface, LinkType, Packet, Process, ProcessId, Reception, ThreadName,
    Timestamp, TimestampPrecision,
};
use proptest::prelude::*;

use crate::model::{OwnerModel, PacketModel, capture, read, write};

fn pcapng(packets: &[PacketModel], options: PcapngOptions, counters: Counters) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::Pcapng(Box::new(PcapngWriter::new(&mut file, options)));
    write(&mut writer, packets, counters).unwrap();
    let bytes = writer.bytes_written();
    drop(writer);
    assert_eq!(bytes, file.len() as u64);
    file
}

fn own_snaplens() -> PcapngOptions {
    PcapngOptions {
        hardware: "x86_64".into(),
        os: "Linux".into(),
        application: "a test".into(),
        snaplen: 0,
        cooked: false,
        filter: "tcp port 80".into(),
        comments: false,
        section: None,
    }
}

fn facts(packets: Vec<PacketModel>) -> Vec<PacketModel> {
    packets.into_iter().map(PacketModel::facts).collect()
}

proptest! {
    #[test]
    fn pcapng_keeps_everything(packets in capture()) {
        let counters = Counters {
            start: Some(Timestamp { secs: 1, nanos: 2 }),
            end: Some(Timestamp { secs: 3, nanos: 4 }),
            received: Some(5),
            dropped: Some(6),
            os_dropped: Some(7),
            owners_forgotten: Some(8),
        };
        let file = pcapng(&packets, own_snaplens(), counters);
        if packets.is_empty() {
            return Ok(());
        }
        let mut reader = Reader::new(&file[..]).unwrap();
        prop_assert_eq!(reader.precision(), TimestampPrecision::Nano);
        while reader.next().unwrap().is_some() {}
        prop_assert!(reader.counters().iter().all(|found| *found == counters));
        prop_assert_eq!(reader.losses(), Some(13 * reader.ifaces().len() as u64));
        prop_assert_eq!(facts(read(&file).unwrap()), facts(packets));
    }

    #[test]
    fn pcapng_is_the_same_after_a_second_round(packets in capture()) {
        prop_assume!(!packets.is_empty());
        let file = pcapng(&packets, own_snaplens(), Counters::default());
        let once = read(&file).unwrap();
        let again = pcapng(&once, own_snaplens(), Counters::default());
        prop_assert_eq!(facts(read(&again).unwrap()), facts(once));
    }

    #[test]
    fn pcap_keeps_packets(packets in capture(), nano in any::<bool>()) {
        let link_type = LinkType(101);
        let precision = if nano { TimestampPrecision::Nano } else { TimestampPrecision::Micro };
        let options = PcapOptions { link_type, snaplen: 50, precision };
        let mut file = Vec::new();
        let mut writer = Writer::Pcap(PcapWriter::new(&mut file, options));
        let mut expected = Vec::new();
        for mut packet in packets {
            packet.iface = Iface { link_type, ..packet.iface };
            packet.time.secs %= 1 << 32;
            writer.packet(&packet.packet()).unwrap();
            packet.iface = Iface { link_type, snaplen: 50, ..Iface::default() };
            packet.data.truncate(50);
            if !nano {
                packet.time.nanos -= packet.time.nanos % 1000;
            }
            (packet.sender, packet.receiver) = (None, None);
            (packet.direction, packet.reception) = Default::default();
            expected.push(packet);
        }
        writer.finish(&[]).unwrap();
        drop(writer);
        let reader = Reader::new(&file[..]).unwrap();
        prop_assert_eq!(reader.format(), Format::Pcap);
        prop_assert_eq!(reader.precision(), precision);
        prop_assert_eq!(read(&file).unwrap(), expected);
    }
}

fn owner(serial: u64, args: Vec<Vec<u8>>) -> OwnerModel {
    OwnerModel {
        process: Process {
            id: ProcessId {
                pid: u32::try_from(serial % 1000).unwrap(),
                start: serial,
            },
            serial,
            name: b"worker".to_vec(),
            args,
            ..Process::default()
        },
        parent: None,
        tid: 7,
        thread: ThreadName::new(b"worker"),
        uid: Some(0),
        confidence: Confidence::Exact,
    }
}

fn packet(owner: Option<OwnerModel>) -> PacketModel {
    PacketModel {
        time: Timestamp { secs: 1, nanos: 1 },
        iface: Iface {
            link_type: LinkType::ETHERNET,
            snaplen: 262_144,
            ..Iface::default()
        },
        data: b"data".to_vec(),
        orig_len: 4,
        direction: Direction::Out,
        reception: Reception::Unspecified,
        sender: owner,
        receiver: None,
    }
}

fn check_sender(sent: &[PacketModel]) -> Vec<u8> {
    let file = pcapng(sent, own_snaplens(), Counters::default());
    assert_eq!(facts(read(&file).unwrap()), facts(sent.to_vec()));
    file
}

#[test]
fn a_block_for_each_process_not_for_each_packet() {
    let sent: Vec<_> = (0..100)
        .map(|n| packet(Some(owner(n % 2, vec![]))))
        .collect();
    let file = check_sender(&sent);
    let blocks = file
        .windows(4)
        .filter(|bytes| *bytes == [1, 0, 0, 0x80])
        .count();
    assert_eq!(blocks, 2);
}

#[test]
fn a_second_thread_repeats_no_facts() {
    let args = vec![b"a long and winding argument".to_vec()];
    let mut second = owner(1, args.clone());
    second.tid = 8;
    second.thread = ThreadName::new(b"helper");
    let sent = [packet(Some(owner(1, args.clone()))), packet(Some(second))];
    let file = check_sender(&sent);
    assert_eq!(
        file.windows(args[0].len())
            .filter(|text| *text == args[0])
            .count(),
        1
    );
}

#[test]
fn changed_facts_get_a_new_block() {
    let before = owner(1, vec![b"before exec".to_vec()]);
    let mut after = owner(2, vec![b"after exec".to_vec()]);
    after.process.id = before.process.id;
    let sent = [before.clone(), after, before].map(|owner| packet(Some(owner)));
    check_sender(&sent);
}

#[test]
fn more_processes_than_are_remembered() {
    // Enough to make the writer forget twice, with old ones coming back.
    let sent: Vec<_> = (0..70_000).flat_map(|n| [n, n % 3]).collect();
    let sent: Vec<_> = sent
        .into_iter()
        .map(|n| packet(Some(owner(n, vec![]))))
        .collect();
    check_sender(&sent);
}

#[test]
fn processes_with_many_bytes_are_forgotten_sooner() {
    let args = vec![vec![b'x'; 60_000]];
    let sent: Vec<_> = (0..900)
        .map(|n| packet(Some(owner(n % 600, args.clone()))))
        .collect();
    check_sender(&sent);
}

#[test]
fn arguments_beyond_an_option_are_cut_and_said_to_be() {
    let args: Vec<_> = (0..100).map(|_| vec![0xff; 1000]).collect();
    let sent = packet(Some(owner(1, args.clone())));
    let file = pcapng(&[sent], own_snaplens(), Counters::default());
    let found = read(&file).unwrap().remove(0).sender.unwrap().process;
    assert!(found.args_cut);
    assert!(!found.args.is_empty() && args.starts_with(&found.args));
    assert_eq!(found.id.start, 1);
}

#[test]
fn monstrous_facts_are_cut() {
    let mut monster = owner(1, vec![]);
    monster.process.name = vec![0xff; 70_000];
    monster.process.exe = vec![b'\n'; 70_000];
    monster.parent = Some(monster.process.clone());
    monster.process.parent = Some(monster.process.id);
    let file = pcapng(
        &[packet(Some(monster))],
        own_snaplens(),
        Counters::default(),
    );
    let found = read(&file).unwrap().remove(0).sender.unwrap();
    assert_eq!((found.process.id.start, found.tid), (1, 7));
    assert!(found.process.name.len() > 1000 && found.process.name.iter().all(|&b| b == 0xff));
}

#[test]
fn a_long_packet_is_cut_to_the_snapshot_length() {
    let options = PcapngOptions {
        snaplen: 3,
        ..own_snaplens()
    };
    let file = pcapng(&[packet(None)], options, Counters::default());
    let found = read(&file).unwrap().remove(0);
    assert_eq!(
        (found.data.as_slice(), found.orig_len, found.iface.snaplen),
        (&b"dat"[..], 4, 3)
    );
}

#[test]
fn times_outside_the_formats_are_held_at_its_ends() {
    let early = PacketModel {
        time: Timestamp { secs: -5, nanos: 1 },
        ..packet(None)
    };
    let file = pcapng(&[early], own_snaplens(), Counters::default());
    assert_eq!(read(&file).unwrap()[0].time, Timestamp::default());
}

#[test]
fn a_device_without_packets_is_described_at_the_end() {
    let iface = Iface {
        name: "quiet0".into(),
        link_type: LinkType::ETHERNET,
        ..Iface::default()
    };
    let mut file = Vec::new();
    let mut writer = PcapngWriter::new(&mut file, PcapngOptions::default());
    let counters = Counters {
        dropped: Some(2),
        ..Counters::default()
    };
    writer.finish(&[(&iface, counters)]).unwrap();
    drop(writer);
    let mut reader = Reader::new(&file[..]).unwrap();
    assert!(reader.next().unwrap().is_none());
    assert_eq!(
        (reader.ifaces()[0].name.as_str(), reader.losses()),
        ("quiet0", Some(2))
    );
}

#[test]
fn a_broken_pipe_is_told_and_ends_the_writing() {
    struct Pipe(usize);
    impl std::io::Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            assert!(self.0 > 0, "written to after the error");
            self.0 -= 1;
            if self.0 == 0 {
                Err(std::io::ErrorKind::BrokenPipe.into())
            } else {
                Ok(bytes.len())
            }
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let packet = packet(None);
    let packet: Packet<'_> = packet.packet();
    let mut writer = PcapngWriter::new(Pipe(2), PcapngOptions::default());
    writer.packet(&packet).unwrap();
    writer.flush().unwrap();
    writer.packet(&packet).unwrap();
    for _ in 0..2 {
        let Err(pktwho_capfile::Error::Io(error)) = writer.flush() else {
            panic!("the pipe is broken");
        };
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    }
}

#[test]
fn a_file_of_one_link_type_refuses_others() {
    let mut writer = PcapWriter::new(
        Vec::new(),
        PcapOptions {
            link_type: LinkType::RAW,
            ..PcapOptions::default()
        },
    );
    let error = writer.packet(&packet(None).packet()).unwrap_err();
    assert!(matches!(
        error,
        pktwho_capfile::Error::LinkType {
            file: 101,
            packet: 1
        }
    ));
}
