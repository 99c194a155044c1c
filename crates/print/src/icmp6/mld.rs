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
        put!(p, " unknown-version (len=", m.length, ") ");
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
