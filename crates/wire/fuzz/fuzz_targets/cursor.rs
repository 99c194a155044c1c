//! Reads of any kind in any order: none leaves the bytes, none that fails moves the cursor, and
//! what is read is what stands there.
//!
//! `cargo xtask fuzz cursor`

#![no_main]

use libfuzzer_sys::fuzz_target;
use pktwho_wire::Cursor;

/// One read; what it gave, as the bytes it read.
fn read<'a>(cursor: &mut Cursor<'a>, what: u8, count: usize) -> Option<Vec<u8>> {
    let copied = |bytes: &'a [u8]| bytes.to_vec();
    match what % 12 {
        0 => cursor.u8().ok().map(|byte| vec![byte]),
        1 => cursor.u16().ok().map(|it| it.to_be_bytes().to_vec()),
        2 => cursor.u16_le().ok().map(|it| it.to_le_bytes().to_vec()),
        3 => cursor.u24().ok().map(|it| it.to_be_bytes()[1..].to_vec()),
        4 => cursor.u32().ok().map(|it| it.to_be_bytes().to_vec()),
        5 => cursor.u64().ok().map(|it| it.to_be_bytes().to_vec()),
        6 => cursor.u32_le().ok().map(|it| it.to_le_bytes().to_vec()),
        7 => cursor.array::<6>().ok().map(Vec::from),
        8 => cursor.sub(count).ok().map(|sub| copied(sub.rest())),
        9 => {
            let skipped = cursor.rest().get(..count).map(copied);
            cursor.skip(count).ok().and(skipped)
        }
        10 => {
            *cursor = cursor.limit(count);
            Some(Vec::new())
        }
        _ => cursor.take(count).ok().map(copied),
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&length, rest)) = data.split_first() else {
        return;
    };
    let (reads, bytes) = rest.split_at(usize::from(length).min(rest.len()));
    let mut cursor = Cursor::new(bytes);
    for pair in reads.chunks_exact(2) {
        let (position, before) = (cursor.position(), cursor.rest());
        let found = read(&mut cursor, pair[0], pair[1].into());
        let moved = cursor.position() - position;
        let expected = found.as_deref().unwrap_or_default();
        assert_eq!(moved, expected.len());
        assert_eq!(before.get(..moved), Some(expected));
        assert_eq!(cursor.remaining(), cursor.rest().len());
        assert_eq!(cursor.need(cursor.remaining() + 1).is_err(), true);
        assert!(cursor.position() + cursor.remaining() <= bytes.len());
    }
});
