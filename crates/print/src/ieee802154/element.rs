//! Information elements (section 7.4), in the header and before the payload.

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, lookup};
use crate::put::{Hex, HexFull, put};

/// The element that ends those of the header; elements before the payload follow.
const PAYLOAD_FOLLOWS: u16 = 0x7e;
/// The element that ends those of the header; the payload follows.
const NO_PAYLOAD: u16 = 0x7f;
/// The element that ends those before the payload.
const LIST_END: u16 = 15;

static HEADER: &[(u16, &str)] = &[
    (0x00, "Vendor Specific Header IE"),
    (0x1a, "LE CSL IE"),
    (0x1b, "LE RIT IE"),
    (0x1c, "DSME PAN descriptor IE"),
    (0x1d, "Rendezvous Time IE"),
    (0x1e, "Time Correction IE"),
    (0x21, "Extended DSME PAN descriptor IE"),
    (0x22, "Fragment Sequence Context Description IE"),
    (0x23, "Simplified Superframe Specification IE"),
    (0x24, "Simplified GTS Specification IE"),
    (0x25, "LECIM Capabilities IE"),
    (0x26, "TRLE Descriptor IE"),
    (0x27, "RCC Capabilities IE"),
    (0x28, "RCCN Descriptor IE"),
    (0x29, "Global Time IE"),
    (0x2a, "Omnibus Header IE"),
    (0x2b, "DA IE"),
    (PAYLOAD_FOLLOWS, "Header Termination 1 IE"),
    (NO_PAYLOAD, "Header Termination 2 IE"),
];

static PAYLOAD: &[(u16, &str)] = &[
    (0, "ESDU IE"),
    (1, "MLME IE"),
    (2, "Vendor Specific Nested IE"),
    (3, "Multiplexed IE (802.15.9)"),
    (4, "Omnibus Payload Group IE"),
    (5, "IETF IE"),
    (LIST_END, "List termination"),
];

/// All of a frame; the error says what is cut.
pub(super) fn all(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    encrypted: bool,
) -> Result<(), &'static str> {
    if header(p, c)? != PAYLOAD_FOLLOWS {
        return Ok(());
    }
    if encrypted {
        put!(p, "Payload IEs present, but encrypted, cannot print ");
        return Ok(());
    }
    payload(p, c)
}

/// Those of the header; the last one's number.
fn header(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<u16, &'static str> {
    loop {
        let word = c.u16_le().map_err(|Truncated| "header IE")?;
        let (length, id) = (word & 0x7f, word >> 7 & 0xff);
        if word & 0x8000 != 0 {
            put!(p, "[ERROR: Header IE with type 1] ");
        }
        if id < 0x80 {
            name(p, HEADER, id);
            if length != 0 {
                put!(p, " length = ", length, ", ");
            }
        } else {
            let id = Hex(id);
            put!(p, "Reserved Element ID ", id, ", length = ", length, " ");
        }
        data(p, c, length)?;
        put!(p, "] ");
        if matches!(id, PAYLOAD_FOLLOWS | NO_PAYLOAD) || c.is_empty() {
            return Ok(id);
        }
    }
}

fn payload(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<(), &'static str> {
    loop {
        let word = c.u16_le().map_err(|Truncated| "header IE")?;
        // compat: of the eleven bits of the length tcpdump reads ten (4.99.3).
        let (length, id) = (word & 0x3ff, word >> 11 & 15);
        if word & 0x8000 == 0 {
            put!(p, "[ERROR: Payload IE with type 0] ");
        }
        name(p, PAYLOAD, id);
        if length != 0 {
            put!(p, " length = ", length, ", ");
        }
        data(p, c, length)?;
        put!(p, "]\n\t");
        if id == LIST_END || c.is_empty() {
            return Ok(());
        }
    }
}

/// The name of an element and the bracket that opens before what it holds.
fn name(p: &mut Out<'_>, names: &[(u16, &'static str)], id: u16) {
    put!(p, "\n\t");
    match (lookup(names, id), u8::try_from(id)) {
        (Some(name), _) => put!(p, name),
        (None, Ok(id)) => put!(p, "Reserved 0x", HexFull(id)),
        (None, Err(_)) => put!(p, "Reserved 0x", Hex(id)),
    }
    put!(p, " [");
}

fn data(p: &mut Out<'_>, c: &mut Cursor<'_>, length: u16) -> Result<(), &'static str> {
    let bytes = c.take(usize::from(length)).map_err(|Truncated| "IE data")?;
    if !bytes.is_empty() {
        put!(p, "IE Data = ");
        for &byte in bytes {
            put!(p, HexFull(byte), " ");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn in_the_header_and_behind_it() {
        check(
            LinkType::IEEE802_15_4_NOFCS,
            "41aa05cdab11112222020dabcd 003f 0188aa 00f8",
            style(0),
            "IEEE 802.15.4 Data packet v2 abcd:1111 < -:2222 \n\tLE CSL IE [ length = 2, IE Data = ab cd ] \n\tHeader Termination 1 IE [] \n\tMLME IE [ length = 1, IE Data = aa ]\n\t\n\tList termination []\n\t\n",
        );
    }
}
