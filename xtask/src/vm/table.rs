//! The table of kernels and what works on them, for the terminal and for the page.

use std::fmt::Write as _;

use super::guest::{Case, Ending, Report};
use super::reasons;

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
    ("faults", "faults"),
    ("owners", "owners"),
    ("tls", "TLS secrets"),
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
            let known = reasons::of(name, case).map_or("FAILED", |_| "known");
            println!("{name}: {known} {} {}", case.name, case.reason);
        }
        if !report.ended() {
            println!("{name}: did not come to its end");
        }
        let (passed, failed) = (report.count(Ending::Passed), report.count(Ending::Failed));
        let (skipped, seconds) = (report.count(Ending::Skipped), report.seconds);
        println!("{name}: {passed} passed, {failed} failed, {skipped} skipped in {seconds} s");
    }
}

/// A line for each kernel, a column for each group.
pub fn table(reports: &[Report]) -> String {
    let mut text = String::from("| kernel | machine | cases |");
    for (_, title) in GROUPS {
        let _ = write!(text, " {title} |");
    }
    let _ = writeln!(text, "\n|{}", "---|".repeat(GROUPS.len() + 3));
    for report in reports {
        let version = if report.version.is_empty() {
            report.kernel.name
        } else {
            &report.version
        };
        let played = report.count(Ending::Passed) + report.count(Ending::Failed);
        let _ = write!(text, "| {version} | {} | {played} |", report.kernel.arch);
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
