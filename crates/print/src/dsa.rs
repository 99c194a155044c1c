//! Marvell's switch tags: DSA, and EDSA with an `EtherType` of its own.

use pktwho_wire::Cursor;

use crate::ether::{self, SwitchTag};
use crate::ethertype;
use crate::out::{Out, Printed};
use crate::put::{HexFull, put};

/// `LINKTYPE_DSA_TAG_DSA`.
pub(crate) fn dsa(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    let tag = SwitchTag {
        length: 4,
        print: dsa_tag,
    };
    p.protocol = "dsa";
    ether::tagged(p, c, wire, Some(tag))
}

/// `LINKTYPE_DSA_TAG_EDSA`.
pub(crate) fn edsa(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    let tag = SwitchTag {
        length: 8,
        print: edsa_tag,
    };
    p.protocol = "edsa";
    ether::tagged(p, c, wire, Some(tag))
}

fn dsa_tag(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let tag = c.array()?;
    if p.style.link {
        put!(p, "Marvell DSA ");
    } else {
        put!(p, "DSA ");
    }
    fields(p, tag);
    Ok(())
}

fn edsa_tag(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let kind = c.u16()?;
    let (first, second) = (c.u8()?, c.u8()?);
    let tag = c.array()?;
    if p.style.link {
        let name = ethertype::name(kind).unwrap_or("Unknown");
        put!(
            p,
            "Marvell EDSA ethertype 0x",
            HexFull(kind),
            " (",
            name,
            "), "
        );
        put!(p, "rsvd ", first, " ", second, ", ");
    } else {
        put!(p, "EDSA 0x", HexFull(kind), ", ");
    }
    fields(p, tag);
    Ok(())
}

/// Where a frame came from or goes to.
fn fields(p: &mut Out<'_>, [first, second, third, fourth]: [u8; 4]) {
    let (mode, device, port) = (first >> 6, first & 31, second >> 3);
    let tagged = first & 0x20 != 0;
    // A trunk instead of a port; the receive instead of the transmit sniffer.
    let other = second & 4 != 0;
    let vlan = u16::from_be_bytes([third & 15, fourth]);
    if !p.style.link {
        match mode {
            0 => put!(p, "port ", device, ".", port, " > CPU, "),
            1 => put!(p, "CPU > port ", device, ".", port, ", "),
            2 => {
                let way = if other { "Rx" } else { "Tx" };
                put!(p, "port ", device, ".", port, " > ", way, " Sniffer, ");
            }
            _ => {
                let what = if other { "trunk " } else { "port " };
                put!(p, "Forward ", what, device, ".", port, ", ");
            }
        }
        return put!(p, "VLAN ", vlan, if tagged { "t, " } else { "u, " });
    }
    match mode {
        0 => {
            put!(
                p,
                "mode To CPU, source dev ",
                device,
                ", port ",
                port,
                ", code "
            );
            put!(p, code(second & 6 | third >> 4 & 1), ", ");
        }
        1 => put!(
            p,
            "mode From CPU, target dev ",
            device,
            ", port ",
            port,
            ", "
        ),
        2 => {
            let way = if other { "ingress" } else { "egress" };
            put!(
                p,
                "mode To Sniffer, source dev ",
                device,
                ", port ",
                port,
                ", ",
                way,
                " sniff, "
            );
        }
        _ => {
            let what = if other { ", trunk " } else { ", port " };
            put!(p, "mode Forward, dev ", device, what, port, ", ");
        }
    }
    put!(p, if tagged { "tagged, " } else { "untagged, " });
    put!(p, if second & 1 != 0 { "CFI, " } else { "" });
    put!(p, "VID ", vlan, ", FPri ", third >> 5, ", ");
}

/// Why a frame came to the processor.
fn code(code: u8) -> &'static str {
    match code {
        0 => "BPDU (MGMT) Trap",
        1 => "Frame2Reg",
        2 => "IGMP/MLD Trap",
        3 => "Policy Trap",
        4 => "ARP Mirror",
        5 => "Policy Mirror",
        _ => "reserved",
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(284),
            "020000000002020000000001c008000508004500001c00010000401166ce0a0000010a0000020001000200089bd8",
            Style {
                link: true,
                ..style(0)
            },
            "02:00:00:00:00:01 > 02:00:00:00:00:02, Marvell DSA mode Forward, dev 0, port 1, untagged, VID 5, FPri 0, ethertype IPv4 (0x0800), length 46: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
    }
}
