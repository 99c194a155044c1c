//! One packet's segment on its way through a connection: order, records, what they carry, lines.

use crate::app::App;
use crate::connections::{Connection, Direction, Key, Kind, Tls};
use crate::locate::{ACK, FIN, RST, SYN, Segment};
use crate::record::Header;
use crate::secrets::Secrets;
use crate::session::{self, Plain, Reason};
use crate::stream::{Each, Piece, Stream};
use crate::suite;
use crate::text::Lines;
use crate::way::Way;

/// Without any sign of TLS in so many bytes a connection is not put in order any more.
const PASSED_MAX: u64 = 16 * 1024;
/// Secrets come soon or never: how long after the first record that needs them, in nanoseconds.
const PATIENCE: i128 = 2_000_000_000;

/// One segment on its way through.
pub struct Reading<'r> {
    pub key: &'r Key,
    pub way: Way,
    /// The packet's time in nanoseconds since the epoch; `None` when all is over.
    pub now: Option<i128>,
    pub secrets: &'r Secrets,
    pub lines: &'r mut Lines,
    /// What the packet carries is appended.
    pub plain: &'r mut Vec<u8>,
}

impl Reading<'_> {
    /// Takes a segment of the connection.
    pub fn segment(&mut self, connection: &mut Connection, segment: &Segment<'_>) {
        if let Kind::Ignored = connection.kind {
            return;
        }
        let direction = connection.directions.get_mut(self.way);
        let mut seq = segment.seq;
        if segment.flags & SYN != 0 {
            seq = seq.wrapping_add(1);
            if direction.initial.replace(segment.seq).is_none() {
                direction.stream.begin(seq);
            }
        }
        if let Kind::Unknown = connection.kind {
            self.unknown(connection, segment);
        }
        if let Kind::Tls(tls) = &mut connection.kind {
            self.retry(tls);
        }
        let (payload, cut) = (segment.payload, segment.cut);
        if !payload.is_empty() || cut > 0 {
            self.stream(connection, self.way, |stream, each| {
                stream.segment(seq, payload, cut, each);
            });
        }
        if segment.flags & ACK != 0
            && let Some(now) = self.now
        {
            self.stream(connection, self.way.opposite(), |stream, each| {
                stream.acknowledged(segment.ack, now, each);
            });
        }
        if segment.flags & (FIN | RST) != 0 {
            self.closes(connection, segment.flags & RST != 0);
        }
        if let Kind::Tls(tls) = &mut connection.kind {
            self.waits(tls);
        }
    }

    /// Looks whether TLS begins with this segment.
    fn unknown(&mut self, connection: &mut Connection, segment: &Segment<'_>) {
        let payload = segment.payload;
        let direction = connection.directions.get_mut(self.way);
        if session::begins(payload) {
            let passed = connection.passed > PASSED_MAX;
            if direction.stream.next().is_none() || passed {
                direction.stream.begin(segment.seq);
            }
            if passed && segment.flags & ACK != 0 {
                let other = connection.directions.get_mut(self.way.opposite());
                other.stream.begin(segment.ack);
            }
            connection.kind = Kind::Tls(Box::default());
        } else if Header::encrypted(payload) && direction.initial.is_none() {
            connection.kind = Kind::Ignored;
            self.say(Reason::HandshakeNotSeen);
        }
    }

    /// Has the stream of a direction do something, and reads what comes out of it.
    fn stream(
        &mut self,
        connection: &mut Connection,
        way: Way,
        does: impl FnOnce(&mut Stream, Each<'_>),
    ) {
        let Direction { stream, .. } = connection.directions.get_mut(way);
        match &mut connection.kind {
            Kind::Ignored => {}
            Kind::Unknown if connection.passed > PASSED_MAX => {}
            kind => {
                let passed = &mut connection.passed;
                let mut each = |piece: Piece<'_>| {
                    if let Kind::Unknown = kind {
                        match piece {
                            Piece::Data(data) if session::begins(data) => {
                                *kind = Kind::Tls(Box::default());
                            }
                            Piece::Data(data) => {
                                *passed += u64::try_from(data.len()).unwrap_or(0);
                            }
                            Piece::Lost(_) => {}
                        }
                    }
                    if let Kind::Tls(tls) = kind {
                        self.piece(tls, way, &piece);
                    }
                };
                does(stream, &mut each);
            }
        }
    }

    fn piece(&mut self, tls: &mut Tls, way: Way, piece: &Piece<'_>) {
        if let Piece::Lost(count) = piece {
            self.about(way);
            let plural = if *count == 1 { "" } else { "s" };
            self.lines
                .line(format_args!("TLS: {count} byte{plural} not captured"));
        }
        let secrets = self.secrets;
        let Tls { session, app, .. } = tls;
        let out = &mut |way: Way, plain: Plain<'_>| self.carried(app, way, &plain);
        session.piece(way, piece, secrets, out);
    }

    fn carried(&mut self, app: &mut App, way: Way, plain: &Plain<'_>) {
        self.about(way);
        if let Plain::Data(data) = plain
            && way == self.way
        {
            self.plain.extend_from_slice(data);
        }
        app.carried(way, plain, self.lines);
    }

    /// Lines are about this direction from here on.
    fn about(&mut self, way: Way) {
        let own = way == self.way && self.now.is_some();
        self.lines.about((!own).then(|| self.key.ends(way)));
    }

    /// Reads what waited for secrets that have come.
    fn retry(&mut self, tls: &mut Tls) {
        if tls.waits_since.is_none() {
            return;
        }
        let secrets = self.secrets;
        let Tls { session, app, .. } = tls;
        session.retry(secrets, &mut |way, plain| {
            self.lines.about(Some(self.key.ends(way)));
            app.carried(way, &plain, self.lines);
        });
    }

    /// Says why nothing is read, where that is certain or has lasted.
    fn waits(&mut self, tls: &mut Tls) {
        let waits = tls.session.waits().is_some();
        let since = tls.waits_since.or(self.now).filter(|_| waits);
        tls.waits_since = since;
        if let (Some(now), Some(since)) = (self.now, since)
            && now - since > PATIENCE
        {
            tls.session.give_up();
        }
        if let Some(reason) = tls.session.take_reason() {
            self.say(reason);
        }
    }

    fn closes(&mut self, connection: &mut Connection, reset: bool) {
        connection.directions.get_mut(self.way).ended = true;
        let ended = |way| connection.directions.get(way).ended;
        if reset || Way::ALL.into_iter().all(ended) {
            self.end(connection);
        }
    }

    /// No more is to come of a direction.
    pub fn end(&mut self, connection: &mut Connection) {
        self.stream(connection, self.way, |stream, each| stream.end(each));
        if let Kind::Tls(tls) = &mut connection.kind {
            self.retry(tls);
            tls.session.give_up();
            if let Some(reason) = tls.session.take_reason() {
                self.say(reason);
            }
        }
    }

    fn say(&mut self, reason: Reason) {
        self.about(self.way);
        let say = |lines: &mut Lines, why: std::fmt::Arguments<'_>| {
            lines.line(format_args!("TLS: not decrypted: {why}"));
        };
        let lines = &mut *self.lines;
        match reason {
            Reason::HandshakeNotSeen => say(lines, format_args!("handshake not seen")),
            Reason::KeyUnknown => say(lines, format_args!("key unknown")),
            Reason::Resumed => say(
                lines,
                format_args!(
                    "key unknown: the connection whose session it resumes was not captured"
                ),
            ),
            Reason::WrongKey => say(lines, format_args!("the key is another one's")),
            Reason::Version(0x0300) => say(lines, format_args!("SSL 3.0 is not supported")),
            Reason::Version(version) => {
                let minor = (version & 0xff).saturating_sub(1);
                say(lines, format_args!("TLS 1.{minor} is not supported"));
            }
            Reason::Suite(number) => match suite::unsupported_name(number) {
                Some(name) => say(lines, format_args!("cipher suite not supported ({name})")),
                None => say(
                    lines,
                    format_args!("cipher suite not supported (0x{number:04x})"),
                ),
            },
        }
    }
}
