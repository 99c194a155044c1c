//! LMP, the Link Management Protocol (RFC 4204).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::gmpls::{ENCODINGS, SWITCHING};
use crate::hexdump;
use crate::out::{Out, Printed, bits, lookup, named};
use crate::put::{Fixed, Hex, HexFull, put};

const HEADER: usize = 8;
const OBJECT: usize = 4;

static MESSAGES: &[(u8, &str)] = &[
    (1, "Config"),
    (2, "Config ACK"),
    (3, "Config NACK"),
    (4, "Hello"),
    (5, "Begin Verify"),
    (6, "Begin Verify ACK"),
    (7, "Begin Verify NACK"),
    (8, "End Verify"),
    (9, "End Verify ACK"),
    (10, "Test"),
    (11, "Test Status Success"),
    (12, "Test Status Failure"),
    (13, "Test Status ACK"),
    (14, "Link Summary"),
    (15, "Link Summary ACK"),
    (16, "Link Summary NACK"),
    (17, "Channel Status"),
    (18, "Channel Status ACK"),
    (19, "Channel Status Request"),
    (20, "Channel Status Response"),
];

static FLAGS: &[(u32, &str)] = &[(1, "Control Channel Down"), (2, "LMP restart")];

const CONTROL_CHANNEL: u8 = 1;
const NODE: u8 = 2;
const LINK: u8 = 3;
const INTERFACE: u8 = 4;
const MESSAGE: u8 = 5;
const CONFIGURATION: u8 = 6;
const HELLO: u8 = 7;
const VERIFY_BEGIN: u8 = 8;
const VERIFY_BEGIN_ACK: u8 = 9;
const VERIFY: u8 = 10;
const TE_LINK: u8 = 11;
const DATA_LINK: u8 = 12;
const STATUS: u8 = 13;
const STATUS_REQUEST: u8 = 14;
const ERROR: u8 = 20;

static OBJECTS: &[(u8, &str)] = &[
    (CONTROL_CHANNEL, "Control Channel ID"),
    (NODE, "Node ID"),
    (LINK, "Link ID"),
    (INTERFACE, "Interface ID"),
    (MESSAGE, "Message ID"),
    (CONFIGURATION, "Configuration"),
    (HELLO, "Hello"),
    (VERIFY_BEGIN, "Verify Begin"),
    (VERIFY_BEGIN_ACK, "Verify Begin ACK"),
    (VERIFY, "Verify ID"),
    (TE_LINK, "TE Link"),
    (DATA_LINK, "Data Link"),
    (STATUS, "Channel Status"),
    (STATUS_REQUEST, "Channel Status Request"),
    (ERROR, "Error Code"),
];

static TE_FLAGS: &[(u32, &str)] = &[
    (1, "Fault Management Supported"),
    (2, "Link Verification Supported"),
];

static DATA_FLAGS: &[(u32, &str)] = &[
    (1, "Data Link Port"),
    (2, "Allocated for user traffic"),
    (4, "Failed link"),
];

static SUBOBJECTS: &[(u8, &str)] = &[(1, "Interface Switching Type"), (2, "Wavelength")];

static STATES: &[(u32, &str)] = &[
    (1, "Signal Okay"),
    (2, "Signal Degraded"),
    (3, "Signal Fail"),
];

static VERIFY_ERRORS: &[(u32, &str)] = &[
    (1, "Link Verification Procedure Not supported"),
    (2, "Unwilling to verify"),
    (4, "Unsupported verification transport mechanism"),
    (8, "Link-Id configuration error"),
    (16, "Unknown object c-type"),
];

static SUMMARY_ERRORS: &[(u32, &str)] = &[
    (1, "Unacceptable non-negotiable LINK-SUMMARY parameters"),
    (2, "Renegotiate LINK-SUMMARY parameters"),
    (4, "Invalid TE-LINK Object"),
    (8, "Invalid DATA-LINK Object"),
    (16, "Unknown TE-LINK Object c-type"),
    (32, "Unknown DATA-LINK Object c-type"),
];

/// The name of a class's type.
fn class_type(class: u8, kind: u8) -> &'static str {
    match (class, kind) {
        (CONTROL_CHANNEL | NODE, 1) => "Local",
        (CONTROL_CHANNEL | NODE, 2) => "Remote",
        (LINK | INTERFACE, 1) => "IPv4 Local",
        (LINK | INTERFACE, 2) => "IPv4 Remote",
        (LINK | INTERFACE, 3) => "IPv6 Local",
        (LINK | INTERFACE, 4) => "IPv6 Remote",
        (LINK | INTERFACE, 5) => "Unnumbered Local",
        (LINK | INTERFACE, 6) => "Unnumbered Remote",
        (MESSAGE | ERROR, 1) => "1",
        (MESSAGE | ERROR, 2) => "2",
        (CONFIGURATION..=VERIFY, 1) => "1",
        (TE_LINK..=STATUS_REQUEST, 1) => "IPv4",
        (TE_LINK..=STATUS_REQUEST, 2) => "IPv6",
        (TE_LINK..=STATUS_REQUEST, 3) => "Unnumbered",
        _ => "Unknown",
    }
}

/// A datagram.
pub(crate) fn lmp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "lmp";
    let whole = c;
    let mut c = c;
    whole.need(HEADER)?;
    let version = c.u8()? >> 4;
    if version != 1 {
        put!(p, "LMP version ", version, " packet not supported");
        return Ok(());
    }
    c.skip(1)?;
    let [flags, kind] = c.array()?;
    if !p.verbose(1) {
        put!(p, "LMPv1 ");
        match lookup(MESSAGES, kind) {
            Some(name) => put!(p, name),
            None => put!(p, "unknown (", kind, ")"),
        }
        put!(p, " Message, length: ", length);
        return Ok(());
    }
    let stated = usize::from(c.u16()?);
    put!(p, "\n\tLMPv1, msg-type: ");
    match lookup(MESSAGES, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "unknown, type: ", kind),
    }
    put!(p, ", Flags: [");
    bits(p, FLAGS, u32::from(flags), ", ", "none");
    put!(p, "], length: ", stated);
    let Some(left) = stated.checked_sub(HEADER) else {
        put!(p, " (too short)");
        return Ok(());
    };
    if stated > length {
        put!(p, " (too long)");
    }
    let mut c = whole;
    c.skip(HEADER)?;
    // Objects that would begin where the datagram ends are not missed.
    objects(p, c, left.min(length.saturating_sub(HEADER)))
}

fn objects(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        let [kind, class] = c.array()?;
        let stated = c.u16()?;
        let (negotiable, kind) = (kind & 0x80 != 0, kind & 0x7f);
        let name = named(OBJECTS, class, "Unknown");
        put!(p, "\n\t  ", name, " Object (", class, "), Class-Type: ");
        put!(p, class_type(class, kind), " (", kind, ") Flags: [");
        put!(
            p,
            if negotiable { "" } else { "non-" },
            "negotiable], length: ",
            stated
        );
        let size = usize::from(stated);
        let Some(inner) = size.checked_sub(OBJECT) else {
            put!(p, " (too short)");
            return Ok(());
        };
        if size % 4 != 0 {
            put!(p, " (not a multiple of 4)");
            return Ok(());
        }
        let value = c.sub(inner)?;
        let known = object(p, class, kind, value)?;
        if !known || p.verbose(2) {
            hexdump::hex(p, "\n\t    ", value.rest());
        }
        left = left.saturating_sub(size);
    }
    Ok(())
}

/// Says that an object has not the length of its type.
fn wrong(p: &mut Out<'_>) -> Result<bool, Truncated> {
    put!(p, " (not correct for object)");
    Ok(true)
}

/// A number, as an address of its family and in hexadecimal.
fn identifier(p: &mut Out<'_>, c: &mut Cursor<'_>, label: &str, kind: Id) -> Printed {
    put!(p, label, ": ");
    match kind {
        Id::V4 => {
            let id = c.u32()?;
            put!(p, Ipv4Addr::from(id), " (0x", HexFull(id), ")");
        }
        Id::V6 => {
            let id = c.array::<16>()?;
            let [a, b, c, d, ..] = id;
            let first = u32::from_be_bytes([a, b, c, d]);
            put!(p, Ipv6Addr::from(id), " (0x", HexFull(first), ")");
        }
        Id::Number => {
            let id = c.u32()?;
            put!(p, id, " (0x", HexFull(id), ")");
        }
    }
    Ok(())
}

/// How the ends of a link are named.
#[derive(Clone, Copy)]
enum Id {
    V4,
    V6,
    Number,
}

impl Id {
    /// By the class type of a link or a channel.
    fn of(kind: u8) -> Option<Self> {
        Some(match kind {
            1 => Self::V4,
            2 => Self::V6,
            3 => Self::Number,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::V4 | Self::Number => 4,
            Self::V6 => 16,
        }
    }
}

/// One object's value; `false` if nothing is known of it.
fn object(p: &mut Out<'_>, class: u8, kind: u8, c: Cursor<'_>) -> Result<bool, Truncated> {
    let size = c.remaining();
    let one = |p: &mut Out<'_>, label: &str, id: Id| {
        if size != id.size() {
            return wrong(p);
        }
        let mut c = c;
        identifier(p, &mut c, label, id).map(|()| true)
    };
    match (class, kind) {
        (CONTROL_CHANNEL, 1 | 2) => one(p, "\n\t    Control Channel ID", Id::Number),
        (NODE, 1 | 2) => one(p, "\n\t    Node ID", Id::V4),
        (LINK | INTERFACE, 1 | 2) => one(p, "\n\t    IPv4 Link ID", Id::V4),
        (LINK | INTERFACE, 3 | 4) => one(p, "\n\t    IPv6 Link ID", Id::V6),
        (LINK | INTERFACE, 5 | 6) => one(p, "\n\t    Link ID", Id::Number),
        (MESSAGE, 1) => one(p, "\n\t    Message ID", Id::Number),
        (MESSAGE, 2) => one(p, "\n\t    Message ID Ack", Id::Number),
        (CONFIGURATION, 1) => pair(p, c, "Hello Interval: ", "Hello Dead Interval: "),
        (VERIFY_BEGIN_ACK, 1) => pair(
            p,
            c,
            "Verify Dead Interval: ",
            "Verify Transport Response: ",
        ),
        (HELLO, 1) if size == 8 => {
            let mut c = c;
            put!(p, "\n\t    Tx Seq: ", c.u32()?, ", Rx Seq: ", c.u32()?);
            Ok(true)
        }
        (VERIFY, 1) if size == 4 => {
            let mut c = c;
            put!(p, "\n\t    Verify ID: ", c.u32()?);
            Ok(true)
        }
        (HELLO | VERIFY, 1) => wrong(p),
        (VERIFY_BEGIN, 1) => verify_begin(p, c),
        (TE_LINK, 1..=3) => te_link(p, c, Id::of(kind)),
        (DATA_LINK, 1..=3) => data_link(p, c, Id::of(kind)),
        (STATUS, 1..=3) => status(p, c, Id::of(kind)),
        (STATUS_REQUEST, 1..=3) => status_request(p, c, Id::of(kind)),
        (ERROR, 1 | 2) if size == 4 => {
            let mut c = c;
            let code = c.u32()?;
            put!(p, "\n\t    Error Code: ");
            let table = if kind == 1 {
                VERIFY_ERRORS
            } else {
                SUMMARY_ERRORS
            };
            bits(p, table, code, ", ", "none");
            Ok(true)
        }
        (ERROR, 1 | 2) => wrong(p),
        _ => Ok(false),
    }
}

/// Two numbers of 16 bits.
fn pair(p: &mut Out<'_>, mut c: Cursor<'_>, first: &str, second: &str) -> Result<bool, Truncated> {
    if c.remaining() != 4 {
        return wrong(p);
    }
    put!(p, "\n\t    ", first, c.u16()?);
    put!(p, "\n\t    ", second, c.u16()?);
    Ok(true)
}

/// Bytes per second as an IEEE float, as megabits.
fn megabits(c: &mut Cursor<'_>) -> Result<Fixed, Truncated> {
    // compat: single precision decides how it is rounded.
    let rate = f32::from_bits(c.u32()?) * 8.0 / 1_000_000.0;
    Ok(Fixed(f64::from(rate), 3))
}

fn verify_begin(p: &mut Out<'_>, mut c: Cursor<'_>) -> Result<bool, Truncated> {
    if c.remaining() != 20 {
        return wrong(p);
    }
    let flags = c.u16()?;
    put!(p, "\n\t    Flags: ");
    let table = [(1, "Verify all links"), (2, "Data link type")];
    bits(p, &table, u32::from(flags), ", ", "none");
    put!(p, "\n\t    Verify Interval: ", c.u16()?);
    put!(p, "\n\t    Data links: ", c.u32()?);
    let encoding = c.u8()?;
    put!(
        p,
        "\n\t    Encoding type: ",
        named(ENCODINGS, encoding, "Unknown")
    );
    c.skip(1)?;
    let transport = c.u16()?;
    put!(
        p,
        "\n\t    Verify Transport Mechanism: ",
        transport,
        " (0x",
        Hex(transport),
        ")"
    );
    put!(p, "\n\t    Transmission Rate: ", megabits(&mut c)?, " Mbps");
    put!(p, "\n\t    Wavelength: ", c.u32()?);
    Ok(true)
}

fn te_link(p: &mut Out<'_>, mut c: Cursor<'_>, id: Option<Id>) -> Result<bool, Truncated> {
    let Some(id) = id.filter(|id| c.remaining() == 4 + 2 * id.size()) else {
        return wrong(p);
    };
    put!(p, "\n\t    Flags: [");
    bits(p, TE_FLAGS, u32::from(c.u8()?), ", ", "none");
    put!(p, "]");
    c.skip(3)?;
    identifier(p, &mut c, "\n\t    Local Link-ID", id)?;
    identifier(p, &mut c, "\n\t    Remote Link-ID", id)?;
    Ok(true)
}

fn data_link(p: &mut Out<'_>, mut c: Cursor<'_>, id: Option<Id>) -> Result<bool, Truncated> {
    let Some(id) = id.filter(|id| c.remaining() >= 4 + 2 * id.size()) else {
        return wrong(p);
    };
    put!(p, "\n\t    Flags: [");
    bits(p, DATA_FLAGS, u32::from(c.u8()?), ", ", "none");
    put!(p, "]");
    c.skip(3)?;
    identifier(p, &mut c, "\n\t    Local Interface ID", id)?;
    identifier(p, &mut c, "\n\t    Remote Interface ID", id)?;
    subobjects(p, c)
}

/// What a data link can do; `false` to have the object shown in hexadecimal too.
fn subobjects(p: &mut Out<'_>, mut c: Cursor<'_>) -> Result<bool, Truncated> {
    let mut known = true;
    while !c.is_empty() {
        let [kind, stated] = c.array()?;
        let name = named(SUBOBJECTS, kind, "Unknown");
        put!(
            p,
            "\n\t    Subobject, Type: ",
            name,
            " (",
            kind,
            "), Length: ",
            stated
        );
        let size = usize::from(stated);
        let Some(inner) = size.checked_sub(4) else {
            put!(p, " (too short)");
            return Ok(known);
        };
        if size % 4 != 0 {
            put!(p, " (not a multiple of 4)");
            return Ok(known);
        }
        if inner + 2 > c.remaining() {
            put!(p, " (goes past the end of the object)");
            return Ok(known);
        }
        let mut value = c.sub(inner + 2)?;
        match kind {
            1 if size == 12 => {
                let (switching, encoding) = (value.u8()?, value.u8()?);
                let name = named(SWITCHING, switching, "Unknown");
                put!(p, "\n\t      Switching Type: ", name, " (", switching, ")");
                let name = named(ENCODINGS, encoding, "Unknown");
                put!(p, "\n\t      Encoding Type: ", name, " (", encoding, ")");
                put!(
                    p,
                    "\n\t      Min Reservable Bandwidth: ",
                    megabits(&mut value)?,
                    " Mbps"
                );
                put!(
                    p,
                    "\n\t      Max Reservable Bandwidth: ",
                    megabits(&mut value)?,
                    " Mbps"
                );
            }
            2 if size == 8 => {
                value.skip(2)?;
                put!(p, "\n\t      Wavelength: ", value.u32()?);
            }
            1 | 2 => put!(p, " (not correct for subobject)"),
            _ => known = false,
        }
    }
    Ok(known)
}

fn status(p: &mut Out<'_>, mut c: Cursor<'_>, id: Option<Id>) -> Result<bool, Truncated> {
    let Some(id) = id else {
        return wrong(p);
    };
    while c.remaining() >= id.size() + 4 {
        identifier(p, &mut c, "\n\t    Interface ID", id)?;
        let state = c.u32()?;
        let active = if state >> 31 == 0 {
            "Non-allocated (0)"
        } else {
            "Allocated (1)"
        };
        let direction = if state >> 30 & 1 == 0 {
            "Receive (0)"
        } else {
            "Transmit (1)"
        };
        put!(
            p,
            "\n\t\t    Active: ",
            active,
            "\n\t\t    Direction: ",
            direction
        );
        let state = state & 0x3fff_ffff;
        let name = named(STATES, state, "Unknown");
        put!(p, "\n\t\t    Channel Status: ", name, " (", state, ")");
    }
    Ok(true)
}

fn status_request(p: &mut Out<'_>, mut c: Cursor<'_>, id: Option<Id>) -> Result<bool, Truncated> {
    let Some(id) = id else {
        return wrong(p);
    };
    while c.remaining() >= id.size() {
        identifier(p, &mut c, "\n\t    Interface ID", id)?;
    }
    Ok(true)
}
