//! What may follow an ICMP message: multi-part extensions (RFC 4884, RFC 4950, RFC 5837) and
//! the objects of extended echo (RFC 8335). ICMPv6 shares the latter.

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::Cursor;

use crate::checksum::Sum;
use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, put};

/// Bytes of a message before its extensions, when the message itself does not say.
const FIXED_OFFSET: usize = 8 + 128;

const MPLS_STACK: u8 = 1;
const INTERFACE_INFORMATION: u8 = 2;
const INTERFACE_IDENTIFICATION: u8 = 3;

static OBJECTS: &[(u8, &str)] = &[
    (MPLS_STACK, "MPLS Stack Entry"),
    (INTERFACE_INFORMATION, "Interface Information"),
    (INTERFACE_IDENTIFICATION, "Interface Identification"),
];

static CODES: &[(u8, &str)] = &[
    (0, "No error"),
    (1, "Malformed Query"),
    (2, "No Such Interface"),
    (3, "No Such Table Entry"),
    (4, "Multiple Interfaces Satisfy Query"),
];

static STATES: &[(u8, &str)] = &[
    (0, "Reserved"),
    (1, "Incomplete"),
    (2, "Reachable"),
    (3, "Stale"),
    (4, "Delay"),
    (5, "Probe"),
    (6, "Failed"),
];

static ROLES: &[&str] = &[
    "Incoming IP Interface",
    "Sub-IP component of Incoming IP Interface",
    "Outgoing IP Interface",
    "IP next-hop",
];

/// Whether an error message of `length` bytes may have extensions.
pub(super) fn may_follow(length: usize) -> bool {
    length > FIXED_OFFSET
}

/// The extensions after the packet inside an error message of `length` bytes; `c` is at the
/// start of the message.
pub(super) fn multi_part(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    if !may_follow(length) {
        return Ok(());
    }
    let mut field = c;
    field.skip(5)?;
    let words = usize::from(field.u8()?);
    let offset = offset(c, words, length);
    let mut c = c;
    c.skip(offset)?;
    let length = length.saturating_sub(offset);
    let (version, sum) = header(c)?;
    // compat: as long as tcpdump's header is, with a byte of what follows it (4.99.3).
    c.need(5)?;
    if version != 2 && words == 0 {
        // Nothing says that these are extensions.
        return Ok(());
    }
    put!(p, "\n\tICMP Multi-Part extension v", version);
    if version != 2 {
        put!(p, ", packet not supported, length ", length);
        return Ok(());
    }
    checksum(p, c, length, sum);
    c.skip(4)?;
    objects(p, c, length.saturating_sub(4))
}

/// Where the extensions start: messages of before RFC 4884 do not say, so only a length whose
/// extensions have a right checksum is believed.
fn offset(c: Cursor<'_>, words: usize, length: usize) -> usize {
    let stated = 8 + words * 4;
    let mut at = c;
    if words >= 32
        && stated < length
        && at.skip(stated).is_ok()
        && at.remaining() >= length - stated
        && Sum::default()
            .add(at.limit(length - stated).rest())
            .finish()
            == 0
    {
        return stated;
    }
    FIXED_OFFSET
}

/// Version and checksum.
fn header(mut c: Cursor<'_>) -> Result<(u8, u16), pktwho_wire::Truncated> {
    let version = c.u8()? >> 4;
    c.skip(1)?;
    Ok((version, c.u16()?))
}

/// Nothing when not all of it was captured.
fn checksum(p: &mut Out<'_>, c: Cursor<'_>, length: usize, found: u16) {
    if c.remaining() < length {
        return;
    }
    let right = Sum::default().add(c.limit(length).rest()).finish() == 0;
    let word = if right { " (correct)" } else { " (incorrect)" };
    put!(
        p,
        ", checksum 0x",
        HexFull(found),
        word,
        ", length ",
        length
    );
}

/// Objects of class, type and value.
fn objects(p: &mut Out<'_>, mut c: Cursor<'_>, mut left: usize) -> Printed {
    while left > 4 {
        let start = c;
        let size = usize::from(c.u16()?);
        let class = c.u8()?;
        let kind = c.u8()?;
        let name = lookup(OBJECTS, class).unwrap_or("unknown");
        put!(
            p,
            "\n\t  ",
            name,
            " Object (",
            class,
            "), Class-Type: ",
            kind,
            ", length ",
            size
        );
        let Some(value) = size.checked_sub(4).filter(|&value| value > 0) else {
            break;
        };
        left = left.saturating_sub(4);
        match class {
            MPLS_STACK if kind == 1 => mpls(p, c)?,
            INTERFACE_INFORMATION if !information(p, c, kind, value)? => break,
            INTERFACE_INFORMATION => {}
            INTERFACE_IDENTIFICATION => identification(p, c, kind, value)?,
            _ => p.unknown(c.limit(value).rest()),
        }
        if left < value {
            break;
        }
        left -= value;
        c = start;
        c.skip(size)?;
    }
    Ok(())
}

/// One entry of a label stack.
fn mpls(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let entry = c.u32()?;
    put!(p, "\n\t    label ", entry >> 12, ", tc ", entry >> 9 & 7);
    if entry & 0x100 != 0 {
        put!(p, ", [S]");
    }
    put!(p, ", ttl ", entry & 0xff);
    Ok(())
}

/// The fields that the type's bits announce; `false` when one is invalid.
fn information(
    p: &mut Out<'_>,
    c: Cursor<'_>,
    kind: u8,
    size: usize,
) -> Result<bool, pktwho_wire::Truncated> {
    let role = ROLES
        .get(usize::from(kind >> 6))
        .copied()
        .unwrap_or("unknown");
    put!(p, "\n\t    Interface Role: ", role);
    let mut c = c.limit(size);
    if kind & 8 != 0 {
        put!(p, "\n\t    Interface Index: ", c.u32()?);
    }
    if kind & 4 != 0 {
        let family = c.u16()?;
        c.skip(2)?;
        put!(p, "\n\t    IP Address sub-object: ");
        match family {
            1 => p.addr(Ipv4Addr::from(c.u32()?)),
            2 => p.addr(Ipv6Addr::from(c.u128()?)),
            _ => {
                put!(p, "Unknown Address Family Identifier");
                return Ok(false);
            }
        }
    }
    if kind & 2 != 0 {
        let length = usize::from(c.u8()?);
        if length == 0 {
            put!(p, "\n\t    Interface Name [length 0]");
            p.invalid();
            return Ok(false);
        }
        put!(p, "\n\t    Interface Name, length ", length, ": ");
        until_nul(p, c.take(length.saturating_sub(1))?);
    }
    if kind & 1 != 0 {
        put!(p, "\n\t    MTU Value: ", c.u32()?);
    }
    Ok(true)
}

/// Which interface an extended echo asks about.
fn identification(p: &mut Out<'_>, mut c: Cursor<'_>, kind: u8, size: usize) -> Printed {
    match kind {
        1 => {
            put!(p, "\n\t    Interface Name, length ", size, ": ");
            until_nul(p, c.take(size)?);
        }
        2 => put!(p, "\n\t    Interface Index: ", c.u32()?),
        3 => {
            let family = c.u16()?;
            c.skip(2)?;
            put!(p, "\n\t    IP Address sub-object: ");
            match family {
                1 => p.addr(Ipv4Addr::from(c.u32()?)),
                2 => p.addr(Ipv6Addr::from(c.u128()?)),
                _ => put!(p, "Unknown Address Family Identifier"),
            }
        }
        _ => p.unknown(c.limit(size).rest()),
    }
    Ok(())
}

fn until_nul(p: &mut Out<'_>, name: &[u8]) {
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    put!(p, crate::put::Visible(name));
}

/// The object of an extended echo request of `length` bytes.
pub(crate) fn request(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    let mut c = c;
    c.skip(7)?;
    let local = if c.u8()? & 1 == 1 { "Local" } else { "Remote" };
    put!(p, "\n\t", local, " Interface");
    // One object after the header; what follows it is padding (RFC 8335 section 2).
    let mut object = c;
    object.skip(4)?;
    let length = length.saturating_sub(8).min(4 + usize::from(object.u16()?));
    let (version, sum) = header(c)?;
    if version != 2 {
        put!(p, ", packet not supported, length ", length);
        return Ok(());
    }
    checksum(p, c, length, sum);
    c.skip(4)?;
    objects(p, c, length.saturating_sub(4))
}

/// The answer of an extended echo reply.
pub(crate) fn reply(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    c.skip(1)?;
    let code = c.u8()?;
    c.skip(5)?;
    let state = c.u8()?;
    let name = lookup(CODES, code).unwrap_or("Unknown");
    put!(p, "\n\tCode ", code, " (", name, "), State ", state >> 5);
    let name = lookup(STATES, state >> 5).unwrap_or("Unknown");
    put!(p, " (", name, "), active ", state >> 2 & 1);
    put!(p, " ipv4 ", state >> 1 & 1, " ipv6 ", state & 1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn labels_interfaces_and_extended_echo() {
        for (packet, expected) in [
            (
                "450000a800010000400166520a0000010a0000020b000921000000004500002100010000401166c90a0000010a0000029c40829a000d892468656c6c6f00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000002000ddf40008010100010101",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto ICMP (1), length 168)\n    10.0.0.1 > 10.0.0.2: ICMP time exceeded in-transit, length 148\n\tIP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 33)\n    10.0.0.1.40000 > 10.0.0.2.33434: UDP, length 5\n\tICMP Multi-Part extension v2, checksum 0xddf4 (correct), length 12\n\t  MPLS Stack Entry Object (1), Class-Type: 1, length 8\n\t    label 16, tc 0, [S], ttl 1\n",
            ),
            (
                "450000b800010000400166420a0000010a0000020b000921000000004500002100010000401166c90a0000010a0000029c40829a000d892468656c6c6f0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000200026fb0018020e0000000f000100000a0000010865746830000000",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto ICMP (1), length 184)\n    10.0.0.1 > 10.0.0.2: ICMP time exceeded in-transit, length 164\n\tIP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 33)\n    10.0.0.1.40000 > 10.0.0.2.33434: UDP, length 5\n\tICMP Multi-Part extension v2, checksum 0x26fb (correct), length 28\n\t  Interface Information Object (2), Class-Type: 14, length 24\n\t    Interface Role: Incoming IP Interface\n\t    Interface Index: 15\n\t    IP Address sub-object: 10.0.0.1\n\t    Interface Name, length 8: eth0\n",
            ),
            (
                "4500002c00010000400166ce0a0000010a0000022a00d3fd0001020120000f4e000c03016574683000000000",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto ICMP (1), length 44)\n    10.0.0.1 > 10.0.0.2: ICMP extended echo request, id 1, seq 2, length 24\n\tLocal Interface, checksum 0x0f4e (correct), length 16\n\t  Interface Identification Object (3), Class-Type: 1, length 12\n\t    Interface Name, length 8: eth0\n",
            ),
            (
                "4500001c00010000400166de0a0000010a0000022b01d2b900010244",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto ICMP (1), length 28)\n    10.0.0.1 > 10.0.0.2: ICMP extended echo reply, id 1, seq 2, length 8\n\tCode 1 (Malformed Query), State 2 (Reachable), active 1 ipv4 0 ipv6 0\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(1), expected);
        }
    }
}
