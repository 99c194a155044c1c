//! Cipher suites that can be decrypted: those with authenticated encryption (AEAD).
//!
//! Source: the registry of TLS cipher suites; RFC 5288, 5289, 6655, 7251, 7905, 8442, 8446.

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
    pub aead: Aead,
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
            _ => return None,
        };
        Some(Self {
            aead,
            hash: if aead == Aes256Gcm {
                Hash::Sha384
            } else {
                Hash::Sha256
            },
            tls13: number >> 8 == 0x13,
        })
    }
}

/// The registry's name of a suite that is still met and cannot be decrypted.
pub fn unsupported_name(number: u16) -> Option<&'static str> {
    Some(match number {
        0x0000..=0x0002 => "without encryption",
        0x0004 => "TLS_RSA_WITH_RC4_128_MD5",
        0x0005 => "TLS_RSA_WITH_RC4_128_SHA",
        0x000a => "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        0x002f => "TLS_RSA_WITH_AES_128_CBC_SHA",
        0x0033 => "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
        0x0035 => "TLS_RSA_WITH_AES_256_CBC_SHA",
        0x0039 => "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
        0x003c => "TLS_RSA_WITH_AES_128_CBC_SHA256",
        0x003d => "TLS_RSA_WITH_AES_256_CBC_SHA256",
        0x0067 => "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
        0x006b => "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
        0xc009 => "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        0xc00a => "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        0xc013 => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        0xc014 => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        0xc023 => "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        0xc024 => "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
        0xc027 => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        0xc028 => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
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
            assert_eq!((suite.aead, suite.hash), (aead, hash), "{number:#x}");
            assert_eq!(suite.tls13, number < 0x1400 && number > 0x1300);
        }
        for number in [0x002f, 0xc013, 0xc0b0, 0xd004, 0x1306, 0xc09b, 0x00ae] {
            assert_eq!(Suite::from_number(number), None, "{number:#x}");
        }
    }
}
