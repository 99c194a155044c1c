//! Names that lines show, noted down for the file that is written beside them.
//!
//! Promises: a name is noted once, and not when the file that is read tells it; memory is
//! bounded. Where names come from does not matter.

use std::borrow::Cow;
use std::net::IpAddr;

use pktwho_capfile::{Block, KeptBlock};
use pktwho_print::{Names, Transport};
use rustc_hash::FxHashSet;

/// Addresses that are remembered; the names of further ones are not stored. Each file of a series
/// begins with all of them.
const MAX_KNOWN: usize = 4096;

/// Names of another kind, those of addresses noted.
pub struct Resolved {
    names: Box<dyn Names>,
    /// Whether a file has room for them.
    wanted: bool,
    /// Addresses whose names the file has, or gets.
    known: FxHashSet<IpAddr>,
    /// Names that the file does not have yet.
    fresh: Vec<(IpAddr, String)>,
}

impl Resolved {
    pub fn new(names: Box<dyn Names>, wanted: bool) -> Self {
        Self {
            names,
            wanted,
            known: FxHashSet::default(),
            fresh: Vec::new(),
        }
    }

    /// Takes note of a block that the file gets from another one.
    pub fn block(&mut self, block: &Block<'_>) {
        if !self.wanted {
            return;
        }
        let (known, fresh) = (&mut self.known, &mut self.fresh);
        block.each_name(|ip, _| {
            fresh.retain(|(of, _)| *of != ip);
            if known.len() < MAX_KNOWN {
                known.insert(ip);
            }
        });
    }

    /// The names since the last time; `None` when there are none.
    #[inline]
    pub fn take(&mut self) -> Option<KeptBlock> {
        if self.fresh.is_empty() {
            return None;
        }
        let names = self.fresh.iter();
        let kept = KeptBlock::names(names.map(|(ip, name)| (*ip, name.as_bytes())));
        self.fresh.clear();
        Some(kept)
    }
}

impl Names for Resolved {
    fn addr(&mut self, ip: IpAddr) -> Option<Cow<'_, str>> {
        let name = self.names.addr(ip)?;
        if self.wanted && self.known.len() < MAX_KNOWN && self.known.insert(ip) {
            self.fresh.push((ip, name.clone().into_owned()));
        }
        Some(name)
    }

    fn next_packet(&mut self) {
        self.names.next_packet();
    }

    fn port(&mut self, transport: Transport, port: u16) -> Option<Cow<'_, str>> {
        self.names.port(transport, port)
    }

    fn mac(&mut self, mac: [u8; 6]) -> Option<Cow<'_, str>> {
        self.names.mac(mac)
    }

    fn user(&mut self, uid: u32) -> Option<Cow<'_, str>> {
        self.names.user(uid)
    }

    fn utc_offset(&mut self, secs: i64) -> i32 {
        self.names.utc_offset(secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every address is called the same.
    struct Same;

    impl Names for Same {
        fn addr(&mut self, _: IpAddr) -> Option<Cow<'_, str>> {
            Some(Cow::Borrowed("host"))
        }
    }

    #[test]
    fn names_are_noted_once() {
        let ip = |last| IpAddr::from([192, 0, 2, last]);
        let addresses = |names: &mut Resolved| {
            let mut found = Vec::new();
            if let Some(kept) = names.take() {
                kept.block().each_name(|ip, name| {
                    assert_eq!(name, b"host");
                    found.push(ip);
                });
            }
            found
        };
        let mut names = Resolved::new(Box::new(Same), true);
        let others = KeptBlock::names([(ip(3), &b"other"[..])]);
        names.block(&others.block());
        for last in [1, 2, 1, 3] {
            assert_eq!(names.addr(ip(last)).as_deref(), Some("host"));
        }
        assert_eq!(addresses(&mut names), [ip(1), ip(2)]);
        names.addr(ip(2));
        assert_eq!(addresses(&mut names), [] as [IpAddr; 0]);
        names.addr(ip(4));
        let others = KeptBlock::names([(ip(4), &b"other"[..])]);
        names.block(&others.block());
        assert_eq!(addresses(&mut names), [] as [IpAddr; 0]);
        for number in 0..10_000_u32 {
            names.addr(IpAddr::from(number.to_be_bytes()));
        }
        assert_eq!(names.known.len(), MAX_KNOWN);
        assert_eq!(addresses(&mut names).len(), MAX_KNOWN - 4);

        let mut unwanted = Resolved::new(Box::new(Same), false);
        assert_eq!(unwanted.addr(ip(1)).as_deref(), Some("host"));
        assert_eq!(addresses(&mut unwanted), [] as [IpAddr; 0]);
    }
}
