//! What Realtek's switches send (`EtherType` 0x8899): remote control (RRCP), loop detection, echo,
//! and the tags they add to frames.

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::put::{HexFull, Pairs, put};

const REPLY: u8 = 0x80;

/// A frame's payload.
pub(crate) fn realtek(p: &mut Out<'_>, c: Cursor<'_>, _length: usize) -> Printed {
    p.protocol = "rtl";
    if let Some((source, destination)) = p.macs {
        p.mac(source);
        put!(p, " > ");
        p.mac(destination);
        put!(p, ", ");
    }
    let mut c = c;
    let kind = c.u8()?;
    let name = match kind {
        0x01 => return rrcp(p, c),
        0x02 => "REP",
        0x03 | 0x23 => "RLDP",
        0x04 => "Realtek 8-byte DSA tag",
        0x90..=0x9f => "Realtek RTL8306 4-byte DSA tag",
        0xa0..=0xaf => "Realtek RTL8366RB 4-byte DSA tag",
        _ => {
            put!(p, "Realtek unknown type 0x", HexFull(kind));
            return Ok(());
        }
    };
    put!(p, name);
    Ok(())
}

/// Registers of a switch are read and written; numbers have the low byte first but for the key.
fn rrcp(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    p.protocol = "rrcp";
    let operation = c.u8()?;
    let reply = operation & REPLY != 0;
    put!(p, "RRCP ", if reply { "reply" } else { "query" }, ": ");
    let code = operation & !REPLY;
    match code {
        0 => put!(p, "hello"),
        1 => put!(p, "get"),
        2 => put!(p, "set"),
        _ => put!(p, "unknown opcode (0x", HexFull(code), ")"),
    }
    let registers = matches!(code, 1 | 2);
    let mut values = c;
    values.need(if registers { 8 } else { 2 })?;
    let key = values.u16()?;
    if registers {
        let (address, data) = (values.u16_le()?, values.u32_le()?);
        put!(p, " addr=0x", HexFull(address), ", data=0x", HexFull(data));
    }
    put!(p, ", auth=0x", HexFull(key));
    if registers {
        // The second half stands first.
        let (low, high) = (values.u32()?, values.u32()?);
        put!(p, ", cookie=0x", HexFull(high), HexFull(low), " ");
    }
    if code == 0 && reply {
        hello(p, values)?;
    }
    Ok(())
}

fn hello(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    c.need(14)?;
    let (down, up) = (c.u8()?, c.u8()?);
    put!(p, " downlink_port=", down, ", uplink_port=", up);
    let mac = c.array::<6>()?;
    put!(p, ", uplink_mac=", Pairs(&mac, ':'));
    let (chip, vendor) = (c.u16()?, c.u32()?);
    put!(
        p,
        ", vendor_id=",
        HexFull(vendor),
        " ,chip_id=",
        HexFull(chip),
        " "
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn remote_control() {
        for (message, expected) in [
            ("01002379", "RRCP query: hello, auth=0x2379"),
            (
                "010123790201 06050403 0708090a0b0c0d0e",
                "RRCP query: get addr=0x0102, data=0x03040506, auth=0x2379, cookie=0x0b0c0d0e0708090a ",
            ),
            ("23", "RLDP"),
            ("09", "Realtek unknown type 0x09"),
        ] {
            let packet = format!("0200000000020200000000018899{message}");
            let expected = format!("02:00:00:00:00:01 > 02:00:00:00:00:02, {expected}\n");
            check(LinkType::ETHERNET, &packet, style(0), &expected);
        }
    }
}
