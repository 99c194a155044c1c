//! NSH: Network Service Header (RFC 8300).

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, HexFull, HexZeros, Zeros, put};
use crate::{ether, ip, ip6};

/// Base and service path header, four bytes each; lengths count words of four bytes.
const HEADERS: usize = 8;

static NEXT: &[(u8, &str)] = &[
    (1, "IPv4"),
    (2, "IPv6"),
    (3, "Ethernet"),
    (4, "NSH"),
    (5, "MPLS"),
    (0xfe, "Experiment 1"),
    (0xff, "Experiment 2"),
];

static METADATA: &[(u8, &str)] = &[(0, "reserved"), (1, "1"), (2, "2"), (15, "experimental")];

/// A header and what it steers.
pub(crate) fn nsh(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "nsh";
    let mut c = c;
    if length < HEADERS {
        put!(p, " (packet length ", length, " < ", HEADERS, ")");
        p.invalid();
        return Ok(());
    }
    c.need(4)?;
    put!(p, "NSH, ");
    let base = c.u16()?;
    let (version, words) = (base >> 14, usize::from(base & 0x3f));
    if p.verbose(2) {
        put!(p, "ver ", version, ", ");
    }
    if version != 0 {
        return Ok(());
    }
    put!(
        p,
        "flags [",
        if base & 0x2000 != 0 { "O" } else { "none" },
        "], "
    );
    if p.verbose(3) {
        put!(p, "TTL ", base >> 6 & 0x3f, ", length ", words, ", ");
    }
    let kind = c.u8()? & 15;
    if p.verbose(3) {
        put!(p, "md type ");
        match lookup(METADATA, kind) {
            Some(name) => put!(p, name, ", "),
            None => put!(p, "unknown (0x", HexFull(kind), "), "),
        }
    }
    let next = c.u8()?;
    if p.verbose(2) {
        put!(p, "next-protocol ");
        match lookup(NEXT, next) {
            Some(name) => put!(p, name, ", "),
            None => put!(p, "unknown (0x", HexFull(next), "), "),
        }
    }
    if words * 4 < HEADERS {
        put!(p, " (less than two headers)");
        p.invalid();
        return Ok(());
    }
    if words * 4 > length {
        put!(p, " (too many headers for packet length ", length, ")");
        p.invalid();
        return Ok(());
    }
    put!(p, "service-path-id 0x", HexZeros(c.u24()?, 6), ", ");
    put!(p, "service-index 0x", Hex(c.u8()?));
    if kind == 1 && words != 6 {
        put!(p, " (invalid length for the MD type)");
    } else {
        let mut metadata = Cursor::new(c.rest()).limit(words * 4 - HEADERS);
        if p.verbose(3) && !context(p, kind, &mut metadata, words * 4 - HEADERS)? {
            p.invalid();
            return Ok(());
        }
        c.skip(words * 4 - HEADERS)?;
        put!(p, if p.verbose(1) { "\n    " } else { ": " });
        return payload(p, next, c, length - words * 4);
    }
    p.invalid();
    Ok(())
}

/// Metadata, one line for each word or TLV; `false` if a TLV does not fit.
fn context(
    p: &mut Out<'_>,
    kind: u8,
    c: &mut Cursor<'_>,
    length: usize,
) -> Result<bool, pktwho_wire::Truncated> {
    match kind {
        1 => {
            for n in 0..4 {
                put!(
                    p,
                    "\n        Context[",
                    Zeros(n, 2),
                    "]: 0x",
                    HexFull(c.u32()?)
                );
            }
        }
        2 => {
            let mut left = length;
            while left > 0 {
                let class = c.u16()?;
                let kind = c.u8()?;
                let value = usize::from(c.u8()? & 0x7f);
                put!(
                    p,
                    "\n        TLV Class ",
                    class,
                    ", Type ",
                    kind,
                    ", Len ",
                    value
                );
                let padded = value.next_multiple_of(4);
                left -= 4;
                if padded > left {
                    put!(p, " (length too big)");
                    return Ok(false);
                }
                tlv_value(p, c, value)?;
                c.skip(padded - value)?;
                left -= padded;
            }
        }
        _ => {}
    }
    Ok(true)
}

fn tlv_value(p: &mut Out<'_>, c: &mut Cursor<'_>, length: usize) -> Printed {
    if length == 0 {
        return Ok(());
    }
    put!(p, "\n            Value: ");
    for n in 0..length {
        let before = if n == 0 { "0x" } else { ":" };
        put!(p, before, HexFull(c.u8()?));
    }
    Ok(())
}

fn payload(p: &mut Out<'_>, next: u8, c: Cursor<'_>, length: usize) -> Printed {
    let c = Cursor::new(c.rest());
    p.deeper(|p| match next {
        1 => ip::ip(p, c, length),
        2 => ip6::ip6(p, c, length),
        3 => ether::frame(p, c, length),
        4 => nsh(p, c, length),
        5 => match crate::ethertype::payload(p, 0x8847, c, length) {
            Some(printed) => printed,
            None => Ok(()),
        },
        _ => {
            put!(p, "ERROR: unknown-next-protocol");
            Ok(())
        }
    })
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "020000000002020000000001894f00060101000309ff000000010000000200000003000000044500001c00010000401166ce0a0000010a0000020001000200089bd8",
            style(3),
            "NSH, ver 0, flags [none], TTL 0, length 6, md type 1, next-protocol IPv4, service-path-id 0x000309, service-index 0xff\n        Context[00]: 0x00000001\n        Context[01]: 0x00000002\n        Context[02]: 0x00000003\n        Context[03]: 0x00000004\n    IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 28)\n    10.0.0.1.1 > 10.0.0.2.2: [bad udp cksum 0x9bd8 -> 0xebd8!] UDP, length 0\n",
        );
    }
}
