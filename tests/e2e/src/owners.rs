//! The table of owners: every row on every device in both families, judged by the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use anyhow::{Context, Result, bail, ensure};

use crate::cases::Outcome;
use crate::judge::{Complaint, Ends, Sort, Tally, grouped, judge_all};
use crate::lab::Lab;
use crate::rows::{GUESSED, Gap, ROWS, Row};
use crate::seen::Seen;
use crate::stage::{Family, Lacking, Place, Stage};

/// How the table is wanted.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only rows whose name holds one of these; all when empty.
    pub filter: Vec<String>,
    /// Print every complaint, and every packet of a row that has one.
    pub verbose: bool,
}

const WORDS: &str = " right  empty  guess  wrong";

/// What plays of a row came to.
#[derive(Default)]
struct Judged {
    plays: usize,
    sum: Tally,
    complaints: Vec<Complaint>,
    /// Why a play could not be.
    lacking: BTreeSet<String>,
    /// Packets, when they were asked for.
    packets: Vec<String>,
}

/// How a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Perfect,
    /// What is known to be missing is missing, and nothing else.
    KnownGap,
    /// Perfect, though a gap is known: it is closed, or a race that was won.
    NotSeen,
    Broken,
    Skipped,
}

impl Judged {
    fn add(&mut self, place: Place, played: Result<Self>) {
        match played {
            Ok(other) => {
                self.plays += 1;
                self.sum += other.sum;
                self.packets.extend(other.packets);
                self.complaints
                    .extend(other.complaints.into_iter().map(|complaint| Complaint {
                        text: format!("{}: {}", place.name(), complaint.text),
                        ..complaint
                    }));
            }
            Err(error) if error.downcast_ref::<Lacking>().is_some() => {
                self.lacking.insert(format!("{}: {error}", place.name()));
            }
            Err(error) => self.complaints.push(Complaint {
                sort: Sort::Missing,
                about: "play".to_owned(),
                text: format!("{}: not played: {error:#}", place.name()),
            }),
        }
    }

    fn standing(&self, row: &Row) -> Standing {
        let guess_is_fair = GUESSED.contains(&row.name);
        let mut bad = self.complaints.iter();
        let fair = |c: &Complaint| c.sort == Sort::Guessed && guess_is_fair;
        let known = |c: &Complaint| row.gap.as_ref().is_some_and(|gap| gap.covers(c));
        if bad.any(|complaint| !fair(complaint) && !known(complaint)) {
            return Standing::Broken;
        }
        if self.plays == 0 {
            return Standing::Skipped;
        }
        if self.sum.packets == 0 {
            return Standing::Broken;
        }
        match (&row.gap, self.complaints.iter().all(fair)) {
            (None, _) => Standing::Perfect,
            (Some(_), true) => Standing::NotSeen,
            (Some(_), false) => Standing::KnownGap,
        }
    }

    /// Complaints of one kind as one line, with how many there are.
    fn remarks(&self, verbose: bool) -> Vec<String> {
        if verbose {
            let texts = self
                .complaints
                .iter()
                .map(|complaint| complaint.text.clone());
            return texts.chain(self.packets.iter().cloned()).collect();
        }
        grouped(&self.complaints)
    }
}

impl Gap {
    /// Whether this is what is known to be so.
    fn covers(&self, complaint: &Complaint) -> bool {
        let named = |known: &&str| {
            let mut words = known.split(' ');
            words.all(|word| complaint.about.split(' ').any(|about| about == word))
        };
        match complaint.sort {
            Sort::Empty => self.empty.iter().any(named),
            Sort::Wrong => self.wrong.iter().any(named),
            Sort::Guessed | Sort::Missing => false,
        }
    }
}

/// Plays and prints the table. Gives whether every row is as it should be: nothing empty,
/// wrong or missing but what a known gap names.
pub fn run(lab: &Lab, options: &Options) -> Result<bool> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:28} {:>7} | {:^28} | {:^28} |\n{:28} {:>7} | {WORDS} | {WORDS} | {:>7}",
        "", "", "near ends", "far ends", "row", "packets", "missing"
    )?;
    let wanted = |row: &&Row| {
        let named = |part: &String| row.name.contains(part.as_str());
        options.filter.is_empty() || options.filter.iter().any(named)
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut rows, mut good) = (0, true);
    let mut gaps: BTreeMap<&str, String> = BTreeMap::new();
    for row in ROWS.iter().filter(wanted) {
        for &family in row.families {
            rows += 1;
            let judged = play_all(lab, row, family, options.verbose);
            let standing = judged.standing(row);
            print_row(&mut out, row, family, &judged, options.verbose)?;
            let word = match standing {
                Standing::Perfect => "perfect",
                Standing::KnownGap => "known gaps",
                Standing::NotSeen => "gaps not seen",
                Standing::Broken => "broken",
                Standing::Skipped => "skipped",
            };
            *counts.entry(word).or_default() += 1;
            good &= standing != Standing::Broken;
            if let (Standing::KnownGap, Some(gap)) = (standing, &row.gap) {
                let wrong = if gap.wrong.is_empty() { "" } else { "WRONG: " };
                gaps.insert(row.name, format!("{wrong}{}", gap.why));
            }
        }
    }
    for (name, why) in gaps {
        writeln!(out, "known gap {name}: {why}")?;
    }
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    writeln!(out, "{rows} rows: {}", counts.join(", "))?;
    Ok(rows > 0 && good)
}

/// Where a row is played. Where `E2E_BRIEF` is set, every place and every family has its turn, but
/// not each with each, and both ends of a wire stand for either: a start takes an emulated
/// machine seconds.
fn places(row: &Row, family: Family, brief: bool) -> Vec<Place> {
    let either = |place| matches!(place, Place::ClientSide | Place::ServerSide);
    let both = row.places.contains(&Place::BothSides);
    let telling = row.places.iter().copied();
    let telling: Vec<Place> = telling
        .filter(|&place| !(brief && both && either(place)))
        .collect();
    if !brief || telling.len() < row.families.len() {
        return telling;
    }
    let turns = row.families.iter().cycle();
    let turns = telling.into_iter().zip(turns);
    turns
        .filter_map(|(place, &turn)| (turn == family).then_some(place))
        .collect()
}

/// Plays a row in every place of it.
fn play_all(lab: &Lab, row: &Row, family: Family, verbose: bool) -> Judged {
    let mut all = Judged::default();
    let brief = std::env::var_os("E2E_BRIEF").is_some();
    for place in places(row, family, brief) {
        all.add(place, play(lab, row, place, family, verbose));
    }
    all
}

/// Prints a row's line, and under it what is not right.
fn print_row(
    out: &mut impl Write,
    row: &Row,
    family: Family,
    judged: &Judged,
    verbose: bool,
) -> Result<()> {
    let ends = |ends: Ends| {
        format!(
            "{:6} {:6} {:6} {:6}",
            ends.right, ends.empty, ends.guessed, ends.wrong
        )
    };
    let standing = judged.standing(row);
    let sum = judged.sum;
    writeln!(
        out,
        "{:28} {:7} | {} | {} | {:7}{}",
        format!("{} {}", row.name, family.name()),
        sum.packets,
        ends(sum.near),
        ends(sum.far),
        sum.missing,
        match standing {
            Standing::Perfect => "",
            Standing::KnownGap => "  known gap",
            Standing::NotSeen => "  gap not seen",
            Standing::Broken => "  <--",
            Standing::Skipped => "  skipped",
        }
    )?;
    for lacking in &judged.lacking {
        writeln!(out, "    skipped {lacking}")?;
    }
    if standing == Standing::Broken {
        writeln!(out, "    ({})", row.about)?;
    }
    if verbose || matches!(standing, Standing::Broken | Standing::KnownGap) {
        for remark in judged.remarks(verbose) {
            writeln!(out, "    {remark}")?;
        }
    }
    Ok(())
}

/// A row as a test case: every place, both families.
pub fn case(lab: &Lab, row: &Row) -> Result<Outcome> {
    let mut all = Judged::default();
    for &family in row.families {
        let judged = play_all(lab, row, family, false);
        if judged.standing(row) == Standing::Broken {
            let sum = judged.sum;
            bail!(
                "{}: of {} packets {} ends are wrong, {} empty, {} missing; {}",
                family.name(),
                sum.packets,
                sum.near.wrong + sum.far.wrong,
                sum.near.empty + sum.far.empty,
                sum.missing,
                judged.remarks(false).join("; ")
            );
        }
        all.plays += judged.plays;
        all.sum += judged.sum;
        all.complaints.extend(judged.complaints);
        all.lacking.extend(judged.lacking);
    }
    let lacking: Vec<String> = all.lacking.iter().cloned().collect();
    Ok(match (all.standing(row), &row.gap) {
        (Standing::Skipped, _) => Outcome::Skipped(lacking.join("; ")),
        (Standing::KnownGap, Some(gap)) => Outcome::Measured(format!(
            "{} packets; known gap, {} ends empty, {} wrong: {}",
            all.sum.packets,
            all.sum.near.empty + all.sum.far.empty,
            all.sum.near.wrong + all.sum.far.wrong,
            gap.why
        )),
        _ => Outcome::Measured(format!("{} packets", all.sum.packets)),
    })
}

/// Plays a row once and judges every capture of it.
fn play(lab: &Lab, row: &Row, place: Place, family: Family, verbose: bool) -> Result<Judged> {
    let name = format!("{}-{}", row.name, lab.number());
    let mut stage = Stage::new(lab, place, family, &name)?;
    (row.play)(&mut stage)?;
    let captures = stage.packets()?;
    let since = stage.since.context("the row never captured")?;
    let log = stage.theatre.log.borrow();
    let mut judged = Judged::default();
    judged.sum = judge_all(&log, since, &captures, &mut judged.complaints);
    if verbose && !judged.complaints.is_empty() {
        let packets = captures.iter().flat_map(|capture| &capture.packets);
        judged.packets.extend(packets.map(describe));
    }
    ensure!(judged.sum.packets > 0, "no packet was captured");
    Ok(judged)
}

/// One packet as a line, for finding out.
fn describe(packet: &Seen) -> String {
    let Some(segment) = packet.segment() else {
        return format!("{} bytes", packet.data.len());
    };
    let who = |who: &Option<crate::seen::Who>| match who {
        Some(who) => {
            let name = String::from_utf8_lossy(&who.name);
            format!("{name}.{} ({:?})", who.pid, who.confidence)
        }
        None => "-".to_owned(),
    };
    let tags: BTreeSet<u32> = segment.tag().map(|tag| tag.pid).into_iter().collect();
    format!(
        "  {} {} {:?} {} > {} [{}] {} {tags:?}: {} > {}",
        packet.time % 1_000_000_000_000,
        packet.iface,
        packet.direction,
        segment.source,
        segment.destination,
        segment.letters(),
        segment.payload.len(),
        who(&packet.sender),
        who(&packet.receiver),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_brief_each_place_and_each_family_has_its_turn() {
        let check = |name: &str, four: &[Place], six: &[Place]| {
            let row = ROWS.iter().find(|row| row.name == name).unwrap();
            assert_eq!(places(row, Family::V4, true), four, "{name}");
            assert_eq!(places(row, Family::V6, true), six, "{name}");
            assert_eq!(places(row, Family::V4, false), row.places, "{name}");
        };
        check("tcp-new", &[Place::Loopback], &[Place::BothSides]);
        check("routed", &[Place::Router], &[Place::Router]);
        check("vlan", &[Place::Vlan], &[Place::QinQ]);
    }
}
