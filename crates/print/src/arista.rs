//! Timestamps that Arista's switches put into frames (`EtherType` 0xd28b).

use pktwho_wire::{Cursor, Truncated};

use crate::out::Out;
use crate::put::{HexFull, Zeros, put};
use crate::time;

/// The header after the type; what it left to read, `None` if its kind is unknown.
pub(crate) fn header<'a>(
    p: &mut Out<'_>,
    mut c: Cursor<'a>,
    length: usize,
) -> Result<Option<Cursor<'a>>, Truncated> {
    p.protocol = "arista";
    if length < 4 {
        put!(p, " [length ", length, " < 4]");
        p.invalid();
        return Ok(None);
    }
    let kind = c.u16()?;
    let name = if kind == 1 { "Timestamp" } else { "Unknown" };
    put!(p, "SubType ", name, " (0x", HexFull(kind), "), ");
    if kind != 1 {
        return Ok(None);
    }
    c.need(2)?;
    let [scale, low] = c.array()?;
    let (format, hardware) = (low >> 4, low & 15);
    let scale_name = match scale {
        0 => "TAI",
        1 => "UTC",
        _ => "Unknown",
    };
    let format_name = match format {
        1 => "64-bit",
        2 => "48-bit",
        _ => "Unknown",
    };
    let hardware_name = match hardware {
        0 => "R/R2",
        1 => "R3",
        _ => "Unknown",
    };
    put!(
        p,
        "Timescale ",
        scale_name,
        " (",
        scale,
        "), Format ",
        format_name,
        " (",
        format
    );
    put!(
        p,
        "), HwInfo ",
        hardware_name,
        " (",
        hardware,
        "), Timestamp "
    );
    match format {
        1 => {
            let (seconds, nanos) = (c.u32()?, c.u32()?);
            time::utc(i64::from(seconds), p.out);
            put!(p, ".", Zeros(u64::from(nanos), 9), ": ");
        }
        2 => {
            let (seconds, nanos) = (c.u16()?, c.u32()?);
            put!(p, seconds, ".", Zeros(u64::from(nanos), 9), ": ");
        }
        _ => return Ok(None),
    }
    Ok(Some(c))
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "020000000002020000000001d28b000100105cef00010000000508004500001c00010000401166ce0a0000010a0000020001000200089bd8",
            Style {
                link: true,
                ..style(0)
            },
            "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype Arista Vendor Specific Protocol (0xd28b), length 56: SubType Timestamp (0x0001), Timescale TAI (0), Format 64-bit (1), HwInfo R/R2 (0), Timestamp 2019-05-29 21:56:17.000000005: ethertype IPv4 (0x0800), length 56: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
    }
}
