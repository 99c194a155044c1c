//! HTTP/1: where messages begin and end in a stream, and their start lines (RFC 9112).

use std::collections::VecDeque;

use crate::text::Lines;

/// The longest head of a message that is put together.
const HEAD_MAX: usize = 64 * 1024;
/// The longest line about a chunk.
const CHUNK_LINE_MAX: usize = 4096;
/// Requests without a response yet whose methods are remembered.
const REQUESTS_MAX: usize = 1024;
/// Bytes that have to show a start line.
const START_MAX: usize = 16 * 1024;

/// What responses need to know of requests.
#[derive(Debug, Default)]
pub struct Requests {
    waiting: VecDeque<Method>,
    /// Another protocol has taken over.
    switched: bool,
}

/// What matters of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Head,
    Connect,
    Other,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    /// So many bytes of a body are to come.
    Body(u64),
    /// Until the connection ends.
    ToEnd,
    ChunkLine,
    /// So many bytes of a chunk and the line's end behind it.
    Chunk(u64),
    Trailer,
    /// Where a message begins is not known: after a loss, or among other data.
    Search,
}

/// One direction.
#[derive(Debug, Default)]
pub struct Http1 {
    state: State,
    /// A head or a line that is not complete.
    buffer: Vec<u8>,
}

/// Whether HTTP/1 may begin so; `None` if that cannot be told yet.
pub fn may_begin(bytes: &[u8]) -> Option<bool> {
    if bytes.starts_with(b"HTTP/1.") {
        return Some(true);
    }
    let end = bytes.iter().position(|&byte| !is_token(byte));
    match end.and_then(|end| bytes.get(end)) {
        Some(b' ') => Some(end != Some(0)),
        Some(b'/') if b"HTTP/1.".starts_with(bytes) => None,
        // Methods have capital letters; other words without an end are other protocols'.
        None if bytes.len() <= 32 && bytes.iter().all(|&byte| is_of_method(byte)) => None,
        _ => Some(false),
    }
}

fn is_of_method(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'-'
}

/// Of the characters of a method.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl Http1 {
    /// A direction of which the beginning was missed.
    pub fn searching() -> Self {
        Self {
            state: State::Search,
            buffer: Vec::new(),
        }
    }

    /// Takes data, from the start of a record on.
    pub fn data(&mut self, data: &[u8], requests: &mut Requests, lines: &mut Lines) {
        let mut data = data;
        if self.state == State::Search
            && !requests.switched
            && start_line(data.split(|&byte| byte == b'\n').next().unwrap_or_default()).is_some()
        {
            self.state = State::Head;
        }
        while !data.is_empty() {
            if requests.switched {
                return lines.data(data, true);
            }
            self.step(&mut data, requests, lines);
        }
    }

    fn step(&mut self, data: &mut &[u8], requests: &mut Requests, lines: &mut Lines) {
        match self.state {
            State::Head => self.head(data, requests, lines),
            State::Body(left) => {
                let left = pass(data, left, lines);
                self.state = if left == 0 {
                    State::Head
                } else {
                    State::Body(left)
                };
            }
            State::Chunk(left) => {
                let left = pass(data, left, lines);
                self.state = if left == 0 {
                    State::ChunkLine
                } else {
                    State::Chunk(left)
                };
            }
            State::ToEnd | State::Search => {
                lines.data(data, self.state == State::Search);
                *data = &[];
            }
            State::ChunkLine => self.chunk_line(data),
            State::Trailer => {
                if let Some(line) = self.take_line(data, HEAD_MAX) {
                    if trimmed(&line).is_empty() {
                        self.state = State::Head;
                    }
                } else if !data.is_empty() {
                    self.state = State::Search;
                }
            }
        }
    }

    fn head(&mut self, data: &mut &[u8], requests: &mut Requests, lines: &mut Lines) {
        // Empty lines before a message are to be passed over (section 2.2).
        while self.buffer.is_empty() && matches!(data.first(), Some(b'\r' | b'\n')) {
            *data = data.get(1..).unwrap_or_default();
        }
        while let Some((&byte, rest)) = data.split_first() {
            self.buffer.push(byte);
            *data = rest;
            if byte == b'\n' && (self.buffer.ends_with(b"\n\r\n") || self.buffer.ends_with(b"\n\n"))
            {
                let head = std::mem::take(&mut self.buffer);
                return self.message(&head, requests, lines);
            }
            let len = self.buffer.len();
            let first_ends =
                byte == b'\n' && self.buffer.iter().position(|&b| b == b'\n') == Some(len - 1);
            let wrong = first_ends && start_line(&self.buffer).is_none();
            let long = len == START_MAX && !self.buffer.contains(&b'\n');
            if wrong || long || len >= HEAD_MAX {
                let bytes = std::mem::take(&mut self.buffer);
                self.state = State::Search;
                return lines.data(&bytes, true);
            }
        }
    }

    /// Shows a message's head, and prepares for what follows it.
    fn message(&mut self, head: &[u8], requests: &mut Requests, lines: &mut Lines) {
        let mut each = head.split(|&byte| byte == b'\n').map(trimmed);
        let first = each.next().unwrap_or_default();
        let Some(start) = start_line(first) else {
            self.state = State::Search;
            return lines.data(head, true);
        };
        lines.begin();
        lines.out.extend_from_slice(b"HTTP: ");
        lines.text(first);
        let (mut length, mut chunked) = (None, false);
        for line in each.filter(|line| !line.is_empty()) {
            let colon = line.iter().position(|&byte| byte == b':');
            let (name, value) = line.split_at(colon.unwrap_or(line.len()));
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            if lines.verbose {
                lines.field(name, value);
            }
            if name.eq_ignore_ascii_case(b"content-length") {
                length = std::str::from_utf8(value).ok().and_then(|n| n.parse().ok());
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                let last = value.rsplit(|&byte| byte == b',').next();
                chunked =
                    last.is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
            }
        }
        self.state = match body(start, requests) {
            Some(_) if chunked => State::ChunkLine,
            Some(without) => match length {
                Some(length) => State::Body(length),
                None => without,
            },
            None => State::Head,
        };
        if self.state == State::Body(0) {
            self.state = State::Head;
        }
    }

    fn chunk_line(&mut self, data: &mut &[u8]) {
        let Some(line) = self.take_line(data, CHUNK_LINE_MAX) else {
            if !data.is_empty() {
                self.state = State::Search;
            }
            return;
        };
        let size = trimmed(&line).split(|&byte| byte == b';').next();
        let size = size.and_then(|size| std::str::from_utf8(size.trim_ascii()).ok());
        self.state = match size.map(|size| (size, u64::from_str_radix(size, 16))) {
            // The end of the line behind a chunk.
            Some(("", _)) => State::ChunkLine,
            Some((_, Ok(0))) => State::Trailer,
            Some((_, Ok(size))) => State::Chunk(size),
            _ => State::Search,
        };
    }

    /// A whole line; `None` while it is not complete, and with data left when it is too long.
    fn take_line(&mut self, data: &mut &[u8], longest: usize) -> Option<Vec<u8>> {
        let end = data.iter().position(|&byte| byte == b'\n');
        let (line, rest) = data.split_at_checked(end.map_or(data.len(), |end| end + 1))?;
        if self.buffer.len() + line.len() > longest {
            self.buffer.clear();
            return None;
        }
        self.buffer.extend_from_slice(line);
        *data = rest;
        end.map(|_| std::mem::take(&mut self.buffer))
    }

    /// So many bytes are missing here, if that is known. A head of which the first line is there
    /// is shown.
    pub fn lost(&mut self, count: Option<u64>, requests: &mut Requests, lines: &mut Lines) {
        let head = std::mem::take(&mut self.buffer);
        if self.state == State::Head {
            if let Some(end) = head.iter().rposition(|&byte| byte == b'\n') {
                self.message(head.get(..=end).unwrap_or_default(), requests, lines);
            }
            self.state = State::Search;
            return;
        }
        self.state = match (self.state, count) {
            (State::Body(left), Some(count)) if count < left => State::Body(left - count),
            (State::Body(left), Some(count)) if count == left => State::Head,
            (State::Chunk(left), Some(count)) if count < left => State::Chunk(left - count),
            (State::ToEnd, _) => State::ToEnd,
            _ => State::Search,
        };
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.buffer.capacity()
    }
}

/// Passes over bytes of a body; how many are left.
fn pass(data: &mut &[u8], left: u64, lines: &mut Lines) -> u64 {
    let there = usize::try_from(left).map_or(data.len(), |left| left.min(data.len()));
    let (passed, rest) = data.split_at_checked(there).unwrap_or_default();
    lines.data(passed, false);
    *data = rest;
    left - u64::try_from(there).unwrap_or(left)
}

fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What a start line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Request(Method),
    Response(u16),
}

fn start_line(line: &[u8]) -> Option<Start> {
    let line = trimmed(line);
    if let Some(rest) = line.strip_prefix(b"HTTP/1.") {
        let status = rest.get(2..5).filter(|_| rest.get(1) == Some(&b' '))?;
        let status = std::str::from_utf8(status).ok()?.parse().ok()?;
        return Some(Start::Response(status));
    }
    let (method, _) = line.split_at_checked(line.iter().position(|&byte| byte == b' ')?)?;
    let version = line.get(line.len().checked_sub(9)?..)?;
    if !method.iter().copied().all(is_token)
        || method.is_empty()
        || !version.starts_with(b" HTTP/1.")
    {
        return None;
    }
    Some(Start::Request(match method {
        b"HEAD" => Method::Head,
        b"CONNECT" => Method::Connect,
        _ => Method::Other,
    }))
}

/// How long the body behind a head is where no length is given; `None` if there is none at all
/// (RFC 9112 section 6.3).
fn body(start: Start, requests: &mut Requests) -> Option<State> {
    match start {
        Start::Request(method) => {
            if requests.waiting.len() < REQUESTS_MAX {
                requests.waiting.push_back(method);
            }
            Some(State::Head)
        }
        Start::Response(101) => {
            requests.switched = true;
            None
        }
        Start::Response(100..=199) => None,
        Start::Response(status) => {
            let method = requests.waiting.pop_front();
            let accepted = (200..=299).contains(&status);
            requests.switched |= method == Some(Method::Connect) && accepted;
            let none = method == Some(Method::Head) || matches!(status, 204 | 304);
            (!none).then_some(State::ToEnd)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two directions in turn, each piece as one record and byte by byte.
    fn check(talk: &[(bool, &str)], expected: &str) {
        for by_byte in [false, true] {
            let mut requests = Requests::default();
            let (mut client, mut server) = (Http1::default(), Http1::default());
            let mut lines = Lines::default();
            for (from_client, text) in talk {
                let side = if *from_client {
                    &mut client
                } else {
                    &mut server
                };
                let length = if by_byte { 1 } else { text.len() };
                for piece in text.as_bytes().chunks(length) {
                    side.data(piece, &mut requests, &mut lines);
                }
            }
            lines.finish();
            assert_eq!(String::from_utf8(lines.out).unwrap(), expected, "{by_byte}");
        }
    }

    #[test]
    fn bodies_are_passed_over() {
        check(
            &[
                (true, "POST /a HTTP/1.1\r\nContent-Length: 7\r\n\r\nGET / H"),
                (
                    true,
                    "HEAD /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n",
                ),
                (
                    false,
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nHTTP/\r\n0\r\nT: x\r\n\r\n",
                ),
                (
                    false,
                    "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
                ),
                (true, "GET /d HTTP/1.0\n\n"),
                (false, "HTTP/1.0 404 Not Found\n\nHTTP/1.1 200 in a body"),
            ],
            "\n\tHTTP: POST /a HTTP/1.1\n\tTLS: 7 bytes of data\n\tHTTP: HEAD /b HTTP/1.1\n\tHTTP: GET /c HTTP/1.1\
             \n\tHTTP: HTTP/1.1 100 Continue\n\tHTTP: HTTP/1.1 200 OK\n\tTLS: 5 bytes of data\
             \n\tHTTP: HTTP/1.1 200 OK\n\tHTTP: HTTP/1.1 304 Not Modified\n\tHTTP: GET /d HTTP/1.0\
             \n\tHTTP: HTTP/1.0 404 Not Found\n\tTLS: 22 bytes of data",
        );
    }

    #[test]
    fn another_protocol_may_follow() {
        check(
            &[
                (true, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"),
                (
                    false,
                    "HTTP/1.1 101 Switching Protocols\r\n\r\n\u{1}GET /x HTTP/1.1\r\n\r\n",
                ),
            ],
            "\n\tHTTP: GET /ws HTTP/1.1\n\tHTTP: HTTP/1.1 101 Switching Protocols\n\tTLS: 20 bytes of data",
        );
    }

    #[test]
    fn after_a_loss_the_next_message_is_found() {
        let (mut requests, mut http) = (Requests::default(), Http1::default());
        let mut lines = Lines::default();
        for (text, lost) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12", Some(8)),
            ("HTTP/1.1 201 Created\r\nContent-Le", None),
            ("9\r\n\r\n", Some(4)),
            ("HTTP/1.1 202 Accepted\r\n\r\n", None),
        ] {
            http.data(text.as_bytes(), &mut requests, &mut lines);
            http.lost(lost, &mut requests, &mut lines);
        }
        lines.finish();
        let expected = "\n\tHTTP: HTTP/1.1 200 OK\n\tTLS: 2 bytes of data\
                        \n\tHTTP: HTTP/1.1 201 Created\n\tTLS: 5 bytes of data: 9\
                        \n\tHTTP: HTTP/1.1 202 Accepted";
        assert_eq!(String::from_utf8(lines.out).unwrap(), expected);
    }

    #[test]
    fn what_is_no_http() {
        for (text, expected) in [
            ("GET", None),
            ("GET /", Some(true)),
            ("HTT", None),
            ("HTTP/", None),
            ("HTTP/1.1", Some(true)),
            ("HTTP/2", Some(false)),
            ("\0GET", Some(false)),
            (" GET", Some(false)),
        ] {
            assert_eq!(may_begin(text.as_bytes()), expected, "{text}");
        }
        check(
            &[(true, "EHLO mail\r\nQUIT\r\n")],
            "\n\tTLS: 17 bytes of data: EHLO mail",
        );
    }
}
