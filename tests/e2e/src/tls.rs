//! The table of TLS secrets: what was read from running processes against the key logs that
//! the programs write themselves.
//!
//! Start reading at [`rows::Row`]. To add a case: one entry in a table there.

pub mod decrypt;
pub mod gone;
mod rows;
pub mod scene;
pub mod starts;

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write as _};

use anyhow::{Result, ensure};

use crate::cases::Outcome;
use crate::containers::Lacking;
use crate::lab::{Lab, installed};
pub use rows::{Row, all};

/// What of the table is played and shown.
#[derive(Clone, Copy, Default)]
pub struct Options {
    pub verbose: bool,
    /// Rows that take long as well.
    pub long: bool,
    /// Not the table, but so many starts of each program that is started meanwhile.
    pub starts: usize,
}

/// What a row came to.
#[derive(Debug)]
pub struct Judged {
    /// Secrets that the programs' own key logs name.
    truth: usize,
    /// How many of those were found.
    found: usize,
    /// Secrets that were found and that no program has.
    wrong: usize,
    /// Connections whose handshake was captured, and how many tshark decrypts from the capture
    /// alone.
    connections: usize,
    decrypted: usize,
    /// What the tool said when it ended.
    said: String,
}

impl Judged {
    fn new(
        truth: &BTreeSet<String>,
        found: &BTreeSet<String>,
        (connections, decrypted): (usize, usize),
        said: String,
    ) -> Self {
        Self {
            truth: truth.len(),
            found: truth.intersection(found).count(),
            wrong: found.difference(truth).count(),
            connections,
            decrypted,
            said,
        }
    }

    fn is_perfect(&self, row: &Row) -> bool {
        let is_whole = self.found == self.truth && self.decrypted == self.connections;
        self.is_right(row) && is_whole
    }

    /// Nothing is wrong, though something may be missing.
    fn is_right(&self, row: &Row) -> bool {
        let is_counted = match row.connections {
            rows::ANY => self.connections > 0,
            wanted => self.connections == wanted,
        };
        self.truth > 0 && self.wrong == 0 && is_counted
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.truth - self.found;
        write!(
            f,
            "{:6} {:6} {missing:8} {:6} | {:4}/{}",
            self.truth, self.found, self.wrong, self.decrypted, self.connections
        )
    }
}

/// The rows that are cases as well: those that need nothing that has to be fetched.
pub fn cases() -> impl Iterator<Item = &'static Row> {
    all().filter(|row| row.is_plain())
}

/// A row as a case.
pub fn case(lab: &Lab, row: &Row) -> Result<Outcome> {
    if let Some(missing) = lacking(row) {
        return Ok(Outcome::Skipped(format!("{missing} is missing")));
    }
    let judged = match play(lab, row) {
        Err(error) if error.is::<Lacking>() => {
            return Ok(Outcome::Skipped(format!("{error}")));
        }
        judged => judged?,
    };
    let fair = judged.is_perfect(row) || (row.lost && judged.is_right(row));
    ensure!(fair, "{judged}: {}", judged.said.trim());
    Ok(Outcome::Measured(judged.to_string()))
}

/// A race is run again when it is lost, since on a busy machine anybody may come late; not when
/// something is wrong.
fn play(lab: &Lab, row: &Row) -> Result<Judged> {
    for _ in 1..if row.race { RACES } else { 1 } {
        let judged = scene::play(lab, row)?;
        if judged.is_perfect(row) || !judged.is_right(row) {
            return Ok(judged);
        }
    }
    scene::play(lab, row)
}

/// How often a race may be run to be won once.
const RACES: usize = 5;

/// What is not here.
fn lacking(row: &Row) -> Option<String> {
    let mut needed = row.programs().chain(["openssl", "tshark"]);
    if let Some(program) = needed.find(|program| !installed(program)) {
        return Some(program.to_owned());
    }
    let is_there = |name: &&str| {
        let folder = scene::FIXTURES.as_ref();
        folder.is_some_and(|folder| folder.join(name).exists())
    };
    let name = row.fixtures().find(|name| !is_there(name))?;
    Some(format!("{name} of cargo xtask tls [--long]"))
}

/// Plays and prints the table. Gives whether every row that could be played is perfect.
pub fn run(lab: &Lab, filter: &[String], options: &Options) -> Result<bool> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:33} {:>6} {:>6} {:>8} {:>6} | decrypted",
        "row", "truth", "found", "missing", "wrong"
    )?;
    let (mut perfect, mut broken, mut skipped) = (0, 0, 0);
    for row in all().filter(|row| options.long || !row.long) {
        if !filter.is_empty() && !filter.iter().any(|part| row.name.contains(part.as_str())) {
            continue;
        }
        if let Some(missing) = lacking(row) {
            skipped += 1;
            writeln!(out, "{:33} skipped: {missing} is missing", row.name)?;
            continue;
        }
        match play(lab, row) {
            Ok(judged) => {
                let is_perfect = judged.is_perfect(row) || (row.lost && judged.is_right(row));
                let mark = if is_perfect { "" } else { "  <--" };
                writeln!(out, "{:33} {judged}{mark}", row.name)?;
                if options.verbose || !is_perfect {
                    for line in judged.said.lines() {
                        writeln!(out, "    {line}")?;
                    }
                }
                perfect += usize::from(is_perfect);
                broken += usize::from(!is_perfect);
            }
            Err(error) if error.is::<Lacking>() => {
                skipped += 1;
                writeln!(out, "{:33} skipped: {error}", row.name)?;
            }
            Err(error) => {
                broken += 1;
                writeln!(out, "{:33} not played: {error:#}  <--", row.name)?;
            }
        }
    }
    writeln!(
        out,
        "{} rows: {perfect} perfect, {broken} broken, {skipped} skipped",
        perfect + broken + skipped
    )?;
    Ok(perfect > 0 && broken == 0)
}
