//! Any text in records that open: HTTP/1, HTTP/2 with its header blocks, handshake messages.
//!
//! `cargo xtask fuzz carried`

#![no_main]

use libfuzzer_sys::fuzz_target;
use pktwho_decrypt_fuzz::{Line, Seal};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

fuzz_target!(|data: &[u8]| {
    let Some((flags, mut rest)) = data.split_first() else {
        return;
    };
    let mut line = Line::new(flags & 1 != 0);
    line.greet();
    let mut seals = [Seal::new(0), Seal::new(1)];
    if flags & 2 != 0 {
        for (way, text) in [(0, PREFACE), (1, SETTINGS)] {
            let record = seals[way].record(text);
            line.send(way, &record);
        }
    }
    while let [what, length, after @ ..] = rest {
        let (text, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        let way = usize::from(what & 1);
        let record = seals[way].record(text);
        match what >> 1 & 7 {
            // Lost.
            0 => line.segment(
                way,
                0,
                0,
                0x10,
                &[],
                u16::try_from(record.len()).unwrap_or(0),
            ),
            // Cut in two.
            1 => {
                let (first, second) = record.split_at(record.len() / 2);
                line.send(way, first);
                line.send(way, second);
            }
            _ => line.send(way, &record),
        }
    }
    line.finish();
});
