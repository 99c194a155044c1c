//! ICMP (RFC 792, RFC 950, RFC 1256, RFC 8335).

pub(crate) mod extension;

use std::net::{IpAddr, Ipv4Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::Transport;
use crate::checksum::{Sum, should_be};
use crate::ip;
use crate::ip_proto::{self, Ip};
use crate::out::{Out, Printed};
use crate::put::{Hex, HexFull, Zeros, put};

const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const SOURCE_QUENCH: u8 = 4;
const REDIRECT: u8 = 5;
const ECHO: u8 = 8;
const ROUTER_ADVERTISEMENT: u8 = 9;
const ROUTER_SOLICITATION: u8 = 10;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER_PROBLEM: u8 = 12;
const EXTENDED_ECHO: u8 = 42;
const EXTENDED_ECHO_REPLY: u8 = 43;

/// A message of `length` bytes.
pub(crate) fn icmp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    p.protocol = "icmp";
    // A message whose fields are cut shows nothing at all.
    let start = p.out.len();
    put!(p, "ICMP ");
    let kind = match message(p, c) {
        Ok(kind) => kind,
        Err(error) => {
            p.out.truncate(start);
            return Err(error);
        }
    };
    put!(p, ", length ", length);
    if !p.verbose(1) {
        return Ok(());
    }
    if !ip.fragment && c.remaining() >= length {
        checksum(p, c.limit(length))?;
    }
    match kind {
        EXTENDED_ECHO => return extension::request(p, c, length),
        EXTENDED_ECHO_REPLY => return extension::reply(p, c),
        UNREACHABLE | SOURCE_QUENCH | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM => {}
        // Other messages hold no packet.
        _ => return Ok(()),
    }
    put!(p, "\n\t");
    let mut inner = c;
    inner.skip(8)?;
    let mut peek = inner;
    peek.skip(2)?;
    let inner_length = usize::from(peek.u16()?);
    let printed = p.deeper(|p| ip::ip(p, Cursor::new(inner.rest()), inner_length));
    let several = matches!(kind, UNREACHABLE | TIME_EXCEEDED | PARAMETER_PROBLEM);
    if printed.is_err() {
        if !several || !extension::may_follow(length) {
            return printed;
        }
        p.truncated();
    }
    p.protocol = "icmp";
    if several {
        extension::multi_part(p, c, length)?;
    }
    Ok(())
}

fn checksum(p: &mut Out<'_>, c: Cursor<'_>) -> Printed {
    let residue = Sum::default().add(c.rest()).finish();
    if residue != 0 {
        let mut field = c;
        field.skip(2)?;
        let found = field.u16()?;
        let right = should_be(found, residue);
        put!(
            p,
            " (wrong icmp cksum ",
            Hex(found),
            " (->",
            Hex(right),
            ")!)"
        );
    }
    Ok(())
}

/// What the message says in one phrase; returns its type.
fn message(p: &mut Out<'_>, c: Cursor<'_>) -> Result<u8, Truncated> {
    let whole = c;
    let mut c = c;
    let kind = c.u8()?;
    let code = c.u8()?;
    // Many types need nothing after the code.
    if c.skip(2).is_err() {
        c = Cursor::new(&[]);
    }
    match kind {
        ECHO | ECHO_REPLY => {
            let name = if kind == ECHO { "request" } else { "reply" };
            put!(p, "echo ", name, ", id ", c.u16()?, ", seq ", c.u16()?);
        }
        EXTENDED_ECHO | EXTENDED_ECHO_REPLY => {
            let name = if kind == EXTENDED_ECHO {
                "request"
            } else {
                "reply"
            };
            put!(
                p,
                "extended echo ",
                name,
                ", id ",
                c.u16()?,
                ", seq ",
                c.u8()?
            );
        }
        UNREACHABLE => unreachable(p, code, c)?,
        REDIRECT => redirect(p, code, c)?,
        ROUTER_ADVERTISEMENT => routers(p, c)?,
        TIME_EXCEEDED => {
            // compat: the header of the packet inside has to be there (4.99.3).
            whole.need(8 + 20)?;
            match code {
                0 => put!(p, "time exceeded in-transit"),
                1 => put!(p, "ip reassembly time exceeded"),
                _ => put!(p, "time exceeded-#", code),
            }
        }
        PARAMETER_PROBLEM => match code {
            0 => put!(p, "parameter problem - octet ", c.u8()?),
            _ => put!(p, "parameter problem - code ", code),
        },
        13 => put!(p, "time stamp query id ", c.u16()?, " seq ", c.u16()?),
        14 => timestamps(p, c)?,
        18 => {
            c.skip(4)?;
            put!(p, "address mask is 0x", HexFull(c.u32()?));
        }
        SOURCE_QUENCH => put!(p, "source quench"),
        ROUTER_SOLICITATION => put!(p, "router solicitation"),
        15 => put!(p, "information request"),
        16 => put!(p, "information reply"),
        17 => put!(p, "address mask request"),
        _ => put!(p, "type-#", kind),
    }
    Ok(kind)
}

/// The packet inside an error message: destination, protocol, and what follows its header.
fn original(mut c: Cursor<'_>) -> Result<(Ipv4Addr, u8, Cursor<'_>), Truncated> {
    let start = c;
    let first = c.u8()?;
    c.skip(8)?;
    let protocol = c.u8()?;
    c.skip(6)?;
    let destination = Ipv4Addr::from(c.u32()?);
    let mut rest = start;
    // A cut or impossible header length leaves nothing to read ports from.
    let payload = match rest.skip(usize::from(first & 15) * 4) {
        Ok(()) => rest,
        Err(_) => Cursor::new(&[]),
    };
    Ok((destination, protocol, payload))
}

fn unreachable(p: &mut Out<'_>, code: u8, mut c: Cursor<'_>) -> Printed {
    c.skip(2)?;
    let mtu = c.u16()?;
    let (destination, protocol, mut payload) = original(c)?;
    let (before, after) = match code {
        0 => ("net ", " unreachable"),
        1 => ("host ", " unreachable"),
        2 => {
            p.addr(destination);
            put!(p, " protocol ", protocol, " unreachable");
            return Ok(());
        }
        3 => {
            payload.skip(2)?;
            let port = payload.u16()?;
            p.addr(destination);
            port_of(p, protocol, port);
            put!(p, " unreachable");
            return Ok(());
        }
        4 => ("", " unreachable - need to frag"),
        5 => ("", " unreachable - source route failed"),
        6 => ("net ", " unreachable - unknown"),
        7 => ("host ", " unreachable - unknown"),
        8 => ("", " unreachable - source host isolated"),
        9 => ("net ", " unreachable - admin prohibited"),
        10 => ("host ", " unreachable - admin prohibited"),
        11 => ("net ", " unreachable - tos prohibited"),
        12 => ("host ", " unreachable - tos prohibited"),
        13 => ("host ", " unreachable - admin prohibited filter"),
        14 => ("host ", " unreachable - host precedence violation"),
        15 => ("host ", " unreachable - precedence cutoff"),
        _ => ("", " unreachable - #"),
    };
    put!(p, before);
    p.addr(destination);
    put!(p, after);
    match code {
        4 if mtu != 0 => put!(p, " (mtu ", mtu, ")"),
        16.. => put!(p, code),
        _ => {}
    }
    Ok(())
}

fn redirect(p: &mut Out<'_>, code: u8, mut c: Cursor<'_>) -> Printed {
    let gateway = Ipv4Addr::from(c.u32()?);
    let (destination, _, _) = original(c)?;
    match code {
        0 | 1 => put!(p, "redirect "),
        2 | 3 => put!(p, "redirect-tos "),
        _ => put!(p, "redirect-#", code, " "),
    }
    p.addr(destination);
    let to = match code {
        0 | 2 => " to net ",
        1 | 3 => " to host ",
        _ => " to ",
    };
    put!(p, to);
    p.addr(gateway);
    Ok(())
}

fn routers(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let count = c.u8()?;
    let size = c.u8()?;
    let lifetime = u64::from(c.u16()?);
    put!(p, "router advertisement lifetime ");
    match lifetime {
        0..60 => put!(p, lifetime),
        60..3600 => put!(p, lifetime / 60, ":", Zeros(lifetime % 60, 2)),
        _ => put!(
            p,
            lifetime / 3600,
            ":",
            Zeros(lifetime / 60 % 60, 2),
            ":",
            Zeros(lifetime % 60, 2)
        ),
    }
    put!(p, " ", count, ":");
    if size != 2 {
        put!(p, " [size ", size, "]");
        return Ok(());
    }
    for _ in 0..count {
        let router = IpAddr::from(Ipv4Addr::from(c.u32()?));
        put!(p, " {");
        p.addr(router);
        put!(p, " ", c.u32()?, "}");
    }
    Ok(())
}

fn timestamps(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    put!(p, "time stamp reply id ", c.u16()?, " seq ", c.u16()?);
    for (name, before) in [("org ", ": "), ("recv ", ", "), ("xmit ", ", ")] {
        put!(p, before, name);
        day_time(p, c.u32()?);
    }
    Ok(())
}

/// Milliseconds since midnight.
fn day_time(p: &mut Out<'_>, millis: u32) {
    let millis = u64::from(millis);
    let secs = millis / 1000;
    put!(p, Zeros(secs / 3600, 2), ":", Zeros(secs / 60 % 60, 2), ":");
    put!(p, Zeros(secs % 60, 2), ".", Zeros(millis % 1000, 3));
}

/// A port that cannot be reached, and its protocol.
pub(crate) fn port_of(p: &mut Out<'_>, protocol: u8, port: u16) {
    match protocol {
        ip_proto::TCP => {
            put!(p, " tcp port ");
            p.port(Transport::Tcp, port);
        }
        ip_proto::UDP => {
            put!(p, " udp port ");
            p.port(Transport::Udp, port);
        }
        other => put!(p, " protocol ", other, " port ", port),
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn phrases() {
        for (packet, expected) in [
            (
                "4500003d00010000400166bd0a0000010a00000203000b45000005dc4500002100010000401166c90a0000010a0000029c40829a000d892468656c6c6f",
                "IP 10.0.0.1 > 10.0.0.2: ICMP net 10.0.0.2 unreachable, length 41\n",
            ),
            (
                "4500003d00010000400166bd0a0000010a00000203030b42000005dc4500002100010000401166c90a0000010a0000029c40829a000d892468656c6c6f",
                "IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.2 udp port 33434 unreachable, length 41\n",
            ),
            (
                "4500003d00010000400166bd0a0000010a00000203040b41000005dc4500002100010000401166c90a0000010a0000029c40829a000d892468656c6c6f",
                "IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.2 unreachable - need to frag (mtu 1500), length 41\n",
            ),
            (
                "4500003d00010000400166bd0a0000010a00000203100b35000005dc4500002100010000401166c90a0000010a0000029c40829a000d892468656c6c6f",
                "IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.2 unreachable - #16, length 41\n",
            ),
            (
                "4500003d00010000400166bd0a0000010a000002050005200a0000014500002100010000401166c90a0000010a0000029c40829a000d892468656c6c6f",
                "IP 10.0.0.1 > 10.0.0.2: ICMP redirect 10.0.0.2 to net 10.0.0.1, length 41\n",
            ),
            (
                "4500003d00010000400166bd0a0000010a0000020b000921000000004500002100010000401166c90a0000010a0000029c40829a000d892468656c6c6f",
                "IP 10.0.0.1 > 10.0.0.2: ICMP time exceeded in-transit, length 41\n",
            ),
            (
                "4500003d00010000400166bd0a0000010a0000020c000321050000004500002100010000401166c90a0000010a0000029c40829a000d892468656c6c6f",
                "IP 10.0.0.1 > 10.0.0.2: ICMP parameter problem - octet 5, length 41\n",
            ),
            (
                "4500001c00010000400166de0a0000010a0000020000fffc00010002",
                "IP 10.0.0.1 > 10.0.0.2: ICMP echo reply, id 1, seq 2, length 8\n",
            ),
            (
                "4500002c00010000400166ce0a0000010a0000020900706f020270800a000001000000050a00000200000006",
                "IP 10.0.0.1 > 10.0.0.2: ICMP router advertisement lifetime 8:00:00 2: {10.0.0.1 5} {10.0.0.2 6}, length 24\n",
            ),
            (
                "4500002000010000400166da0a0000010a0000021100eefc0001000200000000",
                "IP 10.0.0.1 > 10.0.0.2: ICMP address mask request, length 12\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(0), expected);
        }
    }
}
