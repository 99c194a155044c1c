//! Packets of Symantec's firewall: an `EtherType` in a header of 44 bytes.

use pktwho_wire::Cursor;

use crate::ethertype;
use crate::out::{Out, Printed};
use crate::put::{HexFull, put};

const HEADER: usize = 44;
/// Smaller numbers are lengths.
const LEAST_TYPE: u16 = 1537;

/// `LINKTYPE_SYMANTEC_FIREWALL`.
pub(crate) fn symantec(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "symantec";
    c.need(HEADER)?;
    p.link_len = HEADER;
    c.skip(6)?;
    let kind = c.u16()?;
    c.skip(HEADER - 8)?;
    let header = |p: &mut Out<'_>| {
        match (kind < LEAST_TYPE, p.style.quiet) {
            (true, _) => put!(p, "invalid ethertype ", kind),
            (false, true) => match ethertype::name(kind) {
                Some(name) => put!(p, name),
                None => put!(p, "Unknown Ethertype (0x", HexFull(kind), ")"),
            },
            (false, false) => ethertype::label(p, kind),
        }
        put!(p, ", length ", wire, ": ");
    };
    if p.style.link {
        header(p);
    }
    let c = Cursor::new(c.rest());
    let length = wire.saturating_sub(HEADER);
    match ethertype::payload(p, kind, c, length).filter(|_| kind >= LEAST_TYPE) {
        Some(printed) => printed,
        None => {
            p.unknown_behind(header, c.rest());
            Ok(())
        }
    }
}
