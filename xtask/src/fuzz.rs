//! `fuzz`: builds the targets for libFuzzer and runs them, with the toolchain of the project and
//! nothing else: what cargo-fuzz does are a few flags.
//!
//! Inputs that were found worth keeping stay in `target/fuzz/corpus`, finds in
//! `target/fuzz/found`; a find becomes a unit test.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::setup::Package;
use crate::{Outcome, setup, shell};

/// A target: its name, the crate whose parser it is about, the longest input.
struct Target(&'static str, &'static str, u32);

const TARGETS: &[Target] = &[
    Target("cursor", "wire", 512),
    Target("link", "print", 2048),
    Target("network", "print", 2048),
    Target("port", "print", 2048),
    Target("drafts", "cli", 4096),
    Target("read", "capfile", 65_536),
    Target("carry", "capfile", 65_536),
    Target("compile", "filter", 4096),
    Target("resolve", "tls", 65_536),
    Target("packets", "decrypt", 4096),
    Target("carried", "decrypt", 4096),
    Target("cgroup", "owner", 4096),
    Target("runtimes", "owner", 4096),
    Target("records", "probe", 4096),
];

/// The crates' folders beside `crates/`, as this is the one that has its own workspace.
const MANIFEST: &str = "fuzz/Cargo.toml";

const SECONDS: u64 = 60;

const PACKAGES: &[Package] = &[("g++", "c++", "fuzz: compiles the engine")];

/// Instrumentation that libFuzzer reads, and the address sanitizer. `RUSTC_BOOTSTRAP` lets the
/// stable compiler take the one flag that it otherwise does not.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Zsanitizer=address -Coverflow-checks -Cdebug-assertions --cfg fuzzing";

/// `[TARGET...] [--seconds N]`: those targets, or those of the crates so called, or all, for so
/// long each.
///
/// # Errors
/// A target does not build, or something was found.
pub fn run(words: &[String]) -> Outcome {
    let (chosen, seconds) = parse(words)?;
    setup::install(PACKAGES)?;
    let host = host()?;
    for target in &chosen {
        build(target, &host)?;
    }
    let mut found = Vec::new();
    for target in &chosen {
        if let Err(what) = fuzz(target, &host, seconds) {
            found.push(format!("{}: {what}", target.0));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let folder = folder().join("found");
    Err(format!("{}; see {}", found.join("; "), folder.display()))
}

fn parse(words: &[String]) -> Result<(Vec<&'static Target>, u64), String> {
    let (mut chosen, mut seconds) = (Vec::new(), SECONDS);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--seconds" {
            let value = words.next().and_then(|value| value.parse().ok());
            seconds = value.ok_or("--seconds wants a number")?;
            continue;
        }
        let before = chosen.len();
        let is_it = |target: &&Target| target.0 == word || target.1 == word;
        chosen.extend(TARGETS.iter().filter(is_it));
        if chosen.len() == before {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.0).collect();
            return Err(format!("no target {word}; there are {}", names.join(", ")));
        }
    }
    if chosen.is_empty() {
        chosen.extend(TARGETS);
    }
    Ok((chosen, seconds))
}

/// Whether all targets compile, without the fuzzer's engine.
///
/// # Errors
/// They do not.
pub fn check() -> Outcome {
    let words = [
        "check",
        "--quiet",
        "--workspace",
        "--manifest-path",
        MANIFEST,
    ];
    let mut command = shell::command(shell::cargo(), &words);
    // Nothing is linked, so that this need not be there.
    command.env("CUSTOM_LIBFUZZER_PATH", folder().join("libFuzzer.a"));
    shell::run(command.env("CARGO_TARGET_DIR", shell::target()))
}

fn folder() -> PathBuf {
    shell::target().join("fuzz")
}

/// The target triple of this machine.
fn host() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output();
    let output = output.map_err(|error| format!("cannot run rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line.ok_or("rustc names no host")?.to_owned())
}

fn build(Target(name, package, _): &Target, host: &str) -> Outcome {
    let package = format!("pktwho-{package}-fuzz");
    // With a target named, the flags are not those of build scripts.
    let words = ["build", "--quiet", "--release", "--target", host];
    let which = ["--manifest-path", MANIFEST, "--package", &package];
    let mut command = shell::command(shell::cargo(), &words);
    command.args(which).args(["--bin", name]);
    command.env("CARGO_TARGET_DIR", folder());
    command.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", FLAGS);
    shell::run(&mut command)
}

/// First inputs: packets and files of the golden tests, and a few texts.
fn seed(name: &str, seeds: &Path) -> Outcome {
    let words = ["run", "--quiet", "--manifest-path", MANIFEST];
    let mut command = shell::command(shell::cargo(), &words);
    command.args(["--package", "pktwho-fuzz-seeds", "--", name]);
    command.env("CARGO_TARGET_DIR", shell::target());
    shell::run(command.arg(seeds))
}

fn fuzz(Target(name, crate_name, longest): &Target, host: &str, seconds: u64) -> Outcome {
    let (corpus, seeds) = (
        folder().join("corpus").join(name),
        folder().join("seeds").join(name),
    );
    let found = folder().join("found").join(name);
    for folder in [&corpus, &found] {
        let made = std::fs::create_dir_all(folder);
        made.map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    seed(name, &seeds)?;
    let program = folder().join(host).join("release").join(name);
    let mut command = shell::command(program, &[]);
    command.args([
        format!("-max_total_time={seconds}"),
        format!("-max_len={longest}"),
        format!("-artifact_prefix={}/", found.display()),
    ]);
    command.args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    command.args(["-verbosity=0", "-print_funcs=0"]);
    let words = Path::new("crates").join(crate_name).join("fuzz");
    let words = words.join(format!("{crate_name}.dict"));
    if shell::root().join(&words).exists() {
        command.arg(format!("-dict={}", words.display()));
    }
    shell::run(command.arg(corpus).arg(seeds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Result<(Vec<&'static str>, u64), String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let (chosen, seconds) = parse(&words)?;
        Ok((chosen.iter().map(|target| target.0).collect(), seconds))
    }

    #[test]
    fn targets_by_name_and_by_crate() {
        assert_eq!(names(&["link"]), Ok((vec!["link"], SECONDS)));
        let all = TARGETS.len();
        assert_eq!(names(&[]).map(|(chosen, _)| chosen.len()), Ok(all));
        let (chosen, seconds) = names(&["--seconds", "9", "owner", "read"]).unwrap();
        assert_eq!((chosen, seconds), (vec!["cgroup", "runtimes", "read"], 9));
        assert!(names(&["nosuch"]).is_err());
        assert!(names(&["--seconds"]).is_err());
    }

    /// A target that is not in the table would never run.
    #[test]
    fn every_target_is_in_the_table() {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(shell::root().join("crates")).unwrap() {
            let folder = entry.unwrap().path();
            let Ok(targets) = std::fs::read_dir(folder.join("fuzz/fuzz_targets")) else {
                continue;
            };
            let of = folder.file_name().unwrap().to_str().unwrap().to_owned();
            for target in targets {
                let name = target.unwrap().path();
                let name = name.file_stem().unwrap().to_str().unwrap().to_owned();
                files.push((name, of.clone()));
            }
        }
        files.sort();
        let entry = |target: &Target| (target.0.to_owned(), target.1.to_owned());
        let mut table: Vec<_> = TARGETS.iter().map(entry).collect();
        table.sort();
        assert_eq!(files, table);
    }
}
