//! Ethernet (IEEE 802.3), with VLAN tags (IEEE 802.1Q), `MACsec` (IEEE 802.1AE) and what switches
//! put into frames.

use pktwho_wire::{Cursor, Truncated};

use crate::arista;
use crate::ethertype;
use crate::llc;
use crate::macsec::{self, Macsec};
use crate::out::{Out, Printed};
use crate::put::{HexFull, put};

/// Values up to this are lengths of an LLC frame, not `EtherTypes`.
pub(crate) const MAX_LENGTH: u16 = 1500;
/// Jumbo frames of LLC have no room for their length (draft-ietf-isis-ext-eth).
const JUMBO: u16 = 0x8870;
const MACSEC: u16 = 0x88e5;
const ARISTA: u16 = 0xd28b;

/// What a switch puts between the addresses and the type.
#[derive(Clone, Copy)]
pub(crate) struct SwitchTag {
    pub(crate) length: usize,
    pub(crate) print: fn(&mut Out<'_>, Cursor<'_>) -> Printed,
}

/// The walk from type to type.
struct Frame<'c> {
    c: Cursor<'c>,
    source: [u8; 6],
    destination: [u8; 6],
    /// Bytes before `c`, on the wire.
    header: usize,
    /// Bytes from `c` on, on the wire.
    length: usize,
    /// Of the whole frame.
    wire: usize,
    /// Its header is the packet's link layer.
    outermost: bool,
    /// Bytes before the frame that are link layer too.
    before: usize,
    /// The length was said already.
    length_shown: bool,
}

/// A frame from its destination address on.
pub(crate) fn frame(p: &mut Out<'_>, c: Cursor<'_>, wire: usize) -> Printed {
    tagged(p, c, wire, None)
}

/// A frame with a switch's tag.
pub(crate) fn tagged(
    p: &mut Out<'_>,
    c: Cursor<'_>,
    wire: usize,
    tag: Option<SwitchTag>,
) -> Printed {
    // Only the outermost frame is the link layer.
    let outermost = p.link_len == 0;
    print(p, c, wire, tag, outermost, 0)
}

/// A frame after `before` bytes of another link-layer header.
pub(crate) fn after_header(p: &mut Out<'_>, c: Cursor<'_>, wire: usize, before: usize) -> Printed {
    print(p, c, wire, None, true, before)
}

fn print(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    wire: usize,
    tag: Option<SwitchTag>,
    outermost: bool,
    before: usize,
) -> Printed {
    if tag.is_none() {
        p.protocol = "ether";
    }
    let tag_length = tag.map_or(0, |tag| tag.length);
    let header = 14 + tag_length;
    if outermost {
        p.link_len = before + header;
    }
    c.need(header)?;
    if wire < header {
        return Err(Truncated);
    }
    let destination = c.array::<6>()?;
    let source = c.array::<6>()?;
    p.macs = Some((source, destination));
    if p.style.link {
        addresses(p, source, destination);
    }
    if let Some(tag) = tag {
        (tag.print)(p, c)?;
        c.skip(tag_length)?;
        p.protocol = "ether";
    }
    let kind = c.u16()?;
    Frame {
        c,
        source,
        destination,
        header,
        length: wire - header,
        wire,
        outermost,
        before,
        length_shown: false,
    }
    .types(p, kind)
}

impl Frame<'_> {
    /// Follows types that are followed by another type.
    fn types(mut self, p: &mut Out<'_>, mut kind: u16) -> Printed {
        loop {
            kind = match kind {
                _ if kind <= MAX_LENGTH => return self.llc(p, usize::from(kind)),
                JUMBO => {
                    let length = self.length;
                    return self.llc_payload(p, length);
                }
                ARISTA => match self.arista(p, kind)? {
                    Some(inner) => inner,
                    None => return Ok(()),
                },
                MACSEC => match self.macsec(p, kind)? {
                    Some(inner) => inner,
                    None => return Ok(()),
                },
                _ if is_tag(kind) => self.vlan(p, kind)?,
                _ => return self.payload(p, kind),
            };
        }
    }

    /// `count` bytes of header were passed.
    fn advance(&mut self, p: &mut Out<'_>, count: usize) {
        self.header += count;
        self.length = self.length.saturating_sub(count);
        if self.outermost {
            p.link_len = self.before + self.header;
        }
    }

    fn vlan(&mut self, p: &mut Out<'_>, kind: u16) -> Result<u16, Truncated> {
        p.protocol = "vlan";
        if self.length < 4 {
            return Err(Truncated);
        }
        self.c.need(4)?;
        let tag = self.c.u16()?;
        let inner = self.c.u16()?;
        self.advance(p, 4);
        if p.style.link {
            self.kind_and_length(p, kind);
            vlan(p, tag);
        }
        Ok(inner)
    }

    /// `None` if the rest was printed as bytes.
    fn arista(&mut self, p: &mut Out<'_>, kind: u16) -> Result<Option<u16>, Truncated> {
        self.kind_and_length(p, kind);
        // What comes after the timestamp is a frame's type again, with its length.
        self.length_shown = false;
        let Some(mut after) = arista::header(p, self.c, self.length)? else {
            if !p.style.link {
                addresses(p, self.source, self.destination);
                self.kind_and_length(p, kind);
            }
            if !p.style.quiet {
                p.unknown(self.c.rest());
            }
            return Ok(None);
        };
        let consumed = self.c.remaining() - after.remaining();
        let inner = after.u16()?;
        self.c = after;
        self.advance(p, consumed + 2);
        Ok(Some(inner))
    }

    /// `None` if the payload is encrypted.
    fn macsec(&mut self, p: &mut Out<'_>, kind: u16) -> Result<Option<u16>, Truncated> {
        if p.style.link {
            self.kind_and_length(p, kind);
        }
        let ends = (self.source, self.destination);
        match macsec::header(p, self.c, self.length, ends)? {
            Macsec::Stop => Ok(None),
            Macsec::Encrypted(rest) => {
                if !p.style.quiet {
                    p.unknown(rest.rest());
                }
                Ok(None)
            }
            Macsec::Plain(mut rest, length) => {
                let consumed = rest.position();
                self.length = length;
                let inner = rest.u16()?;
                self.c = rest;
                self.header += consumed + 2;
                self.length = self.length.saturating_sub(2);
                if self.outermost {
                    p.link_len = self.before + self.header;
                }
                Ok(Some(inner))
            }
        }
    }

    fn llc(&self, p: &mut Out<'_>, stated: usize) -> Printed {
        let length = self.length.min(stated);
        if p.style.link {
            put!(p, "802.3");
            if !self.length_shown {
                put!(p, ", length ", length, ": ");
            }
        }
        self.llc_payload(p, length)
    }

    fn llc_payload(&self, p: &mut Out<'_>, length: usize) -> Printed {
        let c = Cursor::new(self.c.limit(length).rest());
        let before = p.link_len;
        let printed = llc::llc(p, c, length, Some((&self.source, &self.destination)));
        if !self.outermost {
            p.link_len = before;
        }
        printed
    }

    fn payload(&mut self, p: &mut Out<'_>, kind: u16) -> Printed {
        if p.style.link {
            self.kind_and_length(p, kind);
        }
        let c = Cursor::new(self.c.limit(self.length).rest());
        if let Some(printed) = ethertype::payload(p, kind, c, self.length) {
            return printed;
        }
        if !p.style.link {
            addresses(p, self.source, self.destination);
            self.length_shown = false;
            self.kind_and_length(p, kind);
        }
        if !p.style.quiet {
            p.unknown(c.rest());
        }
        Ok(())
    }

    /// The type in words; the length of the frame only before the first of several types.
    fn kind_and_length(&mut self, p: &mut Out<'_>, kind: u16) {
        if !p.style.quiet {
            ethertype::label(p, kind);
        } else if let Some(name) = ethertype::name(kind) {
            put!(p, name);
        } else {
            put!(p, "Unknown Ethertype (0x", HexFull(kind), ")");
        }
        if self.length_shown {
            put!(p, ", ");
        } else {
            put!(p, ", length ", self.wire, ": ");
            self.length_shown = true;
        }
    }
}

/// Whether a VLAN tag follows: IEEE 802.1Q, 802.1ad, and what was used before it.
pub(crate) fn is_tag(kind: u16) -> bool {
    matches!(kind, 0x8100 | 0x88a8 | 0x9100 | 0x9200)
}

/// `vlan N, p N, ` with `DEI, ` if frames may be dropped.
pub(crate) fn vlan(p: &mut Out<'_>, tag: u16) {
    put!(p, "vlan ", tag & 0xfff, ", p ", tag >> 13, ", ");
    if tag & 0x1000 != 0 {
        put!(p, "DEI, ");
    }
}

fn addresses(p: &mut Out<'_>, source: [u8; 6], destination: [u8; 6]) {
    p.mac(source);
    put!(p, " > ");
    p.mac(destination);
    put!(p, ", ");
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::Style;
    use crate::tests::{check, style};

    #[test]
    fn types_and_tags() {
        for (packet, expected) in [
            (
                "02000000000202000000000108004500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 45: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "0200000000020200000000018100300508004500001f00010000401166cb0a0000010a00000200010002000b2770616263",
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q (0x8100), length 49: vlan 5, p 1, DEI, ethertype IPv4 (0x0800), 10.0.0.1.1 > 10.0.0.2.2: UDP, length 3\n",
            ),
            (
                "02000000000202000000000188a800c88100000586dd60000000000d114020010db800000000000000000000000120010db80000000000000000000000029c40829a000d41b268656c6c6f",
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 802.1Q-QinQ (0x88a8), length 75: vlan 200, p 0, ethertype 802.1Q (0x8100), vlan 5, p 0, ethertype IPv6 (0x86dd), 2001:db8::1.40000 > 2001:db8::2.33434: UDP, length 5\n",
            ),
            (
                "0200000000020200000000019999756e6b6e6f776e207061796c6f6164",
                "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype Unknown (0x9999), length 29: \n\t0x0000:  756e 6b6e 6f77 6e20 7061 796c 6f61 64    unknown.payload\n",
            ),
        ] {
            check(
                LinkType::ETHERNET,
                packet,
                Style {
                    link: true,
                    ..style(0)
                },
                expected,
            );
        }
    }
}
