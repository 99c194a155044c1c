//! The table of owners: every row on every device in both families, judged by the truth.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anyhow::{Context, Result, ensure};

use crate::cases::Outcome;
use crate::judge::{Ends, Tally, judge};
use crate::lab::Lab;
use crate::rows::{GUESSED, ROWS, Row};
use crate::seen::Seen;
use crate::stage::{Family, Place, Stage};

/// How the table is wanted.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only rows whose name holds one of these; all when empty.
    pub filter: Vec<String>,
    /// Print every complaint, and every packet of a row that has one.
    pub verbose: bool,
}

const WORDS: &str = " right  empty  guess  wrong";

/// Complaints printed under a row when nobody asks for all.
const FEW: usize = 3;

/// Plays and prints the table. Gives whether every row is perfect.
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
    let (mut rows, mut perfect) = (0, 0);
    for row in ROWS.iter().filter(wanted) {
        for family in Family::ALL {
            rows += 1;
            perfect += usize::from(print_row(&mut out, lab, row, family, options.verbose)?);
        }
    }
    writeln!(out, "{perfect} of {rows} rows perfect")?;
    Ok(rows > 0 && perfect == rows)
}

/// Plays a row on every device and prints its line, and under it what went wrong where.
fn print_row(
    out: &mut impl Write,
    lab: &Lab,
    row: &Row,
    family: Family,
    verbose: bool,
) -> Result<bool> {
    let mut sum = Tally::default();
    let mut perfect = true;
    let mut remarks = Vec::new();
    for place in Place::ALL {
        let (tally, mut notes) = match play(lab, row, place, family, verbose) {
            Ok(judged) => judged,
            Err(error) => (Tally::default(), vec![format!("not played: {error:#}")]),
        };
        perfect &= tally.is_perfect(GUESSED.contains(&row.name));
        sum += tally;
        let all = notes.len();
        if !verbose && all > FEW {
            notes.truncate(FEW);
            notes.push(format!("and {} more", all - FEW));
        }
        remarks.extend(notes.iter().map(|note| format!("{}: {note}", place.name())));
    }
    let ends = |ends: Ends| {
        format!(
            "{:6} {:6} {:6} {:6}",
            ends.right, ends.empty, ends.guessed, ends.wrong
        )
    };
    writeln!(
        out,
        "{:28} {:7} | {} | {} | {:7}{}",
        format!("{} {}", row.name, family.name()),
        sum.packets,
        ends(sum.near),
        ends(sum.far),
        sum.missing,
        if perfect { "" } else { "  <--" }
    )?;
    if !perfect {
        writeln!(out, "    ({})", row.about)?;
    }
    for remark in remarks.iter().filter(|_| verbose || !perfect) {
        writeln!(out, "    {remark}")?;
    }
    Ok(perfect)
}

/// A row as a test case: every device, both families.
pub fn case(lab: &Lab, row: &Row) -> Result<Outcome> {
    let mut packets = 0;
    for family in Family::ALL {
        for place in Place::ALL {
            let what = format!("{} on {}", family.name(), place.name());
            let (tally, notes) = play(lab, row, place, family, false).context(what.clone())?;
            ensure!(
                tally.is_perfect(GUESSED.contains(&row.name)),
                "{what}: of {} packets {} ends are wrong, {} empty, {} missing; {}",
                tally.packets,
                tally.near.wrong + tally.far.wrong,
                tally.near.empty + tally.far.empty,
                tally.missing,
                notes
                    .iter()
                    .take(FEW)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("; ")
            );
            packets += tally.packets;
        }
    }
    Ok(Outcome::Measured(format!("{packets} packets")))
}

/// Plays a row once and judges every capture of it.
pub fn play(
    lab: &Lab,
    row: &Row,
    place: Place,
    family: Family,
    verbose: bool,
) -> Result<(Tally, Vec<String>)> {
    let name = format!("{}-{}", row.name, lab.number());
    let mut stage = Stage::new(lab, place, family, &name)?;
    (row.play)(&mut stage)?;
    let captures = stage.packets()?;
    let since = stage.since.context("the row never captured")?;
    let log = stage.theatre.log.borrow();
    let across = place != Place::Loopback;
    let (mut sum, mut notes) = (Tally::default(), Vec::new());
    for packets in &captures {
        sum += judge(&log, since, packets, across, &mut notes);
        if verbose && !notes.is_empty() {
            notes.extend(packets.iter().map(describe));
        }
    }
    Ok((sum, notes))
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
