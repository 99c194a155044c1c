//! Classic pcap: a file header, then packets with a 16- or 24-byte header each.
//!
//! Promises: a record's length is checked before its bytes are read; a truncated file gives
//! every whole packet first. Source: draft-ietf-opsawg-pcap; for versions before 2.4, lengths
//! beyond the snapshot length and the words of errors, libpcap 1.10.3 as seen through tcpdump.

use std::io::Read;

use pktwho_packet::{Direction, Iface, LinkType, Timestamp, TimestampPrecision};

use crate::bytes::{Endian, Fields};
use crate::error::{Error, Part};
use crate::input::Input;
use crate::limits::{effective_snaplen, max_snaplen};
use crate::record::Record;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
/// What Alexey Kuznetzov's patched libpcap adds to each record header: interface index (4),
/// protocol (2), packet type (1), padding (1).
const MODIFIED_EXTRA: usize = 8;
/// What libpcap adds to the snapshot length of such files: its records may be that much longer.
const MODIFIED_SNAPLEN_EXTRA: u32 = 14;

const MAGIC_MICRO: u32 = 0xa1b2_c3d4;
const MAGIC_NANO: u32 = 0xa1b2_3c4d;
const MAGIC_MODIFIED: u32 = 0xa1b2_cd34;

/// What the magic number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Magic {
    endian: Endian,
    precision: TimestampPrecision,
    modified: bool,
}

impl Magic {
    fn of(bytes: [u8; 4]) -> Option<Self> {
        [Endian::Little, Endian::Big]
            .into_iter()
            .find_map(|endian| {
                let (precision, modified) = match endian.u32(bytes) {
                    MAGIC_MICRO => (TimestampPrecision::Micro, false),
                    MAGIC_NANO => (TimestampPrecision::Nano, false),
                    MAGIC_MODIFIED => (TimestampPrecision::Micro, true),
                    _ => return None,
                };
                Some(Self {
                    endian,
                    precision,
                    modified,
                })
            })
    }
}

/// Whether a file that begins with these bytes is classic pcap.
pub(crate) fn is_pcap(magic: [u8; 4]) -> bool {
    Magic::of(magic).is_some()
}

/// Which of a record's two lengths comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LengthOrder {
    CapturedFirst,
    OriginalFirst,
    /// Version 2.3 was written both ways: the smaller is the captured length.
    Either,
}

impl LengthOrder {
    fn of_version(major: u16, minor: u16) -> Result<Self, Error> {
        match (major, minor) {
            (0 | 1, _) => Err(Error::Archaic),
            (2, 0..=2) | (543, 0) => Ok(Self::OriginalFirst),
            (2, 3) => Ok(Self::Either),
            (2, 4) => Ok(Self::CapturedFirst),
            _ => Err(Error::Version {
                format: "pcap",
                major,
                minor,
            }),
        }
    }

    /// (captured, original)
    fn sort(self, first: u32, second: u32) -> (u32, u32) {
        let swapped = match self {
            Self::CapturedFirst => false,
            Self::OriginalFirst => true,
            Self::Either => first > second,
        };
        if swapped {
            (second, first)
        } else {
            (first, second)
        }
    }
}

/// What the file header says of all records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PcapReader {
    magic: Magic,
    lengths: LengthOrder,
    snaplen: u32,
    maximum: u32,
}

impl PcapReader {
    /// Reads the file header; the device it describes has no name.
    pub(crate) fn open<R: Read>(input: &mut Input<R>) -> Result<(Self, Iface), Error> {
        let magic = input.peek_array().and_then(Magic::of);
        let magic = magic.ok_or(Error::UnknownFormat)?;
        let got = input.fill(FILE_HEADER)?;
        let header: Option<[u8; FILE_HEADER]> = input.peek_array();
        let mut fields = Fields::new(header.as_ref().map_or(&[], |h| h), magic.endian);
        let (
            Some(_),
            Some(major),
            Some(minor),
            Some(_zone_and_accuracy),
            Some(snaplen),
            Some(link),
        ) = (
            fields.u32(),
            fields.u16(),
            fields.u16(),
            fields.u64(),
            fields.u32(),
            fields.u32(),
        )
        else {
            return Err(Error::Truncated {
                part: Part::FileHeader,
                wanted: FILE_HEADER,
                got: got.saturating_sub(4),
            });
        };
        input.take(FILE_HEADER);
        let lengths = LengthOrder::of_version(major, minor)?;
        // The upper half of the field tells the length of a frame check sequence.
        let link_type = LinkType::from_dlt(u16::try_from(link & 0xffff).unwrap_or_default());
        let mut snaplen = effective_snaplen(snaplen, link_type);
        if magic.modified {
            snaplen = snaplen.saturating_add(MODIFIED_SNAPLEN_EXTRA);
        }
        let reader = Self {
            magic,
            lengths,
            snaplen,
            maximum: max_snaplen(link_type),
        };
        let iface = Iface {
            link_type,
            snaplen,
            ..Iface::default()
        };
        Ok((reader, iface))
    }

    pub(crate) fn precision(self) -> TimestampPrecision {
        self.magic.precision
    }

    /// Puts the next packet into `record`; `false` at a proper end.
    #[inline]
    pub(crate) fn next<R: Read>(
        self,
        input: &mut Input<R>,
        record: &mut Record,
    ) -> Result<bool, Error> {
        let extra = if self.magic.modified {
            MODIFIED_EXTRA
        } else {
            0
        };
        let header_len = RECORD_HEADER + extra;
        let got = input.fill(header_len)?;
        if got == 0 {
            return Ok(false);
        }
        let truncated = || Error::Truncated {
            part: Part::PacketHeader,
            wanted: header_len,
            got,
        };
        if got < header_len {
            return Err(truncated());
        }
        let mut fields = Fields::new(
            input.peek(header_len).unwrap_or_default(),
            self.magic.endian,
        );
        let (Some(secs), Some(fraction), Some(first), Some(second)) =
            (fields.u32(), fields.u32(), fields.u32(), fields.u32())
        else {
            return Err(truncated());
        };
        let (captured, orig_len) = self.lengths.sort(first, second);
        let kept = self.kept_len(captured)?;
        let whole = captured as usize;
        // Nothing is taken before all is there, so that a read that would block can be repeated.
        let got = input.fill(header_len + whole)? - header_len;
        if got < whole {
            return Err(Error::Truncated {
                part: Part::Packet,
                wanted: if got < kept { kept } else { whole },
                got,
            });
        }
        input.take(header_len);
        let taken = input.take(whole);
        // All else stays as it is: a classic file says it of no packet.
        record.time = self.time(secs, fraction);
        record.data = taken.start..taken.start + kept;
        record.orig_len = orig_len;
        // What an earlier packet's own header has told.
        record.direction = Direction::Unknown;
        (record.sender, record.receiver) = (None, None);
        Ok(true)
    }

    /// How much of a packet is kept: what lies beyond the snapshot length is read and dropped.
    fn kept_len(self, captured: u32) -> Result<usize, Error> {
        if captured > self.maximum {
            return Err(if captured > self.snaplen {
                Error::LongerThanSnaplen {
                    length: captured,
                    snaplen: self.snaplen,
                }
            } else {
                Error::LongerThanMaximum {
                    length: captured,
                    maximum: self.maximum,
                }
            });
        }
        Ok(captured.min(self.snaplen) as usize)
    }

    /// A fraction of a second or more stays as it is, to be shown.
    fn time(self, secs: u32, fraction: u32) -> Timestamp {
        let nanos = match self.magic.precision {
            TimestampPrecision::Micro => u64::from(fraction) * 1000,
            TimestampPrecision::Nano => u64::from(fraction),
        };
        Timestamp {
            secs: i64::from(secs),
            nanos,
        }
    }
}
