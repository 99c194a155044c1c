//! Neighbours and prefixes, and what is said of each (ISO 10589, RFC 5305, RFC 5308, RFC 5120, RFC
//! 5307, RFC 8667).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use super::{Id, table};
use crate::gmpls;
use crate::hexdump;
use crate::out::{Out, Printed, bits, named, pass};
use crate::put::{Fixed, HexFull, put};
use crate::rip::right;

/// Where attributes of an entry start.
const INDENT: &str = "\n\t        ";

fn internal(metric: u8) -> &'static str {
    if metric & 0x40 == 0 {
        "Internal"
    } else {
        "External"
    }
}

/// The default metric, and in lines of their own those that are supported.
pub(super) fn metrics(p: &mut Out<'_>, indent: &str, [default, delay, expense, error]: [u8; 4]) {
    put!(
        p,
        ", Default Metric: ",
        default & 0x3f,
        ", ",
        internal(default)
    );
    others(p, indent, [delay, expense, error]);
}

fn others(p: &mut Out<'_>, indent: &str, metrics: [u8; 3]) {
    for (metric, name) in metrics.into_iter().zip(["Delay", "Expense", "Error"]) {
        if metric & 0x80 == 0 {
            put!(
                p,
                indent,
                "  ",
                name,
                " Metric: ",
                metric & 0x3f,
                ", ",
                internal(metric)
            );
        }
    }
}

pub(super) fn neighbors(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Printed {
    match c.u8()? {
        0 => put!(p, "\n\t      IsNotVirtual"),
        1 => put!(p, "\n\t      IsVirtual"),
        other => put!(p, "\n\t      bogus virtual flag 0x", HexFull(other)),
    }
    for _ in 0..size.saturating_sub(1) / 11 {
        let values = c.array::<4>()?;
        put!(p, "\n\t      IS Neighbor: ", Id(c.take(7)?));
        metrics(p, "\n\t\t", values);
    }
    Ok(())
}

/// A topology's number (RFC 5120).
pub(super) fn topology(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let word = c.u16()?;
    let id = word & 0xfff;
    let name = match id {
        4..=4094 => "Reserved for IETF Consensus",
        id => named(table::TOPOLOGIES, id, "Reserved for IETF Consensus"),
    };
    put!(
        p,
        "\n\t      ",
        name,
        " Topology (0x",
        crate::put::HexZeros(u32::from(id), 3)
    );
    put!(p, "), Flags: [");
    bits(p, table::TOPOLOGY_FLAGS, u32::from(word), ", ", "none");
    put!(p, "]");
    Ok(())
}

/// A neighbour with a wide metric.
pub(super) fn extended(p: &mut Out<'_>, c: &mut Cursor<'_>, kind: u8) -> Printed {
    let there = c.remaining();
    c.need(7)?;
    put!(p, "\n\t      IS Neighbor: ", Id(c.take(7)?));
    if kind != 24 {
        put!(p, ", Metric: ", c.u24()?);
    }
    let size = usize::from(c.u8()?);
    put!(
        p,
        ", ",
        if size == 0 { "no " } else { "" },
        "sub-TLVs present"
    );
    if size == 0 {
        return Ok(());
    }
    put!(p, " (", size, ")");
    let whole = size + if kind == 24 { 8 } else { 11 };
    let mut left = size;
    while left > 0 {
        if c.remaining() < 2 {
            put!(
                p,
                INDENT,
                "Remaining data in TLV shorter than a subTLV header"
            );
            pass(c, 1);
            return Ok(());
        }
        let (kind, size) = (c.u8()?, usize::from(c.u8()?));
        left -= 2.min(left);
        let value = Cursor::new(c.limit(size).rest());
        put!(
            p,
            INDENT,
            named(table::REACH, kind, "unknown"),
            " subTLV #",
            kind
        );
        put!(p, ", length: ", size);
        if size > left || size > c.remaining() {
            put!(
                p,
                " (remaining data in subTLVs shorter than the current subTLV)"
            );
            if whole > there {
                put!(p, " [remaining tlv length ", there, " < ", whole, "]");
                p.invalid();
                pass(c, there);
                return Ok(());
            }
            return Err(Truncated);
        }
        neighbor_attribute(p, kind, value)?;
        c.skip(size)?;
        left -= size.min(left);
    }
    Ok(())
}

fn mbps(c: &mut Cursor<'_>) -> Result<Fixed, Truncated> {
    let bytes = f64::from(f32::from_bits(c.u32()?));
    Ok(Fixed(bytes * 8.0 / 1_000_000.0, 3))
}

fn neighbor_attribute(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>) -> Printed {
    match kind {
        3..=5 => {
            if c.remaining() >= 4 {
                put!(p, ", 0x", HexFull(c.u32()?));
            }
            if c.remaining() >= 4 {
                put!(p, ", 0x", HexFull(c.u32()?));
            }
        }
        6 | 8 => {
            if c.remaining() >= 4 {
                put!(p, ", ");
                p.addr(Ipv4Addr::from(c.u32()?));
            }
        }
        9 | 10 => {
            if c.remaining() >= 4 {
                put!(p, ", ", mbps(&mut c)?, " Mbps");
            }
        }
        11 => {
            if c.remaining() >= 32 {
                for class in 0..8_u8 {
                    put!(
                        p,
                        INDENT,
                        "  TE-Class ",
                        class,
                        ": ",
                        mbps(&mut c)?,
                        " Mbps"
                    );
                }
            }
        }
        12 | 22 => {
            if c.is_empty() {
                return Ok(());
            }
            let model = c.u8()?;
            put!(p, INDENT, "  Bandwidth Constraints Model ID: ");
            put!(
                p,
                named(gmpls::BANDWIDTH_MODELS, model, "unknown"),
                " (",
                model,
                ")"
            );
            if kind == 22 {
                c.skip(3.min(c.remaining()))?;
            }
            let mut class = 0_u8;
            while class < 8 && c.remaining() >= 4 {
                put!(
                    p,
                    INDENT,
                    "  Bandwidth constraint CT",
                    class,
                    ": ",
                    mbps(&mut c)?,
                    " Mbps"
                );
                class += 1;
            }
        }
        18 => {
            if c.remaining() >= 3 {
                put!(p, ", ", c.u24()?);
            }
        }
        19 => {
            if c.remaining() == 2 {
                let flags = c.u16()?;
                put!(p, ", [ ");
                bits(p, table::LINK_ATTRIBUTES, u32::from(flags), ", ", "none");
                put!(p, " ] (0x", HexFull(flags), ")");
            }
        }
        20 => {
            if c.remaining() >= 2 {
                let (kinds, priority) = (c.u8()?, c.u8()?);
                put!(p, ", ");
                bits(p, gmpls::PROTECTIONS, u32::from(kinds), ", ", "none");
                put!(p, ", Priority ", priority);
            }
        }
        21 => switching(p, c)?,
        29 => {
            if c.remaining() >= 6 {
                put!(p, ", LM: ", c.u24()?);
                put!(p, ", P: ", c.u8()?);
                put!(p, ", P-ID: ", c.u16()?);
            }
        }
        32 => adjacency_segment(p, c)?,
        _ => hexdump::hex(p, "\n\t\t    ", c.rest()),
    }
    Ok(())
}

fn switching(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    if c.remaining() < 36 {
        return Ok(());
    }
    let (kind, encoding) = (c.u8()?, c.u8()?);
    put!(p, INDENT, "  Interface Switching Capability:");
    put!(
        p,
        named(gmpls::SWITCHING, kind, "Unknown"),
        ", LSP Encoding: "
    );
    put!(p, named(gmpls::ENCODINGS, encoding, "Unknown"));
    c.skip(2)?;
    put!(p, INDENT, "  Max LSP Bandwidth:");
    for level in 0..8_u8 {
        put!(
            p,
            INDENT,
            "    priority level ",
            level,
            ": ",
            mbps(&mut c)?,
            " Mbps"
        );
    }
    match kind {
        1..=4 => {
            if c.remaining() >= 6 {
                put!(p, INDENT, "  Min LSP Bandwidth: ", mbps(&mut c)?, " Mbps");
                put!(p, INDENT, "  Interface MTU: ", c.u16()?);
            }
        }
        100 => {
            if c.remaining() >= 8 {
                put!(p, INDENT, "  Min LSP Bandwidth: ", mbps(&mut c)?, " Mbps");
                let name = if c.u8()? == 0 {
                    "Standard SONET/SDH"
                } else {
                    "Arbitrary SONET/SDH"
                };
                put!(p, INDENT, "  Indication ", name);
            }
        }
        _ => {
            if !c.is_empty() {
                hexdump::hex(p, "\n\t\t    ", c.rest());
            }
        }
    }
    Ok(())
}

/// RFC 8667 section 2.2.2.
fn adjacency_segment(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    if c.remaining() < 8 {
        return Ok(());
    }
    let flags = c.u8()?;
    put!(p, INDENT, "  Flags: [");
    bits(p, table::SID_FLAGS, u32::from(flags), ", ", "none");
    put!(p, "]", INDENT, "  Weight: ", c.u8()?);
    put!(p, INDENT, "  Neighbor System-ID: ", Id(c.take(6)?));
    match flags & 0x30 {
        0x30 if c.remaining() >= 3 => put!(p, INDENT, "  Label: ", c.u24()? & 0xf_ffff),
        0 if c.remaining() >= 4 => put!(p, INDENT, "  Index: ", c.u32()?),
        _ => {}
    }
    Ok(())
}

/// Prefixes with metrics of six bits.
pub(super) fn old_prefixes(p: &mut Out<'_>, mut c: Cursor<'_>, size: usize) -> Printed {
    let mut left = size;
    while left > 0 {
        if left < 12 {
            put!(p, "short IPv4 Reachability (", left, " vs 12)");
            return Ok(());
        }
        left -= 12;
        let [default, delay, expense, error] = c.array()?;
        let (addr, mask) = (Ipv4Addr::from(c.u32()?), c.u32()?);
        let ones = mask.leading_ones();
        if mask.count_ones() == ones {
            put!(p, "\n\t      IPv4 prefix: ");
            right(p, addr, 15);
            put!(p, "/", ones);
        } else {
            put!(p, "\n\t      IPv4 prefix: ");
            p.addr(addr);
            put!(p, " mask ");
            p.addr(Ipv4Addr::from(mask));
        }
        let way = if default & 0x80 == 0 { "up" } else { "down" };
        put!(
            p,
            ", Distribution: ",
            way,
            ", Metric: ",
            default & 0x3f,
            ", ",
            internal(default)
        );
        others(p, "\n\t      ", [delay, expense, error]);
    }
    Ok(())
}

/// Prefixes with wide metrics that start in the first `length` bytes.
///
/// compat: the last one is shown also where it goes on after them.
pub(super) fn prefixes(p: &mut Out<'_>, c: Cursor<'_>, length: usize, v6: bool) -> Printed {
    let mut c = Cursor::new(c.rest());
    let mut left = length;
    while left > 0 {
        let start = c.position();
        if !prefix(p, &mut c, v6)? {
            return Ok(());
        }
        let used = c.position() - start;
        if left < used {
            put!(p, " [remaining tlv length ", left, " < ", used, "]");
            p.invalid();
            return Ok(());
        }
        left -= used;
    }
    Ok(())
}

/// `false` if the prefix is longer than an address.
fn prefix(p: &mut Out<'_>, c: &mut Cursor<'_>, v6: bool) -> Result<bool, Truncated> {
    c.need(if v6 { 6 } else { 5 })?;
    let metric = c.u32()?;
    let status = c.u8()?;
    let width = if v6 { c.u8()? } else { status & 0x3f };
    if width > if v6 { 128 } else { 32 } {
        let name = if v6 { "6" } else { "4" };
        put!(p, "\n\t      IPv", name, " prefix: bad bit length ", width);
        return Ok(false);
    }
    let mut addr = [0; 16];
    let bytes = c.take(usize::from(width).div_ceil(8))?;
    for (to, from) in addr.iter_mut().zip(bytes) {
        *to = *from;
    }
    if v6 {
        put!(p, "\n\t      IPv6 prefix: ");
        p.addr(Ipv6Addr::from(addr));
    } else {
        let [a, b, d, e, ..] = addr;
        put!(p, "\n\t      IPv4 prefix: ");
        right(p, Ipv4Addr::new(a, b, d, e), 15);
    }
    let way = if status & 0x80 == 0 { "up" } else { "down" };
    put!(p, "/", width, ", Distribution: ", way, ", Metric: ", metric);
    if v6 {
        put!(p, ", ", internal(status));
    }
    if status & if v6 { 0x20 } else { 0x40 } != 0 {
        put!(p, ", sub-TLVs present");
        let size = usize::from(c.u8()?);
        put!(p, " (", size, ")");
        let mut subs = c.sub(size)?;
        while !subs.is_empty() {
            let (kind, size) = (subs.u8()?, usize::from(subs.u8()?));
            let value = subs.sub(size)?;
            put!(
                p,
                INDENT,
                named(table::PREFIX, kind, "unknown"),
                " subTLV #",
                kind
            );
            put!(p, ", length: ", size);
            prefix_attribute(p, kind, value)?;
        }
    }
    Ok(true)
}

fn prefix_attribute(p: &mut Out<'_>, kind: u8, mut c: Cursor<'_>) -> Printed {
    match kind {
        1 | 117 => {
            while c.remaining() >= 4 {
                let tag = c.u32()?;
                put!(p, ", 0x", HexFull(tag), " (=", tag, ")");
            }
        }
        2 => {
            while c.remaining() >= 8 {
                put!(p, ", 0x", HexFull(c.u32()?), HexFull(c.u32()?));
            }
        }
        3 => {
            let (flags, algorithm) = (c.u8()?, c.u8()?);
            put!(p, ", Flags [");
            bits(p, table::PREFIX_SID_FLAGS, u32::from(flags), ", ", "None");
            put!(
                p,
                "], Algo ",
                named(table::ALGORITHMS, algorithm, "Unknown")
            );
            put!(p, " (", algorithm, "), ");
            if flags & 8 != 0 {
                put!(p, "label ", c.u24()? & 0xf_ffff);
            } else {
                put!(p, "index ", c.u32()?);
            }
        }
        _ => hexdump::hex(p, "\n\t\t    ", c.rest()),
    }
    Ok(())
}
