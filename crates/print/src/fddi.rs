//! FDDI (ANSI X3T9.5): the frame control byte, two addresses, and LLC in frames that carry data.

use pktwho_wire::Cursor;

use crate::llc;
use crate::out::{Out, Printed};
use crate::put::{HexFull, digit, put};

const HEADER: usize = 13;

/// Frame control: its high bits say the class, its low four bits the kind or priority.
const CLASS: u8 = 0xf0;
const MANAGEMENT: u8 = 0x40;
const LLC_ASYNC: u8 = 0x50;

/// `LINKTYPE_FDDI`.
pub(crate) fn fddi(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "fddi";
    p.link_len = HEADER;
    c.need(HEADER)?;
    let control = c.u8()?;
    let (destination, source) = (c.array::<6>()?, c.array::<6>()?);
    let header = |p: &mut Out<'_>| {
        if !p.style.quiet {
            kind(p, control);
        }
        p.mac(source);
        put!(p, " > ");
        p.mac(destination);
        put!(p, ", length ", wire, ": ");
    };
    if p.style.link {
        header(p);
    }
    let c = Cursor::new(c.rest());
    if control & CLASS == LLC_ASYNC {
        let length = wire.saturating_sub(HEADER);
        return p.deeper(|p| llc::llc(p, c, length, Some((&source, &destination))));
    }
    if control & CLASS == MANAGEMENT {
        // compat: what a user of tcpdump sees of station management (4.99.3).
        put!(p, "<SMT printer not yet implemented>");
        return Ok(());
    }
    p.unknown_behind(header, c.rest());
    Ok(())
}

/// The name of a frame control byte, and a blank.
fn kind(p: &mut Out<'_>, control: u8) {
    let name = match control {
        0x40 => "void",
        0x41 => "info",
        0x4f => "nsa",
        0x80 => "nrt",
        0xc0 => "rt",
        0xc2 => "beacon",
        0xc3 => "claim",
        _ => "",
    };
    let class = match control & CLASS {
        MANAGEMENT => "smt",
        LLC_ASYNC => "async",
        0x60 => "imp_async",
        0xc0 => "mac",
        0xd0 => "sync",
        0xe0 => "imp_sync",
        _ => "",
    };
    if !name.is_empty() {
        put!(p, name, " ");
    } else if class.is_empty() {
        put!(p, HexFull(control), " ");
    } else {
        put!(p, class, char::from(digit(control)), " ");
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    const UDP: &str = "aaaa0300000008004500001c00010000401166ce0a0000010a0000020001000200089bd8";

    #[test]
    fn data_and_other_frames() {
        let linked = || Style {
            link: true,
            ..style(0)
        };
        for (control, style, expected) in [
            (
                "50",
                style(0),
                "IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
            ),
            (
                "57",
                linked(),
                "async7 02:00:00:00:00:01 > 02:00:00:00:00:02, length 49: LLC, dsap SNAP (0xaa) Individual, ssap SNAP (0xaa) Command, ctrl 0x03: oui Ethernet (0x000000), ethertype IPv4 (0x0800), length 28: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
            ),
        ] {
            let packet = format!("{control}020000000002020000000001{UDP}");
            check(LinkType::FDDI, &packet, style, expected);
        }
        for (control, name) in [("c1", "mac1"), ("9f", "9f"), ("60", "imp_async0")] {
            let packet = format!("{control}0200000000020200000000010102");
            let expected = format!(
                "{name} 02:00:00:00:00:01 > 02:00:00:00:00:02, length 15: \n\t0x0000:  0102                                     ..\n"
            );
            check(LinkType::FDDI, &packet, style(0), &expected);
        }
        check(
            LinkType::FDDI,
            "4f0200000000020200000000010102",
            style(0),
            "<SMT printer not yet implemented>\n",
        );
        check(LinkType::FDDI, "5002", style(0), " [|fddi]\n");
    }
}
