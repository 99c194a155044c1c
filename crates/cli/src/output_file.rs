//! The file of `-w`, in either format; or the files, when it is a series.
//!
//! Promises: each file is whole by itself; after a failure what stands in it can be read.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use pktwho_capfile::{
    Counters, Error, PcapOptions, PcapWriter, PcapngOptions, PcapngWriter, Writer,
};
use pktwho_packet::{Iface, LinkType, Owner, Packet, Process};
use pktwho_print::Context;

use crate::failure;
use crate::plan::{Format, Target};
use crate::postrotate::{Postrotate, as_user};
use crate::rotation::{Next, Series};
use crate::sink::{SourceFacts, say};
use crate::text;

/// A capture file being written, or a series of them.
pub struct OutputFile {
    target: Target,
    /// The file that is open; none before the first packet of a series by time.
    open: Option<Open>,
    series: Series,
    postrotate: Postrotate,
    /// How each file of the series begins.
    start: Start,
}

/// The file that is open.
struct Open {
    writer: Writer<File>,
    path: PathBuf,
    /// Another hold on the file, if it is one that can be cut.
    file: Option<File>,
}

/// What a file says before its first packet.
struct Start {
    pcap: PcapOptions,
    pcapng: PcapngOptions,
    ifaces: Vec<Iface>,
}

impl OutputFile {
    /// Creates the file, or takes standard output.
    ///
    /// # Errors
    /// In tcpdump's words: the path and the reason.
    pub fn create(target: &Target, source: &SourceFacts<'_>) -> Result<Self> {
        let mut created = Self {
            target: target.clone(),
            open: None,
            series: Series::new(target.rotation, &target.path, source.now.unwrap_or(0)),
            postrotate: Postrotate::new(target.postrotate.clone(), target.user.clone()),
            start: Start {
                pcap: pcap(source),
                pcapng: pcapng(source),
                ifaces: source.ifaces.to_vec(),
            },
        };
        if source.now.is_some() || target.rotation.seconds.is_none() {
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
            as_user(self.target.user.as_ref(), || File::create(&path))
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
        open.describe(&self.start.ifaces)?;
        self.open = Some(open);
        Ok(())
    }

    /// Adds a packet; `Break` when it belongs to no file that is wanted.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn packet(&mut self, packet: &Packet<'_>) -> Result<ControlFlow<()>> {
        if !self.target.rotation.is_none() && self.rotate(packet.time.secs)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let context = self.target.context;
        let Some(open) = &mut self.open else {
            return Ok(ControlFlow::Break(()));
        };
        let written = if context == Context::default() {
            open.writer.packet(packet)
        } else {
            let (mut sender, mut receiver) = (Process::default(), Process::default());
            open.writer.packet(&Packet {
                sender: reduced(packet.sender, context, &mut sender),
                receiver: reduced(packet.receiver, context, &mut receiver),
                ..*packet
            })
        };
        written.map_err(|error| open.cannot_write(error))?;
        Ok(ControlFlow::Continue(()))
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
                let path = std::mem::take(&mut open.path);
                self.open = None;
                self.postrotate.start(&path);
                self.open_next()?;
            }
            Next::End(files) => {
                say(format_args!("Maximum file limit reached: {files}"));
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Hands everything to the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.open.as_mut().map_or(Ok(()), Open::flush)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(&mut self, counters: &[(&Iface, Counters)]) -> Result<()> {
        if self.open.is_none() {
            self.open_next()?;
        }
        let Some(open) = &mut self.open else {
            return Ok(());
        };
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

fn pcap(source: &SourceFacts<'_>) -> PcapOptions {
    PcapOptions {
        // compat: tcpdump cooks the packets of `any` in any case (4.99.3).
        link_type: if source.any || several_types(source) {
            LinkType::LINUX_SLL2
        } else {
            let first = source.ifaces.first();
            first.map_or(LinkType::ETHERNET, |iface| iface.link_type)
        },
        snaplen: source.snaplen,
        precision: source.precision,
    }
}

fn pcapng(source: &SourceFacts<'_>) -> PcapngOptions {
    PcapngOptions {
        hardware: source.hardware.clone(),
        os: source.os.clone(),
        application: concat!("pktwho ", env!("CARGO_PKG_VERSION")).to_owned(),
        // libpcap refuses a file whose devices differ in this or in their link type.
        snaplen: source.snaplen,
        cooked: several_types(source) && source.ifaces.iter().all(can_be_cooked),
        filter: String::new(),
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

/// An owner with only the facts that were asked for.
fn reduced<'a>(
    owner: Option<Owner<'a>>,
    context: Context,
    process: &'a mut Process,
) -> Option<Owner<'a>> {
    let owner = owner.filter(|_| context.process)?;
    process.clone_from(owner.process);
    process.parent = process.parent.filter(|_| context.parent);
    process.uid = process.uid.filter(|_| context.user);
    Some(Owner {
        process,
        parent: owner.parent.filter(|_| context.parent),
        tid: if context.thread { owner.tid } else { 0 },
        thread: if context.thread { owner.thread } else { &[] },
        uid: owner.uid.filter(|_| context.user),
        confidence: owner.confidence,
    })
}

#[cfg(test)]
mod tests {
    use pktwho_packet::{Confidence, ProcessId};

    use super::*;

    #[test]
    fn only_the_facts_asked_for_are_stored() {
        let parent = Some(ProcessId { pid: 1, start: 2 });
        let known = Process {
            parent,
            uid: Some(3),
            ..Process::default()
        };
        let owner = Owner {
            process: &known,
            parent: Some(&known),
            tid: 4,
            thread: b"t",
            uid: Some(5),
            confidence: Confidence::Exact,
        };
        let reduce = |context| {
            let mut process = Process::default();
            let owner = reduced(Some(owner), context, &mut process)?;
            let parents = (owner.process.parent, owner.parent.is_some());
            let users = (owner.process.uid, owner.uid);
            Some((parents, users, owner.tid, owner.thread.len()))
        };
        let process = Context {
            process: true,
            ..Context::NONE
        };
        assert_eq!(reduce(Context::NONE), None);
        let all = ((parent, true), (Some(3), Some(5)), 4, 1);
        assert_eq!(reduce(Context::default()), Some(all));
        let bare = ((None, false), (None, None), 0, 0);
        assert_eq!(reduce(process), Some(bare));
        let user = Context {
            user: true,
            ..process
        };
        assert_eq!(reduce(user), Some((bare.0, all.1, 0, 0)));
    }
}
