//! `DHCPv6` (RFC 8415) and its options.

use std::net::Ipv6Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::dns;
use crate::out::{Out, Printed, lookup};
use crate::put::{HexBytes, HexFull, HexZeros, Visible, put};

/// Messages and options inside each other are followed this deep.
const DEPTH_MAX: u8 = 16;

const RELAY_FORWARD: u8 = 12;
const RELAY_REPLY: u8 = 13;

static MESSAGES: &[(u8, &str)] = &[
    (1, "solicit"),
    (2, "advertise"),
    (3, "request"),
    (4, "confirm"),
    (5, "renew"),
    (6, "rebind"),
    (7, "reply"),
    (8, "release"),
    (9, "decline"),
    (10, "reconfigure"),
    (11, "inf-req"),
    (RELAY_FORWARD, "relay-fwd"),
    (RELAY_REPLY, "relay-reply"),
    (14, "leasequery"),
    (15, "leasequery-reply"),
];

/// How the value of an option is shown.
#[derive(Clone, Copy)]
enum Kind {
    Nothing,
    Identifier,
    /// Of addresses for a while; this many numbers before the options inside.
    Association(&'static [&'static str]),
    Address,
    Prefix,
    Requests,
    Preference,
    Elapsed,
    Relayed,
    Authentication,
    Status,
    Hex,
    Reconfigure,
    Names,
    Addresses,
    Seconds,
    RemoteId,
    /// Opaque items or texts, each behind its length.
    Texts,
    /// An enterprise and items of its own, each behind its length.
    VendorClass,
    /// An enterprise and options of its own.
    VendorOptions,
    Url,
    Text,
    Query,
    Options,
    RelayData,
    Ntp,
    Tunnel,
}

static OPTIONS: &[(u16, (&str, Kind))] = &[
    (1, ("client-ID", Kind::Identifier)),
    (2, ("server-ID", Kind::Identifier)),
    (3, ("IA_NA", Kind::Association(&["IAID", "T1", "T2"]))),
    (4, ("IA_TA", Kind::Association(&["IAID"]))),
    (5, ("IA_ADDR", Kind::Address)),
    (6, ("option-request", Kind::Requests)),
    (7, ("preference", Kind::Preference)),
    (8, ("elapsed-time", Kind::Elapsed)),
    (9, ("relay-message", Kind::Relayed)),
    (11, ("authentication", Kind::Authentication)),
    (12, ("server-unicast", Kind::Nothing)),
    (13, ("status-code", Kind::Status)),
    (14, ("rapid-commit", Kind::Nothing)),
    (15, ("user-class", Kind::Texts)),
    (16, ("vendor-class", Kind::VendorClass)),
    (17, ("vendor-specific-info", Kind::VendorOptions)),
    (18, ("interface-ID", Kind::Hex)),
    (19, ("reconfigure-message", Kind::Reconfigure)),
    (20, ("reconfigure-accept", Kind::Nothing)),
    (21, ("SIP-servers-domain", Kind::Names)),
    (22, ("SIP-servers-address", Kind::Addresses)),
    (23, ("DNS-server", Kind::Addresses)),
    (24, ("DNS-search-list", Kind::Names)),
    (25, ("IA_PD", Kind::Association(&["IAID", "T1", "T2"]))),
    (26, ("IA_PD-prefix", Kind::Prefix)),
    (27, ("NIS-server", Kind::Addresses)),
    (28, ("NIS+-server", Kind::Addresses)),
    (29, ("NIS-domain-name", Kind::Nothing)),
    (30, ("NIS+-domain-name", Kind::Nothing)),
    (31, ("SNTP-servers", Kind::Addresses)),
    (32, ("lifetime", Kind::Seconds)),
    (33, ("BCMCS-domain-name", Kind::Nothing)),
    (34, ("BCMCS-server", Kind::Addresses)),
    (36, ("Geoconf-Civic", Kind::Nothing)),
    (37, ("Remote-ID", Kind::RemoteId)),
    (38, ("Subscriber-ID", Kind::Hex)),
    (39, ("Client-FQDN", Kind::Nothing)),
    (40, ("PANA-agent", Kind::Addresses)),
    (41, ("POSIX-timezone", Kind::Text)),
    (42, ("POSIX-tz-database", Kind::Text)),
    (43, ("Echo-request-option", Kind::Requests)),
    (44, ("Lease-query", Kind::Query)),
    (45, ("LQ-client-data", Kind::Options)),
    (46, ("Clt-time", Kind::Seconds)),
    (47, ("LQ-relay-data", Kind::RelayData)),
    (48, ("LQ-client-link", Kind::Addresses)),
    (56, ("NTP-server", Kind::Ntp)),
    (59, ("Bootfile-URL", Kind::Url)),
    (64, ("AFTR-Name", Kind::Tunnel)),
    (112, ("MUD-URL", Kind::Text)),
    (136, ("SZTP-Redirect", Kind::Texts)),
];

static STATUS: &[(u16, &str)] = &[
    (0, "Success"),
    (1, "UnspecFail"),
    (2, "NoAddrsAvail"),
    (3, "NoBinding"),
    (4, "NotOnLink"),
    (5, "UseMulticast"),
    (6, "NoPrefixAvail"),
    (7, "UnknownQueryType"),
    (8, "MalformedQuery"),
    (9, "NotConfigured"),
    (10, "NotAllowed"),
];

/// A message.
pub(crate) fn dhcp6(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "dhcp6";
    message(p, c.limit(length), 0)
}

fn message(p: &mut Out<'_>, mut c: Cursor<'_>, depth: u8) -> Printed {
    put!(p, "dhcp6");
    c.need(4)?;
    let kind = c.u8()?;
    match lookup(MESSAGES, kind) {
        Some(name) => put!(p, " ", name),
        None => put!(p, " msgtype-", kind),
    }
    if !p.verbose(1) && depth == 0 {
        return Ok(());
    }
    put!(p, " (");
    if matches!(kind, RELAY_FORWARD | RELAY_REPLY) {
        c.skip(1)?;
        let link = Ipv6Addr::from(c.u128()?);
        put!(p, "linkaddr=");
        p.addr(link);
        let peer = Ipv6Addr::from(c.u128()?);
        put!(p, " peeraddr=");
        p.addr(peer);
    } else {
        put!(p, "xid=", HexZeros(c.u24()?, 1));
    }
    options(p, c, depth);
    put!(p, ")");
    Ok(())
}

/// Options; where they end too early, that is said, and the text goes on after them.
fn options(p: &mut Out<'_>, mut c: Cursor<'_>, depth: u8) {
    while !c.is_empty() {
        if one(p, &mut c, depth).is_err() {
            return p.truncated();
        }
    }
}

fn one(p: &mut Out<'_>, c: &mut Cursor<'_>, depth: u8) -> Printed {
    c.need(4)?;
    let mut at = *c;
    let (code, length) = (at.u16()?, usize::from(at.u16()?));
    // It is shown only if it was captured whole.
    let data = at.sub(length)?;
    *c = at;
    let known = OPTIONS.iter().find(|entry| entry.0 == code);
    put!(p, " (");
    name(p, code);
    let kind = known.map_or(Kind::Nothing, |entry| entry.1.1);
    if depth >= DEPTH_MAX {
        return Err(Truncated);
    }
    value(p, kind, data, depth)
}

fn name(p: &mut Out<'_>, code: u16) {
    match OPTIONS.iter().find(|entry| entry.0 == code) {
        Some(entry) => put!(p, entry.1.0),
        None => put!(p, "opt_", code),
    }
}

/// The value and the closing parenthesis.
fn value(p: &mut Out<'_>, kind: Kind, mut c: Cursor<'_>, depth: u8) -> Printed {
    // Of these no other length is right.
    let right = match kind {
        Kind::Preference | Kind::Reconfigure => 1,
        Kind::Elapsed => 2,
        Kind::Seconds => 4,
        _ => c.remaining(),
    };
    if c.remaining() != right {
        put!(p, " ?)");
        return Ok(());
    }
    let shown = match kind {
        Kind::Nothing => Ok(()),
        Kind::Identifier => identifier(p, &mut c),
        Kind::Association(names) => association(p, names, &mut c, depth),
        Kind::Address => address(p, &mut c, depth),
        Kind::Prefix => prefix(p, &mut c, depth),
        Kind::Requests => requests(p, &mut c),
        Kind::Preference => {
            let number = c.array::<1>().map(|[number]| number);
            number.map(|number| put!(p, " ", number))
        }
        Kind::Elapsed => c.u16().map(|time| put!(p, " ", time)),
        Kind::Relayed => {
            put!(p, " (");
            if message(p, c, depth + 1).is_err() {
                p.truncated();
            }
            // compat: nothing closes it (4.99.3).
            put!(p, ")");
            return Ok(());
        }
        Kind::Authentication => {
            authentication(p, &mut c);
            Ok(())
        }
        Kind::Status => c.u16().map(|code| {
            put!(p, " ");
            match lookup(STATUS, code) {
                Some(name) => put!(p, name),
                None if code > 255 => put!(p, "INVALID code"),
                None => put!(p, "code", code),
            }
        }),
        Kind::Hex => {
            put!(p, " ");
            opaque(p, c.rest());
            Ok(())
        }
        Kind::Reconfigure => c.u8().map(|kind| match kind {
            5 => put!(p, " for renew"),
            11 => put!(p, " for inf-req"),
            _ => put!(p, " for ???(", HexFull(kind), ")"),
        }),
        Kind::Names => {
            while !c.is_empty() {
                put!(p, " ");
                dns::plain_name(p, &mut c)?;
            }
            Ok(())
        }
        Kind::Addresses => addresses(p, &mut c),
        Kind::Seconds => c.u32().map(|time| put!(p, " ", time)),
        Kind::RemoteId => c.u32().map(|enterprise| {
            put!(p, " ", enterprise, " ");
            opaque(p, c.rest());
        }),
        Kind::Texts => texts(p, &mut c),
        Kind::VendorClass => vendor(p, &mut c, false),
        Kind::VendorOptions => vendor(p, &mut c, true),
        Kind::Url => {
            put!(p, " ", Visible(c.rest()));
            Ok(())
        }
        Kind::Text if c.remaining() < 3 => Err(Truncated),
        Kind::Text => {
            put!(p, " ", Visible(c.rest()));
            Ok(())
        }
        Kind::Query => query(p, &mut c, depth),
        Kind::Options => {
            options(p, c, depth + 1);
            Ok(())
        }
        Kind::RelayData => relay_data(p, &mut c),
        Kind::Ntp if c.remaining() < 4 => Err(Truncated),
        Kind::Ntp => ntp(p, &mut c)?,
        Kind::Tunnel => tunnel(p, &mut c),
    };
    if shown.is_err() {
        put!(p, " ?");
    }
    put!(p, ")");
    Ok(())
}

/// A DUID (RFC 8415 section 11).
fn identifier(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let kind = c.u16()?;
    match kind {
        1 => {
            let (hardware, time) = (c.u16()?, c.u32()?);
            put!(p, " hwaddr/time type ", hardware, " time ", time);
            put!(p, " ", HexBytes(c.rest()));
        }
        2 => {
            c.need(8)?;
            put!(p, " vid ", HexBytes(c.rest()));
        }
        3 => put!(p, " hwaddr type ", c.u16()?, " ", HexBytes(c.rest())),
        // RFC 6355.
        4 => put!(p, " uuid ", HexBytes(&c.array::<16>()?)),
        _ => put!(p, " type ", kind),
    }
    Ok(())
}

/// Bytes that only their makers can read: the first ten without `-vv`.
fn opaque(p: &mut Out<'_>, bytes: &[u8]) {
    if p.verbose(2) {
        put!(p, HexBytes(bytes));
    } else {
        put!(p, HexBytes(bytes.get(..10).unwrap_or(bytes)), "...");
    }
}

/// RFC 8415 section 21.15 and RFC 8572 section 8.3.
fn texts(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, " ");
    let mut first = true;
    while !c.is_empty() {
        let length = usize::from(c.u16()?);
        if !first {
            put!(p, ",");
        }
        first = false;
        put!(p, Visible(c.take(length)?));
    }
    Ok(())
}

/// RFC 8415 sections 21.16 and 21.17: an enterprise's number, and data of its own, with numbers or without.
fn vendor(p: &mut Out<'_>, c: &mut Cursor<'_>, numbered: bool) -> Printed {
    put!(p, " enterprise-number ", c.u32()?);
    while !c.is_empty() {
        if numbered {
            put!(p, " subopt ", c.u16()?);
        }
        let length = c.u16()?;
        put!(p, " len ", length);
        let data = c.take(usize::from(length))?;
        if length > 0 {
            put!(p, " data ");
            if data.len() > 10 {
                opaque(p, data);
            } else {
                put!(p, HexBytes(data));
            }
        }
    }
    Ok(())
}

fn association(p: &mut Out<'_>, names: &[&'static str], c: &mut Cursor<'_>, depth: u8) -> Printed {
    c.need(names.len() * 4)?;
    for name in names {
        put!(p, " ", *name, ":", c.u32()?);
    }
    options(p, *c, depth + 1);
    Ok(())
}

fn lifetimes(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, " pltime:", c.u32()?);
    put!(p, " vltime:", c.u32()?);
    Ok(())
}

fn address(p: &mut Out<'_>, c: &mut Cursor<'_>, depth: u8) -> Printed {
    c.need(24)?;
    put!(p, " ");
    p.addr(Ipv6Addr::from(c.u128()?));
    lifetimes(p, c)?;
    options(p, *c, depth + 1);
    Ok(())
}

fn prefix(p: &mut Out<'_>, c: &mut Cursor<'_>, depth: u8) -> Printed {
    c.need(25)?;
    let mut times = c.sub(8)?;
    let width = c.u8()?;
    put!(p, " ");
    p.addr(Ipv6Addr::from(c.u128()?));
    put!(p, "/", width);
    lifetimes(p, &mut times)?;
    options(p, *c, depth + 1);
    Ok(())
}

fn requests(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    if !c.remaining().is_multiple_of(2) {
        return Err(Truncated);
    }
    while !c.is_empty() {
        put!(p, " ");
        name(p, c.u16()?);
    }
    Ok(())
}

fn addresses(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    if !c.remaining().is_multiple_of(16) {
        return Err(Truncated);
    }
    while !c.is_empty() {
        put!(p, " ");
        p.addr(Ipv6Addr::from(c.u128()?));
    }
    Ok(())
}

fn authentication(p: &mut Out<'_>, c: &mut Cursor<'_>) {
    let Ok([protocol, algorithm, detection]) = c.array::<3>() else {
        return put!(p, " ?");
    };
    let Ok(replay) = c.array::<8>() else {
        return put!(p, " ?");
    };
    put!(p, " proto: ");
    match protocol {
        2 => put!(p, "delayed"),
        3 => put!(p, "reconfigure"),
        _ => put!(p, protocol),
    }
    put!(p, ", alg: ");
    match (protocol, algorithm) {
        // compat: only of what these protocols use the name is known (4.99.3).
        (2 | 3, 1) => put!(p, "HMAC-MD5"),
        _ => put!(p, algorithm),
    }
    put!(p, ", RDM: ");
    match detection {
        0 => put!(p, "mono"),
        _ => put!(p, detection),
    }
    put!(p, ", RD:");
    for pair in replay.chunks(2) {
        put!(p, " ", HexBytes(pair));
    }
    match protocol {
        2 => {
            if c.is_empty() {
                return;
            }
            let Some((realm, digest)) = c.rest().split_last_chunk::<20>() else {
                return put!(p, " ??");
            };
            if !realm.is_empty() {
                put!(p, ", realm: ", HexBytes(realm));
            }
            let (key, digest) = digest.split_at(4);
            put!(p, ", key ID: ", HexBytes(key), ", HMAC-MD5:");
            words(p, digest);
        }
        3 => {
            let Ok(kind) = c.u8() else {
                return put!(p, " ??");
            };
            match kind {
                1 => put!(p, " reconfig-key value:"),
                2 => put!(p, " type: HMAC-MD5 value:"),
                _ => return put!(p, " ??"),
            }
            words(p, c.rest());
        }
        _ => put!(p, " ??"),
    }
}

fn words(p: &mut Out<'_>, bytes: &[u8]) {
    for word in bytes.chunks(4) {
        put!(p, " ", HexBytes(word));
    }
}

/// RFC 5007.
fn query(p: &mut Out<'_>, c: &mut Cursor<'_>, depth: u8) -> Printed {
    c.need(17)?;
    let kind = c.u8()?;
    match kind {
        1 => put!(p, " by-address"),
        2 => put!(p, " by-clientID"),
        _ => put!(p, " type_", kind),
    }
    let link = Ipv6Addr::from(c.u128()?);
    put!(p, " ");
    p.addr(link);
    if !c.is_empty() {
        options(p, *c, depth + 1);
    }
    Ok(())
}

fn relay_data(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    let peer = Ipv6Addr::from(c.u128()?);
    put!(p, " ");
    p.addr(peer);
    put!(p, " ");
    opaque(p, c.rest());
    Ok(())
}

/// RFC 5908. What is cut there ends the option; the rest is as of other options.
fn ntp(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Result<Printed, Truncated> {
    while !c.is_empty() {
        let (code, length) = (c.u16()?, usize::from(c.u16()?));
        let data = c.take(length)?;
        put!(p, " subopt:", code);
        match (code, <[u8; 16]>::try_from(data)) {
            (1 | 2, Ok(octets)) => {
                put!(p, " ");
                p.addr(Ipv6Addr::from(octets));
            }
            (3, _) => {
                put!(p, " ");
                dns::plain_name(p, &mut Cursor::new(data))?;
            }
            _ => put!(p, " ?"),
        }
    }
    Ok(Ok(()))
}

/// RFC 6334: a name, without the dot at its end.
fn tunnel(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    c.need(3)?;
    put!(p, " ");
    let mut first = true;
    while !c.is_empty() {
        let length = usize::from(c.u8()?);
        if length == 0 {
            break;
        }
        if !first {
            put!(p, ".");
        }
        first = false;
        let label = c.limit(length).rest();
        put!(p, Visible(label));
        c.skip(length)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    /// The text of one option in a solicit message.
    fn shown(option: &str, verbose: u8, expected: &str) {
        let length = 12 + option.len() / 2;
        let ip = format!(
            "60000000{length:04x}1140fe800000000000000000000000000001ff020000000000000000000000010002"
        );
        let style = Style {
            no_checksums: true,
            ..style(verbose)
        };
        check(
            LinkType::RAW,
            &format!("{ip}02220223{length:04x}000001000005{option}"),
            style,
            &format!(
                "IP6 (hlim 64, next-header UDP (17), payload length {length}) fe80::1.546 > ff02::1:2.547: \
                 dhcp6 solicit (xid=5 {expected})\n"
            ),
        );
    }

    #[test]
    fn identifiers() {
        shown("0001000e00020000757148534831343432", 1, "[|dhcp6]");
        shown(
            "0001000f000200007571485348313434323531",
            1,
            "(client-ID vid 00007571485348313434323531)",
        );
        shown(
            "00010012000400112233445566778899aabbccddeeff",
            1,
            "(client-ID uuid 00112233445566778899aabbccddeeff)",
        );
    }

    #[test]
    fn booting() {
        shown(
            "00060006003b0088000f",
            1,
            "(option-request Bootfile-URL SZTP-Redirect user-class)",
        );
        shown(
            "003b000a687474703a2f2f612f62",
            1,
            "(Bootfile-URL http://a/b)",
        );
        shown(
            "0088000e000568747470730005687474703a",
            1,
            "(SZTP-Redirect https,http:)",
        );
        shown("000f000b0004695058450003666f6f", 1, "(user-class iPXE,foo)");
        shown("000f000400056162", 1, "(user-class  ?)");
    }

    #[test]
    fn vendors() {
        let class = "0010001600000157000469505845000a6162636465666768696a";
        shown(
            class,
            1,
            "(vendor-class enterprise-number 343 len 4 data 69505845 len 10 data 6162636465666768696a)",
        );
        let options =
            "0011001900000157000100020005000900 0b6162636465666768696a6b".replace(' ', "");
        shown(
            &options,
            1,
            "(vendor-specific-info enterprise-number 343 subopt 1 len 2 data 0005 subopt 9 len 11 data 6162636465666768696a...)",
        );
        shown(
            &options,
            2,
            "(vendor-specific-info enterprise-number 343 subopt 1 len 2 data 0005 subopt 9 len 11 data 6162636465666768696a6b)",
        );
        shown("00120003616263", 1, "(interface-ID 616263...)");
        shown("00120003616263", 2, "(interface-ID 616263)");
    }
}
