//! A capture file of any kind, from any stream.

use std::collections::VecDeque;
use std::io::{self, Read};

use pktwho_packet::{
    Direction, Iface, LinkType, Packet, Process, ProcessId, Timestamp, TimestampPrecision,
};

use crate::bytes::Endian;
use crate::counters::Counters;
use crate::error::{Error, Part};
use crate::event::{Block, Described, Event, Metadata};
use crate::input::Input;
use crate::limits::{MAX_IFACE_OPTIONS, MAX_OPENING};
use crate::numbers::Numbers;
use crate::pcap_reader::{self, PcapReader};
use crate::pcapng::reader::{Found, PcapngReader};
use crate::pcapng::{self, block, little};
use crate::pktap::{Pktap, is_pktap};
use crate::process_comment::plain_entry;
use crate::process_table::ProcessTable;
use crate::record::Record;

/// Which of the two formats a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Pcap,
    Pcapng,
}

#[derive(Debug)]
enum State {
    Pcap(PcapReader),
    Pcapng(PcapngReader),
}

/// What is known of the file beside its packets.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) ifaces: Vec<Iface>,
    /// One for each of `ifaces`.
    pub(crate) counters: Vec<Counters>,
    pub(crate) processes: ProcessTable,
    pub(crate) numbers: Numbers,
    /// One for each of `ifaces`.
    pub(crate) described: Vec<Described>,
    described_bytes: usize,
    /// Options of the first section header, little-endian, without their end.
    pub(crate) section: Option<Vec<u8>>,
    /// Blocks that stood before the first packet could come, to be given as events.
    opening: VecDeque<Opening>,
    opening_bytes: usize,
}

/// A block that was read before it was asked for.
#[derive(Debug)]
struct Opening {
    block_type: u32,
    body: Vec<u8>,
    endian: Endian,
}

impl Facts {
    /// Keeps the options of a device's description, if there is room.
    pub(crate) fn describe(&mut self, options: &[u8], endian: Endian) {
        let room = MAX_IFACE_OPTIONS.saturating_sub(self.described_bytes);
        let options = (options.len() <= room).then(|| {
            let mut kept = Vec::new();
            little::write_options(&mut kept, block::INTERFACE_DESCRIPTION, options, endian);
            kept.into_boxed_slice()
        });
        self.described_bytes += options.as_ref().map_or(0, |options| options.len());
        self.described.push(Described { options });
    }

    /// Keeps a block that stands before the first packet, if there is room.
    pub(crate) fn keep_opening(&mut self, block_type: u32, body: &[u8], endian: Endian) {
        self.opening_bytes = self.opening_bytes.saturating_add(body.len());
        if self.opening_bytes <= MAX_OPENING {
            self.opening.push_back(Opening {
                block_type,
                body: body.to_vec(),
                endian,
            });
        }
    }
}

/// Reads packets from a pcap or pcapng stream: a file, a pipe, standard input.
///
/// Holds one record and the facts of recent processes, whatever the file says. A damaged file
/// gives every packet up to the fault, then one error, then nothing.
#[derive(Debug)]
pub struct Reader<R> {
    input: Input<R>,
    state: State,
    facts: Facts,
    /// The block of `Facts::opening` that was given last.
    opened: Option<Opening>,
    /// The packet found last.
    record: Record,
    /// What [`Self::coming`] found.
    held: Option<Found>,
    at_end: bool,
}

/// What [`Reader::event`] will give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coming {
    /// A packet of that time.
    Packet(Timestamp),
    /// A block that holds no packet.
    Block,
}

impl<R: Read> Reader<R> {
    /// Reads as far as the first device's description, so that [`Self::link_type`] is known.
    ///
    /// # Errors
    /// When the stream cannot be read, or does not begin like a capture file.
    pub fn new(source: R) -> Result<Self, Error> {
        Self::with_numbers(source, Numbers::default())
    }

    /// The same for one of several files whose packets go together: devices and processes have
    /// numbers that are unique among all readers with these `numbers`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_numbers(source: R, numbers: Numbers) -> Result<Self, Error> {
        let mut input = Input::new(source);
        let mut facts = Facts {
            processes: ProcessTable::new(numbers.clone()),
            numbers,
            ..Facts::default()
        };
        let got = input.fill(4)?;
        let Some(magic) = input.peek_array::<4>() else {
            return Err(Error::Truncated {
                part: Part::FileHeader,
                wanted: 4,
                got,
            });
        };
        let state = if pcap_reader::is_pcap(magic) {
            let (reader, mut iface) = PcapReader::open(&mut input)?;
            iface.id = facts.numbers.next_iface();
            facts.ifaces.push(iface);
            facts.described.push(Described::default());
            facts.counters.push(Counters::default());
            State::Pcap(reader)
        } else {
            State::Pcapng(PcapngReader::open(&mut input, &mut facts)?)
        };
        Ok(Self {
            input,
            state,
            facts,
            opened: None,
            record: Record::default(),
            held: None,
            at_end: false,
        })
    }

    /// The next packet; `None` at the end, and after an error.
    ///
    /// [`Packet::orig_len`] is what the file says, and a malformed file may say less than it
    /// holds of the packet.
    ///
    /// # Errors
    /// When the stream cannot be read, ends within a record, or makes no sense. Where reading
    /// would block nothing is lost, and `next` may be called again.
    #[expect(
        clippy::should_implement_trait,
        reason = "the packet borrows the reader, which Iterator cannot say"
    )]
    pub fn next(&mut self) -> Result<Option<Packet<'_>>, Error> {
        self.facts.opening.clear();
        loop {
            match self.found()? {
                Some(Found::Packet) => return self.packet().map(Some),
                Some(Found::Block(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// The next packet with all that is said of it, or the next block of another kind; `None`
    /// at the end, and after an error. A classic file has only packets.
    ///
    /// # Errors
    /// As [`Self::next`].
    #[inline]
    pub fn event(&mut self) -> Result<Option<Event<'_>>, Error> {
        if let Some(opened) = self.facts.opening.pop_front() {
            return Ok(Some(Event::Block(self.opening(opened))));
        }
        match self.found()? {
            Some(Found::Packet) => Ok(Some(Event::Packet(self.packet()?, self.metadata()))),
            Some(Found::Block(block)) => Ok(Some(Event::Block(self.block(block)))),
            None => Ok(None),
        }
    }

    /// What the next call of [`Self::event`] will give; `None` at the end.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn coming(&mut self) -> Result<Option<Coming>, Error> {
        if !self.facts.opening.is_empty() {
            return Ok(Some(Coming::Block));
        }
        if self.held.is_none() {
            self.held = self.found()?;
        }
        Ok(self.held.as_ref().map(|found| match found {
            Found::Packet => Coming::Packet(self.record.time),
            Found::Block(_) => Coming::Block,
        }))
    }

    #[inline]
    fn found(&mut self) -> Result<Option<Found>, Error> {
        if self.held.is_some() {
            return Ok(self.held.take());
        }
        if self.at_end {
            return Ok(None);
        }
        let record = &mut self.record;
        let found = match &mut self.state {
            State::Pcap(pcap) => pcap
                .next(&mut self.input, record)
                .map(|found| found.then_some(Found::Packet)),
            State::Pcapng(pcapng) => pcapng.next(&mut self.input, &mut self.facts, record),
        };
        match &found {
            Ok(Some(Found::Packet)) => {
                let iface = self.facts.ifaces.get(self.record.iface);
                if iface.is_some_and(|iface| is_pktap(iface.link_type)) {
                    self.find_in_header();
                }
            }
            Ok(Some(Found::Block(_))) => {}
            Ok(None) => self.at_end = true,
            Err(error) => self.at_end = !would_block(error),
        }
        found
    }

    /// Takes direction and process from a header of Apple's, where nothing else tells them.
    fn find_in_header(&mut self) {
        let record = &mut self.record;
        let Some(header) = Pktap::parse(self.input.get(record.data.clone())) else {
            return;
        };
        if record.direction == Direction::Unknown {
            record.direction = header.direction();
        }
        let Some(process) = header
            .process
            .filter(|_| record.sender.is_none() && record.receiver.is_none())
        else {
            return;
        };
        let words = [&process.pid.to_le_bytes()[..], process.name].concat();
        let found = self.facts.processes.noted(&words, || {
            Some(plain_entry(Process {
                id: ProcessId {
                    pid: process.pid,
                    start: 0,
                },
                name: process.name.to_vec(),
                ..Process::default()
            }))
        });
        match record.direction {
            Direction::In => record.receiver = found,
            Direction::Out | Direction::Unknown => record.sender = found,
        }
    }

    fn opening(&mut self, opened: Opening) -> Block<'_> {
        // Up to the first device there is none that a block could count for.
        let iface = (opened.block_type == block::INTERFACE_DESCRIPTION).then_some(0);
        let opened = self.opened.insert(opened);
        Block {
            kind: opened.block_type,
            body: &opened.body,
            endian: opened.endian,
            iface: iface.and_then(|position| iface_at(&self.facts, position)),
        }
    }

    fn block(&self, found: pcapng::reader::Block) -> Block<'_> {
        let body = self.input.get(found.body);
        let (endian, position) = match &self.state {
            State::Pcap(_) => (Endian::Little, None),
            State::Pcapng(reader) => (reader.endian(), reader.iface_of(found.block_type, body)),
        };
        Block {
            kind: found.block_type,
            body,
            endian,
            iface: position.and_then(|position| iface_at(&self.facts, position)),
        }
    }

    #[inline]
    fn metadata(&self) -> Metadata<'_> {
        let record = &self.record;
        let endian = match &self.state {
            State::Pcap(_) => return Metadata::default(),
            State::Pcapng(reader) => reader.endian(),
        };
        let entry = |number| self.facts.processes.get(number);
        Metadata {
            described: self.facts.described.get(record.iface),
            options: self.input.get(record.options.clone()),
            endian,
            count: record.count,
            form: record.form,
            process: record.process.and_then(entry),
            other: record.other.and_then(entry),
        }
    }

    #[inline]
    fn packet(&self) -> Result<Packet<'_>, Error> {
        let record = &self.record;
        let owner = |id| self.facts.processes.owner(id);
        let iface = self.facts.ifaces.get(record.iface);
        let id = u32::try_from(record.iface).unwrap_or(u32::MAX);
        Ok(Packet {
            time: record.time,
            iface: iface.ok_or(Error::UnknownInterface { id })?,
            data: self.input.get(record.data.clone()),
            orig_len: record.orig_len,
            direction: record.direction,
            reception: record.reception,
            sender: record.sender.and_then(owner),
            receiver: record.receiver.and_then(owner),
        })
    }

    /// Which kind of file it is.
    pub fn format(&self) -> Format {
        match self.state {
            State::Pcap(_) => Format::Pcap,
            State::Pcapng(_) => Format::Pcapng,
        }
    }

    /// What the file says of the machine and the program that wrote it, as options of its first
    /// section; for [`PcapngOptions::section`](crate::PcapngOptions::section).
    pub fn section(&self) -> Option<&[u8]> {
        self.facts.section.as_deref()
    }

    /// The devices described so far; a pcapng file may bring more with every packet.
    pub fn ifaces(&self) -> &[Iface] {
        &self.facts.ifaces
    }

    /// Link type of the first device, as tcpdump reports it.
    pub fn link_type(&self) -> LinkType {
        self.facts
            .ifaces
            .first()
            .map_or_else(LinkType::default, |iface| iface.link_type)
    }

    /// Snapshot length of the first device, as tcpdump reports it.
    pub fn snaplen(&self) -> u32 {
        self.facts.ifaces.first().map_or(0, |iface| iface.snaplen)
    }

    /// How finely the file stores times (pcapng: at its first device).
    pub fn precision(&self) -> TimestampPrecision {
        match &self.state {
            State::Pcap(pcap) => pcap.precision(),
            State::Pcapng(pcapng) => pcapng.precision(),
        }
    }

    /// The statistics found so far, one for each of [`Self::ifaces`]. pcapng files have them
    /// at their end.
    pub fn counters(&self) -> &[Counters] {
        &self.facts.counters
    }

    /// Packets that the capture lost, over all devices; `None` when the file does not say.
    pub fn losses(&self) -> Option<u64> {
        let drops = |counters: &Counters| match (counters.dropped, counters.os_dropped) {
            (None, None) => None,
            (dropped, os) => Some(dropped.unwrap_or(0).saturating_add(os.unwrap_or(0))),
        };
        let known = self.facts.counters.iter().filter_map(drops);
        known.reduce(u64::saturating_add)
    }

    /// Bytes of the stream that whole records have used so far.
    pub fn offset(&self) -> u64 {
        self.input.offset()
    }
}

fn iface_at(facts: &Facts, position: usize) -> Option<(&Iface, &Described)> {
    facts
        .ifaces
        .get(position)
        .zip(facts.described.get(position))
}

fn would_block(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
}
