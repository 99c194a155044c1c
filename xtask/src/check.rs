//! `check` and `bless`: all that needs no root.

use std::process::Command;

use crate::test::{Crates, Tally};
use crate::{Outcome, audit, fuzz, shell};

/// Format, lints, dependencies, unit and golden tests, in this order; stops at the first that fails.
pub fn run(_: &[String]) -> Outcome {
    let mut tally = Tally::default();
    let outcome = lints()
        .and_then(|()| audit::check(&mut tally))
        .and_then(|()| unit_tests(&mut tally));
    tally.print();
    outcome
}

/// The compiler's and the formatter's opinion; of the fuzz targets, whether they compile.
pub fn lints() -> Outcome {
    let cargo = |words| shell::run(&mut shell::command(shell::cargo(), words));
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&[
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])?;
    fuzz::check()
}

/// Every test that `cargo test` knows, golden ones included.
pub fn unit_tests(tally: &mut Tally) -> Outcome {
    let words = [
        "test",
        "--workspace",
        "--no-fail-fast",
        "--",
        "--show-output",
    ];
    if tested(shell::command(shell::cargo(), &words), tally)? {
        Ok(())
    } else {
        Err("cargo test failed".into())
    }
}

/// Runs a `cargo test -- --show-output`: shows a line for each crate, and all of what fails. Whether
/// all passed.
pub fn tested(command: Command, tally: &mut Tally) -> Result<bool, String> {
    let mut crates = Crates::default();
    let success = shell::run_shown(command, true, |line| {
        tally.cargo_line(line);
        crates.line(line)
    });
    shell::put(&crates.end());
    success
}

/// Rewrites the expected outputs of the golden tests.
pub fn bless(_: &[String]) -> Outcome {
    let words = ["test", "--quiet", "--package", "pktwho", "--test", "golden"];
    shell::run(shell::command(shell::cargo(), &words).env("BLESS", "1"))
}
