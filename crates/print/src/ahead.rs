//! Packets printed before their turn, so that several may be printed at the same time.
//!
//! A [`Drafter`] writes the text of packets knowing nothing of earlier ones; any number of them
//! work beside each other. [`Printer::settle`] then takes the drafts in the packets' order and
//! fills in what earlier packets said. The text is the same as [`Printer::packet`]'s.

use pktwho_packet::{Packet, Timestamp};

use crate::flows::Origins;
use crate::past::{Gap, Past};
use crate::put::Put as _;
use crate::time::Clock;
use crate::{Beside, Names, Printer, Style, is_impossible, text_of};

/// Drafts end when they hold so much text, in bytes: what follows is printed in its turn. The fuzzer,
/// whose inputs are small, gets there too.
const ENOUGH: usize = if cfg!(fuzzing) { 8 } else { 512 } * 1024;

/// What a packet's place among the others says of its line.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// From 1.
    pub(crate) number: u64,
    /// The time from which its own is counted.
    pub(crate) since: Timestamp,
}

/// Prints packets before their turn.
#[derive(Debug)]
pub struct Drafter {
    style: Style,
    clock: Clock,
    past: Past,
}

/// Texts of packets, not yet complete.
#[derive(Debug, Default)]
pub struct Drafts {
    text: Vec<u8>,
    packets: Vec<Draft>,
    gaps: Vec<Gap>,
}

/// One packet's.
#[derive(Clone, Copy, Debug)]
struct Draft {
    /// Where its text ends, and where its gaps do.
    end: usize,
    gaps: usize,
    /// The text is void: the packet is to be printed in its turn.
    again: bool,
}

impl Drafts {
    /// Forgets the texts.
    pub fn clear(&mut self) {
        self.text.clear();
        self.text.shrink_to(2 * ENOUGH);
        self.packets.clear();
        self.gaps.clear();
    }
}

impl Drafter {
    /// The style is that of the printer that will settle the drafts.
    pub fn new(style: Style) -> Self {
        Self {
            style,
            clock: Clock::default(),
            past: Past::unknown(),
        }
    }

    /// Adds the draft of one packet, whose turn the printer told.
    pub fn packet(
        &mut self,
        packet: &Packet<'_>,
        turn: &Turn,
        names: &mut dyn Names,
        drafts: &mut Drafts,
    ) {
        let mut again = drafts.text.len() >= ENOUGH;
        if let (false, Some(open)) = (again, self.past.open()) {
            open.again = false;
            std::mem::swap(&mut open.gaps, &mut drafts.gaps);
            let (style, clock, past) = (&self.style, &mut self.clock, &mut self.past);
            let beside = Beside::default();
            let out = &mut drafts.text;
            text_of(packet, turn, &beside, style, clock, past, names, out);
            if let Some(open) = self.past.open() {
                std::mem::swap(&mut open.gaps, &mut drafts.gaps);
                again = open.again;
            }
        }
        drafts.packets.push(Draft {
            end: drafts.text.len(),
            gaps: drafts.gaps.len(),
            again,
        });
    }
}

impl Printer {
    /// The turn of the next packet, to be asked for each in order.
    pub fn turn(&mut self, packet: &Packet<'_>) -> Turn {
        self.count += 1;
        let time = packet.time;
        // One whose lengths cannot be shows no time.
        let since = if is_impossible(packet) {
            time
        } else {
            self.since.of(time, self.style.time)
        };
        Turn {
            number: self.count,
            since,
        }
    }

    /// Appends the texts of the packets that were drafted; `packet` tells of each by its number
    /// among them, from 0.
    pub fn settle<'a>(
        &mut self,
        drafts: &Drafts,
        packet: impl Fn(usize) -> Option<(Packet<'a>, Turn)>,
        names: &mut dyn Names,
        out: &mut Vec<u8>,
    ) {
        let copy = |out: &mut Vec<u8>, from: usize, to: usize| {
            out.extend_from_slice(drafts.text.get(from..to).unwrap_or_default());
        };
        // How far the text is copied, how far gaps are filled, where the packet's text begins.
        let (mut copied, mut filled, mut begin) = (0, 0, 0);
        for (number, draft) in drafts.packets.iter().enumerate() {
            if draft.again {
                copy(out, copied, begin);
                copied = draft.end;
                if let Some((packet, turn)) = packet(number) {
                    self.print(&packet, &turn, &Beside::default(), names, out);
                }
            } else {
                let mut origins = Origins::default();
                for gap in drafts.gaps.get(filled..draft.gaps).unwrap_or_default() {
                    match gap {
                        Gap::Segment(segment) => origins = self.past.flows.origins(segment),
                        Gap::Number { at, number, of } => {
                            copy(out, copied, *at);
                            copied = *at;
                            number.wrapping_sub(origins.of(*of)).put(out);
                        }
                    }
                }
            }
            (filled, begin) = (draft.gaps, draft.end);
        }
        copy(out, copied, drafts.text.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{bytes, packet, style};
    use crate::{Dump, NoNames};
    use pktwho_packet::{Iface, LinkType};

    /// Segments of a connection, in turns; every third asks for other addresses.
    const SEGMENTS: [&str; 3] = [
        "4500 0028 0001 0000 4006 0000 0a000001 0a000002 0050 0051 00000064 000000c8 5010 0001 0000 0000",
        "4500 0028 0001 0000 4006 0000 0a000002 0a000001 0051 0050 000000c8 00000065 5010 0001 0000 0000",
        "4500 0034 0001 0000 4006 0000 0a000001 0a000002 0050 0051 00000065 000000cb 8010 0001 0000 0000 \
         0101050a 000000d0 000000d4",
    ];

    /// Drafts of two drafters, settled, are what a printer prints.
    fn check(style: &Style, padding: usize, rounds: usize) -> Vec<u8> {
        let iface = Iface {
            link_type: LinkType::RAW,
            ..Iface::default()
        };
        let data: Vec<Vec<u8>> = SEGMENTS
            .iter()
            .map(|segment| [bytes(segment), vec![0; padding]].concat())
            .collect();
        let packets: Vec<_> = (0..rounds)
            .flat_map(|_| &data)
            .map(|data| packet(&iface, data))
            .collect();
        let mut expected = Vec::new();
        let mut printer = Printer::new(style.clone());
        for packet in &packets {
            printer.packet(packet, &mut NoNames, &mut expected);
        }
        let mut printer = Printer::new(style.clone());
        let mut drafters = [(); 2].map(|()| (Drafter::new(style.clone()), Drafts::default()));
        let turns: Vec<Turn> = packets.iter().map(|packet| printer.turn(packet)).collect();
        let half = packets.len() / 2;
        let mut out = Vec::new();
        for (part, (drafter, drafts)) in drafters.iter_mut().enumerate() {
            let of = |number: usize| {
                let number = part * half + number;
                Some((*packets.get(number)?, *turns.get(number)?))
            };
            for number in 0..half {
                let (packet, turn) = of(number).unwrap();
                drafter.packet(&packet, &turn, &mut NoNames, drafts);
            }
            assert!(drafts.text.len() < 2 * ENOUGH);
            printer.settle(drafts, of, &mut NoNames, &mut out);
        }
        assert!(out == expected);
        out
    }

    #[test]
    fn drafts_are_completed_in_their_turn() {
        let text = String::from_utf8(check(&style(0), 0, 4)).unwrap();
        let fourth = text.lines().nth(3).unwrap();
        assert!(
            fourth.contains("seq 0") || fourth.contains("ack 1"),
            "{text}"
        );
        assert!(text.contains("sack 1 {9:13}"), "{text}");
    }

    #[test]
    fn drafts_are_bounded() {
        let style = Style {
            dump: Dump::HexAscii,
            number: true,
            ..style(2)
        };
        let text = check(&style, 50_000, 6);
        assert!(text.len() > 2 * ENOUGH);
    }
}
