//! Forwarding and control element separation (RFC 5810): the message between the elements.
//!
//! Without `-v` a message has a name; `-v` and `-vv` show its header, `-vvv` its TLVs and the next
//! `-v` its bytes.

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, HexFull, put};

mod tlv;

const HEADER: usize = 24;

const TEARDOWN: u8 = 2;
const REDIRECT: u8 = 6;
const HEARTBEAT: u8 = 15;
const SETUP: u8 = 1;
const SETUP_RESPONSE: u8 = 17;

static MESSAGES: &[(u8, &str)] = &[
    (SETUP, "Association Setup"),
    (TEARDOWN, "Association TearDown"),
    (3, "Config"),
    (4, "Query"),
    (5, "Event Notification"),
    (REDIRECT, "Packet Redirect"),
    (HEARTBEAT, "HeartBeat"),
    (SETUP_RESPONSE, "Association Response"),
    (19, "Config Response"),
    (20, "Query Response"),
];

/// A message of `length` bytes.
pub(crate) fn forces(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "forces";
    let whole = Cursor::new(c.limit(length).rest());
    let mut c = whole;
    c.need(HEADER)?;
    let (version, kind, words) = (c.u8()? >> 4, c.u8()?, c.u16()?);
    let name = lookup(MESSAGES, kind).unwrap_or("Invalid message");
    put!(p, "\n\tForCES ", name, " ");
    let stated = usize::from(words) * 4;
    let fits = if stated == length {
        message(p, whole, version, kind, length)?
    } else {
        put!(p, "Illegal ForCES pkt len - min 24, total recvd ");
        put!(p, length, ", advertised ", stated, " ");
        false
    };
    if !fits {
        hexdump::hex(p, "\n\t[", whole.rest());
        put!(p, "\n\t]");
    } else if p.verbose(4) {
        put!(p, "\n\t  Raw ForCES message\n\t [");
        hexdump::hex(p, "\n\t ", whole.rest());
        put!(p, "\n\t ]");
    }
    Ok(())
}

/// What stands behind the message's name; `false` if it cannot be one, which was said.
fn message(
    p: &mut Out<'_>,
    whole: Cursor<'_>,
    version: u8,
    kind: u8,
    length: usize,
) -> Result<bool, Truncated> {
    let mut c = whole;
    c.skip(4)?;
    let (source, destination, correlator) = (c.u32()?, c.u32()?, c.u64()?);
    let flags = c.u32()?;
    if p.verbose(1) {
        put!(p, "\n\tForCES Version ", version, " len ", length);
        put!(p, "B flags 0x", HexFull(flags), " ");
        put!(p, "\n\tSrcID 0x", Hex(source), "(", element(source));
        put!(p, ") DstID 0x", Hex(destination), "(", element(destination));
        put!(p, ") Correlator 0x", Hex(correlator));
    }
    if p.verbose(2) {
        shown_flags(p, flags);
    }
    let left = length - HEADER;
    if left == 0 {
        if matches!(kind, SETUP | HEARTBEAT) {
            return Ok(true);
        }
        put!(p, "\tTop level TLV Data missing!\n");
        return Ok(false);
    }
    tlv::top(p, c, left, kind)
}

/// What an identifier's two highest bits say of it (section 6.1).
fn element(id: u32) -> &'static str {
    match (id >> 30, id) {
        (0, _) => "FE",
        (1, _) => "CE",
        (2, _) => "ForCESreserved",
        (_, 0xffff_fffd) => "AllCEsBroadcast",
        (_, 0xffff_fffe) => "AllFEsBroadcast",
        (_, 0xffff_ffff) => "AllBroadcast",
        _ => "AllMulticast",
    }
}

fn shown_flags(p: &mut Out<'_>, flags: u32) {
    let (ack, priority, mode) = (flags >> 30, flags >> 27 & 7, flags >> 22 & 3);
    let (atomic, transaction) = (flags >> 21 & 1, flags >> 19 & 3);
    let ack_name = match ack {
        0 => "NoACK",
        1 => "SuccessACK",
        2 => "FailureACK",
        _ => "AlwaysACK",
    };
    let mode_name = match mode {
        0 => "EMReserved",
        1 => "execute-all-or-none",
        2 => "execute-until-failure",
        _ => "continue-execute-on-failure",
    };
    let transaction_name = match transaction {
        0 => "StartofTransaction",
        1 => "MiddleofTransaction",
        2 => "EndofTransaction",
        _ => "abort",
    };
    let atomic_name = if atomic == 0 {
        "Standalone"
    } else {
        "2PCtransaction"
    };
    put!(p, "\n\tForCES flags:\n\t  ", ack_name, "(0x", Hex(ack));
    put!(p, "), prio=", priority, ", ", mode_name, "(0x", Hex(mode));
    put!(p, "),\n\t  ", atomic_name, "(0x", Hex(atomic), "), ");
    put!(p, transaction_name, "(0x", Hex(transaction), ")\n");
    put!(p, "\t  Extra flags: rsv(b5-7) 0x", Hex(flags >> 24 & 7));
    put!(p, " rsv(b13-31) 0x", Hex(flags & 0x0007_ffff), "\n");
}
