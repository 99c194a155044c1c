//! Multicast source discovery between domains (RFC 3618), over TCP.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::put;

/// The longest message, in bytes.
const LONGEST: u16 = 1400;

/// What a segment carries.
pub(crate) fn msdp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "msdp";
    let mut c = c;
    let mut left = length;
    put!(p, ": msdp");
    while left > 0 {
        let kind = c.u8()?;
        let size = c.u16()?;
        // compat: what contradicts itself is shown as cut (4.99.3).
        if !(3..=LONGEST).contains(&size) {
            return Err(Truncated);
        }
        if p.verbose(1) {
            put!(p, " [len ", size, "]");
        }
        let size = usize::from(size);
        if size > left {
            return Err(Truncated);
        }
        let mut body = c;
        match kind {
            1 | 3 => {
                put!(p, if kind == 1 { " SA" } else { " SA-Response" });
                let entries = body.u8()?;
                put!(p, " ", entries, " entries");
                if usize::from(entries) * 12 + 8 < size {
                    put!(p, " [w/data]");
                }
            }
            2 => put!(p, " SA-Request"),
            4 => {
                put!(p, " Keepalive");
                if size != 3 {
                    put!(p, "[len=", size, "] ");
                }
            }
            5 => put!(p, " Notification"),
            other => put!(p, " [type=", other, " len=", size, "]"),
        }
        c.skip(size - 3)?;
        left -= size;
    }
    Ok(())
}
