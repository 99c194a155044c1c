//! Compares what was captured with the truth: right, empty or wrong, for each end of each
//! packet, and what should have been seen and was not.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::AddAssign;

use pktwho_packet::{Confidence, Direction};

use crate::dissect::{ACK, FIN, Fragments, Kind, RST, SYN, Segment};
use crate::seen::{Seen, Who};
use crate::truth::{Allowed, Facts, Log, Protocol};

/// Counts over the packets of a row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub packets: usize,
    /// Ends in the namespace of the device, both of them on loopback.
    pub near: Ends,
    /// Ends beyond the device.
    pub far: Ends,
    /// Payloads, handshakes and closings that were done and not seen.
    pub missing: usize,
}

/// Verdicts about one end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ends {
    pub right: usize,
    pub empty: usize,
    /// Another process was named, and marked as a guess.
    pub guessed: usize,
    pub wrong: usize,
}

enum Verdict {
    Right,
    Empty(String),
    Guessed(String),
    Wrong(String),
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.near += other.near;
        self.far += other.far;
        self.missing += other.missing;
    }
}

impl AddAssign for Ends {
    fn add_assign(&mut self, other: Self) {
        self.right += other.right;
        self.empty += other.empty;
        self.guessed += other.guessed;
        self.wrong += other.wrong;
    }
}

/// What is not right about one end of a packet, or missing.
#[derive(Clone, Debug)]
pub struct Complaint {
    pub sort: Sort,
    /// Which end of which sort of packet, in words that a [`crate::rows::Gap`] names.
    pub about: String,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    Empty,
    Guessed,
    Wrong,
    Missing,
}

/// Where a device is, seen from the processes at both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Both ends are in its namespace.
    Amid,
    /// One is, the other is beyond the device.
    Between,
    /// Both are in other namespaces.
    Apart,
}

/// What was captured on one device.
pub struct Capture {
    pub standing: Standing,
    /// The inode number of the device's namespace.
    pub netns: u64,
    pub packets: Vec<Seen>,
    /// Everything that was done passes here; else it passes one of those of which that is so.
    pub complete: bool,
}

/// Judges what was captured on all devices since `since`.
pub fn judge_all(
    log: &Log,
    since: i64,
    captures: &[Capture],
    complaints: &mut Vec<Complaint>,
) -> Tally {
    let mut sum = Tally::default();
    let mut somewhere = Vec::new();
    let look = |sum: &mut Tally, segments: &[Segment], complaints: &mut Vec<Complaint>| {
        let missing = missing(log, since, segments);
        sum.missing += missing.len();
        complaints.extend(missing.into_iter().map(|text| Complaint {
            sort: Sort::Missing,
            about: "missing".to_owned(),
            text,
        }));
    };
    for capture in captures {
        let (tally, segments) = judge(log, capture, complaints);
        sum += tally;
        if capture.complete {
            look(&mut sum, &segments, complaints);
        } else {
            somewhere.extend(segments);
        }
    }
    if captures.iter().any(|capture| !capture.complete) {
        look(&mut sum, &somewhere, complaints);
    }
    sum
}

/// Judges what was captured on one device, and gives it.
fn judge(log: &Log, capture: &Capture, complaints: &mut Vec<Complaint>) -> (Tally, Vec<Segment>) {
    let mut tally = Tally::default();
    let mut segments = Vec::new();
    let mut fragments = Fragments::default();
    for packet in &capture.packets {
        let segment = fragments.segment(packet.link_type, &packet.data);
        let Some(segment) = segment.filter(|segment| log.knows(segment)) else {
            continue;
        };
        tally.packets += 1;
        let time = packet.time;
        let senders = log.senders(&segment, capture.netns, time);
        let receivers = log.receivers(&segment, capture.netns, time);
        for (end, way, right, found) in [
            ("sender", Direction::In, senders, &packet.sender),
            ("receiver", Direction::Out, receivers, &packet.receiver),
        ] {
            let far = match capture.standing {
                Standing::Amid => false,
                Standing::Between => packet.direction == way,
                Standing::Apart => true,
            };
            let ends = if far { &mut tally.far } else { &mut tally.near };
            let verdict = if segment.inside && found.as_ref().is_some_and(Who::is_kernel) {
                // A tunnel's own packets are between the kernels.
                Verdict::Right
            } else {
                compare(log, &right, found.as_ref(), time)
            };
            if let Some((sort, why)) = ends.count(verdict) {
                let side = if far { "far" } else { "near" };
                let about = format!("{side} {} {end}", segment.word());
                let text = format!("{} {about}: {why}", describe(packet, &segment));
                complaints.push(Complaint { sort, about, text });
            }
        }
        segments.push(segment);
    }
    (tally, segments)
}

/// Complaints of one sort about the same as one line: how many there are, and the first.
pub fn grouped(complaints: &[Complaint]) -> Vec<String> {
    let mut kinds: BTreeMap<(Sort, &str), (usize, &str)> = BTreeMap::new();
    for complaint in complaints {
        let key = (complaint.sort, complaint.about.as_str());
        kinds.entry(key).or_insert((0, &complaint.text)).0 += 1;
    }
    let line =
        |((sort, _), (count, text)): (_, (usize, &str))| format!("{count}x {sort:?}: {text}");
    kinds.into_iter().map(line).collect()
}

fn describe(packet: &Seen, segment: &Segment) -> String {
    let (length, flags) = (segment.payload.len(), segment.letters());
    let (at, way) = (packet.time % 1_000_000_000_000, packet.direction);
    let (from, to) = (segment.source, segment.destination);
    format!(
        "{at} {} {from} > {to} [{flags}] {length} {way:?}",
        packet.iface
    )
}

impl Ends {
    /// Counts a verdict and gives its complaint.
    fn count(&mut self, verdict: Verdict) -> Option<(Sort, String)> {
        match verdict {
            Verdict::Right => {
                self.right += 1;
                None
            }
            Verdict::Empty(complaint) => {
                self.empty += 1;
                Some((Sort::Empty, complaint))
            }
            Verdict::Guessed(complaint) => {
                self.guessed += 1;
                Some((Sort::Guessed, format!("guessed: {complaint}")))
            }
            Verdict::Wrong(complaint) => {
                self.wrong += 1;
                Some((Sort::Wrong, complaint))
            }
        }
    }
}

fn compare(log: &Log, right: &Allowed, found: Option<&Who>, time: i64) -> Verdict {
    let Allowed {
        pids: right,
        nobody,
    } = right;
    let Some(who) = found else {
        return if *nobody {
            Verdict::Right
        } else {
            Verdict::Empty(format!("empty instead of {right:?}"))
        };
    };
    if !right.contains(&who.pid) {
        let name = String::from_utf8_lossy(&who.name);
        let complaint = format!("{name}.{} instead of {right:?}", who.pid);
        return if who.confidence == Confidence::Guess {
            Verdict::Guessed(complaint)
        } else {
            Verdict::Wrong(complaint)
        };
    }
    let images = log.facts(who.pid, time);
    let mut verdicts = images.iter().map(|facts| compare_facts(facts, who));
    let first = verdicts.next().unwrap_or(Verdict::Right);
    if verdicts.any(|verdict| matches!(verdict, Verdict::Right)) {
        return Verdict::Right;
    }
    first
}

fn compare_facts(facts: &Facts, who: &Who) -> Verdict {
    // Nearly always so, and quick to see.
    if facts.name == who.name
        && facts.exe == who.exe
        && facts.args == who.args
        && Some(facts.parent) == who.parent
        && Some(facts.uid) == who.uid
    {
        return Verdict::Right;
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let words = |args: &[Vec<u8>]| text(&args.join(&b' '));
    let number = |value: Option<u32>| value.map_or(String::new(), |value| value.to_string());
    let pairs = [
        ("name", text(&facts.name), text(&who.name)),
        ("exe", text(&facts.exe), text(&who.exe)),
        ("args", words(&facts.args), words(&who.args)),
        ("parent", facts.parent.to_string(), number(who.parent)),
        ("uid", facts.uid.to_string(), number(who.uid)),
    ];
    let differ = pairs.iter().find(|(_, right, found)| right != found);
    match differ {
        // They differ, but not in what can be printed.
        None => Verdict::Wrong(format!("{}: other bytes in its facts", who.pid)),
        Some((fact, right, found)) if found.is_empty() => {
            Verdict::Empty(format!("{}: {fact} empty instead of {right}", who.pid))
        }
        Some((fact, right, found)) => {
            Verdict::Wrong(format!("{}: {fact} {found} instead of {right}", who.pid))
        }
    }
}

/// What the log says must have passed since the capture began, and is not among the segments.
fn missing(log: &Log, since: i64, segments: &[Segment]) -> Vec<String> {
    let tags: HashSet<(u32, u32)> = segments
        .iter()
        .filter_map(Segment::tag)
        .map(|tag| (tag.pid, tag.number))
        .collect();
    let mut missing: Vec<String> = log
        .sent
        .iter()
        .filter(|sent| sent.time >= since && !tags.contains(&(sent.pid, sent.number)))
        .map(|sent| format!("missing: payload {} of {}", sent.number, sent.pid))
        .collect();
    // The flags of all segments of each way, by what their addresses really are.
    let mut ways: HashMap<_, Vec<u8>> = HashMap::new();
    for segment in segments.iter().filter(|s| s.kind == Kind::Plain) {
        let way = [segment.source, segment.destination].map(|a| log.real(segment.protocol, a));
        ways.entry(way).or_default().push(segment.flags);
    }
    for made in log.connected.iter().filter(|made| made.span.begin >= since) {
        let [here, there] = [made.local, made.remote].map(|a| log.real(Protocol::Tcp, a));
        let any = |way: [_; 2], bits: u8| {
            let flags = ways.get(&way).into_iter().flatten();
            flags.into_iter().any(|all| all & bits == bits)
        };
        let (forth, back) = ([here, there], [there, here]);
        let closed = any(forth, FIN) && any(back, FIN) || any(forth, RST) || any(back, RST);
        for (seen, what) in [
            (any(forth, SYN), "SYN"),
            (any(back, SYN | ACK), "SYN-ACK"),
            (closed, "FIN or RST"),
        ] {
            if !seen {
                missing.push(format!(
                    "missing: {what} of {} > {}",
                    made.local, made.remote
                ));
            }
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::truth::{Image, Span};

    fn facts() -> Facts {
        Facts {
            name: b"server".to_vec(),
            exe: b"/bin/server".to_vec(),
            args: vec![b"server".to_vec(), b"-x".to_vec()],
            parent: 1,
            uid: 0,
        }
    }

    fn named(pid: u32, exe: &[u8]) -> Who {
        Who {
            pid,
            name: b"server".to_vec(),
            exe: exe.to_vec(),
            args: facts().args,
            parent: Some(1),
            uid: Some(0),
            container: None,
            confidence: Confidence::Exact,
        }
    }

    #[test]
    fn a_pid_alone_is_not_enough() {
        let span = Span { begin: 0, end: 0 };
        let mut log = Log::default();
        log.image(Image {
            pid: 7,
            span,
            facts: facts(),
        });
        let check = |right: &[u32], found: Option<Who>| {
            let right: BTreeSet<u32> = right.iter().copied().collect();
            match compare(&log, &right.into(), found.as_ref(), 1_000_000) {
                Verdict::Right => "right",
                Verdict::Empty(_) => "empty",
                Verdict::Guessed(_) => "guessed",
                Verdict::Wrong(_) => "wrong",
            }
        };
        assert_eq!(check(&[7], Some(named(7, b"/bin/server"))), "right");
        assert_eq!(check(&[7], Some(named(8, b"/bin/server"))), "wrong");
        assert_eq!(check(&[7], Some(named(7, b"/bin/other"))), "wrong");
        let guess = Who {
            confidence: Confidence::Guess,
            ..named(8, b"/bin/server")
        };
        assert_eq!(check(&[7], Some(guess)), "guessed");
        assert_eq!(check(&[7], Some(named(7, b""))), "empty");
        assert_eq!(check(&[7], None), "empty");
        assert_eq!(check(&[], None), "right");
        assert_eq!(check(&[], Some(named(7, b"/bin/server"))), "wrong");
    }
}
