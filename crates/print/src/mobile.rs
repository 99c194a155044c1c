//! Minimal encapsulation for mobile hosts (RFC 2004), IP protocol 55.

use std::net::Ipv4Addr;

use pktwho_wire::Cursor;

use crate::checksum::Sum;
use crate::out::{Out, Printed};
use crate::put::put;

/// The original source is in the header.
const SOURCE: u8 = 0x80;

/// Bytes of header with the source.
const LONG: usize = 12;

/// The header that stands between IP and the payload.
pub(crate) fn mobile(p: &mut Out<'_>, c: Cursor<'_>, _length: usize) -> Printed {
    p.protocol = "mobile";
    let whole = c;
    let mut c = c;
    // compat: the longer header must be there, whichever this is (4.99.3).
    c.need(LONG)?;
    let (protocol, flags, checksum) = (c.u8()?, c.u8()?, c.u16()?);
    let with_source = flags & SOURCE != 0;
    let size = if with_source { LONG } else { 8 };
    put!(p, "mobile: ", if with_source { "[S] " } else { "[] " });
    if p.verbose(1) {
        let destination = Ipv4Addr::from(c.u32()?);
        if with_source {
            p.addr(Ipv4Addr::from(c.u32()?));
            put!(p, " ");
        }
        put!(p, "> ");
        p.addr(destination);
        put!(p, " (oproto=", protocol, ")");
    }
    let header = whole.limit(size).rest();
    if Sum::default().add(header).finish() != 0 {
        put!(p, " (bad checksum ", checksum, ")");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn source_and_checksum() {
        for (header, expected) in [
            ("0680e57b0a0000010a000003", "mobile: [S] \n"),
            (
                "068012340a0000010a000003",
                "mobile: [S]  (bad checksum 4660)\n",
            ),
            ("0600", " [|mobile]\n"),
        ] {
            let length = 20 + header.len() / 2;
            let packet = format!("4500{length:04x}00010000403700000a0000010a000002{header}");
            let expected = format!("IP 10.0.0.1 > 10.0.0.2: {expected}");
            check(LinkType::RAW, &packet, style(0), &expected);
        }
    }
}
