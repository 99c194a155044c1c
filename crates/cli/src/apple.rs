//! `-k`: what is known of a packet beside its bytes, shown as Apple's tcpdump shows it: between
//! the time and the packet, `(en0, proc curl:4321, svc BE, out, so) `.
//!
//! Source of truth: Apple's tcpdump and its manual page. Characters that could disturb a
//! terminal are escaped, which it does not do.

use std::ffi::OsStr;
use std::fmt::Write as _;

use pktwho_capfile::{Apple, Block, Metadata, PktapProcess, uuid_text};
use pktwho_packet::{Direction, Packet};

/// The letters, in no order.
const LETTERS: &str = "INPSDCFUVftdcA";
/// What `-k` alone asks for.
const USUAL: &str = "INPSDCF";

/// What is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(String);

impl Default for Shown {
    fn default() -> Self {
        Self(USUAL.to_owned())
    }
}

/// Whether a word on the command line is an argument of `-k`.
pub fn is_letters(word: &OsStr) -> bool {
    word.to_str()
        .is_some_and(|word| !word.is_empty() && word.chars().all(|c| LETTERS.contains(c)))
}

impl Shown {
    /// Letters; nothing for the usual ones.
    ///
    /// # Errors
    /// The first letter that means nothing.
    pub fn parse(letters: &str) -> Result<Self, char> {
        match letters.chars().find(|&letter| !LETTERS.contains(letter)) {
            Some(unknown) => Err(unknown),
            None if letters.is_empty() => Ok(Self::default()),
            None if letters.contains('A') => Ok(Self(LETTERS.to_owned())),
            None => Ok(Self(letters.to_owned())),
        }
    }

    fn has(&self, letter: char) -> bool {
        self.0.contains(letter)
    }

    /// The line about a block that holds no packet, if it is to be shown.
    pub fn block(&self, block: &Block<'_>, out: &mut Vec<u8>) {
        if let Some(words) = self.has('V').then(|| block.words()).flatten() {
            out.extend_from_slice(escaped(words.as_bytes()).as_bytes());
            out.push(b'\n');
        }
    }

    /// What stands before the packet; replaces what `out` holds.
    pub fn packet(&self, packet: &Packet<'_>, metadata: &Metadata<'_>, out: &mut Vec<u8>) {
        out.clear();
        if self.0 == "V" {
            return;
        }
        let apple = Apple::of(packet, metadata);
        let items = match apple.comment.filter(|_| apple.only_comment) {
            Some(comment) => vec![escaped(comment)],
            None => self.items(packet, &apple),
        };
        out.push(b'(');
        out.extend_from_slice(items.join(", ").as_bytes());
        out.extend_from_slice(b") ");
    }

    fn items(&self, packet: &Packet<'_>, apple: &Apple<'_>) -> Vec<String> {
        let mut items = Vec::new();
        if self.has('I') && !packet.iface.name.is_empty() {
            items.push(escaped(packet.iface.name.as_bytes()));
        }
        for (word, process) in [("proc", apple.process), ("eproc", apple.effective)] {
            items.extend(process.and_then(|process| self.process(word, &process)));
        }
        if let Some(class) = apple.service_class.filter(|_| self.has('S')) {
            items.push(format!("svc {}", service_class(class)));
        }
        if self.has('D') {
            match packet.direction {
                Direction::In => items.push("in".to_owned()),
                Direction::Out => items.push("out".to_owned()),
                Direction::Unknown => {}
            }
        }
        if self.has('F') {
            let flags = [
                (1, "nf"),
                (2, "ka"),
                (4, "re"),
                (8, "so"),
                (16, "ch"),
                (32, "wk"),
            ];
            let set = flags.iter().filter(|(bit, _)| apple.flags & bit != 0);
            items.extend(set.map(|(_, name)| (*name).to_owned()));
        }
        let numbers = [
            ('f', "flowid", apple.flow_id),
            ('t', "ttag", u32::from(apple.trace_tag)),
            ('d', "dlt", apple.dlt),
            ('c', "cmpgc", apple.compression),
        ];
        let asked = numbers.iter().filter(|(letter, ..)| self.has(*letter));
        items.extend(asked.map(|(_, name, number)| format!("{name} 0x{number:x}")));
        if let Some(comment) = apple.comment.filter(|_| self.has('C')) {
            items.push(escaped(comment));
        }
        if let Some(reason) = apple.drop_reason {
            items.push(format!("drop 0x{reason:x}"));
        }
        if let Some(function) = apple.drop_function {
            let line = apple.drop_line.unwrap_or(0);
            items.push(format!("{}:{line}", escaped(function)));
        }
        items
    }

    /// `proc curl:4321:UUID`, as much of it as was asked for.
    fn process(&self, word: &str, process: &PktapProcess<'_>) -> Option<String> {
        let mut parts = Vec::new();
        if self.has('N') {
            parts.push(escaped(process.name));
        }
        if self.has('P') {
            parts.push(process.pid.to_string());
        }
        if let Some(uuid) = process.uuid.filter(|_| self.has('U')) {
            parts.push(uuid_text(&uuid));
        }
        (!parts.is_empty()).then(|| format!("{word} {}", parts.join(":")))
    }
}

fn service_class(class: u32) -> String {
    let name = match class {
        0 => "BE",
        100 => "BK_SYS",
        200 => "BK",
        300 => "RD",
        400 => "OAM",
        500 => "AV",
        600 => "RV",
        700 => "VI",
        800 => "VO",
        900 => "CTL",
        other => return other.to_string(),
    };
    name.to_owned()
}

/// Text fit for a terminal.
fn escaped(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control()
                || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            {
                out.extend(letter.escape_default());
            } else {
                out.push(letter);
            }
        }
        let _ = write!(out, "{}", chunk.invalid().escape_ascii());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_told_from_filters() {
        for (word, is) in [
            ("INP", true),
            ("V", true),
            ("tcp", false),
            ("-n", false),
            ("", false),
        ] {
            assert_eq!(is_letters(OsStr::new(word)), is, "{word}");
        }
        assert_eq!(Shown::parse("").unwrap(), Shown::default());
        assert_eq!(Shown::parse("INx"), Err('x'));
        assert!(Shown::parse("A").unwrap().has('V'));
    }

    #[test]
    fn nothing_disturbs_a_terminal() {
        assert_eq!(
            escaped(b"a\x1b[0m\n\xff\xc3\xa9"),
            "a\\u{1b}[0m\\n\\xff\u{e9}"
        );
        assert_eq!(service_class(100), "BK_SYS");
        assert_eq!(service_class(5), "5");
    }
}
