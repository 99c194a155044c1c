//! SLIP with the header of 16 bytes that BSD's bpf gives it: the direction, and the packet's header
//! as it went over the line (RFC 1055).
//!
//! Of headers compressed after RFC 1144 the kind alone is said.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::put;
use crate::{ip, ip6};

const HEADER: usize = 16;

/// `LINKTYPE_SLIP`.
pub(crate) fn slip(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "slip";
    let mut c = c;
    let header = c.array::<HEADER>()?;
    p.link_len = HEADER;
    if p.style.link {
        direction(p, header, length);
    }
    let left = length.saturating_sub(HEADER);
    let packet = Cursor::new(c.rest());
    match packet.rest() {
        [0x40..=0x4f, ..] => p.deeper(|p| ip::ip(p, packet, left)),
        [0x60..=0x6f, ..] => p.deeper(|p| ip6::ip6(p, packet, left)),
        [first, ..] => {
            put!(p, "ip v", *first >> 4);
            Ok(())
        }
        [] => Err(Truncated),
    }
}

/// `LINKTYPE_SLIP_BSDOS`: what its header says of the direction is not shown.
pub(crate) fn bsdos(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "slip_bsdos";
    let mut c = c;
    c.skip(HEADER)?;
    p.link_len = HEADER;
    let packet = Cursor::new(c.rest());
    p.deeper(|p| ip::ip(p, packet, length.saturating_sub(HEADER)))
}

/// Which way it went, and in what form.
fn direction(p: &mut Out<'_>, header: [u8; HEADER], length: usize) {
    let [way, first, rest @ ..] = header;
    match way {
        0 => put!(p, "I "),
        1 => put!(p, "O "),
        _ => put!(p, "Invalid direction ", way, " "),
    }
    match first {
        0x80.. => put!(p, "ctcp: "),
        // The connection's number stands where a packet's own header has its protocol.
        0x70..=0x7f => {
            let [_, _, _, _, _, _, _, _, connection, ..] = rest;
            put!(p, "utcp ", connection, ": ");
        }
        _ => put!(p, "ip ", length, ": "),
    }
}
