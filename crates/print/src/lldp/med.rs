//! LLDP-MED: telephones and what they need (ANSI/TIA-1057).

use pktwho_wire::Cursor;

use super::{Shown, subtype};
use crate::out::{Out, Printed, bits, lookup};
use crate::put::{Hex, HexFull, Visible, put};

static SUBTYPES: &[(u8, &str)] = &[
    (1, "LLDP-MED Capabilities"),
    (2, "Network policy"),
    (3, "Location identification"),
    (4, "Extended power-via-MDI"),
    (5, "Inventory - hardware revision"),
    (6, "Inventory - firmware revision"),
    (7, "Inventory - software revision"),
    (8, "Inventory - serial number"),
    (9, "Inventory - manufacturer name"),
    (10, "Inventory - model name"),
    (11, "Inventory - asset ID"),
];

static CAPABILITIES: &[(u32, &str)] = &[
    (0x01, "LLDP-MED capabilities"),
    (0x02, "network policy"),
    (0x04, "location identification"),
    (0x08, "extended power via MDI-PSE"),
    (0x10, "extended power via MDI-PD"),
    (0x20, "Inventory"),
];

static DEVICES: &[(u8, &str)] = &[
    (1, "endpoint class 1"),
    (2, "endpoint class 2"),
    (3, "endpoint class 3"),
    (4, "network connectivity"),
];

static APPLICATIONS: &[(u8, &str)] = &[
    (1, "voice"),
    (2, "voice signaling"),
    (3, "guest voice"),
    (4, "guest voice signaling"),
    (5, "softphone voice"),
    (6, "video conferencing"),
    (7, "streaming video"),
    (8, "video signaling"),
];

static POLICY: &[(u32, &str)] = &[
    (0x8000, "Unknown"),
    (0x4000, "Tagged"),
    (0x2000, "reserved"),
];

static FORMATS: &[(u8, &str)] = &[
    (1, "coordinate-based LCI"),
    (2, "civic address LCI"),
    (3, "ECS ELIN"),
];

static DATUMS: &[(u8, &str)] = &[
    (1, "World Geodesic System 1984"),
    (2, "North American Datum 1983 (NAVD88)"),
    (3, "North American Datum 1983 (MLLW)"),
];

static PLACES: &[(u8, &str)] = &[
    (0, "location of DHCP server"),
    (
        1,
        "location of the network element believed to be closest to the client",
    ),
    (2, "location of the client"),
];

/// Elements of a civic address (RFC 4776).
static CIVIC: &[(u8, &str)] = &[
    (
        1,
        "national subdivisions (state,canton,region,province,prefecture)",
    ),
    (2, "county, parish, gun, district"),
    (3, "city, township, shi"),
    (4, "city division, borough, city district, ward chou"),
    (5, "neighborhood, block"),
    (6, "street"),
];

static INVENTORY: &[&str] = &[
    "Hardware revision ",
    "Firmware revision ",
    "Software revision ",
    "Serial number ",
    "Manufacturer name ",
    "Model name ",
    "Asset ID ",
];

/// A TLV of TIA.
pub(super) fn med(p: &mut Out<'_>, c: Cursor<'_>, size: usize) -> Shown {
    let (kind, mut c) = subtype(p, SUBTYPES, c)?;
    match kind {
        1 if size >= 7 => {
            let capabilities = c.u16()?;
            put!(p, "\n\t    Media capabilities [");
            bits(p, CAPABILITIES, u32::from(capabilities), ", ", "none");
            let device = c.u8()?;
            put!(p, "] (0x", HexFull(capabilities), ")\n\t    Device type [");
            put!(
                p,
                lookup(DEVICES, device).unwrap_or("unknown"),
                "] (0x",
                HexFull(device),
                ")"
            );
        }
        2 if size >= 8 => {
            let (application, flags) = (c.u8()?, { c }.u16()?);
            put!(
                p,
                "\n\t    Application type [",
                lookup(APPLICATIONS, application).unwrap_or("none")
            );
            put!(p, "] (0x", HexFull(application), "), Flags [");
            bits(p, POLICY, u32::from(flags), ", ", "none");
            let bits = c.u24()?;
            put!(p, "]\n\t    Vlan id ", bits >> 9 & 0xfff);
            put!(
                p,
                ", L2 priority ",
                bits >> 6 & 7,
                ", DSCP value ",
                bits & 0x3f
            );
        }
        3 if size >= 5 => location(p, c, size)?,
        4 if size >= 7 => {
            let value = c.u8()?;
            // compat: tcpdump looks for the type where the lowest bits are.
            let device = if value & 3 != 0 { "PD" } else { "PSE" };
            let source = match value >> 4 & 3 {
                0 => "none",
                1 => "PSE - primary power source",
                2 => "local - backup power source",
                _ => "PSE+local - reserved",
            };
            put!(
                p,
                "\n\t    Power type [",
                device,
                " device], Power source [",
                source,
                "]"
            );
            let priority = value & 15;
            let name = match priority {
                1 => "critical",
                2 => "high",
                3 => "low",
                _ => "none",
            };
            let tenths = c.u16()?;
            put!(
                p,
                "\n\t    Power priority [",
                name,
                "] (0x",
                HexFull(priority),
                "), Power "
            );
            put!(p, tenths / 10, ".", tenths % 10, " Watts");
        }
        5..=11 => {
            let name = INVENTORY
                .get(usize::from(kind) - 5)
                .copied()
                .unwrap_or_default();
            put!(p, "\n\t  ", name, Visible::until_zero(c.rest()));
        }
        1..=4 => {}
        _ => return Ok(false),
    }
    Ok(true)
}

fn location(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Printed {
    let format = c.u8()?;
    put!(
        p,
        "\n\t    Location data format ",
        lookup(FORMATS, format).unwrap_or("unknown")
    );
    put!(p, " (0x", HexFull(format), ")");
    match format {
        1 => {
            if size < 20 {
                return Ok(());
            }
            coordinates(p, c)
        }
        2 => {
            if size < 6 {
                return Ok(());
            }
            civic(p, c, size)
        }
        3 => {
            put!(p, "\n\t    ECS ELIN id ", Visible::until_zero(c.rest()));
            Ok(())
        }
        _ => {
            put!(p, "\n\t    Location ID ");
            crate::hexdump::hex(p, "\n\t      ", c.rest());
            Ok(())
        }
    }
}

/// Latitude, longitude and altitude (RFC 6225).
fn coordinates(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    for name in [("Latitude", "latitude"), ("Longitude", "longitude")] {
        let (first, rest) = (c.u8()?, c.u32()?);
        let value = u64::from(first & 3) << 32 | u64::from(rest);
        put!(
            p,
            "\n\t    ",
            name.0,
            " resolution ",
            first >> 2,
            ", ",
            name.1,
            " value ",
            value
        );
    }
    let (high, low) = (c.u16()?, c.u24()?);
    let kind = high >> 12;
    let name = match kind {
        1 => "meters",
        2 => "floors",
        _ => "unknown",
    };
    put!(p, "\n\t    Altitude type ", name, " (", kind, ")");
    put!(
        p,
        "\n\t    Altitude resolution ",
        high >> 6 & 0x3f,
        ", altitude value 0x"
    );
    put!(p, Hex(u32::from(high & 0x3f) << 24 | low));
    let datum = c.u8()?;
    put!(
        p,
        "\n\t    Datum ",
        lookup(DATUMS, datum).unwrap_or("unknown"),
        " (0x",
        HexFull(datum),
        ")"
    );
    Ok(())
}

fn civic(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Printed {
    let length = usize::from(c.u8()?);
    if length < 3 || size < 7 + length.saturating_sub(1) {
        return Ok(());
    }
    let what = c.u8()?;
    put!(
        p,
        "\n\t    LCI length ",
        length,
        ", LCI what ",
        lookup(PLACES, what).unwrap_or("unknown")
    );
    put!(
        p,
        " (0x",
        HexFull(what),
        "), Country-code ",
        Visible(&c.array::<2>()?)
    );
    let mut left = length - 3;
    while left > 0 {
        if left < 2 {
            return Ok(());
        }
        let (kind, size) = (c.u8()?, usize::from(c.u8()?));
        left -= 2;
        let name = lookup(CIVIC, kind).unwrap_or("unknown");
        put!(
            p,
            "\n\t      CA type '",
            name,
            "' (",
            kind,
            "), length ",
            size,
            ": "
        );
        if left < size {
            return Ok(());
        }
        put!(p, Visible::until_zero(c.limit(size).rest()));
        c.skip(size)?;
        left -= size;
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
            "02000000000202000000000188ccfe070012bb01000304fe080012bb02014000000000",
            style(1),
            "LLDP, length 21\n\tOrganization specific TLV (127), length 7: OUI ANSI/TIA (0x0012bb)\n\t  LLDP-MED Capabilities Subtype (1)\n\t    Media capabilities [LLDP-MED capabilities, network policy] (0x0003)\n\t    Device type [network connectivity] (0x04)\n\tOrganization specific TLV (127), length 8: OUI ANSI/TIA (0x0012bb)\n\t  Network policy Subtype (2)\n\t    Application type [voice] (0x01), Flags [Tagged]\n\t    Vlan id 0, L2 priority 0, DSCP value 0\n\tEnd TLV (0), length 0\n",
        );
    }
}
