//! `ZeroMQ`'s transfer protocol, version 1: in a stream, and in the datagrams of PGM.

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed};
use crate::put::{HexFull, put};

/// So many bytes of a body are shown with one `-v`.
const SHOWN: usize = 128;

/// What a segment carries: frames one after the other.
pub(crate) fn stream(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "zmtp1";
    let mut c = Cursor::new(c.limit(length).rest());
    put!(p, ": ZMTP/1.0");
    while !c.is_empty() {
        frame(p, &mut c)?;
    }
    Ok(())
}

/// A datagram of `length` bytes: where in it the first frame starts, and its frames.
pub(crate) fn datagram(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "zmtp1";
    let mut c = Cursor::new(c.limit(length).rest());
    let offset = c.u16()?;
    put!(p, "\n\t frame offset 0x", HexFull(offset));
    let left = length.saturating_sub(2);
    let middle = if offset == 0xffff {
        left
    } else {
        usize::from(offset).min(left)
    };
    if middle > 0 {
        put!(p, "\n\t frame intermediate part, ", middle, " bytes");
        if usize::from(offset) > left && offset != 0xffff {
            put!(p, " (exceeds datagram declared length)");
        }
        body(p, c, middle, ", first ", " byte(s):");
        c.skip(middle.min(c.remaining()))?;
    }
    let mut left = left - middle;
    while left > 0 && !c.is_empty() {
        let before = c.remaining();
        frame(p, &mut c)?;
        left = left.saturating_sub(before - c.remaining());
    }
    Ok(())
}

/// The first bytes of a body.
fn body(p: &mut Out<'_>, c: Cursor<'_>, length: usize, before: &str, after: &str) {
    let there = length.min(c.remaining());
    if there == 0 {
        return;
    }
    let shown = match p.style.verbose {
        0 => 0,
        1 => there.min(SHOWN),
        _ => there,
    };
    put!(p, before, shown, after);
    hexdump::hex_ascii(p, "\n\t ", c.limit(shown).rest());
}

fn frame(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, "\n\t");
    let first = c.u8()?;
    let length = if first == 0xff {
        put!(p, " frame flags+body (64-bit) length");
        let length = c.u64()?;
        put!(p, " ", length);
        usize::try_from(length).unwrap_or(usize::MAX)
    } else {
        put!(p, " frame flags+body  (8-bit) length ", first);
        usize::from(first)
    };
    let there = c.remaining();
    if length > there {
        put!(p, " (", there, " captured)");
    }
    if length == 0 {
        p.invalid();
        return Err(Truncated);
    }
    let flags = c.u8()?;
    put!(p, ", flags 0x", HexFull(flags));
    if p.verbose(1) {
        flag_names(p, flags);
    }
    body(p, *c, length - 1, ", first ", " byte(s) of body:");
    c.skip(length - 1)
}

fn flag_names(p: &mut Out<'_>, flags: u8) {
    if flags == 0 {
        return put!(p, " (none)");
    }
    put!(p, " (");
    for bit in (0..8_u8).rev() {
        let name = match (flags >> bit & 1, bit) {
            (0, _) => "-",
            (_, 0) => "MORE",
            _ => "MBZ",
        };
        put!(p, name, if bit == 0 { ")" } else { "|" });
    }
}
