//! IEEE 802.15.4 frames (IEEE Std 802.15.4-2020 section 7): the kind of frame, its flags, its
//! addresses, the security header, information elements, and what beacons and commands say.

mod beacon;
mod command;
mod element;
mod security;

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{Hex, HexBytes, HexFull, Pairs, put};

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

/// The version and flags of a multipurpose frame (section 7.2.2, figure 7-3).
static MULTIPURPOSE: &[(u16, &str)] = &[
    (1 << 9, "Security Enabled, "),
    (1 << 11, "Frame Pending, "),
    (1 << 14, "AR, "),
    (1 << 8, "PAN ID Present, "),
    (1 << 10, "Sequence Number Suppression, "),
    (1 << 15, "IE present, "),
];

const BEACON: u16 = 0;
const COMMAND: u16 = 3;
const MULTIPURPOSE_FRAME: u16 = 5;

/// A frame behind a header of type-length-values (`LINKTYPE_IEEE802_15_4_TAP`), which are not shown.
pub(crate) fn tap(p: &mut Out<'_>, c: Cursor<'_>, _wire: usize) -> Printed {
    p.protocol = "802.15.4_tap";
    let mut c = c;
    // Of a header that is cut no byte is shown as one of the packet.
    p.link_len = usize::MAX;
    let (version, _, header) = (c.u8()?, c.u8()?, usize::from(c.u16_le()?));
    if version != 0 || header < 4 {
        p.link_len = 0;
        p.invalid();
        return Ok(());
    }
    c.skip(header - 4)?;
    frame(p, Cursor::new(c.rest()), 0)?;
    p.link_len += header;
    Ok(())
}

/// A frame; whether its check sequence was captured is found out by its being right.
pub(crate) fn frame(p: &mut Out<'_>, c: Cursor<'_>, _wire: usize) -> Printed {
    p.link_len = if c.need(2).is_ok() { 0 } else { usize::MAX };
    // compat: one byte counts as the link's header (4.99.3).
    p.link_len = usize::from(packet(p, c, c.remaining())?);
    Ok(())
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
    if matches!(control & 7, 4 | 6 | 7) {
        return Ok(false);
    }
    whole.need(length)?;
    if control & 7 == MULTIPURPOSE_FRAME {
        return multipurpose(p, whole, control);
    }
    let version = control >> 12 & 3;
    put!(p, "v", version, " ");
    flags(p, FLAGS, control);
    sequence(p, &mut c, control, version)?;
    if !addresses(p, &mut c, control, version) {
        return Ok(false);
    }
    let parts = Parts {
        secured: control & 1 << 3 != 0,
        elements: control & 1 << 9 != 0,
        kind: control & 7,
        version,
    };
    body(p, whole, c, parts)
}

fn flags(p: &mut Out<'_>, names: &[(u16, &'static str)], control: u16) {
    if p.verbose(3) {
        for (_, name) in names.iter().filter(|flag| control & flag.0 != 0) {
            put!(p, *name);
        }
    }
}

/// A multipurpose frame, whose control field may be one byte long (section 7.3.5).
fn multipurpose(p: &mut Out<'_>, whole: Cursor<'_>, control: u16) -> Result<bool, Truncated> {
    let mut c = whole;
    let long = control & 1 << 3 != 0;
    c.skip(if long { 2 } else { 1 })?;
    let control = if long { control } else { control & 0xff };
    if long {
        put!(p, "v", control >> 12 & 3, " ");
    }
    flags(p, MULTIPURPOSE, control);
    if control & 1 << 10 == 0 {
        let number = c.u8()?;
        if p.verbose(1) {
            put!(p, "seq ", HexFull(number), " ");
        }
    }
    let (to, from) = (control >> 4 & 3, control >> 6 & 3);
    if let Some(which) = reserved(to, from) {
        put!(p, "[ERROR: Invalid ", which, " address mode]");
        return Ok(false);
    }
    let shown = end(p, &mut c, to, control & 1 << 8 != 0).and_then(|()| {
        put!(p, " <  ");
        end(p, &mut c, from, false)
    });
    if !ended(p, shown) {
        return Ok(false);
    }
    let parts = Parts {
        secured: control & 1 << 9 != 0,
        elements: control & 1 << 15 != 0,
        kind: MULTIPURPOSE_FRAME,
        version: 0,
    };
    body(p, whole, c, parts)
}

/// What the control field says of the bytes behind the addresses.
#[derive(Clone, Copy)]
struct Parts {
    secured: bool,
    elements: bool,
    kind: u16,
    version: u16,
}

/// What follows the addresses.
fn body(
    p: &mut Out<'_>,
    whole: Cursor<'_>,
    after: Cursor<'_>,
    parts: Parts,
) -> Result<bool, Truncated> {
    let sum = Sum::of(whole.rest());
    let mut c = sum.without(after);
    let mut security = None;
    if parts.secured {
        match security::header(p, &mut c) {
            Ok(found) => security = Some(found),
            Err(what) => return failed(p, "before ", what),
        }
    }
    let code = match security.as_ref().map(|found| found.code(&mut c)) {
        Some(None) => return failed(p, "before ", "MIC"),
        Some(code) => code,
        None => None,
    };
    if parts.elements {
        let encrypted = security.is_some_and(security::Security::encrypted);
        if let Err(what) = element::all(p, &mut c, encrypted) {
            return failed(p, "", what);
        }
    }
    if let Some(code) = code.filter(|code| !code.is_empty() && p.verbose(3)) {
        put!(p, "\n\tMIC ", HexBytes(code), " ");
    }
    sum.put(p);
    let told = match parts.kind {
        // From version 2 on elements say it.
        BEACON if parts.version < 2 => beacon::beacon(p, &mut c),
        COMMAND => {
            let at = c.position() + 1 - whole.position();
            let behind = whole.rest().get(at..).unwrap_or_default();
            command::command(p, &mut c, behind)?
        }
        _ => true,
    };
    if told && !c.is_empty() && !p.style.quiet {
        p.unknown(c.rest());
    }
    Ok(true)
}

/// Says before or in what the frame ends.
fn failed(p: &mut Out<'_>, before: &str, what: &str) -> Result<bool, Truncated> {
    put!(p, "[ERROR: Truncated ", before, what, "]");
    Ok(false)
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
    if let Some(which) = reserved(to, from) {
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
    ended(p, shown)
}

/// Ends the addresses, or says before which of them the frame ends; whether it goes on.
fn ended(p: &mut Out<'_>, shown: Result<(), &'static str>) -> bool {
    match shown {
        Ok(()) => put!(p, " "),
        Err(what) => put!(p, "[ERROR: Truncated before dst_", what, "]"),
    }
    shown.is_ok()
}

/// Which of two addresses is given in the way that is reserved.
fn reserved(to: u16, from: u16) -> Option<&'static str> {
    match (to, from) {
        (_, RESERVED) => Some("src"),
        (RESERVED, _) => Some("dst"),
        _ => None,
    }
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

/// What the last two bytes are, if not data: the frame check sequence, which is found out by its
/// being right (section 7.2.11).
enum Sum {
    Right(u16),
    Wrong { found: u16, right: u16 },
    None,
}

impl Sum {
    fn of(frame: &[u8]) -> Self {
        let Some((checked @ [_, _, ..], &[low, high])) = frame.split_last_chunk::<2>() else {
            return Self::None;
        };
        let (found, right) = (u16::from_le_bytes([low, high]), crc(checked));
        if found == right {
            Self::Right(found)
        } else {
            Self::Wrong { found, right }
        }
    }

    /// The bytes before it.
    fn without<'a>(&self, c: Cursor<'a>) -> Cursor<'a> {
        match self {
            Self::Right(_) => c.limit(c.remaining().saturating_sub(2)),
            Self::Wrong { .. } | Self::None => c,
        }
    }

    fn put(&self, p: &mut Out<'_>) {
        if !p.verbose(3) {
            return;
        }
        match *self {
            Self::Right(found) => put!(p, "FCS ", Hex(found), " "),
            Self::Wrong { found, right } => {
                put!(p, "wrong FCS ", Hex(found), " vs ", Hex(right));
                put!(p, " (assume no FCS stored) ");
            }
            // compat: so short a frame is said to have one of zero (4.99.3).
            Self::None => put!(p, "FCS 0 "),
        }
    }
}

/// ITU-T's 16-bit remainder, lowest bit first (section 7.2.11).
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, &byte| {
        (0..8).fold(sum ^ u16::from(byte), |sum, _| {
            sum >> 1 ^ if sum & 1 == 0 { 0 } else { 0x8408 }
        })
    })
}
