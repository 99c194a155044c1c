//! What earlier packets said, and what stands for it where that is not known yet.
//!
//! A packet that is printed before its turn (`ahead.rs`) leaves gaps in its text: for TCP's
//! numbers, which are counted from a connection's first. What else printers remember decides how
//! they go on; a packet that asks for it is printed again when it is its turn.

use crate::flows::{Flows, Origins, Segment};
use crate::memory::Memory;

#[derive(Debug, Default)]
pub(crate) struct Past {
    pub(crate) flows: Flows,
    memory: Memory,
    /// What is left open; `None` where packets are printed in their turn.
    ahead: Option<Open>,
}

/// What is left open of packets that are printed before their turn.
#[derive(Debug, Default)]
pub(crate) struct Open {
    pub(crate) gaps: Vec<Gap>,
    /// The packet needs what only its turn will tell.
    pub(crate) again: bool,
}

/// What a number is counted from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    Known(u32),
    /// This one of the latest segment's, to be told later.
    Later(Place),
}

/// One of a segment's [`Origins`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Seq,
    Ack,
    Peer,
}

/// What is to be done in a packet's turn, in this order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Gap {
    /// Learn of this segment; the numbers that follow are its.
    Segment(Segment),
    /// Write a number into the text, there.
    Number { at: usize, number: u32, of: Place },
}

impl Past {
    /// For packets that are printed before their turn.
    pub(crate) fn unknown() -> Self {
        Self {
            ahead: Some(Open::default()),
            ..Self::default()
        }
    }

    pub(crate) fn open(&mut self) -> Option<&mut Open> {
        self.ahead.as_mut()
    }

    /// What other protocols than TCP remember.
    pub(crate) fn memory(&mut self) -> &mut Memory {
        if let Some(open) = &mut self.ahead {
            open.again = true;
        }
        &mut self.memory
    }

    #[inline]
    pub(crate) fn origins(&mut self, segment: Segment) -> Origins<Origin> {
        if let Some(open) = &mut self.ahead {
            open.gaps.push(Gap::Segment(segment));
            return Origins {
                seq: Origin::Later(Place::Seq),
                ack: Origin::Later(Place::Ack),
                peer: Origin::Later(Place::Peer),
            };
        }
        let origins = self.flows.origins(&segment);
        Origins {
            seq: Origin::Known(origins.seq),
            ack: Origin::Known(origins.ack),
            peer: Origin::Known(origins.peer),
        }
    }

    /// A number is missing in the text, there.
    pub(crate) fn gap(&mut self, at: usize, number: u32, of: Place) {
        if let Some(open) = &mut self.ahead {
            open.gaps.push(Gap::Number { at, number, of });
        }
    }

    /// The text behind `from` has moved.
    pub(crate) fn moved(&mut self, from: usize, by: usize) {
        let gaps = self.ahead.iter_mut().flat_map(|open| &mut open.gaps).rev();
        for gap in gaps {
            match gap {
                Gap::Number { at, .. } if *at > from => *at += by,
                Gap::Number { .. } => break,
                Gap::Segment(_) => {}
            }
        }
    }
}

impl Origins<u32> {
    pub(crate) fn of(self, place: Place) -> u32 {
        match place {
            Place::Seq => self.seq,
            Place::Ack => self.ack,
            Place::Peer => self.peer,
        }
    }
}
