//! All that `-w` asks for: one file or series, or one for each link type.
//!
//! Live, a file has one link type, which tcpdump asks for: packets of a device that appears later
//! and has another go to a file of their own. A file that is read is carried over as it is.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Result;
use pktwho_capfile::{Block, Counters, Like, Metadata};
use pktwho_packet::{Iface, LinkType, Packet};
use pktwho_probe::RawPacket;

use crate::output_file::{OutputFile, Start};
use crate::plan::Target;
use crate::program::short;
use crate::sink::{SourceFacts, say};

/// The files being written.
pub struct OutputFiles {
    /// What every file is to be, when a file has one link type.
    split: Option<(Target, Start)>,
    files: Vec<(LinkType, OutputFile)>,
}

impl OutputFiles {
    /// Creates the file; those of several link types are created as their packets come.
    ///
    /// # Errors
    /// As [`OutputFile::create`].
    pub fn create(target: &Target, source: &SourceFacts<'_>) -> Result<Self> {
        let start = Start::new(target, source);
        if target.split {
            return Ok(Self {
                split: Some((target.clone(), start)),
                files: Vec::new(),
            });
        }
        let main = start.link_type(target.format);
        let file = OutputFile::create(target.clone(), start.clone())?;
        // A stream has no place beside it.
        let splits = source.now.is_some() && target.path != Path::new("-");
        Ok(Self {
            split: main.filter(|_| splits).map(|_| (target.clone(), start)),
            files: vec![(main.unwrap_or_default(), file)],
        })
    }

    /// The file for packets of a link type.
    #[inline]
    fn file(&mut self, link_type: LinkType) -> Result<Option<&mut OutputFile>> {
        if let Some((target, start)) = &self.split
            && !self.files.iter().any(|(of, _)| *of == link_type)
        {
            let mut target = target.clone();
            let main = std::mem::take(&mut target.path);
            target.path = named(&main, link_type);
            if !target.split {
                say(format_args!(
                    "pktwho: {}: not the link type of {}: such packets go to {}",
                    short(link_type),
                    main.display(),
                    target.path.display()
                ));
            }
            let mut file = OutputFile::create(target, start.of(link_type))?;
            if let Some((_, other)) = self.files.first() {
                file.learn(other)?;
            }
            self.files.push((link_type, file));
        }
        let split = self.split.is_some();
        let mut files = self.files.iter_mut();
        let found = files.find(|(of, _)| !split || *of == link_type);
        Ok(found.map(|(_, file)| file))
    }

    /// Adds a packet; `Break` when it belongs to no file that is wanted.
    ///
    /// # Errors
    /// It cannot be written.
    #[inline]
    pub fn packet(
        &mut self,
        packet: &Packet<'_>,
        metadata: &Metadata<'_>,
    ) -> Result<ControlFlow<()>> {
        match self.file(packet.iface.link_type)? {
            Some(file) => file.packet(packet, metadata),
            None => Ok(ControlFlow::Break(())),
        }
    }

    /// How the packet that was added last, from this device, can be had again ([`Self::repeat`]).
    pub fn like(&mut self, iface: &Iface) -> Option<Like> {
        self.file(iface.link_type).ok()??.like(iface)
    }

    /// Adds a packet like one before it; `false` when it has to be added in full, as those of all
    /// files but the first.
    ///
    /// # Errors
    /// It cannot be written.
    #[inline]
    pub fn repeat(&mut self, like: &Like, packet: &RawPacket<'_>) -> Result<bool> {
        let split = self.split.is_some();
        match self.files.first_mut() {
            Some((of, file)) if !split || *of == packet.iface.link_type => {
                file.repeat(like, packet)
            }
            _ => Ok(false),
        }
    }

    /// Adds a block of a file that is read: to the file of its device, or to all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn block(&mut self, block: &Block<'_>) -> Result<()> {
        if let Some(iface) = block.iface() {
            let file = self.file(iface.link_type)?;
            return file.map_or(Ok(()), |file| file.block(block));
        }
        let mut files = self.files.iter_mut();
        files.try_for_each(|(_, file)| file.block(block))
    }

    /// Hands everything to the files.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.files.iter_mut().try_for_each(|(_, file)| file.flush())
    }

    /// Whether a file of a live series has ended but for its counters.
    #[inline]
    pub fn want_counters(&self) -> bool {
        self.files.iter().any(|(_, file)| file.wants_counters())
    }

    /// Ends the files that wait for that.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn end_files(&mut self, counters: &[(&Iface, Counters)]) -> Result<()> {
        self.each(counters, OutputFile::end_file)
    }

    /// Ends the files.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn finish(&mut self, counters: &[(&Iface, Counters)]) -> Result<()> {
        self.each(counters, OutputFile::finish)
    }

    /// How many packets could not be written.
    pub fn lost_packets(&self) -> u64 {
        let each = self.files.iter().map(|(_, file)| file.lost_packets());
        each.sum()
    }

    /// Does it to each file, with the counters of the devices in it; all get their turn.
    fn each(
        &mut self,
        counters: &[(&Iface, Counters)],
        end: impl Fn(&mut OutputFile, &[(&Iface, Counters)]) -> Result<()>,
    ) -> Result<()> {
        let split = self.split.is_some();
        let mut ended = Ok(());
        for (link_type, file) in &mut self.files {
            let mine = |entry: &&(&Iface, Counters)| !split || entry.0.link_type == *link_type;
            let counters: Vec<_> = counters.iter().filter(mine).copied().collect();
            ended = ended.and(end(file, &counters));
        }
        ended
    }
}

/// The name with the link type before its extension.
fn named(path: &Path, link_type: LinkType) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push("-");
    name.push(short(link_type));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_link_types() {
        let check = |path, expected: &str| {
            assert_eq!(named(Path::new(path), LinkType::RAW), Path::new(expected));
        };
        check("out.pcapng", "out-RAW.pcapng");
        check("/a.b/out", "/a.b/out-RAW");
        check("../x.y.pcap", "../x.y-RAW.pcap");
    }
}
