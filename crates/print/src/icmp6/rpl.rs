//! RPL, the routing protocol for low-power networks (RFC 6550): its messages in `ICMPv6`.

use std::net::Ipv6Addr;

use pktwho_wire::Cursor;

use super::Message;
use crate::hexdump;
use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, put};

static CODES: &[(u8, &str)] = &[
    (0x00, "DODAG Information Solicitation"),
    (0x01, "DODAG Information Object"),
    (0x02, "Destination Advertisement Object"),
    (0x03, "Destination Advertisement Object Ack"),
];

static OPTIONS: &[(u8, &str)] = &[
    (0, "pad1"),
    (1, "padN"),
    (2, "metrics"),
    (3, "routinginfo"),
    (4, "dodagconfig"),
    (5, "rpltarget"),
    (6, "pathcontrolinfo"),
    (7, "solicited"),
    (8, "prefixinfo"),
    (9, "rpltargetdesc"),
];

/// A message; its code names it, the code's first bit says whether it is secured.
pub(super) fn message(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let secured = m.code & 0x80 != 0;
    put!(p, if secured { ", (SEC)" } else { ", (CLR)" });
    let code = m.code & 0x7f;
    match lookup(CODES, code) {
        Some(name) => put!(p, name),
        None => put!(p, "RPL message, unknown code ", code),
    }
    if secured {
        put!(p, ", [worktodo]");
        return Ok(());
    }
    if !p.verbose(1) {
        return Ok(());
    }
    match code {
        1 => dio(p, m),
        2 => dao(p, m),
        3 => dao_ack(p, m),
        _ => Ok(()),
    }
}

fn dio(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let mut c = m.body;
    let (instance, version, rank) = (c.u8()?, c.u8()?, c.u16()?);
    let (mode, sequence) = (c.u8()?, c.u8()?);
    c.skip(2)?;
    let dag = Ipv6Addr::from(c.u128()?);
    put!(p, " [dodagid:");
    p.addr(dag);
    put!(
        p,
        ",seq:",
        sequence,
        ",instance:",
        instance,
        ",rank:",
        rank,
        ","
    );
    if mode & 0x80 != 0 {
        put!(p, "grounded,");
    }
    let operation = match mode >> 3 & 7 {
        0 => "nonstoring",
        1 => "storing",
        2 => "nonstoringmulticast",
        3 => "storingmulticast",
        _ => "mop unknown",
    };
    put!(
        p,
        "ver:",
        version,
        ",mop:",
        operation,
        ",prf:",
        mode & 7,
        "]"
    );
    options(p, c, m.length.saturating_sub(28))
}

/// The graph that is meant, where that is said.
fn dag(p: &mut Out<'_>, c: &mut Cursor<'_>, present: bool) -> Printed {
    if present {
        let dag = Ipv6Addr::from(c.u128()?);
        put!(p, " [dagid:");
        p.addr(dag);
    } else {
        put!(p, " [dagid:<elided>");
    }
    Ok(())
}

fn dao(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let mut c = m.body;
    let (instance, flags) = (c.u8()?, c.u8()?);
    c.skip(1)?;
    let sequence = c.u8()?;
    let present = flags & 0x40 != 0;
    dag(p, &mut c, present)?;
    put!(p, ",seq:", sequence, ",instance:", instance);
    if flags & 0x80 != 0 {
        put!(p, ",acK");
    }
    if present {
        put!(p, ",Dagid");
    }
    put!(p, ",flags:", HexFull(flags), "]");
    options(p, c, m.length.saturating_sub(if present { 24 } else { 8 }))
}

fn dao_ack(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let mut c = m.body;
    let (instance, flags, sequence, status) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?);
    let present = flags & 0x80 != 0;
    dag(p, &mut c, present)?;
    put!(
        p,
        ",seq:",
        sequence,
        ",instance:",
        instance,
        ",status:",
        status,
        "]"
    );
    options(p, c, m.length.saturating_sub(if present { 24 } else { 8 }))
}

fn options(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        let kind = c.u8()?;
        left -= 1;
        if kind == 0 {
            put!(p, " opt:pad1");
            continue;
        }
        if left < 1 {
            break;
        }
        let size = usize::from(c.u8()?);
        left -= 1;
        put!(p, " opt:");
        match lookup(OPTIONS, kind) {
            Some(name) => put!(p, name),
            None => put!(p, "subopt:", kind),
        }
        put!(p, " len:", size + 2, " ");
        if size > left {
            return Err(pktwho_wire::Truncated);
        }
        let value = c.sub(size)?;
        if p.verbose(3) {
            hexdump::hex(p, " ", value.rest());
        }
        left -= size;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn a_destination_advertisement() {
        check(
            LinkType::RAW,
            "60000000001f3a40fe800000000000000000000000000001fe8000000000000000000000000000029b02ea152a40000a20010db800000000000000000000000105040080200100",
            style(3),
            "IP6 (hlim 64, next-header ICMPv6 (58), payload length 31) fe80::1 > fe80::2: [icmp6 sum ok] ICMP6, RPL, (CLR)Destination Advertisement Object [dagid:2001:db8::1,seq:10,instance:42,Dagid,flags:40] opt:rpltarget len:6  0x0000:  0080 2001 opt:pad1\n",
        );
    }
}
