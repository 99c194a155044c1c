//! Opaque advertisements (RFC 5250): traffic engineering (RFC 3630, RFC 4203), graceful restart
//! (RFC 3623), router information (RFC 7770, RFC 8665).

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use super::table;
use crate::gmpls;
use crate::hexdump;
use crate::out::{Out, Printed, bits, named};
use crate::put::{Fixed, HexFull, put};

pub(super) fn opaque(p: &mut Out<'_>, kind: u8, c: Cursor<'_>, length: usize) -> Printed {
    match kind {
        1 => engineering(p, c, length),
        3 => list(p, c, length, Kind::Grace),
        4 => list(p, c, length, Kind::Information),
        _ => {
            if !p.verbose(2) {
                hexdump::hex(p, "\n\t    ", c.rest());
            }
            Ok(())
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Grace,
    Information,
}

fn list(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, kind: Kind) -> Printed {
    let mut left = length;
    while left > 0 {
        if left < 4 {
            put!(p, "\n\t    Remaining LS length ", left, " < 4");
            p.invalid();
            return Ok(());
        }
        let (tlv, size) = (c.u16()?, usize::from(c.u16()?));
        left -= 4;
        if kind == Kind::Grace {
            put!(
                p,
                "\n\t    ",
                named(table::GRACE, tlv, "unknown"),
                " TLV (",
                tlv
            );
            put!(p, "), length ", size, ", value: ");
        } else {
            put!(
                p,
                "\n\t    ",
                named(table::INFORMATION, tlv, "unknown"),
                " TLV (",
                tlv
            );
            put!(p, "), length: ", size, ", value: ");
        }
        if size > left {
            put!(
                p,
                "\n\t    Bogus length ",
                size,
                " > remaining LS length ",
                left
            );
            p.invalid();
            return Ok(());
        }
        c.need(size)?;
        let value = Cursor::new(c.limit(size).rest());
        let valid = match kind {
            Kind::Grace => grace(p, tlv, value, size)?,
            Kind::Information => information(p, tlv, value)?,
        };
        if !valid {
            p.invalid();
            return Ok(());
        }
        let padded = size.next_multiple_of(4);
        if padded > left {
            put!(p, "\n\t    Bogus padded length ", padded, " > ", left);
            p.invalid();
            return Ok(());
        }
        left -= padded;
        c.skip(padded)?;
    }
    Ok(())
}

fn grace(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>, size: usize) -> Result<bool, Truncated> {
    let right = match kind {
        1 | 3 => 4,
        2 => 1,
        _ => size,
    };
    if size != right {
        put!(p, "\n\t    Bogus length ", size, " != ", right);
        return Ok(false);
    }
    match kind {
        1 => put!(p, c.u32()?, "s"),
        2 => {
            let reason = c.u8()?;
            put!(
                p,
                named(table::REASONS, reason, "Unknown"),
                " (",
                reason,
                ")"
            );
        }
        3 => p.addr(Ipv4Addr::from(c.u32()?)),
        _ if !p.verbose(2) => hexdump::hex(p, "\n\t      ", c.rest()),
        _ => {}
    }
    Ok(true)
}

fn information(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>) -> Result<bool, Truncated> {
    match kind {
        1 => {
            if c.remaining() != 4 {
                put!(p, "\n\t    Bogus length ", c.remaining(), " != 4");
                return Ok(false);
            }
            put!(p, "Capabilities: ");
            bits(p, table::CAPABILITIES, c.u32()?, ", ", "none");
        }
        8 => {
            while let Ok(id) = c.u8() {
                put!(
                    p,
                    "\n\t      ",
                    named(table::ALGORITHMS, id, "Unknown"),
                    " (",
                    id,
                    ")"
                );
            }
        }
        9 | 14 => {
            if c.remaining() < 4 {
                return Ok(false);
            }
            put!(p, "\n\t      Range size: ", c.u24()?);
            c.skip(1)?;
            while c.remaining() >= 4 {
                let (kind, size) = (c.u16()?, usize::from(c.u16()?));
                let name = if kind == 1 { "SID/Label" } else { "unknown" };
                put!(
                    p,
                    "\n\t      ",
                    name,
                    " subTLV (",
                    kind,
                    "), length: ",
                    size,
                    ", value: "
                );
                let Ok(mut value) = c.sub(size) else {
                    return Ok(false);
                };
                match (kind, size) {
                    (1, 3) => put!(p, "\n\t\tLabel: ", value.u24()?),
                    (1, 4) => put!(p, "\n\t\tSID: ", value.u32()?),
                    (1, other) => {
                        put!(p, "\n\t\tBogus subTLV length ", other);
                        return Ok(false);
                    }
                    _ => hexdump::hex(p, "\n\t\t", value.rest()),
                }
                c.skip((size.next_multiple_of(4) - size).min(c.remaining()))?;
            }
        }
        15 => {
            if c.remaining() != 4 {
                put!(p, "\n\t    Bogus length ", c.remaining(), " != 4");
                return Ok(false);
            }
            put!(p, "\n\t      SRMS Preference: ", c.u8()?);
        }
        _ if !p.verbose(2) => hexdump::hex(p, "\n\t      ", c.rest()),
        _ => {}
    }
    Ok(true)
}

fn engineering(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        if left < 4 {
            put!(p, "\n\t    Remaining LS length ", left, " < 4");
            p.invalid();
            return Ok(());
        }
        let (kind, size) = (c.u16()?, usize::from(c.u16()?));
        left -= 4;
        put!(
            p,
            "\n\t    ",
            named(table::TE, kind, "unknown"),
            " TLV (",
            kind,
            "), length: ",
            size
        );
        if size > left {
            put!(p, "\n\t    Bogus length ", size, " > ", left);
            return Ok(());
        }
        let value = Cursor::new(c.limit(size).rest());
        match kind {
            2 if !link(p, value, size)? => {
                p.invalid();
                return Ok(());
            }
            2 => {}
            1 => {
                if size < 4 {
                    put!(p, "\n\t    TLV length ", size, " < 4");
                    p.invalid();
                    return Ok(());
                }
                put!(p, ", ");
                p.addr(Ipv4Addr::from({ value }.u32()?));
            }
            _ if !p.verbose(2) => hexdump::hex(p, "\n\t      ", value.rest()),
            _ => {}
        }
        let padded = size.next_multiple_of(4);
        if padded > left {
            put!(p, "\n\t    Bogus padded length ", padded, " > ", left);
            p.invalid();
            return Ok(());
        }
        left -= padded;
        c.skip(padded)?;
    }
    Ok(())
}

/// `false` if one of its attributes has an impossible length.
fn link(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    let mut left = length;
    while left > 0 {
        if left < 4 {
            put!(p, "\n\t    Remaining TLV length ", left, " < 4");
            return Ok(false);
        }
        let (kind, size) = (c.u16()?, usize::from(c.u16()?));
        left -= 4;
        put!(
            p,
            "\n\t      ",
            named(table::LINK, kind, "unknown"),
            " subTLV (",
            kind
        );
        put!(p, "), length: ", size);
        if left < size {
            put!(
                p,
                "\n\t    Remaining TLV length ",
                left + 4,
                " < ",
                size + 4
            );
            return Ok(false);
        }
        let value = Cursor::new(c.limit(size).rest());
        if !attribute(p, kind, value, size)? {
            return Ok(false);
        }
        let padded = size.next_multiple_of(4).min(left);
        left -= padded;
        c.skip(padded)?;
    }
    Ok(true)
}

fn mbps(c: &mut Cursor<'_>) -> Result<Fixed, Truncated> {
    let bytes = f64::from(f32::from_bits(c.u32()?));
    Ok(Fixed(bytes * 8.0 / 1_000_000.0, 3))
}

fn attribute(
    p: &mut Out<'_>,
    kind: u16,
    mut c: Cursor<'_>,
    size: usize,
) -> Result<bool, Truncated> {
    let wrong = match kind {
        9 | 5 | 6 | 7 if size != 4 => " != 4",
        2 | 11 if size != 4 && size != 8 => " != 4 && != 8",
        8 if size != 32 => " != 32",
        1 if size != 1 => " != 1",
        15 if size < 36 => " < 36",
        17 if size < 4 => " < 4",
        _ => "",
    };
    if !wrong.is_empty() {
        put!(p, wrong);
        return Ok(false);
    }
    match kind {
        1 => {
            let link = c.u8()?;
            put!(
                p,
                ", ",
                named(table::LINK_TYPES, link, "unknown"),
                " (",
                link,
                ")"
            );
        }
        2 | 11 => {
            while let Ok(id) = c.u32() {
                put!(p, ", ", Ipv4Addr::from(id), " (0x", HexFull(id), ")");
            }
        }
        3 | 4 => {
            while let Ok(addr) = c.u32() {
                put!(p, ", ");
                p.addr(Ipv4Addr::from(addr));
            }
        }
        5 => put!(p, ", Metric ", c.u32()?),
        6 | 7 => put!(p, ", ", mbps(&mut c)?, " Mbps"),
        8 => {
            for class in 0..8_u8 {
                put!(p, "\n\t\tTE-Class ", class, ": ", mbps(&mut c)?, " Mbps");
            }
        }
        9 => put!(p, ", 0x", HexFull(c.u32()?)),
        14 => {
            if let Ok(kinds) = c.u8() {
                put!(p, ", ");
                bits(p, gmpls::PROTECTIONS, u32::from(kinds), ", ", "none");
            }
        }
        15 => switching(p, c)?,
        16 => {
            if !size.is_multiple_of(4) {
                put!(p, "\n\t\tlength ", size, " != N x 4");
                return Ok(false);
            }
            while let Ok(group) = c.u32() {
                put!(p, "\n\t\t  Shared risk group: 0x", HexFull(group));
            }
        }
        17 => return constraints(p, c, size),
        _ if !p.verbose(2) => hexdump::hex(p, "\n\t\t", c.rest()),
        _ => {}
    }
    Ok(true)
}

fn constraints(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Result<bool, Truncated> {
    let model = c.u8()?;
    put!(p, "\n\t\tBandwidth Constraints Model ID: ");
    put!(
        p,
        named(gmpls::BANDWIDTH_MODELS, model, "unknown"),
        " (",
        model,
        ")"
    );
    if !size.is_multiple_of(4) {
        put!(p, "\n\t\tlength ", size, " != N x 4");
        return Ok(false);
    }
    if size > 36 {
        put!(p, "\n\t\tlength ", size, " > 36");
        return Ok(false);
    }
    c.skip(3)?;
    let mut class = 0_u8;
    while c.remaining() >= 4 {
        put!(
            p,
            "\n\t\t  Bandwidth constraint CT",
            class,
            ": ",
            mbps(&mut c)?,
            " Mbps"
        );
        class += 1;
    }
    Ok(true)
}

fn switching(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let (kind, encoding) = (c.u8()?, c.u8()?);
    c.skip(2)?;
    put!(
        p,
        "\n\t\tInterface Switching Capability: ",
        named(gmpls::SWITCHING, kind, "Unknown")
    );
    put!(
        p,
        "\n\t\tLSP Encoding: ",
        named(gmpls::ENCODINGS, encoding, "Unknown")
    );
    put!(p, "\n\t\tMax LSP Bandwidth:");
    for level in 0..8_u8 {
        put!(
            p,
            "\n\t\t  priority level ",
            level,
            ": ",
            mbps(&mut c)?,
            " Mbps"
        );
    }
    Ok(())
}
