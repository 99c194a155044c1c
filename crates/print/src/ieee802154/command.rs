//! Commands (section 7.5).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, lookup};
use crate::put::{HexFull, put};

static NAMES: &[(u8, &str)] = &[
    (0x01, "Association Request command"),
    (0x02, "Association Response command"),
    (0x03, "Disassociation Notification command"),
    (0x04, "Data Request command"),
    (0x05, "PAN ID Conflict Notification command"),
    (0x06, "Orphan Notification command"),
    (0x07, "Beacon Request command"),
    (0x08, "Coordinator realignment command"),
    (0x09, "GTS request command"),
    (0x0a, "TRLE Management Request command"),
    (0x0b, "TRLE Management Response command"),
    (0x13, "DSME Association Request command"),
    (0x14, "DSME Association Response command"),
    (0x15, "DSME GTS Request command"),
    (0x16, "DSME GTS Response command"),
    (0x17, "DSME GTS Notify command"),
    (0x18, "DSME Information Request command"),
    (0x19, "DSME Information Response command"),
    (0x1a, "DSME Beacon Allocation Notification command"),
    (0x1b, "DSME Beacon Collision Notification command"),
    (0x1c, "DSME Link Report command"),
    (0x20, "RIT Data Request command"),
    (0x21, "DBS Request command"),
    (0x22, "DBS Response command"),
    (0x23, "RIT Data Response command"),
    (0x24, "Vendor Specific command"),
];

static CAPABILITIES: &[(u8, &str)] = &[
    (0x04, "AC powered, "),
    (0x08, "Receiver on when idle, "),
    (0x10, "Fast association, "),
    (0x40, "Security supported, "),
    (0x80, "Allocate address, "),
];

/// How an association was answered (table 7-54). A word is spelled as tcpdump does.
static ANSWERS: &[(u8, &str)] = &[
    (0x00, "Association successful"),
    (0x01, "PAN at capacity"),
    (0x02, "PAN access denied"),
    (0x03, "Hooping sequence offset duplication"),
    (0x80, "Fast association successful"),
];

/// A command, of which `c` keeps what was not understood; `behind` are the bytes from its fields
/// to the end of the capture. Whether it has a number at all.
pub(super) fn command(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    behind: &[u8],
) -> Result<bool, Truncated> {
    let Ok(id) = c.u8() else {
        put!(p, "[ERROR: Truncated before Command ID]");
        return Ok(false);
    };
    put!(p, "Command ID = ");
    match lookup(NAMES, id) {
        Some(name) => put!(p, name),
        None => put!(p, "Reserved 0x", HexFull(id)),
    }
    put!(p, " ");
    if c.is_empty() || matches!(id, 4..=7) {
        return Ok(true);
    }
    match (id, c.rest()) {
        (1, &[capabilities]) => request(p, capabilities),
        (2, &[low, high, status]) => {
            let address = u16::from_le_bytes([low, high]);
            put!(p, "Short address = ", HexFull(address), ", ");
            match lookup(ANSWERS, status) {
                Some(name) => put!(p, name),
                None => put!(p, "Status = 0x", HexFull(status)),
            }
        }
        (3, &[reason]) => disassociation(p, reason, behind)?,
        (8, fields @ (&[_, _, _, _, _, _, _] | &[_, _, _, _, _, _, _, _])) => {
            realignment(p, fields)?;
        }
        (9, &[slots]) => guaranteed_slots(p, slots),
        (1, _) => return invalid(p, "Association request"),
        (2, _) => return invalid(p, "Association response"),
        (3, _) => return invalid(p, "Disassociation Notification"),
        (8, _) => return invalid(p, "Coordinator Realignment"),
        (9, _) => return invalid(p, "GTS Request"),
        (_, fields) => {
            put!(p, "Command Data = ");
            for &byte in fields {
                put!(p, HexFull(byte), " ");
            }
            return Ok(true);
        }
    }
    *c = Cursor::new(&[]);
    Ok(true)
}

fn invalid(p: &mut Out<'_>, what: &str) -> Result<bool, Truncated> {
    put!(p, "Invalid ", what, " command length");
    Ok(true)
}

/// What the device that asks can do (section 7.5.2.2).
fn request(p: &mut Out<'_>, capabilities: u8) {
    let full = capabilities & 2 != 0;
    put!(p, if full { "FFD, " } else { "RFD, " });
    for (_, name) in CAPABILITIES.iter().filter(|bit| capabilities & bit.0 != 0) {
        put!(p, *name);
    }
}

fn disassociation(p: &mut Out<'_>, reason: u8, behind: &[u8]) -> Result<(), Truncated> {
    match reason {
        0 => put!(p, "Reserved"),
        1 => put!(p, "Reason = The coordinator wishes the device to leave PAN"),
        2 => put!(p, "Reason = The device wishes to leave the PAN"),
        // compat: of another reason tcpdump shows the second byte behind it (4.99.3).
        _ => put!(p, "Reason = 0x", HexFull(*behind.get(2).ok_or(Truncated)?)),
    }
    Ok(())
}

/// Where the network's coordinator is to be found from now on.
fn realignment(p: &mut Out<'_>, fields: &[u8]) -> Result<(), Truncated> {
    let mut c = Cursor::new(fields);
    let [network, coordinator] = [c.u16_le()?, c.u16_le()?];
    put!(p, "Pan ID = 0x", HexFull(network));
    put!(p, ", Coordinator short address = ", HexFull(coordinator));
    let channel = c.u8()?;
    put!(p, ", Channel Number = ", channel, ", ");
    let short = c.u16_le()?;
    if let Ok(page) = c.u8() {
        put!(p, "page = ", page, ", ");
    }
    put!(p, "Short address = ", HexFull(short));
    Ok(())
}

/// What is asked for of slots that are one's own.
fn guaranteed_slots(p: &mut Out<'_>, slots: u8) {
    put!(p, "GTS Length = ", slots & 15);
    let receive = slots & 0x10 != 0;
    put!(
        p,
        if receive {
            ", Receive-only GTS, "
        } else {
            ", Transmit-only GTS, "
        }
    );
    let allocate = slots & 0x20 != 0;
    put!(
        p,
        if allocate {
            "GTS allocation"
        } else {
            "GTS deallocations"
        }
    );
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn a_device_joins() {
        check(
            LinkType::IEEE802_15_4_NOFCS,
            "438805cdab1111222202 3412 00",
            style(0),
            "IEEE 802.15.4 Command packet v0 abcd:1111 < -:2222 Command ID = Association Response command Short address = 1234, Association successful\n",
        );
    }
}
