//! Kerberos: messages of version 4, the version of others.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup, until_zero};
use crate::put::{Visible, put};

const KDC_REQUEST: u8 = 1;
const KDC_REPLY: u8 = 2;
const APPL_REQUEST: u8 = 3;
const ERR_REPLY: u8 = 5;

static KINDS: &[(u8, &str)] = &[
    (KDC_REQUEST, "KDC_REQUEST"),
    (KDC_REPLY, "KDC_REPLY"),
    (APPL_REQUEST, "APPL_REQUEST"),
    (4, "APPL_REQUEST_MUTUAL"),
    (ERR_REPLY, "ERR_REPLY"),
    (6, "PRIVATE"),
    (7, "SAFE"),
    (8, "APPL_ERR"),
];

static ERRORS: &[(u16, &str)] = &[
    (0, "OK"),
    (1, "NAME_EXP"),
    (2, "SERVICE_EXP"),
    (3, "AUTH_EXP"),
    (4, "PKT_VER"),
    (5, "NAME_MAST_KEY_VER"),
    (6, "SERV_MAST_KEY_VER"),
    (7, "BYTE_ORDER"),
    (8, "PRINCIPAL_UNKNOWN"),
    (9, "PRINCIPAL_NOT_UNIQUE"),
    (10, "NULL_KEY"),
];

/// A datagram.
pub(crate) fn krb(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "krb";
    let mut c = Cursor::new(c.limit(length).rest());
    put!(p, "kerberos");
    match c.u8()? {
        version @ 1..=3 => put!(p, " v", version),
        4 => {
            put!(p, " v4");
            return version4(p, c);
        }
        // The tag of a request or reply to a server of keys, in ASN.1 (RFC 4120 section 5.4).
        106 | 107 => put!(p, " v5"),
        _ => {}
    }
    Ok(())
}

fn version4(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let first = c.u8()?;
    let (little, kind) = (first & 1 != 0, first >> 1);
    put!(p, if little { " le " } else { " be " });
    match lookup(KINDS, kind) {
        Some(name) => put!(p, name, ": "),
        None => put!(p, "#", first & !1, ": "),
    }
    let number = |c: &mut Cursor<'_>| if little { c.u16_le() } else { c.u16() };
    match kind {
        KDC_REQUEST => {
            principal(p, &mut c)?;
            c.skip(4)?;
            put!(p, " ", u32::from(c.u8()?) * 5, "min ");
            string(p, &mut c)?;
            put!(p, ".");
            string(p, &mut c)?;
        }
        KDC_REPLY => {
            principal(p, &mut c)?;
            c.skip(10)?;
            put!(p, " (", number(&mut c)?, ")");
        }
        APPL_REQUEST => {
            put!(p, "v", c.u8()?, " ");
            string(p, &mut c)?;
            put!(p, " (", c.u8()?, ")");
            put!(p, " (", c.u8()?, ")");
        }
        ERR_REPLY => {
            principal(p, &mut c)?;
            c.skip(4)?;
            let error = number(&mut c)?;
            let after = c.skip(2);
            match lookup(ERRORS, error) {
                Some(name) => put!(p, " ", name, " "),
                None => put!(p, " #", error, " "),
            }
            after?;
            string(p, &mut c)?;
        }
        _ => put!(p, "(unknown)"),
    }
    Ok(())
}

/// `name.instance@realm`.
fn principal(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    string(p, c)?;
    put!(p, ".");
    string(p, c)?;
    put!(p, "@");
    string(p, c)
}

fn string(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let (text, ended) = until_zero(c);
    put!(p, Visible(text));
    if ended { Ok(()) } else { Err(Truncated) }
}
