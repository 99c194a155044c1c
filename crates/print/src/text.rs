//! Protocols made of lines of text, of which the first or all are shown: HTTP, RTSP, SIP, FTP,
//! SMTP, whois.

use pktwho_wire::{Cursor, Truncated};

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

/// Real-time streaming (RFC 7826).
static RTSP: &[&str] = &[
    "OPTIONS",
    "DESCRIBE",
    "ANNOUNCE",
    "SETUP",
    "PLAY",
    "PAUSE",
    "TEARDOWN",
    "GET_PARAMETER",
    "SET_PARAMETER",
    "REDIRECT",
    "RECORD",
];

/// Session initiation (RFC 3261 and its extensions).
static SIP: &[&str] = &[
    "ACK",
    "BYE",
    "CANCEL",
    "DO",
    "INFO",
    "INVITE",
    "MESSAGE",
    "NOTIFY",
    "OPTIONS",
    "PRACK",
    "QAUTH",
    "REFER",
    "REGISTER",
    "SPRACK",
    "SUBSCRIBE",
    "UPDATE",
    "PUBLISH",
];

/// HTTP/1 (RFC 9112).
pub(crate) fn http(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "http";
    put!(p, ": ");
    lines(p, "HTTP", c, length, Some(HTTP))
}

/// RTSP.
pub(crate) fn rtsp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "rtsp";
    put!(p, ": ");
    lines(p, "RTSP", c, length, Some(RTSP))
}

/// SIP.
pub(crate) fn sip(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "sip";
    lines(p, "SIP", c, length, Some(SIP))
}

/// SIP over TCP.
pub(crate) fn sip_stream(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    put!(p, ": ");
    sip(p, c, length)
}

/// FTP's control connection (RFC 959).
pub(crate) fn ftp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "ftp";
    put!(p, ": ");
    lines(p, "FTP", c, length, None)
}

/// SMTP (RFC 5321).
pub(crate) fn smtp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "smtp";
    put!(p, ": ");
    lines(p, "SMTP", c, length, None)
}

/// What starts an SSH connection; what follows is encrypted.
pub(crate) fn ssh(p: &mut Out<'_>, c: Cursor<'_>, _length: usize) -> Printed {
    p.protocol = "ssh";
    match line(c.rest(), true) {
        Line::Text(text, _) if text.starts_with(b"SSH-") => {
            put!(p, ": SSH: ");
            p.out.extend_from_slice(text);
        }
        _ => {}
    }
    Ok(())
}

/// Whois (RFC 3912).
pub(crate) fn whois(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "whois";
    put!(p, ": ");
    lines(p, "WHOIS", c, length, None)
}

/// The word that starts `bytes`, and what follows the blanks behind it.
///
/// A word is followed by blanks or a line's end; other bytes make it no word. So does the
/// capture's end, if the text is not `whole`.
fn word(bytes: &[u8], whole: bool) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| !byte.is_ascii_graphic());
    let (word, rest) = bytes.split_at_checked(end.unwrap_or(bytes.len()))?;
    if rest.first().is_some_and(|byte| !byte.is_ascii_whitespace()) || word.is_empty() {
        return None;
    }
    (whole || !rest.is_empty()).then_some((word, rest.trim_ascii_start()))
}

/// Whether the text starts with a request of `methods`, or with what a response starts with:
/// a word and a status of three digits.
fn is_message(bytes: &[u8], whole: bool, methods: &[&str]) -> bool {
    let Some((first, rest)) = word(bytes, whole) else {
        return false;
    };
    let request = |method: &&str| first.eq_ignore_ascii_case(method.as_bytes());
    methods.iter().any(request)
        || word(rest, whole)
            .is_some_and(|(status, _)| status.len() == 3 && status.iter().all(u8::is_ascii_digit))
}

/// The first line, or every line with `-v`, if the text is a message of the protocol; any text
/// is when there are no `methods`.
fn lines(
    p: &mut Out<'_>,
    name: &str,
    c: Cursor<'_>,
    length: usize,
    methods: Option<&[&str]>,
) -> Printed {
    put!(p, name);
    let bytes = c.rest();
    let whole = bytes.len() >= length;
    if methods.is_some_and(|methods| !is_message(bytes, whole, methods)) {
        return Ok(());
    }
    if !p.verbose(1) {
        c.need(1)?;
        return match line(bytes, whole) {
            Line::Text(text, _) => {
                put!(p, ": ");
                p.out.extend_from_slice(text);
                Ok(())
            }
            Line::Open(text) if whole => {
                put!(p, ": ");
                p.out.extend_from_slice(text);
                Ok(())
            }
            Line::Open(_) => Err(Truncated),
            Line::Binary => Ok(()),
        };
    }
    put!(p, ", length: ", length);
    let mut rest = bytes;
    while !rest.is_empty() {
        match line(rest, whole) {
            Line::Text(text, after) => {
                put!(p, "\n\t");
                p.out.extend_from_slice(text);
                rest = after;
            }
            Line::Open(text) => {
                if whole {
                    put!(p, "\n\t");
                    p.out.extend_from_slice(text);
                }
                return c.need(length);
            }
            Line::Binary => return Ok(()),
        }
    }
    c.need(length)
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

/// `whole`: no more bytes follow than were captured.
fn line(bytes: &[u8], whole: bool) -> Line<'_> {
    let end = bytes
        .iter()
        .position(|&byte| !(byte.is_ascii_graphic() || byte == b' ' || byte == b'\t'));
    let Some((text, rest)) = end.and_then(|end| bytes.split_at_checked(end)) else {
        return Line::Open(bytes);
    };
    match rest {
        [b'\n', after @ ..] | [b'\r', b'\n', after @ ..] => Line::Text(text, after),
        // compat: where no more bytes follow, 4.99.3 takes this for no end of a line.
        [b'\r'] if !whole => Line::Open(text),
        _ => Line::Binary,
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn first_line_or_all() {
        for (packet, expected) in [
            (
                "4500004800010000400666ad0a0000010a0000029c400050000003e8000007d05018faf0d2ea0000474554202f20485454502f312e310d0a486f73743a20610d0a0d0a626f64790a",
                "IP 10.0.0.1.40000 > 10.0.0.2.80: Flags [P.], seq 1000:1032, ack 2000, win 64240, length 32: HTTP: GET / HTTP/1.1\n",
            ),
            (
                "4500004200010000400666b30a0000010a0000029c410050000003e8000007d05018faf0eb5e0000485454502f312e3120323030204f4b0d0a0d0a0062696e617279",
                "IP 10.0.0.1.40001 > 10.0.0.2.80: Flags [P.], seq 1000:1026, ack 2000, win 64240, length 26: HTTP: HTTP/1.1 200 OK\n",
            ),
            (
                "4500003b00010000400666ba0a0000010a0000029c420050000003e8000007d05018faf0af5300006e6f207265717565737420617420616c6c0d0a",
                "IP 10.0.0.1.40002 > 10.0.0.2.80: Flags [P.], seq 1000:1019, ack 2000, win 64240, length 19: HTTP\n",
            ),
            (
                "4500003500010000400666c00a0000010a0000029c40002b000003e8000007d05018faf07ba800006578616d706c652e6f72670d0a",
                "IP 10.0.0.1.40000 > 10.0.0.2.43: Flags [P.], seq 1000:1013, ack 2000, win 64240, length 13: WHOIS: example.org\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(0), expected);
        }
    }

    #[test]
    fn all_lines_with_v() {
        for (packet, expected) in [
            (
                "4500004800010000400666ad0a0000010a0000029c400050000003e8000007d05018faf0d2ea0000474554202f20485454502f312e310d0a486f73743a20610d0a0d0a626f64790a",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto TCP (6), length 72)\n    10.0.0.1.40000 > 10.0.0.2.80: Flags [P.], cksum 0xd2ea (correct), seq 1000:1032, ack 2000, win 64240, length 32: HTTP, length: 32\n\tGET / HTTP/1.1\n\tHost: a\n\t\n\tbody\n",
            ),
            (
                "4500004000010000400666b50a0000010a0000029c430050000003e8000007d05018faf0462e0000504f5354202f7820485454502f312e310d0a413a20ff0d0a",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto TCP (6), length 64)\n    10.0.0.1.40003 > 10.0.0.2.80: Flags [P.], cksum 0x462e (correct), seq 1000:1024, ack 2000, win 64240, length 24: HTTP, length: 24\n\tPOST /x HTTP/1.1\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(1), expected);
        }
    }
}
