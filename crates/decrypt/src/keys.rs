//! From secrets to keys: RFC 8446 section 7 for TLS 1.3, RFC 5246 sections 5 and 6.3 for TLS 1.2.

use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::{Sha256, Sha384};

use crate::cbc::Cbc;
use crate::cipher::Cipher;
use crate::hello::ServerHello;
use crate::suite::{Hash, Protection, Suite};

/// HKDF-Expand-Label with an empty context; fills `out`. `None` when lengths are impossible.
fn expand_label(hash: Hash, secret: &[u8], label: &str, out: &mut [u8]) -> Option<()> {
    let mut info = Vec::with_capacity(32);
    info.extend_from_slice(&u16::try_from(out.len()).ok()?.to_be_bytes());
    info.push(u8::try_from(label.len().checked_add(6)?).ok()?);
    info.extend_from_slice(b"tls13 ");
    info.extend_from_slice(label.as_bytes());
    info.push(0);
    match hash {
        Hash::Sha256 => Hkdf::<Sha256>::from_prk(secret)
            .ok()?
            .expand(&info, out)
            .ok(),
        Hash::Sha384 => Hkdf::<Sha384>::from_prk(secret)
            .ok()?
            .expand(&info, out)
            .ok(),
    }
}

/// What decrypts the records of a traffic secret; `None` when the secret is not of the suite.
pub fn tls13(suite: Suite, secret: &[u8]) -> Option<Cipher> {
    if secret.len() != suite.hash.len() {
        return None;
    }
    let mut key = [0; 32];
    let aead = suite.aead()?;
    let key = key.get_mut(..aead.key_len())?;
    let mut iv = [0; 12];
    expand_label(suite.hash, secret, "key", key)?;
    expand_label(suite.hash, secret, "iv", &mut iv)?;
    Cipher::tls13(aead, key, iv)
}

/// The traffic secret after a key update.
pub fn next_generation(suite: Suite, secret: &[u8]) -> Option<Vec<u8>> {
    let mut next = vec![0; suite.hash.len()];
    expand_label(suite.hash, secret, "traffic upd", &mut next)?;
    Some(next)
}

/// What decrypts the client's (`server` false) or the server's records of TLS 1.2.
pub fn tls12(
    suite: Suite,
    master: &[u8],
    (client_random, server): (&[u8; 32], &ServerHello),
    is_server: bool,
) -> Option<Cipher> {
    let (mac_len, key_len, iv_len) = match suite.protection {
        Protection::Aead(aead) => (0, aead.key_len(), Cipher::tls12_iv_len(aead)),
        // Each record brings its own vector.
        Protection::Cbc(key_len, mac) => (mac.len(), key_len, 0),
    };
    let mut seed = Vec::with_capacity(80);
    seed.extend_from_slice(b"key expansion");
    seed.extend_from_slice(&server.random);
    seed.extend_from_slice(client_random);
    let len = 2 * (mac_len + key_len + iv_len);
    let mut block = match suite.hash {
        Hash::Sha256 => prf(hmac_sha256, master, &seed, len),
        Hash::Sha384 => prf(hmac_sha384, master, &seed, len),
    }
    .into_iter();
    // The client's, then the server's.
    let mut part = |len: usize| {
        let both: Vec<u8> = block.by_ref().take(2 * len).collect();
        let (client, server) = both.split_at_checked(len)?;
        Some(if is_server { server } else { client }.to_vec())
    };
    let (mac_key, key, iv) = (part(mac_len)?, part(key_len)?, part(iv_len)?);
    match suite.protection {
        Protection::Aead(aead) => Cipher::tls12(aead, &key, &iv),
        Protection::Cbc(_, mac) => {
            Cbc::new(&key, (mac, &mac_key), server.encrypt_then_mac).map(Cipher::Cbc)
        }
    }
}

/// `P_hash` of RFC 5246 section 5: `len` bytes, or a few more.
fn prf(hmac: fn(&[u8], &[&[u8]]) -> Vec<u8>, secret: &[u8], seed: &[u8], len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len + 48);
    let mut a = hmac(secret, &[seed]);
    while out.len() < len && !a.is_empty() {
        out.extend_from_slice(&hmac(secret, &[&a, seed]));
        a = hmac(secret, &[&a]);
    }
    out.truncate(len);
    out
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn hmac_sha384(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha384>::new_from_slice(key) else {
        return Vec::new();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests;
