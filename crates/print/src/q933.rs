//! Q.933: signalling and local management of Frame Relay.

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, put};

static MESSAGES: &[(u8, &str)] = &[
    (0x00, "ESC to National"),
    (0x01, "Alert"),
    (0x02, "Call proceeding"),
    (0x03, "Progress"),
    (0x05, "Setup"),
    (0x07, "Connect"),
    (0x0f, "Connect ACK"),
    (0x45, "Disconnect"),
    (0x46, "Restart"),
    (0x4d, "Release"),
    (0x4e, "Restart ACK"),
    (0x5a, "Release Complete"),
    (0x7b, "Status"),
    (0x7d, "Status Reply"),
    (0x75, "Status Enquiry"),
];

static ANSI: &[(u8, &str)] = &[
    (0x01, "ANSI Report Type"),
    (0x03, "ANSI Link Verify"),
    (0x07, "ANSI PVC Status"),
];

static CCITT: &[(u8, &str)] = &[
    (0x51, "CCITT Report Type"),
    (0x53, "CCITT Link Verify"),
    (0x57, "CCITT PVC Status"),
];

static REPORTS: &[(u8, &str)] = &[
    (0, "Full Status"),
    (1, "Link verify"),
    (2, "Async PVC Status"),
];

/// A message of `length` bytes.
pub(crate) fn q933(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "q.933";
    put!(p, if p.style.link { "" } else { "Q.933, " });
    if length == 0 {
        return Err(Truncated);
    }
    let reference = usize::from(c.u8()? & 15);
    if length < reference + 2 {
        return Err(Truncated);
    }
    let reference_bytes = c.take(reference)?;
    let message = c.u8()?;
    let mut left = length - reference - 2;
    // A shift into the national code set says that the rest is ANSI's.
    let mut codeset = 0;
    if left > 0 {
        let first = { c }.u8()?;
        if first & 0xf0 == 0x90 {
            codeset = first & 7;
            c.skip(1)?;
            left -= 1;
        }
    }
    let ansi = codeset == 5;
    put!(
        p,
        if ansi { "ANSI" } else { "CCITT" },
        ", codeset ",
        codeset
    );
    if reference == 1 {
        // compat: tcpdump 4.99.3 asks for one byte more than it shows.
        c.need(1)?;
    }
    if reference != 0 {
        put!(p, ", Call Ref: 0x", crate::put::HexBytes(reference_bytes));
    }
    if !p.verbose(1) {
        match lookup(MESSAGES, message) {
            Some(name) => put!(p, ", ", name),
            None => put!(p, ", unknown message 0x", HexFull(message)),
        }
        return Ok(());
    }
    let name = lookup(MESSAGES, message).unwrap_or("unknown message");
    put!(
        p,
        ", ",
        name,
        " (0x",
        HexFull(message),
        "), length ",
        length
    );
    elements(p, ansi, c, left)
}

/// Information elements; those with the high bit are one byte.
fn elements(p: &mut Out<'_>, ansi: bool, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    let names = if ansi { ANSI } else { CCITT };
    while left > 0 {
        let kind = c.u8()?;
        left -= 1;
        if kind & 0x80 != 0 {
            put!(
                p,
                "\n\t",
                lookup(names, kind).unwrap_or("unknown"),
                " IE (0x",
                HexFull(kind),
                ")"
            );
            continue;
        }
        if left == 0 {
            return Err(Truncated);
        }
        let stated = usize::from(c.u8()?);
        left -= 1;
        let name = lookup(names, kind).unwrap_or("unknown");
        put!(
            p,
            "\n\t",
            name,
            " IE (0x",
            HexFull(kind),
            "), length ",
            stated,
            ": "
        );
        if stated > left {
            return Err(Truncated);
        }
        c.need(stated)?;
        let value = c.limit(stated);
        if !element(p, kind & 0x0f, lookup(names, kind).is_some(), value, stated)? {
            hexdump::hex(p, "\n\t  ", value.rest());
        }
        c.skip(stated)?;
        left -= stated;
    }
    Ok(())
}

/// `false` for an element without a printer.
fn element(
    p: &mut Out<'_>,
    kind: u8,
    known: bool,
    mut c: Cursor<'_>,
    length: usize,
) -> Result<bool, Truncated> {
    match (kind, length) {
        _ if !known => return Ok(false),
        (1, 1..) => {
            let report = c.u8()?;
            put!(
                p,
                lookup(REPORTS, report).unwrap_or("unknown"),
                " (",
                report,
                ")"
            );
        }
        (1, _) => put!(p, "Invalid REPORT TYPE IE"),
        (3, 2..) => {
            let (sent, received) = (c.u8()?, c.u8()?);
            put!(p, "TX Seq: ");
            padded(p, sent);
            put!(p, ", RX Seq: ");
            padded(p, received);
        }
        (3, _) => put!(p, "Invalid LINK VERIFY IE"),
        (7, 3..) => {
            let Some((dlci, status)) = connection(c.limit(length).rest()) else {
                put!(p, "Invalid DLCI in PVC STATUS IE");
                return Ok(true);
            };
            let new = if status & 8 != 0 { "New, " } else { "" };
            let active = if status & 2 != 0 {
                "Active"
            } else {
                "Inactive"
            };
            put!(p, "DLCI ", dlci, ": status ", new, active);
        }
        _ => put!(p, "Invalid DLCI in PVC STATUS IE"),
    }
    Ok(true)
}

/// Number and status of a connection; the high bit ends the number, and the status.
fn connection(bytes: &[u8]) -> Option<(u32, u8)> {
    let ends = |byte: u8| byte & 0x80 != 0;
    let (&first, rest) = bytes.split_first()?;
    let (&status, numbers) = rest.split_last()?;
    let (&last, between) = numbers.split_last()?;
    if ends(first) || between.iter().any(|&byte| ends(byte)) || !ends(last) || !ends(status) {
        return None;
    }
    let high = u32::from(first & 0x3f);
    let number = match *between {
        [] => high << 4 | u32::from(last >> 3 & 15),
        [second] => high << 10 | u32::from(second & 0x78) << 3 | u32::from(last >> 1 & 0x3f),
        // compat: tcpdump 4.99.3 lets the third byte's bits fall on those of the fourth.
        [second, third] => {
            (high << 17 | u32::from(second & 0x78) << 10)
                + u32::from(third)
                + u32::from(last >> 1 & 0x3f)
        }
        _ => return None,
    };
    Some((number, status))
}

/// Three columns.
fn padded(p: &mut Out<'_>, value: u8) {
    put!(
        p,
        if value < 10 {
            "  "
        } else if value < 100 {
            " "
        } else {
            ""
        },
        value
    );
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(107),
            "0001030800759501010003020102",
            style(1),
            "Q.933, ANSI, codeset 5, Status Enquiry (0x75), length 10\n\tANSI Report Type IE (0x01), length 1: Full Status (0)\n\tANSI Link Verify IE (0x03), length 2: TX Seq:   1, RX Seq:   2\n",
        );
    }
}
