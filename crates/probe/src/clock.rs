//! From the kernel's monotonic time to wall-clock time.
//!
//! Packets carry `CLOCK_MONOTONIC`, which never steps; what they are shown with is
//! `CLOCK_REALTIME`, which may. The difference is measured again and again, and taken over
//! only when it has really changed, so that measuring noise does not disorder packets.

use std::time::Duration;

use pktwho_packet::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Differences below this are measuring noise (ns).
const NOISE: i64 = 500;
/// How often the difference is measured (ns).
const PERIOD: u64 = 100_000_000;

#[derive(Debug)]
pub struct Clock {
    offset: i64,
    measured: u64,
    /// The second that was asked for last, and the monotonic time at which it began: packets
    /// come in time order, and a division costs as much as much of the rest.
    second: i64,
    began: u64,
}

impl Clock {
    pub fn new() -> Self {
        Self {
            offset: wall_minus_monotonic(),
            measured: monotonic(),
            second: 0,
            began: u64::MAX,
        }
    }

    /// To be called now and then with the present monotonic time.
    pub fn refresh(&mut self, now: u64) {
        if now.saturating_sub(self.measured) < PERIOD {
            return;
        }
        self.measured = now;
        self.take_over(wall_minus_monotonic());
    }

    fn take_over(&mut self, offset: i64) {
        if (offset - self.offset).abs() > NOISE {
            self.offset = offset;
            self.began = u64::MAX;
        }
    }

    pub fn wall(&mut self, monotonic: u64) -> Timestamp {
        if let Some(since) = monotonic.checked_sub(self.began)
            && since < 1_000_000_000
        {
            return Timestamp {
                secs: self.second,
                nanos: since,
            };
        }
        let time = Timestamp::from_nanos(self.offset.saturating_add_unsigned(monotonic));
        self.second = time.secs;
        self.began = monotonic.saturating_sub(time.nanos);
        time
    }
}

/// Now, `CLOCK_MONOTONIC` in ns.
pub fn monotonic() -> u64 {
    u64::try_from(nanos(ClockId::Monotonic)).unwrap_or(0)
}

/// What the calling thread has had of a processor: however long others have kept it waiting, or it
/// was stopped.
pub fn used() -> Duration {
    Duration::from_nanos(u64::try_from(nanos(ClockId::ThreadCPUTime)).unwrap_or(0))
}

fn nanos(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// The best of a few measurements: the one with the least time between its two readings.
fn wall_minus_monotonic() -> i64 {
    (0..5)
        .map(|_| {
            let before = nanos(ClockId::Monotonic);
            let wall = nanos(ClockId::Realtime);
            let after = nanos(ClockId::Monotonic);
            (after - before, wall - before - (after - before) / 2)
        })
        .min()
        .map_or(0, |(_, offset)| offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_is_now() {
        let mut clock = Clock::new();
        let wall = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_nanos();
        let ours = clock.wall(monotonic()).as_nanos();
        let later = clock.wall(monotonic() + 999_999_999).as_nanos() - ours;
        assert!((999_999_999..1_100_000_000).contains(&later));
        assert!((i128::from(ours) - i128::try_from(wall).unwrap()).abs() < 100_000_000);
    }

    #[test]
    fn only_work_is_used() {
        let (began, before) = (std::time::Instant::now(), used());
        // Somebody else works for us.
        let worked = std::thread::spawn(|| while used() < Duration::from_millis(20) {});
        worked.join().unwrap();
        assert!(began.elapsed() >= Duration::from_millis(20));
        assert!(used().saturating_sub(before) < Duration::from_millis(20));
    }

    #[test]
    fn a_step_is_taken_over_and_noise_is_not() {
        let mut clock = Clock::new();
        let at = monotonic();
        let (before, offset) = (clock.wall(at).as_nanos(), clock.offset);
        for step in [-3_600_000_000_000, 90_000_000_000, NOISE + 1, -NOISE - 1] {
            clock.take_over(offset + step);
            assert_eq!(clock.wall(at).as_nanos() - before, step);
            // What comes later is later, whatever the clock was set to.
            assert_eq!(clock.wall(at + 1).as_nanos() - before, step + 1);
            clock.take_over(offset);
            clock.take_over(offset + NOISE);
            assert_eq!(clock.wall(at).as_nanos(), before);
        }
    }
}
