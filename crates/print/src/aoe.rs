//! ATA over Ethernet (`AoEr11`, the protocol definition of Coraid).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, bits, lookup};
use crate::put::{HexFull, Visible, put};

static FLAGS: &[(u32, &str)] = &[
    (0x08, "Response"),
    (0x04, "Error"),
    (0x02, "MBZ-1"),
    (0x01, "MBZ-0"),
];

static ERRORS: &[(u8, &str)] = &[
    (1, "Unrecognized command code"),
    (2, "Bad argument parameter"),
    (3, "Device unavailable"),
    (4, "Config string present"),
    (5, "Unsupported version"),
    (6, "Target is reserved"),
];

static COMMANDS: &[(u8, &str)] = &[
    (0, "Issue ATA Command"),
    (1, "Query Config Information"),
    (2, "MAC Mask List"),
    (3, "Reserve/Release"),
];

static ATA_FLAGS: &[(u32, &str)] = &[
    (0x80, "MBZ-7"),
    (0x40, "Ext48"),
    (0x20, "MBZ-5"),
    (0x10, "Device"),
    (0x08, "MBZ-3"),
    (0x04, "MBZ-2"),
    (0x02, "Async"),
    (0x01, "Write"),
];

static CONFIG_COMMANDS: &[(u8, &str)] = &[
    (0, "read config string"),
    (1, "test config string"),
    (2, "test config string prefix"),
    (3, "set config string"),
    (4, "force set config string"),
];

static MASK_COMMANDS: &[(u8, &str)] = &[(0, "Read Mac Mask List"), (1, "Edit Mac Mask List")];
static MASK_ERRORS: &[(u8, &str)] = &[
    (1, "Unspecified Error"),
    (2, "Bad DCmd directive"),
    (3, "Mask list full"),
];
static DIRECTIVES: &[(u8, &str)] = &[
    (0, "No Directive"),
    (1, "Add mac address to mask list"),
    (2, "Delete mac address from mask list"),
];
static RESERVE_COMMANDS: &[(u8, &str)] = &[
    (0, "Read reserve list"),
    (1, "Set reserve list"),
    (2, "Force set reserve list"),
];

/// A frame of `length` bytes.
pub(crate) fn aoe(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "aoe";
    let mut c = Cursor::new(c.rest());
    put!(p, "AoE length ", length);
    if length < 10 {
        p.invalid();
        return Ok(());
    }
    let first = c.u8()?;
    put!(p, ", Ver ", first >> 4);
    if first >> 4 != 1 {
        return Ok(());
    }
    let flags = first & 15;
    put!(p, ", Flags: [");
    bits(p, FLAGS, u32::from(flags), ", ", "none");
    put!(p, "]");
    if !p.verbose(1) {
        return Ok(());
    }
    let error = c.u8()?;
    if flags & 4 != 0 {
        put!(p, "\n\tError: ");
        match lookup(ERRORS, error) {
            Some(name) => put!(p, name),
            None => put!(p, "Invalid (", error, ")"),
        }
    }
    put!(p, "\n\tMajor: 0x", HexFull(c.u16()?));
    put!(p, ", Minor: 0x", HexFull(c.u8()?));
    let command = c.u8()?;
    put!(p, ", Command: ");
    named(p, COMMANDS, command);
    put!(p, ", Tag: 0x", HexFull(c.u32()?));
    let left = length - 10;
    let valid = match command {
        0 => ata(p, c, left)?,
        1 => config(p, c, left)?,
        2 => masks(p, c, left)?,
        3 => reservations(p, c, left)?,
        _ => true,
    };
    if !valid {
        p.invalid();
    }
    Ok(())
}

fn named(p: &mut Out<'_>, table: &[(u8, &'static str)], code: u8) {
    match lookup(table, code) {
        Some(name) => put!(p, name),
        None => put!(p, "Unknown (0x", HexFull(code), ")"),
    }
}

fn ata(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    if length < 12 {
        return Ok(false);
    }
    let flags = c.u8()?;
    put!(p, "\n\tAFlags: [");
    bits(p, ATA_FLAGS, u32::from(flags), ", ", "none");
    put!(p, "]");
    put!(p, ", Err/Feature: ", c.u8()?);
    put!(p, ", Sector Count: ", c.u8()?);
    put!(p, ", Cmd/Status: ", c.u8()?);
    put!(p, "\n\tlba0: ", c.u8()?);
    for name in [", lba1: ", ", lba2: ", ", lba3: ", ", lba4: ", ", lba5: "] {
        put!(p, name, c.u8()?);
    }
    c.skip(2)?;
    if length > 12 {
        put!(p, "\n\tData: ", length - 12, " bytes");
    }
    Ok(true)
}

fn config(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    if length < 8 {
        return Ok(false);
    }
    put!(p, "\n\tBuffer Count: ", c.u16()?);
    put!(p, ", Firmware Version: ", c.u16()?);
    put!(p, ", Sector Count: ", c.u8()?);
    let command = c.u8()?;
    put!(p, ", AoE: ", command >> 4, ", CCmd: ");
    // compat: tcpdump 4.99.3 prints the format of the number, not the number.
    put!(
        p,
        lookup(CONFIG_COMMANDS, command & 15).unwrap_or("Unknown (0x02x)")
    );
    let string = usize::from(c.u16()?);
    if string > 1024 || string > length - 8 {
        return Ok(false);
    }
    if string > 0 {
        put!(p, "\n\tConfig String (length ", string, "): ");
        put!(p, Visible(c.limit(string).rest()));
        c.need(string)?;
    }
    Ok(true)
}

fn masks(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    if length < 4 {
        return Ok(false);
    }
    c.skip(1)?;
    let command = c.u8()?;
    put!(p, "\n\tMCmd: ");
    named(p, MASK_COMMANDS, command);
    let error = c.u8()?;
    put!(p, ", MError: ");
    named(p, MASK_ERRORS, error);
    let count = c.u8()?;
    put!(p, ", Dir Count: ", count);
    if usize::from(count) * 8 > length - 4 {
        return Ok(false);
    }
    for _ in 0..count {
        c.skip(1)?;
        let directive = c.u8()?;
        put!(p, "\n\t DCmd: ");
        named(p, DIRECTIVES, directive);
        let mac = c.array()?;
        put!(p, ", Ethernet Address: ");
        p.mac(mac);
    }
    Ok(true)
}

fn reservations(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    if length < 2 || !(length - 2).is_multiple_of(6) {
        return Ok(false);
    }
    let command = c.u8()?;
    put!(p, "\n\tRCmd: ");
    named(p, RESERVE_COMMANDS, command);
    let count = c.u8()?;
    put!(p, ", NMacs: ", count);
    if usize::from(count) * 6 != length - 2 {
        return Ok(false);
    }
    for n in 0..count {
        let mac = c.array()?;
        put!(p, "\n\tEthernet Address ", n, ": ");
        p.mac(mac);
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(1),
            "02000000000202000000000188a2180012345601000000010002000304100003616263",
            style(1),
            "AoE length 21, Ver 1, Flags: [Response]\n\tMajor: 0x1234, Minor: 0x56, Command: Query Config Information, Tag: 0x00000001\n\tBuffer Count: 2, Firmware Version: 3, Sector Count: 4, AoE: 1, CCmd: read config string\n\tConfig String (length 3): abc\n",
        );
    }
}
