//! Bluetooth between host and controller, behind a direction: its bytes.

use pktwho_wire::Cursor;

use crate::out::{Out, Printed};
use crate::put::put;

const HEADER: usize = 4;

/// `LINKTYPE_BLUETOOTH_HCI_H4_WITH_PHDR`.
pub(crate) fn h4(p: &mut Out<'_>, mut c: Cursor<'_>, wire: usize) -> Printed {
    p.protocol = "bluetooth";
    put!(p, "bluetooth");
    let direction = c.u32()?;
    p.link_len = HEADER;
    if p.style.link {
        let direction = if direction & 1 == 0 { "out" } else { "in" };
        let length = wire.saturating_sub(HEADER);
        put!(p, ", hci length ", length, ", direction ", direction);
    }
    if !p.style.quiet {
        p.unknown(c.rest());
    }
    Ok(())
}
