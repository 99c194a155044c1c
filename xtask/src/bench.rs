//! `bench`: what pktwho costs and loses, and what its filters cost, beside the installed tcpdump. Root only.

use crate::{Outcome, owners};

const HELP: &str = "usage: cargo xtask bench capture|filter [--seconds S] [--rounds N] \
                    [-w FILE] [--receiver] [FILTER...]";

/// No packet of the generator's matches it, after a look at all headers.
const EXPRESSION: &str = "udp port 9998";

/// Runs the bench that the first word names.
///
/// # Errors
/// There is no such bench, or one of its bars is missed.
pub fn run(words: &[String]) -> Outcome {
    match words.split_first() {
        Some((word, rest)) if word == "capture" => owners::end_to_end("bench", rest),
        Some((word, rest)) if word == "filter" => {
            let expression = ["--expression", EXPRESSION].map(str::to_owned);
            owners::end_to_end("bench", &[&expression, rest].concat())
        }
        _ => Err(HELP.into()),
    }
}
