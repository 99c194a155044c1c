//! Label distribution (RFC 5036) and pseudowires (RFC 8077).

mod table;

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::afi;
use crate::hexdump;
use crate::l2vpn;
use crate::out::{Out, Printed, bits, named};
use crate::put::{HexFull, Visible, put};

const HEADER: usize = 10;
/// Version and length, which the length does not count.
const UNCOUNTED: usize = 4;
const MESSAGE_HEADER: usize = 8;
const TLV_HEADER: usize = 4;

/// What a datagram or segment carries: units, each of several messages.
pub(crate) fn ldp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "ldp";
    let mut c = c;
    let mut left = length;
    while left > HEADER {
        let used = unit(p, c)?;
        if used == 0 {
            return Ok(());
        }
        if left < used {
            put!(p, " [remaining length ", left, " < ", used, "]");
            p.invalid();
            return Ok(());
        }
        left -= used;
        c.skip(used)?;
    }
    Ok(())
}

/// The number of bytes of one unit; 0 if the next cannot be found.
fn unit(p: &mut Out<'_>, mut c: Cursor<'_>) -> Result<usize, Truncated> {
    c.need(HEADER)?;
    let start = if p.style.verbose > 0 { "\n\t" } else { "" };
    let (version, stated) = (c.u16()?, usize::from(c.u16()?));
    if version != 1 {
        put!(p, start, "LDP version ", version, " packet not supported");
        return Ok(0);
    }
    let Some(mut left) = stated.checked_sub(HEADER - UNCOUNTED) else {
        put!(
            p,
            start,
            "LDP, pdu-length: ",
            stated,
            " (too short, < ",
            HEADER - UNCOUNTED,
            ")"
        );
        return Ok(0);
    };
    // compat: nothing is said of a unit that long.
    if stated + UNCOUNTED > usize::from(u16::MAX) {
        return Ok(0);
    }
    let (router, space) = (c.u32()?, c.u16()?);
    put!(p, start, "LDP, Label-Space-ID: ");
    p.addr(Ipv4Addr::from(router));
    put!(p, ":", space, ", pdu-length: ", stated);
    if !p.verbose(1) {
        return Ok(stated + UNCOUNTED);
    }
    while left > 0 {
        let used = message(p, c)?;
        if used == 0 {
            break;
        }
        let used = used.min(left);
        c.skip(used)?;
        left -= used;
    }
    Ok(stated + UNCOUNTED)
}

/// The number of bytes of one message; 0 if the next cannot be found.
fn message(p: &mut Out<'_>, c: Cursor<'_>) -> Result<usize, Truncated> {
    let whole = c;
    let mut c = c;
    c.need(MESSAGE_HEADER)?;
    let (word, size) = (c.u16()?, usize::from(c.u16()?));
    let kind = word & 0x7fff;
    let name = named(table::MESSAGES, kind, "Unknown");
    put!(
        p,
        "\n\t  ",
        name,
        " Message (0x",
        HexFull(kind),
        "), length: ",
        size
    );
    if size < MESSAGE_HEADER - UNCOUNTED {
        put!(p, " (too short, < ", MESSAGE_HEADER - UNCOUNTED, ")");
        return Ok(0);
    }
    let handling = if word & 0x8000 == 0 {
        "ignore"
    } else {
        "continue processing"
    };
    put!(
        p,
        ", Message ID: 0x",
        HexFull(c.u32()?),
        ", Flags: [",
        handling,
        " if unknown]"
    );
    let mut rest = size - 4;
    let body = c;
    whole.need(size)?;
    let known = table::MESSAGES.iter().any(|entry| entry.0 == kind);
    if known {
        while rest >= TLV_HEADER {
            let used = tlv(p, c, rest)?;
            if used == 0 {
                break;
            }
            c.skip(used)?;
            rest -= used;
        }
    } else if !p.verbose(2) {
        hexdump::hex(p, "\n\t  ", body.limit(rest).rest());
    }
    if p.verbose(2) {
        // compat: four bytes more than the message has.
        hexdump::hex(p, "\n\t  ", body.limit(size).rest());
    }
    body.need(size - 4)?;
    Ok(size + UNCOUNTED)
}

/// The number of bytes of one TLV; 0 if the next cannot be found.
fn tlv(p: &mut Out<'_>, mut c: Cursor<'_>, left: usize) -> Result<usize, Truncated> {
    let (word, size) = (c.u16()?, usize::from(c.u16()?));
    let kind = word & 0x3fff;
    if size + TLV_HEADER > left {
        put!(p, "\n\t\t TLV contents go past end of message");
        return Ok(0);
    }
    let handling = if word & 0x8000 == 0 {
        "ignore"
    } else {
        "continue processing"
    };
    let forward = if word & 0x4000 == 0 { "don't" } else { "do" };
    put!(
        p,
        "\n\t    ",
        named(table::TLVS, kind, "Unknown"),
        " TLV (0x",
        HexFull(kind)
    );
    put!(
        p,
        "), length: ",
        size,
        ", Flags: [",
        handling,
        " and ",
        forward
    );
    put!(p, " forward if unknown]");
    let value = Cursor::new(c.limit(size).rest());
    let least = match kind {
        0x400 => 4,
        0x401 | 0x402 | 0x200 => 4,
        0x403 => 16,
        0x500 => 14,
        0x101 | 0x601 => 2,
        0x100 => 1,
        0x300 => 8,
        0x503 => 12,
        _ => 0,
    };
    if size < least {
        put!(p, " [tlv length ", size, " < ", least, "]");
        p.invalid();
        return Ok(0);
    }
    content(p, kind, value)?;
    Ok(size + TLV_HEADER)
}

fn content(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>) -> Printed {
    match kind {
        0x100 => element(p, c)?,
        0x101 => addresses(p, c)?,
        0x200 => put!(p, "\n\t      Label: ", c.u32()? & 0xf_ffff),
        0x300 => status(p, c)?,
        0x400 => {
            let (hold, flags) = (c.u16()?, c.u16()?);
            let targeted = if flags & 0x8000 == 0 {
                "Link"
            } else {
                "Targeted"
            };
            put!(
                p,
                "\n\t      Hold Time: ",
                hold,
                "s, Flags: [",
                targeted,
                " Hello"
            );
            let request = flags & 0x4000 != 0;
            put!(
                p,
                if request {
                    ", Request for targeted Hellos"
                } else {
                    ""
                },
                "]"
            );
        }
        0x401 => {
            put!(p, "\n\t      IPv4 Transport Address: ");
            p.addr(Ipv4Addr::from(c.u32()?));
        }
        0x402 => put!(p, "\n\t      Sequence Number: ", c.u32()?),
        0x403 => {
            put!(p, "\n\t      IPv6 Transport Address: ");
            p.addr(Ipv6Addr::from(c.u128()?));
        }
        0x500 => {
            let (version, time, flags) = (c.u16()?, c.u16()?, c.u16()?);
            let way = if flags & 0x8000 == 0 {
                "Unsolicited"
            } else {
                "On Demand"
            };
            let loops = if flags & 0x4000 == 0 {
                "Disabled"
            } else {
                "Enabled"
            };
            put!(p, "\n\t      Version: ", version, ", Keepalive: ", time);
            put!(
                p,
                "s, Flags: [Downstream ",
                way,
                ", Loop Detection ",
                loops,
                "]"
            );
            let (longest, router, space) = (c.u16()?, c.u32()?, c.u16()?);
            put!(p, "\n\t      Path Vector Limit ", flags & 0xff);
            put!(p, ", Max-PDU length: ", longest);
            put!(p, ", Receiver Label-Space-ID ");
            p.addr(Ipv4Addr::from(router));
            put!(p, ":", space);
        }
        0x503 => fault_tolerance(p, c)?,
        0x601 => put!(p, "\n\t      MTU: ", c.u16()?),
        _ if !p.verbose(2) => hexdump::hex(p, "\n\t      ", c.rest()),
        _ => {}
    }
    Ok(())
}

fn addresses(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let family = c.u16()?;
    put!(p, "\n\t      Address Family: ");
    match family {
        afi::IPV4 => {
            put!(p, "IPv4, addresses");
            while let Ok(addr) = c.u32() {
                put!(p, " ");
                p.addr(Ipv4Addr::from(addr));
            }
        }
        afi::IPV6 => {
            put!(p, "IPv6, addresses");
            while let Ok(addr) = c.u128() {
                put!(p, " ");
                p.addr(Ipv6Addr::from(addr));
            }
        }
        _ => {}
    }
    Ok(())
}

fn status(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let (word, id) = (c.u32()?, c.u32()?);
    let fatal = if word >> 31 == 0 {
        "Advisory Notification"
    } else {
        "Fatal error"
    };
    let forward = if word >> 30 & 1 == 0 { "don't" } else { "do" };
    put!(
        p,
        "\n\t      Status: 0x",
        HexFull(word.to_be_bytes()[3]),
        ", Flags: [",
        fatal
    );
    put!(p, " and ", forward, " forward]");
    if id != 0 {
        put!(p, ", causing Message ID: 0x", HexFull(id));
    }
    Ok(())
}

/// RFC 3479.
fn fault_tolerance(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let flags = c.u16()?;
    c.skip(2)?;
    let (reconnect, recovery) = (c.u32()?, c.u32()?);
    let not = |bit: u16, word: &'static str| if flags & bit == 0 { word } else { "" };
    put!(
        p,
        "\n\t      Flags: [",
        not(0x8000, "No "),
        "Reconnect, ",
        not(8, "Don't ")
    );
    put!(p, "Save State, ", not(4, "No "), "All-Label Protection, ");
    put!(
        p,
        if flags & 2 == 0 {
            "All Labels"
        } else {
            "Sequence Numbered Label"
        }
    );
    put!(p, " Checkpoint, ", not(1, "Don't "), "Re-Learn State]");
    if reconnect != 0 {
        put!(p, ", Reconnect Timeout: ", reconnect, "ms");
    }
    if recovery != 0 {
        put!(p, ", Recovery Time: ", recovery, "ms");
    }
    Ok(())
}

/// One element of a forwarding equivalence class.
fn element(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let kind = c.u8()?;
    put!(
        p,
        "\n\t      ",
        named(table::ELEMENTS, kind, "Unknown"),
        " FEC (0x",
        HexFull(kind),
        ")"
    );
    match kind {
        2 => prefix(p, c),
        128 => pseudowire(p, c),
        _ => Ok(()),
    }
}

fn prefix(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let Ok(family) = c.u16() else { return Ok(()) };
    let (name, longest) = match family {
        afi::IPV4 => ("IPv4", 32),
        afi::IPV6 => ("IPv6", 128),
        other => {
            put!(p, ": Address family ", other, " prefix");
            return Ok(());
        }
    };
    let Ok(width) = c.u8() else {
        put!(p, ": ", name, " prefix (goes past end of TLV)");
        return Ok(());
    };
    if width > longest {
        put!(p, ": ", name, " prefix (invalid length)");
        return Ok(());
    }
    let Ok(bytes) = c.take(usize::from(width).div_ceil(8)) else {
        put!(p, ": ", name, " prefix (goes past end of TLV)");
        return Ok(());
    };
    let mut addr = [0; 16];
    for (to, from) in addr.iter_mut().zip(bytes) {
        *to = *from;
    }
    put!(p, ": ", name, " prefix ");
    if family == afi::IPV4 {
        let [a, b, d, e, ..] = addr;
        p.addr(Ipv4Addr::new(a, b, d, e));
    } else {
        p.addr(Ipv6Addr::from(addr));
    }
    put!(p, "/", width);
    Ok(())
}

fn pseudowire(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let Ok([high, low, info]) = c.array::<3>() else {
        return Ok(());
    };
    let word = u16::from_be_bytes([high, low]);
    let Ok(group) = c.u32() else { return Ok(()) };
    let no = if word & 0x8000 == 0 { "no " } else { "" };
    put!(
        p,
        ": ",
        named(l2vpn::PSEUDOWIRES, word & 0x7fff, "Unknown"),
        ", ",
        no
    );
    put!(p, "control word, group-ID ", group);
    if info == 0 {
        put!(p, ", VC-info-length: 0");
        return Ok(());
    }
    let Ok(id) = c.u32() else { return Ok(()) };
    put!(p, ", VC-ID ", id, ", VC-info-length: ", info);
    if info < 4 {
        put!(p, " (invalid, < 4)");
        return Ok(());
    }
    let mut info = c.limit(usize::from(info) - 4);
    while let (Ok(kind), Ok(size)) = (info.u8(), info.u8()) {
        put!(
            p,
            "\n\t\tInterface Parameter: ",
            named(table::PARAMETERS, kind, "Unknown")
        );
        put!(
            p,
            " (0x",
            HexFull(kind),
            "), len ",
            usize::from(size.saturating_sub(2))
        );
        let Some(inner) = usize::from(size).checked_sub(2) else {
            return Ok(());
        };
        let Ok(mut value) = info.sub(inner) else {
            return Ok(());
        };
        match kind {
            1 => {
                if let Ok(mtu) = value.u16() {
                    put!(p, ": MTU ", mtu);
                }
            }
            3 => put!(p, ": ", Visible(value.rest())),
            12 => {
                if let Ok([channels, verifications]) = value.array::<2>() {
                    put!(
                        p,
                        "\n\t\t  Control Channels (0x",
                        HexFull(channels),
                        ") = ["
                    );
                    bits(
                        p,
                        table::CONTROL_CHANNELS,
                        u32::from(channels),
                        ", ",
                        "none",
                    );
                    put!(p, "]\n\t\t  CV Types (0x", HexFull(verifications), ") = [");
                    bits(
                        p,
                        table::VERIFICATIONS,
                        u32::from(verifications),
                        ", ",
                        "none",
                    );
                    put!(p, "]");
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{style, text};

    /// The lines of a TLV of an initialization message.
    fn shown(tlv: &str, expected: &str) {
        let bytes = tlv.len() / 2;
        let ldp = format!(
            "0001{:04x}c0a80002000002 00{:04x}00000001{tlv}",
            bytes + 14,
            bytes + 4
        );
        let ldp = ldp.replace(' ', "");
        let length = 20 + 8 + ldp.len() / 2;
        let udp = length - 20;
        let packet =
            format!("4500{length:04x}00010000401100000a0000010a00000202860286{udp:04x}0000{ldp}");
        let style = Style {
            no_checksums: true,
            ..style(1)
        };
        let text = text(LinkType::RAW, &crate::tests::bytes(&packet), 0, style);
        let (_, lines) = text.split_once("ignore if unknown]\n").unwrap();
        assert_eq!(lines, expected);
    }

    #[test]
    fn session_parameters() {
        let start = "\t    Common Session Parameters TLV (0x0500), length: ";
        let end = "Flags: [ignore and don't forward if unknown]";
        shown(
            "0500000e0001001e80051000c0a800010007",
            &format!(
                "{start}14, {end}\n\t      Version: 1, Keepalive: 30s, Flags: [Downstream On Demand, Loop Detection Disabled]\n\
                 \t      Path Vector Limit 5, Max-PDU length: 4096, Receiver Label-Space-ID 192.168.0.1:7\n"
            ),
        );
        shown(
            "050000080001001e00001000",
            &format!("{start}8, {end} [tlv length 8 < 14] (invalid)\n"),
        );
    }
}
