//! EAP, as RADIUS and EAPOL carry it (RFC 3748).

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, bits, lookup};
use crate::put::{HexFull, Visible, put};

static CODES: &[(u8, &str)] = &[
    (1, "Request"),
    (2, "Response"),
    (3, "Success"),
    (4, "Failure"),
];

static METHODS: &[(u8, &str)] = &[
    (0, "No proposed"),
    (1, "Identity"),
    (2, "Notification"),
    (3, "Nak"),
    (4, "MD5-challenge"),
    (5, "OTP"),
    (6, "GTC"),
    (13, "TLS"),
    (18, "SIM"),
    (21, "TTLS"),
    (23, "AKA"),
    (43, "FAST"),
    (254, "Expanded types"),
    (255, "Experimental"),
];

static TLS_FLAGS: &[(u32, &str)] = &[
    (0x80, "L bit"),
    (0x40, "More fragments bit"),
    (0x20, "Start bit"),
];

static AKA_SUBTYPES: &[(u8, &str)] = &[
    (1, "Challenge"),
    (2, "Auth reject"),
    (4, "Sync failure"),
    (5, "Identity"),
    (10, "Start"),
    (11, "Challenge"),
    (12, "Notification"),
    (13, "Reauth"),
    (14, "Client error"),
];

fn method(p: &mut Out<'_>, number: u8) {
    put!(p, lookup(METHODS, number).unwrap_or("unknown"));
    put!(p, " (", number, ")");
}

/// A packet of `length` bytes.
pub(crate) fn eap(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "eap";
    let whole = c;
    let mut c = c;
    let (code, id, stated) = (c.u8()?, c.u8()?, usize::from(c.u16()?));
    put!(p, lookup(CODES, code).unwrap_or("unknown"), " (", code);
    put!(p, "), id ", id, ", len ", stated);
    if stated > length {
        return p.invalid_message(whole, length);
    }
    if !matches!(code, 1 | 2) {
        return Ok(());
    }
    if stated < 5 {
        put!(p, " (too short for EAP request/response)");
        return Ok(());
    }
    let kind = c.u8()?;
    put!(p, "\n\t\t Type ");
    method(p, kind);
    let left = stated - 5;
    match kind {
        1 | 2 if left > 0 => {
            let text = c.limit(left).rest();
            let name = if kind == 1 {
                "Identity"
            } else {
                "Notification"
            };
            put!(p, ", ", name, ": ", Visible(text));
            c.need(left)
        }
        3 if left < 1 => {
            put!(p, " (too short for EAP Legacy NAK request/response)");
            Ok(())
        }
        3 => {
            // One method at least; the list of all has commas.
            for n in 0..left {
                put!(p, if n == 0 { " " } else { ", " });
                method(p, c.u8()?);
            }
            Ok(())
        }
        13 | 21 | 43 if left < 1 => {
            let methods = if kind == 43 { "FAST" } else { "TLS/TTLS" };
            put!(p, " (too short for EAP ", methods, " request/response)");
            Ok(())
        }
        13 | 21 | 43 => tls(p, kind, c),
        18 | 23 if left < 1 => {
            put!(p, " (too short for EAP SIM/AKA request/response)");
            Ok(())
        }
        18 | 23 => {
            let subtype = c.u8()?;
            let name = lookup(AKA_SUBTYPES, subtype).unwrap_or("unknown");
            put!(p, " subtype [", name, "] 0x", HexFull(subtype));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn tls(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>) -> Printed {
    let flags = c.u8()?;
    match kind {
        21 => put!(p, " TTLSv", flags & 7),
        43 => put!(p, " FASTv", flags & 7),
        _ => {}
    }
    put!(p, " flags [");
    bits(p, TLS_FLAGS, u32::from(flags), ", ", "none");
    put!(p, "] 0x", HexFull(flags));
    if flags & 0x80 != 0 {
        put!(p, ", len ", c.u32()?);
    }
    Ok(())
}
