//! MPLS label stacks (RFC 3032) and what is under them.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed};
use crate::put::put;
use crate::{ethertype, ip, ip6};

static RESERVED: &[&str] = &[
    "IPv4 explicit NULL",
    "router alert",
    "IPv6 explicit NULL",
    "implicit NULL",
];

/// What lies under the last label.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Ipv4,
    Ipv6,
    Osi,
    Unknown,
}

/// A frame of `length` bytes: labels, then a packet.
pub(crate) fn mpls(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "mpls";
    put!(p, "MPLS");
    let mut c = c;
    let mut left = length;
    let mut inside = Inside::Unknown;
    let mut first = true;
    loop {
        if left < 4 {
            p.invalid();
            return Ok(());
        }
        let entry = c.u32()?;
        let mark = if p.style.verbose > 0 && !first {
            "\n\t"
        } else {
            " "
        };
        put!(p, mark, "(");
        label(p, entry);
        put!(p, ")");
        first = false;
        left -= 4;
        // Only labels 0 and 2 say what follows, where they stand last.
        inside = match (entry >> 12, entry & 0x100) {
            (0, _) => Inside::Ipv4,
            (2, _) => Inside::Ipv6,
            _ => inside,
        };
        if entry & 0x100 != 0 {
            break;
        }
    }
    if inside == Inside::Unknown {
        inside = guess(c)?;
    }
    if inside == Inside::Unknown {
        p.unknown(c.limit(left).rest());
        return Ok(());
    }
    put!(p, if p.style.verbose > 0 { "\n\t" } else { " " });
    p.deeper(|p| match inside {
        Inside::Ipv4 => ip::ip(p, c, left),
        Inside::Ipv6 => ip6::ip6(p, c, left),
        _ => match ethertype::payload(p, ethertype::OSI, c, left) {
            Some(printed) => printed,
            None => Ok(()),
        },
    })
}

/// `label 16, tc 0, [S], ttl 64`, with the names of reserved labels where they are given.
fn label(p: &mut Out<'_>, entry: u32) {
    let label = entry >> 12;
    put!(p, "label ", label);
    let name = usize::try_from(label).ok().and_then(|n| RESERVED.get(n));
    if p.style.verbose > 0
        && let Some(name) = name
    {
        put!(p, " (", *name, ")");
    }
    put!(p, ", tc ", entry >> 9 & 7);
    if entry & 0x100 != 0 {
        put!(p, ", [S]");
    }
    put!(p, ", ttl ", entry & 0xff);
}

/// By the first byte under the stack, as no label says it: an IP version, or the number of an
/// OSI protocol.
fn guess(mut c: Cursor<'_>) -> Result<Inside, Truncated> {
    Ok(match c.u8()? {
        0x45..=0x4f => Inside::Ipv4,
        0x60..=0x6f => Inside::Ipv6,
        0x81..=0x83 => Inside::Osi,
        _ => Inside::Unknown,
    })
}
