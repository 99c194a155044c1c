//! TIPC, Transparent Inter-Process Communication, version 2 (its protocol specification at
//! docs.tipc.io).

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup, named};
use crate::put::{HexFull, Put, put};

static USERS: &[(u8, &str)] = &[
    (0, "Low Importance Data payload"),
    (1, "Medium Importance Data payload"),
    (2, "High Importance Data payload"),
    (3, "Critical Importance Data payload"),
    (5, "Broadcast Link Protocol internal"),
    (6, "Message Bundler Protocol internal"),
    (7, "Link State Protocol internal"),
    (8, "Connection Manager internal"),
    (10, "Link Changeover Protocol internal"),
    (11, "Name Table Update Protocol internal"),
    (12, "Message Fragmentation Protocol internal"),
    (13, "Neighbor Detection Protocol internal"),
];

static PAYLOAD_TYPES: &[(u8, &str)] = &[
    (0, "CONN_MSG"),
    (1, "MCAST_MSG"),
    (2, "NAMED_MSG"),
    (3, "DIRECT_MSG"),
];

static DISCOVERY_TYPES: &[(u8, &str)] = &[(0, "Link request"), (1, "Link response")];

/// A node's address: zone, cluster and node.
struct Address(u32);

impl Put for Address {
    fn put(self, out: &mut Vec<u8>) {
        let Self(address) = self;
        let parts = (
            address >> 24,
            '.',
            address >> 12 & 0xfff,
            '.',
            address & 0xfff,
        );
        parts.put(out);
    }
}

fn high(word: u32) -> u32 {
    word >> 16
}

fn low(word: u32) -> u32 {
    word & 0xffff
}

/// A message.
pub(crate) fn tipc(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "tipc";
    if length < 4 {
        return Err(Truncated);
    }
    let mut c = c;
    let first = c.u32()?;
    let user = u8::try_from(first >> 25 & 15).unwrap_or(0);
    let words = first >> 21 & 15;
    let head = Head {
        name: lookup(USERS, user),
        version: first >> 29,
        words,
        size: first & 0x1_ffff,
    };
    match user {
        0..=3 | 8 | 11 => payload(p, c, &head),
        5..=7 | 10 | 12 => internal(p, c, &head),
        13 => discovery(p, c, &head),
        // compat: nothing is said of the others (4.99.3).
        _ => Ok(()),
    }
}

/// What the first word says.
struct Head {
    name: Option<&'static str>,
    version: u32,
    words: u32,
    size: u32,
}

impl Head {
    fn sizes(&self, p: &mut Out<'_>) {
        put!(p, ", headerlength ", self.words * 4, " bytes, MessageSize ");
        let name = self.name.unwrap_or("Unknown");
        put!(p, self.size, " bytes, ", name, ", messageType ");
    }
}

fn payload(p: &mut Out<'_>, mut c: Cursor<'_>, head: &Head) -> Printed {
    let (second, third, previous) = (c.u32()?, c.u32()?, c.u32()?);
    let (from, to) = (c.u32()?, c.u32()?);
    let long = head.words > 6;
    if long {
        let (origin, destination) = (c.u32()?, c.u32()?);
        put!(p, "TIPC v", head.version, ".0 ");
        put!(
            p,
            Address(origin),
            ":",
            from,
            " > ",
            Address(destination),
            ":",
            to
        );
    } else {
        put!(p, "TIPC v", head.version, ".0 ");
        put!(p, Address(previous), ":", from, " > ", to);
    }
    head.sizes(p);
    put!(p, kind(PAYLOAD_TYPES, second));
    if long && p.verbose(1) {
        put!(
            p,
            "\n\tPrevious Node ",
            Address(previous),
            ", Broadcast Ack ",
            low(second)
        );
        put!(
            p,
            ", Link Ack ",
            high(third),
            ", Link Sequence ",
            low(third)
        );
    }
    Ok(())
}

/// The name of a message's type.
fn kind(table: &[(u8, &'static str)], second: u32) -> &'static str {
    named(table, u8::try_from(second >> 29).unwrap_or(0), "Unknown")
}

/// Messages of the protocols between nodes.
fn internal(p: &mut Out<'_>, mut c: Cursor<'_>, head: &Head) -> Printed {
    let (second, third, previous) = (c.u32()?, c.u32()?, c.u32()?);
    let (fifth, sixth) = (c.u32()?, c.u32()?);
    let (origin, destination) = (c.u32()?, c.u32()?);
    put!(
        p,
        "TIPC v",
        head.version,
        ".0 ",
        Address(origin),
        " > ",
        Address(destination)
    );
    head.sizes(p);
    put!(p, kind(PAYLOAD_TYPES, second), " (0x", HexFull(second), ")");
    if !p.verbose(1) {
        return Ok(());
    }
    let (transport, tenth) = (c.u32()?, c.u32()?);
    put!(
        p,
        "\n\tPrevious Node ",
        Address(previous),
        ", Session No. ",
        high(sixth)
    );
    put!(
        p,
        ", Broadcast Ack ",
        low(second),
        ", Sequence Gap ",
        high(second) & 0x1fff
    );
    put!(
        p,
        ",  Broadcast Gap After ",
        high(third),
        ", Broadcast Gap To ",
        low(third)
    );
    put!(
        p,
        ", Last Sent Packet No. ",
        high(fifth),
        ", Next sent Packet No. ",
        low(fifth)
    );
    put!(
        p,
        ", Transport Sequence ",
        transport,
        ", msg_count ",
        high(tenth)
    );
    put!(p, ", Link Tolerance ", low(tenth));
    Ok(())
}

/// Finding neighbours.
fn discovery(p: &mut Out<'_>, mut c: Cursor<'_>, head: &Head) -> Printed {
    let (second, domain, previous) = (c.u32()?, c.u32()?, c.u32()?);
    put!(
        p,
        "TIPC v",
        head.version,
        ".0 ",
        Address(previous),
        " > ",
        Address(domain)
    );
    head.sizes(p);
    put!(p, kind(DISCOVERY_TYPES, second));
    if p.verbose(1) {
        let (network, media) = (c.u32()?, c.u32()? & 0xff);
        put!(
            p,
            "\n\tNodeSignature ",
            low(second),
            ", network_id ",
            network
        );
        put!(p, ", media_id ", media);
    }
    Ok(())
}
