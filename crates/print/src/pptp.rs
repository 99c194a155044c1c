//! PPTP control messages (RFC 2637).

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, Visible, put};

const COOKIE: u32 = 0x1a2b_3c4d;

static MESSAGES: &[(u16, &str)] = &[
    (0, "NOT_DEFINED"),
    (1, "SCCRQ"),
    (2, "SCCRP"),
    (3, "StopCCRQ"),
    (4, "StopCCRP"),
    (5, "ECHORQ"),
    (6, "ECHORP"),
    (7, "OCRQ"),
    (8, "OCRP"),
    (9, "ICRQ"),
    (10, "ICRP"),
    (11, "ICCN"),
    (12, "CCRQ"),
    (13, "CDN"),
    (14, "WEN"),
    (15, "SLI"),
];

/// General error codes (section 2.16).
static ERRORS: &[(u8, &str)] = &[
    (0, "None"),
    (1, "Not-Connected"),
    (2, "Bad-Format"),
    (3, "Bad-Value"),
    (4, "No-Resource"),
    (5, "Bad-Call-ID"),
    (6, "PAC-Error"),
];

static START_RESULTS: &[(u8, &str)] = &[
    (1, "Successful channel establishment"),
    (2, "General error"),
    (3, "Command channel already exists"),
    (
        4,
        "Requester is not authorized to establish a command channel",
    ),
    (5, "The protocol version of the requester is not supported"),
];
static SIMPLE_RESULTS: &[(u8, &str)] = &[(1, "OK"), (2, "General error")];
static OUTGOING_RESULTS: &[(u8, &str)] = &[
    (1, "Connected"),
    (2, "General Error"),
    (3, "No Carrier"),
    (4, "Busy"),
    (5, "No Dial Tone"),
    (6, "Time-out"),
    (7, "Do Not Accept"),
];
static INCOMING_RESULTS: &[(u8, &str)] =
    &[(1, "Connect"), (2, "General Error"), (3, "Do Not Accept")];
static DISCONNECT_RESULTS: &[(u8, &str)] = &[
    (1, "Lost Carrier"),
    (2, "General Error"),
    (3, "Admin Shutdown"),
    (4, "Request"),
];
static STOP_REASONS: &[(u8, &str)] = &[
    (1, "None"),
    (2, "Stop-Protocol"),
    (3, "Stop-Local-Shutdown"),
];

type Results = &'static [(u8, &'static str)];

/// A control message.
pub(crate) fn pptp(p: &mut Out<'_>, mut c: Cursor<'_>, _length: usize) -> Printed {
    p.protocol = "pptp";
    put!(p, ": pptp");
    let length = c.u16()?;
    if p.verbose(1) {
        put!(p, " Length=", length);
    }
    let class = c.u16()?;
    if p.verbose(1) {
        match class {
            1 => put!(p, " CTRL-MSG"),
            2 => put!(p, " MGMT-MSG"),
            _ => put!(p, " UNKNOWN-MSG-TYPE"),
        }
    }
    let cookie = c.u32()?;
    if cookie != COOKIE {
        put!(p, " UNEXPECTED Magic-Cookie!!(", HexFull(cookie), ")");
    }
    if p.verbose(1) || cookie != COOKIE {
        put!(p, " Magic-Cookie=", HexFull(cookie));
    }
    let kind = c.u16()?;
    match lookup(MESSAGES, kind) {
        Some(name) => put!(p, " CTRL_MSGTYPE=", name),
        None => put!(p, " UNKNOWN_CTRL_MSGTYPE(", kind, ")"),
    }
    reserved(p, &mut c)?;
    match kind {
        1 => start(p, &mut c, false),
        2 => start(p, &mut c, true),
        3 => {
            let reason = c.u8()?;
            put!(p, " REASON(", reason);
            named(p, STOP_REASONS, reason);
            c.skip(1)?;
            reserved(p, &mut c)
        }
        4 => {
            results(p, &mut c, SIMPLE_RESULTS)?;
            reserved(p, &mut c)
        }
        5 => {
            put!(p, " ID(", c.u32()?, ")");
            Ok(())
        }
        6 => {
            put!(p, " ID(", c.u32()?, ")");
            results(p, &mut c, SIMPLE_RESULTS)?;
            reserved(p, &mut c)
        }
        7..=13 => call(p, kind, &mut c),
        14 => errors(p, &mut c),
        15 => {
            put!(p, " PEER_CALL_ID(", c.u16()?, ")");
            reserved(p, &mut c)?;
            put!(p, " SEND_ACCM(0x", HexFull(c.u32()?), ")");
            put!(p, " RECV_ACCM(0x", HexFull(c.u32()?), ")");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Two bytes that are to be zero.
fn reserved(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let value = c.u16()?;
    if value != 0 {
        put!(p, " [ERROR: reserved=", value, " must be zero]");
    }
    Ok(())
}

/// `:NAME)`, the name only with `-v`.
fn named(p: &mut Out<'_>, table: Results, code: u8) {
    if p.verbose(1) {
        put!(p, ":", lookup(table, code).unwrap_or("?"));
    }
    put!(p, ")");
}

/// Result code and error code.
fn results(p: &mut Out<'_>, c: &mut Cursor<'_>, table: Results) -> Printed {
    let result = c.u8()?;
    put!(p, " RESULT_CODE(", result);
    named(p, table, result);
    let error = c.u8()?;
    put!(p, " ERR_CODE(", error);
    named(p, ERRORS, error);
    Ok(())
}

/// Start of the control connection (sections 2.1, 2.2).
fn start(p: &mut Out<'_>, c: &mut Cursor<'_>, reply: bool) -> Printed {
    put!(p, " PROTO_VER(", c.u8()?, ".", c.u8()?, ")");
    if reply {
        results(p, c, START_RESULTS)?;
    } else {
        reserved(p, c)?;
    }
    put!(p, " FRAME_CAP(");
    let framing = c.u32()?;
    put!(
        p,
        if framing & 1 != 0 { "A" } else { "" },
        if framing & 2 != 0 { "S" } else { "" },
        ")"
    );
    let bearer = c.u32()?;
    put!(p, " BEARER_CAP(");
    put!(
        p,
        if bearer & 1 != 0 { "A" } else { "" },
        if bearer & 2 != 0 { "D" } else { "" },
        ")"
    );
    put!(p, " MAX_CHAN(", c.u16()?, ")");
    put!(p, " FIRM_REV(", c.u16()?, ")");
    text(p, " HOSTNAME(", c, 64)?;
    text(p, " VENDOR(", c, 64)
}

/// A field of so many bytes, up to its first zero.
fn text(p: &mut Out<'_>, name: &str, c: &mut Cursor<'_>, length: usize) -> Printed {
    put!(p, name);
    let there = c.limit(length).rest();
    let end = there.iter().position(|&byte| byte == 0);
    put!(
        p,
        Visible(there.get(..end.unwrap_or(there.len())).unwrap_or_default())
    );
    if end.is_none() {
        c.need(length)?;
    }
    put!(p, ")");
    // What the zero is followed by need not be there.
    let skipped = length.min(c.remaining());
    c.skip(skipped)
}

/// Calls (sections 2.7 to 2.13).
fn call(p: &mut Out<'_>, kind: u16, c: &mut Cursor<'_>) -> Printed {
    match kind {
        7 => outgoing(p, c),
        8 => {
            put!(p, " CALL_ID(", c.u16()?, ")");
            put!(p, " PEER_CALL_ID(", c.u16()?, ")");
            results(p, c, OUTGOING_RESULTS)?;
            put!(p, " CAUSE_CODE(", c.u16()?, ")");
            speed_and_window(p, c, true)?;
            put!(p, " PHY_CHAN_ID(", c.u32()?, ")");
            Ok(())
        }
        9 => incoming(p, c),
        10 => {
            put!(p, " CALL_ID(", c.u16()?, ")");
            put!(p, " PEER_CALL_ID(", c.u16()?, ")");
            results(p, c, INCOMING_RESULTS)?;
            speed_and_window(p, c, false)?;
            reserved(p, c)
        }
        11 => {
            put!(p, " PEER_CALL_ID(", c.u16()?, ")");
            reserved(p, c)?;
            put!(p, " CONN_SPEED(", c.u32()?, ")");
            put!(p, " RECV_WIN(", c.u16()?, ")");
            put!(p, " PROC_DELAY(", c.u16()?, ")");
            frame_type(p, c)
        }
        12 => {
            put!(p, " CALL_ID(", c.u16()?, ")");
            reserved(p, c)
        }
        _ => {
            put!(p, " CALL_ID(", c.u16()?, ")");
            results(p, c, DISCONNECT_RESULTS)?;
            put!(p, " CAUSE_CODE(", c.u16()?, ")");
            reserved(p, c)?;
            text(p, " CALL_STATS(", c, 128)
        }
    }
}

fn speed_and_window(p: &mut Out<'_>, c: &mut Cursor<'_>, speed: bool) -> Printed {
    if speed {
        put!(p, " CONN_SPEED(", c.u32()?, ")");
    }
    put!(p, " RECV_WIN(", c.u16()?, ")");
    put!(p, " PROC_DELAY(", c.u16()?, ")");
    Ok(())
}

fn outgoing(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, " CALL_ID(", c.u16()?, ")");
    put!(p, " CALL_SER_NUM(", c.u16()?, ")");
    put!(p, " MIN_BPS(", c.u32()?, ")");
    put!(p, " MAX_BPS(", c.u32()?, ")");
    bearer_type(p, c)?;
    frame_type(p, c)?;
    speed_and_window(p, c, false)?;
    put!(p, " PHONE_NO_LEN(", c.u16()?, ")");
    reserved(p, c)?;
    text(p, " PHONE_NO(", c, 64)?;
    text(p, " SUB_ADDR(", c, 64)
}

fn incoming(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, " CALL_ID(", c.u16()?, ")");
    put!(p, " CALL_SER_NUM(", c.u16()?, ")");
    bearer_type(p, c)?;
    put!(p, " PHY_CHAN_ID(", c.u32()?, ")");
    put!(p, " DIALED_NO_LEN(", c.u16()?, ")");
    put!(p, " DIALING_NO_LEN(", c.u16()?, ")");
    text(p, " DIALED_NO(", c, 64)?;
    text(p, " DIALING_NO(", c, 64)?;
    text(p, " SUB_ADDR(", c, 64)
}

fn bearer_type(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let name = match c.u32()? {
        1 => "A",
        2 => "D",
        3 => "Any",
        _ => "Unknown",
    };
    put!(p, " BEARER_TYPE(", name, ")");
    Ok(())
}

fn frame_type(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let name = match c.u32()? {
        1 => "A",
        2 => "S",
        3 => "E",
        _ => "Unknown",
    };
    put!(p, " FRAME_TYPE(", name, ")");
    Ok(())
}

/// WAN error counters (section 2.14).
fn errors(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, " PEER_CALL_ID(", c.u16()?, ")");
    reserved(p, c)?;
    for name in [
        " CRC_ERR(",
        " FRAMING_ERR(",
        " HARDWARE_OVERRUN(",
        " BUFFER_OVERRUN(",
        " TIMEOUT_ERR(",
        " ALIGN_ERR(",
    ] {
        put!(p, name, c.u32()?, ")");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(101),
            "4500003800010000400600000a0000010a0000029c4006bb00000001000000015018ffff00000000001000011a2b3c4d0005000000000007",
            style(1),
            "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto TCP (6), length 56, bad cksum 0 (->66bd)!)\n    10.0.0.1.40000 > 10.0.0.2.1723: Flags [P.], cksum 0x0000 (incorrect -> 0xa227), seq 1:17, ack 1, win 65535, length 16: pptp Length=16 CTRL-MSG Magic-Cookie=1a2b3c4d CTRL_MSGTYPE=ECHORQ ID(7)\n",
        );
    }
}
