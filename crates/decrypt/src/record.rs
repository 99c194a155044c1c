//! TLS records out of a stream of bytes that may have holes (RFC 8446 section 5.1).

use pktwho_wire::Cursor;

use crate::pieces::fill;

/// Bytes of a record's header.
const HEADER: usize = 5;
/// The longest body: RFC 5246 allows 2048 bytes beyond the 16384 that are carried.
const BODY_MAX: usize = 16384 + 2048;
/// The shortest encrypted record, its header included; how many were lost is reckoned with it.
const SHORTEST: u64 = 5 + 1 + 8;

pub const CHANGE_CIPHER_SPEC: u8 = 20;
pub const HANDSHAKE: u8 = 22;
pub const APPLICATION_DATA: u8 = 23;

/// A record's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: u8,
    pub version: u16,
    /// Bytes of the body.
    pub length: usize,
}

impl Header {
    /// The header at the start of `bytes`; `None` if none can stand there.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(bytes);
        let header = Self {
            kind: c.u8().ok()?,
            version: c.u16().ok()?,
            length: c.u16().ok()?.into(),
        };
        let plausible = matches!(header.kind, CHANGE_CIPHER_SPEC..=APPLICATION_DATA)
            && matches!(header.version, 0x0300..=0x0304)
            && (1..=BODY_MAX).contains(&header.length);
        plausible.then_some(header)
    }

    /// Whether `bytes` start with an encrypted record, as far as that can be seen.
    pub fn encrypted(bytes: &[u8]) -> bool {
        Self::read(bytes).is_some_and(|header| {
            let after = bytes.get(HEADER + header.length..).unwrap_or_default();
            header.version == 0x0303
                && header.kind == APPLICATION_DATA
                && header.length > 16
                && (after.len() < HEADER || Self::read(after).is_some())
        })
    }
}

/// What comes out of the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Unit<'a> {
    Record(Header, &'a [u8]),
    /// A record of which bytes are missing, with the header that was seen of it.
    Broken(Header),
    /// At most so many records are missing.
    Lost(u64),
    /// No records are here.
    NotTls,
}

/// Splits one direction of a connection into records. Its memory is bounded.
#[derive(Debug, Default)]
pub struct Records {
    /// The record that is not complete.
    buffer: Vec<u8>,
    /// Bytes of a broken record still to come.
    skip: usize,
    /// After a loss: bytes passed over in search of a record.
    searching: Option<u64>,
    /// The buffer holds a record that was given out.
    done: bool,
}

impl Records {
    /// The next unit of `input`; to be called again until it is `None`. The input then is
    /// used up.
    pub fn next<'s, 'd: 's>(&'s mut self, input: &mut &'d [u8]) -> Option<Unit<'s>> {
        if std::mem::take(&mut self.done) {
            self.buffer.clear();
        }
        let there = input.len().min(self.skip);
        *input = input.get(there..).unwrap_or_default();
        self.skip -= there;
        if input.is_empty() {
            return None;
        }
        if self.searching.is_some() {
            return self.search(input);
        }
        if self.buffer.is_empty()
            && let Some(header) = Header::read(input)
            && let Some((record, rest)) = input.split_at_checked(HEADER + header.length)
        {
            *input = rest;
            return Some(Unit::Record(header, record.get(HEADER..)?));
        }
        fill(&mut self.buffer, input, HEADER)?;
        let Some(header) = Header::read(&self.buffer) else {
            self.buffer.clear();
            *input = &[];
            self.searching = Some(0);
            return Some(Unit::NotTls);
        };
        fill(&mut self.buffer, input, HEADER + header.length)?;
        self.done = true;
        Some(Unit::Record(header, self.buffer.get(HEADER..)?))
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.buffer.capacity()
    }

    /// After a loss: goes to the next place where an encrypted record may begin.
    fn search(&mut self, input: &mut &[u8]) -> Option<Unit<'static>> {
        let passed = self.searching?;
        let places = 0..input.len();
        let mut found = places.filter(|&at| input.get(at..).is_some_and(Header::encrypted));
        let Some(at) = found.next() else {
            self.searching = Some(passed.saturating_add(u64::try_from(input.len()).ok()?));
            *input = &[];
            return None;
        };
        *input = input.get(at..).unwrap_or_default();
        self.searching = None;
        let passed = passed.saturating_add(u64::try_from(at).ok()?);
        Some(Unit::Lost(passed / SHORTEST + 1))
    }

    /// `count` bytes of the stream are missing here. What is known of the record that they
    /// belong to.
    pub fn lost(&mut self, count: u64) -> Option<Unit<'static>> {
        if std::mem::take(&mut self.done) {
            self.buffer.clear();
        }
        if let Some(passed) = &mut self.searching {
            *passed = passed.saturating_add(count);
            return None;
        }
        let mut count = count;
        let skipped = count.min(u64::try_from(self.skip).unwrap_or(u64::MAX));
        self.skip -= usize::try_from(skipped).unwrap_or(self.skip);
        count -= skipped;
        if count == 0 {
            return None;
        }
        let header = Header::read(&self.buffer);
        let had = self.buffer.len();
        self.buffer.clear();
        let Some(header) = header else {
            self.searching = Some(count);
            return None;
        };
        let missing = (HEADER + header.length).saturating_sub(had);
        match usize::try_from(count) {
            Ok(count) if count <= missing => self.skip = missing - count,
            _ => {
                let missing = u64::try_from(missing).unwrap_or(0);
                self.searching = Some(count.saturating_sub(missing));
            }
        }
        Some(Unit::Broken(header))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut record = vec![kind, 3, 3];
        record.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        record.extend(body);
        record
    }

    fn stream() -> Vec<u8> {
        let mut stream = record(22, &[1; 40]);
        stream.extend(record(20, &[1]));
        for number in 0..5 {
            stream.extend(record(23, &[number; 100]));
        }
        stream
    }

    fn feed(records: &mut Records, mut piece: &[u8], found: &mut Vec<String>) {
        while let Some(unit) = records.next(&mut piece) {
            found.push(match unit {
                Unit::Record(header, body) => {
                    assert_eq!(header.length, body.len());
                    format!("{}:{}", header.kind, body[0])
                }
                other => format!("{other:?}"),
            });
        }
        assert!(piece.is_empty());
    }

    #[test]
    fn records_in_pieces_are_records() {
        let stream = stream();
        for size in 1..stream.len() {
            let (mut records, mut found) = (Records::default(), Vec::new());
            for piece in stream.chunks(size) {
                feed(&mut records, piece, &mut found);
            }
            let expected = ["22:1", "20:1", "23:0", "23:1", "23:2", "23:3", "23:4"];
            assert_eq!(found, expected, "{size}");
        }
    }

    #[test]
    fn a_hole_costs_the_records_it_touches() {
        let stream = stream();
        // The first bytes of the third encrypted record.
        let third = 45 + 6 + 2 * 105;
        let check = |from: usize, to: usize, expected: &[&str]| {
            let (mut records, mut found) = (Records::default(), Vec::new());
            feed(&mut records, &stream[..from], &mut found);
            found.extend(records.lost((to - from) as u64).map(|unit| match unit {
                Unit::Broken(header) => format!("broken {}", header.length),
                other => format!("{other:?}"),
            }));
            feed(&mut records, &stream[to..], &mut found);
            assert_eq!(found.split_off(4), expected, "{from}-{to}");
        };
        check(third + 5, third + 6, &["broken 100", "23:3", "23:4"]);
        check(third + 50, third + 105, &["broken 100", "23:3", "23:4"]);
        check(third, third + 105, &["Lost(8)", "23:3", "23:4"]);
        check(third + 2, third + 7, &["Lost(8)", "23:3", "23:4"]);
        check(third + 50, third + 210, &["broken 100", "Lost(8)", "23:4"]);
    }

    #[test]
    fn other_bytes_are_said_to_be_none() {
        let (mut records, mut found) = (Records::default(), Vec::new());
        feed(&mut records, b"GET / HTTP/1.1\r\n", &mut found);
        assert_eq!(found, ["NotTls"]);
        feed(&mut records, &record(23, &[5; 30]), &mut found);
        assert_eq!(found, ["NotTls", "Lost(1)", "23:5"]);
    }
}
