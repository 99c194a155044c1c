//! QUIC (RFC 8999, RFC 9000): what stands outside the encryption.

use pktwho_wire::{Cursor, Truncated};

use crate::memory::Latest;
use crate::out::{Out, Printed, pass};
use crate::put::{Hex, HexBytes, put};

/// The longest connection id (RFC 9000 section 17.2).
const ID_MAX: usize = 20;
/// Tokens that are longer are not shown.
const TOKEN_MAX: u64 = 1000;
/// Bytes of the tag that ends a Retry packet.
const TAG: usize = 16;

/// A connection id, zeros behind it.
type Id = (u8, [u8; ID_MAX]);

/// Connection ids that were chosen in packets with a long header: short headers do not say how
/// long theirs is.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    ids: Latest<Id, (), 8192>,
    /// Bit `n`: an id of `n` bytes was seen.
    lengths: u32,
}

fn id(bytes: &[u8]) -> Option<Id> {
    let mut padded = [0; ID_MAX];
    padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some((u8::try_from(bytes.len()).ok()?, padded))
}

impl Connections {
    fn remember(&mut self, bytes: &[u8]) {
        if let Some(id) = id(bytes).filter(|id| id.0 > 0) {
            self.lengths |= 1 << id.0;
            self.ids.insert(id, ());
        }
    }

    /// The id at the start of `bytes`, if one that was seen stands there.
    fn find<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        (1..=ID_MAX)
            .filter(|length| self.lengths >> length & 1 != 0)
            .filter_map(|length| bytes.get(..length))
            .find(|bytes| id(bytes).is_some_and(|id| self.ids.get(&id).is_some()))
    }
}

/// A datagram: packets one after the other.
pub(crate) fn quic(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "quic";
    put!(p, "quic");
    let mut c = c;
    while c.position() < length {
        let first = c.u8()?;
        if first & 0x80 == 0 {
            put!(p, ", protected");
            if let Some(id) = p.past.memory().quic.find(c.rest()) {
                put!(p, ", dcid ", HexBytes(id));
            }
            return Ok(());
        }
        long(p, &mut c, first, length)?;
        // Zeros between packets are padding.
        while c.rest().first() == Some(&0) {
            c.skip(1)?;
        }
    }
    Ok(())
}

/// A packet with a long header.
fn long(p: &mut Out<'_>, c: &mut Cursor<'_>, first: u8, length: usize) -> Printed {
    let version = c.u32()?;
    let kind = first >> 4 & 3;
    if version == 0 {
        put!(p, ", version negotiation");
    } else {
        put!(
            p,
            match kind {
                0 => ", initial",
                1 => ", 0-rtt",
                2 => ", handshake",
                _ => ", retry",
            }
        );
        if version != 1 {
            put!(p, ", v", Hex(version));
        }
    }
    connection_id(p, c, ", dcid ")?;
    let source = connection_id(p, c, ", scid ")?;
    if let Some(source) = source {
        p.past.memory().quic.remember(source);
    }
    if version == 0 {
        while c.position() < length {
            put!(p, ", version 0x", Hex(c.u32()?));
        }
        return Ok(());
    }
    if kind == 3 {
        let there = length.saturating_sub(c.position());
        if there > TAG {
            put!(p, ", token ", HexBytes(c.take(there - TAG)?));
        }
        c.skip(length.saturating_sub(c.position()))?;
        return Ok(());
    }
    if kind == 0 {
        let token = variable(c)?;
        if (1..TOKEN_MAX).contains(&token) {
            let token = c.take(usize::try_from(token).unwrap_or(usize::MAX))?;
            put!(p, ", token ", HexBytes(token));
        }
    }
    let payload = variable(c)?;
    put!(p, ", length ", payload);
    let payload = usize::try_from(payload).unwrap_or(usize::MAX);
    if payload > c.remaining() {
        pass(c, payload);
        return Err(Truncated);
    }
    c.skip(payload)
}

/// A connection id, shown if it has a length that ids have.
fn connection_id<'a>(
    p: &mut Out<'_>,
    c: &mut Cursor<'a>,
    name: &str,
) -> Result<Option<&'a [u8]>, Truncated> {
    let length = usize::from(c.u8()?);
    if length == 0 || length > ID_MAX {
        return Ok(None);
    }
    let id = c.take(length)?;
    put!(p, name, HexBytes(id));
    Ok(Some(id))
}

/// An integer of 1, 2, 4 or 8 bytes (RFC 9000 section 16).
fn variable(c: &mut Cursor<'_>) -> Result<u64, Truncated> {
    let first = c.u8()?;
    let mut number = u64::from(first & 0x3f);
    for _ in 1..1_u8 << (first >> 6) {
        number = number << 8 | u64::from(c.u8()?);
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn headers() {
        let udp = |payload: &str| {
            let length = 8 + payload.len() / 2;
            let total = 20 + length;
            format!(
                "4500{total:04x}000100004011000 00a0000010a00000210 00 01bb{length:04x}0000{payload}"
            )
        };
        for (payload, expected) in [
            (
                "c30000000102010200000040",
                "initial, dcid 0102, length 0, protected",
            ),
            (
                "c3000000010201020003aabbcc02eeee",
                "initial, dcid 0102, token aabbcc, length 2",
            ),
            (
                "e0ff00001d0002050603aabbcc",
                "handshake, vff00001d, scid 0506, length 3",
            ),
            ("d00000000100000140", "0-rtt, length 1"),
            (
                "f0000000010000aabb00000000000000000000000000000000",
                "retry, token aabb",
            ),
            (
                "800000000000010700000001",
                "version negotiation, scid 07, version 0x1",
            ),
            (
                "c30000000102010200000540",
                "initial, dcid 0102, length 5 [|quic]",
            ),
            ("4001", "protected"),
        ] {
            check(
                LinkType::RAW,
                &udp(payload),
                style(0),
                &format!("IP 10.0.0.1.4096 > 10.0.0.2.443: quic, {expected}\n"),
            );
        }
    }
}
