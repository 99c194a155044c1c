//! USB as Linux's usbmon sees it: what was asked of a device, and what came back. The data are
//! not shown.

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::put::put;

/// `LINKTYPE_USB_LINUX`.
pub(crate) fn short(p: &mut Out<'_>, c: Cursor<'_>, _wire: usize) -> Printed {
    p.protocol = "usb_linux_48_byte";
    request(p, c, 48)
}

/// `LINKTYPE_USB_LINUX_MMAPPED`.
pub(crate) fn long(p: &mut Out<'_>, c: Cursor<'_>, _wire: usize) -> Printed {
    p.protocol = "usb_linux_64_byte";
    request(p, c, 64)
}

/// The header, in the byte order of the machine that captured: little, practically.
fn request(p: &mut Out<'_>, mut c: Cursor<'_>, header: usize) -> Printed {
    c.need(header)?;
    p.link_len = header;
    p.protocol = "usb";
    let (_id, event, transfer, endpoint) = (c.u64()?, c.u8()?, c.u8()?, c.u8()?);
    let (device, bus) = (c.u8()?, c.u16_le()?);
    let kind = match transfer {
        0 => "ISOCHRONOUS",
        1 => "INTERRUPT",
        2 => "CONTROL",
        3 => "BULK",
        _ => " ?",
    };
    put!(p, "USB");
    if p.style.quiet {
        return Ok(());
    }
    put!(p, " ", kind);
    let (event, way) = match event {
        b'S' => (" SUBMIT", Some("to ")),
        b'C' => (" COMPLETE", Some("from ")),
        b'E' => (" ERROR", Some("from ")),
        _ => (" ?", None),
    };
    let way = match (way, transfer) {
        (None, _) | (_, 4..) => "",
        // The device speaks when it is asked to.
        (Some("to "), 1) => "from ",
        (Some(_), 1) => "to ",
        (Some(way), _) => way,
    };
    put!(p, event, " ", way, bus, ":", device, ":", endpoint & 0x7f);
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn who_asks_whom() {
        for (event, transfer, expected) in [
            ("53", "02", "USB CONTROL SUBMIT to 1:3:1\n"),
            ("43", "03", "USB BULK COMPLETE from 1:3:1\n"),
            ("53", "01", "USB INTERRUPT SUBMIT from 1:3:1\n"),
            ("45", "01", "USB INTERRUPT ERROR to 1:3:1\n"),
            ("53", "04", "USB  ? SUBMIT 1:3:1\n"),
            ("58", "00", "USB ISOCHRONOUS ? 1:3:1\n"),
        ] {
            let zeros = "00".repeat(34);
            let packet = format!("0700000000000000{event}{transfer}81030100{zeros}");
            check(LinkType::USB_LINUX, &packet, style(0), expected);
        }
        check(
            LinkType::USB_LINUX,
            "07",
            style(0),
            " [|usb_linux_48_byte]\n",
        );
    }
}
