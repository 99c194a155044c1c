//! TFTP (RFC 1350) and its options (RFC 2347).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup, until_zero};
use crate::put::{Visible, put};

static OPERATIONS: &[(u16, &str)] = &[
    (1, "RRQ"),
    (2, "WRQ"),
    (3, "DATA"),
    (4, "ACK"),
    (5, "ERROR"),
    (6, "OACK"),
];

static ERRORS: &[(u16, &str)] = &[
    (0, "EUNDEF"),
    (1, "ENOTFOUND"),
    (2, "EACCESS"),
    (3, "ENOSPACE"),
    (4, "EBADOP"),
    (5, "EBADID"),
    (6, "EEXISTS"),
    (7, "ENOUSER"),
];

/// A message.
pub(crate) fn tftp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "tftp";
    let mut c = c.limit(length);
    put!(p, "TFTP, length ", length);
    let operation = c.u16()?;
    match lookup(OPERATIONS, operation) {
        Some(name) => put!(p, ", ", name),
        None => put!(p, ", tftp-#", operation),
    }
    match operation {
        1 | 2 => {
            quoted(p, &mut c, length)?;
            if c.position() >= length {
                return Err(Truncated);
            }
            put!(p, " ");
            text(p, &mut c)?;
            options(p, c, length)
        }
        6 => options(p, c, length),
        3 | 4 => {
            put!(p, " block ", c.u16()?);
            Ok(())
        }
        5 => {
            let code = c.u16()?;
            match lookup(ERRORS, code) {
                Some(name) => put!(p, " ", name),
                // compat: the quotation mark is tcpdump's (4.99.3).
                None => put!(p, " tftp-err-#", code, " \""),
            }
            quoted(p, &mut c, length)
        }
        _ => Ok(()),
    }
}

/// A file's name or an error's message.
fn quoted(p: &mut Out<'_>, c: &mut Cursor<'_>, length: usize) -> Printed {
    if c.position() >= length {
        return Err(Truncated);
    }
    put!(p, " \"");
    let ended = text(p, c);
    put!(p, "\"");
    ended
}

/// A text and the zero that ends it.
fn text(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let (text, ended) = until_zero(c);
    put!(p, Visible(text));
    ended.then_some(()).ok_or(Truncated)
}

/// Names and values; the empty ones are not shown.
fn options(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    while c.position() < length {
        if c.rest().first().is_some_and(|&byte| byte != 0) {
            put!(p, " ");
        }
        text(p, &mut c)?;
    }
    Ok(())
}
