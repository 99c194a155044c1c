//! HPACK's code for text (RFC 7541 appendix B).
//!
//! The code is canonical: codes of the same length follow one another in the order of their
//! bytes, and shorter ones come first. So the lengths say it all.

/// The longest code in bits.
const LONGEST: usize = 30;

/// Bits of each byte's code.
#[rustfmt::skip]
const LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

/// How codes of each length are turned into bytes.
struct Code {
    /// Of each length: how many codes there are, the first of them, and where its byte stands.
    lengths: [(u32, u32, usize); LONGEST + 1],
    /// Bytes in the order of their codes.
    bytes: [u8; 256],
}

static CODE: Code = code();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "done by the compiler, which would refuse what is out of range"
)]
const fn code() -> Code {
    let mut code = Code {
        lengths: [(0, 0, 0); LONGEST + 1],
        bytes: [0; 256],
    };
    let (mut next, mut place, mut length) = (0, 0, 1);
    while length <= LONGEST {
        next <<= 1;
        code.lengths[length] = (0, next, place);
        let mut byte = 0;
        while byte < 256 {
            if LENGTHS[byte] as usize == length {
                code.bytes[place] = byte as u8;
                code.lengths[length].0 += 1;
                place += 1;
                next += 1;
            }
            byte += 1;
        }
        length += 1;
    }
    code
}

/// Appends the text; `None` if it is not of that code. At most 8 bytes come of 5.
pub fn decode(coded: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (mut bits, mut length) = (0_u32, 0_usize);
    for &byte in coded {
        for shift in (0..8).rev() {
            bits = bits << 1 | u32::from(byte >> shift & 1);
            length += 1;
            let &(count, first, place) = CODE.lengths.get(length)?;
            let nth = bits.wrapping_sub(first);
            if nth < count {
                out.push(*CODE.bytes.get(place + usize::try_from(nth).ok()?)?);
                (bits, length) = (0, 0);
            }
        }
    }
    // What is left is the start of the longest code, which has only ones.
    (length < 8 && bits == (1 << length) - 1).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_but_one_is_taken() {
        let room: u64 = LENGTHS
            .iter()
            .map(|&length| 1 << (LONGEST - usize::from(length)))
            .sum();
        // The last code ends the text and is not to appear.
        assert_eq!(room, (1 << LONGEST) - 1);
    }

    #[test]
    fn examples_of_the_rfc() {
        let check = |coded: &[u8], expected: Option<&str>| {
            let mut out = Vec::new();
            let decoded = decode(coded, &mut out).map(|()| String::from_utf8(out).unwrap());
            assert_eq!(decoded.as_deref(), expected);
        };
        // RFC 7541 appendix C.4.
        check(
            &[
                0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff,
            ],
            Some("www.example.com"),
        );
        check(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf], Some("no-cache"));
        check(
            &[0x25, 0xa8, 0x49, 0xe9, 0x5b, 0xa9, 0x7d, 0x7f],
            Some("custom-key"),
        );
        check(&[], Some(""));
        check(&[0xff, 0xff, 0xff, 0xff], None);
        // Padding with zeros.
        check(&[0b0001_1000], None);
    }
}
