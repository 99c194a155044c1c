//! As much of protocol buffers as the runtimes' messages take.
//!
//! Source: protobuf.dev, "Encoding".

use pktwho_packet::Label;

/// The fields of a message that hold bytes, strings or messages, by number; others are passed
/// over. What cannot be read ends it.
pub fn fields(message: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut rest = message;
    std::iter::from_fn(move || {
        loop {
            let tag = varint(&mut rest)?;
            match tag & 7 {
                0 => drop(varint(&mut rest)?),
                1 => rest = rest.get(8..)?,
                2 => {
                    let length = usize::try_from(varint(&mut rest)?).ok()?;
                    let (value, after) = rest.split_at_checked(length)?;
                    rest = after;
                    return Some((tag >> 3, value));
                }
                5 => rest = rest.get(4..)?,
                _ => return None,
            }
        }
    })
}

/// The last of a field, empty when it is not there.
pub fn field(message: &[u8], number: u64) -> &[u8] {
    let values = fields(message).filter(|&(found, _)| found == number);
    values.last().map_or(&[], |(_, value)| value)
}

/// A field that is a map of strings, in the order of its keys.
pub fn map(message: &[u8], number: u64) -> Vec<Label> {
    let entries = fields(message).filter(|&(found, _)| found == number);
    let mut map: Vec<Label> = entries
        .map(|(_, entry)| (field(entry, 1).to_vec(), field(entry, 2).to_vec()))
        .collect();
    map.sort_unstable();
    map
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Appends a field that holds bytes, for the short messages that we send.
pub fn put(out: &mut Vec<u8>, number: u8, value: &[u8]) {
    out.push(number << 3 | 2);
    let mut length = value.len();
    while length > 0x7f {
        out.push(u8::try_from(length & 0x7f).unwrap_or(0) | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap_or(0));
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read() {
        let mut message = Vec::new();
        put(&mut message, 1, b"first");
        // A number, eight bytes and four, to be passed over.
        message.extend([2 << 3, 0xff, 0x01]);
        message.extend([3 << 3 | 1, 1, 2, 3, 4, 5, 6, 7, 8]);
        message.extend([4 << 3 | 5, 1, 2, 3, 4]);
        let long = vec![b'x'; 300];
        put(&mut message, 5, &long);
        for (key, value) in [(b"b", b"2"), (b"a", b"1")] {
            let mut entry = Vec::new();
            put(&mut entry, 1, key);
            put(&mut entry, 2, value);
            put(&mut message, 6, &entry);
        }
        assert_eq!(field(&message, 1), b"first");
        assert_eq!(field(&message, 5), long);
        assert_eq!(field(&message, 7), b"");
        let expected = vec![
            (b"a".to_vec(), b"1".to_vec()),
            (b"b".to_vec(), b"2".to_vec()),
        ];
        assert_eq!(map(&message, 6), expected);
        // However it is cut, it ends.
        for length in 0..message.len() {
            let cut = message.get(..length).unwrap();
            assert!(fields(cut).count() <= 4);
        }
        assert_eq!(fields(&[0xff; 64]).count(), 0);
    }
}
