//! HPACK: header fields of HTTP/2 (RFC 7541).

use std::collections::VecDeque;

use crate::huffman;

/// The table's size before anything is said of it.
const SIZE_DEFAULT: usize = 4096;
/// We keep no more, whatever the peers agree on: references to older fields are unknown then.
const SIZE_MAX: usize = 64 * 1024;
/// What a field counts beside its bytes.
const OVERHEAD: usize = 32;
/// Bytes of text that come of one block at most: short references stand for long fields.
const TEXT_MAX: usize = 128 * 1024;

/// Fields that need not be sent (appendix A), from index 1 on.
#[rustfmt::skip]
static STATIC: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"),
    (":path", "/index.html"), (":scheme", "http"), (":scheme", "https"), (":status", "200"),
    (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"),
    (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""),
    ("accept", ""), ("access-control-allow-origin", ""), ("age", ""), ("allow", ""),
    ("authorization", ""), ("cache-control", ""), ("content-disposition", ""),
    ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""),
    ("date", ""), ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""),
    ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""),
    ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""),
    ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""),
    ("range", ""), ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""),
    ("set-cookie", ""), ("strict-transport-security", ""), ("transfer-encoding", ""),
    ("user-agent", ""), ("vary", ""), ("via", ""), ("www-authenticate", ""),
];

/// What stands for a field that was sent when nobody looked.
pub const UNKNOWN: &[u8] = b"?";

/// A name and a value.
type Field = (Box<[u8]>, Box<[u8]>);

/// Decodes the header blocks of one direction. Its memory is bounded.
#[derive(Debug)]
pub struct Hpack {
    /// The newest first.
    table: VecDeque<Field>,
    size: usize,
    size_max: usize,
}

impl Default for Hpack {
    fn default() -> Self {
        Self {
            table: VecDeque::new(),
            size: 0,
            size_max: SIZE_DEFAULT,
        }
    }
}

impl Hpack {
    /// Hands each field of a block to `each`, as far as the block can be read; whether that was
    /// to its end.
    pub fn block(&mut self, block: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) -> bool {
        let mut rest = block;
        let mut text = 0_usize;
        while !rest.is_empty() && text <= TEXT_MAX {
            match self.field(&mut rest, each) {
                Some(length) => text = text.saturating_add(length),
                None => return false,
            }
        }
        rest.is_empty()
    }

    /// Blocks were missed: fields from before are not known. What is added from now on has its
    /// right index all the same, as the newest has the lowest.
    pub fn forget(&mut self) {
        self.table.clear();
        self.size = 0;
        self.size_max = SIZE_MAX;
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.size
    }

    /// The bytes of a field.
    fn field(&mut self, rest: &mut &[u8], each: &mut dyn FnMut(&[u8], &[u8])) -> Option<usize> {
        let first = *rest.first()?;
        if first & 0x80 != 0 {
            let index = integer(rest, 7)?;
            let (name, value) = self.indexed(index)?;
            each(name, value);
            return Some(name.len() + value.len());
        }
        if first & 0xe0 == 0x20 {
            self.size_max = integer(rest, 5)?.min(SIZE_MAX);
            self.evict(0);
            return Some(0);
        }
        let added = first & 0x40 != 0;
        let index = integer(rest, if added { 6 } else { 4 })?;
        let name: Box<[u8]> = match index {
            0 => string(rest)?.into(),
            _ => self.indexed(index)?.0.into(),
        };
        let value = string(rest)?;
        each(&name, &value);
        let length = name.len() + value.len();
        if added {
            self.add(name, value.into());
        }
        Some(length)
    }

    /// An entry of both tables.
    fn indexed(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let index = index.checked_sub(1)?;
        if let Some((name, value)) = STATIC.get(index) {
            return Some((name.as_bytes(), value.as_bytes()));
        }
        let entry = self.table.get(index - STATIC.len());
        Some(entry.map_or((UNKNOWN, UNKNOWN), |(name, value)| (name, value)))
    }

    fn add(&mut self, name: Box<[u8]>, value: Box<[u8]>) {
        let size = name.len() + value.len() + OVERHEAD;
        self.evict(size);
        if size <= self.size_max {
            self.size += size;
            self.table.push_front((name, value));
        }
    }

    /// Makes room for so many bytes.
    fn evict(&mut self, size: usize) {
        while self.size + size > self.size_max
            && let Some((name, value)) = self.table.pop_back()
        {
            self.size -= name.len() + value.len() + OVERHEAD;
        }
    }
}

/// A number that starts in the lowest bits of a byte (section 5.1); `None` if it ends too early
/// or is larger than any that could matter.
fn integer(rest: &mut &[u8], bits: u8) -> Option<usize> {
    let (&first, mut after) = rest.split_first()?;
    let most = (1_usize << bits) - 1;
    let mut value = usize::from(first) & most;
    if value == most {
        let mut shift = 0;
        loop {
            let (&byte, next) = after.split_first()?;
            after = next;
            value = value.checked_add(usize::from(byte & 0x7f) << shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
            if shift > 28 {
                return None;
            }
        }
    }
    *rest = after;
    Some(value)
}

/// A text, coded or not (section 5.2).
fn string(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let coded = rest.first()? & 0x80 != 0;
    let length = integer(rest, 7)?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    if !coded {
        return Some(text.to_vec());
    }
    let mut out = Vec::with_capacity(length * 8 / 5);
    huffman::decode(text, &mut out)?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::tests::bytes;

    fn check(hpack: &mut Hpack, hex: &str, expected: &str) {
        let mut text = String::new();
        let whole = hpack.block(&bytes(hex), &mut |name, value| {
            let (name, value) = (name.escape_ascii(), value.escape_ascii());
            let _ = write!(text, "{name}={value};");
        });
        assert!(whole, "{hex}");
        assert_eq!(text, expected);
    }

    /// RFC 7541 appendix C.4 and C.5.
    #[test]
    fn examples_of_the_rfc() {
        let mut hpack = Hpack::default();
        let request = ":method=GET;:scheme=http;:path=/;:authority=www.example.com;";
        check(
            &mut hpack,
            "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
            request,
        );
        let again = request.to_owned() + "cache-control=no-cache;";
        check(&mut hpack, "8286 84be 5886 a8eb 1064 9cbf", &again);
        assert_eq!(hpack.bytes(), 110);
        check(
            &mut hpack,
            "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
            ":method=GET;:scheme=https;:path=/index.html;:authority=www.example.com;\
             custom-key=custom-value;",
        );
        assert_eq!(hpack.bytes(), 164);

        let mut hpack = Hpack::default();
        // A table of 256 bytes, then C.5.1 and C.5.2, in which a field is pushed out.
        check(&mut hpack, "3fe101", "");
        check(
            &mut hpack,
            "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 \
             303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 \
             6f6d",
            ":status=302;cache-control=private;date=Mon, 21 Oct 2013 20:13:21 GMT;\
             location=https://www.example.com;",
        );
        assert_eq!(hpack.bytes(), 222);
        check(
            &mut hpack,
            "4803 3330 37c1 c0bf",
            ":status=307;cache-control=private;date=Mon, 21 Oct 2013 20:13:21 GMT;\
             location=https://www.example.com;",
        );
        assert_eq!(hpack.bytes(), 222);
    }

    #[test]
    fn what_was_missed_is_unknown() {
        let mut hpack = Hpack::default();
        hpack.forget();
        check(
            &mut hpack,
            "88 be 4001610162 be bf",
            ":status=200;?=?;a=b;a=b;?=?;",
        );
    }

    #[test]
    fn blocks_that_are_none_are_refused() {
        let ignore = &mut |_: &[u8], _: &[u8]| {};
        for hex in ["80", "40", "4001", "ffffffffffffffff", "0085", "408125"] {
            assert!(!Hpack::default().block(&bytes(hex), ignore), "{hex}");
        }
        // A long field, and references to it.
        let mut block = bytes("4001617fa11e");
        block.resize(block.len() + 4000, b'x');
        block.resize(block.len() + 5000, 0xbe);
        let mut text = 0;
        let whole = Hpack::default().block(&block, &mut |_, value| text += value.len());
        assert!(!whole && text <= TEXT_MAX + 4096);
    }
}
