//! What OpenBSD's `enc` interface sees: packets before and after `IPsec`.

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::put::{HexFull, put};
use crate::{ip, ip6};

const HEADER: usize = 12;
const CONFIDENTIAL: u32 = 0x400;
const AUTHENTIC: u32 = 0x800;

/// How the packet is protected: `(authentic,confidential): `.
///
/// compat: flags without a name leave the parenthesis open (4.99.3).
fn protection(p: &mut Out<'_>, flags: u32) {
    if flags == 0 {
        return put!(p, "(unprotected): ");
    }
    put!(p, "(");
    let mut left = flags;
    for (bit, name) in [(AUTHENTIC, "authentic"), (CONFIDENTIAL, "confidential")] {
        if left & bit != 0 {
            left &= !bit;
            put!(p, name, if left == 0 { "): " } else { "," });
        }
    }
}

/// `LINKTYPE_ENC`.
pub(crate) fn enc(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "enc";
    c.need(HEADER)?;
    p.link_len = HEADER;
    // Family and flags are in the byte order of the machine that captured, the SPI is as in packets.
    let (family, spi, flags) = (c.array::<4>()?, c.u32()?, c.array::<4>()?);
    let little = u32::from_le_bytes(family) <= 0xffff;
    let order = |bytes| {
        if little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        }
    };
    let (family, flags) = (order(family), order(flags));
    protection(p, flags);
    put!(p, "SPI 0x", HexFull(spi), ": ");
    let length = wire.saturating_sub(HEADER);
    let c = Cursor::new(c.rest());
    match family {
        2 => ip::ip(p, c, length),
        24 | 28 | 30 => ip6::ip6(p, c, length),
        _ => Ok(()),
    }
}
