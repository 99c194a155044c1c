//! What of a long run is shown: one line for each area that is through, and all of what failed.

use std::mem;

/// Reads what `cargo test -- --show-output` says, its standard error among it, line by line.
#[derive(Debug, Default)]
pub struct Crates {
    /// What is tested now: the name of a crate, or of a file of tests.
    area: String,
    /// What its tests have said so far.
    said: Vec<String>,
    /// Whether tests speak now, and not cargo.
    inside: bool,
}

impl Crates {
    /// What to show of it, after this line.
    pub fn line(&mut self, line: &str) -> Vec<String> {
        if let Some((verb, rest)) = status(line) {
            let left = self.unfinished();
            if matches!(verb, "Running" | "Doc-tests") {
                self.area = area(rest);
                self.inside = true;
            }
            return left;
        }
        if !self.inside {
            // The compiler's opinion, and cargo's.
            return match line {
                "" => Vec::new(),
                _ => vec![line.to_owned()],
            };
        }
        if let Some(result) = line.strip_prefix("test result: ") {
            return self.close(result);
        }
        self.said.push(line.to_owned());
        Vec::new()
    }

    /// What is left when nothing more comes: a program of tests that has not come to its end.
    pub fn end(&mut self) -> Vec<String> {
        self.unfinished()
    }

    fn unfinished(&mut self) -> Vec<String> {
        self.inside = false;
        let said = mem::take(&mut self.said);
        if said.iter().all(String::is_empty) {
            return Vec::new();
        }
        let header = format!("{}: did not come to its end", self.area);
        [vec![header], said].concat()
    }

    fn close(&mut self, result: &str) -> Vec<String> {
        let said = mem::take(&mut self.said);
        self.inside = false;
        let (word, counts) = result.split_once(". ").unwrap_or(("", result));
        // `0 measured` and `0 filtered out` tell nothing.
        let counts: Vec<&str> = counts
            .split("; ")
            .filter(|part| !part.starts_with("0 ") && !part.starts_with("finished"))
            .collect();
        let counts = counts.join(", ");
        let mut shown = match counts.as_str() {
            "" => Vec::new(),
            counts => vec![format!("{}: {counts}", self.area)],
        };
        if word == "FAILED" {
            let failures = said.iter().position(|line| line == "failures:");
            shown.extend(said.into_iter().skip(failures.unwrap_or(0)));
        }
        shown
    }
}

/// A line that says what cargo does: the verb ends in the twelfth column.
fn status(line: &str) -> Option<(&str, &str)> {
    const VERBS: &[&str] = &[
        "Adding",
        "Blocking",
        "Checking",
        "Compiling",
        "Doc-tests",
        "Downloaded",
        "Downloading",
        "Dirty",
        "Finished",
        "Fresh",
        "Locking",
        "Running",
        "Updating",
    ];
    let (verb, rest) = line.trim_start().split_once(' ')?;
    (VERBS.contains(&verb) && line.len() - line.trim_start().len() + verb.len() == 12)
        .then_some((verb, rest))
}

/// `unittests src/lib.rs (target/debug/deps/pktwho_wire-0123)` → `pktwho_wire`;
/// `tests/golden.rs (…/golden-0123)` → `tests/golden.rs`; `pktwho_wire` → `pktwho_wire: docs`.
fn area(running: &str) -> String {
    let Some((what, program)) = running.split_once(" (") else {
        return format!("{running}, examples in docs");
    };
    if !what.starts_with("unittests ") {
        return what.to_owned();
    }
    let program = program.trim_end_matches(')');
    let name = program.rsplit('/').next().unwrap_or(program);
    let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
    name.to_owned()
}

/// Reads the lines of our own runner; cases of an area come one after the other.
#[derive(Debug, Default)]
pub struct Cases {
    area: String,
    passed: u64,
    skipped: u64,
    failed: u64,
    seconds: f64,
}

impl Cases {
    /// What to show of it, after this line.
    pub fn line(&mut self, line: &str) -> Vec<String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if !matches!(word, "ok" | "skipped" | "FAILED") {
            let mut shown = self.close();
            shown.push(line.to_owned());
            return shown;
        }
        let area = rest.split(['/', ' ', ':']).next().unwrap_or_default();
        let mut shown = if area == self.area {
            Vec::new()
        } else {
            self.close()
        };
        area.clone_into(&mut self.area);
        self.seconds += seconds(rest).unwrap_or_default();
        match word {
            "ok" => self.passed += 1,
            "skipped" => self.skipped += 1,
            _ => {
                self.failed += 1;
                shown.push(line.to_owned());
            }
        }
        shown
    }

    /// The line of the area that is through.
    pub fn close(&mut self) -> Vec<String> {
        let done = mem::take(self);
        let mut counts = Vec::new();
        for (count, word) in [
            (done.passed, "passed"),
            (done.failed, "failed"),
            (done.skipped, "skipped"),
        ] {
            if count > 0 {
                counts.push(format!("{count} {word}"));
            }
        }
        if counts.is_empty() {
            return Vec::new();
        }
        let (area, seconds) = (done.area, done.seconds);
        vec![format!(
            "e2e {area}: {} ({seconds:.0} s)",
            counts.join(", ")
        )]
    }
}

/// `NAME (1.5 s)…`: how long it took.
fn seconds(rest: &str) -> Option<f64> {
    let (before, _) = rest.split_once(" s)")?;
    before.rsplit('(').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_one_line_for_each_crate() {
        let shown = crates(&[
            "   Compiling pktwho-wire v0.1.0 (/here/crates/wire)",
            "    Finished `test` profile [unoptimized] target(s) in 2.5s",
            "     Running unittests src/lib.rs (target/debug/deps/pktwho_wire-0a1b)",
            "",
            "running 2 tests",
            "test a ... ok",
            "test b ... ok",
            "",
            "successes:",
            "---- a stdout ----",
            "skipped: no root",
            "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.0s",
            "",
            "     Running tests/golden.rs (target/debug/deps/golden-0a1b)",
            "test result: ok. 30 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.0s",
            "   Doc-tests pktwho_wire",
            "running 0 tests",
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.0s",
        ]);
        let expected = [
            "pktwho_wire: 2 passed",
            "tests/golden.rs: 30 passed, 1 ignored",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_fails_is_shown_whole() {
        let shown = crates(&[
            "warning: unused variable",
            "     Running unittests src/lib.rs (target/debug/deps/pktwho_wire-0a1b)",
            "running 2 tests",
            "test a ... ok",
            "test b ... FAILED",
            "successes:",
            "successes:",
            "    a",
            "failures:",
            "---- b stdout ----",
            "thread 'b' panicked",
            "failures:",
            "    b",
            "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.0s",
            "error: test failed, to rerun pass `-p pktwho-wire --lib`",
        ]);
        let expected = [
            "warning: unused variable",
            "pktwho_wire: 1 passed, 1 failed",
            "failures:",
            "---- b stdout ----",
            "thread 'b' panicked",
            "failures:",
            "    b",
            "error: test failed, to rerun pass `-p pktwho-wire --lib`",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_crash_is_shown_whole() {
        let shown = crates(&[
            "     Running unittests src/lib.rs (target/debug/deps/pktwho_wire-0a1b)",
            "running 2 tests",
            "test a ... ok",
            "     Running unittests src/lib.rs (target/debug/deps/pktwho_tls-0a1b)",
            "running 1 test",
        ]);
        let expected = [
            "pktwho_wire: did not come to its end",
            "running 2 tests",
            "test a ... ok",
            "pktwho_tls: did not come to its end",
            "running 1 test",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn cases_are_one_line_for_each_area() {
        let mut cases = Cases::default();
        let shown: Vec<String> = [
            "ok netns/a (1.5 s)",
            "ok netns/b (1.6 s): 3 packets (all)",
            "FAILED netns/c (0.1 s): nothing | came",
            "skipped tls/a: no node",
            "1 passed, 1 failed, 1 skipped",
        ]
        .iter()
        .flat_map(|line| cases.line(line))
        .collect();
        let expected = [
            "FAILED netns/c (0.1 s): nothing | came",
            "e2e netns: 2 passed, 1 failed (3 s)",
            "e2e tls: 1 skipped (0 s)",
            "1 passed, 1 failed, 1 skipped",
        ];
        assert_eq!(shown, expected);
    }

    fn crates(lines: &[&str]) -> Vec<String> {
        let mut crates = Crates::default();
        let mut shown: Vec<String> = lines.iter().flat_map(|line| crates.line(line)).collect();
        shown.extend(crates.end());
        shown
    }
}
