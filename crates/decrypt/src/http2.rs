//! HTTP/2: frames in a stream, and the header fields in them (RFC 9113).

use pktwho_wire::Cursor;

use crate::hpack::Hpack;
use crate::pieces::fill;
use crate::text::Lines;

/// What a client says first (section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a frame's header.
const HEADER: usize = 9;
/// The longest header block that is put together.
const BLOCK_MAX: usize = 256 * 1024;
/// Bytes that are kept of frames without header fields.
const KEPT_MAX: usize = 512;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 32;

/// What frames are called, by their numbers.
static NAMES: [&str; 10] = [
    "DATA",
    "HEADERS",
    "PRIORITY",
    "RST_STREAM",
    "SETTINGS",
    "PUSH_PROMISE",
    "PING",
    "GOAWAY",
    "WINDOW_UPDATE",
    "CONTINUATION",
];

/// Errors by their numbers (section 7).
static ERRORS: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

/// Whether HTTP/2 begins so: with what a client says, or with a server's settings. `None` if
/// that cannot be told yet.
pub fn may_begin(bytes: &[u8]) -> Option<bool> {
    let there = bytes.len().min(PREFACE.len());
    if bytes.get(..there) == PREFACE.get(..there) {
        return (bytes.len() >= 14).then_some(true);
    }
    match Frame::read(bytes) {
        Some(frame) => Some(
            frame.kind == SETTINGS
                && frame.stream == 0
                && frame.flags & !1 == 0
                && frame.length % 6 == 0
                && frame.length < 1024,
        ),
        None if bytes.first() == Some(&0) => None,
        None => Some(false),
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug)]
struct Frame {
    length: usize,
    kind: u8,
    flags: u8,
    stream: u32,
}

impl Frame {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(bytes);
        Some(Self {
            length: usize::try_from(c.u24().ok()?).ok()?,
            kind: c.u8().ok()?,
            flags: c.u8().ok()?,
            stream: c.u32().ok()? & 0x7fff_ffff,
        })
    }

    /// Whether a frame can be like that; told after a loss, when any bytes may stand there.
    fn is_plausible(self) -> bool {
        let of_connection = matches!(self.kind, SETTINGS | 6 | GOAWAY);
        self.length <= 1 << 14
            && self.kind <= CONTINUATION
            && self.flags & !0x2d == 0
            && (self.kind == 8 || of_connection == (self.stream == 0))
    }
}

/// Header fields on their way.
#[derive(Debug)]
struct Block {
    stream: u32,
    /// The stream that is promised.
    promised: Option<u32>,
    ends_stream: bool,
    fragment: Vec<u8>,
}

/// One direction.
#[derive(Debug, Default)]
pub struct Http2 {
    /// Bytes of the preface that were seen; `None` behind it.
    preface: Option<usize>,
    /// The frame's header, and what is kept of it.
    buffer: Vec<u8>,
    /// Bytes of the frame that are passed over, and whether they are data.
    skip: usize,
    skips_data: bool,
    block: Option<Block>,
    hpack: Hpack,
    /// Where a frame begins is not known.
    searching: bool,
}

impl Http2 {
    /// A direction that begins with these bytes.
    pub fn new(begin: &[u8]) -> Self {
        Self {
            preface: begin.starts_with(b"PRI ").then_some(0),
            ..Self::default()
        }
    }

    /// Takes data, from the start of a record on.
    pub fn data(&mut self, data: &[u8], lines: &mut Lines) {
        let mut data = data;
        if self.searching && Frame::read(data).is_some_and(Frame::is_plausible) {
            self.searching = false;
        }
        if self.searching {
            return lines.data(data, false);
        }
        if let Some(seen) = self.preface {
            let there = data.len().min(PREFACE.len() - seen);
            data = data.get(there..).unwrap_or_default();
            let seen = seen + there;
            self.preface = (seen < PREFACE.len()).then_some(seen);
        }
        while !data.is_empty() {
            self.step(&mut data, lines);
        }
    }

    fn step(&mut self, data: &mut &[u8], lines: &mut Lines) {
        if self.skip > 0 {
            let (passed, rest) = data
                .split_at_checked(self.skip.min(data.len()))
                .unwrap_or_default();
            if self.skips_data {
                lines.data(passed, false);
            }
            self.skip -= passed.len();
            *data = rest;
            return;
        }
        if fill(&mut self.buffer, data, HEADER).is_none() {
            return;
        }
        let Some(frame) = Frame::read(&self.buffer) else {
            return;
        };
        let has_fields = matches!(frame.kind, HEADERS | PUSH_PROMISE | CONTINUATION);
        let kept = frame
            .length
            .min(if has_fields { BLOCK_MAX } else { KEPT_MAX });
        if frame.kind == DATA {
            self.skips_data = true;
            if lines.verbose {
                self.line(frame, lines);
            }
        } else {
            if fill(&mut self.buffer, data, HEADER + kept).is_none() {
                return;
            }
            self.skips_data = false;
            self.frame(frame, lines);
        }
        let kept = self.buffer.len() - HEADER;
        self.buffer.clear();
        self.skip = frame.length - kept;
    }

    fn frame(&mut self, frame: Frame, lines: &mut Lines) {
        let buffer = std::mem::take(&mut self.buffer);
        let payload = buffer.get(HEADER..).unwrap_or_default();
        match frame.kind {
            HEADERS | PUSH_PROMISE => self.headers(frame, payload, lines),
            CONTINUATION => self.continuation(frame, payload, lines),
            RST_STREAM | GOAWAY => {
                self.line(frame, lines);
                let at = if frame.kind == GOAWAY { 4 } else { 0 };
                let code = payload.get(at..).map(Cursor::new);
                if let Some(code) = code.and_then(|mut c| c.u32().ok()) {
                    error(code, lines);
                }
            }
            _ if lines.verbose => self.line(frame, lines),
            _ => {}
        }
        self.buffer = buffer;
    }

    #[expect(
        clippy::unused_self,
        reason = "a step of the direction like the others"
    )]
    fn line(&self, frame: Frame, lines: &mut Lines) {
        let (stream, length) = (frame.stream, frame.length);
        match NAMES.get(usize::from(frame.kind)) {
            Some(name) => lines.line(format_args!(
                "HTTP/2: stream {stream} {name}, length {length}"
            )),
            None => lines.line(format_args!(
                "HTTP/2: stream {stream} frame type {}, length {length}",
                frame.kind
            )),
        }
        if frame.kind == DATA && frame.flags & END_STREAM != 0 {
            lines.out.extend_from_slice(b", end of stream");
        }
    }

    fn headers(&mut self, frame: Frame, payload: &[u8], lines: &mut Lines) {
        let mut c = Cursor::new(payload);
        let read = |c: &mut Cursor<'_>| {
            let padding = if frame.flags & PADDED != 0 {
                c.u8()?
            } else {
                0
            };
            let promised = match frame.kind {
                PUSH_PROMISE => Some(c.u32()? & 0x7fff_ffff),
                _ => None,
            };
            if frame.kind == HEADERS && frame.flags & PRIORITY != 0 {
                c.skip(5)?;
            }
            let left = c.remaining().checked_sub(padding.into());
            let fragment = c.take(left.ok_or(pktwho_wire::Truncated)?)?;
            Ok::<_, pktwho_wire::Truncated>((promised, fragment.to_vec()))
        };
        let Ok((promised, fragment)) = read(&mut c) else {
            return self.forget();
        };
        self.block = Some(Block {
            stream: frame.stream,
            promised,
            ends_stream: frame.kind == HEADERS && frame.flags & END_STREAM != 0,
            fragment,
        });
        self.end_block(frame, lines);
    }

    fn continuation(&mut self, frame: Frame, payload: &[u8], lines: &mut Lines) {
        match &mut self.block {
            Some(block)
                if block.stream == frame.stream
                    && block.fragment.len() + payload.len() <= BLOCK_MAX =>
            {
                block.fragment.extend_from_slice(payload);
                self.end_block(frame, lines);
            }
            _ => self.forget(),
        }
    }

    fn forget(&mut self) {
        self.block = None;
        self.hpack.forget();
    }

    /// Shows the fields if the block is complete.
    fn end_block(&mut self, frame: Frame, lines: &mut Lines) {
        if frame.flags & END_HEADERS == 0 {
            return;
        }
        let Some(block) = self.block.take() else {
            return;
        };
        let stream = block.stream;
        match block.promised {
            Some(promised) => lines.line(format_args!(
                "HTTP/2: stream {stream} PUSH_PROMISE of stream {promised}"
            )),
            None => lines.line(format_args!("HTTP/2: stream {stream} HEADERS")),
        }
        if block.ends_stream {
            lines.out.extend_from_slice(b", end of stream");
        }
        let shown = &mut |name: &[u8], value: &[u8]| lines.field(name, value);
        if !self.hpack.block(&block.fragment, shown) {
            lines
                .out
                .extend_from_slice(b"\n\t  (the rest cannot be read)");
            self.hpack.forget();
        }
    }

    /// So many bytes are missing here, if that is known.
    pub fn lost(&mut self, count: Option<u64>) {
        let count = count.and_then(|count| usize::try_from(count).ok());
        match count {
            Some(count) if self.skip > 0 && count <= self.skip => self.skip -= count,
            _ => {
                self.searching = true;
                self.preface = None;
                self.buffer.clear();
                self.skip = 0;
                self.forget();
            }
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let block = self.block.as_ref();
        self.buffer.capacity()
            + self.hpack.bytes()
            + block.map_or(0, |block| block.fragment.capacity())
    }
}

/// An error's name behind a frame's line.
fn error(code: u32, lines: &mut Lines) {
    use std::io::Write as _;
    let name = usize::try_from(code).ok().and_then(|code| ERRORS.get(code));
    let _ = match name {
        Some(name) => write!(lines.out, ", {name}"),
        None => write!(lines.out, ", error {code}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0, 0, u8::try_from(payload.len()).unwrap(), kind, flags];
        frame.extend([0, 0, 0, stream]);
        frame.extend(payload);
        frame
    }

    fn shown(http: &mut Http2, pieces: &[&[u8]]) -> String {
        let mut lines = Lines::default();
        for piece in pieces {
            http.data(piece, &mut lines);
        }
        lines.finish();
        String::from_utf8(lines.out).unwrap()
    }

    #[test]
    fn frames_in_pieces_are_frames() {
        let mut bytes = PREFACE.to_vec();
        bytes.extend(frame(SETTINGS, 0, 0, &[0; 12]));
        // Padded, with a priority, and continued.
        bytes.extend(frame(
            HEADERS,
            0x29,
            1,
            &[2, 0, 0, 0, 0, 9, 0x82, 0x87, 0, 0],
        ));
        bytes.extend(frame(CONTINUATION, END_HEADERS, 1, &[0x84]));
        bytes.extend(frame(DATA, 0, 1, &[b'x'; 20]));
        bytes.extend(frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]));
        assert_eq!(may_begin(&bytes), Some(true));
        let expected = "\n\tHTTP/2: stream 1 HEADERS, end of stream\n\t  :method: GET\
                        \n\t  :scheme: https\n\t  :path: /\n\tTLS: 20 bytes of data\
                        \n\tHTTP/2: stream 1 RST_STREAM, length 4, CANCEL";
        for size in 1..bytes.len() {
            let pieces: Vec<_> = bytes.chunks(size).collect();
            let mut http = Http2::new(&bytes);
            assert_eq!(shown(&mut http, &pieces), expected, "{size}");
        }
    }

    #[test]
    fn after_a_loss_the_next_frame_is_found() {
        let settings = frame(SETTINGS, 0, 0, &[]);
        let field = [0x40, 1, b'a', 1, b'b'];
        let headers = frame(HEADERS, END_HEADERS, 1, &field);
        let mut http = Http2::new(&settings);
        shown(&mut http, &[&settings, &headers]);
        // Within data the number of bytes is enough.
        let data = frame(DATA, 0, 1, &[0; 50]);
        shown(&mut http, &[&data[..20]]);
        http.lost(Some(39));
        let again = frame(HEADERS, END_HEADERS, 3, &[0xbe]);
        let got = shown(&mut http, &[&again]);
        assert_eq!(got, "\n\tHTTP/2: stream 3 HEADERS\n\t  a: b");
        http.lost(None);
        let got = shown(
            &mut http,
            &[b"the rest of something", &again, &headers, &again],
        );
        assert_eq!(
            got,
            "\n\tTLS: 21 bytes of data\n\tHTTP/2: stream 3 HEADERS\n\t  ?: ?\
             \n\tHTTP/2: stream 1 HEADERS\n\t  a: b\n\tHTTP/2: stream 3 HEADERS\n\t  a: b"
        );
    }
}
