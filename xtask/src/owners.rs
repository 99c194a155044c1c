//! `owners`: the table of owners against the truth, one row per case; `soak`: the same of random
//! scenes, and many packets for long; `faults`: what captures survive; `tls`: the table of TLS secrets. Root only.

use std::process::Command;

use crate::{Outcome, shell};

/// Builds the tool as it is measured and shipped, plays the rows, prints the table.
///
/// # Errors
/// An owner is wrong or empty where a process exists, or a packet is missing.
pub fn run(words: &[String]) -> Outcome {
    end_to_end("owners", words)
}

/// How long each soak takes when nothing else is said, in seconds.
const SOAKS: [(&str, &str); 2] = [("scenes", "300"), ("packets", "600")];

/// Random scenes for five minutes, then 100,000 packets a second for ten; or one of them, or as
/// long as the words say.
///
/// # Errors
/// An owner is wrong, a packet is missing, or the memory of the tool grows.
pub fn soak(words: &[String]) -> Outcome {
    let is_named = |name: &str| words.iter().any(|word| word == name);
    let any_named = SOAKS.iter().any(|(name, _)| is_named(name));
    let others = words
        .iter()
        .filter(|&word| SOAKS.iter().all(|(name, _)| word != name));
    let others: Vec<String> = others.cloned().collect();
    for (name, seconds) in SOAKS {
        if any_named && !is_named(name) {
            continue;
        }
        let mut soak = vec![name.to_owned()];
        if !is_named("--seconds") {
            soak.extend(["--seconds", seconds].map(str::to_owned));
        }
        end_to_end("soak", &[soak, others.clone()].concat())?;
    }
    Ok(())
}

/// Full disks, stopped terminals, devices that come and go, little memory, SIGKILL: at length.
///
/// # Errors
/// Something is left behind, cannot be read, or is not counted.
pub fn faults(words: &[String]) -> Outcome {
    end_to_end("faults", words)
}

/// Runs one mode of the end-to-end runner, both it and the tool built with optimisation.
pub(crate) fn end_to_end(mode: &str, words: &[String]) -> Outcome {
    shell::run(runner(mode)?.args(words))
}

/// The end-to-end runner in one mode, as [`end_to_end`] runs it.
///
/// # Errors
/// We are not root.
pub(crate) fn runner(mode: &str) -> Result<Command, String> {
    if !shell::is_root() {
        return Err("needs root; run: sudo -E env PATH=\"$PATH\" cargo xtask ...".into());
    }
    let run = ["run", "--quiet", "--release", "--package", "e2e", "--"];
    let mut command = shell::command(shell::cargo(), &run);
    command.arg(mode);
    Ok(command)
}
