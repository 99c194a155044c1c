//! Payloads of `IKEv2`.

use pktwho_wire::Cursor;

use super::tables::{self, name};
use super::{Message, Payload, Shown, attributes, chain, named, payload_name, raw, some_data};
use crate::out::{Out, Printed};
use crate::put::{HexBytes, put};

/// Stands for a protocol in [`Message`]: proposals and transforms are those of `IKEv2`.
pub(super) const PROPOSALS: u8 = u8::MAX;

const COOKIE: u16 = 16390;

pub(super) fn payload<'a>(
    p: &mut Out<'_>,
    m: &Message,
    payload: &Payload<'a>,
    count: usize,
) -> Shown<'a> {
    // compat: of two payloads tcpdump says what they are called in IKEv1 (4.99.3).
    let title = match payload.kind {
        2 => "p",
        3 => "t",
        33 => "sa",
        40 => "nonce",
        41 => "n",
        _ => "",
    };
    let least = match payload.kind {
        2 | 3 | 34 | 35 | 36 | 39 => 8,
        41 => 8,
        _ => 4,
    };
    if 4 + payload.rest.len() < least {
        return payload.short(p);
    }
    if payload.kind > 48 {
        payload_name(p, payload.kind);
        return Ok(Some(payload.after()));
    }
    if title.is_empty() {
        payload_name(p, payload.kind);
    } else {
        put!(p, title);
    }
    if payload.critical {
        put!(p, "[C]");
    }
    put!(p, ":");
    match payload.kind {
        2 => return proposal(p, m, payload),
        3 => transform(p, payload, count)?,
        33 => return security_association(p, m, payload),
        34 => key_exchange(p, payload),
        35 | 36 => identity(p, payload),
        39 => authentication(p, payload),
        40 => nonce(p, payload),
        41 => return notification(p, payload),
        43 => vendor(p, payload),
        46 => return encrypted(p, m, payload),
        _ => {
            put!(p, " len=", payload.body.len());
            raw(p, payload.body);
        }
    }
    Ok(Some(payload.after()))
}

fn security_association<'a>(p: &mut Out<'_>, m: &Message, payload: &Payload<'a>) -> Shown<'a> {
    put!(p, " len=", payload.body.len());
    let first = Cursor::new(payload.body);
    let length = || {
        let mut first = first;
        first.skip(2)?;
        first.u16()
    };
    if length().is_ok_and(|length| usize::from(length) > payload.body.len()) {
        payload.short(p)?;
        return Ok(Some(payload.after()));
    }
    let inside = Message {
        depth: m.depth + 1,
        protocol: PROPOSALS,
        ..*m
    };
    chain(p, &inside, 2, payload.body)?;
    Ok(Some(payload.after()))
}

fn proposal<'a>(p: &mut Out<'_>, m: &Message, payload: &Payload<'a>) -> Shown<'a> {
    let mut c = Cursor::new(payload.body);
    let Ok([number, protocol, size, transforms]) = c.array::<4>() else {
        return payload.short(p);
    };
    put!(p, " #", number, " protoid=");
    named(p, name(tables::PROTOCOLS, protocol), protocol);
    put!(p, " transform=", transforms, " len=", payload.length);
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
        protocol: PROPOSALS,
        ..*m
    };
    chain(p, &inside, 3, c.rest())?;
    Ok(Some(payload.after()))
}

fn transform(p: &mut Out<'_>, payload: &Payload<'_>, count: usize) -> Printed {
    let mut c = Cursor::new(payload.body);
    let (Ok([kind, _]), Ok(id)) = (c.array::<2>(), c.u16()) else {
        return Ok(());
    };
    let known = tables::TRANSFORM_TYPES.get(usize::from(kind)).copied();
    let (text, ids) = known.unwrap_or_default();
    put!(p, " #", count, " type=");
    named(p, Some(text).filter(|text| !text.is_empty()), kind);
    put!(p, " id=");
    if ids.is_empty() {
        put!(p, id);
    } else {
        named(p, name(ids, id), id);
    }
    put!(p, " ");
    attributes(p, tables::TRANSFORM_ATTRIBUTES, c.rest(), c.remaining())?;
    Ok(())
}

fn key_exchange(p: &mut Out<'_>, payload: &Payload<'_>) {
    let mut c = Cursor::new(payload.body);
    let (Ok(group), Ok(_)) = (c.u16(), c.u16()) else {
        return put!(p, " len=", payload.length, " < 8");
    };
    put!(p, " len=", c.remaining(), " group=");
    named(p, tables::group(group), group);
    if !c.is_empty() {
        raw(p, c.rest());
    }
}

fn identity(p: &mut Out<'_>, payload: &Payload<'_>) {
    put!(p, " len=", payload.body.len());
    raw(p, payload.body);
    let Some((&[kind, _, _, _], data)) = payload.body.split_first_chunk::<4>() else {
        return put!(p, " [payload too short]");
    };
    match kind {
        1 => put!(p, " ipv4:", HexBytes(data)),
        2 => text(p, " fqdn:", data),
        3 => text(p, " rfc822:", data),
        5 => put!(p, " ipv6:", HexBytes(data)),
        9 => put!(p, " dn:", HexBytes(data)),
        10 => put!(p, " gn:", HexBytes(data)),
        11 => put!(p, " keyid:", HexBytes(data)),
        _ => {}
    }
}

/// Text with a dot for each byte that is no printable ASCII.
fn text(p: &mut Out<'_>, title: &str, bytes: &[u8]) {
    put!(p, title);
    let shown = |&byte: &u8| match byte {
        b' '..=b'~' => byte,
        _ => b'.',
    };
    p.out.extend(bytes.iter().map(shown));
}

fn authentication(p: &mut Out<'_>, payload: &Payload<'_>) {
    let method = payload.rest.first().copied().unwrap_or_default();
    put!(p, " len=", payload.body.len(), " method=");
    named(p, name(tables::AUTHENTICATION, method), method);
    if p.verbose(2) {
        let data = payload.body.get(4..).unwrap_or_default();
        put!(p, " authdata=(", HexBytes(data), ") ");
    } else {
        put!(p, " ");
        some_data(p, payload.rest.get(4..).unwrap_or_default());
    }
}

fn nonce(p: &mut Out<'_>, payload: &Payload<'_>) {
    put!(p, " len=", payload.body.len());
    if p.verbose(2) {
        put!(p, " nonce=(", HexBytes(payload.body), ") ");
    } else {
        put!(p, " ");
        some_data(p, payload.rest);
    }
}

fn notification<'a>(p: &mut Out<'_>, payload: &Payload<'a>) -> Shown<'a> {
    let mut c = Cursor::new(payload.rest);
    let (protocol, size, kind) = (c.u8()?, usize::from(c.u8()?), c.u16()?);
    put!(p, " prot_id=");
    named(p, name(tables::PROTOCOLS, protocol), protocol);
    let class = match kind {
        0..8192 => "error",
        8192..16384 => "private-error",
        16384..40960 => "status",
        _ => "private-status",
    };
    let (text, shows_spi) = lookup_pair(kind).unwrap_or((class, true));
    put!(p, " type=", kind, "(", text, ")");
    if shows_spi && size > 0 {
        put!(p, " spi=");
        let Ok(spi) = c.take(size) else {
            return payload.short(p);
        };
        put!(p, HexBytes(spi));
    }
    let data = payload.body.get(4 + size..).unwrap_or_default();
    let rest = payload.rest.get(4 + size..).unwrap_or_default();
    if data.is_empty() {
        return Ok(Some(payload.after()));
    }
    if p.verbose(4) || kind == COOKIE && rest.len() < 30 {
        // compat: tcpdump goes on to the end of the message (4.99.3).
        put!(p, " data=(", HexBytes(rest), ")");
    } else if kind == COOKIE {
        put!(p, " ");
        some_data(p, rest);
    }
    Ok(Some(payload.after()))
}

fn lookup_pair(kind: u16) -> Option<(&'static str, bool)> {
    let entry = tables::V2_NOTIFICATIONS
        .iter()
        .find(|entry| entry.0 == kind);
    entry.map(|entry| entry.1)
}

fn vendor(p: &mut Out<'_>, payload: &Payload<'_>) {
    put!(p, " len=", payload.body.len());
    text(p, " vid=", payload.body);
    if payload.body.len() > 4 {
        raw(p, payload.body);
    }
}

/// The encrypted payload is the last; the one it names next is inside.
fn encrypted<'a>(p: &mut Out<'_>, m: &Message, payload: &Payload<'a>) -> Shown<'a> {
    put!(p, " len=", payload.body.len());
    raw(p, payload.body);
    let secrets = std::sync::Arc::clone(&p.style.secrets);
    if let Some(inside) = secrets.ike(m.initiator, m.spis, payload.body) {
        let message = Message {
            depth: m.depth + 2,
            ..*m
        };
        chain(p, &message, payload.next, &inside)?;
    }
    Ok(None)
}
