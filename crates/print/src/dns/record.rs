//! Resource records (RFC 1035 section 3.2 and the RFCs of each type).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use super::{Message, edns, name};
use crate::out::{Out, Printed, lookup};
use crate::put::{put, visible};

pub(super) const INTERNET: u16 = 1;

pub(super) const OPT: u16 = 41;

const TSIG: u16 = 250;

/// IANA's registry of types, as tcpdump 4.99.4 took it over.
static KINDS: &[(u16, &str)] = &[
    (1, "A"),
    (28, "AAAA"),
    (2, "NS"),
    (3, "MD"),
    (4, "MF"),
    (5, "CNAME"),
    (6, "SOA"),
    (7, "MB"),
    (8, "MG"),
    (9, "MR"),
    (10, "NULL"),
    (11, "WKS"),
    (12, "PTR"),
    (13, "HINFO"),
    (14, "MINFO"),
    (15, "MX"),
    (16, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (19, "X25"),
    (20, "ISDN"),
    (21, "RT"),
    (22, "NSAP"),
    (23, "NSAP_PTR"),
    (24, "SIG"),
    (25, "KEY"),
    (26, "PX"),
    (27, "GPOS"),
    (29, "LOC"),
    (30, "NXT"),
    (31, "EID"),
    (32, "NIMLOC"),
    (33, "SRV"),
    (34, "ATMA"),
    (35, "NAPTR"),
    (36, "KX"),
    (37, "CERT"),
    (38, "A6"),
    (39, "DNAME"),
    (40, "SINK"),
    (OPT, "OPT"),
    (42, "APL"),
    (43, "DS"),
    (44, "SSHFP"),
    (45, "IPSECKEY"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (49, "DHCID"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (52, "TLSA"),
    (53, "SMIMEA"),
    (55, "HIP"),
    (56, "NINFO"),
    (57, "RKEY"),
    (58, "TALINK"),
    (59, "CDS"),
    (60, "CDNSKEY"),
    (61, "OPENPGPKEY"),
    (62, "CSYNC"),
    (63, "ZONEMD"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (99, "SPF"),
    (100, "UINFO"),
    (101, "UID"),
    (102, "GID"),
    (103, "UNSPEC"),
    (104, "NID"),
    (105, "L32"),
    (106, "L64"),
    (107, "LP"),
    (108, "EUI48"),
    (109, "EUI64"),
    (249, "TKEY"),
    (TSIG, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (253, "MAILB"),
    (254, "MAILA"),
    (255, "ANY"),
    (256, "URI"),
    (257, "CAA"),
    (258, "AVC"),
    (259, "DOA"),
    (260, "AMTRELAY"),
    (32768, "TA"),
    (32769, "DLV"),
];

static CLASSES: &[(u16, &str)] = &[(INTERNET, "IN"), (3, "CHAOS"), (4, "HS"), (255, "ANY")];

/// The name of a record type.
pub(crate) fn kind(p: &mut Out<'_>, kind: u16) {
    match lookup(KINDS, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "Type", kind),
    }
}

/// The name of a class.
pub(crate) fn class(p: &mut Out<'_>, class: u16) {
    match lookup(CLASSES, class) {
        Some(name) => put!(p, name),
        None => put!(p, "(Class ", class, ")"),
    }
}

/// One record, after a space; `false` if it ends before its fixed part does.
pub(super) fn record<'a>(
    p: &mut Out<'_>,
    m: Message<'a>,
    c: &mut Cursor<'a>,
) -> Result<bool, Truncated> {
    if p.verbose(1) {
        put!(p, " ");
        name::print(p, m.bytes, c)?;
    } else if name::skip(c).is_err() {
        return Ok(false);
    }
    let mut fixed = *c;
    let (Ok(kind), Ok(class), Ok(ttl), Ok(length)) =
        (fixed.u16(), fixed.u16(), fixed.u32(), fixed.u16())
    else {
        // compat: tcpdump leaves a message that ends here without a mark.
        return Ok(false);
    };
    let (class, flush) = if kind == OPT {
        (class, false)
    } else {
        m.class(class)
    };
    if class != INTERNET && kind != OPT {
        put!(p, " ");
        self::class(p, class);
    }
    if flush {
        put!(p, " (Cache flush)");
    }
    if p.verbose(3) && kind != OPT {
        put!(p, " [");
        relative(p, ttl);
        put!(p, "]");
    }
    put!(p, " ");
    self::kind(p, kind);
    let length = usize::from(length);
    let data = fixed.limit(length);
    fixed.need(length)?;
    // compat: tcpdump reads the last option's header beyond the record's end.
    let data = if kind == OPT { fixed } else { data };
    data_of(p, m, kind, class, ttl, data, length)?;
    fixed.skip(length)?;
    *c = fixed;
    Ok(true)
}

/// The record's data, as far as this type has a text.
fn data_of<'a>(
    p: &mut Out<'_>,
    m: Message<'a>,
    kind: u16,
    class: u16,
    ttl: u32,
    mut c: Cursor<'a>,
    length: usize,
) -> Printed {
    match kind {
        1 => {
            put!(p, " ", Ipv4Addr::from(c.u32()?));
        }
        28 => put!(p, " ", Ipv6Addr::from(c.u128()?)),
        2 | 5 | 12 | 39 => {
            put!(p, " ");
            domain(p, m, &mut c)?;
        }
        6 if p.verbose(1) => soa(p, m, &mut c)?,
        15 => {
            let preference = c.u16()?;
            put!(p, " ");
            domain(p, m, &mut c)?;
            put!(p, " ", preference);
        }
        16 | 99 if kind == 16 => {
            while !c.is_empty() {
                put!(p, " \"");
                string(p, &mut c)?;
                put!(p, "\"");
            }
        }
        33 => {
            let (priority, weight, port) = (c.u16()?, c.u16()?, c.u16()?);
            put!(p, " ");
            domain(p, m, &mut c)?;
            put!(p, ":", port, " ", priority, " ", weight);
        }
        38 => a6(p, m, &mut c)?,
        256 => {
            put!(p, " ", c.u16()?, " ", c.u16()?, " ");
            for &byte in c.rest() {
                visible(p.out, byte);
            }
        }
        TSIG if p.verbose(1) => tsig(p, m, &mut c)?,
        OPT => {
            put!(p, " UDPsize=", class);
            if ttl & 0x8000 != 0 {
                put!(p, " DO");
            }
            edns::options(p, c, length)?;
        }
        _ => {}
    }
    Ok(())
}

/// A name within the record's data; it may point anywhere into the message.
fn domain<'a>(p: &mut Out<'_>, m: Message<'a>, c: &mut Cursor<'a>) -> Printed {
    name::print(p, m.bytes, c)
}

fn soa<'a>(p: &mut Out<'_>, m: Message<'a>, c: &mut Cursor<'a>) -> Printed {
    put!(p, " ");
    domain(p, m, c)?;
    put!(p, " ");
    domain(p, m, c)?;
    for _ in 0..5 {
        put!(p, " ", c.u32()?);
    }
    Ok(())
}

/// A transaction signature (RFC 8945), without the signature.
fn tsig<'a>(p: &mut Out<'_>, m: Message<'a>, c: &mut Cursor<'a>) -> Printed {
    put!(p, " ");
    domain(p, m, c)?;
    // The time signed.
    c.skip(6)?;
    let fudge = c.u16()?;
    let mac = c.u16()?;
    put!(p, " fudge=", fudge, " maclen=", mac);
    c.skip(usize::from(mac))?;
    put!(
        p,
        " origid=",
        c.u16()?,
        " error=",
        c.u16()?,
        " otherlen=",
        c.u16()?
    );
    Ok(())
}

/// A string after its length.
fn string(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let length = usize::from(c.u8()?);
    for &byte in c.limit(length).rest() {
        visible(p.out, byte);
    }
    c.skip(length)
}

/// RFC 2874: the end of an address, and the name of whoever has its start.
fn a6<'a>(p: &mut Out<'_>, m: Message<'a>, c: &mut Cursor<'a>) -> Printed {
    let prefix = c.u8()?;
    if prefix > 128 {
        put!(p, " ", prefix, "(bad plen)");
        return Ok(());
    }
    put!(p, " ", prefix);
    if prefix < 128 {
        let size = (128 - usize::from(prefix)).div_ceil(8);
        let mut address = [0; 16];
        for (to, from) in address.iter_mut().rev().zip(c.take(size)?.iter().rev()) {
            *to = *from;
        }
        put!(p, " ", Ipv6Addr::from(address));
    }
    if prefix > 0 {
        put!(p, " ");
        domain(p, m, c)?;
    }
    Ok(())
}

/// Seconds as weeks, days, hours, minutes and seconds, zeros left out.
fn relative(p: &mut Out<'_>, seconds: u32) {
    if seconds == 0 {
        return put!(p, "0s");
    }
    let mut left = seconds;
    for (unit, letter) in [
        (604_800, "w"),
        (86400, "d"),
        (3600, "h"),
        (60, "m"),
        (1, "s"),
    ] {
        if left >= unit {
            put!(p, left / unit, letter);
            left %= unit;
        }
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn types_by_number() {
        for (kind, name) in [
            (54, "Type54"),
            (60, "CDNSKEY"),
            (65, "HTTPS"),
            (104, "NID"),
            (257, "CAA"),
            (260, "AMTRELAY"),
            (0x8001, "DLV"),
        ] {
            let packet = format!(
                "4500002f00010000401166bb0a0000010a0000029c400035001b00000007010000010000000000000161 00{kind:04x}0001"
            );
            check(
                LinkType::RAW,
                &packet,
                style(0),
                &format!("IP 10.0.0.1.40000 > 10.0.0.2.53: 7+ {name}? a. (19)\n"),
            );
        }
    }

    #[test]
    fn data_of_each_type() {
        for (packet, expected) in [
            (
                "4500004900010000401166a10a0000010a00000200359c400035bc44000781800001000100000000076578616d706c65036f72670000010001c00c000100010000012c00040a000001",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 73)\n    10.0.0.1.53 > 10.0.0.2.40000: 7 1/0/0 example.org. A 10.0.0.1 (45)\n",
            ),
            (
                "4500005500010000401166950a0000010a00000200359c400041dc08000781800001000100000000076578616d706c65036f72670000010001c00c001c00010000012c001020010db8000000000000000000000001",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 85)\n    10.0.0.1.53 > 10.0.0.2.40000: 7 1/0/0 example.org. AAAA 2001:db8::1 (57)\n",
            ),
            (
                "4500004900010000401166a10a0000010a00000200359c4000354b8d000781800001000100000000076578616d706c65036f72670000010001c00c000500010000012c00040161c00c",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 73)\n    10.0.0.1.53 > 10.0.0.2.40000: 7 1/0/0 example.org. CNAME a.example.org. (45)\n",
            ),
            (
                "4500007b000100004011666f0a0000010a00000200359c400067e6fb000781800001000100000000076578616d706c65036f72670000010001c00c000600010000012c0036026e73076578616d706c65036f72670004726f6f74076578616d706c65036f7267000000000100001c200000038400093a8000015180",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 123)\n    10.0.0.1.53 > 10.0.0.2.40000: 7 1/0/0 example.org. SOA ns.example.org. root.example.org. 1 7200 900 604800 86400 (95)\n",
            ),
            (
                "4500005700010000401166930a0000010a00000200359c4000435a45000781800001000100000000076578616d706c65036f72670000010001c00c000f00010000012c0012000a026d78076578616d706c65036f726700",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 87)\n    10.0.0.1.53 > 10.0.0.2.40000: 7 1/0/0 example.org. MX mx.example.org. 10 (59)\n",
            ),
            (
                "4500004f000100004011669b0a0000010a00000200359c40003b3d79000781800001000100000000076578616d706c65036f72670000010001c00c001000010000012c000a05763d3120ff03616263",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 79)\n    10.0.0.1.53 > 10.0.0.2.40000: 7 1/0/0 example.org. TXT \"v=1 M-^?\" \"abc\" (51)\n",
            ),
            (
                "4500005a00010000401166900a0000010a00000200359c400046e659000781800001000100000000076578616d706c65036f72670000010001c00c002100010000012c00150000000501bb0173076578616d706c65036f726700",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 90)\n    10.0.0.1.53 > 10.0.0.2.40000: 7 1/0/0 example.org. SRV s.example.org.:443 0 5 (62)\n",
            ),
            (
                "4500005e000100004011668c0a0000010a00000200359c40004ad7b3000781800001000100000000076578616d706c65036f72670000010001c00c002600010000012c0019400000000000000000026136076578616d706c65036f726700",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 94)\n    10.0.0.1.53 > 10.0.0.2.40000: 7 1/0/0 example.org. A6 64 :: a6.example.org. (66)\n",
            ),
            (
                "4500005c000100004011668e0a0000010a00000200359c4000486635000781800001000100000000076578616d706c65036f72670000010001c00c010000010000012c00170001000268747470733a2f2f6578616d706c652e6f7267",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 92)\n    10.0.0.1.53 > 10.0.0.2.40000: 7 1/0/0 example.org. URI 1 2 https://example.org (64)\n",
            ),
            (
                "4500005d000100004011668d0a0000010a00000200359c4000494eee000781800001000100000000076578616d706c65036f72670000010001c00c00fa00010000012c001804686d616300000000000000012c00026162000700000000",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 93)\n    10.0.0.1.53 > 10.0.0.2.40000: 7 1/0/0 example.org. TSIG hmac. fudge=300 maclen=2 origid=7 error=0 otherlen=0 (65)\n",
            ),
            (
                "4500004700010000401166a30a0000010a00000200359c400033bd51000781800001000100000000076578616d706c65036f72670000010001c00c000100010000012c00020102",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 71)\n    10.0.0.1.53 > 10.0.0.2.40000: 7 1/0/0 example.org. A [|domain]\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(1), expected);
        }
    }
}
