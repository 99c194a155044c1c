//! Why a connection was reset: data in an RST segment (RFC 9293 section 3.5.3), as text or as
//! a diagnostic payload (draft-boucadair-tcpm-rst-diagnostic-payload).

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::put::{Visible, put};

/// Text is shown up to here.
const SHOWN: usize = 30;

/// The magic number that a diagnostic payload starts with.
const DIAGNOSTIC: u16 = 0x33aa;

/// The payload of an RST segment.
pub(super) fn reason(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    let mut peek = c;
    if peek.u16() == Ok(DIAGNOSTIC) {
        return diagnostic(p, peek);
    }
    put!(p, " [RST");
    if length > SHOWN {
        put!(p, "+");
    }
    put!(p, " ");
    let shown = length.min(SHOWN);
    put!(p, Visible(c.limit(shown).rest()));
    c.need(shown)?;
    put!(p, "]");
    Ok(())
}

/// A code, and the enterprise (0: IANA) that gives it its meaning.
fn diagnostic(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    put!(p, " [RST: ");
    let code = c.u16()?;
    let enterprise = c.u32()?;
    match (code, enterprise) {
        (1, 0) if p.verbose(2) => put!(p, "Illegal option length"),
        _ => put!(p, "code ", code, ", pen ", enterprise),
    }
    put!(p, "]");
    Ok(())
}
