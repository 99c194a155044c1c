//! What comes from the kernel side and from beside it: records of process events, the kernel's
//! type information, netlink messages, lines of maps, orders to the janitor, and the addresses
//! of packets that sockets give.
//!
//! `cargo xtask fuzz records`

#![no_main]

use libfuzzer_sys::fuzz_target;
use pktwho_probe::testing::{self, Record};

fuzz_target!(|data: &[u8]| {
    let Some((&kind, bytes)) = data.split_first() else {
        return;
    };
    let kinds = [
        Record::Events,
        Record::Btf,
        Record::Netlink,
        Record::MapsLine,
        Record::Order,
        Record::Ethernet,
        Record::Raw,
    ];
    testing::read(kinds[usize::from(kind) % kinds.len()], bytes);
});
