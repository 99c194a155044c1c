//! DNS (RFC 1035), over UDP and TCP, and multicast DNS (RFC 6762).

mod edns;
mod name;
mod record;

use pktwho_wire::{Cursor, Truncated};
pub(crate) use record::{class, kind};

pub(crate) use name::plain as plain_name;

use crate::out::{Out, Printed, lookup};
use crate::put::{Hex, put};

const HEADER: usize = 12;

static OPCODES: &[&str] = &[
    "",
    " inv_q",
    " stat",
    " op3",
    " notify",
    " update",
    " op6",
    " op7",
    " op8",
    " updateA",
    " updateD",
    " updateDA",
    " updateM",
    " updateMA",
    " zoneInit",
    " zoneRef",
];

static RCODES: &[(u16, &str)] = &[
    (0, ""),
    (1, " FormErr"),
    (2, " ServFail"),
    (3, " NXDomain"),
    (4, " NotImp"),
    (5, " Refused"),
    (6, " YXDomain"),
    (7, " YXRRSet"),
    (8, " NXRRSet"),
    (9, " NotAuth"),
    (10, " NotZone"),
    (15, " NoChange"),
    (16, " BadVers"),
    (23, " BadCookie"),
];

const RESPONSE: u16 = 0x8000;

/// A message: all its bytes, because names point anywhere into it.
#[derive(Clone, Copy)]
struct Message<'a> {
    bytes: &'a [u8],
    /// On the wire.
    length: usize,
    multicast: bool,
}

/// The counts of the four sections.
struct Counts {
    questions: u16,
    answers: u16,
    authorities: u16,
    additional: u16,
}

/// A message in a datagram.
pub(crate) fn datagram(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    message(p, c, length, false)
}

/// A multicast message.
pub(crate) fn multicast(p: &mut Out<'_>, c: Cursor<'_>, length: usize) -> Printed {
    message(p, c, length, true)
}

/// A segment that holds one message after its length.
pub(crate) fn stream(p: &mut Out<'_>, mut c: Cursor<'_>, length: usize) -> Printed {
    p.protocol = "domain";
    if length < 2 {
        put!(p, " [DNS over TCP: length ", length, " < 2]");
        p.invalid();
        return Ok(());
    }
    let stated = usize::from(c.u16()?);
    let there = length - 2;
    if stated != there {
        put!(p, " [prefix length(", stated, ") != length(", there, ")]");
        p.invalid();
        return Ok(());
    }
    put!(p, " ");
    message(p, Cursor::new(c.rest()), there, false)
}

fn message(p: &mut Out<'_>, c: Cursor<'_>, length: usize, multicast: bool) -> Printed {
    p.protocol = "domain";
    if length < HEADER {
        put!(p, "domain [length ", length, " < ", HEADER, "]");
        p.invalid();
        return Ok(());
    }
    let message = Message {
        bytes: c.limit(length).rest(),
        length,
        multicast,
    };
    let mut c = Cursor::new(message.bytes);
    let id = c.u16()?;
    let flags = c.u16()?;
    let counts = Counts {
        questions: c.u16()?,
        answers: c.u16()?,
        authorities: c.u16()?,
        additional: c.u16()?,
    };
    put!(p, id);
    if flags & RESPONSE != 0 {
        response(p, message, c, flags, &counts)?;
    } else {
        query(p, message, c, flags, &counts)?;
    }
    put!(p, " (", message.length, ")");
    Ok(())
}

fn opcode(flags: u16) -> &'static str {
    OPCODES
        .get(usize::from(flags >> 11 & 15))
        .copied()
        .unwrap_or("")
}

fn response<'a>(
    p: &mut Out<'_>,
    m: Message<'a>,
    mut c: Cursor<'a>,
    flags: u16,
    counts: &Counts,
) -> Printed {
    put!(p, opcode(flags));
    let rcode = flags & 15 | edns::extended_rcode(m, c, counts) << 4;
    match lookup(RCODES, rcode) {
        Some(name) => put!(p, name),
        None => put!(p, " Resp", rcode),
    }
    for (shown, mark) in [
        (flags & 0x0400 != 0, "*"),
        (flags & 0x0080 == 0, "-"),
        (flags & 0x0200 != 0, "|"),
        (flags & 0x0020 != 0, "$"),
    ] {
        if shown {
            put!(p, mark);
        }
    }
    if counts.questions != 1 {
        put!(p, " [", counts.questions, "q]");
    }
    for n in 0..counts.questions {
        if n > 0 {
            put!(p, ",");
        }
        if p.verbose(2) {
            put!(p, " q:");
            question(p, m, &mut c)?;
        } else {
            name::skip(&mut c)?;
            // Type and class; their absence is seen by what follows.
            c = skip_at_most(c, 4);
        }
    }
    put!(
        p,
        " ",
        counts.answers,
        "/",
        counts.authorities,
        "/",
        counts.additional
    );
    records(p, m, &mut c, counts)
}

fn query<'a>(
    p: &mut Out<'_>,
    m: Message<'a>,
    mut c: Cursor<'a>,
    flags: u16,
    counts: &Counts,
) -> Printed {
    put!(p, opcode(flags));
    if flags & 0x0100 != 0 {
        put!(p, "+");
    }
    if flags & 0x0010 != 0 {
        put!(p, "%");
    }
    // Bits that a query should not have.
    if flags & 0x06cf != 0 {
        put!(p, " [b2&3=0x", Hex(flags), "]");
    }
    // An inverse query asks with its answer section.
    let inverse = flags >> 11 & 15 == 1;
    let expected = (u16::from(!inverse), u16::from(inverse));
    if inverse {
        if counts.answers != expected.1 {
            put!(p, " [", counts.answers, "a]");
        }
        if counts.questions != 0 {
            put!(p, " [", counts.questions, "q]");
        }
    } else {
        if counts.answers != 0 {
            put!(p, " [", counts.answers, "a]");
        }
        if counts.questions != expected.0 {
            put!(p, " [", counts.questions, "q]");
        }
    }
    if counts.authorities != 0 {
        put!(p, " [", counts.authorities, "n]");
    }
    if counts.additional != 0 {
        put!(p, " [", counts.additional, "au]");
    }
    for _ in 0..counts.questions {
        question(p, m, &mut c)?;
    }
    if p.verbose(2) {
        return records(p, m, &mut c, counts);
    }
    Ok(())
}

/// The cursor after `count` bytes, or at the end.
fn skip_at_most(mut c: Cursor<'_>, count: usize) -> Cursor<'_> {
    match c.skip(count) {
        Ok(()) => c,
        Err(Truncated) => Cursor::new(&[]),
    }
}

/// ` A? example.com.`
fn question<'a>(p: &mut Out<'_>, m: Message<'a>, c: &mut Cursor<'a>) -> Printed {
    let start = *c;
    name::skip(c)?;
    let kind = c.u16()?;
    let class = c.u16()?;
    put!(p, " ");
    record::kind(p, kind);
    let (class, unicast) = m.class(class);
    if class != record::INTERNET {
        put!(p, " ");
        record::class(p, class);
    }
    if m.multicast {
        if unicast {
            put!(p, " (QU)");
        } else if p.verbose(2) {
            put!(p, " (QM)");
        }
    }
    put!(p, "? ");
    let mut at = start;
    name::print(p, m.bytes, &mut at)
}

/// Answers; authorities and additional records with `-vv`.
fn records<'a>(p: &mut Out<'_>, m: Message<'a>, c: &mut Cursor<'a>, counts: &Counts) -> Printed {
    let mut complete = section(p, m, c, counts.answers, "")?;
    if p.verbose(2) {
        for (count, title) in [(counts.authorities, " ns:"), (counts.additional, " ar:")] {
            // What follows a record that breaks off is missed where more is to follow.
            if count > 0 && !complete {
                return Err(Truncated);
            }
            complete &= section(p, m, c, count, title)?;
        }
    }
    Ok(())
}

/// The records of a section; whether all of them are complete.
fn section<'a>(
    p: &mut Out<'_>,
    m: Message<'a>,
    c: &mut Cursor<'a>,
    count: u16,
    title: &str,
) -> Result<bool, Truncated> {
    for n in 0..count {
        if c.is_empty() {
            // compat: without -v answers of which nothing was captured are not missed (4.99.3).
            if n == 0 && !p.verbose(1) {
                return Ok(false);
            }
            // compat: the space in front of the first answer's name is printed already.
            if n == 0 && title.is_empty() && p.verbose(1) {
                put!(p, " ");
            }
            return Err(Truncated);
        }
        put!(p, if n == 0 { title } else { "," });
        if !record::record(p, m, c)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Message<'_> {
    /// The class, and in multicast messages the bit that stands beside it.
    fn class(&self, class: u16) -> (u16, bool) {
        if self.multicast {
            (class & 0x7fff, class & 0x8000 != 0)
        } else {
            (class, false)
        }
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn flags() {
        for (packet, expected) in [
            (
                "4500003900010000401166b10a0000010a00000200359c400025fc2d000781830001000000000000076578616d706c65036f72670000010001",
                "IP 10.0.0.1.53 > 10.0.0.2.40000: 7 NXDomain 0/0/0 (29)\n",
            ),
            (
                "4500003900010000401166b10a0000010a00000200359c400025f830000785800001000000000000076578616d706c65036f72670000010001",
                "IP 10.0.0.1.53 > 10.0.0.2.40000: 7* 0/0/0 (29)\n",
            ),
            (
                "4500003900010000401166b10a0000010a00000200359c400025f7ae000786020001000000000000076578616d706c65036f72670000010001",
                "IP 10.0.0.1.53 > 10.0.0.2.40000: 7 ServFail*-| 0/0/0 (29)\n",
            ),
            (
                "4500003900010000401166b10a0000010a00000200359c400025fc00000781b00001000000000000076578616d706c65036f72670000010001",
                "IP 10.0.0.1.53 > 10.0.0.2.40000: 7$ 0/0/0 (29)\n",
            ),
            (
                "4500003900010000401166b10a0000010a0000029c40003500257cb1000701000001000000000000076578616d706c65036f72670000010001",
                "IP 10.0.0.1.40000 > 10.0.0.2.53: 7+ A? example.org. (29)\n",
            ),
            (
                "4500003900010000401166b10a0000010a0000029c40003500257c80000701300001000000000000076578616d706c65036f72670000ff0003",
                "IP 10.0.0.1.40000 > 10.0.0.2.53: 7+% ANY CHAOS? example.org. (29)\n",
            ),
            (
                "4500003900010000401166b10a0000010a0000029c400035002550b1000728000001000000000000076578616d706c65036f72670000060001",
                "IP 10.0.0.1.40000 > 10.0.0.2.53: 7 update SOA? example.org. (29)\n",
            ),
            (
                "4500003900010000401166b10a0000010a0000029c40003500257a6e000703430001000000000000076578616d706c65036f72670000010001",
                "IP 10.0.0.1.40000 > 10.0.0.2.53: 7+ [b2&3=0x343] A? example.org. (29)\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(0), expected);
        }
    }
}
