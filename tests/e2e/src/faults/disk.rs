//! A disk that is full: the file is cut to what is whole, and what it holds is what was counted.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, unshare};

use super::Options;
use crate::cases::Outcome;
use crate::lab::Lab;
use crate::netns::Netns;
use crate::seen::read_file;
use crate::tool::Tool;
use crate::traffic::{Line, numbers};

/// Both formats, one file and a series.
pub fn full(lab: &Lab, _: &Options) -> Result<Outcome> {
    let folder = lab.file("small-disk");
    std::fs::create_dir(&folder)?;
    let pktwho = lab.pktwho.as_path();
    // The disk is mounted in a namespace of the thread's own, and gone with it.
    let figures = thread::scope(|scope| {
        let inside = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS).context("unshare(CLONE_NEWNS)")?;
            run("mount", &["--make-rprivate", "/"])?;
            mount(&folder)?;
            let mut figures = Vec::new();
            for words in ["-w full.pcapng", "-U -w full.pcap", "-C 64k -w full.pcapng"] {
                let figure = one(&[pktwho], &folder, words, "No space left on device");
                figures.push(figure.with_context(|| words.to_owned())?);
            }
            Ok::<_, anyhow::Error>(figures.join("; "))
        });
        inside.join().expect("the thread returns its error")
    })?;
    Ok(Outcome::Measured(figures))
}

/// A limit on the size of files (`ulimit -f`) is as a full disk.
pub fn limited(lab: &Lab, _: &Options) -> Result<Outcome> {
    let folder = lab.file("limited");
    std::fs::create_dir(&folder)?;
    let programs = [
        Path::new("prlimit"),
        Path::new("--fsize=262144"),
        &lab.pktwho,
    ];
    one(&programs, &folder, "-w full.pcapng", "File too large").map(Outcome::Measured)
}

/// A disk of 256 KiB in memory.
fn mount(folder: &Path) -> Result<()> {
    let folder = folder.display().to_string();
    run(
        "mount",
        &["-t", "tmpfs", "-o", "size=256k", "small", &folder],
    )
}

fn run(program: &str, words: &[&str]) -> Result<()> {
    let status = Command::new(program).args(words).status()?;
    ensure!(status.success(), "{program} {}: {status}", words.join(" "));
    Ok(())
}

/// `programs`: the tool, behind what starts it; `reason`: why it cannot write at last.
fn one(programs: &[&Path], folder: &Path, words: &str, reason: &str) -> Result<String> {
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let words = words.replace("full.", &format!("{}/full.", folder.display()));
    let (first, others) = programs.split_first().context("no program")?;
    let words: Vec<&str> = others
        .iter()
        .filter_map(|program| program.to_str())
        .chain(["-i", "lo"])
        .chain(words.split_whitespace())
        .collect();
    let mut tool = Tool::spawn(first, &netns, &words)?;
    tool.ready()?;
    // It ends by itself when nothing can be written any more.
    let ended = thread::scope(|scope| {
        let waiting = scope.spawn(|| tool.wait());
        while !waiting.is_finished() {
            line.send(10)?;
            // So slow that no ring runs full.
            thread::yield_now();
        }
        waiting.join().expect("the thread returns its error")
    })?;
    ended.expect_status(1)?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    let last = files.last().context("no file")?;
    let expected = format!("pktwho: cannot write to {}: {reason}", last.display());
    ensure!(ended.stderr.contains(&expected), "{}", ended.stderr);
    let mut found = Vec::new();
    for file in &files {
        // Read to its end: nothing in it is cut off.
        found.extend(numbers(&read_file(file)?));
        std::fs::remove_file(file)?;
    }
    let counts = ended.counts()?;
    let unwritten = unwritten(&ended.stderr);
    let figures = format!(
        "{} sent, {} in {} files, {unwritten} not written, {counts:?}",
        line.sent(),
        found.len(),
        files.len()
    );
    ensure!(found.len() > 500, "{figures}");
    ensure!(
        found.len() as u64 + unwritten == counts.captured,
        "{figures}"
    );
    ensure!(
        counts.received == counts.captured + counts.dropped,
        "{figures}"
    );
    ensure!(
        found.iter().copied().eq(0..u32::try_from(found.len())?) || counts.dropped > 0,
        "gaps: {figures}"
    );
    Ok(figures)
}

/// How many packets it says could not be written.
fn unwritten(said: &str) -> u64 {
    let line = said
        .lines()
        .find(|line| line.ends_with(" could not be written"));
    let number = line.and_then(|line| line.split(' ').next()?.parse().ok());
    number.unwrap_or(0)
}
