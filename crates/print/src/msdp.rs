//! Multicast source discovery between domains (RFC 3618), over TCP.

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::put;

/// The type and the length of a message.
const HEADER: usize = 3;

/// The longest message, in bytes.
const LONGEST: usize = 1400;

/// The highest type that has a name or is reserved.
const LAST: u8 = 7;

/// What a segment carries.
pub(crate) fn msdp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "msdp";
    let mut c = c;
    let mut left = length;
    put!(p, ": msdp");
    while left > 0 {
        if left < HEADER {
            return contradiction(p, "length", left, "<", HEADER);
        }
        let (kind, size) = (c.u8()?, usize::from(c.u16()?));
        if kind == 0 {
            return contradiction(p, "type", 0, "<", 1);
        }
        if kind > LAST {
            return contradiction(p, "type", usize::from(kind), ">", usize::from(LAST));
        }
        if size < HEADER {
            return contradiction(p, "len", size, "<", HEADER);
        }
        if size > LONGEST {
            return contradiction(p, "len", size, ">", LONGEST);
        }
        if p.verbose(1) {
            put!(p, " [len ", size, "]");
        }
        if size > left {
            return contradiction(p, "length", left, "<", size);
        }
        let body = c;
        c.skip(size - HEADER)?;
        left -= size;
        if !message(p, body, kind, size)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether the next message can be found.
fn message(
    p: &mut Out<'_>,
    mut body: Cursor<'_>,
    kind: u8,
    size: usize,
) -> Result<bool, Truncated> {
    let name = match kind {
        1 => " SA",
        2 => " SA-Request",
        3 => " SA-Response",
        4 => " Keepalive",
        5 => " Notification",
        other => {
            put!(p, " [type=", other, " len=", size, "]");
            return Ok(true);
        }
    };
    put!(p, name);
    let least = match kind {
        1 | 3 => 4,
        2 => 8,
        _ => HEADER,
    };
    if size < least {
        contradiction(p, "len", size, "<", least)?;
        return Ok(false);
    }
    match kind {
        1 | 3 => {
            let entries = body.u8()?;
            put!(p, " ", entries, " entries");
            if usize::from(entries) * 12 + 8 < size {
                put!(p, " [w/data]");
            }
        }
        2 => {
            body.skip(1)?;
            put!(p, " for ");
            p.addr(Ipv4Addr::from(body.u32()?));
        }
        4 if size != HEADER => put!(p, "[len=", size, "] "),
        _ => {}
    }
    Ok(true)
}

/// `[len 2 < 3] (invalid)`.
fn contradiction(
    p: &mut Out<'_>,
    what: &str,
    found: usize,
    relation: &str,
    right: usize,
) -> Printed {
    put!(p, " [", what, " ", found, " ", relation, " ", right, "]");
    p.invalid();
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{bytes, style, text};

    fn shown(message: &str, verbose: u8, expected: &str) {
        let message = message.replace(' ', "");
        let packet = format!(
            "4500{:04x}00010000400600000a0000010a000002027f9c40000003e8000007d05018faf000000000{message}",
            40 + message.len() / 2
        );
        let style = Style {
            no_checksums: true,
            ..style(verbose)
        };
        let text = text(LinkType::RAW, &bytes(&packet), 0, style);
        assert_eq!(text.split_once("msdp").unwrap().1, format!("{expected}\n"));
    }

    #[test]
    fn messages() {
        shown("010008 01 0a000009", 1, " [len 8] SA 1 entries");
        shown("020008 01 0a000009", 0, " SA-Request for 10.0.0.9");
        shown("040003 060004 00", 0, " Keepalive [type=6 len=4]");
    }

    #[test]
    fn contradictions() {
        shown("0400", 0, " [length 2 < 3] (invalid)");
        shown("000003", 1, " [type 0 < 1] (invalid)");
        shown("630003", 1, " [type 99 > 7] (invalid)");
        shown("040002", 1, " [len 2 < 3] (invalid)");
        shown("0405ff", 1, " [len 1535 > 1400] (invalid)");
        shown("040004", 1, " [len 4] [length 3 < 4] (invalid)");
        shown("010003", 0, " SA [len 3 < 4] (invalid)");
        shown("020004 00", 1, " [len 4] SA-Request [len 4 < 8] (invalid)");
    }
}
