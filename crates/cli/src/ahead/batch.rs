//! Packets that were read, kept to be printed by another thread.

use std::sync::Arc;

use pktwho_packet::{
    Confidence, Direction, Iface, Owner, Packet, Process, ProcessId, Reception, ThreadName,
    Timestamp,
};
use pktwho_print::{Drafter, Drafts, Names, Printer, Turn};
use rustc_hash::FxHashMap;

/// A batch is full with so many bytes of packets, or so many packets.
const BYTES: usize = 64 * 1024;
const PACKETS: usize = 1024;
/// Processes that are remembered as shared.
const PROCESSES: usize = 4096;

/// Packets and their texts.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    packets: Vec<Kept>,
    ifaces: Vec<Arc<Iface>>,
    owners: Vec<Ends>,
    drafts: Drafts,
}

/// Both ends' owners, the sender's first.
type Ends = [Option<KeptOwner>; 2];

/// A packet without what it borrows.
#[derive(Debug)]
struct Kept {
    time: Timestamp,
    turn: Turn,
    /// Where its bytes end; they begin where those of the one before end.
    end: usize,
    orig_len: u32,
    /// Positions in the batch's tables.
    iface: usize,
    owners: Option<usize>,
    direction: Direction,
    reception: Reception,
}

#[derive(Debug)]
struct KeptOwner {
    process: Arc<Process>,
    parent: Option<Arc<Process>>,
    tid: u32,
    thread: ThreadName,
    uid: Option<u32>,
    confidence: Confidence,
}

/// What many packets refer to, so that each is copied once.
#[derive(Debug, Default)]
pub struct Shared {
    /// By their numbers, which are unique among all files that are read.
    ifaces: FxHashMap<u32, Arc<Iface>>,
    /// By their serials, which are too.
    processes: FxHashMap<u64, Arc<Process>>,
    /// Their parents, which may have none.
    parents: FxHashMap<ProcessId, Arc<Process>>,
}

impl Shared {
    fn iface(&mut self, iface: &Iface) -> &Arc<Iface> {
        let new = || Arc::new(iface.clone());
        self.ifaces.entry(iface.id).or_insert_with(new)
    }

    fn process(&mut self, process: &Process) -> Arc<Process> {
        if self.processes.len() >= PROCESSES {
            self.processes.clear();
        }
        let new = || Arc::new(process.clone());
        Arc::clone(self.processes.entry(process.serial).or_insert_with(new))
    }

    fn parent(&mut self, parent: &Process) -> Arc<Process> {
        if self.parents.len() >= PROCESSES {
            self.parents.clear();
        }
        let new = || Arc::new(parent.clone());
        let known = self.parents.entry(parent.id).or_insert_with(new);
        if **known != *parent {
            *known = new();
        }
        Arc::clone(known)
    }

    fn owner(&mut self, owner: &Owner<'_>) -> KeptOwner {
        KeptOwner {
            process: self.process(owner.process),
            parent: owner.parent.map(|parent| self.parent(parent)),
            tid: owner.tid,
            thread: owner.thread,
            uid: owner.uid,
            confidence: owner.confidence,
        }
    }
}

impl KeptOwner {
    fn owner(&self) -> Owner<'_> {
        Owner {
            process: &self.process,
            parent: self.parent.as_deref(),
            tid: self.tid,
            thread: self.thread,
            uid: self.uid,
            confidence: self.confidence,
        }
    }
}

impl Batch {
    pub fn add(&mut self, packet: &Packet<'_>, turn: Turn, shared: &mut Shared) {
        self.bytes.extend_from_slice(packet.data);
        let id = packet.iface.id;
        let known = self.ifaces.iter().rposition(|iface| iface.id == id);
        let iface = known.unwrap_or_else(|| {
            self.ifaces.push(Arc::clone(shared.iface(packet.iface)));
            self.ifaces.len() - 1
        });
        let ends = [packet.sender, packet.receiver];
        let owners = ends.iter().any(Option::is_some).then(|| {
            let ends = ends.map(|end| end.as_ref().map(|owner| shared.owner(owner)));
            self.owners.push(ends);
            self.owners.len() - 1
        });
        self.packets.push(Kept {
            time: packet.time,
            turn,
            end: self.bytes.len(),
            orig_len: packet.orig_len,
            iface,
            owners,
            direction: packet.direction,
            reception: packet.reception,
        });
    }

    pub fn is_full(&self) -> bool {
        self.bytes.len() >= BYTES || self.packets.len() >= PACKETS
    }

    fn packet(&self, number: usize) -> Option<(Packet<'_>, Turn)> {
        let kept = self.packets.get(number)?;
        let before = number.checked_sub(1).and_then(|at| self.packets.get(at));
        let begin = before.map_or(0, |before| before.end);
        let ends = kept.owners.and_then(|at| self.owners.get(at));
        let [sender, receiver] = ends.map_or([None, None], |ends| {
            ends.each_ref()
                .map(|end| end.as_ref().map(KeptOwner::owner))
        });
        let packet = Packet {
            time: kept.time,
            iface: self.ifaces.get(kept.iface)?,
            data: self.bytes.get(begin..kept.end)?,
            orig_len: kept.orig_len,
            direction: kept.direction,
            reception: kept.reception,
            sender,
            receiver,
        };
        Some((packet, kept.turn))
    }

    /// Prints the packets as far as that can be done before their turn.
    pub fn draft(&mut self, drafter: &mut Drafter, names: &mut dyn Names) {
        let mut drafts = std::mem::take(&mut self.drafts);
        drafts.clear();
        for number in 0..self.packets.len() {
            if let Some((packet, turn)) = self.packet(number) {
                drafter.packet(&packet, &turn, names, &mut drafts);
            }
        }
        self.drafts = drafts;
    }

    /// Appends the packets' texts, in their turn.
    pub fn settle(&self, printer: &mut Printer, names: &mut dyn Names, out: &mut Vec<u8>) {
        printer.settle(&self.drafts, |number| self.packet(number), names, out);
    }

    /// Forgets the packets.
    pub fn clear(&mut self) {
        self.bytes.clear();
        // A packet of the greatest length fits.
        self.bytes.shrink_to(6 * BYTES);
        self.packets.clear();
        self.ifaces.clear();
        self.owners.clear();
    }
}
