//! One row being played: captures that listen, conversations that are held, and what the
//! captures say of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use super::Inside;
use super::host::Host;
use super::judge::{Complaints, Tally, ends, judge};
use super::shown::Shown;
use super::talk::Talk;
use crate::lab::Lab;
use crate::seen::{Seen, read_file};
use crate::tool::Tool;

/// Whether a filter takes a packet with these ends: sender, receiver.
pub type Keeps = Box<dyn Fn(Option<&Inside>, Option<&Inside>) -> bool>;

/// The captures of a row and the conversations it holds.
pub struct Scene<'a> {
    pub lab: &'a Lab,
    pub host: &'a Host,
    talks: Vec<Talk>,
    captures: Vec<Capture>,
    /// The host's devices when the first of them began: those that come later each of them is on
    /// from another packet on.
    devices: BTreeSet<String>,
    /// The start of a device's name on which packets must have been seen.
    device: Option<&'static str>,
    judged: Judged,
}

/// A capture of every device of the host.
struct Capture {
    tool: Tool,
    path: PathBuf,
    /// Its filter, as typed and as it is meant; `None` for the one that takes all.
    filter: Option<(String, Keeps)>,
}

/// What came of a row.
#[derive(Default)]
pub struct Judged {
    pub tally: Tally,
    pub complaints: Complaints,
}

impl<'a> Scene<'a> {
    pub fn new(lab: &'a Lab, host: &'a Host) -> Self {
        Self {
            lab,
            host,
            talks: Vec::new(),
            captures: Vec::new(),
            devices: BTreeSet::new(),
            device: None,
            judged: Judged::default(),
        }
    }

    /// Starts a capture of everything, with more words if need be.
    pub fn listen(&mut self, words: &str) -> Result<()> {
        self.capture(words, None)
    }

    /// Starts a capture with a filter beside the one of everything: it must take the packets for
    /// which `keeps` holds, and no others.
    pub fn listen_for(
        &mut self,
        filter: &str,
        keeps: impl Fn(Option<&Inside>, Option<&Inside>) -> bool + 'static,
    ) -> Result<()> {
        self.capture(filter, Some((filter.to_owned(), Box::new(keeps))))
    }

    fn capture(&mut self, words: &str, filter: Option<(String, Keeps)>) -> Result<()> {
        let path = self.lab.file(&format!("scene{}.pcapng", self.lab.number()));
        let words = format!(
            "-i any -n --print {} -w {} {words}",
            sockets(self.host),
            path.display()
        );
        if self.captures.is_empty() {
            self.devices = self.host.netns.within(devices)?;
        }
        let tool = Tool::listening(self.lab, &self.host.netns, &words)?;
        self.captures.push(Capture { tool, path, filter });
        Ok(())
    }

    /// Whether the capture of everything has shown that word so far.
    pub fn has_shown(&self, word: &str) -> bool {
        let first = self.captures.first();
        let output = first.map(|capture| capture.tool.output());
        output.is_some_and(|output| String::from_utf8_lossy(&output).contains(word))
    }

    /// The capture of everything must have packets of such a device.
    pub fn expect_device(&mut self, start: &'static str) {
        self.device = Some(start);
    }

    /// A packet whose line another way of capturing has shown.
    pub fn count(&mut self, is_right: bool, line: &str) {
        let tally = &mut self.judged.tally;
        tally.packets += 1;
        if is_right {
            tally.right += 1;
        } else {
            tally.empty += 1;
            *self.judged.complaints.entry(line.to_owned()).or_default() += 1;
        }
    }

    /// A conversation that is held while the captures listen.
    pub fn talk(&mut self, ports: &[u16], client: Option<Inside>, server: Option<Inside>) {
        self.talks.push(Talk {
            ports: ports.to_vec(),
            client,
            server,
        });
    }

    /// Ends the captures and judges them; the first took everything.
    pub fn judge(self) -> Result<Judged> {
        let mut judged = self.judged;
        let mut all = None;
        for Capture { tool, path, filter } in self.captures {
            let ended = tool.stop()?;
            ended.expect_status(0)?;
            ensure!(ended.counts()?.dropped == 0, "{}", ended.stderr);
            let packets = read_file(&path)?;
            let Some((filter, keeps)) = filter else {
                let output = String::from_utf8_lossy(&ended.stdout);
                // A packet's further lines are indented.
                let lines = output.lines().filter(|line| !line.starts_with(['\t', ' ']));
                let lines: Vec<&str> = lines.collect();
                ensure!(lines.len() == packets.len(), "{} lines", lines.len());
                let pairs = packets.iter().zip(lines);
                let pairs = pairs.map(|(packet, line)| (packet, Shown::of(line, packet)));
                let pairs: Vec<_> = pairs.collect();
                judged.tally += judge(&self.talks, &pairs, &mut judged.complaints);
                let is_there = |device| packets.iter().any(|p| p.iface.starts_with(device));
                ensure!(
                    self.device.is_none_or(is_there),
                    "nothing on {:?}",
                    self.device
                );
                all = Some((packets, path));
                continue;
            };
            let (all, whole) = all.as_ref().context("nothing captured everything")?;
            let mut compare = |how: &str, wrong: usize, missing: usize, packets: usize| {
                judged.tally.packets += packets;
                judged.tally.wrong += wrong;
                judged.tally.empty += missing;
                if wrong + missing > 0 {
                    let text =
                        format!("WRONG {filter} ({how}): {wrong} too many, {missing} missing");
                    *judged.complaints.entry(text).or_default() += 1;
                }
            };
            let any = |_: &Seen| true;
            let old = |packet: &Seen| self.devices.contains(&packet.iface);
            let found = keys(&self.talks, &packets, &old, &|_, _| true);
            let missing = difference(&keys(&self.talks, all, &old, &keeps), &found);
            let all_found = keys(&self.talks, &packets, &any, &|_, _| true);
            let right = keys(&self.talks, &packets, &any, &keeps);
            let wrong = difference(&all_found, &right);
            compare("live", wrong, missing, right.values().sum());
            let again = self.lab.file(&format!("again{}.pcapng", self.lab.number()));
            let words = format!("-r {} -w {} {filter}", whole.display(), again.display());
            let ended = Tool::start(self.lab, &self.host.netns, &words)?.wait()?;
            ended.expect_status(0).context(filter.clone())?;
            let again = read_file(&again)?;
            let found = keys(&self.talks, &again, &any, &|_, _| true);
            let expected = keys(&self.talks, all, &any, &keeps);
            let (wrong, missing) = (difference(&found, &expected), difference(&expected, &found));
            compare("from the file", wrong, missing, found.values().sum());
        }
        Ok(judged)
    }
}

/// The flags that tell the tool where the runtimes listen.
pub fn sockets(host: &Host) -> String {
    let at = |name: &str| host.dir.join(name).display().to_string();
    format!(
        "--docker-address {} --podman-address {} --containerd-address {cri} --cri-runtime-address {cri}",
        at("docker.sock"),
        at("podman.sock"),
        cri = at("containerd.sock"),
    )
}

/// The devices of this thread's namespace.
fn devices() -> Result<BTreeSet<String>> {
    let table = fs::read_to_string("/proc/thread-self/net/dev")?;
    let names = table.lines().filter_map(|line| line.split_once(':'));
    Ok(names.map(|(name, _)| name.trim().to_owned()).collect())
}

/// The packets of conversations that are kept, by device and bytes, and how many there are: two
/// captures give one packet two times.
fn keys<'p>(
    talks: &[Talk],
    packets: &'p [Seen],
    is_meant: &dyn Fn(&Seen) -> bool,
    keeps: &dyn Fn(Option<&Inside>, Option<&Inside>) -> bool,
) -> BTreeMap<(&'p str, &'p [u8]), usize> {
    let mut keys = BTreeMap::new();
    for packet in packets.iter().filter(|packet| is_meant(packet)) {
        if ends(talks, packet).is_some_and(|(sender, receiver)| keeps(sender, receiver)) {
            let key = (packet.iface.as_str(), packet.data.as_slice());
            *keys.entry(key).or_default() += 1;
        }
    }
    keys
}

/// How many of the first are not in the second.
fn difference<K: Ord>(first: &BTreeMap<K, usize>, second: &BTreeMap<K, usize>) -> usize {
    let more = |(key, count): (&K, &usize)| count.saturating_sub(*second.get(key).unwrap_or(&0));
    first.iter().map(more).sum()
}
