//! Lightweight access point protocol (RFC 5412): frames of an access point, and what it and its
//! controller say to each other.

use pktwho_wire::Cursor;

use crate::hexdump;
use crate::out::{Out, Printed, bits, lookup};
use crate::put::{HexFull, put};

const CONTROL_PORT: u16 = 12223;
const HEADER: usize = 6;
const MESSAGE: usize = 8;
const ELEMENT: usize = 3;

const CONTROL: u32 = 4;
const FRAGMENT: u32 = 2;

static FLAGS: &[(u32, &str)] = &[
    (1, "Last Fragment"),
    (FRAGMENT, "Fragment"),
    (CONTROL, "Control"),
];

static MESSAGES: &[(u8, &str)] = &[
    (1, "Discovery req"),
    (2, "Discovery resp"),
    (3, "Join req"),
    (4, "Join resp"),
    (5, "Join ack"),
    (6, "Join confirm"),
    (10, "Configure req"),
    (11, "Configure resp"),
    (12, "Update req"),
    (13, "Update resp"),
    (14, "WTP event req"),
    (15, "WTP event resp"),
    (16, "Change state event req"),
    (17, "Change state event resp"),
    (22, "Echo req"),
    (23, "Echo resp"),
    (24, "Image data req"),
    (25, "Image data resp"),
    (26, "Channel status req"),
    (27, "Channel status resp"),
    (30, "Key update req"),
    (31, "Key update resp"),
    (32, "Primary discovery req"),
    (33, "Primary discovery resp"),
    (34, "Data transfer req"),
    (35, "Data transfer resp"),
    (36, "Clear config ind"),
    (37, "Wlan config req"),
    (38, "Wlan config resp"),
    (39, "Mobile config req"),
    (40, "Mobile config resp"),
];

/// Elements, and the messages that hold them (sections 5 to 9).
static ELEMENTS: &[(u8, &str, &[u8])] = &[(39, "Decryption Error Report", &[14])];

/// A datagram of `length` bytes to or from port 12222 or 12223.
pub(crate) fn lwapp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "lwapp";
    let mut c = Cursor::new(c.rest());
    let mut left = length;
    // Access points put their address before what they send to the controller.
    let to_controller = p.ends.is_some_and(|ends| ends.destination == CONTROL_PORT);
    let mut identity = None;
    if to_controller {
        identity = Some(c.array::<6>()?);
        left = left.saturating_sub(6);
    }
    c.need(HEADER)?;
    let (first, fragment, stated) = (c.u8()?, c.u8()?, c.u16()?);
    c.skip(2)?;
    left = left.saturating_sub(HEADER);
    let version = first >> 6;
    if version != 0 {
        put!(p, "LWAPP version ", version, " packet not supported");
        return Ok(());
    }
    let flags = u32::from(first & 7);
    let kind = if flags & CONTROL == 0 {
        "Data"
    } else {
        "Control"
    };
    put!(p, "LWAPPv0, ", kind, " frame, ");
    if p.verbose(1) {
        put!(p, "Radio-id ", first >> 3 & 7, ", ");
    }
    put!(p, "Flags [");
    bits(p, FLAGS, flags, ", ", "none");
    put!(p, "]");
    if p.verbose(1) {
        put!(p, ", Frag-id ", fragment);
        if flags & FRAGMENT == 0 && fragment != 0 {
            put!(p, " (MBZ!)");
        }
    }
    put!(p, ", length ", stated);
    if !p.verbose(1) {
        return Ok(());
    }
    if let Some(mac) = identity {
        put!(p, "\n\tAP identity: ");
        p.mac(mac);
    }
    if flags & CONTROL == 0 {
        hexdump::hex(p, "\n\t", c.limit(left).rest());
        return c.need(left);
    }
    messages(p, c, usize::from(stated))
}

/// The messages of a control frame.
fn messages(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        if left < MESSAGE {
            put!(p, "\n\t  Msg goes past end of PDU");
            return Ok(());
        }
        c.need(MESSAGE)?;
        let (kind, sequence, size) = (c.u8()?, c.u8()?, usize::from(c.u16()?));
        let session = c.u32()?;
        left -= MESSAGE;
        if size > left {
            put!(p, "\n\t  Msg goes past end of PDU");
            return Ok(());
        }
        let name = lookup(MESSAGES, kind).unwrap_or("Unknown");
        put!(p, "\n\t  Msg type: ", name, " (", kind, "), Seqnum: ");
        put!(p, sequence, ", Msg len: ", size);
        put!(p, ", Session: 0x", HexFull(session));
        if !elements(p, Cursor::new(c.rest()), size, kind)? {
            return Ok(());
        }
        c.skip(size)?;
        left -= size;
    }
    Ok(())
}

/// The elements of a message of this kind; `false` if one does not fit.
fn elements(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    length: usize,
    message: u8,
) -> Result<bool, pktwho_wire::Truncated> {
    let mut left = length;
    let mut number = 0_u32;
    while left > 0 {
        if left < ELEMENT {
            p.invalid();
            return Ok(false);
        }
        c.need(ELEMENT)?;
        let (kind, size) = (c.u8()?, usize::from(c.u16()?));
        left -= ELEMENT;
        put!(p, "\n\t  Msg Elem ", number, " Type: ", kind, " (");
        match ELEMENTS.iter().find(|entry| entry.0 == kind) {
            Some((_, name, messages)) if messages.contains(&message) => put!(p, *name, ")"),
            Some((_, name, _)) => put!(p, *name, ") [unexpected!]"),
            None => put!(p, "Unknown)"),
        }
        put!(p, ", Length: ", size);
        if size > left {
            put!(p, " [elem_len ", size, " > ", left, "]");
            p.invalid();
            return Ok(false);
        }
        hexdump::hex(p, "\n\t    ", c.limit(size).rest());
        c.skip(size)?;
        left -= size;
        number += 1;
    }
    Ok(true)
}
