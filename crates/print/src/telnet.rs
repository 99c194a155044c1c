//! Telnet's commands (RFC 854, RFC 855, RFC 2941, RFC 2946); text between them is not shown.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, put};

const SE: u8 = 240;
const SB: u8 = 250;
const WILL: u8 = 251;
const DONT: u8 = 254;
const IAC: u8 = 255;
const AUTHENTICATION: u8 = 37;
const ENCRYPT: u8 = 38;

/// From 236 on.
static COMMANDS: &[&str] = &[
    "EOF", "SUSP", "ABORT", "EOR", "SE", "NOP", "DMARK", "BRK", "IP", "AO", "AYT", "EC", "EL",
    "GA", "SB", "WILL", "WONT", "DO", "DONT", "IAC",
];

/// From 0 on.
static OPTIONS: &[&str] = &[
    "BINARY",
    "ECHO",
    "RCP",
    "SUPPRESS GO AHEAD",
    "NAME",
    "STATUS",
    "TIMING MARK",
    "RCTE",
    "NAOL",
    "NAOP",
    "NAOCRD",
    "NAOHTS",
    "NAOHTD",
    "NAOFFD",
    "NAOVTS",
    "NAOVTD",
    "NAOLFD",
    "EXTEND ASCII",
    "LOGOUT",
    "BYTE MACRO",
    "DATA ENTRY TERMINAL",
    "SUPDUP",
    "SUPDUP OUTPUT",
    "SEND LOCATION",
    "TERMINAL TYPE",
    "END OF RECORD",
    "TACACS UID",
    "OUTPUT MARKING",
    "TTYLOC",
    "3270 REGIME",
    "X.3 PAD",
    "NAWS",
    "TSPEED",
    "LFLOW",
    "LINEMODE",
    "XDISPLOC",
    "OLD-ENVIRON",
    "AUTHENTICATION",
    "ENCRYPT",
    "NEW-ENVIRON",
];

static ACTIONS: &[(u8, &str)] = &[(0, "IS"), (1, "SEND"), (2, "INFO")];

static AUTHENTICATION_ACTIONS: &[(u8, &str)] = &[(0, "IS"), (1, "SEND"), (2, "REPLY"), (3, "NAME")];

static AUTHENTICATION_TYPES: &[(u8, &str)] = &[
    (0, "NULL"),
    (1, "KERBEROS_V4"),
    (2, "KERBEROS_V5"),
    (3, "SPX"),
    (4, "MINK"),
    (5, "SRP"),
    (6, "RSA"),
    (7, "SSL"),
    (10, "LOKI"),
    (11, "SSA"),
    (12, "KEA_SJ"),
    (13, "KEA_SJ_INTEG"),
    (14, "DSS"),
    (15, "NTLM"),
];

static ENCRYPT_ACTIONS: &[(u8, &str)] = &[
    (0, "IS"),
    (1, "SUPPORT"),
    (2, "REPLY"),
    (3, "START"),
    (4, "END"),
    (5, "REQUEST-START"),
    (6, "REQUEST-END"),
    (7, "END_KEYID"),
    (8, "DEC_KEYID"),
];

static ENCRYPT_TYPES: &[(u8, &str)] = &[
    (0, "NULL"),
    (1, "DES_CFB64"),
    (2, "DES_OFB64"),
    (3, "DES3_CFB64"),
    (4, "DES3_OFB64"),
    (8, "CAST128_CFB64"),
    (9, "CAST128_OFB64"),
];

/// A segment of `length` bytes: its commands up to the first byte that belongs to none.
pub(crate) fn telnet(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "telnet";
    let mut c = c;
    let mut left = length;
    let mut before = " [telnet ";
    while left > 0 {
        let Some(size) = size(c, left)? else { break };
        put!(p, before);
        before = ", ";
        command(p, c.limit(size), size)?;
        c.skip(size)?;
        left -= size;
    }
    if before == ", " {
        put!(p, "]");
    }
    Ok(())
}

/// The bytes of the command that the segment goes on with, if it does and the command is whole.
fn size(c: Cursor<'_>, left: usize) -> Result<Option<usize>, Truncated> {
    let mut c = c;
    if c.u8()? != IAC || left < 2 {
        return Ok(None);
    }
    match c.u8()? {
        WILL..=DONT if left < 3 => Ok(None),
        WILL..=DONT => c.u8().map(|_| Some(3)),
        SB if left < 3 => Ok(None),
        SB => {
            c.u8()?;
            negotiation(c, left - 3)
        }
        236..=249 | IAC => Ok(Some(2)),
        _ => Ok(None),
    }
}

/// The same for a negotiation, from behind its option: to the end mark.
fn negotiation(c: Cursor<'_>, left: usize) -> Result<Option<usize>, Truncated> {
    let mut c = c;
    let mut size = 3;
    c.need(1)?;
    while size - 3 < left {
        let byte = c.u8()?;
        size += 1;
        if byte == IAC {
            if size - 3 == left {
                // compat: what is behind the segment's last byte counts as the rest of the mark.
                return Ok(Some(size + 1));
            }
            if c.limit(1).u8()? == SE {
                return Ok(Some(size + 1));
            }
        }
    }
    Ok(None)
}

/// A command of `size` bytes.
fn command(p: &mut Out<'_>, c: Cursor<'_>, size: usize) -> Printed {
    let mut c = c;
    c.skip(1)?;
    let code = c.u8()?;
    let name = code
        .checked_sub(236)
        .and_then(|at| COMMANDS.get(usize::from(at)));
    if code == IAC {
        put!(p, "IAC ");
    }
    put!(p, name.copied().unwrap_or("?"));
    if !(SB..=DONT).contains(&code) {
        return Ok(());
    }
    let option = c.u8()?;
    match OPTIONS.get(usize::from(option)) {
        Some(name) => put!(p, " ", *name),
        None => hex(p, option),
    }
    if code != SB {
        return Ok(());
    }
    let mut values = c.limit(size.saturating_sub(5));
    if !values.is_empty() {
        action(p, option, values.u8()?, &mut values);
    }
    for &byte in values.rest() {
        hex(p, byte);
    }
    put!(p, " SE");
    Ok(())
}

/// The first byte of a negotiation, and the method that may follow it.
fn action(p: &mut Out<'_>, option: u8, action: u8, values: &mut Cursor<'_>) {
    let (actions, types) = match option {
        AUTHENTICATION => (AUTHENTICATION_ACTIONS, AUTHENTICATION_TYPES),
        ENCRYPT => (ENCRYPT_ACTIONS, ENCRYPT_TYPES),
        _ => (ACTIONS, &[][..]),
    };
    one(p, actions, action);
    if !types.is_empty()
        && let Ok(kind) = values.u8()
    {
        one(p, types, kind);
    }
}

fn one(p: &mut Out<'_>, table: &[(u8, &'static str)], value: u8) {
    match lookup(table, value) {
        Some(name) => put!(p, " ", name),
        None => hex(p, value),
    }
}

/// C's `%#x`.
fn hex(p: &mut Out<'_>, value: u8) {
    if value == 0 {
        put!(p, " 0");
    } else {
        put!(p, " 0x", Hex(value));
    }
}
