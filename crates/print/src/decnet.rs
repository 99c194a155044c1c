//! `DECnet` phase IV: routing messages (Digital, "Routing Layer Functional Specification" 2.0.0) and
//! what they carry. Numbers have the low byte first.

mod nsp;

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed, bits, named};
use crate::put::{Put, put};

/// Bytes of the short header, the shortest message there is.
const SHORT: usize = 6;
const LONG: usize = 21;

/// Bits of a message's first byte.
const PADDED: u8 = 0x80;
const FUTURE: u8 = 0x40;
const CONTROL: u8 = 0x01;

static NODES: &[(u8, &str)] = &[(1, "l2rout "), (2, "l1rout "), (3, "endnode ")];

static DATA_FLAGS: &[(u8, &str)] = &[(0x08, "RQR "), (0x10, "RTS "), (0x20, "IE ")];

/// A node's address: six bits of area, ten of node.
#[derive(Clone, Copy)]
struct Node(u16);

impl Put for Node {
    fn put(self, out: &mut Vec<u8>) {
        (self.0 >> 10, ".", self.0 & 0x3ff).put(out);
    }
}

/// A number in octal.
#[derive(Clone, Copy)]
struct Octal(u8);

impl Put for Octal {
    fn put(self, out: &mut Vec<u8>) {
        let Self(value) = self;
        if value > 0o77 {
            (value >> 6).put(out);
        }
        if value > 0o7 {
            (value >> 3 & 7).put(out);
        }
        (value & 7).put(out);
    }
}

/// A message behind its length.
pub(crate) fn decnet(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "decnet";
    let whole = c;
    if length < SHORT {
        return wrong(p, "length", length, '<', SHORT);
    }
    let mut c = c;
    let stated = usize::from(c.u16_le()?);
    if stated < SHORT {
        return wrong(p, "pktlen", stated, '<', SHORT);
    }
    if stated > length {
        return wrong(p, "pktlen", stated, '>', length);
    }
    let mut flags = { c }.u8()?;
    let mut left = stated;
    let mut shown = whole;
    if flags & PADDED != 0 {
        let padding = usize::from(flags & !PADDED);
        if p.verbose(1) {
            put!(p, "[pad:", padding, "] ");
        }
        if stated < padding + 2 {
            return wrong(p, "length", stated, '<', padding + 2);
        }
        left -= padding;
        c.skip(padding)?;
        shown.skip(padding)?;
        flags = { c }.u8()?;
    }
    if flags & FUTURE != 0 {
        put!(p, "future-version-decnet");
        hexdump::hex_ascii(p, "\n\t", shown.limit(left).rest());
        return Ok(());
    }
    if flags & CONTROL != 0 {
        return control(p, c, flags, left);
    }
    match flags & 7 {
        2 => data(p, c, flags, stated, left, SHORT),
        6 if left < LONG => wrong(p, "length", left, '<', LONG),
        6 => data(p, c, flags, stated, left, LONG),
        _ => {
            put!(p, "unknown message flags under mask");
            hexdump::hex_ascii(p, "\n\t", shown.limit(left).rest());
            Ok(())
        }
    }
}

/// ` (pktlen 5 < 6) (invalid)`.
fn wrong(p: &mut Out<'_>, what: &str, found: usize, sign: char, limit: usize) -> Printed {
    put!(p, " (", what, " ", found, " ", sign);
    put!(p, " ", limit, ")");
    p.invalid();
    Ok(())
}

/// A message of a transport connection between two nodes.
fn data(
    p: &mut Out<'_>,
    c: Cursor<'_>,
    flags: u8,
    stated: usize,
    length: usize,
    header: usize,
) -> Printed {
    c.need(header)?;
    let mut fields = c;
    // In the long header an address follows area, subarea and a constant, six bytes in all.
    let before = if header == LONG { 7 } else { 1 };
    fields.skip(before)?;
    let destination = Node(fields.u16_le()?);
    if header == LONG {
        fields.skip(6)?;
    }
    let source = Node(fields.u16_le()?);
    if header == LONG {
        fields.skip(1)?;
    }
    let hops = match fields.u8()? {
        visits if header == LONG => u16::from(visits),
        // compat: the short header's are counted from one (4.99.3).
        visits => u16::from(visits & 0x3f) + 1,
    };
    put!(p, source, " > ", destination, " ", stated, " ");
    if p.verbose(1) {
        for (_, name) in DATA_FLAGS.iter().filter(|flag| flags & flag.0 != 0) {
            put!(p, *name);
        }
        put!(p, hops, " hops ");
    }
    let mut c = c;
    c.skip(header)?;
    nsp::nsp(p, Cursor::new(c.rest()), length.saturating_sub(header))
}

/// A message of the routing layer itself.
fn control(p: &mut Out<'_>, c: Cursor<'_>, flags: u8, length: usize) -> Printed {
    let whole = c;
    let mut c = c;
    c.skip(1)?;
    match flags & 0x0f {
        0x01 => {
            put!(p, "init ");
            if length < 12 {
                p.invalid();
                return Ok(());
            }
            init(p, c)
        }
        0x03 => {
            put!(p, "verification ");
            c.need(3)?;
            let source = Node(c.u16_le()?);
            put!(p, "src ", source, " fcnval ", Octal(c.u8()?));
            Ok(())
        }
        0x05 => {
            put!(p, "test ");
            c.need(3)?;
            let source = Node(c.u16_le()?);
            put!(p, "src ", source, " data ", Octal(c.u8()?));
            Ok(())
        }
        0x07 => {
            put!(p, "lev-1-routing ");
            routes(p, c, length, "ids")
        }
        0x09 => {
            put!(p, "lev-2-routing ");
            routes(p, c, length, "areas")
        }
        0x0b => {
            put!(p, "router-hello ");
            if length < 18 {
                p.invalid();
                return Ok(());
            }
            c.need(17)?;
            let size = hello(p, &mut c)?;
            let priority = c.u8()?;
            c.skip(1)?;
            put!(
                p,
                "blksize ",
                size,
                " pri ",
                priority,
                " hello ",
                c.u16_le()?
            );
            Ok(())
        }
        0x0d => {
            put!(p, "endnode-hello ");
            if length < 32 {
                p.invalid();
                return Ok(());
            }
            c.need(31)?;
            let size = hello(p, &mut c)?;
            // Area, seed, and the constant part of the router's address.
            c.skip(1 + 8 + 4)?;
            let router = Node(c.u16_le()?);
            put!(p, "blksize ", size, " rtr ", router, " hello ", c.u16_le()?);
            c.skip(1)?;
            put!(p, " data ", Octal(c.u8()?));
            Ok(())
        }
        _ => {
            put!(p, "unknown control message");
            // compat: with -x too.
            hexdump::hex_ascii(p, "\n\t", whole.limit(length).rest());
            whole.need(length)
        }
    }
}

/// What kind of node it is, and two or three things it wants.
fn node(p: &mut Out<'_>, info: u8, flags: &[(u32, &str)]) {
    put!(p, named(NODES, info & 3, "reserved-ntype? "));
    let info = u32::from(info);
    if flags.iter().any(|flag| info & flag.0 != 0) {
        bits(p, flags, info, " ", "");
        put!(p, " ");
    }
}

fn init(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    c.need(11)?;
    let (source, info, size) = (Node(c.u16_le()?), c.u8()?, c.u16_le()?);
    node(p, info, &[(4, "verif"), (8, "blo")]);
    put!(p, "src ", source, "blksize ", size, " ");
    version(p, &mut c)?;
    put!(p, "hello ", c.u16_le()?);
    Ok(())
}

fn version(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Truncated> {
    let (version, eco, user) = (c.u8()?, c.u8()?, c.u8()?);
    put!(p, "vers ", version, " eco ", eco, " ueco ", user, " ");
    Ok(())
}

/// What both hellos begin with, up to the block size, which is returned.
fn hello(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<u16, Truncated> {
    let mut before = *c;
    c.skip(3 + 4)?;
    let (source, info) = (Node(c.u16_le()?), c.u8()?);
    node(p, info, &[(4, "verif"), (0x20, "nomcast"), (0x40, "blo")]);
    version(p, &mut before)?;
    put!(p, "src ", source, " ");
    c.u16_le()
}

/// Cost and hops to spans of nodes or areas.
///
/// compat: the end of a span is one too far, and each is taken to have one cost (4.99.3).
fn routes(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, what: &str) -> Printed {
    const SPAN: usize = 6;
    const NODES_OF_AREA: u16 = 1024;
    c.need(3)?;
    let source = Node(c.u16_le()?);
    put!(p, "src ", source, " ");
    c.skip(1)?;
    let mut left = length.saturating_sub(4);
    while left > SPAN {
        c.need(SPAN)?;
        let (count, first, info) = (c.u16_le()?, c.u16_le()?, c.u16_le()?);
        if count > NODES_OF_AREA {
            break;
        }
        let last = u32::from(first) + u32::from(count);
        put!(p, "{", what, " ", first, "-", last);
        put!(p, " cost ", info & 0x1ff, " hops ", info >> 10 & 0x1f, "} ");
        left -= SPAN;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{bytes, check, style};

    /// A frame with a message, whose length is put before it.
    fn frame(message: &str) -> String {
        let length = bytes(message).len();
        format!("0200000000020200000000016003{length:02x}00{message}")
    }

    #[test]
    fn routing_messages() {
        for (message, expected) in [
            (
                "010104020502020000 0f0000",
                "init l1rout src 1.1blksize 517 vers 2 eco 0 ueco 0 hello 15\n",
            ),
            ("050104995555", "test src 1.1 data 231\n"),
            (
                "07010400020001000504 0000",
                "lev-1-routing src 1.1 {ids 1-3 cost 5 hops 1} \n",
            ),
            (
                "0b020000aa00040001 0422d9054000 0f0000",
                "router-hello l1rout nomcast vers 2 eco 0 ueco 0 src 1.1 blksize 1497 pri 64 hello 15\n",
            ),
            ("02", " (length 3 < 6) (invalid)\n"),
        ] {
            check(LinkType::ETHERNET, &frame(message), style(0), expected);
        }
    }

    #[test]
    fn connections() {
        for (message, verbose, expected) in [
            (
                "0001020304018001b00500aa",
                0,
                "1.1 > 2.2 18 data 1027>513 ack 1 onak 1 seg 5 \n",
            ),
            (
                "0401020304018001a0",
                1,
                "1.1 > 2.2 15 6 hops data-ack 1027>513 ack 1 oack 1 \n",
            ),
            (
                "180102030405020005",
                0,
                "1.1 > 2.2 15 conn-initiate 1027>513 seg ver 4.0 segsize 1280 \n",
            ),
            (
                "3801020304290000",
                0,
                "1.1 > 2.2 14 disconn-initiate 1027>513 no link terminate \n",
            ),
            (
                "1001020304018001a005000507",
                0,
                "1.1 > 2.2 19 link-service 1027>513 ack 1 ackdat 1 seg 5 intr req count 7 \n",
            ),
            ("04", 0, "1.1 > 2.2 7  (nsplen 1 < 5) (invalid)\n"),
        ] {
            let message = frame(&format!("020208010405{message}"));
            check(LinkType::ETHERNET, &message, style(verbose), expected);
        }
    }
}
