//! TLS in captured packets, decrypted with secrets that are known: what `--decrypt` shows.
//!
//! Give [`Decryptor::secret`] the secrets as they are found and [`Decryptor::packet`] one packet
//! after the other. It puts the segments of each connection in order, reads the handshake and
//! the records, and tells of what they carry: HTTP/1 start lines, HTTP/2 header fields, bytes.
//! Secrets may come after the records that they open.
//!
//! Promises: no input makes it panic; memory is bounded (64 MiB, and a fixed number of
//! connections); what stays closed is said once for each connection, with the reason, and so is
//! every hole. No clock, no files: time comes with the packets.
//!
//! Source of truth: RFC 8446 and RFC 5246 for TLS, RFC 9293 for TCP, RFC 9112, 9113 and 7541
//! for HTTP. Start reading at `session.rs`.

#![forbid(unsafe_code)]

mod app;
mod cbc;
mod cipher;
mod connections;
mod hello;
mod hpack;
mod http1;
mod http2;
mod huffman;
mod keys;
mod locate;
mod pieces;
mod reading;
mod record;
mod resumed;
mod secrets;
mod session;
mod stream;
mod suite;
mod text;
mod way;

#[cfg(test)]
mod tests;

use pktwho_packet::Packet;
use pktwho_tls::Secret;

use connections::{Connection, Connections, Key, Kind};
use locate::{SYN, Segment};
use reading::Reading;
use record::Header;
use secrets::Secrets;
use text::Lines;
use way::Way;

/// Decrypts connections.
#[derive(Default)]
pub struct Decryptor {
    secrets: Secrets,
    connections: Connections,
    lines: Lines,
    /// What the last packet carries, and the packet with that in the place of its payload.
    plain: Vec<u8>,
    shown: Vec<u8>,
}

/// What a packet is found to carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decrypted<'a> {
    /// Lines to stand under the packet's, each begun by a newline and a tab.
    pub lines: &'a [u8],
    /// The packet with plain text in the place of its payload, if it made records complete.
    pub plain: Option<&'a [u8]>,
}

impl Decryptor {
    /// One that knows nothing yet; `verbose` shows all of HTTP/1's fields and HTTP/2's frames.
    pub fn new(verbose: bool) -> Self {
        Self {
            lines: Lines::new(verbose),
            ..Self::default()
        }
    }

    /// Takes a secret. Records that waited for it are told of with the connection's next packet.
    pub fn secret(&mut self, secret: &Secret) {
        self.secrets.add(secret);
    }

    /// All secrets are known: nothing waits for another one.
    pub fn secrets_complete(&mut self) {
        self.secrets.complete = true;
    }

    /// Takes a packet. What it is found to carry is told by [`Decryptor::decrypted`].
    pub fn packet(&mut self, packet: &Packet<'_>) {
        self.lines.out.clear();
        self.plain.clear();
        self.shown.clear();
        let Some(segment) = locate::segment(packet) else {
            return;
        };
        let netns = packet.iface.netns.map_or(0, |netns| netns.0);
        let (key, way) = Key::new(netns, &segment);
        let now = i128::from(packet.time.secs) * 1_000_000_000 + i128::from(packet.time.nanos);
        let Some(connection) = followed(&mut self.connections, key, way, &segment) else {
            return;
        };
        let mut reading = Reading {
            key: &key,
            way,
            now: Some(now),
            secrets: &self.secrets,
            lines: &mut self.lines,
            plain: &mut self.plain,
        };
        reading.segment(connection, &segment);
        if let Kind::Tls(tls) = &mut connection.kind
            && let Some((names, made_by)) = tls.session.take_names(&self.secrets.sessions)
        {
            for name in names {
                self.secrets.sessions.add(name, made_by);
            }
        }
        self.connections.weigh(&key);
        self.lines.finish();
        if !self.plain.is_empty() {
            let before = packet.data.get(..segment.before).unwrap_or_default();
            self.shown.extend_from_slice(before);
            self.shown.extend_from_slice(&self.plain);
        }
    }

    /// What the last packet carries.
    pub fn decrypted(&self) -> Decrypted<'_> {
        Decrypted {
            lines: &self.lines.out,
            plain: (!self.shown.is_empty()).then_some(&self.shown),
        }
    }

    /// Ends all connections. Lines about what was still waiting, each begun by a newline and a
    /// tab, and each naming its connection.
    pub fn finish(&mut self) -> &[u8] {
        self.lines.out.clear();
        let (lines, plain, secrets) = (&mut self.lines, &mut self.plain, &self.secrets);
        self.connections.each(|key, connection| {
            for way in Way::ALL {
                let mut reading = Reading {
                    key,
                    way,
                    now: None,
                    secrets,
                    lines,
                    plain,
                };
                reading.end(connection);
            }
        });
        lines.finish();
        &self.lines.out
    }
}

/// The segment's connection, if it is one to be followed.
fn followed<'c>(
    connections: &'c mut Connections,
    key: Key,
    way: Way,
    segment: &Segment<'_>,
) -> Option<&'c mut Connection> {
    let opens = segment.flags & SYN != 0;
    let known = connections.get(&key);
    if let Some(connection) = known {
        let initial = connection.directions.get(way).initial;
        let other = opens && initial.is_some_and(|initial| initial != segment.seq);
        if !other {
            return connections.get(&key);
        }
    } else if !opens && !session::begins(segment.payload) && !Header::encrypted(segment.payload) {
        return None;
    }
    Some(connections.enter(key))
}
