//! `-E`: the keys of ESP and `IKEv2`, and decryption with them.
//!
//! A key is `[spi@address ]algorithm:secret`, several are separated by commas or newlines; or
//! `ikev2 I|R spi spi digest:key cipher:key`. Source of truth: tcpdump(1), and its examples.

use std::net::IpAddr;

use blowfish::Blowfish;
use cast5::Cast5;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockCipher, BlockDecryptMut, InnerIvInit, KeyInit};

/// Bytes that the longest initialization vector has.
const IV_MAX: usize = 16;

/// A block cipher in CBC mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cipher {
    None,
    Des,
    TripleDes,
    Blowfish,
    Cast5,
    Aes,
}

/// What keys are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    /// Any ESP for which there is no other key.
    AnyEsp,
    Esp(u32, IpAddr),
    /// The initiator's or the responder's messages between two SPIs.
    Ike(bool, [u8; 8], [u8; 8]),
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    of: For,
    cipher: Cipher,
    secret: Vec<u8>,
    /// Bytes of the digest at the end of a packet.
    digest: usize,
}

/// The keys that the user gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(Vec<Key>);

impl Secrets {
    /// Adds keys, one per line or between commas; empty ones and comments are passed over.
    ///
    /// # Errors
    /// The key that cannot be understood.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        for line in text.split(['\n', ',']) {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                let keys = keys(line).ok_or_else(|| line.to_owned())?;
                self.0.extend(keys);
            }
        }
        Ok(())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The payload of an ESP packet in the clear, its padding included, and without its digest.
    pub(crate) fn esp(&self, spi: u32, destination: IpAddr, packet: &[u8]) -> Option<Vec<u8>> {
        let key = self
            .0
            .iter()
            .find(|key| key.of == For::Esp(spi, destination))
            .or_else(|| self.0.iter().rev().find(|key| key.of == For::AnyEsp))?;
        key.decrypt(packet)
    }

    /// What an encrypted payload of `IKEv2` holds.
    pub(crate) fn ike(
        &self,
        initiator: bool,
        spis: ([u8; 8], [u8; 8]),
        payload: &[u8],
    ) -> Option<Vec<u8>> {
        let of = For::Ike(initiator, spis.0, spis.1);
        let key = self.0.iter().find(|key| key.of == of)?;
        key.decrypt(payload)
    }
}

/// The keys of one line.
fn keys(line: &str) -> Option<Vec<Key>> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    if first == "ikev2" {
        return Some(vec![ike(words)?]);
    }
    let (of, algorithm) = match words.next() {
        None => (For::AnyEsp, first),
        Some(algorithm) => {
            let (spi, address) = first.split_once('@')?;
            let spi = u32::from_str_radix(spi.trim_start_matches("0x"), 16).ok()?;
            (For::Esp(spi, address.parse().ok()?), algorithm)
        }
    };
    let (algorithm, secret) = algorithm.split_once(':').unwrap_or((algorithm, ""));
    let (name, digest) = match algorithm.strip_suffix("-hmac96") {
        Some(name) => (name, 12),
        None => (algorithm.strip_suffix("-cbc96").unwrap_or(algorithm), 0),
    };
    Some(vec![Key {
        of,
        cipher: cipher(name)?,
        secret: bytes(secret)?,
        digest,
    }])
}

fn ike<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Key> {
    let initiator = match words.next()? {
        "I" | "i" => true,
        "R" | "r" => false,
        _ => return None,
    };
    let ours = bytes(words.next()?)?.try_into().ok()?;
    let theirs = bytes(words.next()?)?.try_into().ok()?;
    let (digest, _) = words.next()?.split_once(':')?;
    let (name, secret) = words.next()?.split_once(':')?;
    let digest = match digest {
        "none" => 0,
        "sha256" => 16,
        _ => 12,
    };
    Some(Key {
        of: For::Ike(initiator, ours, theirs),
        cipher: cipher(name)?,
        secret: bytes(secret)?,
        digest,
    })
}

fn cipher(name: &str) -> Option<Cipher> {
    Some(match name.trim_end_matches("-cbc") {
        "none" | "null" => Cipher::None,
        "des" => Cipher::Des,
        "3des" | "des3" | "des-ede3" => Cipher::TripleDes,
        "blowfish" | "bf" => Cipher::Blowfish,
        "cast128" | "cast5" | "cast" => Cipher::Cast5,
        name if name.starts_with("aes") => Cipher::Aes,
        _ => return None,
    })
}

/// A secret: text, or hexadecimal digits after `0x`.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let Some(digits) = text.strip_prefix("0x") else {
        return Some(text.as_bytes().to_vec());
    };
    let digits: Option<Vec<u8>> = digits
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let digits = digits?;
    if digits.len() % 2 != 0 {
        return None;
    }
    let pair = |pair: &[u8]| match pair {
        [high, low] => high << 4 | low,
        _ => 0,
    };
    Some(digits.chunks(2).map(pair).collect())
}

impl Key {
    /// The bytes between the initialization vector and the digest, decrypted.
    fn decrypt(&self, packet: &[u8]) -> Option<Vec<u8>> {
        let end = packet.len().checked_sub(self.digest)?;
        let packet = packet.get(..end)?;
        let iv = match self.cipher {
            // Nothing is shown of what is not encrypted, as tcpdump does.
            Cipher::None => return None,
            Cipher::Aes => 16,
            _ => 8,
        };
        let (iv, text) = packet.split_at_checked(iv)?;
        // A last block that is not whole cannot be decrypted.
        let text = text.get(..text.len() / iv.len() * iv.len())?;
        let secret = self.secret.as_slice();
        match self.cipher {
            Cipher::None => None,
            Cipher::Des => cbc(des::Des::new_from_slice(secret.get(..8)?).ok()?, iv, text),
            Cipher::TripleDes => cbc(
                des::TdesEde3::new_from_slice(secret.get(..24)?).ok()?,
                iv,
                text,
            ),
            Cipher::Blowfish => {
                let cipher: Blowfish =
                    Blowfish::new_from_slice(secret.get(..16).unwrap_or(secret)).ok()?;
                cbc(cipher, iv, text)
            }
            Cipher::Cast5 => cbc(
                Cast5::new_from_slice(secret.get(..16).unwrap_or(secret)).ok()?,
                iv,
                text,
            ),
            Cipher::Aes => match secret.len() {
                32.. => cbc(
                    aes::Aes256::new_from_slice(secret.get(..32)?).ok()?,
                    iv,
                    text,
                ),
                24.. => cbc(
                    aes::Aes192::new_from_slice(secret.get(..24)?).ok()?,
                    iv,
                    text,
                ),
                _ => cbc(
                    aes::Aes128::new_from_slice(secret.get(..16)?).ok()?,
                    iv,
                    text,
                ),
            },
        }
    }
}

fn cbc<C: BlockCipher + BlockDecryptMut>(cipher: C, iv: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    debug_assert!(iv.len() <= IV_MAX, "an IV of {} bytes", iv.len());
    let decryptor = cbc::Decryptor::inner_iv_slice_init(cipher, iv).ok()?;
    let mut text = text.to_vec();
    decryptor.decrypt_padded_mut::<NoPadding>(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_understood_or_named() {
        let mut secrets = Secrets::default();
        secrets
            .add("# comment\n\n0x12@10.0.0.1 3des-cbc-hmac96:0x0011,des:abc\naes128:0x00")
            .unwrap();
        secrets
            .add("ikev2 I 0x0001020304050607 0x0706050403020100 sha1:0xaa aes128:0xbb")
            .unwrap();
        let of: Vec<_> = secrets
            .0
            .iter()
            .map(|key| (key.cipher, key.digest))
            .collect();
        assert_eq!(
            of,
            [
                (Cipher::TripleDes, 12),
                (Cipher::Des, 0),
                (Cipher::Aes, 0),
                (Cipher::Aes, 12)
            ]
        );
        for wrong in ["what:0x00", "0x1@nowhere des:x", "des:0x123", "ikev2 X"] {
            assert_eq!(secrets.add(wrong), Err(wrong.to_owned()));
        }
    }

    #[test]
    fn each_cipher_decrypts_whole_blocks() {
        let long = "0123456789abcdef0123456789abcdef";
        for name in ["des", "3des", "blowfish", "cast128", "aes128", "aes256"] {
            let mut secrets = Secrets::default();
            secrets.add(&format!("{name}-cbc:{long}")).unwrap();
            let destination = IpAddr::from([10, 0, 0, 1]);
            let text = secrets.esp(1, destination, &[7; 64]).unwrap();
            assert!(matches!(text.len(), 48 | 56), "{name}");
            assert_eq!(secrets.esp(1, destination, &[7; 5]), None);
        }
    }
}
