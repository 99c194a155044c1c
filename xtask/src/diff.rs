//! `diff`: the same input through the installed tcpdump and through us.

use crate::{Outcome, shell};

const HELP: &str = "usage: cargo xtask diff filter [--seed N] [--count N]
       cargo xtask diff print [CASE...]
       cargo xtask diff print short [CASE...]
       cargo xtask diff print sweep [NAME...]";

/// `filter [--seed N] [--count N]`: random filters on random packets. `print [CASE...]`: the golden
/// captures' packets, cut at every length; `print short [CASE...]`: sent shorter. `print sweep [NAME...]`: random payloads under every port,
/// protocol number and type.
pub fn run(words: &[String]) -> Outcome {
    match words.split_first() {
        Some((word, rest)) if word == "print" => print(rest),
        _ => filter(words),
    }
}

/// Prints packets cut at every length with both tools, or sweeps through the numbers of protocols, and
/// says where they differ. What is known to be newer than the installed tcpdump, and why, stands in the
/// script.
fn print(words: &[String]) -> Outcome {
    let (mode, cases) = match words.split_first() {
        Some((word, rest)) if word == "sweep" => ("--sweep", rest),
        Some((word, rest)) if word == "short" => ("--short", rest),
        _ => ("--snaplens", words),
    };
    let build = ["build", "--release", "--package", "pktwho"];
    shell::run(&mut shell::command(shell::cargo(), &build))?;
    let script = "tests/golden/print/generate.py";
    let mut command = shell::command("python3", &[script, mode, "tcpdump"]);
    command.arg(shell::target().join("release/pktwho"));
    command.args(cases).env("TZ", "UTC0");
    shell::run(&mut command)
}

fn filter(words: &[String]) -> Outcome {
    let mut words = words.iter().map(String::as_str);
    if words.next() != Some("filter") {
        return Err(HELP.into());
    }
    let mut seed = seed_of_the_day();
    let mut count = 20_000;
    while let Some(word) = words.next() {
        let value = words.next().and_then(|value| value.parse().ok());
        match (word, value) {
            ("--seed", Some(value)) => seed = value,
            ("--count", Some(value)) => count = value,
            _ => return Err(format!("what is {word}?")),
        }
    }
    eprintln!("{count} filters, seed {seed}");
    let package = ["test", "--release", "--package", "pktwho-filter", "--lib"];
    let test = ["differential", "--", "--nocapture"];
    let mut command = shell::command(shell::cargo(), &[&package[..], &test].concat());
    command.env("PKTWHO_DIFF_SEED", seed.to_string());
    command.env("PKTWHO_DIFF_COUNT", count.to_string());
    shell::run(&mut command)
}

/// Other filters on each day, the same for everybody.
fn seed_of_the_day() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |time| time.as_secs() / 86_400)
}
