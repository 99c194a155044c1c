//! IP over IEEE 1394, as Apple's systems capture it: two addresses of eight bytes and an `EtherType`.

use pktwho_wire::Cursor;

use crate::ethertype;
use crate::out::{Out, Printed};
use crate::put::{HexFull, Pairs, put};

const HEADER: usize = 18;

/// `LINKTYPE_APPLE_IP_OVER_IEEE1394`.
pub(crate) fn ap1394(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "ap1394";
    c.need(HEADER)?;
    p.link_len = HEADER;
    let (destination, source) = (c.array::<8>()?, c.array::<8>()?);
    let kind = c.u16()?;
    let header = |p: &mut Out<'_>| {
        put!(p, Pairs(&source, ':'), " > ", Pairs(&destination, ':'));
        put!(p, ", ");
        if p.style.quiet {
            match ethertype::name(kind) {
                Some(name) => put!(p, name),
                None => put!(p, "Unknown Ethertype (0x", HexFull(kind), ")"),
            }
        } else {
            ethertype::label(p, kind);
        }
        put!(p, ", length ", wire, ": ");
    };
    if p.style.link {
        header(p);
    }
    let c = Cursor::new(c.rest());
    let length = wire.saturating_sub(HEADER);
    match ethertype::payload(p, kind, c, length) {
        Some(printed) => printed,
        None => {
            p.unknown_behind(header, c.rest());
            Ok(())
        }
    }
}
