//! Random captures: devices, processes and packets, as owned values.

use std::collections::HashMap;
use std::sync::Arc;

use pktwho_capfile::{Counters, Error, Reader, Writer};
use pktwho_packet::{
    Confidence, Container, Direction, Iface, Label, LinkType, NetnsId, Owner, Packet, Pod, Process,
    ProcessId, Reception, ThreadName, Timestamp,
};
use proptest::prelude::*;
use proptest::{collection, option, sample};

/// An owner, by value.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnerModel {
    pub process: Process,
    pub parent: Option<Process>,
    pub tid: u32,
    pub thread: ThreadName,
    pub uid: Option<u32>,
    pub confidence: Confidence,
}

impl OwnerModel {
    fn of(owner: Owner<'_>) -> Self {
        Self {
            process: owner.process.clone(),
            parent: owner.parent.cloned(),
            tid: owner.tid,
            thread: owner.thread,
            uid: owner.uid,
            confidence: owner.confidence,
        }
    }

    pub fn owner(&self) -> Owner<'_> {
        Owner {
            process: &self.process,
            parent: self.parent.as_ref(),
            tid: self.tid,
            thread: self.thread,
            uid: self.uid,
            confidence: self.confidence,
        }
    }

    /// Serials are the source's own.
    fn without_serials(mut self) -> Self {
        self.process.serial = 0;
        if let Some(parent) = &mut self.parent {
            parent.serial = 0;
            // Where the parent runs is not stored.
            parent.container = None;
        }
        self
    }
}

/// A packet, by value.
#[derive(Clone, Debug, PartialEq)]
pub struct PacketModel {
    pub time: Timestamp,
    pub iface: Iface,
    pub data: Vec<u8>,
    pub orig_len: u32,
    pub direction: Direction,
    pub reception: Reception,
    pub sender: Option<OwnerModel>,
    pub receiver: Option<OwnerModel>,
}

impl PacketModel {
    fn of(packet: &Packet<'_>) -> Self {
        Self {
            time: packet.time,
            iface: packet.iface.clone(),
            data: packet.data.to_vec(),
            orig_len: packet.orig_len,
            direction: packet.direction,
            reception: packet.reception,
            sender: packet.sender.map(OwnerModel::of),
            receiver: packet.receiver.map(OwnerModel::of),
        }
    }

    pub fn packet(&self) -> Packet<'_> {
        Packet {
            time: self.time,
            iface: &self.iface,
            data: &self.data,
            orig_len: self.orig_len,
            direction: self.direction,
            reception: self.reception,
            sender: self.sender.as_ref().map(OwnerModel::owner),
            receiver: self.receiver.as_ref().map(OwnerModel::owner),
        }
    }

    /// What must be the same in any file: not the numbers that a source gives by itself.
    pub fn facts(mut self) -> Self {
        self.iface.id = 0;
        self.sender = self.sender.map(OwnerModel::without_serials);
        self.receiver = self.receiver.map(OwnerModel::without_serials);
        self
    }
}

fn bytes(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        collection::vec(any::<u8>(), 0..=longest),
        "[ -~]{0,15}".prop_map(move |text| text.bytes().take(longest).collect()),
    ]
}

fn labels() -> impl Strategy<Value = Vec<Label>> {
    let labels = collection::btree_map(bytes(10), bytes(20), 0..4);
    labels.prop_map(|labels| labels.into_iter().collect())
}

prop_compose! {
    fn pod()(
        name in bytes(10), namespace in bytes(10), uid in bytes(10), labels in labels(),
        annotations in labels(),
    ) -> Pod {
        Pod { name, namespace, uid, labels, annotations }
    }
}

prop_compose! {
    fn container()(
        id in collection::vec(any::<u8>(), 1..20), name in bytes(10), image in bytes(20),
        labels in labels(), pod in option::of(pod()), runtime in bytes(5),
    ) -> Container {
        Container { id, name, image, labels, pod, runtime }
    }
}

prop_compose! {
    fn process()(
        pid in any::<u32>(), start in any::<u64>(), name in bytes(20), exe in bytes(60),
        args in collection::vec(bytes(40), 0..5), args_cut in any::<bool>(),
        parent in option::of((any::<u32>(), any::<u64>())), uid in option::of(any::<u32>()),
        container in option::of(container()),
    ) -> Process {
        let container = container.map(Arc::new);
        let parent = parent.map(|(pid, start)| ProcessId { pid, start });
        Process { id: ProcessId { pid, start }, serial: 0, name, exe, args, args_cut, parent, uid, container }
    }
}

fn confidence() -> impl Strategy<Value = Confidence> {
    sample::select(vec![Confidence::Exact, Confidence::Flow, Confidence::Guess])
}

prop_compose! {
    /// An owner out of `processes`; its parent's facts are known or not.
    fn owner(processes: Vec<Process>)(
        process in sample::select(processes.clone()), parent in option::of(sample::select(processes)),
        tid in prop_oneof![Just(0), 1..4_u32, any::<u32>()], thread in bytes(15).prop_map(|name| ThreadName::new(&name)),
        uid in option::of(any::<u32>()), confidence in confidence(),
    ) -> OwnerModel {
        let mut process = process;
        if let Some(parent) = &parent {
            // One serial for each set of facts: the parent's id is one of them.
            process.parent = Some(parent.id);
            process.serial = process.serial << 32 | parent.serial;
        }
        OwnerModel { process, parent, tid, thread, uid, confidence }
    }
}

prop_compose! {
    fn iface()(
        index in any::<u32>(), name in "[a-z0-9@.:é-]{0,15}", link in sample::select(vec![1_u16, 101, 276, 4000]),
        snaplen in 100..300_000_u32, description in option::of("[ -~é]{1,20}"),
        mac in option::of(any::<[u8; 6]>()), speed in option::of(any::<u64>()),
        netns in option::of(1..=u32::MAX),
    ) -> Iface {
        Iface {
            id: 0, index, name, link_type: LinkType(link), snaplen, description, mac, speed,
            netns: netns.map(NetnsId),
        }
    }
}

prop_compose! {
    fn packet(ifaces: Vec<Iface>, processes: Vec<Process>)(
        iface in sample::select(ifaces), secs in 0..9_000_000_000_i64, nanos in 0..1_000_000_000_u64,
        data in collection::vec(any::<u8>(), 0..100), more in 0..3_u32,
        direction in sample::select(vec![Direction::Unknown, Direction::In, Direction::Out]),
        reception in sample::select(vec![
            Reception::Unspecified, Reception::Unicast, Reception::Multicast,
            Reception::Broadcast, Reception::Promiscuous,
        ]),
        sender in option::of(owner(processes.clone())), receiver in option::of(owner(processes)),
    ) -> PacketModel {
        let orig_len = u32::try_from(data.len()).unwrap() + more;
        let time = Timestamp { secs, nanos };
        PacketModel { time, iface, data, orig_len, direction, reception, sender, receiver }
    }
}

/// A capture of a few packets from a few devices, owned by a few processes.
pub fn capture() -> impl Strategy<Value = Vec<PacketModel>> {
    let ifaces = collection::vec(iface(), 1..4);
    let processes = collection::vec(process(), 1..5);
    (ifaces, processes).prop_flat_map(|(mut ifaces, mut processes)| {
        for (id, iface) in (0..).zip(&mut ifaces) {
            iface.id = id;
        }
        for (serial, process) in (1..).zip(&mut processes) {
            process.serial = serial;
        }
        collection::vec(packet(ifaces, processes), 0..30)
    })
}

/// Writes packets, and the counters of every device at the end.
pub fn write(
    writer: &mut Writer<impl std::io::Write>,
    packets: &[PacketModel],
    counters: Counters,
) -> Result<(), Error> {
    for packet in packets {
        writer.packet(&packet.packet())?;
    }
    let devices: HashMap<u32, &Iface> = packets
        .iter()
        .map(|packet| (packet.iface.id, &packet.iface))
        .collect();
    let counters: Vec<_> = devices.values().map(|iface| (*iface, counters)).collect();
    writer.finish(&counters)
}

/// Reads all packets.
pub fn read(file: &[u8]) -> Result<Vec<PacketModel>, Error> {
    let mut reader = Reader::new(file)?;
    let mut packets = Vec::new();
    while let Some(packet) = reader.next()? {
        packets.push(PacketModel::of(&packet));
    }
    Ok(packets)
}
