//! Which secrets were seen before.

use std::collections::HashSet;

use pktwho_tls::{Label, Secret};

/// Both ends of a connection hand on the same secrets, and are often on one machine. At least
/// so many are remembered, at most twice as many.
const REMEMBERED: usize = 32_768;

/// Secrets seen lately, known by label and client's random bytes.
#[derive(Debug, Default)]
pub struct Known {
    latest: HashSet<(Label, [u8; 32])>,
    before: HashSet<(Label, [u8; 32])>,
}

impl Known {
    /// Remembers the secret; whether it was not known.
    pub fn is_new(&mut self, secret: &Secret) -> bool {
        let key = (secret.label, secret.client_random);
        if self.before.contains(&key) || !self.latest.insert(key) {
            return false;
        }
        if self.latest.len() >= REMEMBERED {
            self.before = std::mem::take(&mut self.latest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered() {
        let secret = |number: u32| {
            let mut random = [0; 32];
            random[..4].copy_from_slice(&number.to_be_bytes());
            Secret::new(Label::ClientTrafficSecret, random, &[1; 32]).unwrap()
        };
        let mut known = Known::default();
        for number in 0..100_000 {
            assert!(known.is_new(&secret(number)));
        }
        assert!(!known.is_new(&secret(99_999 - 32_768)));
        assert!(known.latest.len() + known.before.len() <= 2 * REMEMBERED);
        assert!(known.is_new(&secret(0)));
    }
}
