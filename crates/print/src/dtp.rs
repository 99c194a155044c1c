//! DTP: how Cisco switches agree on trunks.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, HexFull, Visible, put};

static TYPES: &[(u16, &str)] = &[
    (1, "Domain"),
    (2, "Status"),
    (3, "DTP type"),
    (4, "Neighbor"),
];

/// A DTP packet of `length` bytes.
pub(crate) fn dtp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "dtp";
    let whole = Cursor::new(c.rest());
    if packet(p, whole, length)? {
        return Ok(());
    }
    p.invalid();
    whole.need(length)
}

/// `false` if the packet contradicts itself.
fn packet(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    if length == 0 {
        put!(p, "[zero packet length]");
        return Ok(false);
    }
    put!(p, "DTPv", c.u8()?, ", length ", length);
    if !p.verbose(1) {
        return Ok(true);
    }
    let mut left = length - 1;
    while left > 0 {
        if left < 4 {
            put!(p, "[", left, " bytes remaining]");
            return Ok(false);
        }
        let (kind, stated) = (c.u16()?, usize::from(c.u16()?));
        let name = lookup(TYPES, kind).unwrap_or("Unknown");
        put!(
            p,
            "\n\t",
            name,
            " (0x",
            HexFull(kind),
            ") TLV, length ",
            stated
        );
        if stated < 4 || stated > left {
            put!(p, "[invalid TLV length ", stated, "]");
            return Ok(false);
        }
        if !value(p, kind, c, stated - 4)? {
            return Ok(false);
        }
        c.skip(stated - 4)?;
        left -= stated;
    }
    Ok(true)
}

/// `false` if it has not the length that its type wants.
fn value(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    match (kind, length) {
        (1, _) => {
            put!(p, ", ", Visible::until_zero(c.limit(length).rest()));
            c.need(length)?;
        }
        (2 | 3, 1) => put!(p, ", 0x", Hex(c.u8()?)),
        (4, 6) => {
            let mac = c.array()?;
            put!(p, ", ");
            p.mac(mac);
        }
        (2..=4, _) => return Ok(false),
        _ => {}
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "01000ccccccc0200000000010020aaaa0300000c200401000100084c61620000020005040004000a020000000001",
            style(1),
            "DTPv1, length 24\n\tDomain (0x0001) TLV, length 8, Lab\n\tStatus (0x0002) TLV, length 5, 0x4\n\tNeighbor (0x0004) TLV, length 10, 02:00:00:00:00:01\n",
        );
    }
}
