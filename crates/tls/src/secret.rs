//! A secret of a connection, and its line in a key log.
//!
//! Source: draft-ietf-tls-keylogfile (`SSLKEYLOGFILE`): `LABEL client_random secret`, the latter
//! two in hexadecimal digits.

use std::fmt;

/// Which of a connection's secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// TLS 1.2 and before: the master secret.
    ClientRandom,
    ClientEarlyTrafficSecret,
    EarlyExporterSecret,
    ClientHandshakeTrafficSecret,
    ServerHandshakeTrafficSecret,
    /// `CLIENT_TRAFFIC_SECRET_0`
    ClientTrafficSecret,
    /// `SERVER_TRAFFIC_SECRET_0`
    ServerTrafficSecret,
    ExporterSecret,
}

impl Label {
    pub const ALL: [Self; 8] = [
        Self::ClientRandom,
        Self::ClientEarlyTrafficSecret,
        Self::EarlyExporterSecret,
        Self::ClientHandshakeTrafficSecret,
        Self::ServerHandshakeTrafficSecret,
        Self::ClientTrafficSecret,
        Self::ServerTrafficSecret,
        Self::ExporterSecret,
    ];

    /// The word in the key log.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientRandom => "CLIENT_RANDOM",
            Self::ClientEarlyTrafficSecret => "CLIENT_EARLY_TRAFFIC_SECRET",
            Self::EarlyExporterSecret => "EARLY_EXPORTER_SECRET",
            Self::ClientHandshakeTrafficSecret => "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            Self::ServerHandshakeTrafficSecret => "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            Self::ClientTrafficSecret => "CLIENT_TRAFFIC_SECRET_0",
            Self::ServerTrafficSecret => "SERVER_TRAFFIC_SECRET_0",
            Self::ExporterSecret => "EXPORTER_SECRET",
        }
    }

    /// The label of that word.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|label| label.name().as_bytes() == name)
    }
}

/// A secret of one connection. It is known by its label and the client's random bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret {
    pub label: Label,
    pub client_random: [u8; 32],
    bytes: Vec<u8>,
}

/// Why something is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    #[error("a secret of {0} bytes, not 32 or 48")]
    Length(usize),
    #[error("a secret of zeros")]
    Zero,
    #[error("not a line of a key log")]
    Line,
}

impl Secret {
    /// The longest secret in bytes.
    pub const MAX: usize = 48;

    /// # Errors
    /// A secret is 32 or 48 bytes long (a hash's length; TLS 1.2's are 48) and not all zeros.
    pub fn new(label: Label, client_random: [u8; 32], bytes: &[u8]) -> Result<Self, SecretError> {
        match (label, bytes.len()) {
            (Label::ClientRandom, 48) => {}
            (Label::ClientRandom, length) => return Err(SecretError::Length(length)),
            (_, 32 | 48) => {}
            (_, length) => return Err(SecretError::Length(length)),
        }
        if bytes.iter().all(|&byte| byte == 0) {
            return Err(SecretError::Zero);
        }
        Ok(Self {
            label,
            client_random,
            bytes: bytes.to_vec(),
        })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads a line of a key log, without its newline. Blank lines, comments (`#`) and labels
    /// that are not known are none.
    ///
    /// # Errors
    /// The label is known and the rest makes no secret.
    pub fn from_line(line: &[u8]) -> Result<Option<Self>, SecretError> {
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        let Some(label) = words.next().and_then(Label::from_name) else {
            return Ok(None);
        };
        let (random, secret) = (words.next(), words.next());
        let random = random.and_then(unhex).ok_or(SecretError::Line)?;
        let secret = secret.and_then(unhex).ok_or(SecretError::Line)?;
        if words.next().is_some() {
            return Err(SecretError::Line);
        }
        let random = random.try_into().map_err(|_| SecretError::Line)?;
        Self::new(label, random, &secret).map(Some)
    }
}

/// The line of a key log, without its newline.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.label.name())?;
        for byte in self.client_random {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(" ")?;
        for byte in &self.bytes {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// Without the secret: this may end up in a log.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Secret({}, {} bytes)",
            self.label.name(),
            self.bytes.len()
        )
    }
}

/// At most 128 digits.
fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() > 64 {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    let byte = |&[high, low]: &[u8; 2]| u8::try_from(value(high)? << 4 | value(low)?).ok();
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_it_was_made_from() {
        for label in Label::ALL {
            let secret = Secret::new(label, [0xa5; 32], &[7; 48]).unwrap();
            let line = secret.to_string();
            assert_eq!(Secret::from_line(line.as_bytes()), Ok(Some(secret)));
        }
    }

    #[test]
    fn other_lines_are_none_or_errors() {
        let random = "ab".repeat(32);
        let check = |line: &str, expected: Result<bool, SecretError>| {
            let got = Secret::from_line(line.as_bytes());
            assert_eq!(got.map(|secret| secret.is_some()), expected, "{line}");
        };
        check("", Ok(false));
        check("# CLIENT_RANDOM", Ok(false));
        check("RSA 0011223344556677 00", Ok(false));
        check("CLIENT_RANDOM", Err(SecretError::Line));
        check(
            &format!("CLIENT_RANDOM {random} xy"),
            Err(SecretError::Line),
        );
        check(
            &format!("CLIENT_RANDOM {random} {}", "01".repeat(32)),
            Err(SecretError::Length(32)),
        );
        let secret = "01".repeat(48);
        check(&format!(" CLIENT_RANDOM  {random}\t{secret}\r"), Ok(true));
        check(
            &format!("CLIENT_RANDOM {random} {secret} 7"),
            Err(SecretError::Line),
        );
        let zero = "00".repeat(32);
        check(
            &format!("EXPORTER_SECRET {random} {zero}"),
            Err(SecretError::Zero),
        );
    }
}
