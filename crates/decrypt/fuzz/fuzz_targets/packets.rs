//! Segments of any kind in any order, behind a handshake or not, and packets that are none.
//!
//! `cargo xtask fuzz packets`

#![no_main]

use libfuzzer_sys::fuzz_target;
use pktwho_decrypt_fuzz::Line;

fuzz_target!(|data: &[u8]| {
    let Some((greets, mut rest)) = data.split_first() else {
        return;
    };
    let mut line = Line::new(greets & 2 != 0);
    if greets & 1 != 0 {
        line.greet();
    }
    while let [what, seq, ack, flags, length, after @ ..] = rest {
        let (payload, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        let at = |byte: u8| 1000_u32.wrapping_add_signed(i32::from(byte.cast_signed()) * 16);
        let way = usize::from(what & 1);
        match what >> 1 & 3 {
            0 => line.send(way, payload),
            1 => line.packet(payload, (what >> 4).into()),
            _ => line.segment(way, at(*seq), at(*ack), *flags, payload, (what >> 4).into()),
        }
    }
    line.finish();
});
