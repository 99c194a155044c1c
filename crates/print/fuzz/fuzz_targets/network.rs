//! What Ethernet, IPv4 or IPv6 carries: the protocol's number comes from the input.
//!
//! `cargo xtask fuzz network`

#![no_main]

use libfuzzer_sys::fuzz_target;
use pktwho_packet::LinkType;
use pktwho_print_fuzz::print;

fuzz_target!(|data: &[u8]| {
    let [way, high, low, flags, verbose, lost, payload @ ..] = data else {
        return;
    };
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    let (link_type, mut packet) = match way % 3 {
        0 => {
            let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
            frame.extend([*high, *low]);
            (LinkType::ETHERNET, frame)
        }
        1 => {
            let total = length.saturating_add(20).to_be_bytes();
            let mut header = vec![0x45, *high, total[0], total[1], 0, 1, 0, 0, 64, *low, 0, 0];
            header.extend([10, 0, 0, 1, 10, 0, 0, 2]);
            (LinkType::RAW, header)
        }
        _ => {
            let size = length.to_be_bytes();
            let mut header = vec![0x60, 0, 0, *high, size[0], size[1], *low, 64];
            header.extend([1; 32]);
            (LinkType::RAW, header)
        }
    };
    packet.extend_from_slice(payload);
    print(link_type, &packet, *flags, *verbose, *lost);
});
