//! Cards that bundle links: multilink PPP, multilink Frame Relay and its fragments.

use crate::out::{Out, Printed};
use crate::put::{HexFull, put};
use crate::{fr, ip, ip6, isoclns, mpls, ppp as ppp_frame};

use super::{Inside, LINK_SERVICES};

/// Which bundle a cookie belongs to.
fn bundle(cookie: &[u8]) -> u8 {
    match cookie {
        [LINK_SERVICES, bundle, ..] => *bundle,
        [bundle, ..] => *bundle,
        [] => 0,
    }
}

/// The first two bytes of a cookie.
fn start(cookie: &[u8]) -> u16 {
    match cookie {
        [high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    }
}

pub(super) fn ppp(p: &mut Out<'_>, inside: &Inside<'_>) -> Printed {
    const OSI: u16 = 0x0023;
    const ADDRESS: u16 = 0xff03;
    let cookie = start(inside.cookie);
    // A cookie that is the start of a PPP frame was captured on one of the bundle's links.
    if p.style.link && cookie != OSI && cookie != ADDRESS {
        put!(p, "Bundle-ID ", bundle(inside.cookie), ": ");
    }
    let (c, length) = (inside.c, inside.length);
    match inside.protocol {
        0x00 => p.deeper(|p| ip::ip(p, c, length)),
        0x10 => p.deeper(|p| ip6::ip6(p, c, length)),
        0x20 => p.deeper(|p| mpls::mpls(p, c, length)),
        0x30 => p.deeper(|p| isoclns::isoclns(p, c, length)),
        _ => {
            let (c, length) = if cookie == OSI {
                inside.earlier(2)
            } else {
                (c, length)
            };
            p.deeper(|p| ppp_frame::payload(p, c, length))
        }
    }
}

pub(super) fn frame_relay(p: &mut Out<'_>, inside: &Inside<'_>) -> Printed {
    named_bundle(p, inside);
    let (c, length) = match inside.protocol {
        0x0003 | 0x0300 => (inside.c, inside.length),
        0x0308 | 0x038e | 0x03cc => inside.earlier(1),
        _ => return unknown(p, inside),
    };
    p.deeper(|p| isoclns::isoclns(p, c, length))
}

/// The byte before the packet belongs to it: OSI's number of the protocol.
pub(super) fn fragments(p: &mut Out<'_>, inside: &Inside<'_>) -> Printed {
    if inside.cookie.is_empty() {
        return p.deeper(|p| fr::multilink(p, inside.c, inside.length));
    }
    named_bundle(p, inside);
    let (c, length) = match inside.protocol {
        0xfefe => inside.later(1)?,
        0x0308 | 0x038e | 0x03cc => inside.earlier(1),
        _ => return unknown(p, inside),
    };
    p.deeper(|p| isoclns::isoclns(p, c, length))
}

fn named_bundle(p: &mut Out<'_>, inside: &Inside<'_>) {
    if p.style.link {
        put!(p, "Bundle-ID ", bundle(inside.cookie), ", ");
    }
}

fn unknown(p: &mut Out<'_>, inside: &Inside<'_>) -> Printed {
    let (protocol, length) = (inside.protocol, inside.length);
    put!(
        p,
        "unknown protocol 0x",
        HexFull(protocol),
        ", length ",
        length
    );
    Ok(())
}
