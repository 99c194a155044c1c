//! The one table of flags: parsing, `-h`, `--help`, and the manual are all made from it.
//!
//! tcpdump's flags keep tcpdump's spelling and meaning; ours are long options. A new flag is
//! one entry in one of the groups below, and a field of [`Args`].
//! Source of truth: tcpdump(1) 4.99.3, and its messages and exit statuses.

mod capture;
mod completions;
mod containers;
mod decrypt;
mod files;
mod man;
mod owners;
mod secrets;
mod text;
mod usage;

use std::ffi::{OsStr, OsString};

pub use completions::completions;
pub use man::man;
pub use usage::{help, usage, version};

use crate::args::Args;
use crate::getopt::{Getopt, Item};

/// One flag, all there is to know of it.
#[derive(Debug)]
pub struct Flag {
    /// An ASCII character.
    pub short: Option<char>,
    /// Without the dashes.
    pub long: Option<&'static str>,
    /// What the value is called in texts; `None` for a flag without a value.
    pub value: Option<&'static str>,
    /// What it does, in one line.
    pub help: &'static str,
    /// The whole story, for the manual; empty when `help` says it all.
    pub man: &'static str,
    /// How it compares with the same flag of tcpdump.
    pub compat: Compat,
    /// Stores it. The error is the text to show, without the program's name.
    pub apply: fn(&mut Args, OsString) -> Result<(), String>,
}

/// How a flag compares with tcpdump's of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compat {
    /// Same spelling, same meaning.
    Same,
    /// The difference.
    Differs(&'static str),
    /// tcpdump has no such flag.
    Ours,
}

/// All flags, by group.
pub const TABLE: &[&[Flag]] = &[
    capture::FLAGS,
    owners::FLAGS,
    containers::FLAGS,
    files::FLAGS,
    secrets::FLAGS,
    decrypt::FLAGS,
    text::FLAGS,
];

/// The headings of the groups in [`TABLE`], in the same order.
pub const GROUPS: &[&str] = &[
    "What to capture",
    "Whose packets",
    "Containers and pods",
    "Files and counts",
    "TLS secrets",
    "Decryption",
    "How packets are shown",
];

/// Why a command line is refused. Both exit with status 1.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not made of flags as they are; the usage is shown too.
    Usage(String),
    /// A value is not one that its flag takes.
    Value(String),
}

/// Reads a command line (without the program's own name).
///
/// # Errors
/// The first thing that is wrong, in the order typed, as tcpdump finds it.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Args, Refusal> {
    let mut args = Args::default();
    for item in Getopt::new(TABLE, words.into_iter()) {
        match item.map_err(Refusal::Usage)? {
            Item::Flag(flag, value) => (flag.apply)(&mut args, value).map_err(Refusal::Value)?,
            Item::Word(word) => args.expression.push(word),
            Item::Command(words) => args.command = words,
        }
        if args.show.is_some() {
            break;
        }
    }
    Ok(args)
}

/// A whole number in a range, or the message made by `wrong`. Strict where tcpdump's `atoi`
/// takes `3x` for 3.
fn number<T>(
    value: &OsStr,
    range: std::ops::RangeInclusive<T>,
    wrong: impl Fn(&str) -> String,
) -> Result<T, String>
where
    T: std::str::FromStr + PartialOrd,
{
    value
        .to_str()
        .and_then(|text| text.trim_start().parse().ok())
        .filter(|number| range.contains(number))
        .ok_or_else(|| wrong(&value.to_string_lossy()))
}

/// The parts of a comma list; an empty part is an error of `wrong`.
fn list(value: &OsStr, wrong: impl Fn(&str) -> String) -> Result<Vec<&str>, String> {
    let text = value
        .to_str()
        .ok_or_else(|| wrong(&value.to_string_lossy()))?;
    text.split(',')
        .map(|part| {
            if part.is_empty() {
                Err(wrong(text))
            } else {
                Ok(part)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
