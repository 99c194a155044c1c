//! Loopback: the configuration testing protocol (Ethernet 2.0, chapter 8).

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::put::put;

const REPLY: u16 = 1;
const FORWARD: u16 = 2;

/// A frame of `length` bytes.
pub(crate) fn loopback(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "loopback";
    let whole = Cursor::new(c.rest());
    let mut c = whole;
    let invalid = |p: &mut Out<'_>| {
        p.invalid();
        whole.need(length)
    };
    put!(p, "Loopback");
    if length < 2 {
        return invalid(p);
    }
    let skip = usize::from(c.u16_le()?);
    put!(p, ", skipCount ", skip);
    if skip % 8 != 0 {
        put!(p, " (bogus)");
    }
    let mut left = length - 2;
    if skip + 2 > left {
        return invalid(p);
    }
    c.skip(skip)?;
    let function = c.u16_le()?;
    left -= skip + 2;
    match function {
        REPLY => {
            put!(p, ", Reply");
            if left < 2 {
                return invalid(p);
            }
            put!(p, ", receipt number ", c.u16_le()?);
            left -= 2;
        }
        FORWARD => {
            put!(p, ", Forward Data");
            if left < 6 {
                return invalid(p);
            }
            let mac = c.array()?;
            put!(p, ", forwarding address ");
            p.mac(mac);
            left -= 6;
        }
        _ => {
            put!(p, ",  invalid (", function, ")");
            return whole.need(length);
        }
    }
    put!(p, ", data (", left, " octets)");
    c.need(left)
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "02000000000202000000000190000000020002000000000301000700",
            style(0),
            "Loopback, skipCount 0, Forward Data, forwarding address 02:00:00:00:00:03, data (4 octets)\n",
        );
    }
}
