//! Node information queries (RFC 4620).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use super::Message;
use crate::dns;
use crate::out::{Out, Printed, lookup};
use crate::put::{Visible, put};

const NOOP: u16 = 0;
const QTYPES: u16 = 1;
const NAME: u16 = 2;
const NODE_ADDRESSES: u16 = 3;
const IPV4_ADDRESSES: u16 = 4;

static TYPES: &[(u16, &str)] = &[
    (NOOP, "noop"),
    (QTYPES, "supported qtypes"),
    (NAME, "DNS name"),
    (NODE_ADDRESSES, "node addresses"),
    (IPV4_ADDRESSES, "ipv4 addresses"),
];

/// Fields before the data: type, flags, nonce.
struct Fields<'a> {
    kind: u16,
    flags: u16,
    data: Cursor<'a>,
    /// Bytes of data on the wire.
    length: usize,
}

impl<'a> Fields<'a> {
    fn read(m: &Message<'a>) -> Result<Self, Truncated> {
        let mut c = m.body;
        let kind = c.u16()?;
        let flags = c.u16()?;
        c.skip(8)?;
        let length = m.length.saturating_sub(16);
        Ok(Self {
            kind,
            flags,
            data: c.limit(length),
            length,
        })
    }

    /// What is asked for, and of addresses which ones.
    fn print(&self, p: &mut Out<'_>) {
        put!(p, lookup(TYPES, self.kind).unwrap_or("unknown"));
        let letters: &[(u16, &str)] = match self.kind {
            NODE_ADDRESSES => &[
                (0x20, "G"),
                (0x10, "S"),
                (0x08, "L"),
                (0x04, "C"),
                (0x02, "A"),
            ],
            IPV4_ADDRESSES => &[(0x02, "A")],
            _ => return,
        };
        if letters.iter().any(|letter| self.flags & letter.0 != 0) {
            put!(p, " [");
            for letter in letters.iter().filter(|letter| self.flags & letter.0 != 0) {
                put!(p, letter.1);
            }
            put!(p, "]");
        }
    }
}

/// Who is asked (by address or name), and for what.
pub(super) fn query(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let fields = Fields::read(m)?;
    put!(p, " (");
    fields.print(p);
    if matches!(fields.kind, NOOP | QTYPES) || fields.length == 0 {
        put!(p, ")");
        return Ok(());
    }
    let mut c = fields.data;
    match m.code {
        0 if fields.length == 16 => {
            put!(p, ", subject=");
            p.addr(Ipv6Addr::from(c.u128()?));
        }
        1 => {
            put!(p, ", subject=DNS name");
            name(p, c, fields.length)?;
        }
        2 if fields.length == 4 => {
            put!(p, ", subject=");
            p.addr(Ipv4Addr::from(c.u32()?));
        }
        _ => put!(p, ", unknown subject"),
    }
    put!(p, ")");
    Ok(())
}

/// What was answered.
pub(super) fn reply(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let fields = Fields::read(m)?;
    put!(p, " (");
    match m.code {
        0 => {}
        1 => {
            put!(p, "refused)");
            return Ok(());
        }
        _ => {
            put!(p, "unknown)");
            return Ok(());
        }
    }
    if p.verbose(1) {
        put!(p, "success, ");
    }
    fields.print(p);
    let mut c = fields.data;
    match fields.kind {
        NAME => {
            let ttl = c.u32()?;
            name(p, c, fields.length.saturating_sub(4))?;
            if c.rest()
                .first()
                .is_some_and(|&first| usize::from(first) + 1 == c.remaining())
            {
                put!(p, " [TTL=", ttl, "]");
            }
        }
        NODE_ADDRESSES => {
            while !c.is_empty() {
                let ttl = c.u32()?;
                put!(p, " ");
                p.addr(Ipv6Addr::from(c.u128()?));
                put!(p, "(", ttl, ")");
            }
        }
        IPV4_ADDRESSES => {
            while !c.is_empty() {
                let ttl = c.u32()?;
                put!(p, " ");
                p.addr(Ipv4Addr::from(c.u32()?));
                put!(p, "(", ttl, ")");
            }
        }
        _ => {}
    }
    put!(p, ")");
    Ok(())
}

/// A name: a Pascal string as in early drafts, or DNS labels.
fn name(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let first = usize::from(c.rest().first().copied().ok_or(Truncated)?);
    if first + 1 == length {
        if p.verbose(1) {
            put!(p, ", 03 draft");
        }
        c.skip(1)?;
        put!(p, ", \"", Visible(c.take(first)?), "\"");
        return Ok(());
    }
    while !c.is_empty() {
        put!(p, ", \"");
        dns::plain_name(p, &mut c)?;
        put!(p, "\"");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn a_query_and_a_reply() {
        for (packet, expected) in [
            (
                "6000000000203a40fe800000000000000000000000000001fe8000000000000000000000000000028b00d0630003003e6e6f6e636536373820010db8000000000000000000000001",
                "IP6 (hlim 64, next-header ICMPv6 (58), payload length 32) fe80::1 > fe80::2: [icmp6 sum ok] ICMP6, node information query (node addresses [GSLCA], subject=2001:db8::1)\n",
            ),
            (
                "6000000000183a40fe800000000000000000000000000001fe8000000000000000000000000000028c00f35a000400026e6f6e6365363738000000050a000001",
                "IP6 (hlim 64, next-header ICMPv6 (58), payload length 24) fe80::1 > fe80::2: [icmp6 sum ok] ICMP6, node information reply (success, ipv4 addresses [A] 10.0.0.1(5))\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(1), expected);
        }
    }
}
