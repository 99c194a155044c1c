//! `DECnet`'s transport (Digital, "NSP Functional Specification" 4.0.0).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, put};

use super::wrong;

/// Bytes that every message has: its flags and both ends of the link.
const HEADER: usize = 5;
/// An acknowledgement's bits: that it is one, and that it is a negative one.
const PRESENT: u16 = 0x8000;
const NEGATIVE: u16 = 0x1000;

static REASONS: &[(u16, &str)] = &[
    (0, "object rejected connect"),
    (1, "insufficient resources"),
    (2, "unrecognized node name"),
    (3, "node is shutting down"),
    (4, "unrecognized object"),
    (5, "invalid object name format"),
    (6, "object too busy"),
    (7, "protocol error discovered"),
    (8, "third party abort"),
    (9, "user abort"),
    (10, "invalid node name format"),
    (11, "local node shutting down"),
    (32, "insufficient local resources"),
    (33, "insufficient remote user resources"),
    (34, "invalid access control information"),
    (36, "bad ACCOUNT information"),
    (38, "no response from object"),
    (39, "node unreachable"),
    (41, "no link terminate"),
    (42, "disconnect complete"),
    (43, "bad image data in connect"),
];

/// A message of `length` bytes.
pub(super) fn nsp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    if length < HEADER {
        return wrong(p, "nsplen", length, '<', HEADER);
    }
    let mut c = c;
    c.need(HEADER)?;
    let (flags, destination, source) = (c.u8()?, c.u16_le()?, c.u16_le()?);
    let mut message = Message {
        c,
        left: length - HEADER,
        source,
        destination,
    };
    match (flags & 0x0c, flags & 0x70) {
        (0x00, 0x10) => message.link_service(p),
        (0x00, 0x30) => {
            put!(p, "intr ");
            message.segment(p, "dat")
        }
        (0x00, 0x50 | 0x70) => message.reserved(p, "subtype", flags),
        (0x00, _) => {
            message.named(p, "data");
            message.segment(p, "o")
        }
        (0x04, 0x00) => {
            message.named(p, "data-ack");
            message.acknowledgement(p, "o")
        }
        (0x04, 0x10) => {
            message.named(p, "ils-ack");
            message.acknowledgement(p, "dat")
        }
        (0x04, 0x20) => {
            put!(p, "conn-ack ", destination);
            Ok(())
        }
        (0x04, _) => message.reserved(p, "acktype", flags),
        (0x08, 0x10 | 0x60) => message.connect(p, flags & 0x70 == 0x60),
        (0x08, 0x20) => message.confirm(p),
        (0x08, 0x30) => message.disconnect(p),
        (0x08, 0x40) => {
            message.named(p, "disconn-confirm");
            message.reason(p)
        }
        (0x08, _) => message.reserved(p, "ctltype", flags),
        _ => message.reserved(p, "type", flags),
    }
}

/// What follows the ends of the link.
struct Message<'a> {
    c: Cursor<'a>,
    /// Bytes the message has left.
    left: usize,
    source: u16,
    destination: u16,
}

impl Message<'_> {
    fn named(&self, p: &mut Out<'_>, name: &str) {
        put!(p, name, " ", self.source, ">", self.destination, " ");
    }

    fn reserved(&self, p: &mut Out<'_>, what: &str, flags: u8) -> Printed {
        let (source, destination) = (self.source, self.destination);
        put!(p, "reserved-", what, "? ", Hex(flags), " ", source);
        put!(p, " > ", destination);
        Ok(())
    }

    /// `false` after saying that the message is too short for so many bytes.
    fn has(&self, p: &mut Out<'_>, count: usize) -> bool {
        let enough = self.left >= count;
        if !enough {
            p.invalid();
        }
        enough
    }

    /// The next word, if it acknowledges; else it is not passed.
    fn word(&mut self) -> Result<Option<u16>, Truncated> {
        let mut after = self.c;
        let word = after.u16_le()?;
        if word & PRESENT == 0 {
            return Ok(None);
        }
        self.c = after;
        self.left = self.left.saturating_sub(2);
        Ok(Some(word))
    }

    /// Up to two acknowledgements: of this subchannel, and of the other, which has a name of its own.
    fn acknowledged(&mut self, p: &mut Out<'_>, other: &str) -> Result<bool, Truncated> {
        if !self.has(p, 2) {
            return Ok(false);
        }
        let Some(word) = self.word()? else {
            return Ok(true);
        };
        let name = if word & NEGATIVE == 0 { "ack " } else { "nak " };
        put!(p, name, word & 0xfff, " ");
        if !self.has(p, 2) {
            return Ok(false);
        }
        if let Some(word) = self.word()? {
            let name = if word & NEGATIVE == 0 { "ack" } else { "nak" };
            if other == "o" {
                put!(p, other, name, " ", word & 0xfff, " ");
            } else {
                put!(p, name, other, " ", word & 0xfff, " ");
            }
        }
        Ok(true)
    }

    fn acknowledgement(&mut self, p: &mut Out<'_>, other: &str) -> Printed {
        if !self.has(p, 4) {
            return Ok(());
        }
        self.c.need(4)?;
        self.acknowledged(p, other).map(drop)
    }

    /// Data, behind what they acknowledge.
    fn segment(&mut self, p: &mut Out<'_>, other: &str) -> Printed {
        if self.acknowledged(p, other)? && self.has(p, 2) {
            put!(p, "seg ", self.c.u16_le()? & 0xfff, " ");
        }
        Ok(())
    }

    /// How much may be sent. Its last two bytes have a fixed place.
    fn link_service(&mut self, p: &mut Out<'_>) -> Printed {
        self.named(p, "link-service");
        if !self.has(p, 8) {
            return Ok(());
        }
        let mut service = self.c;
        self.acknowledged(p, "dat")?;
        put!(p, "seg ", self.c.u16_le()? & 0xfff, " ");
        service.skip(6)?;
        let (flags, value) = (service.u8()?, service.u8()?);
        match flags & 0x0c {
            0x00 => {
                put!(p, "dat seg count ", value, " ");
                match flags & 3 {
                    0 => {}
                    1 => put!(p, "donotsend-data "),
                    2 => put!(p, "send-data "),
                    _ => put!(p, "reserved-fcmod? ", Hex(flags)),
                }
            }
            0x04 => put!(p, "intr req count ", value, " "),
            _ => put!(p, "reserved-fcval-int? ", Hex(flags)),
        }
        Ok(())
    }

    fn connect(&mut self, p: &mut Out<'_>, again: bool) -> Printed {
        let name = if again {
            "retrans-conn-initiate"
        } else {
            "conn-initiate"
        };
        self.named(p, name);
        if !self.has(p, 4) {
            return Ok(());
        }
        self.parameters(p)
    }

    fn confirm(&mut self, p: &mut Out<'_>) -> Printed {
        self.named(p, "conn-confirm");
        if !self.has(p, 5) {
            return Ok(());
        }
        self.c.need(5)?;
        self.parameters(p)?;
        self.options(p)
    }

    /// Flow control, version and the longest segment.
    fn parameters(&mut self, p: &mut Out<'_>) -> Printed {
        let (services, info, size) = (self.c.u8()?, self.c.u8()?, self.c.u16_le()?);
        match services & 0x0c {
            0x04 => put!(p, "seg "),
            0x08 => put!(p, "msg "),
            _ => {}
        }
        let version = match info & 3 {
            0 => "3.2",
            1 => "3.1",
            2 => "4.0",
            _ => "4.1",
        };
        put!(p, "ver ", version, " segsize ", size, " ");
        Ok(())
    }

    fn disconnect(&mut self, p: &mut Out<'_>) -> Printed {
        self.named(p, "disconn-initiate");
        if !self.has(p, 3) {
            return Ok(());
        }
        self.c.need(3)?;
        self.reason(p)?;
        self.options(p)
    }

    /// How many bytes of data come with the message, if any.
    fn options(&mut self, p: &mut Out<'_>) -> Printed {
        match self.c.u8()? {
            0 => {}
            length => put!(p, "optlen ", length, " "),
        }
        Ok(())
    }

    fn reason(&mut self, p: &mut Out<'_>) -> Printed {
        let reason = self.c.u16_le()?;
        match lookup(REASONS, reason) {
            Some(name) => put!(p, name, " "),
            None => put!(p, "reason-", reason, " "),
        }
        Ok(())
    }
}
