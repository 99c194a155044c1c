//! From secrets to keys: RFC 8446 section 7 for TLS 1.3, RFC 5246 sections 5 and 6.3 for TLS 1.2.

use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::{Sha256, Sha384};

use crate::cipher::Cipher;
use crate::suite::{Hash, Suite};

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
    let key = key.get_mut(..suite.aead.key_len())?;
    let mut iv = [0; 12];
    expand_label(suite.hash, secret, "key", key)?;
    expand_label(suite.hash, secret, "iv", &mut iv)?;
    Cipher::tls13(suite.aead, key, iv)
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
    client_random: &[u8; 32],
    server_random: &[u8; 32],
    server: bool,
) -> Option<Cipher> {
    let key_len = suite.aead.key_len();
    let iv_len = Cipher::tls12_iv_len(suite.aead);
    let mut seed = Vec::with_capacity(80);
    seed.extend_from_slice(b"key expansion");
    seed.extend_from_slice(server_random);
    seed.extend_from_slice(client_random);
    let block = match suite.hash {
        Hash::Sha256 => prf(hmac_sha256, master, &seed, 2 * (key_len + iv_len)),
        Hash::Sha384 => prf(hmac_sha384, master, &seed, 2 * (key_len + iv_len)),
    };
    let (keys, ivs) = block.split_at_checked(2 * key_len)?;
    let side = usize::from(server);
    let key = keys.chunks(key_len).nth(side)?;
    let iv = ivs.chunks(iv_len).nth(side)?;
    Cipher::tls12(suite.aead, key, iv)
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
