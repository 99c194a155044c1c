//! The secrets that are known, by the client's random bytes.

use std::collections::{HashMap, VecDeque};

use pktwho_tls::{Label, Secret};

use crate::resumed::Sessions;

/// So many connections' secrets are remembered; the oldest go first.
const MAX: usize = 1 << 18;

/// Secrets of many connections. Its memory is bounded.
#[derive(Debug, Default)]
pub struct Secrets {
    /// A client's random bytes are what a stranger chose: the hash has a key of its own.
    known: HashMap<[u8; 32], Vec<Secret>>,
    order: VecDeque<[u8; 32]>,
    /// Whose secrets those of resumed connections are.
    pub sessions: Sessions,
    /// No more will come: what is not known now never will be.
    pub complete: bool,
}

impl Secrets {
    /// Remembers a secret; one that is known already stays what it is.
    pub fn add(&mut self, secret: &Secret) {
        if matches!(
            secret.label,
            Label::EarlyExporterSecret | Label::ExporterSecret
        ) {
            return;
        }
        if let Some(of) = self.known.get_mut(&secret.client_random) {
            if of.iter().all(|known| known.label != secret.label) {
                of.push(secret.clone());
            }
            return;
        }
        if self.order.len() >= MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(secret.client_random);
        self.known
            .insert(secret.client_random, vec![secret.clone()]);
    }

    /// The bytes of a connection's secret.
    pub fn get(&self, client_random: &[u8; 32], label: Label) -> Option<&[u8]> {
        let of = self.known.get(client_random)?;
        let found = of.iter().find(|secret| secret.label == label);
        found.map(Secret::bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first() {
        let mut secrets = Secrets::default();
        let random = |number: usize| {
            let mut random = [0; 32];
            random[..8].copy_from_slice(&number.to_be_bytes());
            random
        };
        for number in 0..=MAX {
            let secret = Secret::new(Label::ClientRandom, random(number), &[1; 48]).unwrap();
            secrets.add(&secret);
        }
        assert_eq!(secrets.known.len(), MAX);
        let master = |number| secrets.get(&random(number), Label::ClientRandom);
        assert_eq!(master(0), None);
        assert_eq!(master(MAX), Some(&[1; 48][..]));
        assert_eq!(secrets.get(&random(1), Label::ClientTrafficSecret), None);
    }
}
