//! Messages of version 1.0, wire protocol 0x01.

use std::net::Ipv4Addr;

use super::{
    Body, Step, Stop, bitmap, bogus, error, frame, name_or, v10_stats, v10_vendor, vendor,
};
use crate::hexdump;
use crate::out::{Out, lookup};
use crate::put::{Fixed, HexFull, Pairs, put};

const IPV4: u16 = 0x800;
const ARP: u16 = 0x806;
const ICMP: u8 = 1;
const NO_VLAN: u16 = 0xffff;
const NO_BUFFER: u32 = 0xffff_ffff;
const MATCH: usize = 40;
const PORT: usize = 48;

pub(super) static TYPES: &[(u8, &str)] = &[
    (0, "HELLO"),
    (1, "ERROR"),
    (2, "ECHO_REQUEST"),
    (3, "ECHO_REPLY"),
    (4, "VENDOR"),
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
    (15, "PORT_MOD"),
    (16, "STATS_REQUEST"),
    (17, "STATS_REPLY"),
    (18, "BARRIER_REQUEST"),
    (19, "BARRIER_REPLY"),
    (20, "QUEUE_GET_CONFIG_REQUEST"),
    (21, "QUEUE_GET_CONFIG_REPLY"),
];

static ERRORS: &[(u32, &str)] = &[
    (0, "HELLO_FAILED"),
    (1, "BAD_REQUEST"),
    (2, "BAD_ACTION"),
    (3, "FLOW_MOD_FAILED"),
    (4, "PORT_MOD_FAILED"),
    (5, "QUEUE_OP_FAILED"),
];

/// Codes of each type of error, in their order.
static CODES: [&[&str]; 6] = [
    &["INCOMPATIBLE", "EPERM"],
    &[
        "BAD_VERSION",
        "BAD_TYPE",
        "BAD_STAT",
        "BAD_VENDOR",
        "BAD_SUBTYPE",
        "EPERM",
        "BAD_LEN",
        "BUFFER_EMPTY",
        "BUFFER_UNKNOWN",
    ],
    &[
        "BAD_TYPE",
        "BAD_LEN",
        "BAD_VENDOR",
        "BAD_VENDOR_TYPE",
        "BAD_OUT_PORT",
        "BAD_ARGUMENT",
        "EPERM",
        "TOO_MANY",
        "BAD_QUEUE",
    ],
    &[
        "ALL_TABLES_FULL",
        "OVERLAP",
        "EPERM",
        "BAD_EMERG_TIMEOUT",
        "BAD_COMMAND",
        "UNSUPPORTED",
    ],
    &["BAD_PORT", "BAD_HW_ADDR"],
    &["BAD_PORT", "BAD_QUEUE", "EPERM"],
];

static PORTS: &[(u16, &str)] = &[
    (0xff00, "MAX"),
    (0xfff8, "IN_PORT"),
    (0xfff9, "TABLE"),
    (0xfffa, "NORMAL"),
    (0xfffb, "FLOOD"),
    (0xfffc, "ALL"),
    (CONTROLLER, "CONTROLLER"),
    (0xfffe, "LOCAL"),
    (0xffff, "NONE"),
];
const CONTROLLER: u16 = 0xfffd;

/// A capability that must not be claimed.
const RESERVED: u32 = 1 << 4;

static CAPABILITIES: &[(u32, &str)] = &[
    (1 << 0, "FLOW_STATS"),
    (1 << 1, "TABLE_STATS"),
    (1 << 2, "PORT_STATS"),
    (1 << 3, "STP"),
    (RESERVED, "RESERVED"),
    (1 << 5, "IP_REASM"),
    (1 << 6, "QUEUE_STATS"),
    (1 << 7, "ARP_MATCH_IP"),
];

pub(super) static ACTIONS: &[(u32, &str)] = &[
    (1 << 0, "OUTPUT"),
    (1 << 1, "SET_VLAN_VID"),
    (1 << 2, "SET_VLAN_PCP"),
    (1 << 3, "STRIP_VLAN"),
    (1 << 4, "SET_DL_SRC"),
    (1 << 5, "SET_DL_DST"),
    (1 << 6, "SET_NW_SRC"),
    (1 << 7, "SET_NW_DST"),
    (1 << 8, "SET_NW_TOS"),
    (1 << 9, "SET_TP_SRC"),
    (1 << 10, "SET_TP_DST"),
    (1 << 11, "ENQUEUE"),
];

static PORT_CONFIG: &[(u32, &str)] = &[
    (1 << 0, "PORT_DOWN"),
    (1 << 1, "NO_STP"),
    (1 << 2, "NO_RECV"),
    (1 << 3, "NO_RECV_STP"),
    (1 << 4, "NO_FLOOD"),
    (1 << 5, "NO_FWD"),
    (1 << 6, "NO_PACKET_IN"),
];

static STP_STATES: [&str; 4] = ["STP_LISTEN", "STP_LEARN", "STP_FORWARD", "STP_BLOCK"];

static PORT_FEATURES: &[(u32, &str)] = &[
    (1 << 0, "10MB_HD"),
    (1 << 1, "10MB_FD"),
    (1 << 2, "100MB_HD"),
    (1 << 3, "100MB_FD"),
    (1 << 4, "1GB_HD"),
    (1 << 5, "1GB_FD"),
    (1 << 6, "10GB_FD"),
    (1 << 7, "COPPER"),
    (1 << 8, "FIBER"),
    (1 << 9, "AUTONEG"),
    (1 << 10, "PAUSE"),
    (1 << 11, "PAUSE_ASYM"),
];

pub(super) static WILDCARDS: &[(u32, &str)] = &[
    (IN_PORT, "IN_PORT"),
    (DL_VLAN, "DL_VLAN"),
    (DL_SRC, "DL_SRC"),
    (DL_DST, "DL_DST"),
    (DL_TYPE, "DL_TYPE"),
    (NW_PROTO, "NW_PROTO"),
    (TP_SRC, "TP_SRC"),
    (TP_DST, "TP_DST"),
    (DL_VLAN_PCP, "DL_VLAN_PCP"),
    (NW_TOS, "NW_TOS"),
];
const IN_PORT: u32 = 1;
const DL_VLAN: u32 = 1 << 1;
const DL_SRC: u32 = 1 << 2;
const DL_DST: u32 = 1 << 3;
const DL_TYPE: u32 = 1 << 4;
const NW_PROTO: u32 = 1 << 5;
const TP_SRC: u32 = 1 << 6;
const TP_DST: u32 = 1 << 7;
const DL_VLAN_PCP: u32 = 1 << 20;
const NW_TOS: u32 = 1 << 21;
/// All bits that mean something; six each say how much of an address does not count.
pub(super) const ALL_WILDCARDS: u32 = (1 << 22) - 1;

static COMMANDS: &[(u32, &str)] = &[
    (0, "ADD"),
    (1, "MODIFY"),
    (2, "MODIFY_STRICT"),
    (3, "DELETE"),
    (4, "DELETE_STRICT"),
];

static FLOW_FLAGS: &[(u32, &str)] = &[(1, "SEND_FLOW_REM"), (2, "CHECK_OVERLAP"), (4, "EMERG")];
static FRAGMENTS: &[(u32, &str)] = &[(0, "FRAG_NORMAL"), (1, "FRAG_DROP"), (2, "FRAG_REASM")];
static IN_REASONS: &[(u32, &str)] = &[(0, "NO_MATCH"), (1, "ACTION")];
static PORT_REASONS: &[(u32, &str)] = &[(0, "ADD"), (1, "DELETE"), (2, "MODIFY")];
static REMOVED_REASONS: &[(u32, &str)] = &[(0, "IDLE_TIMEOUT"), (1, "HARD_TIMEOUT"), (2, "DELETE")];

/// What follows a message's header.
pub(super) fn body(p: &mut Out<'_>, kind: u8, body: &mut Body<'_>) -> Step {
    match kind {
        5 | 7 | 18 | 19 => return body.exactly(0),
        6 => body.at_least(24)?,
        8 | 9 | 20 => body.exactly(4)?,
        10 => body.at_least(10)?,
        11 => body.exactly(80)?,
        12 => body.exactly(56)?,
        13 => body.at_least(8)?,
        14 => body.at_least(64)?,
        15 => body.exactly(24)?,
        16 | 17 | 1 => body.at_least(4)?,
        21 => body.at_least(8)?,
        _ => {}
    }
    match kind {
        4 => v10_vendor::message(p, body),
        _ if !p.verbose(1) => {
            body.c.need(body.left)?;
            Ok(())
        }
        0 | 2 | 3 => body.data(p),
        1 => error(p, body, ERRORS, &CODES),
        6 => features(p, body),
        8 | 9 => {
            let flags = u32::from(body.u16()?);
            put!(p, "\n\t flags ");
            name_or(p, FRAGMENTS, flags, "invalid", 4);
            put!(p, ", miss_send_len ", body.u16()?);
            Ok(())
        }
        10 => packet_in(p, body),
        11 => flow_removed(p, body),
        12 => {
            let reason = body.u8()?;
            put!(p, "\n\t reason ");
            name_or(p, PORT_REASONS, u32::from(reason), "invalid", 2);
            body.pad(7)?;
            ports(p, body)
        }
        13 => packet_out(p, body),
        14 => flow_mod(p, body),
        15 => port_mod(p, body),
        16 => v10_stats::request(p, body),
        17 => v10_stats::reply(p, body),
        20 => {
            let port_number = body.u16()?;
            put!(p, "\n\t port ");
            port(p, port_number);
            body.pad(2)
        }
        21 => queue_config(p, body),
        _ => body.pad(body.left),
    }
}

pub(super) fn port(p: &mut Out<'_>, number: u16) {
    match lookup(PORTS, number) {
        Some(name) => put!(p, name),
        None => put!(p, number),
    }
}

fn features(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    put!(p, "\n\t dpid 0x", HexFull(body.u64()?));
    put!(p, ", n_buffers ", body.u32()?);
    put!(p, ", n_tables ", body.u8()?);
    body.pad(3)?;
    let capabilities = body.u32()?;
    put!(p, "\n\t capabilities ");
    let unknown = super::names(p, 8, CAPABILITIES, capabilities);
    bogus(p, unknown != 0 || capabilities & RESERVED != 0);
    let actions = body.u32()?;
    put!(p, "\n\t actions ");
    bitmap(p, 8, ACTIONS, actions);
    ports(p, body)
}

fn ports(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    while body.left > 0 {
        body.at_least(PORT)?;
        let number = body.u16()?;
        put!(p, "\n\t  port_no ");
        port(p, number);
        let mac = body.array::<6>()?;
        put!(p, ", hw_addr ", Pairs(&mac, ':'));
        body.text(p, ", name", 16)?;
        if !p.verbose(2) {
            body.pad(24)?;
            continue;
        }
        let config = body.u32()?;
        put!(p, "\n\t   config ");
        bitmap(p, 8, PORT_CONFIG, config);
        let state = body.u32()?;
        port_state(p, state);
        for name in ["curr", "advertised", "supported", "peer"] {
            let features = body.u32()?;
            put!(p, "\n\t   ", name, " ");
            bitmap(p, 8, PORT_FEATURES, features);
        }
    }
    Ok(())
}

fn port_state(p: &mut Out<'_>, state: u32) {
    let stp = usize::try_from(state >> 8 & 3).unwrap_or(0);
    let stp = STP_STATES.get(stp).copied().unwrap_or("");
    let down = if state & 1 == 0 { "" } else { ", LINK_DOWN" };
    put!(p, "\n\t   state 0x", HexFull(state), " (", stp, down, ")");
    bogus(p, state & !0x301 != 0);
}

fn buffer(p: &mut Out<'_>, id: u32) {
    match id {
        NO_BUFFER => put!(p, "NONE"),
        _ => put!(p, "0x", HexFull(id)),
    }
}

fn packet_in(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    let id = body.u32()?;
    put!(p, "\n\t buffer_id ");
    buffer(p, id);
    put!(p, ", total_len ", body.u16()?);
    let input = body.u16()?;
    put!(p, ", in_port ");
    port(p, input);
    let reason = body.u8()?;
    put!(p, ", reason ");
    name_or(p, IN_REASONS, u32::from(reason), "invalid", 2);
    body.pad(1)?;
    frame(p, body)
}

fn packet_out(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    put!(p, "\n\t buffer_id 0x", HexFull(body.u32()?));
    let input = body.u16()?;
    put!(p, ", in_port ");
    port(p, input);
    let size = usize::from(body.u16()?);
    // compat: 4.99.3 does not say it.
    put!(p, ", actions_len ", size);
    let mut list = body.part(size)?;
    actions(p, &mut list, "\n\t ")?;
    frame(p, body)
}

fn flow_removed(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    flow_match(p, body, "\n\t ")?;
    put!(p, "\n\t cookie 0x", HexFull(body.u64()?));
    let priority = body.u16()?;
    if priority != 0 {
        put!(p, ", priority ", priority);
    }
    let reason = body.u8()?;
    put!(p, ", reason ");
    name_or(p, REMOVED_REASONS, u32::from(reason), "unknown", 2);
    body.pad(1)?;
    put!(p, ", duration_sec ", body.u32()?);
    put!(p, ", duration_nsec ", body.u32()?);
    let idle = body.u16()?;
    if idle != 0 {
        put!(p, ", idle_timeout ", idle);
    }
    body.pad(2)?;
    put!(p, ", packet_count ", body.u64()?);
    put!(p, ", byte_count ", body.u64()?);
    Ok(())
}

fn flow_mod(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    flow_match(p, body, "\n\t ")?;
    put!(p, "\n\t cookie 0x", HexFull(body.u64()?));
    let command = body.u16()?;
    put!(p, ", command ");
    name_or(p, COMMANDS, u32::from(command), "invalid", 4);
    for name in ["idle_timeout", "hard_timeout", "priority"] {
        let value = body.u16()?;
        if value != 0 {
            put!(p, ", ", name, " ", value);
        }
    }
    let id = body.u32()?;
    if matches!(command, 0..=2) {
        put!(p, ", buffer_id ");
        buffer(p, id);
    }
    let out_port = body.u16()?;
    if matches!(command, 3 | 4) {
        put!(p, ", out_port ");
        port(p, out_port);
    }
    let flags = body.u16()?;
    put!(p, ", flags ");
    bitmap(p, 4, FLOW_FLAGS, u32::from(flags));
    actions(p, body, "\n\t ")
}

fn port_mod(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    let number = body.u16()?;
    put!(p, "\n\t port_no ");
    port(p, number);
    let mac = body.array::<6>()?;
    put!(p, ", hw_addr ", Pairs(&mac, ':'));
    for name in ["config", "mask"] {
        let config = body.u32()?;
        put!(p, "\n\t ", name, " ");
        bitmap(p, 8, PORT_CONFIG, config);
    }
    let features = body.u32()?;
    put!(p, "\n\t advertise ");
    bitmap(p, 8, PORT_FEATURES, features);
    body.pad(4)
}

fn vlan(p: &mut Out<'_>, id: u16) {
    if id == NO_VLAN {
        return put!(p, "NONE");
    }
    put!(p, id);
    bogus(p, id == 0 || id >= 4095);
}

fn vlan_priority(p: &mut Out<'_>, priority: u8) {
    put!(p, priority);
    bogus(p, priority > 7);
}

/// What of a flow is looked at, one line for each field.
pub(super) fn flow_match(p: &mut Out<'_>, body: &mut Body<'_>, start: &str) -> Step {
    body.at_least(MATCH)?;
    let wildcards = body.u32()?;
    if wildcards & !ALL_WILDCARDS != 0 {
        put!(p, start, "wildcards 0x", HexFull(wildcards), " (bogus)");
    }
    let shown = |bit: u32| wildcards & bit == 0;
    let field = |p: &mut Out<'_>, name: &str| put!(p, start, "match ", name, " ");
    let input = body.u16()?;
    if shown(IN_PORT) {
        field(p, "in_port");
        port(p, input);
    }
    for (bit, name) in [(DL_SRC, "dl_src"), (DL_DST, "dl_dst")] {
        let mac = body.array::<6>()?;
        if shown(bit) {
            field(p, name);
            put!(p, Pairs(&mac, ':'));
        }
    }
    let id = body.u16()?;
    if shown(DL_VLAN) {
        field(p, "dl_vlan");
        vlan(p, id);
    }
    let priority = body.u8()?;
    if shown(DL_VLAN_PCP) {
        field(p, "dl_vlan_pcp");
        vlan_priority(p, priority);
    }
    body.pad(1)?;
    let ethertype = body.u16()?;
    if shown(DL_TYPE) {
        field(p, "dl_type");
        put!(p, "0x", HexFull(ethertype));
    }
    let ethertype = Some(ethertype).filter(|_| shown(DL_TYPE));
    let tos = body.u8()?;
    if shown(NW_TOS) {
        field(p, "nw_tos");
        put!(p, "0x", HexFull(tos));
    }
    let protocol = body.u8()?;
    if shown(NW_PROTO) {
        field(
            p,
            if ethertype == Some(ARP) {
                "arp_opcode"
            } else {
                "nw_proto"
            },
        );
        put!(p, protocol);
    }
    body.pad(2)?;
    for (shift, name) in [(8, "nw_src"), (14, "nw_dst")] {
        let address = Ipv4Addr::from(body.u32()?);
        if let Some(prefix) = 32_u32
            .checked_sub(wildcards >> shift & 63)
            .filter(|&bits| bits > 0)
        {
            field(p, name);
            put!(p, address, "/", prefix);
        }
    }
    let icmp = ethertype == Some(IPV4) && shown(NW_PROTO) && protocol == ICMP;
    let names = if icmp {
        ["icmp_type", "icmp_code"]
    } else {
        ["tp_src", "tp_dst"]
    };
    for (bit, name) in [TP_SRC, TP_DST].into_iter().zip(names) {
        let value = body.u16()?;
        if shown(bit) {
            field(p, name);
            put!(p, value);
        }
    }
    Ok(())
}

static ACTION_TYPES: &[(u32, &str)] = &[
    (0, "OUTPUT"),
    (1, "SET_VLAN_VID"),
    (2, "SET_VLAN_PCP"),
    (3, "STRIP_VLAN"),
    (4, "SET_DL_SRC"),
    (5, "SET_DL_DST"),
    (6, "SET_NW_SRC"),
    (7, "SET_NW_DST"),
    (8, "SET_NW_TOS"),
    (9, "SET_TP_SRC"),
    (10, "SET_TP_DST"),
    (11, "ENQUEUE"),
    (0xffff, "VENDOR"),
];

/// Actions, one line for each.
pub(super) fn actions(p: &mut Out<'_>, body: &mut Body<'_>, start: &str) -> Step {
    while body.left > 0 {
        body.at_least(8)?;
        let kind = body.u16()?;
        put!(p, start, "action type ");
        name_or(p, ACTION_TYPES, u32::from(kind), "invalid", 4);
        let size = body.u16()?;
        put!(p, ", len ", size);
        let size = usize::from(size);
        if size < 8 || size > body.left + 4 {
            return Err(Stop::Invalid);
        }
        let right = match kind {
            0..=3 | 6..=10 => size == 8,
            4 | 5 | 11 => size == 16,
            _ => size % 8 == 0,
        };
        let mut value = body.part(size - 4)?;
        if !right {
            put!(p, " (bogus)");
            value.c.need(value.left)?;
            continue;
        }
        action(p, kind, &mut value)?;
    }
    Ok(())
}

fn action(p: &mut Out<'_>, kind: u16, value: &mut Body<'_>) -> Step {
    match kind {
        0 => {
            let number = value.u16()?;
            put!(p, ", port ");
            port(p, number);
            let most = value.u16()?;
            if number == CONTROLLER {
                put!(p, ", max_len ", most);
            }
        }
        1 => {
            let id = value.u16()?;
            put!(p, ", vlan_vid ");
            vlan(p, id);
        }
        2 => {
            let priority = value.u8()?;
            put!(p, ", vlan_pcp ");
            vlan_priority(p, priority);
        }
        4 | 5 => put!(p, ", dl_addr ", Pairs(&value.array::<6>()?, ':')),
        6 | 7 => put!(p, ", nw_addr ", Ipv4Addr::from(value.u32()?)),
        8 => put!(p, ", nw_tos 0x", HexFull(value.u8()?)),
        9 | 10 => put!(p, ", tp_port ", value.u16()?),
        11 => {
            let number = value.u16()?;
            put!(p, ", port ");
            port(p, number);
            value.pad(6)?;
            put!(p, ", queue_id ", value.u32()?);
        }
        0xffff => {
            let id = value.u32()?;
            put!(p, ", vendor ");
            vendor(p, id);
            if id == v10_vendor::BIG_SWITCH {
                return v10_vendor::action(p, value);
            }
            return value.data(p);
        }
        _ => {}
    }
    value.pad(value.left)
}

fn queue_config(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    let number = body.u16()?;
    put!(p, "\n\t port ");
    port(p, number);
    body.pad(6)?;
    while body.left > 0 {
        body.at_least(8)?;
        put!(p, "\n\t  queue_id ", body.u32()?);
        let size = body.u16()?;
        put!(p, ", len ", size);
        let size = usize::from(size);
        if size < 8 || size > body.left + 6 {
            return Err(Stop::Invalid);
        }
        body.pad(2)?;
        let mut properties = body.part(size - 8)?;
        if !p.verbose(2) {
            properties.c.need(properties.left)?;
            continue;
        }
        queue_properties(p, &mut properties)?;
    }
    Ok(())
}

fn queue_properties(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    static NAMES: &[(u32, &str)] = &[(0, "NONE"), (1, "MIN_RATE")];
    while body.left > 0 {
        body.at_least(8)?;
        let kind = body.u16()?;
        put!(p, "\n\t   property ");
        name_or(p, NAMES, u32::from(kind), "invalid", 4);
        let size = body.u16()?;
        put!(p, ", len ", size);
        let size = usize::from(size);
        if size < 8 || size > body.left + 4 {
            return Err(Stop::Invalid);
        }
        body.pad(4)?;
        let mut value = body.part(size - 8)?;
        match kind {
            1 if size == 16 => {
                let rate = value.u16()?;
                if rate > 1000 {
                    put!(p, ", rate disabled");
                } else {
                    put!(p, ", rate ", Fixed(f64::from(rate) / 10.0, 1), "%");
                }
                value.pad(6)?;
            }
            0 | 1 if size != 8 || kind == 1 => {
                put!(p, " (bogus)");
                value.c.need(value.left)?;
            }
            0 => {}
            _ => {
                let bytes = value.take(value.left)?;
                if !bytes.is_empty() {
                    put!(p, "\n\t    data (", bytes.len(), " octets)");
                    hexdump::hex_ascii(p, "\n\t     ", bytes);
                }
            }
        }
    }
    Ok(())
}
