//! IEEE 802.15.4 frames (IEEE Std 802.15.4-2020 section 7): the kind of frame, its flags, its
//! addresses. What follows them is shown as bytes.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{Hex, HexFull, Pairs, put};

/// Bits of the frame control field (section 7.2.2).
const PAN_COMPRESSION: u16 = 1 << 6;
const NO_SEQUENCE: u16 = 1 << 8;

static FLAGS: &[(u16, &str)] = &[
    (1 << 3, "Security Enabled, "),
    (1 << 4, "Frame Pending, "),
    (1 << 5, "AR, "),
    (PAN_COMPRESSION, "PAN ID Compression, "),
    (NO_SEQUENCE, "Sequence Number Suppression, "),
    (1 << 9, "IE present, "),
];

/// How an address is given (section 7.2.2.9); 1 is reserved.
const NONE: u16 = 0;
const RESERVED: u16 = 1;
const SHORT: u16 = 2;
const EXTENDED: u16 = 3;

/// A frame; whether its check sequence was captured is found out by its being right.
pub(crate) fn frame(p: &mut Out<'_>, c: Cursor<'_>, _wire: usize) -> Printed {
    packet(p, c, c.remaining()).map(drop)
}

/// A frame of `length` bytes; whether it was understood up to its payload.
pub(crate) fn packet(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    p.protocol = "802.15.4";
    let whole = c;
    let mut c = c;
    let control = c.u16_le()?;
    put!(p, "IEEE 802.15.4 ");
    let kind = match control & 7 {
        0 => "Beacon",
        1 => "Data",
        2 => "ACK",
        3 => "Command",
        4 => "Reserved",
        5 => "Multipurpose",
        6 => "Fragment",
        _ => "Extended",
    };
    put!(p, kind, " packet");
    put!(p, " ");
    if control & 7 > 3 {
        return Ok(true);
    }
    whole.need(length)?;
    let version = control >> 12 & 3;
    put!(p, "v", version, " ");
    if p.verbose(3) {
        for (_, name) in FLAGS.iter().filter(|flag| control & flag.0 != 0) {
            put!(p, *name);
        }
    }
    sequence(p, &mut c, control, version)?;
    if !addresses(p, &mut c, control, version) {
        return Ok(false);
    }
    let rest = verify(p, whole.rest(), c.rest());
    if !rest.is_empty() {
        p.unknown(rest);
    }
    Ok(true)
}

fn sequence(p: &mut Out<'_>, c: &mut Cursor<'_>, control: u16, version: u16) -> Printed {
    if control & NO_SEQUENCE == 0 {
        let number = c.u8()?;
        if p.verbose(1) {
            put!(p, "seq ", HexFull(number), " ");
        }
        return Ok(());
    }
    if version < 2 {
        put!(
            p,
            "[ERROR: Sequence number suppressed on frames where version < 2]"
        );
    }
    if p.verbose(1) {
        put!(p, "seq suppressed ");
    }
    Ok(())
}

/// Destination and source; whether the frame goes on behind them.
fn addresses(p: &mut Out<'_>, c: &mut Cursor<'_>, control: u16, version: u16) -> bool {
    let compressed = control & PAN_COMPRESSION != 0;
    let (to, from) = (control >> 10 & 3, control >> 14);
    if from == RESERVED || to == RESERVED {
        let which = if from == RESERVED { "src" } else { "dst" };
        put!(p, "[ERROR: Invalid ", which, " address mode]");
        return false;
    }
    let (to_pan, from_pan) = if version < 2 {
        if compressed && (to == NONE || from == NONE) {
            put!(
                p,
                "[ERROR: PAN ID Compression != 0, and only one address with frame version < 2]"
            );
        }
        (to != NONE, from != NONE && !compressed)
    } else {
        networks(to, from, compressed)
    };
    let shown = end(p, c, to, to_pan).and_then(|()| {
        put!(p, " < ");
        end(p, c, from, from_pan)
    });
    match shown {
        Ok(()) => put!(p, " "),
        Err(what) => put!(p, "[ERROR: Truncated before dst_", what, "]"),
    }
    shown.is_ok()
}

/// Whether the networks of destination and source are given, from version 2 on (table 7-2).
///
/// compat: a source's extended address behind any destination has none (4.99.3).
fn networks(to: u16, from: u16, compressed: bool) -> (bool, bool) {
    match (to, from) {
        (NONE, NONE) => (compressed, false),
        (NONE, _) => (false, !compressed),
        (_, NONE) => (!compressed, false),
        (EXTENDED, EXTENDED) => (!compressed, false),
        _ => (true, !compressed && from != EXTENDED),
    }
}

/// A network and an address in it; the error says before which of them the capture ends.
fn end(p: &mut Out<'_>, c: &mut Cursor<'_>, mode: u16, pan: bool) -> Result<(), &'static str> {
    if pan {
        let pan = c.u16_le().map_err(|Truncated| "pan")?;
        put!(p, HexFull(pan), ":");
    } else {
        put!(p, "-:");
    }
    match mode {
        SHORT => put!(p, HexFull(c.u16_le().map_err(|Truncated| "addr")?)),
        EXTENDED => {
            let mut address = c.array::<8>().map_err(|Truncated| "addr")?;
            address.reverse();
            put!(p, Pairs(&address, ':'));
        }
        _ => put!(p, "none"),
    }
    Ok(())
}

/// Finds out whether the last two bytes are the frame check sequence, and says so with `-vvv`;
/// the payload without it.
fn verify<'a>(p: &mut Out<'_>, frame: &'a [u8], rest: &'a [u8]) -> &'a [u8] {
    let Some((checked @ [_, _, ..], &[low, high])) = frame.split_last_chunk::<2>() else {
        // compat: so short a frame is said to have one of zero (4.99.3).
        if p.verbose(3) {
            put!(p, "FCS 0 ");
        }
        return rest;
    };
    let (found, right) = (u16::from_le_bytes([low, high]), crc(checked));
    if found == right {
        if p.verbose(3) {
            put!(p, "FCS ", Hex(found), " ");
        }
        let end = rest.len().saturating_sub(2);
        return rest.get(..end).unwrap_or_default();
    }
    if p.verbose(3) {
        put!(p, "wrong FCS ", Hex(found), " vs ", Hex(right));
        put!(p, " (assume no FCS stored) ");
    }
    rest
}

/// ITU-T's 16-bit remainder, lowest bit first (section 7.2.11).
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, &byte| {
        (0..8).fold(sum ^ u16::from(byte), |sum, _| {
            sum >> 1 ^ if sum & 1 == 0 { 0 } else { 0x8408 }
        })
    })
}
