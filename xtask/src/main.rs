//! The project's chores, one word each: `cargo xtask WORD`.
//!
//! Promises: plain standard Rust and no other crate of this workspace that needs clang, so
//! that it runs on a machine on which nothing has been set up yet. CI runs only these words.

#![forbid(unsafe_code)]

mod audit;
mod bench;
mod check;
mod demo;
mod diff;
mod dist;
mod fuzz;
mod lab;
mod libraries;
mod musl;
mod owners;
mod packages;
mod setup;
mod shell;
mod test;
mod tls;
mod unsafe_code;
mod vm;
mod wireshark;

use std::process::ExitCode;

/// What went wrong, in words; none when all has been said. A command that was run has said the
/// rest itself.
type Outcome = Result<(), String>;

/// A word: its name, what it does, and how.
struct Word(&'static str, &'static str, fn(&[String]) -> Outcome);

const WORDS: &[Word] = &[
    Word(
        "setup",
        "install the system packages that building and testing need (Debian, Ubuntu)",
        setup::run,
    ),
    Word(
        "demo",
        "a small HTTP exchange, captured live: see who sends and who receives",
        demo::run,
    ),
    Word(
        "check",
        "format, lints, what dependencies are, unit and golden tests; no root",
        check::run,
    ),
    Word(
        "audit",
        "licences, sources and known faults of dependencies (cargo deny, cargo audit; installs them), unsafe code counted",
        audit::run,
    ),
    Word("test", "setup, check, e2e: everything", test::run),
    Word(
        "e2e",
        "only the tests with real processes and namespaces (root) [-- FILTER]",
        test::e2e_only,
    ),
    Word(
        "owners",
        "who owns each packet, told against the truth: one row per case (root) [-v] [FILTER...]",
        owners::run,
    ),
    Word(
        "soak",
        "random scenes for five minutes, 100,000 packets a second for ten (root) [scenes|packets] [--seconds S] [--seed N]",
        owners::soak,
    ),
    Word(
        "faults",
        "full disks, stopped terminals, devices that come and go, little memory, 200 times SIGKILL (root) [--seed N] [FILTER...]",
        owners::faults,
    ),
    Word(
        "tls",
        "TLS secrets of running programs against their own key logs: one row per case (root) [-v] [--long] [FILTER...]",
        tls::run,
    ),
    Word(
        "containers",
        "which container and pod owns each packet, told against the truth (root) [-v] [FILTER...]",
        lab::containers,
    ),
    Word(
        "lab",
        "Docker, Podman and containerd with a host of their own, for a command or a shell (root) [COMMAND...]",
        lab::run,
    ),
    Word(
        "bench",
        "capture, filter: loss and cost, start: how soon, beside tcpdump (root); files: reading and writing, print: printing [--rounds N]",
        bench::run,
    ),
    Word(
        "diff",
        "ours against the installed tcpdump: filter, random filters; print, packets cut at every length",
        diff::run,
    ),
    Word(
        "dist",
        "static programs, packages for Debian's and Red Hat's families, completions, manual, sums, bill of materials [x86_64] [aarch64] [--twice]",
        dist::run,
    ),
    Word(
        "libraries",
        "where TLS secrets pass in real libraries, fetched from Debian [--long]",
        libraries::run,
    ),
    Word(
        "fuzz",
        "random inputs for every parser, 60 seconds each [TARGET...|CRATE...] [--seconds N]",
        fuzz::run,
    ),
    Word(
        "vm",
        "the end-to-end set on other kernels, emulated: 5.10 to the newest, x86-64 and arm64 [--brief] [--whole] [KERNEL...] [-- FILTER...]",
        vm::run,
    ),
    Word(
        "bless",
        "write what the tool prints now into the golden files; read the diff after it",
        check::bless,
    ),
];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let word = words.next().unwrap_or_default();
    let rest: Vec<String> = words.collect();
    let Some(Word(.., run)) = WORDS.iter().find(|Word(name, ..)| *name == word) else {
        eprintln!("usage: cargo xtask WORD\n");
        for Word(name, help, _) in WORDS {
            eprintln!("  {name:10}  {help}");
        }
        return ExitCode::from(2);
    };
    match run(&rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            if !wrong.is_empty() {
                eprintln!("xtask {word}: {wrong}");
            }
            ExitCode::FAILURE
        }
    }
}
