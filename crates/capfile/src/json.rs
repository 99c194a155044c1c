//! As much of JSON as our comments need, with strings that hold any bytes.
//!
//! Bytes that are not UTF-8 are written as the escapes `\udc80` to `\udcff`, one for each byte
//! 0x80 to 0xff: lone surrogates, which no UTF-8 text can contain. It is the mapping of Python's
//! `surrogateescape`, so `os.fsencode(json.loads(comment)["name"])` gives the bytes back.
//! Characters that could disturb a terminal or a line are escaped too.
//!
//! Source: RFC 8259; PEP 383. Promises for reading: no recursion deeper than [`MAX_DEPTH`],
//! nothing decoded is longer than its text.

/// Objects and arrays within each other that are followed.
const MAX_DEPTH: u32 = 8;

/// Appends `bytes` as a JSON string.
pub(crate) fn write_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            write_char(out, character);
        }
        for &byte in chunk.invalid() {
            write_escape(out, 0xdc00 | u16::from(byte));
        }
    }
    out.push(b'"');
}

fn write_char(out: &mut Vec<u8>, character: char) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\t' => out.extend_from_slice(b"\\t"),
        _ if is_disturbing(character) => {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                write_escape(out, *unit);
            }
        }
        _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Control characters, line separators and those that change the direction of text.
fn is_disturbing(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn write_escape(out: &mut Vec<u8>, unit: u16) {
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        let digit = char::from_digit(u32::from(unit >> shift & 0xf), 16).unwrap_or('0');
        out.extend_from_slice(digit.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Appends a number.
pub(crate) fn write_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(number.to_string().as_bytes());
}

/// Reads values off the front of a text. Every method is `None` where the text is not what it
/// expects; the reader is of no use after that.
#[derive(Debug)]
pub(crate) struct JsonReader<'a> {
    rest: &'a [u8],
    depth: u32,
}

impl<'a> JsonReader<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            depth: 0,
        }
    }

    /// Whether nothing but white space is left.
    pub(crate) fn at_end(&self) -> bool {
        self.rest.trim_ascii_start().is_empty()
    }

    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.first().copied()
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.byte())?;
        Some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.rest = self.rest.trim_ascii_start().strip_prefix(word)?;
        Some(())
    }

    pub(crate) fn boolean(&mut self) -> Option<bool> {
        if self.peek()? == b't' {
            self.word(b"true").map(|()| true)
        } else {
            self.word(b"false").map(|()| false)
        }
    }

    /// A number of decimal digits alone.
    pub(crate) fn number(&mut self) -> Option<u64> {
        self.peek()?;
        let digits = self
            .rest
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (digits, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    pub(crate) fn number32(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    /// A string as the bytes that [`write_string`] was given.
    pub(crate) fn string(&mut self) -> Option<Vec<u8>> {
        self.expect(b'"')?;
        let mut out = Vec::new();
        loop {
            let plain = self
                .rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\'))?;
            let (text, rest) = self.rest.split_at_checked(plain)?;
            out.extend_from_slice(text);
            self.rest = rest;
            if self.byte()? == b'"' {
                return Some(out);
            }
            self.escape(&mut out)?;
        }
    }

    /// What follows a backslash.
    fn escape(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let byte = match self.byte()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'u' => return self.unit_escape(out),
            _ => return None,
        };
        out.push(byte);
        Some(())
    }

    fn unit_escape(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let unit = self.unit()?;
        let character = match unit {
            0xdc80..=0xdcff => {
                out.push(u8::try_from(unit & 0xff).ok()?);
                return Some(());
            }
            0xd800..=0xdbff => {
                self.rest = self.rest.strip_prefix(b"\\u")?;
                let low = self.unit()?;
                char::decode_utf16([unit, low]).next()?.ok()?
            }
            _ => char::from_u32(u32::from(unit))?,
        };
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Some(())
    }

    fn unit(&mut self) -> Option<u16> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    /// An object; `field` reads the value of each key.
    pub(crate) fn object(
        &mut self,
        mut field: impl FnMut(&mut Self, &[u8]) -> Option<()>,
    ) -> Option<()> {
        self.list(b'{', b'}', |reader| {
            let key = reader.string()?;
            reader.expect(b':')?;
            field(reader, &key)
        })
    }

    /// An array; `element` reads each value.
    pub(crate) fn array(&mut self, element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.list(b'[', b']', element)
    }

    fn list(
        &mut self,
        open: u8,
        close: u8,
        mut element: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.expect(open)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        if self.peek()? != close {
            loop {
                element(self)?;
                if self.peek()? == close {
                    break;
                }
                self.expect(b',')?;
            }
        }
        self.depth -= 1;
        self.expect(close)
    }

    /// Any value, of no interest.
    pub(crate) fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' => self.object(|reader, _| reader.skip()),
            b'[' => self.array(Self::skip),
            b't' | b'f' => self.boolean().map(|_| ()),
            b'n' => self.word(b"null"),
            _ => self.skip_number(),
        }
    }

    fn skip_number(&mut self) -> Option<()> {
        let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
        let len = self.rest.iter().take_while(|byte| is_part(byte)).count();
        self.rest = self.rest.get(len..)?;
        (len > 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], text: &str) {
        let mut out = Vec::new();
        write_string(&mut out, bytes);
        assert_eq!(String::from_utf8(out.clone()).unwrap(), text);
        assert_eq!(JsonReader::new(&out).string().unwrap(), bytes);
    }

    #[test]
    fn strings_hold_any_bytes() {
        check(b"curl", r#""curl""#);
        check(b"a\"b\\c\n\t\x1b\x7f", r#""a\"b\\c\n\t\u001b\u007f""#);
        check("é \u{1f600}".as_bytes(), "\"é \u{1f600}\"");
        check("\u{202e}x\u{85}".as_bytes(), r#""\u202ex\u0085""#);
        check(
            b"\xff\xc3(\xed\xb2\x80",
            r#""\udcff\udcc3(\udced\udcb2\udc80""#,
        );
        check(b"\xf0\x9f\x98", r#""\udcf0\udc9f\udc98""#);
    }

    #[test]
    fn foreign_escapes_are_read() {
        let read = |text: &str| JsonReader::new(text.as_bytes()).string();
        assert_eq!(
            read(r#""\ud83d\ude00\/\r""#).unwrap(),
            "\u{1f600}/\r".as_bytes()
        );
        for bad in [
            r#""\ud83d""#,
            r#""\ud83dx""#,
            r#""\udc00""#,
            r#""\u12""#,
            r#""\u+123""#,
            r#""\x""#,
            r#""abc"#,
            "",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn unknown_values_are_passed_over() {
        let text = br#" {"a":[1,-2.5e3,{"x":null}],"b":true,"c":"\u00e9","n":7} "#;
        let mut reader = JsonReader::new(text);
        let mut found = None;
        let whole = reader.object(|reader, key| {
            if key == b"n" {
                found = reader.number();
                found.map(|_| ())
            } else {
                reader.skip()
            }
        });
        assert_eq!((whole, found, reader.at_end()), (Some(()), Some(7), true));
    }

    #[test]
    fn depth_is_bounded() {
        let text = "[".repeat(100_000);
        assert_eq!(JsonReader::new(text.as_bytes()).skip(), None);
    }
}
