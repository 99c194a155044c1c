//! `audit`: what dependencies are, and how much of our own code is unsafe.
//!
//! `cargo deny` judges licences, doubles and sources by `deny.toml`; `cargo audit` compares
//! `Cargo.lock` with the list of `RustSec` of known faults, which has to be fetched. `check` runs them
//! where they are installed; `audit` installs them first. Unsafe code is counted here.

use std::path::{Path, PathBuf};

use crate::test::Tally;
use crate::{Outcome, shell, unsafe_code};

/// A tool: its crate, the version that is installed, what it is asked, and what it says when it
/// could not get what it needs.
struct Tool(
    &'static str,
    &'static str,
    &'static [&'static str],
    Option<&'static str>,
);

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
        Some("fetch advisory database"),
    ),
];

/// Installs the tools under the build directory, if they are nowhere else, and asks them.
pub fn run(_: &[String]) -> Outcome {
    for Tool(name, version, ..) in &TOOLS {
        if find(name).is_none() {
            let words = ["install", "--locked", "--version", version, "--root"];
            let mut command = shell::command(shell::cargo(), &words);
            shell::run(command.arg(folder()).arg(name))?;
        }
    }
    let mut tally = Tally::default();
    let outcome = check(&mut tally);
    tally.print();
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

fn ask(Tool(name, _, words, missing): &Tool, tally: &mut Tally) -> Outcome {
    let Some(program) = find(name) else {
        tally.skip(name, "not installed: `cargo xtask audit` installs it");
        return Ok(());
    };
    let mut command = shell::command(program, words);
    let Some(missing) = missing else {
        return shell::run(&mut command);
    };
    let output = command
        .output()
        .map_err(|error| format!("cannot run {name}: {error}"))?;
    let words = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(());
    }
    if words.contains(missing) {
        tally.skip(name, &format!("could not {missing}"));
        return Ok(());
    }
    eprint!("{}{words}", String::from_utf8_lossy(&output.stdout));
    Err(format!("{name} failed: {}", output.status))
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
