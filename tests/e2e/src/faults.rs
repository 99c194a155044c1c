//! What a capture survives: full disks, stopped terminals, devices that come and go, little
//! memory, SIGKILL; and in a guest what a whole machine goes through. The cases of the end-to-end set are short; `e2e faults` plays them at
//! length.
//!
//! A reader of a pipe that goes away is `files/broken-pipe`, rings that run full are `loss`.

mod devices;
mod disk;
mod kill;
mod machine;
mod memory;
mod terminal;

use std::time::Duration;

use anyhow::{Context, Result};

use crate::cases::Outcome;
use crate::lab::Lab;
use crate::soak;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Captures that are killed.
    pub kills: u64,
    /// Devices that come and go.
    pub devices: u32,
    /// Of the moments at which captures are killed.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kills: 20,
            devices: 64,
            seed: 1,
        }
    }
}

impl Options {
    /// What `e2e faults` does.
    pub fn at_length(seed: u64) -> Self {
        Self {
            kills: 200,
            devices: 3000,
            seed,
        }
    }
}

/// A fault: its case's name, and what plays it.
pub type Fault = (&'static str, fn(&Lab, &Options) -> Result<Outcome>);

/// All of them, in the order in which they are played.
pub const FAULTS: &[Fault] = &[
    ("faults/disk-full", disk::full),
    ("faults/file-limit", disk::limited),
    ("faults/terminal-stopped", terminal::stopped),
    ("faults/stopped-in-a-flood", terminal::stopped_in_a_flood),
    ("faults/devices", devices::come_and_go),
    ("faults/namespace-gone", devices::namespace_gone),
    ("faults/memory-limit", memory::limit),
    ("faults/sigkill", kill::at_random),
    ("faults/clock-steps", machine::clock_steps),
    ("faults/cpu-unplugged", machine::cpu_unplugged),
    ("faults/suspended", machine::suspended),
];

/// A moment that is waited for because it is to be a random one, not because something is
/// expected to have happened by then.
fn random_moment(random: &mut soak::Random, longest: Duration) -> Duration {
    let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random.below(micros))
}

/// The letter of a process's state; none when it is gone.
fn state(pid: u32) -> Result<Option<char>> {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return Ok(None);
    };
    let (_, rest) = stat.rsplit_once(") ").context("no state")?;
    Ok(rest.chars().next())
}
