//! `ICMPv6` (RFC 4443): errors and echo here; neighbour discovery, multicast listeners, node
//! information, router renumbering and RPL in files of their own.

mod mld;
mod nd;
mod node_info;
mod renumbering;
mod rpl;

use std::net::Ipv6Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::checksum::{Sum, should_be};
use crate::hexdump;
use crate::icmp::{extension, port_of};
use crate::ip_proto::{self, Ip};
use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, put};

const EXTENDED_ECHO: u8 = 160;
const EXTENDED_ECHO_REPLY: u8 = 161;

static NAMES: &[(u8, &str)] = &[
    (1, "destination unreachable"),
    (2, "packet too big"),
    (3, "time exceeded in-transit"),
    (4, "parameter problem"),
    (128, "echo request"),
    (129, "echo reply"),
    (130, "multicast listener query"),
    (131, "multicast listener report"),
    (132, "multicast listener done"),
    (133, "router solicitation"),
    (134, "router advertisement"),
    (135, "neighbor solicitation"),
    (136, "neighbor advertisement"),
    (137, "redirect"),
    (138, "router renumbering"),
    (139, "node information query"),
    (140, "node information reply"),
    (141, "inverse neighbor solicitation"),
    (142, "inverse neighbor advertisement"),
    (143, "multicast listener report v2"),
    (144, "ha discovery request"),
    (145, "ha discovery reply"),
    (146, "mobile router solicitation"),
    (147, "mobile router advertisement"),
    (155, "RPL"),
    (EXTENDED_ECHO, "extended echo request"),
    (EXTENDED_ECHO_REPLY, "extended echo reply"),
    (200, "mtrace response"),
    (201, "mtrace message"),
];

/// A message with its fixed part read.
pub(super) struct Message<'a> {
    kind: u8,
    code: u8,
    /// On the wire, from its first byte.
    length: usize,
    /// From its first byte.
    whole: Cursor<'a>,
    /// After type, code and checksum.
    body: Cursor<'a>,
}

/// A message of `length` bytes.
pub(crate) fn icmp6(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    p.protocol = "icmp6";
    let whole = Cursor::new(c.rest());
    let mut c = whole;
    let kind = c.u8()?;
    let mut rest = c;
    let code = rest.u8().unwrap_or(0);
    let found = rest.u16().unwrap_or(0);
    if p.verbose(1) && !p.style.no_checksums && !ip.fragment && whole.remaining() >= length {
        let residue = Sum::pseudo(ip.src, ip.last_dst, ip_proto::ICMP6, length)
            .add(whole.limit(length).rest())
            .finish();
        if residue == 0 {
            put!(p, "[icmp6 sum ok] ");
        } else {
            let right = should_be(found, residue);
            put!(
                p,
                "[bad icmp6 cksum 0x",
                HexFull(found),
                " -> 0x",
                HexFull(right),
                "!] "
            );
        }
    }
    put!(p, "ICMP6, ");
    match lookup(NAMES, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "unknown icmp6 type (", kind, ")"),
    }
    if c.is_empty() {
        if p.verbose(1) && matches!(kind, 133..=137) {
            put!(p, ", length ", length);
        }
        return Err(Truncated);
    }
    // The fields of a message that ends before them are not there either.
    let body = if whole.remaining() >= 4 {
        rest
    } else {
        Cursor::new(&[])
    };
    let message = Message {
        kind,
        code,
        length,
        whole,
        body,
    };
    print(p, &message)
}

/// What follows the name.
fn print(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let verbose = p.verbose(1);
    match m.kind {
        1 if !unreachable(p, m)? => return Ok(()),
        1 => {}
        2 => put!(p, ", mtu ", { m.body }.u32()?),
        3 => exceeded(p, m)?,
        4 => problem(p, m)?,
        128 | 129 => {
            let mut c = m.body;
            put!(p, ", id ", c.u16()?, ", seq ", c.u16()?);
        }
        EXTENDED_ECHO | EXTENDED_ECHO_REPLY => return extended_echo(p, m),
        130 if m.length != 24 => mld::query(p, m)?,
        130..=132 => mld::v1(p, m)?,
        143 => mld::report(p, m)?,
        133..=137 => nd::message(p, m)?,
        138 => renumbering::message(p, m)?,
        139 => node_info::query(p, m)?,
        140 => node_info::reply(p, m)?,
        144 | 146 => put!(p, ", id 0x", HexFull({ m.body }.u16()?)),
        145 if verbose => {
            put!(p, ", length ", m.length);
            let mut c = m.body;
            put!(p, ", id 0x", HexFull(c.u16()?));
            c.skip(2)?;
            let mut left = m.length.saturating_sub(8);
            while left > 0 {
                put!(p, ", ");
                p.addr(Ipv6Addr::from(c.u128()?));
                left = left.saturating_sub(16);
            }
        }
        147 if verbose => {
            put!(p, ", length ", m.length);
            let mut c = m.body;
            put!(p, ", id 0x", HexFull(c.u16()?));
            let flags = c.u8()?;
            for (bit, text) in [(0xc0, " "), (0x80, "M"), (0x40, "O")] {
                if flags & bit != 0 {
                    put!(p, text);
                }
            }
            c.skip(1)?;
            nd::options(p, c, m.length.saturating_sub(8))?;
        }
        145 | 147 => {}
        155 => rpl::message(p, m)?,
        _ => {
            put!(p, ", length ", m.length);
            if p.style.verbose < 2 {
                hexdump::hex(p, "\n\t", m.whole.limit(m.length).rest());
            }
            return Ok(());
        }
    }
    if !verbose {
        put!(p, ", length ", m.length);
    }
    Ok(())
}

/// RFC 8335; the object of the request with `-v`.
fn extended_echo(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let mut c = m.body;
    put!(p, ", id ", c.u16()?, ", seq ", c.u8()?);
    if !p.verbose(1) {
        put!(p, ", length ", m.length);
        return Ok(());
    }
    if m.kind == EXTENDED_ECHO {
        extension::request(p, m.whole, m.length)
    } else {
        extension::reply(p, m.whole)
    }
}

/// The packet inside an error: its source and destination.
fn original(mut c: Cursor<'_>) -> Result<(Ipv6Addr, Ipv6Addr), Truncated> {
    c.skip(4 + 8)?;
    Ok((Ipv6Addr::from(c.u128()?), Ipv6Addr::from(c.u128()?)))
}

/// `false` for an unknown code, whose bytes are shown instead.
fn unreachable(p: &mut Out<'_>, m: &Message<'_>) -> Result<bool, Truncated> {
    let before = match m.code {
        0 => ", unreachable route",
        1 => ",  unreachable prohibited",
        2 => ", beyond scope",
        3 => ", unreachable address",
        4 => ", unreachable port",
        _ => {
            put!(p, ", unknown unreach code (", m.code, ")");
            if p.style.verbose < 1 {
                hexdump::hex(p, "\n\t", m.whole.limit(m.length).rest());
            }
            return Ok(false);
        }
    };
    put!(p, before);
    let (source, destination) = original(m.body)?;
    put!(p, if m.code == 4 { ", " } else { " " });
    p.addr(destination);
    match m.code {
        2 => {
            put!(p, ", source address ");
            p.addr(source);
        }
        4 => port(p, m)?,
        _ => {}
    }
    Ok(true)
}

/// The port that nobody listened on.
fn port(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let mut c = m.body;
    c.skip(4 + 6)?;
    let mut next = c.u8()?;
    c.skip(1 + 32)?;
    // Extension headers, as far as they are there.
    for _ in 0..8 {
        match next {
            0 | 43 | 60 => {
                next = c.u8()?;
                let size = (usize::from(c.u8()?) + 1) * 8;
                c.skip(size - 2)?;
            }
            44 => {
                next = c.u8()?;
                c.skip(7)?;
            }
            _ => break,
        }
    }
    c.skip(2)?;
    let port = c.u16()?;
    port_of(p, next, port);
    Ok(())
}

fn exceeded(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let (_, destination) = original(m.body)?;
    match m.code {
        0 => {
            put!(p, " for ");
            p.addr(destination);
        }
        1 => put!(p, " (reassembly)"),
        code => put!(p, ", unknown code (", code, ")"),
    }
    Ok(())
}

fn problem(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    original(m.body)?;
    let what = match m.code {
        0 => ", erroneous - octet ",
        1 => ", next header - octet ",
        2 => ", option - octet ",
        3 => ", incomplete header chain - octet ",
        code => {
            put!(p, ", code-#", code);
            return Ok(());
        }
    };
    put!(p, what, { m.body }.u32()?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn errors_and_echo() {
        for (packet, expected) in [
            (
                "60000000003d3a40fe800000000000000000000000000001fe8000000000000000000000000000020100902c0000002860000000000d114020010db800000000000000000000000120010db80000000000000000000000029c40829a000d41b268656c6c6f",
                "IP6 fe80::1 > fe80::2: ICMP6, destination unreachable, unreachable route 2001:db8::2, length 61\n",
            ),
            (
                "60000000003d3a40fe800000000000000000000000000001fe8000000000000000000000000000020101902b0000002860000000000d114020010db800000000000000000000000120010db80000000000000000000000029c40829a000d41b268656c6c6f",
                "IP6 fe80::1 > fe80::2: ICMP6, destination unreachable,  unreachable prohibited 2001:db8::2, length 61\n",
            ),
            (
                "60000000003d3a40fe800000000000000000000000000001fe8000000000000000000000000000020102902a0000002860000000000d114020010db800000000000000000000000120010db80000000000000000000000029c40829a000d41b268656c6c6f",
                "IP6 fe80::1 > fe80::2: ICMP6, destination unreachable, beyond scope 2001:db8::2, source address 2001:db8::1, length 61\n",
            ),
            (
                "60000000003d3a40fe800000000000000000000000000001fe800000000000000000000000000002010490280000002860000000000d114020010db800000000000000000000000120010db80000000000000000000000029c40829a000d41b268656c6c6f",
                "IP6 fe80::1 > fe80::2: ICMP6, destination unreachable, unreachable port, 2001:db8::2 udp port 33434, length 61\n",
            ),
            (
                "60000000003d3a40fe800000000000000000000000000001fe80000000000000000000000000000203008e2c0000002860000000000d114020010db800000000000000000000000120010db80000000000000000000000029c40829a000d41b268656c6c6f",
                "IP6 fe80::1 > fe80::2: ICMP6, time exceeded in-transit for 2001:db8::2, length 61\n",
            ),
            (
                "60000000003d3a40fe800000000000000000000000000001fe80000000000000000000000000000204008d2c0000002860000000000d114020010db800000000000000000000000120010db80000000000000000000000029c40829a000d41b268656c6c6f",
                "IP6 fe80::1 > fe80::2: ICMP6, parameter problem, erroneous - octet 40, length 61\n",
            ),
            (
                "60000000003d3a40fe800000000000000000000000000001fe80000000000000000000000000000202008a540000050060000000000d114020010db800000000000000000000000120010db80000000000000000000000029c40829a000d41b268656c6c6f",
                "IP6 fe80::1 > fe80::2: ICMP6, packet too big, mtu 1280, length 61\n",
            ),
            (
                "60000000000c3a40fe800000000000000000000000000001fe8000000000000000000000000000028000a3e00001000270696e67",
                "IP6 fe80::1 > fe80::2: ICMP6, echo request, id 1, seq 2, length 12\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(0), expected);
        }
    }
}
