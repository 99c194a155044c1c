//! Signals, as flags that the main loop looks at.
//!
//! SIGINT, SIGTERM and SIGHUP ask to stop; the same signal again, when we hang, ends the
//! process at once. SIGUSR1 asks for the counts. SIGXFSZ (a limit of `ulimit -f` is reached) does nothing:
//! writing then says "File too large", as it says that a disk is full. SIGPIPE is ignored (by Rust's runtime):
//! writing then says "broken pipe", which the end of the program takes for success.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::flag;

/// What signals have asked for since the handlers were put in place.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    stop: Arc<AtomicBool>,
    counts: Arc<AtomicBool>,
}

impl Signals {
    /// Handles the signals that ask to stop. System calls that wait are restarted by the
    /// kernel (`SA_RESTART`), except poll(2) and its kin.
    ///
    /// # Errors
    /// The kernel refused a handler.
    pub fn new() -> io::Result<Self> {
        let signals = Self::default();
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // In this order: the first one only sets the flag.
            flag::register_conditional_default(signal, Arc::clone(&signals.stop))?;
            flag::register(signal, Arc::clone(&signals.stop))?;
        }
        // Not ignored: a command that we start would ignore it as well.
        flag::register(libc::SIGXFSZ, Arc::default())?;
        Ok(signals)
    }

    /// Handles SIGUSR1 too.
    ///
    /// # Errors
    /// The kernel refused the handler.
    pub fn with_counts(self) -> io::Result<Self> {
        flag::register(SIGUSR1, Arc::clone(&self.counts))?;
        Ok(self)
    }

    /// Whether we were asked to stop.
    pub fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether the counts were asked for since the last call.
    pub fn take_counts(&self) -> bool {
        self.counts.swap(false, Ordering::Relaxed)
    }
}
