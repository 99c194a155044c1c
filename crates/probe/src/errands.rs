//! What a capture has yet to do that takes privileges.
//!
//! It is noted while packets are read and done by whoever may, which can be another thread:
//! see [`Live::run_errands`](crate::Live::run_errands).

/// Processes noted at most between two rounds; more than those are found by looking around.
const NEWCOMERS_MAX: usize = 4096;

/// What has happened since the last round.
#[derive(Debug, Default)]
pub struct Errands {
    /// Devices have changed.
    pub devices: bool,
    /// Addresses, here or in other network namespaces.
    pub homes: bool,
    /// Processes that have begun: they may be in namespaces not yet known.
    pub newcomers: Vec<u32>,
}

impl Errands {
    /// A process has begun, or runs another program.
    pub fn meet(&mut self, pid: u32) {
        if self.newcomers.len() < NEWCOMERS_MAX && self.newcomers.last() != Some(&pid) {
            self.newcomers.push(pid);
        }
    }

    /// Whether there is something to do.
    pub fn any(&self) -> bool {
        self.devices || self.homes || !self.newcomers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newcomers_are_bounded() {
        let mut errands = Errands::default();
        assert!(!errands.any());
        for pid in 1..10_000 {
            errands.meet(pid);
            errands.meet(pid);
        }
        assert!(errands.any());
        assert_eq!(errands.newcomers.len(), NEWCOMERS_MAX);
    }
}
