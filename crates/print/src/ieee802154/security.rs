//! The auxiliary security header (section 9.4).

use pktwho_wire::{Cursor, Truncated};

use crate::out::Out;
use crate::put::{Hex, HexFull, Pairs, put};

/// Bytes of message integrity codes by security level.
static CODES: [usize; 8] = [0, 4, 8, 16, 0, 4, 8, 16];

/// What the header says of the bytes behind it.
#[derive(Clone, Copy)]
pub(super) struct Security {
    level: u8,
}

impl Security {
    /// Whether payloads are not to be read.
    pub(super) fn encrypted(self) -> bool {
        self.level >= 4
    }

    /// Takes the message integrity code away from the end; `None` if there are not so many bytes.
    pub(super) fn code<'a>(self, c: &mut Cursor<'a>) -> Option<&'a [u8]> {
        let length = CODES.get(usize::from(self.level)).copied().unwrap_or(0);
        let before = c.remaining().checked_sub(length)?;
        let code = c.rest().get(before..);
        *c = c.limit(before);
        code
    }
}

/// The header; the error says before what the frame ends.
pub(super) fn header(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<Security, &'static str> {
    let control = c.u8().map_err(|Truncated| "Aux Security Header")?;
    let (level, mode) = (control & 7, control >> 3 & 3);
    if p.verbose(1) {
        put!(
            p,
            "\n\tSecurity Level ",
            level,
            ", Key Id Mode ",
            mode,
            ", "
        );
    }
    let shown = p.verbose(2);
    if control & 1 << 5 == 0 {
        let counter = c.u32_le().map_err(|Truncated| "Frame Counter")?;
        if shown {
            put!(p, "Frame Counter 0x", HexFull(counter), " ");
        }
    }
    if mode == 0 && shown {
        put!(p, "Implicit");
    }
    if mode >= 2 {
        source(p, c, mode).map_err(|Truncated| "Key Source")?;
    }
    if mode != 0 {
        let index = c.u8().map_err(|Truncated| "Key Index")?;
        if shown {
            put!(p, "KeyIndex 0x", HexFull(index), ", ");
        }
    }
    Ok(Security { level })
}

/// Who made the key.
fn source(p: &mut Out<'_>, c: &mut Cursor<'_>, mode: u8) -> Result<(), Truncated> {
    let shown = p.verbose(2);
    if mode == 2 {
        c.need(4)?;
        let [network, address] = [c.u16_le()?, c.u16_le()?];
        if shown {
            // compat: a slip of a format leaves its "4x" in the text (4.99.3).
            put!(
                p,
                "KeySource 0x",
                HexFull(network),
                ":",
                Hex(address),
                "4x, "
            );
        }
        return Ok(());
    }
    // compat: tcpdump goes on four bytes too early (4.99.3).
    let mut ahead = *c;
    let mut address = ahead.array::<8>()?;
    c.skip(4)?;
    address.reverse();
    if shown {
        put!(p, "KeySource ", Pairs(&address, ':'), ", ");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn says_which_key() {
        check(
            LinkType::IEEE802_15_4_NOFCS,
            "498805cdab111122220d 01000000 07 61626364 deadbeef",
            style(2),
            "IEEE 802.15.4 Data packet v0 seq 05 abcd:1111 < -:2222 \n\tSecurity Level 5, Key Id Mode 1, Frame Counter 0x00000001 KeyIndex 0x07, \n\t0x0000:  6162 6364                                abcd\n",
        );
    }
}
