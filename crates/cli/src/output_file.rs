//! The file of `-w`, in either format.

use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, Result};
use pktwho_capfile::{
    Counters, Error, PcapOptions, PcapWriter, PcapngOptions, PcapngWriter, Writer,
};
use pktwho_packet::{Iface, LinkType, Owner, Packet, Process};
use pktwho_print::Context;

use crate::failure;
use crate::plan::{Format, Target};
use crate::sink::SourceFacts;
use crate::text;

/// A capture file being written.
pub struct OutputFile {
    writer: Writer<File>,
    /// For messages.
    path: String,
    /// What of owners is stored.
    context: Context,
}

impl OutputFile {
    /// Creates the file, or takes standard output.
    ///
    /// # Errors
    /// In tcpdump's words: the path and the reason.
    pub fn create(target: &Target, source: &SourceFacts<'_>) -> Result<Self> {
        let path = target.path.display().to_string();
        let file = if target.path == Path::new("-") {
            text::stdout()?
        } else {
            let file = File::create(&target.path).map_err(failure::worded);
            file.with_context(|| path.clone())?
        };
        let mut created = Self {
            writer: match target.format {
                Format::Pcap => Writer::Pcap(PcapWriter::new(file, pcap(source))),
                Format::Pcapng => Writer::Pcapng(Box::new(PcapngWriter::new(file, pcapng(source)))),
            },
            path,
            context: target.context,
        };
        created.describe(source.ifaces)?;
        Ok(created)
    }

    /// Devices stand in the file even when no packet comes: some readers want one at least.
    fn describe(&mut self, ifaces: &[Iface]) -> Result<()> {
        if let Writer::Pcapng(pcapng) = &mut self.writer {
            let mut described = ifaces.iter().map(|iface| pcapng.add(iface));
            let described = described.find(Result::is_err).unwrap_or(Ok(()));
            described.map_err(|error| self.cannot_write(error))?;
        }
        Ok(())
    }

    /// Adds a packet.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn packet(&mut self, packet: &Packet<'_>) -> Result<()> {
        let written = if self.context == Context::default() {
            self.writer.packet(packet)
        } else {
            let (mut sender, mut receiver) = (Process::default(), Process::default());
            self.writer.packet(&Packet {
                sender: reduced(packet.sender, self.context, &mut sender),
                receiver: reduced(packet.receiver, self.context, &mut receiver),
                ..*packet
            })
        };
        written.map_err(|error| self.cannot_write(error))
    }

    /// Hands everything to the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        let flushed = self.writer.flush();
        flushed.map_err(|error| self.cannot_write(error))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(&mut self, counters: &[(&Iface, Counters)]) -> Result<()> {
        let finished = self.writer.finish(counters);
        finished.map_err(|error| self.cannot_write(error))
    }

    fn cannot_write(&self, error: Error) -> anyhow::Error {
        let error = match error {
            Error::Io(io) => anyhow::Error::new(failure::worded(io)),
            other => anyhow::Error::new(other),
        };
        error.context(format!("cannot write to {}", self.path))
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
