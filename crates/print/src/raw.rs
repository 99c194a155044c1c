//! No link layer at all: the packet starts with an IP header.

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::put::put;
use crate::{ip, ip6};

/// `LINKTYPE_RAW`: the version decides.
pub(crate) fn raw(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "raw";
    let mut peek = c;
    match peek.u8()? >> 4 {
        4 => ipv4(p, c, wire),
        6 => ipv6(p, c, wire),
        version => {
            put!(p, "IP", version);
            p.invalid();
            Ok(())
        }
    }
}

/// `LINKTYPE_IPV4`.
pub(crate) fn ipv4(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    if p.style.link {
        put!(p, "IP ");
    }
    ip::ip(p, c, wire)
}

/// `LINKTYPE_IPV6`.
pub(crate) fn ipv6(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    if p.style.link {
        put!(p, "IP6 ");
    }
    ip6::ip6(p, c, wire)
}
