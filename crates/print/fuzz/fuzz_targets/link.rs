//! Packets of any link type.
//!
//! `cargo xtask fuzz link`

#![no_main]

use libfuzzer_sys::fuzz_target;
use pktwho_packet::LinkType;
use pktwho_print_fuzz::print;

fuzz_target!(|data: &[u8]| {
    let [high, low, flags, verbose, lost, packet @ ..] = data else {
        return;
    };
    let link_type = LinkType(u16::from_be_bytes([*high & 1, *low]));
    print(link_type, packet, *flags, *verbose, *lost);
});
