//! Apple's network protocols: LLAP, DDP, NBP, ATP and AARP (Inside `AppleTalk`, second edition).

use pktwho_wire::{Cursor, Truncated};

use crate::eigrp;
use crate::out::{Out, Printed, lookup, pass};
use crate::put::{Hex, HexFull, Visible, put};

/// Long DDP headers.
const LONG: usize = 13;
/// Short ones, of `LocalTalk` only.
const SHORT: usize = 5;
const NBP: u8 = 2;
const ATP: u8 = 3;
const IP: u8 = 22;
const EIGRP: u8 = 0x58;

static DDP: &[(u8, &str)] = &[
    (1, "rtmp"),
    (5, "rtmpReq"),
    (NBP, "nbp"),
    (ATP, "atp"),
    (4, "echo"),
    (IP, "IP"),
];

/// `LINKTYPE_LOCALTALK`: destination, source and type of LLAP first.
pub(crate) fn localtalk(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "lltalk";
    llap(p, c, length, "llap")
}

/// Datagrams that gateways carry in UDP: LLAP with the long header, or nothing of `AppleTalk`.
pub(crate) fn in_udp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    if !matches!(c.rest(), [_, _, 2, ..]) {
        put!(p, "UDP, length ", length);
        return Ok(());
    }
    if p.verbose(1) {
        put!(p, "kip ");
    }
    let before = p.link_len;
    let printed = llap(p, c, length, "atalk");
    p.link_len = before;
    printed
}

/// `mark` stands where what follows a long header is cut.
fn llap(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, mark: &'static str) -> Printed {
    p.protocol = "llap";
    if length < 3 {
        put!(p, " [|llap ", length, "]");
        return Ok(());
    }
    let [destination, source, kind] = c.array()?;
    p.link_len = 3;
    let length = length - 3;
    match kind {
        1 => short(p, c, length, (source, destination)),
        2 => {
            p.protocol = "atalk";
            let Some(header) = long(p, &mut c, length)? else {
                return Ok(());
            };
            p.protocol = mark;
            put!(p, header.source_net, ".", header.source, ".");
            put!(p, header.source_socket, " > ");
            put!(p, header.destination_net, ".", header.destination);
            put!(p, ".", header.destination_socket, ":");
            let inner = length - LONG;
            p.link_len += LONG;
            p.deeper(|p| ddp(p, c, inner, &header))
        }
        _ => {
            put!(p, source, " > ", destination, " at-lap#", kind, " ", length);
            Ok(())
        }
    }
}

fn short(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, ends: (u8, u8)) -> Printed {
    if length < SHORT {
        put!(p, " [|sddp ", length, "]");
        return Ok(());
    }
    p.protocol = "sddp";
    let [_, _, destination_socket, source_socket, kind] = c.array()?;
    let header = Header {
        destination_net: 0,
        source_net: 0,
        destination: ends.1,
        source: ends.0,
        destination_socket,
        source_socket,
        kind,
    };
    p.link_len += SHORT;
    put!(p, "0.", header.source, ".", source_socket, " > 0.");
    put!(p, header.destination, ".", destination_socket, ":");
    p.deeper(|p| ddp(p, c, length - SHORT, &header))
}

/// What a DDP header says, between whom and what.
struct Header {
    destination_net: u16,
    source_net: u16,
    destination: u8,
    source: u8,
    destination_socket: u8,
    source_socket: u8,
    kind: u8,
}

/// A long header; `None` if there is no room for one, which is said.
fn long(p: &mut Out<'_>, c: &mut Cursor<'_>, length: usize) -> Result<Option<Header>, Truncated> {
    if length < LONG {
        put!(p, " [|ddp ", length, "]");
        return Ok(None);
    }
    c.need(LONG)?;
    c.skip(4)?;
    let (destination_net, source_net) = (c.u16()?, c.u16()?);
    let [destination, source, destination_socket, source_socket, kind] = c.array()?;
    Ok(Some(Header {
        destination_net,
        source_net,
        destination,
        source,
        destination_socket,
        source_socket,
        kind,
    }))
}

/// DDP in Ethernet.
pub(crate) fn atalk(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "atalk";
    if p.verbose(1) {
        put!(p, "et1 ");
    }
    if !p.style.link {
        put!(p, "AT ");
    }
    if length < LONG {
        put!(p, " [|ddp ", length, "]");
        return Ok(());
    }
    let Some(header) = long(p, &mut c, length)? else {
        return Ok(());
    };
    put!(p, header.source_net, ".", header.source);
    put!(p, ".", header.source_socket, " > ");
    put!(p, header.destination_net, ".", header.destination);
    put!(p, ".", header.destination_socket, ": ");
    ddp(p, c, length - LONG, &header)
}

fn ddp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, header: &Header) -> Printed {
    match header.kind {
        NBP => nbp(p, c, length, header),
        ATP => atp(p, c, length),
        EIGRP => p.deeper(|p| eigrp::eigrp(p, c, length)),
        kind => {
            match lookup(DDP, kind) {
                Some(name) => put!(p, " at-", name, " ", length),
                None => put!(p, " at-#", kind, " ", length),
            }
            Ok(())
        }
    }
}

/// Transaction protocol.
fn atp(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    const HEADER: usize = 8;
    if length < HEADER {
        put!(p, " [|atp ", length, "]");
        return Ok(());
    }
    let size = length - HEADER;
    let (control, bitmap, transaction, user) = (c.u8()?, c.u8()?, c.u16()?, c.u32()?);
    let once = control & 0x20 != 0;
    match control & 0xc0 {
        0x40 => {
            let mark = if once { " " } else { "*" };
            put!(p, " atp-req", mark, " ", transaction);
            packets(p, bitmap);
            put!(p, " [len=", size, "]");
            flags(p, control, &[(0x10, "EOM"), (0x08, "STS")], " [");
        }
        0x80 => {
            let last = if control & 0x10 != 0 { "*" } else { " " };
            put!(
                p,
                " atp-resp",
                last,
                transaction,
                ":",
                bitmap,
                " (",
                size,
                ")"
            );
            flags(p, control, &[(0x20, "XO"), (0x08, "STS")], " [");
        }
        0xc0 => {
            put!(p, " atp-rel  ", transaction);
            packets(p, bitmap);
            put!(p, " [len=", size, "]");
            let all = [(0x20, "XO"), (0x10, "EOM"), (0x08, "STS")];
            flags(p, control, &all, "[");
        }
        _ => put!(
            p,
            " atp-0x",
            Hex(control),
            "  ",
            transaction,
            " (",
            size,
            ")"
        ),
    }
    if user != 0 {
        put!(p, " 0x", Hex(user));
    }
    Ok(())
}

fn flags(p: &mut Out<'_>, control: u8, table: &[(u8, &str)], open: &str) {
    let mut before = open;
    for &(bit, name) in table {
        if control & bit != 0 {
            put!(p, before, name);
            before = ",";
        }
    }
    if before == "," {
        put!(p, "]");
    }
}

/// Which packets of a response are asked for: a run from the first, or a list.
fn packets(p: &mut Out<'_>, bitmap: u8) {
    let run = u16::from(bitmap) + 1;
    if run & u16::from(bitmap) == 0 {
        let last = run.trailing_zeros().saturating_sub(1);
        if last > 0 {
            put!(p, "<0-", last, ">");
        } else {
            put!(p, "<0>");
        }
        return;
    }
    let mut before = '<';
    for bit in 0..8_u32 {
        if bitmap >> bit & 1 != 0 {
            put!(p, before, bit);
            before = ',';
        }
    }
    put!(p, ">");
}

/// Name binding protocol.
fn nbp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, header: &Header) -> Printed {
    const SHORTEST: usize = 2 + 8;
    if length < SHORTEST {
        put!(p, " truncated-nbp ", length);
        return Ok(());
    }
    let mut c = c.limit(length);
    let (control, id) = (c.u8()?, c.u8()?);
    let (operation, count) = (control >> 4, control & 15);
    let name = match operation {
        1 => "brRq ",
        2 => "lkup ",
        3 => {
            put!(p, " nbp-reply ", id, ":");
            for _ in 0..count {
                let (found, whole) = tuple(p, &mut c)?;
                found.reply(p, header);
                if !whole {
                    break;
                }
            }
            return Ok(());
        }
        _ => {
            put!(p, " nbp-0x", Hex(control), "  ", id, " (", length - 2, ")");
            return Ok(());
        }
    };
    put!(p, " nbp-", name, id, ":");
    c.need(5)?;
    let (asked, _) = tuple(p, &mut c)?;
    if count != 1 {
        put!(p, " [ntup=", count, "]");
    }
    let Tuple {
        net,
        node,
        socket,
        enumerator,
    } = asked;
    if enumerator != 0 {
        put!(p, " [enum=", enumerator, "]");
    }
    if (net, node, socket) != (header.source_net, header.source, header.source_socket) {
        put!(p, " [addr=", net, ".", node, ".", socket, "]");
    }
    Ok(())
}

/// Where a named entity is.
struct Tuple {
    net: u16,
    node: u8,
    socket: u8,
    enumerator: u8,
}

impl Tuple {
    fn reply(&self, p: &mut Out<'_>, header: &Header) {
        if self.enumerator != 1 {
            put!(p, "(", self.enumerator, ")");
        }
        if self.socket != header.source_socket {
            put!(p, " ", self.socket);
        }
        if (self.net, self.node) != (header.source_net, header.source) {
            put!(p, " [addr=", self.net, ".", self.node, "]");
        }
    }
}

/// `"object:type@zone"`: where it is, and whether all of it was there.
fn tuple(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(Tuple, bool), Truncated> {
    c.need(5)?;
    let found = Tuple {
        net: c.u16()?,
        node: c.u8()?,
        socket: c.u8()?,
        enumerator: c.u8()?,
    };
    put!(p, " \"");
    for end in [":", "@", "\""] {
        if !string(p, c, end) {
            return Ok((found, false));
        }
    }
    Ok((found, true))
}

/// A string with its length before it, and what ends it; `false` if it is cut or impossible.
fn string(p: &mut Out<'_>, c: &mut Cursor<'_>, end: &str) -> bool {
    const LONGEST: usize = 32;
    let Ok(size) = c.u8() else {
        p.truncated();
        return false;
    };
    let size = usize::from(size);
    if size > LONGEST {
        put!(p, "[len=", size, "]");
        return false;
    }
    let Ok(text) = c.take(size) else {
        put!(p, Visible(c.rest()));
        pass(c, size);
        p.truncated();
        return false;
    };
    put!(p, Visible(text), end);
    true
}

/// Address resolution.
pub(crate) fn aarp(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "aarp";
    put!(p, "aarp ");
    c.need(28)?;
    let (hardware, protocol) = (c.u16()?, c.u16()?);
    let [hardware_size, protocol_size] = c.array()?;
    let operation = c.u16()?;
    let source_mac = c.array::<6>()?;
    let [_, a, b, source] = c.array()?;
    c.skip(6)?;
    let [_, d, e, target] = c.array()?;
    let source = (u16::from_be_bytes([a, b]), '.', source);
    let target = (u16::from_be_bytes([d, e]), '.', target);
    if (hardware, protocol, hardware_size, protocol_size) == (1, 0x809b, 6, 4) {
        match operation {
            1 => {
                put!(p, "who-has ", target, " tell ", source);
                return Ok(());
            }
            2 => {
                put!(p, "reply ", source, " is-at ");
                p.mac(source_mac);
                return Ok(());
            }
            3 => {
                put!(p, "probe ", target, " tell ", source);
                return Ok(());
            }
            _ => {}
        }
    }
    put!(p, "len ", length, " op ", operation, " htype ", hardware);
    put!(p, " ptype 0x", HexFull(protocol), " halen ", hardware_size);
    put!(p, " palen ", protocol_size);
    Ok(())
}
