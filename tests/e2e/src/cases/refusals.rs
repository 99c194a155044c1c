//! What cannot be done is said as tcpdump says it, with its exit status, and nothing is
//! written.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Outcome;
use crate::lab::{Lab, installed};
use crate::netns::Netns;
use crate::tool::{Ended, Tool};

/// Runs pktwho, which must refuse: no output, no file.
fn refused(lab: &Lab, words: &[&str]) -> Result<Ended> {
    let netns = Netns::new()?;
    let path = lab.file(&format!("refused{}.pcapng", lab.number()));
    let path_text = path.display().to_string();
    let mut all = vec!["-w", &path_text];
    all.extend(words);
    let ended = Tool::spawn(&lab.pktwho, &netns, &all)?.wait()?;
    let what = words.join(" ");
    ensure!(!ended.status.success(), "{what}: exit status 0");
    ensure!(ended.stdout.is_empty(), "{what}: there is output");
    ensure!(!path.exists(), "{what}: there is a file");
    Ok(ended)
}

/// Refused with the first line and the exit status of the installed tcpdump.
fn as_tcpdump(lab: &Lab, words: &[&str]) -> Result<Outcome> {
    let ours = refused(lab, words)?;
    if !installed("tcpdump") {
        return Ok(Outcome::Skipped("tcpdump is not installed".into()));
    }
    let netns = Netns::new()?;
    let theirs = netns.within(|| {
        let mut command = Command::new("tcpdump");
        Ok(command.args(["-w", "/dev/null"]).args(words).output()?)
    })?;
    let said = String::from_utf8_lossy(&theirs.stderr);
    let expected = said.lines().next().context("tcpdump says nothing")?;
    let expected = expected.replacen("tcpdump", "pktwho", 1);
    let first = ours.stderr.lines().next().unwrap_or_default();
    ensure!(first == expected, "{first:?} instead of {expected:?}");
    ours.expect_status(theirs.status.code().context("tcpdump was killed")?)?;
    Ok(Outcome::Passed)
}

pub fn flag(lab: &Lab) -> Result<Outcome> {
    as_tcpdump(lab, &["-i", "lo", "--no-such-flag"])?;
    as_tcpdump(lab, &["-i", "lo", "-c", "none"])?;
    as_tcpdump(lab, &["-i", "lo", "-Q", "sideways"])
}

pub fn device(lab: &Lab) -> Result<Outcome> {
    as_tcpdump(lab, &["-i", "nosuch0"])
}

pub fn file(lab: &Lab) -> Result<Outcome> {
    let missing = Path::new("/nonexistent/capture.pcapng")
        .display()
        .to_string();
    as_tcpdump(lab, &["-r", &missing])
}

/// tcpdump has no such flag; the words are ours.
pub fn pid(lab: &Lab) -> Result<Outcome> {
    for (pid, words) in [("4194305", "4194305"), ("nobody", "nobody")] {
        let ended = refused(lab, &["-i", "lo", "--pid", pid])?;
        ended.expect_status(1)?;
        let first = ended.stderr.lines().next().unwrap_or_default();
        ensure!(
            first.starts_with("pktwho: ") && first.contains(words),
            "--pid {pid}: {first:?}"
        );
    }
    Ok(Outcome::Passed)
}
