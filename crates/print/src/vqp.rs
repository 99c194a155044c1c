//! VQP: how Cisco switches ask which VLAN a machine belongs to.

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, Visible, put};

const HEADER: usize = 8;

static MESSAGES: &[(u8, &str)] = &[
    (1, "Request, Join Port"),
    (2, "Response, VLAN"),
    (3, "Request, Reconfirm"),
    (4, "Response, Reconfirm"),
];

static ERRORS: &[(u8, &str)] = &[
    (0, "No error"),
    (3, "Access denied"),
    (4, "Shutdown port"),
    (5, "Wrong VTP domain"),
];

static OBJECTS: &[(u32, &str)] = &[
    (0x0c01, "Client IP Address"),
    (0x0c02, "Port Name"),
    (0x0c03, "VLAN Name"),
    (0x0c04, "VTP Domain"),
    (0x0c05, "Ethernet Packet"),
    (0x0c06, "MAC Null"),
    (0x0c08, "MAC Address"),
];

/// A datagram of the VQP port.
pub(crate) fn vqp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "vqp";
    let mut c = Cursor::new(c.rest());
    if length < HEADER {
        return Err(Truncated);
    }
    c.need(HEADER)?;
    let (version, kind, error, items) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?);
    if version != 1 {
        put!(p, "VQP version ", version, " packet not supported");
        return Ok(());
    }
    let message = |p: &mut Out<'_>| match lookup(MESSAGES, kind) {
        Some(name) => put!(p, name),
        None => put!(p, "unknown (", kind, ")"),
    };
    if !p.verbose(1) {
        put!(p, "VQPv", version, " ");
        message(p);
        put!(p, " Message, error-code ");
        put!(
            p,
            lookup(ERRORS, error).unwrap_or("unknown"),
            " (",
            error,
            "), length ",
            length
        );
        return Ok(());
    }
    put!(p, "\n\tVQPv", version, ", ");
    message(p);
    put!(p, " Message, error-code ");
    put!(
        p,
        lookup(ERRORS, error).unwrap_or("unknown"),
        " (",
        error,
        ")"
    );
    put!(
        p,
        ", seq 0x",
        HexFull(c.u32()?),
        ", items ",
        items,
        ", length ",
        length
    );
    let mut left = length - HEADER;
    for _ in 0..items {
        if left == 0 {
            break;
        }
        if left < 6 {
            return Err(Truncated);
        }
        let (kind, stated) = (c.u32()?, usize::from(c.u16()?));
        left -= 6;
        let name = lookup(OBJECTS, kind).unwrap_or("Unknown");
        put!(
            p,
            "\n\t  ",
            name,
            " Object (0x",
            HexFull(kind),
            "), length ",
            stated,
            ", value: "
        );
        if stated == 0 {
            return Ok(());
        }
        if stated > left {
            return Err(Truncated);
        }
        c.need(stated)?;
        let mut value = c.sub(stated)?;
        left -= stated;
        if !object(p, kind, &mut value, stated)? {
            p.invalid();
            return Ok(());
        }
    }
    Ok(())
}

/// `false` if it has not the length that its type wants.
fn object(
    p: &mut Out<'_>,
    kind: u32,
    c: &mut Cursor<'_>,
    length: usize,
) -> Result<bool, Truncated> {
    match (kind, length) {
        (0x0c01, 4) => {
            let address = c.u32()?;
            put!(p, Ipv4Addr::from(address), " (0x", HexFull(address), ")");
        }
        (0x0c06 | 0x0c08, 6) => {
            let mac = c.array()?;
            p.mac(mac);
        }
        (0x0c01 | 0x0c06 | 0x0c08, _) => return Ok(false),
        (0x0c02..=0x0c04, _) => put!(p, Visible::until_zero(c.rest())),
        _ => hexdump::hex(p, "\n\t    ", c.rest()),
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
            LinkType(101),
            "4500002e00010000401100000a0000010a00000206350635001a0000010100010000000700000c0100040a000001",
            style(1),
            "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 46, bad cksum 0 (->66bc)!)\n    10.0.0.1.1589 > 10.0.0.2.1589: \n\tVQPv1, Request, Join Port Message, error-code No error (0), seq 0x00000007, items 1, length 18\n\t  Client IP Address Object (0x00000c01), length 4, value: 10.0.0.1 (0x0a000001)\n",
        );
    }
}
