//! OpenBSD's common address redundancy protocol, which uses VRRP's number.

use pktwho_wire::Cursor;

use crate::checksum::Sum;
use crate::ip_proto::Ip;
use crate::out::{Out, Printed};
use crate::put::{Hex, put};

/// An advertisement of `length` bytes.
pub(crate) fn carp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    p.protocol = "carp";
    let whole = c;
    let mut c = c;
    let first = c.u8()?;
    let (version, kind) = (first >> 4, first & 15);
    put!(p, "CARPv", version, "-");
    match kind {
        1 => put!(p, "advertise"),
        other => put!(p, "unknown", other),
    }
    put!(p, " ", length, ": ");
    if ip.ttl != 255 {
        put!(p, "[ttl=", ip.ttl, "!] ");
    }
    if version != 2 || kind != 1 {
        return Ok(());
    }
    c.need(5)?;
    let (id, skew, words) = (c.u8()?, c.u8()?, c.u8()?);
    c.skip(1)?;
    put!(p, "vhid=", id, " advbase=", c.u8()?, " advskew=", skew);
    put!(p, " authlen=", words, " ");
    if p.verbose(1)
        && let Some(bytes) = whole.rest().get(..length)
    {
        let residue = Sum::default().add(bytes).finish();
        if residue != 0 {
            put!(p, " (bad carp cksum ", Hex(residue), "!)");
        }
    }
    c.skip(2)?;
    put!(p, "counter=", c.u64()?);
    Ok(())
}
