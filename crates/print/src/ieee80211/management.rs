//! Bodies of management frames.

use pktwho_wire::{Cursor, Truncated};

use super::table::{LAST_STATUS, REASONS, STATUSES};
use super::{Control, encrypted};
use crate::out::{Out, Printed, lookup, named};
use crate::put::{Fixed, Hex, Pairs, Visible, put};

const PRIVACY: u16 = 0x10;
const ESS: u16 = 1;

static SUBTYPES: &[(u16, &str)] = &[
    (0, "Assoc Request"),
    (1, "Assoc Response"),
    (2, "ReAssoc Request"),
    (3, "ReAssoc Response"),
    (4, "Probe Request"),
    (5, "Probe Response"),
    (8, "Beacon"),
    (9, "ATIM"),
    (10, "Disassociation"),
    (11, "Authentication"),
    (12, "DeAuthentication"),
    (13, "Action"),
];

static ALGORITHMS: &[(u16, &str)] = &[(0, "Open System"), (1, "Shared Key"), (2, "EAP")];

static CATEGORIES: &[(u8, &str)] = &[
    (0, "Spectrum Management "),
    (1, "QoS "),
    (2, "DLS "),
    (BLOCK_ACK, "BA "),
    (HT, "HT "),
    (MESH, "MeshAction "),
    (MULTIHOP, "MultiohopAction "),
    (SELF_PROTECTED, "SelfprotectAction "),
    (127, "Vendor "),
];

const BLOCK_ACK: u8 = 3;
const HT: u8 = 7;
const MESH: u8 = 13;
const MULTIHOP: u8 = 14;
const SELF_PROTECTED: u8 = 15;

static ACTIONS: &[((u8, u8), &str)] = &[
    ((BLOCK_ACK, 0), "ADDBA Request"),
    ((BLOCK_ACK, 1), "ADDBA Response"),
    ((BLOCK_ACK, 2), "DELBA"),
    ((HT, 0), "TxChWidth"),
    ((HT, 1), "MIMOPwrSave"),
    ((MESH, 0), "MeshLink"),
    ((MESH, 1), "HWMP"),
    ((MESH, 2), "Gate Announcement"),
    ((MESH, 3), "Congestion Control"),
    ((MESH, 4), "MCCA Setup Request"),
    ((MESH, 5), "MCCA Setup Reply"),
    ((MESH, 6), "MCCA Advertisement Request"),
    ((MESH, 7), "MCCA Advertisement"),
    ((MESH, 8), "MCCA Teardown"),
    ((MESH, 9), "TBTT Adjustment Request"),
    ((MESH, 10), "TBTT Adjustment Response"),
    ((MULTIHOP, 0), "Proxy Update"),
    ((MULTIHOP, 1), "Proxy Update Confirmation"),
    ((SELF_PROTECTED, 1), "Peering Open"),
    ((SELF_PROTECTED, 2), "Peering Confirm"),
    ((SELF_PROTECTED, 3), "Peering Close"),
    ((SELF_PROTECTED, 4), "Group Key Inform"),
    ((SELF_PROTECTED, 5), "Group Key Acknowledge"),
];

/// What is inside a management frame that `source` sent.
pub(super) fn body(
    p: &mut Out<'_>,
    c: Cursor<'_>,
    length: usize,
    control: Control,
    source: [u8; 6],
) -> Printed {
    let subtype = control.subtype();
    let Some(name) = lookup(SUBTYPES, subtype) else {
        put!(p, "Unhandled Management subtype(", Hex(subtype), ")");
        return Ok(());
    };
    put!(p, name);
    if control.protected() {
        return encrypted(p, c);
    }
    let mut c = c;
    match subtype {
        0 | 2 => association_request(p, c, length, subtype == 2),
        1 | 3 => association_response(p, c, length),
        4 => {
            let (elements, read) = Elements::read(&mut c, length);
            elements.name(p);
            elements.rates(p);
            read
        }
        5 | 8 => beacon(p, c, length, subtype == 8),
        9 => Ok(()),
        10 => {
            put!(p, ": ", reason(c.u16_le()?));
            Ok(())
        }
        11 => authentication(p, c, length),
        12 => {
            let reason = reason(c.u16_le()?);
            sender(p, source);
            put!(p, ": ", reason);
            Ok(())
        }
        _ => {
            let (category, action) = (c.u8()?, c.u8()?);
            sender(p, source);
            act(p, category, action);
            Ok(())
        }
    }
}

/// Who sent it, where `-e` has not said so.
fn sender(p: &mut Out<'_>, source: [u8; 6]) {
    if !p.style.link {
        put!(p, " (", Pairs(&source, ':'), ")");
    }
}

fn act(p: &mut Out<'_>, category: u8, action: u8) {
    put!(p, ": ");
    match lookup(CATEGORIES, category) {
        Some(name) => put!(p, name),
        None => put!(p, "Reserved(", category, ") "),
    }
    match lookup(ACTIONS, (category, action)) {
        Some(name) => put!(p, name),
        None => put!(p, "Act#", action),
    }
}

fn reason(code: u16) -> &'static str {
    named(REASONS, code, "Reserved")
}

fn status(code: u16) -> &'static str {
    if code >= LAST_STATUS {
        return "n/a";
    }
    named(STATUSES, code, "Reserved")
}

fn association_request(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, again: bool) -> Printed {
    c.skip(4)?;
    let point = if again { Some(c.array::<6>()?) } else { None };
    let (elements, read) = Elements::read(&mut c, length);
    elements.name(p);
    match point {
        Some(point) => put!(p, " AP : ", Pairs(&point, ':')),
        None => elements.rates(p),
    }
    read
}

fn association_response(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let (capabilities, code, id) = (c.u16_le()?, c.u16_le()?, c.u16_le()?);
    let (_, read) = Elements::read(&mut c, length);
    put!(p, " AID(", Hex(id & 0x3fff), ") :");
    put!(
        p,
        if capabilities & PRIVACY == 0 {
            ""
        } else {
            " PRIVACY "
        }
    );
    put!(p, ": ", status(code));
    read
}

/// A beacon, or the answer to a probe.
fn beacon(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, beacon: bool) -> Printed {
    c.need(12)?;
    c.skip(10)?;
    let capabilities = c.u16_le()?;
    let (elements, read) = Elements::read(&mut c, length);
    elements.name(p);
    elements.rates(p);
    if beacon {
        put!(
            p,
            if capabilities & ESS == 0 {
                " IBSS"
            } else {
                " ESS"
            }
        );
    }
    if let Some(channel) = elements.channel {
        put!(p, " CH: ", channel);
    }
    if capabilities & PRIVACY != 0 {
        put!(p, ", PRIVACY");
    }
    if let Some(mesh) = elements.mesh {
        put!(p, " (MESHID: ", Visible(mesh), ")");
    }
    read
}

fn authentication(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let (algorithm, sequence, code) = (c.u16_le()?, c.u16_le()?, c.u16_le()?);
    let (_, read) = Elements::read(&mut c, length);
    let name = named(ALGORITHMS, algorithm, "Reserved");
    put!(p, " (", name, ")-", Hex(sequence));
    let verdict = if sequence % 2 == 1 { status(code) } else { "" };
    if algorithm == 1 && matches!(sequence, 2 | 3) {
        put!(p, " [Challenge Text] ", verdict);
    } else {
        put!(p, ": ", verdict);
    }
    read
}

/// The elements that are shown, the first of each kind.
#[derive(Default)]
struct Elements<'a> {
    name: Option<&'a [u8]>,
    rates: Option<&'a [u8]>,
    channel: Option<u8>,
    mesh: Option<&'a [u8]>,
}

impl<'a> Elements<'a> {
    /// What was found in a body of `length` bytes, of which `c` has read some, and whether it
    /// ended in the middle of an element.
    fn read(c: &mut Cursor<'a>, length: usize) -> (Self, Printed) {
        let mut found = Self::default();
        let read = found.collect(c, length.saturating_sub(c.position()));
        (found, read)
    }

    fn collect(&mut self, c: &mut Cursor<'a>, mut left: usize) -> Result<(), Truncated> {
        const LONGEST_NAME: usize = 32;
        const MOST_RATES: usize = 16;
        while left > 0 {
            let (kind, size) = (c.u8()?, usize::from(c.u8()?));
            left = left.checked_sub(2 + size).ok_or(Truncated)?;
            let mut value = c.sub(size)?;
            match kind {
                0 | 114 if size > LONGEST_NAME => return Err(Truncated),
                1 if size > MOST_RATES => return Err(Truncated),
                0 => self.name = self.name.or(Some(value.rest())),
                1 if size > 0 => self.rates = self.rates.or(Some(value.rest())),
                3 if size == 1 => self.channel = self.channel.or(value.u8().ok()),
                114 if size > 0 => self.mesh = self.mesh.or(Some(value.rest())),
                _ => {}
            }
        }
        Ok(())
    }

    fn name(&self, p: &mut Out<'_>) {
        if let Some(name) = self.name {
            put!(p, " (", Visible::until_zero(name), ")");
        }
    }

    fn rates(&self, p: &mut Out<'_>) {
        let Some(rates) = self.rates else {
            return;
        };
        let mut before = " [";
        for &rate in rates {
            put!(p, before, Fixed(f64::from(rate & 0x7f) / 2.0, 1));
            if rate & 0x80 != 0 {
                put!(p, "*");
            }
            before = " ";
        }
        put!(p, " Mbit]");
    }
}
