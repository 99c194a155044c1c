//! UDLD: finding links that carry one direction only (RFC 5171).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, bits, lookup};
use crate::put::{Hex, HexFull, Visible, put};

static CODES: &[(u8, &str)] = &[
    (0, "Reserved"),
    (1, "Probe message"),
    (2, "Echo message"),
    (3, "Flush message"),
];

static FLAGS: &[(u32, &str)] = &[
    (0x01, "RT"),
    (0x02, "RSY"),
    (0x04, "MBZ-2"),
    (0x08, "MBZ-3"),
    (0x10, "MBZ-4"),
    (0x20, "MBZ-5"),
    (0x40, "MBZ-6"),
    (0x80, "MBZ-7"),
];

static TYPES: &[(u16, &str)] = &[
    (1, "Device-ID TLV"),
    (2, "Port-ID TLV"),
    (3, "Echo TLV"),
    (4, "Message Interval TLV"),
    (5, "Timeout Interval TLV"),
    (6, "Device Name TLV"),
    (7, "Sequence Number TLV"),
];

/// A UDLD packet of `length` bytes.
pub(crate) fn udld(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "udld";
    let whole = Cursor::new(c.rest());
    if packet(p, whole, length)? {
        return Ok(());
    }
    p.invalid();
    whole.need(length)
}

/// `false` if the packet contradicts itself.
fn packet(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    if length < 4 {
        return Ok(false);
    }
    let first = c.u8()?;
    let flags = c.u8()?;
    let code = first & 31;
    put!(
        p,
        "UDLDv",
        first >> 5,
        ", Code ",
        lookup(CODES, code).unwrap_or("Reserved")
    );
    put!(p, " (", Hex(code), "), Flags [");
    bits(p, FLAGS, u32::from(flags), ", ", "none");
    put!(p, "] (0x", HexFull(flags), "), length ", length);
    if !p.verbose(1) {
        return Ok(true);
    }
    put!(p, "\n\tChecksum 0x", HexFull(c.u16()?), " (unverified)");
    let mut left = length - 4;
    while left > 0 {
        if left < 4 {
            return Ok(false);
        }
        let (kind, stated) = (c.u16()?, usize::from(c.u16()?));
        let name = lookup(TYPES, kind).unwrap_or("Unknown");
        put!(
            p,
            "\n\t",
            name,
            " (0x",
            HexFull(kind),
            ") TLV, length ",
            stated
        );
        if stated < 4 || stated > left || !value(p, kind, c, stated - 4)? {
            return Ok(false);
        }
        c.skip(stated - 4)?;
        left -= stated;
    }
    Ok(true)
}

/// `false` if it has not the length that its type wants.
fn value(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    match (kind, length) {
        (1 | 2 | 6, 1..) => {
            put!(p, ", ", Visible::until_zero(c.limit(length).rest()));
            c.need(length)?;
        }
        (3, 1..) => {
            put!(p, ", ", Visible(c.limit(length).rest()));
            c.need(length)?;
        }
        (4 | 5, 1) => put!(p, ", ", c.u8()?, "s"),
        (7, 4) => put!(p, ", ", c.u32()?),
        (1..=7, _) => return Ok(false),
        _ => {}
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "01000ccccccc020000000001001faaaa0300000c01112103123400010006533100040005070007000800000001",
            style(1),
            "UDLDv1, Code Probe message (1), Flags [RT, RSY] (0x03), length 23\n\tChecksum 0x1234 (unverified)\n\tDevice-ID TLV (0x0001) TLV, length 6, S1\n\tMessage Interval TLV (0x0004) TLV, length 5, 7s\n\tSequence Number TLV (0x0007) TLV, length 8, 1\n",
        );
    }
}
