//! Home networking control protocol (RFC 7788) over DNCP (RFC 7787): TLVs, and TLVs inside them.
//!
//! Without `-v` the outermost TLVs are named, and each `-v` shows what one more level says.

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, lookup, pass};
use crate::put::{HexBytes, HexFull, Pairs, Visible, Zeros, put};

mod dhcp;
mod prefix;

const HEADER: usize = 4;

const NODE_STATE: u16 = 5;
const DHCPV4_DATA: u16 = 37;

static KINDS: &[(u16, &str)] = &[
    (0, "Reserved"),
    (1, "Request network state"),
    (2, "Request node state"),
    (3, "Node endpoint"),
    (4, "Network state"),
    (NODE_STATE, "Node state"),
    (8, "Peer"),
    (9, "Keep-alive interval"),
    (10, "Trust-Verdict"),
    (32, "HNCP-Version"),
    (33, "External-Connection"),
    (34, "Delegated-Prefix"),
    (35, "Assigned-Prefix"),
    (36, "Node-Address"),
    (DHCPV4_DATA, "DHCPv4-Data"),
    (38, "DHCPv6-Data"),
    (39, "DNS-Delegated-Zone"),
    (40, "Domain-Name"),
    (41, "Node-Name"),
    (42, "Managed-PSK"),
    (43, "Prefix-Policy"),
];

/// The name of a kind of TLV, and whether it is that of a whole range of numbers.
fn name(kind: u16) -> (&'static str, bool) {
    match (lookup(KINDS, kind), kind) {
        (Some(name), _) => (name, kind == 0),
        (None, 44..=511) => ("Unassigned", true),
        (None, 768..=1023) => ("Private use", true),
        (None, _) => ("Future use", true),
    }
}

/// A datagram of `length` bytes.
pub(crate) fn hncp(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "hncp";
    put!(p, "hncp (", length, ")");
    tlvs(p, Cursor::new(c.rest()), length, 1)
}

/// A new line, and a tab for each level.
fn indent(p: &mut Out<'_>, depth: u8) {
    put!(p, "\n");
    for _ in 0..depth {
        put!(p, "\t");
    }
}

/// The TLVs of a level; the outermost is 1.
fn tlvs(p: &mut Out<'_>, c: Cursor<'_>, length: usize, depth: u8) -> Printed {
    if p.verbose(depth) {
        shown(p, c, length, depth)
    } else {
        named(p, c, length, depth)
    }
}

/// The TLVs of a level, whole.
fn shown(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, depth: u8) -> Printed {
    let mut left = length;
    while left > 0 {
        indent(p, depth);
        let Some((kind, size)) = header(&mut c, &mut left)? else {
            return invalid(p);
        };
        let (name, range) = name(kind);
        put!(p, name);
        if range {
            put!(p, ": type=", kind);
        }
        put!(p, " (", HEADER + size, ")");
        let value = Value {
            c: Cursor::new(c.rest()).limit(size),
            beyond: Cursor::new(c.rest()),
            size,
            depth,
        };
        if !value.print(p, kind)? {
            p.invalid();
            // compat: tcpdump 4.99.3 shows nothing behind these.
            if kind == DHCPV4_DATA && size > 0 {
                return Ok(());
            }
        }
        let padded = size.next_multiple_of(4);
        if left < padded {
            return invalid(p);
        }
        pass(&mut c, padded);
        left -= padded;
    }
    Ok(())
}

/// The names alone, how often in a row each.
fn named(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize, depth: u8) -> Printed {
    let mut left = length;
    let mut first = true;
    let mut last = None;
    let mut count = 0_u32;
    while left > 0 {
        let Some((kind, size)) = header(&mut c, &mut left)? else {
            return invalid(p);
        };
        if last == Some(kind) {
            count += 1;
        } else {
            if let Some(last) = last {
                times(p, last, count, &mut first, depth);
            }
            (last, count) = (Some(kind), 1);
        }
        let padded = size.next_multiple_of(4);
        if left < padded {
            return invalid(p);
        }
        pass(&mut c, padded);
        left -= padded;
    }
    if let Some(last) = last {
        times(p, last, count, &mut first, depth);
    }
    Ok(())
}

fn times(p: &mut Out<'_>, kind: u16, count: u32, first: &mut bool, depth: u8) {
    match (*first, depth) {
        (true, 1) => put!(p, " "),
        (true, _) => indent(p, depth),
        (false, _) => put!(p, ", "),
    }
    *first = false;
    put!(p, name(kind).0);
    if count > 1 {
        put!(p, " (x", count, ")");
    }
}

/// Kind and size of the next TLV, if it fits into the `left` bytes, which are fewer then.
fn header(c: &mut Cursor<'_>, left: &mut usize) -> Result<Option<(u16, usize)>, Truncated> {
    c.need(HEADER)?;
    if *left < HEADER {
        return Ok(None);
    }
    let (kind, size) = (c.u16()?, usize::from(c.u16()?));
    c.need(size)?;
    *left -= HEADER;
    Ok((size <= *left).then_some((kind, size)))
}

fn invalid(p: &mut Out<'_>) -> Printed {
    p.invalid();
    Ok(())
}

/// What a TLV holds.
struct Value<'a> {
    c: Cursor<'a>,
    /// The same without an end; names are read across it.
    beyond: Cursor<'a>,
    size: usize,
    depth: u8,
}

impl Value<'_> {
    /// Shows it; `false` if its size is impossible.
    fn print(self, p: &mut Out<'_>, kind: u16) -> Result<bool, Truncated> {
        match kind {
            1 => Ok(self.size == 0),
            2..=4 | 8 | 9 => self.fixed(p, kind),
            NODE_STATE => self.node_state(p),
            10 => self.verdict(p),
            32 => self.version(p),
            33 => self.rest(p, 0).map(|()| true),
            34 => self.delegated(p),
            35 => self.assigned(p),
            36 => self.node_address(p),
            DHCPV4_DATA => dhcp::v4(p, &self),
            38 => dhcp::v6(p, &self),
            39 => self.zone(p),
            40 => {
                if self.size == 0 {
                    return Ok(false);
                }
                put!(p, " Domain: ");
                labels(p, self.c);
                Ok(true)
            }
            41 => self.node_name(p),
            42 => self.key(p),
            43 => self.policy(p),
            _ => Ok(true),
        }
    }

    /// The TLVs behind the first `used` bytes.
    fn rest(&self, p: &mut Out<'_>, used: usize) -> Printed {
        let used = used.next_multiple_of(4);
        let Some(left) = self.size.checked_sub(used) else {
            return Ok(());
        };
        let mut c = self.beyond;
        c.skip(used)?;
        if p.deeper(|p| tlvs(p, c, left, self.depth + 1)).is_err() {
            p.truncated();
        }
        Ok(())
    }

    fn fixed(self, p: &mut Out<'_>, kind: u16) -> Result<bool, Truncated> {
        let mut c = self.c;
        let size = match kind {
            2 => 4,
            8 => 12,
            _ => 8,
        };
        if self.size != size && kind != 9 || self.size < size {
            return Ok(false);
        }
        match kind {
            2 => put!(p, " NID: ", Pairs(c.take(4)?, ':')),
            3 => {
                put!(p, " NID: ", Pairs(c.take(4)?, ':'));
                put!(p, " EPID: ", HexFull(c.u32()?));
            }
            4 => put!(p, " hash: ", HexFull(c.u64()?)),
            8 => {
                put!(p, " Peer-NID: ", Pairs(c.take(4)?, ':'));
                put!(p, " Peer-EPID: ", HexFull(c.u32()?));
                put!(p, " Local-EPID: ", HexFull(c.u32()?));
            }
            _ => {
                put!(p, " EPID: ", HexFull(c.u32()?));
                put!(p, " Interval: ");
                seconds(p, c.u32()?);
            }
        }
        Ok(true)
    }

    fn node_state(self, p: &mut Out<'_>) -> Result<bool, Truncated> {
        let mut c = self.c;
        if self.size < 20 {
            return Ok(false);
        }
        put!(p, " NID: ", Pairs(c.take(4)?, ':'));
        put!(p, " seqno: ", c.u32()?, " ");
        seconds(p, c.u32()?);
        put!(p, " hash: ", HexFull(c.u64()?));
        self.rest(p, 20)?;
        Ok(true)
    }

    fn verdict(self, p: &mut Out<'_>) -> Result<bool, Truncated> {
        let mut c = self.c;
        if self.size < 36 {
            return Ok(false);
        }
        put!(p, " Verdict: ", c.u8()?, " Fingerprint: ");
        c.skip(3)?;
        put!(p, HexBytes(c.take(32)?));
        put!(p, " Common Name: ", Visible(c.rest()));
        Ok(true)
    }

    fn version(self, p: &mut Out<'_>) -> Result<bool, Truncated> {
        let mut c = self.c;
        if self.size < 5 {
            return Ok(false);
        }
        c.skip(2)?;
        let (first, second) = (c.u8()?, c.u8()?);
        put!(p, " M: ", first >> 4, " P: ", first & 15);
        put!(p, " H: ", second >> 4, " L: ", second & 15);
        put!(p, " User-agent: ", Visible(c.rest()));
        Ok(true)
    }

    fn delegated(self, p: &mut Out<'_>) -> Result<bool, Truncated> {
        let mut c = self.c;
        if self.size < 9 {
            return Ok(false);
        }
        let (valid, preferred, bits) = (c.u32()?, c.u32()?, c.u8()?);
        let Some(used) = prefix::size(bits, self.size - 9) else {
            return Ok(false);
        };
        put!(p, " VLSO: ");
        seconds(p, valid);
        put!(p, " PLSO: ");
        seconds(p, preferred);
        put!(p, " Prefix: ");
        prefix::print(p, c, bits);
        self.rest(p, 9 + used)?;
        Ok(true)
    }

    fn assigned(self, p: &mut Out<'_>) -> Result<bool, Truncated> {
        let mut c = self.c;
        if self.size < 6 {
            return Ok(false);
        }
        let (endpoint, priority, bits) = (c.u32()?, c.u8()?, c.u8()?);
        let Some(used) = prefix::size(bits, self.size - 6) else {
            return Ok(false);
        };
        put!(p, " EPID: ", HexFull(endpoint));
        put!(p, " Prty: ", priority & 15, " Prefix: ");
        prefix::print(p, c, bits);
        self.rest(p, 6 + used)?;
        Ok(true)
    }

    fn node_address(self, p: &mut Out<'_>) -> Result<bool, Truncated> {
        let mut c = self.c;
        if self.size < 20 {
            return Ok(false);
        }
        put!(p, " EPID: ", HexFull(c.u32()?), " IP Address: ");
        address(p, c.array()?);
        self.rest(p, 20)?;
        Ok(true)
    }

    fn zone(self, p: &mut Out<'_>) -> Result<bool, Truncated> {
        let mut c = self.c;
        if self.size < 17 {
            return Ok(false);
        }
        put!(p, " IP-Address: ");
        address(p, c.array()?);
        let flags = c.u8()?;
        let flag = |bit, letter| if flags & bit == 0 { '-' } else { letter };
        put!(p, " ", flag(4, 'l'), flag(2, 'b'), flag(1, 's'), " ");
        let Some(used) = labels(p, c) else {
            return Ok(false);
        };
        self.rest(p, 17 + used)?;
        Ok(true)
    }

    fn node_name(self, p: &mut Out<'_>) -> Result<bool, Truncated> {
        let mut c = self.c;
        if self.size < 17 {
            return Ok(false);
        }
        let ip = c.array()?;
        let length = usize::from(c.u8()?);
        if self.size < 17 + length {
            return Ok(false);
        }
        put!(p, " IP-Address: ");
        address(p, ip);
        put!(p, " Name: \"", Visible(c.take(length)?), "\"");
        self.rest(p, 17 + length)?;
        Ok(true)
    }

    fn key(self, p: &mut Out<'_>) -> Result<bool, Truncated> {
        let mut c = self.c;
        if self.size < 32 {
            return Ok(false);
        }
        put!(p, " PSK: ", HexBytes(c.take(32)?));
        self.rest(p, 32)?;
        Ok(true)
    }

    fn policy(self, p: &mut Out<'_>) -> Result<bool, Truncated> {
        let mut c = self.c;
        if self.size == 0 {
            return Ok(false);
        }
        let kind = c.u8()?;
        put!(p, " type: ");
        match kind {
            0 if self.size == 1 => put!(p, "Internet connectivity"),
            1..=128 => {
                put!(p, "Dest-Prefix: ");
                if prefix::size(kind, self.size - 1).is_none() {
                    return Ok(false);
                }
                prefix::print(p, c, kind);
            }
            129 => {
                put!(p, "DNS domain: ");
                labels(p, c);
            }
            130 => put!(p, "Opaque UTF-8: ", Visible(c.rest())),
            131 if self.size == 1 => put!(p, "Restrictive assignment"),
            0 | 131 => return Ok(false),
            _ => put!(p, "Unknown (", kind, ")"),
        }
        Ok(true)
    }
}

/// Milliseconds.
fn seconds(p: &mut Out<'_>, millis: u32) {
    put!(
        p,
        millis / 1000,
        ".",
        Zeros(u64::from(millis % 1000), 3),
        "s"
    );
}

/// An IPv6 address, or the IPv4 address that is mapped to one.
fn address(p: &mut Out<'_>, octets: [u8; 16]) {
    match octets {
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d] => {
            put!(p, Ipv4Addr::new(a, b, c, d));
        }
        _ => put!(p, Ipv6Addr::from(octets)),
    }
}

/// A domain name without compression; its bytes, if it ends where there are some.
fn labels(p: &mut Out<'_>, c: Cursor<'_>) -> Option<usize> {
    let mut c = Cursor::new(c.rest());
    let mut before = "";
    loop {
        let Ok(length @ 0..=63) = c.u8() else {
            put!(p, "[|DNS]");
            return None;
        };
        if length == 0 {
            return Some(c.position());
        }
        let length = usize::from(length);
        put!(p, before, Visible(c.limit(length).rest()));
        before = ".";
        if c.skip(length).is_err() {
            put!(p, "[|DNS]");
            return None;
        }
    }
}
