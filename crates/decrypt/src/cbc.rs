//! Records of AES in CBC mode with a MAC: RFC 5246 section 6.2.3.2, and RFC 7366 where the MAC is of
//! what is encrypted.

use aes::{Aes128, Aes256};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockCipher, BlockDecryptMut, InnerIvInit};
use hmac::Hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha384};

use crate::cipher::keyed;
use crate::suite::Mac;

/// Bytes of a block, and of the vector in front of each record.
const BLOCK: usize = 16;

/// The keys of one direction.
pub struct Cbc {
    key: Key,
    mac: Keyed,
    mac_len: usize,
    /// The MAC is of what is encrypted, and behind it.
    encrypt_then_mac: bool,
}

/// Boxed: expanded keys are large.
enum Key {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
}

enum Keyed {
    Sha1(Box<Hmac<Sha1>>),
    Sha256(Box<Hmac<Sha256>>),
    Sha384(Box<Hmac<Sha384>>),
}

impl Keyed {
    fn new(mac: Mac, key: &[u8]) -> Option<Self> {
        Some(match mac {
            Mac::Sha1 => Self::Sha1(keyed(key)?),
            Mac::Sha256 => Self::Sha256(keyed(key)?),
            Mac::Sha384 => Self::Sha384(keyed(key)?),
        })
    }

    fn proves(&self, parts: [&[u8]; 2], tag: &[u8]) -> bool {
        match self {
            Self::Sha1(key) => proves(&**key, parts, tag),
            Self::Sha256(key) => proves(&**key, parts, tag),
            Self::Sha384(key) => proves(&**key, parts, tag),
        }
    }
}

fn proves<M: hmac::Mac + Clone>(key: &M, parts: [&[u8]; 2], tag: &[u8]) -> bool {
    let mut mac = key.clone();
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(tag).is_ok()
}

impl Cbc {
    /// `None` when a key is not as long as it should be.
    pub fn new(key: &[u8], (mac, mac_key): (Mac, &[u8]), encrypt_then_mac: bool) -> Option<Self> {
        let expanded = match key.len() {
            16 => Key::Aes128(keyed(key)?),
            _ => Key::Aes256(keyed(key)?),
        };
        Some(Self {
            key: expanded,
            mac: Keyed::new(mac, mac_key)?,
            mac_len: mac.len(),
            encrypt_then_mac,
        })
    }

    /// How many bytes a record is longer than what it carries at least.
    pub fn overhead(&self) -> usize {
        BLOCK + self.mac_len + 1
    }

    /// As [`Cipher::open`](crate::cipher::Cipher::open).
    pub fn open(
        &self,
        number: u64,
        (kind, version): (u8, u16),
        body: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        out.clear();
        let header = |len: usize| header(number, kind, version, len);
        let Some(mac_at) = body.len().checked_sub(self.mac_len) else {
            return false;
        };
        let (sealed, tag) = body.split_at_checked(mac_at).unwrap_or_default();
        let sealed = if self.encrypt_then_mac {
            if !self.mac.proves([&header(sealed.len()), sealed], tag) {
                return false;
            }
            sealed
        } else {
            body
        };
        let Some(len) = self.decrypt(sealed, out).and_then(|()| unpadded(out)) else {
            out.clear();
            return false;
        };
        out.truncate(len);
        if self.encrypt_then_mac {
            return true;
        }
        let split = len.checked_sub(self.mac_len);
        let proven = split
            .and_then(|at| out.split_at_checked(at))
            .is_some_and(|(text, tag)| self.mac.proves([&header(text.len()), text], tag));
        out.truncate(split.filter(|_| proven).unwrap_or(0));
        proven
    }

    /// Vector and blocks to `out`, with padding.
    fn decrypt(&self, sealed: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let (vector, blocks) = sealed.split_at_checked(BLOCK)?;
        out.extend_from_slice(blocks);
        match &self.key {
            Key::Aes128(key) => decrypt(&**key, vector, out),
            Key::Aes256(key) => decrypt(&**key, vector, out),
        }
    }
}

/// `None` when there are no whole blocks.
fn decrypt<C>(key: &C, vector: &[u8], blocks: &mut [u8]) -> Option<()>
where
    C: BlockCipher + BlockDecryptMut + Clone,
    cbc::Decryptor<C>: InnerIvInit<Inner = C> + BlockDecryptMut,
{
    let decryptor = cbc::Decryptor::inner_iv_slice_init(key.clone(), vector).ok()?;
    decryptor.decrypt_padded_mut::<NoPadding>(blocks).ok()?;
    Some(())
}

/// The length without padding, each byte of which says how many there are beside the last.
fn unpadded(text: &[u8]) -> Option<usize> {
    let &padding = text.last()?;
    let len = text.len().checked_sub(usize::from(padding) + 1)?;
    let pad = text.get(len..)?;
    pad.iter().all(|&byte| byte == padding).then_some(len)
}

/// What is authenticated in front of the record's bytes.
fn header(number: u64, kind: u8, version: u16, len: usize) -> [u8; 13] {
    let mut header = [0; 13];
    let [major, minor] = version.to_be_bytes();
    let [high, low] = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
    let rest = [kind, major, minor, high, low];
    let all = number.to_be_bytes().into_iter().chain(rest);
    header.iter_mut().zip(all).for_each(|(to, from)| *to = from);
    header
}

#[cfg(test)]
mod tests {
    use cbc::cipher::{BlockEncryptMut, KeyInit as _};
    use hmac::Mac as _;

    use super::*;

    const KEY: [u8; 16] = [7; 16];
    const MAC_KEY: [u8; 20] = [9; 20];

    fn tag(text: &[u8]) -> Vec<u8> {
        let mut mac = <Hmac<Sha1> as hmac::Mac>::new_from_slice(&MAC_KEY).unwrap();
        mac.update(&header(5, 23, 0x0303, text.len()));
        mac.update(text);
        mac.finalize().into_bytes().to_vec()
    }

    /// Vector and blocks of a text that is padded already.
    fn encrypted(padded: &[u8]) -> Vec<u8> {
        let encryptor =
            cbc::Encryptor::<Aes128>::inner_iv_slice_init(Aes128::new(&KEY.into()), &[3; 16]);
        let mut blocks = padded.to_vec();
        encryptor
            .unwrap()
            .encrypt_padded_mut::<NoPadding>(&mut blocks, padded.len())
            .unwrap();
        [&[3; 16], blocks.as_slice()].concat()
    }

    /// Pads to whole blocks, and `more` of them.
    fn padded(mut text: Vec<u8>, more: usize) -> Vec<u8> {
        let len = (text.len() / BLOCK + 1 + more) * BLOCK;
        let padding = u8::try_from(len - text.len() - 1).unwrap();
        text.resize(len, padding);
        text
    }

    fn opened(encrypt_then_mac: bool, record: &[u8]) -> Option<Vec<u8>> {
        let keys = Cbc::new(&KEY, (Mac::Sha1, &MAC_KEY), encrypt_then_mac).unwrap();
        let mut out = vec![1];
        let is_open = keys.open(5, (23, 0x0303), record, &mut out);
        assert!(is_open || out.is_empty());
        is_open.then_some(out)
    }

    #[test]
    fn records_open_in_both_orders() {
        for len in [0, 1, 15, 16, 100] {
            let text = vec![b'x'; len];
            for more in [0, 3] {
                let first = encrypted(&padded([text.as_slice(), &tag(&text)].concat(), more));
                assert_eq!(opened(false, &first), Some(text.clone()));
                assert_eq!(opened(true, &first), None);
                let sealed = encrypted(&padded(text.clone(), more));
                let last = [sealed.as_slice(), &tag(&sealed)].concat();
                assert_eq!(opened(true, &last), Some(text.clone()));
                assert_eq!(opened(false, &last), None);
            }
        }
    }

    #[test]
    fn changed_records_stay_closed() {
        let text = b"hello".to_vec();
        let first = encrypted(&padded([text.as_slice(), &tag(&text)].concat(), 0));
        let sealed = encrypted(&padded(text, 0));
        let last = [sealed.as_slice(), &tag(&sealed)].concat();
        for (encrypt_then_mac, record) in [(false, first), (true, last)] {
            for at in 0..record.len() {
                let mut changed = record.clone();
                changed[at] ^= 1;
                assert_eq!(opened(encrypt_then_mac, &changed), None, "{at}");
                assert_eq!(opened(encrypt_then_mac, &record[..at]), None, "{at}");
            }
        }
        // A padding that is longer than the record, and one that is not what it says.
        assert_eq!(unpadded(&[16; 16]), None);
        assert_eq!(unpadded(&[0, 1, 3, 3, 3]), None);
        assert_eq!(unpadded(&[0, 3, 3, 3, 3]), Some(1));
    }
}
