//! PPP's control protocols: LCP (RFC 1661) and what is negotiated after it: IPCP (RFC 1332),
//! IPV6CP (RFC 5072), CCP (RFC 1962), BACP (RFC 2125), OSINLCP, MPLSCP.

use pktwho_wire::{Cursor, Truncated};

use super::options;
use crate::hexdump;
use crate::oui;
use crate::out::{Out, Printed, lookup};
use crate::put::{HexFull, Visible, put};

static CODES: &[(u8, &str)] = &[
    (0, "Vendor-Extension"),
    (1, "Conf-Request"),
    (2, "Conf-Ack"),
    (3, "Conf-Nack"),
    (4, "Conf-Reject"),
    (5, "Term-Request"),
    (6, "Term-Ack"),
    (7, "Code-Reject"),
    (8, "Prot-Reject"),
    (9, "Echo-Request"),
    (10, "Echo-Reply"),
    (11, "Disc-Req"),
    (12, "Ident"),
    (13, "Time-Rem"),
    (14, "Reset-Req"),
    (15, "Reset-Ack"),
];

/// A packet of `length` bytes; `before` is what the capture holds from two bytes before it on.
pub(super) fn control(
    p: &mut Out<'_>,
    protocol: u16,
    c: Cursor<'_>,
    before: &[u8],
    length: usize,
) -> Printed {
    let name = super::name(protocol).unwrap_or("unknown ctrl-proto");
    put!(p, name, ", ");
    let mut c = Cursor::new(c.rest());
    if length < 4 || c.remaining() < 2 {
        put!(p, "[|", name, "]");
        return Ok(());
    }
    let (code, id) = (c.u8()?, c.u8()?);
    put!(
        p,
        lookup(CODES, code).unwrap_or("Unknown Opcode"),
        " (0x",
        HexFull(code),
        "), id ",
        id
    );
    put!(p, ", length ", length + 2);
    if !p.verbose(1) {
        return Ok(());
    }
    let stated = usize::from(c.u16()?);
    if stated < 4 {
        put!(p, "\n\tencoded length ", stated, " (< 4))");
        return Ok(());
    }
    if stated > length {
        put!(
            p,
            "\n\tencoded length ",
            stated,
            " (> packet length ",
            length,
            "))"
        );
        return Ok(());
    }
    let left = stated - 4;
    put!(
        p,
        "\n\tencoded length ",
        stated,
        " (=Option(s) length ",
        left,
        ")"
    );
    if left == 0 {
        return Ok(());
    }
    if p.verbose(2) {
        hexdump::hex(p, "\n\t", before.get(..6).unwrap_or(before));
    }
    match code {
        1..=4 => {
            options::list(p, protocol, c, left);
            Ok(())
        }
        0 | 5..=13 => other(p, code, c, left),
        _ => {
            if !p.verbose(2) {
                let shown = before.get(..stated + 2).unwrap_or(before);
                hexdump::hex(p, "\n\t  ", shown);
            }
            Ok(())
        }
    }
}

/// Codes without options, of which `left` bytes follow the header.
fn other(p: &mut Out<'_>, code: u8, mut c: Cursor<'_>, left: usize) -> Printed {
    match code {
        0 if left >= 7 => {
            magic(p, &mut c)?;
            let vendor = c.u24()?;
            put!(p, " Vendor: ", oui::name(vendor), " (", vendor, ")");
        }
        // compat: of what ends a link and of rejected codes nothing more is said (4.99.3).
        5..=7 => {}
        8 if left >= 2 => {
            let rejected = c.u16()?;
            put!(p, "\n\t  Rejected ");
            match super::name(rejected) {
                Some(name) => put!(p, name),
                None => put!(p, "unknown"),
            }
            put!(p, " Protocol (0x", HexFull(rejected), ")");
            if left > 2 {
                put!(p, "\n\t  Rejected Packet");
                hexdump::hex(p, "\n\t    ", c.limit(left - 2).rest());
            }
        }
        9..=11 if left >= 4 => {
            magic(p, &mut c)?;
            if left > 4 {
                put!(p, "\n\t  -----trailing data-----");
                hexdump::hex(p, "\n\t  ", c.limit(left - 4).rest());
            }
        }
        12 if left >= 4 => {
            magic(p, &mut c)?;
            if left > 4 {
                put!(
                    p,
                    "\n\t  Message\n\t    ",
                    Visible(c.limit(left - 4).rest())
                );
                c.need(left - 4)?;
            }
        }
        13 if left >= 8 => {
            magic(p, &mut c)?;
            put!(p, ", Seconds-Remaining ", c.u32()?, "s");
        }
        _ => {}
    }
    Ok(())
}

fn magic(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), Truncated> {
    put!(p, "\n\t  Magic-Num 0x", HexFull(c.u32()?));
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(9),
            "ff03c0210901000801020304",
            style(1),
            "LCP, Echo-Request (0x09), id 1, length 10\n\tencoded length 8 (=Option(s) length 4)\n\t  Magic-Num 0x01020304\n",
        );
        check(
            LinkType(9),
            "ff03c0210801000a802101010004",
            style(1),
            "LCP, Prot-Reject (0x08), id 1, length 12\n\tencoded length 10 (=Option(s) length 6)\n\t  Rejected IPCP Protocol (0x8021)\n\t  Rejected Packet\n\t    0x0000:  0101 0004\n",
        );
    }

    /// A control packet of LCP and the lines behind its lengths.
    fn shown(code: u8, data: &str, expected: &str) {
        let stated = 4 + data.len() / 2;
        let name = match code {
            5 => "Term-Request",
            7 => "Code-Reject",
            8 => "Prot-Reject",
            12 => "Ident",
            _ => "Unknown Opcode",
        };
        check(
            LinkType(9),
            &format!("ff03c021{code:02x}07{stated:04x}{data}"),
            style(1),
            &format!(
                "LCP, {name} (0x{code:02x}), id 7, length {}\n\tencoded length {stated} (=Option(s) length {}){expected}\n",
                stated + 2,
                stated - 4
            ),
        );
    }

    #[test]
    fn codes_without_options() {
        shown(5, "616263", "");
        shown(7, "616263", "");
        shown(8, "6162", "\n\t  Rejected unknown Protocol (0x6162)");
        shown(
            12,
            "000000056162",
            "\n\t  Magic-Num 0x00000005\n\t  Message\n\t    ab",
        );
        shown(16, "6162", "\n\t  0x0000:  c021 1007 0006 6162");
    }
}
