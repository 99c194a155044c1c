//! Broadcom's shim before packets that are intercepted lawfully, in datagrams.

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, named};
use crate::put::put;
use crate::{ether, ip, ip6};

const HEADER: usize = 4;
const UNDECIDED: u32 = 4;
const IPV4: u32 = 5;
const IPV6: u32 = 6;
const ETHERNET: u32 = 7;

static DIRECTIONS: &[(u32, &str)] = &[(1, "unused"), (2, "egress"), (3, "ingress")];

static TYPES: &[(u32, &str)] = &[
    (UNDECIDED, "undecided"),
    (IPV4, "ipv4"),
    (IPV6, "ipv6"),
    (ETHERNET, "ethernet"),
];

static SUBTYPES: &[(u32, &str)] = &[
    (1, "single VLAN tag"),
    (2, "double VLAN tag"),
    (3, "untagged"),
];

/// A datagram; what it carries only with `-v`.
pub(crate) fn bcm_li(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "bcm_li";
    if length < HEADER {
        put!(p, " (length ", length, " < ", HEADER, ")");
        p.invalid();
        return Ok(());
    }
    let whole = c;
    let mut c = c;
    let word = c.u32()?;
    let kind = word >> 25 & 15;
    let lines = p.verbose(1);
    put!(
        p,
        if lines { "\n    " } else { "" },
        "BCM-LI-SHIM: direction "
    );
    put!(p, named(DIRECTIONS, word >> 29, "unknown"), ", pkt-type ");
    put!(p, named(TYPES, kind, "unknown"), ", pkt-subtype ");
    put!(p, named(SUBTYPES, word >> 22 & 7, "unknown"));
    put!(p, ", li-id ", word & 0x3f_ffff);
    if !lines {
        return whole.need(length);
    }
    put!(p, "\n    ");
    let c = Cursor::new(c.rest());
    let inner = length - HEADER;
    match kind {
        UNDECIDED => match Cursor::new(c.rest()).u8()? >> 4 {
            4 => ip::ip(p, c, inner),
            6 => ip6::ip6(p, c, inner),
            _ => {
                put!(p, "unknown payload");
                Ok(())
            }
        },
        IPV4 => ip::ip(p, c, inner),
        IPV6 => ip6::ip6(p, c, inner),
        ETHERNET => ether::frame(p, c, inner),
        _ => {
            p.invalid();
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    /// A datagram from the port that says it.
    const AROUND: &str = "450000250001000040110000090000010900000 2c000000500110000";

    #[test]
    fn says_which_way_and_what() {
        let hex = format!("{AROUND}4ac00007 0000000000");
        let line = "direction egress, pkt-type ipv4, pkt-subtype untagged, li-id 7";
        check(
            LinkType::RAW,
            &hex,
            style(0),
            &format!("IP 9.0.0.1.49152 > 9.0.0.2.5: BCM-LI-SHIM: {line}\n"),
        );
    }
}
