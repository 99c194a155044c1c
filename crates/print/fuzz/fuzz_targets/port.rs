//! Datagrams and segments between any ports.
//!
//! `cargo xtask fuzz port`

#![no_main]

use libfuzzer_sys::fuzz_target;
use pktwho_packet::LinkType;
use pktwho_print_fuzz::print;

fuzz_target!(|data: &[u8]| {
    let [way, high, low, flags, verbose, lost, payload @ ..] = data else {
        return;
    };
    let tcp = way & 1 != 0;
    let mut segment = if way & 2 == 0 {
        vec![*high, *low, 0x80, 1]
    } else {
        vec![0x80, 1, *high, *low]
    };
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    if tcp {
        segment.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 1, 0, 0, 0, 0, 0]);
    } else {
        segment.extend(length.saturating_add(8).to_be_bytes());
        segment.extend([0, 0]);
    }
    segment.extend_from_slice(payload);
    let total = u16::try_from(segment.len() + 20).unwrap_or(u16::MAX);
    let protocol = if tcp { 6 } else { 17 };
    let [a, b] = total.to_be_bytes();
    let mut packet = vec![0x45, 0, a, b, 0, 1, 0, 0, 64, protocol, 0, 0];
    packet.extend([10, 0, 0, 1, 10, 0, 0, 2]);
    packet.extend(segment);
    print(LinkType::RAW, &packet, *flags, *verbose, *lost);
});
