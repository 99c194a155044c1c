//! What a capture says of the ends of conversations, against what they are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::AddAssign;

use pktwho_packet::Container;

use super::Inside;
use super::shown::Shown;
use super::talk::Talk;
use crate::dissect::Segment;
use crate::seen::{Seen, Who};

/// Ends of packets, by what was said of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub packets: usize,
    /// The right container with all its facts, or rightly none.
    pub right: usize,
    /// A process, but not its container, or the container without a fact.
    pub empty: usize,
    /// Not even a process.
    pub unowned: usize,
    /// Another container, or a fact that is not so.
    pub wrong: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.right += other.right;
        self.empty += other.empty;
        self.unowned += other.unowned;
        self.wrong += other.wrong;
    }
}

/// What is not right, and how often.
pub type Complaints = BTreeMap<String, usize>;

enum Verdict {
    Right,
    Empty(String),
    Unowned,
    Wrong(String),
}

/// The ends that a packet has by the truth, if it is one of a conversation: sender, receiver.
pub fn ends<'a>(
    talks: &'a [Talk],
    packet: &Seen,
) -> Option<(Option<&'a Inside>, Option<&'a Inside>)> {
    let Segment {
        source,
        destination,
        ..
    } = packet.segment()?;
    let talk = |port: u16| talks.iter().find(|talk| talk.ports.contains(&port));
    if let Some(talk) = talk(destination.port()) {
        return Some((talk.client.as_ref(), talk.server.as_ref()));
    }
    let talk = talk(source.port())?;
    Some((talk.server.as_ref(), talk.client.as_ref()))
}

/// Judges every packet of the conversations, and what its line says.
pub fn judge(talks: &[Talk], packets: &[(&Seen, Shown)], complaints: &mut Complaints) -> Tally {
    let mut tally = Tally::default();
    for (packet, shown) in packets {
        let Some((sender, receiver)) = ends(talks, packet) else {
            continue;
        };
        tally.packets += 1;
        for (end, who, shown, truth) in [
            ("sender", &packet.sender, &shown.sender, sender),
            ("receiver", &packet.receiver, &shown.receiver, receiver),
        ] {
            let what = match verdict(who.as_ref(), shown, truth) {
                Verdict::Right => {
                    tally.right += 1;
                    continue;
                }
                Verdict::Empty(what) => {
                    tally.empty += 1;
                    what
                }
                Verdict::Unowned => {
                    tally.unowned += 1;
                    "no process".to_owned()
                }
                Verdict::Wrong(what) => {
                    tally.wrong += 1;
                    format!("WRONG {what}")
                }
            };
            let truth = truth.map_or("no container", |inside| &inside.name);
            let mut text = format!("{end} in {truth}: {what}");
            let letters = packet.segment().map(|segment| segment.letters());
            let _ = write!(
                text,
                " ({}, {:?}, [{}])",
                packet.iface,
                packet.direction,
                letters.unwrap_or_default()
            );
            *complaints.entry(text).or_default() += 1;
        }
    }
    tally
}

fn verdict(who: Option<&Who>, shown: &(String, String), truth: Option<&Inside>) -> Verdict {
    let Some(who) = who else {
        return Verdict::Unowned;
    };
    let process = || format!("{}.{}", String::from_utf8_lossy(&who.name), who.pid);
    let id = truth.and_then(|inside| inside.id.get(..12));
    let (name, pod) = truth.map_or(("", String::new()), |inside| {
        let pod = inside.pod.as_ref();
        let pod = pod.map(|pod| format!("{}.{}", pod.name, pod.namespace));
        (&inside.name, pod.unwrap_or_default())
    });
    for (said, truth) in [(&shown.0, name), (&shown.1, &pod)] {
        let is_less = said.is_empty() || Some(said.as_str()) == id;
        if is_less && !truth.is_empty() {
            return Verdict::Empty(format!("{} not shown in {truth}", process()));
        }
        if said != truth {
            return Verdict::Wrong(format!("{} shown in {said:?}", process()));
        }
    }
    match (&who.container, truth) {
        (None, None) => Verdict::Right,
        (None, Some(_)) => Verdict::Empty(format!("{}: not in the file", process())),
        (Some(_), None) => Verdict::Wrong(format!("{}: in one in the file", process())),
        (Some(said), Some(truth)) => facts(said, truth),
    }
}

/// Compares fact by fact; one that is not there is empty, one that differs is wrong.
fn facts(said: &Container, truth: &Inside) -> Verdict {
    let pod = said.pod.clone().unwrap_or_default();
    let (label, value) = truth.label;
    let label = said.labels.iter().find(|(key, _)| key == label.as_bytes());
    let label = label.map(|(_, value)| value.clone()).unwrap_or_default();
    let annotation = truth.pod.as_ref().map(|pod| pod.annotation.0);
    let mut annotations = pod.annotations.iter();
    let annotation =
        annotations.find(|(key, _)| Some(key.as_slice()) == annotation.map(str::as_bytes));
    let annotation = annotation
        .map(|(_, value)| value.clone())
        .unwrap_or_default();
    let mut pairs = vec![
        ("id", said.id.as_slice(), truth.id.as_str()),
        ("name", &said.name, &truth.name),
        ("image", &said.image, &truth.image),
        ("label", &label, value),
    ];
    match &truth.pod {
        Some(truth) => pairs.extend([
            ("pod", pod.name.as_slice(), truth.name.as_str()),
            ("namespace", &pod.namespace, &truth.namespace),
            ("uid", &pod.uid, &truth.uid),
            ("annotation", &annotation, truth.annotation.1),
        ]),
        None => pairs.push(("pod", &pod.name, "")),
    }
    let differing = |(_, said, truth): &&(&str, &[u8], &str)| *said != truth.as_bytes();
    let empty = pairs.iter().find(|(_, said, _)| said.is_empty());
    let empty = empty.filter(differing);
    let mut wrong = pairs.iter().filter(|(_, said, _)| !said.is_empty());
    match (wrong.find(|pair| differing(pair)), empty) {
        (Some((fact, said, truth)), _) => {
            Verdict::Wrong(format!("{fact} {} is not {truth}", shown(said)))
        }
        (None, Some((fact, ..))) => Verdict::Empty(format!("no {fact}")),
        (None, None) => Verdict::Right,
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
