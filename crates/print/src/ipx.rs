//! Novell's IPX, SAP and RIP (`NetWare` Link Services documentation, RFC 1132, RFC 1634).

use pktwho_wire::Cursor;

use crate::eigrp;
use crate::out::{Out, Printed};
use crate::put::{Hex, HexFull, Pairs, Visible, put};

const HEADER: usize = 30;
const SAP: u16 = 0x452;
const RIP: u16 = 0x453;
const NETBIOS: u16 = 0x455;
const DIAGNOSTICS: u16 = 0x456;
const EIGRP: u16 = 0x85be;

/// IPX by its `EtherType`: how it is framed is said.
pub(crate) fn ethernet(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    put!(p, "(NOV-ETHII) ");
    ipx(p, c, length)
}

/// A packet; the length that it states counts.
pub(crate) fn ipx(p: &mut Out<'_>, mut c: Cursor<'_>, _length: usize) -> Printed {
    p.protocol = "ipx";
    if !p.style.link {
        put!(p, "IPX ");
    }
    c.skip(2)?;
    let mut peek = c;
    peek.skip(4)?;
    let destination = peek.array::<10>()?;
    let destination_socket = peek.u16()?;
    let source = peek.array::<10>()?;
    let source_socket = peek.u16()?;
    end(p, &source);
    put!(p, HexFull(source_socket), " > ");
    end(p, &destination);
    put!(p, HexFull(destination_socket), ": ");
    let length = usize::from(c.u16()?);
    let Some(left) = length.checked_sub(HEADER) else {
        put!(p, "[length ", length, " < ", HEADER, "]");
        p.invalid();
        return Ok(());
    };
    datagram(p, peek, left, destination_socket)
}

/// Network and node.
fn end(p: &mut Out<'_>, [a, b, c, d, node @ ..]: &[u8; 10]) {
    let net = u32::from_be_bytes([*a, *b, *c, *d]);
    put!(p, HexFull(net), ".", Pairs(node, ':'), ".");
}

fn datagram(p: &mut Out<'_>, c: Cursor<'_>, length: usize, to: u16) -> Printed {
    match to {
        SAP => sap(p, c, length),
        RIP => rip(p, c, length),
        NETBIOS => {
            put!(p, "ipx-netbios ", length);
            Ok(())
        }
        DIAGNOSTICS => {
            put!(p, "ipx-diags ", length);
            Ok(())
        }
        EIGRP => p.deeper(|p| eigrp::eigrp(p, c, length)),
        _ => {
            put!(p, "ipx-#", Hex(to), " ", length);
            Ok(())
        }
    }
}

/// Service advertising.
fn sap(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    const NAME: usize = 48;
    const SERVICE: usize = 64;
    if length < 2 {
        return Err(pktwho_wire::Truncated);
    }
    let command = c.u16()?;
    let mut left = length - 2;
    match command {
        1 | 3 => {
            put!(
                p,
                "ipx-sap-",
                if command == 1 { "" } else { "nearest-" },
                "req"
            );
            put!(p, " ", HexFull(c.u16()?));
        }
        2 | 4 => {
            put!(
                p,
                "ipx-sap-",
                if command == 2 { "" } else { "nearest-" },
                "resp"
            );
            for _ in 0..8 {
                if left == 0 {
                    break;
                }
                left = left.saturating_sub(SERVICE);
                put!(p, " ", HexFull(c.u16()?), " '");
                let field = c.limit(NAME).rest();
                put!(p, Visible::until_zero(field));
                // compat: the name is closed where its end was captured, whatever follows.
                if field.len() == NAME || field.contains(&0) {
                    put!(p, "'");
                }
                c.skip(NAME)?;
                let net = c.u32()?;
                let node = c.array::<6>()?;
                put!(p, " addr ", HexFull(net), ".", Pairs(&node, ':'));
                c.skip(4)?;
            }
        }
        _ => put!(p, "ipx-sap-?", Hex(command)),
    }
    Ok(())
}

/// Routes.
fn rip(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    const ROUTE: usize = 8;
    if length < 2 {
        return Err(pktwho_wire::Truncated);
    }
    let command = c.u16()?;
    let mut left = length - 2;
    match command {
        1 => {
            put!(p, "ipx-rip-req");
            match left {
                0 => {}
                1..ROUTE => p.invalid(),
                _ => route(p, &mut c)?,
            }
        }
        2 => {
            put!(p, "ipx-rip-resp");
            for _ in 0..15 {
                if left == 0 {
                    break;
                }
                if left < ROUTE {
                    p.invalid();
                    break;
                }
                left -= ROUTE;
                route(p, &mut c)?;
            }
        }
        _ => put!(p, "ipx-rip-?", Hex(command)),
    }
    Ok(())
}

/// A network, its hops and ticks.
fn route(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let (net, hops, ticks) = (c.u32()?, c.u16()?, c.u16()?);
    put!(p, " ", HexFull(net), "/", hops, ".", ticks);
    Ok(())
}
