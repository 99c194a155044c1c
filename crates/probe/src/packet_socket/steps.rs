//! The wall clock, when it is set back while packets wait for their time.
//!
//! Packets carry the wall clock's time, and wait a few milliseconds for older ones of other
//! devices. Those that came before the clock was set back would wait until it is as late again.

use std::time::{Duration, Instant, SystemTime};

/// How long after a step such packets may still come out of the kernel.
const LATE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub struct Steps {
    wall: SystemTime,
    monotonic: Instant,
    /// What the clock showed before it was set back, and when that was found.
    before: Option<(SystemTime, Instant)>,
}

impl Steps {
    pub fn new(wall: SystemTime, monotonic: Instant) -> Self {
        Self {
            wall,
            monotonic,
            before: None,
        }
    }

    /// Takes note of what the clocks show now. How late packets may be that came until now:
    /// later than `wall` for a moment after that was set back.
    pub fn latest(&mut self, wall: SystemTime, monotonic: Instant) -> SystemTime {
        let passed = monotonic.saturating_duration_since(self.monotonic);
        if wall < self.wall {
            self.before = Some((self.wall + passed, monotonic));
        }
        (self.wall, self.monotonic) = (wall, monotonic);
        let is_over = |since: Instant| monotonic.saturating_duration_since(since) > LATE;
        match self.before {
            Some((_, since)) if is_over(since) => {
                self.before = None;
                wall
            }
            Some((before, _)) => wall.max(before),
            None => wall,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_from_before_a_step_back_are_let_out() {
        let (wall, start) = (
            SystemTime::UNIX_EPOCH + Duration::from_hours(500),
            Instant::now(),
        );
        let (hour, tick) = (Duration::from_hours(1), Duration::from_millis(10));
        let mut steps = Steps::new(wall, start);
        assert_eq!(steps.latest(wall + tick, start + tick), wall + tick);
        // Set back: as late as it would be now, which the last packets may carry.
        let back = wall - hour;
        assert_eq!(steps.latest(back, start + 2 * tick), wall + 2 * tick);
        assert_eq!(steps.latest(back + tick, start + 3 * tick), wall + 2 * tick);
        // Later packets wait for each other again.
        let later = start + 2 * tick + LATE + tick;
        assert_eq!(steps.latest(back + LATE, later), back + LATE);
        // Set forward: nothing waits too long.
        assert_eq!(steps.latest(wall + hour, later + tick), wall + hour);
    }
}
