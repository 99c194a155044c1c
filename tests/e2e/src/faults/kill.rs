//! SIGKILL at random moments: while a capture starts, runs, or begins another file. Nothing it
//! held in the kernel is left, and what its files hold can be read and has no gaps.

use std::collections::BTreeSet;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use pktwho_capfile::{Error, Reader};

use super::{Options, random_moment};
use crate::cases::Outcome;
use crate::cases::traces::attached;
use crate::dissect::Segment;
use crate::lab::{Lab, PATIENCE, installed, until};
use crate::netns::Netns;
use crate::soak::Random;
use crate::tool::Tool;
use crate::traffic::Line;

/// A way to capture. `FILE` is the file, `NETNS` the namespace.
const WAYS: [&str; 7] = [
    "-i lo -w FILE.pcapng",
    "--backend clsact -i lo -w FILE.pcapng",
    "-i any -C 2k -w FILE.pcapng",
    "--backend clsact -i any -C 2k -W 5 -w FILE.pcap",
    "-i lo -U -w FILE.pcap",
    "--netns NETNS -i any -w FILE.pcapng",
    "--backend af-packet -i lo -w FILE.pcapng",
];

/// Longest that a capture runs before it is killed, when it is not killed while it starts.
const RUNNING: Duration = Duration::from_millis(60);

/// Every how many captures tcpdump reads the files as well.
const READ_BY_OTHERS: u64 = 8;

/// What a process holds in the kernel, by the ids that the kernel gives. Maps go with their
/// programs; to list them while one of programs is taken down may keep that one for ever (seen
/// with 6.18 and bpftool, whoever made the map), so they are not looked at.
#[derive(Debug, Default)]
struct Held {
    programs: BTreeSet<u32>,
    links: BTreeSet<u32>,
}

impl Held {
    fn by(pid: i32) -> Result<Self> {
        let mut held = Self::default();
        for entry in fs::read_dir(format!("/proc/{pid}/fdinfo"))? {
            // A descriptor may be closed while we look.
            let text = fs::read_to_string(entry?.path()).unwrap_or_default();
            for line in text.lines() {
                let Some((name, id)) = line.split_once(':') else {
                    continue;
                };
                let ids = match name {
                    "prog_id" => &mut held.programs,
                    "link_id" => &mut held.links,
                    _ => continue,
                };
                ids.extend(id.trim().parse::<u32>());
            }
        }
        Ok(held)
    }

    /// What the kernel still has of it.
    fn left(&self) -> Result<Vec<String>> {
        let programs = left("prog", &self.programs)?;
        let links = left("link", &self.links)?;
        Ok([programs, links].concat())
    }
}

/// Those of the ids that the kernel still knows.
fn left(sort: &str, ids: &BTreeSet<u32>) -> Result<Vec<String>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let there = listed(sort)?;
    let left = ids.intersection(&there);
    Ok(left.map(|id| format!("{sort} {id}")).collect())
}

/// The ids of all programs or links.
fn listed(sort: &str) -> Result<BTreeSet<u32>> {
    let output = Command::new("bpftool")
        .args(["-j", sort, "show"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    // It stops at one that goes while it looks: look again.
    ensure!(output.status.success(), "bpftool {sort} show: {text}");
    let ids = text.split("{\"id\":").skip(1);
    let ids = ids.filter_map(|rest| rest.split(',').next()?.parse().ok());
    Ok(ids.collect())
}

/// How the killed captures were caught.
#[derive(Debug, Default)]
struct Caught {
    starting: u32,
    running: u32,
    packets: usize,
    cut: u32,
}

pub fn at_random(lab: &Lab, options: &Options) -> Result<Outcome> {
    for program in ["bpftool", "tc"] {
        if !installed(program) {
            return Ok(Outcome::Skipped(format!("{program} is not installed")));
        }
    }
    let netns = Netns::new()?;
    let line = Line::loopback(&netns)?;
    let before = attached(&netns, "lo")?;
    let mut random = Random::new(options.seed);
    let start = Instant::now();
    drop(Tool::listening(lab, &netns, "-i lo -w /dev/null")?);
    let starting = start.elapsed() * 5 / 4;
    let mut caught = Caught::default();
    line.sending(|| {
        for number in 0..options.kills {
            let way = usize::try_from(random.below(WAYS.len() as u64))?;
            let way = WAYS.get(way).copied().unwrap_or_default();
            let starts = random.one_in(2);
            let longest = if starts { starting } else { RUNNING };
            let victim = Victim {
                way,
                starts,
                moment: random_moment(&mut random, longest),
                number,
            };
            let there = || attached(&netns, "lo");
            victim
                .play(lab, &netns, &mut caught)
                .and_then(|held| {
                    let mut left = Vec::new();
                    until("nothing is left", PATIENCE, || {
                        left = held.left().unwrap_or_else(|error| vec![error.to_string()]);
                        Ok((left.is_empty() && there()? == before).then_some(()))
                    })
                    .with_context(|| format!("{left:?}, {}", there().unwrap_or_default()))
                })
                .with_context(|| format!("seed {}, {victim:?}", options.seed))?;
        }
        Ok(())
    })?;
    Ok(Outcome::Measured(format!(
        "{} killed: {caught:?}",
        options.kills
    )))
}

#[derive(Debug)]
struct Victim {
    way: &'static str,
    /// Killed while it starts, or so soon after that.
    starts: bool,
    moment: Duration,
    number: u64,
}

impl Victim {
    /// Starts it, kills it, reads what it wrote; what it held.
    fn play(&self, lab: &Lab, netns: &Netns, caught: &mut Caught) -> Result<Held> {
        let folder = lab.file(&format!("killed{}", self.number));
        fs::create_dir(&folder)?;
        let file = folder.join("file").display().to_string();
        let words = self.way.replace("FILE", &file);
        let words = words.replace("NETNS", &netns.path());
        let mut tool = Tool::start(lab, netns, &words)?;
        if !self.starts {
            tool.ready()?;
        }
        // A random moment is what is wanted here, not that something has happened by then.
        std::thread::sleep(self.moment);
        // So that what it holds is what it held when it was killed.
        tool.signal(Signal::SIGSTOP)?;
        let pid = u32::try_from(tool.pid())?;
        until("it is stopped", PATIENCE, || {
            Ok(super::state(pid)?
                .is_some_and(|state| "TZ".contains(state))
                .then_some(()))
        })?;
        let held = Held::by(tool.pid())?;
        let was_ready = tool.said().contains("listening on");
        tool.signal(Signal::SIGKILL)?;
        let ended = tool.wait()?;
        ensure!(ended.status.code().is_none(), "it ended: {}", ended.stderr);
        if was_ready {
            caught.running += 1;
        } else {
            caught.starting += 1;
        }
        self.read(&folder, caught)?;
        fs::remove_dir_all(&folder)?;
        Ok(held)
    }

    /// Reads its files.
    fn read(&self, folder: &Path, caught: &mut Caught) -> Result<()> {
        let mut files: Vec<PathBuf> = fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_>>()?;
        files.sort();
        let mut found = Vec::new();
        for path in &files {
            let file = whole_packets(path).with_context(|| path.display().to_string())?;
            caught.cut += u32::from(file.is_cut);
            if self.number.is_multiple_of(READ_BY_OTHERS) && installed("tcpdump") {
                read_by_tcpdump(path, &file)?;
            }
            // In each file they follow one another.
            let follow = |pair: &[u32]| matches!(pair, [one, next] if one + 1 == *next);
            ensure!(
                file.numbers.windows(2).all(follow),
                "gaps: {:?}",
                file.numbers
            );
            found.extend(file.numbers);
        }
        // And from file to file, whichever of a ring of files is the first.
        found.sort_unstable();
        let gaps = found
            .windows(2)
            .filter(|pair| !matches!(pair, [one, next] if one + 1 == *next));
        ensure!(gaps.count() == 0, "gaps between files: {found:?}");
        caught.packets += found.len();
        Ok(())
    }
}

/// What can be read of a file.
struct Contents {
    numbers: Vec<u32>,
    packets: usize,
    /// It ends within a packet, or before the first.
    is_cut: bool,
}

fn whole_packets(path: &Path) -> Result<Contents> {
    let mut contents = Contents {
        numbers: Vec::new(),
        packets: 0,
        is_cut: false,
    };
    let file = BufReader::new(fs::File::open(path)?);
    let mut reader = match Reader::new(file) {
        Ok(reader) => reader,
        Err(error) => return cut(contents, error),
    };
    loop {
        match reader.next() {
            Ok(None) => return Ok(contents),
            Ok(Some(packet)) => {
                contents.packets += 1;
                let segment = Segment::of(packet.iface.link_type, packet.data);
                let text = segment.map(|it| String::from_utf8_lossy(&it.payload).into_owned());
                let number = text.as_deref().and_then(crate::traffic::number_in);
                contents.numbers.extend(number);
            }
            Err(error) => return cut(contents, error),
        }
    }
}

/// The one fault that a file may have.
fn cut(contents: Contents, error: Error) -> Result<Contents> {
    match error {
        Error::Truncated { .. } | Error::TruncatedBlock { .. } => Ok(Contents {
            is_cut: true,
            ..contents
        }),
        other => bail!("{other}"),
    }
}

/// tcpdump shows as many packets, and has at most to say that the file is cut.
fn read_by_tcpdump(path: &Path, contents: &Contents) -> Result<()> {
    let output = Command::new("tcpdump")
        .args(["-n", "-r"])
        .arg(path)
        .stdin(Stdio::null())
        .output()?;
    let shown = String::from_utf8_lossy(&output.stdout);
    let shown = shown.lines().filter(|line| !line.is_empty()).count();
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        shown == contents.packets,
        "tcpdump shows {shown} of {} packets of {}: {said}",
        contents.packets,
        path.display()
    );
    ensure!(
        output.status.success() || said.contains("truncated"),
        "tcpdump: {said}"
    );
    Ok(())
}
