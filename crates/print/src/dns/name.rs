//! Domain names (RFC 1035 section 4.1.4), with the bit labels of RFC 2673.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{Hex, HexBytes, HexFull, put, visible};

/// More bytes than a name may have (RFC 1035 section 3.1): whoever exceeds it loops or lies.
const LONGEST: usize = 255;

/// What a length byte starts.
enum Label {
    Root,
    Text(usize),
    /// A bit string of so many bits.
    Bits(usize),
    Pointer(usize),
}

fn label(c: &mut Cursor<'_>) -> Result<Label, Truncated> {
    let first = c.u8()?;
    Ok(match first {
        0 => Label::Root,
        1..=0x3f => Label::Text(usize::from(first)),
        0x41 => Label::Bits(match c.u8()? {
            0 => 256,
            bits => usize::from(bits),
        }),
        0xc0.. => Label::Pointer(usize::from(first & 0x3f) << 8 | usize::from(c.u8()?)),
        _ => return Err(Truncated),
    })
}

/// Passes over a name.
pub(super) fn skip(c: &mut Cursor<'_>) -> Printed {
    loop {
        match label(c)? {
            Label::Root | Label::Pointer(_) => return Ok(()),
            Label::Text(length) => c.skip(length)?,
            Label::Bits(bits) => c.skip(bits.div_ceil(8))?,
        }
    }
}

/// Prints the name at `c`, a place in `message` whose position counts from the message's start,
/// and passes over it.
pub(super) fn print<'a>(p: &mut Out<'_>, message: &'a [u8], c: &mut Cursor<'a>) -> Printed {
    let mut at = *c;
    let mut jumped = false;
    let mut root = true;
    let mut lowest = c.position();
    let mut total = 0;
    loop {
        let label = label(&mut at)?;
        match label {
            Label::Root => {
                if root {
                    put!(p, ".");
                }
                break;
            }
            Label::Pointer(target) => {
                if !jumped {
                    *c = at;
                    jumped = true;
                }
                // Only back: a pointer to itself or ahead would never end.
                let Some(bytes) = message.get(target..).filter(|_| target < lowest) else {
                    put!(p, "<BAD PTR>");
                    return Err(Truncated);
                };
                lowest = target;
                at = Cursor::new(bytes);
                continue;
            }
            Label::Text(length) => {
                let text = at.limit(length).rest();
                for &byte in text {
                    visible(p.out, byte);
                }
                at.skip(length)?;
                total += length;
            }
            Label::Bits(bits) => {
                let bytes = at.take(bits.div_ceil(8))?;
                put!(p, "\\[x");
                bit_string(p, bytes, bits);
                put!(p, "/", bits, "]");
                total += bits.div_ceil(8);
            }
        }
        put!(p, ".");
        root = false;
        total += 1;
        if total > LONGEST {
            return Err(Truncated);
        }
    }
    if !jumped {
        *c = at;
    }
    Ok(())
}

/// The first `bits` bits, four to a digit.
fn bit_string(p: &mut Out<'_>, bytes: &[u8], bits: usize) {
    let (whole, rest) = bytes.split_at(bytes.len().min(bits / 8));
    put!(p, HexBytes(whole));
    let (Some(&last), used @ 1..) = (rest.first(), bits % 8) else {
        return;
    };
    let kept = last & !(0xff_u8 >> used);
    if used > 4 {
        put!(p, HexFull(kept));
    } else {
        put!(p, Hex(kept >> 4));
    }
}

/// A name outside of DNS messages, where nothing can be pointed to.
pub(crate) fn plain(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let rest = c.rest();
    let mut at = Cursor::new(rest);
    let printed = print(p, rest, &mut at);
    *c = at;
    printed
}
