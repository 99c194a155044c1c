//! RIP for IPv4 (RFC 1058, RFC 2453, RFC 4822).

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::bsd_family;
use crate::hexdump;
use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, Visible, put};

static COMMANDS: &[(u8, &str)] = &[
    (1, "Request"),
    (2, "Response"),
    (3, "Trace on"),
    (4, "Trace off"),
    (5, "Sendmsg"),
    (6, "Poll"),
    (10, "Poll Entry"),
];

/// Bytes of one route.
const ENTRY: usize = 20;

/// A message of `length` bytes.
pub(crate) fn rip(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "rip";
    if length < 4 || c.remaining() < 4 {
        return Err(Truncated);
    }
    let whole = c;
    let mut c = c;
    let (command, version) = (c.u8()?, c.u8()?);
    c.skip(2)?;
    put!(
        p,
        if p.style.verbose > 0 { "\n\t" } else { "" },
        "RIPv",
        version
    );
    match lookup(COMMANDS, command) {
        None => {
            put!(p, ", unknown command (", command, "), length: ", length);
            if !p.verbose(1) {
                return Ok(());
            }
        }
        Some(name) => put!(p, ", ", name, ", length: ", length),
    }
    if !p.verbose(1) {
        return Ok(());
    }
    let left = length - 4;
    match command {
        1 | 2 => match version {
            1 => {
                put!(p, ", routes: ", left / ENTRY);
                entries(p, c, left, |p, c, _| route1(p, c))
            }
            2 => {
                put!(p, ", routes: ", left / ENTRY, " or less");
                entries(p, c, left, route2)
            }
            _ => {
                put!(p, ", unknown version");
                Ok(())
            }
        },
        _ => {
            hexdump::hex(p, "\n\t", whole.limit(length).rest());
            Ok(())
        }
    }
}

/// Every route; a printer says how many bytes it took, nothing when it took the rest.
fn entries(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    length: usize,
    print: impl Fn(&mut Out<'_>, Cursor<'_>, usize) -> Result<Option<usize>, Truncated>,
) -> Printed {
    let mut left = length;
    // compat: a capture that ends between two routes is not marked.
    while left > 0 && !c.is_empty() {
        let Some(used) = print(p, c, left)? else {
            return Ok(());
        };
        if left < used {
            put!(p, " [remaining entries length ", left, " < ", used, "]");
            p.invalid();
            return Ok(());
        }
        c.skip(used)?;
        left -= used;
    }
    Ok(())
}

fn route1(p: &mut Out<'_>, mut c: Cursor<'_>) -> Result<Option<usize>, Truncated> {
    let whole = c;
    let family = c.u16()?;
    let zero = c.u16()?;
    let addr = c.u32()?;
    let (next, mask) = (c.u32()?, c.u32()?);
    let metric = c.u32()?;
    if zero != 0 || next != 0 || mask != 0 {
        hexdump::hex(p, "\n\t  ", whole.limit(ENTRY).rest());
        return Ok(Some(ENTRY));
    }
    match family {
        0 => put!(
            p,
            "\n\t  AFI 0, ",
            Ipv4Addr::from(addr),
            ", metric: ",
            metric
        ),
        bsd_family::INET => put!(p, "\n\t  ", Ipv4Addr::from(addr), ", metric: ", metric),
        other => {
            put!(p, "\n\t AFI ");
            family_name(p, other);
            hexdump::hex(p, "\n\t  ", whole.limit(ENTRY).rest());
        }
    }
    Ok(Some(ENTRY))
}

fn family_name(p: &mut Out<'_>, family: u16) {
    match bsd_family::name(family) {
        Some(name) => put!(p, name),
        None => put!(p, "Unknown (", family, ")"),
    }
}

fn route2(p: &mut Out<'_>, mut c: Cursor<'_>, left: usize) -> Result<Option<usize>, Truncated> {
    let family = c.u16()?;
    if family == 0xffff {
        return authentication(p, c, left);
    }
    if family != bsd_family::INET && family != 0 {
        put!(p, "\n\t  AFI ");
        family_name(p, family);
        c.skip(2)?;
        hexdump::hex(p, "\n\t  ", c.limit(ENTRY - 4).rest());
        return Ok(Some(ENTRY));
    }
    let tag = c.u16()?;
    let (addr, mask, next, metric) = (c.u32()?, c.u32()?, c.u32()?, c.u32()?);
    put!(p, "\n\t  AFI ");
    match bsd_family::name(family) {
        Some(name) => put!(p, name),
        None => put!(p, family),
    }
    put!(p, ", ");
    right(p, Ipv4Addr::from(addr), 15);
    put!(p, "/");
    mask_width(p, mask);
    put!(
        p,
        ", tag 0x",
        HexFull(tag),
        ", metric: ",
        metric,
        ", next-hop: "
    );
    if next == 0 {
        put!(p, "self");
    } else {
        p.addr(Ipv4Addr::from(next));
    }
    Ok(Some(ENTRY))
}

/// An address with blanks in front.
pub(crate) fn right(p: &mut Out<'_>, addr: Ipv4Addr, width: usize) {
    let start = p.out.len();
    p.addr(addr);
    let used = p.out.len() - start;
    let missing = width.saturating_sub(used);
    p.out.resize(p.out.len() + missing, b' ');
    if let Some(text) = p.out.get_mut(start..) {
        text.rotate_right(missing);
    }
}

/// The length of a mask in two columns.
fn mask_width(p: &mut Out<'_>, mask: u32) {
    let ones = mask.leading_ones();
    if mask.count_ones() != ones {
        return put!(p, "-1");
    }
    put!(p, ones);
    if ones < 10 {
        put!(p, " ");
    }
}

fn authentication(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    left: usize,
) -> Result<Option<usize>, Truncated> {
    let kind = c.u16()?;
    match kind {
        2 => {
            let text = c.take(16)?;
            let end = text.iter().position(|&byte| byte == 0);
            put!(p, "\n\t  Simple Text Authentication data: ");
            put!(p, Visible(text.get(..end.unwrap_or(16)).unwrap_or(text)));
        }
        3 => {
            put!(p, "\n\t  Auth header:");
            put!(p, " Packet Len ", c.u16()?, ", Key-ID ", c.u8()?);
            put!(p, ", Auth Data Len ", c.u8()?, ", SeqNo ", c.u32()?);
            put!(p, ", MBZ ", c.u32()?, ", MBZ ", c.u32()?);
        }
        1 => {
            put!(p, "\n\t  Auth trailer:");
            let size = left.saturating_sub(4);
            hexdump::hex(p, "\n\t  ", c.limit(size).rest());
            return Ok(None);
        }
        _ => {
            put!(p, "\n\t  Unknown (", kind, ") Authentication data:");
            let size = left.saturating_sub(4);
            hexdump::hex(p, "\n\t  ", c.limit(size).rest());
            return Ok(None);
        }
    }
    Ok(Some(ENTRY))
}

/// RIP next generation (RFC 2080).
pub(crate) mod ng {
    use std::net::Ipv6Addr;

    use super::{Cursor, Out, Printed, put};

    pub(crate) fn ripng(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
        p.protocol = "ripng";
        let mut c = Cursor::new(c.limit(length).rest());
        let (command, version) = (c.u8()?, c.u8()?);
        if version != 1 {
            put!(p, " [vers ", version, "]");
            p.invalid();
            return Ok(());
        }
        c.skip(2)?;
        let left = length.saturating_sub(4);
        let count = left / 20;
        if command == 1 && left == 20 {
            let mut entry = c;
            let addr = entry.u128()?;
            entry.skip(3)?;
            if addr == 0 && entry.u8()? == 16 {
                put!(p, " ripng-req dump");
                return end(p, version);
            }
        }
        match command {
            1 | 2 => {
                let name = if command == 1 {
                    " ripng-req "
                } else {
                    " ripng-resp "
                };
                put!(p, name, count);
                if count * 20 != left {
                    put!(p, "[", left, "]");
                }
                put!(p, if p.style.verbose > 1 { ":\n\t" } else { ": " });
                routes(p, c, left)?;
            }
            _ => put!(p, " ripng-", command, " ?? ", left),
        }
        end(p, version)
    }

    fn end(p: &mut Out<'_>, version: u8) -> Printed {
        if version != 1 {
            put!(p, " [vers ", version, "]");
        }
        Ok(())
    }

    fn routes(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
        let mut shown = None;
        let mut left = length;
        while left >= 20 {
            let mut entry = c;
            c.skip(20)?;
            left -= 20;
            let addr = Ipv6Addr::from(entry.u128()?);
            let (tag, width, metric) = (entry.u16()?, entry.u8()?, entry.u8()?);
            if shown.is_some() {
                put!(p, if p.style.verbose > 1 { "\n\t" } else { " " });
            }
            if metric == 0xff {
                // The next hop of the routes that follow.
                p.addr(addr);
                put!(p, "/", width);
            } else {
                p.addr(addr);
                put!(p, "/", width);
                if tag != 0 {
                    put!(p, " [", tag, "]");
                }
                put!(p, " (", metric, ")");
            }
            shown = Some(metric);
        }
        Ok(())
    }
}
