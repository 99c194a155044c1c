//! `lab` and `containers`: real container runtimes, on a host of their own. Root only.

use std::process::Stdio;

use crate::{Outcome, owners, setup, shell};

/// Installs the runtimes, starts them, then a command or a shell among them, and takes them down.
///
/// # Errors
/// The command fails.
pub fn run(words: &[String]) -> Outcome {
    setup::install(setup::RUNTIMES)?;
    // A shell reads what is typed.
    shell::run(owners::runner("lab")?.stdin(Stdio::inherit()).args(words))
}

/// The table of containers against the truth, one row per case.
///
/// # Errors
/// A container or pod is wrong or not named.
pub fn containers(words: &[String]) -> Outcome {
    setup::install(setup::RUNTIMES)?;
    owners::end_to_end("containers", words)
}
