//! What cells of ATM carried: cells of maintenance, LLC, PPP, OSI or IP.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{HexFull, put};
use crate::{ether, isoclns, llc, oam, ppp};

use super::{Inside, guessed};

/// Bits of the last byte of a cookie of the second kind: a cell of maintenance.
const CONTROL: u8 = 0x70;

/// Whether a word precedes a cell of maintenance, of which it says nothing; it is shown with `-e`.
pub(super) fn has_control_word(
    p: &mut Out<'_>,
    cookie: &[u8],
    c: &mut Cursor<'_>,
) -> Result<bool, Truncated> {
    let mut after = *c;
    let word = after.u32()?;
    let &[.., kind] = cookie else {
        return Ok(false);
    };
    if kind & CONTROL == 0 {
        return Ok(false);
    }
    if p.style.link {
        put!(p, "control-word 0x", HexFull(word), " ");
    }
    let empty = word == 0 || word == 0x0800_0000;
    if empty {
        *c = after;
    }
    Ok(empty)
}

/// A card of the first kind: the cookie's first bit says that a cell is one of maintenance.
pub(super) fn atm1(p: &mut Out<'_>, inside: &Inside<'_>) -> Printed {
    if let [0x80, ..] = inside.cookie {
        return oam::oam(p, inside.c, inside.length, 0);
    }
    if let Some(printed) = with_llc(p, inside) {
        return printed;
    }
    if let [0x03, ..] = inside.c.rest() {
        let (c, length) = inside.later(1)?;
        return p.deeper(|p| isoclns::isoclns(p, c, length));
    }
    guessed(p, inside.c, inside.length).map(drop)
}

/// Of the second kind: what is sent may be Ethernet, and PPP is found out by its numbers.
pub(super) fn atm2(p: &mut Out<'_>, inside: &Inside<'_>) -> Printed {
    /// Bits of the cookie's fourth byte that only Ethernet that is sent has: a count of gaps.
    const GAPS: u8 = 0x3f;
    let (gaps, kind) = match inside.cookie {
        [_, _, _, gaps, _, _, _, kind, ..] => (gaps & GAPS, kind & CONTROL),
        _ => (0, 0),
    };
    if kind != 0 {
        return oam::oam(p, inside.c, inside.length, 0);
    }
    if let Some(printed) = with_llc(p, inside) {
        return printed;
    }
    let (c, length) = (inside.c, inside.length);
    if !inside.received && gaps != 0 {
        return p.deeper(|p| ether::frame(p, c, length));
    }
    if is_ppp(inside.protocol) {
        return p.deeper(|p| ppp::payload(p, c, length));
    }
    if let [0x03, ..] = c.rest() {
        let (c, length) = inside.later(1)?;
        return p.deeper(|p| isoclns::isoclns(p, c, length));
    }
    guessed(p, c, length).map(drop)
}

/// LLC, if the packet begins with that of SNAP or of OSI.
fn with_llc(p: &mut Out<'_>, inside: &Inside<'_>) -> Option<Printed> {
    let (c, length) = (inside.c, inside.length);
    if c.need(3).is_err() {
        return Some(Err(pktwho_wire::Truncated));
    }
    match c.rest() {
        [0xfe, 0xfe, 0x03, ..] | [0xaa, 0xaa, 0x03, ..] => {
            // compat: the bytes of what is unknown in it are not shown (4.99.3).
            Some(p.deeper(|p| llc::silent(p, c, length, None).map(drop)))
        }
        _ => None,
    }
}

/// Numbers of PPP that a packet of another kind hardly begins with.
fn is_ppp(protocol: u16) -> bool {
    matches!(
        protocol,
        0x21 | 0x23
            | 0x3d
            | 0x57
            | 0x281
            | 0x283
            | 0x8021
            | 0x8023
            | 0x8057
            | 0x8281
            | 0xc021
            | 0xc023
            | 0xc223
    )
}
