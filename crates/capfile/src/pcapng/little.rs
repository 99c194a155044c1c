//! Blocks of either byte order, carried over to a little-endian section.
//!
//! What a block holds beside known numbers stays as it is; so do whole blocks and options that
//! nobody has told us the fields of. Source: draft-ietf-opsawg-pcapng.

use super::compose::{end_options, pad, write_option_header};
use super::options::{Options, RawOption};
use super::{block, option, padding};
use crate::bytes::{Endian, Fields};

#[expect(
    clippy::match_same_arms,
    reason = "one line for each kind of block and width"
)]
/// Widths in bytes of the numbers that an option's value begins with.
fn widths(block_type: u32, code: u16) -> &'static [usize] {
    use option as o;
    match (block_type, code) {
        // Custom options begin with the number of who defined them.
        (_, 2988 | 2989 | 19372 | 19373) => &[4],
        (block::INTERFACE_DESCRIPTION, o::IF_SPEED | o::IF_TSOFFSET | 16 | 17) => &[8],
        (block::INTERFACE_DESCRIPTION, o::IF_TZONE | 0x8001) => &[4],
        (block::ENHANCED_PACKET, o::PACKET_FLAGS | o::PACKET_QUEUE) => &[4],
        (block::ENHANCED_PACKET, o::PACKET_DROPS | o::PACKET_ID) => &[8],
        (block::ENHANCED_PACKET, o::PACKET_PROCESS) => &[4, 4],
        (block::ENHANCED_PACKET, 0x8001..=0x8005 | 0x8007 | 0x800a) => &[4],
        (block::ENHANCED_PACKET, 0x8006 | 0x8008) => &[2],
        (block::INTERFACE_STATISTICS, o::ISB_START | o::ISB_END) => &[4, 4],
        (block::INTERFACE_STATISTICS, 4..=8) => &[8],
        _ => &[],
    }
}

/// Widths of the numbers that a block's body begins with.
fn fixed(block_type: u32) -> &'static [usize] {
    match block_type {
        block::INTERFACE_STATISTICS => &[4, 4, 4],
        block::DECRYPTION_SECRETS => &[4, 4],
        block::CUSTOM | block::CUSTOM_NO_COPY | block::PROCESS => &[4],
        block::OS_EVENT => &[4, 4, 4, 4],
        _ => &[],
    }
}

/// Appends the numbers that `bytes` begins with and then the rest of it.
fn numbers(out: &mut Vec<u8>, mut bytes: &[u8], widths: &[usize]) {
    for &width in widths {
        let Some((number, rest)) = bytes.split_at_checked(width) else {
            break;
        };
        out.extend(number.iter().rev());
        bytes = rest;
    }
    out.extend_from_slice(bytes);
}

/// Appends an option of a block of that type.
#[inline]
pub(crate) fn write_option(out: &mut Vec<u8>, of: u32, option: RawOption<'_>, endian: Endian) {
    let len = u16::try_from(option.value.len()).unwrap_or(u16::MAX);
    write_option_header(out, option.code, len);
    match endian {
        Endian::Little => out.extend_from_slice(option.value),
        Endian::Big => numbers(out, option.value, widths(of, option.code)),
    }
    pad(out, option.value.len());
}

/// Appends all options of a block of that type, without their end.
pub(crate) fn write_options(out: &mut Vec<u8>, of: u32, options: &[u8], endian: Endian) {
    for option in Options::new(options, endian) {
        write_option(out, of, option, endian);
    }
}

/// Appends all options and their end, if there are some.
fn closed(out: &mut Vec<u8>, of: u32, options: &[u8], endian: Endian) {
    if !options.is_empty() {
        write_options(out, of, options, endian);
        end_options(out);
    }
}

/// Appends the body of a block.
pub(crate) fn write_body(out: &mut Vec<u8>, block_type: u32, body: &[u8], endian: Endian) {
    if endian == Endian::Little {
        out.extend_from_slice(body);
        return;
    }
    let widths = fixed(block_type);
    let len = widths.iter().sum::<usize>();
    let (Some(head), Some(rest)) = (body.get(..len), body.get(len..)) else {
        out.extend_from_slice(body);
        return;
    };
    numbers(out, head, widths);
    match block_type {
        block::INTERFACE_STATISTICS | block::PROCESS => {
            closed(out, block_type, rest, endian);
        }
        block::DECRYPTION_SECRETS | block::OS_EVENT => {
            // The last of the numbers is the length of the data.
            let data = Fields::new(head.get(len - 4..).unwrap_or_default(), endian).u32();
            let data = data.map_or(0, |len| len as usize);
            let end = data.saturating_add(padding(data)).min(rest.len());
            out.extend_from_slice(rest.get(..end).unwrap_or_default());
            closed(out, block_type, rest.get(end..).unwrap_or_default(), endian);
        }
        block::NAME_RESOLUTION => names(out, rest, endian),
        _ => out.extend_from_slice(rest),
    }
}

/// Appends the records of a name resolution block and its options.
fn names(out: &mut Vec<u8>, body: &[u8], endian: Endian) {
    let mut fields = Fields::new(body, endian);
    while let (Some(kind), Some(len)) = (fields.u16(), fields.u16()) {
        write_option_header(out, kind, len);
        if kind == 0 {
            break;
        }
        let whole = usize::from(len) + padding(usize::from(len));
        let Some(record) = fields.bytes(whole) else {
            break;
        };
        out.extend_from_slice(record);
    }
    closed(out, block::NAME_RESOLUTION, fields.rest(), endian);
}
