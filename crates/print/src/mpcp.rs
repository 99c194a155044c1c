//! The multipoint MAC control protocol of passive optical networks (IEEE 802.3 clause 64, frames of
//! the `EtherType` 0x8808); times count ticks of 16 ns.

use pktwho_wire::Cursor;

use crate::hexdump;
use crate::out::{Out, Printed, bits, lookup, named};
use crate::put::put;

const PAUSE: u16 = 1;

static OPERATIONS: &[(u16, &str)] = &[
    (PAUSE, "Pause"),
    (2, "Gate"),
    (3, "Report"),
    (4, "Register Request"),
    (5, "Register"),
    (6, "Register ACK"),
];

static GRANTS: &[(u32, &str)] = &[
    (0x08, "Discovery"),
    (0x10, "Force Grant #1"),
    (0x20, "Force Grant #2"),
    (0x40, "Force Grant #3"),
    (0x80, "Force Grant #4"),
];

static QUEUES: &[(u32, &str)] = &[
    (0x01, "Q0"),
    (0x02, "Q1"),
    (0x04, "Q2"),
    (0x08, "Q3"),
    (0x10, "Q4"),
    (0x20, "Q5"),
    (0x40, "Q6"),
    (0x80, "Q7"),
];

static REGISTER: &[(u8, &str)] = &[
    (1, "Re-Register"),
    (2, "De-Register"),
    (3, "ACK"),
    (4, "NACK"),
];

/// A frame of `length` bytes.
pub(crate) fn mpcp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "mpcp";
    let whole = c;
    let mut c = c;
    let operation = c.u16()?;
    let name = lookup(OPERATIONS, operation);
    c.need(4)?;
    match name {
        Some(name) => put!(p, "MPCP, Opcode ", name),
        None => put!(p, "MPCP, Opcode Unknown (", operation, ")"),
    }
    if operation != PAUSE {
        put!(p, ", Timestamp ", c.u32()?, " ticks");
    }
    put!(p, ", length ", length);
    if !p.verbose(1) {
        return Ok(());
    }
    match operation {
        PAUSE => Ok(()),
        2 => gate(p, c),
        3 => report(p, c),
        4 => {
            c.need(2)?;
            put!(p, "\n\tFlags [ ");
            match c.u8()? {
                flags if flags & 3 == 3 => put!(p, "Register, De-Register"),
                1 => put!(p, "Register"),
                _ => put!(p, "Reserved"),
            }
            put!(p, " ], Pending-Grants ", c.u8()?);
            Ok(())
        }
        5 => register(p, c),
        6 => {
            c.need(5)?;
            let (flags, port, time) = (c.u8()?, c.u16()?, c.u16()?);
            let flags = if flags & 1 == 1 { "ACK" } else { "Reserved" };
            put!(
                p,
                "\n\tEchoed-Assigned-Port ",
                port,
                ", Flags [ ",
                flags,
                " ]"
            );
            put!(p, "\n\tEchoed-Sync-Time ", time, " ticks");
            Ok(())
        }
        _ => {
            hexdump::hex(p, "\n\t", whole.rest());
            Ok(())
        }
    }
}

/// When the station may send.
fn gate(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let flags = c.u8()?;
    let count = flags & 7;
    put!(p, "\n\tGrant Numbers ", count, ", Flags [ ");
    bits(p, GRANTS, u32::from(flags & !7), ", ", "?");
    put!(p, " ]");
    for grant in 1..=count {
        c.need(6)?;
        put!(p, "\n\tGrant #", grant, ", Start-Time ", c.u32()?);
        put!(p, " ticks, duration ", c.u16()?, " ticks");
    }
    put!(p, "\n\tSync-Time ", c.u16()?, " ticks");
    Ok(())
}

/// How much waits in the station's queues.
///
/// compat: each set has the number of sets, and the last is not shown (4.99.3).
fn report(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let sets = c.u8()?;
    put!(p, "\n\tTotal Queue-Sets ", sets);
    for _ in 1..sets {
        let queues = c.u8()?;
        put!(p, "\n\t  Queue-Set #", sets, ", Report-Bitmap [ ");
        bits(p, QUEUES, u32::from(queues), ", ", "?");
        put!(p, " ]");
        for queue in (0..8_u8).filter(|queue| queues >> queue & 1 == 1) {
            let ticks = c.u16()?;
            put!(
                p,
                "\n\t    Q",
                queue + 1,
                " Report, Duration ",
                ticks,
                " ticks"
            );
        }
    }
    Ok(())
}

fn register(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    c.need(6)?;
    let (port, flags, time, pending) = (c.u16()?, c.u8()?, c.u16()?, c.u8()?);
    put!(p, "\n\tAssigned-Port ", port, ", Flags [ ");
    if flags & 3 == 3 {
        let ack = if flags & 4 == 0 { "" } else { ", NACK" };
        put!(p, "Re-Register, De-Register, ACK", ack);
    } else {
        put!(p, named(REGISTER, flags, "Reserved"));
    }
    put!(
        p,
        " ]\n\tSync-Time ",
        time,
        " ticks, Echoed-Pending-Grants ",
        pending
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn grants_and_registration() {
        for (message, expected) in [
            ("00010000000700", "MPCP, Opcode Pause, length 7\n"),
            (
                "0002000000071901020304050607 08",
                "MPCP, Opcode Gate, Timestamp 7 ticks, length 15\n\tGrant Numbers 1, Flags [ Discovery, Force Grant #1 ]\n\tGrant #1, Start-Time 16909060 ticks, duration 1286 ticks\n\tSync-Time 1800 ticks\n",
            ),
            (
                "0003000000070201 0011 00",
                "MPCP, Opcode Report, Timestamp 7 ticks, length 11\n\tTotal Queue-Sets 2\n\t  Queue-Set #2, Report-Bitmap [ Q0 ]\n\t    Q1 Report, Duration 17 ticks\n",
            ),
            (
                "0006000000070100050006",
                "MPCP, Opcode Register ACK, Timestamp 7 ticks, length 11\n\tEchoed-Assigned-Port 5, Flags [ ACK ]\n\tEchoed-Sync-Time 6 ticks\n",
            ),
        ] {
            let packet = format!("0200000000020200000000018808{message}");
            check(LinkType::ETHERNET, &packet, style(1), expected);
        }
    }
}
