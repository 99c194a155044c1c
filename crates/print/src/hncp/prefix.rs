//! Prefixes of addresses: only the bytes that have bits.

use pktwho_wire::Cursor;

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::out::Out;
use crate::put::put;

const IPV4_BITS: u8 = 96;

/// The bytes of a prefix of `bits` bits, if the `left` that are there suffice.
pub(super) fn size(bits: u8, left: usize) -> Option<usize> {
    let size = usize::from(bits).div_ceil(8);
    (size <= left).then_some(size)
}

/// `2001:db8::/32`, or `10.0.0.0/8` where it is that of a mapped IPv4 address.
pub(super) fn print(p: &mut Out<'_>, c: Cursor<'_>, bits: u8) {
    if bits > 128 {
        return put!(p, "(length is invalid)");
    }
    let mut octets = [0; 16];
    let bytes = c.limit(usize::from(bits).div_ceil(8)).rest();
    for (octet, &byte) in octets.iter_mut().zip(bytes) {
        *octet = byte;
    }
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    let octets = (u128::from_be_bytes(octets) & mask).to_be_bytes();
    match (octets, bits.checked_sub(IPV4_BITS)) {
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d], Some(bits)) => {
            put!(p, Ipv4Addr::new(a, b, c, d), "/", bits);
        }
        _ => put!(p, Ipv6Addr::from(octets), "/", bits),
    }
}
