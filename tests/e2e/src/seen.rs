//! What a capture file holds, each packet with its bytes, device and owners.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use pktwho_capfile::Reader;
use pktwho_packet::{Confidence, Container, Direction, LinkType, Owner};

use crate::dissect::Segment;

/// One packet of a file.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Nanoseconds since the epoch.
    pub time: i64,
    pub iface: String,
    pub link_type: LinkType,
    pub data: Vec<u8>,
    pub orig_len: u32,
    pub direction: Direction,
    pub sender: Option<Who>,
    pub receiver: Option<Who>,
}

/// An owner as the file gives it.
#[derive(Clone, Debug)]
pub struct Who {
    pub pid: u32,
    pub name: Vec<u8>,
    pub exe: Vec<u8>,
    pub args: Vec<Vec<u8>>,
    pub parent: Option<u32>,
    pub uid: Option<u32>,
    pub container: Option<Arc<Container>>,
    pub confidence: Confidence,
}

impl Seen {
    /// Its TCP or UDP part.
    pub fn segment(&self) -> Option<Segment> {
        Segment::of(self.link_type, &self.data)
    }
}

impl Who {
    /// No process: a socket of the kernel's own.
    pub fn is_kernel(&self) -> bool {
        self.pid == 0 && self.name == b"kernel" && self.confidence == Confidence::Exact
    }

    fn of(owner: Owner<'_>) -> Self {
        let process = owner.process;
        Self {
            pid: process.id.pid,
            name: process.name.clone(),
            exe: process.exe.clone(),
            args: process.args.clone(),
            parent: process.parent.map(|parent| parent.pid),
            uid: process.uid,
            container: process.container.clone(),
            confidence: owner.confidence,
        }
    }
}

/// All packets of a file.
pub fn read_file(path: &Path) -> Result<Vec<Seen>> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    read(BufReader::new(file)).with_context(|| path.display().to_string())
}

/// All packets of a stream.
pub fn read(source: impl Read) -> Result<Vec<Seen>> {
    let mut reader = Reader::new(source)?;
    let mut packets = Vec::new();
    while let Some(packet) = reader.next()? {
        packets.push(Seen {
            time: packet.time.as_nanos(),
            iface: packet.iface.name.clone(),
            link_type: packet.iface.link_type,
            data: packet.data.to_vec(),
            orig_len: packet.orig_len,
            direction: packet.direction,
            sender: packet.sender.map(Who::of),
            receiver: packet.receiver.map(Who::of),
        });
    }
    Ok(packets)
}
