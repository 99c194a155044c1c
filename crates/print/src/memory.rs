//! What some protocols need to know of earlier packets, besides TCP's numbers. All of it is
//! bounded.

use std::collections::HashMap;
use std::hash::Hash;

use rustc_hash::FxBuildHasher;

use crate::isakmp;
use crate::nfs;
use crate::quic;
use crate::rx;
use crate::slip;

/// The memory of a printer.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) isakmp: isakmp::Initiators,
    pub(crate) nfs: nfs::Calls,
    pub(crate) quic: quic::Connections,
    pub(crate) rx: rx::Calls,
    pub(crate) slip: slip::Connections,
}

/// The latest of what was seen: at least `LIMIT` entries, at most twice as many.
///
/// As [`crate::flows`]: when the young generation is full, the old one is forgotten.
#[derive(Debug)]
pub(crate) struct Latest<K, V, const LIMIT: usize> {
    young: HashMap<K, V, FxBuildHasher>,
    old: HashMap<K, V, FxBuildHasher>,
}

impl<K, V, const LIMIT: usize> Default for Latest<K, V, LIMIT> {
    fn default() -> Self {
        Self {
            young: HashMap::default(),
            old: HashMap::default(),
        }
    }
}

impl<K: Eq + Hash, V, const LIMIT: usize> Latest<K, V, LIMIT> {
    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= LIMIT && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }
}

#[cfg(test)]
mod tests {
    use super::Latest;

    #[test]
    fn keeps_the_latest_and_is_bounded() {
        let mut latest = Latest::<u32, u32, 10>::default();
        for n in 0..100 {
            latest.insert(n, n);
            assert!((n.saturating_sub(9)..=n).all(|kept| latest.get(&kept) == Some(&kept)));
        }
        assert!(latest.young.len() + latest.old.len() <= 20);
        assert_eq!(latest.get(&5), None);
    }
}
