//! Asking a runtime over HTTP on a Unix socket: one question, one answer, one connection.
//!
//! HTTP/1.0, so that an answer ends with its connection and comes in one piece. Promises: no
//! question takes longer than [`ANSWER`], no answer is longer than [`LONGEST`]. Source: RFC 1945.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a whole answer may take.
pub const ANSWER: Duration = Duration::from_secs(5);
/// Longest answer, in bytes.
pub const LONGEST: u64 = 16 << 20;
/// Longest line of an answer that goes on, and its longest head.
const LINE: u64 = 1 << 20;

/// The body of what a path gives.
///
/// # Errors
/// Nobody listens, the answer is late, too long, cut, or none that we can read.
pub fn get(socket: &Path, path: &str) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + ANSWER;
    let mut stream = ask(socket, path)?;
    let answer = read(&mut stream, deadline)?;
    body(answer).ok_or_else(|| io::Error::from(ErrorKind::InvalidData))
}

/// Connects and asks, in one piece: a service may close when it has read anything.
fn ask(socket: &Path, path: &str) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_write_timeout(Some(ANSWER))?;
    let question = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(question.as_bytes())?;
    Ok(stream)
}

/// An answer that goes on: its lines, as they come.
#[derive(Debug)]
pub struct Lines {
    answer: BufReader<UnixStream>,
}

impl Lines {
    /// Asks for a path and waits for the head of the answer, however long.
    ///
    /// # Errors
    /// Nobody listens, or the answer is no yes: `Unsupported`.
    pub fn open(socket: &Path, path: &str) -> io::Result<Self> {
        let mut lines = Self {
            answer: BufReader::new(ask(socket, path)?),
        };
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(lines.next()?);
            if head.len() as u64 > LINE {
                return Err(ErrorKind::InvalidData.into());
            }
        }
        body(head).map_or(Err(ErrorKind::Unsupported.into()), |_| Ok(lines))
    }

    /// The next line, with its end.
    ///
    /// # Errors
    /// There is no more, or it is too long.
    pub fn next(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        let mut rest = self.answer.by_ref().take(LINE);
        rest.read_until(b'\n', &mut line)?;
        if line.ends_with(b"\n") {
            Ok(line)
        } else {
            Err(ErrorKind::UnexpectedEof.into())
        }
    }
}

fn read(stream: &mut UnixStream, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    let mut room = vec![0; 64 << 10];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut room) {
            Ok(0) => return Ok(answer),
            Ok(got) => answer.extend_from_slice(room.get(..got).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if answer.len() as u64 > LONGEST {
            return Err(ErrorKind::FileTooLarge.into());
        }
    }
}

/// What follows the head of an answer that says yes; `None` for any other, or one that is cut.
pub fn body(mut answer: Vec<u8>) -> Option<Vec<u8>> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let body = answer.split_off(end + 4);
    let head = String::from_utf8(answer).ok()?;
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.")?;
    if status.split(' ').nth(1)? != "200" {
        return None;
    }
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let is = |wanted: &str| name.trim().eq_ignore_ascii_case(wanted);
        if is("content-length") && value.trim().parse() != Ok(body.len()) || is("transfer-encoding")
        {
            return None;
        }
    }
    Some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_answers_that_say_yes_count() {
        let check = |answer: &str, expected: Option<&str>| {
            let found = body(answer.into()).map(|body| String::from_utf8(body).unwrap());
            assert_eq!(found.as_deref(), expected, "{answer}");
        };
        check("HTTP/1.0 200 OK\r\n\r\n[]", Some("[]"));
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", Some("[]"));
        check("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[]", None);
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0",
            None,
        );
        check("HTTP/1.0 404 Not Found\r\n\r\n{}", None);
        check("HTTP/1.0 200 OK\r\n", None);
        check("SSH-2.0-x\r\n\r\n", None);
        check("", None);
    }
}
