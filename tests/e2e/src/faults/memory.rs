//! A capture in a cgroup with little memory: it runs and counts all, or says that it cannot, or
//! is killed by the kernel; nothing is left of it in any case.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::Options;
use crate::cases::Outcome;
use crate::cases::loss;
use crate::cases::traces::attached;
use crate::lab::{Lab, PATIENCE, installed, until};
use crate::netns::Netns;
use crate::seen::read_file;
use crate::tool::{Ended, Tool};

/// A cgroup with a limit of its memory; gone when dropped.
struct Cgroup {
    path: PathBuf,
    /// The file that holds the limit.
    limit: &'static str,
}

impl Cgroup {
    /// None where no cgroup can be limited.
    fn new() -> Result<Option<Self>> {
        let mounts = fs::read_to_string("/proc/mounts")?;
        let found = mounts.lines().find_map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let [_, folder, kind, options, ..] = words.as_slice() else {
                return None;
            };
            let folder = Path::new(folder);
            match *kind {
                "cgroup" if options.split(',').any(|option| option == "memory") => {
                    Some((folder.to_owned(), "memory.limit_in_bytes"))
                }
                "cgroup2" if holds_memory(folder) => Some((folder.to_owned(), "memory.max")),
                _ => None,
            }
        });
        let Some((folder, limit)) = found else {
            return Ok(None);
        };
        let path = folder.join(format!("pktwho-e2e-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| path.display().to_string())?;
        let cgroup = Self { path, limit };
        // Handed down only when asked for, or not at all.
        Ok(cgroup.path.join(limit).exists().then_some(cgroup))
    }

    fn limit(&self, bytes: u64) -> Result<()> {
        Ok(fs::write(self.path.join(self.limit), bytes.to_string())?)
    }
}

/// Whether cgroups below this one can have a limit; asks that they have.
fn holds_memory(folder: &Path) -> bool {
    let controllers = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
    let held = controllers.split_whitespace().any(|name| name == "memory");
    // Where that is not allowed the limit's file is missing, which is looked at later.
    let _ = held.then(|| fs::write(folder.join("cgroup.subtree_control"), "+memory"));
    held
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Nobody is in it any more; the kernel may need a moment to know.
        let _ = until("the cgroup is gone", PATIENCE, || {
            Ok(fs::remove_dir(&self.path).ok())
        });
    }
}

const MIB: u64 = 1 << 20;

/// From much too little to plenty.
pub fn limit(lab: &Lab, _: &Options) -> Result<Outcome> {
    for program in ["bpftool", "tc"] {
        if !installed(program) {
            return Ok(Outcome::Skipped(format!("{program} is not installed")));
        }
    }
    let Some(cgroup) = Cgroup::new()? else {
        return Ok(Outcome::Skipped("no cgroup can limit memory here".into()));
    };
    let mut figures = Vec::new();
    for mib in [2, 8, 16, 64] {
        cgroup.limit(mib * MIB)?;
        let figure = within(lab, &cgroup, mib == 64);
        let figure = figure.with_context(|| format!("{mib} MiB"))?;
        figures.push(format!("{mib} MiB: {figure}"));
    }
    Ok(Outcome::Measured(figures.join("; ")))
}

fn within(lab: &Lab, cgroup: &Cgroup, is_plenty: bool) -> Result<String> {
    let netns = Netns::new()?;
    let before = attached(&netns, "lo")?;
    let mut flood = loss::flood_in(lab, &netns)?;
    let path = lab.file("limited.pcapng");
    let script = format!(
        "echo $$ > {}/cgroup.procs && exec {} -i lo -w {}",
        cgroup.path.display(),
        lab.pktwho.display(),
        path.display()
    );
    let mut tool = Tool::spawn(Path::new("sh"), &netns, &["-c", &script])?;
    let (sent, ended) = match tool.ready() {
        Ok(()) => {
            let sent = flood.sender.act("flood 1 30000 1000")?.number()?;
            (u64::try_from(sent)?, tool.stop()?)
        }
        Err(_) => (0, tool.wait()?),
    };
    until("nothing is left", PATIENCE, || {
        Ok((attached(&netns, "lo")? == before).then_some(()))
    })?;
    let figure = judge(&ended, sent, &path)?;
    ensure!(!is_plenty || ended.status.success(), "{figure}");
    let _ = fs::remove_file(&path);
    Ok(figure)
}

fn judge(ended: &Ended, sent: u64, path: &Path) -> Result<String> {
    let Some(code) = ended.status.code() else {
        // By the kernel, for want of memory.
        return Ok(format!("{}", ended.status));
    };
    if code != 0 {
        let said = ended.stderr.lines().next().unwrap_or_default();
        ensure!(code == 1, "{}: {said}", ended.status);
        ensure!(said.starts_with("pktwho: "), "it says {said:?}");
        return Ok(said.to_owned());
    }
    let counts = ended.counts()?;
    let found = read_file(path)?.len() as u64;
    let figure = format!("sent {sent}, {counts:?}, in the file {found}");
    ensure!(counts.captured + counts.dropped == sent, "{figure}");
    ensure!(counts.captured == found, "{figure}");
    Ok(figure)
}
