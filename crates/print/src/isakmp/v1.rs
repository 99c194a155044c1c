//! Payloads of `IKEv1`.

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use super::tables::{self, name};
use super::{Message, Payload, Shown, attributes, chain, named, payload_name, raw, some_data};
use crate::out::Out;
use crate::protocol_names;
use crate::put::{HexBytes, Visible, put};

const IPSEC: u32 = 1;
const RESPONDER_LIFETIME: u16 = 24576;
const REPLAY_STATUS: u16 = 24577;

pub(super) fn payload<'a>(p: &mut Out<'_>, m: &Message, payload: &Payload<'a>) -> Shown<'a> {
    payload_name(p, payload.kind);
    put!(p, ":");
    match payload.kind {
        1 => return security_association(p, m, payload),
        2 => return proposal(p, m, payload),
        3 => return transform(p, m, payload),
        4 => put!(p, " key len=", payload.body.len()),
        5 => return identity(p, payload),
        6 | 7 => {
            let kind = payload.body.first().copied().unwrap_or_default();
            put!(p, " len=", payload.body.len(), " type=");
            named(p, name(tables::CERTIFICATES, kind), kind);
        }
        10 => return Ok(nonce(p, payload)),
        11 => return notification(p, payload),
        12 => return delete(p, payload),
        _ => put!(p, " len=", payload.body.len()),
    }
    raw(p, payload.body);
    Ok(Some(payload.after()))
}

fn security_association<'a>(p: &mut Out<'_>, m: &Message, payload: &Payload<'a>) -> Shown<'a> {
    let mut c = Cursor::new(payload.rest);
    let (Ok(doi), Ok(situation)) = (c.u32(), c.u32()) else {
        return payload.short(p);
    };
    if doi != IPSEC {
        put!(p, " doi=", doi, " situation=", situation);
        return Ok(Some(c.rest()));
    }
    put!(p, " doi=ipsec situation=");
    let mut first = true;
    for (bit, name) in [(1, "identity"), (2, "secrecy"), (4, "integrity")] {
        if situation & bit != 0 {
            put!(p, if first { "" } else { "+" }, name);
            first = false;
        }
    }
    if situation != 1 {
        c.skip(4)?;
        // compat: what stands here is not what tcpdump shows (4.99.3).
        put!(p, " ident=", doi);
    }
    if c.need(4).is_err() {
        return payload.short(p);
    }
    let inside = Message {
        depth: m.depth + 1,
        ..*m
    };
    chain(p, &inside, 2, c.rest())
}

fn proposal<'a>(p: &mut Out<'_>, m: &Message, payload: &Payload<'a>) -> Shown<'a> {
    let mut c = Cursor::new(payload.rest);
    let Ok([number, protocol, size, transforms]) = c.array::<4>() else {
        return payload.short(p);
    };
    put!(p, " #", number, " protoid=");
    named(p, name(tables::PROTOCOLS, protocol), protocol);
    put!(p, " transform=", transforms);
    if size > 0 {
        put!(p, " spi=");
        let Ok(spi) = c.take(usize::from(size)) else {
            return payload.short(p);
        };
        put!(p, HexBytes(spi));
    }
    if c.need(4).is_err() {
        return payload.short(p);
    }
    let inside = Message {
        depth: m.depth + 1,
        protocol,
        ..*m
    };
    chain(p, &inside, 3, c.rest())
}

fn transform<'a>(p: &mut Out<'_>, m: &Message, payload: &Payload<'a>) -> Shown<'a> {
    let mut c = Cursor::new(payload.rest);
    let Ok([number, id, _, _]) = c.array::<4>() else {
        return payload.short(p);
    };
    let (transforms, known) = match m.protocol {
        1 => (tables::IKE_TRANSFORMS, tables::OAKLEY),
        2 => (tables::AH_TRANSFORMS, tables::IPSEC),
        3 => (tables::ESP_TRANSFORMS, tables::IPSEC),
        4 => (tables::IPCOMP_TRANSFORMS, tables::IPSEC),
        _ => (&[][..], &[][..]),
    };
    put!(p, " #", number, " id=");
    if transforms.is_empty() {
        put!(p, id);
    } else {
        named(p, name(transforms, id), id);
    }
    put!(p, " ");
    let whole = attributes(p, known, c.rest(), payload.body.len().saturating_sub(4))?;
    // compat: behind a bad attribute tcpdump goes on one byte too far (4.99.3).
    let after = payload.after();
    Ok(Some(if whole {
        after
    } else {
        after.get(1..).unwrap_or_default()
    }))
}

fn identity<'a>(p: &mut Out<'_>, payload: &Payload<'a>) -> Shown<'a> {
    let mut c = Cursor::new(payload.rest);
    let (Ok(kind), Ok(protocol), Ok(port)) = (c.u8(), c.u8(), c.u16()) else {
        return payload.short(p);
    };
    put!(p, " idtype=");
    named(p, name(tables::IDENTITIES, kind), kind);
    put!(p, " protoid=");
    match protocol_names::name(protocol) {
        Some(name) if !p.style.numeric && protocol != 0 => put!(p, name),
        _ => put!(p, protocol),
    }
    put!(p, " port=", port);
    let data = payload.body.get(4..).unwrap_or_default();
    if data.is_empty() {
        return Ok(Some(payload.after()));
    }
    put!(p, " len=", data.len());
    let least = match kind {
        1 => 4,
        4 | 7 => 8,
        5 => 16,
        6 | 8 => 32,
        _ => 0,
    };
    if data.len() < least {
        put!(p, " [bad: < ", least, "]");
    } else {
        identity_data(p, kind, data)?;
    }
    Ok(Some(payload.after()))
}

fn identity_data(p: &mut Out<'_>, kind: u8, data: &[u8]) -> Result<(), Truncated> {
    let mut c = Cursor::new(data);
    match kind {
        1 | 4 | 7 => {
            put!(p, " ");
            p.addr(Ipv4Addr::from(c.u32()?));
            if kind != 1 {
                put!(p, if kind == 4 { "/" } else { "-" });
                let second = Ipv4Addr::from(c.u32()?);
                if kind == 4 {
                    put!(p, second);
                } else {
                    p.addr(second);
                }
            }
        }
        2 | 3 => put!(p, " ", Visible(data)),
        5 | 6 | 8 => {
            put!(p, " ");
            p.addr(Ipv6Addr::from(c.u128()?));
            match kind {
                6 => put!(p, "/0x", HexBytes(c.take(16)?)),
                8 => {
                    put!(p, "-");
                    p.addr(Ipv6Addr::from(c.u128()?));
                }
                _ => {}
            }
        }
        _ => raw(p, data),
    }
    Ok(())
}

fn nonce<'a>(p: &mut Out<'_>, payload: &Payload<'a>) -> Option<&'a [u8]> {
    put!(p, " n len=", payload.body.len());
    if p.verbose(3) {
        raw(p, payload.body);
    } else if p.verbose(2) {
        put!(p, "  ");
        some_data(p, payload.rest);
    }
    Some(payload.after())
}

fn notification<'a>(p: &mut Out<'_>, payload: &Payload<'a>) -> Shown<'a> {
    let mut c = Cursor::new(payload.rest);
    let (Ok(doi), Ok([protocol, size]), Ok(kind)) = (c.u32(), c.array::<2>(), c.u16()) else {
        return payload.short(p);
    };
    let ipsec = doi == IPSEC;
    if ipsec {
        put!(p, " doi=ipsec proto=");
        named(p, name(tables::PROTOCOLS, protocol), protocol);
    } else {
        put!(p, " doi=", doi, " proto=", protocol);
    }
    put!(p, " type=");
    match kind {
        0..8192 => named(p, name(tables::NOTIFICATIONS, kind), kind),
        8192..16384 if ipsec => put!(p, "#", kind - 8192),
        16384 => put!(p, "CONNECTED"),
        16385..24576 => put!(p, "#", kind - 16384),
        24576..32768 if ipsec => {
            let number = kind - 24576;
            named(p, name(tables::IPSEC_NOTIFICATIONS, number), number);
        }
        _ => put!(p, "#", kind),
    }
    if size > 0 {
        put!(p, " spi=");
        let Ok(spi) = c.take(usize::from(size)) else {
            return payload.short(p);
        };
        put!(p, HexBytes(spi));
    }
    let data = payload
        .body
        .get(8 + usize::from(size)..)
        .unwrap_or_default();
    // compat: whether there is data is asked of the message, not of the payload (4.99.3).
    if ipsec && !c.is_empty() {
        notification_data(p, kind, data, c)?;
    }
    Ok(Some(payload.after()))
}

/// `rest` begins as `data` does and goes on to the end of the message.
fn notification_data(
    p: &mut Out<'_>,
    kind: u16,
    data: &[u8],
    rest: Cursor<'_>,
) -> Result<(), Truncated> {
    let mut c = rest;
    match kind {
        RESPONDER_LIFETIME => {
            put!(p, " attrs=(");
            attributes(p, tables::OAKLEY, rest.rest(), data.len())?;
            put!(p, ")");
        }
        REPLAY_STATUS => {
            put!(p, " status=(");
            let enabled = if c.u32()? == 0 { "dis" } else { "en" };
            put!(p, "replay detection ", enabled, "abled)");
        }
        _ if p.verbose(4) => put!(p, " data=(", HexBytes(data), ")"),
        _ => {
            put!(p, " ");
            some_data(p, rest.rest());
        }
    }
    Ok(())
}

fn delete<'a>(p: &mut Out<'_>, payload: &Payload<'a>) -> Shown<'a> {
    let mut c = Cursor::new(payload.rest);
    let (Ok(doi), Ok([protocol, size]), Ok(count)) = (c.u32(), c.array::<2>(), c.u16()) else {
        return payload.short(p);
    };
    if doi == IPSEC {
        put!(p, " doi=ipsec proto=");
        named(p, name(tables::PROTOCOLS, protocol), protocol);
    } else {
        put!(p, " doi=", doi, " proto=", protocol);
    }
    put!(p, " spilen=", size, " nspi=", count, " spi=");
    for n in 0..count {
        if n > 0 {
            put!(p, ",");
        }
        let Ok(spi) = c.take(usize::from(size)) else {
            return payload.short(p);
        };
        put!(p, HexBytes(spi));
        if size == 0 {
            // Nothing tells them apart.
            break;
        }
    }
    Ok(Some(payload.after()))
}
