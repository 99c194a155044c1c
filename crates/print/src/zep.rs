//! The `ZigBee` encapsulation protocol: frames of IEEE 802.15.4 in UDP, as sniffers send them.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::{HexFull, Visible, Zeros, put};
use crate::{ieee802154, time};

const PREAMBLE: [u8; 2] = *b"EX";
const ACKNOWLEDGEMENT: u8 = 2;
/// Bytes of header: of version 1, of an acknowledgement, of what else there is.
const FIRST: usize = 16;
const SHORT: usize = 8;
const LONG: usize = 32;

/// A datagram of `length` bytes.
pub(crate) fn zep(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "zep";
    let whole = c;
    let mut c = c;
    put!(p, "ZEP");
    // A byte that is right is shown with the next, one that is not before it is looked for.
    let [first] = c.array()?;
    if first != PREAMBLE[0] {
        put!(p, " [Preamble Code: ", Visible(&[first]));
    }
    let [second] = c.array()?;
    if first != PREAMBLE[0] {
        put!(p, Visible(&[second]), "]");
    } else if second != PREAMBLE[1] {
        put!(p, " [Preamble Code: ", Visible(&[first, second]), "]");
    }
    if [first, second] != PREAMBLE {
        p.invalid();
        return Ok(());
    }
    let version = c.u8()?;
    put!(p, "v", version, " ");
    let first = version == 1;
    let kind = if first { 0 } else { c.u8()? };
    let least = match (first, kind) {
        (true, _) => FIRST,
        (_, ACKNOWLEDGEMENT) => SHORT,
        _ => LONG,
    };
    if length < least {
        put!(p, " [len ", length, " < ", least, "]");
        p.invalid();
        return Ok(());
    }
    let inner = if !first && kind == ACKNOWLEDGEMENT {
        put!(p, "ACK, seq# = ", c.u32()?);
        0
    } else {
        frame_header(p, &mut c, (!first).then_some(kind))?
    };
    let mut rest = whole;
    rest.skip(least)?;
    let rest = Cursor::new(rest.rest());
    let mut left = length - least;
    let mut after = rest;
    if inner > 0 {
        put!(p, "\n\t");
        if ieee802154::packet(p, rest.limit(inner), inner)? {
            after.skip(inner)?;
            left = left.saturating_sub(inner);
        }
    }
    if left > 0 {
        p.unknown(after.limit(left).rest());
        after.need(left)?;
    }
    Ok(())
}

/// What the sniffer says of a frame; the frame's length. Version 1 has no `kind`.
fn frame_header(p: &mut Out<'_>, c: &mut Cursor<'_>, kind: Option<u8>) -> Result<usize, Truncated> {
    let (channel, device) = (c.u8()?, c.u16()?);
    if let Some(kind) = kind {
        put!(p, "Type ", kind, ", ");
    }
    put!(
        p,
        "Channel ID ",
        channel,
        ", Device ID 0x",
        HexFull(device),
        ", "
    );
    if c.u8()? == 0 {
        put!(p, "LQI ", c.u8()?, ", ");
    } else {
        put!(p, "CRC, ");
        c.skip(1)?;
    }
    if kind.is_some() {
        let (seconds, fraction) = (c.u32()?, c.u32()?);
        moment(p, seconds, fraction);
        c.need(4 + 10 + 1)?;
        put!(p, ", seq# = ", c.u32()?, ", ");
        c.skip(10)?;
    } else {
        c.skip(7)?;
    }
    let inner = usize::from(c.u8()?);
    put!(p, "inner len = ", inner);
    Ok(inner)
}

/// Seconds since 1900, and the local time they are.
fn moment(p: &mut Out<'_>, seconds: u32, fraction: u32) {
    /// From NTP's first second to that of Unix.
    const EPOCH: i64 = 2_208_988_800;
    let nanos = (u64::from(fraction) * 1_000_000_000) >> 32;
    put!(p, seconds, ".", Zeros(nanos, 9));
    if seconds != 0 {
        put!(p, " (");
        let since = i64::from(seconds) - EPOCH;
        time::date_and_time(since, p.names, p.out);
        put!(p, ")");
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    fn shown(message: &str, expected: &str) {
        let length = message.len() / 2;
        let packet = format!(
            "4500{:04x}00010000401100000a0000010a0000029c40455a{:04x}0000{message}",
            28 + length,
            8 + length
        );
        let expected = format!("IP 10.0.0.1.40000 > 10.0.0.2.17754: {expected}");
        check(LinkType::RAW, &packet, style(0), &expected);
    }

    #[test]
    fn versions_and_acknowledgements() {
        shown("4558020200000009", "ZEPv2 ACK, seq# = 9\n");
        shown(
            "4558010b123401ff0000000000000000",
            "ZEPv1 Channel ID 11, Device ID 0x1234, CRC, inner len = 0\n",
        );
        shown("4558020100b123400ffe", "ZEPv2  [len 10 < 32] (invalid)\n");
        shown("4142", "ZEP [Preamble Code: AB] (invalid)\n");
    }
}
