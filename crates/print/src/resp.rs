//! RESP, the protocol of Redis.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{Visible, put};

/// What the loop over elements does next.
enum Next {
    /// So many more elements belong to an array.
    More(u64),
    /// What follows cannot be told apart.
    Stop,
}

/// A stretch of elements; those of arrays stand in one row with the others.
pub(crate) fn resp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "resp";
    put!(p, ": RESP");
    let mut left = c;
    // Elements of arrays that are still to come.
    let mut expected = 0_u64;
    while !left.is_empty() {
        match element(p, &mut left)? {
            Next::More(count) => expected = expected.saturating_sub(1).saturating_add(count),
            Next::Stop => return Ok(()),
        }
    }
    if expected > 0 {
        return Err(Truncated);
    }
    c.need(length)
}

fn element(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<Next, Truncated> {
    match c.rest().first() {
        Some(b'+' | b'-' | b':') => {
            c.skip(1)?;
            quoted(p, line(c)?);
        }
        Some(b'$') => return bulk(p, c),
        Some(b'*') => {
            return Ok(Next::More(match number(p, c)? {
                Some(0) => {
                    put!(p, " empty");
                    0
                }
                Some(count) => u64::from(count),
                None => 0,
            }));
        }
        _ => inline(p, c)?,
    }
    Ok(Next::More(0))
}

fn quoted(p: &mut Out<'_>, text: &[u8]) {
    put!(p, " \"", Visible(text), "\"");
}

/// The bytes up to the next end of line, which is passed over.
fn line<'a>(c: &mut Cursor<'a>) -> Result<&'a [u8], Truncated> {
    let end = c.rest().windows(2).position(|pair| pair == b"\r\n");
    let text = c.take(end.ok_or(Truncated)?)?;
    c.skip(2)?;
    Ok(text)
}

/// A string of stated length.
fn bulk(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<Next, Truncated> {
    let Some(length) = number(p, c)? else {
        return Ok(Next::More(0));
    };
    let text = c.take(usize::try_from(length).unwrap_or(usize::MAX))?;
    if text.is_empty() {
        put!(p, " empty");
    } else {
        quoted(p, text);
    }
    if line(c)?.is_empty() {
        Ok(Next::More(0))
    } else {
        Ok(Next::Stop)
    }
}

/// A line that is no element: a command as people type it.
fn inline(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    line_ends(c);
    let end = c
        .rest()
        .iter()
        .position(|byte| matches!(byte, b'\r' | b'\n'));
    let text = c.take(end.ok_or(Truncated)?)?;
    quoted(p, text);
    line_ends(c);
    Ok(())
}

fn line_ends(c: &mut Cursor<'_>) {
    while matches!(c.rest().first(), Some(b'\r' | b'\n')) {
        let _ = c.skip(1);
    }
}

/// A length or count behind its type; `None` when it is none, which has been said.
fn number(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<Option<u32>, Truncated> {
    c.skip(1)?;
    let negative = c.rest().first() == Some(&b'-');
    if negative {
        c.skip(1)?;
    }
    let mut number = 0_u64;
    loop {
        match c.u8()? {
            byte @ b'0'..=b'9' => {
                number = number
                    .saturating_mul(10)
                    .saturating_add(u64::from(byte - b'0'));
            }
            b'\r' if c.rest().first() == Some(&b'\n') => {
                c.skip(1)?;
                break;
            }
            b'\r' if c.is_empty() => return Err(Truncated),
            _ => {
                put!(p, " invalid");
                return Ok(None);
            }
        }
    }
    if number > u64::from(u32::MAX >> 1) {
        put!(p, " length too large");
        return Ok(None);
    }
    if negative {
        put!(
            p,
            if number == 1 {
                " null"
            } else {
                " length negative and not -1"
            }
        );
        return Ok(None);
    }
    Ok(u32::try_from(number).ok())
}
