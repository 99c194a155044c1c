//! `bench`: what pktwho costs and loses, what its filters cost, and how soon it captures, beside
//! the installed tcpdump; what container runtimes cost its start, and what its look at TLS secrets costs
//! a handshake. Root only, but for files: filtering and printing them, and the time it takes to compile filters.

mod files;
mod offline;
mod print;
mod runs;

use crate::{Outcome, owners, setup, shell};

const HELP: &str = "usage: cargo xtask bench capture|filter [--seconds S] [--rounds N] \
                    [-w FILE] [--receiver] [FILTER...]
       cargo xtask bench start|containers|print [--rounds N]
       cargo xtask bench tls [--rounds N] [LIBRARY...]
       cargo xtask bench files [--packets N] [--rounds N] [--folder PATH]
       cargo xtask bench filter offline [--rounds N]
       cargo xtask bench filter compile [FAMILY]";

/// No packet of the generator's matches it, after a look at all headers.
const EXPRESSION: &str = "udp port 9998";

/// Runs the bench that the first word names.
///
/// # Errors
/// There is no such bench, or one of its bars is missed.
pub fn run(words: &[String]) -> Outcome {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    match (word(0), word(1)) {
        ("capture", _) => owners::end_to_end("bench", words.get(1..).unwrap_or_default()),
        ("print", _) => print::run(words.get(1..).unwrap_or_default()),
        ("files", _) => files::run(words.get(1..).unwrap_or_default()),
        ("filter", "offline") => offline::run(words.get(2..).unwrap_or_default()),
        ("filter", "compile") => compile(words.get(2..).unwrap_or_default()),
        ("filter", _) => {
            let expression = ["--expression", EXPRESSION].map(str::to_owned);
            let rest = words.get(1..).unwrap_or_default();
            owners::end_to_end("bench", &[&expression, rest].concat())
        }
        ("start" | "containers", _) => {
            let mode = match word(0) {
                "start" => "start",
                _ => "runtimes",
            };
            let rounds = ["--rounds", "15"].map(str::to_owned);
            let rest = words.get(1..).unwrap_or_default();
            owners::end_to_end(mode, &[&rounds, rest].concat())
        }
        ("tls", _) => {
            setup::install(setup::TLS_BENCH_PACKAGES)?;
            let rounds = ["--rounds", "25"].map(str::to_owned);
            let rest = words.get(1..).unwrap_or_default();
            owners::end_to_end("handshakes", &[&rounds, rest].concat())
        }
        _ => Err(HELP.into()),
    }
}

/// How long large filters take to compile.
fn compile(words: &[String]) -> Outcome {
    let example = ["run", "--quiet", "--release", "--package", "pktwho-filter"];
    let mut command = shell::command(shell::cargo(), &example);
    shell::run(command.args(["--example", "compile", "--"]).args(words))
}
