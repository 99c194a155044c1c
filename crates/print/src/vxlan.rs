//! VXLAN (RFC 7348, with the group policy of draft-smith-vxlan-group-policy), VXLAN-GPE
//! (draft-ietf-nvo3-vxlan-gpe): frames over UDP.

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, bits};
use crate::put::{HexFull, put};
use crate::{ether, ip, ip6, nsh};

/// Bytes of every header here.
const HEADER: usize = 8;

static GPE_FLAGS: &[(u32, &str)] = &[(8, "I"), (4, "P"), (2, "B"), (1, "O")];

/// A datagram of the VXLAN port, IANA's or the one that Linux uses by itself.
pub(crate) fn vxlan(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "vxlan";
    put!(p, "VXLAN");
    if length < HEADER {
        p.invalid();
        return Ok(());
    }
    put!(p, ", ");
    let flags = c.u8()?;
    let shown = if flags & 8 != 0 { "I" } else { "invalid" };
    put!(p, "flags [", shown, "] (0x", HexFull(flags), "), ");
    c.skip(3)?;
    put!(p, "vni ", c.u24()?, "\n");
    c.skip(1)?;
    p.deeper(|p| ether::frame(p, Cursor::new(c.rest()), length.saturating_sub(HEADER)))
}

/// A datagram of the VXLAN-GPE port.
pub(crate) fn gpe(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "vxlan_gpe";
    put!(p, "VXLAN-GPE, ");
    if length < 8 {
        put!(p, " (len ", length, " < 8)");
        p.invalid();
        return c.need(length);
    }
    let flags = c.u8()?;
    put!(p, "flags [");
    bits(p, GPE_FLAGS, u32::from(flags), "", "none");
    put!(p, "], ");
    c.skip(2)?;
    let next = c.u8()?;
    let network = c.u32()? >> 8;
    put!(p, "vni ", network);
    put!(p, if p.verbose(1) { "\n    " } else { ": " });
    let left = length - 8;
    let c = Cursor::new(c.rest());
    p.deeper(|p| match next {
        1 => ip::ip(p, c, left),
        2 => ip6::ip6(p, c, left),
        3 => ether::frame(p, c, left),
        4 => nsh::nsh(p, c, left),
        _ => {
            put!(p, "ERROR: unknown-next-protocol");
            p.invalid();
            Ok(())
        }
    })
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(101),
            "4500004e00010000401100000a0000010a00000212b512b5003a0000080000000000640002000000000202000000000108004500001c00010000401166ce0a0000010a0000020001000200089bd8",
            style(0),
            "IP 10.0.0.1.4789 > 10.0.0.2.4789: VXLAN, flags [I] (0x08), vni 100\nIP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
        check(
            LinkType(101),
            "4500004000010000401100000a0000010a00000212b612b6002c000008000001000064004500001c00010000401166ce0a0000010a0000020001000200089bd8",
            style(0),
            "IP 10.0.0.1.4790 > 10.0.0.2.4790: VXLAN-GPE, flags [I], vni 100: IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
    }

    #[test]
    fn both_ports() {
        for port in ["12b5", "2118"] {
            let shown = u16::from_str_radix(port, 16).unwrap();
            check(
                LinkType::RAW,
                &format!(
                    "4500003200010000401166b80a0000010a0000029c40{port}001e0000080000000000010002000000000202000000000188b5"
                ),
                style(0),
                &format!(
                    "IP 10.0.0.1.40000 > 10.0.0.2.{shown}: VXLAN, flags [I] (0x08), vni 1\n02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype Unknown (0x88b5), length 14: \n"
                ),
            );
        }
    }
}
