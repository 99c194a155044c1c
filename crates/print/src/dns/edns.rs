//! Extension mechanisms (RFC 6891): the OPT record's options (IANA's registry of EDNS0 options).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use super::record::OPT;
use super::{Counts, Message, name, skip_at_most};
use crate::out::{Out, Printed, lookup};
use crate::put::{HexBytes, put};

const ECS: u16 = 8;
const EXPIRE: u16 = 9;
const COOKIE: u16 = 10;
const KEEPALIVE: u16 = 11;
const PADDING: u16 = 12;
const CHAIN: u16 = 13;
const KEY_TAG: u16 = 14;

static OPTIONS: &[(u16, &str)] = &[
    (1, "LLQ"),
    (2, "UL"),
    (3, "NSID"),
    (5, "DAU"),
    (6, "DHU"),
    (7, "N3U"),
    (ECS, "ECS"),
    (EXPIRE, "EXPIRE"),
    (COOKIE, "COOKIE"),
    (KEEPALIVE, "KEEPALIVE"),
    (PADDING, "PADDING"),
    (CHAIN, "CHAIN"),
    (KEY_TAG, "KEY-TAG"),
    (16, "CLIENT-TAG"),
    (17, "SERVER-TAG"),
];

/// IANA's registry of DNSSEC algorithms.
static ALGORITHMS: &[(u8, &str)] = &[
    (0, "DELETE"),
    (1, "RSAMD5"),
    (2, "DH"),
    (3, "DS"),
    (5, "RSASHA1"),
    (6, "DSA-NSEC3-SHA1"),
    (7, "RSASHA1-NSEC3-SHA1"),
    (8, "RSASHA256"),
    (10, "RSASHA512"),
    (12, "ECC-GOST"),
    (13, "ECDSAP256SHA256"),
    (14, "ECDSAP384SHA384"),
    (15, "ED25519"),
    (16, "ED448"),
    (252, "INDIRECT"),
    (253, "PRIVATEDNS"),
    (254, "PRIVATEOID"),
];

/// IANA's registry of DS digest types.
static DIGESTS: &[(u8, &str)] = &[
    (1, "SHA-1"),
    (2, "SHA-256"),
    (3, "GOST_R_34.11-94"),
    (4, "SHA-384"),
];

static NSEC3_HASHES: &[(u8, &str)] = &[(1, "SHA-1")];

/// The upper bits of the response code, from the OPT record if there is one; `c` is at the
/// questions.
pub(super) fn extended_rcode(m: Message<'_>, c: Cursor<'_>, counts: &Counts) -> u16 {
    if counts.additional == 0 {
        return 0;
    }
    find(m, c, counts).unwrap_or(0)
}

fn find(_: Message<'_>, mut c: Cursor<'_>, counts: &Counts) -> Option<u16> {
    for _ in 0..counts.questions {
        name::skip(&mut c).ok()?;
        c = skip_at_most(c, 4);
    }
    let others = u32::from(counts.answers) + u32::from(counts.authorities);
    for n in 0..others + u32::from(counts.additional) {
        name::skip(&mut c).ok()?;
        let kind = c.u16().ok()?;
        c.skip(2).ok()?;
        let upper = c.u8().ok()?;
        c.skip(3).ok()?;
        let length = usize::from(c.u16().ok()?);
        if n >= others && kind == OPT {
            return Some(u16::from(upper));
        }
        c.skip(length).ok()?;
    }
    None
}

/// ` [COOKIE …,PADDING (3)]`, nothing without options.
pub(super) fn options(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    if length == 0 {
        return Ok(());
    }
    put!(p, " [");
    let start = c.remaining();
    let mut first = true;
    while start - c.remaining() < length {
        if !first {
            put!(p, ",");
        }
        first = false;
        let code = c.u16()?;
        let size = usize::from(c.u16()?);
        match lookup(OPTIONS, code) {
            Some(name) => put!(p, name),
            None => put!(p, "Opt", code),
        }
        let value = c.limit(size);
        option(p, code, value, size)?;
        c.skip(size)?;
    }
    put!(p, "]");
    Ok(())
}

fn option(p: &mut Out<'_>, code: u16, mut c: Cursor<'_>, size: usize) -> Printed {
    match code {
        ECS => subnet(p, c, size)?,
        COOKIE if !(8..=40).contains(&size) => {
            put!(p, " ");
            p.invalid();
        }
        KEEPALIVE | EXPIRE if size == 0 => {}
        KEEPALIVE if size != 2 => {
            put!(p, " ");
            p.invalid();
        }
        EXPIRE if size != 4 => {
            put!(p, " ");
            p.invalid();
        }
        KEEPALIVE => {
            let tenths = c.u16()?;
            put!(p, " ", tenths / 10, ".", tenths % 10, " sec");
        }
        EXPIRE => put!(p, " ", c.u32()?, " sec"),
        PADDING => put!(p, " (", size, ")"),
        CHAIN => {
            put!(p, " ");
            let bytes = c.rest();
            name::print(p, bytes, &mut c)?;
        }
        KEY_TAG => {
            if size < 2 || !size.is_multiple_of(2) {
                put!(p, " ");
                p.invalid();
            } else {
                while let Ok(tag) = c.u16() {
                    put!(p, " ", tag);
                }
            }
        }
        5 => numbers(p, c, ALGORITHMS, "Alg_"),
        6 => numbers(p, c, DIGESTS, "Hash_"),
        7 => numbers(p, c, NSEC3_HASHES, "Hash_"),
        _ if size == 0 => {}
        _ => put!(p, " ", HexBytes(c.rest())),
    }
    Ok(())
}

fn numbers(p: &mut Out<'_>, c: Cursor<'_>, table: &[(u8, &'static str)], otherwise: &str) {
    for &number in c.rest() {
        match lookup(table, number) {
            Some(name) => put!(p, " ", name),
            None => put!(p, " ", otherwise, number),
        }
    }
}

/// The client's subnet (RFC 7871): address, its length, the length the answer is for.
fn subnet(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Result<(), Truncated> {
    put!(p, " ");
    let Some(bytes) = size.checked_sub(4) else {
        p.invalid();
        return Ok(());
    };
    let family = c.u16()?;
    let (source, scope) = (c.u8()?, c.u8()?);
    let most = match family {
        1 => 4,
        2 => 16,
        _ => 0,
    };
    if bytes > most || usize::from(source) > most * 8 || usize::from(scope) > most * 8 || most == 0
    {
        p.invalid();
        return Ok(());
    }
    let mut address = [0; 16];
    for (to, from) in address.iter_mut().zip(c.take(bytes)?) {
        *to = *from;
    }
    if let (1, [a, b, c, d, ..]) = (family, address) {
        put!(p, Ipv4Addr::new(a, b, c, d));
    } else {
        put!(p, Ipv6Addr::from(address));
    }
    put!(p, "/", source, "/", scope);
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn each_option() {
        for (packet, expected) in [
            (
                "4500004800010000401166a20a0000010a0000029c4000350034f771000701200001000000000001076578616d706c65036f7267000001000100002904d000008000000400030000",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 72)\n    10.0.0.1.40000 > 10.0.0.2.53: [udp sum ok] 7+ [1au] A? example.org. ar: . OPT UDPsize=1232 DO [NSID] (44)\n",
            ),
            (
                "4500004b000100004011669f0a0000010a0000029c40003500376a5d000701200001000000000001076578616d706c65036f7267000001000100002904d000000000000700050003050708",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 75)\n    10.0.0.1.40000 > 10.0.0.2.53: [udp sum ok] 7+ [1au] A? example.org. ar: . OPT UDPsize=1232 [DAU RSASHA1 RSASHA1-NSEC3-SHA1 RSASHA256] (47)\n",
            ),
            (
                "4500004f000100004011669b0a0000010a0000029c400035003bdb4d000701200001000000000001076578616d706c65036f7267000001000100002904d000008000000b0008000700011800010203",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 79)\n    10.0.0.1.40000 > 10.0.0.2.53: [udp sum ok] 7+ [1au] A? example.org. ar: . OPT UDPsize=1232 DO [ECS 1.2.3.0/24/0] (51)\n",
            ),
            (
                "4500004c000100004011669e0a0000010a0000029c40003500387757000701200001000000000001076578616d706c65036f7267000001000100002904d00000000000080009000400000005",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 76)\n    10.0.0.1.40000 > 10.0.0.2.53: [udp sum ok] 7+ [1au] A? example.org. ar: . OPT UDPsize=1232 [EXPIRE 5 sec] (48)\n",
            ),
            (
                "45000050000100004011669a0a0000010a0000029c400035003c2676000701200001000000000001076578616d706c65036f7267000001000100002904d000008000000c000a00083132333435363738",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 80)\n    10.0.0.1.40000 > 10.0.0.2.53: [udp sum ok] 7+ [1au] A? example.org. ar: . OPT UDPsize=1232 DO [COOKIE 3132333435363738] (52)\n",
            ),
            (
                "4500004a00010000401166a00a0000010a0000029c400035003676fe000701200001000000000001076578616d706c65036f7267000001000100002904d0000000000006000b00020064",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 74)\n    10.0.0.1.40000 > 10.0.0.2.53: [udp sum ok] 7+ [1au] A? example.org. ar: . OPT UDPsize=1232 [KEEPALIVE 10.0 sec] (46)\n",
            ),
            (
                "4500004b000100004011669f0a0000010a0000029c4000350037f75c000701200001000000000001076578616d706c65036f7267000001000100002904d0000080000007000c0003000000",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 75)\n    10.0.0.1.40000 > 10.0.0.2.53: [udp sum ok] 7+ [1au] A? example.org. ar: . OPT UDPsize=1232 DO [PADDING (3)] (47)\n",
            ),
            (
                "4500004a00010000401166a00a0000010a0000029c40003500367758000701200001000000000001076578616d706c65036f7267000001000100002904d0000000000006000e00020007",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 74)\n    10.0.0.1.40000 > 10.0.0.2.53: [udp sum ok] 7+ [1au] A? example.org. ar: . OPT UDPsize=1232 [KEY-TAG 7] (46)\n",
            ),
            (
                "4500004a00010000401166a00a0000010a0000029c40003500367c8f000701200001000000000001076578616d706c65036f7267000001000100002904d0000080000006006300027a7a",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 74)\n    10.0.0.1.40000 > 10.0.0.2.53: [udp sum ok] 7+ [1au] A? example.org. ar: . OPT UDPsize=1232 DO [Opt99 7a7a] (46)\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(2), expected);
        }
    }
}
