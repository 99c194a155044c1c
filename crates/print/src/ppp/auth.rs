//! Who is at the other end: PAP (RFC 1334) and CHAP (RFC 1994).

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, lookup};
use crate::put::{HexBytes, HexFull, Visible, put};

static PAP: &[(u8, &str)] = &[(1, "Auth-Req"), (2, "Auth-ACK"), (3, "Auth-NACK")];
static CHAP: &[(u8, &str)] = &[
    (1, "Challenge"),
    (2, "Response"),
    (3, "Success"),
    (4, "Fail"),
];

/// Bytes of a name or message: as many as the packet says.
fn text(p: &mut Out<'_>, c: &mut Cursor<'_>, name: &str, length: usize) -> Printed {
    put!(p, name, Visible(c.limit(length).rest()));
    c.skip(length)
}

/// A PAP packet of `length` bytes.
pub(super) fn pap(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let whole = c;
    if length < 1 {
        put!(p, "[|pap]");
        return Ok(());
    }
    let code = c.u8()?;
    if length < 4 {
        put!(p, "[|pap 0x", HexFull(code), "]");
        return Ok(());
    }
    put!(
        p,
        "PAP, ",
        lookup(PAP, code).unwrap_or("unknown"),
        " (0x",
        HexFull(code),
        ")"
    );
    put!(p, ", id ", c.u8()?);
    let stated = usize::from(c.u16()?);
    if stated > length {
        put!(p, ", length ", stated, " > packet size");
        return Ok(());
    }
    if stated < 4 {
        put!(p, ", length ", stated, " < PAP header length");
        return Ok(());
    }
    let left = |c: &Cursor<'_>| stated.saturating_sub(c.position() - whole.position());
    // What does not fit in the packet's own length is left out.
    let part = |p: &mut Out<'_>, c: &mut Cursor<'_>, name: &str| -> Result<bool, _> {
        if left(c) < 1 {
            return Ok(false);
        }
        let size = usize::from(c.u8()?);
        if left(c) < size {
            return Ok(false);
        }
        text(p, c, name, size).map(|()| true)
    };
    match code {
        // Each is at least a length (RFC 1334 section 2.2.2), which some leave out.
        1..=3 if left(&c) < 1 => put!(p, "[|pap]"),
        1 => {
            let _ = part(p, &mut c, ", Peer ")? && part(p, &mut c, ", Name ")?;
        }
        2 | 3 => {
            part(p, &mut c, ", Msg ")?;
        }
        _ => {}
    }
    Ok(())
}

/// A CHAP packet of `length` bytes.
pub(super) fn chap(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let whole = c;
    if length < 1 {
        put!(p, "[|chap]");
        return Ok(());
    }
    let code = c.u8()?;
    if length < 4 {
        put!(p, "[|chap 0x", HexFull(code), "]");
        return Ok(());
    }
    put!(
        p,
        "CHAP, ",
        lookup(CHAP, code).unwrap_or("unknown"),
        " (0x",
        HexFull(code),
        ")"
    );
    put!(p, ", id ", c.u8()?);
    let stated = usize::from(c.u16()?);
    let gone = |c: &Cursor<'_>| c.position() - whole.position();
    match code {
        1 | 2 => {
            if length - 4 < 1 {
                return Ok(());
            }
            let size = usize::from(c.u8()?);
            if length - 5 < size {
                return Ok(());
            }
            put!(p, ", Value ", HexBytes(c.limit(size).rest()));
            c.skip(size)?;
            let name = stated.saturating_sub(gone(&c));
            text(p, &mut c, ", Name ", name)
        }
        3 | 4 => {
            let message = stated.saturating_sub(gone(&c));
            text(p, &mut c, ", Msg ", message)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(9),
            "ff03c0230101000a016103626364",
            style(0),
            "PAP, Auth-Req (0x01), id 1, Peer a, Name bcd\n",
        );
        check(
            LinkType(9),
            "ff03c2230101000902abcd6162",
            style(0),
            "CHAP, Challenge (0x01), id 1, Value abcd, Name ab\n",
        );
    }
}
