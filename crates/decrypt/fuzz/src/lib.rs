//! What the targets do: hands segments of one connection to a decryptor that knows its secrets,
//! and looks at how much comes out.

use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce};
use hkdf::Hkdf;
use pktwho_decrypt::Decryptor;
use pktwho_packet::{Direction, Iface, LinkType, Packet, Reception, Timestamp};
use pktwho_tls::{Label, Secret};
use sha2::Sha256;

const RANDOM: [u8; 32] = [7; 32];

/// A connection between two ends, and who listens to it.
pub struct Line {
    decryptor: Decryptor,
    iface: Iface,
    millis: u32,
    next: [u32; 2],
    out: usize,
    given: usize,
}

impl Line {
    /// One whose secrets are known.
    pub fn new(verbose: bool) -> Self {
        let mut decryptor = Decryptor::new(verbose);
        for (label, byte) in [
            (Label::ClientTrafficSecret, 1),
            (Label::ServerTrafficSecret, 2),
        ] {
            if let Ok(secret) = Secret::new(label, RANDOM, &[byte; 32]) {
                decryptor.secret(&secret);
            }
        }
        Self {
            decryptor,
            iface: Iface {
                link_type: LinkType::RAW,
                ..Iface::default()
            },
            millis: 0,
            next: [1000, 1000],
            out: 0,
            given: 0,
        }
    }

    /// Both hellos, which agree on `TLS_AES_128_GCM_SHA256`.
    pub fn greet(&mut self) {
        let mut client = vec![3, 3];
        client.extend(RANDOM);
        client.extend([0, 0, 2, 0x13, 1, 1, 0]);
        let mut server = vec![3, 3];
        server.extend(RANDOM);
        server.extend([0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
        for (way, kind, body) in [(0, 1, client), (1, 2, server)] {
            let length = u8::try_from(body.len()).unwrap_or(0);
            let mut record = vec![22, 3, 3, 0, length + 4, kind, 0, 0, length];
            record.extend(body);
            self.send(way, &record);
        }
    }

    /// The next bytes of a direction.
    pub fn send(&mut self, way: usize, payload: &[u8]) {
        let next = &mut self.next[way];
        let seq = *next;
        *next = next.wrapping_add(u32::try_from(payload.len()).unwrap_or(0));
        let ack = self.next[1 - way];
        self.segment(way, seq, ack, 0x18, payload, 0);
    }

    /// A segment; `cut` bytes of it were not captured.
    pub fn segment(&mut self, way: usize, seq: u32, ack: u32, flags: u8, payload: &[u8], cut: u16) {
        for payload in payload.chunks(60_000) {
            let total = u16::try_from(payload.len() + 40).unwrap_or(u16::MAX);
            let [high, low] = total.saturating_add(cut).to_be_bytes();
            let mut packet = vec![0x45, 0, high, low, 0, 0, 0, 0, 64, 6, 0, 0];
            let ends: [&[u8]; 2] = [&[10, 0, 0, 1], &[10, 0, 0, 2]];
            packet.extend([ends[way], ends[1 - way]].concat());
            let ports: [&[u8]; 2] = [&[0x90, 1], &[1, 0xbb]];
            packet.extend([ports[way], ports[1 - way]].concat());
            packet.extend(seq.to_be_bytes());
            packet.extend(ack.to_be_bytes());
            packet.extend([0x50, flags, 1, 0, 0, 0, 0, 0]);
            packet.extend(payload);
            self.packet(&packet, cut.into());
        }
    }

    /// A packet of which `lost` bytes more were on the wire.
    pub fn packet(&mut self, data: &[u8], lost: u32) {
        self.millis += 7;
        self.given += data.len() + 64;
        let mut time = Timestamp::default();
        time.secs = (self.millis / 1000).into();
        time.nanos = (self.millis % 1000 * 1_000_000).into();
        self.decryptor.packet(&Packet {
            time,
            iface: &self.iface,
            data,
            orig_len: u32::try_from(data.len()).unwrap_or(0).saturating_add(lost),
            direction: Direction::Unknown,
            reception: Reception::Unspecified,
            sender: None,
            receiver: None,
        });
        let decrypted = self.decryptor.decrypted();
        check(decrypted.lines);
        self.out += decrypted.lines.len();
    }

    /// Ends it.
    pub fn finish(mut self) {
        check(self.decryptor.finish());
        // A header block of few bytes may stand for 128 KiB of fields.
        assert!(
            self.out <= self.given * 20_000,
            "{} of {}",
            self.out,
            self.given
        );
    }
}

/// Nothing that could move a cursor.
fn check(lines: &[u8]) {
    let printable = |&byte: &u8| matches!(byte, b'\n' | b'\t' | b' '..=b'~');
    assert!(lines.iter().all(printable));
}

/// Encrypts records as a client (0) or a server (1).
pub struct Seal {
    cipher: Aes128Gcm,
    iv: [u8; 12],
    number: u64,
}

impl Seal {
    pub fn new(way: usize) -> Self {
        let secret = [u8::try_from(way + 1).unwrap_or(1); 32];
        let (mut key, mut iv) = ([0; 16], [0; 12]);
        if let Ok(hkdf) = Hkdf::<Sha256>::from_prk(&secret) {
            let _ = hkdf.expand(b"\0\x10\x09tls13 key\0", &mut key);
            let _ = hkdf.expand(b"\0\x0c\x08tls13 iv\0", &mut iv);
        }
        Self {
            cipher: Aes128Gcm::new(&key.into()),
            iv,
            number: 0,
        }
    }

    /// A record of application data.
    pub fn record(&mut self, text: &[u8]) -> Vec<u8> {
        let mut inner = text.to_vec();
        inner.push(23);
        let length = u16::try_from(inner.len() + 16).unwrap_or(0);
        let [high, low] = length.to_be_bytes();
        let header = [23, 3, 3, high, low];
        let mut nonce = self.iv;
        for (to, from) in nonce[4..].iter_mut().zip(self.number.to_be_bytes()) {
            *to ^= from;
        }
        self.number += 1;
        let nonce = Nonce::from_slice(&nonce);
        let tag = self
            .cipher
            .encrypt_in_place_detached(nonce, &header, &mut inner);
        let mut record = header.to_vec();
        record.extend(inner);
        record.extend(tag.unwrap_or_default());
        record
    }
}
