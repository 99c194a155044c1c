//! Values in XDR (RFC 4506), as Rx's operations hold them, written by a text with `%` and letters.

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, bits};
use crate::put::{HexFull, HexZeros, Visible, put};
use crate::time;

/// What the packet ends before.
pub(super) enum Missing {
    /// compat: a number: tcpdump 4.99.3 leaves the packet at once, without its length.
    Number,
    /// What is shown once all of it is there.
    Structure,
}

impl From<Truncated> for Missing {
    fn from(_: Truncated) -> Self {
        Self::Number
    }
}

type Shown = Result<(), Missing>;

/// Whether `count` words are there, which are shown together or not at all.
fn together(c: &Cursor<'_>, count: usize) -> Shown {
    c.need(count * 4).map_err(|_| Missing::Structure)
}

/// Passes over `count` words that are not shown.
fn pass(c: &mut Cursor<'_>, count: usize) -> Shown {
    c.skip(count * 4).map_err(|_| Missing::Structure)
}

/// Values that begin with a blank of their own.
const LISTS: &[char] = &['A', 'B', 'E', 'M', 'N', 'W', 'X', 'Y'];

/// Writes the text, a blank before it, with values from `c` in place of its marks.
///
/// A string that is longer than `longest` is none.
pub(super) fn print(
    p: &mut Out<'_>,
    text: &'static str,
    longest: usize,
    c: &mut Cursor<'_>,
) -> Shown {
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
        if let Err(cut) = value(p, kind, longest, c) {
            if p.out.last() == Some(&b' ') {
                p.out.pop();
            }
            return Err(cut);
        }
        put!(p, letters.as_str());
    }
    Ok(())
}

fn value(p: &mut Out<'_>, kind: char, longest: usize, c: &mut Cursor<'_>) -> Shown {
    match kind {
        'u' => put!(p, c.u32()?),
        'd' => put!(p, signed(c)?),
        'L' => put!(p, c.u64()?),
        't' => date(p, c)?,
        's' => string(p, longest, c)?,
        'O' => opaque(c)?,
        'F' => fid(p, c)?,
        'U' => uuid(p, c)?,
        'Z' => {
            let yes = c.u32()? != 0;
            put!(p, "syncsite ", if yes { "yes" } else { "no" });
        }
        'H' => {
            c.u32()?;
        }
        'D' => {
            together(c, 2)?;
            put!(p, c.u32()?, ".", c.u32()?);
        }
        'V' => volume_type(p, c)?,
        'S' => status(p, c)?,
        'A' => access_list(p, c)?,
        'B' => fids(p, c)?,
        'C' => callbacks(p, c)?,
        'I' => ids(p, c)?,
        'N' => names(p, c)?,
        'P' => site(p, c)?,
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

/// Seconds since 1970, or before: date and time in UTC.
fn date(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Shown {
    time::utc(i64::from(signed(c)?), p.out);
    Ok(())
}

/// A string behind its length, padded to four bytes.
fn string(p: &mut Out<'_>, longest: usize, c: &mut Cursor<'_>) -> Shown {
    let length = usize::try_from(c.u32()?).unwrap_or(usize::MAX);
    if length > longest {
        return Err(Missing::Structure);
    }
    let Ok(text) = c.take(length) else {
        put!(p, "\"", Visible(c.rest()));
        return Err(Missing::Structure);
    };
    put!(p, "\"", Visible(text), "\"");
    crate::out::pass(c, length.next_multiple_of(4) - length);
    Ok(())
}

/// Passes over bytes behind their length.
///
/// compat: not over what they are padded with (4.99.3).
fn opaque(c: &mut Cursor<'_>) -> Shown {
    let length = usize::try_from(c.u32()?).unwrap_or(usize::MAX);
    c.skip(length).map_err(|_| Missing::Structure)
}

/// Text of one character in each of `count` words, up to the first zero.
fn characters(p: &mut Out<'_>, c: &mut Cursor<'_>, count: usize) -> Shown {
    together(c, count)?;
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

fn fid(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Shown {
    together(c, 3)?;
    put!(p, "fid ", c.u32()?, "/", c.u32()?, "/", c.u32()?);
    Ok(())
}

fn fids(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Shown {
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

fn callbacks(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Shown {
    let count = c.u32()?;
    if count > 0 {
        put!(p, ";");
    }
    for _ in 0..count {
        put!(p, " ver ");
        put!(p, signed(c)?, " expires ");
        date(p, c)?;
        // The kind of the promise.
        c.skip(4)?;
    }
    Ok(())
}

fn uuid(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Shown {
    together(c, 11)?;
    put!(p, HexFull(c.u32()?), HexZeros(c.u32()?, 4));
    put!(p, HexZeros(c.u32()?, 4));
    for _ in 0..8 {
        let [.., byte] = c.array::<4>()?;
        put!(p, HexFull(byte));
    }
    Ok(())
}

fn volume_type(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Shown {
    match c.u32()? {
        0 => put!(p, " type read-write"),
        1 => put!(p, " type read-only"),
        2 => put!(p, " type backup"),
        _ => {}
    }
    Ok(())
}

/// What a client wants a file's status to be; a mask says of what.
fn status(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Shown {
    together(c, 6)?;
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
        octal(p, mode & 0o7777);
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
fn access_list(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Shown {
    let length = usize::try_from(c.u32()?).unwrap_or(usize::MAX);
    let text = c.take(length).map_err(|_| Missing::Structure)?;
    let mut words = text
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let number =
        |word: Option<&[u8]>| -> Option<i32> { std::str::from_utf8(word?).ok()?.parse().ok() };
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
            bits(p, RIGHTS, rights.cast_unsigned(), "", "");
            put!(p, "}");
        }
    }
    Ok(())
}

fn ids(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Shown {
    let count = c.u32()?;
    for n in 0..count {
        put!(p, if n == 0 { "" } else { " " }, signed(c)?);
    }
    if count == 0 {
        put!(p, "<none!>");
    }
    Ok(())
}

fn names(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Shown {
    /// Characters of a name of a user or group.
    const LENGTH: usize = 64;
    let count = c.u32()?;
    for _ in 0..count {
        together(c, LENGTH)?;
        put!(p, " ");
        characters(p, c, LENGTH)?;
    }
    if count == 0 {
        put!(p, " <none!>");
    }
    Ok(())
}

/// A server, as a volume server knows others.
fn site(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Shown {
    together(c, 3)?;
    put!(p, " server ", c.u32()?, ":", c.u32()?, ":", c.u32()?);
    Ok(())
}

fn servers(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Shown {
    let count = c.u32()?;
    for n in 0..count {
        put!(p, if n == 0 { "" } else { "," });
        site(p, c)?;
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
fn location(p: &mut Out<'_>, c: &mut Cursor<'_>, layout: Layout) -> Shown {
    let (there, flags) = match layout {
        Layout::Old => (8, 8),
        _ => (13, 13),
    };
    put!(p, " ");
    characters(p, c, NAME)?;
    if layout == Layout::Old {
        pass(c, 1)?;
    }
    put!(p, " numservers ");
    let count = c.u32()?;
    put!(p, count, " servers");
    for n in 0..there {
        match layout {
            Layout::Identifiers => {
                if n < count {
                    put!(p, " afsuuid ");
                    uuid(p, c)?;
                } else {
                    pass(c, 11)?;
                }
            }
            _ => {
                together(c, 1)?;
                let ip = Ipv4Addr::from(c.u32()?);
                if n < count {
                    put!(p, " ", ip);
                }
            }
        }
    }
    if layout == Layout::Identifiers {
        pass(c, 13)?;
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
    pass(c, flags)?;
    for name in [" rwvol ", " rovol ", " backup "] {
        put!(p, name);
        put!(p, c.u32()?);
    }
    Ok(())
}

fn volumes(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Shown {
    let count = c.u32()?;
    for n in 0..count {
        put!(p, if n == 0 { " name " } else { ", name " });
        characters(p, c, 32)?;
        put!(p, " volid ");
        put!(p, c.u32()?, " type");
        // compat: whether these are there is not asked.
        crate::out::pass(c, 21 * 4);
    }
    if count == 0 {
        put!(p, " <none!>");
    }
    Ok(())
}
