//! VTP: how Cisco switches share their list of VLANs.

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, HexBytes, HexFull, Visible, put};

const DOMAIN: usize = 32;
const HEADER: usize = 4 + DOMAIN;
const VLAN_HEADER: usize = 12;

static MESSAGES: &[(u8, &str)] = &[
    (1, "Summary advertisement"),
    (2, "Subset advertisement"),
    (3, "Advertisement request"),
    (4, "Join message"),
];

/// What the third byte of each message is.
static THIRD: &[(u8, &str)] = &[
    (1, "Followers"),
    (2, "Seq number"),
    (3, "Rsvd"),
    (4, "Rsvd"),
];

static VLAN_TYPES: &[(u8, &str)] = &[
    (1, "Ethernet"),
    (2, "FDDI"),
    (3, "TrCRF"),
    (4, "FDDI-net"),
    (5, "TrBRF"),
];

static TLVS: &[(u8, &str)] = &[
    (1, "Source-Routing Ring Number TLV"),
    (2, "Source-Routing Bridge Number TLV"),
    (3, "STP type TLV"),
    (4, "Parent VLAN TLV"),
    (5, "Translationally bridged VLANs TLV"),
    (6, "Pruning TLV"),
    (7, "Bridge Type TLV"),
    (8, "Max ARP Hop Count TLV"),
    (9, "Max STE Hop Count TLV"),
    (10, "Backup CRF Mode TLV"),
];

/// A VTP packet of `length` bytes.
pub(crate) fn vtp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "vtp";
    let whole = Cursor::new(c.rest());
    if message(p, whole, length)? {
        return Ok(());
    }
    p.invalid();
    whole.need(length)
}

/// `false` if the packet contradicts itself.
fn message(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    put!(p, "VTP");
    if length < HEADER {
        put!(p, " [length ", length, " < ", HEADER, "]");
        return Ok(false);
    }
    let version = c.u8()?;
    if version > 3 {
        put!(p, " [version ", version, " > 3]");
        return Ok(false);
    }
    let kind = c.u8()?;
    put!(p, "v", version, ", Message ");
    put!(p, lookup(MESSAGES, kind).unwrap_or("Unknown message type"));
    put!(p, " (0x", HexFull(kind), "), length ", length);
    if !p.verbose(1) {
        return Ok(true);
    }
    let third = c.u8()?;
    let domain = usize::from(c.u8()?);
    if !(1..=DOMAIN).contains(&domain) {
        put!(p, " [invalid MgmtD Len ", domain, "]");
        return Ok(false);
    }
    put!(
        p,
        "\n\tDomain name: ",
        Visible::until_zero(c.limit(domain).rest())
    );
    c.need(domain)?;
    put!(
        p,
        ", ",
        lookup(THIRD, kind).unwrap_or("Unknown"),
        ": ",
        third
    );
    c.skip(DOMAIN)?;
    match kind {
        1 => summary(p, c).map(|()| true),
        2 => {
            put!(p, ", Config Rev ", Hex(c.u32()?));
            vlans(p, c, length - HEADER - 4)
        }
        3 => {
            put!(p, "\n\tStart value: ", c.u32()?);
            Ok(true)
        }
        _ => Ok(true),
    }
}

fn summary(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    put!(p, "\n\t  Config Rev ", Hex(c.u32()?));
    put!(p, ", Updater ", Ipv4Addr::from(c.u32()?));
    let times = (c.u32()?, c.u32()?, c.u32()?);
    put!(
        p,
        ", Timestamp 0x",
        HexFull(times.0),
        " 0x",
        HexFull(times.1),
        " 0x",
        HexFull(times.2)
    );
    put!(p, ", MD5 digest: ", HexBytes(&c.array::<16>()?));
    Ok(())
}

fn vlans(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Result<bool, Truncated> {
    let mut left = length;
    while left > 0 {
        let stated = usize::from(c.u8()?);
        if stated == 0 || stated > left || stated < VLAN_HEADER {
            return Ok(false);
        }
        c.need(stated - 1)?;
        let info = c.sub(stated - 1)?;
        if !vlan(p, info)? {
            return Ok(false);
        }
        left -= stated;
    }
    Ok(true)
}

fn vlan(p: &mut Out<'_>, mut c: Cursor<'_>) -> Result<bool, Truncated> {
    let status = match c.u8()? {
        0 => "Operational",
        1 => "Suspended",
        _ => "Unknown",
    };
    let kind = c.u8()?;
    let name = usize::from(c.u8()?);
    put!(
        p,
        "\n\tVLAN info status ",
        status,
        ", type ",
        lookup(VLAN_TYPES, kind).unwrap_or("Unknown")
    );
    put!(
        p,
        ", VLAN-id ",
        c.u16()?,
        ", MTU ",
        c.u16()?,
        ", SAID 0x",
        HexFull(c.u32()?),
        ", Name "
    );
    let padded = name.next_multiple_of(4);
    if padded > c.remaining() {
        return Ok(false);
    }
    put!(p, Visible::until_zero(c.limit(name).rest()));
    c.skip(padded)?;
    while !c.is_empty() {
        if !tlv(p, &mut c)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A type, a length in words of two bytes, and so many words.
fn tlv(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<bool, Truncated> {
    if c.remaining() < 2 {
        return Ok(false);
    }
    let whole = *c;
    let (kind, words) = (c.u8()?, usize::from(c.u8()?));
    let name = lookup(TLVS, kind).unwrap_or("Unknown");
    put!(p, "\n\t\t", name, " (0x00", HexFull(kind), ") TLV");
    if words * 2 > c.remaining() {
        put!(p, " (TLV goes past the end of the packet)");
        return Ok(false);
    }
    if words != 1 && matches!(kind, 1..=10) {
        put!(p, " (invalid TLV length ", words, " != 1)");
        return Ok(false);
    }
    let mut value = c.sub(words * 2)?;
    let choice = |value: u16| match (kind, value) {
        (3, 1) | (7, 0 | 2..) => "SRT",
        (3, 2) | (7, 1) => "SRB",
        (3, 3) => "Auto",
        (3, _) => "Unknown",
        (6, 1) => "Enabled",
        (6, _) => "Disabled",
        (_, 1) => "Backup",
        _ => "Not backup",
    };
    match kind {
        9 => put!(p, ", ", value.u16()?),
        3 | 6 | 7 | 10 => {
            let value = value.u16()?;
            put!(p, ", ", choice(value), " (", value, ")");
        }
        _ => hexdump::hex(p, "\n\t\t  ", whole.limit(2 + words * 2).rest()),
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
            "01000ccccccc0200000000010050aaaa0300000c2003020101034142430000000000000000000000000000000000000000000000000000000000000000070a00000131313131313131313131313100000000000000000000000000000000",
            style(1),
            "VTPv2, Message Summary advertisement (0x01), length 72\n\tDomain name: ABC, Followers: 1\n\t  Config Rev 7, Updater 10.0.0.1, Timestamp 0x31313131 0x31313131 0x31313131, MD5 digest: 00000000000000000000000000000000\n",
        );
    }
}
