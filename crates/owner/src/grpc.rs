//! One gRPC call over a Unix socket: a question and its answer, or the messages of one that goes
//! on ([`Stream`]), and the connection is closed.
//!
//! As much of HTTP/2 as that takes: frames, an own header block of literals, windows opened wide
//! at the start. What headers and trailers say is not read: a call that failed has no message.
//! Promises as of [`crate::http`]. Source: RFC 9113, RFC 7541 section 6.2.2; gRPC over HTTP/2.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use crate::http::{ANSWER, LONGEST};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The only stream.
const STREAM: u32 = 1;
/// As long as answers may be: a peer that sends more is not heard any longer.
const WINDOW: u32 = 16 << 20;
/// Longest frame that a peer may send when we have not asked for longer ones.
const FRAME: usize = 16_384;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

/// Of data and headers; of settings and pings the same bit is an acknowledgement.
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const INITIAL_WINDOW_SIZE: u16 = 4;

/// Calls a method with a message; the message that it gives. `headers` are more to be sent, all
/// in lower case.
///
/// # Errors
/// Nobody listens, the answer is late, too long or none; `Unsupported`: the call was refused.
pub fn call(
    socket: &Path,
    method: &str,
    headers: &[(&str, &str)],
    message: &[u8],
) -> io::Result<Vec<u8>> {
    let mut connection = Connection::open(socket)?;
    connection.ask(method, headers, message)?;
    let answer = connection.answer()?;
    if answer.is_empty() {
        return Err(ErrorKind::Unsupported.into());
    }
    message_of(&answer).ok_or_else(|| ErrorKind::InvalidData.into())
}

/// The message in a gRPC frame: not compressed, and all of it there.
fn message_of(frame: &[u8]) -> Option<Vec<u8>> {
    let (&[compressed, a, b, c, d], message) = frame.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    (compressed == 0 && message.len() == length).then(|| message.to_vec())
}

/// The messages of a call whose answer goes on.
pub struct Stream {
    connection: Connection,
    /// Data that is no whole message yet.
    data: Vec<u8>,
    /// Bytes for which the peer has not been given room again.
    taken: u32,
    has_answered: bool,
}

impl Stream {
    /// Calls a method with a message.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn open(socket: &Path, method: &str, message: &[u8]) -> io::Result<Self> {
        let mut connection = Connection::open(socket)?;
        connection.ask(method, &[], message)?;
        connection.deadline = None;
        Ok(Self {
            connection,
            data: Vec::new(),
            taken: 0,
            has_answered: false,
        })
    }

    /// Waits for the next message, however long.
    ///
    /// # Errors
    /// There is no more, or what comes is too long or none; `Unsupported`: the call was refused.
    pub fn next(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(message) = self.message()? {
                self.has_answered = true;
                return Ok(message);
            }
            let (data, is_end) = self.connection.data()?;
            self.data.extend_from_slice(&data);
            if is_end {
                let kind = if self.has_answered || !self.data.is_empty() {
                    ErrorKind::UnexpectedEof
                } else {
                    ErrorKind::Unsupported
                };
                return Err(kind.into());
            }
            self.taken += u32::try_from(data.len()).unwrap_or(0);
            if self.taken > WINDOW / 2 {
                self.connection.widen(self.taken)?;
                self.taken = 0;
            }
        }
    }

    /// The message that the data begins with, if it is all there.
    fn message(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(&[_, a, b, c, d]) = self.data.first_chunk() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]);
        if u64::from(length) > LONGEST {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let end = 5 + length as usize;
        if self.data.len() < end {
            return Ok(None);
        }
        let rest = self.data.split_off(end);
        let frame = std::mem::replace(&mut self.data, rest);
        let message = message_of(&frame).ok_or(ErrorKind::InvalidData)?;
        Ok(Some(message))
    }
}

/// What a stream answers to a call that has been made; as [`call`].
///
/// # Errors
/// As [`call`].
#[cfg(feature = "testing")]
pub fn answer_on(stream: UnixStream) -> io::Result<Vec<u8>> {
    let mut connection = Connection {
        stream,
        deadline: Some(Instant::now() + ANSWER),
        is_deaf: false,
    };
    let answer = connection.answer()?;
    message_of(&answer).ok_or_else(|| ErrorKind::InvalidData.into())
}

struct Connection {
    stream: UnixStream,
    /// `None`: it is waited for, however long.
    deadline: Option<Instant>,
    /// The peer reads no more.
    is_deaf: bool,
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Connection {
    fn open(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_write_timeout(Some(ANSWER))?;
        Ok(Self {
            stream,
            deadline: Some(Instant::now() + ANSWER),
            is_deaf: false,
        })
    }

    fn ask(&mut self, method: &str, more: &[(&str, &str)], message: &[u8]) -> io::Result<()> {
        let mut out = PREFACE.to_vec();
        let mut settings = INITIAL_WINDOW_SIZE.to_be_bytes().to_vec();
        settings.extend(WINDOW.to_be_bytes());
        frame(&mut out, SETTINGS, 0, 0, &settings)?;
        frame(&mut out, WINDOW_UPDATE, 0, 0, &WINDOW.to_be_bytes())?;
        let mut block = Vec::new();
        let usual = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", method),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ];
        for (name, value) in usual.iter().chain(more) {
            // A literal that is not indexed, with a new name.
            block.push(0);
            text(&mut block, name)?;
            text(&mut block, value)?;
        }
        frame(&mut out, HEADERS, END_HEADERS, STREAM, &block)?;
        let length = u32::try_from(message.len()).map_err(|_| ErrorKind::InvalidInput)?;
        let mut data = vec![0];
        data.extend(length.to_be_bytes());
        data.extend(message);
        frame(&mut out, DATA, END_STREAM, STREAM, &data)?;
        self.stream.write_all(&out)
    }

    /// The data of the stream, to its end.
    fn answer(&mut self) -> io::Result<Vec<u8>> {
        let mut answer = Vec::new();
        loop {
            let (data, is_end) = self.data()?;
            answer.extend_from_slice(&data);
            if answer.len() as u64 > LONGEST {
                return Err(ErrorKind::FileTooLarge.into());
            }
            if is_end {
                return Ok(answer);
            }
        }
    }

    /// What the next frame of the stream holds, and whether it is the last; what else comes is
    /// replied to.
    fn data(&mut self) -> io::Result<(Vec<u8>, bool)> {
        loop {
            let Frame {
                kind,
                flags,
                stream,
                payload,
            } = self.frame()?;
            let is_end = flags & END_STREAM != 0;
            match (kind, stream) {
                (SETTINGS, _) if flags & ACK == 0 => self.reply(SETTINGS, &[])?,
                (PING, _) if flags & ACK == 0 => self.reply(PING, &payload)?,
                (GOAWAY, _) | (RST_STREAM, STREAM) => {
                    return Err(ErrorKind::ConnectionReset.into());
                }
                (DATA, STREAM) => {
                    let data = unpadded(flags, &payload).ok_or(ErrorKind::InvalidData)?;
                    return Ok((data.to_vec(), is_end));
                }
                (HEADERS, STREAM) if is_end => return Ok((Vec::new(), true)),
                _ => {}
            }
        }
    }

    /// Lets the peer send so many bytes more.
    fn widen(&mut self, more: u32) -> io::Result<()> {
        let mut out = Vec::new();
        for stream in [0, STREAM] {
            frame(&mut out, WINDOW_UPDATE, 0, stream, &more.to_be_bytes())?;
        }
        self.tell(&out)
    }

    fn reply(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        let mut out = Vec::new();
        frame(&mut out, kind, ACK, 0, payload)?;
        self.tell(&out)
    }

    /// Sends what is no part of the question. A peer that reads no more may have answered before: what
    /// it has sent decides.
    fn tell(&mut self, frames: &[u8]) -> io::Result<()> {
        if self.is_deaf {
            return Ok(());
        }
        match self.stream.write_all(frames) {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
                ) =>
            {
                self.is_deaf = true;
                Ok(())
            }
            told => told,
        }
    }

    fn frame(&mut self) -> io::Result<Frame> {
        let mut head = [0; 9];
        self.fill(&mut head)?;
        let [high, middle, low, kind, flags, stream @ ..] = head;
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        if length > FRAME {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut payload = vec![0; length];
        self.fill(&mut payload)?;
        Ok(Frame {
            kind,
            flags,
            stream: u32::from_be_bytes(stream) & 0x7fff_ffff,
            payload,
        })
    }

    fn fill(&mut self, mut room: &mut [u8]) -> io::Result<()> {
        while !room.is_empty() {
            let now = Instant::now();
            let left = self.deadline.map(|end| end.saturating_duration_since(now));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(left)?;
            match self.stream.read(room) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(got) => room = room.get_mut(got..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
    if payload.len() > FRAME {
        return Err(ErrorKind::InvalidInput.into());
    }
    let length = u32::try_from(payload.len()).unwrap_or(0);
    out.extend(length.to_be_bytes().iter().skip(1));
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    Ok(())
}

/// A string of a header block; ours are short.
fn text(out: &mut Vec<u8>, text: &str) -> io::Result<()> {
    let length = u8::try_from(text.len())
        .ok()
        .filter(|&length| length < 127)
        .ok_or(ErrorKind::InvalidInput)?;
    out.push(length);
    out.extend(text.as_bytes());
    Ok(())
}

fn unpadded(flags: u8, payload: &[u8]) -> Option<&[u8]> {
    if flags & PADDED == 0 {
        return Some(payload);
    }
    let (&padding, rest) = payload.split_first()?;
    rest.get(..rest.len().checked_sub(padding.into())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_whole_and_plain() {
        assert_eq!(message_of(&[0, 0, 0, 0, 2, 7, 8]), Some(vec![7, 8]));
        assert_eq!(message_of(&[0, 0, 0, 0, 0]), Some(vec![]));
        assert_eq!(message_of(&[1, 0, 0, 0, 1, 7]), None);
        assert_eq!(message_of(&[0, 0, 0, 0, 3, 7, 8]), None);
        assert_eq!(message_of(&[0, 0, 0]), None);
    }

    /// What a service sends after a call, and what comes of it.
    fn streamed(frames: &[u8]) -> Vec<io::Result<Vec<u8>>> {
        let (mut service, client) = UnixStream::pair().unwrap();
        service.write_all(frames).unwrap();
        service.shutdown(std::net::Shutdown::Write).unwrap();
        let mut stream = Stream {
            connection: Connection {
                stream: client,
                deadline: None,
                is_deaf: false,
            },
            data: Vec::new(),
            taken: 0,
            has_answered: false,
        };
        let mut found = Vec::new();
        while found.last().is_none_or(io::Result::is_ok) {
            found.push(stream.next());
        }
        found
    }

    #[test]
    fn messages_come_one_by_one_however_they_are_cut() {
        let data = [0, 0, 0, 0, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9];
        for cut in 1..data.len() {
            let mut out = Vec::new();
            frame(&mut out, SETTINGS, 0, 0, &[]).unwrap();
            frame(&mut out, HEADERS, END_HEADERS, STREAM, &[1]).unwrap();
            for part in data.chunks(cut) {
                frame(&mut out, DATA, 0, STREAM, part).unwrap();
                frame(&mut out, PING, 0, 0, &[0; 8]).unwrap();
            }
            let mut found = streamed(&out);
            let end = found.pop().unwrap().unwrap_err();
            assert_eq!(end.kind(), ErrorKind::UnexpectedEof);
            let found: Vec<Vec<u8>> = found.into_iter().map(io::Result::unwrap).collect();
            assert_eq!(found, [vec![7, 8], vec![], vec![9]], "{cut}");
        }
    }

    #[test]
    fn a_stream_that_is_refused_or_cut() {
        let end = |kind, flags, payload: &[u8]| {
            let mut out = Vec::new();
            frame(&mut out, kind, flags, STREAM, payload).unwrap();
            let mut found = streamed(&out);
            (found.len(), found.pop().unwrap().unwrap_err().kind())
        };
        let refused = end(HEADERS, END_HEADERS | END_STREAM, &[1]);
        assert_eq!(refused, (1, ErrorKind::Unsupported));
        let cut = end(DATA, END_STREAM, &[0, 0, 0, 0, 9, 1]);
        assert_eq!(cut, (1, ErrorKind::UnexpectedEof));
        let reset = end(RST_STREAM, 0, &[0; 4]);
        assert_eq!(reset, (1, ErrorKind::ConnectionReset));
        let long = end(DATA, 0, &[0, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(long, (1, ErrorKind::FileTooLarge));
        let packed = end(DATA, 0, &[1, 0, 0, 0, 1, 7]);
        assert_eq!(packed, (1, ErrorKind::InvalidData));
    }

    #[test]
    fn padding_is_taken_off() {
        assert_eq!(unpadded(PADDED, &[2, 7, 8, 0, 0]), Some(&[7, 8][..]));
        assert_eq!(unpadded(0, &[2, 7]), Some(&[2, 7][..]));
        assert_eq!(unpadded(PADDED, &[3, 7]), None);
        assert_eq!(unpadded(PADDED, &[]), None);
    }
}
