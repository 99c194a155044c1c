//! Composing a block at the end of a buffer, little-endian.

use super::{option, padding};

/// Appends a block's type and room for its length; where the block starts.
#[inline]
pub(crate) fn start_block(out: &mut Vec<u8>, block_type: u32) -> usize {
    let start = out.len();
    let [t0, t1, t2, t3] = block_type.to_le_bytes();
    out.extend_from_slice(&[t0, t1, t2, t3, 0, 0, 0, 0]);
    start
}

/// Appends the trailing length and fills in the leading one.
#[inline]
pub(crate) fn end_block(out: &mut Vec<u8>, start: usize) {
    let length = u32::try_from(out.len() - start + 4)
        .unwrap_or(u32::MAX)
        .to_le_bytes();
    out.extend_from_slice(&length);
    if let Some(field) = out.get_mut(start + 4..start + 8) {
        field.copy_from_slice(&length);
    }
}

/// Appends zeros up to the next multiple of four after `len` bytes.
#[inline]
pub(crate) fn pad(out: &mut Vec<u8>, len: usize) {
    // Most often none, and a call to copy nothing is not free.
    for _ in 0..padding(len) {
        out.push(0);
    }
}

/// Appends an option. A value longer than its 16-bit length can say is cut.
pub(crate) fn write_option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
    let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
    write_option_header(out, code, len);
    out.extend_from_slice(value);
    pad(out, value.len());
}

/// Appends an option of text, unless it is empty.
pub(crate) fn write_text(out: &mut Vec<u8>, code: u16, text: &str) {
    if !text.is_empty() {
        write_option(out, code, text.as_bytes());
    }
}

#[inline]
pub(crate) fn write_option_header(out: &mut Vec<u8>, code: u16, len: u16) {
    let [c0, c1] = code.to_le_bytes();
    let [l0, l1] = len.to_le_bytes();
    out.extend_from_slice(&[c0, c1, l0, l1]);
}

/// Appends an option that is one 32-bit number.
#[inline]
pub(crate) fn write_u32_option(out: &mut Vec<u8>, code: u16, value: u32) {
    let [c0, c1] = code.to_le_bytes();
    let [v0, v1, v2, v3] = value.to_le_bytes();
    out.extend_from_slice(&[c0, c1, 4, 0, v0, v1, v2, v3]);
}

/// Appends the end of the options.
#[inline]
pub(crate) fn end_options(out: &mut Vec<u8>) {
    let [c0, c1] = option::END.to_le_bytes();
    out.extend_from_slice(&[c0, c1, 0, 0]);
}

/// Appends a 64-bit number as its upper, then its lower half (pcapng times).
#[inline]
pub(crate) fn write_high_low(out: &mut Vec<u8>, number: u64) {
    let [l0, l1, l2, l3, h0, h1, h2, h3] = number.to_le_bytes();
    out.extend_from_slice(&[h0, h1, h2, h3, l0, l1, l2, l3]);
}
