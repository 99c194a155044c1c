//! Lines about what a connection carries.
//!
//! Every byte of it was chosen by somebody else: only printable ASCII reaches the screen as it
//! is, the rest as `\xNN`, a backslash as `\\`.

use std::io::Write as _;

use crate::locate::End;

/// Bytes of a text that are shown at most.
const LONGEST: usize = 8192;

/// Lines of one packet, each begun by a newline and a tab.
#[derive(Debug, Default)]
pub struct Lines {
    pub out: Vec<u8>,
    /// Show details too (`-v`).
    pub verbose: bool,
    /// The ends that each line is to name: what the packet's own do not say.
    ends: Option<(End, End)>,
    /// Bytes of application data that no line has told of.
    data: u64,
    /// Their first line, where it is text.
    first: Vec<u8>,
}

impl Lines {
    pub fn new(verbose: bool) -> Self {
        Self {
            verbose,
            ..Self::default()
        }
    }

    /// From here on lines are about what passed from one end to the other; without ends, about
    /// the packet that they stand under.
    pub fn about(&mut self, ends: Option<(End, End)>) {
        if self.ends != ends {
            self.data_line();
            self.ends = ends;
        }
    }

    /// Begins a line; what follows is appended to `out`.
    pub fn begin(&mut self) {
        self.data_line();
        self.start();
    }

    fn start(&mut self) {
        self.out.extend_from_slice(b"\n\t");
        if let Some((from, to)) = self.ends {
            self.end(from);
            self.out.extend_from_slice(b" > ");
            self.end(to);
            self.out.extend_from_slice(b": ");
        }
    }

    fn end(&mut self, (ip, port): End) {
        let _ = write!(self.out, "{ip}.{port}");
    }

    /// A line of its own.
    pub fn line(&mut self, words: std::fmt::Arguments<'_>) {
        self.begin();
        let _ = self.out.write_fmt(words);
    }

    /// Appends text of a stranger.
    pub fn text(&mut self, text: &[u8]) {
        escape(&mut self.out, text);
    }

    /// A line below the last one.
    pub fn field(&mut self, name: &[u8], value: &[u8]) {
        self.out.extend_from_slice(b"\n\t  ");
        escape(&mut self.out, name);
        self.out.extend_from_slice(b": ");
        escape(&mut self.out, value);
    }

    /// So many bytes of data no line tells of; with `text` its first line is shown, if it is text.
    pub fn data(&mut self, data: &[u8], text: bool) {
        if self.data == 0 && text {
            self.first.extend_from_slice(first_line(data));
        }
        let count = u64::try_from(data.len()).unwrap_or(u64::MAX);
        self.data = self.data.saturating_add(count);
    }

    fn data_line(&mut self) {
        let count = std::mem::take(&mut self.data);
        if count == 0 {
            return;
        }
        let first = std::mem::take(&mut self.first);
        self.start();
        let plural = if count == 1 { "" } else { "s" };
        let _ = write!(self.out, "TLS: {count} byte{plural} of data");
        if !first.is_empty() {
            self.out.extend_from_slice(b": ");
            escape(&mut self.out, &first);
        }
    }

    /// Ends the lines of a packet.
    pub fn finish(&mut self) {
        self.data_line();
        self.ends = None;
    }
}

/// The first line of text, empty if the data is none.
fn first_line(data: &[u8]) -> &[u8] {
    const SHOWN: usize = 200;
    let shown = data.get(..SHOWN).unwrap_or(data);
    let end = shown
        .iter()
        .position(|&byte| byte == b'\r' || byte == b'\n');
    let line = shown.get(..end.unwrap_or(shown.len())).unwrap_or_default();
    let printable = |&byte: &u8| byte.is_ascii_graphic() || byte == b' ' || byte == b'\t';
    if line.iter().all(printable) {
        line
    } else {
        &[]
    }
}

fn escape(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text.iter().take(LONGEST) {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b' '..=b'~' => out.push(byte),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    if text.len() > LONGEST {
        out.extend_from_slice(b"...");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor() {
        let mut lines = Lines::default();
        lines.begin();
        lines.text(b"a\x1b[2Jb\\c\r\nd\x9b\xe2\x80\xae\x7f");
        lines.field(b"x\n", b"\t");
        let expected = "\n\ta\\x1b[2Jb\\\\c\\x0d\\x0ad\\x9b\\xe2\\x80\\xae\\x7f\n\t  x\\x0a: \\t";
        assert_eq!(String::from_utf8(lines.out).unwrap(), expected);
    }

    #[test]
    fn data_is_counted_up_to_the_next_line() {
        let mut lines = Lines::default();
        lines.data(b"EHLO x\r\nmore", true);
        lines.data(b"z", true);
        lines.line(format_args!("HTTP"));
        lines.data(b"\0", true);
        lines.finish();
        let expected = "\n\tTLS: 13 bytes of data: EHLO x\n\tHTTP\n\tTLS: 1 byte of data";
        assert_eq!(String::from_utf8(lines.out).unwrap(), expected);
    }
}
