//! Time as files and the kernel give it: seconds since the Unix epoch and nanoseconds.

/// A point in time, UTC. Compares in time order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z; files may say anything.
    pub secs: i64,
    /// Nanoseconds within the second, below 1,000,000,000 unless a damaged file says more.
    pub nanos: u64,
}

impl Timestamp {
    /// From nanoseconds since the epoch.
    pub fn from_nanos(nanos: i64) -> Self {
        let secs = nanos.div_euclid(1_000_000_000);
        let nanos = nanos.rem_euclid(1_000_000_000).unsigned_abs();
        Self { secs, nanos }
    }

    /// Nanoseconds since the epoch; saturates outside the years 1677 to 2262.
    pub fn as_nanos(self) -> i64 {
        self.secs
            .saturating_mul(1_000_000_000)
            .saturating_add_unsigned(self.nanos)
    }

    /// Microseconds within the second, below 1,000,000 unless a damaged file says more.
    pub fn micros(self) -> u64 {
        self.nanos / 1000
    }
}

/// How finely a time is printed or stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampPrecision {
    #[default]
    Micro,
    Nano,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanos_round_trip_before_and_after_the_epoch() {
        for nanos in [
            0,
            1,
            -1,
            999_999_999,
            -1_000_000_001,
            i64::MAX,
            i64::MIN + 1_000_000_000,
        ] {
            assert_eq!(Timestamp::from_nanos(nanos).as_nanos(), nanos);
        }
        assert_eq!(
            Timestamp::from_nanos(-1),
            Timestamp {
                secs: -1,
                nanos: 999_999_999
            }
        );
    }
}
