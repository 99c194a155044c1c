//! Mobility header of IPv6 (RFC 6275 section 6).

use std::net::Ipv6Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, named};
use crate::put::{Hex, HexFull, put};

/// Bytes before the mobility options, by message type.
static OPTIONS_AT: &[usize] = &[8, 16, 16, 24, 24, 12, 12, 24];

static NAMES: &[(u8, &str)] = &[
    (0, " BRR"),
    (1, " HoTI"),
    (2, " CoTI"),
    (3, " HoT"),
    (4, " CoT"),
    (5, " BU"),
    (6, " BA"),
    (7, " BE"),
];

/// A mobility header; nothing follows it.
pub(crate) fn mobility(p: &mut Out<'_>, c: Cursor<'_>) -> Printed {
    p.protocol = "mobility";
    let whole = c;
    let mut c = c;
    let payload = c.u8()?;
    let size = (usize::from(c.u8()?) + 1) * 8;
    let kind = c.u8()?;
    c.skip(3)?;
    put!(p, "mobility:");
    if payload != 59 {
        put!(p, " (payload protocol ", payload, " should be 59)");
    }
    let Some(&options_at) = OPTIONS_AT.get(usize::from(kind)) else {
        put!(
            p,
            " type-#",
            kind,
            " len=",
            whole.limit(2).rest().last().copied().unwrap_or(0)
        );
        return Ok(());
    };
    if size < options_at {
        put!(p, named(NAMES, kind, ""), " (header length ");
        // A header is a multiple of eight bytes.
        put!(p, size, " < ", options_at.next_multiple_of(8), ")");
        p.invalid();
        return Ok(());
    }
    message(p, kind, c)?;
    if !p.verbose(1) {
        return Ok(());
    }
    let mut rest = whole;
    rest.skip(options_at)?;
    options(p, rest, size - options_at)
}

fn message(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>) -> Printed {
    let pair =
        |p: &mut Out<'_>, c: &mut Cursor<'_>, what: &str, name: &str| -> Result<(), Truncated> {
            let (high, low) = (c.u32()?, c.u32()?);
            put!(p, what, name, HexFull(high), ":", HexFull(low));
            Ok(())
        };
    match kind {
        0 => put!(p, " BRR"),
        1 | 2 => {
            c.skip(2)?;
            let (name, what) = if kind == 1 {
                (" HoTI", " Home")
            } else {
                (" CoTI", " Care-of")
            };
            put!(p, name);
            pair(p, &mut c, what, " Init Cookie=")?;
        }
        3 | 4 => {
            let (name, what) = if kind == 3 {
                (" HoT", " Home")
            } else {
                (" CoT", " Care-of")
            };
            put!(p, name, " nonce id=0x", Hex(c.u16()?));
            pair(p, &mut c, what, " Init Cookie=")?;
            pair(p, &mut c, what, " Keygen Token=")?;
        }
        5 => {
            put!(p, " BU seq#=", c.u16()?);
            let flags = c.u16()?;
            if flags & 0xf000 != 0 {
                put!(p, " ");
                for (bit, letter) in [(0x8000, "A"), (0x4000, "H"), (0x2000, "L"), (0x1000, "K")] {
                    if flags & bit != 0 {
                        put!(p, letter);
                    }
                }
            }
            // In units of four seconds.
            put!(p, " lifetime=", u32::from(c.u16()?) * 4);
        }
        6 => {
            put!(p, " BA status=", c.u8()?);
            if c.u8()? & 0x80 != 0 {
                put!(p, " K");
            }
            put!(p, " seq#=", c.u16()?, " lifetime=", u32::from(c.u16()?) * 4);
        }
        _ => {
            put!(p, " BE status=", c.u8()?, " homeaddr ");
            c.skip(1)?;
            p.addr(Ipv6Addr::from(c.u128()?));
        }
    }
    Ok(())
}

/// Each option has a least length.
fn options(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        let start = c;
        let kind = c.u8()?;
        if kind == 0 {
            put!(p, "(pad1)");
            left -= 1;
            continue;
        }
        if left < 2 {
            return Err(Truncated);
        }
        let size = usize::from(c.u8()?);
        match kind {
            1 => put!(p, "(padn)"),
            2..=5 => {
                let name = match kind {
                    2 => "(refresh: ",
                    3 => "(alt-CoA: ",
                    4 => "(ni: ",
                    _ => "(auth",
                };
                put!(p, name);
                match kind {
                    2 => put!(p, u32::from(c.u16()?) * 4),
                    3 => p.addr(Ipv6Addr::from(c.u128()?)),
                    4 => put!(p, "ho=0x", HexFull(c.u16()?), " co=0x", HexFull(c.u16()?)),
                    _ => {}
                }
                put!(p, ")");
            }
            _ => {
                c.need(size)?;
                put!(p, "(unknown: type-#", kind, " len=", size, ")");
            }
        }
        let used = size + 2;
        if used > left {
            return Err(Truncated);
        }
        c = start;
        c.skip(used)?;
        left -= used;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn messages() {
        for (packet, expected) in [
            (
                "600000000008874020010db800000000000000000000000120010db80000000000000000000000023b00000000000000",
                "IP6 (hlim 64, next-header Mobility (135), payload length 8) 2001:db8::1 > 2001:db8::2: mobility: BRR\n",
            ),
            (
                "600000000010874020010db800000000000000000000000120010db80000000000000000000000023b010500000003e88000003c01020000",
                "IP6 (hlim 64, next-header Mobility (135), payload length 16) 2001:db8::1 > 2001:db8::2: mobility: BU seq#=1000 A lifetime=240(padn)\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(1), expected);
        }
    }
}
