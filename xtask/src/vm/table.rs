//! The table of kernels and what works on them, for the terminal and for the documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::guest::{Case, Ending, Report};
use crate::shell;

/// The groups of cases, which are the columns.
const GROUPS: &[(&str, &str)] = &[
    ("life", "capture"),
    ("traces", "leaves nothing"),
    ("command", "commands"),
    ("devices", "devices"),
    ("netns", "namespaces"),
    ("homes", "same addresses"),
    ("select", "selection"),
    ("filter", "filters"),
    ("owners", "owners"),
];

/// Shows what came of it, failures last.
#[expect(clippy::print_stdout, reason = "the result of the program")]
pub fn print(reports: &[Report]) {
    println!("\n{}", table(reports));
    for report in reports {
        let name = report.kernel.name;
        for case in report
            .cases
            .iter()
            .filter(|case| case.ending == Ending::Failed)
        {
            println!("{name}: FAILED {} {}", case.name, case.reason);
        }
        if !report.good() && report.count(Ending::Failed) == 0 {
            println!("{name}: did not come to its end; its last lines:");
            for line in &report.last {
                println!("    {line}");
            }
        }
        let (passed, failed) = (report.count(Ending::Passed), report.count(Ending::Failed));
        let (skipped, seconds) = (report.count(Ending::Skipped), report.seconds);
        println!("{name}: {passed} passed, {failed} failed, {skipped} skipped in {seconds} s");
    }
}

/// Writes docs/kernels.md.
///
/// # Errors
/// It cannot be written.
pub fn write(reports: &[Report]) -> Result<(), String> {
    let mut text = String::from(
        "# Kernels\n\nWhat works on which kernel: the cases of `tests/e2e` that are about the kernel, \
         run in emulated\nmachines with kernels of Debian's. Written by `cargo xtask vm`; a number is \
         how many cases passed.\n\n",
    );
    text += &table(reports);
    text += &remarks(reports);
    let file = shell::root().join("docs/kernels.md");
    std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn table(reports: &[Report]) -> String {
    let mut text = String::from("| kernel | machine |");
    for (_, title) in GROUPS {
        let _ = write!(text, " {title} |");
    }
    let _ = writeln!(text, "\n|{}", "---|".repeat(GROUPS.len() + 2));
    for report in reports {
        let version = if report.version.is_empty() {
            report.kernel.name
        } else {
            &report.version
        };
        let _ = write!(text, "| {version} | {} |", report.kernel.arch);
        for (group, _) in GROUPS {
            let _ = write!(text, " {} |", cell(report, group));
        }
        text.push('\n');
    }
    text
}

/// How the cases of a group ended: `7`, or `6 of 7`, and what could not be tried there.
fn cell(report: &Report, group: &str) -> String {
    let of_group = |case: &&Case| case.name.split('/').next() == Some(group);
    let count = |ending| {
        report
            .cases
            .iter()
            .filter(of_group)
            .filter(|c| c.ending == ending)
            .count()
    };
    let (passed, failed) = (count(Ending::Passed), count(Ending::Failed));
    let skipped = count(Ending::Skipped);
    match (passed, failed, skipped) {
        (0, 0, 0) => "-".to_owned(),
        (passed, 0, 0) => passed.to_string(),
        (passed, 0, skipped) => format!("{passed}, {skipped} skipped"),
        (passed, failed, _) => format!("**{passed} of {}**", passed + failed),
    }
}

/// What failed, what could not be tried and why, what the tool says at its start.
fn remarks(reports: &[Report]) -> String {
    let mut text = String::new();
    for (title, ending) in [
        ("Fails", Ending::Failed),
        ("Could not be tried", Ending::Skipped),
    ] {
        let mut cases: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for report in reports {
            for case in report.cases.iter().filter(|case| case.ending == ending) {
                let reason = if ending == Ending::Failed {
                    ""
                } else {
                    &case.reason
                };
                let kernels = cases.entry((&case.name, reason)).or_default();
                kernels.insert(report.kernel.name);
            }
        }
        if !cases.is_empty() {
            let _ = writeln!(text, "\n## {title}\n");
        }
        for ((name, reason), kernels) in cases {
            let colon = if reason.is_empty() { "" } else { ": " };
            let kernels: Vec<&str> = kernels.into_iter().collect();
            let _ = writeln!(text, "- `{name}` on {}{colon}{reason}", kernels.join(", "));
        }
    }
    text += "\n## What pktwho says there\n";
    for report in reports {
        let _ = writeln!(text, "\n{}:\n\n```text", report.kernel.name);
        for line in &report.said {
            let _ = writeln!(text, "{line}");
        }
        text += "```\n";
    }
    text
}
