//! IP over Fibre Channel (RFC 2625): two network addresses of eight bytes, of which six are a
//! hardware address, and LLC.

use pktwho_wire::Cursor;

use crate::llc;
use crate::out::{Out, Printed};
use crate::put::put;

const HEADER: usize = 16;

/// `LINKTYPE_IP_OVER_FC`.
pub(crate) fn ipfc(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "ipfc";
    c.need(HEADER)?;
    p.link_len = HEADER;
    let (_, destination, _, source) = (c.u16()?, c.array::<6>()?, c.u16()?, c.array::<6>()?);
    if p.style.link {
        p.mac(source);
        put!(p, " > ");
        p.mac(destination);
        put!(p, ", length ", wire, ": ");
    }
    let c = Cursor::new(c.rest());
    let length = wire.saturating_sub(HEADER);
    p.deeper(|p| llc::llc(p, c, length, Some((&source, &destination))))
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn two_addresses() {
        check(
            LinkType::IP_OVER_FC,
            "10000200000000021000020000000001102003",
            Style {
                link: true,
                ..style(0)
            },
            "02:00:00:00:00:01 > 02:00:00:00:00:02, length 19: LLC, dsap Unknown (0x10) Individual, ssap Unknown (0x20) Command, ctrl 0x03: Unnumbered, ui, Flags [Command], length 3\n\t0x0000:  1020 03                                  ...\n",
        );
        check(LinkType::IP_OVER_FC, "1000", style(0), " [|ipfc]\n");
    }
}
