//! The DNS question for the name of an address, and what its answer says (RFC 1035 section 4,
//! RFC 3596 section 2.5).
//!
//! Promises: an answer is believed only when it repeats id and question; of names only such come
//! out as a host may have, so that nobody's zone writes to a terminal.

use std::fmt::Write as _;
use std::net::IpAddr;

const HEADER: usize = 12;
const CNAME: u16 = 5;
const PTR: u16 = 12;
const INTERNET: u16 = 1;
/// The most names that one may stand for another (RFC 2317 needs one).
const CHAIN: usize = 8;
/// The most pointers in a name: a pointer points back, which makes them finite already.
const POINTERS: usize = 64;

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Name(String),
    /// There is none, or none that may be shown.
    Nothing,
    /// This server cannot tell; another might.
    Failed,
}

/// A query message.
pub(super) fn question(id: u16, ip: IpAddr) -> Vec<u8> {
    let mut message = Vec::with_capacity(HEADER + 80);
    message.extend(id.to_be_bytes());
    // One question, and recursion is desired.
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name(ip).split('.') {
        // Labels are at most 7 bytes here.
        message.push(u8::try_from(label.len()).unwrap_or(0));
        message.extend(label.as_bytes());
    }
    message.push(0);
    message.extend(PTR.to_be_bytes());
    message.extend(INTERNET.to_be_bytes());
    message
}

/// The name under which the zones hold an address.
fn name(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(ip) => {
            let mut text = String::with_capacity(72);
            for byte in ip.octets().iter().rev() {
                let _ = write!(text, "{:x}.{:x}.", byte & 15, byte >> 4);
            }
            text + "ip6.arpa"
        }
    }
}

/// The answer to `question`; `None` when the message is not one.
pub(super) fn answer(question: &[u8], message: &[u8]) -> Option<Answer> {
    let asked = question.get(HEADER..)?;
    let same = message.get(..2)? == question.get(..2)?
        && message.get(HEADER..HEADER + asked.len())? == asked
        && u16_at(message, 4)? == 1;
    let flags = u16_at(message, 2)?;
    // A standard query's answer: QR is set, the opcode is 0.
    if !same || flags & 0xf800 != 0x8000 {
        return None;
    }
    Some(match flags & 15 {
        0 => records(message, HEADER + asked.len()).map_or(Answer::Nothing, Answer::Name),
        // NXDOMAIN
        3 => Answer::Nothing,
        _ => Answer::Failed,
    })
}

/// The name that the records from `at` on lead to.
fn records(message: &[u8], mut at: usize) -> Option<String> {
    let (mut wanted, _) = labels(message, HEADER)?;
    let mut chain = 0;
    for _ in 0..u16_at(message, 6)? {
        let (owner, after) = labels(message, at)?;
        let (kind, class) = (u16_at(message, after)?, u16_at(message, after + 2)?);
        let data = after + 10;
        at = data + usize::from(u16_at(message, after + 8)?);
        if class != INTERNET || !owner.eq_ignore_ascii_case(&wanted) {
            continue;
        }
        match kind {
            PTR => return host(&labels(message, data)?.0),
            CNAME if chain < CHAIN => {
                chain += 1;
                wanted = labels(message, data)?.0;
            }
            _ => {}
        }
    }
    None
}

/// The name at `at` with its lengths instead of dots, at most 255 bytes, and where it ends.
fn labels(message: &[u8], mut at: usize) -> Option<(Vec<u8>, usize)> {
    let mut name = Vec::new();
    let mut end = None;
    let mut pointers = 0;
    loop {
        let length = usize::from(*message.get(at)?);
        match length {
            0 => return Some((name, end.unwrap_or(at + 1))),
            1..64 => {
                name.extend(message.get(at..=at + length)?);
                at += 1 + length;
            }
            192.. => {
                end.get_or_insert(at + 2);
                let target = usize::from(u16_at(message, at)? & 0x3fff);
                pointers += 1;
                if target >= at || pointers > POINTERS {
                    return None;
                }
                at = target;
            }
            _ => return None,
        }
        if name.len() > 255 {
            return None;
        }
    }
}

/// A name as text, when it is one that a host may have: letters, digits, `-`, `_`.
fn host(mut labels: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(labels.len());
    while let Some((length, rest)) = labels.split_first() {
        let (label, rest) = rest.split_at_checked(usize::from(*length))?;
        if !text.is_empty() {
            text.push('.');
        }
        for &byte in label {
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
                return None;
            }
            text.push(char::from(byte));
        }
        labels = rest;
    }
    (!text.is_empty() && !text.starts_with('-')).then_some(text)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    /// An answer with these records: owner (empty for the question's), type, data.
    fn reply(code: u8, records: &[(&[u8], u16, &[u8])]) -> Vec<u8> {
        let mut message = question(9, IP);
        message[2..4].copy_from_slice(&[0x81, 0x80 | code]);
        message[7] = u8::try_from(records.len()).unwrap();
        for (owner, kind, data) in records {
            message.extend(if owner.is_empty() {
                b"\xc0\x0c"
            } else {
                *owner
            });
            message.extend(kind.to_be_bytes());
            message.extend([0, 1, 0, 0, 0, 60, 0]);
            message.push(u8::try_from(data.len()).unwrap());
            message.extend(*data);
        }
        message
    }

    #[track_caller]
    fn check(message: &[u8], expected: impl Into<Option<Answer>>) {
        assert_eq!(answer(&question(9, IP), message), expected.into());
    }

    #[test]
    fn addresses_are_asked_for_backwards() {
        assert_eq!(name(IP), "7.2.0.192.in-addr.arpa");
        assert_eq!(name("::ffff:192.0.2.7".parse().unwrap()), name(IP));
        let six = name("2001:db8::567:89ab".parse().unwrap());
        let zeros = "0.".repeat(16);
        assert_eq!(
            six,
            format!("b.a.9.8.7.6.5.0.{zeros}8.b.d.0.1.0.0.2.ip6.arpa")
        );
    }

    #[test]
    fn names_come_from_ptr_records_and_through_aliases() {
        check(
            &reply(0, &[(b"", PTR, b"\x02ns\x07example\0")]),
            Answer::Name("ns.example".to_owned()),
        );
        // The rest of a name is a pointer to the question's `arpa`.
        let arpa = b"\x01a\xc0\x1e";
        check(
            &reply(0, &[(b"", PTR, arpa)]),
            Answer::Name("a.arpa".to_owned()),
        );
        let alias: (&[u8], u16, &[u8]) = (b"", CNAME, b"\x01x\0");
        check(
            &reply(0, &[alias, (b"\x01X\0", PTR, b"\x01y\0")]),
            Answer::Name("y".to_owned()),
        );
        let nothing = Answer::Nothing;
        check(
            &reply(0, &[alias, (b"\x01z\0", PTR, b"\x01y\0")]),
            nothing.clone(),
        );
        check(&reply(3, &[]), nothing.clone());
        check(&reply(0, &[]), nothing);
        check(&reply(2, &[]), Answer::Failed);
    }

    #[test]
    fn hostile_names_are_none() {
        for data in [
            &b"\x03a\x1b[\0"[..],
            b"\x01.\0",
            b"\x02-a\0",
            b"\0",
            // Pointers to themselves, forward, and beyond; a label of a reserved kind.
            b"\xc0\x34",
            b"\xc0\x3f",
            b"\xff\xff",
            b"\x40a\0",
            b"\x3fa\0",
        ] {
            check(&reply(0, &[(b"", PTR, data)]), Answer::Nothing);
        }
        let long = b"\x3f".repeat(64 * 5);
        let mut message = reply(0, &[(b"", PTR, b"")]);
        message.extend(long);
        check(&message, Answer::Nothing);
    }

    #[test]
    fn what_was_not_asked_is_not_heard() {
        let good = reply(0, &[(b"", PTR, b"\x01a\0")]);
        for (at, byte) in [
            (0, 1),
            (2, 1),
            (2, 0x89),
            (5, 2),
            (13, b'8'),
            (HEADER + 24, 1),
        ] {
            let mut bad = good.clone();
            assert_ne!(bad[at], byte);
            bad[at] = byte;
            check(&bad, None);
        }
        for end in 0..good.len() {
            let cut = answer(&question(9, IP), &good[..end]);
            assert!(
                matches!(cut, None | Some(Answer::Nothing)),
                "{end}: {cut:?}"
            );
        }
    }
}
