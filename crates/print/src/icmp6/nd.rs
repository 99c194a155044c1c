//! Neighbour discovery (RFC 4861) and its options (RFC 6275, RFC 4191, RFC 8106, RFC 3971,
//! RFC 8781).

use std::net::Ipv6Addr;

use pktwho_wire::{Cursor, Truncated};

use super::Message;
use crate::dns;
use crate::hexdump;
use crate::out::{Out, Printed, bits, lookup, pass};
use crate::put::{HexFull, put};

static ROUTER_FLAGS: &[(u32, &str)] = &[
    (0x80, "managed"),
    (0x40, "other stateful"),
    (0x20, "home agent"),
    (0x04, "ndproxy"),
];

static NEIGHBOR_FLAGS: &[(u32, &str)] =
    &[(0x80, "router"), (0x40, "solicited"), (0x20, "override")];

static PREFIX_FLAGS: &[(u32, &str)] = &[(0x80, "onlink"), (0x40, "auto"), (0x20, "router")];

static PREFERENCES: &[(u8, &str)] = &[(0, "medium"), (0x08, "high"), (0x18, "low"), (0x10, "rsv")];

const SOURCE_LINK: u8 = 1;
const TARGET_LINK: u8 = 2;
const PREFIX: u8 = 3;
const REDIRECTED: u8 = 4;
const MTU: u8 = 5;
const INTERVAL: u8 = 7;
const HOME_AGENT: u8 = 8;
const NONCE: u8 = 14;
const ROUTE: u8 = 24;
const RDNSS: u8 = 25;
const DNSSL: u8 = 31;
const PREF64: u8 = 38;

static OPTIONS: &[(u8, &str)] = &[
    (SOURCE_LINK, "source link-address"),
    (TARGET_LINK, "destination link-address"),
    (PREFIX, "prefix info"),
    (REDIRECTED, "redirected header"),
    (MTU, "mtu"),
    (INTERVAL, "advertisement interval"),
    (HOME_AGENT, "homeagent information"),
    (NONCE, "nonce"),
    (ROUTE, "route info"),
    (RDNSS, "rdnss"),
    (DNSSL, "dnssl"),
    (PREF64, "pref64"),
];

/// Solicitations, advertisements and redirects.
pub(super) fn message(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let mut c = m.body;
    if p.verbose(1) {
        put!(p, ", length ", m.length);
    }
    let fixed = match m.kind {
        133 => {
            pass(&mut c, 4);
            8
        }
        134 => {
            if !p.verbose(1) {
                return Ok(());
            }
            c.need(12)?;
            router(p, &mut c)?;
            16
        }
        135 => {
            c.skip(4)?;
            let target = Ipv6Addr::from(c.u128()?);
            put!(p, ", who has ");
            p.addr(target);
            24
        }
        136 => {
            let flags = u32::from(c.u8()?);
            c.skip(3)?;
            let target = Ipv6Addr::from(c.u128()?);
            put!(p, ", tgt is ");
            p.addr(target);
            if p.verbose(1) {
                put!(p, ", Flags [");
                bits(p, NEIGHBOR_FLAGS, flags, ", ", "none");
                put!(p, "]");
            }
            24
        }
        _ => {
            c.skip(4)?;
            let target = Ipv6Addr::from(c.u128()?);
            let destination = Ipv6Addr::from(c.u128()?);
            put!(p, ", ");
            p.addr(destination);
            put!(p, " to ");
            p.addr(target);
            40
        }
    };
    if p.verbose(1) {
        options(p, c, m.length.saturating_sub(fixed))?;
    }
    Ok(())
}

fn router(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, "\n\thop limit ", c.u8()?);
    let flags = c.u8()?;
    put!(p, ", Flags [");
    bits(p, ROUTER_FLAGS, u32::from(flags), ", ", "none");
    put!(
        p,
        "], pref ",
        lookup(PREFERENCES, flags & 0x18).unwrap_or("unknown")
    );
    put!(p, ", router lifetime ", c.u16()?, "s");
    put!(p, ", reachable time ", c.u32()?, "ms");
    put!(p, ", retrans timer ", c.u32()?, "ms");
    Ok(())
}

/// The options that follow a message, `length` bytes of them.
pub(super) fn options(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    // Where the capture ends with an option, nothing says that there were more.
    while left > 0 && !c.is_empty() {
        let start = c;
        let kind = c.u8()?;
        let units = c.u8()?;
        let size = usize::from(units) * 8;
        if size == 0 || size > left {
            return Err(Truncated);
        }
        start.need(size)?;
        let name = lookup(OPTIONS, kind).unwrap_or("unknown");
        put!(
            p,
            "\n\t  ",
            name,
            " option (",
            kind,
            "), length ",
            size,
            " (",
            units,
            "): "
        );
        let value = c.sub(size - 2)?;
        let known = option(p, kind, start, value)?;
        if !known && !p.verbose(2) {
            // compat: tcpdump shows the bytes and gives up on what follows.
            hexdump::hex(p, "\n\t  ", value.rest());
            return Ok(());
        }
        if p.verbose(2) {
            hexdump::hex(p, "\n\t    ", value.rest());
        }
        left -= size;
    }
    Ok(())
}

/// One option's value; `false` if it is unknown.
fn option(
    p: &mut Out<'_>,
    kind: u8,
    whole: Cursor<'_>,
    mut c: Cursor<'_>,
) -> Result<bool, Truncated> {
    match kind {
        SOURCE_LINK | TARGET_LINK => p.link_addr(c.rest()),
        PREFIX => {
            let bits_kept = c.u8()?;
            let flags = u32::from(c.u8()?);
            let (valid, preferred) = (c.u32()?, c.u32()?);
            c.skip(4)?;
            p.addr(Ipv6Addr::from(c.u128()?));
            put!(p, "/", bits_kept, ", Flags [");
            bits(p, PREFIX_FLAGS, flags, ", ", "none");
            put!(p, "], valid time ");
            lifetime(p, valid);
            put!(p, ", pref. time ");
            lifetime(p, preferred);
        }
        REDIRECTED => hexdump::hex(p, "\n\t    ", whole.limit(c.remaining() + 2).rest()),
        MTU => {
            c.skip(2)?;
            put!(p, " ", c.u32()?);
        }
        INTERVAL => {
            c.skip(2)?;
            put!(p, " ", c.u32()?, "ms");
        }
        HOME_AGENT => {
            c.skip(2)?;
            put!(p, " preference ", c.u16()?, ", lifetime ", c.u16()?);
        }
        NONCE => {
            for (n, &byte) in c.rest().iter().enumerate() {
                if n > 0 {
                    put!(p, " ");
                }
                put!(p, HexFull(byte));
            }
        }
        ROUTE => {
            let bits_kept = c.u8()?;
            let preference = c.u8()?;
            let seconds = c.u32()?;
            put!(p, " ");
            p.addr(Ipv6Addr::from(padded(c.rest())));
            put!(p, "/", bits_kept, ", pref=");
            put!(
                p,
                lookup(PREFERENCES, preference & 0x18).unwrap_or("unknown"),
                ", lifetime="
            );
            lifetime(p, seconds);
        }
        RDNSS => {
            c.skip(2)?;
            put!(p, " lifetime ", c.u32()?, "s,");
            while let Ok(server) = c.u128() {
                put!(p, " addr: ");
                p.addr(Ipv6Addr::from(server));
            }
        }
        DNSSL => {
            c.skip(2)?;
            put!(p, " lifetime ", c.u32()?, "s, domain(s):");
            while c.rest().first().is_some_and(|&length| length != 0) {
                put!(p, " ");
                dns::plain_name(p, &mut c)?;
            }
        }
        PREF64 => pref64(p, c)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// The first bytes of an address.
fn padded(bytes: &[u8]) -> [u8; 16] {
    let mut address = [0; 16];
    for (to, from) in address.iter_mut().zip(bytes) {
        *to = *from;
    }
    address
}

fn lifetime(p: &mut Out<'_>, seconds: u32) {
    if seconds == u32::MAX {
        put!(p, "infinity");
    } else {
        put!(p, seconds, "s");
    }
}

/// RFC 8781 section 4: the lifetime in units of eight seconds, and a code for the length.
fn pref64(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let scaled = c.u16()?;
    let prefix = c.take(12)?;
    p.addr(Ipv6Addr::from(padded(prefix)));
    let code = scaled & 7;
    put!(p, "/");
    match code {
        0 => put!(p, "96"),
        1 => put!(p, "64"),
        2 => put!(p, "56"),
        3 => put!(p, "48"),
        4 => put!(p, "40"),
        5 => put!(p, "32"),
        _ => put!(p, "??"),
    }
    put!(p, " (plc ", code, "), lifetime ", scaled & !7, "s");
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn options_with_v() {
        for (packet, expected) in [
            (
                "6000000000103a40fe800000000000000000000000000001fe80000000000000000000000000000285007aae000000000101020000000001",
                "IP6 (hlim 64, next-header ICMPv6 (58), payload length 16) fe80::1 > fe80::2: [icmp6 sum ok] ICMP6, router solicitation, length 16\n\t  source link-address option (1), length 8 (1): 02:00:00:00:00:01\n",
            ),
            (
                "6000000000803a40fe800000000000000000000000000001fe8000000000000000000000000000028600736640c8000f0000000500000006030440c000278d00ffffffff0000000020010db800000000000000000000000005010000000005dc180240080000000520010db800000000190300000000003c20010db80000000000000000000000011f0300000000003c076578616d706c65036f7267000000000101020000000001",
                "IP6 (hlim 64, next-header ICMPv6 (58), payload length 128) fe80::1 > fe80::2: [icmp6 sum ok] ICMP6, router advertisement, length 128\n\thop limit 64, Flags [managed, other stateful], pref high, router lifetime 15s, reachable time 5ms, retrans timer 6ms\n\t  prefix info option (3), length 32 (4): 2001:db8::/64, Flags [onlink, auto], valid time 2592000s, pref. time infinity\n\t  mtu option (5), length 8 (1):  1500\n\t  route info option (24), length 16 (2):  2001:db8::/64, pref=high, lifetime=5s\n\t  rdnss option (25), length 24 (3):  lifetime 60s, addr: 2001:db8::1\n\t  dnssl option (31), length 24 (3):  lifetime 60s, domain(s): example.org.\n\t  source link-address option (1), length 8 (1): 02:00:00:00:00:01\n",
            ),
            (
                "6000000000203a40fe800000000000000000000000000001fe80000000000000000000000000000287004ae40000000020010db80000000000000000000000010101020000000001",
                "IP6 (hlim 64, next-header ICMPv6 (58), payload length 32) fe80::1 > fe80::2: [icmp6 sum ok] ICMP6, neighbor solicitation, length 32, who has 2001:db8::1\n\t  source link-address option (1), length 8 (1): 02:00:00:00:00:01\n",
            ),
            (
                "6000000000203a40fe800000000000000000000000000001fe800000000000000000000000000002880068e3e000000020010db80000000000000000000000010201020000000001",
                "IP6 (hlim 64, next-header ICMPv6 (58), payload length 32) fe80::1 > fe80::2: [icmp6 sum ok] ICMP6, neighbor advertisement, length 32, tgt is 2001:db8::1, Flags [router, solicited, override]\n\t  destination link-address option (2), length 8 (1): 02:00:00:00:00:01\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(1), expected);
        }
    }
}
