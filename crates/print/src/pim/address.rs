//! Encoded addresses (RFC 7761 section 4.9.1).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{HexFull, put};

/// How the messages write addresses.
#[derive(Clone, Copy)]
pub(super) enum Encoding {
    /// Family and encoding before each.
    Family,
    /// All of one length, nothing before them.
    Fixed(u8),
}

/// The length in bytes of the address that follows.
fn length(c: &mut Cursor<'_>, encoding: Encoding) -> Result<u8, Truncated> {
    match encoding {
        Encoding::Fixed(length @ (4 | 16)) => Ok(length),
        Encoding::Fixed(_) => Err(Truncated),
        Encoding::Family => {
            let (family, native) = (c.u8()?, c.u8()?);
            match (family, native) {
                (1, 0) => Ok(4),
                (2, 0) => Ok(16),
                _ => Err(Truncated),
            }
        }
    }
}

fn bare(p: &mut Out<'_>, c: &mut Cursor<'_>, length: u8) -> Printed {
    if length == 4 {
        super::v4(p, c)
    } else {
        super::v6(p, c)
    }
}

pub(super) fn unicast(p: &mut Out<'_>, c: &mut Cursor<'_>, encoding: Encoding) -> Printed {
    let length = length(c, encoding)?;
    bare(p, c, length)
}

/// An address and the length of its mask; returns the flags, which stand before both.
fn masked(p: &mut Out<'_>, c: &mut Cursor<'_>, encoding: Encoding) -> Result<u8, Truncated> {
    let length = length(c, encoding)?;
    c.need(2 + usize::from(length))?;
    let (flags, mask) = (c.u8()?, c.u8()?);
    bare(p, c, length)?;
    if u16::from(mask) != u16::from(length) * 8 {
        put!(p, "/", mask);
    }
    Ok(flags)
}

pub(super) fn group(p: &mut Out<'_>, c: &mut Cursor<'_>, encoding: Encoding) -> Printed {
    let flags = masked(p, c, encoding)?;
    if flags != 0 {
        put!(p, "(0x", HexFull(flags), ")");
    }
    Ok(())
}

pub(super) fn source(p: &mut Out<'_>, c: &mut Cursor<'_>, encoding: Encoding) -> Printed {
    let flags = masked(p, c, encoding)?;
    if flags != 0 {
        put!(p, "(");
        for (bit, letter) in [(4, "S"), (2, "W"), (1, "R")] {
            if flags & bit != 0 {
                put!(p, letter);
            }
        }
        if flags & !7 != 0 {
            put!(p, "+0x", HexFull(flags & !7));
        }
        put!(p, ")");
    }
    Ok(())
}
