//! Cisco's enhanced interior gateway routing protocol (RFC 7868).

use std::net::Ipv4Addr;

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed, bits, lookup, named};
use crate::put::{HexFull, put};
use crate::rip::right;

static OPCODES: &[(u8, &str)] = &[
    (1, "Update"),
    (3, "Query"),
    (4, "Reply"),
    (5, "Hello"),
    (6, "IPX SAP"),
    (7, "Probe"),
];

static FLAGS: &[(u32, &str)] = &[
    (1, "Init"),
    (2, "Conditionally Received"),
    (4, "Restart"),
    (8, "End-of-Table"),
];

static TLVS: &[(u16, &str)] = &[
    (GENERAL, "General Parameters"),
    (2, "Authentication"),
    (3, "Sequence"),
    (SOFTWARE, "Software Version"),
    (5, "Next Multicast Sequence"),
    (IP_INTERNAL, "IP Internal routes"),
    (IP_EXTERNAL, "IP External routes"),
    (AT_INTERNAL, "AppleTalk Internal routes"),
    (AT_EXTERNAL, "AppleTalk External routes"),
    (AT_CABLE, "AppleTalk Cable setup"),
    (0x302, "IPX Internal routes"),
    (0x303, "IPX External routes"),
];

const GENERAL: u16 = 1;
const SOFTWARE: u16 = 4;
const IP_INTERNAL: u16 = 0x102;
const IP_EXTERNAL: u16 = 0x103;
const AT_INTERNAL: u16 = 0x202;
const AT_EXTERNAL: u16 = 0x203;
const AT_CABLE: u16 = 0x204;

static SOURCES: &[(u8, &str)] = &[
    (1, "IGRP"),
    (2, "EIGRP"),
    (3, "Static"),
    (4, "RIP"),
    (5, "Hello"),
    (6, "OSPF"),
    (7, "IS-IS"),
    (8, "EGP"),
    (9, "BGP"),
    (10, "IDRP"),
    (11, "Connected"),
];

const HEADER: usize = 20;
/// Type and length of a TLV.
const TLV_HEADER: usize = 4;

/// A message of `length` bytes.
pub(crate) fn eigrp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "eigrp";
    if length < HEADER {
        put!(p, "EIGRP ");
        let mut c = c;
        c.skip(1)?;
        opcode(p, c.u8()?);
        put!(p, ", length: ", length, " (too short, < ", HEADER, ")");
        return Ok(());
    }
    c.need(HEADER)?;
    let mut c = c;
    let version = c.u8()?;
    if version != 2 {
        put!(p, "EIGRP version ", version, " packet not supported");
        return Ok(());
    }
    let operation = c.u8()?;
    if !p.verbose(1) {
        put!(p, "EIGRP ");
        match lookup(OPCODES, operation) {
            Some(name) => put!(p, name),
            None => put!(p, "unknown (", operation, ")"),
        }
        put!(p, ", length: ", length);
        return Ok(());
    }
    let left = length - HEADER;
    put!(
        p,
        "
	EIGRP v",
        version,
        ", opcode: "
    );
    opcode(p, operation);
    put!(p, " (", operation);
    put!(p, "), chksum: 0x", HexFull(c.u16()?), ", Flags: [");
    bits(p, FLAGS, c.u32()?, ", ", "none");
    put!(
        p,
        "]\n\tseq: 0x",
        HexFull(c.u32()?),
        ", ack: 0x",
        HexFull(c.u32()?)
    );
    put!(
        p,
        ", VRID: ",
        c.u16()?,
        ", AS: ",
        c.u16()?,
        ", length: ",
        left
    );
    tlvs(p, c, left)
}

fn opcode(p: &mut Out<'_>, code: u8) {
    match lookup(OPCODES, code) {
        Some(name) => put!(p, name),
        None => put!(p, "unknown, type: ", code),
    }
}

fn tlvs(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        c.need(TLV_HEADER)?;
        let kind = c.u16()?;
        let size = usize::from(c.u16()?);
        if size < TLV_HEADER || size > left {
            hexdump::hex(p, "\n\t    ", c.limit(left - TLV_HEADER).rest());
            return Ok(());
        }
        put!(
            p,
            "\n\t  ",
            named(TLVS, kind, "Unknown"),
            " TLV (0x",
            HexFull(kind)
        );
        put!(p, "), length: ", size);
        let value = c.sub(size - TLV_HEADER)?;
        tlv(p, kind, value)?;
        if p.verbose(2) {
            hexdump::hex(p, "\n\t    ", value.rest());
        }
        left -= size;
    }
    Ok(())
}

fn tlv(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>) -> Printed {
    let least = match kind {
        GENERAL => 8,
        SOFTWARE => 4,
        IP_INTERNAL => 22,
        IP_EXTERNAL => 42,
        AT_CABLE => 8,
        AT_INTERNAL => 24,
        AT_EXTERNAL => 36,
        _ => 0,
    };
    if c.remaining() < least {
        put!(p, " (too short, < ", least + TLV_HEADER, ")");
        return Ok(());
    }
    match kind {
        GENERAL => {
            let [k1, k2, k3, k4, k5] = c.array()?;
            c.skip(1)?;
            put!(p, "\n\t    holdtime: ", c.u16()?, "s, k1 ", k1, ", k2 ", k2);
            put!(p, ", k3 ", k3, ", k4 ", k4, ", k5 ", k5);
        }
        SOFTWARE => {
            put!(p, "\n\t    IOS version: ", c.u8()?, ".", c.u8()?);
            put!(p, ", EIGRP version ", c.u8()?, ".", c.u8()?);
        }
        IP_INTERNAL | IP_EXTERNAL => route(p, kind, c)?,
        AT_CABLE => {
            let (start, end, id) = (c.u16()?, c.u16()?, c.u32()?);
            put!(
                p,
                "\n\t    Cable-range: ",
                start,
                "-",
                end,
                ", Router-ID ",
                id
            );
        }
        AT_INTERNAL | AT_EXTERNAL => cable_route(p, kind, c)?,
        _ if !p.verbose(2) => hexdump::hex(p, "\n\t    ", c.rest()),
        _ => {}
    }
    Ok(())
}

fn route(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>) -> Printed {
    let next = c.u32()?;
    // An external route says after its next hop where it comes from.
    let external = if kind == IP_EXTERNAL { 20 } else { 0 };
    let mut origin = c;
    c.skip(external)?;
    let metric = c;
    c.skip(16)?;
    let width = c.u8()?;
    if width > 32 {
        put!(p, "\n\t    illegal prefix length ", width);
        return Ok(());
    }
    let mut prefix = [0; 4];
    for (to, from) in prefix
        .iter_mut()
        .zip(c.take(usize::from(width).div_ceil(8))?)
    {
        *to = *from;
    }
    put!(p, "\n\t    IPv4 prefix: ");
    right(p, Ipv4Addr::from(prefix), 15);
    put!(p, "/", width, ", nexthop: ");
    if next == 0 {
        put!(p, "self");
    } else {
        p.addr(Ipv4Addr::from(next));
    }
    if kind == IP_EXTERNAL {
        let (router, number, tag, its_metric) =
            (origin.u32()?, origin.u32()?, origin.u32()?, origin.u32()?);
        origin.skip(2)?;
        put!(p, "\n\t      origin-router ");
        p.addr(Ipv4Addr::from(router));
        source(p, number, tag, its_metric, &mut origin)?;
    }
    metrics(p, metric)
}

fn cable_route(p: &mut Out<'_>, kind: u16, mut c: Cursor<'_>) -> Printed {
    let next = c.u32()?;
    let mut origin = c;
    if kind == AT_EXTERNAL {
        c.skip(12)?;
    }
    let metric = c;
    c.skip(16)?;
    put!(
        p,
        "\n\t     Cable-Range: ",
        c.u16()?,
        "-",
        c.u16()?,
        ", nexthop: "
    );
    if next == 0 {
        put!(p, "self");
    } else {
        put!(p, next >> 16, ".", next & 0xffff);
    }
    if kind == AT_EXTERNAL {
        let (router, number, metric) = (origin.u32()?, origin.u32()?, origin.u16()?);
        put!(p, "\n\t      origin-router ", router);
        let tag = 0;
        source(p, number, tag, u32::from(metric), &mut origin)?;
    }
    metrics(p, metric)
}

/// Where an external route comes from; protocol and flags are still to be read.
fn source(
    p: &mut Out<'_>,
    number: u32,
    tag: u32,
    metric: u32,
    c: &mut Cursor<'_>,
) -> Result<(), Truncated> {
    let protocol = c.u8()?;
    let name = named(SOURCES, protocol, "unknown");
    put!(p, ", origin-as ", number, ", origin-proto ", name);
    put!(
        p,
        ", flags [0x",
        HexFull(c.u8()?),
        "], tag 0x",
        HexFull(tag)
    );
    put!(p, ", metric ", metric);
    Ok(())
}

fn metrics(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let (delay, width, mtu) = (c.u32()?, c.u32()?, c.u24()?);
    let (hops, reliability, load) = (c.u8()?, c.u8()?, c.u8()?);
    put!(p, "\n\t      delay ", delay / 100, " ms, bandwidth ", width);
    put!(p, " Kbps, mtu ", mtu, ", hop ", hops);
    put!(p, ", reliability ", reliability, ", load ", load);
    Ok(())
}
