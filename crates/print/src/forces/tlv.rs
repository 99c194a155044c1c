//! TLVs of `ForCES` messages (RFC 5810 sections 6.2 and 7), shown with `-vvv`.

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, lookup, pass};
use crate::put::{Hex, HexFull, Zeros, put};

use super::{REDIRECT, SETUP, SETUP_RESPONSE, TEARDOWN};

const HEADER: usize = 4;

const REDIRECT_TLV: u16 = 0x0001;
const RESULT_TLV: u16 = 0x0010;
const REASON_TLV: u16 = 0x0011;
const SELECT_TLV: u16 = 0x1000;
const PATH_DATA: u16 = 0x0110;
const FULL_DATA: u16 = 0x0112;
const RESULT: u16 = 0x0114;
const METADATA: u16 = 0x0115;
const REDIRECT_DATA: u16 = 0x0116;

/// Operations, and the messages that hold them.
static OPERATIONS: &[(u16, &str, &[u8])] = &[
    (1, " Set", &[3]),
    (2, " SetProp", &[3]),
    (3, " SetResp", &[19]),
    (4, " SetPropResp", &[19]),
    (5, " Del", &[3]),
    (6, " DelResp", &[19]),
    (7, " Get", &[4]),
    (8, " GetProp", &[4]),
    (9, " GetResp", &[20]),
    (10, " GetPropResp", &[20]),
    (11, " Report", &[SETUP, 5]),
    (12, " Commit", &[3]),
    (13, " RCommit", &[19]),
    (14, " RTRCOMP", &[3]),
];

static RESULTS: &[(u8, &str)] = &[
    (0x00, "SUCCESS"),
    (0x01, "INVALID HEADER"),
    (0x02, "LENGTH MISMATCH"),
    (0x03, "VERSION MISMATCH"),
    (0x04, "INVALID DESTINATION PID"),
    (0x05, "LFB UNKNOWN"),
    (0x06, "LFB NOT FOUND"),
    (0x07, "LFB INSTANCE ID NOT FOUND"),
    (0x08, "INVALID PATH"),
    (0x09, "COMPONENT DOES NOT EXIST"),
    (0x0a, "EXISTS ALREADY"),
    (0x0b, "NOT FOUND"),
    (0x0c, "READ ONLY"),
    (0x0d, "INVALID ARRAY CREATION"),
    (0x0e, "VALUE OUT OF RANGE"),
    (0x0f, "CONTENTS TOO LONG"),
    (0x10, "INVALID PARAMETERS"),
    (0x11, "INVALID MESSAGE TYPE"),
    (0x12, "INVALID FLAGS"),
    (0x13, "INVALID TLV"),
    (0x14, "EVENT ERROR"),
    (0x15, "NOT SUPPORTED"),
    (0x16, "MEMORY ERROR"),
    (0x17, "INTERNAL ERROR"),
    (0xff, "UNSPECIFIED ERROR"),
];

/// A new line and blanks.
static BLANKS: &str = concat!(
    "\n",
    "                                        ",
    "                                        ",
    "                                        ",
    "                                        ",
);

/// The start of a line whose text begins in this column.
fn new_line(column: usize) -> &'static str {
    BLANKS.get(..=column).unwrap_or(BLANKS)
}

/// Blanks at the start of a line.
fn indent(p: &mut Out<'_>, column: usize) {
    put!(p, new_line(column).trim_start_matches('\n'));
}

/// Kind, length and value of the next TLV; `None` if its length is impossible.
fn next<'a>(
    c: &mut Cursor<'a>,
    left: &mut usize,
) -> Result<Option<(u16, usize, Cursor<'a>)>, Truncated> {
    if *left < HEADER {
        return Ok(None);
    }
    let (kind, size) = (c.u16()?, usize::from(c.u16()?));
    if size < HEADER || size > *left {
        return Ok(None);
    }
    let value = Cursor::new(c.limit(size - HEADER).rest());
    value.need(size - HEADER)?;
    let padded = size.next_multiple_of(4);
    pass(c, padded - HEADER);
    *left = left.saturating_sub(padded);
    Ok(Some((kind, size, value)))
}

/// The TLVs of a message of this kind; `false` if they cannot be its, which was said.
pub(super) fn top(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    length: usize,
    message: u8,
) -> Result<bool, Truncated> {
    let wanted = match message {
        TEARDOWN => REASON_TLV,
        REDIRECT => REDIRECT_TLV,
        SETUP_RESPONSE => RESULT_TLV,
        _ => SELECT_TLV,
    };
    let mut left = length;
    while left > 0 {
        let Some((kind, size, value)) = next(&mut c, &mut left)? else {
            put!(p, "<0x0>Illegal Top level TLV!\n");
            return Ok(false);
        };
        if kind != wanted {
            put!(p, "<0x", Hex(kind), ">Illegal Top level TLV!\n");
            return Ok(false);
        }
        let name = match kind {
            REDIRECT_TLV => "REDIRECT",
            RESULT_TLV => "ASResult",
            REASON_TLV => "ASTreason",
            _ => "LFBselect",
        };
        if p.verbose(3) {
            put!(p, "\t", name, " TLV, length ", size);
            put!(p, " (data length ", size - HEADER, " Bytes)");
        }
        let fits = match kind {
            REDIRECT_TLV => redirect(p, value)?,
            RESULT_TLV => association(p, value, size)?,
            REASON_TLV => teardown(p, value, size)?,
            _ => select(p, value, message)?,
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

fn association(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Result<bool, Truncated> {
    if size != HEADER + 4 {
        put!(p, "illegal ASRresult-TLV: ", size, " bytes!\n");
        return Ok(false);
    }
    let code = c.u32()?;
    if (4..=0x7fff_ffff).contains(&code) {
        put!(p, "illegal ASRresult result code: ", code, "!\n");
        return Ok(false);
    }
    if p.verbose(3) {
        let name = match code {
            0 => "Success ",
            1 => "FE ID invalid ",
            2 => "permission denied ",
            _ => "Unknown ",
        };
        put!(p, "\n         ", name, "(", Hex(code), ")\n         ");
    }
    Ok(true)
}

fn teardown(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Result<bool, Truncated> {
    if size != HEADER + 4 {
        put!(p, "illegal ASTresult-TLV: ", size, " bytes!\n");
        return Ok(false);
    }
    let reason = c.u32()?;
    if reason > 0xff {
        put!(p, "illegal ASTresult result code: ", reason, "!\n");
        return Ok(false);
    }
    if p.verbose(3) {
        let name = match reason {
            0 => "Normal Teardown",
            1 => "Loss of Heartbeats",
            2 => "Out of bandwidth",
            3 => "Out of Memory",
            4 => "Application Crash",
            _ => "Unknown Teardown reason",
        };
        put!(p, "Teardown reason:\n         ", name);
        put!(p, "(", Hex(reason), ")\n         ");
    }
    Ok(true)
}

/// A packet that was redirected, and what is known of it.
fn redirect(p: &mut Out<'_>, mut c: Cursor<'_>) -> Result<bool, Truncated> {
    let mut left = c.remaining();
    while left > 0 {
        let Some((kind, size, value)) = next(&mut c, &mut left)? else {
            put!(p, "Bad Redirect data\n");
            return Ok(false);
        };
        match kind {
            METADATA => put!(p, "\n           METADATA length ", size - HEADER, "\n"),
            REDIRECT_DATA => {
                put!(p, "\n           Redirect Data length ", size - HEADER);
                put!(p, "\n");
                if p.verbose(3) {
                    put!(p, "\t\t[");
                    hexdump::hex(p, "\n\t\t", value.rest());
                    put!(p, "\n\t\t]");
                }
            }
            _ => put!(p, "Unknown type 0x", Hex(kind), " (Ignored)"),
        }
    }
    Ok(true)
}

/// Which function block is meant, and what is to be done with it.
fn select(p: &mut Out<'_>, mut c: Cursor<'_>, message: u8) -> Result<bool, Truncated> {
    let there = c.remaining();
    if there < 16 {
        put!(p, "\n\t\ttruncated lfb selector: ");
        put!(p, 12_usize.saturating_sub(there), " bytes missing! ");
        return Ok(false);
    }
    let (class, instance) = (c.u32()?, c.u32()?);
    if p.verbose(3) {
        put!(p, "\n         ");
        match class {
            0 => put!(p, "Invalid TLV"),
            1 => put!(p, "FEObj LFB"),
            2 => put!(p, "FEProtoObj LFB"),
            _ => put!(p, "#", class),
        }
        put!(
            p,
            "(Classid ",
            Hex(class),
            ") instance ",
            Hex(instance),
            "\n"
        );
    }
    let mut left = there - 8;
    while left > 0 {
        let Some((kind, size, value)) = next(&mut c, &mut left)? else {
            put!(p, "\t\tINValid oper-TLV length\n");
            return Ok(false);
        };
        let Some((_, name, _)) = OPERATIONS
            .iter()
            .find(|entry| entry.0 == kind && entry.2.contains(&message))
        else {
            put!(p, "\t\tINValid oper-TLV type 0x", Hex(kind), " length ");
            put!(p, size, " for this ForCES message\n");
            return Ok(false);
        };
        if p.verbose(3) {
            put!(
                p,
                "          Oper TLV ",
                *name,
                "(0x",
                Hex(kind),
                ") length "
            );
            put!(p, size, "\n");
        }
        if !paths(p, value, 11, kind)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Paths to data, and the data of an operation.
fn paths(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    column: usize,
    operation: u16,
) -> Result<bool, Truncated> {
    let mut left = c.remaining();
    while left > 0 {
        let Some((kind, size, value)) = next(&mut c, &mut left)? else {
            return Ok(false);
        };
        if kind != PATH_DATA {
            put!(p, "Invalid TLV type 0x", Hex(kind), "\n");
            return Ok(false);
        }
        if p.verbose(3) {
            indent(p, column);
            put!(p, "PATH-DATA TLV, length ", size);
            put!(p, " (data encapsulated ", size - HEADER, " Bytes)\n");
        }
        let mut fits = false;
        p.deeper(|p| {
            fits = path(p, value, column + 1, operation)?;
            Ok(())
        })?;
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

fn path(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    column: usize,
    operation: u16,
) -> Result<bool, Truncated> {
    let (flags, count) = (c.u16()?, c.u16()?);
    let shown = p.verbose(3);
    if shown {
        indent(p, column);
        put!(
            p,
            "Pathdata: Flags 0x",
            Hex(flags),
            " ID count ",
            count,
            "\n"
        );
    }
    c.need(usize::from(count) * 4)?;
    for number in 1..=count {
        let id = c.u32()?;
        if shown {
            indent(p, column);
            put!(p, "ID#", Zeros(u64::from(number), 2), ": ", id, "\n");
        }
    }
    let mut left = c.remaining();
    while left > 0 {
        let mut ahead = c;
        if ahead.u16()? == PATH_DATA {
            return paths(p, c, column + 2, operation);
        }
        let mut padded = c;
        let Some((kind, size, _)) = next(&mut c, &mut left)? else {
            return Ok(false);
        };
        padded.skip(HEADER)?;
        let value = padded.limit(size.next_multiple_of(4) - HEADER);
        if !data(p, kind, size, value, column + 2, operation)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn data(
    p: &mut Out<'_>,
    kind: u16,
    size: usize,
    mut c: Cursor<'_>,
    column: usize,
    operation: u16,
) -> Result<bool, Truncated> {
    let name = match kind {
        0x111 => "KEYINFO",
        FULL_DATA => "FULLDATA",
        0x113 => "SPARSEDATA",
        RESULT => "RESULT",
        _ => "Invalid",
    };
    // Queries have nothing to say.
    if matches!(operation, 7 | 8) {
        put!(p, "Illegal DATA encoding for type 0x", Hex(kind));
        put!(p, " programmed 1 got 0 \n");
        return Ok(false);
    }
    let pad = size.next_multiple_of(4) - size;
    if p.verbose(3) {
        indent(p, column);
        put!(p, name, " TLV (Length ", size, " DataLen ", size - HEADER);
        if pad > 0 {
            put!(p, " pad ", pad);
        }
        put!(p, " Bytes)\n");
    }
    if kind == RESULT {
        let code = c.u8()?;
        if (0x18..0xff).contains(&code) {
            put!(p, "illegal reserved result code: 0x", HexFull(code), "!\n");
            return Ok(true);
        }
        if p.verbose(3) {
            indent(p, column + 2);
            let name = lookup(RESULTS, code).unwrap_or("Unknown");
            put!(p, "Result: ", name, " (code 0x", Hex(code), ")\n");
        }
    } else if p.verbose(3) {
        indent(p, column + 1);
        put!(p, "[");
        hexdump::hex(p, new_line(column + 1), c.rest());
        put!(p, "\n");
        indent(p, column + 1);
        put!(p, "]");
    }
    Ok(true)
}
