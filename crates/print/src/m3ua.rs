//! MTP3 user adaptation, which SCTP carries (RFC 4666): the message and its parameters.

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, put};

const HEADER: usize = 8;
const PARAMETER: usize = 4;

/// A class of messages: its number, its name, its messages.
type Class = (u8, &'static str, &'static [(u8, &'static str)]);

static CLASSES: &[Class] = &[
    (0, "Management", &[(0, "Error"), (1, "Notify")]),
    (1, "Transfer", &[(1, "Data")]),
    (
        2,
        "SS7",
        &[
            (1, "Destination Unavailable"),
            (2, "Destination Available"),
            (3, "Destination State Audit"),
            (4, "Signalling Congestion"),
            (5, "Destination User Part Unavailable"),
            (6, "Destination Restricted"),
        ],
    ),
    (
        3,
        "ASP",
        &[
            (1, "Up"),
            (2, "Down"),
            (3, "Heartbeat"),
            (4, "Up Acknowledgement"),
            (5, "Down Acknowledgement"),
            (6, "Heartbeat Acknowledgement"),
        ],
    ),
    (
        4,
        "ASP",
        &[
            (1, "Active"),
            (2, "Inactive"),
            (3, "Active Acknowledgement"),
            (4, "Inactive Acknowledgement"),
        ],
    ),
    (
        9,
        "Routing Key Management",
        &[
            (1, "Registration Request"),
            (2, "Registration Response"),
            (3, "Deregistration Request"),
            (4, "Deregistration Response"),
        ],
    ),
];

const ROUTING_CONTEXT: u16 = 0x06;
const CORRELATION_ID: u16 = 0x13;
const NETWORK_APPEARANCE: u16 = 0x200;

static PARAMETERS: &[(u16, &str)] = &[
    (0x04, "INFO String"),
    (ROUTING_CONTEXT, "Routing Context"),
    (0x07, "Diagnostic Info"),
    (0x09, "Heartbeat Data"),
    (0x0b, "Traffic Mode Type"),
    (0x0c, "Error Code"),
    (0x0d, "Status"),
    (0x11, "ASP Identifier"),
    (0x12, "Affected Point Code"),
    (CORRELATION_ID, "Correlation ID"),
    (NETWORK_APPEARANCE, "Network Appearance"),
    (0x204, "User/Cause"),
    (0x205, "Congestion Indications"),
    (0x206, "Concerned Destination"),
    (0x207, "Routing Key"),
    (0x208, "Registration Result"),
    (0x209, "Deregistration Result"),
    (0x20a, "Local Routing Key Identifier"),
    (0x20b, "Destination Point Code"),
    (0x20c, "Service Indicators"),
    (0x20e, "Originating Point Code List"),
    (0x210, "Protocol Data"),
    (0x212, "Registration Status"),
    (0x213, "Deregistration Status"),
];

/// A message of `length` bytes.
pub(crate) fn m3ua(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "m3ua";
    if length < HEADER {
        return p.invalid_message(c, length);
    }
    let mut c = c;
    if c.u8()? != 1 {
        return Ok(());
    }
    c.skip(1)?;
    let (class, kind) = (c.u8()?, c.u8()?);
    match CLASSES.iter().find(|entry| entry.0 == class) {
        Some((_, class, kinds)) => {
            put!(p, "\n\t\t", *class, " ");
            match lookup(kinds, kind) {
                Some(name) => put!(p, name),
                None => put!(p, "Unknown (0x", HexFull(kind), ")"),
            }
            put!(p, " Message");
        }
        None => put!(p, "\n\t\tUnknown message class ", class),
    }
    let stated = c.u32()?;
    if usize::try_from(stated).is_ok_and(|stated| stated == length) {
        return parameters(p, c, length - HEADER);
    }
    put!(
        p,
        "\n\t\t\t@@@@@@ Corrupted length ",
        stated,
        " of message @@@@@@"
    );
    c.need(length - HEADER)
}

fn parameters(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        if left < PARAMETER {
            return p.invalid_message(c, left);
        }
        let start = c;
        let (tag, size) = (c.u16()?, c.u16()?);
        let name = lookup(PARAMETERS, tag);
        match name {
            Some(name) => put!(p, "\n\t\t\t", name, ": "),
            None => put!(p, "\n\t\t\tUnknown Parameter (0x", HexFull(tag), "): "),
        }
        let size = usize::from(size);
        if size < PARAMETER {
            return p.invalid_message(c, left - PARAMETER);
        }
        start.need(size)?;
        match tag {
            ROUTING_CONTEXT | CORRELATION_ID | NETWORK_APPEARANCE => {
                if size < PARAMETER + 4 {
                    return p.invalid_message(c, left - PARAMETER);
                }
                // compat: tcpdump 4.99.3 shows the tag and the length, not the value.
                put!(p, "0x", HexFull(Cursor::u32(&mut { start })?));
            }
            _ => put!(p, "(length ", size, ")"),
        }
        let padded = size.next_multiple_of(4);
        if left < padded {
            return p.invalid_message(c, left - PARAMETER);
        }
        c = start;
        c.skip(padded)?;
        left -= padded;
    }
    Ok(())
}
