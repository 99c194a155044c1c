//! Broadcom's switch tags, between addresses and type or before the frame.

use pktwho_wire::Cursor;

use crate::ether::{self, SwitchTag};
use crate::out::{Out, Printed, bits};
use crate::put::put;

const LENGTH: usize = 4;

/// Why a frame came to the processor.
static REASONS: &[(u32, &str)] = &[
    (0x01, "mirror"),
    (0x02, "MAC learning"),
    (0x04, "switching"),
    (0x08, "prot term"),
    (0x10, "prot snoop"),
    (0x20, "exception"),
];

/// `LINKTYPE_DSA_TAG_BRCM`.
pub(crate) fn inside(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "brcm-tag";
    let tag = SwitchTag {
        length: LENGTH,
        print: tag,
    };
    ether::tagged(p, c, wire, Some(tag))
}

/// `LINKTYPE_DSA_TAG_BRCM_PREPEND`.
pub(crate) fn before(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "brcm-tag-prepend";
    if p.style.link {
        tag(p, c)?;
    } else {
        c.need(LENGTH)?;
    }
    c.skip(LENGTH)?;
    ether::after_header(
        p,
        Cursor::new(c.rest()),
        wire.saturating_sub(LENGTH),
        LENGTH,
    )
}

fn tag(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let value = c.u32()?;
    let ingress = value >> 29 == 1;
    put!(p, "BRCM tag OP: ", if ingress { "IG" } else { "EG" }, ", ");
    if ingress {
        let mode = match value >> 24 & 3 {
            0 => "None",
            1 => "Untag",
            2 => "Header",
            _ => "Reserved",
        };
        put!(
            p,
            "TC: ",
            value >> 26 & 7,
            ", TE: ",
            mode,
            ", TS: ",
            value >> 23 & 1
        );
        put!(p, ", DST map: [");
        let mut separator = "";
        for port in (0..23_u32).filter(|port| value >> port & 1 != 0) {
            put!(p, separator, "port ", port);
            separator = ", ";
        }
        put!(p, "], ");
    } else {
        put!(p, "CID: ", value >> 16 & 0xff, ", RC: [");
        bits(p, REASONS, value >> 8 & 0xff, ", ", "reserved");
        put!(p, "], TC: ", value >> 5 & 7, ", port: ", value & 31, ", ");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(281),
            "0200000000020200000000012000008008004500001c00010000401166ce0a0000010a0000020001000200089bd8",
            Style {
                link: true,
                ..style(0)
            },
            "02:00:00:00:00:01 > 02:00:00:00:00:02, BRCM tag OP: IG, TC: 0, TE: None, TS: 0, DST map: [port 7], ethertype IPv4 (0x0800), length 46: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
    }
}
