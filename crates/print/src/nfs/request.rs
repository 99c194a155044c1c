//! Calls.

use pktwho_wire::{Cursor, Truncated};

use super::{Call, PROCEDURES, VERSION_TWO, handle, name};
use crate::out::{Out, Printed, bits};
use crate::put::{HexFull, Zeros, put};

static ACCESS: &[(u32, &str)] = &[
    (0x01, "NFS_ACCESS_READ"),
    (0x02, "NFS_ACCESS_LOOKUP"),
    (0x04, "NFS_ACCESS_MODIFY"),
    (0x08, "NFS_ACCESS_EXTEND"),
    (0x10, "NFS_ACCESS_DELETE"),
    (0x20, "NFS_ACCESS_EXECUTE"),
];

static FILES: [&str; 8] = ["NON", "REG", "DIR", "BLK", "CHR", "LNK", "SOCK", "FIFO"];

/// The type of a file.
pub(super) fn file_type(p: &mut Out<'_>, kind: u32) {
    match usize::try_from(kind).ok().and_then(|kind| FILES.get(kind)) {
        Some(name) => put!(p, *name),
        None => put!(p, "unk-ft ", kind),
    }
}

/// How a write is to be kept.
pub(super) fn stability(p: &mut Out<'_>, how: u32) {
    match how {
        0 => put!(p, " <unstable>"),
        1 => put!(p, " <datasync>"),
        2 => put!(p, " <filesync>"),
        _ => put!(p, " <unknown>"),
    }
}

/// What follows the number and the direction of a call.
pub(super) fn request(p: &mut Out<'_>, c: &mut Cursor<'_>, id: u32, length: usize) -> Printed {
    put!(p, length);
    c.skip(8)?;
    let (version, number) = (c.u32()?, c.u32()?);
    let procedure = match version {
        2 => {
            let index = usize::try_from(number).unwrap_or(usize::MAX);
            VERSION_TWO.get(index).copied().unwrap_or(22)
        }
        _ => number,
    };
    let known = usize::try_from(procedure)
        .ok()
        .and_then(|n| PROCEDURES.get(n));
    let named = |p: &mut Out<'_>| match known {
        Some(text) => put!(p, " ", *text),
        None => put!(p, " proc-", procedure),
    };
    if let Some(ends) = p.ends {
        let key = (ends.src, ends.dst, ends.source, id);
        p.past
            .memory()
            .nfs
            .0
            .insert(key, Call { procedure, version });
    }
    // Credentials and verifier.
    let mut at = *c;
    let shown = credentials(&mut at, length);
    named(p);
    match shown {
        Ok(()) => {}
        Err(Some((what, stated))) => {
            put!(p, " [", what, " length ", stated, " > ", length, "]");
            p.invalid();
            return Err(Truncated);
        }
        Err(None) => return Err(Truncated),
    }
    *c = at;
    arguments(p, c, procedure, version)
}

/// Passes over who asks and its proof; what is too long for the message, if anything is.
fn credentials(c: &mut Cursor<'_>, length: usize) -> Result<(), Option<(&'static str, u32)>> {
    for what in ["credentials", "verifier"] {
        c.skip(4).map_err(|_| None)?;
        let stated = c.u32().map_err(|_| None)?;
        let size = usize::try_from(stated).unwrap_or(usize::MAX);
        if size > length {
            return Err(Some((what, stated)));
        }
        c.skip(size.next_multiple_of(4)).map_err(|_| None)?;
    }
    Ok(())
}

fn arguments(p: &mut Out<'_>, c: &mut Cursor<'_>, procedure: u32, version: u32) -> Printed {
    match procedure {
        1 | 2 | 5 | 18 | 19 | 20 => handle(p, c, version),
        3 | 8 | 9 | 12 | 13 => {
            handle(p, c, version)?;
            put!(p, " ");
            name(p, c)
        }
        4 => {
            handle(p, c, version)?;
            put!(p, " ");
            let asked = c.u32()?;
            if asked & !0x3f != 0 {
                put!(p, "NFS_ACCESS_??");
            }
            if asked & 0x3f == 0x3f {
                put!(p, "NFS_ACCESS_FULL");
            } else {
                bits(p, ACCESS, asked, "|", "");
            }
            Ok(())
        }
        6 => {
            handle(p, c, version)?;
            if version == 3 {
                let (offset, count) = (c.u64()?, c.u32()?);
                put!(p, " ", count, " bytes @ ", offset);
            } else {
                let (offset, count) = (c.u32()?, c.u32()?);
                put!(p, " ", count, " bytes @ ", offset);
            }
            Ok(())
        }
        7 => write(p, c, version),
        10 => {
            handle(p, c, version)?;
            put!(p, " ");
            name(p, c)?;
            let mode = if version == 3 { attributes(c)? } else { None };
            put!(p, " ->");
            name(p, c)?;
            shown_mode(p, mode);
            Ok(())
        }
        11 => {
            handle(p, c, version)?;
            put!(p, " ");
            name(p, c)?;
            let kind = c.u32()?;
            let mode = attributes(c)?;
            put!(p, " ");
            file_type(p, kind);
            if p.verbose(1) && matches!(kind, 3 | 4) {
                put!(p, " ", c.u32()?, "/", c.u32()?);
            }
            shown_mode(p, mode);
            Ok(())
        }
        14 => {
            handle(p, c, version)?;
            put!(p, " ");
            name(p, c)?;
            put!(p, " ->");
            handle(p, c, version)?;
            put!(p, " ");
            name(p, c)
        }
        15 => {
            handle(p, c, version)?;
            put!(p, " ->");
            handle(p, c, version)?;
            put!(p, " ");
            name(p, c)
        }
        16 | 17 => directory(p, c, procedure, version),
        21 => {
            handle(p, c, version)?;
            let (offset, count) = (c.u64()?, c.u32()?);
            put!(p, " ", count, " bytes @ ", offset);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn write(p: &mut Out<'_>, c: &mut Cursor<'_>, version: u32) -> Printed {
    handle(p, c, version)?;
    if version == 3 {
        let (offset, count) = (c.u64()?, c.u32()?);
        let mut ahead = *c;
        let how = ahead.u32()?;
        let data = ahead.u32();
        match data {
            Ok(data) => put!(p, " ", data, " (", count, ") bytes @ ", offset),
            Err(Truncated) => return Err(Truncated),
        }
        if p.verbose(1) {
            stability(p, how);
        }
        return Ok(());
    }
    let [_, offset, total] = [c.u32()?, c.u32()?, c.u32()?];
    put!(
        p,
        " ",
        total,
        " (",
        total,
        ") bytes @ ",
        offset,
        " (",
        offset,
        ")"
    );
    Ok(())
}

fn directory(p: &mut Out<'_>, c: &mut Cursor<'_>, procedure: u32, version: u32) -> Printed {
    handle(p, c, version)?;
    if version != 3 {
        let (cookie, count) = (c.u32()?.cast_signed(), c.u32()?);
        put!(p, " ", count, " bytes @ ", cookie);
        return Ok(());
    }
    let (cookie, verifier, count) = (c.u64()?, c.u64()?, c.u32()?);
    put!(p, " ", count, " bytes @ ", cookie.cast_signed());
    if procedure == 17 && p.verbose(1) {
        put!(p, " max ", c.u32()?);
    }
    if p.verbose(1) {
        put!(p, " verf ", HexFull(verifier));
    }
    Ok(())
}

/// Attributes to set; the mode if it is among them.
fn attributes(c: &mut Cursor<'_>) -> Result<Option<u32>, Truncated> {
    let mut mode = None;
    for field in 0..3 {
        if c.u32()? != 0 {
            let value = c.u32()?;
            if field == 0 {
                mode = Some(value);
            }
        }
    }
    if c.u32()? != 0 {
        c.skip(8)?;
    }
    for _ in 0..2 {
        if c.u32()? == 2 {
            c.skip(8)?;
        }
    }
    Ok(mode)
}

fn shown_mode(p: &mut Out<'_>, mode: Option<u32>) {
    if let Some(mode) = mode.filter(|_| p.verbose(1)) {
        put!(p, " mode ");
        octal(p, mode);
    }
}

/// Octal digits, no zeros in front.
pub(super) fn octal(p: &mut Out<'_>, number: u32) {
    let digits = (u32::BITS - number.leading_zeros()).div_ceil(3).max(1);
    for place in (0..digits).rev() {
        put!(
            p,
            Zeros(u64::from(number.checked_shr(place * 3).unwrap_or(0) & 7), 1)
        );
    }
}
