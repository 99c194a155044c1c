//! What later steps need, fetched and built while end-to-end tests run: those wait a good part of
//! their time.

use std::process::{Child, Stdio};

use super::Tally;
use crate::{Outcome, demo, setup, shell, vm};

/// The word that has `test` do only this.
pub const WORD: &str = "--ahead";

/// A process of ours, at the lowest priority.
pub struct Ahead(Option<Child>);

impl Ahead {
    /// It says nothing: what cannot be had, the step that needs it tries again, and says so.
    pub fn start() -> Self {
        let start = || {
            // Not while others run: it is the whole machine's.
            setup::install(setup::FOR_VM).ok()?;
            let xtask = std::env::current_exe().ok()?;
            let mut command = shell::command("nice", &["-n", "19"]);
            command.arg(xtask).args(["test", WORD]);
            let command = command.stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().ok()
        };
        Self(start())
    }
}

impl Drop for Ahead {
    /// Waits for its end.
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.wait();
        }
    }
}

/// What that process does, in the order in which it is needed.
///
/// # Errors
/// Something does not build.
pub fn run() -> Outcome {
    demo::build()?;
    vm::brief_images(&mut Tally::default()).map(drop)
}
