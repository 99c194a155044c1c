//! Numbers that several readers share, so that what they give can be told apart.

use std::cell::Cell;
use std::rc::Rc;

/// Where readers of files that are merged take the numbers of their devices and the serials of
/// their processes from. A clone counts on with the original.
#[derive(Clone, Debug, Default)]
pub struct Numbers(Rc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    ifaces: Cell<u32>,
    serials: Cell<u64>,
}

impl Numbers {
    pub(crate) fn next_iface(&self) -> u32 {
        let number = self.0.ifaces.get();
        self.0.ifaces.set(number.saturating_add(1));
        number
    }

    /// At least 1.
    pub(crate) fn next_serial(&self) -> u64 {
        let serial = self.0.serials.get() + 1;
        self.0.serials.set(serial);
        serial
    }
}
