//! NFS, versions 2 and 3 (RFC 1094, RFC 1813), in ONC RPC (RFC 5531).
//!
//! A reply does not say what it answers: calls are remembered by their ends and number, bounded.

mod reply;
mod request;

use std::net::IpAddr;

use pktwho_wire::{Cursor, Truncated};

use crate::memory::Latest;
use crate::out::{Out, Printed};
use crate::port::Ends;
use crate::put::{Hex, HexUpper, Visible, put};

pub(crate) const PORT: u16 = 2049;
/// Bytes of a file handle that are shown; in version 2 all of them.
const HANDLE_SHOWN: usize = 32;
const CALL: u32 = 0;
const REPLY: u32 = 1;

/// Calls by client, server, port and number; what they asked for.
#[derive(Debug, Default)]
pub(crate) struct Calls(Latest<(IpAddr, IpAddr, u16, u32), Call, 4096>);

/// What a call asked for.
#[derive(Clone, Copy, Debug)]
struct Call {
    procedure: u32,
    version: u32,
}

static PROCEDURES: [&str; 22] = [
    "null",
    "getattr",
    "setattr",
    "lookup",
    "access",
    "readlink",
    "read",
    "write",
    "create",
    "mkdir",
    "symlink",
    "mknod",
    "remove",
    "rmdir",
    "rename",
    "link",
    "readdir",
    "readdirplus",
    "fsstat",
    "fsinfo",
    "pathconf",
    "commit",
];

/// Procedures of version 2 by those of version 3.
static VERSION_TWO: [u32; 18] = [
    0, 1, 2, 22, 3, 5, 6, 22, 7, 8, 12, 14, 15, 10, 9, 13, 16, 18,
];

/// A message in a datagram.
pub(crate) fn datagram(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    message(p, c, length)
}

/// A reply whose ends and number were shown already.
pub(crate) fn reply(p: &mut Out<'_>, c: Cursor<'_>, id: u32, length: usize) -> Printed {
    p.protocol = "nfs";
    c.need(4)?;
    let mut c = c;
    reply::reply(p, &mut c, id, length)
}

/// A message in a segment, which has to start with one.
pub(crate) fn stream(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    let mut c = c;
    let Ok(mark) = c.u32() else { return Ok(()) };
    if !p.ends.is_some_and(|ends| is_message(ends, c)) {
        return Ok(());
    }
    let length = length.saturating_sub(4);
    let fragment = usize::try_from(mark & 0x7fff_ffff).unwrap_or(usize::MAX);
    put!(p, ": ");
    message(p, Cursor::new(c.rest()), fragment.min(length))
}

/// Whether this is a call to the server's port or a reply from it.
pub(crate) fn is_message(ends: Ends, c: Cursor<'_>) -> bool {
    let mut c = c;
    match (c.u32(), c.u32()) {
        (Ok(_), Ok(CALL)) => ends.destination == PORT,
        (Ok(_), Ok(REPLY)) => ends.source == PORT,
        _ => false,
    }
}

fn message(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "nfs";
    let mut c = c;
    let (id, direction) = (c.u32()?, c.u32()?);
    if direction == CALL {
        put!(p, "NFS request xid ", id, " ");
        request::request(p, &mut c, id, length)
    } else {
        put!(p, "NFS reply xid ", id, " ");
        reply::reply(p, &mut c, id, length)
    }
}

/// A file handle: what is in it, only its server knows.
fn handle(p: &mut Out<'_>, c: &mut Cursor<'_>, version: u32) -> Printed {
    let length = if version == 3 {
        let length = usize::try_from(c.u32()?).unwrap_or(usize::MAX);
        c.need(length)?;
        length
    } else {
        HANDLE_SHOWN
    };
    // Handles of version 3 may be longer than is shown.
    let bytes = c.take(length / 4 * 4)?;
    let bytes = bytes.get(..HANDLE_SHOWN).unwrap_or(bytes);
    if p.style.raw_handles {
        put!(p, " fh[");
        for (n, word) in bytes.chunks(4).enumerate() {
            let word = Cursor::new(word).u32()?;
            put!(p, if n == 0 { "" } else { ":" }, Hex(word));
        }
        put!(p, "]");
        return Ok(());
    }
    put!(p, " fh Unknown/");
    for &byte in bytes {
        put!(p, HexUpper(byte));
    }
    Ok(())
}

/// A name in quotation marks.
fn name(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let length = usize::try_from(c.u32()?).unwrap_or(usize::MAX);
    let padded = length.checked_next_multiple_of(4).ok_or(Truncated)?;
    let there = c.limit(length).rest();
    c.need(length)?;
    c.skip(padded)?;
    put!(p, "\"", Visible(there), "\"");
    Ok(())
}
