//! Compares what was captured with the truth: right, empty or wrong, for each end of each
//! packet, and what should have been seen and was not.

use std::collections::{BTreeSet, HashSet};
use std::ops::AddAssign;

use pktwho_packet::{Confidence, Direction};

use crate::dissect::{ACK, FIN, RST, SYN, Segment};
use crate::seen::{Seen, Who};
use crate::truth::{Facts, Log};

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

impl Tally {
    /// Nothing missing, nobody empty, nobody wrong. `guesses`: a wrong guess counts as right.
    pub fn is_perfect(&self, guesses: bool) -> bool {
        self.packets > 0
            && self.missing == 0
            && self.near.empty + self.far.empty == 0
            && self.near.wrong + self.far.wrong == 0
            && (guesses || self.near.guessed + self.far.guessed == 0)
    }
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

/// Judges one capture. What is not right is told in `notes`, one line each.
///
/// `across` says that the two ends of the device are in different namespaces, so that one end
/// of each packet is beyond it.
pub fn judge(
    log: &Log,
    since: i64,
    packets: &[Seen],
    across: bool,
    notes: &mut Vec<String>,
) -> Tally {
    let mut tally = Tally::default();
    let mut segments = Vec::new();
    for packet in packets {
        let Some(segment) = packet.segment().filter(|segment| log.knows(segment)) else {
            continue;
        };
        tally.packets += 1;
        let time = packet.time;
        let about = |far: bool, end: &str, complaint: String| {
            let Segment {
                source,
                destination,
                ..
            } = segment;
            let (length, flags) = (segment.payload.len(), segment.letters());
            let (at, way) = (time % 1_000_000_000_000, packet.direction);
            let far = if far { "far " } else { "" };
            format!(
                "{at} {source} > {destination} [{flags}] {length} {way:?} {far}{end}: {complaint}"
            )
        };
        let senders = log.senders(&segment, time);
        let receivers = log.receivers(&segment, time);
        for (end, way, right, found) in [
            ("sender", Direction::In, senders, &packet.sender),
            ("receiver", Direction::Out, receivers, &packet.receiver),
        ] {
            let far = across && packet.direction == way;
            let ends = if far { &mut tally.far } else { &mut tally.near };
            let verdict = compare(log, &right, found.as_ref(), time);
            notes.extend(ends.count(verdict).map(|why| about(far, end, why)));
        }
        segments.push(segment);
    }
    let missing = missing(log, since, &segments);
    tally.missing = missing.len();
    notes.extend(missing);
    tally
}

impl Ends {
    /// Counts a verdict and gives its complaint.
    fn count(&mut self, verdict: Verdict) -> Option<String> {
        match verdict {
            Verdict::Right => {
                self.right += 1;
                None
            }
            Verdict::Empty(complaint) => {
                self.empty += 1;
                Some(complaint)
            }
            Verdict::Guessed(complaint) => {
                self.guessed += 1;
                Some(format!("guessed: {complaint}"))
            }
            Verdict::Wrong(complaint) => {
                self.wrong += 1;
                Some(complaint)
            }
        }
    }
}

fn compare(log: &Log, right: &BTreeSet<u32>, found: Option<&Who>, time: i64) -> Verdict {
    let Some(who) = found else {
        return if right.is_empty() {
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
        None => Verdict::Right,
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
    for made in log.connected.iter().filter(|made| made.span.begin >= since) {
        let flags = |source, destination| {
            let ours = segments.iter();
            let ours = ours.filter(move |s| s.source == source && s.destination == destination);
            ours.map(|segment| segment.flags).collect::<Vec<u8>>()
        };
        let there = flags(made.local, made.remote);
        let back = flags(made.remote, made.local);
        let any = |flags: &[u8], bits: u8| flags.iter().any(|all| all & bits == bits);
        let closed = any(&there, FIN) && any(&back, FIN) || any(&there, RST) || any(&back, RST);
        for (seen, what) in [
            (any(&there, SYN), "SYN"),
            (any(&back, SYN | ACK), "SYN-ACK"),
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
            confidence: Confidence::Exact,
        }
    }

    #[test]
    fn a_pid_alone_is_not_enough() {
        let span = Span { begin: 0, end: 0 };
        let log = Log {
            images: vec![Image {
                pid: 7,
                span,
                facts: facts(),
            }],
            ..Log::default()
        };
        let check = |right: &[u32], found: Option<Who>| {
            let right = right.iter().copied().collect();
            match compare(&log, &right, found.as_ref(), 1_000_000) {
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
