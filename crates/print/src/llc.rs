//! Logical link control (IEEE 802.2) and SNAP, as far as needed to say what is inside.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, HexZeros, put};
use crate::{cdp, dtp, ether, ethertype, ip, ipx, stp, udld, vtp};
use crate::{hexdump, oui};

/// What stands for ISO's network protocols in the table of types, without Ethernet's padding.
const ISO: u16 = 0x00fe;

/// Source and destination hardware address, where the link has both.
type Addresses<'a> = Option<(&'a [u8; 6], &'a [u8; 6])>;

static SAPS: &[(u8, &str)] = &[
    (0x00, "Null"),
    (0x02, "802.1B I"),
    (0x04, "SNA"),
    (0x06, "IP"),
    (0x0e, "ProWay NM"),
    (0x42, "STP"),
    (0x4e, "RS511"),
    (0x7e, "ISO8208"),
    (0x8e, "ProWay"),
    (0xaa, "SNAP"),
    (0xe0, "IPX"),
    (0xf0, "NetBeui"),
    (0xfe, "OSI"),
];

static UNNUMBERED: &[(u8, &str)] = &[
    (0x03, "ui"),
    (0xe3, "test"),
    (0xaf, "xid"),
    (0x63, "ua"),
    (0x43, "disc"),
    (0x0f, "dm"),
    (0x6f, "sabme"),
    (0x87, "frmr"),
];

/// An LLC frame of `length` bytes.
pub(crate) fn llc(
    p: &mut Out<'_>,
    c: Cursor<'_>,
    length: usize,
    addresses: Addresses<'_>,
) -> Printed {
    let whole = c.rest();
    if !silent(p, c, length, addresses)? && !p.style.quiet {
        p.unknown(whole);
    }
    Ok(())
}

/// The same without the bytes of what nobody knows; `false` if it is of that kind.
pub(crate) fn silent(
    p: &mut Out<'_>,
    c: Cursor<'_>,
    length: usize,
    addresses: Addresses<'_>,
) -> Result<bool, Truncated> {
    p.protocol = "llc";
    let whole = c.rest();
    let mut c = c;
    let Ok([dsap, ssap, control]) = c.array::<3>() else {
        return cut(p, whole);
    };
    let unnumbered = control & 3 == 3;
    let control = if unnumbered {
        u16::from(control)
    } else {
        let Ok(high) = c.u8() else {
            return cut(p, whole);
        };
        u16::from_le_bytes([control, high])
    };
    // The header belongs to the link layer, as `-x` sees it.
    let before = p.link_len;
    p.link_len = before + if unnumbered { 3 } else { 4 };
    let inner = length.saturating_sub(if unnumbered { 3 } else { 4 });
    if p.style.link && (dsap, ssap) != (0xff, 0xff) {
        header(p, dsap, ssap, control, unnumbered);
    }
    match (dsap, ssap, control) {
        // Novell's own framing has no LLC header: IPX begins where it would be.
        (0xff, 0xff, _) => {
            if p.style.link {
                put!(p, "IPX 802.3: ");
            }
            p.link_len = before;
            return p
                .deeper(|p| ipx::ipx(p, Cursor::new(whole), length))
                .map(|()| true);
        }
        (0xe0 | 0xe1, 0xe0 | 0xe1, 3) => {
            if p.style.link {
                put!(p, "IPX 802.2: ");
            }
            return p.deeper(|p| ipx::ipx(p, c, inner)).map(|()| true);
        }
        (0xaa | 0xab, 0xaa | 0xab, 3) => return snap(p, c, inner, addresses),
        (0x42 | 0x43, 0x42 | 0x43, 3) => {
            return p.deeper(|p| stp::stp(p, c, inner)).map(|()| true);
        }
        (0x06 | 0x07, 0x06 | 0x07, 3) => {
            return p.deeper(|p| ip::ip(p, c, inner)).map(|()| true);
        }
        (0xfe | 0xff, 0xfe | 0xff, 3) => {
            if let Some(printed) = ethertype::payload(p, ISO, Cursor::new(c.rest()), inner) {
                return printed.map(|()| true);
            }
        }
        _ => {}
    }
    if !p.style.link {
        ends(p, dsap & !1, ssap & !1, addresses);
    }
    let shown = if unnumbered {
        unnumbered_frame(p, c, control, ssap & 1, length)?;
        true
    } else {
        numbered_frame(p, control, ssap & 1, length)
    };
    Ok(!shown)
}

/// A header that was not captured whole: the bytes are shown even where `-x` would show them, and it does
/// not.
fn cut(p: &mut Out<'_>, whole: &[u8]) -> Result<bool, Truncated> {
    p.truncated();
    hexdump::hex_ascii(p, "\n\t", whole);
    p.link_len += whole.len();
    Ok(true)
}

fn unnumbered_frame(
    p: &mut Out<'_>,
    c: Cursor<'_>,
    control: u16,
    response: u8,
    length: usize,
) -> Printed {
    let [_, command] = (control & !0x10).to_be_bytes();
    put!(p, "Unnumbered, ");
    match lookup(UNNUMBERED, command) {
        Some(name) => put!(p, name),
        None => put!(p, HexFull(command)),
    }
    flags(p, control & 0x10 != 0, response, length);
    if command == 0xaf { xid(p, c) } else { Ok(()) }
}

/// Supervisory or information; `true` for the latter, whose bytes are to be shown.
fn numbered_frame(p: &mut Out<'_>, control: u16, response: u8, length: usize) -> bool {
    let receive = control >> 9;
    let information = control & 1 == 0;
    if information {
        put!(p, "Information, send seq ", control >> 1 & 0x7f);
    } else {
        let name = match control >> 2 & 3 {
            0 => "Receiver Ready",
            1 => "Receiver not Ready",
            2 => "Reject",
            _ => "?",
        };
        put!(p, "Supervisory, ", name);
    }
    put!(p, ", rcv seq ", receive);
    flags(p, control & 0x100 != 0, response, length);
    information
}

/// The header of `-e`.
fn header(p: &mut Out<'_>, dsap: u8, ssap: u8, control: u16, unnumbered: bool) {
    let name = |sap| lookup(SAPS, sap).unwrap_or("Unknown");
    let group = if dsap & 1 == 0 {
        " Individual"
    } else {
        " Group"
    };
    let response = if ssap & 1 == 0 {
        " Command"
    } else {
        " Response"
    };
    let (dsap, ssap) = (dsap & !1, ssap & !1);
    put!(
        p,
        "LLC, dsap ",
        name(dsap),
        " (0x",
        HexFull(dsap),
        ")",
        group
    );
    put!(
        p,
        ", ssap ",
        name(ssap),
        " (0x",
        HexFull(ssap),
        ")",
        response
    );
    let digits = if unnumbered { 2 } else { 4 };
    put!(p, ", ctrl 0x", HexZeros(u32::from(control), digits), ": ");
}

/// Who speaks to whom, without `-e`.
fn ends(p: &mut Out<'_>, dsap: u8, ssap: u8, addresses: Addresses<'_>) {
    let point = |p: &mut Out<'_>, number: u8, kind: &str| match lookup(SAPS, number) {
        Some(name) => put!(p, name, " "),
        None => put!(p, "Unknown ", kind, "SAP 0x", HexFull(number), " "),
    };
    if let Some((source, destination)) = addresses {
        p.mac(*source);
        put!(p, " ");
        if dsap != ssap {
            point(p, ssap, "S");
        }
        put!(p, "> ");
        p.mac(*destination);
        put!(p, " ");
    } else if dsap != ssap {
        point(p, ssap, "S");
        put!(p, "> ");
    }
    point(p, dsap, "D");
}

fn flags(p: &mut Out<'_>, poll: bool, response: u8, length: usize) {
    let flags = match (poll, response) {
        (false, 0) => "Command",
        (false, _) => "Response",
        (true, 0) => "Poll",
        (true, _) => "Final",
    };
    put!(p, ", Flags [", flags, "], length ", length);
}

/// Exchange identification: format, classes and window.
fn xid(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let [format, classes] = c.array()?;
    put!(p, ": ", HexFull(format), " ", HexFull(classes));
    Ok(())
}

/// The protocol inside is named by an organisation and a number of it (RFC 1042).
fn snap(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    length: usize,
    addresses: Addresses<'_>,
) -> Result<bool, Truncated> {
    p.protocol = "snap";
    p.link_len += 5;
    let organisation = c.u24()?;
    let kind = c.u16()?;
    let length = length.saturating_sub(5);
    if p.style.link {
        snap_header(p, organisation, kind, length);
    }
    if let Some(printed) = known(p, organisation, kind, Cursor::new(c.rest()), length) {
        return printed.map(|()| true);
    }
    if !p.style.link {
        if let Some((source, destination)) = addresses {
            p.mac(*source);
            put!(p, " > ");
            p.mac(*destination);
            put!(p, " ");
        }
        put!(p, "SNAP, ");
        snap_header_alone(p, organisation, kind, length);
    }
    Ok(false)
}

/// SNAP alone, where another header said that it follows: `None` if nobody knows what is in it,
/// after its header was said.
pub(crate) fn snap_payload(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Option<Printed> {
    p.protocol = "snap";
    let (Ok(organisation), Ok(kind)) = (c.u24(), c.u16()) else {
        return Some(Err(Truncated));
    };
    let left = length.saturating_sub(5);
    if p.style.link {
        snap_header(p, organisation, kind, left);
    }
    let printed = known(p, organisation, kind, Cursor::new(c.rest()), left);
    if printed.is_none() && !p.style.link {
        put!(p, "SNAP, ");
        snap_header_alone(p, organisation, kind, left);
    }
    printed
}

/// What an organisation's number says the payload is, if anybody prints it.
fn known(
    p: &mut Out<'_>,
    organisation: u32,
    kind: u16,
    mut c: Cursor<'_>,
    length: usize,
) -> Option<Printed> {
    let print = match (organisation, kind) {
        // Ethernet's own, and Cisco's bridged 802.3.
        (0 | 0xf8, _) | (0x08_0007, 0x809b) => return ethertype::payload(p, kind, c, length),
        (0x0c, 0x010b | 0x010c) | (0x80c2, 0x000e) => stp::stp,
        (0x0c, 0x0111) => udld::udld,
        (0x0c, 0x2000) => cdp::cdp,
        (0x0c, 0x2003) => vtp::vtp,
        (0x0c, 0x2004) => dtp::dtp,
        (0x80c2, 0x0001 | 0x0007) => {
            // Two bytes to start the frame at a multiple of four.
            if c.skip(2).is_err() {
                return Some(Err(Truncated));
            }
            let left = length.saturating_sub(2);
            return Some(p.deeper(|p| ether::frame(p, Cursor::new(c.rest()), left)));
        }
        _ => return None,
    };
    Some(p.deeper(|p| print(p, c, length)))
}

/// The header where none was said before it.
fn snap_header_alone(p: &mut Out<'_>, organisation: u32, kind: u16, length: usize) {
    if organisation == 0 {
        ethertype::label(p, kind);
        return put!(p, ", length ", length, ": ");
    }
    snap_header(p, organisation, kind, length);
}

fn snap_header(p: &mut Out<'_>, organisation: u32, kind: u16, length: usize) {
    put!(
        p,
        "oui ",
        oui::name(organisation),
        " (0x",
        HexZeros(organisation, 6),
        "), "
    );
    if organisation == 0 {
        ethertype::label(p, kind);
    } else {
        put!(
            p,
            "pid ",
            oui::protocol(organisation, kind),
            " (0x",
            HexFull(kind),
            ")"
        );
    }
    put!(p, ", length ", length, ": ");
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn who_speaks_to_whom() {
        for (packet, expected) in [
            (
                "020000000002020000000001001e102003787878787878787878787878787878787878787878787878787878",
                "02:00:00:00:00:01 Unknown SSAP 0x20 > 02:00:00:00:00:02 Unknown DSAP 0x10 Unnumbered, ui, Flags [Command], length 30\n\t0x0000:  1020 0378 7878 7878 7878 7878 7878 7878  ...xxxxxxxxxxxxx\n\t0x0010:  7878 7878 7878 7878 7878 7878 7878       xxxxxxxxxxxxxx\n",
            ),
            (
                "020000000002020000000001001ef0f003787878787878787878787878787878787878787878787878787878",
                "02:00:00:00:00:01 > 02:00:00:00:00:02 NetBeui Unnumbered, ui, Flags [Command], length 30\n\t0x0000:  f0f0 0378 7878 7878 7878 7878 7878 7878  ...xxxxxxxxxxxxx\n\t0x0010:  7878 7878 7878 7878 7878 7878 7878       xxxxxxxxxxxxxx\n",
            ),
            (
                "020000000002020000000001001e102101027878787878787878787878787878787878787878787878787878",
                "02:00:00:00:00:01 Unknown SSAP 0x20 > 02:00:00:00:00:02 Unknown DSAP 0x10 Supervisory, Receiver Ready, rcv seq 1, Flags [Response], length 30\n",
            ),
            (
                "0200000000020200000000010024aaaa03123456200078787878787878787878787878787878787878787878787878787878",
                "02:00:00:00:00:01 > 02:00:00:00:00:02 SNAP, oui Unknown (0x123456), pid Unknown (0x2000), length 28: \n\t0x0000:  aaaa 0312 3456 2000 7878 7878 7878 7878  ....4V..xxxxxxxx\n\t0x0010:  7878 7878 7878 7878 7878 7878 7878 7878  xxxxxxxxxxxxxxxx\n\t0x0020:  7878 7878                                xxxx\n",
            ),
        ] {
            check(LinkType::ETHERNET, packet, style(0), expected);
        }
    }
}
