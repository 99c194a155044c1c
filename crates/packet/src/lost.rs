//! Packets that were seen and not delivered, by cause. Nothing is lost without a count here.

/// Counters of losses, each in packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// The ring between kernel and user space was full.
    pub ring_full: u64,
    /// The capture program was interrupted by itself (preemptible softirq), or its CPU has no ring.
    pub ring_busy: u64,
    /// The bytes of the packet could not be read.
    pub unreadable: u64,
    /// Process events that did not fit; names may be missing, packets are not.
    pub events: u64,
    /// Owners that were forgotten for want of room in a table of the kernel side: packets that
    /// only the table could tell of have no owner.
    pub owners: u64,
}

impl Lost {
    /// Packets lost, whatever the cause.
    pub fn packets(&self) -> u64 {
        self.ring_full + self.ring_busy + self.unreadable
    }
}
