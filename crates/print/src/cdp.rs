//! CDP: what Cisco devices tell their neighbours (Cisco's description of the protocol).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed, bits, lookup};
use crate::put::{HexFull, Visible, put};

const DEVICE_ID: u16 = 1;

static TYPES: &[(u16, &str)] = &[
    (DEVICE_ID, "Device-ID"),
    (0x02, "Address"),
    (0x03, "Port-ID"),
    (0x04, "Capability"),
    (0x05, "Version String"),
    (0x06, "Platform"),
    (0x07, "Prefixes"),
    (0x08, "Protocol-Hello option"),
    (0x09, "VTP Management Domain"),
    (0x0a, "Native VLAN ID"),
    (0x0b, "Duplex"),
    (0x0e, "ATA-186 VoIP VLAN assignment"),
    (0x0f, "ATA-186 VoIP VLAN request"),
    (0x10, "power consumption"),
    (0x11, "MTU"),
    (0x12, "AVVID trust bitmap"),
    (0x13, "AVVID untrusted ports CoS"),
    (0x14, "System Name"),
    (0x15, "System Object ID (not decoded)"),
    (0x16, "Management Addresses"),
    (0x17, "Physical Location"),
    (0x19, "Power requested"),
    (0x1a, "Power available"),
];

static CAPABILITIES: &[(u32, &str)] = &[
    (0x01, "Router"),
    (0x02, "Transparent Bridge"),
    (0x04, "Source Route Bridge"),
    (0x08, "L2 Switch"),
    (0x10, "L3 capable"),
    (0x20, "IGMP snooping"),
    (0x40, "L1 capable"),
];

/// A CDP packet of `length` bytes.
pub(crate) fn cdp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "cdp";
    let mut c = Cursor::new(c.rest());
    if length < 4 {
        put!(p, " (packet length ", length, " < 4)");
        p.invalid();
        return Ok(());
    }
    put!(p, "CDPv", c.u8()?, ", ttl: ", c.u8()?, "s");
    let checksum = c.u16()?;
    if p.verbose(1) {
        put!(
            p,
            ", checksum: 0x",
            HexFull(checksum),
            " (unverified), length ",
            length
        );
    }
    let mut left = length - 4;
    while left > 0 {
        if left < 4 {
            put!(p, " (remaining packet length ", left, " < 4)");
            p.invalid();
            return Ok(());
        }
        let kind = c.u16()?;
        let stated = usize::from(c.u16()?);
        if !tlv(p, &mut c, kind, stated, left)? {
            p.invalid();
            return Ok(());
        }
        left -= stated;
    }
    if !p.verbose(1) {
        put!(p, ", length ", length);
    }
    Ok(())
}

/// A TLV whose type and length were read; `false` if its length cannot be.
fn tlv(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    kind: u16,
    stated: usize,
    left: usize,
) -> Result<bool, Truncated> {
    let name = lookup(TYPES, kind).unwrap_or("unknown field type");
    if stated < 4 {
        if p.verbose(1) {
            put!(
                p,
                "\n\t",
                name,
                " (0x",
                HexFull(kind),
                "), TLV length: ",
                stated
            );
            put!(p, " byte", plural(stated), " (too short)");
        } else {
            put!(
                p,
                ", ",
                name,
                " (0x",
                HexFull(kind),
                ") TLV length ",
                stated,
                " too short"
            );
        }
        return Ok(false);
    }
    if stated > left {
        put!(p, " (TLV length ", stated, " > ", left, ")");
        return Ok(false);
    }
    let length = stated - 4;
    if p.verbose(1) {
        put!(
            p,
            "\n\t",
            name,
            " (0x",
            HexFull(kind),
            "), value length: ",
            length
        );
        put!(p, " byte", plural(length), ": ");
        let value = Cursor::new(c.limit(length).rest());
        if !show(p, kind, value, length)? {
            put!(p, " (malformed TLV)");
            hexdump::hex(p, "\n\t  ", value.rest());
        }
    } else if kind == DEVICE_ID {
        put!(p, ", Device-ID ");
        text(p, *c, length)?;
    }
    c.skip(length)?;
    Ok(true)
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// A TLV's value; `false` if it has not the length that its type wants.
fn show(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    match (kind, length) {
        (DEVICE_ID | 3 | 6 | 9 | 0x14, _) => text(p, c, length)?,
        (2 | 0x16, _) => return addresses(p, c, length),
        (4, 4) => {
            let value = c.u32()?;
            put!(p, "(0x", HexFull(value), "): ");
            bits(p, CAPABILITIES, value, ", ", "none");
        }
        (5, _) => version(p, c, length)?,
        (7, _) => prefixes(p, c, length)?,
        (10 | 0x10 | 0x11, _) if length == if kind == 0x11 { 4 } else { 2 } => match kind {
            10 => put!(p, c.u16()?),
            // Watts with a fraction.
            0x10 => power(p, c.u16()?),
            _ => put!(p, c.u32()?, " bytes"),
        },
        (11, 1) => put!(p, if c.u8()? == 0 { "half" } else { "full" }),
        (0x0e | 0x0f, 3) => put!(p, "app ", c.u8()?, ", vlan ", c.u16()?),
        // Without a VLAN, what is asked for is not said.
        (0x0e | 0x0f, 1) => put!(p, "app ", c.u8()?),
        (0x12 | 0x13, 1) => put!(p, "0x", HexFull(c.u8()?)),
        (0x17, 1..) => {
            let place = c.u8()?;
            put!(p, "0x", HexFull(place));
            if length > 1 {
                put!(p, "/", Visible(c.rest()));
                c.need(length - 1)?;
            }
        }
        (0x19 | 0x1a, 8..) if length.is_multiple_of(4) => powers(p, kind, c)?,
        (8 | 0x15, _) => c.need(length)?,
        (4 | 10 | 11 | 0x0e..=0x13 | 0x17 | 0x19 | 0x1a, _) => return Ok(false),
        _ => {
            hexdump::hex(p, "\n\t  ", c.rest());
            c.need(length)?;
        }
    }
    Ok(true)
}

fn text(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    put!(p, "'", Visible(c.limit(length).rest()));
    c.need(length)?;
    put!(p, "'");
    Ok(())
}

/// Several lines of text, each in a line of its own.
fn version(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    put!(p, "\n\t  ");
    for &byte in c.limit(length).rest() {
        match byte {
            b'\n' => put!(p, "\n\t  "),
            _ => put!(p, Visible(&[byte])),
        }
    }
    c.need(length)
}

/// Milliwatts as watts with two digits, halves to the even neighbour of what a float holds.
fn power(p: &mut Out<'_>, milliwatts: u16) {
    let (hundredths, rest) = (u32::from(milliwatts) / 10, milliwatts % 10);
    let hundredths = hundredths + u32::from(rest >= 5);
    put!(p, hundredths / 100, ".");
    put!(p, crate::put::Zeros(u64::from(hundredths % 100), 2), "W");
}

fn powers(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>) -> Printed {
    put!(p, "reqid ", c.u16()?, ", mgmtid ", c.u16()?);
    put!(
        p,
        if kind == 0x19 {
            ", pwrreq"
        } else {
            ", pwravail"
        }
    );
    while !c.is_empty() {
        put!(p, " ", c.u32()?, " mW");
    }
    Ok(())
}

fn prefixes(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    if !length.is_multiple_of(5) {
        put!(p, " [length ", length, " is not a multiple of 5]");
        return Ok(());
    }
    put!(p, " IPv4 Prefixes (", length / 5, "):");
    for _ in 0..length / 5 {
        let (address, bits) = (c.u32()?, c.u8()?);
        put!(p, " ", Ipv4Addr::from(address), "/", bits);
    }
    Ok(())
}

/// A count and so many addresses, each with the number of its protocol.
fn addresses(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    /// LLC and SNAP of IPv6.
    const IPV6: &[u8] = &[0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd];
    let mut left = length;
    if left < 4 {
        put!(p, " (not enough space for num)");
        return Ok(false);
    }
    let mut count = c.u32()?;
    left -= 4;
    while left > 0 && count > 0 {
        if left < 2 {
            put!(p, " (not enough space for PT+PL)");
            return Ok(false);
        }
        let (kind, size) = (c.u8()?, usize::from(c.u8()?));
        left -= 2;
        if left < size + 2 {
            put!(p, " (not enough space for P+AL)");
            return Ok(false);
        }
        let protocol = c.take(size)?;
        let address = usize::from(c.u16()?);
        left -= size + 2;
        if left < address {
            put!(p, " (not enough space for A)");
            return Ok(false);
        }
        let value = c.limit(address);
        match (kind, protocol, address) {
            (1, [0xcc], 4) => {
                put!(p, "IPv4 (", count, ") ", Ipv4Addr::from({ value }.u32()?));
            }
            (2, IPV6, 16) => {
                put!(p, "IPv6 (", count, ") ", Ipv6Addr::from({ value }.u128()?));
            }
            _ => {
                put!(p, "pt=0x", HexFull(kind), ", pl=", size, ", pb=");
                for byte in protocol {
                    put!(p, " ", HexFull(*byte));
                }
                put!(p, ", al=", address, ", a=");
                for byte in value.rest() {
                    put!(p, " ", HexFull(*byte));
                }
            }
        }
        c.skip(address)?;
        left -= address;
        count -= 1;
    }
    if left > 0 {
        put!(p, " (", left, " bytes of stray data)");
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
            "01000ccccccc0200000000010025aaaa0300000c200002b41234000100065331000a00060001000b0005010004000800000028",
            style(1),
            "CDPv2, ttl: 180s, checksum: 0x1234 (unverified), length 29\n\tDevice-ID (0x0001), value length: 2 bytes: 'S1'\n\tNative VLAN ID (0x000a), value length: 2 bytes: 1\n\tDuplex (0x000b), value length: 1 byte: full\n\tCapability (0x0004), value length: 4 bytes: (0x00000028): L2 Switch, IGMP snooping\n",
        );
    }
}
