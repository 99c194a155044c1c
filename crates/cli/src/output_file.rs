//! The file of `-w`, in either format; or the files, when it is a series.
//!
//! Promises: each file is whole by itself; after a failure what stands in it can be read.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use pktwho_capfile::{
    Block, Counters, Error, KeptBlock, Like, Metadata, PcapOptions, PcapWriter, PcapngOptions,
    PcapngWriter, Writer,
};
use pktwho_packet::{Iface, LinkType, Packet, Process};
use pktwho_print::Context;
use pktwho_probe::RawPacket;

use crate::failure;
use crate::ownership;
use crate::plan::{Format, Target};
use crate::postrotate::Postrotate;
use crate::privileges;
use crate::reduced::reduced;
use crate::rotation::{Next, Series};
use crate::secrets::PRIVATE;
use crate::sink::{SourceFacts, say};
use crate::text;

/// A capture file being written, or a series of them.
pub struct OutputFile {
    target: Target,
    /// The file that is open; none before the first packet of a series by time.
    open: Option<Open>,
    /// The file before it, of a live series: it waits for the counters that end it.
    ended: Option<Open>,
    series: Series,
    postrotate: Postrotate,
    /// How each file of the series begins.
    start: Start,
    /// Blocks that every file of the series needs.
    lasting: Vec<KeptBlock>,
    lasting_bytes: usize,
    /// Packets that no file took, those apart that its writer had already.
    refused: u64,
}

/// The file that is open.
struct Open {
    writer: Writer<File>,
    path: PathBuf,
    /// Another hold on the file, if it is one that can be cut.
    file: Option<File>,
}

/// What a file says before its first packet.
#[derive(Clone)]
pub struct Start {
    pcap: PcapOptions,
    pcapng: PcapngOptions,
    ifaces: Vec<Iface>,
    /// Whether devices, and all else that is said of packets, come from the file that is read.
    carries: bool,
    now: Option<i64>,
}

impl Start {
    pub fn new(target: &Target, source: &SourceFacts<'_>) -> Self {
        let pcapng = pcapng(target, source);
        let carries = source.section.is_some()
            && target.format == Format::Pcapng
            && target.context == Context::default()
            && !pcapng.cooked;
        Self {
            pcap: pcap(target, source),
            pcapng: PcapngOptions {
                section: source.section.clone().filter(|_| carries),
                ..pcapng
            },
            ifaces: source.ifaces.to_vec(),
            carries,
            now: source.now,
        }
    }

    /// The link type of all its packets, if they are to have one and keep their own headers.
    pub fn link_type(&self, format: Format) -> Option<LinkType> {
        match format {
            Format::Pcap => Some(self.pcap.link_type).filter(|it| *it != LinkType::LINUX_SLL2),
            Format::Pcapng if self.pcapng.cooked => None,
            Format::Pcapng => self.ifaces.first().map(|iface| iface.link_type),
        }
    }

    /// The same for the packets of one link type.
    pub fn of(&self, link_type: LinkType) -> Self {
        let mut start = self.clone();
        start.pcap.link_type = link_type;
        start.pcapng.cooked = false;
        start.ifaces.retain(|iface| iface.link_type == link_type);
        start
    }
}

/// Bytes of secrets and names that are kept for the files of a series.
const MAX_LASTING: usize = 16 * 1024 * 1024;

impl OutputFile {
    /// Creates the file, or takes standard output.
    ///
    /// # Errors
    /// In tcpdump's words: the path and the reason.
    pub fn create(target: Target, start: Start) -> Result<Self> {
        let now = start.now;
        let by_time = target.rotation.seconds.is_some();
        let mut created = Self {
            open: None,
            ended: None,
            series: Series::new(target.rotation, &target.path, now.unwrap_or(0)),
            postrotate: Postrotate::new(target.postrotate.clone(), target.user.clone()),
            start,
            lasting: Vec::new(),
            lasting_bytes: 0,
            refused: 0,
            target,
        };
        if now.is_some() || !by_time {
            created.open_next()?;
        }
        Ok(created)
    }

    /// Opens the file of the series that is due.
    fn open_next(&mut self) -> Result<()> {
        let path = self.series.path();
        let file = if path == Path::new("-") {
            text::stdout()?
        } else {
            self.create_file(&path)
                .map_err(failure::worded)
                .with_context(|| path.display().to_string())?
        };
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        let second = file.try_clone().ok().filter(|_| is_file);
        let writer = match self.target.format {
            Format::Pcap => Writer::Pcap(PcapWriter::new(file, self.start.pcap)),
            Format::Pcapng => {
                let options = self.start.pcapng.clone();
                Writer::Pcapng(Box::new(PcapngWriter::new(file, options)))
            }
        };
        let mut open = Open {
            writer,
            path,
            file: second,
        };
        if !self.start.carries {
            open.describe(&self.start.ifaces)?;
        }
        for kept in &self.lasting {
            open.block(&kept.block())?;
        }
        self.open = Some(open);
        Ok(())
    }

    fn create_file(&self, path: &Path) -> io::Result<File> {
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        if self.target.private {
            options.mode(PRIVATE);
        }
        let file = ownership::open(&options, path, self.target.user.as_ref())?;
        if self.target.private {
            keep_private(&file)?;
        }
        Ok(file)
    }

    /// Before secrets are written that were not announced: the file is for its owner alone.
    fn become_private(&mut self) {
        self.target.private = true;
        if let Some(Open {
            file: Some(file),
            path,
            ..
        }) = &self.open
        {
            // What cannot be kept private is said to hold secrets all the same.
            let _ = keep_private(file);
            say(format_args!("pktwho: {} holds TLS secrets", path.display()));
        }
    }

    /// Adds a packet; `Break` when it belongs to no file that is wanted.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn packet(
        &mut self,
        packet: &Packet<'_>,
        metadata: &Metadata<'_>,
    ) -> Result<ControlFlow<()>> {
        if !self.target.rotation.is_none() {
            match self.rotate(packet.time.secs) {
                Ok(ControlFlow::Continue(())) => {}
                Err(error) => {
                    self.refused += 1;
                    return Err(error);
                }
                ended => return ended,
            }
        }
        let context = self.target.context;
        let Some(open) = &mut self.open else {
            return Ok(ControlFlow::Break(()));
        };
        let written = if context == Context::default() {
            open.writer.copy(packet, metadata)
        } else {
            let (mut sender, mut receiver) = (Process::default(), Process::default());
            open.writer.packet(&Packet {
                sender: reduced(packet.sender, context, &mut sender),
                receiver: reduced(packet.receiver, context, &mut receiver),
                ..*packet
            })
        };
        if let Err(error) = written {
            self.refused += u64::from(!matches!(error, Error::Io(_)));
            return Err(open.cannot_write(error));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// How the packet that was added last, from this device, can be had again ([`Self::repeat`]).
    pub fn like(&self, iface: &Iface) -> Option<Like> {
        let is_plain = self.target.rotation.is_none() && self.target.context == Context::default();
        let open = self.open.as_ref().filter(|_| is_plain)?;
        open.writer.like(iface)
    }

    /// Adds a packet like one before it; `false` when it has to be added in full.
    ///
    /// # Errors
    /// It cannot be written.
    #[inline]
    pub fn repeat(&mut self, like: &Like, packet: &RawPacket<'_>) -> Result<bool> {
        let Some(open) = &mut self.open else {
            return Ok(false);
        };
        let writer = &mut open.writer;
        let repeated = writer.repeat(like, packet.time, packet.data, packet.orig_len);
        repeated.map_err(|error| open.cannot_write(error))
    }

    /// Takes over the blocks that every file needs and another one had.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn learn(&mut self, other: &Self) -> Result<()> {
        for kept in &other.lasting {
            self.block(&kept.block())?;
        }
        Ok(())
    }

    /// Adds a block of a file that is read.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn block(&mut self, block: &Block<'_>) -> Result<()> {
        if !self.start.carries && !block.is_lasting() {
            return Ok(());
        }
        let more_may_come = !self.target.rotation.is_none() || self.target.split;
        if block.is_lasting() && more_may_come {
            let kept = block.to_kept();
            self.lasting_bytes = self.lasting_bytes.saturating_add(kept.size());
            if self.lasting_bytes <= MAX_LASTING {
                self.lasting.push(kept);
            }
        }
        if self.target.format == Format::Pcapng
            && !self.target.private
            && block.tls_secrets().is_some()
        {
            self.become_private();
        }
        self.open.as_mut().map_or(Ok(()), |open| open.block(block))
    }

    /// Ends the file and opens the next one when a packet of that time is to go there.
    fn rotate(&mut self, secs: i64) -> Result<ControlFlow<()>> {
        let Some(open) = &mut self.open else {
            self.series = Series::new(self.target.rotation, &self.target.path, secs);
            self.open_next()?;
            return Ok(ControlFlow::Continue(()));
        };
        match self.series.before(secs, open.writer.bytes_written()) {
            Next::Same => {}
            Next::File => {
                open.flush()?;
                self.next()?;
            }
            Next::End(files) => {
                say(format_args!("Maximum file limit reached: {files}"));
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Leaves the file that is open and opens the one that is due.
    fn next(&mut self) -> Result<()> {
        // Both have to end before their place is taken: no counters are to be had until then.
        self.let_go();
        let is_live = self.start.now.is_some();
        let counts = is_live && self.target.format == Format::Pcapng;
        self.ended = self.open.take();
        let due = self.series.path();
        if !counts || self.ended.as_ref().is_some_and(|ended| ended.path == due) {
            self.let_go();
        }
        self.open_next()
    }

    /// Closes the file before the one that is open, as it is.
    fn let_go(&mut self) {
        if let Some(Open { path, writer, file }) = self.ended.take() {
            drop((writer, file));
            self.postrotate.start(&path);
        }
    }

    /// Whether a file has ended but for its counters.
    #[inline]
    pub fn wants_counters(&self) -> bool {
        self.ended.is_some()
    }

    /// Ends the file before the one that is open, if it waits for that.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn end_file(&mut self, counters: &[(&Iface, Counters)]) -> Result<()> {
        let Some(ended) = &mut self.ended else {
            return Ok(());
        };
        // Under two names it may be the same file, which has begun anew.
        let is_open = self
            .open
            .as_ref()
            .is_some_and(|open| open.is_file_of(ended));
        let finished = if is_open {
            Ok(())
        } else {
            let finished = ended.writer.finish(counters);
            finished.map_err(|error| ended.cannot_write(error))
        };
        self.let_go();
        finished
    }

    /// Hands everything to the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.open.as_mut().map_or(Ok(()), Open::flush)
    }

    /// How many packets could not be written.
    pub fn lost_packets(&self) -> u64 {
        let open = self.open.iter().chain(&self.ended);
        let lost: u64 = open.map(|open| open.writer.lost_packets()).sum();
        self.refused + lost
    }

    /// Ends the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(&mut self, counters: &[(&Iface, Counters)]) -> Result<()> {
        self.end_file(counters)?;
        if self.open.is_none() {
            self.open_next()?;
        }
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        // The statistics of a file that is carried over were among its blocks.
        let counters = if self.start.carries { &[] } else { counters };
        let finished = open.writer.finish(counters);
        finished.map_err(|error| open.cannot_write(error))
    }
}

impl Open {
    /// Devices stand in the file even when no packet comes: some readers want one at least.
    fn describe(&mut self, ifaces: &[Iface]) -> Result<()> {
        if let Writer::Pcapng(pcapng) = &mut self.writer {
            let mut described = ifaces.iter().map(|iface| pcapng.add(iface));
            let described = described.find(Result::is_err).unwrap_or(Ok(()));
            described.map_err(|error| self.cannot_write(error))?;
        }
        Ok(())
    }

    fn block(&mut self, block: &Block<'_>) -> Result<()> {
        let written = self.writer.block(block);
        written.map_err(|error| self.cannot_write(error))
    }

    /// Whether both write to the same file.
    fn is_file_of(&self, other: &Self) -> bool {
        let place = |open: &Self| {
            let facts = open.file.as_ref()?.metadata().ok()?;
            Some((facts.dev(), facts.ino()))
        };
        place(self).is_some_and(|here| place(other) == Some(here))
    }

    fn flush(&mut self) -> Result<()> {
        let flushed = self.writer.flush();
        flushed.map_err(|error| self.cannot_write(error))
    }

    /// Says so, and cuts the file to the records that are whole: others can read those.
    fn cannot_write(&self, error: Error) -> anyhow::Error {
        let error = match error {
            Error::Io(io) => {
                if let (Some(file), Some(whole)) = (&self.file, self.writer.whole_bytes()) {
                    let _ = file.set_len(whole);
                }
                anyhow::Error::new(failure::worded(io))
            }
            other => anyhow::Error::new(other),
        };
        error.context(format!("cannot write to {}", self.path.display()))
    }
}

/// Takes others' rights to a file away, if it is a plain one.
fn keep_private(file: &File) -> io::Result<()> {
    let facts = file.metadata()?;
    if facts.is_file() && facts.mode() & 0o077 != 0 {
        return privileges::set_mode(file, PRIVATE);
    }
    Ok(())
}

fn pcap(target: &Target, source: &SourceFacts<'_>) -> PcapOptions {
    PcapOptions {
        // compat: tcpdump cooks the packets of `any` in any case (4.99.3).
        link_type: if source.any || target.cooked || several_types(source) {
            LinkType::LINUX_SLL2
        } else {
            let first = source.ifaces.first();
            first.map_or(LinkType::ETHERNET, |iface| iface.link_type)
        },
        snaplen: source.snaplen,
        precision: source.precision,
    }
}

fn pcapng(target: &Target, source: &SourceFacts<'_>) -> PcapngOptions {
    // Live, devices of several kinds get one kind of header, which tcpdump reads. A file stays
    // what it is unless something else is asked for.
    let wanted = target.cooked || source.now.is_some() && several_types(source);
    PcapngOptions {
        hardware: source.hardware.clone(),
        os: source.os.clone(),
        application: concat!("pktwho ", env!("CARGO_PKG_VERSION")).to_owned(),
        // libpcap refuses a file whose devices differ in this or in their link type.
        snaplen: source.snaplen,
        cooked: wanted && source.ifaces.iter().all(can_be_cooked),
        filter: target.filter.clone(),
        comments: target.comments,
        section: None,
    }
}

/// Whether no single link type is that of all devices.
fn several_types(source: &SourceFacts<'_>) -> bool {
    let mut types = source.ifaces.iter().map(|iface| iface.link_type);
    let first = types.next();
    types.any(|other| Some(other) != first)
}

/// Whether Linux's cooked header has room for what a packet of the device says.
fn can_be_cooked(iface: &Iface) -> bool {
    matches!(
        iface.link_type,
        LinkType::ETHERNET | LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 | LinkType::LINUX_SLL2
    )
}
