//! Packets that ATM adaptation layer 5 carried (RFC 2684).

use pktwho_wire::{Cursor, Truncated};

use crate::llc;
use crate::out::{Out, Printed};
use crate::put::{HexBytes, put};

/// Bytes that some drivers put before LLC.
const UNKNOWN: usize = 8;

/// `LINKTYPE_ATM_RFC1483`.
pub(crate) fn rfc1483(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "atm";
    if length < 8 || c.is_empty() {
        return Err(Truncated);
    }
    let (mut c, mut length) = (c, length);
    // LLC of SNAP or of OSI begins the packet, or something that is shown with -e alone.
    if !matches!(c.rest(), [0xaa, 0xaa, 0x03, ..] | [0xfe, 0xfe, 0x03, ..]) {
        let (low, high) = (c.array::<UNKNOWN>()?, c.array::<UNKNOWN>()?);
        if p.style.link {
            put!(p, HexBytes(&low), " ", HexBytes(&high), " ");
        }
        c.skip(4)?;
        length = length.checked_sub(20).ok_or(Truncated)?;
    }
    let c = Cursor::new(c.rest());
    p.deeper(|p| llc::llc(p, c, length, None))
}
