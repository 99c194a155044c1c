//! IS-IS (ISO 10589): the headers of its messages.

mod capability;
mod reach;
mod table;
mod tlv;

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, lookup};
use crate::put::{HexFull, Padded, put};

use super::fletcher;

const COMMON: usize = 8;

const L1_IIH: u8 = 15;
const L2_IIH: u8 = 16;
const P2P_IIH: u8 = 17;
const L1_LSP: u8 = 18;
const L2_LSP: u8 = 20;
const L1_CSNP: u8 = 24;
const L2_CSNP: u8 = 25;
const L1_PSNP: u8 = 26;
const L2_PSNP: u8 = 27;

static CIRCUITS: &[(u8, &str)] = &[
    (1, "Level 1 only"),
    (2, "Level 2 only"),
    (3, "Level 1, Level 2"),
];

static SYSTEMS: &[&str] = &[
    "Unused 0x0 (invalid)",
    "L1 IS",
    "Unused 0x2 (invalid)",
    "L2 IS",
];

/// A message of `length` bytes; `false` if its bytes are to be shown instead.
pub(super) fn isis(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    p.protocol = "isis";
    let whole = c;
    let mut c = c;
    c.need(COMMON)?;
    c.skip(1)?;
    let (fixed, version, id_length, kind) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?);
    let (pdu_version, _, areas) = (c.u8()?, c.u8()?, c.u8()?);
    if !p.style.link {
        put!(p, "IS-IS");
    }
    if version != 1 || pdu_version != 1 {
        put!(
            p,
            "version ",
            if version == 1 { pdu_version } else { version }
        );
        put!(p, " packet not supported");
        return Ok(false);
    }
    if !matches!(id_length, 0 | 6) {
        put!(p, "system ID length of ", id_length, " is not supported");
        return Ok(false);
    }
    let fixed_length = usize::from(fixed);
    if fixed_length > length {
        put!(
            p,
            "fixed header length ",
            fixed,
            " > packet length ",
            length
        );
        return Ok(false);
    }
    if fixed_length < COMMON {
        put!(
            p,
            "fixed header length ",
            fixed,
            " < minimum header size ",
            COMMON
        );
        return Ok(false);
    }
    if areas == 255 {
        put!(p, "bad packet -- 255 areas");
        return Ok(false);
    }
    let comma = if p.style.link { "" } else { ", " };
    let body = c;
    if !p.verbose(1) {
        put!(p, comma);
        return short(p, kind, body, fixed_length, length);
    }
    put!(p, comma, "length ", length, "\n\t");
    match lookup(table::PDUS, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "unknown, type ", kind),
    }
    put!(
        p,
        ", hlen: ",
        fixed,
        ", v: ",
        version,
        ", pdu-v: ",
        pdu_version
    );
    put!(p, ", sys-id-len: 6 (", id_length, "), max-area: ");
    put!(p, if areas == 0 { 3 } else { areas }, " (", areas, ")");
    if p.verbose(2) {
        hexdump::hex(p, "\n\t", whole.limit(COMMON).rest());
    }
    let Some((stated, header)) = header(p, whole, kind, fixed_length, length)? else {
        return Ok(false);
    };
    if p.verbose(2) {
        hexdump::hex(p, "\n\t  ", body.limit(header).rest());
    }
    if stated < fixed_length {
        put!(p, " [packet length ", stated, " < ", fixed_length, "]");
        p.invalid();
        whole.need(length)?;
        return Ok(true);
    }
    let mut tlvs = body;
    tlvs.skip(header)?;
    tlv::tlvs(
        p,
        tlvs,
        stated.saturating_sub(fixed_length),
        length.saturating_sub(fixed_length),
    )?;
    Ok(true)
}

/// The line without `-v`.
fn short(
    p: &mut Out<'_>,
    kind: u8,
    body: Cursor<'_>,
    fixed_length: usize,
    length: usize,
) -> Result<bool, Truncated> {
    match lookup(table::PDUS, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "unknown, type ", kind),
    }
    if !right_size(p, kind, fixed_length) {
        return Ok(false);
    }
    brief(p, kind, body)?;
    put!(p, ", length ", length);
    Ok(true)
}

/// What the line without `-v` says of a type.
fn brief(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>) -> Result<(), Truncated> {
    match kind {
        L1_IIH | L2_IIH => {
            c.skip(1)?;
            put!(p, ", src-id ", Id(c.take(6)?));
            c.skip(4)?;
            let priority = c.u8()?;
            put!(p, ", lan-id ", Id(c.take(7)?), ", prio ", priority);
        }
        P2P_IIH => {
            c.skip(1)?;
            put!(p, ", src-id ", Id(c.take(6)?));
        }
        L1_PSNP | L2_PSNP | L1_CSNP | L2_CSNP => {
            c.skip(2)?;
            put!(p, ", src-id ", Id(c.take(7)?));
        }
        L1_LSP | L2_LSP => {
            c.skip(2)?;
            let lifetime = c.u16()?;
            put!(
                p,
                ", lsp-id ",
                Id(c.take(8)?),
                ", seq 0x",
                HexFull(c.u32()?)
            );
            put!(p, ", lifetime ", Padded(u64::from(lifetime), 5), "s");
        }
        _ => {}
    }
    Ok(())
}

/// Bytes of header of a type, after the common ones.
fn size(kind: u8) -> Option<usize> {
    Some(match kind {
        L1_IIH | L2_IIH => 19,
        P2P_IIH => 12,
        L1_LSP | L2_LSP => 19,
        L1_CSNP | L2_CSNP => 25,
        L1_PSNP | L2_PSNP => 9,
        _ => return None,
    })
}

/// Whether the length of the header is that of its type; says so if not.
fn right_size(p: &mut Out<'_>, kind: u8, fixed: usize) -> bool {
    let Some(size) = size(kind).filter(|size| fixed != COMMON + size) else {
        return true;
    };
    let mark = if matches!(kind, L1_PSNP | L2_PSNP) {
        "- "
    } else {
        ", "
    };
    put!(p, mark, "bogus fixed header length ", fixed, " should be ");
    // compat: of this type the common header is forgotten.
    if matches!(kind, L1_LSP | L2_LSP) {
        put!(p, size);
    } else {
        put!(p, COMMON + size);
    }
    false
}

/// The message's own length and the bytes of its header after the common one; `None` if the
/// header cannot be one of its type.
fn header(
    p: &mut Out<'_>,
    whole: Cursor<'_>,
    kind: u8,
    fixed: usize,
    length: usize,
) -> Result<Option<(usize, usize)>, Truncated> {
    let Some(size) = size(kind) else {
        let body = whole.rest().get(COMMON..).unwrap_or_default();
        let there = length.saturating_sub(COMMON);
        hexdump::hex(p, "\n\t  ", body.get(..there).unwrap_or(body));
        return Ok(None);
    };
    if !right_size(p, kind, fixed) {
        return Ok(None);
    }
    let mut c = whole;
    c.skip(COMMON)?;
    c.need(size)?;
    let stated = match kind {
        L1_IIH | L2_IIH | P2P_IIH => hello(p, c, kind)?,
        L1_LSP | L2_LSP => link_state(p, c, whole, length)?,
        _ => {
            let stated = c.u16()?;
            let source = c.array::<7>()?;
            put!(
                p,
                "\n\t  source-id:    ",
                Id(&source),
                ", PDU length: ",
                stated
            );
            if matches!(kind, L1_CSNP | L2_CSNP) {
                put!(p, "\n\t  start lsp-id: ", Id(c.take(8)?));
                put!(p, "\n\t  end lsp-id:   ", Id(c.take(8)?));
            }
            stated
        }
    };
    Ok(Some((usize::from(stated), size)))
}

fn hello(p: &mut Out<'_>, mut c: Cursor<'_>, kind: u8) -> Result<u16, Truncated> {
    let circuit = c.u8()?;
    let source = c.array::<6>()?;
    let (hold, stated) = (c.u16()?, c.u16()?);
    let blank = if kind == P2P_IIH { " " } else { "  " };
    put!(
        p,
        "\n\t  source-id: ",
        Id(&source),
        ",",
        blank,
        "holding time: ",
        hold
    );
    put!(p, "s, Flags: [");
    match lookup(CIRCUITS, circuit) {
        Some(name) => put!(p, name),
        None => put!(p, "unknown circuit type 0x", HexFull(circuit)),
    }
    put!(p, "]");
    if kind == P2P_IIH {
        put!(
            p,
            "\n\t  circuit-id: 0x",
            HexFull(c.u8()?),
            ", PDU length: ",
            stated
        );
    } else {
        let priority = c.u8()?;
        put!(p, "\n\t  lan-id:    ", Id(c.take(7)?));
        put!(p, ", Priority: ", priority & 0x7f, ", PDU length: ", stated);
    }
    Ok(stated)
}

fn link_state(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    whole: Cursor<'_>,
    length: usize,
) -> Result<u16, Truncated> {
    let (stated, lifetime) = (c.u16()?, c.u16()?);
    let id = c.array::<8>()?;
    let (sequence, checksum, block) = (c.u32()?, c.u16()?, c.u8()?);
    put!(p, "\n\t  lsp-id: ", Id(&id), ", seq: 0x", HexFull(sequence));
    put!(
        p,
        ", lifetime: ",
        Padded(u64::from(lifetime), 5),
        "s\n\t  chksum: 0x"
    );
    put!(p, HexFull(checksum));
    // The lifetime, and what is before it, does not count.
    let end = usize::from(stated).min(length);
    let summed = whole.rest().get(12..end);
    verdict(p, summed, 12, checksum, lifetime == 0);
    put!(p, ", PDU length: ", stated, ", Flags: [ ");
    if block & 4 != 0 {
        put!(p, "Overload bit set, ");
    }
    if block & 0x78 != 0 {
        for (bit, name) in [
            (0x08, "default "),
            (0x10, "delay "),
            (0x20, "expense "),
            (0x40, "error "),
        ] {
            if block & bit != 0 {
                put!(p, name);
            }
        }
        put!(p, "ATT bit set, ");
    }
    if block & 0x80 != 0 {
        put!(p, "P bit set, ");
    }
    let name = SYSTEMS
        .get(usize::from(block & 3))
        .copied()
        .unwrap_or_default();
    put!(p, name, " ]");
    Ok(stated)
}

/// What a checksum says of the bytes it covers.
fn verdict(p: &mut Out<'_>, bytes: Option<&[u8]>, at: usize, found: u16, unknown: bool) {
    let Some(bytes) = bytes.filter(|_| found != 0 && !unknown) else {
        return put!(p, " (unverified)");
    };
    if fletcher::is_right(bytes) {
        return put!(p, " (correct)");
    }
    match fletcher::should_be(bytes, at) {
        Some(right) => put!(p, " (incorrect should be 0x", HexFull(right), ")"),
        None => put!(p, " (unverified)"),
    }
}

/// An identifier: groups of two bytes, then what makes it a node's or an LSP's.
#[derive(Clone, Copy)]
struct Id<'a>(&'a [u8]);

impl crate::put::Put for Id<'_> {
    fn put(self, out: &mut Vec<u8>) {
        for (n, &byte) in self.0.iter().enumerate() {
            match n {
                2 | 4 | 6 => out.push(b'.'),
                7 => out.push(b'-'),
                _ => {}
            }
            HexFull(byte).put(out);
        }
    }
}
