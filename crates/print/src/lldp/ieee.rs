//! TLVs of IEEE 802.1 and 802.3.

use pktwho_wire::Cursor;

use super::{Shown, subtype};
use crate::out::{Out, bits, lookup};
use crate::put::{HexFull, Visible, put};

static BRIDGING: &[(u8, &str)] = &[
    (1, "Port VLAN Id"),
    (2, "Port and Protocol VLAN ID"),
    (3, "VLAN name"),
    (4, "Protocol Identity"),
    (7, "Link aggregation"),
    (8, "Congestion Notification"),
    (9, "ETS Configuration"),
    (10, "ETS Recommendation"),
    (11, "Priority Flow Control Configuration"),
    (12, "Application Priority"),
    (13, "EVB"),
    (14, "CDCP"),
];

static PROTOCOL_VLAN: &[(u32, &str)] = &[(2, "supported"), (4, "enabled")];
static SUPPORTED: &[(u32, &str)] = &[(1, "supported"), (2, "enabled")];

/// IEEE 802.1's (IEEE 802.1Q, annex D).
pub(super) fn bridging(p: &mut Out<'_>, c: Cursor<'_>, size: usize) -> Shown {
    let (kind, mut c) = subtype(p, BRIDGING, c)?;
    let least = match kind {
        1 => 6,
        2 | 3 => 7,
        4 => 5,
        7 => 9,
        8 | 11 => 6,
        9 | 10 => 25,
        12 => 5,
        13 => 9,
        14 => 8,
        _ => return Ok(false),
    };
    if size < least {
        return Ok(true);
    }
    match kind {
        1 => put!(p, "\n\t    port vlan id (PVID): ", c.u16()?),
        2 => {
            let (flags, vlan) = (c.u8()?, c.u16()?);
            put!(
                p,
                "\n\t    port and protocol vlan id (PPVID): ",
                vlan,
                ", flags ["
            );
            bits(p, PROTOCOL_VLAN, u32::from(flags), ", ", "none");
            put!(p, "] (0x", HexFull(flags), ")");
        }
        3 => {
            put!(p, "\n\t    vlan id (VID): ", c.u16()?);
            let length = usize::from(c.u8()?);
            if size < 7 + length {
                return Ok(true);
            }
            put!(
                p,
                "\n\t    vlan name: ",
                Visible::until_zero(c.limit(length).rest())
            );
        }
        4 => {
            let length = usize::from(c.u8()?);
            if size < 5 + length {
                return Ok(true);
            }
            put!(
                p,
                "\n\t    protocol identity: ",
                Visible::until_zero(c.limit(length).rest())
            );
        }
        7 => aggregation(p, c)?,
        8 => {
            put!(p, "\n\t    Pre-Priority CNPV Indicator");
            priorities(p, c.u8()?);
            put!(p, "\n\t    Pre-Priority Ready Indicator");
            priorities(p, c.u8()?);
        }
        9 | 10 => transmission(p, kind, c)?,
        11 => {
            let value = c.u8()?;
            put!(
                p,
                "\n\t    Willing: ",
                value >> 7,
                ", MBC: ",
                value >> 6 & 1
            );
            put!(p, ", RES: ", value >> 4 & 3, ", PFC cap:", value & 15, " ");
            put!(p, "\n\t    PFC Enable");
            priorities(p, c.u8()?);
        }
        12 => applications(p, c, size)?,
        13 => virtual_bridging(p, c)?,
        _ => channels(p, c, size)?,
    }
    Ok(true)
}

fn aggregation(p: &mut Out<'_>, mut c: Cursor<'_>) -> crate::out::Printed {
    let (status, port) = (c.u8()?, c.u32()?);
    put!(p, "\n\t    aggregation status [");
    bits(p, SUPPORTED, u32::from(status), ", ", "none");
    put!(p, "], aggregation port ID ", port);
    Ok(())
}

/// One bit for each of the eight priorities.
fn priorities(p: &mut Out<'_>, value: u8) {
    put!(p, "\n\t     Priority : 0  1  2  3  4  5  6  7");
    put!(p, "\n\t     Value    : ");
    for priority in 0..8 {
        put!(p, value >> priority & 1, "  ");
    }
}

/// Eight numbers in columns of three.
fn columns(p: &mut Out<'_>, values: [u8; 8]) {
    for (n, value) in values.into_iter().enumerate() {
        put!(p, if n > 0 { " " } else { "" }, value);
        put!(
            p,
            if value < 10 {
                "  "
            } else if value < 100 {
                " "
            } else {
                ""
            }
        );
    }
}

/// Enhanced transmission selection: what is configured, or recommended.
fn transmission(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>) -> crate::out::Printed {
    let first = c.u8()?;
    if kind == 9 {
        put!(
            p,
            "\n\t    Willing:",
            first >> 7,
            ", CBS:",
            first >> 6,
            ", RES:",
            first >> 3 & 7
        );
        put!(p, ", Max TCs:", first & 7);
    } else {
        put!(p, "\n\t    RES: ", first);
    }
    let [a, b, d, e] = c.array()?;
    put!(p, "\n\t    Priority Assignment Table");
    put!(
        p,
        "\n\t     Priority : 0   1   2   3   4   5   6   7\n\t     Value    : "
    );
    columns(
        p,
        [
            a >> 4,
            a & 15,
            b >> 4,
            b & 15,
            d >> 4,
            d & 15,
            e >> 4,
            e & 15,
        ],
    );
    put!(p, "\n\t    TC Bandwidth Table");
    put!(
        p,
        "\n\t     TC%   : 0   1   2   3   4   5   6   7\n\t     Value : "
    );
    columns(p, c.array()?);
    put!(p, "\n\t    TSA Assignment Table");
    put!(
        p,
        "\n\t     Traffic Class: 0   1   2   3   4   5   6   7\n\t     Value        : "
    );
    columns(p, c.array()?);
    Ok(())
}

fn applications(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> crate::out::Printed {
    put!(p, "\n\t    RES: ", c.u8()?);
    let entries = size - 5;
    if entries == 0 || !entries.is_multiple_of(3) {
        return Ok(());
    }
    put!(p, "\n\t    Application Priority Table");
    for _ in 0..entries / 3 {
        let first = c.u8()?;
        put!(
            p,
            "\n\t      Priority: ",
            first >> 5,
            ", RES: ",
            first >> 3 & 3
        );
        put!(p, ", Sel: ", first & 7, ", Protocol ID: ", c.u16()?);
    }
    Ok(())
}

/// Edge virtual bridging.
fn virtual_bridging(p: &mut Out<'_>, mut c: Cursor<'_>) -> crate::out::Printed {
    let value = c.u8()?;
    put!(p, "\n\t    EVB Bridge Status");
    put!(
        p,
        "\n\t      RES: ",
        value >> 3,
        ", BGID: ",
        value >> 2 & 1,
        ", RRCAP: ",
        value >> 1 & 1
    );
    put!(p, ", RRCTR: ", value & 1);
    let value = c.u8()?;
    put!(p, "\n\t    EVB Station Status");
    put!(
        p,
        "\n\t      RES: ",
        value >> 4,
        ", SGID: ",
        value >> 3 & 1,
        ", RRREQ: ",
        value >> 2 & 1
    );
    put!(p, ",RRSTAT: ", value & 3);
    let value = c.u8()?;
    put!(p, "\n\t    R: ", value >> 5, ", RTE: ", value & 31, ", ");
    let value = c.u8()?;
    let mode = match value >> 6 {
        0 => "Not Supported",
        1 => "EVB Bridge",
        2 => "EVB Station",
        _ => "Reserved for future Standardization",
    };
    put!(p, "EVB Mode: ", mode, " [", value >> 6, "]");
    put!(
        p,
        "\n\t    ROL: ",
        value >> 5 & 1,
        ", RWD: ",
        value & 31,
        ", "
    );
    let value = c.u8()?;
    put!(
        p,
        "RES: ",
        value >> 6,
        ", ROL: ",
        value >> 5 & 1,
        ", RKA: ",
        value & 31
    );
    Ok(())
}

/// Channels of a port: pairs of numbers of twelve bits.
fn channels(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> crate::out::Printed {
    let value = c.u8()?;
    put!(
        p,
        "\n\t    Role: ",
        value >> 7,
        ", RES: ",
        value >> 4 & 7,
        ", Scomp: ",
        value >> 3 & 1,
        " "
    );
    c.skip(1)?;
    put!(p, "ChnCap: ", c.u16()? & 0xfff);
    let pairs = size - 8;
    if pairs == 0 || !pairs.is_multiple_of(3) {
        return Ok(());
    }
    for _ in 0..pairs / 3 {
        let value = c.u24()?;
        put!(p, "\n\t    SCID: ", value >> 12, ", SVID: ", value & 0xfff);
    }
    Ok(())
}

static ETHERNET: &[(u8, &str)] = &[
    (1, "MAC/PHY configuration/status"),
    (2, "Power via MDI"),
    (3, "Link aggregation"),
    (4, "Max frame size"),
];

static ADVERTISED: &[(u32, &str)] = &[
    (0x4000, "10BASE-T hdx"),
    (0x2000, "10BASE-T fdx"),
    (0x1000, "100BASE-T4"),
    (0x0800, "100BASE-TX hdx"),
    (0x0400, "100BASE-TX fdx"),
    (0x0200, "100BASE-T2 hdx"),
    (0x0100, "100BASE-T2 fdx"),
    (0x0080, "Pause for fdx links"),
    (0x0040, "Asym PAUSE for fdx"),
    (0x0020, "Sym PAUSE for fdx"),
    (0x0010, "Asym and Sym PAUSE for fdx"),
    (0x0008, "1000BASE-{X LX SX CX} hdx"),
    (0x0004, "1000BASE-{X LX SX CX} fdx"),
    (0x0002, "1000BASE-T hdx"),
    (0x0001, "1000BASE-T fdx"),
];

/// Kinds of medium attachment units, from 0 on (RFC 4836, `dot3MauType`).
static UNITS: &[&str] = &[
    "Unknown",
    "AUI",
    "10BASE_5",
    "FOIRL",
    "10BASE2",
    "10BASET duplex mode unknown",
    "10BASEFP",
    "10BASEFB",
    "10BASEFL duplex mode unknown",
    "10BROAD36",
    "10BASET hdx",
    "10BASET fdx",
    "10BASEFL hdx",
    "10BASEFL fdx",
    "100BASET4",
    "100BASETX hdx",
    "100BASETX fdx",
    "100BASEFX hdx",
    "100BASEFX fdx",
    "100BASET2 hdx",
    "100BASET2 fdx",
    "1000BASEX hdx",
    "1000BASEX fdx",
    "1000BASELX hdx",
    "1000BASELX fdx",
    "1000BASESX hdx",
    "1000BASESX fdx",
    "1000BASECX hdx",
    "1000BASECX fdx",
    "1000BASET hdx",
    "1000BASET fdx",
    "10GBASEX",
    "10GBASELX4",
    "10GBASER",
    "10GBASEER",
    "10GBASELR",
    "10GBASESR",
    "10GBASEW",
    "10GBASEEW",
    "10GBASELW",
    "10GBASESW",
];

static POWER: &[(u32, &str)] = &[
    (1, "PSE"),
    (2, "supported"),
    (4, "enabled"),
    (8, "can be controlled"),
];

/// IEEE 802.3's (IEEE 802.3, clause 79).
pub(super) fn ethernet(p: &mut Out<'_>, c: Cursor<'_>, size: usize) -> Shown {
    let (kind, mut c) = subtype(p, ETHERNET, c)?;
    let least = match kind {
        1 | 3 => 9,
        2 => 7,
        4 => 6,
        _ => return Ok(false),
    };
    if size < least {
        return Ok(true);
    }
    match kind {
        1 => {
            let (negotiation, advertised, unit) = (c.u8()?, c.u16()?, c.u16()?);
            put!(p, "\n\t    autonegotiation [");
            bits(p, SUPPORTED, u32::from(negotiation), ", ", "none");
            put!(
                p,
                "] (0x",
                HexFull(negotiation),
                ")\n\t    PMD autoneg capability ["
            );
            bits(p, ADVERTISED, u32::from(advertised), ", ", "unknown");
            let name = UNITS.get(usize::from(unit)).copied().unwrap_or("unknown");
            put!(p, "] (0x", HexFull(advertised), ")\n\t    MAU type ", name);
            put!(p, " (0x", HexFull(unit), ")");
        }
        2 => {
            let (support, pair, class) = (c.u8()?, c.u8()?, c.u8()?);
            put!(p, "\n\t    MDI power support [");
            bits(p, POWER, u32::from(support), ", ", "none");
            put!(
                p,
                "], power pair ",
                lookup(PAIRS, pair).unwrap_or("unknown")
            );
            put!(
                p,
                ", power class ",
                lookup(CLASSES, class).unwrap_or("unknown")
            );
        }
        3 => aggregation(p, c)?,
        _ => put!(p, "\n\t    MTU size ", c.u16()?),
    }
    Ok(true)
}

static PAIRS: &[(u8, &str)] = &[(1, "signal"), (2, "spare")];
static CLASSES: &[(u8, &str)] = &[
    (1, "class0"),
    (2, "class1"),
    (3, "class2"),
    (4, "class3"),
    (5, "class4"),
];

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "02000000000202000000000188ccfe060080c2010001fe0900120f01036c0000100000",
            style(1),
            "LLDP, length 21\n\tOrganization specific TLV (127), length 6: OUI Ethernet bridged (0x0080c2)\n\t  Port VLAN Id Subtype (1)\n\t    port vlan id (PVID): 1\n\tOrganization specific TLV (127), length 9: OUI IEEE 802.3 Private (0x00120f)\n\t  MAC/PHY configuration/status Subtype (1)\n\t    autonegotiation [supported, enabled] (0x03)\n\t    PMD autoneg capability [10BASE-T hdx, 10BASE-T fdx, 100BASE-TX hdx, 100BASE-TX fdx] (0x6c00)\n\t    MAU type 100BASETX fdx (0x0010)\n\tEnd TLV (0), length 0\n",
        );
    }
}
