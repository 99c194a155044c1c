//! Receivers that only what follows tells.
//!
//! Where a namespace gives packets other destinations (published ports), a connection's first packet is
//! captured before its new one is known. The kernel side marks it, and it is kept back until its
//! answer, which leaves the same way back, is among what has been captured: some 50 µs for TCP. The first answer
//! counts, for later ones may be a child's. Who answers a
//! datagram need not have received it, which is a guess; when nobody does, the same one on its way to the new
//! destination tells: another guess. What is known by then of who has come meanwhile is told first ([`Early`]).
//!
//! Promises: nothing is kept longer than [`PATIENCE`], nor while a ring fills, nor out of order; of many such
//! packets at a time (a scan of ports) most are delivered as they are.

mod early;

use std::time::Duration;

use pktwho_packet::{Confidence, LinkType, NetnsId, OwnerFacts};

use crate::clock;
use crate::live::Place;
use crate::packet_socket::tuple::{Protocol, Tuple, datagram, tuple};
use crate::rings::{Ends, Rings, Waiting};

pub(crate) use early::Early;

/// How long an answer is waited for (ns): a machine that has much to do takes 10 ms and more.
const PATIENCE: u64 = 50_000_000;
/// How often it is looked for meanwhile, at least.
pub(crate) const PATROL: Duration = Duration::from_millis(1);
/// So many looks in that time, each at so many packets of each ring: one for each packet that is kept back, and
/// one for whatever has come since.
const LOOKS: u32 = 64;
const PACKETS: usize = 128;

#[derive(Debug, Default)]
pub(crate) struct Awaited {
    /// A packet is kept back.
    waits: bool,
    /// The packet that was looked at last, by its time (ns) and its ring.
    packet: Option<(u64, usize)>,
    /// How much had been captured then (bytes), while nothing is found out; `None`: all that will be.
    queued: Option<u64>,
    /// Since when `looks` counts (ns).
    since: u64,
    looks: u32,
    /// The ends of the packet that was looked at last.
    ends: Option<Ends>,
    /// When what told of them was captured (ns).
    told_at: u64,
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

    /// Of which packet that was found out, and when what told it was captured (ns).
    pub fn told_at(&self) -> Option<u64> {
        self.ends.map(|_| self.told_at)
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
        let now = clock::monotonic();
        let packet = rings.next(ring).map(|it| (it.record.time, ring));
        if let Some((time, _)) = packet
            && packet == self.packet
        {
            let Some(queued) = self.queued else {
                return false;
            };
            let may_wait = may_wait && now.saturating_sub(time) < PATIENCE;
            if may_wait && queued == rings.queued() {
                self.waits = true;
                return true;
            }
        }
        (self.packet, self.queued, self.ends) = (packet, None, None);
        if now.saturating_sub(self.since) > PATIENCE {
            (self.since, self.looks) = (now, 0);
        }
        self.looks = self.looks.saturating_add(1);
        let Some(asked) = rings.next(ring).filter(|_| self.looks <= LOOKS) else {
            return false;
        };
        let time = asked.record.time;
        let younger = || rings.younger(time, PACKETS);
        let may_wait = may_wait && now.saturating_sub(time) < PATIENCE;
        let told = match answer(&asked, younger(), &link_type) {
            // What another CPU has captured before may not be published yet.
            Answer::From(told) if !may_wait || told.at <= rings.limit() => Some(told),
            Answer::FromNobody => None,
            found @ (Answer::None | Answer::From(_)) if may_wait => {
                self.waits = true;
                // What is there already may have to be waited for as well.
                let is_there = found != Answer::None;
                self.queued = Some(if is_there { u64::MAX } else { rings.queued() });
                return true;
            }
            Answer::None | Answer::From(_) => onward(&asked, younger(), &link_type),
        };
        self.told_at = told.map_or(0, |it| it.at);
        self.ends = told.map(|told| Ends {
            receiver: Some(told.who),
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
    From(Told),
    /// It tells no sender, being a refusal; or the packet cannot be read, and has none.
    FromNobody,
}

/// A packet tells who has received another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    who: OwnerFacts,
    /// When it was captured (ns).
    at: u64,
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
        .filter(|it| leaves(it, asked) && tuple_of(it) == Some(back))
        .min_by_key(|it| it.record.time);
    let Some(found) = found else {
        return Answer::None;
    };
    // Of several that share a UDP socket one may receive and another answer.
    let bound = match there.protocol {
        Protocol::Tcp => Confidence::Flow,
        Protocol::Udp => Confidence::Guess,
    };
    let at = found.record.time;
    found.ends.sender.map_or(Answer::FromNobody, |it| {
        let who = at_most(it, bound);
        Answer::From(Told { who, at })
    })
}

/// The receiver of the same datagram on its way to another destination; nobody when there are several
/// destinations, or several datagrams alike came.
fn onward<'a>(
    asked: &Waiting<'a>,
    younger: impl Iterator<Item = Waiting<'a>>,
    link_type: impl Fn(Place) -> Option<LinkType>,
) -> Option<Told> {
    let datagram_of = |it: &Waiting<'a>| datagram(link_type(place(it))?, it.data);
    let (addressed, length, payload) = datagram_of(asked)?;
    let mut found: Option<(Tuple, Option<Told>)> = None;
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
        let told = it.ends.receiver.map(|who| Told {
            who: at_most(who, Confidence::Guess),
            at: it.record.time,
        });
        found = Some((tuple, known.or(told)));
    }
    found?.1
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
        assert_eq!(onward.map(|it| it.who.process.pid), guessed);
        assert!(onward.is_none_or(|it| it.who.confidence == Confidence::Guess));
    }

    fn from(pid: u32) -> Answer {
        let who = at_most(who(pid), Confidence::Flow);
        Answer::From(Told { who, at: 0 })
    }

    #[test]
    fn the_first_answer_counts() {
        let answer_at = |time, pid| {
            let mut made = made(TCP, [2, 1], true, pid, 0);
            made.0.time = time;
            made
        };
        // Each CPU has a ring of its own: they come one ring after the other.
        let asked = made(TCP, [1, 2], false, 0, 0);
        let younger = [answer_at(9, 8), answer_at(5, 7), answer_at(6, 8)];
        let raw = |_| Some(LinkType::RAW);
        let Answer::From(told) = answer(&waiting(&asked), younger.iter().map(waiting), raw) else {
            panic!("no answer");
        };
        assert_eq!((told.who.process.pid, told.at), (7, 5));
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
        let told = Told { who: guess, at: 0 };
        check(UDP, &answered, Answer::From(told), None);
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
