//! EAP (RFC 3748) and EAPOL (IEEE 802.1X).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, bits, lookup};
use crate::put::{HexFull, Visible, put};

static FRAMES: &[(u8, &str)] = &[
    (0, "EAP packet"),
    (1, "EAPOL start"),
    (2, "EAPOL logoff"),
    (3, "EAPOL key"),
    (4, "Encapsulated ASF alert"),
];

const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;

static CODES: &[(u8, &str)] = &[
    (REQUEST, "Request"),
    (RESPONSE, "Response"),
    (3, "Success"),
    (4, "Failure"),
];

static TYPES: &[(u8, &str)] = &[
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

static SUBTYPES: &[(u8, &str)] = &[
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

/// A frame of EAP over LAN.
pub(crate) fn eapol(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "eap";
    if length < 4 {
        put!(p, " (too short for EAPOL header)");
        p.invalid();
        return Ok(());
    }
    let mut peek = c;
    peek.skip(4)?;
    let (version, kind, stated) = (c.u8()?, c.u8()?, c.u16()?);
    put!(
        p,
        lookup(FRAMES, kind).unwrap_or("unknown"),
        " (",
        kind,
        ") v",
        version
    );
    put!(p, ", len ", stated);
    if kind == 0 && p.verbose(1) {
        if stated == 0 {
            p.invalid();
            return Ok(());
        }
        put!(p, ", ");
        return eap(p, Cursor::new(c.rest()), usize::from(stated));
    }
    Ok(())
}

/// An EAP packet, of EAPOL, PPP or RADIUS.
pub(crate) fn eap(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "eap";
    if packet(p, Cursor::new(c.rest()), length)? {
        return Ok(());
    }
    p.invalid();
    Ok(())
}

/// `false` if the packet contradicts itself.
fn packet(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    c.need(4)?;
    let (code, id) = (c.u8()?, c.u8()?);
    let stated = usize::from(c.u16()?);
    if stated != length {
        put!(p, "EAP fragment?");
        return Ok(true);
    }
    put!(
        p,
        lookup(CODES, code).unwrap_or("unknown"),
        " (",
        code,
        "), id ",
        id,
        ", len ",
        stated
    );
    if stated < 4 {
        put!(p, " (too short for EAP header)");
        return Ok(false);
    }
    if code != REQUEST && code != RESPONSE {
        return Ok(true);
    }
    if stated < 5 {
        put!(p, " (too short for EAP request/response)");
        return Ok(false);
    }
    let kind = c.u8()?;
    put!(
        p,
        "\n\t\t Type ",
        lookup(TYPES, kind).unwrap_or("unknown"),
        " (",
        kind,
        ")"
    );
    let left = stated - 5;
    match kind {
        1 | 2 if left == 0 => {}
        1 | 2 => {
            put!(
                p,
                if kind == 1 {
                    ", Identity: "
                } else {
                    ", Notification: "
                }
            );
            put!(p, Visible(c.limit(left).rest()));
            c.need(left)?;
        }
        3 => {
            if left < 1 {
                put!(p, " (too short for EAP Legacy NAK request/response)");
                return Ok(false);
            }
            // One or several types that the peer would rather have.
            let mut comma = "";
            for _ in 0..left {
                let wanted = c.u8()?;
                let name = lookup(TYPES, wanted).unwrap_or("unknown");
                put!(p, comma, " ", name, " (", wanted, ")");
                comma = ",";
            }
        }
        13 | 21 | 43 => return tls(p, kind, c, left),
        18 | 23 => {
            if left < 1 {
                put!(p, " (too short for EAP SIM/AKA request/response)");
                return Ok(false);
            }
            let subtype = c.u8()?;
            let name = lookup(SUBTYPES, subtype).unwrap_or("unknown");
            put!(p, " subtype [", name, "] 0x", HexFull(subtype));
        }
        _ => {}
    }
    Ok(true)
}

/// TLS, TTLS and FAST, which fragment what they carry.
fn tls(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, left: usize) -> Result<bool, Truncated> {
    let what = if kind == 43 { "FAST" } else { "TLS/TTLS" };
    if left < 1 {
        put!(p, " (too short for EAP ", what, " request/response)");
        return Ok(false);
    }
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
        if left < 5 {
            put!(
                p,
                " (too short for EAP ",
                what,
                " request/response with length)"
            );
            return Ok(false);
        }
        put!(p, ", len ", c.u32()?);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "020000000002020000000001888e010000080102000801616263",
            style(1),
            "EAP packet (0) v1, len 8, Request (1), id 2, len 8\n\t\t Type Identity (1), Identity: abc\n",
        );
    }
}
