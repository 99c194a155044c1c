//! A capture file of any kind, from any stream.

use std::io::{self, Read};

use pktwho_packet::{Iface, LinkType, Packet, TimestampPrecision};

use crate::counters::Counters;
use crate::error::{Error, Part};
use crate::input::Input;
use crate::pcap_reader::{self, PcapReader};
use crate::pcapng::reader::PcapngReader;
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
    at_end: bool,
}

impl<R: Read> Reader<R> {
    /// Reads as far as the first device's description, so that [`Self::link_type`] is known.
    ///
    /// # Errors
    /// When the stream cannot be read, or does not begin like a capture file.
    pub fn new(source: R) -> Result<Self, Error> {
        let mut input = Input::new(source);
        let mut facts = Facts::default();
        let got = input.fill(4)?;
        let Some(magic) = input.peek_array::<4>() else {
            return Err(Error::Truncated {
                part: Part::FileHeader,
                wanted: 4,
                got,
            });
        };
        let state = if pcap_reader::is_pcap(magic) {
            let (reader, iface) = PcapReader::open(&mut input)?;
            facts.ifaces.push(iface);
            facts.counters.push(Counters::default());
            State::Pcap(reader)
        } else {
            State::Pcapng(PcapngReader::open(&mut input, &mut facts)?)
        };
        Ok(Self {
            input,
            state,
            facts,
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
        if self.at_end {
            return Ok(None);
        }
        let record = match &mut self.state {
            State::Pcap(pcap) => pcap.next(&mut self.input),
            State::Pcapng(pcapng) => pcapng.next(&mut self.input, &mut self.facts),
        };
        match record {
            Ok(Some(record)) => self.packet(record).map(Some),
            Ok(None) => {
                self.at_end = true;
                Ok(None)
            }
            Err(error) => {
                self.at_end = !would_block(&error);
                Err(error)
            }
        }
    }

    fn packet(&self, record: Record) -> Result<Packet<'_>, Error> {
        let owner = |id| self.facts.processes.owner(id);
        let iface = self.facts.ifaces.get(record.iface);
        let id = u32::try_from(record.iface).unwrap_or(u32::MAX);
        Ok(Packet {
            time: record.time,
            iface: iface.ok_or(Error::UnknownInterface { id })?,
            data: self.input.get(record.data),
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

fn would_block(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
}
