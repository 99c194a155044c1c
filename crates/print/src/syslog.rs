//! Syslog (RFC 3164).

use pktwho_wire::Cursor;

use crate::hexdump;
use crate::out::{Out, Printed};
use crate::put::{Visible, put};

static SEVERITIES: [&str; 8] = [
    "emergency",
    "alert",
    "critical",
    "error",
    "warning",
    "notice",
    "info",
    "debug",
];

static FACILITIES: [&str; 24] = [
    "kernel", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron",
    "authpriv", "ftp", "ntp", "security", "console", "cron", "local0", "local1", "local2",
    "local3", "local4", "local5", "local6", "local7",
];

/// The longest text before `>`: a `<` and three digits.
const PRIORITY: usize = 4;

/// A message: its priority, and its text with `-v`.
pub(crate) fn syslog(p: &mut Out<'_>, whole: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "syslog";
    let mut c = whole.limit(length);
    if c.u8()? != b'<' {
        p.invalid();
        return Ok(());
    }
    let mut priority = 0_u16;
    let mut digits = 1;
    loop {
        match c.u8()? {
            b'>' => break,
            byte @ b'0'..=b'9' if digits < PRIORITY => {
                priority = priority * 10 + u16::from(byte - b'0');
                digits += 1;
            }
            _ => {
                p.invalid();
                return Ok(());
            }
        }
    }
    let severity = SEVERITIES.get(usize::from(priority & 7)).copied();
    let severity = severity.unwrap_or_default();
    let facility = priority >> 3;
    if !p.verbose(1) {
        put!(p, "SYSLOG ");
        name(p, facility);
        put!(p, ".", severity, ", length: ", length);
        return Ok(());
    }
    put!(p, "SYSLOG, length: ", length, "\n\tFacility ");
    name(p, facility);
    put!(
        p,
        " (",
        facility,
        "), Severity ",
        severity,
        " (",
        priority & 7
    );
    put!(p, ")\n\tMsg: ", Visible(c.rest()));
    if p.verbose(2) {
        hexdump::hex(p, "\n\t", whole.limit(length).rest());
    }
    whole.need(length)
}

fn name(p: &mut Out<'_>, facility: u16) {
    match FACILITIES.get(usize::from(facility)) {
        Some(name) => put!(p, *name),
        None => put!(p, "unknown (", facility, ")"),
    }
}
