//! Big Switch Networks' extensions of version 1.0 (LOXI's `bsn` definitions).

use std::net::Ipv4Addr;

use super::{Body, Step, name_or, vendor};
use crate::out::Out;
use crate::put::{HexFull, Visible, put};

pub(super) const BIG_SWITCH: u32 = 0x005c_16c7;

static SUBTYPES: &[(u32, &str)] = &[
    (0, "SET_IP_MASK"),
    (1, "GET_IP_MASK_REQUEST"),
    (2, "GET_IP_MASK_REPLY"),
    (3, "SET_MIRRORING"),
    (4, "GET_MIRRORING_REQUEST"),
    (5, "GET_MIRRORING_REPLY"),
    (6, "SHELL_COMMAND"),
    (7, "SHELL_OUTPUT"),
    (8, "SHELL_STATUS"),
    (9, "GET_INTERFACES_REQUEST"),
    (10, "GET_INTERFACES_REPLY"),
    (11, "SET_PKTIN_SUPPRESSION_REQUEST"),
    (12, "SET_L2_TABLE_REQUEST"),
    (13, "GET_L2_TABLE_REQUEST"),
    (14, "GET_L2_TABLE_REPLY"),
    (15, "VIRTUAL_PORT_CREATE_REQUEST"),
    (16, "VIRTUAL_PORT_CREATE_REPLY"),
    (17, "VIRTUAL_PORT_REMOVE_REQUEST"),
    (18, "BW_ENABLE_SET_REQUEST"),
    (19, "BW_ENABLE_GET_REQUEST"),
    (20, "BW_ENABLE_GET_REPLY"),
    (21, "BW_CLEAR_DATA_REQUEST"),
    (22, "BW_CLEAR_DATA_REPLY"),
    (23, "BW_ENABLE_SET_REPLY"),
    (24, "SET_L2_TABLE_REPLY"),
    (25, "SET_PKTIN_SUPPRESSION_REPLY"),
    (26, "VIRTUAL_PORT_REMOVE_REPLY"),
    (27, "HYBRID_GET_REQUEST"),
    (28, "HYBRID_GET_REPLY"),
    (31, "PDU_TX_REQUEST"),
    (32, "PDU_TX_REPLY"),
    (33, "PDU_RX_REQUEST"),
    (34, "PDU_RX_REPLY"),
    (35, "PDU_RX_TIMEOUT"),
];

static ON_OFF: &[(u32, &str)] = &[(0, "OFF"), (1, "ON")];
static STAGES: &[(u32, &str)] = &[(0, "INGRESS"), (1, "EGRESS")];

/// A message of a vendor, behind its header.
pub(super) fn message(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    body.at_least(4)?;
    if !p.verbose(1) {
        body.c.need(body.left)?;
        return Ok(());
    }
    let id = body.u32()?;
    put!(p, ", vendor ");
    vendor(p, id);
    if id != BIG_SWITCH {
        return body.data(p);
    }
    body.at_least(4)?;
    let subtype = body.u32()?;
    put!(p, "\n\t subtype ");
    name_or(p, SUBTYPES, subtype, "unknown", 8);
    match subtype {
        0 | 2 => {
            body.exactly(8)?;
            put!(p, ", index ", body.u8()?);
            body.pad(3)?;
            put!(p, ", mask ", Ipv4Addr::from(body.u32()?));
            Ok(())
        }
        1 => {
            body.exactly(8)?;
            put!(p, ", index ", body.u8()?);
            body.pad(7)
        }
        3..=5 => {
            body.exactly(4)?;
            let ports = body.u8()?;
            put!(p, ", report_mirror_ports ");
            name_or(p, ON_OFF, u32::from(ports), "bogus", 2);
            body.pad(3)
        }
        6 => {
            body.at_least(4)?;
            put!(p, ", service ", body.u32()?);
            text(p, body)
        }
        7 => text(p, body),
        8 => {
            body.exactly(4)?;
            put!(p, ", status 0x", HexFull(body.u32()?));
            Ok(())
        }
        9 | 13 | 17 | 19 | 21 | 27 => body.exactly(0),
        _ => body.pad(body.left),
    }
}

/// A command or what it said, as far as it was captured.
fn text(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    put!(p, ", data '");
    let there = body.c.limit(body.left).rest();
    put!(p, Visible(there));
    body.take(body.left)?;
    put!(p, "'");
    Ok(())
}

/// The vendor's action.
pub(super) fn action(p: &mut Out<'_>, value: &mut Body<'_>) -> Step {
    value.at_least(4)?;
    let subtype = value.u32()?;
    put!(p, "\n\t  subtype ");
    if subtype != 1 {
        put!(p, "unknown (0x", HexFull(subtype), ")");
        return value.pad(value.left);
    }
    put!(p, "MIRROR");
    value.exactly(12)?;
    put!(p, ", dest_port ", value.u32()?);
    let tag = value.u32()?;
    let (kind, control) = (tag >> 16, tag & 0xffff);
    put!(p, ", vlan_tag ");
    match kind {
        0 => put!(p, "none"),
        _ => {
            match kind {
                0x8100 => put!(p, "802.1Q"),
                _ => put!(p, "unknown (0x", HexFull(kind), ")"),
            }
            put!(p, " (vlan ", control & 0xfff, ", p ", control >> 13);
            put!(p, if control & 0x1000 == 0 { ")" } else { ", DEI)" });
        }
    }
    let stage = value.u8()?;
    put!(p, ", copy_stage ");
    name_or(p, STAGES, u32::from(stage), "unknown", 2);
    value.pad(3)
}
