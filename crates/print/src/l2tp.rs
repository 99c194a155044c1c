//! L2TP version 2 (RFC 2661): control messages with their attributes, and PPP frames.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup};
use crate::ppp;
use crate::put::{HexBytes, HexFull, Visible, put};

/// The flags of the header (section 3.1).
const CONTROL: u16 = 0x8000;
const LENGTH: u16 = 0x4000;
const SEQUENCE: u16 = 0x0800;
const OFFSET: u16 = 0x0200;
const PRIORITY: u16 = 0x0100;

static FLAGS: &[(u16, &str)] = &[
    (CONTROL, "T"),
    (LENGTH, "L"),
    (SEQUENCE, "S"),
    (OFFSET, "O"),
    (PRIORITY, "P"),
];

/// The header of an attribute-value pair (section 4.1).
const AVP_HEADER: usize = 6;
const AVP_LENGTH: u16 = 0x03ff;
const AVP_MANDATORY: u16 = 0x8000;
const AVP_HIDDEN: u16 = 0x4000;

static MESSAGES: &[(u16, &str)] = &[
    (1, "SCCRQ"),
    (2, "SCCRP"),
    (3, "SCCCN"),
    (4, "StopCCN"),
    (6, "HELLO"),
    (7, "OCRQ"),
    (8, "OCRP"),
    (9, "OCCN"),
    (10, "ICRQ"),
    (11, "ICRP"),
    (12, "ICCN"),
    (14, "CDN"),
    (15, "WEN"),
    (16, "SLI"),
];

/// Types of authentication that a proxy saw (section 4.4.5).
static AUTHENTICATIONS: &[(u16, &str)] = &[
    (0, "Reserved"),
    (1, "Textual"),
    (2, "CHAP"),
    (3, "PAP"),
    (4, "No Auth"),
    (5, "MS-CHAPv1"),
];

/// Who disconnected (RFC 3145 section 2).
static DIRECTIONS: &[(u8, &str)] = &[(0, "global error"), (1, "at peer"), (2, "at local")];

/// How an attribute's value is shown.
#[derive(Clone, Copy)]
enum Value {
    Message,
    Result,
    Version,
    Number16,
    Number32,
    Text,
    Bytes,
    /// The first so many bytes.
    BytesOf(usize),
    /// Asynchronous and synchronous framing.
    Framing,
    /// Analog and digital bearers.
    Bearer,
    Cause,
    Authentication,
    LowByte,
    Errors,
    ControlMap,
    Disconnect,
    Obsolete,
    Nothing,
}

/// Attributes (section 4.4, RFC 3145).
static ATTRIBUTES: &[(u16, &str, Value)] = &[
    (0, "MSGTYPE", Value::Message),
    (1, "RESULT_CODE", Value::Result),
    (2, "PROTO_VER", Value::Version),
    (3, "FRAMING_CAP", Value::Framing),
    (4, "BEARER_CAP", Value::Bearer),
    (5, "TIE_BREAKER", Value::BytesOf(8)),
    (6, "FIRM_VER", Value::Number16),
    (7, "HOST_NAME", Value::Text),
    (8, "VENDOR_NAME", Value::Text),
    (9, "ASSND_TUN_ID", Value::Number16),
    (10, "RECV_WIN_SIZE", Value::Number16),
    (11, "CHALLENGE", Value::Bytes),
    (12, "Q931_CC", Value::Cause),
    (13, "CHALLENGE_RESP", Value::BytesOf(16)),
    (14, "ASSND_SESS_ID", Value::Number16),
    (15, "CALL_SER_NUM", Value::Number32),
    (16, "MINIMUM_BPS", Value::Number32),
    (17, "MAXIMUM_BPS", Value::Number32),
    (18, "BEARER_TYPE", Value::Bearer),
    (19, "FRAMING_TYPE", Value::Framing),
    (20, "PACKET_PROC_DELAY", Value::Obsolete),
    (21, "CALLED_NUMBER", Value::Text),
    (22, "CALLING_NUMBER", Value::Text),
    (23, "SUB_ADDRESS", Value::Text),
    (24, "TX_CONN_SPEED", Value::Number32),
    (25, "PHY_CHANNEL_ID", Value::Number32),
    (26, "INI_RECV_LCP", Value::Bytes),
    (27, "LAST_SENT_LCP", Value::Bytes),
    (28, "LAST_RECV_LCP", Value::Bytes),
    (29, "PROXY_AUTH_TYPE", Value::Authentication),
    (30, "PROXY_AUTH_NAME", Value::Text),
    (31, "PROXY_AUTH_CHAL", Value::Bytes),
    (32, "PROXY_AUTH_ID", Value::LowByte),
    (33, "PROXY_AUTH_RESP", Value::Bytes),
    (34, "CALL_ERRORS", Value::Errors),
    (35, "ACCM", Value::ControlMap),
    (36, "RANDOM_VECTOR", Value::Bytes),
    (37, "PRIVATE_GRP_ID", Value::Text),
    (38, "RX_CONN_SPEED", Value::Number32),
    (39, "SEQ_REQUIRED", Value::Nothing),
    (46, "PPP_DISCON_CC", Value::Disconnect),
];

/// A message of `length` bytes.
pub(crate) fn l2tp(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "l2tp";
    let flags = c.u16()?;
    match flags & 0x000f {
        1 => {
            put!(p, " l2f:");
            return Ok(());
        }
        2 => put!(p, " l2tp:["),
        _ => {
            put!(p, " Unknown Version, neither L2F(1) nor L2TP(2)");
            return Ok(());
        }
    }
    for (_, name) in FLAGS.iter().filter(|entry| flags & entry.0 != 0) {
        put!(p, *name);
    }
    put!(p, "]");
    let stated = if flags & LENGTH != 0 {
        Some(usize::from(c.u16()?))
    } else {
        None
    };
    put!(p, "(", c.u16()?, "/");
    put!(p, c.u16()?, ")");
    if flags & SEQUENCE != 0 {
        put!(p, "Ns=", c.u16()?, ",");
        put!(p, "Nr=", c.u16()?);
    }
    if flags & OFFSET != 0 {
        let padding = c.u16()?;
        c.skip(usize::from(padding))?;
    }
    let header = c.position();
    if let Some(stated) = stated {
        if length < stated {
            put!(p, " Length ", stated, " larger than packet");
            return Ok(());
        }
        if stated < header {
            put!(p, " Length ", stated, " smaller than header length");
            return Ok(());
        }
    } else if length < header {
        put!(p, " Length ", length, " smaller than header length");
        return Ok(());
    }
    let left = stated.unwrap_or(length) - header;
    if flags & CONTROL == 0 {
        put!(p, " {");
        let begin = p.out.len();
        // compat: the brace follows the marks of a frame without a protocol and of a cut IP header
        // of which there is something, and no other mark.
        match p.deeper(|p| ppp::payload(p, c, left)) {
            Err(Truncated) if left < 2 || p.protocol == "ip" && p.out.len() > begin => {
                p.truncated();
            }
            printed => printed?,
        }
        put!(p, "}");
        return Ok(());
    }
    if stated.is_none() {
        put!(p, " No length");
    } else if left == 0 {
        put!(p, " ZLB");
    } else {
        attributes(p, c, left)?;
    }
    Ok(())
}

/// The attributes of a control message, `left` bytes of them.
fn attributes(p: &mut Out<'_>, mut c: Cursor<'_>, mut left: usize) -> Printed {
    while left > 0 {
        put!(p, " ");
        let mut avp = c;
        let first = avp.u16()?;
        let length = usize::from(first & AVP_LENGTH);
        // A length that cannot be is marked like a missing byte.
        if length < AVP_HEADER || length > left {
            return Err(Truncated);
        }
        let mut avp = c.sub(length)?;
        avp.skip(2)?;
        if first & AVP_MANDATORY != 0 {
            put!(p, "*");
        }
        if first & AVP_HIDDEN != 0 {
            put!(p, "?");
        }
        attribute(p, avp, first & AVP_HIDDEN != 0)?;
        left -= length;
    }
    Ok(())
}

/// What follows an attribute's flags and length.
fn attribute(p: &mut Out<'_>, mut c: Cursor<'_>, hidden: bool) -> Printed {
    let (vendor, kind) = (c.u16()?, c.u16()?);
    if vendor != 0 {
        put!(p, "VENDOR", HexFull(vendor), ":ATTR", HexFull(kind));
        put!(p, "(", HexBytes(c.rest()), ")");
        return Ok(());
    }
    let known = ATTRIBUTES.iter().find(|entry| entry.0 == kind);
    match known {
        Some((_, name, _)) => put!(p, *name),
        None => put!(p, "AVP-#", kind),
    }
    put!(p, "(");
    if hidden {
        put!(p, "???");
    } else if let Some(&(_, _, shape)) = known
        && value(p, c, shape).is_err()
    {
        put!(p, "AVP too short");
    }
    put!(p, ")");
    Ok(())
}

/// The value, as far as its bytes suffice for its shape.
fn value(p: &mut Out<'_>, mut c: Cursor<'_>, shape: Value) -> Printed {
    match shape {
        Value::Message => name_or_number(p, MESSAGES, c.u16()?, "MSGTYPE-#"),
        Value::Result => result(p, c)?,
        Value::Version => put!(p, c.u8()?, ".", c.u8()?),
        Value::Number16 => put!(p, c.u16()?),
        Value::Number32 => put!(p, c.u32()?),
        Value::Text => put!(p, Visible(c.rest())),
        Value::Bytes => put!(p, HexBytes(c.rest())),
        Value::BytesOf(count) => put!(p, HexBytes(c.take(count)?)),
        Value::Framing => bit_letters(p, c.u32()?, "S"),
        Value::Bearer => bit_letters(p, c.u32()?, "D"),
        Value::Cause => {
            put!(p, c.u16()?, ", ", HexFull(c.u8()?));
            message(p, c);
        }
        Value::Authentication => name_or_number(p, AUTHENTICATIONS, c.u16()?, "AuthType-#"),
        Value::LowByte => put!(p, c.u16()? & 0xff),
        Value::Errors => errors(p, c)?,
        Value::ControlMap => {
            c.skip(2)?;
            put!(p, "send=", HexFull(c.u32()?), " ");
            put!(p, "recv=", HexFull(c.u32()?), " ");
        }
        Value::Disconnect => disconnect(p, c)?,
        Value::Obsolete => put!(p, "obsolete"),
        Value::Nothing => {}
    }
    Ok(())
}

fn name_or_number(p: &mut Out<'_>, table: &[(u16, &'static str)], number: u16, missing: &str) {
    match lookup(table, number) {
        Some(name) => put!(p, name),
        None => put!(p, missing, number),
    }
}

/// `A` for the second lowest bit, the letter given for the lowest.
fn bit_letters(p: &mut Out<'_>, bits: u32, lowest: &str) {
    if bits & 2 != 0 {
        put!(p, "A");
    }
    if bits & 1 != 0 {
        put!(p, lowest);
    }
}

/// The text at the end of a value, if there is any.
fn message(p: &mut Out<'_>, c: Cursor<'_>) {
    if !c.is_empty() {
        put!(p, " ", Visible(c.rest()));
    }
}

/// A result, an error and its text; the latter two may be missing (section 4.4.2).
fn result(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    put!(p, c.u16()?);
    if c.is_empty() {
        return Ok(());
    }
    let Ok(error) = c.u16() else {
        put!(p, " ");
        return Err(Truncated);
    };
    put!(p, "/", error);
    message(p, c);
    Ok(())
}

/// Counts of errors on a call (section 4.4.6).
fn errors(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    c.skip(2)?;
    for name in [
        "CRCErr=",
        "FrameErr=",
        "HardOver=",
        "BufOver=",
        "Timeout=",
        "AlignErr=",
    ] {
        put!(p, name, c.u32()?, " ");
    }
    Ok(())
}

/// Why PPP disconnected (RFC 3145 section 2).
fn disconnect(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let (code, protocol, direction) = (c.u16()?, c.u16()?, c.u8()?);
    put!(p, HexFull(code), ", ", HexFull(protocol), " ");
    match lookup(DIRECTIONS, direction) {
        Some(name) => put!(p, name),
        None => put!(p, "Direction-#", direction),
    }
    message(p, c);
    Ok(())
}
