//! IGMP (RFC 1112, RFC 2236, RFC 3376), and what else uses its number: DVMRP, PIM version 1 and
//! multicast traceroute.

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::checksum::Sum;
use crate::ip_proto::Ip;
use crate::out::{Out, Printed, lookup};
use crate::put::{Fixed, Hex, Span, put};
use crate::{dvmrp, pim};

static RECORDS: &[(u8, &str)] = &[
    (1, "is_in"),
    (2, "is_ex"),
    (3, "to_in"),
    (4, "to_ex"),
    (5, "allow"),
    (6, "block"),
];

/// The response time that is not worth mentioning: 10 s.
const USUAL_RESPONSE: u8 = 100;
const LENGTH: usize = 8;
const REPORT_1: u8 = 0x12;
const LEAVE: u8 = 0x17;

/// A message of `length` bytes.
pub(crate) fn igmp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, _: &Ip) -> Printed {
    p.protocol = "igmp";
    if p.style.quiet {
        put!(p, "igmp");
        return Ok(());
    }
    let whole = c;
    let c = Cursor::new(c.limit(length).rest());
    let mut peek = c;
    match peek.u8()? {
        0x11 => query(p, c, length)?,
        REPORT_1 => group(p, c, length, "igmp v1 report ")?,
        0x16 => group(p, c, length, "igmp v2 report ")?,
        0x22 => report(p, c, length)?,
        LEAVE => group(p, c, length, "igmp leave ")?,
        0x13 => {
            put!(p, "igmp dvmrp");
            if length < 8 {
                put!(p, " [len ", length, "]");
            } else {
                dvmrp::dvmrp(p, c, length)?;
            }
        }
        0x14 => {
            put!(p, "igmp pimv1");
            pim::v1::message(p, c, length)?;
        }
        0x1e => trace(p, c, length, "mresp")?,
        0x1f => trace(p, c, length, "mtrace")?,
        other => put!(p, "igmp-", other),
    }
    if p.verbose(1)
        && let Some(bytes) = whole.rest().get(..length)
        && Sum::default().add(bytes).finish() != 0
    {
        let mut field = whole;
        field.skip(2)?;
        put!(p, " bad igmp cksum ", Hex(field.u16()?), "!");
    }
    Ok(())
}

/// A message about one group.
fn group(p: &mut Out<'_>, c: Cursor<'_>, length: usize, name: &str) -> Printed {
    let mut c = c;
    let kind = c.u8()?;
    c.skip(3)?;
    let group = Ipv4Addr::from(c.u32()?);
    put!(p, name);
    p.addr(group);
    // compat: of version 2's messages the length is not said (4.99.3).
    if kind == REPORT_1 {
        usual(p, length);
    }
    Ok(())
}

fn usual(p: &mut Out<'_>, length: usize) {
    if length != LENGTH {
        put!(p, " [len ", length, "]");
    }
}

fn query(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    put!(p, "igmp query");
    if length >= 12 {
        return query3(p, c, length);
    }
    let mut c = c;
    c.skip(1)?;
    let response = c.u8()?;
    if response == 0 {
        put!(p, " v1");
    } else {
        put!(p, " v2");
        if response != USUAL_RESPONSE {
            put!(p, " [max resp time ", response, "]");
        }
    }
    c.skip(2)?;
    let group = c.u32()?;
    if group != 0 {
        put!(p, " [gaddr ");
        p.addr(Ipv4Addr::from(group));
        put!(p, "]");
    }
    usual(p, length);
    Ok(())
}

/// RFC 3376 section 4.1.
fn query3(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    put!(p, " v3");
    c.skip(1)?;
    let code = c.u8()?;
    if code != USUAL_RESPONSE {
        // Tenths of seconds, large ones with an exponent.
        let tenths = if code < 128 {
            u32::from(code)
        } else {
            u32::from(code & 15 | 16) << (u32::from(code >> 4 & 7) + 3)
        };
        put!(p, " [max resp time ");
        if tenths < 600 {
            put!(p, Fixed(f64::from(tenths) / 10.0, 1), "s");
        } else {
            put!(p, Span(tenths / 10));
        }
        put!(p, "]");
    }
    c.skip(2)?;
    let group = c.u32()?;
    c.skip(2)?;
    if group == 0 {
        return Ok(());
    }
    put!(p, " [gaddr ");
    p.addr(Ipv4Addr::from(group));
    let count = c.u16()?;
    if count > 0 {
        if length < 12 + usize::from(count) * 4 {
            put!(p, " [invalid number of sources ", count, "]");
        } else if p.verbose(2) {
            sources(p, &mut c, count)?;
        } else {
            put!(p, ", ", count, " source(s)");
        }
    }
    put!(p, "]");
    Ok(())
}

fn sources(p: &mut Out<'_>, c: &mut Cursor<'_>, count: u16) -> Result<(), Truncated> {
    put!(p, " {");
    for _ in 0..count {
        let source = Ipv4Addr::from(c.u32()?);
        put!(p, " ");
        p.addr(source);
    }
    put!(p, " }");
    Ok(())
}

/// RFC 3376 section 4.2.
fn report(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    put!(p, "igmp v3 report");
    if length < 16 {
        put!(p, " [invalid len ", length, "]");
        return Ok(());
    }
    c.skip(6)?;
    let groups = c.u16()?;
    put!(p, ", ", groups, " group record(s)");
    if !p.verbose(1) {
        return Ok(());
    }
    let mut at = LENGTH;
    for _ in 0..groups {
        if length < at + 8 {
            put!(p, " [invalid number of groups]");
            return Ok(());
        }
        c.need(8)?;
        let (kind, _, count) = (c.u8()?, c.u8()?, c.u16()?);
        put!(p, " [gaddr ");
        p.addr(Ipv4Addr::from(c.u32()?));
        match lookup(RECORDS, kind) {
            Some(name) => put!(p, " ", name),
            None => put!(p, "  [v3-report-#", kind, "]"),
        }
        at += 8;
        if length < at + usize::from(count) * 4 {
            put!(p, " [invalid number of sources ", count, "]");
            return Ok(());
        }
        if p.verbose(2) {
            sources(p, &mut c, count)?;
        } else {
            put!(p, ", ", count, " source(s)");
            c.skip(usize::from(count) * 4)?;
        }
        put!(p, "]");
        at += usize::from(count) * 4;
    }
    Ok(())
}

/// Multicast traceroute (draft-ietf-idmr-traceroute-ipm).
fn trace(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, name: &str) -> Printed {
    if length < 24 {
        put!(p, " [invalid len ", length, "]");
        return Ok(());
    }
    c.need(24)?;
    c.skip(8)?;
    let (source, destination, reply) = (c.u32()?, c.u32()?, c.u32()?);
    let (ttl, id) = (c.u8()?, c.u24()?);
    put!(p, name, " ", id, ": ");
    p.addr(Ipv4Addr::from(source));
    put!(p, " to ");
    p.addr(Ipv4Addr::from(destination));
    put!(p, " reply-to ");
    p.addr(Ipv4Addr::from(reply));
    if Ipv4Addr::from(reply).is_multicast() {
        put!(p, " with-ttl ", ttl);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn lengths_of_reports() {
        for (kind, expected) in [
            ("12", "igmp v1 report 224.1.1.1 [len 12]"),
            ("16", "igmp v2 report 224.1.1.1"),
            ("17", "igmp leave 224.1.1.1"),
        ] {
            check(
                LinkType::RAW,
                &format!("45000020000100004002 66d80a0000010a000002{kind}000000e001010100000000"),
                style(0),
                &format!("IP 10.0.0.1 > 10.0.0.2: {expected}\n"),
            );
        }
    }
}
