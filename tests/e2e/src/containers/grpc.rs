//! As much of gRPC as a test needs to make pods: one call, one answer, one connection each. Our
//! own (`owner/src/grpc.rs`) is not public, and what it gets wrong must not be wrong here too.
//! Sources: RFC 9113 (HTTP/2), RFC 7541 (its header lists, only as literals here), gRPC's
//! "over HTTP2" page, the Protocol Buffers encoding.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

const PATIENCE: Duration = Duration::from_secs(30);
/// More than any answer here has.
const LARGEST: usize = 1 << 20;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A Protocol Buffers message being written.
#[derive(Clone, Default)]
pub struct Message(pub Vec<u8>);

impl Message {
    pub fn text(self, field: u8, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub fn texts(self, field: u8, values: &[&str]) -> Self {
        let add = |message: Self, value: &&str| message.text(field, value);
        values.iter().fold(self, add)
    }

    pub fn nested(self, field: u8, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// With the fields of another behind its own.
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend_from_slice(&other.0);
        self
    }

    pub fn number(mut self, field: u8, value: u64) -> Self {
        self.varint(u64::from(field) << 3);
        self.varint(value);
        self
    }

    pub fn map(self, field: u8, entries: &[(&str, &str)]) -> Self {
        entries.iter().fold(self, |message, (key, value)| {
            message.nested(field, &Self::default().text(1, key).text(2, value))
        })
    }

    fn bytes(mut self, field: u8, value: &[u8]) -> Self {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }
}

/// The first field of that number in a message, when it holds bytes.
pub fn field(mut message: &[u8], wanted: u64) -> Option<&[u8]> {
    while !message.is_empty() {
        let (key, rest) = varint(message)?;
        let (value, rest) = match key & 7 {
            0 => (&[][..], varint(rest)?.1),
            1 => (&[][..], rest.get(8..)?),
            2 => {
                let (length, rest) = varint(rest)?;
                rest.split_at_checked(usize::try_from(length).ok()?)?
            }
            5 => (&[][..], rest.get(4..)?),
            _ => return None,
        };
        if key == wanted << 3 | 2 {
            return Some(value);
        }
        message = rest;
    }
    None
}

/// A field that holds text.
pub fn text(message: &[u8], wanted: u64) -> Option<String> {
    String::from_utf8(field(message, wanted)?.to_vec()).ok()
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

/// Calls a method, for instance `/runtime.v1.RuntimeService/Version`, and waits for its answer.
///
/// # Errors
/// The server refuses: why stands in its log, since its words come compressed.
pub fn call(socket: &str, method: &str, request: &Message) -> Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket).with_context(|| socket.to_owned())?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?;
    write_frame(&mut stream, SETTINGS, 0, 0, &[])?;
    let mut headers = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", method),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ] {
        headers.push(0);
        for part in [name, value] {
            // Seven bits of length are enough for these.
            headers.push(
                u8::try_from(part.len())
                    .ok()
                    .filter(|n| *n < 127)
                    .context("long")?,
            );
            headers.extend_from_slice(part.as_bytes());
        }
    }
    write_frame(&mut stream, HEADERS, END_HEADERS, 1, &headers)?;
    let length = u32::try_from(request.0.len())?.to_be_bytes();
    let body = [&[0], &length[..], &request.0].concat();
    ensure!(body.len() <= 16_384, "the request is longer than a frame");
    write_frame(&mut stream, DATA, END_STREAM, 1, &body)?;
    let answer = read_answer(&mut stream).with_context(|| method.to_owned())?;
    // A byte that says "not compressed", then the length.
    Ok(answer.get(5..).context("refused")?.to_vec())
}

/// Reads frames until the stream ends; what its DATA frames held.
fn read_answer(stream: &mut UnixStream) -> Result<Vec<u8>> {
    let mut answer = Vec::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let [a, b, c, kind, flags, ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload)?;
        match kind {
            DATA => answer.extend_from_slice(&payload),
            SETTINGS if flags & ACK == 0 => write_frame(stream, SETTINGS, ACK, 0, &[])?,
            PING if flags & ACK == 0 => write_frame(stream, PING, ACK, 0, &payload)?,
            RESET | GOAWAY => bail!("the server hangs up"),
            _ => {}
        }
        ensure!(answer.len() <= LARGEST, "the answer is too long");
        if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
            return Ok(answer);
        }
    }
}

fn write_frame(
    stream: &mut UnixStream,
    kind: u8,
    flags: u8,
    number: u32,
    payload: &[u8],
) -> Result<()> {
    let [_, length @ ..] = u32::try_from(payload.len())?.to_be_bytes();
    let head = [&length[..], &[kind, flags], &number.to_be_bytes()];
    stream.write_all(&[&head.concat(), payload].concat())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages() {
        let inner = Message::default().text(1, "web").text(3, "prod");
        let message = Message::default()
            .number(4, 300)
            .nested(1, &inner)
            .map(6, &[("app", "web")]);
        let read = field(&message.0, 1).unwrap();
        assert_eq!(text(read, 3).as_deref(), Some("prod"));
        let entry = field(&message.0, 6).unwrap();
        assert_eq!(text(entry, 2).as_deref(), Some("web"));
        assert_eq!(field(&message.0, 4), None);
        assert_eq!(field(&message.0[..message.0.len() - 1], 6), None);
    }
}
