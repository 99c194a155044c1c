//! PTP, precise time (IEEE 1588).

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, bits, lookup};
use crate::put::{Hex, put};

const HEADER: usize = 34;

static MESSAGES: &[(u8, &str)] = &[
    (0x0, "sync msg"),
    (0x1, "delay req msg"),
    (0x2, "peer delay req msg"),
    (0x3, "peer delay resp msg"),
    (0x8, "follow up msg"),
    (0x9, "delay resp msg"),
    (0xa, "pdelay resp fup msg"),
    (0xb, "announce msg"),
    (0xc, "signaling msg"),
    (0xd, "management msg"),
];

static CONTROLS: &[(u8, &str)] = &[
    (0, "Sync"),
    (1, "Delay_Req"),
    (2, "Follow_Up"),
    (3, "Delay_Resp"),
    (4, "Management"),
    (5, "Other"),
];

static FLAGS: &[(u32, &str)] = &[
    (0x0001, "l1 61"),
    (0x0002, "l1 59"),
    (0x0004, "utc reasonable"),
    (0x0008, "timescale"),
    (0x0010, "time tracable"),
    (0x0020, "frequency tracable"),
    (0x0100, "alternate master"),
    (0x0200, "two step"),
    (0x0400, "unicast"),
    (0x1000, "unknown"),
    (0x2000, "profile specific 1"),
    (0x4000, "profile specific 2"),
    (0x8000, "security mask"),
];

/// A message.
pub(crate) fn ptp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "ptp";
    let mut c = c;
    if length < HEADER {
        put!(p, " [length ", length, " < ", HEADER, "]");
        return p.invalid_message(c, length);
    }
    let mut ahead = c;
    ahead.skip(1)?;
    let versions = ahead.u8()?;
    let (major, minor) = (versions & 15, versions >> 4);
    put!(p, "PTPv", major);
    if minor != 0 {
        put!(p, ".", minor);
    }
    match major {
        1 => put!(p, " (not implemented)"),
        2 => two(p, &mut c)?,
        _ => {}
    }
    Ok(())
}

fn two(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let first = c.u8()?;
    let kind = first & 15;
    put!(p, ", majorSdoId: 0x", Hex(first >> 4));
    put!(
        p,
        ", msg type: ",
        lookup(MESSAGES, kind).unwrap_or("Reserved")
    );
    c.skip(1)?;
    put!(p, ", length: ", c.u16()?);
    put!(p, ", domain: ", c.u8()?);
    put!(p, ", reserved1: ", c.u8()?);
    let flags = c.u16()?;
    put!(p, ", Flags [");
    bits(p, FLAGS, u32::from(flags), ", ", "none");
    let correction = c.u64()?;
    put!(p, "], NS correction: ", correction >> 16);
    put!(p, ", sub NS correction: ", correction & 0xffff);
    put!(p, ", reserved2: ", c.u32()?);
    put!(p, ", clock identity: 0x", Hex(c.u64()?));
    put!(p, ", port id: ", c.u16()?);
    put!(p, ", seq id: ", c.u16()?);
    let control = c.u8()?;
    put!(p, ", control: ", control);
    put!(
        p,
        " (",
        lookup(CONTROLS, control).unwrap_or("Reserved"),
        ")"
    );
    put!(p, ", log message interval: ", c.u8()?);
    match kind {
        0x0 | 0x1 => time(p, c, "originTimeStamp"),
        0x2 => {
            time(p, c, "preciseOriginTimeStamp")?;
            identity(p, c)
        }
        0x3 => {
            time(p, c, "receiveTimeStamp")?;
            identity(p, c)
        }
        0x8 => time(p, c, "preciseOriginTimeStamp"),
        0x9 => {
            time(p, c, "receiveTimeStamp")?;
            identity(p, c)
        }
        0xa => {
            time(p, c, "preciseOriginTimeStamp")?;
            identity(p, c)
        }
        0xb => announce(p, c),
        0xc => identity(p, c),
        0xd => {
            identity(p, c)?;
            put!(p, ", start boundary hops: ", c.u8()?);
            put!(p, ", boundary hops: ", c.u8()?);
            put!(p, ", flags: 0x", Hex(c.u8()?));
            put!(p, ", reserved: 0x", Hex(c.u8()?));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn time(p: &mut Out<'_>, c: &mut Cursor<'_>, name: &str) -> Printed {
    put!(p, ", ", name, ":");
    let secs = u64::from(c.u16()?) << 32 | u64::from(c.u32()?);
    let nanos = u64::from(c.u32()?);
    put!(p, " ", secs, ".", crate::put::Zeros(nanos, 9), " seconds");
    Ok(())
}

fn identity(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, ", port identity: 0x", Hex(c.u64()?));
    put!(p, ", port id: ", c.u16()?);
    Ok(())
}

fn announce(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    time(p, c, "originTimeStamp")?;
    put!(p, ", origin cur utc:", c.u16()?);
    put!(p, ", rsvd: ", c.u8()?);
    put!(p, ", gm priority_1: ", c.u8()?);
    put!(p, ", gm clock class: ", c.u8()?);
    put!(p, ", gm clock accuracy: ", c.u8()?);
    put!(p, ", gm clock variance: ", c.u16()?);
    put!(p, ", gm priority_2: ", c.u8()?);
    put!(p, ", gm clock id: 0x", Hex(c.u64()?));
    put!(p, ", steps removed: ", c.u16()?);
    let source = c.u8()?;
    put!(p, ", time source: 0x", crate::put::HexFull(source));
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    /// A frame with a header of 34 bytes, nearly all zeros.
    fn frame(first: &str, body: &str) -> String {
        let length = 34 + body.len() / 2;
        format!(
            "02000000000202000000000188f7{first}{length:04x}{}{body}",
            "00".repeat(30)
        )
    }

    fn shown(first: &str, body: &str, expected: &str) {
        check(
            LinkType::ETHERNET,
            &frame(first, body),
            style(0),
            &format!("{expected}\n"),
        );
    }

    const HEADER: &str = "domain: 0, reserved1: 0, Flags [none], NS correction: 0, sub NS correction: 0, reserved2: 0, \
        clock identity: 0x0, port id: 0, seq id: 0, control: 0 (Sync), log message interval: 0, ";

    #[test]
    fn versions() {
        shown("0001", "", "PTPv1 (not implemented)");
        shown("0003", "", "PTPv3");
        shown(
            "0c12",
            "0203040506070809000a",
            &format!(
                "PTPv2.1, majorSdoId: 0x0, msg type: signaling msg, length: 44, {HEADER}port identity: 0x203040506070809, port id: 10"
            ),
        );
    }

    #[test]
    fn management() {
        shown(
            "1d02",
            "ffffffffffffffffffff03020100",
            &format!(
                "PTPv2, majorSdoId: 0x1, msg type: management msg, length: 48, {HEADER}port identity: 0xffffffffffffffff, \
                 port id: 65535, start boundary hops: 3, boundary hops: 2, flags: 0x1, reserved: 0x0"
            ),
        );
    }
}
