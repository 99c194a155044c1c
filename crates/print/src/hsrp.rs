//! Cisco's hot standby router protocol (RFC 2281).

use std::net::Ipv4Addr;

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, lookup};
use crate::put::{Span, Visible, put};

static OPERATIONS: &[(u8, &str)] = &[(0, "hello"), (1, "coup"), (2, "resign")];

static STATES: &[(u8, &str)] = &[
    (0, "initial"),
    (1, "learn"),
    (2, "listen"),
    (4, "speak"),
    (8, "standby"),
    (16, "active"),
];

/// A message of `length` bytes.
pub(crate) fn hsrp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "hsrp";
    let mut c = c;
    let version = c.u8()?;
    put!(p, "HSRPv", version);
    if version != 0 {
        return Ok(());
    }
    put!(p, "-");
    tok(p, OPERATIONS, c.u8()?, "unknown");
    put!(p, " ", length, ": ");
    let state = c.u8()?;
    put!(p, "state=");
    tok(p, STATES, state, "Unknown");
    put!(p, " ");
    let (hello, hold, priority) = (c.u8(), c.u8(), c.u8());
    put!(p, "group=", c.u8()?, " ");
    let reserved = c.u8()?;
    if reserved != 0 {
        put!(p, "[reserved=", reserved, "!] ");
    }
    let text = c.take(8)?;
    let addr = Ipv4Addr::from(c.u32()?);
    put!(p, "addr=");
    p.addr(addr);
    if p.verbose(1) {
        put!(p, " hellotime=", Span(u32::from(hello?)));
        put!(p, " holdtime=", Span(u32::from(hold?)));
        put!(p, " priority=", priority?);
        let end = text.iter().position(|&byte| byte == 0);
        put!(p, " auth=\"");
        put!(
            p,
            Visible(text.get(..end.unwrap_or(8)).unwrap_or(text)),
            "\""
        );
    }
    Ok(())
}

fn tok(p: &mut Out<'_>, table: &[(u8, &'static str)], value: u8, missing: &str) {
    match lookup(table, value) {
        Some(name) => put!(p, name),
        None => put!(p, missing, " (", value, ")"),
    }
}
