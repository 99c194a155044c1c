//! What a capture says of itself at its end.

use pktwho_packet::Timestamp;

/// Counts of one device over a capture, in packets; `None` where nobody counted.
/// Stored as pcapng's interface statistics block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// When the capture started (`isb_starttime`).
    pub start: Option<Timestamp>,
    /// When it ended (`isb_endtime`).
    pub end: Option<Timestamp>,
    /// Packets that the device saw (`isb_ifrecv`).
    pub received: Option<u64>,
    /// Packets that the device or the kernel dropped before the capture saw them (`isb_ifdrop`).
    pub dropped: Option<u64>,
    /// Packets that were seen and lost for want of room (`isb_osdrop`).
    pub os_dropped: Option<u64>,
    /// Owners that the whole capture forgot for want of room (a comment, `{"owners_forgotten":7}`);
    /// written when there are some.
    pub owners_forgotten: Option<u64>,
}
