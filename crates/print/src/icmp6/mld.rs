//! Multicast listener discovery: version 1 (RFC 2710), version 2 (RFC 3810).

use std::net::Ipv6Addr;

use pktwho_wire::Cursor;

use super::Message;
use crate::out::{Out, Printed, lookup};
use crate::put::put;

static RECORDS: &[(u8, &str)] = &[
    (1, " is_in"),
    (2, " is_ex"),
    (3, " to_in"),
    (4, " to_ex"),
    (5, " allow"),
    (6, " block"),
];

/// Query, report and done of version 1.
pub(super) fn v1(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let mut c = m.body;
    put!(p, "max resp delay: ", c.u16()?);
    c.skip(2)?;
    put!(p, " addr: ");
    p.addr(Ipv6Addr::from(c.u128()?));
    Ok(())
}

/// Query of version 2.
pub(super) fn query(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    if m.length < 28 {
        put!(p, " unknown-version (len ", m.length, ") ");
        return Ok(());
    }
    put!(p, " v2");
    let mut c = m.body;
    let code = u32::from(c.u16()?);
    if p.verbose(1) {
        // RFC 3810 section 5.1.3.
        let delay = if code < 32768 {
            code
        } else {
            (code & 0xfff | 0x1000) << ((code >> 12 & 7) + 3)
        };
        put!(p, " [max resp delay=", delay, "]");
    }
    c.skip(2)?;
    put!(p, " [gaddr ");
    p.addr(Ipv6Addr::from(c.u128()?));
    let flags = c.u8()?;
    let code = u32::from(c.u8()?);
    let sources = c.u16()?;
    if p.verbose(1) {
        if flags & 8 != 0 {
            put!(p, " sflag");
        }
        if flags & 7 != 0 {
            put!(p, " robustness=", flags & 7);
        }
        // RFC 3810 section 5.1.9.
        let interval = if code < 128 {
            code
        } else {
            (code & 15 | 16) << ((code >> 4 & 7) + 3)
        };
        put!(p, " qqi=", interval);
    }
    if sources > 0 {
        if p.verbose(2) {
            addresses(p, &mut c, sources)?;
        } else {
            put!(p, ", ", sources, " source(s)");
        }
    }
    put!(p, "]");
    Ok(())
}

/// Report of version 2.
pub(super) fn report(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let mut c = m.body;
    c.skip(2)?;
    let groups = c.u16()?;
    put!(p, ", ", groups, " group record(s)");
    if !p.verbose(1) {
        return Ok(());
    }
    for _ in 0..groups {
        let kind = c.u8()?;
        let extra = usize::from(c.u8()?);
        let sources = c.u16()?;
        put!(p, " [gaddr ");
        p.addr(Ipv6Addr::from(c.u128()?));
        match lookup(RECORDS, kind) {
            Some(name) => put!(p, name),
            None => put!(p, " [v2-report-#", kind, "]"),
        }
        if p.verbose(2) {
            addresses(p, &mut c, sources)?;
        } else {
            put!(p, ", ", sources, " source(s)");
            c.skip(usize::from(sources) * 16)?;
        }
        c.skip(extra * 4)?;
        put!(p, "]");
    }
    Ok(())
}

fn addresses(p: &mut Out<'_>, c: &mut Cursor<'_>, count: u16) -> Printed {
    put!(p, " {");
    for _ in 0..count {
        put!(p, " ");
        p.addr(Ipv6Addr::from(c.u128()?));
    }
    put!(p, " }");
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn both_versions() {
        for (packet, expected) in [
            (
                "6000000000183a40fe800000000000000000000000000001fe80000000000000000000000000000282005a9027100000ff020000000000000000000000000005",
                "IP6 (hlim 64, next-header ICMPv6 (58), payload length 24) fe80::1 > fe80::2: [icmp6 sum ok] ICMP6, multicast listener querymax resp delay: 10000 addr: ff02::5\n",
            ),
            (
                "60000000003c3a40fe800000000000000000000000000001fe80000000000000000000000000000282007477a7100000ff0200000000000000000000000000050a7d000220010db800000000000000000000000120010db8000000000000000000000002",
                "IP6 (hlim 64, next-header ICMPv6 (58), payload length 60) fe80::1 > fe80::2: [icmp6 sum ok] ICMP6, multicast listener query v2 [max resp delay=188928] [gaddr ff02::5 sflag robustness=2 qqi=125 { 2001:db8::1 2001:db8::2 }]\n",
            ),
            (
                "6000000000403a40fe800000000000000000000000000001fe8000000000000000000000000000028f0042b20000000201000001ff02000000000000000000000000000520010db800000000000000000000000104000000ff020000000000000000000000000006",
                "IP6 (hlim 64, next-header ICMPv6 (58), payload length 64) fe80::1 > fe80::2: [icmp6 sum ok] ICMP6, multicast listener report v2, 2 group record(s) [gaddr ff02::5 is_in { 2001:db8::1 }] [gaddr ff02::6 to_ex { }]\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(2), expected);
        }
    }
}
