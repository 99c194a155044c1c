//! How cases ended: a line for each, and their counts.

use std::io::{self, Write as _};
use std::time::Instant;

use anyhow::Result;

use crate::cases::Outcome;

/// Counts of how cases ended.
#[derive(Default)]
pub struct Score {
    /// So many more are left out: a guest before this one has played them.
    left_out: u32,
    /// Each case is told before it begins, for whoever reads when the machine dies of it.
    told: bool,
    passed: u32,
    failed: u32,
    skipped: u32,
}

impl Score {
    pub fn new() -> Self {
        let from = std::env::var("E2E_FROM").ok();
        Self {
            left_out: from.and_then(|n| n.parse().ok()).unwrap_or(0),
            told: std::env::var_os("E2E_GUEST").is_some(),
            ..Self::default()
        }
    }

    /// The line that counts them; whether none has failed.
    pub fn close(&self) -> Result<bool> {
        let Self {
            passed,
            failed,
            skipped,
            ..
        } = self;
        writeln!(
            io::stdout(),
            "{passed} passed, {failed} failed, {skipped} skipped"
        )?;
        Ok(*failed == 0)
    }

    /// Runs one case and prints its line.
    pub fn run(&mut self, name: &str, run: impl FnOnce() -> Result<Outcome>) -> io::Result<()> {
        if self.left_out > 0 {
            self.left_out -= 1;
            return Ok(());
        }
        if self.told {
            writeln!(io::stdout(), "begins {name}")?;
        }
        let start = Instant::now();
        let outcome = run();
        let took = start.elapsed().as_secs_f32();
        let mut out = io::stdout().lock();
        match outcome {
            Ok(Outcome::Passed) => {
                self.passed += 1;
                writeln!(out, "ok {name} ({took:.1} s)")
            }
            Ok(Outcome::Measured(figures)) => {
                self.passed += 1;
                writeln!(out, "ok {name} ({took:.1} s): {figures}")
            }
            Ok(Outcome::Skipped(reason)) => {
                self.skipped += 1;
                writeln!(out, "skipped {name}: {reason}")
            }
            Err(error) => {
                self.failed += 1;
                let error = format!("{error:#}");
                // One line each; usage texts are long.
                let lines: Vec<&str> = error.lines().take(4).collect();
                writeln!(out, "FAILED {name} ({took:.1} s): {}", lines.join(" | "))
            }
        }
    }
}
