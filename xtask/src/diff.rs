//! `diff`: the same input through the installed tcpdump and through us.

use crate::{Outcome, shell};

/// `filter [--seed N] [--count N]`: random filters on random packets.
pub fn run(words: &[String]) -> Outcome {
    let mut words = words.iter().map(String::as_str);
    if words.next() != Some("filter") {
        return Err("usage: cargo xtask diff filter [--seed N] [--count N]".into());
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
