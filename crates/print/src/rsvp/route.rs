//! Explicit and recorded routes (RFC 3209 section 4.3, 4.4).

use pktwho_wire::{Cursor, Truncated};

use super::object::{Done, alternate, v4, v6};
use super::table;
use crate::out::{Out, bits, lookup, named};
use crate::put::put;

pub(super) fn route(p: &mut Out<'_>, mut c: Cursor<'_>, indent: &str) -> Result<Done, Truncated> {
    while !c.is_empty() {
        let Ok([first, size]) = c.array::<2>() else {
            return Ok(Done::TooShort);
        };
        let kind = first & 0x7f;
        put!(p, indent, "  Subobject Type: ");
        match lookup(table::SUBOBJECTS, kind) {
            Some(name) => put!(p, name),
            None => put!(p, "Unknown ", kind),
        }
        put!(p, ", length ", size);
        if size == 0 {
            put!(p, indent, "  ERROR: zero length ERO subtype");
            return Ok(Done::Known);
        }
        let Some(inner) = usize::from(size).checked_sub(2) else {
            return Ok(Done::Invalid);
        };
        let Ok(mut value) = c.sub(inner) else {
            put!(p, indent, "  ERROR: ERO subobject length > object length");
            return Ok(Done::Invalid);
        };
        let hop = if first & 0x80 == 0 { "Strict" } else { "Loose" };
        match kind {
            1 | 2 => {
                let (right, width) = if kind == 1 { (8, 32) } else { (20, 128) };
                if size != right {
                    put!(p, " ERROR: length != ", right);
                    return Ok(Done::Invalid);
                }
                let addr = if kind == 1 {
                    v4(&mut value)?
                } else {
                    v6(&mut value)?
                };
                let prefix = value.u8()?;
                if prefix != width {
                    put!(p, " ERROR: Prefix length ", prefix, " != ", width);
                    return Ok(Done::Invalid);
                }
                put!(p, ", ", hop, ", ");
                p.addr(addr);
                put!(p, "/", prefix, ", Flags: [");
                bits(p, table::ROUTE_FLAGS, u32::from(value.u8()?), ", ", "none");
                put!(p, "]");
            }
            3 => {
                if size < 8 {
                    put!(p, " ERROR: length < 8");
                    return Ok(Done::Invalid);
                }
                let (flags, kind) = (value.u8()?, value.u8()?);
                put!(p, ", Flags: [");
                bits(p, &[(1, "Global")], u32::from(flags), ", ", "none");
                put!(p, "] (");
                alternate(p, flags);
                // compat: looked up without its class.
                let wide = u16::from(kind);
                put!(
                    p,
                    "), Class-Type: ",
                    named(table::TYPES, wide, "Unknown"),
                    " (",
                    kind
                );
                put!(p, "), ", value.u32()?);
            }
            _ => {}
        }
    }
    Ok(Done::Known)
}
