//! The distributed whiteboard (`wb` of the Lawrence Berkeley laboratory); what its messages hold was
//! found out from what tcpdump shows of them.

use std::net::Ipv4Addr;

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, pass};
use crate::put::{Visible, put};

const HEADER: usize = 12;

/// Drawing operations, from 2 on.
static OPERATIONS: &[&str] = &[
    "RECT", "LINE", "ML", "DEL", "XFORM", "ELL", "CHAR", "STR", "NOP", "PSCODE", "PSCOMP", "REF",
    "SKIP", "HOLE",
];
const SKIP: u8 = 14;
const HOLE: u8 = 15;

/// A datagram of `length` bytes.
pub(crate) fn wb(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "wb";
    let mut c = Cursor::new(c.rest());
    let Some(left) = length.checked_sub(HEADER) else {
        return invalid(p);
    };
    c.need(HEADER)?;
    c.skip(10)?;
    let (kind, flags) = (c.u8()?, c.u8()?);
    if flags != 0 {
        put!(p, "*");
    }
    match kind {
        0 => drawing(p, c, left),
        1 => identity(p, c, left),
        2 => repair_request(p, c, left),
        3 => repair(p, c, left),
        4 => {
            put!(p, " wb-kill");
            Ok(())
        }
        5 => page_request(p, c, left),
        7 => pages(p, c, left),
        _ => {
            put!(p, " wb-", kind, "!");
            invalid(p)
        }
    }
}

fn invalid(p: &mut Out<'_>) -> Printed {
    p.invalid();
    Ok(())
}

/// An IPv4 address.
fn ip(c: &mut Cursor<'_>) -> Result<Ipv4Addr, pktwho_wire::Truncated> {
    c.array::<4>().map(Ipv4Addr::from)
}

fn identity(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    const FIXED: usize = 28;
    put!(p, " wb-id:");
    if length < FIXED {
        return invalid(p);
    }
    c.need(FIXED - 4)?;
    let (last, last_ip, last_page) = (c.u32()?, ip(&mut c)?, c.u32()?);
    let (slot, page_ip, page) = (c.u32()?, ip(&mut c)?, c.u32()?);
    put!(p, " ", slot, "/", page_ip, ":", page);
    put!(p, " (max ", last, "/", last_ip, ":", last_page, ") ");
    let count = usize::from(c.u16()?);
    c.skip(2)?;
    if length - FIXED < count * 8 {
        return invalid(p);
    }
    for n in 0..count {
        c.need(8)?;
        let before = if n == 0 { "<" } else { "," };
        put!(p, before, ip(&mut c)?, ":", c.u32()?);
    }
    let name = c.limit(length - FIXED - count * 8).rest();
    put!(p, "> \"", Visible::until_zero(name), "\"");
    Ok(())
}

fn repair_request(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    put!(p, " wb-rreq:");
    if length < 20 {
        return invalid(p);
    }
    c.need(20)?;
    put!(p, " please repair ", ip(&mut c)?, " ", ip(&mut c)?, ":");
    put!(p, c.u32()?, "<", c.u32()?, ":", c.u32()?, ">");
    Ok(())
}

fn repair(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    put!(p, " wb-rrep:");
    if length < 20 {
        return invalid(p);
    }
    c.need(20)?;
    put!(p, " for ", ip(&mut c)?);
    operations(p, c, length - 4)
}

fn drawing(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    put!(p, " wb-dop:");
    if length < 16 {
        return invalid(p);
    }
    c.need(16)?;
    operations(p, c, length)
}

/// A page, the first and the last operation on it, and with `-v` the operations.
fn operations(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let (page_ip, page) = (ip(&mut c)?, c.u32()?);
    let (first, last) = (c.u32()?, c.u32()?);
    put!(p, " ", page_ip, ":", page, "<", first, ":", last, ">");
    if !p.verbose(1) {
        return Ok(());
    }
    let mut c = c.limit(length.saturating_sub(16));
    put!(p, " <");
    let mut number = first;
    while number <= last {
        let mut until = c.u32()?;
        let (size, _, kind) = (c.u16()?, c.u8()?, c.u8()?);
        put!(p, " ");
        match kind
            .checked_sub(2)
            .and_then(|at| OPERATIONS.get(usize::from(at)))
        {
            Some(name) => put!(p, *name),
            None => put!(p, "dop-", kind, "!"),
        }
        if kind == SKIP || kind == HOLE {
            // The time stands for the last operation that is left out.
            put!(p, until.wrapping_sub(number).wrapping_add(1));
            if until > last {
                put!(p, "[|]");
                break;
            }
        } else {
            until = number;
        }
        pass(&mut c, usize::from(size).next_multiple_of(4));
        let Some(next) = until.checked_add(1) else {
            break;
        };
        number = next;
    }
    put!(p, " >");
    Ok(())
}

fn page_request(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    put!(p, " wb-preq:");
    if length < 16 {
        return invalid(p);
    }
    c.need(16)?;
    let (page_ip, page, low) = (ip(&mut c)?, c.u32()?, c.u32()?);
    put!(p, " need ", low, "/", page_ip, ":", page);
    Ok(())
}

fn pages(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    put!(p, " wb-prep:");
    if length < 4 {
        return invalid(p);
    }
    let count = c.u32()?;
    let mut c = c.limit(length - 4);
    for _ in 0..count {
        c.need(12)?;
        put!(p, " ", c.u32()?, "/", ip(&mut c)?, ":", c.u32()?);
        let sites = c.u8()?;
        c.skip(3)?;
        for n in 0..sites {
            c.need(8)?;
            let before = if n == 0 { "<" } else { "," };
            put!(p, before, ip(&mut c)?, ":", c.u32()?);
        }
        put!(p, ">");
    }
    Ok(())
}
