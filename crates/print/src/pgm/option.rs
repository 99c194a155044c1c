//! Options of a packet (RFC 3208 section 9).

use pktwho_wire::{Cursor, Truncated};

use super::{address, bare};
use crate::out::Out;
use crate::put::{HexFull, put};

/// Length and last option's mark.
const LAST: u8 = 0x80;

/// All options; `false` if one is impossible, which was said.
pub(super) fn options(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<bool, Truncated> {
    let kind = c.u8()?;
    if kind & !LAST != 0 {
        put!(
            p,
            "[First option bad, should be PGM_OPT_LENGTH, is ",
            kind & !LAST,
            "]"
        );
        return Ok(false);
    }
    let size = c.u8()?;
    if size != 4 {
        put!(p, "[Bad OPT_LENGTH option, length ", size, " != 4]");
        return Ok(false);
    }
    let total = usize::from(c.u16()?);
    if total < 4 {
        put!(p, "[Bad total option length ", total, " < 4]");
        return Ok(false);
    }
    put!(p, " OPTS LEN ", total);
    let mut left = total - 4;
    while left > 0 {
        if left < 2 {
            put!(p, "[Total option length leaves no room for final option]");
            return Ok(false);
        }
        let (kind, size) = (c.u8()?, c.u8()?);
        if size < 2 {
            put!(p, "[Bad option, length ", size, " < 2]");
            return Ok(false);
        }
        let Some(after) = left.checked_sub(usize::from(size)) else {
            put!(p, "[Total option length leaves no room for final option]");
            return Ok(false);
        };
        left = after;
        let value = Cursor::new(c.limit(usize::from(size) - 2).rest());
        if !option(p, kind & !LAST, size, value)? {
            return Ok(false);
        }
        c.skip(usize::from(size) - 2)?;
        if kind & LAST != 0 {
            break;
        }
    }
    Ok(true)
}

/// The name and the length of options that have one length.
fn right(kind: u8) -> Option<(&'static str, u8)> {
    Some(match kind {
        0x00 => ("OPT_LENGTH", 4),
        0x01 => ("OPT_FRAGMENT", 16),
        0x03 => ("OPT_JOIN", 8),
        0x04 => ("OPT_NAK_BO_IVL", 12),
        0x05 => ("OPT_NAK_BO_RNG", 12),
        0x08 => ("OPT_PARITY_PRM", 8),
        0x09 => ("OPT_PARITY_GRP", 8),
        0x0a => ("OPT_CURR_TGSIZE", 8),
        0x0b => ("OPT_NBR_UNREACH", 4),
        0x0d => ("OPT_SYN", 4),
        0x0e => ("OPT_FIN", 4),
        0x0f => ("OPT_RST", 4),
        0x11 => ("OPT_CRQST", 4),
        _ => return None,
    })
}

fn option(p: &mut Out<'_>, kind: u8, size: u8, mut c: Cursor<'_>) -> Result<bool, Truncated> {
    if let Some((name, right)) = right(kind)
        && size != right
    {
        put!(
            p,
            "[Bad ",
            name,
            " option, length ",
            size,
            " != ",
            right,
            "]"
        );
        return Ok(false);
    }
    if kind == 0 {
        put!(p, " OPTS LEN (extra?) ", c.u16()?);
        return Ok(true);
    }
    if !matches!(kind, 0x01..=0x13) {
        put!(p, " OPT_", Upper(kind), " [", size, "] ");
        return Ok(true);
    }
    c.skip(2)?;
    match kind {
        0x01 => put!(
            p,
            " FRAG seq ",
            c.u32()?,
            " off ",
            c.u32()?,
            " len ",
            c.u32()?
        ),
        0x02 => {
            put!(p, " NAK LIST [");
            let mut mark = "";
            while !c.is_empty() {
                put!(p, mark, c.u32()?);
                mark = " ";
            }
            put!(p, "]");
        }
        0x03 => put!(p, " JOIN ", c.u32()?),
        0x04 => put!(p, " BACKOFF ivl ", c.u32()?, " ivlseq ", c.u32()?),
        0x05 => put!(p, " BACKOFF max ", c.u32()?, " min ", c.u32()?),
        0x07 => {
            let Some(addr) = address(&mut c)? else {
                return Err(Truncated);
            };
            put!(p, " REDIRECT ");
            p.addr(addr);
        }
        0x08 => put!(p, " PARITY MAXTGS ", c.u32()?),
        0x09 => put!(p, " PARITY GROUP ", c.u32()?),
        0x0a => put!(p, " PARITY ATGS ", c.u32()?),
        0x0b => put!(p, " NBR_UNREACH"),
        0x0c => put!(p, " PATH_NLA [", size, "]"),
        0x0d => put!(p, " SYN"),
        0x0e => put!(p, " FIN"),
        0x0f => put!(p, " RST"),
        0x10 => put!(p, " CR"),
        0x11 => put!(p, " CRQST"),
        0x12 | 0x13 => {
            let offset = c.u32()?;
            let family = c.u16()?;
            c.skip(2)?;
            let Some(addr) = bare(&mut c, family)? else {
                return Err(Truncated);
            };
            let name = if kind == 0x12 { "DATA" } else { "FEEDBACK" };
            put!(p, " PGMCC ", name, " ", offset, " ");
            p.addr(addr);
        }
        _ => {}
    }
    Ok(true)
}

/// Two hexadecimal digits, capital.
#[derive(Clone, Copy)]
struct Upper(u8);

impl crate::put::Put for Upper {
    fn put(self, out: &mut Vec<u8>) {
        let start = out.len();
        HexFull(self.0).put(out);
        if let Some(digits) = out.get_mut(start..) {
            digits.make_ascii_uppercase();
        }
    }
}
