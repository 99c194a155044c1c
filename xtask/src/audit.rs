//! `audit`: what dependencies are, and how much of our own code is unsafe.
//!
//! `cargo deny` judges licences, doubles and sources by `deny.toml`; `cargo audit` compares
//! `Cargo.lock` with the list of `RustSec` of known faults, which has to be fetched: where it cannot be,
//! that is told, and nothing is said to be clean. `check` runs them where they are installed; `audit`
//! installs them first. Unsafe code is counted here.

use std::path::{Path, PathBuf};

use crate::test::Tally;
use crate::{Outcome, shell, unsafe_code};

/// A tool: its crate, the version that is installed, what it is asked, and what it needs.
struct Tool(
    &'static str,
    &'static str,
    &'static [&'static str],
    Option<Need>,
);

/// What has to be fetched: what the tool says when it could not be, and what that means.
struct Need(&'static str, &'static str);

const TOOLS: [Tool; 2] = [
    Tool(
        "cargo-deny",
        "0.20.2",
        &["deny", "check", "licenses", "bans", "sources"],
        None,
    ),
    Tool(
        "cargo-audit",
        "0.22.2",
        &["audit", "--deny", "warnings"],
        Some(Need(
            "fetch advisory database",
            "the list of known faults (RustSec, on github.com) cannot be reached from here: whether \
             dependencies have any was not looked at",
        )),
    ),
];

/// Installs the tools under the build directory, if they are nowhere else, and asks them.
pub fn run(_: &[String]) -> Outcome {
    for Tool(name, version, ..) in &TOOLS {
        if find(name).is_none() {
            install(name, version)?;
        }
    }
    let mut tally = Tally::default();
    let outcome = check(&mut tally);
    tally.print();
    outcome
}

/// Builds a tool in a folder of its own, which goes again: it is no part of the workspace, whose builds
/// would wait for it.
fn install(name: &str, version: &str) -> Outcome {
    let build = folder().join("build");
    let words = ["install", "--locked", "--version", version];
    let mut command = shell::command(shell::cargo(), &words);
    command.arg("--root").arg(folder());
    command.arg("--target-dir").arg(&build).arg(name);
    let outcome = shell::run(&mut command);
    // What is left of it costs room and nothing else.
    let _ = std::fs::remove_dir_all(build);
    outcome
}

/// Counts unsafe code, and asks those tools that are here.
///
/// # Errors
/// What one of them finds.
pub fn check(tally: &mut Tally) -> Outcome {
    unsafe_code::check()?;
    TOOLS.iter().try_for_each(|tool| ask(tool, tally))
}

fn ask(Tool(name, _, words, need): &Tool, tally: &mut Tally) -> Outcome {
    let Some(program) = find(name) else {
        tally.skip(name, "not installed: `cargo xtask audit` installs it");
        return Ok(());
    };
    let mut command = shell::command(program, words);
    let Some(need) = need else {
        return shell::run(&mut command);
    };
    let output = command
        .output()
        .map_err(|error| format!("cannot run {name}: {error}"))?;
    let words = String::from_utf8_lossy(&output.stderr);
    match verdict(output.status.success(), &words, need) {
        Verdict::Clean => Ok(()),
        Verdict::Unknown(why) => {
            eprintln!("{name}: {why}");
            tally.skip(name, why);
            Ok(())
        }
        Verdict::Found => {
            eprint!("{}{words}", String::from_utf8_lossy(&output.stdout));
            Err(format!("{name} failed: {}", output.status))
        }
    }
}

/// What a tool has come to.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Clean,
    /// It could not look, and why.
    Unknown(&'static str),
    Found,
}

fn verdict(succeeded: bool, words: &str, Need(missing, why): &Need) -> Verdict {
    // One that could not fetch and ends well has looked at an old list at best.
    match (words.contains(missing), succeeded) {
        (true, _) => Verdict::Unknown(why),
        (false, true) => Verdict::Clean,
        (false, false) => Verdict::Found,
    }
}

/// Where they are installed.
fn folder() -> PathBuf {
    shell::target().join("tools")
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = vec![folder().join("bin")];
    folders.extend(std::env::split_paths(&path));
    let there = |folder: &PathBuf| Some(folder.join(name)).filter(|file| Path::is_file(file));
    folders.iter().find_map(there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_looked_at_is_not_clean() {
        let need = Need("fetch the list", "nobody knows");
        let unknown = Verdict::Unknown("nobody knows");
        let fetched = "    Fetching the list\n    Scanning Cargo.lock\n";
        assert_eq!(verdict(true, fetched, &need), Verdict::Clean);
        assert_eq!(verdict(false, fetched, &need), Verdict::Found);
        assert_eq!(
            verdict(false, "couldn't fetch the list: no route", &need),
            unknown
        );
        assert_eq!(
            verdict(true, "couldn't fetch the list: an old one it is", &need),
            unknown
        );
    }
}
