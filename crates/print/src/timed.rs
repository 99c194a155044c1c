//! The time synchronization protocol of BSD's timed(8).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, pass, until_zero};
use crate::put::{HexFull, Visible, Zeros, put};

static TYPES: [&str; 25] = [
    "ANY",
    "ADJTIME",
    "ACK",
    "MASTERREQ",
    "MASTERACK",
    "SETTIME",
    "MASTERUP",
    "SLAVEUP",
    "ELECTION",
    "ACCEPT",
    "REFUSE",
    "CONFLICT",
    "RESOLVE",
    "QUIT",
    "DATE",
    "DATEREQ",
    "DATEACK",
    "TRACEON",
    "TRACEOFF",
    "MSITE",
    "MSITEREQ",
    "TEST",
    "SETDATE",
    "SETDATEREQ",
    "LOOP",
];

/// A message.
pub(crate) fn timed(p: &mut Out<'_>, c: Cursor<'_>, _length: usize) -> Printed {
    p.protocol = "timed";
    let mut c = c;
    let kind = c.u8()?;
    match TYPES.get(usize::from(kind)) {
        Some(name) => put!(p, "TSP_", *name),
        None => put!(p, "(tsp_type 0x", HexFull(kind), ")"),
    }
    put!(p, " vers ", c.u8()?);
    put!(p, " seq ", c.u16()?);
    match kind {
        24 => {
            put!(p, " hopcnt ", c.u8()?);
            pass(&mut c, 7);
        }
        1 | 5 | 22 | 23 => {
            let (secs, micros) = (c.u32()?.cast_signed(), c.u32()?.cast_signed());
            let Ok(micros) = u64::try_from(micros) else {
                return Ok(());
            };
            put!(p, " time ");
            match secs {
                0.. => put!(p, secs, ".", Zeros(micros, 6)),
                _ => {
                    let before = 1_000_000_u64.saturating_sub(micros);
                    put!(p, "-", (secs + 1).unsigned_abs(), ".", Zeros(before, 6));
                }
            }
        }
        _ => pass(&mut c, 8),
    }
    put!(p, " name ");
    let (name, ended) = until_zero(&mut c);
    put!(p, Visible(name));
    ended.then_some(()).ok_or(Truncated)
}
