//! LLDP (IEEE 802.1AB): what stations tell their neighbours about themselves.

mod dcbx;
mod ieee;
mod med;

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::afi;
use crate::hexdump;
use crate::oui;
use crate::out::{Out, Printed, bits, lookup};
use crate::put::{HexFull, HexZeros, Visible, put};

const END: u16 = 0;
const PRIVATE: u16 = 127;
const SYSTEM_NAME: u16 = 5;

static TYPES: &[(u16, &str)] = &[
    (END, "End"),
    (1, "Chassis ID"),
    (2, "Port ID"),
    (3, "Time to Live"),
    (4, "Port Description"),
    (SYSTEM_NAME, "System Name"),
    (6, "System Description"),
    (7, "System Capabilities"),
    (8, "Management Address"),
    (PRIVATE, "Organization specific"),
];

static CHASSIS: &[(u8, &str)] = &[
    (1, "Chassis component"),
    (2, "Interface alias"),
    (3, "Port component"),
    (4, "MAC address"),
    (5, "Network address"),
    (6, "Interface name"),
    (7, "Local"),
];

static PORT: &[(u8, &str)] = &[
    (1, "Interface alias"),
    (2, "Port component"),
    (3, "MAC address"),
    (4, "Network Address"),
    (5, "Interface Name"),
    (6, "Agent circuit ID"),
    (7, "Local"),
];

static CAPABILITIES: &[(u32, &str)] = &[
    (0x01, "Other"),
    (0x02, "Repeater"),
    (0x04, "Bridge"),
    (0x08, "WLAN AP"),
    (0x10, "Router"),
    (0x20, "Telephone"),
    (0x40, "Docsis"),
    (0x80, "Station Only"),
];

static NUMBERING: &[(u8, &str)] = &[
    (1, "Unknown"),
    (2, "Interface Index"),
    (3, "System Port Number"),
];

/// What a value's printer says: whether it shows the value.
type Shown = Result<bool, Truncated>;

/// A PDU of `length` bytes.
pub(crate) fn lldp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "lldp";
    let mut c = Cursor::new(c.rest());
    put!(p, "LLDP, length ", length);
    let mut left = length;
    while left >= 2 {
        let head = c.u16()?;
        let (kind, size) = (head >> 9, usize::from(head & 0x1ff));
        left -= 2;
        if p.verbose(1) {
            let name = lookup(TYPES, kind).unwrap_or("Unknown");
            put!(p, "\n\t", name, " TLV (", kind, "), length ", size);
        }
        // A value that is empty ends the list as the end itself does.
        if kind == END || size == 0 {
            return Ok(());
        }
        c.need(size)?;
        if left < size {
            return Err(Truncated);
        }
        let body = Cursor::new(c.limit(size).rest());
        let shown = tlv(p, kind, body, size)?;
        if p.verbose(2) || (p.verbose(1) && !shown) {
            hexdump::hex(p, "\n\t  ", body.rest());
        }
        c.skip(size)?;
        left -= size;
    }
    Ok(())
}

fn tlv(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>, size: usize) -> Shown {
    match kind {
        1 | 2 if p.verbose(1) => {
            if size < 2 {
                return Err(Truncated);
            }
            identity(p, kind, c, size)?;
        }
        3 if p.verbose(1) => {
            if size < 2 {
                return Err(Truncated);
            }
            put!(p, ": TTL ", c.u16()?, "s");
        }
        4 if p.verbose(1) => put!(p, ": ", Visible::until_zero(c.rest())),
        // The name stands in the short form too.
        SYSTEM_NAME => put!(p, ": ", Visible::until_zero(c.rest())),
        6 if p.verbose(1) => put!(p, "\n\t  ", Visible::until_zero(c.rest())),
        7 if p.verbose(1) => {
            if size < 4 {
                return Err(Truncated);
            }
            let (capable, enabled) = (c.u16()?, c.u16()?);
            put!(p, "\n\t  System  Capabilities [");
            bits(p, CAPABILITIES, u32::from(capable), ", ", "none");
            put!(
                p,
                "] (0x",
                HexFull(capable),
                ")\n\t  Enabled Capabilities ["
            );
            bits(p, CAPABILITIES, u32::from(enabled), ", ", "none");
            put!(p, "] (0x", HexFull(enabled), ")");
        }
        8 if p.verbose(1) => management(p, c, size)?,
        PRIVATE if p.verbose(1) => return private(p, c, size),
        1..=8 | PRIVATE => {}
        _ => return Ok(false),
    }
    Ok(true)
}

/// Chassis and port: a subtype and what it says.
fn identity(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>, size: usize) -> Printed {
    let whole = c;
    let subtype = c.u8()?;
    let (names, mac, network) = if kind == 1 {
        (CHASSIS, 4, 5)
    } else {
        (PORT, 3, 4)
    };
    put!(
        p,
        "\n\t  Subtype ",
        lookup(names, subtype).unwrap_or("Unknown"),
        " (",
        subtype,
        "): "
    );
    if subtype == mac {
        if size < 7 {
            return Err(Truncated);
        }
        let address = c.array()?;
        p.mac(address);
    } else if subtype == network {
        network_address(p, c, size - 1)?;
    } else if (1..=7).contains(&subtype) {
        put!(p, Visible::until_zero(c.rest()));
    } else {
        hexdump::hex(p, "\n\t  ", whole.rest());
    }
    Ok(())
}

/// A family and an address of it.
fn network_address(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Printed {
    if size < 1 {
        return Err(Truncated);
    }
    let family = c.u8()?;
    let name = afi::name(u16::from(family)).unwrap_or("Unknown");
    match u16::from(family) {
        afi::IPV4 if size < 5 => Err(Truncated),
        afi::IPV6 if size < 17 => Err(Truncated),
        afi::IPV4 => {
            let address = c.u32()?;
            put!(p, "AFI ", name, " (", family, "): ");
            p.addr(Ipv4Addr::from(address));
            Ok(())
        }
        afi::IPV6 => {
            let address = c.u128()?;
            put!(p, "AFI ", name, " (", family, "): ");
            p.addr(Ipv6Addr::from(address));
            Ok(())
        }
        _ => {
            put!(p, "AFI ", name, " (", family, "), no AF printer !");
            Ok(())
        }
    }
}

/// Where the station can be managed.
fn management(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Printed {
    let length = usize::from(c.u8()?);
    if size < 1 || length >= size {
        return Err(Truncated);
    }
    let text = p.out.len();
    put!(p, "\n\t  Management Address length ", length, ", ");
    if let Err(cut) = network_address(p, c.limit(length), length) {
        p.out.truncate(text);
        return Err(cut);
    }
    c.skip(length)?;
    let mut left = size - 1 - length;
    if left > 0 {
        if left < 5 {
            return Err(Truncated);
        }
        let kind = c.u8()?;
        let name = lookup(NUMBERING, kind).unwrap_or("Unknown");
        put!(p, "\n\t  ", name, if name.is_empty() { "" } else { " " });
        put!(p, "Interface Numbering (", kind, "): ", c.u32()?);
        left -= 5;
        if left > 0 {
            let oid = usize::from(c.u8()?);
            if left < 1 + oid {
                return Err(Truncated);
            }
            if oid > 0 {
                put!(
                    p,
                    "\n\t  OID length ",
                    oid,
                    Visible::until_zero(c.limit(oid).rest())
                );
            }
        }
    }
    Ok(())
}

/// TLVs of organisations.
fn private(p: &mut Out<'_>, c: Cursor<'_>, size: usize) -> Shown {
    if size < 3 {
        return Err(Truncated);
    }
    let whole = c;
    let mut c = c;
    let organisation = c.u24()?;
    put!(
        p,
        ": OUI ",
        oui::name(organisation),
        " (0x",
        HexZeros(organisation, 6),
        ")"
    );
    let print: fn(&mut Out<'_>, Cursor<'_>, usize) -> Shown = match organisation {
        0x00_80c2 => ieee::bridging,
        0x00_120f => ieee::ethernet,
        0x00_12bb => med::med,
        0x00_1b21 => dcbx::dcbx,
        0x00_005e => iana,
        _ => return Ok(false),
    };
    if size < 4 {
        return Ok(true);
    }
    print(p, whole, size)
}

/// The line of a subtype, which is the fourth byte of the TLV; the cursor after it.
fn subtype<'c>(
    p: &mut Out<'_>,
    names: &[(u8, &'static str)],
    mut c: Cursor<'c>,
) -> Result<(u8, Cursor<'c>), Truncated> {
    c.skip(3)?;
    let kind = c.u8()?;
    put!(
        p,
        "\n\t  ",
        lookup(names, kind).unwrap_or("unknown"),
        " Subtype (",
        kind,
        ")"
    );
    Ok((kind, c))
}

/// IANA's: where a manufacturer describes how a thing is to be used (RFC 8520).
fn iana(p: &mut Out<'_>, c: Cursor<'_>, size: usize) -> Shown {
    let (kind, c) = subtype(p, &[(1, "MUD-URL")], c)?;
    if size < 8 {
        return Ok(false);
    }
    if kind == 1 {
        put!(p, "\n\t  MUD-URL=", Visible(c.rest()));
    }
    Ok(kind == 1)
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "02000000000202000000000188cc0207040200000000010403026131060200780a0253310e0400140004100c05010a0000010200000005000000",
            style(1),
            "LLDP, length 44\n\tChassis ID TLV (1), length 7\n\t  Subtype MAC address (4): 02:00:00:00:00:01\n\tPort ID TLV (2), length 3\n\t  Subtype Port component (2): a1\n\tTime to Live TLV (3), length 2: TTL 120s\n\tSystem Name TLV (5), length 2: S1\n\tSystem Capabilities TLV (7), length 4\n\t  System  Capabilities [Bridge, Router] (0x0014)\n\t  Enabled Capabilities [Bridge] (0x0004)\n\tManagement Address TLV (8), length 12\n\t  Management Address length 5, AFI IPv4 (1): 10.0.0.1\n\t  Interface Index Interface Numbering (2): 5\n\tEnd TLV (0), length 0\n",
        );
    }
}
