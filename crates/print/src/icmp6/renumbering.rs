//! Router renumbering (RFC 2894).

use std::net::Ipv6Addr;

use pktwho_wire::Cursor;

use super::Message;
use crate::out::{Out, Printed};
use crate::put::{Hex, put};

/// A command, its result, or a reset of the sequence number.
pub(super) fn message(p: &mut Out<'_>, m: &Message<'_>) -> Printed {
    let mut c = m.body;
    let sequence = c.u32()?;
    let segment = c.u8()?;
    let flags = c.u8()?;
    let delay = c.u16()?;
    c.skip(4)?;
    match m.code {
        0 => put!(p, ", command"),
        1 => put!(p, ", result"),
        255 => put!(p, ", sequence number reset"),
        code => put!(p, ", code-#", code),
    }
    put!(p, ", seq=", sequence);
    if p.verbose(1) {
        put!(p, "[");
        for (bit, letter) in [
            (0x80, "T"),
            (0x40, "R"),
            (0x20, "A"),
            (0x10, "S"),
            (0x08, "P"),
        ] {
            if flags & bit != 0 {
                put!(p, letter);
            }
        }
        if flags & 0xf8 != 0 {
            put!(p, ",");
        }
        put!(p, "seg=", segment, ",maxdelay=", delay, "]");
    }
    if m.code != 0 {
        return Ok(());
    }
    let mut left = m.length.saturating_sub(16);
    if prefixes(p, &mut c, &mut left).is_err() {
        p.truncated();
    }
    Ok(())
}

/// Which prefixes to look for, and which to use instead.
fn prefixes(p: &mut Out<'_>, c: &mut Cursor<'_>, left: &mut usize) -> Printed {
    let separator = if p.verbose(2) { "\n\t" } else { " " };
    while *left > 0 {
        let code = c.u8()?;
        let units = usize::from(c.u8()?);
        let ordinal = c.u8()?;
        let length = c.u8()?;
        let (least, most) = (c.u8()?, c.u8()?);
        c.skip(2)?;
        put!(p, separator, "match(");
        match code {
            1 => put!(p, "add"),
            2 => put!(p, "change"),
            3 => put!(p, "setglobal"),
            _ => put!(p, "#", code),
        }
        let address = Ipv6Addr::from(c.u128()?);
        if p.verbose(1) {
            put!(p, ",ord=", ordinal, ",min=", least, ",max=", most);
        }
        put!(p, ",");
        p.addr(address);
        put!(p, "/", length, ")");
        *left = left.saturating_sub(24);
        // In units of eight bytes: three of its own, four for each prefix to use.
        for _ in 0..units.saturating_sub(3) / 4 {
            use_prefix(p, c, separator)?;
            *left = left.saturating_sub(32);
        }
    }
    Ok(())
}

fn use_prefix(p: &mut Out<'_>, c: &mut Cursor<'_>, separator: &str) -> Printed {
    let kept = c.u8()?;
    let length = c.u8()?;
    let (mask, flags) = (c.u8()?, c.u8()?);
    let (valid, preferred) = (c.u32()?, c.u32()?);
    let lifetimes = c.u32()?;
    let address = Ipv6Addr::from(c.u128()?);
    put!(p, separator, "use(");
    if p.verbose(1) {
        if mask != 0 || flags != 0 || p.verbose(1) {
            put!(p, "mask=0x", Hex(mask), ",raflags=0x", Hex(flags), ",");
        }
        put!(p, "vltime=");
        lifetime(p, valid);
        put!(p, ",pltime=");
        lifetime(p, preferred);
        for (bit, text) in [(0x8000_0000, ",decvltime"), (0x4000_0000, ",decpltime")] {
            if lifetimes & bit != 0 {
                put!(p, text);
            }
        }
        put!(p, ",");
    }
    p.addr(address);
    put!(p, "/", kept, "/", length, ")");
    Ok(())
}

fn lifetime(p: &mut Out<'_>, seconds: u32) {
    if seconds == u32::MAX {
        put!(p, "infty");
    } else {
        put!(p, seconds);
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn a_command() {
        check(
            LinkType::RAW,
            "6000000000483a40fe800000000000000000000000000001fe8000000000000000000000000000028a00ea370000000100f8000500000000010700300080000020010db800000000000000000000000130100000ffffffff000000060000000020010db8000000000000000000000002",
            style(1),
            "IP6 (hlim 64, next-header ICMPv6 (58), payload length 72) fe80::1 > fe80::2: [icmp6 sum ok] ICMP6, router renumbering, command, seq=1[TRASP,seg=0,maxdelay=5] match(add,ord=0,min=0,max=128,2001:db8::1/48) use(mask=0x0,raflags=0x0,vltime=infty,pltime=6,2001:db8::2/48/16)\n",
        );
    }
}
