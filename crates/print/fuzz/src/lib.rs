//! What every target does: prints one packet in one style, and looks at the text's size.

use pktwho_packet::{Direction, Iface, LinkType, Packet, Reception, Timestamp};
use pktwho_print::{Dump, NoNames, Printer, Style};

/// A style out of two bytes.
fn style(flags: u8, verbose: u8) -> Style {
    let dumps = [Dump::None, Dump::Ascii, Dump::HexAscii, Dump::HexAsciiLink];
    Style {
        verbose: verbose % 5,
        quiet: flags & 1 != 0,
        link: flags & 2 != 0,
        numeric: flags & 4 != 0,
        absolute_seq: flags & 8 != 0,
        no_checksums: flags & 16 != 0,
        mesh: flags & 32 != 0,
        dump: dumps[usize::from(flags >> 6)],
        ..Style::default()
    }
}

/// Prints `data`, of which the capture lost `lost` bytes more. No byte may make the text longer
/// than what a line of hexadecimal and a few words for each byte are.
pub fn print(link_type: LinkType, data: &[u8], flags: u8, verbose: u8, lost: u8) {
    let iface = Iface {
        link_type,
        ..Iface::default()
    };
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let packet = Packet {
        time: Timestamp::default(),
        iface: &iface,
        data,
        orig_len: length.saturating_add(u32::from(lost)),
        direction: Direction::Unknown,
        reception: Reception::Unspecified,
        sender: None,
        receiver: None,
    };
    let mut out = Vec::new();
    Printer::new(style(flags, verbose)).packet(&packet, &mut NoNames, &mut out);
    assert!(out.ends_with(b"\n"));
    let bound = 50_000 + 400 * data.len();
    assert!(out.len() < bound, "{} bytes of {}", out.len(), data.len());
}
