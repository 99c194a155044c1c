//! How many rings there are, how large, and how they lie in their map.

use crate::abi::{self, RING_HEADER};

/// Default size of all rings together, and of one ring at most (bytes).
const BUFFER_DEFAULT: u64 = 128 << 20;
/// Larger rings do not stay in the caches: 16 MiB cost the sender 200 ns more for each packet.
const RING_DEFAULT_MAX: u64 = 4 << 20;
const RING_MIN: u64 = 256 << 10;
const RING_MAX: u64 = 256 << 20;

/// How the rings are laid out.
#[derive(Clone, Copy, Debug)]
pub struct RingLayout {
    pub count: u32,
    /// Bytes of one ring, a power of two.
    pub size: u32,
    /// Bytes from one ring to the next.
    pub stride: u32,
}

#[expect(clippy::cast_possible_truncation, reason = "a hundred bytes")]
const RECORD_HEAD: u32 = (size_of::<abi::PacketRecord>() + size_of::<abi::OwnerPair>()) as u32;

impl RingLayout {
    /// For `buffer` bytes in all, or as many as usual: one ring for every CPU that can come
    /// online, unless that is far more than there are.
    pub fn choose(buffer: Option<u64>, snaplen: u32) -> Self {
        let cpus = |file: &str| {
            std::fs::read_to_string(format!("/sys/devices/system/cpu/{file}"))
                .ok()
                .and_then(|list| list.trim().rsplit([',', '-']).next()?.parse::<u64>().ok())
                .map_or(1, |last| last + 1)
        };
        let (online, possible) = (cpus("online"), cpus("possible"));
        let count = if possible <= 2 * online {
            possible
        } else {
            online
        };
        let size = if let Some(bytes) = buffer {
            bytes
                .div_ceil(online)
                .next_power_of_two()
                .clamp(RING_MIN, RING_MAX)
        } else {
            let share = BUFFER_DEFAULT / online;
            // The power of two at or below it.
            (1 << share.ilog2()).clamp(RING_MIN, RING_DEFAULT_MAX)
        };
        let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Self::new(number(count), number(size), snaplen)
    }

    /// With rings of half the size, if they may be that small.
    pub fn smaller(self, snaplen: u32) -> Option<Self> {
        let size = self.size / 2;
        (u64::from(size) >= RING_MIN).then(|| Self::new(self.count, size, snaplen))
    }

    fn new(count: u32, size: u32, snaplen: u32) -> Self {
        let page = u32::try_from(rustix::param::page_size()).unwrap_or(4096);
        // Room for one record that begins at the last byte of the ring.
        let record = RECORD_HEAD + snaplen + 16;
        let stride = (RING_HEADER + size + record).next_multiple_of(page);
        Self {
            count,
            size,
            stride,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_share_the_buffer() {
        let layout = RingLayout::choose(None, 262_144);
        assert!(layout.size.is_power_of_two() && u64::from(layout.size) <= RING_DEFAULT_MAX);
        let small = RingLayout::choose(Some(1), 96);
        assert_eq!(u64::from(small.size), RING_MIN);
        assert!(small.stride > small.size && small.stride.is_multiple_of(4096));
    }
}
