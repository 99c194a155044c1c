//! Stream control transmission (RFC 9260).

use pktwho_wire::{Cursor, Truncated};

use crate::forces;
use crate::ip_proto::Ip;
use crate::m3ua;
use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, put};

static CHUNKS: &[(u8, &str)] = &[
    (DATA, "DATA"),
    (1, "INIT"),
    (2, "INIT ACK"),
    (SACK, "SACK"),
    (4, "HB REQ"),
    (5, "HB ACK"),
    (6, "ABORT"),
    (7, "SHUTDOWN"),
    (8, "SHUTDOWN ACK"),
    (9, "OP ERR"),
    (10, "COOKIE ECHO"),
    (11, "COOKIE ACK"),
    (12, "ECN ECHO"),
    (13, "ECN CWR"),
    (14, "SHUTDOWN COMPLETE"),
    (0xc0, "FOR CUM TSN"),
    (0xc1, "REL CTRL"),
    (0xc2, "REL CTRL ACK"),
];

const DATA: u8 = 0;
const SACK: u8 = 3;

const M3UA: u32 = 3;

/// Payloads (IANA registry).
static PAYLOADS: &[(u32, &str)] = &[
    (1, "ISDN Q.921"),
    (2, "M2UA"),
    (M3UA, "M3UA"),
    (4, "SUA"),
    (5, "M2PA"),
    (6, "V5.2"),
    (7, "H.248"),
    (8, "BICC"),
    (9, "TALI"),
    (10, "DUA"),
    (11, "ASAP"),
    (12, "ENRP"),
    (13, "H.323"),
    (14, "Q.IPC"),
    (15, "SIMCO"),
    (16, "DDPSC"),
    (17, "DDPSSC"),
    (18, "S1AP"),
    (19, "RUA"),
    (20, "HNBAP"),
    (21, "ForCES HP"),
    (22, "ForCES MP"),
    (23, "ForCES LP"),
    (24, "SBc-AP"),
    (25, "NBAP"),
    (27, "X2AP"),
];

/// Ports of forwarding and control element separation (RFC 5811).
static CHANNELS: &[(u16, &str)] = &[
    (6704, "ForCES HP"),
    (6705, "ForCES MP"),
    (6706, "ForCES LP"),
];

const HEADER: usize = 12;
const CHUNK_HEADER: usize = 4;

/// A packet of `length` bytes.
pub(crate) fn sctp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    p.protocol = "sctp";
    let mut c = c;
    if length < HEADER {
        put!(p, "truncated-sctp - ", HEADER - length, " bytes missing!");
        return Ok(());
    }
    c.need(HEADER)?;
    let (source, destination) = (c.u16()?, c.u16()?);
    if !ip.addresses_shown {
        p.addr(ip.src);
        put!(p, ".");
    }
    put!(p, source, " > ");
    if !ip.addresses_shown {
        p.addr(ip.dst);
        put!(p, ".");
    }
    put!(p, destination, ": sctp");
    let mut channel = false;
    for port in [source, destination] {
        if let Some(name) = lookup(CHANNELS, port) {
            put!(p, "[", name, "]");
            channel = true;
        }
    }
    c.skip(8)?;
    chunks(p, c, length.saturating_sub(HEADER), channel)
}

/// The chunks; `channel` says that they carry `ForCES`.
/// What stands before a chunk's number.
fn numbered(verbose: u8, number: u32) -> &'static str {
    match (verbose, number) {
        (2.., _) => "\n\t",
        (_, 1) => " (",
        _ => ", (",
    }
}

fn chunks(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, channel: bool) -> Printed {
    let mut left = length;
    let mut number = 1_u32;
    while left > 0 {
        if left < CHUNK_HEADER {
            put!(p, numbered(p.style.verbose, number), number, ") ");
            put!(p, "[chunk descriptor cut off at end of packet]");
            return Ok(());
        }
        c.need(CHUNK_HEADER)?;
        let (kind, flags, size) = (c.u8()?, c.u8()?, c.u16()?);
        let inner = usize::from(size).checked_sub(CHUNK_HEADER);
        if inner.is_some_and(|inner| inner + CHUNK_HEADER > left) {
            return Err(Truncated);
        }
        c.need(inner.unwrap_or(0))?;
        let before = numbered(p.style.verbose, number);
        put!(p, before, number, ") ");
        let Some(inner) = inner else {
            put!(
                p,
                "[Bad chunk length ",
                size,
                ", < size of chunk descriptor]"
            );
            return Ok(());
        };
        match lookup(CHUNKS, kind) {
            Some(name) => put!(p, "[", name, "] "),
            None => put!(p, "[Unknown chunk type: 0x", Hex(kind), "] "),
        }
        let value = Cursor::new(c.limit(inner).rest());
        if !chunk(p, kind, flags, inner, value, channel)? {
            return Ok(());
        }
        let padded = usize::from(size).next_multiple_of(4).min(left);
        c.skip(padded - CHUNK_HEADER)?;
        left -= padded;
        number += 1;
    }
    Ok(())
}

/// `false` if its length is impossible, which was said.
fn chunk(
    p: &mut Out<'_>,
    kind: u8,
    flags: u8,
    inner: usize,
    mut c: Cursor<'_>,
    channel: bool,
) -> Result<bool, Truncated> {
    match kind {
        DATA => {
            for (bit, name) in [(4, "(U)"), (2, "(B)"), (1, "(E)")] {
                if flags & bit != 0 {
                    put!(p, name);
                }
            }
            if flags & 7 != 0 {
                put!(p, " ");
            }
            if inner < 12 {
                put!(p, "bogus chunk length ", inner + CHUNK_HEADER, "]");
                return Ok(false);
            }
            put!(p, "[TSN: ", c.u32()?, "] ");
            put!(p, "[SID: ", c.u16()?, "] ");
            put!(p, "[SSEQ ", c.u16()?, "] ");
            let payload_kind = c.u32()?;
            match lookup(PAYLOADS, payload_kind) {
                Some(name) => put!(p, "[PPID ", name, "] "),
                None => put!(p, "[PPID 0x", Hex(payload_kind), "] "),
            }
            payload(p, payload_kind, c, inner - 12, channel)?;
        }
        1 | 2 => {
            put!(p, "[init tag: ", c.u32()?, "] ");
            put!(p, "[rwnd: ", c.u32()?, "] ");
            put!(p, "[OS: ", c.u16()?, "] ");
            put!(p, "[MIS: ", c.u16()?, "] ");
            put!(p, "[init TSN: ", c.u32()?, "] ");
        }
        SACK => {
            put!(p, "[cum ack ", c.u32()?, "] ");
            put!(p, "[a_rwnd ", c.u32()?, "] ");
            let (gaps, copies) = (c.u16()?, c.u16()?);
            put!(p, "[#gap acks ", gaps, "] ");
            put!(p, "[#dup tsns ", copies, "] ");
            if p.verbose(2) {
                for n in 1..=gaps {
                    put!(p, "\n\t\t[gap ack block #", n, ": start = ", c.u16()?);
                    put!(p, ", end = ", c.u16()?, "] ");
                }
                for n in 1..=copies {
                    put!(p, "\n\t\t[dup TSN #", n, ": ", c.u32()?, "] ");
                }
            }
        }
        _ => {}
    }
    Ok(true)
}

/// What a data chunk carries, `length` bytes.
fn payload(p: &mut Out<'_>, kind: u32, c: Cursor<'_>, length: usize, channel: bool) -> Printed {
    if channel {
        forces::forces(p, c, length)?;
        p.protocol = "sctp";
        return Ok(());
    }
    if !p.verbose(2) {
        return Ok(());
    }
    if kind == M3UA {
        m3ua::m3ua(p, c, length)?;
        p.protocol = "sctp";
        return Ok(());
    }
    put!(p, "[Payload:");
    p.unknown(c.rest());
    put!(p, "]");
    Ok(())
}
