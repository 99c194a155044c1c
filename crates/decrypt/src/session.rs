//! A TLS connection: which key a record is under, and what it carries.
//!
//! Records whose key or handshake is not known yet are kept, up to a bound, and read when it is.
//! Source: RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2).

mod side;

use pktwho_tls::Label;

use crate::cipher::Cipher;
use crate::hello::{self, ClientHello, Message, Messages, ServerHello, TLS12, TLS13};
use crate::keys;
use crate::record::{self, Header, Records, Unit};
use crate::resumed::{Name, Sessions};
use crate::secrets::Secrets;
use crate::stream::Piece;
use crate::suite::Suite;
use crate::way::{Both, Way};
use side::{Epoch, Held, Side};

/// Why records are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    HandshakeNotSeen,
    KeyUnknown,
    /// It is that of a connection that was not seen.
    Resumed,
    /// TLS 1.1 and older, as messages number them.
    Version(u16),
    /// The suite that was chosen.
    Suite(u16),
    /// The secret does not open them.
    WrongKey,
}

impl Reason {
    /// Whether it is about a key, and none is to come.
    fn is_final(self, secrets: &Secrets) -> bool {
        secrets.complete && matches!(self, Self::KeyUnknown | Self::Resumed)
    }
}

/// What a direction carries.
#[derive(Debug, PartialEq, Eq)]
pub enum Plain<'a> {
    Data(&'a [u8]),
    /// Bytes are missing here: how many, if that is known.
    Lost(Option<u64>),
}

/// Takes what a direction carries.
pub type Carried<'a> = &'a mut dyn FnMut(Way, Plain<'_>);

/// What became of a record.
enum Outcome {
    Done,
    /// It may be read later.
    Wait(Reason),
    /// It will not be read.
    Failed(Reason),
}

/// A session has two names; more of one packet are passed over.
const NAMES_MAX: usize = 8;

/// A connection. Its memory is bounded.
#[derive(Default)]
pub struct Session {
    sides: Both<Side>,
    client: Option<Way>,
    hello: Option<ClientHello>,
    server: Option<ServerHello>,
    /// The server asked for another hello, and so takes no early data.
    retried: bool,
    /// Names of its session that are to be remembered.
    names: Vec<Name>,
    /// What is to be said, and whether it was.
    reason: Option<Reason>,
    said: bool,
    plain: Vec<u8>,
}

impl Session {
    /// Takes what comes next in a direction.
    pub fn piece(&mut self, way: Way, piece: &Piece<'_>, secrets: &Secrets, out: Carried<'_>) {
        if self.side(way).dead {
            return;
        }
        let mut records = std::mem::take(&mut self.side(way).records);
        match *piece {
            Piece::Lost(count) => {
                if let Some(unit) = records.lost(count) {
                    self.unit(way, &unit, secrets, out);
                }
            }
            Piece::Data(mut data) => {
                while let Some(unit) = records.next(&mut data) {
                    self.unit(way, &unit, secrets, out);
                }
            }
        }
        if !self.side(way).dead {
            self.side(way).records = records;
        }
        self.retry(secrets, out);
    }

    /// Reads records that were kept, as far as that is possible now.
    pub fn retry(&mut self, secrets: &Secrets, out: Carried<'_>) {
        // One direction may give what the other waits for.
        for way in [Way::Forth, Way::Back, Way::Forth] {
            self.drain(way, secrets, out);
        }
    }

    /// Why records wait, if some do.
    pub fn waits(&self) -> Option<Reason> {
        Way::ALL
            .into_iter()
            .find_map(|way| self.sides.get(way).waits)
    }

    /// Nothing is waited for any more.
    pub fn give_up(&mut self) {
        if let Some(reason) = self.waits() {
            self.complain(reason);
        }
    }

    /// What is to be said of the connection, once.
    pub fn take_reason(&mut self) -> Option<Reason> {
        self.reason.take()
    }

    /// Names of its session that are new, and the client's random bytes of the connection that made it.
    pub fn take_names(&mut self, sessions: &Sessions) -> Option<(Vec<Name>, [u8; 32])> {
        if self.names.is_empty() {
            return None;
        }
        let (hello, server) = (self.hello?, self.server?);
        let made = resumes(&hello, &server).then(|| sessions.find([hello.ticket, hello.session]));
        let random = made.flatten().unwrap_or(hello.random);
        Some((std::mem::take(&mut self.names), random))
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let sides = Way::ALL.map(|way| self.sides.get(way).bytes());
        sides.iter().sum::<usize>() + self.plain.capacity()
    }

    fn side(&mut self, way: Way) -> &mut Side {
        self.sides.get_mut(way)
    }

    fn complain(&mut self, reason: Reason) {
        if !self.said {
            self.said = true;
            self.reason = Some(reason);
        }
    }

    fn unit(&mut self, way: Way, unit: &Unit<'_>, secrets: &Secrets, out: Carried<'_>) {
        if self.side(way).is_waiting() {
            return self.keep(way, Held::new(unit));
        }
        if self.has_to_wait(way, unit, secrets, out) {
            self.keep(way, Held::new(unit));
        }
    }

    /// Reads it, or says whether it may be read later.
    fn has_to_wait(
        &mut self,
        way: Way,
        unit: &Unit<'_>,
        secrets: &Secrets,
        out: Carried<'_>,
    ) -> bool {
        match self.read(way, unit, secrets, out) {
            Outcome::Done => {}
            Outcome::Wait(reason) if reason.is_final(secrets) => {
                self.complain(reason);
                self.side(way).kill();
            }
            Outcome::Wait(reason) => {
                self.side(way).waits = Some(reason);
                return true;
            }
            Outcome::Failed(reason) => self.complain(reason),
        }
        false
    }

    fn keep(&mut self, way: Way, held: Option<Held>) {
        if let Some(held) = held
            && !self.side(way).hold(held)
        {
            self.give_up();
        }
    }

    fn drain(&mut self, way: Way, secrets: &Secrets, out: Carried<'_>) {
        while let Some(held) = self.side(way).release() {
            if self.has_to_wait(way, &held.unit(), secrets, out) {
                return self.side(way).put_back(held);
            }
        }
        self.side(way).waits = None;
    }

    fn read(&mut self, way: Way, unit: &Unit<'_>, secrets: &Secrets, out: Carried<'_>) -> Outcome {
        match *unit {
            Unit::Record(header, body) => self.record(way, header, body, secrets, out),
            Unit::Broken(header) => {
                let side = self.side(way);
                side.messages.reset();
                if side.epoch != Epoch::Plain && header.kind != record::CHANGE_CIPHER_SPEC {
                    side.number += 1;
                    side.doubtful |= side.epoch != Epoch::Tls12;
                    let overhead = side.cipher.as_ref().map_or(0, Cipher::overhead);
                    let length = u64::try_from(header.length.saturating_sub(overhead)).ok();
                    if header.kind == record::APPLICATION_DATA {
                        out(way, Plain::Lost(length));
                    }
                }
                Outcome::Done
            }
            Unit::Lost(records) => {
                let side = self.side(way);
                side.messages.reset();
                side.missed(records);
                out(way, Plain::Lost(None));
                Outcome::Done
            }
            Unit::NotTls => Outcome::Done,
        }
    }

    fn record(
        &mut self,
        way: Way,
        header: Header,
        body: &[u8],
        secrets: &Secrets,
        out: Carried<'_>,
    ) -> Outcome {
        let epoch = self.side(way).epoch;
        match (header.kind, epoch) {
            (record::CHANGE_CIPHER_SPEC, _) => self.change_cipher_spec(way),
            (_, Epoch::Tls12) => self.tls12(way, header, body, secrets, out),
            (record::HANDSHAKE, _) => {
                self.messages(way, body);
                Outcome::Done
            }
            (record::APPLICATION_DATA, _) => match self.server {
                None => Outcome::Wait(Reason::HandshakeNotSeen),
                Some(server) if server.version == TLS13 => {
                    self.tls13(way, server, header, body, secrets, out)
                }
                // The change of keys was lost.
                Some(_) => match self.change_cipher_spec(way) {
                    Outcome::Done => self.tls12(way, header, body, secrets, out),
                    refused => refused,
                },
            },
            _ => Outcome::Done,
        }
    }

    /// From here on records of this direction are encrypted (TLS 1.2), or nothing is meant by it
    /// (TLS 1.3).
    fn change_cipher_spec(&mut self, way: Way) -> Outcome {
        let Some(server) = self.server else {
            // TLS 1.3 has it there for the sake of what stands between the ends.
            let early = self.hello.is_some_and(|hello| hello.early_data);
            return if self.retried || early && self.client == Some(way) {
                Outcome::Done
            } else {
                Outcome::Wait(Reason::HandshakeNotSeen)
            };
        };
        if server.version == TLS13 {
            return Outcome::Done;
        }
        if server.version != TLS12 {
            self.side(way).kill();
            return Outcome::Failed(Reason::Version(server.version));
        }
        if Suite::from_number(server.suite).is_none_or(|suite| suite.tls13) {
            self.side(way).kill();
            return Outcome::Failed(Reason::Suite(server.suite));
        }
        if self.hello.is_none() {
            return Outcome::Wait(Reason::HandshakeNotSeen);
        }
        self.side(way).begin(Epoch::Tls12);
        Outcome::Done
    }

    fn tls12(
        &mut self,
        way: Way,
        header: Header,
        body: &[u8],
        secrets: &Secrets,
        out: Carried<'_>,
    ) -> Outcome {
        if self.side(way).cipher.is_none() {
            let (Some(hello), Some(server)) = (self.hello, self.server) else {
                return Outcome::Wait(Reason::HandshakeNotSeen);
            };
            let master = match master(&hello, &server, secrets) {
                Ok(master) => master,
                Err(reason) => return Outcome::Wait(reason),
            };
            let is_server = self.client != Some(way);
            let cipher = Suite::from_number(server.suite)
                .and_then(|suite| keys::tls12(suite, master, (&hello.random, &server), is_server));
            self.side(way).cipher = cipher;
        }
        let mut plain = std::mem::take(&mut self.plain);
        let opened = self.side(way).open(header, body, &mut plain);
        if opened {
            self.carried(way, header.kind, &plain, out);
        }
        self.plain = plain;
        if opened {
            return Outcome::Done;
        }
        self.side(way).failed()
    }

    fn tls13(
        &mut self,
        way: Way,
        server: ServerHello,
        header: Header,
        body: &[u8],
        secrets: &Secrets,
        out: Carried<'_>,
    ) -> Outcome {
        let Some(suite) = Suite::from_number(server.suite).filter(|suite| suite.tls13) else {
            self.side(way).kill();
            return Outcome::Failed(Reason::Suite(server.suite));
        };
        let Some(hello) = self.hello else {
            return Outcome::Wait(Reason::HandshakeNotSeen);
        };
        let is_client = self.client == Some(way);
        if self.side(way).epoch == Epoch::Plain {
            let early = is_client && hello.early_data && !self.retried;
            self.side(way).epoch = if early {
                Epoch::Early
            } else {
                Epoch::Handshake
            };
        }
        let label = |epoch: Epoch| epoch.label(is_client);
        let secret = |epoch: Epoch| secrets.get(&hello.random, label(epoch)?);
        let mut plain = std::mem::take(&mut self.plain);
        let outcome = self
            .side(way)
            .open13(suite, header, body, &secret, &mut plain);
        if matches!(outcome, side::Opened::Yes) {
            let end = plain.iter().rposition(|&byte| byte != 0).unwrap_or(0);
            if let Some((&kind, text)) = plain.get(..=end).and_then(<[u8]>::split_last) {
                self.carried(way, kind, text, out);
            }
        }
        self.plain = plain;
        match outcome {
            side::Opened::Yes | side::Opened::Skip => Outcome::Done,
            side::Opened::Unknown => Outcome::Wait(Reason::KeyUnknown),
            side::Opened::No => self.side(way).failed(),
        }
    }

    /// Takes what a record carried.
    fn carried(&mut self, way: Way, kind: u8, text: &[u8], out: Carried<'_>) {
        match kind {
            record::HANDSHAKE => self.messages(way, text),
            record::APPLICATION_DATA if !text.is_empty() => out(way, Plain::Data(text)),
            _ => {}
        }
    }

    fn messages(&mut self, way: Way, text: &[u8]) {
        let mut messages = std::mem::take(&mut self.side(way).messages);
        let mut text = text;
        while let Some(message) = messages.next(&mut text) {
            self.message(way, message);
        }
        self.side(way).messages = messages;
    }

    /// Remembers what a session of TLS 1.2 is called.
    fn name(&mut self, name: Option<Name>) {
        let is_12 = self.server.is_some_and(|server| server.version == TLS12);
        if is_12 && self.names.len() < NAMES_MAX {
            self.names.extend(name);
        }
    }

    fn message(&mut self, way: Way, message: Message<'_>) {
        let epoch = self.side(way).epoch;
        match (message, epoch) {
            (Message::ClientHello(body), _) => {
                if let Ok(hello) = ClientHello::read(body) {
                    self.client = Some(way);
                    self.hello = Some(hello);
                }
            }
            (Message::ServerHello(body), _) => match ServerHello::read(body) {
                Ok(hello) if hello.retry => self.retried = true,
                Ok(hello) => {
                    self.client = Some(way.opposite());
                    self.server = Some(hello);
                    self.name(hello.session);
                }
                Err(_) => {}
            },
            (Message::NewSessionTicket(body), _) => {
                if let Ok(ticket) = hello::ticket(body) {
                    self.name(ticket);
                }
            }
            (Message::EndOfEarlyData, Epoch::Early) => self.side(way).begin(Epoch::Handshake),
            (Message::Finished, Epoch::Handshake) => self.side(way).begin(Epoch::Application),
            (Message::KeyUpdate, Epoch::Application) => {
                let suite = self
                    .server
                    .and_then(|server| Suite::from_number(server.suite));
                if let Some(suite) = suite {
                    self.side(way).update(suite);
                }
            }
            _ => {}
        }
    }
}

/// Whether the server resumes the session that the client asks for (RFC 5246 section 7.4.1.3, RFC 5077
/// section 3.4).
fn resumes(hello: &ClientHello, server: &ServerHello) -> bool {
    hello.session.is_some() && hello.session == server.session
}

/// The secret of a connection of TLS 1.2: its own, or that of the one that made its session.
fn master<'s>(
    hello: &ClientHello,
    server: &ServerHello,
    secrets: &'s Secrets,
) -> Result<&'s [u8], Reason> {
    let known = |random| secrets.get(random, Label::ClientRandom);
    if let Some(own) = known(&hello.random) {
        return Ok(own);
    }
    if !resumes(hello, server) {
        return Err(Reason::KeyUnknown);
    }
    let made = secrets.sessions.find([hello.ticket, hello.session]);
    // Where nobody is known to have made it, it has our own name.
    let made = made.filter(|made| *made != hello.random);
    known(&made.ok_or(Reason::Resumed)?).ok_or(Reason::KeyUnknown)
}

/// Whether a connection of TLS begins with these bytes of a segment: a `ClientHello`, or a
/// `ServerHello`.
pub fn begins(bytes: &[u8]) -> bool {
    Header::read(bytes).is_some_and(|header| header.kind == record::HANDSHAKE)
        && matches!(bytes.get(5..7), Some([1 | 2, 0]))
}
