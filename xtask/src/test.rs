//! `test` and `e2e`: every test there is, and one closing line that counts them all. Of what passes
//! `test` shows a line for each area.

mod ahead;
mod areas;

use std::path::{Path, PathBuf};

use crate::{Outcome, audit, check, dist, setup, shell, vm, wireshark};
use ahead::Ahead;
use areas::Cases;
pub use areas::Crates;

/// Set-up, then everything; goes on after a failure, so that the counts are whole.
pub fn run(words: &[String]) -> Outcome {
    if words == [ahead::WORD] {
        return ahead::run();
    }
    setup::run(&[])?;
    for packages in [setup::RUNTIMES, setup::TLS_PACKAGES] {
        if let Err(why) = setup::install(packages) {
            // Each case that needs one says that it is skipped.
            eprintln!("xtask test: without container runtimes, or programs that use TLS: {why}");
        }
    }
    let mut tally = Tally::default();
    let mut wrong = Vec::new();
    let lints = check::lints();
    let audit = audit::check(&mut tally);
    let unit_tests = check::unit_tests(&mut tally);
    let tshark = match wireshark::tshark() {
        Ok(tshark) => Some(tshark),
        Err(reason) => {
            tally.skip("tshark 4.6", &reason);
            None
        }
    };
    // What is handed out is what is tested.
    let program = dist::here();
    let program = program.inspect_err(|why| eprintln!("xtask test: no static program: {why}"));
    let newer = tshark.as_deref().map(|tshark| files(tshark, &mut tally));
    let programs = Programs {
        tshark: tshark.as_deref(),
        pktwho: program.ok(),
    };
    let mut e2e = |filter: &str| {
        let filter = [filter.to_owned()];
        e2e(&filter, &programs, Shown::Areas, &mut tally)
    };
    let ahead = Ahead::start();
    let most = e2e("!tls/");
    drop(ahead);
    // Who is sooner is the question there: nothing else may run.
    let tls = e2e("tls/");
    let kernels = vm::brief(&mut tally);
    let newer = newer.unwrap_or(Ok(()));
    for step in [lints, audit, unit_tests, newer, most, tls, kernels] {
        if let Err(what) = step {
            eprintln!("xtask test: {what}");
            wrong.push(what);
        }
    }
    tally.print();
    if wrong.is_empty() && tally.failed == 0 {
        Ok(())
    } else {
        // All has been said, and the counts are the last line.
        Err(String::new())
    }
}

/// Only the tests that need root.
pub fn e2e_only(words: &[String]) -> Outcome {
    let tshark = wireshark::present();
    let programs = Programs {
        tshark: tshark.as_deref(),
        pktwho: None,
    };
    e2e(words, &programs, Shown::All, &mut Tally::default())
}

/// What only some cases need, where it could be had.
struct Programs<'a> {
    tshark: Option<&'a Path>,
    /// The pktwho that is tested, instead of one that the runner builds.
    pktwho: Option<PathBuf>,
}

/// The tests of files once more, read by this tshark instead of the installed one.
fn files(tshark: &Path, tally: &mut Tally) -> Outcome {
    let package = ["test", "--package", "pktwho-capfile", "--test", "files"];
    let words = [&package[..], &["--no-fail-fast", "--", "--show-output"]].concat();
    let mut command = shell::command(shell::cargo(), &words);
    command.env(wireshark::VARIABLE, tshark);
    let mut again = Tally::default();
    let success = check::tested(command, &mut again)?;
    tally.add_rerun(again);
    if success {
        Ok(())
    } else {
        Err("cargo test with the newer tshark failed".into())
    }
}

/// What is shown of the end-to-end cases.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Each.
    All,
    /// A line for each area, and what failed.
    Areas,
}

fn e2e(filter: &[String], programs: &Programs, shown: Shown, tally: &mut Tally) -> Outcome {
    if !shell::is_root() {
        let reason = "needs root; run: sudo -E env PATH=\"$PATH\" cargo xtask e2e";
        tally.skip("e2e", reason);
        eprintln!("skipped e2e: {reason}");
        return Ok(());
    }
    let run = ["run", "--quiet", "--package", "e2e", "--"];
    let mut command = shell::command(shell::cargo(), &run);
    if let Some(tshark) = programs.tshark {
        command.env(wireshark::VARIABLE, tshark);
    }
    if let Some(pktwho) = &programs.pktwho {
        command.env("PKTWHO", pktwho);
    }
    let words = filter.iter().skip_while(|word| *word == "--");
    command.args(words);
    let mut closed = false;
    let mut cases = Cases::default();
    let success = shell::run_shown(command, false, |line| {
        closed |= tally.runner_line(line);
        match shown {
            Shown::All => vec![line.to_owned()],
            Shown::Areas => cases.line(line),
        }
    })?;
    shell::put(&cases.close());
    if !closed {
        return Err("the e2e runner ended without its closing line".into());
    }
    if success {
        Ok(())
    } else {
        Err("e2e tests failed".into())
    }
}

/// Counts of tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    passed: u64,
    failed: u64,
    /// Tests that the harness took for passed, and that said they were skipped.
    in_passed: u64,
    skipped: Vec<String>,
    failures: Vec<String>,
    /// The tests that the harness took for passed.
    ran: Vec<String>,
    /// The test whose output `cargo test` shows now.
    shown: String,
}

impl Tally {
    /// Counts what a line of `cargo test` says. A test that finds it cannot run here prints
    /// `skipped NAME: reason` or `skipped: reason` and returns; the harness took it for passed.
    pub fn cargo_line(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            for part in result.split(['.', ';']) {
                match count(part) {
                    Some((number, "passed")) => self.passed += number,
                    Some((number, "failed")) => self.failed += number,
                    _ => {}
                }
            }
        } else if let Some(test) = line.strip_prefix("test ") {
            if let Some((name, reason)) = test.split_once(" ... ignored") {
                self.skip(name, reason.trim_start_matches([',', ' ']));
            } else if let Some(name) = test.strip_suffix(" ... ok") {
                self.ran.push(name.to_owned());
            } else if let Some(name) = test.strip_suffix(" ... FAILED") {
                self.failures.push(format!("failed {name}"));
            }
        } else if let Some(header) = line.strip_prefix("---- ") {
            let name = header.trim_end_matches(" stdout ----");
            name.clone_into(&mut self.shown);
        } else if let Some(reason) = line.strip_prefix("skipped: ") {
            self.in_passed += 1;
            self.skip(&self.shown.clone(), reason);
        } else if let Some((name, reason)) = skipped(line) {
            self.in_passed += 1;
            self.skip(name, reason);
        }
    }

    /// Counts what a line of our own runner says; whether it was the closing line.
    fn runner_line(&mut self, line: &str) -> bool {
        if let Some((name, reason)) = skipped(line) {
            self.skip(name, reason);
            return false;
        }
        if let Some(failure) = line.strip_prefix("FAILED ") {
            self.failures.push(format!("failed {failure}"));
            return false;
        }
        let parts: Vec<_> = line.split(", ").filter_map(count).collect();
        if let [(passed, "passed"), (failed, "failed"), (_, "skipped")] = parts.as_slice() {
            self.passed += passed;
            self.failed += failed;
            return true;
        }
        false
    }

    /// Adds the counts of tests that ran a second time, under better conditions: one that was
    /// skipped at first and is not now has been run after all.
    fn add_rerun(&mut self, again: Self) {
        self.skipped.retain(|line| {
            let rerun = |(name, _)| again.ran.iter().any(|ran| ran == name);
            !skipped(line).is_some_and(rerun)
        });
        self.passed += again.passed;
        self.failed += again.failed;
        self.in_passed += again.in_passed;
        self.skipped.extend(again.skipped);
        self.failures.extend(again.failures);
    }

    fn passed(&self) -> u64 {
        self.passed.saturating_sub(self.in_passed)
    }

    #[cfg(test)]
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Counts tests that have passed elsewhere.
    pub fn pass(&mut self, count: u64) {
        self.passed += count;
    }

    /// Notes what failed elsewhere, and why.
    pub fn fail(&mut self, what: &str) {
        self.failed += 1;
        self.failures.push(format!("failed {what}"));
    }

    /// Notes what was not looked at, and why.
    pub fn skip(&mut self, name: &str, reason: &str) {
        self.skipped.push(format!("skipped {name}: {reason}"));
    }

    /// Lists what was skipped and what has failed, then the line that counts everything.
    #[expect(clippy::print_stdout, reason = "the result of the program")]
    pub fn print(&self) {
        for line in self.skipped.iter().chain(&self.failures) {
            println!("{line}");
        }
        println!(
            "{} passed, {} failed, {} skipped",
            self.passed(),
            self.failed,
            self.skipped.len()
        );
    }
}

/// `3 passed` as its number and word; what stands before the number is passed over.
fn count(part: &str) -> Option<(u64, &str)> {
    let (number, word) = part.trim().rsplit_once(' ')?;
    let number = number.rsplit(' ').next()?.parse().ok()?;
    Some((number, word))
}

/// `skipped NAME: reason`.
fn skipped(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("skipped ")?.split_once(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_cargo_test() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test a::b ... ok",
            "test c ... ignored, takes an hour",
            "test g::h ... FAILED",
            "---- e::f stdout ----",
            "skipped: no tshark",
            "skipped d: no root",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.07s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        ] {
            tally.cargo_line(line);
        }
        assert_eq!((tally.passed(), tally.failed), (5, 2));
        let skipped = [
            "skipped c: takes an hour",
            "skipped e::f: no tshark",
            "skipped d: no root",
        ];
        assert_eq!(tally.skipped, skipped);
        assert_eq!(tally.failures, ["failed g::h"]);
    }

    #[test]
    fn a_rerun_makes_up_for_a_skip() {
        let tally_of = |lines: &[&str]| {
            let mut tally = Tally::default();
            for line in lines {
                tally.cargo_line(line);
            }
            tally
        };
        let mut tally = tally_of(&[
            "test a ... ok",
            "test b ... ok",
            "test c ... ok",
            "---- a stdout ----",
            "skipped: no reader",
            "---- b stdout ----",
            "skipped: no reader",
            "---- c stdout ----",
            "skipped: no root",
            "test result: ok. 3 passed; 0 failed",
        ]);
        let again = tally_of(&[
            "test a ... ok",
            "test b ... ok",
            "---- b stdout ----",
            "skipped: still none",
            "test result: ok. 2 passed; 0 failed",
        ]);
        tally.add_rerun(again);
        assert_eq!((tally.passed(), tally.failed), (1, 0));
        assert_eq!(
            tally.skipped,
            ["skipped c: no root", "skipped b: still none"]
        );
    }

    #[test]
    fn lines_of_our_runner() {
        let mut tally = Tally::default();
        assert!(!tally.runner_line("skipped docker: not installed"));
        assert!(!tally.runner_line("passed who_sends"));
        assert!(!tally.runner_line("FAILED netns/any (0.1 s): nothing came"));
        assert!(tally.runner_line("12 passed, 1 failed, 1 skipped"));
        assert_eq!((tally.passed(), tally.failed), (12, 1));
        assert_eq!(tally.skipped.len(), 1);
        assert_eq!(tally.failures, ["failed netns/any (0.1 s): nothing came"]);
    }
}
