//! Where the kernel's types (BTF) are not to be seen.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use super::Outcome;
use crate::lab::{Lab, installed};
use crate::netns::Netns;
use crate::tool::Tool;
use crate::traffic::Line;

const SHOWN: &str = "/sys/kernel/btf";

/// Starts pktwho where nothing is at the usual place.
fn hidden(lab: &Lab, netns: &Netns, words: &str) -> Result<Tool> {
    let pktwho = lab.pktwho.display();
    let script = format!("mount -t tmpfs none {SHOWN} && exec {pktwho} {words}");
    let words = ["--mount", "sh", "-c", &script];
    Tool::spawn(Path::new("unshare"), netns, &words)
}

/// A file that is named stands in for them: owners are known as ever. Without one it is said what is
/// missing, and packets come all the same.
pub fn named(lab: &Lab) -> Result<Outcome> {
    if !installed("unshare") {
        return Ok(Outcome::Skipped("unshare is not installed".into()));
    }
    let Ok(types) = fs::read(Path::new(SHOWN).join("vmlinux")) else {
        return Ok(Outcome::Skipped("this kernel shows no BTF".into()));
    };
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let image = format!("/boot/vmlinux-{}", release.trim());
    if Path::new(&image).exists() {
        return Ok(Outcome::Skipped(format!("{image} is there")));
    }
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let path = lab.file("types.btf");
    fs::write(&path, types)?;
    let named = format!("--kernel-btf {} -i lo -n -c 2 udp", path.display());
    for (words, says, owners) in [
        (named.as_str(), "", true),
        ("-i lo -n -c 2 udp", "no type information (BTF)", false),
    ] {
        let mut tool = hidden(lab, &netns, words)?;
        tool.ready()?;
        line.send(2)?;
        let ended = tool.wait()?;
        ended.expect_status(0)?;
        let without = ended.stderr.contains("capturing without eBPF");
        ensure!(
            without != owners && ended.stderr.contains(says),
            "{words}: {}",
            ended.stderr
        );
        let lines = String::from_utf8_lossy(&ended.stdout).lines().count();
        ensure!(lines == 2, "{words}: {lines} lines");
    }
    let mut refused = Tool::start(lab, &netns, "--kernel-btf /etc/passwd -i lo -n -c 1")?;
    let _ = refused.until_said("neither BTF nor an ELF file");
    refused.wait()?.expect_status(1)?;
    Ok(Outcome::Passed)
}
