//! The connections that are followed.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::app::App;
use crate::locate::{End, Segment};
use crate::session::Session;
use crate::stream::Stream;
use crate::way::{Both, Way};

/// So many connections are followed at once.
const MAX: usize = 1 << 16;
/// Bytes that all of them may hold.
const BYTES_MAX: usize = 64 << 20;

/// Whose a packet is: both ends, the lower first, within a network namespace (0 when unknown).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    netns: u32,
    low: (IpAddr, u16),
    high: (IpAddr, u16),
}

impl Key {
    /// The segment's connection, and which way it goes in it.
    pub fn new(netns: u32, segment: &Segment<'_>) -> (Self, Way) {
        let (low, high, way) = if segment.from <= segment.to {
            (segment.from, segment.to, Way::Forth)
        } else {
            (segment.to, segment.from, Way::Back)
        };
        (Self { netns, low, high }, way)
    }

    /// The ends, from which to which.
    pub fn ends(&self, way: Way) -> (End, End) {
        match way {
            Way::Forth => (self.low, self.high),
            Way::Back => (self.high, self.low),
        }
    }
}

/// What is known of one direction's sequence numbers.
#[derive(Debug, Default)]
pub struct Direction {
    pub stream: Stream,
    /// The number of the segment that opened it.
    pub initial: Option<u32>,
    pub ended: bool,
}

/// What is read of a connection.
#[derive(Default)]
pub struct Tls {
    pub session: Session,
    pub app: App,
    /// When its records began to wait for secrets, in nanoseconds.
    pub waits_since: Option<i128>,
}

/// What a connection is found to be.
#[derive(Default)]
pub enum Kind {
    /// Nothing of it was seen, or nothing of TLS so far: that many bytes.
    #[default]
    Unknown,
    Tls(Box<Tls>),
    /// It is not looked at any more.
    Ignored,
}

#[derive(Default)]
pub struct Connection {
    pub directions: Both<Direction>,
    pub kind: Kind,
    /// Bytes seen without any sign of TLS.
    pub passed: u64,
}

impl Connection {
    /// Bytes held, of what can grow.
    pub fn bytes(&self) -> usize {
        let streams = Way::ALL.map(|way| self.directions.get(way).stream.bytes());
        let tls = match &self.kind {
            Kind::Tls(tls) => size_of::<Tls>() + tls.session.bytes() + tls.app.bytes(),
            Kind::Unknown | Kind::Ignored => 0,
        };
        streams.iter().sum::<usize>() + tls
    }
}

struct Slot {
    key: Key,
    connection: Connection,
    /// Bytes counted for it.
    bytes: usize,
    /// Used since the hand passed.
    used: bool,
}

/// All of them. When there is no room those go that were not used for longest, nearly.
#[derive(Default)]
pub struct Connections {
    index: HashMap<Key, usize>,
    slots: Vec<Slot>,
    hand: usize,
    bytes: usize,
}

impl Connections {
    pub fn get(&mut self, key: &Key) -> Option<&mut Connection> {
        let slot = self.slots.get_mut(*self.index.get(key)?)?;
        slot.used = true;
        Some(&mut slot.connection)
    }

    /// Enters a connection, in the place of an older one with the same ends.
    pub fn enter(&mut self, key: Key) -> &mut Connection {
        let slot = Slot {
            key,
            connection: Connection::default(),
            bytes: 0,
            used: true,
        };
        let at = match self.index.get(&key) {
            Some(&at) => at,
            None if self.slots.len() < MAX => self.slots.len(),
            None => self.free(),
        };
        self.index.insert(key, at);
        if at == self.slots.len() {
            self.slots.push(slot);
        } else if let Some(old) = self.slots.get_mut(at) {
            self.bytes -= old.bytes;
            *old = slot;
        }
        let at = at.min(self.slots.len() - 1);
        #[expect(
            clippy::indexing_slicing,
            reason = "there is one, and none behind it is named"
        )]
        &mut self.slots[at].connection
    }

    /// A place whose connection was not used for long; the connection is forgotten.
    fn free(&mut self) -> usize {
        loop {
            self.hand = (self.hand + 1) % self.slots.len().max(1);
            let Some(slot) = self.slots.get_mut(self.hand) else {
                return 0;
            };
            if std::mem::take(&mut slot.used) {
                continue;
            }
            // An emptied place may bear the key of a connection that has another one by now.
            if self.index.get(&slot.key) == Some(&self.hand) {
                self.index.remove(&slot.key);
            }
            return self.hand;
        }
    }

    /// Counts what a connection holds now; others are forgotten where all hold too much.
    pub fn weigh(&mut self, key: &Key) {
        let Some(&at) = self.index.get(key) else {
            return;
        };
        if let Some(slot) = self.slots.get_mut(at) {
            let bytes = slot.connection.bytes();
            self.bytes = self.bytes - slot.bytes + bytes;
            slot.bytes = bytes;
        }
        while self.bytes > BYTES_MAX {
            let at = self.free();
            let Some(slot) = self.slots.get_mut(at) else {
                return;
            };
            // The place stays, empty; nobody finds it but the hand.
            self.bytes -= slot.bytes;
            slot.bytes = 0;
            slot.connection = Connection::default();
        }
    }

    pub fn each(&mut self, mut each: impl FnMut(&Key, &mut Connection)) {
        for slot in &mut self.slots {
            each(&slot.key, &mut slot.connection);
        }
    }

    #[cfg(test)]
    pub fn held(&self) -> (usize, usize) {
        (self.slots.len(), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emptied_place_does_not_forget_for_others() {
        let end = |port| (IpAddr::from([192, 0, 2, 1]), port);
        let key = Key {
            netns: 0,
            low: end(1),
            high: end(2),
        };
        let mut connections = Connections::default();
        connections.enter(key);
        assert_eq!(connections.free(), 0);
        assert!(connections.get(&key).is_none());
        connections.enter(key).passed = 7;
        assert_eq!(connections.free(), 0);
        let found = connections.get(&key).map(|connection| connection.passed);
        assert_eq!(found, Some(7));
    }
}
