//! Addresses of the OSI network layer (ISO 8348) as text.

use crate::out::Out;
use crate::put::{HexFull, put};

const LONGEST: usize = 20;

/// `49.0001.1921.6800.1001.00`: a dot after the first byte and after every second one more.
pub(crate) fn nsap(p: &mut Out<'_>, bytes: &[u8]) {
    if bytes.is_empty() || bytes.len() > LONGEST {
        return put!(p, "isonsap_string: illegal length");
    }
    for (n, &byte) in bytes.iter().enumerate() {
        put!(p, HexFull(byte));
        if n % 2 == 0 && n + 1 < bytes.len() {
            put!(p, ".");
        }
    }
}
