//! Classical IP over ATM, as Linux captures it (RFC 1483): with LLC or without.

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::put::put;
use crate::{ip, llc};

/// `LINKTYPE_ATM_CLIP`.
pub(crate) fn cip(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "cip";
    if p.style.link {
        put!(p, wire, ": ");
    }
    c.need(6)?;
    if c.rest().starts_with(&[0xaa, 0xaa, 0x03, 0, 0, 0]) {
        return p.deeper(|p| llc::llc(p, c, wire, None));
    }
    ip::ip(p, c, wire)
}
