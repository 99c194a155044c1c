//! A packet as a format's reader hands it on: places and numbers, nothing borrowed.

use std::ops::Range;

use pktwho_packet::{Direction, Reception, Timestamp};

use crate::event::Form;
use crate::process_table::EntryId;

/// Where one packet lies in the input, and what the file says of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) time: Timestamp,
    /// Position in the reader's list of devices.
    pub(crate) iface: usize,
    /// Where the options lie in the input's buffer.
    pub(crate) options: Range<usize>,
    /// Time in units of the device.
    pub(crate) count: u64,
    pub(crate) form: Form,
    /// Numbers over the whole file of the process blocks that the options refer to.
    pub(crate) process: Option<u64>,
    pub(crate) other: Option<u64>,
    /// The captured bytes within the input's buffer.
    pub(crate) data: Range<usize>,
    pub(crate) orig_len: u32,
    pub(crate) direction: Direction,
    pub(crate) reception: Reception,
    pub(crate) sender: Option<EntryId>,
    pub(crate) receiver: Option<EntryId>,
}
