//! DHCP options inside TLVs (RFC 2132, RFC 8415).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use super::{Value, indent};
use crate::dns::plain_name;
use crate::out::{Out, lookup};
use crate::put::put;

static V4: &[(u8, &str)] = &[(6, "DNS-server"), (42, "NTP-server"), (119, "DNS-search")];
static V6: &[(u16, &str)] = &[
    (23, "DNS-server"),
    (24, "DNS-search-list"),
    (31, "SNTP-servers"),
];

/// Options of DHCP for IPv4; `false` if they contradict their sizes.
pub(super) fn v4(p: &mut Out<'_>, value: &Value<'_>) -> Result<bool, Truncated> {
    let mut c = value.beyond;
    let mut left = value.size;
    if left == 0 {
        return Ok(false);
    }
    while left > 0 {
        if left < 2 {
            return Ok(false);
        }
        let (kind, size) = (c.u8()?, usize::from(c.u8()?));
        left -= 2;
        indent(p, value.depth + 1);
        put!(
            p,
            lookup(V4, kind).unwrap_or("Unknown"),
            " (",
            size + 2,
            ")"
        );
        if size > left {
            return Ok(false);
        }
        match kind {
            6 | 42 => {
                if size < 4 || size % 4 != 0 {
                    return Ok(false);
                }
                let mut addresses = c.limit(size);
                while let Ok(octets) = addresses.array::<4>() {
                    put!(p, " ", Ipv4Addr::from(octets));
                }
            }
            119 if !names(p, c, size) => return Ok(false),
            _ => {}
        }
        c.skip(size)?;
        left -= size;
    }
    Ok(true)
}

/// Options of DHCP for IPv6, likewise.
pub(super) fn v6(p: &mut Out<'_>, value: &Value<'_>) -> Result<bool, Truncated> {
    let mut c = value.beyond;
    let mut left = value.size;
    if left == 0 {
        return Ok(false);
    }
    while left > 0 {
        if left < 4 {
            return Ok(false);
        }
        let (kind, size) = (c.u16()?, usize::from(c.u16()?));
        left -= 4;
        indent(p, value.depth + 1);
        put!(
            p,
            lookup(V6, kind).unwrap_or("Unknown"),
            " (",
            size + 4,
            ")"
        );
        if size > left {
            return Ok(false);
        }
        match kind {
            23 | 31 => {
                if size % 16 != 0 {
                    // compat: tcpdump 4.99.3 says it twice.
                    p.invalid();
                    return Ok(false);
                }
                let mut addresses = c.limit(size);
                while let Ok(octets) = addresses.array::<16>() {
                    put!(p, " ", Ipv6Addr::from(octets));
                }
            }
            24 if !names(p, c, size) => return Ok(false),
            _ => {}
        }
        c.skip(size)?;
        left -= size;
    }
    Ok(true)
}

/// Domain names in `size` bytes; the last may end behind them. Whether they could be read.
fn names(p: &mut Out<'_>, c: Cursor<'_>, size: usize) -> bool {
    let mut c = Cursor::new(c.rest());
    while c.position() < size {
        put!(p, " ");
        if plain_name(p, &mut c).is_err() {
            return false;
        }
    }
    true
}
