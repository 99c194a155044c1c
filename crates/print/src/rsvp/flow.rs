//! What a flow asks for (RFC 2210).

use pktwho_wire::{Cursor, Truncated};

use super::object::Done;
use super::table;
use crate::out::{Out, named};
use crate::put::{General, HexFull, put};

/// A flow specification, a sender's traffic or an advertisement.
pub(super) fn spec(p: &mut Out<'_>, mut c: Cursor<'_>, indent: &str) -> Result<Done, Truncated> {
    if c.remaining() < 4 {
        return Ok(Done::TooShort);
    }
    let (version, _, length) = (c.u8()?, c.u8()?, usize::from(c.u16()?) * 4);
    put!(
        p,
        indent,
        "  Msg-Version: ",
        version >> 4,
        ", length: ",
        length
    );
    while c.remaining() >= 4 {
        let (service, flags, length) = (c.u8()?, c.u8()?, usize::from(c.u16()?) * 4);
        put!(
            p,
            indent,
            "  Service Type: ",
            named(table::SERVICES, service, "unknown")
        );
        let not = if flags & 0x80 == 0 { "not " } else { "" };
        put!(
            p,
            " (",
            service,
            "), break bit ",
            not,
            "set, Service length: ",
            length
        );
        let Ok(mut inner) = c.sub(length) else {
            return Ok(Done::TooShort);
        };
        while inner.remaining() >= 4 {
            let (kind, flags, length) = (inner.u8()?, inner.u8()?, usize::from(inner.u16()?) * 4);
            put!(
                p,
                "\n\t      Parameter ID: ",
                named(table::PARAMETERS, kind, "unknown")
            );
            put!(
                p,
                " (",
                kind,
                "), length: ",
                length,
                ", Flags: [0x",
                HexFull(flags),
                "]"
            );
            let Ok(value) = inner.sub(length) else {
                return Ok(Done::TooShort);
            };
            if !parameter(p, kind, value)? {
                return Ok(Done::TooShort);
            }
        }
    }
    Ok(Done::Known)
}

fn float(c: &mut Cursor<'_>) -> Result<f64, Truncated> {
    Ok(f64::from(f32::from_bits(c.u32()?)))
}

fn mega(bytes: f64) -> General {
    General(bytes * 8.0 / 1_000_000.0)
}

/// `false` if it is too short for its kind.
fn parameter(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>) -> Result<bool, Truncated> {
    let least = match kind {
        127 => 20,
        130 => 8,
        4 | 6 | 8 | 10 | 133..=136 => 4,
        _ => 0,
    };
    if c.remaining() < least {
        return Ok(false);
    }
    match kind {
        4 => put!(p, "\n\t\tIS hop count: ", c.u32()?),
        6 => put!(
            p,
            "\n\t\tPath b/w estimate: ",
            mega(float(&mut c)?),
            " Mbps"
        ),
        8 => {
            put!(p, "\n\t\tMinimum path latency: ");
            match c.u32()? {
                u32::MAX => put!(p, "don't care"),
                latency => put!(p, latency),
            }
        }
        10 => put!(p, "\n\t\tComposed MTU: ", c.u32()?, " bytes"),
        127 => {
            put!(
                p,
                "\n\t\tToken Bucket Rate: ",
                mega(float(&mut c)?),
                " Mbps"
            );
            put!(
                p,
                "\n\t\tToken Bucket Size: ",
                General(float(&mut c)?),
                " bytes"
            );
            put!(p, "\n\t\tPeak Data Rate: ", mega(float(&mut c)?), " Mbps");
            put!(p, "\n\t\tMinimum Policed Unit: ", c.u32()?, " bytes");
            put!(p, "\n\t\tMaximum Packet Size: ", c.u32()?, " bytes");
        }
        130 => {
            put!(p, "\n\t\tRate: ", mega(float(&mut c)?), " Mbps");
            put!(p, "\n\t\tSlack Term: ", c.u32()?);
        }
        133..=136 => put!(p, "\n\t\tValue: ", c.u32()?),
        _ => crate::hexdump::hex(p, "\n\t\t", c.rest()),
    }
    Ok(true)
}
