//! Q.933: signalling and local management of Frame Relay.

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed, lookup};
use crate::put::{HexBytes, HexFull, put};

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

/// Elements of ANSI T1.617 annex D and of Q.933 annex A, whichever code set holds.
static ELEMENTS: &[(u8, &str)] = &[
    (0x01, "ANSI Report Type"),
    (0x03, "ANSI Link Verify"),
    (0x07, "ANSI PVC Status"),
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
pub(crate) fn q933(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "q.933";
    put!(p, if p.style.link { "" } else { "Q.933, " });
    let Some(header) = Header::read(c, length) else {
        put!(p, "length ", length);
        return Err(Truncated);
    };
    header.put(p)?;
    if p.verbose(1) {
        let name = lookup(MESSAGES, header.message).unwrap_or("unknown message");
        put!(
            p,
            ", ",
            name,
            " (0x",
            HexFull(header.message),
            "), length ",
            length
        );
        return elements(p, header.elements, header.left).map(drop);
    }
    match lookup(MESSAGES, header.message) {
        Some(name) => put!(p, ", ", name),
        None => put!(p, ", unknown message 0x", HexFull(header.message)),
    }
    let whole = elements(p, header.elements, header.left);
    // compat: behind an element that ends the list the length is not said (4.99.3).
    if whole != Ok(false) {
        put!(p, ", length ", length);
    }
    whole.map(drop)
}

/// What stands before the elements.
struct Header<'a> {
    reference: &'a [u8],
    message: u8,
    codeset: u8,
    elements: Cursor<'a>,
    /// Bytes of elements on the wire.
    left: usize,
}

impl<'a> Header<'a> {
    /// `None` if the message or what was captured of it is shorter than its header.
    fn read(mut c: Cursor<'a>, length: usize) -> Option<Self> {
        let size = usize::from(c.u8().ok()? & 15);
        let mut left = length.checked_sub(size + 2)?;
        let reference = c.take(size).ok()?;
        let message = c.u8().ok()?;
        // A shift to another code set says whose the rest is.
        let mut codeset = 0;
        if left > 0 {
            let first = { c }.u8().ok()?;
            if first & 0xf0 == 0x90 {
                codeset = first & 7;
                c.skip(1).ok()?;
                left -= 1;
            }
        }
        Some(Self {
            reference,
            message,
            codeset,
            elements: c,
            left,
        })
    }

    fn put(&self, p: &mut Out<'_>) -> Printed {
        let whose = if self.codeset == 5 { "ANSI" } else { "CCITT" };
        put!(p, whose, ", codeset ", self.codeset);
        // compat: a reference of one byte is shown if the byte behind the header is not zero (4.99.3).
        let shown = match self.reference {
            [] => false,
            [_] => { self.elements }.u8()? != 0,
            _ => true,
        };
        if shown {
            put!(p, ", Call Ref: 0x", HexBytes(self.reference));
        }
        Ok(())
    }
}

/// The elements; `false` if an empty one or one of no kind ends the list.
fn elements(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    let mut left = length;
    while left > 0 {
        let kind = c.u8()?;
        left -= 1;
        // Elements of one byte.
        if kind & 0x80 != 0 {
            continue;
        }
        if left == 0 {
            return Err(Truncated);
        }
        let stated = usize::from(c.u8()?);
        left -= 1;
        let known = lookup(ELEMENTS, kind);
        if p.verbose(1) {
            put!(
                p,
                "\n\t",
                known.unwrap_or("unknown"),
                " IE (0x",
                HexFull(kind)
            );
            put!(p, "), length ", stated, ": ");
        }
        if kind == 0 || stated == 0 {
            return Ok(false);
        }
        if stated > left {
            return Err(Truncated);
        }
        c.need(stated)?;
        let value = c.limit(stated);
        if known.is_some() {
            element(p, kind & 0x0f, value, stated)?;
            if p.verbose(2) {
                hexdump::hex(p, "\n\t  ", value.rest());
            }
        } else if p.verbose(1) {
            hexdump::hex(p, "\n\t", value.rest());
        }
        c.skip(stated)?;
        left -= stated;
    }
    Ok(true)
}

/// An element that is known.
fn element(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, length: usize) -> Printed {
    let lines = p.verbose(1);
    if !lines && kind != 1 {
        put!(p, ", ");
    }
    match (kind, length) {
        (1, _) if !lines => {}
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
                return Ok(());
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
    Ok(())
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

    #[test]
    fn in_one_line_without_v() {
        let head = "00010308007d9501010003020102";
        let line = "Q.933, ANSI, codeset 5, Status Reply, TX Seq:   1, RX Seq:   2";
        for (more, expected) in [
            ("", ", length 10\n"),
            ("070318f482", ", DLCI 398: status Active, length 15\n"),
            ("070318f40a", ", Invalid DLCI in PVC STATUS IE, length 15\n"),
            ("0809", ", length 12 [|q.933]\n"),
            ("0300", "\n"),
        ] {
            let packet = format!("{head}{more}");
            check(
                LinkType(107),
                &packet,
                style(0),
                &format!("{line}{expected}"),
            );
        }
    }
}
