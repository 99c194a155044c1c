//! The OSI network layer: a byte says which of its protocols follows (ISO 9577).

mod clnp;
mod esis;
pub(crate) mod fletcher;
mod isis;
mod table;

use pktwho_wire::Cursor;

use crate::hexdump;
use crate::nlpid;
use crate::out::{Out, Printed};
use crate::put::{HexFull, put};
use crate::q933;
use crate::{ip, ip6, ppp};

/// A packet after an `EtherType`, which a control byte follows.
pub(crate) fn ethernet(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "isoclns";
    c.skip(1)?;
    isoclns(p, Cursor::new(c.rest()), length.saturating_sub(1))
}

/// A packet of `length` bytes, its identifier first.
pub(crate) fn isoclns(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "isoclns";
    let whole = c;
    let mut c = c;
    let kind = c.u8()?;
    if p.style.link {
        let name = nlpid::name(kind).unwrap_or("Unknown");
        put!(p, "OSI NLPID ", name, " (0x", HexFull(kind), "): ");
    }
    let comma = if p.style.link { "" } else { ", " };
    match kind {
        nlpid::CLNP => {
            if !clnp::clnp(p, whole, length)? {
                hexdump::hex(p, "\n\t", whole.limit(length).rest());
            }
            Ok(())
        }
        nlpid::ESIS => esis::esis(p, whole, length),
        nlpid::ISIS => {
            if !isis::isis(p, whole, length)? {
                hexdump::hex(p, "\n\t", whole.limit(length).rest());
            }
            Ok(())
        }
        0 => {
            put!(p, comma, "length: ", length);
            Ok(())
        }
        nlpid::IPV4 => p.deeper(|p| ip::ip(p, Cursor::new(c.rest()), length.saturating_sub(1))),
        nlpid::IPV6 => p.deeper(|p| ip6::ip6(p, Cursor::new(c.rest()), length.saturating_sub(1))),
        nlpid::Q933 => q933::q933(p, Cursor::new(c.rest()), length.saturating_sub(1)),
        nlpid::PPP => {
            p.deeper(|p| ppp::payload(p, Cursor::new(c.rest()), length.saturating_sub(1)))
        }
        _ => {
            if !p.style.link {
                put!(p, "OSI NLPID 0x", HexFull(kind), " unknown");
            }
            put!(p, comma, "length: ", length);
            if length > 1 {
                hexdump::hex(p, "\n\t", whole.limit(length).rest());
            }
            Ok(())
        }
    }
}
