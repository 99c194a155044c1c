//! Ethernet frames behind the header of Hilscher's netANALYZER, with or without the bytes before the frame.

use pktwho_wire::Cursor;

use crate::ether;
use crate::out::{Out, Printed};

const HEADER: usize = 4;
/// Preamble and start frame delimiter.
const PREAMBLE: usize = 8;

/// `LINKTYPE_NETANALYZER`.
pub(crate) fn netanalyzer(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "netanalyzer";
    c.skip(HEADER)?;
    let frame = Cursor::new(c.rest());
    ether::after_header(p, frame, wire.saturating_sub(HEADER), HEADER)
}

/// `LINKTYPE_NETANALYZER_TRANSPARENT`.
pub(crate) fn transparent(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    const BEFORE: usize = HEADER + PREAMBLE;
    p.protocol = "netanalyzer_transparent";
    c.skip(BEFORE)?;
    let frame = Cursor::new(c.rest());
    ether::after_header(p, frame, wire.saturating_sub(BEFORE), BEFORE)
}
