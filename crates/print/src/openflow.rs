//! `OpenFlow` messages in a TCP segment (`OpenFlow` Switch Specification 1.0.0 and 1.3.5).

mod v10;
mod v10_stats;
mod v10_vendor;
mod v13;

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, HexZeros, Visible, put};
use crate::{Style, ether, hexdump, oui};

/// Bytes of every message's header.
const HEADER: usize = 8;

static VERSIONS: &[(u8, &str)] = &[
    (1, "1.0"),
    (2, "1.1"),
    (3, "1.2"),
    (4, "1.3"),
    (5, "1.4"),
    (6, "1.5"),
];

/// Why the rest of a message is not printed.
enum Stop {
    /// It was not captured.
    Truncated,
    /// The message contradicts itself.
    Invalid,
}

impl From<Truncated> for Stop {
    fn from(_: Truncated) -> Self {
        Self::Truncated
    }
}

type Step = Result<(), Stop>;

/// What is left of a message, or of an inner part of one.
struct Body<'a> {
    c: Cursor<'a>,
    /// Bytes by the lengths that messages state; fewer may have been captured.
    left: usize,
}

impl<'a> Body<'a> {
    /// Says that the next `count` bytes belong to it.
    fn claim(&mut self, count: usize) -> Step {
        self.left = self.left.checked_sub(count).ok_or(Stop::Invalid)?;
        Ok(())
    }

    /// Whether exactly `count` bytes are left.
    fn exactly(&self, count: usize) -> Step {
        if self.left == count {
            Ok(())
        } else {
            Err(Stop::Invalid)
        }
    }

    /// Whether `count` bytes are left at least.
    fn at_least(&self, count: usize) -> Step {
        if self.left >= count {
            Ok(())
        } else {
            Err(Stop::Invalid)
        }
    }

    fn u8(&mut self) -> Result<u8, Stop> {
        self.claim(1)?;
        Ok(self.c.u8()?)
    }

    fn u16(&mut self) -> Result<u16, Stop> {
        self.claim(2)?;
        Ok(self.c.u16()?)
    }

    fn u32(&mut self) -> Result<u32, Stop> {
        self.claim(4)?;
        Ok(self.c.u32()?)
    }

    fn u64(&mut self) -> Result<u64, Stop> {
        self.claim(8)?;
        Ok(self.c.u64()?)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        self.claim(N)?;
        Ok(self.c.array()?)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Stop> {
        self.claim(count)?;
        Ok(self.c.take(count)?)
    }

    /// `NAME 'TEXT'`: text up to a zero in a field of `size` bytes, as far as it was captured.
    ///
    /// compat: what is missing behind the zero is not missed (4.99.3).
    fn text(&mut self, p: &mut Out<'_>, name: &str, size: usize) -> Step {
        put!(p, name, " '");
        let field = self.c.limit(size).rest();
        put!(p, Visible::until_zero(field));
        if field.len() < size && !field.contains(&0) {
            return Err(Stop::Truncated);
        }
        put!(p, "'");
        self.unseen(size)
    }

    /// Reserved bytes.
    fn pad(&mut self, count: usize) -> Step {
        self.take(count).map(drop)
    }

    /// Bytes of which it is not asked whether they were captured.
    fn unseen(&mut self, count: usize) -> Step {
        self.claim(count)?;
        crate::out::pass(&mut self.c, count);
        Ok(())
    }

    /// The next `count` bytes on their own.
    fn part(&mut self, count: usize) -> Result<Self, Stop> {
        self.claim(count)?;
        let c = Cursor::new(self.c.limit(count).rest());
        crate::out::pass(&mut self.c, count);
        Ok(Self { c, left: count })
    }

    /// All that is left, in hexadecimal.
    fn data(&mut self, p: &mut Out<'_>) -> Step {
        if self.left == 0 {
            return Ok(());
        }
        put!(p, "\n\t data (", self.left, " octets)");
        if p.verbose(2) {
            hexdump::hex_ascii(p, "\n\t  ", self.c.limit(self.left).rest());
        }
        self.pad(self.left)
    }
}

/// A segment's messages.
pub(crate) fn openflow(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "openflow";
    put!(p, ": OpenFlow");
    let mut c = c;
    let mut left = length;
    while left > 0 {
        let version = c.u8()?;
        put!(p, "\n\tversion ");
        match lookup(VERSIONS, version) {
            Some(name) => put!(p, name),
            None => put!(p, "unknown (0x", HexFull(version), ")"),
        }
        let used = message(p, &mut c, left, version)?;
        let Some(rest) = left.checked_sub(used).filter(|_| used > 0) else {
            return Ok(());
        };
        left = rest;
    }
    Ok(())
}

/// The end of a segment in the middle of a header.
fn ends(p: &mut Out<'_>) -> Result<usize, Truncated> {
    put!(p, " (end of TCP payload)");
    Ok(0)
}

/// One message, behind its version; its length, 0 if the next is not to be found.
fn message(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    left: usize,
    version: u8,
) -> Result<usize, Truncated> {
    if left < 2 {
        return ends(p);
    }
    let kind = c.u8()?;
    let name = match version {
        1 => lookup(v10::TYPES, kind),
        4 => lookup(v13::TYPES, kind),
        _ => None,
    };
    match name {
        Some(name) => put!(p, ", type ", name),
        None => put!(p, ", type unknown (0x", HexFull(kind), ")"),
    }
    if left < 4 {
        return ends(p);
    }
    let length = c.u16()?;
    put!(p, ", length ", length);
    let Some(inner) = usize::from(length).checked_sub(HEADER) else {
        put!(p, " (too short!)");
        if left >= HEADER {
            put!(p, ", xid 0x", HexFull(c.u32()?));
        } else {
            return ends(p);
        }
        p.invalid();
        return Ok(0);
    };
    if left < HEADER {
        return ends(p);
    }
    put!(p, ", xid 0x", HexFull(c.u32()?));
    let mut body = Body {
        c: Cursor::new(c.limit(inner).rest()),
        left: inner,
    };
    let print = match version {
        1 => v10::body,
        4 => v13::body,
        _ => |_: &mut Out<'_>, _: u8, body: &mut Body<'_>| Ok(body.c.need(body.left)?),
    };
    match print(p, kind, &mut body) {
        Ok(()) => {}
        Err(Stop::Invalid) => {
            p.invalid();
            c.need(inner)?;
        }
        Err(Stop::Truncated) => return Err(Truncated),
    }
    // compat: what a body does not read is not missed.
    crate::out::pass(c, inner);
    Ok(HEADER + inner)
}

/// `0x0000001f (A, B)`, with ` (bogus)` when bits are set that have no name.
fn bitmap(p: &mut Out<'_>, digits: u32, table: &[(u32, &str)], value: u32) {
    let unknown = names(p, digits, table, value);
    bogus(p, unknown != 0);
}

/// The names of set bits; the bits that have none.
fn names(p: &mut Out<'_>, digits: u32, table: &[(u32, &str)], value: u32) -> u32 {
    put!(p, "0x", HexZeros(value, digits));
    let mut before = " (";
    let mut known = 0;
    for &(bit, name) in table {
        known |= bit;
        if value & bit != 0 {
            put!(p, before, name);
            before = ", ";
        }
    }
    if before == ", " {
        put!(p, ")");
    }
    value & !known
}

fn bogus(p: &mut Out<'_>, wrong: bool) {
    if wrong {
        put!(p, " (bogus)");
    }
}

/// A name from a table, or the number and that it is none.
fn name_or(p: &mut Out<'_>, table: &[(u32, &'static str)], value: u32, missing: &str, digits: u32) {
    match lookup(table, value) {
        Some(name) => put!(p, name),
        None => put!(p, missing, " (0x", HexZeros(value, digits), ")"),
    }
}

/// Who made an extension: by the organisation's number.
fn vendor(p: &mut Out<'_>, vendor: u32) {
    static NAMES: &[(u32, &str)] = &[
        (0x2320, "Nicira Networks"),
        (v10_vendor::BIG_SWITCH, "Big Switch Networks"),
        (0x4f4e_4600, "ONF Extensions"),
        (0xd0_f0db, "Ericsson"),
    ];
    let name = lookup(NAMES, vendor).unwrap_or_else(|| match oui::name(vendor) {
        "Unknown" => "unknown",
        name => name,
    });
    put!(p, "0x", HexFull(vendor), " (", name, ")");
}

/// An error of a kind and one of its codes, and the message that has it.
fn error(
    p: &mut Out<'_>,
    body: &mut Body<'_>,
    kinds: &[(u32, &'static str)],
    codes: &[&[&str]],
) -> Step {
    let kind = body.u16()?;
    put!(p, "\n\t type ");
    name_or(p, kinds, u32::from(kind), "invalid", 4);
    let code = body.u16()?;
    put!(p, ", code ");
    let codes = codes.get(usize::from(kind)).copied().unwrap_or_default();
    match codes.get(usize::from(code)) {
        Some(name) => put!(p, *name),
        None => put!(p, "invalid (0x", HexFull(code), ")"),
    }
    body.data(p)
}

/// A frame that went to a controller or comes from one.
fn frame(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    if body.left == 0 {
        return Ok(());
    }
    put!(p, "\n\t data (", body.left, " octets)");
    if !p.verbose(3) {
        return body.pad(body.left);
    }
    put!(p, ", frame decoding below\n");
    let length = body.left;
    let inner = body.part(length)?;
    let style = Style {
        verbose: p.style.verbose - 3,
        ..p.style.clone()
    };
    let mut nested = Out::new(p.out, &style, p.names, p.past);
    nested.protocol = p.protocol;
    nested.snaplen = p.snaplen;
    nested.ends = p.ends;
    let printed = nested.deeper(|nested| ether::frame(nested, inner.c, length));
    // Where the frame is cut, the segment is, and the mark is the inner protocol's.
    let protocol = nested.protocol;
    if printed.is_err() {
        p.protocol = protocol;
    }
    Ok(printed?)
}
