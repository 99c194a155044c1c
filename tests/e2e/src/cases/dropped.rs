//! What a device has dropped itself, in the last lines: as tcpdump tells it.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::Outcome;
use crate::lab::{Lab, PATIENCE, installed, until};
use crate::netns::Netns;
use crate::tool::{Ended, Tool};

const WORDS: &str = "dropped by interface";

/// A tunnel that wants numbered packets drops those without a number, and counts them as overruns:
/// no other device that can be made drops anything so. First none is dropped, then one, then some.
pub fn by_interface(lab: &Lab) -> Result<Outcome> {
    let (near, far) = Netns::pair()?;
    let add = "link add over0 type gre";
    if near
        .ip(&format!("{add} local 10.77.0.1 remote 10.77.0.2 iseq"))
        .is_err()
    {
        return Ok(Outcome::Skipped("no GRE devices here".into()));
    }
    far.ip(&format!("{add} local 10.77.0.2 remote 10.77.0.1"))?;
    for (netns, address) in [(&near, "10.78.0.1/24"), (&far, "10.78.0.2/24")] {
        netns.address("over0", address)?;
        netns.ip("link set over0 up")?;
    }
    for (count, expected) in [
        (0, None),
        (1, Some("1 packet dropped by interface")),
        (3, Some("3 packets dropped by interface")),
    ] {
        let before = drops(&near)?;
        let tools = captures(lab, &near)?;
        for _ in 0..count {
            // No answer comes.
            let _ = far.run("ping", "-c 1 -W 0.1 10.78.0.1");
        }
        until("the device has dropped them", PATIENCE, || {
            Ok((drops(&near)? >= before + count).then_some(()))
        })?;
        for tool in tools {
            let Ended { stderr, .. } = tool.stop()?;
            let said = stderr.lines().find(|line| line.contains(WORDS));
            ensure!(said == expected, "{count} dropped: {stderr}");
        }
    }
    Ok(Outcome::Passed)
}

/// Ours by each backend, and tcpdump where it is installed.
fn captures(lab: &Lab, netns: &Netns) -> Result<Vec<Tool>> {
    let mut tools = Vec::new();
    for backend in ["tc", "af-packet"] {
        let words = format!("--backend {backend} -n -i over0 -w /dev/null");
        tools.push(Tool::listening(lab, netns, &words)?);
    }
    if installed("tcpdump") {
        // libpcap asks sysfs, where another namespace's devices are mounted.
        let script = "mount -t sysfs sysfs /sys && exec tcpdump -Z root -n -i over0 -w /dev/null";
        let words = ["--mount", "sh", "-c", script];
        let mut tcpdump = Tool::spawn(Path::new("unshare"), netns, &words)?;
        tcpdump.ready()?;
        tools.push(tcpdump);
    }
    Ok(tools)
}

/// As ip-link(8) tells it: the line of figures below the names of what went wrong.
fn drops(netns: &Netns) -> Result<u64> {
    let text = netns.ip("-s -s link show over0")?;
    let mut lines = text.lines().skip_while(|line| !line.contains("RX errors:"));
    let names = lines
        .next()
        .context("no errors")?
        .split_whitespace()
        .skip(2);
    let figures = lines.next().context("no figures")?.split_whitespace();
    let mut all = names.zip(figures);
    let (_, fifo) = all.find(|(name, _)| *name == "fifo").context("no fifo")?;
    Ok(fifo.parse()?)
}
