//! DCCP, the Datagram Congestion Control Protocol (RFC 4340).

use pktwho_wire::{Cursor, Truncated};

use crate::checksum::{Sum, should_be};
use crate::ip_proto::{self, Ip};
use crate::out::{Out, Printed, lookup, named};
use crate::put::{HexBytes, HexFull, put};

/// A header with sequence numbers of 24 bits.
const SHORT: usize = 12;
/// A header with sequence numbers of 48 bits.
const LONG: usize = 16;

const REQUEST: u8 = 0;
const RESPONSE: u8 = 1;
const DATA: u8 = 2;
const RESET: u8 = 7;

static TYPES: &[(u8, &str)] = &[
    (REQUEST, "DCCP-Request"),
    (RESPONSE, "DCCP-Response"),
    (DATA, "DCCP-Data"),
    (3, "DCCP-Ack"),
    (4, "DCCP-DataAck"),
    (5, "DCCP-CloseReq"),
    (6, "DCCP-Close"),
    (RESET, "DCCP-Reset"),
    (8, "DCCP-Sync"),
    (9, "DCCP-SyncAck"),
];

static RESETS: &[(u8, &str)] = &[
    (0, "unspecified"),
    (1, "closed"),
    (2, "aborted"),
    (3, "no_connection"),
    (4, "packet_error"),
    (5, "option_error"),
    (6, "mandatory_error"),
    (7, "connection_refused"),
    (8, "bad_service_code"),
    (9, "too_busy"),
    (10, "bad_init_cookie"),
    (11, "aggression_penalty"),
];

static OPTIONS: &[(u8, &str)] = &[
    (0, "nop"),
    (1, "mandatory"),
    (2, "slowreceiver"),
    (32, "change_l"),
    (33, "confirm_l"),
    (34, "change_r"),
    (35, "confirm_r"),
    (36, "initcookie"),
    (37, "ndp_count"),
    (38, "ack_vector0"),
    (39, "ack_vector1"),
    (40, "data_dropped"),
    (41, "timestamp"),
    (42, "timestamp_echo"),
    (43, "elapsed_time"),
    (44, "data_checksum"),
];

static FEATURES: &[(u8, &str)] = &[
    (0, "reserved"),
    (1, "ccid"),
    (2, "allow_short_seqno"),
    (3, "sequence_window"),
    (4, "ecn_incapable"),
    (5, "ack_ratio"),
    (6, "send_ack_vector"),
    (7, "send_ndp_count"),
    (8, "minimum"),
    (9, "check data checksum"),
];

/// A packet; `length` is what IP leaves for it.
pub(crate) fn dccp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    p.protocol = "dccp";
    c.need(SHORT)?;
    if length < SHORT {
        put!(p, "truncated-dccp - ", SHORT - length, " bytes missing!");
        return Ok(());
    }
    let mut peek = c;
    peek.skip(8)?;
    let flags = peek.u8()?;
    let long = flags & 1 != 0;
    let fixed = if long { LONG } else { SHORT };
    if length < fixed {
        put!(p, "truncated-dccp - ", fixed - length, " bytes missing!");
        return Ok(());
    }
    c.need(fixed)?;
    let packet = c.limit(length);
    let mut c = c;
    let (source, destination) = (c.u16()?, c.u16()?);
    ends(p, source, destination, ip);
    put!(p, "DCCP ");
    let (offset, coverage, checksum) = (usize::from(c.u8()?) * 4, c.u8()?, c.u16()?);
    if p.style.quiet {
        // compat: what a wrong offset leaves is a number modulo 2^32 (4.99.3).
        let left = u32::try_from(length).unwrap_or(u32::MAX);
        let header = u32::try_from(offset).unwrap_or(u32::MAX);
        put!(p, left.wrapping_sub(header));
        if offset > length {
            put!(
                p,
                " [bad hdr length ",
                offset,
                " - too long, > ",
                length,
                "]"
            );
        }
        return Ok(());
    }
    if p.verbose(1) {
        put!(p, "(CCVal ", coverage >> 4, ", CsCov ", coverage & 15);
        verify(p, packet, length, offset, coverage & 15, checksum, ip);
        put!(p, ") ");
    }
    c.skip(1)?;
    let sequence = number(&mut c, long)?;
    let kind = flags >> 1 & 15;
    if !body(p, &mut c, kind, long, length - fixed)? {
        return Ok(());
    }
    if !p.verbose(2) {
        return Ok(());
    }
    put!(p, "seq ", sequence);
    let used = packet.remaining() - c.remaining().min(packet.remaining());
    if let Some(left) = offset.checked_sub(used).filter(|&left| left > 0) {
        options(p, c, left)?;
    }
    Ok(())
}

fn ends(p: &mut Out<'_>, source: u16, destination: u16, ip: &Ip) {
    if ip.addresses_shown {
        put!(p, source, " > ", destination, ": ");
        return;
    }
    p.addr(ip.src);
    put!(p, ".", source, " > ");
    p.addr(ip.dst);
    put!(p, ".", destination, ": ");
}

/// Says whether the checksum is right, if all that it covers was captured (RFC 4340 section 9.2).
fn verify(
    p: &mut Out<'_>,
    packet: Cursor<'_>,
    length: usize,
    offset: usize,
    coverage: u8,
    found: u16,
    ip: &Ip,
) {
    let covered = match coverage {
        0 => length,
        words => (offset + (usize::from(words) - 1) * 4).min(length),
    };
    let Some(bytes) = packet.rest().get(..covered) else {
        return;
    };
    put!(p, ", cksum 0x", HexFull(found));
    let residue = Sum::pseudo(ip.src, ip.last_dst, ip_proto::DCCP, length)
        .add(bytes)
        .finish();
    if residue == 0 {
        put!(p, " (correct)");
    } else {
        let right = should_be(found, residue);
        put!(p, " (incorrect -> 0x", HexFull(right), ")");
    }
}

/// A sequence number; a long one has a reserved byte before it.
fn number(c: &mut Cursor<'_>, long: bool) -> Result<u64, Truncated> {
    if !long {
        return c.u24().map(u64::from);
    }
    c.skip(1)?;
    long_number(c)
}

fn long_number(c: &mut Cursor<'_>) -> Result<u64, Truncated> {
    let [a, b, c, d, e, f] = c.array()?;
    Ok(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}

/// The type and what comes with it; `false` if the packet is too short for it, which is said.
fn body(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    kind: u8,
    long: bool,
    left: usize,
) -> Result<bool, Truncated> {
    // compat: as much is expected after a short header (4.99.3).
    let needed = match kind {
        REQUEST => 4,
        RESPONSE => 12,
        RESET => 12,
        DATA => 0,
        _ => 8,
    };
    let name = lookup(TYPES, kind);
    let after_header = *c;
    if left < needed
        && let Some(name) = name
    {
        put!(p, "truncated-", name, " - ", needed - left);
        put!(p, " bytes missing!");
        return Ok(false);
    }
    if matches!(kind, REQUEST | RESPONSE | RESET) {
        c.need(needed)?;
    }
    match name {
        Some(name) => put!(p, name, " "),
        None => put!(p, "unknown-type-", kind, " "),
    }
    if kind == REQUEST {
        put!(p, "(service=", c.u32()?, ") ");
        return Ok(true);
    }
    if kind == DATA {
        return Ok(true);
    }
    let ack = if long {
        c.skip(2)?;
        long_number(c)?
    } else {
        c.skip(1)?;
        let ack = u64::from(c.u24()?);
        c.skip(4)?;
        ack
    };
    match kind {
        RESPONSE => put!(p, "(service=", c.u32()?, ") "),
        RESET => {
            let code = c.u8()?;
            c.skip(3)?;
            put!(p, "(code=", named(RESETS, code, "invalid"), ") ");
        }
        _ => {}
    }
    put!(p, "(ack=", ack, ") ");
    if name.is_none() {
        // compat: what an unknown type acknowledges is read as options too (4.99.3).
        *c = after_header;
    }
    Ok(true)
}

fn options(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    put!(p, " <");
    let mut first = true;
    while left > 0 {
        if !first {
            put!(p, ", ");
        }
        first = false;
        let used = option(p, &mut c, left)?;
        if used == 0 {
            break;
        }
        left -= used.min(left);
    }
    put!(p, ">");
    Ok(())
}

/// One option; the bytes it took, 0 if its length is impossible.
fn option(p: &mut Out<'_>, c: &mut Cursor<'_>, left: usize) -> Result<usize, Truncated> {
    let mut peek = *c;
    let kind = peek.u8()?;
    let mut size = 1;
    if kind >= 32 {
        size = usize::from(peek.u8()?);
        if size < 2 {
            name(p, kind);
            put!(p, " optlen too short");
            return Ok(0);
        }
    }
    if size > left {
        name(p, kind);
        put!(p, " optlen goes past header length");
        return Ok(0);
    }
    let Ok(mut value) = c.sub(size) else {
        // compat: the list is closed after the mark.
        p.truncated();
        return Ok(0);
    };
    value.skip(size.min(2))?;
    name(p, kind);
    match kind {
        32..=35 => feature(p, value)?,
        36 | 38..=40 if size > 2 => put!(p, " 0x", HexBytes(value.rest())),
        37 => {
            for &byte in value.rest() {
                put!(p, " ", byte);
            }
        }
        41 if size == 6 => put!(p, " ", value.u32()?),
        41 => put!(p, " [optlen != 6]"),
        42 => echo(p, value, size)?,
        43 => match size {
            6 => put!(p, " ", value.u32()?),
            4 => put!(p, " ", value.u16()?),
            _ => put!(p, " [optlen != 4 or 6]"),
        },
        44 if size > 2 => put!(p, " ", HexBytes(value.rest())),
        128.. => match size {
            4 => put!(p, " ", value.u16()?),
            6 => put!(p, " ", value.u32()?),
            _ => {}
        },
        _ => {}
    }
    Ok(size)
}

fn name(p: &mut Out<'_>, kind: u8) {
    match lookup(OPTIONS, kind) {
        Some(name) => put!(p, name),
        None if kind >= 128 => put!(p, "CCID option ", kind),
        None => put!(p, "Option ", kind),
    }
}

fn feature(p: &mut Out<'_>, mut value: Cursor<'_>) -> Printed {
    if value.is_empty() {
        put!(p, " optlen too short");
        return Ok(());
    }
    let feature = value.u8()?;
    let Some(name) = lookup(FEATURES, feature) else {
        return Ok(());
    };
    put!(p, " ", name);
    for &byte in value.rest() {
        put!(p, " ", byte);
    }
    Ok(())
}

fn echo(p: &mut Out<'_>, mut value: Cursor<'_>, size: usize) -> Printed {
    match size {
        6 => put!(p, " ", value.u32()?),
        8 => {
            put!(p, " ", value.u32()?);
            put!(p, " (elapsed time ", value.u16()?, ")");
        }
        10 => {
            put!(p, " ", value.u32()?);
            put!(p, " (elapsed time ", value.u32()?, ")");
        }
        _ => put!(p, " [optlen != 6 or 8 or 10]"),
    }
    Ok(())
}
