//! Interface description and statistics blocks, written.
//!
//! Interface index and network namespace, which pcapng has no options for, go into a comment,
//! `{"ifindex":2,"netns":4026531840}`. The name is the last option: Apple's tcpdump reads it up
//! to a zero byte, which only the end of the options is sure to bring.

use pktwho_packet::{Iface, LinkType, NetnsId, Timestamp};

use super::compose::{
    end_block, end_options, start_block, write_high_low, write_option, write_option_header,
    write_text,
};
use super::{block, option};
use crate::counters::Counters;
use crate::json::{JsonReader, write_number};

/// `if_tsresol`: 10^-9 seconds.
const NANOSECONDS: u8 = 9;

/// What is written of a device beside its own facts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Common<'a> {
    pub(crate) link_type: LinkType,
    pub(crate) snaplen: u32,
    pub(crate) os: &'a str,
    pub(crate) filter: &'a str,
}

/// Appends an interface description block; `verbatim` are all its options, if they are given.
pub(crate) fn description(
    out: &mut Vec<u8>,
    iface: &Iface,
    common: &Common<'_>,
    verbatim: Option<&[u8]>,
) {
    let start = start_block(out, block::INTERFACE_DESCRIPTION);
    out.extend_from_slice(&common.link_type.0.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&common.snaplen.to_le_bytes());
    if let Some(options) = verbatim {
        out.extend_from_slice(options);
        end_options(out);
        end_block(out, start);
        return;
    }
    write_text(
        out,
        option::IF_DESCRIPTION,
        iface.description.as_deref().unwrap_or_default(),
    );
    if let Some(mac) = iface.mac {
        write_option(out, option::IF_MAC, &mac);
    }
    if let Some(speed) = iface.speed {
        write_option(out, option::IF_SPEED, &speed.to_le_bytes());
    }
    write_option(out, option::IF_TSRESOL, &[NANOSECONDS]);
    if !common.filter.is_empty() {
        // The first byte says what kind of filter: 0 is libpcap's language.
        let filter = [b"\0", common.filter.as_bytes()].concat();
        write_option(out, option::IF_FILTER, &filter);
    }
    write_text(out, option::IF_OS, common.os);
    write_comment(out, iface);
    write_text(out, option::IF_NAME, &iface.name);
    end_options(out);
    end_block(out, start);
}

fn write_comment(out: &mut Vec<u8>, iface: &Iface) {
    let mut comment = Vec::new();
    let facts = [
        ("ifindex", iface.index),
        ("netns", iface.netns.map_or(0, |netns| netns.0)),
    ];
    for (key, number) in facts.into_iter().filter(|&(_, number)| number != 0) {
        comment.push(if comment.is_empty() { b'{' } else { b',' });
        comment.extend_from_slice(format!("\"{key}\":").as_bytes());
        write_number(&mut comment, u64::from(number));
    }
    if !comment.is_empty() {
        comment.push(b'}');
        write_option(out, option::COMMENT, &comment);
    }
}

/// Reads such a comment; any other text says nothing.
pub(crate) fn read_comment(comment: &[u8], iface: &mut Iface) {
    let mut index = 0;
    let mut netns = None;
    let mut reader = JsonReader::new(comment);
    let whole = reader.object(|reader, key| {
        match key {
            b"ifindex" => index = reader.number32()?,
            b"netns" => netns = Some(NetnsId(reader.number32()?)),
            _ => reader.skip()?,
        }
        Some(())
    });
    if whole.is_some() && reader.at_end() {
        iface.index = index;
        iface.netns = netns;
    }
}

/// Reads such a comment of an interface statistics block.
pub(crate) fn read_forgotten(comment: &[u8]) -> Option<u64> {
    let mut count = None;
    let mut reader = JsonReader::new(comment);
    reader.object(|reader, key| {
        match key {
            b"owners_forgotten" => count = Some(reader.number()?),
            _ => reader.skip()?,
        }
        Some(())
    })?;
    count.filter(|_| reader.at_end())
}

/// Appends an interface statistics block; `time` is when the counters were taken.
pub(crate) fn statistics(out: &mut Vec<u8>, iface: u32, counters: &Counters, time: Timestamp) {
    let start = start_block(out, block::INTERFACE_STATISTICS);
    out.extend_from_slice(&iface.to_le_bytes());
    write_high_low(out, nanoseconds(time));
    let times = [
        (option::ISB_START, counters.start),
        (option::ISB_END, counters.end),
    ];
    for (code, time) in times {
        if let Some(time) = time {
            write_option_header(out, code, 8);
            write_high_low(out, nanoseconds(time));
        }
    }
    let counts = [
        (option::ISB_RECEIVED, counters.received),
        (option::ISB_DROPPED, counters.dropped),
        (option::ISB_OS_DROPPED, counters.os_dropped),
    ];
    for (code, count) in counts {
        if let Some(count) = count {
            write_option(out, code, &count.to_le_bytes());
        }
    }
    if let Some(count) = counters.owners_forgotten.filter(|&count| count > 0) {
        let mut comment = b"{\"owners_forgotten\":".to_vec();
        write_number(&mut comment, count);
        comment.push(b'}');
        write_option(out, option::COMMENT, &comment);
    }
    end_options(out);
    end_block(out, start);
}

/// A time as it is stored: nanoseconds since the epoch, times before it as 0.
#[inline]
pub(crate) fn nanoseconds(time: Timestamp) -> u64 {
    time.as_nanos().max(0).cast_unsigned()
}
