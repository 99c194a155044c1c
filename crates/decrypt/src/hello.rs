//! The two messages that say how a connection is encrypted: `ClientHello` and `ServerHello`
//! (RFC 8446 section 4.1, RFC 5246 section 7.4.1).

use pktwho_wire::{Cursor, Truncated};

use crate::pieces::fill;
use crate::resumed::{self, Name};

/// TLS 1.2 as messages number it.
pub const TLS12: u16 = 0x0303;
pub const TLS13: u16 = 0x0304;

/// The random bytes that make a `ServerHello` a request for another `ClientHello`: SHA-256 of
/// `HelloRetryRequest`.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

const EARLY_DATA: u16 = 42;
const ENCRYPT_THEN_MAC: u16 = 22;
const SESSION_TICKET: u16 = 35;
const SUPPORTED_VERSIONS: u16 = 43;

/// What of a `ClientHello` matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientHello {
    pub random: [u8; 32],
    /// The session that it asks for, by its identifier and by its ticket.
    pub session: Option<Name>,
    pub ticket: Option<Name>,
    /// The client sends data before it hears of the server.
    pub early_data: bool,
}

impl ClientHello {
    /// Reads the message's body.
    ///
    /// # Errors
    /// It ends too early.
    pub fn read(body: &[u8]) -> Result<Self, Truncated> {
        let mut c = Cursor::new(body);
        c.skip(2)?;
        let random = c.array()?;
        let session = c.u8()?;
        let session = resumed::name(c.take(session.into())?);
        let suites = c.u16()?;
        c.skip(suites.into())?;
        let compressions = c.u8()?;
        c.skip(compressions.into())?;
        let (mut early_data, mut ticket) = (false, None);
        each_extension(c, |kind, value| match kind {
            EARLY_DATA => early_data = true,
            SESSION_TICKET => ticket = resumed::name(value),
            _ => {}
        })?;
        Ok(Self {
            random,
            session,
            ticket,
            early_data,
        })
    }
}

/// What of a `ServerHello` matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHello {
    pub random: [u8; 32],
    /// The session that it resumes, or makes.
    pub session: Option<Name>,
    pub version: u16,
    pub suite: u16,
    /// It asks for another `ClientHello`.
    pub retry: bool,
    /// CBC suites authenticate what is encrypted (RFC 7366), not what is to be.
    pub encrypt_then_mac: bool,
}

impl ServerHello {
    /// Reads the message's body.
    ///
    /// # Errors
    /// It ends too early.
    pub fn read(body: &[u8]) -> Result<Self, Truncated> {
        let mut c = Cursor::new(body);
        let mut version = c.u16()?;
        let random = c.array()?;
        let session = c.u8()?;
        let session = resumed::name(c.take(session.into())?);
        let suite = c.u16()?;
        c.skip(1)?;
        let mut encrypt_then_mac = false;
        each_extension(c, |kind, value| {
            encrypt_then_mac |= kind == ENCRYPT_THEN_MAC;
            if kind == SUPPORTED_VERSIONS
                && let Ok(chosen) = <[u8; 2]>::try_from(value)
            {
                version = u16::from_be_bytes(chosen);
            }
        })?;
        Ok(Self {
            random,
            session,
            version,
            suite,
            retry: random == RETRY,
            encrypt_then_mac,
        })
    }
}

/// Extensions in front of which their length stands; none at all is allowed.
fn each_extension<'a>(
    mut c: Cursor<'a>,
    mut each: impl FnMut(u16, &'a [u8]),
) -> Result<(), Truncated> {
    if c.is_empty() {
        return Ok(());
    }
    let length = c.u16()?;
    let mut c = c.sub(length.into())?;
    while !c.is_empty() {
        let (kind, length) = (c.u16()?, c.u16()?);
        each(kind, c.take(length.into())?);
    }
    Ok(())
}

/// A message of the handshake that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    ClientHello(&'a [u8]),
    ServerHello(&'a [u8]),
    /// Of either version, which differ.
    NewSessionTicket(&'a [u8]),
    EndOfEarlyData,
    Finished,
    KeyUpdate,
}

/// The session that a `NewSessionTicket` of TLS 1.2 gives a name (RFC 5077 section 3.3).
///
/// # Errors
/// It ends too early.
pub fn ticket(body: &[u8]) -> Result<Option<Name>, Truncated> {
    let mut c = Cursor::new(body);
    c.skip(4)?;
    let length = c.u16()?;
    Ok(resumed::name(c.take(length.into())?))
}

/// Handshake messages of one direction, put together from records. Its memory is bounded.
#[derive(Debug, Default)]
pub struct Messages {
    /// A message's header and what there is of its body.
    buffer: Vec<u8>,
    /// Bytes of a message that are passed over.
    skip: usize,
    /// Whether the buffer holds a message that was given out.
    done: bool,
}

impl Messages {
    /// The longest message that is kept.
    const MAX: usize = 64 * 1024;

    /// The next message that is complete with what `input` holds; to be called again until it
    /// is `None`.
    pub fn next<'a>(&'a mut self, input: &mut &[u8]) -> Option<Message<'a>> {
        if std::mem::take(&mut self.done) {
            self.buffer.clear();
        }
        loop {
            advance(input, &mut self.skip);
            fill(&mut self.buffer, input, 4)?;
            let mut header = Cursor::new(&self.buffer);
            let (kind, length) = (header.u8().ok()?, header.u24().ok()?);
            let length = usize::try_from(length).ok()?;
            if !matches!(kind, 1 | 2 | 4 | 5 | 20 | 24) || length > Self::MAX {
                self.buffer.clear();
                self.skip = length;
                continue;
            }
            fill(&mut self.buffer, input, 4 + length)?;
            self.done = true;
            let body = self.buffer.get(4..)?;
            return Some(match kind {
                1 => Message::ClientHello(body),
                2 => Message::ServerHello(body),
                4 => Message::NewSessionTicket(body),
                5 => Message::EndOfEarlyData,
                20 => Message::Finished,
                _ => Message::KeyUpdate,
            });
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.buffer.capacity()
    }

    /// Forgets a message that will not be complete.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Passes over bytes of `input`, as many of `count` as there are.
fn advance(input: &mut &[u8], count: &mut usize) {
    let there = input.len().min(*count);
    *input = input.get(there..).unwrap_or_default();
    *count -= there;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_in_pieces_are_messages() {
        // A certificate that is passed over, a server's hello, a key update.
        let mut bytes = vec![11, 0, 0, 3, 9, 9, 9];
        let mut hello = vec![3, 3];
        hello.extend([7; 32]);
        hello.extend([0, 0x13, 0x01, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
        bytes.extend([2, 0, 0, u8::try_from(hello.len()).unwrap()]);
        bytes.extend(&hello);
        bytes.extend([24, 0, 0, 1, 0]);
        for size in 1..bytes.len() {
            let mut messages = Messages::default();
            let mut found = Vec::new();
            for mut piece in bytes.chunks(size) {
                while let Some(message) = messages.next(&mut piece) {
                    found.push(match message {
                        Message::ServerHello(body) => Some(ServerHello::read(body).unwrap()),
                        other => {
                            assert_eq!(other, Message::KeyUpdate);
                            None
                        }
                    });
                }
            }
            let expected = ServerHello {
                random: [7; 32],
                session: None,
                version: TLS13,
                suite: 0x1301,
                retry: false,
                encrypt_then_mac: false,
            };
            assert_eq!(found, [Some(expected), None], "{size}");
        }
    }

    #[test]
    fn hellos_that_end_early_are_refused() {
        let mut hello = vec![3, 3];
        hello.extend([7; 32]);
        hello.extend([0, 0, 2, 0x13, 0x01, 1, 0, 0, 4, 0, 42, 0, 0]);
        for end in 0..hello.len() {
            let read = ClientHello::read(&hello[..end]);
            // Without any extensions it is whole.
            assert_eq!(read.is_err(), end != hello.len() - 6, "{end}");
        }
        assert!(ClientHello::read(&hello).unwrap().early_data);
    }
}
