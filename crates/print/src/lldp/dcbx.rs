//! DCBX, as vendors agreed on it before IEEE 802.1 did.

use pktwho_wire::Cursor;

use super::{Shown, subtype};
use crate::hexdump;
use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, HexFull, HexZeros, put};

const REVISION_1_01: u8 = 2;

static SUBTYPES: &[(u8, &str)] = &[
    (1, "DCB Capability Exchange Protocol Rev 1"),
    (REVISION_1_01, "DCB Capability Exchange Protocol Rev 1.01"),
];

static FEATURES: &[(u16, &str)] = &[
    (2, "Priority Group"),
    (3, "Priority Flow Control"),
    (4, "Application"),
];

/// A TLV of DCBX: TLVs again.
pub(super) fn dcbx(p: &mut Out<'_>, c: Cursor<'_>, size: usize) -> Shown {
    let (kind, mut c) = subtype(p, SUBTYPES, c)?;
    if kind != REVISION_1_01 {
        // compat: tcpdump shows the bytes of the first revision, and nothing of others.
        return Ok(kind != 1);
    }
    let mut left = size - 4;
    while left >= 2 {
        let head = c.u16()?;
        let (kind, length) = (head >> 9, usize::from(head & 0x1ff));
        left -= 2;
        if length == 0 || left < length {
            return Ok(true);
        }
        let body = Cursor::new(c.limit(length).rest());
        if !one(p, kind, body, length)? {
            return Ok(false);
        }
        c.skip(length)?;
        left -= length;
    }
    Ok(true)
}

/// A TLV inside; `false` for a type that nobody knows.
fn one(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>, length: usize) -> Shown {
    match kind {
        1 => {
            if length < 10 {
                return Ok(false);
            }
            put!(
                p,
                "\n\t    Control - Protocol Control (type 0x",
                Hex(kind),
                ", length ",
                length,
                ")"
            );
            put!(p, "\n\t      Oper_Version: ", c.u8()?);
            put!(p, "\n\t      Max_Version: ", c.u8()?);
            put!(p, "\n\t      Sequence Number: ", c.u32()?);
            put!(p, "\n\t      Acknowledgement Number: ", c.u32()?);
        }
        2..=4 => {
            let least = match kind {
                2 => 17,
                3 => 6,
                _ => 4,
            };
            if length < least {
                return Ok(false);
            }
            let name = lookup(FEATURES, kind).unwrap_or_default();
            put!(
                p,
                "\n\t    Feature - ",
                name,
                " (type 0x",
                Hex(kind),
                ", length ",
                length,
                ")"
            );
            feature(p, &mut c)?;
            match kind {
                2 => groups(p, c)?,
                3 => flow_control(p, c)?,
                _ => applications(p, c, length - 4)?,
            }
        }
        _ => {
            hexdump::hex(p, "\n\t    ", c.rest());
            return Ok(true);
        }
    }
    Ok(true)
}

/// What all features have first.
fn feature(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, "\n\t      Oper_Version: ", c.u8()?);
    put!(p, "\n\t      Max_Version: ", c.u8()?);
    let block = c.u8()?;
    put!(
        p,
        "\n\t      Info block(0x",
        HexFull(block),
        "): Enable bit: ",
        block >> 7
    );
    put!(
        p,
        ", Willing bit: ",
        block >> 6 & 1,
        ", Error Bit: ",
        block >> 5 & 1
    );
    put!(p, "\n\t      SubType: ", c.u8()?);
    Ok(())
}

fn groups(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    put!(p, "\n\t      Priority Allocation");
    let allocation = c.u32()?;
    for n in 0..8_u32 {
        put!(
            p,
            "\n\t          PgId_",
            n,
            ": ",
            allocation >> (28 - 4 * n) & 15
        );
    }
    put!(p, "\n\t      Priority Group Allocation");
    for n in 0..8_u32 {
        put!(p, "\n\t          Pg percentage[", n, "]: ", c.u8()?);
    }
    put!(p, "\n\t      NumTCsSupported: ", c.u8()?);
    Ok(())
}

fn flow_control(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let config = c.u8()?;
    put!(p, "\n\t      PFC Config (0x");
    for nibble in [config >> 4, config & 15] {
        p.out.push(crate::put::digit(nibble).to_ascii_uppercase());
    }
    put!(p, ")");
    for n in 0..8_u8 {
        let state = if config >> n & 1 != 0 {
            "Enabled"
        } else {
            "Disabled"
        };
        put!(p, "\n\t          Priority Bit ", n, ": ", state);
    }
    put!(p, "\n\t      NumTCPFCSupported: ", c.u8()?);
    Ok(())
}

fn applications(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    for _ in 0..length / 6 {
        put!(p, "\n\t      Application Value");
        put!(
            p,
            "\n\t          Application Protocol ID: 0x",
            HexFull(c.u16()?)
        );
        let organisation = c.u24()?;
        let selector = organisation >> 22;
        let what = if selector == 0 {
            "L2 EtherType"
        } else {
            "Socket Number"
        };
        put!(
            p,
            "\n\t          SF (0x",
            Hex(selector),
            ") Application Protocol ID is ",
            what
        );
        put!(
            p,
            "\n\t          OUI: 0x",
            HexZeros(organisation & 0x3f_ffff, 6)
        );
        put!(p, "\n\t          User Priority Map: 0x", HexFull(c.u8()?));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "02000000000202000000000188ccfe10001b2102020a000000000001000000020000",
            style(1),
            "LLDP, length 20\n\tOrganization specific TLV (127), length 16: OUI DCBX (0x001b21)\n\t  DCB Capability Exchange Protocol Rev 1.01 Subtype (2)\n\t    Control - Protocol Control (type 0x1, length 10)\n\t      Oper_Version: 0\n\t      Max_Version: 0\n\t      Sequence Number: 1\n\t      Acknowledgement Number: 2\n\tEnd TLV (0), length 0\n",
        );
    }
}
