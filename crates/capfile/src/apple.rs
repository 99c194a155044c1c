//! What Apple's tcpdump stores with packets, as it stands in a file; for showing it.
//!
//! Source: the options that Apple's tcpdump writes, and its PKTAP headers ([`crate::pktap`]).

use pktwho_packet::{Owner, Packet};

use crate::bytes::{Endian, Fields};
use crate::event::{Block, Metadata};
use crate::pcapng::options::{Options, RawOption};
use crate::pcapng::{block, option};
use crate::pktap::{Pktap, PktapProcess, is_pktap};
use crate::process_table::Entry;

const SERVICE_CLASS: u16 = 0x8002;
const FLAGS: u16 = 0x8004;
const FLOW_ID: u16 = 0x8005;
const TRACE_TAG: u16 = 0x8006;
const DROP_REASON: u16 = 0x8007;
const DROP_LINE: u16 = 0x8008;
const DROP_FUNCTION: u16 = 0x8009;
const COMPRESSION: u16 = 0x800a;
const PROCESS_UUID: u16 = 4;

/// All that is known of a packet in Apple's terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Apple<'a> {
    pub process: Option<PktapProcess<'a>>,
    /// The process on whose behalf that one works.
    pub effective: Option<PktapProcess<'a>>,
    pub service_class: Option<u32>,
    /// As in option 0x8004: new flow 1, keepalive 2, retransmit 4, socket 8, channel 16, wake 32.
    pub flags: u32,
    pub flow_id: u32,
    pub trace_tag: u16,
    /// Generation of compression.
    pub compression: u32,
    pub drop_reason: Option<u32>,
    pub drop_line: Option<u16>,
    pub drop_function: Option<&'a [u8]>,
    /// The first comment.
    pub comment: Option<&'a [u8]>,
    /// Whether that comment is all that is said: a capture of a plain device.
    pub only_comment: bool,
    /// Link type as Darwin numbers it.
    pub dlt: u32,
}

impl<'a> Apple<'a> {
    /// Gathers it from a packet and what its file says of it.
    pub fn of(packet: &Packet<'a>, metadata: &Metadata<'a>) -> Self {
        let mut found = Self {
            dlt: u32::from(packet.iface.link_type.dlt()),
            ..Self::default()
        };
        if is_pktap(packet.iface.link_type)
            && let Some(header) = Pktap::parse(packet.data)
        {
            found.process = header.process;
            found.effective = header.effective;
            found.service_class = header.service_class;
            found.flags = header.packet_flags();
            (found.flow_id, found.trace_tag) = (header.flow_id, header.trace_tag);
            found.dlt = header.dlt;
        }
        let mut plain = metadata.process.is_none();
        for option in Options::new(metadata.options, metadata.endian) {
            plain &= option.code < SERVICE_CLASS;
            found.option(option, metadata.endian);
        }
        let told = |comment: &[u8]| comment.starts_with(b"proc ") || comment.starts_with(b"svc ");
        found.only_comment = plain && found.comment.is_some_and(told);
        if let Some(entry) = metadata.process {
            found.process = Some(of_entry(entry));
        } else if found.process.is_none() {
            found.process = packet.owner().map(of_owner);
        }
        // With both ends known the second process is no effective one, but the other end.
        let both = packet.sender.is_some() && packet.receiver.is_some();
        if let Some(entry) = metadata.other.filter(|_| !both) {
            found.effective = Some(of_entry(entry));
        }
        found
    }

    fn option(&mut self, option: RawOption<'a>, endian: Endian) {
        let small = || Fields::new(option.value, endian).u16();
        match option.code {
            option::COMMENT if self.comment.is_none() => self.comment = Some(option.value),
            SERVICE_CLASS => self.service_class = option.u32(endian).or(self.service_class),
            FLAGS => self.flags = option.u32(endian).unwrap_or(self.flags),
            FLOW_ID => self.flow_id = option.u32(endian).unwrap_or(self.flow_id),
            TRACE_TAG => self.trace_tag = small().unwrap_or(self.trace_tag),
            DROP_REASON => self.drop_reason = option.u32(endian),
            DROP_LINE => self.drop_line = small(),
            DROP_FUNCTION => self.drop_function = Some(option.value),
            COMPRESSION => self.compression = option.u32(endian).unwrap_or(0),
            _ => {}
        }
    }
}

fn of_owner(owner: Owner<'_>) -> PktapProcess<'_> {
    PktapProcess {
        pid: owner.process.id.pid,
        name: &owner.process.name,
        uuid: None,
    }
}

fn of_entry(entry: &Entry) -> PktapProcess<'_> {
    let process = &entry.family.process;
    let raw = entry.raw.as_deref().and_then(|raw| raw.get(4..));
    let mut options = Options::new(raw.unwrap_or_default(), Endian::Little);
    PktapProcess {
        pid: process.id.pid,
        name: &process.name,
        uuid: options.find_map(|option| {
            (option.code == PROCESS_UUID).then(|| option.value.try_into().ok())?
        }),
    }
}

impl Block<'_> {
    /// What Apple's tcpdump shows of blocks that hold no packet; `None` for those it does not
    /// show. Text from the file is not fit for a terminal.
    pub fn words(&self) -> Option<String> {
        let mut fields = Fields::new(self.body, self.endian);
        match self.kind {
            block::SECTION_HEADER => {
                let _magic = fields.u32()?;
                let (major, minor) = (fields.u16()?, fields.u16()?);
                let length = fields.u64()?.cast_signed();
                let named = [
                    (option::SHB_HARDWARE, "hardware"),
                    (option::SHB_OS, "OS"),
                    (option::SHB_APPLICATION, "app"),
                ];
                let said = self.texts(fields.rest(), &named, ", ", ": ");
                Some(format!(
                    "Section Header Block version {major}.{minor}, section_length: {length}{said}"
                ))
            }
            block::INTERFACE_DESCRIPTION => {
                let (iface, _) = self.iface?;
                let (id, name) = (iface.id, &iface.name);
                let (link_type, dlt) = (iface.link_type.0, iface.link_type.dlt());
                Some(format!(
                    "Interface Description Block id: {id} name: {name} linktype: {link_type} \
                     (dlt: {dlt}) snaplen: {}",
                    iface.snaplen
                ))
            }
            block::PROCESS => {
                let pid = fields.u32()?;
                let named = [(option::PROCESS_NAME, "proc_name")];
                let name = self.texts(fields.rest(), &named, " ", ": ");
                let uuid = Options::new(fields.rest(), self.endian)
                    .find(|option| option.code == PROCESS_UUID)
                    .map(|option| format!(" proc_uuid: {}", uuid_text(option.value)));
                Some(format!(
                    "Process Information Block pid: {pid}{name}{}",
                    uuid.unwrap_or_default()
                ))
            }
            block::DECRYPTION_SECRETS => {
                let kind = fields.u32()?;
                Some(format!("Decryption Secrets Block Type: 0x{kind:08x}"))
            }
            _ => None,
        }
    }

    fn texts(&self, options: &[u8], named: &[(u16, &str)], before: &str, after: &str) -> String {
        let words = Options::new(options, self.endian).filter_map(|option| {
            let (_, name) = named.iter().find(|(code, _)| *code == option.code)?;
            let text = String::from_utf8_lossy(option.value);
            Some(format!("{before}{name}{after}{text}"))
        });
        words.collect()
    }
}

/// Hexadecimal digits in the usual groups.
pub fn uuid_text(uuid: &[u8]) -> String {
    let mut text = String::new();
    for (position, byte) in uuid.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
    text
}
