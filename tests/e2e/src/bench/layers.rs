//! What each of the tool's programs costs: the kernel's own measure of them, under one load of its
//! own, since measuring costs too.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::generator::{Generator, Load};
use crate::lab::{Lab, installed};
use crate::netns::Netns;
use crate::tool::Tool;

/// Where the kernel is told to measure (kernel/bpf/syscall.c).
const SWITCH: &str = "/proc/sys/kernel/bpf_stats_enabled";
const LOAD: Load = Load {
    length: 64,
    rate: Some(200_000),
};
const DURATION: Duration = Duration::from_secs(1);

/// The switch, turned on and put back.
struct Measuring(String);

impl Measuring {
    fn start() -> Result<Self> {
        let before = fs::read_to_string(SWITCH).context(SWITCH)?;
        fs::write(SWITCH, "1").context(SWITCH)?;
        Ok(Self(before))
    }
}

impl Drop for Measuring {
    fn drop(&mut self) {
        // Whoever reads the figures of other programs sees more of them; nothing else is changed.
        let _ = fs::write(SWITCH, self.0.trim());
    }
}

/// One program's figures.
struct Layer {
    name: String,
    runs: u64,
    nanos: u64,
}

/// Prints the programs that ran for at least one packet in a hundred.
///
/// # Errors
/// When the tool does not run, or the kernel does not measure.
pub fn print(out: &mut impl Write, lab: &Lab) -> Result<()> {
    if !installed("bpftool") {
        writeln!(out, "layers: bpftool is not installed")?;
        return Ok(());
    }
    let (near, far) = Netns::pair()?;
    let mut generator = Generator::between(&near, &far)?;
    let words = ["-n", "-i", "near0", "-w", "/dev/null"];
    let mut tool = Tool::spawn(&lab.pktwho, &near, &words)?;
    tool.ready()?;
    tool.until_relieved()?;
    let measuring = Measuring::start()?;
    let sent = generator.send(LOAD, DURATION)?.packets;
    drop(measuring);
    let mut layers = Vec::new();
    for id in tool.programs()? {
        layers.extend(layer(id)?);
    }
    tool.stop()?.expect_status(0)?;
    layers.retain(|layer| layer.runs >= sent / 100);
    layers.sort_by_key(|layer| std::cmp::Reverse(layer.nanos));
    writeln!(
        out,
        "\nlayers, {} on the sender's device, by the kernel's measure (which costs each run two looks at the \
         clock, and leaves out the way into the hook):",
        LOAD.name()
    )?;
    writeln!(out, "{:<20}{:>10}{:>10}", "program", "runs", "ns/run")?;
    for Layer { name, runs, nanos } in layers {
        writeln!(out, "{name:<20}{runs:>10}{:>10}", nanos / runs.max(1))?;
    }
    Ok(())
}

/// What the kernel has measured of a program; nothing when it has gone or has not run.
fn layer(id: u32) -> Result<Option<Layer>> {
    let shown = Command::new("bpftool")
        .args(["prog", "show", "id", &id.to_string()])
        .output()?;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let value = |name: &str| {
        let mut words = shown.split_whitespace();
        words.find(|word| *word == name)?;
        words.next()
    };
    let (Some(name), Some(nanos), Some(runs)) =
        (value("name"), value("run_time_ns"), value("run_cnt"))
    else {
        return Ok(None);
    };
    Ok(Some(Layer {
        name: name.to_owned(),
        nanos: nanos.parse()?,
        runs: runs.parse()?,
    }))
}
