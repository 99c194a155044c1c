//! BOOTP (RFC 951) and DHCP (RFC 2131, options in RFC 2132).

mod options;

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed, lookup, until_zero};
use crate::put::{Hex, HexFull, Pairs, Visible, put};
use options::Kind;

/// What vendor extensions begin with when they are those of RFC 1048.
const COOKIE: u32 = 0x6382_5363;
const PAD: u8 = 0;
const END: u8 = 255;

/// A message.
pub(crate) fn bootp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "bootp";
    let mut c = c;
    let operation = c.u8()?;
    put!(p, "BOOTP/DHCP, ");
    match operation {
        1 => put!(p, "Request"),
        2 => put!(p, "Reply"),
        _ => put!(p, "unknown (0x", HexFull(operation), ")"),
    }
    let (kind, size) = (c.u8()?, c.u8()?);
    // What a client is known by stands far behind; it is worth a look ahead.
    let ethernet = kind == 1 && size == 6;
    if ethernet && operation == 1 {
        let mut ahead = c;
        ahead.skip(25)?;
        let mac = ahead.array()?;
        put!(p, " from ");
        p.mac(mac);
    }
    put!(p, ", length ", length);
    if !p.verbose(1) {
        return Ok(());
    }
    c.need(4)?;
    if kind != 1 {
        put!(p, ", htype ", kind);
    }
    if size != 6 {
        put!(p, ", hlen ", size);
    }
    let hops = c.u8()?;
    if hops != 0 {
        put!(p, ", hops ", hops);
    }
    let xid = c.u32()?;
    if xid != 0 {
        put!(p, ", xid 0x", Hex(xid));
    }
    let secs = c.u16()?;
    if secs != 0 {
        put!(p, ", secs ", secs);
    }
    let flags = c.u16()?;
    put!(
        p,
        ", Flags [",
        if flags & 0x8000 == 0 {
            "none"
        } else {
            "Broadcast"
        },
        "]"
    );
    if p.verbose(2) {
        put!(p, " (0x", HexFull(flags), ")");
    }
    for name in ["Client-IP", "Your-IP", "Server-IP", "Gateway-IP"] {
        let address = c.u32()?;
        if address != 0 {
            put!(p, "\n\t  ", name, " ");
            p.addr(Ipv4Addr::from(address));
        }
    }
    if ethernet {
        let mut address = c;
        let mac = address.array()?;
        put!(p, "\n\t  Client-Ethernet-Address ");
        p.mac(mac);
    }
    c.skip(16)?;
    field(p, &mut c, "sname", 64)?;
    field(p, &mut c, "file", 128)?;
    extensions(p, c)
}

/// A name in a field of its own, if there is one.
fn field(p: &mut Out<'_>, c: &mut Cursor<'_>, name: &str, size: usize) -> Printed {
    let first = c.rest().first().ok_or(Truncated)?;
    if *first != 0 {
        put!(p, "\n\t  ", name, " \"");
        let there = c.limit(size);
        let (text, ended) = until_zero(&mut there.clone());
        put!(p, Visible(text));
        put!(p, "\"");
        if !ended {
            return Err(Truncated);
        }
    }
    c.skip(size)
}

/// Vendor extensions of any kind; only those of RFC 1048 can be read.
fn extensions(p: &mut Out<'_>, c: Cursor<'_>) -> Printed {
    let mut c = c;
    let cookie = c.u32()?;
    match cookie {
        0 => {}
        COOKIE => {
            put!(
                p,
                "\n\t  Vendor-rfc1048 Extensions\n\t    Magic Cookie 0x",
                HexFull(cookie)
            );
            options(p, c)?;
        }
        _ => put!(p, "\n\t  Vendor-#0x", HexFull(cookie)),
    }
    Ok(())
}

fn options(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    while !c.is_empty() {
        let code = c.u8()?;
        if code == PAD {
            let mut count = 1_u32;
            while c.rest().first() == Some(&PAD) {
                c.skip(1)?;
                count += 1;
            }
            if p.verbose(3) {
                put!(p, "\n\t    PAD (0), length 0, occurs ", count);
            }
            continue;
        }
        if code == END {
            if p.verbose(3) {
                put!(p, "\n\t    END (255), length 0");
            }
            return Ok(());
        }
        let length = usize::from(c.u8()?);
        let (name, kind) = known(code);
        put!(p, "\n\t    ", name, " (", code, "), length ", length);
        if length > 0 {
            put!(p, ": ");
        }
        let mut data = c.sub(length)?;
        value(p, kind, &mut data)?;
        if !data.is_empty() {
            put!(p, "\n\t  trailing data length ", data.remaining());
        }
    }
    Ok(())
}

fn known(code: u8) -> (&'static str, Kind) {
    options::OPTIONS
        .iter()
        .find(|entry| entry.0 == code)
        .map_or(("Unknown", Kind::Auto), |entry| entry.1)
}

/// Values one after the other, `,` between them, as long as one can be read.
fn list(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    separator: &str,
    one: impl Fn(&mut Out<'_>, &mut Cursor<'_>) -> Printed,
) {
    let mut first = true;
    let mut at = *c;
    loop {
        let mark = p.out.len();
        if !first {
            put!(p, separator);
        }
        if one(p, &mut at).is_err() {
            p.out.truncate(mark);
            return;
        }
        first = false;
        *c = at;
    }
}

fn value(p: &mut Out<'_>, kind: Kind, c: &mut Cursor<'_>) -> Printed {
    let kind = match kind {
        Kind::Auto => match c.remaining() {
            2 => Kind::Shorts,
            n if n % 4 == 0 => Kind::Times,
            _ => Kind::Bytes,
        },
        kind => kind,
    };
    match kind {
        Kind::Addresses => list(p, c, ",", |p, c| {
            p.addr(Ipv4Addr::from(c.u32()?));
            Ok(())
        }),
        Kind::Routes => {
            if !c.remaining().is_multiple_of(8) || c.is_empty() {
                put!(
                    p,
                    if c.is_empty() { " " } else { "" },
                    "[length != N x 8 bytes]"
                );
                c.skip(c.remaining())?;
            }
            list(p, c, ",", |p, c| {
                let (one, two) = (Ipv4Addr::from(c.u32()?), Ipv4Addr::from(c.u32()?));
                put!(p, "(");
                p.addr(one);
                put!(p, ":");
                p.addr(two);
                put!(p, ")");
                Ok(())
            });
        }
        Kind::Longs => list(p, c, ",", |p, c| {
            put!(p, c.u32()?.cast_signed());
            Ok(())
        }),
        Kind::Times => list(p, c, ",", |p, c| {
            put!(p, c.u32()?);
            Ok(())
        }),
        Kind::Shorts => list(p, c, ",", |p, c| {
            put!(p, c.u16()?);
            Ok(())
        }),
        Kind::Bytes => list(p, c, ".", |p, c| {
            put!(p, c.u8()?);
            Ok(())
        }),
        Kind::Booleans => list(p, c, ",", |p, c| {
            match c.u8()? {
                0 => put!(p, "N"),
                1 => put!(p, "Y"),
                other => put!(p, other, "?"),
            }
            Ok(())
        }),
        Kind::Text => {
            put!(p, "\"", Visible(c.take(c.remaining())?), "\"");
        }
        _ => return special(p, kind, c),
    }
    Ok(())
}

fn special(p: &mut Out<'_>, kind: Kind, c: &mut Cursor<'_>) -> Printed {
    match kind {
        Kind::Node | Kind::Overload | Kind::Message => {
            if kind == Kind::Message && c.remaining() != 1 {
                return value(p, Kind::Bytes, c);
            }
            let Ok(number) = c.u8() else {
                put!(p, "[length < 1 bytes]");
                return Ok(());
            };
            let table = match kind {
                Kind::Node => options::NODES,
                Kind::Overload => options::OVERLOADS,
                _ => options::MESSAGES,
            };
            match lookup(table, number) {
                Some(name) => put!(p, name),
                None if kind == Kind::Message => put!(p, "Unknown (", number, ")"),
                None => put!(p, "#", number),
            }
        }
        Kind::Parameters => parameters(p, c)?,
        Kind::Client => client(p, c)?,
        Kind::UserClass => user_class(p, c)?,
        Kind::Fqdn => fqdn(p, c)?,
        Kind::Agent => agent(p, c)?,
        Kind::Servers => servers(p, c)?,
        _ => classless(p, c)?,
    }
    Ok(())
}

/// What a client asks for: four to a line.
fn parameters(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let mut count = 0;
    while !c.is_empty() {
        let code = c.u8()?;
        put!(p, if count % 4 == 0 { "\n\t      " } else { ", " });
        put!(p, known(code).0, " (", code, ")");
        count += 1;
    }
    Ok(())
}

fn client(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    if c.is_empty() {
        put!(p, "[length < 1 bytes]");
        return Ok(());
    }
    let kind = c.u8()?;
    let rest = c.take(c.remaining())?;
    if kind == 0 {
        put!(p, "\"", Visible(rest), "\"");
        return Ok(());
    }
    match lookup(options::HARDWARE, kind) {
        Some(name) => put!(p, name, " "),
        None => put!(p, "hardware-type ", kind, ", "),
    }
    put!(p, Pairs(rest, ':'));
    Ok(())
}

/// RFC 3004.
fn user_class(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let mut number = 1_u32;
    if c.remaining() < 2 {
        put!(p, "[length < 2 bytes]");
        return c.skip(c.remaining());
    }
    while !c.is_empty() {
        put!(p, "\n\t      instance#", number, ": ");
        let length = usize::from(c.u8()?);
        if length == 0 {
            put!(p, "[suboption length must be non-zero]");
            return c.skip(c.remaining());
        }
        let Ok(text) = c.take(length) else {
            p.invalid();
            return c.skip(c.remaining());
        };
        put!(p, "\"", Visible(text), "\", length ", length);
        number += 1;
    }
    Ok(())
}

/// RFC 4702.
fn fqdn(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let Ok([flags, one, two]) = c.array::<3>() else {
        put!(p, "[length < 3 bytes]");
        return c.skip(c.remaining());
    };
    if flags != 0 {
        put!(p, "[");
        for (bit, letter) in [(1, "S"), (2, "O"), (4, "E"), (8, "N")] {
            if flags & bit != 0 {
                put!(p, letter);
            }
        }
        put!(p, "] ");
    }
    if one != 0 || two != 0 {
        put!(p, one, "/", two, " ");
    }
    put!(p, "\"", Visible(c.take(c.remaining())?), "\"");
    Ok(())
}

/// RFC 3046.
fn agent(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    while c.remaining() >= 2 {
        let (code, length) = (c.u8()?, usize::from(c.u8()?));
        put!(
            p,
            "\n\t      ",
            lookup(options::AGENT, code).unwrap_or("Unknown")
        );
        put!(p, " SubOption ", code, ", length ", length, ": ");
        let Ok(data) = c.take(length) else {
            put!(p, "length goes past end of option");
            return c.skip(c.remaining());
        };
        match code {
            1 | 2 | 6 => put!(p, Visible(data)),
            _ => hexdump::hex(p, "\n\t", data),
        }
    }
    Ok(())
}

/// RFC 8572 section 8.3: bootstrap servers, a line each.
fn servers(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    while c.remaining() >= 2 {
        let length = c.u16()?;
        put!(p, "\n\t            length ", length, ": ");
        let Ok(uri) = c.take(usize::from(length)) else {
            put!(p, "length goes past end of option");
            return c.skip(c.remaining());
        };
        put!(p, "\"", Visible(uri), "\"");
    }
    if !c.is_empty() {
        put!(p, "[length < 2 bytes]");
    }
    c.skip(c.remaining())
}

/// RFC 3442: a mask's width, as many bytes of the destination as that needs, the router.
fn classless(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    if c.remaining() < 5 {
        put!(p, "[length < 5 bytes]");
        return c.skip(c.remaining());
    }
    let mut first = true;
    while !c.is_empty() {
        if !first {
            put!(p, ",");
        }
        first = false;
        let width = c.u8()?;
        if width > 32 {
            put!(p, "[Mask width (", width, ") > 32]");
            return c.skip(c.remaining());
        }
        let significant = usize::from(width).div_ceil(8);
        if c.remaining() < significant + 4 {
            let left = c.remaining() + 1;
            put!(
                p,
                "[Remaining length (",
                left,
                ") < ",
                significant + 5,
                " bytes]"
            );
            return c.skip(c.remaining());
        }
        let mut destination = [0; 4];
        for (to, from) in destination.iter_mut().zip(c.take(significant)?) {
            *to = *from;
        }
        put!(p, "(");
        if width == 0 {
            put!(p, "default");
        } else {
            put!(p, Ipv4Addr::from(destination), "/", width);
        }
        let router = Ipv4Addr::from(c.u32()?);
        put!(p, ":");
        p.addr(router);
        put!(p, ")");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{style, text};

    /// The lines of the options behind the magic cookie.
    fn shown(options: &str, expected: &str) {
        let mut bootp = crate::tests::bytes("0101060000000001");
        bootp.resize(236, 0);
        bootp.extend(crate::tests::bytes(&format!("63825363{options}ff")));
        let length = 8 + bootp.len();
        let mut packet = crate::tests::bytes(&format!(
            "4500{:04x}00010000401100000a0000010a00000200440043{length:04x}0000",
            length + 20
        ));
        packet.extend(bootp);
        let style = Style {
            no_checksums: true,
            ..style(1)
        };
        let text = text(LinkType::RAW, &packet, 0, style);
        let (_, lines) = text.split_once("0x63825363\n").unwrap();
        assert_eq!(lines, expected);
    }

    #[test]
    fn bootstrap_servers() {
        shown(
            "3702748f",
            "\t    Parameter-Request (55), length 2: \n\t      Auto-Configure (116), SZTP-Redirect (143)\n",
        );
        shown(
            "8f0a0003612f620003632f64",
            "\t    SZTP-Redirect (143), length 10: \n\t            length 3: \"a/b\"\n\t            length 3: \"c/d\"\n",
        );
        shown(
            "8f03000961",
            "\t    SZTP-Redirect (143), length 3: \n\t            length 9: length goes past end of option\n",
        );
        shown("740101", "\t    Auto-Configure (116), length 1: Y\n");
    }

    #[test]
    fn contradictions() {
        shown(
            "4d0104",
            "\t    User-Class (77), length 1: [length < 2 bytes]\n",
        );
        shown(
            "4d03056162",
            "\t    User-Class (77), length 3: \n\t      instance#1:  (invalid)\n",
        );
        shown(
            "79052101010101",
            "\t    Classless-Static-Route (121), length 5: [Mask width (33) > 32]\n",
        );
    }
}
