//! TCP/IP headers as Van Jacobson compresses them (RFC 1144 section 3.2): what changed since the
//! connection's last packet.

use pktwho_wire::{Cursor, Truncated};

use super::OUT;
use crate::out::{Out, Printed};
use crate::put::put;

/// Bits of a header's first byte (appendix A.1).
const CONNECTION: u8 = 0x40;
const IDENTIFICATION: u8 = 0x20;
const SEQUENCE: u8 = 0x08;
const ACKNOWLEDGEMENT: u8 = 0x04;
const WINDOW: u8 = 0x02;
const URGENT: u8 = 0x01;
/// Changes that stand for more frequent ones: echoed typing, and data in one direction.
const ECHOED: u8 = SEQUENCE | WINDOW | URGENT;
const ONE_WAY: u8 = SEQUENCE | ACKNOWLEDGEMENT | WINDOW | URGENT;

/// For each direction the connection that was last named, and how much each connection's last
/// packet carried.
#[derive(Debug)]
pub(crate) struct Connections {
    last: [u8; 2],
    lengths: [Box<[u32; 256]>; 2],
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            last: [0; 2],
            lengths: [Box::new([0; 256]), Box::new([0; 256])],
        }
    }
}

impl Connections {
    /// The latest packet of a connection carried so many bytes; the next one may leave out its
    /// number.
    pub(super) fn remember(&mut self, way: u8, connection: u8, length: u32) {
        let way = usize::from(way);
        if let Some(last) = self.last.get_mut(way) {
            *last = connection;
        }
        let lengths = self.lengths.get_mut(way);
        if let Some(kept) = lengths.and_then(|all| all.get_mut(usize::from(connection))) {
            *kept = length;
        }
    }

    fn last(&self, way: u8) -> u8 {
        self.last.get(usize::from(way)).copied().unwrap_or(0)
    }

    fn length(&self, way: u8, connection: u8) -> u32 {
        let lengths = self.lengths.get(usize::from(way));
        let kept = lengths.and_then(|all| all.get(usize::from(connection)));
        kept.copied().unwrap_or(0)
    }
}

/// A header; `length` says what its packet carries.
pub(super) fn header(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    way: u8,
    length: impl FnOnce() -> Result<u32, Truncated>,
) -> Printed {
    debug_assert!(way <= OUT);
    let start = c.position();
    let changes = c.u8()?;
    let connection = if changes & CONNECTION == 0 {
        put!(p, "ctcp *");
        p.past.memory().slip.last(way)
    } else {
        let connection = c.u8()?;
        put!(p, "ctcp ", connection);
        connection
    };
    // TCP's checksum.
    c.skip(2)?;
    let before = p.past.memory().slip.length(way, connection);
    match changes & ONE_WAY {
        ECHOED => put!(p, " *SA+", before),
        ONE_WAY => put!(p, " *S+", before),
        _ => fields(p, &mut c, changes)?,
    }
    if changes & IDENTIFICATION != 0 {
        put!(p, " I+", number(&mut c)?);
    }
    let length = length()?;
    p.past.memory().slip.remember(way, connection, length);
    put!(p, " ", length, " (", c.position() - start, "): ");
    Ok(())
}

fn fields(p: &mut Out<'_>, c: &mut Cursor<'_>, changes: u8) -> Printed {
    if changes & URGENT != 0 {
        put!(p, " U=", number(c)?);
    }
    if changes & WINDOW != 0 {
        let change = number(c)?.cast_signed();
        put!(p, if change < 0 { " W" } else { " W+" }, i32::from(change));
    }
    if changes & ACKNOWLEDGEMENT != 0 {
        put!(p, " A+", number(c)?);
    }
    if changes & SEQUENCE != 0 {
        put!(p, " S+", number(c)?);
    }
    Ok(())
}

/// A change: one byte, or a zero and two.
///
/// compat: tcpdump does not go past one that is a single byte, and reads it again (4.99.3).
fn number(c: &mut Cursor<'_>) -> Result<u16, Truncated> {
    let mut long = *c;
    match long.u8()? {
        0 => {
            *c = long;
            c.u16()
        }
        short => Ok(u16::from(short)),
    }
}
