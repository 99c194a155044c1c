//! Hop-by-hop and destination options (RFC 8200 section 4.2, RFC 2711, RFC 2675, RFC 6275).

use std::net::Ipv6Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::out::Out;
use crate::put::{HexFull, put};

const PAD1: u8 = 0;
const PADN: u8 = 1;
const ROUTER_ALERT: u8 = 5;
const JUMBO: u8 = 0xc2;
const HOME_ADDRESS: u8 = 0xc9;

/// The header around options: next header, and the options.
fn header<'a>(c: &mut Cursor<'a>, left: usize) -> Result<(u8, Cursor<'a>), Truncated> {
    let next = c.u8()?;
    let size = (usize::from(c.u8()?) + 1) * 8;
    if size > left {
        return Err(Truncated);
    }
    Ok((next, c.sub(size - 2)?))
}

/// What a list of options leads to.
pub(super) struct Options {
    /// `None` if the list contradicts itself: nothing after it can be trusted.
    pub(super) next: Option<u8>,
    /// The length that a jumbo payload option states.
    pub(super) jumbo: Option<usize>,
}

/// Hop-by-hop options.
pub(super) fn hop_by_hop(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    left: usize,
    jumbogram: bool,
) -> Result<Options, Truncated> {
    put!(p, "HBH ");
    p.protocol = "hbhopt";
    let (next, options) = header(c, left)?;
    let (valid, jumbo) = list(p, options, jumbogram)?;
    Ok(Options {
        next: valid.then_some(next),
        jumbo,
    })
}

/// Destination options.
pub(super) fn destination(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    left: usize,
) -> Result<Option<u8>, Truncated> {
    put!(p, "DSTOPT ");
    p.protocol = "dstopt";
    let (next, options) = header(c, left)?;
    if p.verbose(1) {
        if !list(p, options, false)?.0 {
            return Ok(None);
        }
        put!(p, " ");
    }
    Ok(Some(next))
}

/// Shows the options with `-v`; whether they are valid, and the jumbo payload length, are needed
/// in any case.
fn list(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    jumbogram: bool,
) -> Result<(bool, Option<usize>), Truncated> {
    let shown = p.verbose(1);
    let hop_by_hop = p.protocol == "hbhopt";
    let mut jumbo = None;
    while !c.is_empty() {
        let there = c.remaining();
        let kind = c.u8()?;
        if kind == PAD1 {
            if shown {
                put!(p, "(pad1)");
            }
            continue;
        }
        let size = c.u8()?;
        if usize::from(size) > c.remaining() {
            put!(
                p,
                " [remaining length ",
                there,
                " < ",
                usize::from(size) + 2,
                "]"
            );
            p.invalid();
            return Ok((false, None));
        }
        let mut value = c.sub(usize::from(size))?;
        match kind {
            PADN if shown => put!(p, "(padn)"),
            ROUTER_ALERT if size != 2 => {
                put!(p, "(rtalert: invalid len ", size, ")");
                return Err(Truncated);
            }
            ROUTER_ALERT if shown => put!(p, "(rtalert: 0x", HexFull(value.u16()?), ") "),
            JUMBO if size != 4 => {
                put!(p, "(jumbo: invalid len ", size, ")");
                return Err(Truncated);
            }
            JUMBO => {
                let length = value.u32()?;
                if jumbo.is_some() {
                    put!(p, "(jumbo: ", length, " - already seen) ");
                } else if hop_by_hop && !jumbogram && shown {
                    put!(p, "(jumbo: ", length, " - payload len != 0) ");
                } else if length < 65536 {
                    put!(p, "(jumbo: ", length, " - bogus (< 65536)) ");
                } else if shown {
                    put!(p, "(jumbo: ", length, ") ");
                }
                jumbo = usize::try_from(length).ok();
            }
            HOME_ADDRESS if size < 16 => {
                put!(p, "(homeaddr: invalid len ", size, ")");
                return Err(Truncated);
            }
            HOME_ADDRESS if shown => {
                put!(p, "(homeaddr: ");
                p.addr(Ipv6Addr::from(value.u128()?));
                put!(p, ")");
            }
            PADN | ROUTER_ALERT | HOME_ADDRESS => {}
            _ if shown => put!(p, "(opt_type 0x", HexFull(kind), ": len=", size, ")"),
            _ => {}
        }
    }
    if shown && hop_by_hop {
        put!(p, " ");
    }
    Ok((true, jumbo))
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn alerts_padding_and_addresses() {
        for (packet, expected) in [
            (
                "600000000013004020010db800000000000000000000000120010db8000000000000000000000002110005020000010000010002000bdffd616263",
                "IP6 (hlim 64, next-header HBH (0), payload length 19) 2001:db8::1 > 2001:db8::2: HBH (rtalert: 0x0000) (padn) 1 > 2: [udp sum ok] UDP, length 3\n",
            ),
            (
                "6000000000133c4020010db800000000000000000000000120010db8000000000000000000000002110001046162636400010002000bdffd616263",
                "IP6 (hlim 64, next-header DSTOPT (60), payload length 19) 2001:db8::1 > 2001:db8::2: DSTOPT (padn) 1 > 2: [udp sum ok] UDP, length 3\n",
            ),
            (
                "6000000000233c4020010db800000000000000000000000120010db80000000000000000000000021102c91020010db80000000000000000000000010102000000010002000bdffd616263",
                "IP6 (hlim 64, next-header DSTOPT (60), payload length 35) 2001:db8::1 > 2001:db8::2: DSTOPT (homeaddr: 2001:db8::1)(padn) 1 > 2: [udp sum ok] UDP, length 3\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(2), expected);
        }
    }
}
