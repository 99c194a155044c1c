//! Receivers that only what follows tells.
//!
//! Where a namespace gives packets other destinations (published ports), a connection's first packet is
//! captured before its new one is known. The kernel side marks it, and it is kept back until its
//! answer, which leaves the same way back, is among what has been captured: some 50 µs for TCP. Who answers a
//! datagram need not have received it, which is a guess; when nobody does, the same one on its way to the new
//! destination tells: another guess.
//!
//! Promises: nothing is kept longer than [`PATIENCE`], nor while a ring fills, nor out of order; of many such
//! packets at a time (a scan of ports) most are delivered as they are.

use std::time::Duration;

use pktwho_packet::{Confidence, LinkType, NetnsId, OwnerFacts};

use crate::clock;
use crate::live::Place;
use crate::packet_socket::tuple::{Protocol, Tuple, datagram, tuple};
use crate::rings::{Ends, Rings, Waiting};

/// How long an answer is waited for (ns).
const PATIENCE: u64 = 10_000_000;
/// How often it is looked for meanwhile, at least.
pub(crate) const PATROL: Duration = Duration::from_millis(1);
/// So many looks in that time, each at so many packets of each ring.
const LOOKS: u32 = 64;
const PACKETS: usize = 128;

#[derive(Debug, Default)]
pub(crate) struct Awaited {
    /// A packet is kept back.
    waits: bool,
    /// Since when `looks` counts (ns).
    since: u64,
    looks: u32,
    /// The ends of the packet that was looked at last.
    ends: Option<Ends>,
}

impl Awaited {
    /// Whether something was kept back since this was asked last.
    pub fn take_waits(&mut self) -> bool {
        std::mem::take(&mut self.waits)
    }

    /// What has been found out about the marked packet that is delivered now.
    pub fn ends(&self) -> Option<&Ends> {
        self.ends.as_ref()
    }

    /// Whether the next packet of this ring, which is marked, is to be kept back: its answer is not
    /// there yet. `may_wait`: not where nothing more is captured.
    pub fn keeps(
        &mut self,
        rings: &Rings,
        ring: usize,
        may_wait: bool,
        link_type: impl Fn(Place) -> Option<LinkType>,
    ) -> bool {
        self.ends = None;
        let now = clock::monotonic();
        if now.saturating_sub(self.since) > PATIENCE {
            (self.since, self.looks) = (now, 0);
        }
        self.looks = self.looks.saturating_add(1);
        let Some(asked) = rings.next(ring).filter(|_| self.looks <= LOOKS) else {
            return false;
        };
        let time = asked.record.time;
        let younger = || rings.younger(time, PACKETS);
        let receiver = match answer(&asked, younger(), &link_type) {
            Answer::From(sender) => Some(sender),
            Answer::FromNobody => None,
            Answer::None if may_wait && now.saturating_sub(time) < PATIENCE => {
                self.waits = true;
                return true;
            }
            Answer::None => onward(&asked, younger(), &link_type),
        };
        self.ends = receiver.map(|found| Ends {
            receiver: Some(found),
            ..asked.ends
        });
        false
    }
}

/// What is known of a packet's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// There is none yet.
    None,
    From(OwnerFacts),
    /// It tells no sender, being a refusal; or the packet cannot be read, and has none.
    FromNobody,
}

fn place(waiting: &Waiting<'_>) -> Place {
    (NetnsId(waiting.record.netns), waiting.record.ifindex)
}

/// The first that leaves the same namespace the opposite way.
fn answer<'a>(
    asked: &Waiting<'a>,
    younger: impl Iterator<Item = Waiting<'a>>,
    link_type: impl Fn(Place) -> Option<LinkType>,
) -> Answer {
    let tuple_of = |it: &Waiting<'_>| tuple(link_type(place(it))?, it.data);
    let Some(there) = tuple_of(asked) else {
        return Answer::FromNobody;
    };
    let back = Tuple {
        from: there.to,
        to: there.from,
        ..there
    };
    let found = younger
        .filter(|it| leaves(it, asked))
        .find(|it| tuple_of(it) == Some(back));
    let Some(found) = found else {
        return Answer::None;
    };
    // Of several that share a UDP socket one may receive and another answer.
    let bound = match there.protocol {
        Protocol::Tcp => Confidence::Flow,
        Protocol::Udp => Confidence::Guess,
    };
    found
        .ends
        .sender
        .map_or(Answer::FromNobody, |it| Answer::From(at_most(it, bound)))
}

/// The receiver of the same datagram on its way to another destination; nobody when there are several
/// destinations, or several datagrams alike came.
fn onward<'a>(
    asked: &Waiting<'a>,
    younger: impl Iterator<Item = Waiting<'a>>,
    link_type: impl Fn(Place) -> Option<LinkType>,
) -> Option<OwnerFacts> {
    let datagram_of = |it: &Waiting<'a>| datagram(link_type(place(it))?, it.data);
    let (addressed, length, payload) = datagram_of(asked)?;
    let mut found: Option<(Tuple, Option<OwnerFacts>)> = None;
    for it in younger {
        let Some((tuple, ..)) = datagram_of(&it).filter(|(tuple, its_length, its_payload)| {
            tuple.from == addressed.from
                && tuple.to != addressed.to
                && *its_length == length
                && *its_payload == payload
        }) else {
            continue;
        };
        if !leaves(&it, asked) || found.is_some_and(|(other, _)| other != tuple) {
            return None;
        }
        let known = found.and_then(|(_, known)| known);
        found = Some((tuple, known.or(it.ends.receiver)));
    }
    let (_, receiver) = found?;
    receiver.map(|it| at_most(it, Confidence::Guess))
}

fn leaves(it: &Waiting<'_>, asked: &Waiting<'_>) -> bool {
    it.record.egress != 0 && it.record.netns == asked.record.netns
}

/// As sure as it is, but not more than this.
fn at_most(who: OwnerFacts, bound: Confidence) -> OwnerFacts {
    let confidence = match (who.confidence, bound) {
        (Confidence::Guess, _) => Confidence::Guess,
        (Confidence::Flow, Confidence::Exact) => Confidence::Flow,
        _ => bound,
    };
    OwnerFacts { confidence, ..who }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::{ProcessId, ThreadName};

    use super::*;
    use crate::abi::PacketRecord;

    fn who(pid: u32) -> OwnerFacts {
        OwnerFacts {
            process: ProcessId { pid, start: 1 },
            tid: pid,
            uid: 0,
            thread: ThreadName::padded(*b"server\0\0\0\0\0\0\0\0\0\0"),
            confidence: Confidence::Exact,
        }
    }

    /// A packet of 10.0.0.FROM:FROM to 10.0.0.TO:TO, with one byte of payload.
    struct Made(PacketRecord, Ends, Vec<u8>);

    fn made(protocol: u8, [from, to]: [u8; 2], out: bool, sender: u32, receiver: u32) -> Made {
        let mut data = vec![0x45, 0, 0, 29, 0, 0, 0, 0, 64, protocol, 0, 0];
        data.extend([10, 0, 0, from, 10, 0, 0, to, 0, from, 0, to, 0, 9, 0, 0, 77]);
        let record = PacketRecord {
            egress: out.into(),
            ..PacketRecord::default()
        };
        let end = |pid| (pid != 0).then(|| who(pid));
        let (sender, receiver) = (end(sender), end(receiver));
        Made(record, Ends { sender, receiver }, data)
    }

    fn waiting(made: &Made) -> Waiting<'_> {
        Waiting {
            record: &made.0,
            ends: made.1,
            data: &made.2,
        }
    }

    const TCP: u8 = 6;
    const UDP: u8 = 17;

    /// Who receives a packet of 1 to 2 when these have followed: by its answer, and onward.
    fn check(protocol: u8, younger: &[Made], answered: Answer, guessed: Option<u32>) {
        let asked = made(protocol, [1, 2], false, 0, 0);
        let all = || younger.iter().map(waiting);
        let raw = |_| Some(LinkType::RAW);
        assert_eq!(answer(&waiting(&asked), all(), raw), answered);
        let onward = onward(&waiting(&asked), all(), raw);
        assert_eq!(onward.map(|it| it.process.pid), guessed);
        assert!(onward.is_none_or(|it| it.confidence == Confidence::Guess));
    }

    fn from(pid: u32) -> Answer {
        Answer::From(at_most(who(pid), Confidence::Flow))
    }

    #[test]
    fn who_answers_has_received() {
        let other = || made(TCP, [2, 3], true, 8, 0);
        check(
            TCP,
            &[other(), made(TCP, [2, 1], true, 7, 0)],
            from(7),
            None,
        );
        check(
            TCP,
            &[made(TCP, [2, 1], true, 0, 0)],
            Answer::FromNobody,
            None,
        );
        check(TCP, &[other()], Answer::None, None);
        // Not what comes in, nor another protocol.
        check(TCP, &[made(TCP, [2, 1], false, 7, 0)], Answer::None, None);
        check(TCP, &[made(UDP, [2, 1], true, 7, 0)], Answer::None, None);
        let guess = OwnerFacts {
            confidence: Confidence::Guess,
            ..who(7)
        };
        let answered = [made(UDP, [2, 1], true, 7, 0)];
        check(UDP, &answered, Answer::From(guess), None);
        assert_eq!(
            at_most(guess, Confidence::Flow).confidence,
            Confidence::Guess
        );
    }

    #[test]
    fn a_datagram_that_goes_on_is_a_guess() {
        let on = |to, pid| made(UDP, [1, to], true, 0, pid);
        check(UDP, &[on(9, 0), on(9, 7)], Answer::None, Some(7));
        check(UDP, &[on(9, 0)], Answer::None, None);
        // Two destinations; another that came alike; another source; not of TCP.
        check(UDP, &[on(9, 7), on(8, 6)], Answer::None, None);
        check(
            UDP,
            &[made(UDP, [1, 5], false, 0, 0), on(9, 7)],
            Answer::None,
            None,
        );
        check(UDP, &[made(UDP, [4, 9], true, 0, 7)], Answer::None, None);
        check(TCP, &[made(TCP, [1, 9], true, 0, 7)], Answer::None, None);
        let mut longer = on(9, 7);
        longer.2[25] = 10;
        check(UDP, &[longer], Answer::None, None);
    }

    #[test]
    fn what_cannot_be_read_is_not_waited_for() {
        let asked = Made(PacketRecord::default(), Ends::default(), vec![0x45; 8]);
        let none = || std::iter::empty::<Waiting<'_>>();
        let raw = |_| Some(LinkType::RAW);
        assert_eq!(answer(&waiting(&asked), none(), raw), Answer::FromNobody);
        assert!(onward(&waiting(&asked), none(), raw).is_none());
    }
}
