//! libpcap's own tests of its filters, when they are at hand: what its savefiles keep, what it
//! accepts with the programs it makes, what it refuses with its words.
//!
//! The folder is `$PKTWHO_CORPUS`, or `../shared/corpus` beside the repository; its script runs
//! the tool and compares.

use std::path::PathBuf;
use std::process::Command;

/// The parts, and how many of a thousand have to be right.
const BARS: &[(&str, u64)] = &[("apply", 1000), ("accept", 990), ("reject", 990)];

#[test]
fn filters_of_libpcap() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus");
    let corpus = std::env::var_os("PKTWHO_CORPUS").map_or(PathBuf::from(beside), PathBuf::from);
    let script = corpus.join("score_filter.py");
    if !script.exists() {
        println!("skipped: there is no {}", script.display());
        return;
    }
    let mut command = Command::new("python3");
    command.arg(&script).arg(env!("CARGO_BIN_EXE_pktwho"));
    let Ok(output) = command.args(["--libpcap-text", "--show", "5"]).output() else {
        println!("skipped: there is no python3");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().last().unwrap_or_default();
    println!("{last}");
    assert!(last.ends_with(" 0 crashes"), "{said}");
    for (part, bar) in BARS {
        let (right, all) = counts(last, part).unwrap_or_else(|| panic!("no {part}: {said}"));
        assert!(all > 0 && right * 1000 >= all * bar, "{said}");
    }
}

/// `… accept 1079/1081, …`.
fn counts(line: &str, part: &str) -> Option<(u64, u64)> {
    let after = line.split_once(&format!("{part} "))?.1;
    let fraction = after.split(',').next()?;
    let (right, all) = fraction.split_once('/')?;
    Some((right.parse().ok()?, all.parse().ok()?))
}
