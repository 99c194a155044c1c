//! What is hooked is let go when nobody can use it any more, and all of it when the tool ends.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;

use super::rows::INSIDE;
use super::scene;
use crate::cases::{Outcome, traces};
use crate::lab::{Lab, PATIENCE, installed, until};
use crate::netns::Netns;
use crate::tool::Tool;

/// Mount namespaces, each with a library of its own.
const NAMESPACES: usize = 50;
/// Others on the machine may come and go.
const OTHERS: usize = 5;

/// Libraries of many mount namespaces are hooked, and let go when those end.
pub fn namespaces(lab: &Lab) -> Result<Outcome> {
    if let Some(skipped) = lacking(&["openssl", "unshare"]) {
        return Ok(skipped);
    }
    let Watched { dir, netns, tool } = Watched::begin(lab)?;
    let before = links(&tool)?;
    let script = format!(
        "{INSIDE}
         for number in $(seq {NAMESPACES}); do
           unshare -m sh -e $DIR/inside.sh >/dev/null 2>&1 & echo $! >> $DIR/pids
         done"
    );
    scene::shell(&dir, &script, &netns)?;
    let hooked = until("all libraries are hooked", PATIENCE * 3, || {
        let now = links(&tool)?;
        Ok((now + OTHERS >= before + NAMESPACES).then_some(now))
    })?;
    scene::shell(&dir, "kill $(cat $DIR/pids)", &netns)?;
    let mut left = hooked;
    until("the libraries are let go", PATIENCE * 3, || {
        left = links(&tool)?;
        Ok((left <= before + OTHERS).then_some(()))
    })
    .with_context(|| format!("{before} before, then {hooked}, and {left} are left"))?;
    tool.stop()?.expect_status(0)?;
    Ok(Outcome::Measured(format!(
        "{before} files hooked, {hooked}, {left}"
    )))
}

/// A file system whose library is hooked can be unmounted.
pub fn unmounted(lab: &Lab) -> Result<Outcome> {
    if let Some(skipped) = lacking(&["openssl"]) {
        return Ok(skipped);
    }
    let Watched { dir, netns, tool } = Watched::begin(lab)?;
    let before = links(&tool)?;
    let script = format!(
        "{INSIDE}
         sh -e $DIR/inside.sh >/dev/null 2>&1 & echo $! > $DIR/pid"
    );
    scene::shell(&dir, &script, &netns)?;
    let hooked = until("the library is hooked", PATIENCE, || {
        Ok((links(&tool)? > before).then_some(()))
    });
    // For a moment it may be in use, since it is looked at. Not left behind, whatever happens.
    let unmount = "kill $(cat $DIR/pid)
         while test -e /proc/$(cat $DIR/pid)/exe; do sleep 0.01; done
         for try in $(seq 100); do umount $DIR/own 2>/dev/null && exit 0; sleep 0.1; done
         umount -l $DIR/own; exit 1";
    let unmounted = scene::shell(&dir, unmount, &netns);
    hooked?;
    unmounted.context("unmount")?;
    tool.stop()?.expect_status(0)?;
    Ok(Outcome::Passed)
}

/// SIGKILL leaves no program in the kernel.
pub fn killed(lab: &Lab) -> Result<Outcome> {
    if let Some(skipped) = lacking(&["openssl", "bpftool"]) {
        return Ok(skipped);
    }
    let Watched { tool, .. } = Watched::begin(lab)?;
    until("something is hooked", PATIENCE, || {
        Ok((links(&tool)? > 0).then_some(()))
    })?;
    let programs = tool.programs()?;
    ensure!(!programs.is_empty(), "it holds no program");
    ensure!(
        programs.iter().all(|id| traces::is_loaded(*id)),
        "not all loaded"
    );
    tool.signal(Signal::SIGKILL)?;
    tool.wait()?;
    until("nothing is left", PATIENCE, || {
        let gone = programs.iter().all(|id| !traces::is_loaded(*id));
        Ok(gone.then_some(()))
    })?;
    Ok(Outcome::Passed)
}

/// A tool that listens for secrets, and where programs can be run for it.
struct Watched {
    dir: PathBuf,
    netns: Netns,
    tool: Tool,
}

impl Watched {
    fn begin(lab: &Lab) -> Result<Self> {
        let dir = lab.file(&format!("gone-{}", lab.number()));
        fs::create_dir(&dir)?;
        let netns = Netns::new()?;
        let words = format!(
            "--keylog-only --write-keylog-file {}",
            dir.join("found.keys").display()
        );
        let mut tool = Tool::start(lab, &netns, &words)?;
        tool.until_said("listening for")?;
        Ok(Self { dir, netns, tool })
    }
}

fn lacking(needed: &[&str]) -> Option<Outcome> {
    let missing = needed.iter().find(|program| !installed(program))?;
    Some(Outcome::Skipped(format!("{missing} is missing")))
}

/// How many links to programs it holds: one for each file that is hooked.
fn links(tool: &Tool) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(format!("/proc/{}/fdinfo", tool.pid()))? {
        // A descriptor may be closed while we look.
        let text = fs::read_to_string(entry?.path()).unwrap_or_default();
        count += usize::from(text.contains("link_id:"));
    }
    Ok(count)
}
