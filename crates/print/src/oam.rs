//! Cells of operation and maintenance in ATM (ITU-T I.610).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, named};
use crate::put::{HexFull, HexZeros, put};

/// Bytes of a cell behind its header.
const PAYLOAD: usize = 48;
/// Those before the checksum.
const CHECKED: usize = 46;

static PAYLOADS: [&str; 8] = [
    "user data, uncongested, SDU 0",
    "user data, uncongested, SDU 1",
    "user data, congested, SDU 0",
    "user data, congested, SDU 1",
    "VCC OAM F5 flow segment",
    "VCC OAM F5 flow end-to-end",
    "Traffic Control and resource Mgmt",
    "Unknown",
];

const FAULT: u8 = 1;

static CELLS: &[(u8, &str)] = &[
    (FAULT, "Fault Management"),
    (2, "Performance Management"),
    (8, "activate/deactivate"),
    (15, "System Management"),
];

static FAULTS: &[(u8, &str)] = &[
    (0, "AIS"),
    (1, "RDI"),
    (4, "Continuity Check"),
    (8, "Loopback"),
];

static PERFORMANCE: &[(u8, &str)] = &[
    (0, "Forward Monitoring"),
    (1, "Backward Reporting"),
    (2, "Monitoring and Reporting"),
];

static ACTIVATION: &[(u8, &str)] = &[(0, "Performance Monitoring"), (1, "Continuity Check")];

/// A cell of which `before` bytes precede the header (its checksum, where some drivers put it).
pub(crate) fn oam(p: &mut Out<'_>, c: Cursor<'_>, length: usize, before: usize) -> Printed {
    p.protocol = "oam";
    let mut c = c;
    c.skip(before)?;
    let header = c.u32()?;
    let payload = c;
    let kind = c.u8()?;
    let vci = header >> 4 & 0xffff;
    let flow = match vci {
        3 => "F4 (segment)",
        4 => "F4 (end)",
        _ => "F5",
    };
    put!(
        p,
        "OAM ",
        flow,
        ", vpi ",
        header >> 20 & 0xff,
        ", vci ",
        vci
    );
    let index = usize::try_from(header >> 1 & 7).unwrap_or(0);
    let carried = PAYLOADS.get(index).unwrap_or(&"Unknown");
    put!(p, ", payload [ ", *carried, " ], clp ", header & 1);
    put!(p, ", length ", length);
    if !p.verbose(1) {
        return Ok(());
    }
    details(p, payload, kind)
}

fn details(p: &mut Out<'_>, payload: Cursor<'_>, kind: u8) -> Printed {
    let (cell, function) = (kind >> 4, kind & 15);
    let functions = match cell {
        FAULT => Some(FAULTS),
        2 => Some(PERFORMANCE),
        8 => Some(ACTIVATION),
        _ => None,
    };
    let cell_name = named(CELLS, cell, "unknown");
    let function_name = functions.map_or("unknown", |table| named(table, function, "none"));
    put!(p, "\n\tcell-type ", cell_name, " (", cell, "), func-type ");
    put!(p, function_name, " (", function, ")");
    let mut c = payload;
    c.skip(1)?;
    match (cell, function) {
        (FAULT, 8) => {
            payload.need(CHECKED)?;
            loopback(p, c)?;
        }
        (FAULT, 0 | 1) => {
            payload.need(CHECKED)?;
            put!(
                p,
                "\n\tFailure-type 0x",
                HexFull(c.u8()?),
                "\n\tLocation-ID "
            );
            c.skip(1)?;
            words(p, &mut c, 8)?;
        }
        _ => {}
    }
    let mut all = payload;
    let all = all.take(PAYLOAD)?;
    let mut sum = Cursor::new(all);
    sum.skip(CHECKED)?;
    let verdict = if crc(all) == 0 { "" } else { "in" };
    put!(
        p,
        "\n\tcksum 0x",
        HexZeros(u32::from(sum.u16()? & 0x3ff), 3)
    );
    put!(p, " (", verdict, "correct)");
    Ok(())
}

fn loopback(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let indicator = if c.u8()? & 1 != 0 { "Request" } else { "Reply" };
    put!(p, "\n\tLoopback-Indicator ", indicator);
    put!(p, ", Correlation-Tag 0x", HexFull(c.u32()?));
    c.skip(1)?;
    put!(p, "\n\tLocation-ID ");
    words(p, &mut c, 6)?;
    put!(p, "\n\tSource-ID   ");
    words(p, &mut c, 6)
}

/// So many words, a blank after each.
fn words(p: &mut Out<'_>, c: &mut Cursor<'_>, count: usize) -> Result<(), Truncated> {
    for _ in 0..count {
        put!(p, HexFull(c.u16()?), " ");
    }
    Ok(())
}

/// The 10-bit remainder by x^10 + x^9 + x^5 + x^4 + x + 1 (section 7.1); zero of a whole payload.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, &byte| {
        (0..8).rev().fold(sum, |sum: u16, bit| {
            let shifted = sum << 1 & 0x3ff | u16::from(byte >> bit & 1);
            if sum & 0x200 == 0 {
                shifted
            } else {
                shifted ^ 0x233
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn faults_and_checksums() {
        let cell = "000000000b".to_owned();
        let tail = "00".repeat(14);
        let loopback =
            format!("1801000000070102030405060708090a0b0c0d0e0f101112131415161718191a{tail}0000");
        check(
            LinkType::SUNATM,
            &format!("02000003{cell}{loopback}"),
            style(1),
            "OAM F5, vpi 0, vci 0, payload [ VCC OAM F5 flow end-to-end ], clp 1, length 53\n\tcell-type Fault Management (1), func-type Loopback (8)\n\tLoopback-Indicator Request, Correlation-Tag 0x00000007\n\tLocation-ID 0203 0405 0607 0809 0a0b 0c0d \n\tSource-ID   0e0f 1011 1213 1415 1617 1819 \n\tcksum 0x000 (incorrect)\n",
        );
        check(
            LinkType::SUNATM,
            &format!("02000003{cell}14{}00c6", "00".repeat(45)),
            style(1),
            "OAM F5, vpi 0, vci 0, payload [ VCC OAM F5 flow end-to-end ], clp 1, length 53\n\tcell-type Fault Management (1), func-type Continuity Check (4)\n\tcksum 0x0c6 (correct)\n",
        );
    }
}
