//! `pktwho doctor`: what this machine offers a capture, what is lost, and what can be done.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::process::ExitCode;

use pktwho_probe::doctor;

use crate::privileges::{self, Confined, Restriction};

/// The word that asks for it: no filter expression begins so.
pub const WORD: &str = "doctor";

const USAGE: &str = "Usage: pktwho doctor\n";

/// Tries everything and says how it stands. The status is success when nothing is missing.
///
/// # Errors
/// Standard output takes no more.
pub fn run(words: &[OsString]) -> anyhow::Result<ExitCode> {
    if !words.is_empty() {
        let asked = words.iter().all(|word| word == "-h" || word == "--help");
        if asked {
            crate::put(USAGE)?;
            return Ok(ExitCode::SUCCESS);
        }
        eprint!("{USAGE}");
        return Ok(ExitCode::FAILURE);
    }
    let system = rustix::system::uname();
    let mut text = format!(
        "{} {} {}\n",
        system.sysname().to_string_lossy(),
        system.release().to_string_lossy(),
        system.machine().to_string_lossy()
    );
    let findings = doctor::examine();
    for finding in &findings {
        let _ = writeln!(text, "{finding}");
    }
    let restrictions = restrictions();
    for restriction in &restrictions {
        let mark = if restriction.outcome.is_ok() {
            "ok"
        } else {
            "NO"
        };
        let _ = writeln!(text, "{mark}  confined by {restriction}");
        if restriction.outcome.is_err() {
            let (lost, hint) = advice(restriction.name);
            let _ = writeln!(text, "      lost: {lost}\n      hint: {hint}");
        }
    }
    crate::put(&text)?;
    let confined = restrictions.iter().all(|it| it.outcome.is_ok());
    Ok(if confined && findings.iter().all(doctor::Finding::works) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is lost without a restriction, and what to do.
fn advice(restriction: &str) -> (&'static str, &'static str) {
    match restriction {
        "user" => (
            "what reads packets stays root",
            "it takes CAP_SETUID and CAP_SETGID: give a container both",
        ),
        "landlock" => (
            "what reads packets may open every file that its user may",
            "it takes Linux 5.13 or newer, started with landlock in lsm=",
        ),
        "seccomp" => (
            "what reads packets has every system call",
            "it takes a kernel built with CONFIG_SECCOMP_FILTER",
        ),
        _ => (
            "what reads packets is allowed more than it needs",
            "it is not to be had here",
        ),
    }
}

/// Tried by a thread that ends then: nobody is let out again.
fn restrictions() -> Vec<Restriction> {
    let tried = std::thread::spawn(|| privileges::restrict(&Confined::default()));
    tried.join().unwrap_or_default()
}
