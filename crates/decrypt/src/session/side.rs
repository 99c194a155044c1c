//! One direction of a TLS connection: the keys in use, and records that wait for theirs.

use std::collections::VecDeque;

use pktwho_tls::Label;

use super::{Messages, Outcome, Reason, Records};
use crate::cipher::Cipher;
use crate::keys;
use crate::record::{Header, Unit};
use crate::suite::Suite;

/// Bytes, and records, that are kept until they can be read.
const HELD_BYTES_MAX: usize = 256 * 1024;
const HELD_MAX: usize = 1024;
/// After a loss so many numbers are tried at most from the first possible one on, and as many up
/// to the last.
const TRIES: u64 = 64;
/// After so many records in a row that do not open the direction is given up.
const FAILURES_MAX: u8 = 8;
/// More missing records than this are not reckoned with.
const MISSED_MAX: u64 = 1 << 20;

/// Under which keys records are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Epoch {
    #[default]
    Plain,
    Tls12,
    Early,
    Handshake,
    Application,
}

impl Epoch {
    /// The secret of a TLS 1.3 epoch.
    pub fn label(self, client: bool) -> Option<Label> {
        Some(match (self, client) {
            (Self::Early, true) => Label::ClientEarlyTrafficSecret,
            (Self::Handshake, true) => Label::ClientHandshakeTrafficSecret,
            (Self::Handshake, false) => Label::ServerHandshakeTrafficSecret,
            (Self::Application, true) => Label::ClientTrafficSecret,
            (Self::Application, false) => Label::ServerTrafficSecret,
            _ => return None,
        })
    }

    /// It and those that may follow without being seen to begin.
    fn and_later(self) -> &'static [Self] {
        match self {
            Self::Plain | Self::Tls12 => &[],
            Self::Early => &[Self::Early, Self::Handshake, Self::Application],
            Self::Handshake => &[Self::Handshake, Self::Application],
            Self::Application => &[Self::Application],
        }
    }
}

/// Whether a record of TLS 1.3 opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    Yes,
    No,
    /// Its secret is not known yet.
    Unknown,
    /// It is not worth reading: a handshake's without its secret, early data that was refused.
    Skip,
}

/// A unit that waits.
pub enum Held {
    Record(Header, Box<[u8]>),
    Broken(Header),
    Lost(u64),
}

impl Held {
    pub fn new(unit: &Unit<'_>) -> Option<Self> {
        Some(match unit {
            Unit::Record(header, body) => Self::Record(*header, (*body).into()),
            Unit::Broken(header) => Self::Broken(*header),
            Unit::Lost(records) => Self::Lost(*records),
            Unit::NotTls => return None,
        })
    }

    pub fn unit(&self) -> Unit<'_> {
        match self {
            Self::Record(header, body) => Unit::Record(*header, body),
            Self::Broken(header) => Unit::Broken(*header),
            Self::Lost(records) => Unit::Lost(*records),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Record(_, body) => body.len(),
            Self::Broken(_) | Self::Lost(_) => 0,
        }
    }
}

#[derive(Default)]
pub struct Side {
    pub records: Records,
    pub messages: Messages,
    pub epoch: Epoch,
    /// Of the epoch; `None` until a record needs it.
    pub cipher: Option<Cipher>,
    /// The next record's number under these keys.
    pub number: u64,
    /// A record that changes keys may be missing.
    pub doubtful: bool,
    /// Why records wait.
    pub waits: Option<Reason>,
    /// Nothing of it is read any more.
    pub dead: bool,
    /// The secret after key updates.
    updated: Option<Vec<u8>>,
    /// Records that may be missing before the next one.
    missed: u64,
    failures: u8,
    held: VecDeque<Held>,
    held_bytes: usize,
}

impl Side {
    /// Other keys are in use from the next record on.
    pub fn begin(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.cipher = None;
        self.updated = None;
        self.number = 0;
    }

    /// The next keys of the application data.
    pub fn update(&mut self, suite: Suite) {
        let current = self.updated.take();
        self.updated = current.and_then(|secret| keys::next_generation(suite, &secret));
        self.cipher = None;
        self.number = 0;
    }

    /// Records are missing, at most so many.
    pub fn missed(&mut self, records: u64) {
        self.missed = self.missed.saturating_add(records).min(MISSED_MAX);
        self.doubtful = true;
    }

    /// A record did not open. After a loss that may be no record's fault.
    pub fn failed(&mut self) -> Outcome {
        let excused = self.doubtful && self.failures < 2;
        self.missed(1);
        self.failures += 1;
        if self.failures >= FAILURES_MAX {
            self.kill();
        }
        if excused {
            return Outcome::Done;
        }
        Outcome::Failed(Reason::WrongKey)
    }

    /// Nothing more is to be read.
    pub fn kill(&mut self) {
        *self = Self {
            dead: true,
            epoch: self.epoch,
            ..Self::default()
        };
    }

    /// Opens a record under the present keys.
    pub fn open(&mut self, header: Header, body: &[u8], plain: &mut Vec<u8>) -> bool {
        let Some(cipher) = &self.cipher else {
            return false;
        };
        let Some(number) = search(cipher, self.number, self.missed, header, body, plain) else {
            return false;
        };
        self.opened(number);
        true
    }

    fn opened(&mut self, number: u64) {
        self.number = number + 1;
        self.missed = 0;
        self.failures = 0;
        self.doubtful = false;
    }

    /// Opens a record of TLS 1.3; `secret` knows the epochs' secrets.
    pub fn open13<'s>(
        &mut self,
        suite: Suite,
        header: Header,
        body: &[u8],
        secret: &impl Fn(Epoch) -> Option<&'s [u8]>,
        plain: &mut Vec<u8>,
    ) -> Opened {
        if self.open(header, body, plain) {
            return Opened::Yes;
        }
        let fresh = self.cipher.is_none();
        let (mut first_known, mut later_known) = (!fresh, false);
        for &epoch in self.epoch.and_later() {
            if epoch == self.epoch && !fresh {
                continue;
            }
            let Some(secret) = self.secret(epoch, secret) else {
                continue;
            };
            if epoch != self.epoch {
                later_known = true;
                if self.open_next(suite, epoch, secret, header, body, plain) {
                    return Opened::Yes;
                }
                continue;
            }
            first_known = true;
            self.cipher = keys::tls13(suite, &secret);
            self.updated = (epoch == Epoch::Application).then_some(secret);
            if self.open(header, body, plain) {
                return Opened::Yes;
            }
        }
        if first_known && self.open_updated(suite, header, body, plain) {
            return Opened::Yes;
        }
        match (self.epoch, first_known, later_known) {
            (Epoch::Early, _, true) | (Epoch::Handshake, false, true) => Opened::Skip,
            (Epoch::Early, ..) | (_, false, _) => Opened::Unknown,
            (Epoch::Handshake, true, false) if self.doubtful => Opened::Unknown,
            _ => Opened::No,
        }
    }

    /// The secret of an epoch, after the updates that were seen.
    fn secret<'s>(
        &self,
        epoch: Epoch,
        secret: &impl Fn(Epoch) -> Option<&'s [u8]>,
    ) -> Option<Vec<u8>> {
        match &self.updated {
            Some(updated) if epoch == self.epoch => Some(updated.clone()),
            _ => secret(epoch).map(<[u8]>::to_vec),
        }
    }

    /// Whether a later epoch has begun unseen with this record, or before it.
    fn open_next(
        &mut self,
        suite: Suite,
        epoch: Epoch,
        secret: Vec<u8>,
        header: Header,
        body: &[u8],
        plain: &mut Vec<u8>,
    ) -> bool {
        let Some(cipher) = keys::tls13(suite, &secret) else {
            return false;
        };
        let Some(number) = search(&cipher, 0, self.missed, header, body, plain) else {
            return false;
        };
        self.begin(epoch);
        self.cipher = Some(cipher);
        self.updated = (epoch == Epoch::Application).then_some(secret);
        self.opened(number);
        true
    }

    /// Whether a key update was among what is missing.
    fn open_updated(
        &mut self,
        suite: Suite,
        header: Header,
        body: &[u8],
        plain: &mut Vec<u8>,
    ) -> bool {
        if self.epoch != Epoch::Application || !self.doubtful {
            return false;
        }
        let next = self.updated.as_ref();
        let Some(next) = next.and_then(|secret| keys::next_generation(suite, secret)) else {
            return false;
        };
        self.open_next(suite, Epoch::Application, next, header, body, plain)
    }

    pub fn is_waiting(&self) -> bool {
        !self.held.is_empty()
    }

    /// Keeps a unit; `false` when another had to go for it.
    pub fn hold(&mut self, held: Held) -> bool {
        self.held_bytes += held.len();
        self.held.push_back(held);
        let mut room = true;
        while self.held_bytes > HELD_BYTES_MAX || self.held.len() > HELD_MAX {
            room = false;
            match self.release() {
                Some(Held::Lost(records)) => self.missed(records),
                Some(_) => self.missed(1),
                None => break,
            }
        }
        room
    }

    /// Takes the first unit that waits.
    pub fn release(&mut self) -> Option<Held> {
        let held = self.held.pop_front()?;
        self.held_bytes -= held.len();
        Some(held)
    }

    /// Undoes [`Side::release`].
    pub fn put_back(&mut self, held: Held) {
        self.held_bytes += held.len();
        self.held.push_front(held);
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.held_bytes
            + self.held.len() * size_of::<Held>()
            + self.records.bytes()
            + self.messages.bytes()
    }
}

/// The number under which a record opens, of those from `first` on up to `missed` later.
fn search(
    cipher: &Cipher,
    first: u64,
    missed: u64,
    header: Header,
    body: &[u8],
    plain: &mut Vec<u8>,
) -> Option<u64> {
    let last = first.saturating_add(missed);
    let low = first..=last.min(first.saturating_add(TRIES));
    let high = last.saturating_sub(TRIES).max(low.end() + 1)..=last;
    let mut numbers = low.chain(high);
    numbers.find(|&number| cipher.open(number, (header.kind, header.version), body, plain))
}
