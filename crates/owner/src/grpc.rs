//! One gRPC call over a Unix socket: a question, its answer, and the connection is closed.
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
    let mut connection = Connection {
        stream: UnixStream::connect(socket)?,
        deadline: Instant::now() + ANSWER,
    };
    connection.stream.set_write_timeout(Some(ANSWER))?;
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

/// What a stream answers to a call that has been made; as [`call`].
///
/// # Errors
/// As [`call`].
#[cfg(feature = "testing")]
pub fn answer_on(stream: UnixStream) -> io::Result<Vec<u8>> {
    let mut connection = Connection {
        stream,
        deadline: Instant::now() + ANSWER,
    };
    let answer = connection.answer()?;
    message_of(&answer).ok_or_else(|| ErrorKind::InvalidData.into())
}

struct Connection {
    stream: UnixStream,
    deadline: Instant,
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Connection {
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
            let Frame {
                kind,
                flags,
                stream,
                payload,
            } = self.frame()?;
            match (kind, stream) {
                (SETTINGS, _) if flags & ACK == 0 => self.reply(SETTINGS, &[])?,
                (PING, _) if flags & ACK == 0 => self.reply(PING, &payload)?,
                (GOAWAY, _) | (RST_STREAM, STREAM) => {
                    return Err(ErrorKind::ConnectionReset.into());
                }
                (DATA, STREAM) => {
                    let data = unpadded(flags, &payload).ok_or(ErrorKind::InvalidData)?;
                    answer.extend_from_slice(data);
                    if answer.len() as u64 > LONGEST {
                        return Err(ErrorKind::FileTooLarge.into());
                    }
                }
                _ => {}
            }
            if matches!(kind, DATA | HEADERS) && stream == STREAM && flags & END_STREAM != 0 {
                return Ok(answer);
            }
        }
    }

    fn reply(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        let mut out = Vec::new();
        frame(&mut out, kind, ACK, 0, payload)?;
        self.stream.write_all(&out)
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
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
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

    #[test]
    fn padding_is_taken_off() {
        assert_eq!(unpadded(PADDED, &[2, 7, 8, 0, 0]), Some(&[7, 8][..]));
        assert_eq!(unpadded(0, &[2, 7]), Some(&[2, 7][..]));
        assert_eq!(unpadded(PADDED, &[3, 7]), None);
        assert_eq!(unpadded(PADDED, &[]), None);
    }
}
