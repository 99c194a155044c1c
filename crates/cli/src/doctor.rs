//! `pktwho doctor`: what this machine offers a capture, and what is lost.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::process::ExitCode;

use pktwho_probe::doctor;

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
    crate::put(&text)?;
    Ok(if findings.iter().all(doctor::Finding::works) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
