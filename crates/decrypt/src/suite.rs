//! Cipher suites that can be decrypted: those with authenticated encryption (AEAD), and AES-CBC
//! of TLS 1.2.
//!
//! Source: the registry of TLS cipher suites; RFC 5246, 5288, 5289, 5487, 5489, 6655, 7251, 7905,
//! 8442, 8446.

/// What encrypts records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aead {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
    Aes128Ccm,
    Aes256Ccm,
    /// With a tag of 8 bytes.
    Aes128Ccm8,
    Aes256Ccm8,
}

impl Aead {
    /// Bytes of a key.
    pub fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Ccm | Self::Aes128Ccm8 => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 | Self::Aes256Ccm | Self::Aes256Ccm8 => 32,
        }
    }

    /// Bytes that prove a record.
    pub fn tag_len(self) -> usize {
        match self {
            Self::Aes128Ccm8 | Self::Aes256Ccm8 => 8,
            _ => 16,
        }
    }
}

/// What proves a record of a CBC suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mac {
    Sha1,
    Sha256,
    Sha384,
}

impl Mac {
    /// Bytes of a key, and of what it makes.
    pub fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// What protects records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    Aead(Aead),
    /// AES in CBC mode with keys of so many bytes.
    Cbc(usize, Mac),
}

/// What keys are derived with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    /// Bytes of its output.
    pub fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// What a connection agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    pub protection: Protection,
    pub hash: Hash,
    /// Of TLS 1.3 only; all others are of TLS 1.2 only.
    pub tls13: bool,
}

impl Suite {
    /// The suite of that number, if it can be decrypted.
    pub fn from_number(number: u16) -> Option<Self> {
        use Aead::{
            Aes128Ccm, Aes128Ccm8, Aes128Gcm, Aes256Ccm, Aes256Ccm8, Aes256Gcm, ChaCha20Poly1305,
        };
        // How keys were agreed on is of no concern here: the secret is given.
        let aead = match number {
            0x1301 => Aes128Gcm,
            0x1302 => Aes256Gcm,
            0x1303 | 0xcca8..=0xccae => ChaCha20Poly1305,
            0x1304 | 0xd005 => Aes128Ccm,
            0x1305 | 0xd003 => Aes128Ccm8,
            // AES-GCM: 128 and 256 bits in turn.
            0x009c..=0x00ad | 0xc02b..=0xc032 | 0xd001 | 0xd002 => {
                if number % 2 == u16::from(number >= 0xc000) {
                    Aes128Gcm
                } else {
                    Aes256Gcm
                }
            }
            // AES-CCM: long tags and short ones in pairs.
            0xc09c..=0xc0af => match (number % 2, number) {
                (0, 0xc0a0..=0xc0a3 | 0xc0a8..=0xc0ab | 0xc0ae..) => Aes128Ccm8,
                (0, _) => Aes128Ccm,
                (_, 0xc0a0..=0xc0a3 | 0xc0a8..=0xc0ab | 0xc0ae..) => Aes256Ccm8,
                (_, _) => Aes256Ccm,
            },
            _ => return Self::cbc(number),
        };
        Some(Self {
            protection: Protection::Aead(aead),
            hash: if aead == Aes256Gcm {
                Hash::Sha384
            } else {
                Hash::Sha256
            },
            tls13: number >> 8 == 0x13,
        })
    }

    /// AES-CBC of TLS 1.2.
    fn cbc(number: u16) -> Option<Self> {
        let (key_len, mac) = match number {
            // Of ECDH and ECDHE: 128 and 256 bits in turn.
            0x002f..=0x0034
            | 0x008c
            | 0x0090
            | 0x0094
            | 0xc01d..=0xc01f
            | 0xc004
            | 0xc009
            | 0xc00e
            | 0xc013
            | 0xc018
            | 0xc035 => (16, Mac::Sha1),
            0x0035..=0x003a
            | 0x008d
            | 0x0091
            | 0x0095
            | 0xc020..=0xc022
            | 0xc005
            | 0xc00a
            | 0xc00f
            | 0xc014
            | 0xc019
            | 0xc036 => (32, Mac::Sha1),
            0x003c
            | 0x003e..=0x0040
            | 0x0067
            | 0x006c
            | 0x00ae
            | 0x00b2
            | 0x00b6
            | 0xc023
            | 0xc025
            | 0xc027
            | 0xc029
            | 0xc037 => (16, Mac::Sha256),
            0x003d | 0x0068..=0x006b | 0x006d => (32, Mac::Sha256),
            0xc024 | 0xc026 | 0xc028 | 0xc02a | 0xc038 | 0x00af | 0x00b3 | 0x00b7 => {
                (32, Mac::Sha384)
            }
            _ => return None,
        };
        Some(Self {
            protection: Protection::Cbc(key_len, mac),
            hash: if mac == Mac::Sha384 {
                Hash::Sha384
            } else {
                Hash::Sha256
            },
            tls13: false,
        })
    }

    /// The cipher of TLS 1.3's suites, and of those of TLS 1.2 that have authenticated encryption.
    pub fn aead(self) -> Option<Aead> {
        match self.protection {
            Protection::Aead(aead) => Some(aead),
            Protection::Cbc(..) => None,
        }
    }
}

/// The registry's name of a suite that is still met and cannot be decrypted.
pub fn unsupported_name(number: u16) -> Option<&'static str> {
    Some(match number {
        0x0000..=0x0002 => "without encryption",
        0x0004 => "TLS_RSA_WITH_RC4_128_MD5",
        0x0005 => "TLS_RSA_WITH_RC4_128_SHA",
        0x000a => "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        0x0016 => "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA",
        0x0041 => "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA",
        0x0084 => "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA",
        0xc008 => "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA",
        0xc011 => "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
        0xc012 => "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
        0xc05c => "TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256",
        0xc05d => "TLS_ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384",
        0xc060 => "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256",
        0xc061 => "TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_registry_s() {
        for (number, aead, hash) in [
            (0x009c, Aead::Aes128Gcm, Hash::Sha256),
            (0x009f, Aead::Aes256Gcm, Hash::Sha384),
            (0xc02b, Aead::Aes128Gcm, Hash::Sha256),
            (0xc02c, Aead::Aes256Gcm, Hash::Sha384),
            (0xc02f, Aead::Aes128Gcm, Hash::Sha256),
            (0xc030, Aead::Aes256Gcm, Hash::Sha384),
            (0xd001, Aead::Aes128Gcm, Hash::Sha256),
            (0xd002, Aead::Aes256Gcm, Hash::Sha384),
            (0xc09e, Aead::Aes128Ccm, Hash::Sha256),
            (0xc09f, Aead::Aes256Ccm, Hash::Sha256),
            (0xc0a2, Aead::Aes128Ccm8, Hash::Sha256),
            (0xc0a4, Aead::Aes128Ccm, Hash::Sha256),
            (0xc0a9, Aead::Aes256Ccm8, Hash::Sha256),
            (0xc0ac, Aead::Aes128Ccm, Hash::Sha256),
            (0xc0af, Aead::Aes256Ccm8, Hash::Sha256),
            (0xcca8, Aead::ChaCha20Poly1305, Hash::Sha256),
            (0x1302, Aead::Aes256Gcm, Hash::Sha384),
            (0x1305, Aead::Aes128Ccm8, Hash::Sha256),
        ] {
            let suite = Suite::from_number(number).unwrap();
            assert_eq!(
                (suite.aead(), suite.hash),
                (Some(aead), hash),
                "{number:#x}"
            );
            assert_eq!(suite.tls13, number < 0x1400 && number > 0x1300);
        }
        for (number, key_len, mac, hash) in [
            (0x002f, 16, Mac::Sha1, Hash::Sha256),
            (0x0039, 32, Mac::Sha1, Hash::Sha256),
            (0x006b, 32, Mac::Sha256, Hash::Sha256),
            (0x00af, 32, Mac::Sha384, Hash::Sha384),
            (0xc009, 16, Mac::Sha1, Hash::Sha256),
            (0xc014, 32, Mac::Sha1, Hash::Sha256),
            (0xc027, 16, Mac::Sha256, Hash::Sha256),
            (0xc028, 32, Mac::Sha384, Hash::Sha384),
        ] {
            let expected = Suite {
                protection: Protection::Cbc(key_len, mac),
                hash,
                tls13: false,
            };
            assert_eq!(Suite::from_number(number), Some(expected), "{number:#x}");
        }
        for number in [0x000a, 0xc012, 0xc0b0, 0xd004, 0x1306, 0xc09b, 0x00b0] {
            assert_eq!(Suite::from_number(number), None, "{number:#x}");
        }
    }
}
