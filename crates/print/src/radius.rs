//! RADIUS (RFC 2865 and those after it).

mod types;

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::Cursor;

use crate::eap;
use crate::hexdump;
use crate::ntp::{self, Time};
use crate::out::{Out, Printed, lookup, pass};
use crate::put::{HexBytes, HexFull, HexUpper, Visible, Zeros, put};
use crate::time::Calendar;
use types::{ATTRIBUTES, ERROR_CAUSES, Kind, VENDORS};

const HEADER: usize = 20;
/// RFC 2865 section 3.
const LONGEST: usize = 4096;

static CODES: &[(u8, &str)] = &[
    (1, "Access-Request"),
    (2, "Access-Accept"),
    (3, "Access-Reject"),
    (4, "Accounting-Request"),
    (5, "Accounting-Response"),
    (11, "Access-Challenge"),
    (12, "Status-Server"),
    (13, "Status-Client"),
    (40, "Disconnect-Request"),
    (41, "Disconnect-ACK"),
    (42, "Disconnect-NAK"),
    (43, "CoA-Request"),
    (44, "CoA-ACK"),
    (45, "CoA-NAK"),
    (255, "Reserved"),
];

static MIP_FEATURES: &[(u32, &str)] = &[
    (40, "PMIP6_SUPPORTED"),
    (41, "IP4_HOA_SUPPORTED"),
    (42, "LOCAL_MAG_ROUTING_SUPPORTED"),
    (43, "ASSIGN_LOCAL_IP"),
    (44, "MIP4_SUPPORTED"),
    (45, "OPTIMIZED_IDLE_MODE_MOBILITY"),
    (46, "GTPv2_SUPPORTED"),
    (47, "IP4_TRANSPORT_SUPPORTED"),
    (48, "IP4_HOA_ONLY_SUPPORTED"),
    (49, "INTER_MAG_ROUTING_SUPPORTED"),
];

/// A packet.
pub(crate) fn radius(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "radius";
    let mut c = c;
    put!(p, "RADIUS");
    if length < HEADER {
        return wrong_length(p, length, "<", HEADER);
    }
    let (code, id, stated) = (c.u8()?, c.u8()?, usize::from(c.u16()?));
    if stated < HEADER {
        return wrong_length(p, stated, "<", HEADER);
    }
    if stated > LONGEST {
        return wrong_length(p, stated, ">", LONGEST);
    }
    if stated > length {
        return wrong_length(p, stated, ">", length);
    }
    let length = stated;
    let authenticator = c.take(16)?;
    let name = lookup(CODES, code).unwrap_or("Unknown Command");
    if !p.verbose(1) {
        put!(p, ", ", name, " (", code, "), id: 0x", HexFull(id));
        put!(p, ", length: ", length);
        return Ok(());
    }
    put!(p, ", length: ", length, "\n\t", name, " (", code);
    put!(
        p,
        "), id: 0x",
        HexFull(id),
        ", Authenticator: ",
        HexBytes(authenticator)
    );
    if length > HEADER {
        attributes(p, c, length - HEADER)?;
    }
    Ok(())
}

fn attributes(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        if left < 2 {
            put!(p, " [remaining length ", left, " < 2]");
            p.invalid();
            return Ok(());
        }
        let (kind, size) = (c.u8()?, usize::from(c.u8()?));
        let known = ATTRIBUTES.get(usize::from(kind)).copied();
        let (name, how) = known.unwrap_or(("Unknown", Kind::Hidden));
        put!(p, "\n\t  ", name, " Attribute (", kind, "), length: ", size);
        if size < 2 {
            put!(p, " (bogus, must be >= 2)");
            return Ok(());
        }
        if size > left {
            put!(p, " (bogus, goes past end of packet)");
            return Ok(());
        }
        put!(p, ", Value: ");
        if size > 2 {
            value(p, how, c, size - 2)?;
        }
        if p.verbose(2) {
            hexdump::hex(p, "\n\t    ", c.limit(size - 2).rest());
        }
        pass(&mut c, size - 2);
        left -= size;
    }
    Ok(())
}

/// Says that a value's length is not the one its type has.
fn wrong_length(p: &mut Out<'_>, length: usize, relation: &str, right: usize) -> Printed {
    put!(p, " [length ", length, " ", relation, " ", right, "]");
    p.invalid();
    Ok(())
}

/// How an attribute's value must be long; `None` when any length is right.
fn right_length(kind: Kind, length: usize) -> Option<(&'static str, usize)> {
    let (relation, right, fine) = match kind {
        Kind::Number
        | Kind::Special(_)
        | Kind::Address
        | Kind::SpecialAddress
        | Kind::Seconds
        | Kind::Time
        | Kind::Named(_)
        | Kind::TaggedNamed(_)
        | Kind::TaggedNumber
        | Kind::Vlan
        | Kind::ErrorCause => ("!=", 4, length == 4),
        Kind::ArapPassword | Kind::Address6 => ("!=", 16, length == 16),
        Kind::ArapFeatures => ("!=", 14, length == 14),
        Kind::ArapResponse => ("!=", 8, length == 8),
        Kind::MipFeatures => ("!=", 8, length == 8),
        Kind::MipPrefix => ("!=", 17, length == 17),
        Kind::Prefix6 if length > 18 => (">", 18, false),
        Kind::Prefix6 | Kind::OperatorName => ("<", 2, length >= 2),
        Kind::LocationInformation => ("<", 21, length >= 21),
        Kind::LocationData => ("<", 3, length >= 3),
        Kind::LocationPolicy => ("<", 10, length >= 10),
        _ => return None,
    };
    (!fine).then_some((relation, right))
}

fn value(p: &mut Out<'_>, kind: Kind, c: Cursor<'_>, length: usize) -> Printed {
    if let Some((relation, right)) = right_length(kind, length) {
        return wrong_length(p, length, relation, right);
    }
    let mut c = c.limit(length);
    match kind {
        Kind::Hidden => {}
        Kind::Text => text(p, c, length)?,
        Kind::Number => put!(p, c.u32()?),
        Kind::Address => put!(p, Ipv4Addr::from(c.u32()?)),
        Kind::Special(table) => {
            let number = c.u32()?;
            match lookup(table, number) {
                Some(name) => put!(p, name),
                None => put!(p, number),
            }
        }
        Kind::SpecialAddress => match c.u32()? {
            u32::MAX => put!(p, "User Selected"),
            0xffff_fffe => put!(p, "NAS Select"),
            address => put!(p, Ipv4Addr::from(address)),
        },
        Kind::Seconds => seconds(p, c.u32()?),
        Kind::Time => put!(p, Calendar(i64::from(c.u32()?))),
        Kind::Named(table) => named(p, table, c.u32()?),
        Kind::TaggedNamed(table) => {
            let (tag, number) = (c.u8()?, c.u24()?);
            tagged(p, tag);
            named(p, table, number);
        }
        Kind::TaggedNumber => {
            let (tag, number) = (c.u8()?, c.u24()?);
            tagged(p, tag);
            put!(p, number);
        }
        Kind::TaggedText => tagged_text(p, c, length)?,
        Kind::TunnelPassword => {
            let (tag, salt) = (c.u8()?, c.u16()?);
            tagged(p, tag);
            put!(p, "Salt ", salt, " ");
            dotted(p, c.rest());
            c.need(length - 3)?;
        }
        Kind::Vendor => vendor(p, c, length)?,
        Kind::ArapPassword => {
            put!(p, "User_challenge (");
            upper(p, c.take(8)?);
            put!(p, ") User_resp(");
            upper(p, c.take(8)?);
            put!(p, ")");
        }
        Kind::ArapFeatures => arap_features(p, c)?,
        Kind::ArapResponse => put!(p, HexBytes(c.take(8)?)),
        Kind::Eap => eap_message(p, c, length)?,
        Kind::Address6 => put!(p, Ipv6Addr::from(c.u128()?)),
        Kind::Prefix6 => {
            c.skip(1)?;
            prefix(p, c, length - 1)?;
        }
        Kind::MipPrefix => prefix(p, c, length)?,
        Kind::ErrorCause => {
            let cause = c.u32()?;
            put!(p, "Error cause ", cause, ": ");
            match lookup(ERROR_CAUSES, cause) {
                Some(name) => put!(p, name),
                None => put!(p, "Error-Cause ", cause, " not known"),
            }
        }
        Kind::MipFeatures => mip_features(p, c.u64()?),
        Kind::OperatorName => operator(p, c, length)?,
        Kind::LocationInformation => location_information(p, c, length)?,
        Kind::LocationData => {
            put!(p, "index ", c.u16()?, ", location");
            hexdump::hex_ascii(p, "\n\t    ", c.rest());
            c.need(length - 2)?;
        }
        Kind::Vlan => {
            vlan_tag(p, c.u8()?);
            put!(p, c.u24()?);
        }
        Kind::VlanName => {
            c.need(length)?;
            vlan_tag(p, c.u8()?);
            dotted(p, c.rest());
        }
        Kind::LocationPolicy => location_policy(p, c, length)?,
    }
    Ok(())
}

/// Text up to a zero; bytes that are no printable ASCII become dots.
fn dotted(p: &mut Out<'_>, bytes: &[u8]) {
    let shown = |&byte: &u8| match byte {
        b' '..=b'~' => byte,
        _ => b'.',
    };
    let text = bytes.iter().take_while(|&&byte| byte != 0);
    p.out.extend(text.map(shown));
}

fn text(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    c.need(length)?;
    dotted(p, c.rest());
    Ok(())
}

fn named(p: &mut Out<'_>, table: &[(u32, &'static str)], number: u32) {
    match lookup(table, number) {
        Some(name) => put!(p, name),
        None => put!(p, "#", number),
    }
}

fn tagged(p: &mut Out<'_>, tag: u8) {
    match tag {
        0 => put!(p, "Tag[Unused] "),
        tag => put!(p, "Tag[", tag, "] "),
    }
}

/// RFC 4675 section 2.1.
fn vlan_tag(p: &mut Out<'_>, tag: u8) {
    put!(
        p,
        match tag {
            0x31 => "Tagged",
            0x32 => "Untagged",
            _ => "Unknown tag",
        }
    );
    put!(p, " (0x", HexFull(tag), ") ");
}

/// A text whose first byte may be a tag (RFC 2868 section 3).
fn tagged_text(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    c.need(length)?;
    if c.rest().first().is_some_and(|&byte| byte <= 0x1f) {
        tagged(p, c.u8()?);
    }
    dotted(p, c.rest());
    Ok(())
}

fn seconds(p: &mut Out<'_>, time: u32) {
    let (hours, minutes, rest) = (time / 3600, time / 60 % 60, time % 60);
    let two = |n: u32| Zeros(u64::from(n), 2);
    match (hours, minutes) {
        (0, 0) => put!(p, two(rest), " secs"),
        (0, _) => put!(p, two(minutes), ":", two(rest), " min"),
        _ => put!(p, two(hours), ":", two(minutes), ":", two(rest), " hours"),
    }
}

fn upper(p: &mut Out<'_>, bytes: &[u8]) {
    for &byte in bytes {
        put!(p, HexUpper(byte));
    }
}

fn arap_features(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    put!(
        p,
        match c.u8()? {
            0 => "User cannot change password",
            _ => "User can change password",
        }
    );
    put!(p, ", Min password length: ", c.u8()?, ", created at: ");
    upper(p, c.take(4)?);
    put!(p, ", expires in: ");
    upper(p, c.take(4)?);
    put!(p, ", Current Time: ");
    upper(p, c.take(4)?);
    Ok(())
}

/// EAP that may go on in further attributes.
fn eap_message(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    if c.need(length).is_err() {
        p.truncated();
        return Ok(());
    }
    let mut head = c;
    let whole = length >= 4 && {
        head.skip(2)?;
        usize::from(head.u16()?) == length
    };
    if whole {
        eap::eap(p, c, length)?;
        p.protocol = "radius";
    } else {
        put!(p, "EAP fragment?");
    }
    Ok(())
}

/// A prefix after its length; the bytes that are missing are zeros.
fn prefix(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let bits = c.u8()?;
    if bits > 128 {
        put!(p, " [prefix length ", bits, " > 128]");
        p.invalid();
        return Ok(());
    }
    let bytes = c.take(length - 1)?;
    let mut address = [0; 16];
    for (to, from) in address.iter_mut().zip(bytes) {
        *to = *from;
    }
    put!(p, Ipv6Addr::from(address), "/", bits);
    Ok(())
}

fn mip_features(p: &mut Out<'_>, features: u64) {
    put!(p, "[");
    let mut first = true;
    let low = [(0, "MIP6_INTEGRATED"), (1, "LOCAL_HOME_AGENT_ASSIGNMENT")];
    for (bit, name) in low.iter().chain(MIP_FEATURES) {
        if features >> bit & 1 != 0 {
            put!(p, if first { "" } else { ", " }, *name);
            first = false;
        }
    }
    put!(p, "]");
}

/// RFC 5580 section 4.1.
fn operator(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    c.need(length)?;
    let namespace = c.u8()?;
    match namespace {
        b'0' => put!(p, "[TADIG] "),
        b'1' => put!(p, "[REALM] "),
        b'2' => put!(p, "[E212] "),
        b'3' => put!(p, "[ICC] "),
        _ => put!(p, "[unknown namespace ", namespace, "] "),
    }
    put!(p, Visible(c.rest()));
    Ok(())
}

/// RFC 5580 section 4.2.
fn location_information(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    c.need(length)?;
    put!(p, "index ", c.u16()?);
    let code = c.u8()?;
    let name = match code {
        0 => "Civic",
        1 => "Geospatial",
        _ => "Unknown",
    };
    put!(p, ", code ", name);
    if code > 1 {
        put!(p, " (", code, ")");
    }
    let entity = c.u8()?;
    let name = match entity {
        0 => "User",
        1 => "NAS",
        2 => "RADIUS server",
        _ => "Unknown",
    };
    put!(p, ", entity ", name);
    if entity > 2 {
        put!(p, " (", entity, ")");
    }
    put!(p, ", sighting time ");
    ntp::timestamp(p, Time(c.u64()?));
    put!(p, ", time to live ");
    ntp::timestamp(p, Time(c.u64()?));
    put!(p, ", method \"", Visible(c.rest()), "\"");
    Ok(())
}

/// RFC 5580 section 4.4.
fn location_policy(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    c.need(length)?;
    let flags = c.u16()?;
    put!(p, "flags [");
    if flags == 0 {
        put!(p, "none");
    }
    let mut first = true;
    for bit in (0..16).filter(|bit| flags >> bit & 1 != 0) {
        put!(p, if first { "" } else { ", " });
        first = false;
        match bit {
            15 => put!(p, "Retransmission Allowed"),
            bit => put!(p, "MBZ-", 15 - bit),
        }
    }
    put!(p, "], retention expires ");
    ntp::timestamp(p, Time(c.u64()?));
    if length > 10 {
        put!(p, ", note well \"", Visible(c.rest()), "\"");
    }
    Ok(())
}

/// Attributes of a vendor's own.
fn vendor(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    if length < 4 {
        return wrong_length(p, length, "<", 4);
    }
    let id = c.u32()?;
    put!(
        p,
        "Vendor: ",
        lookup(VENDORS, id).unwrap_or("Unknown"),
        " (",
        id,
        ")"
    );
    let mut left = length - 4;
    while left >= 2 {
        let (kind, size) = (c.u8()?, usize::from(c.u8()?));
        put!(p, "\n\t    Vendor Attribute: ", kind, ", Length: ", size);
        if size < 2 {
            put!(p, " (bogus, must be >= 2)");
            return Ok(());
        }
        left -= 2;
        let size = size - 2;
        if size > left {
            put!(p, " (bogus, goes past end of vendor-specific attribute)");
            return Ok(());
        }
        put!(p, ", Value: ");
        let bytes = c.limit(size).rest();
        dotted(p, bytes);
        pass(&mut c, size);
        left -= size;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{bytes, style, text};

    /// The text of a packet from its name on: code, identifier, stated length, attributes.
    fn shown(head: &str, rest: &str, verbose: u8, expected: &str) {
        let authenticator = if head.len() == 8 {
            "00".repeat(16)
        } else {
            String::new()
        };
        let radius = format!("{head}{authenticator}{rest}");
        let length = 8 + radius.len() / 2;
        let packet = format!(
            "4500{:04x}00010000401100000a0000010a00000207149c40{length:04x}0000{radius}",
            20 + length
        );
        let style = Style {
            no_checksums: true,
            ..style(verbose)
        };
        let text = text(LinkType::RAW, &bytes(&packet), 0, style);
        let at = text.find("RADIUS").unwrap();
        assert_eq!(text[at..], format!("{expected}\n"));
    }

    #[test]
    fn lengths() {
        shown(
            "01010014",
            "",
            0,
            "RADIUS, Access-Request (1), id: 0x01, length: 20",
        );
        shown("0101", "", 0, "RADIUS [length 2 < 20] (invalid)");
        shown("01010013", "", 1, "RADIUS [length 19 < 20] (invalid)");
        shown("01011001", "", 1, "RADIUS [length 4097 > 4096] (invalid)");
        shown("01010015", "", 1, "RADIUS [length 21 > 20] (invalid)");
    }

    #[test]
    fn vendors() {
        let head = "RADIUS, length: 30\n\tAccess-Accept (2), id: 0x05, Authenticator: 00000000000000000000000000000000\n\t  ";
        shown(
            "0205001e",
            "1a0a0000000901044142",
            1,
            &format!(
                "{head}Vendor-Specific Attribute (26), length: 10, Value: Vendor: Cisco (9)\n\t    Vendor Attribute: 1, Length: 4, Value: AB"
            ),
        );
        shown(
            "0205001e",
            "1a0a0000000901094142",
            1,
            &format!(
                "{head}Vendor-Specific Attribute (26), length: 10, Value: Vendor: Cisco (9)\n\t    Vendor Attribute: 1, Length: 9 \
                 (bogus, goes past end of vendor-specific attribute)"
            ),
        );
    }
}
