//! BEEP (RFC 3080): which of its messages a segment begins with.

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::put::put;

/// What a message begins with, and what is said of it.
static KEYWORDS: &[(&[u8], &str)] = &[
    // compat: tcpdump 4.99.3 asks for the blank only after these.
    (b"RPY ", " BEEP RPY"),
    (b"ERR ", " BEEP ERR"),
    (b"ANS ", " BEEP ANS"),
    (b"NUL ", " BEEP NUL"),
    (b"SEQ ", " BEEP SEQ"),
];

/// A segment of `length` bytes.
pub(crate) fn beep(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "beep";
    let text = c.limit(length).rest();
    let name = KEYWORDS
        .iter()
        .find(|(word, _)| text.starts_with(word))
        .map_or(" BEEP (payload or undecoded)", |(_, name)| name);
    put!(p, name);
    Ok(())
}
