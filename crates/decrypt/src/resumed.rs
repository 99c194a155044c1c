//! Sessions of TLS 1.2 that are resumed: whose secret theirs is.
//!
//! A resumed connection has the master secret of the connection that made the session, and not every
//! library hands it on again. What both ends name a session by leads there: the identifier that the
//! server gave it (RFC 5246 section 7.4.1.3), or its ticket (RFC 5077 section 3.3).

use std::collections::{HashMap, VecDeque};

use sha2::{Digest as _, Sha256};

/// So many names are remembered; the oldest go first.
const MAX: usize = 1 << 17;

/// What a session is called, as long as any other: a digest of its identifier or ticket.
pub type Name = [u8; 32];

/// The name that these bytes stand for; none at all is no name.
pub fn name(bytes: &[u8]) -> Option<Name> {
    (!bytes.is_empty()).then(|| Sha256::digest(bytes).into())
}

/// The client's random bytes of the connections that made sessions. Its memory is bounded.
#[derive(Debug, Default)]
pub struct Sessions {
    /// Names are digests of what a stranger chose: the hash has a key of its own.
    known: HashMap<Name, [u8; 32]>,
    order: VecDeque<Name>,
}

impl Sessions {
    /// Remembers who made a session; what is known already stays as it is.
    pub fn add(&mut self, name: Name, client_random: [u8; 32]) {
        if self.known.contains_key(&name) {
            return;
        }
        if self.order.len() >= MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(name);
        self.known.insert(name, client_random);
    }

    /// Of the first of these names that is known.
    pub fn find(&self, names: [Option<Name>; 2]) -> Option<[u8; 32]> {
        let mut names = names.into_iter().flatten();
        names.find_map(|name| self.known.get(&name).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_name_counts_and_the_oldest_go() {
        let mut sessions = Sessions::default();
        let number = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            bytes
        };
        for at in 0..=MAX {
            sessions.add(number(at), number(at + 1));
            sessions.add(number(at), [9; 32]);
        }
        assert_eq!(sessions.known.len(), MAX);
        assert_eq!(sessions.find([Some(number(0)), None]), None);
        assert_eq!(
            sessions.find([Some(number(0)), Some(number(MAX))]),
            Some(number(MAX + 1))
        );
        assert_eq!(name(b""), None);
        assert_ne!(name(b"a"), name(b"b"));
    }
}
