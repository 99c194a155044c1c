//! `bench`: what pktwho costs and loses beside the installed tcpdump. Root only.

use crate::{Outcome, owners};

const HELP: &str = "usage: cargo xtask bench capture [--seconds S] [--rounds N] [-w FILE] \
                    [--receiver] [FILTER...]";

/// Runs the bench that the first word names.
///
/// # Errors
/// There is no such bench, or one of its bars is missed.
pub fn run(words: &[String]) -> Outcome {
    match words.split_first() {
        Some((word, rest)) if word == "capture" => owners::end_to_end("bench", rest),
        _ => Err(HELP.into()),
    }
}
