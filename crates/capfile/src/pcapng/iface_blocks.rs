//! Interface description and interface statistics blocks, read.
//!
//! Source: draft-ietf-opsawg-pcapng sections 4.2 and 4.6; the words of errors are libpcap's.

use pktwho_packet::{Iface, LinkType, Timestamp, TimestampPrecision};

use super::iface_write::{read_comment, read_forgotten};
use super::options::{Options, RawOption};
use super::{block, option};
use crate::bytes::{Endian, Fields};
use crate::counters::Counters;
use crate::error::Error;
use crate::limits::effective_snaplen;

/// How a device's times count (`if_tsresol`, `if_tsoffset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    unit: Unit,
    /// Seconds to add.
    offset: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Micro,
    Nano,
    /// So many units in a second.
    Decimal(u64),
    /// Two to this power of units in a second.
    Binary(u8),
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            unit: Unit::Micro,
            offset: 0,
        }
    }
}

impl Clock {
    pub(crate) fn precision(self) -> TimestampPrecision {
        let fine = match self.unit {
            Unit::Micro => false,
            Unit::Nano => true,
            Unit::Decimal(per_second) => per_second > 1_000_000,
            Unit::Binary(exponent) => exponent > 20,
        };
        if fine {
            TimestampPrecision::Nano
        } else {
            TimestampPrecision::Micro
        }
    }

    pub(crate) fn time(self, count: u64) -> Timestamp {
        let (secs, nanos) = match self.unit {
            Unit::Micro => (count / 1_000_000, count % 1_000_000 * 1000),
            Unit::Nano => (count / 1_000_000_000, count % 1_000_000_000),
            Unit::Decimal(per_second) => {
                let fraction = u128::from(count % per_second) * 1_000_000_000;
                let nanos = fraction / u128::from(per_second);
                (count / per_second, u64::try_from(nanos).unwrap_or(0))
            }
            Unit::Binary(exponent) => {
                let whole = count >> exponent;
                let fraction = u128::from(count - (whole << exponent)) * 1_000_000_000;
                (whole, u64::try_from(fraction >> exponent).unwrap_or(0))
            }
        };
        let secs = i64::try_from(secs).unwrap_or(i64::MAX);
        Timestamp {
            secs: secs.saturating_add(self.offset),
            nanos,
        }
    }

    fn set_unit(&mut self, option: RawOption<'_>) -> Result<(), Error> {
        let &[resolution] = option.value else {
            return Err(wrong_length("if_tsresol", option, 1));
        };
        let exponent = resolution & 0x7f;
        self.unit = if resolution & 0x80 == 0 {
            match exponent {
                6 => Unit::Micro,
                9 => Unit::Nano,
                _ => {
                    let units = 10_u64.checked_pow(u32::from(exponent));
                    let base = 10;
                    Unit::Decimal(units.ok_or(Error::Resolution { base, exponent })?)
                }
            }
        } else if exponent < 64 {
            Unit::Binary(exponent)
        } else {
            return Err(Error::Resolution { base: 2, exponent });
        };
        Ok(())
    }

    fn set_offset(&mut self, option: RawOption<'_>, endian: Endian) -> Result<(), Error> {
        let offset = option.u64(endian);
        let offset = offset.ok_or_else(|| wrong_length("if_tsoffset", option, 8))?;
        self.offset = offset.cast_signed();
        Ok(())
    }
}

fn wrong_length(name: &'static str, option: RawOption<'_>, expected: usize) -> Error {
    Error::InterfaceOption {
        option: name,
        length: option.value.len(),
        expected,
    }
}

/// Reads an interface description block's body. The caller numbers the device.
pub(crate) fn description(body: &[u8], endian: Endian) -> Result<(Iface, Clock), Error> {
    let short = Error::BlockShort {
        block_type: block::INTERFACE_DESCRIPTION,
    };
    let mut fields = Fields::new(body, endian);
    let (Some(link_type), Some(_reserved), Some(snaplen)) =
        (fields.u16(), fields.u16(), fields.u32())
    else {
        return Err(short);
    };
    let link_type = LinkType::from_dlt(link_type);
    let mut iface = Iface {
        link_type,
        snaplen: effective_snaplen(snaplen, link_type),
        ..Iface::default()
    };
    let mut clock = Clock::default();
    let mut options = Options::new(fields.rest(), endian);
    for option in &mut options {
        match option.code {
            option::IF_NAME => iface.name = option.text(),
            option::COMMENT => read_comment(option.value, &mut iface),
            option::IF_DESCRIPTION => iface.description = Some(option.text()),
            option::IF_MAC => iface.mac = option.value.try_into().ok(),
            option::IF_SPEED => iface.speed = option.u64(endian),
            option::IF_TSRESOL => clock.set_unit(option)?,
            option::IF_TSOFFSET => clock.set_offset(option, endian)?,
            _ => {}
        }
    }
    if options.overrun {
        return Err(short);
    }
    Ok((iface, clock))
}

/// The number of the device that an interface statistics block is about.
pub(crate) fn statistics_iface(body: &[u8], endian: Endian) -> Option<u32> {
    Fields::new(body, endian).u32()
}

/// Reads an interface statistics block's body; what is malformed counts as not said.
pub(crate) fn statistics(body: &[u8], endian: Endian, clock: Clock) -> Counters {
    let mut fields = Fields::new(body, endian);
    let mut counters = Counters::default();
    if fields.bytes(12).is_none() {
        return counters;
    }
    let time = |option: RawOption<'_>| {
        let count = Fields::new(option.value, endian).high_low()?;
        Some(clock.time(count))
    };
    for option in Options::new(fields.rest(), endian) {
        match option.code {
            option::ISB_START => counters.start = time(option),
            option::ISB_END => counters.end = time(option),
            option::ISB_RECEIVED => counters.received = option.u64(endian),
            option::ISB_DROPPED => counters.dropped = option.u64(endian),
            option::ISB_OS_DROPPED => counters.os_dropped = option.u64(endian),
            option::COMMENT => {
                let forgotten = read_forgotten(option.value);
                counters.owners_forgotten = forgotten.or(counters.owners_forgotten);
            }
            _ => {}
        }
    }
    counters
}
