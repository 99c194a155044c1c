//! Operations, administration and maintenance of a link (IEEE 802.3 clause 57).

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::oui;
use crate::out::{Out, Printed, bits, lookup};
use crate::put::{HexFull, HexZeros, put};

static FLAGS: &[(u32, &str)] = &[
    (0x01, "Link Fault"),
    (0x02, "Dying Gasp"),
    (0x04, "Critical Event"),
    (0x08, "Local Evaluating"),
    (0x10, "Local Stable"),
    (0x20, "Remote Evaluating"),
    (0x40, "Remote Stable"),
];

static CODES: &[(u8, &str)] = &[
    (0, "Information"),
    (1, "Event Notification"),
    (2, "Variable Request"),
    (3, "Variable Response"),
    (4, "Loopback Control"),
    (0xfe, "Vendor Private"),
];

static INFORMATION: &[(u8, &str)] = &[
    (0, "End of TLV marker"),
    (1, "Local"),
    (2, "Remote"),
    (0xfe, "Organization specific"),
];

static EVENTS: &[(u8, &str)] = &[
    (0, "End of TLV marker"),
    (1, "Errored Symbol Period Event"),
    (2, "Errored Frame Event"),
    (3, "Errored Frame Period Event"),
    (4, "Errored Frame Seconds Summary Event"),
    (0xfe, "Organization specific"),
];

static CONFIG: &[(u32, &str)] = &[
    (0x01, "Active"),
    (0x02, "Unidirectional"),
    (0x04, "Remote-Loopback"),
    (0x08, "Link-Events"),
    (0x10, "Variable-Retrieval"),
];

static LOOPBACK: &[(u8, &str)] = &[
    (1, "Enable OAM Remote Loopback"),
    (2, "Disable OAM Remote Loopback"),
];

/// A PDU from its flags on, of `length` bytes.
pub(super) fn oam(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let flags = c.u16()?;
    let code = c.u8()?;
    put!(p, "\n\tCode ");
    match lookup(CODES, code) {
        Some(name) => put!(p, name),
        None => put!(p, "Unknown (", code, ")"),
    }
    put!(p, " OAM PDU, Flags [");
    bits(p, FLAGS, u32::from(flags), ", ", "none");
    put!(p, "]");
    let left = length - 3;
    let whole = match code {
        0 => tlvs(p, c, left, "Information", INFORMATION, information)?,
        1 => {
            if left < 2 {
                false
            } else {
                put!(p, "\n\t  Sequence Number ", c.u16()?);
                tlvs(p, c, left - 2, "Link Event", EVENTS, event)?
            }
        }
        4 => {
            if left < 1 {
                false
            } else {
                let command = c.u8()?;
                let name = lookup(LOOPBACK, command).unwrap_or("Unknown");
                put!(p, "\n\t  Command ", name, " (", command, ")");
                true
            }
        }
        _ => {
            if !p.verbose(2) {
                hexdump::hex(p, "\n\t  ", c.rest());
            }
            true
        }
    };
    if !whole {
        put!(p, "\n\t\t packet is too short");
    } else if p.verbose(2) {
        hexdump::hex(p, "\n\t", c.rest());
    }
    Ok(())
}

/// A TLV's printer: what was wrong with its length is said.
type Value = fn(&mut Out<'_>, u8, Cursor<'_>, usize) -> Result<bool, Truncated>;

/// TLVs up to the end marker; `false` if one does not fit.
fn tlvs(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    length: usize,
    what: &str,
    names: &[(u8, &'static str)],
    value: Value,
) -> Result<bool, Truncated> {
    let mut left = length;
    while left > 0 {
        if left < 2 {
            return Ok(false);
        }
        let whole = c;
        let (kind, stated) = (c.u8()?, c.u8()?);
        let name = lookup(names, kind).unwrap_or("Reserved");
        put!(
            p,
            "\n\t  ",
            name,
            " ",
            what,
            " Type (",
            kind,
            "), length ",
            stated
        );
        if kind == 0 {
            return Ok(true);
        }
        if stated < 2 {
            put!(p, "\n\t    ERROR: illegal length - should be >= 2");
            return Ok(true);
        }
        let stated = usize::from(stated);
        if stated > left {
            return Ok(false);
        }
        whole.need(stated)?;
        if !value(p, kind, c, stated)? || p.verbose(2) {
            hexdump::hex(p, "\n\t  ", whole.limit(stated).rest());
        }
        c = whole;
        c.skip(stated)?;
        left -= stated;
    }
    Ok(true)
}

fn information(
    p: &mut Out<'_>,
    kind: u8,
    mut c: Cursor<'_>,
    stated: usize,
) -> Result<bool, Truncated> {
    if !matches!(kind, 1 | 2) {
        return Ok(false);
    }
    if stated != 16 {
        put!(p, "\n\t    ERROR: illegal length - should be 16");
        return Ok(false);
    }
    let (version, revision, state, config) = (c.u8()?, c.u16()?, c.u8()?, c.u8()?);
    put!(p, "\n\t    OAM-Version ", version, ", Revision ", revision);
    let parser = match state & 3 {
        0 => "forwarding",
        1 => "looping back",
        2 => "discarding",
        _ => "reserved",
    };
    let mux = if state & 4 == 0 {
        "forwarding"
    } else {
        "discarding"
    };
    put!(
        p,
        "\n\t    State-Parser-Action ",
        parser,
        ", State-MUX-Action ",
        mux
    );
    put!(p, "\n\t    OAM-Config Flags [");
    bits(p, CONFIG, u32::from(config), ", ", "none");
    put!(p, "], OAM-PDU-Config max-PDU size ", c.u16()?);
    let organisation = c.u24()?;
    put!(
        p,
        "\n\t    OUI ",
        oui::name(organisation),
        " (0x",
        HexZeros(organisation, 6)
    );
    put!(p, "), Vendor-Private 0x", HexFull(c.u32()?));
    Ok(true)
}

fn event(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, stated: usize) -> Result<bool, Truncated> {
    if !matches!(kind, 1..=4) {
        return Ok(false);
    }
    // compat: tcpdump 4.99.3 reads all four kinds as the first one.
    if stated != 40 {
        put!(p, "\n\t    ERROR: illegal length - should be 40");
        return Ok(false);
    }
    let stamp = u32::from(c.u16()?) * 100;
    put!(
        p,
        "\n\t    Timestamp ",
        stamp,
        " ms, Errored Window ",
        c.u64()?
    );
    put!(p, "\n\t    Errored Threshold ", c.u64()?);
    put!(p, "\n\t    Errors ", c.u64()?);
    put!(p, "\n\t    Error Running Total ", c.u64()?);
    put!(p, "\n\t    Event Running Total ", c.u32()?);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "0200000000020200000000018809030050000110010001000f05dc00a03e010203040000",
            style(1),
            "OAM, length 22\n\tCode Information OAM PDU, Flags [Local Stable, Remote Stable]\n\t  Local Information Type (1), length 16\n\t    OAM-Version 1, Revision 1\n\t    State-Parser-Action forwarding, State-MUX-Action forwarding\n\t    OAM-Config Flags [Active, Unidirectional, Remote-Loopback, Link-Events], OAM-PDU-Config max-PDU size 1500\n\t    OUI ATM Forum (0x00a03e), Vendor-Private 0x01020304\n\t  End of TLV marker Information Type (0), length 0\n",
        );
    }
}
