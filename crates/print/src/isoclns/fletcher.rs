//! The checksum of OSI protocols (ISO 8473 annex C), which OSPF uses too.

/// What the two bytes at `at`, from the first of `bytes`, should be; the bytes there now do not
/// count. `None` if they are not among `bytes`.
pub(crate) fn should_be(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?;
    let (mut c0, mut c1) = (0_i64, 0_i64);
    for (n, &byte) in bytes.iter().enumerate() {
        let byte = if n == at || n == at + 1 { 0 } else { byte };
        c0 = (c0 + i64::from(byte)) % 255;
        c1 = (c1 + c0) % 255;
    }
    let behind = i64::try_from(bytes.len() - at).ok()?;
    let mut x = ((behind - 1) * c0 - c1).rem_euclid(255);
    let mut y = (c1 - behind * c0).rem_euclid(255);
    if x == 0 {
        x = 255;
    }
    if y == 0 {
        y = 255;
    }
    u16::try_from(x << 8 | y & 0xff).ok()
}

/// Whether `bytes` hold their own right checksum.
pub(crate) fn is_right(bytes: &[u8]) -> bool {
    let (mut c0, mut c1) = (0_u32, 0_u32);
    for &byte in bytes {
        c0 = (c0 + u32::from(byte)) % 255;
        c1 = (c1 + c0) % 255;
    }
    c0 == 0 && c1 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_checksum_is_found_and_right() {
        let mut bytes = *b"abcdefgh\0\0ijklmnop";
        let [high, low] = should_be(&bytes, 8).unwrap().to_be_bytes();
        assert!(!is_right(&bytes));
        bytes[8] = high;
        bytes[9] = low;
        assert!(is_right(&bytes));
        assert_eq!(should_be(&bytes, 17), None);
    }
}
