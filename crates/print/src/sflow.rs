//! sFlow, version 5 (sflow.org).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::hexdump;
use crate::out::{Out, Printed, lookup};
use crate::put::put;

const HEADER_V4: usize = 28;
const HEADER_V6: usize = 40;

static SAMPLES: &[(u32, &str)] = &[
    (1, "flow sample"),
    (2, "counter sample"),
    (3, "expanded flow sample"),
    (4, "expanded counter sample"),
];

static FLOWS: &[(u32, &str)] = &[
    (1, "Raw packet"),
    (2, "Ethernet frame"),
    (3, "IPv4 Data"),
    (4, "IPv6 Data"),
    (1001, "Extended Switch data"),
    (1002, "Extended Router data"),
    (1003, "Extended Gateway data"),
    (1004, "Extended User data"),
    (1005, "Extended URL data"),
    (1006, "Extended MPLS data"),
    (1007, "Extended NAT data"),
    (1008, "Extended MPLS tunnel"),
    (1009, "Extended MPLS VC"),
    (1010, "Extended MPLS FEC"),
    (1011, "Extended MPLS LVP FEC"),
    (1012, "Extended VLAN Tunnel"),
];

static COUNTERS: &[(u32, &str)] = &[
    (1, "Generic counter"),
    (2, "Ethernet counter"),
    (3, "Token ring counter"),
    (4, "100 BaseVG counter"),
    (5, "Vlan counter"),
    (1001, "Processor counter"),
];

static PROTOCOLS: &[(u32, &str)] = &[(1, "Ethernet"), (11, "IPv4"), (12, "IPv6")];

static DIRECTIONS: &[(u32, &str)] = &[
    (0, "unknown"),
    (1, "full-duplex"),
    (2, "half-duplex"),
    (3, "in"),
    (4, "out"),
];

/// Why the rest of a datagram is not shown.
enum Stop {
    Cut,
    /// It contradicts itself.
    Wrong,
}

impl From<Truncated> for Stop {
    fn from(_: Truncated) -> Self {
        Self::Cut
    }
}

type Shown = Result<(), Stop>;

/// A datagram: samples of an agent.
pub(crate) fn sflow(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "sflow";
    let mut c = c;
    let (version, family) = (c.u32()?, c.u32()?);
    let six = family != 1;
    let least = if six { HEADER_V6 } else { HEADER_V4 };
    if length < least {
        // compat: the same length is named for both (4.99.3).
        put!(
            p,
            "sFlowv",
            version,
            " [length ",
            length,
            " < ",
            HEADER_V4,
            "]"
        );
        p.invalid();
        return Ok(());
    }
    if version != 5 {
        c.need(HEADER_V4 - 8)?;
        put!(p, "sFlow version ", version, " packet not supported");
        return Ok(());
    }
    c.need(least - 8)?;
    if six {
        let agent = Ipv6Addr::from(c.u128()?);
        put!(p, "sFlowv5, IPv6 agent ");
        p.addr(agent);
    } else {
        let agent = Ipv4Addr::from(c.u32()?);
        put!(p, "sFlowv5, IPv4 agent ");
        p.addr(agent);
    }
    let [id, sequence, uptime, count] = [c.u32()?, c.u32()?, c.u32()?, c.u32()?];
    put!(p, ", agent-id ", id);
    if !p.verbose(1) {
        put!(p, ", length ", length);
        return Ok(());
    }
    put!(
        p,
        ", seqnum ",
        sequence,
        ", uptime ",
        uptime,
        ", samples ",
        count
    );
    put!(p, ", length ", length);
    for _ in 0..count {
        if c.position() >= length {
            break;
        }
        match sample(p, &mut c, length) {
            Ok(()) => {}
            Err(Stop::Cut) => return Err(Truncated),
            Err(Stop::Wrong) => {
                p.invalid();
                return Ok(());
            }
        }
    }
    Ok(())
}

fn sample(p: &mut Out<'_>, c: &mut Cursor<'_>, length: usize) -> Shown {
    c.need(8)?;
    let (kind, size) = (c.u32()? & 0xfff, c.u32()?);
    put!(p, "\n\t", lookup(SAMPLES, kind).unwrap_or("Unknown"));
    put!(p, " (", kind, "), length ", size, ",");
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size == 0 {
        return Ok(());
    }
    if size > length.saturating_sub(c.position()) {
        return Err(Stop::Wrong);
    }
    let mut data = c.sub(size)?;
    match kind {
        1 | 3 => flows(p, &mut data, kind == 3),
        2 | 4 => counters(p, &mut data, kind == 4),
        0 => Ok(()),
        _ if p.verbose(2) => Ok(()),
        _ => {
            hexdump::hex(p, "\n\t    ", data.rest());
            Ok(())
        }
    }
}

/// A source of samples: its kind and its number, in one word or two.
fn source(c: &mut Cursor<'_>, expanded: bool) -> Result<(u32, u32), Truncated> {
    let first = c.u32()?;
    if expanded {
        return Ok((first, c.u32()?));
    }
    Ok((first >> 24, first & 0xff_ffff))
}

fn flows(p: &mut Out<'_>, c: &mut Cursor<'_>, expanded: bool) -> Shown {
    let head = if expanded { 44 } else { 32 };
    c.need(head).map_err(|_| Stop::Wrong)?;
    let sequence = c.u32()?;
    let (kind, index) = source(c, expanded)?;
    let [rate, pool, drops] = [c.u32()?, c.u32()?, c.u32()?];
    put!(p, " seqnum ", sequence, ", type ", kind, ", idx ", index);
    put!(p, ", rate ", rate, ", pool ", pool, ", drops ", drops);
    let count = if expanded {
        c.skip(16)?;
        let count = c.u32()?;
        put!(p, ", records ", count);
        count
    } else {
        let [input, output, count] = [c.u32()?, c.u32()?, c.u32()?];
        put!(p, ", input ", input, " output ", output, " records ", count);
        count
    };
    records(p, c, count, flow)
}

fn counters(p: &mut Out<'_>, c: &mut Cursor<'_>, expanded: bool) -> Shown {
    c.need(if expanded { 16 } else { 12 })
        .map_err(|_| Stop::Wrong)?;
    let sequence = c.u32()?;
    let (kind, index) = source(c, expanded)?;
    let count = c.u32()?;
    put!(p, " seqnum ", sequence, ", type ", kind, ", idx ", index);
    put!(p, ", records ", count);
    records(p, c, count, counter)
}

/// Records, each printed by `one`, which is given its format and its data.
fn records(
    p: &mut Out<'_>,
    c: &mut Cursor<'_>,
    count: u32,
    one: fn(&mut Out<'_>, u32, u32, Cursor<'_>) -> Shown,
) -> Shown {
    for _ in 0..count {
        let (Ok(format), Ok(size)) = (c.u32(), c.u32()) else {
            return Err(Stop::Wrong);
        };
        let there = usize::try_from(size).ok().and_then(|size| c.sub(size).ok());
        // What does not fit is named before it is found wrong.
        let data = there.unwrap_or(Cursor::new(&[]));
        one(p, format, size, data)?;
        if there.is_none() {
            return Err(Stop::Wrong);
        }
    }
    Ok(())
}

fn flow(p: &mut Out<'_>, format: u32, size: u32, mut c: Cursor<'_>) -> Shown {
    let (enterprise, kind) = (format >> 12, format & 0xfff);
    let name = lookup(FLOWS, kind).filter(|_| enterprise == 0);
    put!(
        p,
        "\n\t    enterprise ",
        enterprise,
        " ",
        name.unwrap_or("Unknown")
    );
    put!(p, " (", kind, ") length ", size);
    if enterprise != 0 {
        return Ok(());
    }
    let short = |_| Stop::Wrong;
    match kind {
        1 => {
            c.need(16).map_err(short)?;
            let [protocol, length, stripped, header] = [c.u32()?, c.u32()?, c.u32()?, c.u32()?];
            let name = lookup(PROTOCOLS, protocol).unwrap_or("Unknown");
            put!(
                p,
                "\n\t      protocol ",
                name,
                " (",
                protocol,
                "), length ",
                length
            );
            put!(p, ", stripped bytes ", stripped, ", header_size ", header);
        }
        2 => {
            c.need(20).map_err(short)?;
            let length = c.u32()?;
            c.skip(16)?;
            put!(p, "\n\t      frame len ", length, ", type ", c.u32()?);
        }
        1001 => {
            c.need(16).map_err(short)?;
            put!(p, "\n\t      src vlan ", c.u32()?, ", src pri ", c.u32()?);
            put!(p, ", dst vlan ", c.u32()?, ", dst pri ", c.u32()?);
        }
        3 | 4 | 1002..=1012 => {}
        // compat: with -v alone (4.99.3).
        _ if p.verbose(2) => {}
        _ => hexdump::hex(p, "\n\t\t", c.rest()),
    }
    Ok(())
}

fn counter(p: &mut Out<'_>, format: u32, size: u32, mut c: Cursor<'_>) -> Shown {
    let kind = format & 0xfff;
    // compat: whose format it is, tcpdump does not say of counters (4.99.3).
    let name = lookup(COUNTERS, kind).unwrap_or("Unknown");
    put!(
        p,
        "\n\t    enterprise 0, ",
        name,
        " (",
        kind,
        ") length ",
        size
    );
    let least = match kind {
        1 => 88,
        2 => 52,
        4 => 80,
        5 => 28,
        1001 => 28,
        _ => 0,
    };
    c.need(least).map_err(|_| Stop::Wrong)?;
    match kind {
        1 => generic(p, &mut c)?,
        2 => lists(
            p,
            &mut c,
            &[
                &[
                    "align errors",
                    "fcs errors",
                    "single collision",
                    "multiple collision",
                    "test error",
                ],
                &[
                    "deferred",
                    "late collision",
                    "excessive collision",
                    "mac trans error",
                ],
                &[
                    "carrier error",
                    "frames too long",
                    "mac receive errors",
                    "symbol errors",
                ],
            ],
        )?,
        4 => base_vg(p, &mut c)?,
        5 => {
            put!(p, "\n\t      vlan_id ", c.u32()?, ", octets ", c.u64()?);
            put!(p, ", unicast_pkt ", c.u32()?, ", multicast_pkt ", c.u32()?);
            put!(p, ", broadcast_pkt ", c.u32()?, ", discards ", c.u32()?);
        }
        1001 => {
            put!(
                p,
                "\n\t      5sec ",
                c.u32()?,
                ", 1min ",
                c.u32()?,
                ", 5min ",
                c.u32()?
            );
            // compat: both memories have the same name (4.99.3).
            put!(p, ", total_mem ", c.u64()?, ", total_mem ", c.u64()?);
        }
        3 => {}
        // compat: with -v alone (4.99.3).
        _ if p.verbose(2) => {}
        _ => hexdump::hex(p, "\n\t\t", c.rest()),
    }
    Ok(())
}

/// Lines of names with a number each.
fn lists(p: &mut Out<'_>, c: &mut Cursor<'_>, lines: &[&[&'static str]]) -> Printed {
    for line in lines {
        for (n, name) in line.iter().enumerate() {
            put!(
                p,
                if n == 0 { "\n\t      " } else { ", " },
                *name,
                " ",
                c.u32()?
            );
        }
    }
    Ok(())
}

fn generic(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, "\n\t      ifindex ", c.u32()?, ", iftype ", c.u32()?);
    let (speed, direction, status) = (c.u64()?, c.u32()?, c.u32()?);
    put!(p, ", ifspeed ", speed, ", ifdirection ", direction);
    put!(
        p,
        " (",
        lookup(DIRECTIONS, direction).unwrap_or("Unknown"),
        ")"
    );
    let up = |bit: u32| if status & bit == 0 { "down" } else { "up" };
    put!(p, "\n\t      ifstatus ", status, ", adminstatus: ", up(1));
    put!(p, ", operstatus: ", up(2));
    for way in ["In", "Out"] {
        put!(p, "\n\t      ", way, " octets ", c.u64()?);
        for name in [
            "unicast pkts",
            "multicast pkts",
            "broadcast pkts",
            "discards",
        ] {
            put!(p, ", ", name, " ", c.u32()?);
        }
        put!(p, "\n\t      ", way, " errors ", c.u32()?);
        let last = if way == "In" {
            "unknown protos"
        } else {
            "promisc mode"
        };
        put!(p, ", ", last, " ", c.u32()?);
    }
    Ok(())
}

/// IEEE 802.12.
fn base_vg(p: &mut Out<'_>, c: &mut Cursor<'_>) -> Printed {
    put!(p, "\n\t      in high prio frames ", c.u32()?);
    put!(p, ", in high prio octets ", c.u64()?);
    put!(p, "\n\t      in norm prio frames ", c.u32()?);
    put!(p, ", in norm prio octets ", c.u64()?);
    lists(
        p,
        c,
        &[&[
            "in ipm errors",
            "oversized",
            "in data errors",
            "null addressed frames",
        ]],
    )?;
    put!(p, "\n\t      out high prio frames ", c.u32()?);
    put!(
        p,
        ", out high prio octets ",
        c.u64()?,
        ", trans into frames ",
        c.u32()?
    );
    put!(p, "\n\t      in hc high prio octets ", c.u64()?);
    put!(
        p,
        ", in hc norm prio octets ",
        c.u64()?,
        ", out hc high prio octets ",
        c.u64()?
    );
    Ok(())
}
