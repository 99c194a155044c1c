//! ARP, RARP and `InARP` (RFC 826, RFC 903, RFC 2390).

use std::net::Ipv4Addr;

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, put};
use crate::{ethertype, hexdump};

static HARDWARE: &[(u16, &str)] = &[
    (1, "Ethernet"),
    (6, "TokenRing"),
    (7, "ArcNet"),
    (15, "FrameRelay"),
    (23, "Strip"),
    (24, "IEEE 1394"),
    (32, "InfiniBand"),
];

static OPERATIONS: &[(u16, &str)] = &[
    (1, "Request"),
    (2, "Reply"),
    (3, "Reverse Request"),
    (4, "Reverse Reply"),
    (8, "Inverse Request"),
    (9, "Inverse Reply"),
    (10, "NACK Reply"),
];

/// What a packet says, its four addresses uninterpreted.
struct Arp<'a> {
    protocol: u16,
    operation: u16,
    sender_hardware: &'a [u8],
    sender: &'a [u8],
    target_hardware: &'a [u8],
    target: &'a [u8],
}

impl<'a> Arp<'a> {
    fn read(c: &mut Cursor<'a>) -> Result<(u16, Self), pktwho_wire::Truncated> {
        let hardware = c.u16()?;
        let protocol = c.u16()?;
        let hardware_length = usize::from(c.u8()?);
        let protocol_length = usize::from(c.u8()?);
        let arp = Self {
            protocol,
            operation: c.u16()?,
            sender_hardware: c.take(hardware_length)?,
            sender: c.take(protocol_length)?,
            target_hardware: c.take(hardware_length)?,
            target: c.take(protocol_length)?,
        };
        Ok((hardware, arp))
    }
}

/// An ARP packet of any kind.
pub(crate) fn arp(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "arp";
    let whole = c.rest();
    let (hardware, arp) = Arp::read(&mut c)?;
    if !p.style.link {
        put!(p, "ARP, ");
    }
    let unusual = !is_ip(arp.protocol) || arp.target.len() != 4 || arp.target_hardware.is_empty();
    if unusual || p.verbose(1) {
        kinds(p, hardware, &arp);
        if unusual && !p.verbose(1) {
            put!(p, "length ", length);
            return Ok(());
        }
    }
    match lookup(OPERATIONS, arp.operation) {
        Some(name) => put!(p, name, " "),
        None => put!(p, "Unknown (", arp.operation, ") "),
    }
    if !operation(p, &arp) {
        // compat: with -x too.
        hexdump::hex_ascii(p, "\n\t", whole);
        return Ok(());
    }
    put!(p, ", length ", length);
    Ok(())
}

/// IPv4, or its trailer encapsulation (RFC 893).
fn is_ip(protocol: u16) -> bool {
    matches!(protocol, ethertype::IPV4 | 0x1000)
}

/// Which kinds of addresses it is about.
fn kinds(p: &mut Out<'_>, hardware: u16, arp: &Arp<'_>) {
    match lookup(HARDWARE, hardware) {
        Some(name) => put!(p, name),
        None => put!(p, "Unknown Hardware (", hardware, ")"),
    }
    put!(p, " (len ", arp.target_hardware.len(), "), ");
    match ethertype::name(arp.protocol) {
        Some(name) => put!(p, name),
        None => put!(p, "Unknown Protocol (0x", HexFull(arp.protocol), ")"),
    }
    put!(p, " (len ", arp.target.len(), "), ");
}

/// What is asked or answered; `false` for an operation without a printer.
fn operation(p: &mut Out<'_>, arp: &Arp<'_>) -> bool {
    match arp.operation {
        1 => {
            put!(p, "who-has ");
            protocol_address(p, arp, arp.target);
            if arp.target_hardware.iter().any(|&byte| byte != 0) {
                put!(p, " (");
                p.link_addr(arp.target_hardware);
                put!(p, ")");
            }
            put!(p, " tell ");
            protocol_address(p, arp, arp.sender);
        }
        2 => {
            protocol_address(p, arp, arp.sender);
            put!(p, " is-at ");
            p.link_addr(arp.sender_hardware);
        }
        3 | 8 => {
            put!(p, "who-is ");
            p.link_addr(arp.target_hardware);
            put!(p, " tell ");
            p.link_addr(arp.sender_hardware);
        }
        4 => {
            p.link_addr(arp.target_hardware);
            put!(p, " at ");
            protocol_address(p, arp, arp.target);
        }
        9 => {
            p.link_addr(arp.sender_hardware);
            put!(p, " at ");
            protocol_address(p, arp, arp.sender);
        }
        _ => return false,
    }
    true
}

fn protocol_address(p: &mut Out<'_>, arp: &Arp<'_>, address: &[u8]) {
    match <[u8; 4]>::try_from(address) {
        _ if !is_ip(arp.protocol) => put!(p, "<wrong proto type>"),
        Err(_) => put!(p, "<wrong len>"),
        Ok(octets) => p.addr(Ipv4Addr::from(octets)),
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn requests_and_replies() {
        for (packet, expected) in [
            (
                "020000000002020000000001080600010800060400010200000000010a0000010000000000000a000002",
                "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28\n",
            ),
            (
                "020000000002020000000001080600010800060400020200000000010a0000010000000000000a000002",
                "ARP, Reply 10.0.0.1 is-at 02:00:00:00:00:01, length 28\n",
            ),
            (
                "020000000002020000000001080600010800060400030200000000010a0000010000000000000a000002",
                "ARP, Reverse Request who-is 00:00:00:00:00:00 tell 02:00:00:00:00:01, length 28\n",
            ),
            (
                "020000000002020000000001080600010800060400080200000000010a0000010000000000000a000002",
                "ARP, Inverse Request who-is 00:00:00:00:00:00 tell 02:00:00:00:00:01, length 28\n",
            ),
            (
                "020000000002020000000001080600010800060400010200000000010a0000010200000000010a000002",
                "ARP, Request who-has 10.0.0.2 (02:00:00:00:00:01) tell 10.0.0.1, length 28\n",
            ),
        ] {
            check(LinkType::ETHERNET, packet, style(0), expected);
        }
    }

    #[test]
    fn kinds_with_v() {
        for (packet, expected) in [
            (
                "020000000002020000000001080600010800060400010200000000010a0000010000000000000a000002",
                "ARP, Ethernet (len 6), IPv4 (len 4), Request who-has 10.0.0.2 tell 10.0.0.1, length 28\n",
            ),
            (
                "020000000002020000000001080600019999060400010200000000010a0000010000000000000a000002",
                "ARP, Ethernet (len 6), Unknown Protocol (0x9999) (len 4), Request who-has <wrong proto type> tell <wrong proto type>, length 28\n",
            ),
        ] {
            check(LinkType::ETHERNET, packet, style(1), expected);
        }
    }
}
