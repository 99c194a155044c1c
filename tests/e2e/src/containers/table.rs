//! The table of containers: every row in every runtime, judged by the truth.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Instant;

use anyhow::{Result, bail, ensure};

use super::Lacking;
use super::rows::{ENGINE_ROWS, POD_ROWS};
use super::scene::{Judged, Scene};
use crate::cases::Outcome;
use crate::lab::Lab;

/// How the table is wanted.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only rows whose name holds one of these; all when empty.
    pub filter: Vec<String>,
    /// Print every complaint, not only the first ones.
    pub verbose: bool,
}

/// A row of one runtime.
pub struct Row {
    pub name: String,
    pub about: &'static str,
    play: Box<Play>,
}

type Play = dyn Fn(&Lab) -> Result<Judged>;

/// All rows of all runtimes.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for engine in ["docker", "podman"] {
        for row in ENGINE_ROWS {
            let play = move |lab: &Lab| {
                let runtimes = &lab.runtimes;
                let (host, _) = runtimes.host(lab)?;
                let engine = match engine {
                    "docker" => runtimes.docker(lab)?,
                    _ => runtimes.podman(lab)?,
                };
                let mut scene = Scene::new(lab, host);
                (row.play)(&mut scene, engine)?;
                scene.judge()
            };
            rows.push(Row {
                name: format!("{engine}/{}", row.name),
                about: row.about,
                play: Box::new(play),
            });
        }
    }
    for row in POD_ROWS {
        let play = |lab: &Lab| {
            let (host, _) = lab.runtimes.host(lab)?;
            let cri = lab.runtimes.cri(lab)?;
            let mut scene = Scene::new(lab, host);
            (row.play)(&mut scene, cri)?;
            scene.judge()
        };
        rows.push(Row {
            name: format!("containerd/{}", row.name),
            about: row.about,
            play: Box::new(play),
        });
    }
    rows
}

impl Row {
    /// As a test case.
    pub fn case(&self, lab: &Lab) -> Result<Outcome> {
        let judged = match (self.play)(lab) {
            Err(error) if error.is::<Lacking>() => {
                return Ok(Outcome::Skipped(format!("{error}")));
            }
            judged => judged?,
        };
        if !judged.is_good() {
            let mut complaints = judged.complaints.iter();
            let lines: Vec<String> = complaints
                .by_ref()
                .take(3)
                .map(|(what, count)| format!("{count} times {what}"))
                .collect();
            bail!("{:?}: {}", judged.tally, lines.join("; "));
        }
        Ok(Outcome::Measured(format!(
            "{} packets",
            judged.tally.packets
        )))
    }
}

impl Judged {
    /// Nothing wrong, and nothing empty.
    fn is_good(&self) -> bool {
        let tally = &self.tally;
        tally.packets > 0 && tally.wrong + tally.empty + tally.unowned == 0
    }
}

/// Plays and prints the table; whether every row is as it should be.
pub fn run(lab: &Lab, options: &Options) -> Result<bool> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:28} {:>7} | {:>6} {:>6} {:>9} {:>6} | {:>4}",
        "row", "packets", "right", "empty", "no owner", "wrong", "s"
    )?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let wanted = |row: &Row| {
        let named = |part: &String| row.name.contains(part.as_str());
        options.filter.is_empty() || options.filter.iter().any(named)
    };
    for row in rows().iter().filter(|row| wanted(row)) {
        let start = Instant::now();
        let judged = match (row.play)(lab) {
            Ok(judged) => judged,
            Err(error) => {
                let is_lacking = error.is::<Lacking>();
                let word = if is_lacking { "skipped" } else { "broken" };
                // One line; a usage text or a backtrace is long.
                let error = format!("{error:#}");
                let line = error.lines().next().unwrap_or_default();
                writeln!(out, "{:28} {word}: {line}", row.name)?;
                *counts.entry(word).or_default() += 1;
                continue;
            }
        };
        let is_good = judged.is_good();
        let tally = judged.tally;
        writeln!(
            out,
            "{:28} {:7} | {:6} {:6} {:9} {:6} | {:4.1}{}",
            row.name,
            tally.packets,
            tally.right,
            tally.empty,
            tally.unowned,
            tally.wrong,
            start.elapsed().as_secs_f32(),
            if is_good { "" } else { "  <--" }
        )?;
        if !is_good {
            writeln!(out, "    ({})", row.about)?;
        }
        let most = if options.verbose { usize::MAX } else { 6 };
        for (what, count) in judged.complaints.iter().take(most) {
            writeln!(out, "    {count} times {what}")?;
        }
        let word = if is_good { "perfect" } else { "broken" };
        *counts.entry(word).or_default() += 1;
    }
    let counts_shown: Vec<String> = counts
        .iter()
        .map(|(word, n)| format!("{n} {word}"))
        .collect();
    writeln!(out, "{}", counts_shown.join(", "))?;
    ensure!(!counts.is_empty(), "no such row");
    Ok(!counts.contains_key("broken"))
}
