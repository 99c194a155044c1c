//! ISAKMP: `IKEv1` (RFC 2408, RFC 2409) and `IKEv2` (RFC 7296), also over UDP port 4500 (RFC 3948).

mod tables;
mod v1;
mod v2;

use std::net::IpAddr;

use pktwho_wire::{Cursor, Truncated};

use crate::esp;
use crate::ip_proto::Ip;
use crate::memory::Latest;
use crate::out::{Out, Printed, lookup};
use crate::put::{HexBytes, HexFull, put};
use tables::{Attributes, name};

const HEADER: usize = 28;
const ENCRYPTED: u8 = 0x01;
/// Payloads inside payloads are followed this deep.
const DEPTH_MAX: usize = 12;

/// Who began exchanges, by the initiator's cookie.
#[derive(Debug, Default)]
pub(crate) struct Initiators(Latest<[u8; 8], (IpAddr, IpAddr), 4096>);

/// What the payloads of a message are read with.
#[derive(Clone, Copy)]
struct Message {
    spis: ([u8; 8], [u8; 8]),
    version: u8,
    /// `IKEv2`: sent by who began.
    initiator: bool,
    /// The protocol that a proposal is about.
    protocol: u8,
    depth: usize,
}

/// One payload of a message.
#[derive(Clone, Copy)]
struct Payload<'a> {
    kind: u8,
    next: u8,
    critical: bool,
    /// Its length with the header of 4 bytes.
    length: usize,
    body: &'a [u8],
    /// From its body to the end of the message.
    rest: &'a [u8],
}

/// Where a printed payload ends; `None` when what follows is not shown.
type Shown<'a> = Result<Option<&'a [u8]>, Truncated>;

impl<'a> Payload<'a> {
    /// What follows it.
    fn after(&self) -> &'a [u8] {
        self.rest.get(self.body.len()..).unwrap_or_default()
    }

    /// Says that it is shorter than its type has to be, and that nothing more is shown.
    fn short(&self, p: &mut Out<'_>) -> Shown<'a> {
        put!(p, " [|");
        payload_name(p, self.kind);
        put!(p, "]");
        Ok(None)
    }
}

/// A message.
pub(crate) fn isakmp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "isakmp";
    let mut c = c;
    c.need(HEADER)?;
    let (initiator, responder) = (c.array::<8>()?, c.array::<8>()?);
    let (first, version) = (c.u8()?, c.u8()?);
    let (exchange, flags) = (c.u8()?, c.u8()?);
    let (id, stated) = (c.u32()?, c.u32()?);
    let major = version >> 4;
    put!(p, "isakmp");
    if p.verbose(1) {
        put!(p, " ", major, ".", version & 15, " msgid ", HexFull(id));
        if p.verbose(2) {
            put!(
                p,
                " cookie ",
                HexBytes(&initiator),
                "->",
                HexBytes(&responder)
            );
        }
    }
    put!(p, ":");
    let message = Message {
        spis: (initiator, responder),
        version: major,
        initiator: flags & 0x08 != 0,
        protocol: 0,
        depth: 1,
    };
    match major {
        1 => {
            put!(p, " phase ", if id == 0 { "1" } else { "2/others" });
            put!(p, " ", side(p, initiator, responder), " ");
        }
        2 => put!(
            p,
            if id == 0 {
                " parent_sa "
            } else {
                " child_sa  "
            }
        ),
        _ => return Ok(()),
    }
    match lookup(tables::EXCHANGES, exchange) {
        Some(name) => put!(p, name),
        None => put!(p, "#", exchange),
    }
    if flags != 0 {
        let letters: &[(u8, &str)] = if major == 1 {
            &[(ENCRYPTED, "E"), (0x02, "C")]
        } else {
            &[(0x08, "I"), (0x10, "V"), (0x20, "R")]
        };
        put!(p, "[");
        for (_, letter) in letters.iter().filter(|letter| flags & letter.0 != 0) {
            put!(p, *letter);
        }
        put!(p, "]");
    }
    if !p.verbose(1) {
        return Ok(());
    }
    put!(p, ":");
    if flags & ENCRYPTED != 0 {
        put!(p, " [encrypted ");
        payload_name(p, first);
        put!(p, "]");
    } else {
        chain(p, &message, first, c.rest())?;
    }
    if usize::try_from(stated).ok() != Some(length) {
        put!(p, " (len mismatch: isakmp ", stated, "/ip ", length, ")");
    }
    Ok(())
}

/// `I` for who began the exchange, `R` for the other, `?` when the beginning was not seen.
fn side(p: &mut Out<'_>, initiator: [u8; 8], responder: [u8; 8]) -> &'static str {
    let Some(ends) = p.ends else { return "?" };
    match p.past.memory().isakmp.0.get(&initiator) {
        Some(&began) if began == (ends.src, ends.dst) => "I",
        Some(&(src, dst)) if (dst, src) == (ends.src, ends.dst) => "R",
        Some(_) => "?",
        // compat: a cookie of zeros is one that tcpdump believes to know (4.99.3).
        None if initiator == [0; 8] => "?",
        None if responder == [0; 8] => {
            p.past
                .memory()
                .isakmp
                .0
                .insert(initiator, (ends.src, ends.dst));
            "I"
        }
        None => "?",
    }
}

fn payload_name(p: &mut Out<'_>, kind: u8) {
    match name(tables::PAYLOADS, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "#", kind),
    }
}

/// A name, or the number with a `#`.
fn named(p: &mut Out<'_>, name: Option<&str>, number: impl Into<u32>) {
    match name {
        Some(name) => put!(p, name),
        None => put!(p, "#", number.into()),
    }
}

/// Payloads one after the other; `bytes` go to the end of the message.
fn chain<'a>(p: &mut Out<'_>, message: &Message, first: u8, bytes: &'a [u8]) -> Shown<'a> {
    let (mut kind, mut rest) = (first, bytes);
    let mut count = 0;
    while kind != 0 {
        count += 1;
        let mut c = Cursor::new(rest);
        let header = c.array::<4>();
        let body = header.map(|[_, _, high, low]| usize::from(u16::from_be_bytes([high, low])));
        let (Ok([next, flags, _, _]), Ok(length)) = (header, body) else {
            put!(p, " [|");
            payload_name(p, kind);
            put!(p, "]");
            return Ok(None);
        };
        if rest.len() < length {
            put!(p, " [|");
            payload_name(p, kind);
            put!(p, "]");
            return Ok(None);
        }
        put!(p, "\n");
        for _ in 0..message.depth {
            put!(p, "    ");
        }
        put!(p, "(");
        let payload = Payload {
            kind,
            next,
            critical: flags & 0x80 != 0,
            length,
            body: rest.get(4..length).unwrap_or_default(),
            rest: c.rest(),
        };
        let shown = if length <= 4 || message.depth > DEPTH_MAX {
            None
        } else {
            payload_text(p, message, &payload, count)?
        };
        put!(p, ")");
        let Some(after) = shown else {
            return Ok(None);
        };
        (kind, rest) = (next, after);
    }
    Ok(Some(rest))
}

fn payload_text<'a>(
    p: &mut Out<'_>,
    message: &Message,
    payload: &Payload<'a>,
    count: usize,
) -> Shown<'a> {
    match payload.kind {
        2 | 3 if message.protocol == v2::PROPOSALS => v2::payload(p, message, payload, count),
        1..=13 => v1::payload(p, message, payload),
        // Nothing is encrypted in this way in IKEv1.
        46 if message.version == 1 => {
            payload_name(p, payload.kind);
            Ok(Some(payload.after()))
        }
        33.. => v2::payload(p, message, payload, count),
        kind => {
            payload_name(p, kind);
            Ok(Some(payload.after()))
        }
    }
}

/// The first ten bytes and the last of the message.
fn some_data(p: &mut Out<'_>, bytes: &[u8]) {
    let (first, rest) = bytes.split_at_checked(10).unwrap_or((bytes, &[]));
    let last = rest
        .get(rest.len().saturating_sub(20)..)
        .unwrap_or_default();
    put!(p, "data=(", HexBytes(first), "...", HexBytes(last), ")");
}

/// Bytes in hexadecimal after a blank, with `-vvv`.
fn raw(p: &mut Out<'_>, bytes: &[u8]) {
    if p.verbose(3) {
        put!(p, " ", HexBytes(bytes));
    }
}

/// Attributes in the first `length` of `bytes`, which go on to the end of the message; `false` if
/// one of them goes past its payload.
fn attributes(
    p: &mut Out<'_>,
    known: Attributes,
    bytes: &[u8],
    length: usize,
) -> Result<bool, Truncated> {
    let mut c = Cursor::new(bytes);
    while c.position() < length {
        let (kind, value) = (c.u16()?, c.u16()?);
        let short = kind & 0x8000 != 0;
        let kind = kind & 0x7fff;
        let long = if short { 0 } else { usize::from(value) };
        if c.position() + long > length {
            put!(p, "[|attr]");
            return Ok(false);
        }
        let long = c.take(long)?;
        let (text, values) = known.get(usize::from(kind)).copied().unwrap_or_default();
        put!(p, "(type=");
        named(p, Some(text).filter(|text| !text.is_empty()), kind);
        put!(p, " ");
        if short {
            put!(p, "value=");
            match name(values, value) {
                Some(name) => put!(p, name),
                None => put!(p, HexFull(value)),
            }
        } else {
            put!(p, "len=", value, " value=", HexBytes(long));
        }
        put!(p, ")");
    }
    Ok(true)
}

/// What goes between ports 4500: IKE, ESP, or a single byte that keeps a mapping alive.
pub(crate) fn encapsulated(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "isakmp_rfc3948";
    let mut c = c;
    if length == 1 && c.u8()? == 0xff {
        put!(p, "isakmp-nat-keep-alive");
        return Ok(());
    }
    if length < 4 {
        return Err(Truncated);
    }
    let mut inside = c;
    if inside.u32()? == 0 {
        put!(p, "NONESP-encap: ");
        return isakmp(p, Cursor::new(inside.rest()), length - 4);
    }
    put!(p, "UDP-encap: ");
    let Some(ends) = p.ends else { return Ok(()) };
    let ip = Ip {
        src: ends.src,
        dst: ends.dst,
        last_dst: ends.dst,
        ttl: 0,
        fragment: false,
        addresses_shown: true,
    };
    esp::esp(p, c, length, &ip)
}
