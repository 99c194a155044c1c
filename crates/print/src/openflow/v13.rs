//! Messages of version 1.3, wire protocol 0x04.
//!
//! compat: of flow, group and meter changes, packets and multipart messages the header alone is
//! shown (4.99.3).

use super::{Body, Step, Stop, bitmap, bogus, error, name_or, vendor};
use crate::out::{Out, lookup};
use crate::put::{HexFull, Pairs, put};

const PORT: usize = 64;
const VERSION_BITMAP: u16 = 1;

pub(super) static TYPES: &[(u8, &str)] = &[
    (0, "HELLO"),
    (1, "ERROR"),
    (2, "ECHO_REQUEST"),
    (3, "ECHO_REPLY"),
    (4, "EXPERIMENTER"),
    (5, "FEATURES_REQUEST"),
    (6, "FEATURES_REPLY"),
    (7, "GET_CONFIG_REQUEST"),
    (8, "GET_CONFIG_REPLY"),
    (9, "SET_CONFIG"),
    (10, "PACKET_IN"),
    (11, "FLOW_REMOVED"),
    (12, "PORT_STATUS"),
    (13, "PACKET_OUT"),
    (14, "FLOW_MOD"),
    (15, "GROUP_MOD"),
    (16, "PORT_MOD"),
    (17, "TABLE_MOD"),
    (18, "MULTIPART_REQUEST"),
    (19, "MULTIPART_REPLY"),
    (20, "BARRIER_REQUEST"),
    (21, "BARRIER_REPLY"),
    (22, "QUEUE_GET_CONFIG_REQUEST"),
    (23, "QUEUE_GET_CONFIG_REPLY"),
    (24, "ROLE_REQUEST"),
    (25, "ROLE_REPLY"),
    (26, "GET_ASYNC_REQUEST"),
    (27, "GET_ASYNC_REPLY"),
    (28, "SET_ASYNC"),
    (29, "METER_MOD"),
];

static ERRORS: &[(u32, &str)] = &[
    (0, "HELLO_FAILED"),
    (1, "BAD_REQUEST"),
    (2, "BAD_ACTION"),
    (3, "BAD_INSTRUCTION"),
    (4, "BAD_MATCH"),
    (5, "FLOW_MOD_FAILED"),
    (6, "GROUP_MOD_FAILED"),
    (7, "PORT_MOD_FAILED"),
    (8, "TABLE_MOD_FAILED"),
    (9, "QUEUE_OP_FAILED"),
    (10, "SWITCH_CONFIG_FAILED"),
    (11, "ROLE_REQUEST_FAILED"),
    (12, "METER_MOD_FAILED"),
    (13, "TABLE_FEATURES_FAILED"),
    (0xffff, "EXPERIMENTER"),
];

/// Codes of each type of error, in their order.
static CODES: &[&[&str]] = &[
    &["INCOMPATIBLE", "EPERM"],
    &[
        "BAD_VERSION",
        "BAD_TYPE",
        "BAD_MULTIPART",
        "BAD_EXPERIMENTER",
        "BAD_EXP_TYPE",
        "EPERM",
        "BAD_LEN",
        "BUFFER_EMPTY",
        "BUFFER_UNKNOWN",
        "BAD_TABLE_ID",
        "IS_SLAVE",
        "BAD_PORT",
        "BAD_PACKET",
        "MULTIPART_BUFFER_OVERFLOW",
    ],
    &[
        "BAD_TYPE",
        "BAD_LEN",
        "BAD_EXPERIMENTER",
        "BAD_EXP_TYPE",
        "BAD_OUT_PORT",
        "BAD_ARGUMENT",
        "EPERM",
        "TOO_MANY",
        "BAD_QUEUE",
        "BAD_OUT_GROUP",
        "MATCH_INCONSISTENT",
        "UNSUPPORTED_ORDER",
        "BAD_TAG",
        "BAD_SET_TYPE",
        "BAD_SET_LEN",
        "BAD_SET_ARGUMENT",
    ],
    &[
        "UNKNOWN_INST",
        "UNSUP_INST",
        "BAD_TABLE_ID",
        "UNSUP_METADATA",
        "UNSUP_METADATA_MASK",
        "BAD_EXPERIMENTER",
        "BAD_EXP_TYPE",
        "BAD_LEN",
        "EPERM",
    ],
    &[
        "BAD_TYPE",
        "BAD_LEN",
        "BAD_TAG",
        "BAD_DL_ADDR_MASK",
        "BAD_NW_ADDR_MASK",
        "BAD_WILDCARDS",
        "BAD_FIELD",
        "BAD_VALUE",
        "BAD_MASK",
        "BAD_PREREQ",
        "DUP_FIELD",
        "EPERM",
    ],
    &[
        "UNKNOWN",
        "TABLE_FULL",
        "BAD_TABLE_ID",
        "OVERLAP",
        "EPERM",
        "BAD_TIMEOUT",
        "BAD_COMMAND",
        "BAD_FLAGS",
    ],
    &[
        "GROUP_EXISTS",
        "INVALID_GROUP",
        "WEIGHT_UNSUPPORTED",
        "OUT_OF_GROUPS",
        "OUT_OF_BUCKETS",
        "CHAINING_UNSUPPORTED",
        "WATCH_UNSUPPORTED",
        "LOOP",
        "UNKNOWN_GROUP",
        "CHAINED_GROUP",
        "BAD_TYPE",
        "BAD_COMMAND",
        "BAD_BUCKET",
        "BAD_MATCH",
        "EPERM",
    ],
    &[
        "BAD_PORT",
        "BAD_HW_ADDR",
        "BAD_CONFIG",
        "BAD_ADVERTISE",
        "EPERM",
    ],
    &["BAD_TABLE", "BAD_CONFIG", "EPERM"],
    &["BAD_PORT", "BAD_QUEUE", "EPERM"],
    &["BAD_FLAGS", "BAD_LEN", "EPERM"],
    &["STALE", "UNSUP", "BAD_ROLE"],
    &[
        "UNKNOWN",
        "METER_EXISTS",
        "INVALID_METER",
        "UNKNOWN_METER",
        "BAD_COMMAND",
        "BAD_FLAGS",
        "BAD_RATE",
        "BAD_BURST",
        "BAD_BAND",
        "BAD_BAND_VALUE",
        "OUT_OF_METERS",
        "OUT_OF_BANDS",
    ],
    &[
        "BAD_TABLE",
        "BAD_METADATA",
        "BAD_TYPE",
        "BAD_LEN",
        "BAD_ARGUMENT",
        "EPERM",
    ],
];

static PORTS: &[(u32, &str)] = &[
    (0xffff_ff00, "MAX"),
    (0xffff_fff8, "IN_PORT"),
    (0xffff_fff9, "TABLE"),
    (0xffff_fffa, "NORMAL"),
    (0xffff_fffb, "FLOOD"),
    (0xffff_fffc, "ALL"),
    (0xffff_fffd, "CONTROLLER"),
    (0xffff_fffe, "LOCAL"),
    (0xffff_ffff, "ANY"),
];

static CAPABILITIES: &[(u32, &str)] = &[
    (1 << 0, "FLOW_STATS"),
    (1 << 1, "TABLE_STATS"),
    (1 << 2, "PORT_STATS"),
    (1 << 3, "GROUP_STATS"),
    (1 << 5, "IP_REASM"),
    (1 << 6, "QUEUE_STATS"),
    (1 << 8, "PORT_BLOCKED"),
];

static PORT_CONFIG: &[(u32, &str)] = &[
    (1 << 0, "PORT_DOWN"),
    (1 << 2, "NO_RECV"),
    (1 << 5, "NO_FWD"),
    (1 << 6, "NO_PACKET_IN"),
];

static PORT_STATE: &[(u32, &str)] = &[(1, "LINK_DOWN"), (2, "BLOCKED"), (4, "LIVE")];

static PORT_FEATURES: &[(u32, &str)] = &[
    (1 << 0, "10MB_HD"),
    (1 << 1, "10MB_FD"),
    (1 << 2, "100MB_HD"),
    (1 << 3, "100MB_FD"),
    (1 << 4, "1GB_HD"),
    (1 << 5, "1GB_FD"),
    (1 << 6, "10GB_FD"),
    (1 << 7, "40GB_FD"),
    (1 << 8, "100GB_FD"),
    (1 << 9, "1TB_FD"),
    (1 << 10, "OTHER"),
    (1 << 11, "COPPER"),
    (1 << 12, "FIBER"),
    (1 << 13, "AUTONEG"),
    (1 << 14, "PAUSE"),
    (1 << 15, "PAUSE_ASYM"),
];

static FRAGMENTS: &[(u32, &str)] = &[(0, "FRAG_NORMAL"), (1, "FRAG_DROP"), (2, "FRAG_REASM")];
static PORT_REASONS: &[(u8, &str)] = &[(0, "ADD"), (1, "DELETE"), (2, "MODIFY")];
static ROLES: &[(u32, &str)] = &[(0, "NOCHANGE"), (1, "EQUAL"), (2, "MASTER"), (3, "SLAVE")];
/// compat: named one bit too low (4.99.3): bit 1 is that of version 1.0.
static BITMAP: &[(u32, &str)] = &[
    (1 << 0, "1.0"),
    (1 << 1, "1.1"),
    (1 << 2, "1.2"),
    (1 << 3, "1.3"),
    (1 << 4, "1.4"),
    (1 << 5, "1.5"),
];
static IN_REASONS: &[(u32, &str)] = &[(1, "NO_MATCH"), (2, "ACTION"), (4, "INVALID_TTL")];
static CHANGES: &[(u32, &str)] = &[(1, "ADD"), (2, "DELETE"), (4, "MODIFY")];

/// What follows a message's header.
pub(super) fn body(p: &mut Out<'_>, kind: u8, body: &mut Body<'_>) -> Step {
    match kind {
        5 | 7 | 20 | 21 | 26 => return body.exactly(0),
        1 => body.at_least(4)?,
        4 => body.at_least(8)?,
        6 | 27 | 28 => body.exactly(24)?,
        8 | 9 => body.exactly(4)?,
        12 => body.exactly(72)?,
        16 => body.exactly(32)?,
        17 | 22 => body.exactly(8)?,
        24 | 25 => body.exactly(16)?,
        _ => {}
    }
    if !p.verbose(1) {
        body.c.need(body.left)?;
        return Ok(());
    }
    match kind {
        0 => hello(p, body),
        1 => error(p, body, ERRORS, CODES),
        2 | 3 => body.data(p),
        4 => {
            let id = body.u32()?;
            put!(p, "\n\t experimenter ");
            vendor(p, id);
            put!(p, ", exp_type 0x", HexFull(body.u32()?));
            body.data(p)
        }
        6 => features(p, body),
        8 | 9 => configuration(p, body),
        12 => port_status(p, body),
        16 => port_mod(p, body),
        17 => {
            let id = body.u8()?;
            put!(p, "\n\t table_id ");
            match id {
                0xfe => put!(p, "MAX"),
                0xff => put!(p, "ALL"),
                id => put!(p, id),
            }
            body.pad(3)?;
            put!(p, ", config 0x", HexFull(body.u32()?));
            Ok(())
        }
        22 => {
            let number = body.u32()?;
            put!(p, "\n\t port ");
            port(p, number);
            body.pad(4)
        }
        24 | 25 => {
            let role = body.u32()?;
            put!(p, "\n\t role ");
            name_or(p, ROLES, role, "invalid", 8);
            body.pad(4)?;
            put!(p, ", generation_id 0x", HexFull(body.u64()?));
            Ok(())
        }
        27 | 28 => masks(p, body),
        _ => {
            body.c.need(body.left)?;
            Ok(())
        }
    }
}

fn configuration(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    let flags = u32::from(body.u16()?);
    put!(p, "\n\t flags ");
    name_or(p, FRAGMENTS, flags, "invalid", 4);
    let length = body.u16()?;
    put!(p, ", miss_send_len ");
    match length {
        0xffe5 => put!(p, "MAX"),
        0xffff => put!(p, "NO_BUFFER"),
        length => put!(p, length),
    }
    Ok(())
}

fn port(p: &mut Out<'_>, number: u32) {
    match lookup(PORTS, number) {
        Some(name) => put!(p, name),
        None => put!(p, number),
    }
}

fn hello(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    while body.left > 0 {
        body.at_least(4)?;
        let kind = body.u16()?;
        put!(p, "\n\t type ");
        name_or(p, &[(1, "VERSIONBITMAP")], u32::from(kind), "unknown", 4);
        let size = body.u16()?;
        put!(p, ", length ", size);
        let Some(size) = usize::from(size).checked_sub(4) else {
            return Err(Stop::Invalid);
        };
        body.at_least(size)?;
        if kind == VERSION_BITMAP && size == 4 {
            let versions = body.u32()?;
            put!(p, ", bitmap ");
            bitmap(p, 8, BITMAP, versions);
        } else {
            bogus(p, kind == VERSION_BITMAP);
            body.pad(size)?;
        }
    }
    Ok(())
}

fn features(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    put!(p, "\n\t dpid 0x", HexFull(body.u64()?));
    put!(p, ", n_buffers ", body.u32()?);
    put!(p, ", n_tables ", body.u8()?);
    put!(p, ", auxiliary_id ", body.u8()?);
    body.pad(2)?;
    let capabilities = body.u32()?;
    put!(p, "\n\t capabilities ");
    bitmap(p, 8, CAPABILITIES, capabilities);
    body.pad(4)
}

fn port_status(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    let reason = body.u8()?;
    put!(p, "\n\t reason ");
    match lookup(PORT_REASONS, reason) {
        Some(name) => put!(p, name),
        // compat: whatever the number is (4.99.3).
        None => put!(p, "invalid (0x02x)"),
    }
    body.pad(7)?;
    body.at_least(PORT)?;
    let number = body.u32()?;
    put!(p, "\n\t  port_no ");
    port(p, number);
    body.pad(4)?;
    let mac = body.array::<6>()?;
    put!(p, ", hw_addr ", Pairs(&mac, ':'));
    body.unseen(2)?;
    body.text(p, ", name", 16)?;
    if !p.verbose(2) {
        return body.pad(32);
    }
    let config = body.u32()?;
    put!(p, "\n\t   config ");
    bitmap(p, 8, PORT_CONFIG, config);
    let state = body.u32()?;
    put!(p, "\n\t   state ");
    bitmap(p, 8, PORT_STATE, state);
    for name in ["curr", "advertised", "supported", "peer"] {
        let features = body.u32()?;
        put!(p, "\n\t   ", name, " ");
        bitmap(p, 8, PORT_FEATURES, features);
    }
    for name in ["curr_speed", "max_speed"] {
        put!(p, "\n\t   ", name, " ", body.u32()?, "kbps");
    }
    Ok(())
}

fn port_mod(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    let number = body.u32()?;
    put!(p, "\n\t port_no ");
    port(p, number);
    body.pad(4)?;
    let mac = body.array::<6>()?;
    put!(p, ", hw_addr ", Pairs(&mac, ':'));
    body.pad(2)?;
    for name in ["config", "mask"] {
        let config = body.u32()?;
        put!(p, "\n\t  ", name, " ");
        bitmap(p, 8, PORT_CONFIG, config);
    }
    let features = body.u32()?;
    put!(p, "\n\t  advertise ");
    bitmap(p, 8, PORT_FEATURES, features);
    body.pad(4)
}

/// Which messages are sent at all, to masters and equals and to slaves.
fn masks(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    for (name, table) in [
        ("packet_in", IN_REASONS),
        ("port_status", CHANGES),
        ("flow_removed", CHANGES),
    ] {
        for role in ["EM", "S"] {
            let mask = body.u32()?;
            put!(p, "\n\t ", name, "_mask[", role, "] ");
            bitmap(p, 8, table, mask);
        }
    }
    Ok(())
}
