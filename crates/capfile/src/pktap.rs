//! Apple's PKTAP header in front of a packet: who sent or received it.
//!
//! Source: the layouts of versions 1 and 2 as Apple's kernel writes them, always little-endian.
//! Version 1 is at least 108 bytes long; version 2 is told by a flag that stands in both at the
//! same place.

use pktwho_packet::{Direction, LinkType};

use crate::bytes::{Endian, Fields};

/// Link types of files with such headers: the registered one, and Apple's own use of
/// `LINKTYPE_USER2`.
pub fn is_pktap(link_type: LinkType) -> bool {
    matches!(link_type, LinkType::PKTAP | LinkType(149))
}

const FLAGS: usize = 36;
const IN: u32 = 1;
const OUT: u32 = 2;
const NEW_FLOW: u32 = 0x4000;
const RETRANSMIT: u32 = 0x8000;
const KEEPALIVE: u32 = 0x1_0000;
const SOCKET: u32 = 0x2_0000;
const CHANNEL: u32 = 0x4_0000;
const VERSION_2: u32 = 0x8_0000;
const WAKE: u32 = 0x10_0000;
/// Shortest header of version 1, and the one with all that we read.
const SHORT: usize = 108;
const WHOLE: usize = 156;
const BASE_2: usize = 40;

/// What the header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pktap<'a> {
    /// Bytes before the packet.
    pub len: usize,
    /// The link type of what follows, as Darwin numbers it.
    pub dlt: u32,
    pub ifname: &'a [u8],
    pub process: Option<PktapProcess<'a>>,
    /// The process on whose behalf that one works.
    pub effective: Option<PktapProcess<'a>>,
    /// `None` when not set.
    pub service_class: Option<u32>,
    pub flags: u32,
    pub flow_id: u32,
    pub trace_tag: u16,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PktapProcess<'a> {
    pub pid: u32,
    pub name: &'a [u8],
    pub uuid: Option<[u8; 16]>,
}

impl<'a> Pktap<'a> {
    /// Reads the header at the beginning of a packet; `None` when it makes no sense.
    pub fn parse(data: &'a [u8]) -> Option<Self> {
        let flags = Fields::new(data.get(FLAGS..)?, Endian::Little).u32()?;
        if flags & VERSION_2 == 0 {
            Self::version_1(data, flags)
        } else {
            Self::version_2(data, flags)
        }
    }

    fn version_1(data: &'a [u8], flags: u32) -> Option<Self> {
        let mut fields = Fields::new(data, Endian::Little);
        let len = fields.u32()? as usize;
        if len < SHORT || len > data.len() {
            return None;
        }
        let _next = fields.u32()?;
        let dlt = fields.u32()?;
        let ifname = until_nul(fields.bytes(24)?);
        // Flags, protocol family, lengths before and after the network layer.
        fields.bytes(16)?;
        let pid = fields.u32()?;
        let name = until_nul(fields.bytes(17)?);
        fields.bytes(1)?;
        let trace_tag = fields.u16()?;
        let service_class = fields.u32()?;
        // Kind and unit of the interface.
        fields.bytes(4)?;
        let effective_pid = fields.u32()?;
        let effective_name = until_nul(fields.bytes(17)?);
        fields.bytes(3)?;
        let mut found = Self {
            len,
            dlt,
            ifname,
            process: process(pid, name),
            effective: process(effective_pid, effective_name),
            service_class: known(service_class),
            flags,
            flow_id: 0,
            trace_tag,
        };
        if len >= WHOLE {
            found.flow_id = fields.u32()?;
            // Protocol, time.
            fields.bytes(12)?;
            let uuid = uuid(fields.bytes(16)?);
            found.process = found
                .process
                .map(|process| PktapProcess { uuid, ..process });
            let uuid = self::uuid(fields.bytes(16)?);
            found.effective = found
                .effective
                .map(|process| PktapProcess { uuid, ..process });
        }
        Some(found)
    }

    fn version_2(data: &'a [u8], flags: u32) -> Option<Self> {
        let &[
            len,
            uuid_at,
            effective_uuid_at,
            ifname_at,
            name_at,
            effective_name_at,
            ..,
        ] = data
        else {
            return None;
        };
        let header = data
            .get(..usize::from(len))
            .filter(|all| all.len() >= BASE_2)?;
        let mut fields = Fields::new(header.get(6..)?, Endian::Little);
        let dlt = u32::from(fields.u16()?);
        // Lengths, kind of interface, protocol, protocol family.
        fields.bytes(12)?;
        let service_class = fields.u32()?;
        let flow_id = fields.u32()?;
        let (pid, effective_pid) = (fields.u32()?, fields.u32()?);
        let at = |offset: u8, longest: usize| match usize::from(offset) {
            0..BASE_2 => &[],
            offset => {
                let rest = header.get(offset..).unwrap_or_default();
                rest.get(..longest).unwrap_or(rest)
            }
        };
        let whole = |pid, name: u8, uuid: u8| {
            let process = process(pid, until_nul(at(name, 17)))?;
            let uuid = self::uuid(at(uuid, 16));
            Some(PktapProcess { uuid, ..process })
        };
        Some(Self {
            len: usize::from(len),
            dlt,
            ifname: until_nul(at(ifname_at, 24)),
            process: whole(pid, name_at, uuid_at),
            effective: whole(effective_pid, effective_name_at, effective_uuid_at),
            service_class: known(service_class),
            flags,
            flow_id,
            trace_tag: 0,
        })
    }

    pub fn direction(&self) -> Direction {
        match self.flags & (IN | OUT) {
            IN => Direction::In,
            OUT => Direction::Out,
            _ => Direction::Unknown,
        }
    }

    /// The flags of option 0x8004 of a packet in pcapng.
    pub fn packet_flags(&self) -> u32 {
        let bits = [NEW_FLOW, KEEPALIVE, RETRANSMIT, SOCKET, CHANNEL, WAKE];
        let set = bits.iter().enumerate();
        set.filter(|(_, bit)| self.flags & **bit != 0)
            .fold(0, |flags, (position, _)| flags | 1 << position)
    }
}

fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// -1 is no process, and so is 0 without a name.
fn process(pid: u32, name: &[u8]) -> Option<PktapProcess<'_>> {
    (pid != u32::MAX && (pid != 0 || !name.is_empty())).then_some(PktapProcess {
        pid,
        name,
        uuid: None,
    })
}

fn uuid(bytes: &[u8]) -> Option<[u8; 16]> {
    let uuid: [u8; 16] = bytes.try_into().ok()?;
    (uuid != [0; 16]).then_some(uuid)
}

fn known(service_class: u32) -> Option<u32> {
    (service_class != u32::MAX).then_some(service_class)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with `fields` at their offsets.
    fn header(len: usize, fields: &[(usize, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; len];
        for (offset, value) in fields {
            bytes[*offset..offset + value.len()].copy_from_slice(value);
        }
        bytes
    }

    #[test]
    fn version_1_as_long_as_it_is() {
        let pid = 4321_u32.to_le_bytes();
        let fields: &[(usize, &[u8])] = &[
            (0, &[156]),
            (8, &[1]),
            (12, b"en0"),
            (36, &[2, 0, 3, 0]),
            (52, &pid),
            (56, b"curl"),
            (74, &[7, 1]),
            (84, &[255; 4]),
            (108, &[9]),
            (124, &[5; 16]),
        ];
        let bytes = header(160, fields);
        let found = Pktap::parse(&bytes).unwrap();
        let curl = PktapProcess {
            pid: 4321,
            name: b"curl",
            uuid: Some([5; 16]),
        };
        assert_eq!(found.process, Some(curl));
        assert_eq!((found.effective, found.ifname), (None, &b"en0"[..]));
        assert_eq!(found.direction(), Direction::Out);
        // Keepalive and socket.
        assert_eq!(found.packet_flags(), 2 | 8);
        assert_eq!(
            (found.service_class, found.flow_id, found.trace_tag),
            (Some(0), 9, 0x107)
        );
        let mut short = header(108, fields.get(..8).unwrap());
        assert_eq!(Pktap::parse(&short), None);
        short[0] = 108;
        assert_eq!(Pktap::parse(&short).unwrap().process.unwrap().uuid, None);
        for cut in 0..short.len() {
            assert_eq!(Pktap::parse(&short[..cut]), None);
        }
    }

    #[test]
    fn version_2_with_parts_anywhere() {
        let pid = 4321_u32.to_le_bytes();
        let bytes = header(
            80,
            &[
                (0, &[70, 0, 0, 40, 50, 60]),
                (6, &[1]),
                (20, &[100]),
                (28, &pid),
                (32, &[1]),
                (36, &[1, 0, 8, 0]),
                (40, b"en0"),
                (50, b"curl"),
                (60, b"0123456789"),
            ],
        );
        let found = Pktap::parse(&bytes).unwrap();
        assert_eq!((found.len, found.ifname), (70, &b"en0"[..]));
        assert_eq!(found.process.unwrap().name, b"curl");
        // It ends with the header.
        assert_eq!(found.effective.unwrap().name, b"0123456789");
        assert_eq!(found.direction(), Direction::In);
        assert_eq!(Pktap::parse(&bytes[..69]), None);
    }
}
