//! Statistics of version 1.0.

use super::v10::{ALL_WILDCARDS, WILDCARDS, actions, flow_match, port};
use super::{Body, Step, Stop, bitmap, name_or, vendor};
use crate::out::Out;
use crate::put::{HexFull, put};

static TYPES: &[(u32, &str)] = &[
    (0, "DESC"),
    (1, "FLOW"),
    (2, "AGGREGATE"),
    (3, "TABLE"),
    (4, "PORT"),
    (5, "QUEUE"),
    (0xffff, "VENDOR"),
];

static REPLY_FLAGS: &[(u32, &str)] = &[(1, "MORE")];

fn table(p: &mut Out<'_>, id: u8) {
    match id {
        0xfe => put!(p, "EMERG"),
        0xff => put!(p, "ALL"),
        _ => put!(p, id),
    }
}

fn kind(p: &mut Out<'_>, body: &mut Body<'_>) -> Result<u16, Stop> {
    let kind = body.u16()?;
    put!(p, "\n\t type ");
    name_or(p, TYPES, u32::from(kind), "invalid", 4);
    Ok(kind)
}

pub(super) fn request(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    let kind = kind(p, body)?;
    let flags = body.u16()?;
    put!(p, ", flags 0x", HexFull(flags));
    super::bogus(p, flags != 0);
    match kind {
        0 | 3 => body.exactly(0),
        1 | 2 => {
            body.exactly(44)?;
            flow_match(p, body, "\n\t ")?;
            let id = body.u8()?;
            put!(p, "\n\t table_id ");
            table(p, id);
            body.pad(1)?;
            let out_port = body.u16()?;
            put!(p, ", out_port ");
            port(p, out_port);
            Ok(())
        }
        4 => {
            body.exactly(8)?;
            let number = body.u16()?;
            put!(p, "\n\t port_no ");
            port(p, number);
            body.pad(6)
        }
        5 => {
            body.exactly(8)?;
            let number = body.u16()?;
            put!(p, "\n\t port_no ");
            port(p, number);
            body.pad(2)?;
            queue(p, body.u32()?);
            Ok(())
        }
        0xffff => vendor_data(p, body),
        _ => body.pad(body.left),
    }
}

fn queue(p: &mut Out<'_>, id: u32) {
    match id {
        0xffff_ffff => put!(p, ", queue_id ALL"),
        _ => put!(p, ", queue_id ", id),
    }
}

fn vendor_data(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    body.at_least(4)?;
    let id = body.u32()?;
    put!(p, ", vendor ");
    vendor(p, id);
    body.data(p)
}

pub(super) fn reply(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    let kind = kind(p, body)?;
    let flags = body.u16()?;
    put!(p, ", flags ");
    bitmap(p, 4, REPLY_FLAGS, u32::from(flags));
    match kind {
        0 => description(p, body),
        1 => flows(p, body),
        2 => {
            body.exactly(24)?;
            put!(p, "\n\t packet_count ", body.u64()?);
            put!(p, ", byte_count ", body.u64()?);
            put!(p, ", flow_count ", body.u32()?);
            body.pad(4)
        }
        3 => tables(p, body),
        4 => ports(p, body),
        5 => queues(p, body),
        0xffff => vendor_data(p, body),
        _ => body.pad(body.left),
    }
}

fn description(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    body.exactly(1056)?;
    for (name, size) in [
        ("mfr_desc", 256),
        ("hw_desc", 256),
        ("sw_desc", 256),
        ("serial_num", 32),
        ("dp_desc", 256),
    ] {
        put!(p, "\n\t  ");
        body.text(p, name, size)?;
    }
    Ok(())
}

fn flows(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    const FIXED: usize = 88;
    while body.left > 0 {
        body.at_least(FIXED)?;
        let size = body.u16()?;
        put!(p, "\n\t length ", size);
        let inner = usize::from(size)
            .checked_sub(2)
            .filter(|inner| *inner + 2 >= FIXED);
        let Some(inner) = inner.filter(|&inner| inner <= body.left) else {
            return Err(Stop::Invalid);
        };
        let mut entry = body.part(inner)?;
        let id = entry.u8()?;
        put!(p, ", table_id ");
        table(p, id);
        entry.pad(1)?;
        flow_match(p, &mut entry, "\n\t  ")?;
        put!(p, "\n\t  duration_sec ", entry.u32()?);
        put!(p, ", duration_nsec ", entry.u32()?);
        put!(p, ", priority ", entry.u16()?);
        put!(p, ", idle_timeout ", entry.u16()?);
        put!(p, ", hard_timeout ", entry.u16()?);
        entry.pad(6)?;
        put!(p, ", cookie 0x", HexFull(entry.u64()?));
        put!(p, ", packet_count ", entry.u64()?);
        put!(p, ", byte_count ", entry.u64()?);
        actions(p, &mut entry, "\n\t  ")?;
    }
    Ok(())
}

fn tables(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    while body.left > 0 {
        body.at_least(64)?;
        let id = body.u8()?;
        put!(p, "\n\t table_id ");
        table(p, id);
        body.unseen(3)?;
        body.text(p, ", name", 32)?;
        let wildcards = body.u32()?;
        put!(p, "\n\t  wildcards ");
        super::names(p, 8, WILDCARDS, wildcards);
        super::bogus(p, wildcards & !ALL_WILDCARDS != 0);
        put!(p, "\n\t  max_entries ", body.u32()?);
        put!(p, ", active_count ", body.u32()?);
        put!(p, ", lookup_count ", body.u64()?);
        put!(p, ", matched_count ", body.u64()?);
    }
    Ok(())
}

fn ports(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    while body.left > 0 {
        body.at_least(104)?;
        let number = body.u16()?;
        put!(p, "\n\t  port_no ");
        port(p, number);
        body.pad(6)?;
        if !p.verbose(2) {
            body.pad(96)?;
            continue;
        }
        for name in [
            "rx_packets",
            "tx_packets",
            "rx_bytes",
            "tx_bytes",
            "rx_dropped",
            "tx_dropped",
            "rx_errors",
            "tx_errors",
            "rx_frame_err",
            "rx_over_err",
            "rx_crc_err",
            "collisions",
        ] {
            put!(p, ", ", name, " ", body.u64()?);
        }
    }
    Ok(())
}

fn queues(p: &mut Out<'_>, body: &mut Body<'_>) -> Step {
    while body.left > 0 {
        body.at_least(32)?;
        let number = body.u16()?;
        put!(p, "\n\t  port_no ");
        port(p, number);
        body.pad(2)?;
        queue(p, body.u32()?);
        put!(p, ", tx_bytes ", body.u64()?);
        put!(p, ", tx_packets ", body.u64()?);
        put!(p, ", tx_errors ", body.u64()?);
    }
    Ok(())
}
