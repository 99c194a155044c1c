//! GRE (RFC 2784, RFC 2890), its source routes (RFC 1701), version 1 of PPTP (RFC 2637), and
//! WCCP's redirected packets.

use std::net::Ipv4Addr;

use pktwho_wire::Cursor;

use crate::out::{Out, Printed, bits};
use crate::put::{Hex, HexFull, put};
use crate::{erspan, ether, ethertype, nhrp, ppp};

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACK: u16 = 0x0080;

static FLAGS: &[(u32, &str)] = &[
    (0x8000, "checksum present"),
    (0x4000, "routing present"),
    (0x2000, "key present"),
    (0x1000, "sequence# present"),
    (0x0800, "source routing present"),
    (0x0080, "ack present"),
];

const PPP: u16 = 0x880b;
const ETHERNET: u16 = 0x6558;
const WCCP: u16 = 0x883e;
const NHRP: u16 = 0x2001;

/// A GRE packet of `length` bytes.
pub(crate) fn gre(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "gre";
    let mut peek = c;
    if length < 2 {
        put!(p, " [length ", length, " < 2]");
        p.invalid();
        return Ok(());
    }
    let version = peek.u16()? & 7;
    put!(p, "GREv", version);
    match version {
        0 => version_0(p, c, length),
        1 => version_1(p, c, length),
        _ => {
            put!(p, " ERROR: unknown-version");
            Ok(())
        }
    }
}

fn version_0(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    let whole = length;
    let mut c = c;
    let start = c.position();
    let flags = c.u16()?;
    show_flags(p, flags);
    let kind = c.u16()?;
    if flags & (CHECKSUM | ROUTING) != 0 {
        let sum = c.u16()?;
        if p.verbose(1) {
            put!(p, ", sum 0x", Hex(sum));
        }
        put!(p, ", off 0x", Hex(c.u16()?));
    }
    if flags & KEY != 0 {
        put!(p, ", key=0x", Hex(c.u32()?));
    }
    if flags & SEQUENCE != 0 {
        put!(p, ", seq ", c.u32()?);
    }
    if flags & ROUTING != 0 {
        routes(p, &mut c)?;
    }
    proto(p, kind);
    put!(p, ", length ", whole);
    put!(p, if p.verbose(1) { "\n\t" } else { ": " });
    let left = length.saturating_sub(c.position() - start);
    let c = Cursor::new(c.rest());
    match kind {
        WCCP => return wccp(p, c, left),
        NHRP => return p.deeper(|p| nhrp::nhrp(p, c, left)),
        ETHERNET => return p.deeper(|p| ether::frame(p, c, left)),
        0x88be | 0x22eb => {
            return p.deeper(|p| erspan::erspan(p, kind, flags & SEQUENCE != 0, c, left));
        }
        _ => {
            if let Some(printed) = inner(p, kind, c, left) {
                return printed;
            }
            put!(p, "gre-proto-0x", Hex(kind));
        }
    }
    Ok(())
}

/// Payloads that GRE carries: not all that Ethernet does.
fn inner(p: &mut Out<'_>, kind: u16, c: Cursor<'_>, length: usize) -> Option<Printed> {
    match kind {
        0x00fe | 0x0800 | 0x86dd | 0x809b | 0x8137 | 0x8847 => {
            ethertype::payload(p, kind, c, length)
        }
        _ => None,
    }
}

fn version_1(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let start = c.position();
    let flags = c.u16()?;
    show_flags(p, flags);
    let kind = c.u16()?;
    if flags & KEY != 0 {
        put!(p, ", call ", c.u32()? & 0xffff);
    }
    if flags & SEQUENCE != 0 {
        put!(p, ", seq ", c.u32()?);
    }
    if flags & ACK != 0 {
        put!(p, ", ack ", c.u32()?);
    }
    let empty = flags & SEQUENCE == 0;
    if empty {
        put!(p, ", no-payload");
    }
    proto(p, kind);
    put!(p, ", length ", length);
    if empty {
        return Ok(());
    }
    put!(p, if p.verbose(1) { "\n\t" } else { ": " });
    if kind == PPP {
        let left = length.saturating_sub(c.position() - start);
        let c = Cursor::new(c.rest());
        return p.deeper(|p| ppp::payload(p, c, left));
    }
    put!(p, "gre-proto-0x", Hex(kind));
    Ok(())
}

fn show_flags(p: &mut Out<'_>, flags: u16) {
    if p.verbose(1) {
        put!(p, ", Flags [");
        bits(p, FLAGS, u32::from(flags), ", ", "none");
        put!(p, "]");
    }
}

fn proto(p: &mut Out<'_>, kind: u16) {
    if p.style.link {
        let name = ethertype::name(kind).unwrap_or("unknown");
        put!(p, ", proto ", name, " (0x", HexFull(kind), ")");
    }
}

/// Source route entries up to the empty one.
fn routes(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    loop {
        let family = c.u16()?;
        let offset = c.u8()?;
        let length = c.u8()?;
        if length == 0 {
            return Ok(());
        }
        let body = c.limit(usize::from(length));
        match family {
            0x0800 => route_ip(p, body, offset, length)?,
            0xfffe => route_as(p, body, offset, length)?,
            _ => put!(p, ", (rtaf=0x", Hex(family), ")"),
        }
        c.skip(usize::from(length))?;
    }
}

fn route_ip(p: &mut Out<'_>, mut c: Cursor<'_>, offset: u8, length: u8) -> Printed {
    put!(p, ", (rtaf=ip");
    if whole_entries(p, offset, length, 4) {
        for at in (0..length).step_by(4) {
            let mark = if offset == at { "*" } else { "" };
            let hop = c.u32()?;
            put!(p, " ", mark);
            p.addr(Ipv4Addr::from(hop));
        }
    }
    put!(p, ")");
    Ok(())
}

fn route_as(p: &mut Out<'_>, mut c: Cursor<'_>, offset: u8, length: u8) -> Printed {
    put!(p, ", (rtaf=asn");
    if whole_entries(p, offset, length, 2) {
        for at in (0..length).step_by(2) {
            let mark = if offset == at { "*" } else { "" };
            put!(p, " ", mark, Hex(c.u16()?));
        }
    }
    put!(p, ")");
    Ok(())
}

/// Whether offset and length of a route count whole entries; says which does not.
fn whole_entries(p: &mut Out<'_>, offset: u8, length: u8, entry: u8) -> bool {
    if !offset.is_multiple_of(entry) {
        put!(p, ", badoffset=", offset);
    } else if !length.is_multiple_of(entry) {
        put!(p, ", badlength=", length);
    } else if offset >= length {
        put!(p, ", badoff/len=", offset, "/", length);
    } else {
        return true;
    }
    false
}

/// What a router took out of its way for a web cache (WCCP version 2, redirect header).
fn wccp(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    if length < 4 {
        put!(p, " [length ", length, " < 4]");
        p.invalid();
        return Ok(());
    }
    let [flags, service, alternative, primary] = c.array()?;
    put!(
        p,
        "wccp T:",
        flags >> 7,
        " A:",
        flags >> 6 & 1,
        " U:",
        flags >> 5 & 1,
        " SId:",
        service,
        " Alt:",
        alternative
    );
    put!(p, " Pri:", primary, ": ");
    p.deeper(|p| crate::ip::ip(p, c, length - 4))
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn as_tcpdump_prints_it() {
        check(
            LinkType(101),
            "4500003400010000402f00000a0000010a000002000008004500001c00010000401166ce0a0000010a0000020001000200089bd8",
            style(0),
            "IP 10.0.0.1 > 10.0.0.2: GREv0, length 32: IP 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
        check(
            LinkType(101),
            "4500003c00010000402f00000a0000010a0000023000080000000001000000024500001c00010000401166ce0a0000010a0000020001000200089bd8",
            style(1),
            "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto GRE (47), length 60, bad cksum 0 (->6690)!)\n    10.0.0.1 > 10.0.0.2: GREv0, Flags [key present, sequence# present], key=0x1, seq 2, length 40\n\tIP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 28)\n    10.0.0.1.1 > 10.0.0.2.2: UDP, length 0\n",
        );
    }
}
