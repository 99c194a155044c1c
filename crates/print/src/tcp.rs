//! TCP (RFC 9293).

mod md5;
mod options;
mod reset;

use pktwho_wire::{Cursor, Truncated};

use crate::checksum::{Sum, should_be};
use crate::flows::{Origins, Segment};
use crate::ip_proto::{self, Ip};
use crate::out::{Out, Printed};
use crate::past::Origin;
use crate::port::{self, Ends};
use crate::put::{HexFull, put};
use crate::{Transport, udp};

const HEADER: usize = 20;

pub(crate) const FIN: u16 = 0x001;
pub(crate) const SYN: u16 = 0x002;
pub(crate) const RST: u16 = 0x004;
pub(crate) const ACK: u16 = 0x010;
const URG: u16 = 0x020;

/// Flags in the order in which they are shown.
static FLAGS: &[(u16, u8)] = &[
    (FIN, b'F'),
    (SYN, b'S'),
    (RST, b'R'),
    (0x008, b'P'),
    (ACK, b'.'),
    (URG, b'U'),
    (0x040, b'E'),
    (0x080, b'W'),
    // Accurate ECN (RFC 9768).
    (0x100, b'e'),
];

/// The fixed header.
struct Header {
    source: u16,
    destination: u16,
    seq: u32,
    ack: u32,
    length: usize,
    flags: u16,
    window: u16,
    checksum: u16,
    urgent: u16,
}

impl Header {
    fn read(c: &mut Cursor<'_>, source: u16, destination: u16) -> Result<Self, Truncated> {
        let seq = c.u32()?;
        let ack = c.u32()?;
        let bits = c.u16()?;
        Ok(Self {
            source,
            destination,
            seq,
            ack,
            length: usize::from(bits >> 12) * 4,
            flags: bits & 0x1ff,
            window: c.u16()?,
            checksum: c.u16()?,
            urgent: c.u16()?,
        })
    }
}

/// A segment; `length` is what IP leaves for it.
pub(crate) fn tcp(p: &mut Out<'_>, c: Cursor<'_>, length: usize, ip: &Ip) -> Printed {
    p.protocol = "tcp";
    let segment = c;
    let mut c = c;
    let (Ok(source), Ok(destination)) = (c.u16(), c.u16()) else {
        if !ip.addresses_shown {
            ip_proto::addresses(p, ip);
        }
        // compat: tcpdump 4.99.3 has one space only here.
        if p.out.last() == Some(&b' ') {
            p.out.pop();
        }
        return Err(Truncated);
    };
    udp::ends(p, Transport::Tcp, source, destination, ip);
    let header = Header::read(&mut c, source, destination)?;
    if header.length < HEADER {
        too_short(p, header.length, length);
        return Ok(());
    }
    // What a segment says of its connection counts even if its header is longer than itself.
    let origins = origins(p, &header, ip);
    if !shown_flags(p, &header, length) {
        return Ok(());
    }
    if p.verbose(1) && !p.style.no_checksums && !ip.fragment {
        checksum(p, segment, length, header.checksum, ip);
    }
    let left = length - header.length;
    numbers(p, &header, left, origins);
    if header.length > HEADER {
        put!(p, ", options [");
        let options = options::Options {
            segment: segment.rest(),
            length,
            header: header.length,
            ip,
            flags: header.flags,
            peer: origins.peer,
        };
        if !options.print(p, c, header.length - HEADER)? {
            return Ok(());
        }
        put!(p, "]");
    }
    put!(p, ", length ", left);
    if left == 0 {
        return Ok(());
    }
    payload(p, segment, &header, left, ip)
}

/// What is said of a header that is too short.
fn too_short(p: &mut Out<'_>, stated: usize, length: usize) {
    let left = wrapped(length, stated);
    put!(p, " tcp ", left, " [bad hdr length ", stated);
    put!(p, " - too short, < ", HEADER, "]");
}

/// The flags; `false` if nothing follows them: with `-q`, or when the header's length is
/// impossible.
fn shown_flags(p: &mut Out<'_>, header: &Header, length: usize) -> bool {
    let stated = header.length;
    if p.style.quiet {
        put!(p, "tcp ", wrapped(length, stated));
    } else {
        put!(p, "Flags [");
        flags(p, header.flags);
        put!(p, "]");
    }
    if stated > length {
        put!(
            p,
            " [bad hdr length ",
            stated,
            " - too long, > ",
            length,
            "]"
        );
        return false;
    }
    !p.style.quiet
}

/// What the segment carries: a protocol known by its port, or why it resets.
fn payload(p: &mut Out<'_>, segment: Cursor<'_>, header: &Header, left: usize, ip: &Ip) -> Printed {
    let mut payload = segment;
    if payload.skip(header.length).is_err() {
        let there = segment.remaining();
        put!(
            p,
            " [remaining caplen(",
            there,
            ") < header length(",
            header.length,
            ")]"
        );
        return Err(Truncated);
    }
    let payload = Cursor::new(payload.limit(left).rest());
    if header.flags & RST != 0 {
        return if p.verbose(1) {
            reset::reason(p, payload, left)
        } else {
            Ok(())
        };
    }
    let print = match p.style.packet_type.and_then(port::tcp_as) {
        None => port::tcp(header.source, header.destination),
        asked => asked,
    };
    match print {
        Some(print) => {
            p.ends = Some(Ends::new(ip, header.source, header.destination));
            p.deeper(|p| print(p, payload, left))
        }
        None => Ok(()),
    }
}

/// `length - header` as 32-bit arithmetic has it: tcpdump shows it for impossible headers too.
fn wrapped(length: usize, header: usize) -> u32 {
    let low = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    low(length).wrapping_sub(low(header))
}

fn flags(p: &mut Out<'_>, flags: u16) {
    if flags == 0 {
        return put!(p, "none");
    }
    p.out.extend(
        FLAGS
            .iter()
            .filter(|flag| flags & flag.0 != 0)
            .map(|flag| flag.1),
    );
}

fn checksum(p: &mut Out<'_>, segment: Cursor<'_>, length: usize, found: u16, ip: &Ip) {
    if segment.remaining() < length {
        return;
    }
    let segment = segment.limit(length).rest();
    let residue = Sum::pseudo(ip.src, ip.last_dst, ip_proto::TCP, length)
        .add(segment)
        .finish();
    put!(p, ", cksum 0x", HexFull(found));
    if residue == 0 {
        put!(p, " (correct)");
    } else {
        put!(
            p,
            " (incorrect -> 0x",
            HexFull(should_be(found, residue)),
            ")"
        );
    }
}

/// What the numbers are counted from.
fn origins(p: &mut Out<'_>, header: &Header, ip: &Ip) -> Origins<Origin> {
    if p.style.absolute_seq || header.flags & ACK == 0 {
        return Origins {
            seq: Origin::Known(0),
            ack: Origin::Known(0),
            peer: Origin::Known(0),
        };
    }
    p.past.origins(Segment {
        src: (ip.src, header.source),
        dst: (ip.dst, header.destination),
        seq: header.seq,
        ack: header.ack,
        syn: header.flags & SYN != 0,
    })
}

/// Sequence and acknowledgement numbers, window, urgent pointer.
fn numbers(p: &mut Out<'_>, header: &Header, left: usize, origins: Origins<Origin>) {
    if p.verbose(2) || left > 0 || header.flags & (SYN | FIN | RST) != 0 {
        put!(p, ", seq ");
        p.counted(header.seq, origins.seq);
        if left > 0 {
            put!(p, ":");
            let end = u32::try_from(left).unwrap_or(u32::MAX);
            p.counted(header.seq.wrapping_add(end), origins.seq);
        }
    }
    if header.flags & ACK != 0 {
        put!(p, ", ack ");
        p.counted(header.ack, origins.ack);
    } else if p.verbose(2) && header.ack != 0 {
        put!(p, ", [ack ", header.ack, " != 0 while ACK flag not set]");
    }
    put!(p, ", win ", header.window);
    if header.flags & URG != 0 {
        put!(p, ", urg ", header.urgent);
    } else if p.verbose(2) && header.urgent != 0 {
        put!(p, ", [urg ", header.urgent, " != 0 while URG flag not set]");
    }
}

#[cfg(test)]
mod tests {
    use pktwho_packet::LinkType;

    use crate::tests::{check, style};

    #[test]
    fn flags_numbers_and_reasons() {
        for (packet, expected) in [
            (
                "4500003c00010000400666b90a0000010a0000029c400050000003e800000000a002faf098300000020405b40402080a000000640000000001030307",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto TCP (6), length 60)\n    10.0.0.1.40000 > 10.0.0.2.80: Flags [S], cksum 0x9830 (correct), seq 1000, win 64240, options [mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7], length 0\n",
            ),
            (
                "4500004f00010000400666a60a0000010a0000029c400050000003e9000013898018faf075c200000101080a00000065000000c8474554202f20485454502f312e310d0a486f73743a20610d0a0d0a",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto TCP (6), length 79)\n    10.0.0.1.40000 > 10.0.0.2.80: Flags [P.], cksum 0x75c2 (correct), seq 1001:1028, ack 5001, win 64240, options [nop,nop,TS val 101 ecr 200], length 27: HTTP, length: 27\n\tGET / HTTP/1.1\n\tHost: a\n\t\n",
            ),
            (
                "4500004e00010000400666a70a0000020a00000100509c40000013a4000004055014faf0c1a700006e6f207375636820636f6e6e656374696f6e2c20616e64206d6f7265207468616e2066697473",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto TCP (6), length 78)\n    10.0.0.2.80 > 10.0.0.1.40000: Flags [R.], cksum 0xc1a7 (correct), seq 5028:5066, ack 1029, win 64240, length 38 [RST+ no such connection, and more t]\n",
            ),
            (
                "4500002800010000400666cd0a0000010a00000200070009000000010000000151fffaf09ee00000",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto TCP (6), length 40)\n    10.0.0.1.7 > 10.0.0.2.9: Flags [FSRP.UEWe], cksum 0x9ee0 (correct), seq 1, ack 1, win 64240, urg 0, length 0\n",
            ),
            (
                "4500002800010000400666cd0a0000010a0000020007000900000001000000015000faf0a0df0000",
                "IP (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto TCP (6), length 40)\n    10.0.0.1.7 > 10.0.0.2.9: Flags [none], cksum 0xa0df (correct), win 64240, length 0\n",
            ),
        ] {
            check(LinkType::RAW, packet, style(1), expected);
        }
    }
}
