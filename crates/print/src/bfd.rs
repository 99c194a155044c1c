//! Bidirectional forwarding detection (RFC 5880, RFC 5881, RFC 5883, RFC 7130, RFC 7881).

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, bits, named};
use crate::put::{HexBytes, HexFull, Padded, Visible, put};

static DIAGNOSTICS: &[(u8, &str)] = &[
    (0, "No Diagnostic"),
    (1, "Control Detection Time Expired"),
    (2, "Echo Function Failed"),
    (3, "Neighbor Signaled Session Down"),
    (4, "Forwarding Plane Reset"),
    (5, "Path Down"),
    (6, "Concatenated Path Down"),
    (7, "Administratively Down"),
    (8, "Reverse Concatenated Path Down"),
];

static V0_FLAGS: &[(u32, &str)] = &[
    (0x80, "I Hear You"),
    (0x40, "Demand"),
    (0x20, "Poll"),
    (0x10, "Final"),
    (0x08, "Control Plane Independent"),
    (0x04, "Authentication Present"),
    (0x02, "Reserved"),
    (0x01, "Reserved"),
];

static V1_FLAGS: &[(u32, &str)] = &[
    (0x20, "Poll"),
    (0x10, "Final"),
    (0x08, "Control Plane Independent"),
    (0x04, "Authentication Present"),
    (0x02, "Demand"),
    (0x01, "Multipoint"),
];

static STATES: &[(u8, &str)] = &[(0, "AdminDown"), (1, "Down"), (2, "Init"), (3, "Up")];

static AUTHENTICATIONS: &[(u8, &str)] = &[
    (1, "Simple Password"),
    (2, "Keyed MD5"),
    (3, "Meticulous Keyed MD5"),
    (4, "Keyed SHA1"),
    (5, "Meticulous Keyed SHA1"),
];

const AUTHENTICATED: u8 = 4;
const HEADER: usize = 24;

pub(crate) fn control(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    bfd(p, c, length, "Control")
}

pub(crate) fn multihop(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    bfd(p, c, length, "Multihop")
}

pub(crate) fn lag(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    bfd(p, c, length, "LAG")
}

pub(crate) fn seamless(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    bfd(p, c, length, "S-BFD")
}

/// An echo is its sender's own affair: nothing of it is known.
pub(crate) fn echo(p: &mut Out<'_>, _: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "bfd";
    put!(p, "BFD, Echo, length: ", length);
    Ok(())
}

fn bfd(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, session: &str) -> Printed {
    p.protocol = "bfd";
    let whole = c;
    let first = c.u8()?;
    let version = first >> 5;
    if p.verbose(1) && version < 2 {
        whole.need(HEADER)?;
    }
    let diagnostic = first & 31;
    let flags = c.u8()?;
    match version {
        0 if !p.verbose(1) => {
            put!(p, "BFDv0, Control, Flags: [");
            bits(p, V0_FLAGS, u32::from(flags), ", ", "none");
            put!(p, "], length: ", length);
            return Ok(());
        }
        0 => {
            put!(p, "BFDv0, length: ", length, "\n\tControl, Flags: [");
            bits(p, V0_FLAGS, u32::from(flags), ", ", "none");
        }
        1 => {
            let state = named(STATES, flags >> 6, "unknown");
            if p.verbose(1) {
                put!(p, "BFDv1, length: ", length, "\n\t", session);
            } else {
                put!(p, "BFDv1, ", session);
            }
            put!(p, ", State ", state, ", Flags: [");
            bits(p, V1_FLAGS, u32::from(flags & 0x3f), ", ", "none");
            if !p.verbose(1) {
                put!(p, "], length: ", length);
                return Ok(());
            }
        }
        _ => {
            put!(p, "BFDv", version, ", Control, length: ", length);
            return Ok(());
        }
    }
    let name = named(DIAGNOSTICS, diagnostic, "unknown");
    put!(p, "], Diagnostic: ", name, " (0x", HexFull(diagnostic), ")");
    fields(p, &mut c)?;
    if flags & AUTHENTICATED != 0 {
        authentication(p, &mut c)?;
    }
    Ok(())
}

/// Times are in microseconds on the wire.
fn fields(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let multiplier = c.u8()?;
    let stated = c.u8()?;
    let mine = c.u32()?;
    let yours = c.u32()?;
    let transmit = c.u32()?;
    // compat: 32 bits.
    let detection = u32::from(multiplier).wrapping_mul(transmit) / 1000;
    put!(
        p,
        "\n\tDetection Timer Multiplier: ",
        multiplier,
        " (",
        detection
    );
    put!(p, " ms Detection time), BFD Length: ", stated);
    put!(p, "\n\tMy Discriminator: 0x", HexFull(mine));
    put!(p, ", Your Discriminator: 0x", HexFull(yours));
    let ms = |micros: u32| Padded(u64::from(micros / 1000), 4);
    put!(p, "\n\t  Desired min Tx Interval:    ", ms(transmit), " ms");
    put!(p, "\n\t  Required min Rx Interval:   ", ms(c.u32()?), " ms");
    put!(p, "\n\t  Required min Echo Interval: ", ms(c.u32()?), " ms");
    Ok(())
}

/// RFC 5880 section 4.2 to 4.4.
fn authentication(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    c.need(3)?;
    let kind = c.u8()?;
    let length = c.u8()?;
    put!(
        p,
        "\n\tAuthentication: ",
        named(AUTHENTICATIONS, kind, "Unknown")
    );
    put!(p, " (", kind, "), length: ", length);
    let key = c.u8()?;
    put!(p, "\n\t  Auth Key ID: ", key);
    let wrong = match kind {
        1 => !(4..=19).contains(&length),
        2 | 3 => length != 24,
        4 | 5 => length != 28,
        _ => false,
    };
    if wrong {
        put!(p, "[invalid length ", length, "]");
        return Ok(());
    }
    match kind {
        1 => {
            let there = c.limit(usize::from(length) - 3).rest();
            put!(p, ", Password: ", Visible(there));
            c.skip(usize::from(length) - 3)?;
        }
        2..=5 => {
            c.skip(1)?;
            put!(p, ", Sequence Number: 0x", HexFull(c.u32()?));
            let (name, size) = if kind < 4 {
                ("Digest", 16)
            } else {
                ("Hash", 20)
            };
            put!(p, "\n\t  ", name, ": ", HexBytes(c.take(size)?));
        }
        _ => {}
    }
    Ok(())
}
