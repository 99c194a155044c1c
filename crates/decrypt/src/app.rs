//! What a connection carries: HTTP/1, HTTP/2, or something else.

use crate::http1::{self, Http1, Requests};
use crate::http2::{self, Http2};
use crate::session::Plain;
use crate::text::Lines;
use crate::way::{Both, Way};

/// Bytes in which a protocol has to show itself.
const BEGIN_MAX: usize = 64;

/// What one direction speaks.
#[derive(Debug)]
enum Speech {
    /// Not known yet; what was said so far.
    Begins(Vec<u8>),
    Http1(Http1),
    Http2(Box<Http2>),
    Other,
}

impl Default for Speech {
    fn default() -> Self {
        Self::Begins(Vec::new())
    }
}

/// Both directions. Its memory is bounded.
#[derive(Debug, Default)]
pub struct App {
    speech: Both<Speech>,
    requests: Requests,
}

impl App {
    /// Takes what a direction carries, and tells of it in `lines`.
    pub fn carried(&mut self, way: Way, plain: &Plain<'_>, lines: &mut Lines) {
        match *plain {
            Plain::Data(data) => self.data(way, data, lines),
            Plain::Lost(count) => match self.speech.get_mut(way) {
                Speech::Http1(http) => http.lost(count, &mut self.requests, lines),
                Speech::Http2(http) => http.lost(count),
                Speech::Begins(_) => *self.speech.get_mut(way) = Speech::Http1(Http1::searching()),
                Speech::Other => {}
            },
        }
    }

    fn data(&mut self, way: Way, data: &[u8], lines: &mut Lines) {
        match self.speech.get_mut(way) {
            Speech::Http1(http) => http.data(data, &mut self.requests, lines),
            Speech::Http2(http) => http.data(data, lines),
            Speech::Other => lines.data(data, true),
            Speech::Begins(bytes) => {
                bytes.extend_from_slice(data);
                let Some(speech) = recognised(bytes) else {
                    return;
                };
                let bytes = std::mem::take(bytes);
                *self.speech.get_mut(way) = speech;
                self.data(way, &bytes, lines);
            }
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let bytes = |way| match self.speech.get(way) {
            Speech::Begins(bytes) => bytes.capacity(),
            Speech::Http1(http) => http.bytes(),
            Speech::Http2(http) => http.bytes(),
            Speech::Other => 0,
        };
        bytes(Way::Forth) + bytes(Way::Back)
    }
}

/// The protocol that begins so; `None` while that cannot be told.
fn recognised(bytes: &[u8]) -> Option<Speech> {
    let (two, one) = (http2::may_begin(bytes), http1::may_begin(bytes));
    let undecided = two.is_none() || one.is_none() && two != Some(true);
    if undecided && bytes.len() < BEGIN_MAX {
        return None;
    }
    Some(match (two, one) {
        (Some(true), _) => Speech::Http2(Box::new(Http2::new(bytes))),
        (_, Some(true)) => Speech::Http1(Http1::default()),
        _ => Speech::Other,
    })
}
