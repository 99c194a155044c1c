//! The exterior gateway protocol (RFC 904).

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup};
use crate::put::put;

const HEADER: usize = 16;
const VERSION: u8 = 2;
const UNSOLICITED: u8 = 0x80;

static ACQUIRE: &[(u8, &str)] = &[
    (0, "request"),
    (1, "confirm"),
    (2, "refuse"),
    (3, "cease"),
    (4, "cease_ack"),
];

static ACQUIRE_STATUS: &[(u8, &str)] = &[
    (0, "unspecified"),
    (1, "active_mode"),
    (2, "passive_mode"),
    (3, "insufficient_resources"),
    (4, "administratively_prohibited"),
    (5, "going_down"),
    (6, "parameter_violation"),
    (7, "protocol_violation"),
];

static REACHABILITY: &[(u8, &str)] = &[(0, "hello"), (1, "i-h-u")];

static STATES: &[(u8, &str)] = &[(0, "indeterminate"), (1, "up"), (2, "down")];

static REASONS: &[(u16, &str)] = &[
    (0, "unspecified"),
    (1, "bad_EGP_header_format"),
    (2, "bad_EGP_data_field_format"),
    (3, "reachability_info_unavailable"),
    (4, "excessive_polling_rate"),
    (5, "no_response"),
    (6, "unsupported_version"),
];

/// A message of `length` bytes; its kind is shown with `-v` alone.
pub(crate) fn egp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "egp";
    let whole = c;
    let mut c = c;
    put!(p, "EGP");
    if length < HEADER {
        put!(p, " [length ", length, " < ", HEADER, "]");
        return p.invalid_message(c, length);
    }
    let (version, kind, code, status) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?);
    c.skip(2)?;
    let (system, sequence) = (c.u16()?, c.u16()?);
    put!(p, "v", version, ", AS ", system, ", seq ", sequence);
    put!(p, ", length ", length);
    if !p.verbose(1) {
        return Ok(());
    }
    if version != VERSION {
        put!(p, " [version ", version, " != ", VERSION, "]");
        return p.invalid_message(whole, length);
    }
    put!(p, ",");
    match kind {
        1 => {
            put!(p, " update");
            if status & UNSOLICITED != 0 {
                put!(p, " unsolicited");
            }
            state(p, status & !UNSOLICITED);
            let (inner, outer) = (c.u8()?, c.u8()?);
            let network = c.array::<4>()?;
            put!(p, " ");
            p.addr(Ipv4Addr::from(network));
            put!(p, " int ", inner, " ext ", outer);
            gateways(p, whole, network, inner, outer)
        }
        2 => {
            put!(p, " poll");
            state(p, status);
            c.skip(2)?;
            put!(p, " net:");
            p.addr(Ipv4Addr::from(c.u32()?));
            Ok(())
        }
        3 => acquire(p, c, code, status),
        5 => {
            match lookup(REACHABILITY, code) {
                Some(name) => put!(p, " ", name),
                None => {
                    put!(p, "[reach code ", code, "]");
                    return Ok(());
                }
            }
            state(p, status);
            Ok(())
        }
        8 => {
            put!(p, " error");
            state(p, status);
            let reason = c.u16()?;
            match lookup(REASONS, reason) {
                Some(name) => put!(p, " ", name),
                None => put!(p, " [reason ", reason, "]"),
            }
            Ok(())
        }
        _ => {
            put!(p, " [type ", kind, "]");
            Ok(())
        }
    }
}

fn state(p: &mut Out<'_>, status: u8) {
    match lookup(STATES, status) {
        Some(name) => put!(p, " state:", name),
        None => put!(p, " [status ", status, "]"),
    }
}

/// Becoming neighbours, and ceasing to be.
fn acquire(p: &mut Out<'_>, mut c: Cursor<'_>, code: u8, status: u8) -> Printed {
    put!(p, " acquire");
    let Some(name) = lookup(ACQUIRE, code) else {
        put!(p, "[code ", code, "]");
        return Ok(());
    };
    put!(p, " ", name);
    // The first two say how it is wanted, the others why not.
    let asks = code < 2;
    let meant = if asks {
        status < 3
    } else {
        !matches!(status, 1 | 2)
    };
    match lookup(ACQUIRE_STATUS, status).filter(|_| meant) {
        Some(name) => put!(p, " ", name),
        None => put!(p, if asks { " " } else { "" }, "[status ", status, "]"),
    }
    if asks {
        put!(p, " hello:", c.u16()?, " poll:", c.u16()?);
    }
    Ok(())
}

/// How many bytes of an address name its network, by its first (RFC 791, classes A to C).
fn network_bytes(first: u8) -> usize {
    match first {
        0..=0x7f => 1,
        0x80..=0xbf => 2,
        _ => 3,
    }
}

/// Networks by gateway and distance.
fn gateways(
    p: &mut Out<'_>,
    message: Cursor<'_>,
    network: [u8; 4],
    inner: u8,
    outer: u8,
) -> Printed {
    let mut c = message;
    c.skip(HEADER)?;
    let [first, ..] = network;
    let shared = network_bytes(first);
    for gateway in 0..u16::from(inner) + u16::from(outer) {
        let kind = if gateway < u16::from(inner) {
            "int"
        } else {
            "ext"
        };
        let own = c.take(4 - shared)?;
        let address: Vec<u8> = network.iter().take(shared).chain(own).copied().collect();
        let address = <[u8; 4]>::try_from(address).unwrap_or_default();
        put!(p, " ", kind, " ");
        p.addr(Ipv4Addr::from(address));
        put!(p, " (");
        let distances = c.u8()?;
        for distance in 0..distances {
            if distance > 0 {
                put!(p, ", ");
            }
            networks(p, &mut c)?;
        }
        put!(p, ")");
    }
    Ok(())
}

/// `d2: 10.0.0.0 192.168.1.0`: the networks at one distance.
fn networks(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Truncated> {
    let (distance, count) = (c.u8()?, c.u8()?);
    put!(p, "d", distance, ":");
    for _ in 0..count {
        let first = { *c }.u8()?;
        let bytes = c.take(network_bytes(first))?;
        let mut address = [0; 4];
        for (place, byte) in address.iter_mut().zip(bytes) {
            *place = *byte;
        }
        put!(p, " ");
        p.addr(Ipv4Addr::from(address));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    /// The packet's text behind its addresses, without a checksum of IP.
    fn shown(message: &str, verbose: u8, expected: &str) {
        let length = 20 + message.len() / 2;
        let packet = format!("4500{length:04x}00010000400800000a0000010a000002{message}");
        let style = Style {
            no_checksums: true,
            ..style(verbose)
        };
        let header = if verbose == 0 {
            "IP 10.0.0.1 > 10.0.0.2: ".to_owned()
        } else {
            format!(
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto EGP (8), length {length})\n    10.0.0.1 > 10.0.0.2: "
            )
        };
        check(
            LinkType::RAW,
            &packet,
            style,
            &format!("{header}{expected}\n"),
        );
    }

    #[test]
    fn neighbours_and_networks() {
        shown(
            "0203000100000064000700 1e00780000"
                .replace(' ', "")
                .as_str(),
            0,
            "EGPv2, AS 100, seq 7, length 16",
        );
        shown(
            "02030001000000640007001e00780000",
            1,
            "EGPv2, AS 100, seq 7, length 16, acquire request active_mode hello:30 poll:120",
        );
        shown(
            "02030203000000640007001e00780000",
            1,
            "EGPv2, AS 100, seq 7, length 16, acquire refuse insufficient_resources",
        );
        shown(
            "0202000100000064000700000a000000",
            1,
            "EGPv2, AS 100, seq 7, length 16, poll state:up net:10.0.0.0",
        );
        shown(
            "0208000000000064000700020a000000",
            1,
            "EGPv2, AS 100, seq 7, length 16, error state:indeterminate bad_EGP_data_field_format",
        );
        shown(
            "0201008100000064000701000a0000000105020102030b01c0a801",
            1,
            "EGPv2, AS 100, seq 7, length 27, update unsolicited state:up 10.0.0.0 int 1 ext 0 int 10.1.5.2 (d2: 11.0.0.0 1.0.0.0 192.168.1.0)",
        );
        shown(
            "0209000000000064000700000a000000",
            1,
            "EGPv2, AS 100, seq 7, length 16, [type 9]",
        );
    }

    #[test]
    fn contradictions() {
        shown(
            "03020001000000640007000000000000",
            1,
            "EGPv3, AS 100, seq 7, length 16 [version 3 != 2] (invalid)",
        );
        shown("0202", 0, "EGP [length 2 < 16] (invalid)");
    }
}
