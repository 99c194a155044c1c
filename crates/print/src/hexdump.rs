//! Bytes as they are: `-x`, `-X`, `-A`, and what is printed of payloads nobody knows.

use crate::out::Out;
use crate::put::{HexZeros, digit, put};

/// Lines of 16 bytes in hexadecimal, each after `start` (which begins with a newline).
pub(crate) fn hex(p: &mut Out<'_>, start: &str, bytes: &[u8]) {
    lines(p, start, bytes, false);
}

/// As [`hex`], with the printable characters beside.
pub(crate) fn hex_ascii(p: &mut Out<'_>, start: &str, bytes: &[u8]) {
    lines(p, start, bytes, true);
}

fn lines(p: &mut Out<'_>, start: &str, bytes: &[u8], ascii: bool) {
    /// Columns of eight groups of a space and four digits.
    const HEX_WIDTH: usize = 40;
    let mut offset = 0;
    for line in bytes.chunks(16) {
        put!(p, start, "0x", HexZeros(offset, 4), ": ");
        offset = offset.saturating_add(16);
        let begin = p.out.len();
        for group in line.chunks(2) {
            p.out.push(b' ');
            for &byte in group {
                p.out.extend_from_slice(&[digit(byte >> 4), digit(byte)]);
            }
        }
        if ascii {
            p.out.resize(begin + HEX_WIDTH, b' ');
            put!(p, "  ");
            p.out.extend(
                line.iter()
                    .map(|&byte| if byte.is_ascii_graphic() { byte } else { b'.' }),
            );
        }
    }
}

/// The bytes as text: graphic characters, spaces, tabs and newlines as they are, carriage
/// returns before newlines left out, all others as a dot.
pub(crate) fn ascii(p: &mut Out<'_>, bytes: &[u8]) {
    p.out.push(b'\n');
    let shown = bytes.iter().enumerate().filter_map(|(at, &byte)| {
        // compat: and those behind which one byte or none is left (4.99.3).
        let left_out = byte == b'\r' && matches!(bytes.get(at + 1..), Some([] | [_] | [b'\n', ..]));
        let as_it_is = matches!(byte, b' ' | b'\t' | b'\n') || byte.is_ascii_graphic();
        (!left_out).then_some(if as_it_is { byte } else { b'.' })
    });
    p.out.extend(shown);
}
