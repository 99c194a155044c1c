//! Packet blocks, read: enhanced, simple and the obsolete first form.
//!
//! Source: draft-ietf-opsawg-pcapng sections 4.3, 4.4 and appendix A.

use std::ops::Range;

use pktwho_packet::{Direction, Reception};

use super::block;
use crate::bytes::{Endian, Fields};
use crate::error::Error;
use crate::event::Form;

/// The fixed part of a packet block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// Number of the device in its section.
    pub(crate) iface: u32,
    /// Time in units of the device's clock; simple packets have none.
    pub(crate) time: Option<u64>,
    pub(crate) captured: u32,
    pub(crate) orig_len: u32,
    pub(crate) form: Form,
    /// Bytes before the packet.
    len: usize,
}

/// Reads the fixed part of a packet block's body.
pub(crate) fn header(block_type: u32, body: &[u8], endian: Endian) -> Result<Header, Error> {
    let mut fields = Fields::new(body, endian);
    let header = match block_type {
        block::SIMPLE_PACKET => simple(&mut fields),
        block::PACKET => obsolete(&mut fields),
        _ => enhanced(&mut fields),
    };
    let mut header = header.ok_or(Error::BlockShort { block_type })?;
    header.len = body.len() - fields.rest().len();
    Ok(header)
}

fn simple(fields: &mut Fields<'_>) -> Option<Header> {
    let orig_len = fields.u32()?;
    Some(Header {
        // The captured length is not stored: the caller cuts it to the snapshot length.
        captured: orig_len,
        orig_len,
        form: Form::Simple,
        ..Header::default()
    })
}

fn obsolete(fields: &mut Fields<'_>) -> Option<Header> {
    let iface = fields.u16()?;
    let drops = fields.u16()?;
    Some(Header {
        iface: u32::from(iface),
        time: Some(fields.high_low()?),
        captured: fields.u32()?,
        orig_len: fields.u32()?,
        // All ones: not counted.
        form: Form::Obsolete {
            drops: (drops != u16::MAX).then_some(drops),
        },
        len: 0,
    })
}

fn enhanced(fields: &mut Fields<'_>) -> Option<Header> {
    Some(Header {
        iface: fields.u32()?,
        time: Some(fields.high_low()?),
        captured: fields.u32()?,
        orig_len: fields.u32()?,
        form: Form::Enhanced,
        len: 0,
    })
}

/// Splits what follows the header: where in the body the packet lies, and the options.
pub(crate) fn contents(
    block_type: u32,
    header: &Header,
    body: &[u8],
) -> Result<(Range<usize>, Range<usize>), Error> {
    let short = Error::BlockShort { block_type };
    let Some(end) = header.len.checked_add(header.captured as usize) else {
        return Err(short);
    };
    if end > body.len() {
        return Err(short);
    }
    let start = if block_type == block::SIMPLE_PACKET {
        body.len()
    } else {
        end.next_multiple_of(4).min(body.len())
    };
    Ok((header.len..end, start..body.len()))
}

/// Reads the flags word of a packet (`epb_flags`): direction in bits 0-1, reception in 2-4.
pub(crate) fn flags(word: u32) -> (Direction, Reception) {
    let direction = match word & 3 {
        1 => Direction::In,
        2 => Direction::Out,
        _ => Direction::Unknown,
    };
    let reception = match word >> 2 & 7 {
        1 => Reception::Unicast,
        2 => Reception::Multicast,
        3 => Reception::Broadcast,
        4 => Reception::Promiscuous,
        _ => Reception::Unspecified,
    };
    (direction, reception)
}
