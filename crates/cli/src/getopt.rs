//! Splits the words of a command line into flags, their values, and other words.
//!
//! Promises what GNU `getopt_long` gives to tcpdump, because people's fingers know it:
//! clustered flags (`-nni eth0`), values joined or apart (`-s0`, `-s 0`, `--pid=1`,
//! `--pid 1`), long names cut to any unique beginning, flags after other words, and the
//! same wording for what is wrong. One thing is ours: the words after `--` are the command
//! to run, not more of the filter expression.
//! Source of truth: getopt(3), and the messages of glibc 2.36 as tcpdump 4.99.3 shows them.

use std::ffi::{OsStr, OsString};
use std::iter::Peekable;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::flags::Flag;

/// A flag that takes the next word as its value if that word is one (Apple's `-k`).
const OPTIONAL: (char, fn(&OsStr) -> bool) = ('k', crate::apple::is_letters);

/// One thing found on a command line.
#[derive(Debug)]
pub enum Item<'t> {
    /// A flag with its value; the value is empty for a flag that takes none.
    Flag(&'t Flag, OsString),
    /// A word that belongs to no flag.
    Word(OsString),
    /// All that stood after `--`.
    Command(Vec<OsString>),
}

/// An iterator over a command line, in the order typed; it is not to be used after an error.
pub struct Getopt<'t, W: Iterator<Item = OsString>> {
    table: &'t [&'t [Flag]],
    words: Peekable<W>,
    /// What is left of a cluster of short flags.
    cluster: Vec<u8>,
}

impl<'t, W: Iterator<Item = OsString>> Getopt<'t, W> {
    pub fn new(table: &'t [&'t [Flag]], words: W) -> Self {
        Self {
            table,
            words: words.peekable(),
            cluster: Vec::new(),
        }
    }

    fn flags(&self) -> impl Iterator<Item = &'t Flag> + use<'t, W> {
        self.table.iter().copied().flatten()
    }

    /// The next flag of the cluster in hand.
    fn short(&mut self, letter: u8) -> Result<Item<'t>, String> {
        if char::from(letter) == OPTIONAL.0 && self.cluster.is_empty() {
            return self.optional();
        }
        let flag = self
            .flags()
            .find(|flag| flag.short == Some(char::from(letter)))
            .ok_or_else(|| format!("invalid option -- '{}'", show(&[letter])))?;
        if flag.value.is_none() {
            return Ok(Item::Flag(flag, OsString::new()));
        }
        let rest = std::mem::take(&mut self.cluster);
        let value = if rest.is_empty() {
            self.words.next()
        } else {
            Some(OsString::from_vec(rest))
        };
        let value =
            value.ok_or_else(|| format!("option requires an argument -- '{}'", show(&[letter])))?;
        Ok(Item::Flag(flag, value))
    }

    /// The flag whose value is optional, at the end of a cluster.
    fn optional(&mut self) -> Result<Item<'t>, String> {
        let flag = self.flags().find(|flag| flag.short == Some(OPTIONAL.0));
        let flag = flag.ok_or_else(|| format!("invalid option -- '{}'", OPTIONAL.0))?;
        let value = self.words.next_if(|word| (OPTIONAL.1)(word));
        Ok(Item::Flag(flag, value.unwrap_or_default()))
    }

    /// `typed` is what stood after the two dashes.
    fn long(&mut self, typed: &[u8]) -> Result<Item<'t>, String> {
        let equals = typed.iter().position(|&byte| byte == b'=');
        let (name, value) = match equals.and_then(|at| typed.split_at_checked(at)) {
            Some((name, value)) => (name, Some(value.get(1..).unwrap_or_default())),
            None => (typed, None),
        };
        let flag = self.named(name, typed)?;
        let long = flag.long.unwrap_or_default();
        match (flag.value, value) {
            (None, None) => Ok(Item::Flag(flag, OsString::new())),
            (None, Some(value)) if flag.short == Some(OPTIONAL.0) => {
                Ok(Item::Flag(flag, OsStr::from_bytes(value).to_owned()))
            }
            (None, Some(_)) => Err(format!("option '--{long}' doesn't allow an argument")),
            (Some(_), Some(value)) => Ok(Item::Flag(flag, OsStr::from_bytes(value).to_owned())),
            (Some(_), None) => match self.words.next() {
                Some(value) => Ok(Item::Flag(flag, value)),
                None => Err(format!("option '--{long}' requires an argument")),
            },
        }
    }

    /// The flag called `name`, or the only one whose name begins so.
    fn named(&self, name: &[u8], typed: &[u8]) -> Result<&'t Flag, String> {
        let long = |flag: &'t Flag| flag.long.unwrap_or_default();
        if let Some(flag) = self.flags().find(|flag| long(flag).as_bytes() == name) {
            return Ok(flag);
        }
        let mut matching = self
            .flags()
            .filter(|flag| flag.long.is_some() && long(flag).as_bytes().starts_with(name));
        match (matching.next(), matching.next()) {
            (None, _) => Err(format!("unrecognized option '--{}'", show(typed))),
            (Some(flag), None) => Ok(flag),
            (Some(first), Some(second)) => {
                let possible: Vec<String> = [first, second]
                    .into_iter()
                    .chain(matching)
                    .map(|flag| format!("'--{}'", long(flag)))
                    .collect();
                Err(format!(
                    "option '--{}' is ambiguous; possibilities: {}",
                    show(typed),
                    possible.join(" ")
                ))
            }
        }
    }
}

impl<'t, W: Iterator<Item = OsString>> Iterator for Getopt<'t, W> {
    /// The error is the text to show, without the program's name.
    type Item = Result<Item<'t>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(letter) = (!self.cluster.is_empty()).then(|| self.cluster.remove(0)) {
            return Some(self.short(letter));
        }
        let word = self.words.next()?;
        match word.as_bytes() {
            b"--" => Some(Ok(Item::Command(self.words.by_ref().collect()))),
            [b'-', b'-', typed @ ..] => Some(self.long(typed)),
            [b'-', letter, rest @ ..] => {
                self.cluster = rest.to_vec();
                Some(self.short(*letter))
            }
            _ => Some(Ok(Item::Word(word))),
        }
    }
}

/// Typed bytes as text fit for a terminal.
fn show(bytes: &[u8]) -> String {
    bytes
        .utf8_chunks()
        .flat_map(|chunk| {
            let valid = chunk.valid().chars().flat_map(|c| {
                let control = c.is_control();
                c.escape_default()
                    .filter(move |_| control)
                    .chain((!control).then_some(c))
            });
            let invalid = chunk.invalid().iter();
            valid.chain(invalid.flat_map(|byte| byte.escape_ascii().map(char::from)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::TABLE;

    /// A readable form of what was found: `-x=value`, `word`, `$ command`.
    fn parse(line: &str) -> Result<Vec<String>, String> {
        let words = line.split_whitespace().map(OsString::from);
        Getopt::new(TABLE, words)
            .map(|item| {
                Ok(match item? {
                    Item::Flag(flag, value) => {
                        let name = match flag.short {
                            Some(short) => format!("-{short}"),
                            None => format!("--{}", flag.long.unwrap()),
                        };
                        match flag.value {
                            Some(_) => format!("{name}={}", value.display()),
                            None => name,
                        }
                    }
                    Item::Word(word) => word.into_string().unwrap(),
                    Item::Command(words) => format!("$ {}", words.join(OsStr::new(" ")).display()),
                })
            })
            .collect()
    }

    fn check(line: &str, expected: &[&str]) {
        assert_eq!(parse(line).unwrap(), expected, "{line}");
    }

    fn check_error(line: &str, expected: &str) {
        assert_eq!(parse(line).unwrap_err(), expected, "{line}");
    }

    #[test]
    fn clusters_values_words_and_command() {
        check("-nni eth0", &["-n", "-n", "-i=eth0"]);
        check("-nnieth0 -s0", &["-n", "-n", "-i=eth0", "-s=0"]);
        check("-tttt -#", &["-t", "-t", "-t", "-t", "-#"]);
        check(
            "tcp port 80 -n and up",
            &["tcp", "port", "80", "-n", "and", "up"],
        );
        check("-r - -w -", &["-r=-", "-w=-"]);
        check("- x", &["-", "x"]);
        check("-i -n", &["-i=-n"]);
        check("-n -- curl -v --", &["-n", "$ curl -v --"]);
        check("--", &["$ "]);
    }

    #[test]
    fn long_names_may_be_cut_while_unique() {
        check("--interface=lo", &["-i=lo"]);
        check("--interface lo", &["-i=lo"]);
        check("--inter=lo --num", &["-i=lo", "-#"]);
        check("--pid=1,2", &["--pid=1,2"]);
        check("--pid=", &["--pid="]);
        check("--count", &["--count"]);
        check("--cou", &["--count"]);
        check("--direction=a=b", &["-Q=a=b"]);
    }

    #[test]
    fn wording_is_that_of_getopt() {
        check_error("-1", "invalid option -- '1'");
        check_error("-nPx", "invalid option -- 'P'");
        check_error("-n\x07", "invalid option -- '\\u{7}'");
        check_error("-c", "option requires an argument -- 'c'");
        check_error("-nr", "option requires an argument -- 'r'");
        check_error("--foo=3", "unrecognized option '--foo=3'");
        check_error("--count=3", "option '--count' doesn't allow an argument");
        check_error("--cou=3", "option '--count' doesn't allow an argument");
        check_error("--interf", "option '--interface' requires an argument");
        check_error(
            "--p",
            "option '--p' is ambiguous; possibilities: '--pid' '--pname' '--pod-name' '--podman-address' '--print' '--packet-buffered' '--print-sampling'",
        );
    }
}
