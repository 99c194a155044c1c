//! Slow protocols: LACP and Marker (IEEE 802.1AX), OAM (IEEE 802.3 clause 57), OSSP.

mod oam;

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::oui;
use crate::out::{Out, Printed, bits};
use crate::put::{HexFull, HexZeros, put};

const LACP: u8 = 1;
const MARKER: u8 = 2;
const OAM: u8 = 3;
const OSSP: u8 = 10;

static TLVS: &[(u8, u8, &str)] = &[
    (LACP, 0, "Terminator"),
    (LACP, 1, "Actor Information"),
    (LACP, 2, "Partner Information"),
    (LACP, 3, "Collector Information"),
    (MARKER, 0, "Terminator"),
    (MARKER, 1, "Marker Information"),
];

static STATES: &[(u32, &str)] = &[
    (0x01, "Activity"),
    (0x02, "Timeout"),
    (0x04, "Aggregation"),
    (0x08, "Synchronization"),
    (0x10, "Collecting"),
    (0x20, "Distributing"),
    (0x40, "Default"),
    (0x80, "Expired"),
];

/// A frame of `length` bytes.
pub(crate) fn slow(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "slow";
    let whole = c;
    let mut c = Cursor::new(c.rest());
    if length < 1 {
        put!(p, " (packet is too short)");
        return Ok(());
    }
    let kind = c.u8()?;
    match kind {
        LACP | MARKER => aggregation(p, kind, c, length),
        OAM => {
            put!(p, "OAM, length ", length);
            if length < 4 {
                put!(p, "\n\t\t packet is too short");
                return Ok(());
            }
            if p.verbose(1) {
                oam::oam(p, c, length - 1)
            } else {
                Ok(())
            }
        }
        OSSP => {
            put!(p, "OSSP, length ", length);
            if !p.verbose(1) {
                return Ok(());
            }
            let organisation = c.u24()?;
            put!(
                p,
                "\n\tOUI: ",
                oui::name(organisation),
                " (0x",
                HexZeros(organisation, 6),
                ")"
            );
            hexdump::hex(p, "\n\t", c.rest());
            Ok(())
        }
        _ => {
            put!(p, "unknown (", kind, "), length ", length);
            hexdump::hex(p, "\n\t", whole.rest());
            Ok(())
        }
    }
}

/// LACP and Marker: a version and TLVs.
fn aggregation(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>, length: usize) -> Printed {
    let name = if kind == LACP { "LACP" } else { "MARKER" };
    if length < 2 {
        put!(p, " (packet is too short)");
        return Ok(());
    }
    let version = c.u8()?;
    if version != 1 {
        put!(p, name, " version ", version, " packet not supported");
        return Ok(());
    }
    put!(p, name, "v", version, ", length ", length);
    if !p.verbose(1) {
        return Ok(());
    }
    let mut left = length - 2;
    while left > 0 {
        if left < 2 {
            put!(p, "\n\t\t packet is too short");
            return Ok(());
        }
        let whole = c;
        let (tlv, stated) = (c.u8()?, usize::from(c.u8()?));
        let known = TLVS.iter().find(|entry| entry.0 == kind && entry.1 == tlv);
        let known = known.map_or("Unknown", |entry| entry.2);
        put!(
            p,
            "\n\t",
            known,
            " TLV (0x",
            HexFull(tlv),
            "), length ",
            stated
        );
        if tlv == 0 {
            return Ok(());
        }
        if stated < 2 {
            put!(p, "\n\t    ERROR: illegal length - should be >= 2");
            return Ok(());
        }
        if stated > left {
            put!(p, "\n\t\t packet is too short");
            return Ok(());
        }
        whole.need(stated)?;
        let mut value = whole.limit(stated);
        value.skip(2)?;
        let shown = information(p, kind, tlv, value, stated)?;
        if !shown || p.verbose(2) {
            let body = whole.limit(stated).rest();
            hexdump::hex(p, "\n\t  ", body.get(2..).unwrap_or_default());
        }
        c = whole;
        c.skip(stated)?;
        left -= stated;
    }
    Ok(())
}

/// `false` for a TLV without a printer.
fn information(
    p: &mut Out<'_>,
    kind: u8,
    tlv: u8,
    mut c: Cursor<'_>,
    stated: usize,
) -> Result<bool, Truncated> {
    let wanted = match (kind, tlv) {
        (LACP, 1 | 2) => 20,
        (LACP, 3) | (MARKER, 1) => 16,
        _ => return Ok(false),
    };
    if stated != wanted {
        put!(p, "\n\t    ERROR: illegal length - should be ", wanted);
        return Ok(true);
    }
    match (kind, tlv) {
        (LACP, 1 | 2) => {
            let priority = c.u16()?;
            let system = c.array()?;
            put!(p, "\n\t  System ");
            p.mac(system);
            let (key, port_priority, port) = (c.u16()?, c.u16()?, c.u16()?);
            put!(
                p,
                ", System Priority ",
                priority,
                ", Key ",
                key,
                ", Port ",
                port
            );
            put!(p, ", Port Priority ", port_priority);
            put!(p, "\n\t  State Flags [");
            bits(p, STATES, u32::from(c.u8()?), ", ", "none");
            put!(p, "]");
        }
        (LACP, _) => put!(p, "\n\t  Max Delay ", c.u16()?),
        _ => {
            let port = c.u16()?;
            let system = c.array()?;
            put!(p, "\n\t  Request System ");
            p.mac(system);
            put!(
                p,
                ", Request Port ",
                port,
                ", Request Transaction ID 0x",
                HexFull(c.u32()?)
            );
        }
    }
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
            "0200000000020200000000018809010101148000020000000003000d800000163d000000031000010000000000000000000000000000",
            style(1),
            "LACPv1, length 40\n\tActor Information TLV (0x01), length 20\n\t  System 02:00:00:00:00:03, System Priority 32768, Key 13, Port 22, Port Priority 32768\n\t  State Flags [Activity, Aggregation, Synchronization, Collecting, Distributing]\n\tCollector Information TLV (0x03), length 16\n\t  Max Delay 1\n\tTerminator TLV (0x00), length 0\n",
        );
    }
}
