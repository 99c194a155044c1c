//! The control messages of the locator/identifier separation protocol (RFC 6830, RFC 6833).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed, bits, lookup, named};
use crate::put::put;

static MESSAGES: &[(u8, &str)] = &[
    (0, "-Reserved"),
    (1, "-Map-Request"),
    (2, "-Map-Reply"),
    (REGISTER, "-Map-Register"),
    (NOTIFY, "-Map-Notify"),
    (8, "-Encapsulated-Contol-Message"),
];

const REGISTER: u8 = 3;
const NOTIFY: u8 = 4;

static REGISTER_FLAGS: &[(u32, &str)] = &[
    (0x0800_0000, "P-Proxy-Map-Reply"),
    (0x0400_0000, "S-LISP-SEC-Capable"),
    (0x0200_0000, "I-xTR-ID-Present"),
    (0x0100_0000, "R-Build-For-RTR"),
    (0x0000_0100, "M-Want-Map-Notify"),
];

static NOTIFY_FLAGS: &[(u32, &str)] = &[
    (0x0800_0000, "I-xTR-ID-Present"),
    (0x0400_0000, "R-Build-For-RTR"),
];

static KEYS: &[(u16, &str)] = &[(0, "None"), (1, "SHA1"), (2, "SHA256")];

static ACTIONS: &[(u8, &str)] = &[
    (0, "No-Action"),
    (1, "Natively-Forward"),
    (2, "Send-Map-Request"),
    (3, "Drop"),
];

static LOCATOR_FLAGS: &[(u32, &str)] =
    &[(4, "Local-Locator"), (2, "RLoc-Probed"), (1, "Reachable")];

const HEADER: usize = 4;
/// From the nonce to the authentication data.
const REGISTER_HEADER: usize = 12;

/// A message of `length` bytes.
pub(crate) fn lisp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "lisp";
    let mut c = Cursor::new(c.limit(length).rest());
    put!(p, "LISP");
    if length < HEADER + REGISTER_HEADER {
        put!(p, " [length ", length, " < ", HEADER + REGISTER_HEADER, "]");
        p.invalid();
        return Ok(());
    }
    c.need(HEADER + REGISTER_HEADER)?;
    let first = { c }.u8()?;
    let kind = first >> 4;
    match lookup(MESSAGES, kind) {
        Some(name) => put!(p, name, ","),
        None => put!(p, "-unknown-type-", kind, ","),
    }
    let flags = c.u32()? & 0x0fff_ffff;
    let (table, identified) = match kind {
        REGISTER => (REGISTER_FLAGS, flags & 0x0200_0000 != 0),
        NOTIFY => (NOTIFY_FLAGS, flags & 0x0800_0000 != 0),
        _ => (&[][..], false),
    };
    if !matches!(kind, REGISTER | NOTIFY) {
        return Ok(());
    }
    if p.verbose(1) {
        put!(p, " flags [");
        bits(p, table, flags, ", ", "none");
        put!(p, "],");
    }
    message(p, c, length, flags & 0xff, identified)
}

fn message(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    length: usize,
    records: u32,
    identified: bool,
) -> Printed {
    put!(
        p,
        if p.style.verbose > 0 { "\n    " } else { " " },
        records,
        " record(s),"
    );
    c.skip(8)?;
    let (key, size) = (c.u16()?, usize::from(c.u16()?));
    if p.verbose(1) {
        put!(p, " Authentication ", named(KEYS, key, "unknown-type"), ",");
    }
    let left = length.saturating_sub(HEADER + REGISTER_HEADER);
    if size > left {
        put!(p, " [authentication data length ", size, " > ", left, "]");
        p.invalid();
        return Ok(());
    }
    if p.verbose(1) {
        let there = c.limit(size).rest();
        hexdump::hex(p, "\n    Authentication-Data: ", there);
    }
    c.skip(size)?;
    if records == 0 {
        p.invalid();
    }
    for _ in 0..records {
        if c.is_empty() {
            break;
        }
        if !record(p, &mut c)? {
            return Ok(());
        }
    }
    if identified {
        let Ok(id) = c.take(16) else {
            return Err(Truncated);
        };
        hexdump::hex(p, "\n    xTR-ID: ", id);
        put!(p, "\n    SITE-ID: ", c.u64()?);
    } else if records > 0 && !c.is_empty() {
        hexdump::hex(p, "\n    Data: ", c.rest());
    }
    Ok(())
}

/// An identifier and its locators (RFC 6830 section 6.1.4); `false` if it cannot be understood.
fn record(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<bool, Truncated> {
    c.need(12)?;
    put!(p, "\n");
    let (ttl, locators, width) = (c.u32()?, c.u8()?, c.u8()?);
    let (action, version, family) = (c.u16()?, c.u16()?, c.u16()?);
    if p.verbose(1) {
        put!(p, "      Record TTL ", ttl, ",");
        let authoritative = action & 0x1000 != 0;
        put!(
            p,
            if authoritative {
                " Authoritative,"
            } else {
                " Non-Authoritative,"
            }
        );
        let code = u8::try_from(action >> 13).unwrap_or(0);
        put!(
            p,
            " ",
            named(ACTIONS, code, "unknown"),
            ", Map Version: ",
            version & 0xfff,
            ","
        );
    }
    match family {
        1 => {
            let addr = Ipv4Addr::from(c.u32()?);
            put!(p, " EID ");
            p.addr(addr);
        }
        2 => {
            let addr = Ipv6Addr::from(c.u128()?);
            put!(p, " EID ");
            p.addr(addr);
        }
        other => {
            put!(p, " [unsupported address family identifier ", other, "]");
            return Ok(false);
        }
    }
    put!(p, "/", width, ", ", locators, " locator(s)");
    for _ in 0..locators {
        c.need(8)?;
        let [priority, weight, many, many_weight] = c.array()?;
        let (flags, family) = (c.u16()?, c.u16()?);
        if p.verbose(1) {
            put!(p, "\n       ");
        }
        match family {
            1 => {
                let addr = Ipv4Addr::from(c.u32()?);
                put!(p, " LOC ");
                p.addr(addr);
            }
            2 => {
                let addr = Ipv6Addr::from(c.u128()?);
                put!(p, " LOC ");
                p.addr(addr);
            }
            _ => {}
        }
        if p.verbose(1) {
            put!(p, "\n          Priority/Weight ", priority, "/", weight);
            put!(
                p,
                ", Multicast Priority/Weight ",
                many,
                "/",
                many_weight,
                ", flags ["
            );
            bits(p, LOCATOR_FLAGS, u32::from(flags), ", ", "none");
            put!(p, "],");
        }
    }
    Ok(true)
}
