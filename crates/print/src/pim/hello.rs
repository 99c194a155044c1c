//! Options of hello messages (RFC 7761 section 4.9.2, IANA registry).

use pktwho_wire::Cursor;

use super::address::{self, Encoding};
use crate::hexdump;
use crate::out::{Out, Printed, named};
use crate::put::{HexFull, Span, put};

static OPTIONS: &[(u16, &str)] = &[
    (HOLD_TIME, "Hold Time"),
    (PRUNE_DELAY, "LAN Prune Delay"),
    (OLD_PRIORITY, "DR Priority (Old)"),
    (PRIORITY, "DR Priority"),
    (GENERATION, "Generation ID"),
    (STATE_REFRESH, "State Refresh Capability"),
    (BIDIRECTIONAL, "Bi-Directional Capability"),
    (ADDRESSES, "Address List"),
    (OLD_ADDRESSES, "Address List (Old)"),
];

const HOLD_TIME: u16 = 1;
const PRUNE_DELAY: u16 = 2;
const OLD_PRIORITY: u16 = 18;
const PRIORITY: u16 = 19;
const GENERATION: u16 = 20;
const STATE_REFRESH: u16 = 21;
const BIDIRECTIONAL: u16 = 22;
const ADDRESSES: u16 = 24;
const OLD_ADDRESSES: u16 = 65001;

/// All options of `length` bytes.
pub(super) fn options(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        let kind = c.u16()?;
        let size = c.u16()?;
        put!(
            p,
            "\n\t  ",
            named(OPTIONS, kind, "Unknown"),
            " Option (",
            kind
        );
        put!(p, "), length ", size, ", Value: ");
        let value = c.sub(usize::from(size))?;
        if !option(p, kind, size, value)? {
            return Ok(());
        }
        if p.verbose(2) {
            hexdump::hex(p, "\n\t    ", value.rest());
        }
        left = left.saturating_sub(4 + usize::from(size));
    }
    Ok(())
}

/// `false` when the option's length is impossible, which ends the message.
fn option(
    p: &mut Out<'_>,
    kind: u16,
    size: u16,
    mut c: Cursor<'_>,
) -> Result<bool, pktwho_wire::Truncated> {
    let right = match kind {
        HOLD_TIME => 2,
        PRUNE_DELAY | PRIORITY | GENERATION | STATE_REFRESH => 4,
        // One of the length that it should have had, and one of four bytes.
        OLD_PRIORITY if matches!(size, 0 | 4) => size,
        OLD_PRIORITY => 4,
        _ => size,
    };
    if size != right {
        put!(p, "[option length ", size, " != ", right, "]");
        p.invalid();
        return Ok(false);
    }
    match kind {
        HOLD_TIME => super::hold_time(p, c.u16()?),
        PRUNE_DELAY => {
            let (delay, interval) = (c.u16()?, c.u16()?);
            let (bit, delay) = (delay >> 15, delay & 0x7fff);
            put!(p, "\n\t    T-bit=", bit, ", LAN delay ", delay);
            put!(p, "ms, Override interval ", interval, "ms");
        }
        OLD_PRIORITY if size == 0 => put!(p, "Bi-Directional Capability (Old)"),
        OLD_PRIORITY | PRIORITY => put!(p, c.u32()?),
        GENERATION => put!(p, "0x", HexFull(c.u32()?)),
        STATE_REFRESH => {
            let (version, interval, reserved) = (c.u8()?, c.u8()?, c.u16()?);
            put!(p, "v", version);
            if interval != 0 {
                put!(p, ", interval ", Span(u32::from(interval)));
            }
            if reserved != 0 {
                put!(p, " ?0x", HexFull(reserved), "?");
            }
        }
        ADDRESSES | OLD_ADDRESSES if p.verbose(2) => {
            while !c.is_empty() {
                put!(p, "\n\t    ");
                address::unicast(p, &mut c, Encoding::Family)?;
            }
        }
        BIDIRECTIONAL | ADDRESSES | OLD_ADDRESSES => {}
        _ if !p.verbose(2) => hexdump::hex(p, "\n\t    ", c.rest()),
        _ => {}
    }
    Ok(true)
}
