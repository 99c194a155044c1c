//! Token Ring (IEEE 802.5): access and frame control, two addresses, the route of bridges, LLC.

use pktwho_wire::{Cursor, Truncated};

use crate::llc;
use crate::out::{Out, Printed, pass};
use crate::put::{Hex, HexFull, put};

const HEADER: usize = 14;
/// The source address's bit that says that a route follows.
const ROUTED: u8 = 0x80;

/// The longest frame that each bridge on the route can pass, by three bits of the route.
static LONGEST: [&str; 8] = [
    "516", "1500", "2052", "4472", "8144", "11407", "17800", "??",
];

/// `LINKTYPE_IEEE802_5`.
pub(crate) fn token_ring(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "token-ring";
    let whole = c;
    p.link_len = HEADER;
    c.need(HEADER)?;
    let (access, control) = (c.u8()?, c.u8()?);
    let (destination, mut source) = (c.array::<6>()?, c.array::<6>()?);
    let [first, ..] = &mut source;
    let routed = *first & ROUTED != 0;
    *first &= !ROUTED;
    let header = |p: &mut Out<'_>| {
        if !p.style.quiet {
            put!(p, HexFull(access), " ", HexFull(control), " ");
        }
        p.mac(source);
        put!(p, " > ");
        p.mac(destination);
        put!(p, ", length ", wire, ": ");
    };
    if p.style.link {
        header(p);
    }
    if routed {
        route(p, &mut c)?;
    }
    let before = whole.remaining() - c.remaining();
    p.link_len = before;
    let length = wire.saturating_sub(before);
    let c = Cursor::new(c.rest());
    // The two high bits are 01 in frames of data.
    if control >> 6 == 1 {
        return p.deeper(|p| llc::llc(p, c, length, Some((&source, &destination))));
    }
    p.unknown_behind(header, c.rest());
    Ok(())
}

/// The route: `rt = 670:1234:5670 (??) `, or in words with `-v`: whom it reaches, which way it is to be
/// read, ring and bridge of each segment. At its end the longest frame.
fn route(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Truncated> {
    let mut list = *c;
    let control = list.u16()?;
    let length = usize::from(control >> 8 & 0x1f);
    c.need(length.max(2))?;
    let words = p.verbose(1);
    if words {
        let reach = match control >> 14 {
            0 | 1 => "Non-Broadcast",
            2 => "All-routes",
            _ => "Single-route",
        };
        let backward = control & 0x80 != 0;
        put!(p, reach, if backward { " Backward" } else { " Forward" });
    } else {
        put!(p, "rt = ", Hex(control));
    }
    for _ in 0..length.saturating_sub(2) / 2 {
        let segment = list.u16()?;
        if words {
            put!(p, " [", segment >> 4, ":", segment & 15, "]");
        } else {
            put!(p, ":", Hex(segment));
        }
    }
    let longest = LONGEST.get(usize::from(control >> 4 & 7)).unwrap_or(&"??");
    put!(p, " (", *longest, ") ");
    pass(c, length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    const UDP: &str = "aaaa0300000008004500001c00010000401166ce0a0000010a0000020001000200089bd8";
    const TOKEN_RING: LinkType = LinkType(6);

    #[test]
    fn routes_and_frames() {
        let plain = "IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n";
        let packet = format!("1040020000000002020000000001{UDP}");
        check(TOKEN_RING, &packet, style(0), plain);
        let packet = format!("1040020000000002820000000001063012345670{UDP}");
        let expected = format!("rt = 630:1234:5670 (4472) {plain}");
        check(TOKEN_RING, &packet, style(0), &expected);
        let expected =
            "Non-Broadcast Forward [291:4] [1383:0] (4472) LLC, dsap Unknown (0x10) Individual";
        let linked = crate::Style {
            link: true,
            ..style(1)
        };
        let packet = crate::tests::bytes("1040020000000002820000000001063012345670102003");
        let text = crate::tests::text(TOKEN_RING, &packet, 0, linked);
        assert!(text.contains(expected), "{text}");
        check(
            TOKEN_RING,
            "1000020000000002020000000001010203",
            style(0),
            "10 00 02:00:00:00:00:01 > 02:00:00:00:00:02, length 17: \n\t0x0000:  0102 03                                  ...\n",
        );
        check(
            TOKEN_RING,
            "10400200000000028200000000010670",
            style(0),
            " [|token-ring]\n",
        );
    }
}
