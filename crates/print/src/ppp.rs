//! PPP (RFC 1661, RFC 1662), as far as it carries IP.

use pktwho_wire::Cursor;

use crate::hexdump;
use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, put};
use crate::{ip, ip6};

const IP: u16 = 0x0021;
const IPV6: u16 = 0x0057;

static PROTOCOLS: &[(u16, &str)] = &[
    (IP, "IP"),
    (IPV6, "IP6"),
    (0x0023, "OSI"),
    (0x0025, "NS"),
    (0x0027, "DECNET"),
    (0x0029, "APPLE"),
    (0x002b, "IPX"),
    (0x002d, "VJC IP"),
    (0x002f, "VJC UNCOMP"),
    (0x0031, "BRPDU"),
    (0x0033, "STII"),
    (0x0035, "VINES"),
    (0x0201, "HELLO"),
    (0x0231, "LUXCOM"),
    (0x0233, "SNS"),
    (0x0281, "MPLS"),
    (0x0283, "MPLS"),
    (0x8021, "IPCP"),
    (0x8023, "OSICP"),
    (0x8025, "NSCP"),
    (0x8027, "DECNETCP"),
    (0x8029, "APPLECP"),
    (0x802b, "IPXCP"),
    (0x8033, "STIICP"),
    (0x8035, "VINESCP"),
    (0x8057, "IP6CP"),
    (0x80fd, "CCP"),
    (0xc021, "LCP"),
    (0xc023, "PAP"),
    (0xc025, "LQM"),
    (0xc027, "SPAP"),
    (0xc223, "CHAP"),
    (0xc227, "EAP"),
];

/// `LINKTYPE_PPP`.
pub(crate) fn ppp(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    payload(p, c, wire)
}

/// `LINKTYPE_PPP_HDLC`: address and control first, or Cisco's framing.
pub(crate) fn hdlc(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "ppp_hdlc";
    c.need(2)?;
    payload(p, c, wire)
}

/// A PPP frame; address and control, and the protocol's first byte, may be compressed away.
pub(crate) fn payload(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "ppp";
    let start = c.position();
    let mut peek = c;
    if peek.u16()? == 0xff03 {
        c = peek;
        peek.need(2)?;
    }
    let mut peek = c;
    let protocol = if peek.u8()? & 1 == 1 {
        u16::from(c.u8()?)
    } else {
        c.u16()?
    };
    if p.link_len == 0 {
        p.link_len = c.position() - start;
    }
    let length = wire.saturating_sub(c.position() - start);
    if p.style.link {
        let name = lookup(PROTOCOLS, protocol).unwrap_or("unknown");
        put!(p, name, " (0x", HexFull(protocol), "), length ", wire);
        if name == "unknown" {
            return Ok(());
        }
        put!(p, ": ");
    }
    match protocol {
        IP => p.deeper(|p| ip::ip(p, c, length)),
        IPV6 => p.deeper(|p| ip6::ip6(p, c, length)),
        _ => {
            match lookup(PROTOCOLS, protocol) {
                Some(name) => put!(p, name, " "),
                None => put!(p, "unknown PPP protocol (0x", HexFull(protocol), ") "),
            }
            hexdump::hex(p, "\n\t", c.rest());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn compressed_headers() {
        for (packet, expected) in [
            (
                "ff0300214500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "IP (0x0021), length 35: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "00214500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "IP (0x0021), length 33: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "214500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "IP (0x0021), length 32: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "ff03005760000000000d114020010db800000000000000000000000120010db80000000000000000000000029c40829a000d41b268656c6c6f",
                "IP6 (0x0057), length 57: 2001:db8::1.40000 > 2001:db8::2.33434: UDP, length 5\n",
            ),
        ] {
            check(
                LinkType::PPP,
                packet,
                Style {
                    link: true,
                    ..style(0)
                },
                expected,
            );
        }
    }
}
