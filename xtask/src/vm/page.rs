//! `docs/kernels.md`: kernels and what works on them, made from [`super::found`] alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use super::guest::{Case, Ending, Offer, Report};
use super::reasons;
use super::table;
use crate::shell;

/// Writes it.
///
/// # Errors
/// It cannot be written.
pub fn write(reports: &[Report]) -> Result<(), String> {
    let file = file();
    std::fs::write(&file, page(reports)).map_err(|error| format!("{}: {error}", file.display()))
}

fn file() -> PathBuf {
    shell::root().join("docs/kernels.md")
}

const BEGINNING: &str = "# Kernels

What works on which kernel of Debian's, found out in emulated machines. Written by `cargo xtask vm` from
what the guests said (`docs/kernels/*.txt`); edit neither by hand.

## Cases

The cases of `tests/e2e` that are about the kernel. A number is how many passed; what did not, and what
could not be tried there, stands below with the reason. Rows about owners are played in fewer places
than on a real machine. Some kernels were last given those cases alone that tell kernels apart, the others all
(`--whole`): the third column says how many were played.

";

fn page(reports: &[Report]) -> String {
    let mut text = BEGINNING.to_owned();
    text += &table::table(reports);
    text += &cases(reports, "Does not work there", Ending::Failed);
    text += &cases(reports, "Could not be tried", Ending::Skipped);
    text += "\n## What the kernel offers\n\nAs `pktwho doctor` finds it. A dash: the programs for that kernel \
             do not need it.\n\n";
    text += &offers(reports);
    text += &lost(reports);
    text += "\n## What a capture says when it starts\n";
    for report in reports {
        let _ = writeln!(text, "\n{}:\n\n```text", report.version);
        for line in &report.said {
            let _ = writeln!(text, "{line}");
        }
        text += "```\n";
    }
    text
}

/// The cases that ended in one way, and why.
fn cases(reports: &[Report], title: &str, ending: Ending) -> String {
    let mut found: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    for report in reports {
        for case in report.cases.iter().filter(|case| case.ending == ending) {
            let kernels = found.entry((reason(report, case), case.name.clone()));
            kernels.or_default().push(report.kernel.name);
        }
    }
    // Those with the same reason on the same kernels are one line.
    let mut lines: BTreeMap<(&str, Vec<&str>), Vec<String>> = BTreeMap::new();
    for ((reason, case), kernels) in found {
        let names = lines.entry((reason, kernels)).or_default();
        names.push(format!("`{case}`"));
    }
    if lines.is_empty() {
        return String::new();
    }
    let mut text = format!("\n### {title}\n\n");
    for ((reason, kernels), names) in lines {
        let (kernels, names) = (kernels.join(", "), names.join(", "));
        let _ = writeln!(text, "- {kernels}: {reason}: {names}");
    }
    text
}

fn reason<'a>(report: &Report, case: &'a Case) -> &'a str {
    match case.ending {
        Ending::Failed => reasons::of(report.kernel.name, case).unwrap_or("not explained"),
        _ => &case.reason,
    }
}

/// A line for each thing, a column for each kernel; things that stand alike everywhere share a line.
fn offers(reports: &[Report]) -> String {
    let mut text = String::from("| |");
    for report in reports {
        let _ = write!(text, " {} |", report.kernel.name);
    }
    let _ = writeln!(text, "\n|{}", "---|".repeat(reports.len() + 1));
    let (mut known, mut lines) = (BTreeSet::new(), Vec::<(String, Vec<&str>)>::new());
    for offer in reports.iter().flat_map(|report| &report.offers) {
        if !known.insert(&offer.what) {
            continue;
        }
        let cells = reports.iter().map(|report| {
            let mut offers = report.offers.iter();
            format!(" {} |", cell(offers.find(|o| o.what == offer.what)))
        });
        let cells: String = cells.collect();
        match lines.iter_mut().find(|(known, _)| *known == cells) {
            Some((_, names)) => names.push(&offer.what),
            None => lines.push((cells, vec![&offer.what])),
        }
    }
    for (cells, names) in lines {
        let _ = writeln!(text, "| {} |{cells}", named(&names));
    }
    text
}

/// Names in a row, the word that they share said once.
fn named(names: &[&str]) -> String {
    let hooks = names.iter().filter_map(|name| name.strip_prefix("hook "));
    let hooks: Vec<String> = hooks.map(|name| format!("`{name}`")).collect();
    let others = names.iter().filter(|name| !name.starts_with("hook "));
    let mut all: Vec<String> = others.map(|name| (*name).to_owned()).collect();
    if !hooks.is_empty() {
        all.push(format!("hooks {}", hooks.join(", ")));
    }
    all.join(", ")
}

fn cell(offer: Option<&Offer>) -> &str {
    match offer {
        None => "–",
        Some(offer) if !offer.works => "**no**",
        // Numbers and paths say nothing here.
        Some(offer)
            if ["tcx", "clsact", "by "]
                .iter()
                .any(|w| offer.word.starts_with(w)) =>
        {
            offer.word.split(" (").next().unwrap_or_default()
        }
        Some(_) => "yes",
    }
}

/// What is missing somewhere, why, and what is lost by it.
fn lost(reports: &[Report]) -> String {
    let mut lines: BTreeMap<(&str, &str, &str), Vec<&str>> = BTreeMap::new();
    for report in reports {
        for offer in report.offers.iter().filter(|offer| !offer.works) {
            let line = (&*offer.what, &*offer.word, &*offer.lost);
            lines.entry(line).or_default().push(report.kernel.name);
        }
    }
    let mut text = String::new();
    if !lines.is_empty() {
        text += "\n### What is lost without it\n\n";
    }
    for ((what, why, lost), kernels) in lines {
        let _ = writeln!(text, "- {}: {what} ({why}): {lost}", kernels.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::{KERNELS, found};
    use super::*;

    #[test]
    fn the_page_is_what_was_found() {
        let text = std::fs::read_to_string(file()).unwrap();
        let made = page(&found::all());
        assert!(made == text, "not so any more: cargo xtask vm --page");
    }

    #[test]
    fn nothing_on_the_page_is_unexplained() {
        for report in found::all() {
            assert!(report.good(), "{}", report.kernel.name);
            let unneeded = reasons::unneeded(&report);
            assert!(unneeded.is_empty(), "{}: {unneeded:?}", report.kernel.name);
            let mut skipped = report.cases.iter().filter(|c| c.ending == Ending::Skipped);
            assert!(skipped.all(|case| !case.reason.is_empty()));
            let mut missing = report.offers.iter().filter(|offer| !offer.works);
            assert!(missing.all(|offer| !offer.lost.is_empty() && !offer.word.is_empty()));
        }
    }

    #[test]
    fn alike_things_share_a_line() {
        let report = |kernel: usize, lines: &[&str]| {
            let mut report = Report::new(KERNELS[kernel]);
            for line in lines {
                report.line(line);
            }
            report
        };
        let one = report(
            0,
            &[
                "GUEST_HAS ok  hook a",
                "GUEST_HAS ok  hook b",
                "GUEST_HAS ok  wheels",
            ],
        );
        let two = report(
            1,
            &[
                "GUEST_HAS ok  hook a",
                "GUEST_HAS ok  hook b",
                "GUEST_HAS NO  wheels: flat",
            ],
        );
        let text = offers(&[one, two]);
        assert!(text.contains("| hooks `a`, `b` | yes | yes |\n"), "{text}");
        assert!(text.contains("| wheels | yes | **no** |\n"), "{text}");
    }
}
