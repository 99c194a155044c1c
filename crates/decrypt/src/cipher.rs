//! Opening one record: nonces and additional data of RFC 8446 section 5 and RFC 5246 section 6.2.3.3.

use aes::{Aes128, Aes256};
use aes_gcm::aead::generic_array::{ArrayLength, GenericArray};
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use ccm::Ccm;
use ccm::consts::{U8, U12, U16};
use chacha20poly1305::ChaCha20Poly1305;

use crate::cbc::Cbc;
use crate::suite::Aead;

/// What opens the records of one direction.
pub enum Cipher {
    Aead(Sealed),
    Cbc(Cbc),
}

/// A key of authenticated encryption and what goes with it.
pub struct Sealed {
    key: Key,
    iv: [u8; 12],
    /// Bytes of the nonce that stand in front of each record: none, or 8 in TLS 1.2's AES suites.
    explicit: usize,
    tls13: bool,
    tag_len: usize,
}

/// Boxed: expanded keys are large.
enum Key {
    Aes128Gcm(Box<Aes128Gcm>),
    Aes256Gcm(Box<Aes256Gcm>),
    ChaCha20Poly1305(Box<ChaCha20Poly1305>),
    Aes128Ccm(Box<Ccm<Aes128, U16, U12>>),
    Aes256Ccm(Box<Ccm<Aes256, U16, U12>>),
    Aes128Ccm8(Box<Ccm<Aes128, U8, U12>>),
    Aes256Ccm8(Box<Ccm<Aes256, U8, U12>>),
}

impl Key {
    fn new(aead: Aead, key: &[u8]) -> Option<Self> {
        Some(match aead {
            Aead::Aes128Gcm => Self::Aes128Gcm(keyed(key)?),
            Aead::Aes256Gcm => Self::Aes256Gcm(keyed(key)?),
            Aead::ChaCha20Poly1305 => Self::ChaCha20Poly1305(keyed(key)?),
            Aead::Aes128Ccm => Self::Aes128Ccm(keyed(key)?),
            Aead::Aes256Ccm => Self::Aes256Ccm(keyed(key)?),
            Aead::Aes128Ccm8 => Self::Aes128Ccm8(keyed(key)?),
            Aead::Aes256Ccm8 => Self::Aes256Ccm8(keyed(key)?),
        })
    }

    fn open(&self, nonce: [u8; 12], aad: &[u8], text: &mut [u8], tag: &[u8]) -> bool {
        match self {
            Self::Aes128Gcm(key) => open(&**key, nonce, aad, text, tag),
            Self::Aes256Gcm(key) => open(&**key, nonce, aad, text, tag),
            Self::ChaCha20Poly1305(key) => open(&**key, nonce, aad, text, tag),
            Self::Aes128Ccm(key) => open(&**key, nonce, aad, text, tag),
            Self::Aes256Ccm(key) => open(&**key, nonce, aad, text, tag),
            Self::Aes128Ccm8(key) => open(&**key, nonce, aad, text, tag),
            Self::Aes256Ccm8(key) => open(&**key, nonce, aad, text, tag),
        }
    }
}

/// Boxed; `None` when the key is not as long as it should be.
pub(crate) fn keyed<C: KeyInit>(key: &[u8]) -> Option<Box<C>> {
    C::new_from_slice(key).ok().map(Box::new)
}

fn open<C>(cipher: &C, nonce: [u8; 12], aad: &[u8], text: &mut [u8], tag: &[u8]) -> bool
where
    C: AeadInPlace<NonceSize = U12>,
    C::TagSize: ArrayLength<u8>,
{
    if tag.len() != GenericArray::<u8, C::TagSize>::default().len() {
        return false;
    }
    let (nonce, tag) = (
        GenericArray::from_slice(&nonce),
        GenericArray::from_slice(tag),
    );
    cipher
        .decrypt_in_place_detached(nonce, aad, text, tag)
        .is_ok()
}

impl Cipher {
    pub fn tls13(aead: Aead, key: &[u8], iv: [u8; 12]) -> Option<Self> {
        Some(Self::Aead(Sealed {
            key: Key::new(aead, key)?,
            iv,
            explicit: 0,
            tls13: true,
            tag_len: aead.tag_len(),
        }))
    }

    /// Bytes of the nonce that are derived with the keys.
    pub fn tls12_iv_len(aead: Aead) -> usize {
        match aead {
            Aead::ChaCha20Poly1305 => 12,
            _ => 4,
        }
    }

    /// `iv` of as many bytes as [`Cipher::tls12_iv_len`] says.
    pub fn tls12(aead: Aead, key: &[u8], derived: &[u8]) -> Option<Self> {
        let mut iv = [0; 12];
        iv.get_mut(..derived.len())?.copy_from_slice(derived);
        Some(Self::Aead(Sealed {
            key: Key::new(aead, key)?,
            iv,
            explicit: 12_usize.checked_sub(derived.len())?,
            tls13: false,
            tag_len: aead.tag_len(),
        }))
    }

    /// How many bytes a record is longer than what it carries, without padding.
    pub fn overhead(&self) -> usize {
        match self {
            Self::Aead(key) => key.explicit + key.tag_len + usize::from(key.tls13),
            Self::Cbc(key) => key.overhead(),
        }
    }

    /// Decrypts a record's body into `out`, whose old content goes; whether it is what the peer
    /// sent as record `number` of this key. `kind` and `version` are those of its header.
    pub fn open(&self, number: u64, header: (u8, u16), body: &[u8], out: &mut Vec<u8>) -> bool {
        match self {
            Self::Aead(key) => key.open(number, header, body, out),
            Self::Cbc(key) => key.open(number, header, body, out),
        }
    }
}

impl Sealed {
    fn open(
        &self,
        number: u64,
        (kind, version): (u8, u16),
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        out.clear();
        let Some((explicit, sealed)) = body.split_at_checked(self.explicit) else {
            return false;
        };
        let Some(len) = sealed.len().checked_sub(self.tag_len) else {
            return false;
        };
        let Some((text, tag)) = sealed.split_at_checked(len) else {
            return false;
        };
        let (mut aad, aad_len) = ([0; 13], if self.tls13 { 5 } else { 13 });
        let stated = if self.tls13 { body.len() } else { len };
        let [high, low] = u16::try_from(stated).unwrap_or(u16::MAX).to_be_bytes();
        let [major, minor] = version.to_be_bytes();
        let header = [kind, major, minor, high, low];
        let number = number.to_be_bytes();
        let before: &[u8] = if self.tls13 { &[] } else { &number };
        for (to, &from) in aad.iter_mut().zip(before.iter().chain(&header)) {
            *to = from;
        }
        out.extend_from_slice(text);
        let aad = aad.get(..aad_len).unwrap_or_default();
        let opened = self.key.open(self.nonce(number, explicit), aad, out, tag);
        if !opened {
            out.clear();
        }
        opened
    }

    fn nonce(&self, number: [u8; 8], explicit: &[u8]) -> [u8; 12] {
        let mut nonce = self.iv;
        let low = nonce.iter_mut().skip(4);
        if self.explicit > 0 {
            low.zip(explicit).for_each(|(to, &from)| *to = from);
        } else {
            low.zip(number).for_each(|(to, from)| *to ^= from);
        }
        nonce
    }
}
