//! `IPsec`: ESP (RFC 4303), AH (RFC 4302) and `IPComp` (RFC 3173).

mod secrets;

use pktwho_wire::{Cursor, Truncated};

use crate::ip_proto::{self, Ip};
use crate::out::{Out, Printed};
use crate::put::{Hex, HexFull, put};
pub use secrets::Secrets;

/// An ESP packet; what is inside too, if there is a key for it.
pub(crate) fn esp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    p.protocol = "esp";
    let mut c = c;
    put!(p, "ESP");
    let spi = c.u32()?;
    put!(p, "(spi=0x", HexFull(spi));
    put!(p, ",seq=0x", Hex(c.u32()?));
    put!(p, "), length ", length);
    if p.style.secrets.is_empty() {
        return Ok(());
    }
    let secrets = std::sync::Arc::clone(&p.style.secrets);
    let Some(text) = secrets.esp(spi, ip.dst, c.rest()) else {
        return Ok(());
    };
    let Some((&[padding, next], payload)) = text.split_last_chunk::<2>().map(|(a, b)| (b, a))
    else {
        return Err(Truncated);
    };
    let end = payload.len().checked_sub(usize::from(padding));
    let payload = end.and_then(|end| payload.get(..end)).ok_or(Truncated)?;
    put!(p, ": ");
    let inside = Ip {
        addresses_shown: true,
        ..*ip
    };
    p.deeper(|p| ip_proto::payload(p, next, Cursor::new(payload), payload.len(), &inside))
}

/// An authentication header and what follows it.
pub(crate) fn ah(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    p.protocol = "ah";
    let mut c = c;
    let next = c.u8()?;
    put!(p, "AH");
    let words = usize::from(c.u8()?);
    put!(p, "(");
    let size = (words + 2) * 4;
    if p.verbose(1) {
        put!(p, "length=", words, "(", size, "-bytes),");
    }
    let reserved = c.u16()?;
    if reserved != 0 {
        put!(p, "reserved=0x", Hex(reserved), "[MustBeZero],");
    }
    put!(p, "spi=0x", HexFull(c.u32()?), ",");
    put!(p, "seq=0x", Hex(c.u32()?), ",icv=0x");
    for _ in 12..size {
        put!(p, HexFull(c.u8()?));
    }
    put!(p, "): ");
    let left = length.saturating_sub(size);
    let inside = Ip {
        addresses_shown: true,
        ..*ip
    };
    p.deeper(|p| ip_proto::payload(p, next, Cursor::new(c.rest()), left, &inside))
}

/// A compressed payload: only its header is shown.
pub(crate) fn ipcomp(p: &mut Out<'_>, c: Cursor<'_>, _length: usize, _ip: &Ip) -> Printed {
    p.protocol = "ipcomp";
    let mut c = c;
    c.skip(2)?;
    put!(p, "IPComp(cpi=0x", HexFull(c.u16()?), ")");
    Ok(())
}
