//! Replies.

use pktwho_wire::{Cursor, Truncated};

use super::request::{file_type, octal, stability};
use super::{Call, PROCEDURES, handle, name};
use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, HexFull, HexZeros, Zeros, put};

static ERRORS: &[(u32, &str)] = &[
    (1, "Operation not permitted"),
    (2, "No such file or directory"),
    (5, "Input/output error"),
    (6, "Device not configured"),
    (13, "Permission denied"),
    (17, "File exists"),
    (18, "Cross-device link"),
    (19, "Operation not supported by device"),
    (20, "Not a directory"),
    (21, "Is a directory"),
    (22, "Invalid argument"),
    (26, "Text file busy"),
    (27, "File too large"),
    (28, "No space left on device"),
    (30, "Read-only file system"),
    (31, "Too many links"),
    (45, "Operation not supported"),
    (63, "File name too long"),
    (66, "Directory not empty"),
    (69, "Disc quota exceeded"),
    (70, "Stale NFS file handle"),
    (71, "Too many levels of remote in path"),
    (99, "Write cache flushed to disk"),
    (10001, "Illegal NFS file handle"),
    (10002, "Publisher not found"),
    (10003, "Attempt to set a non-settable attribute"),
    (10004, "Operation not supported"),
    (10005, "Directory too small"),
    (10006, "Server fault"),
    (10007, "Bad type"),
    (10008, "Jukebox"),
];

static AUTH: &[(u32, &str)] = &[
    (0, "OK"),
    (1, "Bogus Credentials (seal broken)"),
    (2, "Rejected Credentials (client should begin new session)"),
    (3, "Bogus Verifier (seal broken)"),
    (4, "Verifier expired or was replayed"),
    (5, "Credentials are too weak"),
    (6, "Bogus response verifier"),
    (7, "Unknown failure"),
];

static ACCEPTED: &[(u32, &str)] = &[
    (1, "PROG_UNAVAIL"),
    (2, "PROG_MISMATCH"),
    (3, "PROC_UNAVAIL"),
    (4, "GARBAGE_ARGS"),
    (5, "SYSTEM_ERR"),
];

/// What follows the number and the direction of a reply.
pub(super) fn reply(p: &mut Out<'_>, c: &mut Cursor<'_>, id: u32, length: usize) -> Printed {
    put!(p, "reply ");
    let state = c.u32()?;
    match state {
        0 => {
            put!(p, "ok ", length);
            accepted(p, c, id)
        }
        1 => {
            put!(p, "ERR ", length, ": ");
            let reason = c.u32()?;
            match reason {
                0 => put!(p, "RPC Version mismatch (", c.u32()?, "-", c.u32()?, ")"),
                1 => {
                    let why = c.u32()?;
                    put!(p, "Auth ");
                    match lookup(AUTH, why) {
                        Some(text) => put!(p, text),
                        None => put!(p, "Invalid failure code ", why),
                    }
                }
                _ => put!(p, "Unknown reason for rejecting rpc message ", reason),
            }
            Ok(())
        }
        _ => {
            put!(p, "Unknown rpc response code=", state, " ", length);
            Ok(())
        }
    }
}

fn accepted(p: &mut Out<'_>, c: &mut Cursor<'_>, id: u32) -> Printed {
    let Some(ends) = p.ends else { return Ok(()) };
    let key = (ends.dst, ends.src, ends.destination, id);
    let Some(&call) = p.past.memory().nfs.0.get(&key) else {
        return Ok(());
    };
    let index = usize::try_from(call.procedure).unwrap_or(usize::MAX);
    match PROCEDURES.get(index) {
        Some(text) => put!(p, " ", *text),
        None => put!(p, " proc-", call.procedure),
    }
    c.skip(4)?;
    let verifier = usize::try_from(c.u32()?).unwrap_or(usize::MAX);
    c.skip(verifier)?;
    let accepted = c.u32()?;
    if accepted != 0 {
        match lookup(ACCEPTED, accepted) {
            Some(text) => put!(p, " ", text),
            None => put!(p, " ar_stat ", accepted),
        }
        return Ok(());
    }
    results(p, c, call)
}

/// The status that begins most results; `false` if it is a failure, which has been said.
fn status(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<bool, Truncated> {
    let status = c.u32()?;
    if status == 0 {
        return Ok(true);
    }
    put!(p, " ERROR: ");
    match lookup(ERRORS, status) {
        Some(text) => put!(p, text),
        None => put!(p, "unk ", status),
    }
    Ok(false)
}

fn results(p: &mut Out<'_>, c: &mut Cursor<'_>, call: Call) -> Printed {
    let three = call.version == 3;
    if call.procedure == 0 || call.procedure > 21 {
        return Ok(());
    }
    if !status(p, c)? {
        return if three {
            failed(p, c, call.procedure)
        } else {
            Ok(())
        };
    }
    match call.procedure {
        1 => brief(p, c, three),
        2 => {
            if three {
                changes(p, c, 1)
            } else {
                attributes(p, c, three)
            }
        }
        3 => {
            handle(p, c, call.version)?;
            if three {
                optional(p, c, 1, "")?;
                if p.verbose(2) {
                    put!(p, " post dattr:");
                    optional(p, c, 1, "")?;
                }
                return Ok(());
            }
            if p.verbose(1) {
                attributes(p, c, three)
            } else {
                Ok(())
            }
        }
        4 => {
            if p.verbose(1) {
                put!(p, " attr:");
            }
            optional(p, c, 1, "")?;
            put!(p, " c ", HexZeros(c.u32()?, 4));
            Ok(())
        }
        5 => {
            if three {
                optional(p, c, 1, "")?;
            }
            put!(p, " ");
            name(p, c)
        }
        6 => {
            if !three {
                return if p.verbose(1) {
                    attributes(p, c, three)
                } else {
                    Ok(())
                };
            }
            optional(p, c, 1, "")?;
            if p.verbose(1) {
                let (count, end) = (c.u32()?, c.u32()?);
                put!(p, " ", count, " bytes", if end == 0 { "" } else { " EOF" });
            }
            Ok(())
        }
        7 => {
            if !three {
                return attributes(p, c, three);
            }
            changes(p, c, 1)?;
            if p.verbose(1) {
                put!(p, " ", c.u32()?, " bytes");
            }
            if p.verbose(2) {
                stability(p, c.u32()?);
                put!(p, " verf ", Hex(c.u64()?));
            }
            Ok(())
        }
        _ => made_or_removed(p, c, call),
    }
}

/// Results of procedures that make, remove or list something, or tell of the file system.
fn made_or_removed(p: &mut Out<'_>, c: &mut Cursor<'_>, call: Call) -> Printed {
    let three = call.version == 3;
    match call.procedure {
        8 | 9 if !three => {
            handle(p, c, call.version)?;
            if p.verbose(1) {
                attributes(p, c, three)
            } else {
                Ok(())
            }
        }
        8 | 9 | 11 => {
            if c.u32()? == 0 {
                return Ok(());
            }
            handle(p, c, call.version)?;
            optional(p, c, 1, "")?;
            if p.verbose(2) {
                put!(p, " dir attr:");
                changes(p, c, 1)?;
            }
            Ok(())
        }
        12 | 13 if three => {
            if p.verbose(1) {
                changes(p, c, 1)
            } else {
                Ok(())
            }
        }
        14 if three && p.verbose(1) => {
            put!(p, " from:");
            changes(p, c, 1)?;
            put!(p, " to:");
            changes(p, c, 1)
        }
        15 if three && p.verbose(1) => {
            put!(p, " file POST:");
            optional(p, c, 1, "")?;
            put!(p, " dir:");
            changes(p, c, 1)
        }
        16 | 17 if three => {
            optional(p, c, 1, " POST:")?;
            if p.verbose(1) {
                put!(p, " verf ", HexFull(c.u64()?));
            }
            Ok(())
        }
        18..=20 if three => system(p, c, call.procedure),
        21 if three && p.verbose(1) => {
            changes(p, c, 1)?;
            if p.verbose(2) {
                put!(p, " verf ", Hex(c.u64()?));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What a failed call of version 3 says of the files it was about.
fn failed(p: &mut Out<'_>, c: &mut Cursor<'_>, procedure: u32) -> Printed {
    if !p.verbose(1) {
        return Ok(());
    }
    match procedure {
        2 | 7..=13 | 21 => changes(p, c, 1),
        14 => {
            put!(p, " from:");
            changes(p, c, 1)?;
            put!(p, " to:");
            changes(p, c, 1)
        }
        15 => {
            put!(p, " file POST:");
            optional(p, c, 1, "")?;
            put!(p, " dir:");
            changes(p, c, 1)
        }
        16..=20 => optional(p, c, 1, " POST:"),
        3 if p.verbose(2) => {
            put!(p, " post dattr:");
            optional(p, c, 1, "")
        }
        4 => {
            put!(p, " attr:");
            optional(p, c, 1, "")
        }
        _ => Ok(()),
    }
}

fn system(p: &mut Out<'_>, c: &mut Cursor<'_>, procedure: u32) -> Printed {
    optional(p, c, 1, " POST:")?;
    match procedure {
        18 => {
            put!(
                p,
                " tbytes ",
                c.u64()?,
                " fbytes ",
                c.u64()?,
                " abytes ",
                c.u64()?
            );
            if p.verbose(1) {
                put!(
                    p,
                    " tfiles ",
                    c.u64()?,
                    " ffiles ",
                    c.u64()?,
                    " afiles ",
                    c.u64()?
                );
                put!(p, " invar ", c.u32()?);
            }
        }
        19 => {
            let [rtmax, rtpref, rtmult] = [c.u32()?, c.u32()?, c.u32()?];
            let [wtmax, wtpref, wtmult, dtpref] = [c.u32()?, c.u32()?, c.u32()?, c.u32()?];
            put!(p, " rtmax ", rtmax, " rtpref ", rtpref, " wtmax ", wtmax);
            put!(p, " wtpref ", wtpref, " dtpref ", dtpref);
            if p.verbose(1) {
                put!(
                    p,
                    " rtmult ",
                    rtmult,
                    " wtmult ",
                    wtmult,
                    " maxfsz ",
                    c.u64()?
                );
                put!(p, " delta ");
                let (secs, nanos) = (c.u32()?, c.u32()?);
                put!(p, secs, ".", Zeros(u64::from(nanos), 6), " ");
            }
        }
        _ => {
            put!(p, " linkmax ", c.u32()?, " namemax ", c.u32()?);
            let words = [" notrunc", " chownres", " igncase", " keepcase"];
            for (n, word) in words.into_iter().enumerate() {
                // The two in the middle are said only when they hold.
                let set = c.u32()? != 0;
                if set {
                    put!(p, word);
                } else if n % 2 == 1 {
                    put!(p, " ");
                }
            }
        }
    }
    Ok(())
}

fn time(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let (secs, part) = (c.u32()?, c.u32()?);
    put!(p, " ", secs, ".", Zeros(u64::from(part), 6));
    Ok(())
}

/// A file's most important attributes.
fn brief(p: &mut Out<'_>, c: &mut Cursor<'_>, three: bool) -> Printed {
    let mut at = *c;
    c.skip(if three { 84 } else { 68 })?;
    let [kind, mode, _, user, group] = [at.u32()?, at.u32()?, at.u32()?, at.u32()?, at.u32()?];
    let size = if three {
        at.u64()?
    } else {
        u64::from(at.u32()?)
    };
    put!(p, " ");
    file_type(p, kind);
    put!(p, " ");
    octal(p, mode);
    put!(p, " ids ", user, "/", group, " sz ", size);
    Ok(())
}

/// A file's attributes; all of them with `-vv`.
fn attributes(p: &mut Out<'_>, c: &mut Cursor<'_>, three: bool) -> Printed {
    if !p.verbose(2) {
        return brief(p, c, three);
    }
    c.need(if three { 84 } else { 68 })?;
    let [kind, mode, links, user, group] = [c.u32()?, c.u32()?, c.u32()?, c.u32()?, c.u32()?];
    let size = if three { c.u64()? } else { u64::from(c.u32()?) };
    put!(p, " ");
    file_type(p, kind);
    put!(p, " ");
    octal(p, mode);
    put!(p, " ids ", user, "/", group, " sz ", size);
    if three {
        c.skip(8)?;
        let (major, minor) = (c.u32()?, c.u32()?);
        let (system, file) = (c.u64()?, c.u64()?);
        if p.verbose(2) {
            put!(p, " nlink ", links, " rdev ", major, "/", minor);
            put!(
                p,
                " fsid ",
                Hex(system),
                " fileid ",
                Hex(file),
                " a/m/ctime"
            );
        }
    } else {
        let [_, device, _, system, file] = [c.u32()?, c.u32()?, c.u32()?, c.u32()?, c.u32()?];
        if p.verbose(2) {
            put!(p, " nlink ", links, " rdev 0x", Hex(device));
            put!(
                p,
                " fsid 0x",
                Hex(system),
                " nodeid 0x",
                Hex(file),
                " a/m/ctime"
            );
        }
    }
    for _ in 0..3 {
        if p.verbose(2) {
            time(p, c)?;
        } else {
            c.skip(8)?;
        }
    }
    Ok(())
}

/// Attributes that may be there; shown with as many `-v`.
fn optional(p: &mut Out<'_>, c: &mut Cursor<'_>, verbose: u8, title: &str) -> Printed {
    let shown = p.verbose(verbose);
    if shown {
        put!(p, title);
    }
    if c.u32()? == 0 {
        return Ok(());
    }
    if shown {
        return attributes(p, c, true);
    }
    c.skip(84)
}

/// Attributes before and after a change.
fn changes(p: &mut Out<'_>, c: &mut Cursor<'_>, verbose: u8) -> Printed {
    if p.verbose(2) {
        put!(p, " PRE:");
    }
    if c.u32()? != 0 {
        if p.verbose(2) {
            put!(p, " sz ", c.u64()?, " mtime");
            time(p, c)?;
            put!(p, " ctime");
            time(p, c)?;
        } else {
            c.skip(24)?;
        }
    }
    optional(p, c, verbose, " POST:")
}
