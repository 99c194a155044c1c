//! Short grace periods of RCU, for the moment in which many programs are put on devices or taken off.
//!
//! Whoever changes the programs of a device waits until no processor uses the old ones any more: 10 ms
//! and more, if nobody asks for it to be soon (Documentation/RCU/checklist.rst of the kernel). It is
//! asked for through sysfs, for the whole machine, as the kernel does by itself while it boots: all
//! processors are interrupted, as whenever a device is configured. A machine on which that must not be
//! (`rcu_normal`) stays as it is.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::{pread, pwrite};

/// Of kernel/ksysfs.c: 1 for short ones.
pub const SWITCH: &str = "/sys/kernel/rcu_expedited";
/// `SYSFS_MAGIC` of linux/magic.h.
const SYSFS: u64 = 0x6265_6572;

/// The switch, for root, and where sysfs may be written to.
pub fn switch() -> Option<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::open(SWITCH, flags, Mode::empty()).ok()?;
    let kind = rustix::fs::fstatfs(&file).ok()?.f_type;
    (u64::try_from(kind) == Ok(SYSFS)).then_some(file)
}

/// Whether grace periods are short because of us.
#[derive(Debug, Default)]
pub struct Haste {
    is_ours: bool,
}

impl Haste {
    /// Nothing where they are short already, or `switch` is none.
    pub fn begin(&mut self, switch: impl AsFd) {
        let mut is = [0; 2];
        let asked = pread(&switch, &mut is, 0);
        if asked.is_ok() && is == *b"0\n" {
            self.is_ours = pwrite(&switch, b"1", 0).is_ok();
        }
    }

    /// As it was.
    pub fn end(&mut self, switch: impl AsFd) {
        if std::mem::take(&mut self.is_ours) {
            // What could be set can be unset.
            let _ = pwrite(&switch, b"0", 0);
        }
    }
}
