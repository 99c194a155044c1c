//! Values in XDR (RFC 4506), as Rx's operations hold them, written by a text with `%` and letters.

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, bits};
use crate::put::{HexFull, HexZeros, Visible, put};
use crate::time;

/// Values that begin with a blank of their own.
const LISTS: &[char] = &['A', 'B', 'E', 'M', 'N', 'W', 'X', 'Y'];

/// Writes the text, a blank before it, with values from `c` in place of its marks.
pub(super) fn print(p: &mut Out<'_>, text: &'static str, c: &mut Cursor<'_>) -> Printed {
    if text.is_empty() {
        return Ok(());
    }
    if !text.starts_with('%') || !text.get(1..).is_some_and(|text| text.starts_with(LISTS)) {
        put!(p, " ");
    }
    let mut parts = text.split('%');
    put!(p, parts.next().unwrap_or_default());
    for part in parts {
        let mut letters = part.chars();
        let kind = letters.next().unwrap_or_default();
        if let Err(cut) = value(p, kind, c) {
            if p.out.last() == Some(&b' ') {
                p.out.pop();
            }
            return Err(cut);
        }
        put!(p, letters.as_str());
    }
    Ok(())
}

fn value(p: &mut Out<'_>, kind: char, c: &mut Cursor<'_>) -> Printed {
    match kind {
        'u' => put!(p, c.u32()?),
        'd' => put!(p, signed(c)?),
        'L' => put!(p, c.u64()?),
        't' => date(p, c)?,
        's' => string(p, c)?,
        'O' => opaque(c)?,
        'F' => fid(p, c)?,
        'U' => uuid(p, c)?,
        'Z' => put!(p, if c.u32()? == 0 { "no" } else { "yes" }),
        'V' => volume_type(p, c)?,
        'S' => status(p, c)?,
        'A' => access_list(p, c)?,
        'B' => fids(p, c)?,
        'C' => callbacks(p, c)?,
        'I' => ids(p, c)?,
        'N' => names(p, c)?,
        'R' => servers(p, c)?,
        'M' => {
            put!(p, " ");
            characters(p, c, NAME)?;
        }
        'E' => location(p, c, Layout::Old)?,
        'X' => location(p, c, Layout::Addresses)?,
        'Y' => location(p, c, Layout::Identifiers)?,
        'W' => volumes(p, c)?,
        _ => {}
    }
    Ok(())
}

fn signed(c: &mut Cursor<'_>) -> Result<i32, Truncated> {
    c.array().map(i32::from_be_bytes)
}

/// Seconds since 1970: date and time in UTC.
fn date(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    time::utc(i64::from(c.u32()?), p.out);
    Ok(())
}

/// A string behind its length, padded to four bytes.
fn string(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let length = usize::try_from(c.u32()?).unwrap_or(usize::MAX);
    let text = c.take(length)?;
    put!(p, "\"", Visible(text), "\"");
    crate::out::pass(c, length.next_multiple_of(4) - length);
    Ok(())
}

/// Passes over bytes behind their length.
fn opaque(c: &mut Cursor<'_>) -> Printed {
    let length = usize::try_from(c.u32()?).unwrap_or(usize::MAX);
    c.skip(length.checked_next_multiple_of(4).unwrap_or(length))
}

/// Text of one character in each of `count` words, up to the first zero.
fn characters(p: &mut Out<'_>, c: &mut Cursor<'_>, count: usize) -> Printed {
    let words = c.take(count * 4)?;
    put!(p, "\"");
    for word in words.chunks_exact(4) {
        match *word {
            [.., 0] => break,
            [.., byte] => put!(p, Visible(&[byte])),
            [] => {}
        }
    }
    put!(p, "\"");
    Ok(())
}

fn fid(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, "fid ", c.u32()?, "/", c.u32()?, "/", c.u32()?);
    Ok(())
}

fn fids(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let count = c.u32()?;
    for n in 0..count {
        put!(p, if n == 0 { " " } else { ", " });
        fid(p, c)?;
    }
    if count == 0 {
        put!(p, " <none!>");
    }
    Ok(())
}

fn callbacks(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let Ok(count) = c.u32() else { return Ok(()) };
    if count > 0 {
        put!(p, ";");
    }
    for _ in 0..count {
        put!(p, " ver ", c.u32()?, " expires ");
        date(p, c)?;
        // The kind of the promise.
        c.skip(4)?;
    }
    Ok(())
}

fn uuid(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, HexFull(c.u32()?), HexZeros(c.u32()?, 4));
    put!(p, HexZeros(c.u32()?, 4));
    for _ in 0..8 {
        let [.., byte] = c.array::<4>()?;
        put!(p, HexFull(byte));
    }
    Ok(())
}

fn volume_type(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    match c.u32()? {
        0 => put!(p, " type read-write"),
        1 => put!(p, " type read-only"),
        2 => put!(p, " type backup"),
        _ => {}
    }
    Ok(())
}

/// What a client wants a file's status to be; a mask says of what.
fn status(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let mask = c.u32()?;
    if mask != 0 {
        put!(p, " StoreStatus");
    }
    if mask & 1 == 0 {
        c.skip(4)?;
    } else {
        put!(p, " date ");
        date(p, c)?;
    }
    for (bit, name) in [(2, " owner "), (4, " group ")] {
        let number = c.u32()?;
        if mask & bit != 0 {
            put!(p, name, number);
        }
    }
    let mode = c.u32()?;
    if mask & 8 != 0 {
        put!(p, " mode ");
        octal(p, mode);
    }
    let size = c.u32()?;
    if mask & 16 != 0 {
        put!(p, " segsize ", size);
    }
    if mask & 1024 != 0 {
        put!(p, " fsync");
    }
    Ok(())
}

fn octal(p: &mut Out<'_>, number: u32) {
    let digits = (u32::BITS - number.leading_zeros()).div_ceil(3).max(1);
    for place in (0..digits).rev() {
        put!(p, number.checked_shr(place * 3).unwrap_or(0) & 7);
    }
}

static RIGHTS: &[(u32, &str)] = &[
    (1, "r"),
    (8, "l"),
    (4, "i"),
    (16, "d"),
    (2, "w"),
    (32, "k"),
    (64, "a"),
];

/// Who may do what: text, the numbers of those who may and who may not, then a line for each.
fn access_list(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let length = usize::try_from(c.u32()?).unwrap_or(usize::MAX);
    let text = c.take(length)?;
    let mut words = text
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let number =
        |word: Option<&[u8]>| -> Option<u32> { std::str::from_utf8(word?).ok()?.parse().ok() };
    let (Some(may), Some(may_not)) = (number(words.next()), number(words.next())) else {
        return Ok(());
    };
    for (count, sign) in [(may, " +{"), (may_not, " -{")] {
        for _ in 0..count {
            let Some(name) = words.next() else {
                return Ok(());
            };
            let Some(rights) = number(words.next()) else {
                return Ok(());
            };
            put!(p, sign, Visible(name), " ");
            bits(p, RIGHTS, rights, "", "");
            put!(p, "}");
        }
    }
    Ok(())
}

fn ids(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let count = c.u32()?;
    for n in 0..count {
        put!(p, if n == 0 { "" } else { " " }, signed(c)?);
    }
    if count == 0 {
        put!(p, "<none!>");
    }
    Ok(())
}

fn names(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    /// Characters of a name of a user or group.
    const LENGTH: usize = 64;
    let count = c.u32()?;
    for _ in 0..count {
        c.need(LENGTH * 4)?;
        put!(p, " ");
        characters(p, c, LENGTH)?;
    }
    if count == 0 {
        put!(p, " <none!>");
    }
    Ok(())
}

fn servers(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let count = c.u32()?;
    for n in 0..count {
        put!(p, if n == 0 { "" } else { "," });
        put!(p, " server ", c.u32()?, ":", c.u32()?, ":", c.u32()?);
    }
    if count == 0 {
        put!(p, " <none!>");
    }
    Ok(())
}

/// Characters of a volume's name in the location database.
const NAME: usize = 65;

/// How an entry of the location database is laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Old,
    Addresses,
    Identifiers,
}

/// A volume's name, its servers, their partitions and its numbers.
fn location(p: &mut Out<'_>, c: &mut Cursor<'_>, layout: Layout) -> Printed {
    let (there, flags) = match layout {
        Layout::Old => (8, 8),
        _ => (13, 13),
    };
    put!(p, " ");
    characters(p, c, NAME)?;
    if layout == Layout::Old {
        c.skip(4)?;
    }
    let count = c.u32()?;
    put!(p, " numservers ", count, " servers");
    for n in 0..there {
        match layout {
            Layout::Identifiers => {
                if n < count {
                    put!(p, " afsuuid ");
                    uuid(p, c)?;
                } else {
                    c.skip(44)?;
                }
            }
            _ => {
                let ip = Ipv4Addr::from(c.u32()?);
                if n < count {
                    put!(p, " ", ip);
                }
            }
        }
    }
    if layout == Layout::Identifiers {
        c.skip(4 * 13)?;
    }
    put!(p, " partitions");
    for n in 0..there {
        let partition = c.u32()?;
        if n >= count {
            continue;
        }
        match u8::try_from(partition) {
            Ok(letter @ 0..=26) => put!(p, " ", char::from(b'a' + letter)),
            _ => put!(p, " ", partition),
        }
    }
    c.skip(4 * flags)?;
    put!(p, " rwvol ", c.u32()?, " rovol ", c.u32()?);
    put!(p, " backup ", c.u32()?);
    Ok(())
}

fn volumes(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let count = c.u32()?;
    for n in 0..count {
        put!(p, if n == 0 { " name " } else { ", name " });
        characters(p, c, 32)?;
        put!(p, " volid ", c.u32()?, " type");
        c.skip(21 * 4)?;
    }
    if count == 0 {
        put!(p, " <none!>");
    }
    Ok(())
}
