//! What the fuzz target reaches: everything here that reads bytes of others.

use pktwho_packet::LinkType;

use crate::packet_socket::tuple::{datagram, tuple};
use crate::{btf, janitor, mmaps, netlink, terms};

/// What the bytes are taken for.
#[derive(Clone, Copy, Debug)]
pub enum Record {
    /// Process events, one after the other.
    Events,
    /// The kernel's type information.
    Btf,
    Netlink,
    /// A line of `/proc/PID/maps`.
    MapsLine,
    /// A line that the janitor is told.
    Order,
    /// Packets.
    Ethernet,
    Raw,
}

/// Reads them.
///
/// # Panics
/// What comes out is not in them.
pub fn read(record: Record, bytes: &[u8]) {
    match record {
        Record::Events => {
            for event in terms::iterate(bytes) {
                let text = event.exe.len() + event.args.len() + event.cgroup_path.len();
                assert!(text <= bytes.len());
            }
        }
        Record::Btf => {
            // The excerpt has types once, and their names.
            let excerpt = btf::excerpt(bytes).unwrap_or_default();
            assert!(excerpt.len() <= bytes.len() + 4096);
        }
        Record::Netlink => assert!(netlink::payloads(bytes).len() <= bytes.len()),
        Record::MapsLine => {
            let file = mmaps::parse_line(1, bytes);
            assert!(file.is_none_or(|file| file.path.len() <= bytes.len()));
        }
        Record::Order => {
            let _ = janitor::parse(&String::from_utf8_lossy(bytes));
        }
        Record::Ethernet => {
            let _ = tuple(LinkType::ETHERNET, bytes);
            let payload = datagram(LinkType::ETHERNET, bytes).map(|(.., payload)| payload);
            assert!(payload.is_none_or(|payload| payload.len() <= bytes.len()));
        }
        Record::Raw => {
            let _ = tuple(LinkType::RAW, bytes);
        }
    }
}
