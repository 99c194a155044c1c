//! Connectivity fault management (IEEE 802.1ag, ITU-T Y.1731).

use std::net::{Ipv4Addr, Ipv6Addr};

use pktwho_wire::{Cursor, Truncated};

use crate::out::{Out, Printed, bits, named};
use crate::put::{Fixed, HexFull, Pairs, Visible, put};
use crate::{afi, hexdump, oui};

const HEADER: usize = 4;
const CCM: u8 = 1;
const LTR: u8 = 4;
const LTM: u8 = 5;

/// Bytes of a maintenance association's identifier.
const NAMES: usize = 48;

static OPCODES: &[(u8, &str)] = &[
    (CCM, "Continuity Check Message"),
    (2, "Loopback Reply"),
    (3, "Loopback Message"),
    (LTR, "Linktrace Reply"),
    (LTM, "Linktrace Message"),
];

static DOMAIN_FORMATS: &[(u8, &str)] = &[
    (0, "reserved"),
    (1, "No MD Name"),
    (2, "DNS string"),
    (3, "MAC + 16Bit Integer"),
    (4, "Character string"),
];

static ASSOCIATION_FORMATS: &[(u8, &str)] = &[
    (0, "IEEE 802.1"),
    (1, "Primary VID"),
    (2, "Character string"),
    (3, "16Bit Integer"),
    (4, "RFC2685 VPN-ID"),
];

static LTM_FLAGS: &[(u32, &str)] = &[(0x80, "Use Forwarding-DB only")];

static LTR_FLAGS: &[(u32, &str)] = &[
    (0x80, "UseFDB Only"),
    (0x40, "FwdYes"),
    (0x20, "Terminal MEP"),
];

static ACTIONS: &[(u8, &str)] = &[(1, "Exact Match"), (2, "Filtering DB"), (3, "MIP CCM DB")];

static TLVS: &[(u8, &str)] = &[
    (END, "End"),
    (SENDER, "Sender ID"),
    (PORT, "Port status"),
    (INTERFACE, "Interface status"),
    (4, "Data"),
    (5, "Reply Ingress"),
    (6, "Reply Egress"),
    (ORGANIZATION, "Organization Specific"),
];

const END: u8 = 0;
const SENDER: u8 = 1;
const PORT: u8 = 2;
const INTERFACE: u8 = 3;
const ORGANIZATION: u8 = 31;

static PORT_STATES: &[(u8, &str)] = &[(1, "Blocked"), (2, "Up")];

static INTERFACE_STATES: &[(u8, &str)] = &[
    (1, "Up"),
    (2, "Down"),
    (3, "Testing"),
    (5, "Dormant"),
    (6, "not present"),
    (7, "lower Layer down"),
];

static CHASSIS: &[(u8, &str)] = &[
    (1, "Chassis component"),
    (2, "Interface alias"),
    (3, "Port component"),
    (4, "MAC address"),
    (5, "Network address"),
    (6, "Interface name"),
    (7, "Locally assigned"),
];

/// A message of `length` bytes.
pub(crate) fn cfm(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "cfm";
    if length < HEADER {
        p.invalid();
        return c.need(length);
    }
    c.need(HEADER)?;
    let mut c = c;
    let [level, opcode, flags, first] = c.array()?;
    let version = level & 31;
    if version != 0 {
        put!(p, "CFMv", version, " not supported, length ", length);
        return Ok(());
    }
    put!(p, "CFMv0 ");
    match crate::out::lookup(OPCODES, opcode) {
        Some(name) => put!(p, name),
        None => put!(p, "unknown (", opcode, ")"),
    }
    put!(p, ", MD Level ", level >> 5, ", length ", length);
    if !p.verbose(1) {
        return Ok(());
    }
    put!(p, "\n\tFirst TLV offset ", first);
    let left = length - HEADER;
    let Some(tlvs) = left.checked_sub(usize::from(first)) else {
        put!(p, " (too large, must be <= ", left, ")");
        return Ok(());
    };
    let body = Cursor::new(c.rest());
    if matches!(opcode, CCM | LTM | LTR) {
        body.need(usize::from(first))?;
    }
    let fits = match opcode {
        CCM => continuity(p, body, flags, usize::from(first))?,
        LTM => trace_message(p, body, flags, usize::from(first))?,
        LTR => trace_reply(p, body, flags, usize::from(first))?,
        _ => {
            let shown = body.limit(tlvs).rest();
            hexdump::hex(p, "\n\t  ", shown);
            true
        }
    };
    if !fits {
        return Ok(());
    }
    let mut c = body;
    c.skip(usize::from(first))?;
    list(p, c, tlvs)
}

/// Whether a body of `needed` bytes has room before the first TLV; says so if not.
fn room(p: &mut Out<'_>, first: usize, needed: usize) -> bool {
    if first < needed {
        put!(p, " (too short 1, must be >= ", needed, ")");
    }
    first >= needed
}

fn continuity(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    flags: u8,
    first: usize,
) -> Result<bool, Truncated> {
    const BODY: usize = 4 + 2 + NAMES;
    let interval = flags & 7;
    let rdi = if flags & 0x80 == 0 { "" } else { ", RDI" };
    put!(p, ", Flags [CCM Interval ", interval, rdi, "]");
    let lifetime = match interval {
        // compat: single precision decides how these are rounded (4.99.3).
        1 => f64::from(0.003_333_f32),
        2 => f64::from(0.01_f32),
        3 => f64::from(0.1_f32),
        4 => 1.0,
        5 => 10.0,
        6 => 60.0,
        7 => 600.0,
        _ => 0.0,
    };
    if interval != 0 {
        put!(
            p,
            "\n\t  CCM Interval ",
            Fixed(lifetime, 3),
            "s, min CCM Lifetime "
        );
        put!(p, Fixed(lifetime * 3.25, 3), "s, max CCM Lifetime ");
        put!(p, Fixed(lifetime * 3.5, 3), "s");
    }
    if !room(p, first, BODY) {
        return Ok(false);
    }
    let (sequence, point) = (c.u32()?, c.u16()?);
    put!(p, "\n\t  Sequence Number 0x", HexFull(sequence));
    put!(p, ", MA-End-Point-ID 0x", HexFull(point));
    maintenance_names(p, c)
}

/// The names of a maintenance domain and of an association in it.
fn maintenance_names(p: &mut Out<'_>, mut c: Cursor<'_>) -> Result<bool, Truncated> {
    let mut left = NAMES;
    let format = c.u8()?;
    let name = named(DOMAIN_FORMATS, format, "Unknown");
    left -= 1;
    if format == 1 {
        put!(p, "\n\t  MD Name Format No MD Name present (1)");
    } else {
        put!(p, "\n\t  MD Name Format ", name, " (", format, ")");
    }
    let size = if format == 1 {
        None
    } else {
        Some(usize::from(c.u8()?))
    };
    if let Some(size) = size {
        left -= 1;
        put!(p, ", MD Name length ", size);
        if size + 3 > left {
            put!(p, " (too large, must be <= ", left - 2, ")");
            return Ok(false);
        }
        left -= size;
        put!(p, "\n\t  MD Name: ");
        let text = c.take(size)?;
        if matches!(format, 2..=4) {
            put!(p, Visible::until_zero(text));
        } else {
            hexdump::hex(p, "\n\t    ", text);
        }
    }
    let (format, size) = (c.u8()?, usize::from(c.u8()?));
    left -= 2;
    let name = named(ASSOCIATION_FORMATS, format, "Unknown");
    put!(
        p,
        "\n\t  MA Name-Format ",
        name,
        " (",
        format,
        "), MA name length ",
        size
    );
    if size > left {
        put!(p, " (too large, must be <= ", left, ")");
        return Ok(false);
    }
    put!(p, "\n\t  MA Name: ");
    let text = c.take(size)?;
    if format == 2 {
        put!(p, Visible::until_zero(text));
    } else {
        hexdump::hex(p, "\n\t    ", text);
    }
    Ok(true)
}

fn trace_message(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    flags: u8,
    first: usize,
) -> Result<bool, Truncated> {
    put!(p, ", Flags [");
    bits(p, LTM_FLAGS, u32::from(flags), ", ", "none");
    put!(p, "]");
    if !room(p, first, 17) {
        return Ok(false);
    }
    let (transaction, ttl) = (c.u32()?, c.u8()?);
    put!(
        p,
        "\n\t  Transaction-ID 0x",
        HexFull(transaction),
        ", ttl ",
        ttl
    );
    let (original, target) = (c.array::<6>()?, c.array::<6>()?);
    put!(p, "\n\t  Original-MAC ", Pairs(&original, ':'));
    put!(p, ", Target-MAC ", Pairs(&target, ':'));
    Ok(true)
}

fn trace_reply(
    p: &mut Out<'_>,
    mut c: Cursor<'_>,
    flags: u8,
    first: usize,
) -> Result<bool, Truncated> {
    put!(p, ", Flags [");
    bits(p, LTR_FLAGS, u32::from(flags), ", ", "none");
    put!(p, "]");
    if !room(p, first, 6) {
        return Ok(false);
    }
    let (transaction, ttl, action) = (c.u32()?, c.u8()?, c.u8()?);
    put!(
        p,
        "\n\t  Transaction-ID 0x",
        HexFull(transaction),
        ", ttl ",
        ttl
    );
    let name = named(ACTIONS, action, "Unknown");
    put!(p, "\n\t  Replay-Action ", name, " (", action, ")");
    Ok(true)
}

/// TLVs of `length` bytes.
fn list(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    let mut left = length;
    while left > 0 {
        let kind = c.u8()?;
        let name = named(TLVS, kind, "Unknown");
        put!(p, "\n\t", name, " TLV (0x", HexFull(kind), ")");
        if kind == END {
            return Ok(());
        }
        if left < 3 {
            put!(p, "\n\t\t packet is too short");
            return Ok(());
        }
        let size = usize::from(c.u16()?);
        left -= 3;
        put!(p, ", length ", size);
        if size > left {
            put!(p, "\n\t\t packet is too short");
            return Ok(());
        }
        left -= size;
        let value = c.sub(size)?;
        let bytes = value.rest();
        if !tlv(p, kind, size, value)? {
            return Ok(());
        }
        if p.verbose(2) && matches!(kind, PORT | INTERFACE) {
            hexdump::hex(p, "\n\t  ", bytes);
        }
    }
    Ok(())
}

/// One TLV's value; `false` if it is shorter than it can be, which is said.
fn tlv(p: &mut Out<'_>, kind: u8, size: usize, mut value: Cursor<'_>) -> Result<bool, Truncated> {
    let least = match kind {
        PORT | INTERFACE | SENDER => 1,
        ORGANIZATION => 4,
        _ => 0,
    };
    if size < least {
        put!(p, " (too short, must be >= ", least, ")");
        return Ok(kind == SENDER);
    }
    match kind {
        PORT | INTERFACE => {
            let table = if kind == PORT {
                PORT_STATES
            } else {
                INTERFACE_STATES
            };
            let state = value.u8()?;
            put!(
                p,
                ", Status: ",
                named(table, state, "Unknown"),
                " (",
                state,
                ")"
            );
        }
        ORGANIZATION => {
            let all = value.rest();
            let (vendor, kind) = (value.u24()?, value.u8()?);
            put!(p, ", Vendor: ", oui::name(vendor), " (", vendor);
            put!(p, "), Sub-Type ", kind);
            hexdump::hex(p, "\n\t  ", all);
        }
        SENDER => {
            if sender(p, value).is_err() {
                put!(p, "\n\t  (TLV too short)");
            }
        }
        _ => hexdump::hex(p, "\n\t  ", value.rest()),
    }
    Ok(true)
}

/// Who sends, and where it is managed. The error is a value that ends too early.
fn sender(p: &mut Out<'_>, mut c: Cursor<'_>) -> Printed {
    let size = usize::from(c.u8()?);
    if size > 0 {
        let kind = c.u8()?;
        let name = named(CHASSIS, kind, "Unknown");
        put!(
            p,
            "\n\t  Chassis-ID Type ",
            name,
            " (",
            kind,
            "), Chassis-ID length ",
            size
        );
        let id = c.take(size)?;
        match kind {
            4 => match <[u8; 6]>::try_from(id) {
                Ok(mac) => put!(p, "\n\t  MAC ", Pairs(&mac, ':')),
                Err(_) => put!(p, " (invalid MAC address length)"),
            },
            5 => network(p, id),
            1..=3 | 6 | 7 => put!(p, Visible::until_zero(id)),
            _ => {}
        }
    }
    if c.is_empty() {
        return Ok(());
    }
    let size = usize::from(c.u8()?);
    put!(p, "\n\t  Management Address Domain Length ", size);
    if size == 0 {
        return Ok(());
    }
    let domain = c.take(size)?;
    put!(p, "\n\t  Management Address Domain: ");
    hexdump::hex(p, "", domain);
    if c.is_empty() {
        put!(p, " (Management Address Length is missing)");
        return Ok(());
    }
    let size = usize::from(c.u8()?);
    put!(p, "\n\t  Management Address Length ", size);
    if size > 0 {
        let address = c.take(size)?;
        put!(p, "\n\t  Management Address: ");
        hexdump::hex(p, "", address);
    }
    Ok(())
}

fn network(p: &mut Out<'_>, id: &[u8]) {
    let Some((&kind, address)) = id.split_first() else {
        return put!(p, "\n\t  Network Address Type (no data)");
    };
    let name = afi::name(u16::from(kind)).unwrap_or("Unknown");
    put!(p, "\n\t  Network Address Type ", name, " (", kind, ")");
    match kind {
        1 => match <[u8; 4]>::try_from(address) {
            Ok(ip) => put!(p, ", ", Ipv4Addr::from(ip)),
            Err(_) => put!(p, "(invalid IPv4 address length ", address.len(), ")"),
        },
        2 => match <[u8; 16]>::try_from(address) {
            Ok(ip) => put!(p, ", ", Ipv6Addr::from(ip)),
            Err(_) => put!(p, "(invalid IPv6 address length ", address.len(), ")"),
        },
        _ => {}
    }
}
