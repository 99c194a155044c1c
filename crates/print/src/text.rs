//! Protocols made of lines of text, of which the first or all are shown: HTTP, whois.

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::put::put;

/// Request methods whose line is shown, and what responses start with.
static HTTP: &[&str] = &[
    "GET",
    "PUT",
    "COPY",
    "HEAD",
    "LOCK",
    "MOVE",
    "POLL",
    "POST",
    "BCOPY",
    "BMOVE",
    "MKCOL",
    "TRACE",
    "LABEL",
    "MERGE",
    "DELETE",
    "SEARCH",
    "UNLOCK",
    "REPORT",
    "UPDATE",
    "NOTIFY",
    "BDELETE",
    "CONNECT",
    "OPTIONS",
    "CHECKIN",
    "PROPFIND",
    "CHECKOUT",
    "CCM_POST",
    "SUBSCRIBE",
    "PROPPATCH",
    "BPROPFIND",
    "BPROPPATCH",
    "UNCHECKOUT",
    "MKACTIVITY",
    "MKWORKSPACE",
    "UNSUBSCRIBE",
    "RPC_CONNECT",
    "VERSION-CONTROL",
    "BASELINE-CONTROL",
];

/// HTTP/1 (RFC 9112).
pub(crate) fn http(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "http";
    lines(p, "HTTP", c, length, |word| {
        HTTP.iter()
            .any(|method| word.eq_ignore_ascii_case(method.as_bytes()))
            || is_response(word, b"HTTP/")
            || is_response(word, b"RTSP/")
    })
}

/// Whois (RFC 3912).
pub(crate) fn whois(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "whois";
    lines(p, "WHOIS", c, length, |_| true)
}

/// A version at the start of a status line.
fn is_response(word: &[u8], version: &[u8]) -> bool {
    word.get(..version.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(version))
}

/// The first line, or every line with `-v`, if the first word belongs to the protocol.
fn lines(
    p: &mut Out<'_>,
    name: &str,
    c: Cursor<'_>,
    length: usize,
    known: impl Fn(&[u8]) -> bool,
) -> Printed {
    put!(p, ": ", name);
    let bytes = c.rest();
    let mut words = bytes.splitn(2, u8::is_ascii_whitespace);
    let word = words.next().unwrap_or_default();
    let ended = words.next().is_some() || bytes.len() >= length;
    if !ended || !known(word) {
        return Ok(());
    }
    if !p.verbose(1) {
        return match line(bytes) {
            Line::Text(text, _) => {
                put!(p, ": ");
                p.out.extend_from_slice(text);
                Ok(())
            }
            Line::Open(text) => {
                put!(p, ": ");
                p.out.extend_from_slice(text);
                c.need(length)
            }
            Line::Binary => Ok(()),
        };
    }
    put!(p, ", length: ", length);
    let mut rest = bytes;
    while !rest.is_empty() {
        match line(rest) {
            Line::Text(text, after) => {
                put!(p, "\n\t");
                p.out.extend_from_slice(text);
                rest = after;
            }
            Line::Open(text) => {
                put!(p, "\n\t");
                p.out.extend_from_slice(text);
                return c.need(length);
            }
            Line::Binary => break,
        }
    }
    Ok(())
}

/// What comes up to the next end of line.
enum Line<'a> {
    /// A whole line and what follows it.
    Text(&'a [u8], &'a [u8]),
    /// Text that goes on after these bytes.
    Open(&'a [u8]),
    /// Bytes that are no text.
    Binary,
}

fn line(bytes: &[u8]) -> Line<'_> {
    let end = bytes
        .iter()
        .position(|&byte| !(byte.is_ascii_graphic() || byte == b' ' || byte == b'\t'));
    let Some((text, rest)) = end.and_then(|end| bytes.split_at_checked(end)) else {
        return Line::Open(bytes);
    };
    match rest {
        [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] => Line::Text(text, after),
        [b'\r'] => Line::Open(text),
        _ => Line::Binary,
    }
}
