//! `MACsec` (IEEE 802.1AE).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, bits};
use crate::put::{HexFull, put};

/// Source and destination address of the frame.
type Ends = ([u8; 6], [u8; 6]);

/// Integrity check value at the end of a frame, of the default cipher suite.
const CHECK_VALUE: usize = 16;

static FLAGS: &[(u32, &str)] = &[
    (0x08, "E"),
    (0x04, "C"),
    (0x40, "S"),
    (0x20, "I"),
    (0x10, "B"),
];

/// What comes after the header.
pub(crate) enum Macsec<'c> {
    /// All was said.
    Stop,
    /// Encrypted bytes.
    Encrypted(Cursor<'c>),
    /// A type and its payload, and their length on the wire.
    Plain(Cursor<'c>, usize),
}

/// The header of a frame that has `length` bytes after its type.
pub(crate) fn header<'c>(
    p: &mut Out<'_>,
    c: Cursor<'c>,
    length: usize,
    (source, destination): Ends,
) -> Result<Macsec<'c>, Truncated> {
    p.protocol = "macsec";
    let mut c = Cursor::new(c.rest());
    if length < 6 {
        return Err(Truncated);
    }
    c.need(6)?;
    let (control, short) = (c.u8()?, c.u8()?);
    // Without an explicit channel identifier the packet number ends the header.
    let explicit = control & 0x20 != 0;
    let size = if explicit { 14 } else { 6 };
    if length < size {
        return Err(Truncated);
    }
    c.need(size - 2)?;
    let encrypted = control & 0x0c != 0;
    if control & 0x80 != 0 || short & 0xc0 != 0 {
        p.invalid();
        return Ok(Macsec::Stop);
    }
    if encrypted && !p.style.link {
        p.mac(source);
        put!(p, " > ");
        p.mac(destination);
        put!(p, " 802.1AE MACsec, ");
    }
    let number = c.u32()?;
    if p.style.link || encrypted {
        put!(p, "an ", control & 3, ", pn ", number, ", flags ");
        bits(p, FLAGS, u32::from(control), "", "none");
        if short != 0 {
            put!(p, ", sl ", short);
        }
    }
    if explicit {
        let channel = c.u64()?;
        if p.style.link || encrypted {
            put!(p, ", sci ", HexFull(channel));
        }
    }
    if p.style.link || encrypted {
        put!(p, ", ");
    }
    if encrypted {
        return Ok(Macsec::Encrypted(c));
    }
    // The check value is taken off what was captured as if all had been.
    let mut left = length - size;
    let kept = c.remaining();
    if left < CHECK_VALUE || kept < CHECK_VALUE {
        return Err(Truncated);
    }
    left -= CHECK_VALUE;
    c = c.limit(kept - CHECK_VALUE);
    let short = usize::from(short);
    if short != 0 {
        if short > left {
            return Err(Truncated);
        }
        left = short;
    }
    Ok(Macsec::Plain(c.limit(left), left))
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "02000000000202000000000188e5200000000007020000000001000108004500001c00010000401166ce0a0000010a0000020001000200089bd800000000000000000000000000000000",
            Style {
                link: true,
                ..style(0)
            },
            "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1AE MACsec (0x88e5), length 74: an 0, pn 7, flags I, sci 0200000000010001, ethertype IPv4 (0x0800), 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
    }
}
