//! The Internet checksum (RFC 1071).

use std::net::IpAddr;

/// A sum being made of parts; each part but the last has an even number of bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum(u64);

impl Sum {
    /// Adds bytes; an odd last one counts as if a zero followed.
    #[must_use]
    pub(crate) fn add(mut self, bytes: &[u8]) -> Self {
        let mut words = bytes.chunks_exact(4);
        for word in &mut words {
            if let Ok(word) = <[u8; 4]>::try_from(word) {
                self.0 += u64::from(u32::from_be_bytes(word));
            }
        }
        let mut last = [0; 4];
        for (to, from) in last.iter_mut().zip(words.remainder()) {
            *to = *from;
        }
        self.0 += u64::from(u32::from_be_bytes(last));
        self
    }

    /// Adds one 16-bit word.
    #[must_use]
    pub(crate) fn add_u16(mut self, word: u16) -> Self {
        self.0 += u64::from(word);
        self
    }

    /// The pseudo header of a transport protocol (RFC 9293 section 3.1, RFC 8200 section 8.1).
    #[must_use]
    pub(crate) fn pseudo(src: IpAddr, dst: IpAddr, protocol: u8, length: usize) -> Self {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let [_, _, high, low] = length.to_be_bytes();
        let sum = match (src, dst) {
            // IPv4 has 16 bits for the length; of a longer packet the lower ones count.
            (IpAddr::V4(src), IpAddr::V4(dst)) => Self::default()
                .add(&src.octets())
                .add(&dst.octets())
                .add(&[high, low]),
            (src, dst) => [src, dst]
                .iter()
                .fold(Self::default(), |sum, ip| match ip {
                    IpAddr::V4(ip) => sum.add(&ip.octets()),
                    IpAddr::V6(ip) => sum.add(&ip.octets()),
                })
                .add(&length.to_be_bytes()),
        };
        sum.add_u16(u16::from(protocol))
    }

    /// The complement of the sum: 0 when the summed bytes hold their own right checksum.
    pub(crate) fn finish(self) -> u16 {
        let mut sum = self.0;
        while let high @ 1.. = sum >> 16 {
            sum = (sum & 0xffff) + high;
        }
        !u16::try_from(sum).unwrap_or(0)
    }
}

/// What a checksum field should have held: `found` is the field, `residue` the sum over bytes
/// that include the field.
pub(crate) fn should_be(found: u16, residue: u16) -> u16 {
    Sum::default()
        .add_u16(residue)
        .add_u16(found)
        .finish_plain()
}

impl Sum {
    /// The sum itself, folded.
    fn finish_plain(self) -> u16 {
        !self.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_checksum_leaves_nothing() {
        // The header of RFC 1071's spirit: an IPv4 header with its checksum 0xb861.
        let header = [
            0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8,
            0, 0xc7,
        ];
        assert_eq!(Sum::default().add(&header).finish(), 0);
        let mut wrong = header;
        wrong[10] = 0;
        let residue = Sum::default().add(&wrong).finish();
        assert_ne!(residue, 0);
        assert_eq!(should_be(0x0061, residue), 0xb861);
    }

    #[test]
    fn odd_ends_count_as_high_bytes() {
        assert_eq!(Sum::default().add(&[0x12]).finish(), !0x1200);
        assert_eq!(Sum::default().add(&[0x12, 0x34, 0x56]).finish(), !0x6834);
    }
}
